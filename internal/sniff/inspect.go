package sniff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/open"
	"github.com/dropload/dropload/internal/sniff/charset"
)

const (
	tableRows   = 2000 // records in which the table is looked for
	sampleRows  = 100
	sampleCells = 200
)

// Inspect finds out how to read src; name is the file's name, "" if unknown. It
// reads the first 1 MiB and the last 64 KiB. What o fixes is not looked for.
//
// The error is a *fault.BadFile with the code "encrypted", "corrupt",
// "too-large", "unsupported", "empty" or "unknown-format", a *fault.Refused for
// an override that does not fit the file, or the error of src. The result then
// holds what was found so far.
func Inspect(src sheet.Source, name string, o Override) (Result, error) {
	c, err := findContent(src, name)
	r := Result{}
	r.Layout.Format = c.format
	if r.Layout.Format == "" {
		r.Layout.Format = sheet.UnknownFormat
	}
	r.Layout.Compression = c.compression
	if err != nil {
		return r, fault.Bare(err)
	}
	r.add("format", string(c.format), 0.99, c.why)
	if len(c.compression) > 0 {
		r.add("compression", strings.Join(c.compression, ", "), 1, "the file's first bytes")
	}
	switch c.format {
	case sheet.CSV:
		err = r.text(src, c, o)
	case sheet.HTML, sheet.SpreadsheetML:
		err = errors.Join(r.encoding(src, c, o), r.workbook(src, o))
	case sheet.UnknownFormat:
		err = errors.Join(r.encoding(src, c, o), unknown("The file is "+c.why+"."))
	case sheet.XLSB, sheet.ODS:
		err = &fault.BadFile{Code: "unsupported", Message: "Workbooks of the kind " + string(c.format) + " are not read. Save it as xlsx and send that."}
	default:
		err = r.workbook(src, o)
	}
	return r, fault.Bare(err)
}

func (r *Result) add(what, answer string, confidence float64, why string) {
	r.Findings = append(r.Findings, Finding{What: what, Answer: answer, Confidence: confidence, Why: why})
}

// encoding finds the encoding by the head, and by the tail where the head is
// plain ASCII.
func (r *Result) encoding(src sheet.Source, c content, o Override) error {
	if o.Encoding != nil {
		r.Layout.Encoding = strings.ToLower(*o.Encoding)
		r.add("encoding", r.Layout.Encoding, 1, "set by hand")
		return nil
	}
	g := charset.Detect(c.head, c.complete)
	if !c.complete && g.Name == charset.UTF8 && isASCII(c.head) {
		tail, err := readTail(src, c)
		if err != nil {
			return err
		}
		// From a line's start on, so that no character is cut.
		if i := bytes.IndexByte(tail, '\n'); i >= 0 && !isASCII(tail) {
			g = charset.Detect(tail[i+1:], true)
			g.Why += ", at the end of the file"
		}
	}
	r.Layout.Encoding = g.Name
	r.add("encoding", g.Name, g.Confidence, g.Why)
	return nil
}

