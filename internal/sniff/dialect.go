package sniff

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
)

// The dialect is found by reading the text in every likely one with our own
// reader and judging the tables that come out. The right one gives records of
// one width and cells that each mean something; a wrong one cuts words and
// numbers apart or leaves delimiters and quotes in the cells.

const (
	dialectBytes = 192 << 10
	dialectRows  = 2000
)

// delimiters are what is tried, with how far each is believed before the text
// is looked at: a colon or a blank is far more often within a cell than between
// two.
func delimiters() []candidate {
	return []candidate{
		{",", 1}, {";", 1}, {"\t", 1}, {"|", 1},
		{"~", 0.85}, {"^", 0.85}, {"\x1f", 1}, {"\x01", 1}, {"§", 0.9}, {"¦", 0.9},
		{":", 0.75}, {" ", 0.6}, {"#", 0.5}, {"*", 0.5}, {"=", 0.4}, {"!", 0.5}, {"&", 0.4},
	}
}

type candidate struct {
	text  string
	prior float64
}

// dialect is one way to read the text, and how good the table is.
type dialect struct {
	delim, quote, escape string

	score   float64
	share   float64 // of the records that have the commonest width
	width   int     // the commonest number of cells
	records int
	cells   int
	clean   float64 // mean of the cells' worth
	quoted  int     // cells that the quote enclosed
	broken  int     // quotes that open and do not close, or close and go on
	spaced  float64 // share of the cells but the first that begin with a blank
	padded  float64 // share of them that end with one
}

func (d dialect) layout() sheet.Layout {
	return sheet.Layout{Format: sheet.CSV, Delimiter: d.delim, Quote: d.quote, Escape: d.escape}
}

// findDialect tries all that the override leaves open. complete says that the
// text does not go on.
func findDialect(text string, complete bool, o Override) (best dialect, rest []dialect) {
	s := sample{text, complete}
	if len(text) > dialectBytes {
		s = sample{text[:dialectBytes], false}
	}
	var all []dialect
	for _, delim := range candidateDelimiters(s.text, o) {
		for _, quote := range candidateQuotes(s.text, o) {
			d := judge(s, dialect{delim: delim.text, quote: quote}, delim.prior)
			all = append(all, d)
		}
	}
	// The order of the candidates decides between equals.
	slices.SortStableFunc(all, func(a, b dialect) int { return -cmp.Compare(a.score, b.score) })
	best = all[0]
	if o.Escape == nil {
		best = withEscape(s, best)
	} else {
		best = judge(s, dialect{delim: best.delim, quote: best.quote, escape: *o.Escape}, 1)
	}
	switch {
	case o.Delimiter != nil:
	case best.width <= 1:
		best.delim = enclosedDelimiter(s, best)
	case best.delim == ",":
		best = withBlank(s, best)
	}
	return best, all[1:]
}

// sample is the start of a text, or all of it.
type sample struct {
	text     string
	complete bool
}

// reader reads the sample; a record that its end leaves open counts only if it
// is the first one.
func (s sample) reader(d dialect) *csv.Reader {
	if !s.complete {
		r := csv.NewHeadReader(strings.NewReader(s.text), d.layout())
		if _, err := r.Next(); err == nil {
			return csv.NewHeadReader(strings.NewReader(s.text), d.layout())
		}
	}
	return csv.NewReader(strings.NewReader(s.text), d.layout(), 1)
}

func candidateDelimiters(text string, o Override) []candidate {
	if o.Delimiter != nil {
		return []candidate{{*o.Delimiter, 1}}
	}
	all := slices.DeleteFunc(delimiters(), func(d candidate) bool { return !strings.Contains(text, d.text) })
	return append(all, candidate{"", 0.9}) // a single column is rarer
}

func candidateQuotes(text string, o Override) []string {
	if o.Quote != nil {
		return []string{*o.Quote}
	}
	quotes := []string{`"`}
	if strings.Contains(text, "'") {
		quotes = append(quotes, "'")
	}
	return quotes
}

// judge reads the text in that dialect and scores what comes out.
func judge(s sample, d dialect, prior float64) dialect {
	r := s.reader(d)
	widths := map[int]int{}
	var rows [][]worth
	var cells, spaced, padded int
	for d.records < dialectRows {
		row, err := r.Next()
		if err != nil {
			break
		}
		if row.IsBlank() {
			continue
		}
		d.records++
		widths[len(row.Cells)]++
		d.broken += len(row.Problems)
		// A colon cuts what is one thing: a time, an address.
		cut := d.delim == ":" && colonsAreParts(string(r.Raw()))
		d.cells += len(row.Cells)
		ws := make([]worth, len(row.Cells))
		for i, c := range row.Cells {
			enclosed := r.Quoted(i)
			if enclosed {
				d.quoted++
			}
			ws[i] = d.worthOf(c, enclosed)
			if cut {
				ws[i].value *= 0.5
			}
			// Blanks before a quote are not in the cell.
			if i > 0 && !r.Quoted(i) && !c.IsBlank() {
				cells++
				if strings.HasPrefix(c.Text, " ") {
					spaced++
				}
				if strings.HasSuffix(c.Text, " ") {
					padded++
				}
			}
		}
		rows = append(rows, ws)
	}
	if d.records == 0 {
		return d
	}
	if cells > 0 {
		d.spaced, d.padded = float64(spaced)/float64(cells), float64(padded)/float64(cells)
	}
	d.width = commonest(widths)
	if n := d.quoted; d.width > 1 && n > 0 {
		// What stands between enclosed cells is a delimiter, likely or not.
		prior += (1 - prior) * min(1, float64(n)/float64(d.cells))
	}
	d.score = d.measure(rows) * prior
	return d
}

// commonest is the width of most records; between equals the larger.
func commonest(widths map[int]int) int {
	best := 0
	for w, n := range widths {
		if best == 0 || n > widths[best] || n == widths[best] && w > best {
			best = w
		}
	}
	return best
}

// worth is how much a cell says for the dialect, 0 to 1, and its class.
type worth struct {
	value float64
	class class
	// mixed tells that unlike things are in the cell, another delimiter between
	// them.
	mixed bool
	// comment tells that the cell begins as comments do.
	comment bool
}

func (d dialect) worthOf(c record.Cell, enclosed bool) worth {
	k := classOf(c)
	if enclosed && k == text {
		// Whatever is in it, it was meant to be one cell.
		return worth{value: 0.95, class: k}
	}
	switch k {
	case blank:
		return worth{value: 0.6, class: k}
	case text:
		v, mixed := d.worthOfText(c.Text)
		return worth{value: v, class: k, mixed: mixed, comment: c.Text[0] == '#'}
	}
	switch s := c.Text; {
	case d.delim == ":" && k == number && len(s) <= 2:
		return worth{value: 0.75, class: k} // part of a time, it may be
	case d.delim != " " && s[0] == ' ':
		return worth{value: 0.9, class: k}
	case d.delim == "" && strings.ContainsAny(s, ",;\t|"):
		return worth{value: 0.7, class: k}
	}
	return worth{value: 1, class: k}
}