func isASCII(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// text finds the dialect and the table of a delimited text.
func (r *Result) text(src sheet.Source, c content, o Override) error {
	if err := r.encoding(src, c, o); err != nil {
		return err
	}
	if _, err := charset.NewDecoder(r.Layout.Encoding, strings.NewReader("")); err != nil {
		return &fault.Refused{Code: "encoding_unknown", Message: fmt.Sprintf("The encoding %q is not known.", r.Layout.Encoding), Cause: err}
	}
	if err := checkDialect(o); err != nil {
		return err
	}
	text := decodeHead(c.head, c.complete, r.Layout.Encoding)
	if strings.TrimSpace(text) == "" {
		return empty()
	}
	if isBinary(text) {
		r.Layout.Format = sheet.UnknownFormat
		r.Findings[0].Answer = string(sheet.UnknownFormat)
		return unknown("The file is no text.")
	}
	r.dialect(text, c.complete, o)
	lines, newline, whole, err := readLines(sample{text, c.complete}, r.Layout)
	if err != nil {
		return err
	}
	r.Layout.Newline = newline
	r.add("newline", strconv.Quote(newline), 0.99, "the commonest line end")
	t := findTable(lines[:min(len(lines), tableRows)], o)
	r.table(t)
	tail := lines
	if !whole {
		if tail, err = r.tail(src, c); err != nil {
			return err
		}
	}
	r.footer(tail, lines, whole, o)
	r.nameAgain(t, lines, whole)
	r.sample(lines, whole)
	return nil
}

// checkDialect refuses what the reader cannot read by.
func checkDialect(o Override) error {
	for what, v := range map[string]*string{"quote": o.Quote, "escape": o.Escape} {
		if v != nil && (len(*v) > 1 || strings.ContainsAny(*v, "\r\n")) {
			return &fault.Refused{Code: "dialect_invalid", Message: "The " + what + " must be one ASCII character, or none."}
		}
	}
	if o.Delimiter != nil && (utf8.RuneCountInString(*o.Delimiter) > 2 || strings.ContainsAny(*o.Delimiter, "\r\n\"")) {
		return &fault.Refused{Code: "dialect_invalid", Message: "The delimiter must be one character or two, and no quote or line end."}
	}
	return nil
}

// dialect sets delimiter, quote and escape.
func (r *Result) dialect(text string, complete bool, o Override) {
	l := &r.Layout
	sep, hasSep := sepLine(text)
	if hasSep && o.Delimiter == nil {
		fixed := o
		fixed.Delimiter = &sep
		d, _ := findDialect(text, complete, fixed)
		l.Delimiter, l.Quote, l.Escape = sep, d.quote, d.escape
		r.add("delimiter", sep, 0.99, "the file's first line says so")
		r.add("quote", d.quote, 0.95, d.evidence())
		return
	}
	d, rest := findDialect(text, complete, o)
	l.Delimiter, l.Quote, l.Escape = d.delim, d.quote, d.escape
	second := 0.0
	for _, other := range rest {
		if other.delim != d.delim && !strings.HasPrefix(d.delim, other.delim+" ") {
			second = other.score
			break
		}
	}
	r.hand(o.Delimiter, "delimiter", l.Delimiter, margin(d.score, second), d.evidence())
	sure, why := quoteEvidence(d, rest)
	r.hand(o.Quote, "quote", d.quote, sure, why)
	if d.escape != "" || o.Escape != nil {
		r.hand(o.Escape, "escape", d.escape, 0.9, "it stands before quotes within cells")
	}
}

// quoteEvidence tells how sure the quote is. Another one is a rival only if it
// would enclose cells.
func quoteEvidence(d dialect, rest []dialect) (sure float64, why string) {
	sure = 0.97
	for _, other := range rest {
		if other.delim == d.delim && other.quote != d.quote && other.quoted > 0 {
			sure = margin(d.score, other.score)
		}
	}
	if d.quoted == 0 {
		return min(sure, 0.95), "no cell is enclosed; the usual quote is assumed"
	}
	return sure, "it encloses " + counted(d.quoted, "cell", "cells")
}

// hand adds a finding that may have been set by hand.
func (r *Result) hand(set *string, what, answer string, confidence float64, why string) {
	if set != nil {
		confidence, why = 1, "set by hand"
	}
	r.add(what, answer, confidence, why)
}

// margin is the confidence in the best of two scores.
func margin(best, second float64) float64 {
	if best <= 0 {
		return 0.1
	}
	const even, steep = 0.5, 1.2
	return min(0.99, even+steep*(best-max(0, second))/best/2)
}

// sepLine reads Excel's first line that names the delimiter.
func sepLine(text string) (string, bool) {
	line := text
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		line = text[:i]
	}
	line = strings.Trim(line, `"`)
	const key = "sep="
	if len(line) <= len(key) || !strings.EqualFold(line[:len(key)], key) {
		return "", false
	}
	sep := line[len(key):]
	if sep == `\t` {
		sep = "\t"
	}
	const widest = 4
	return sep, len(sep) <= widest
}