// worthOfText takes off for what a right dialect would not leave in a cell.
func (d dialect) worthOfText(s string) (v float64, mixed bool) {
	v = 0.85
	trimmed := strings.TrimSpace(s)
	first, _ := utf8.DecodeRuneInString(trimmed)
	last, _ := utf8.DecodeLastRuneInString(trimmed)
	for _, q := range []rune{'"', '\''} {
		n := strings.Count(trimmed, string(q))
		switch {
		case len(trimmed) > 1 && first == q && last == q:
			v *= 0.2 // enclosed still
		case q == '"' && (first == q || last == q) && n%2 == 1:
			v *= 0.3 // half of an enclosed text
		case q == '\'' && first == q && n%2 == 1 && string(q) != d.quote:
			v *= 0.6
		}
	}
	for _, other := range []string{"\t", ";", "|", ","} {
		if other != d.delim && strings.Contains(trimmed, other) {
			f, m := worthOfList(trimmed, other)
			v *= f
			mixed = mixed || m
		}
	}
	if d.delim == "" && colonInWord(trimmed) {
		v *= 0.75
	}
	if unbalanced(trimmed, '(', ')') || unbalanced(trimmed, '[', ']') || unbalanced(trimmed, '{', '}') {
		v *= 0.5
	}
	if strings.HasPrefix(s, " ") && unicode.IsLower(first) && d.delim != " " {
		v *= 0.7 // a sentence that goes on
	}
	if strings.IndexFunc(trimmed, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0 {
		v *= 0.5
	}
	for _, c := range delimiters() {
		switch {
		case c.text == d.delim:
		case strings.Contains(trimmed, `"`+c.text+`"`),
			strings.Contains(trimmed, c.text+`"`) && c.text != " " && strings.Count(trimmed, `"`)%2 == 1:
			return v * 0.35, mixed // it stands between enclosed cells
		}
	}
	return v, mixed
}

// worthOfList takes off for another delimiter within a cell. A list of like
// things is often in one cell; unlike things side by side are columns.
func worthOfList(s, delim string) (v float64, mixed bool) {
	parts := strings.Split(s, delim)
	if delim == "," && strings.Count(s, ", ") == len(parts)-1 {
		return 1, false // a sentence
	}
	var kinds [absent + 1]int
	for _, p := range parts {
		kinds[classOfText(p)]++
	}
	values := 0
	for k := text; k <= absent; k++ {
		if kinds[k] > 0 {
			values++
		}
	}
	if values < 2 {
		return 0.8, false
	}
	const short = 80
	return 0.5, len(s) <= short && kinds[text]+kinds[code]+kinds[absent]+kinds[blank] < len(parts)
}

// colonInWord tells whether a colon joins two words, as no sentence has it.
func colonInWord(s string) bool {
	for rest := s; ; {
		_, after, found := strings.Cut(rest, ":")
		if !found {
			return false
		}
		if after != "" && after[0] != ' ' && after[0] != '/' {
			return true
		}
		rest = after
	}
}

// colonsAreParts tells whether all colons belong to times and web addresses.
func colonsAreParts(s string) bool {
	isDigit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] != ':' || strings.HasPrefix(s[i:], "://") {
			continue
		}
		if !isDigit(i-1) || !isDigit(i+1) || !isDigit(i+2) || isDigit(i+3) {
			return false
		}
	}
	return true
}

func unbalanced(s string, open, shut byte) bool {
	return strings.Count(s, string(open)) != strings.Count(s, string(shut))
}