// readLines reads the records of a decoded text, and tells the commonest line
// end and whether they are all.
func readLines(s sample, l sheet.Layout) (lines []line, newline string, whole bool, err error) {
	const most = 20_000
	r := s.reader(dialect{delim: l.Delimiter, quote: l.Quote, escape: l.Escape})
	ends := map[string]int{}
	for len(lines) < most {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			whole = s.complete
			break
		}
		if err != nil {
			return nil, "", false, err
		}
		lines = append(lines, newLine(row))
		switch raw := r.Raw(); {
		case strings.HasSuffix(string(raw[max(0, len(raw)-2):]), "\r\n"):
			ends["\r\n"]++
		case len(raw) > 0 && raw[len(raw)-1] == '\n':
			ends["\n"]++
		case len(raw) > 0 && raw[len(raw)-1] == '\r':
			ends["\r"]++
		}
	}
	newline = "\n"
	for _, end := range []string{"\r\n", "\r"} {
		if ends[end] > ends[newline] {
			newline = end
		}
	}
	return lines, newline, whole, nil
}

// table takes over what was found of preamble and header.
func (r *Result) table(t table) {
	r.Layout.Preamble, r.Layout.HeaderRows, r.Layout.Columns = t.preamble, t.header, t.columns
	r.add("preamble", strconv.Itoa(t.preamble), t.preambleSure, t.preambleWhy)
	r.add("header", strconv.Itoa(t.header), t.headerSure, t.headerWhy)
}

// nameAgain counts the columns without the records of the footer.
func (r *Result) nameAgain(t table, lines []line, complete bool) {
	if complete && r.Layout.FooterRows > 0 {
		t.name(lines[:max(0, len(lines)-r.Layout.FooterRows)])
		r.Layout.Columns = t.columns
	}
}

// sample keeps the first data rows.
func (r *Result) sample(lines []line, complete bool) {
	from := r.Layout.DataFrom()
	r.SampleFrom = from
	r.Sample = [][]string{}
	end := int64(1 << 62)
	if complete {
		end = int64(len(lines) - r.Layout.FooterRows)
	}
	for _, l := range lines {
		if l.number < from || l.number > end {
			continue
		}
		if len(r.Sample) == sampleRows {
			break
		}
		r.Sample = append(r.Sample, l.cells[:min(len(l.cells), sampleCells)])
	}
}

// workbook finds the sheet and the table of a workbook.
func (r *Result) workbook(src sheet.Source, o Override) error {
	w, err := open.Workbook(src, r.Layout)
	if err != nil {
		return err
	}
	err = r.sheets(w, o)
	return errors.Join(err, w.Close())
}

func (r *Result) sheets(w sheet.Workbook, o Override) error {
	metas := w.Sheets()
	if len(metas) == 0 {
		return empty()
	}
	for _, m := range metas {
		r.Sheets = append(r.Sheets, SheetInfo{Name: m.Name, Rows: m.Rows, Hidden: m.Hidden})
	}
	at, sure, why, err := r.chooseSheet(w, o)
	if err != nil {
		return err
	}
	r.Layout.Sheet, r.Layout.SheetName = at, metas[at].Name
	r.add("sheet", metas[at].Name, sure, why)
	lines, tail, whole, err := sheetEnds(w, at)
	if err != nil {
		return err
	}
	t := findTable(lines, o)
	r.table(t)
	r.footer(tail, lines, whole, o)
	r.nameAgain(t, lines, whole)
	r.sample(lines, whole)
	return nil
}