// measure is the worth of the whole: how alike the records are, how much the
// cells mean, how far each column is of one kind, and how wide it is.
func (d *dialect) measure(rows [][]worth) float64 {
	first, last := -1, -1
	for i, r := range rows {
		if len(r) == d.width {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	var same, all, sum, cells, mixed float64
	inside, title, most := 0, 0, 0
	for i, r := range rows {
		if len(r) >= d.width {
			most++
		}
		switch {
		case len(r) == d.width:
			inside++
		case i >= first && i <= last || len(r) > d.width:
		case len(r) == 1 && r[0].value > 0.8:
			title++
		}
	}
	for i, r := range rows {
		weight := 1.0
		// What is before the first or after the last record of the table may be
		// anything: titles, notes. But they are few beside the table, and have
		// no other delimiters.
		switch outside := len(r) < d.width && (i < first || i > last); {
		case outside && len(r) == 1 && r[0].value > 0.8 && title <= inside:
			weight = 0.3
		case outside && (last-first+1)*5 >= len(rows)*4:
			weight = 0.35
		case len(r) == 1 && r[0].comment:
			weight = 0.3
		case len(r) < d.width && first == 0 && inside == most:
			weight = 0.7 // the header is the widest: cells left out at the end
		}
		all += weight
		if len(r) == d.width {
			same++
		}
		for _, w := range r {
			v := weight
			if w.class == blank {
				v *= 0.2 // it says little
			}
			sum += w.value * v
			cells += v
			if w.mixed {
				mixed++
			}
		}
	}
	d.share = same / all
	d.clean = sum / max(1, cells)
	kind := d.uniform(rows)
	// One column: nothing speaks for the delimiter, so a table must be better
	// than this to be believed.
	wide := 0.5
	if d.width > 1 {
		wide = 1 - 1/(float64(d.width)+0.7)
	}
	broken := 1 - min(0.5, float64(d.broken)/float64(len(rows)))
	broken *= 1 - 0.5*min(1, mixed/float64(len(rows)))
	return math.Pow(d.share, 2.5) * d.clean * d.clean * (0.6 + 0.4*kind) * wide * broken
}

// uniform is the mean over the columns of the share of their commonest class.
func (d *dialect) uniform(rows [][]worth) float64 {
	counts := make([][absent + 1]int, d.width)
	for _, r := range rows {
		if len(r) != d.width {
			continue
		}
		for i, w := range r {
			counts[i][w.class]++
		}
	}
	sum := 0.0
	for _, c := range counts {
		all, most := 0, 0
		for k := text; k <= absent; k++ {
			all += c[k]
			most = max(most, c[k])
		}
		if all > 0 {
			sum += float64(most) / float64(all)
		}
	}
	return sum / float64(max(1, d.width))
}

// withEscape takes a backslash, a zero byte or the other quote as the escape
// where it stands before quotes and the table is better for it.
func withEscape(s sample, d dialect) dialect {
	if d.quote == "" {
		return d
	}
	best := judge(s, dialect{delim: d.delim, quote: d.quote}, 1)
	plain := best
	for _, esc := range []string{`\`, "\x00", `"`} {
		if esc == d.quote || !strings.Contains(s.text, esc+d.quote) {
			continue
		}
		e := judge(s, dialect{delim: d.delim, quote: d.quote, escape: esc}, 1)
		if e.broken < best.broken || e.broken == best.broken && e.score > best.score {
			best = e
		}
	}
	if best.escape == plain.escape {
		return d
	}
	best.score = d.score
	return best
}

// withBlank takes comma and blank together as the delimiter where a blank
// follows every comma between cells.
func withBlank(s sample, d dialect) dialect {
	if d.spaced < 0.98 || d.records < 2 || d.width < 2 || d.padded > 0.2 {
		return d
	}
	two := judge(s, dialect{delim: d.delim + " ", quote: d.quote, escape: d.escape}, 1)
	if two.width >= d.width && two.share >= d.share {
		two.score = d.score
		return two
	}
	return d
}

// enclosedDelimiter looks at a text of one column. Where cells with a delimiter
// in them are enclosed and the others hold none, that delimiter is why they are.
func enclosedDelimiter(s sample, d dialect) string {
	r := s.reader(dialect{quote: d.quote})
	var within, without strings.Builder
	for range dialectRows {
		row, err := r.Next()
		if err != nil {
			break
		}
		b := &without
		if d.quote != "" && strings.HasPrefix(string(r.Raw()), d.quote) {
			b = &within
		}
		for _, c := range row.Cells {
			b.WriteString(c.Text)
		}
	}
	for _, c := range delimiters()[:4] {
		if strings.Contains(within.String(), c.text) && !strings.Contains(without.String(), c.text) {
			return c.text
		}
	}
	return ""
}

// evidence says in words why this dialect.
func (d dialect) evidence() string {
	if d.width <= 1 {
		return "no delimiter gives a table; " + counted(d.records, "record of one cell", "records of one cell")
	}
	return fmt.Sprintf("%.0f %% of %s %d cells", 100*d.share, counted(d.records, "record has", "records have"), d.width)
}