// chooseSheet takes the sheet set by hand, else the first visible one with a
// table, else the first.
func (r *Result) chooseSheet(w sheet.Workbook, o Override) (at int, sure float64, why string, err error) {
	metas := w.Sheets()
	if o.SheetName != nil {
		for i, m := range metas {
			if strings.EqualFold(m.Name, *o.SheetName) {
				return i, 1, "set by hand", nil
			}
		}
		if o.Sheet == nil {
			return 0, 0, "", &fault.Refused{Code: "no_such_sheet", Message: fmt.Sprintf("The workbook has no sheet %q.", *o.SheetName)}
		}
	}
	if o.Sheet != nil {
		if *o.Sheet < 0 || *o.Sheet >= len(metas) {
			return 0, 0, "", &fault.Refused{Code: "no_such_sheet", Message: fmt.Sprintf("The workbook has no sheet %d, only %d.", *o.Sheet+1, len(metas))}
		}
		return *o.Sheet, 1, "set by hand", nil
	}
	if len(metas) == 1 {
		return 0, 1, "the only sheet", nil
	}
	const most = 20 // sheets looked into
	tables := []int{}
	for i, m := range metas[:min(most, len(metas))] {
		if m.Hidden {
			continue
		}
		lines, err := sheetLines(w, i)
		if err == nil && isTable(lines) {
			tables = append(tables, i)
		}
	}
	switch len(tables) {
	case 0:
		return 0, 0.4, "no sheet holds a table; the first one", nil
	case 1:
		return tables[0], 0.95, "the only visible sheet with a table", nil
	}
	return tables[0], 0.7, fmt.Sprintf("the first of %d visible sheets with a table", len(tables)), nil
}

// isTable tells whether there are a header and a record of at least two cells.
func isTable(lines []line) bool {
	wide := 0
	for _, l := range lines {
		if l.filled > 1 {
			wide++
		}
	}
	return wide > 1
}

// sheetLines reads the first records of a sheet.
func sheetLines(w sheet.Workbook, i int) ([]line, error) {
	rd, err := w.Open(i)
	if err != nil {
		return nil, err
	}
	var lines []line
	for r := (lineReader{rd: rd, next: 1}); err == nil && len(lines) < tableRows; {
		var l line
		if l, err = r.read(); err == nil {
			lines = append(lines, l)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return lines, errors.Join(err, rd.Close())
}

// sheetEnds reads the first records of a sheet, and the last ones unless it is a
// long one: then tail is nil. whole tells that lines are all.
func sheetEnds(w sheet.Workbook, i int) (lines, tail []line, whole bool, err error) {
	const (
		longest = 50_000
		last    = 200
	)
	rd, err := w.Open(i)
	if err != nil {
		return nil, nil, false, err
	}
	for r := (lineReader{rd: rd, next: 1}); r.next <= longest; {
		var l line
		if l, err = r.read(); err != nil {
			break
		}
		if len(lines) < tableRows {
			lines = append(lines, l)
			continue
		}
		if tail = append(tail, l); len(tail) == 2*last {
			tail = append(tail[:0], tail[last:]...)
		}
	}
	switch {
	case err == nil:
		return lines, nil, false, rd.Close()
	case !errors.Is(err, io.EOF):
		return nil, nil, false, errors.Join(err, rd.Close())
	case tail == nil:
		return lines, lines, true, rd.Close()
	}
	tail = append(slices.Clone(lines[len(lines)-last:]), tail...)
	return lines, tail, false, rd.Close()
}

// lineReader reads the records of a sheet; blank ones that the reader leaves out
// are records still.
type lineReader struct {
	rd   sheet.Reader
	next int64 // number of the next record
	held *line // read, but not yet its turn
}

func (r *lineReader) read() (line, error) {
	if r.held == nil {
		row, err := r.rd.Next()
		if err != nil {
			return line{}, err
		}
		l := newLine(row)
		r.held = &l
	}
	l := line{number: r.next}
	if r.held.number <= r.next {
		l, r.held = *r.held, nil
	}
	r.next = l.number + 1
	return l, nil
}
