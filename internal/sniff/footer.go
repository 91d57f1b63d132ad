package sniff

import (
	"fmt"
	"io"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
)

// tailBytes is how much of the end of a text is looked at.
const tailBytes = 64 << 10

// readTail reads the last bytes, from a multiple of every encoding's unit on.
// Wrapped texts have no end that can be reached: nil.
func readTail(src sheet.Source, c content) ([]byte, error) {
	if len(c.compression) > 0 {
		return nil, nil
	}
	from := max(0, src.Size()-tailBytes)
	const widest = 4
	from -= from % widest
	return io.ReadAll(io.NewSectionReader(src, from, src.Size()-from))
}

// tail reads the last records of a text that is longer than its head.
func (r *Result) tail(src sheet.Source, c content) ([]line, error) {
	b, err := readTail(src, c)
	if err != nil || b == nil {
		return nil, err
	}
	text := decodeHead(b, true, r.Layout.Encoding)
	// The first line is cut.
	i := strings.IndexAny(text, "\r\n")
	if i < 0 {
		return nil, nil
	}
	lines, _, _, err := readLines(sample{strings.TrimPrefix(text[i+1:], "\n"), true}, r.Layout)
	return lines, err
}

// footer finds what is below the last data row, seen from the end.
func (r *Result) footer(tail, head []line, complete bool, o Override) {
	if o.FooterRows != nil {
		r.Layout.FooterRows = *o.FooterRows
		r.add("footer", fmt.Sprint(*o.FooterRows), 1, "set by hand")
		return
	}
	if tail == nil && !complete {
		r.add("footer", "0", 0.8, "the end of a long wrapped text or sheet is not looked at")
		return
	}
	least := 0
	if complete {
		least = min(len(tail), r.Layout.Preamble+r.Layout.HeaderRows)
	}
	n, sure, why := findFooter(tail[least:], usualFill(head), r.Layout)
	if complete && r.Layout.HeaderRows > 0 {
		if at := secondTable(tail, least); at > 0 && len(tail)-at > n {
			n, sure = len(tail)-at, 0.6
			why = fmt.Sprintf("another table, with other columns, begins at record %d", tail[at].number)
		}
	}
	r.Layout.FooterRows = n
	r.add("footer", fmt.Sprint(n), sure, why)
}

// findFooter counts the records below the table: blank ones, notes that follow a
// gap or are no records of the table, and a line of totals. A cautious answer is
// 0: a footer read as a row is rejected and reported, a row taken for a footer
// would be lost.
func findFooter(lines []line, usual int, l sheet.Layout) (n int, sure float64, why string) {
	const most = 20
	end := len(lines)
	for end > 0 && lines[end-1].filled == 0 {
		end--
	}
	if end == 0 {
		return 0, 0.9, "no data rows"
	}
	notes := end
	for i := end - 1; i > 0 && i >= end-most && usual > 1; i-- {
		if !isNote(lines, i, usual, l) {
			break
		}
		notes = i
	}
	total := notes > 0 && isTotal(lines[notes-1], usual)
	if total {
		notes--
	}
	cut := notes
	for cut > 0 && lines[cut-1].filled == 0 {
		cut--
	}
	n = len(lines) - cut
	switch {
	case total:
		return n, 0.75, "a line of totals is below the table"
	case notes < end:
		return n, 0.8, counted(end-notes, "record below the table is a note", "records below the table are notes")
	}
	return n, 0.95, "the last record is one of the table"
}

// isNote tells whether record i is a note below the table: a single cell in a
// text of several, or after a gap.
func isNote(lines []line, i, usual int, l sheet.Layout) bool {
	x := lines[i]
	if x.filled == 0 {
		return true
	}
	if x.filled > 1 || x.first() != 0 || usual < 2 {
		return false
	}
	k := x.class(0)
	if k != text {
		return false
	}
	gap := i > 0 && lines[i-1].filled == 0
	bare := l.Format == sheet.CSV && len(x.cells) == 1 && usual > 2
	below := i+1 < len(lines) && lines[i+1].filled <= 1
	return gap || bare || below && len(x.cells) == 1
}

// isTotal tells whether a record sums the table up: it says so first, has
// numbers only, and fewer cells than a record.
func isTotal(x line, usual int) bool {
	f := x.first()
	if f < 0 || x.filled >= usual && usual > 2 || x.filled < 2 {
		return false
	}
	switch strings.ToLower(strings.Trim(x.cells[f], " :*#=-")) {
	case "total", "totals", "grand total", "sum", "subtotal", "summe", "gesamt", "gesamtsumme", "insgesamt", "total general", "totale",
		"suma", "somme", "total général", "iš viso", "viso", "totaal", "razem", "итого", "всего":
	default:
		return false
	}
	for i := f + 1; i < len(x.classes); i++ {
		if k := x.classes[i]; k != blank && k != number {
			return false
		}
	}
	return true
}

// secondTable finds another table below the first one, whose data begin at
// from: a record of names where the first table has values, then values again,
// and another number of columns or a gap before it. It returns the index of the
// first record that is no longer the first table's, 0 if there is no other
// table. The same header once more begins no other table.
func secondTable(lines []line, from int) int {
	const least = 2
	for i := from + least; i+least < len(lines); i++ {
		l := lines[i]
		gap := lines[i-1].filled == 0
		if !gap && len(lines[i-1].cells) == len(l.cells) || l.filled < least || l.filled*2 < len(l.cells) {
			continue
		}
		const near = 50
		above := bodyAfter(lines[:i], max(from, i-near))
		if !namesOver(l, valueColumns(above)) || from > 0 && sameNames(lines[from-1], l) {
			continue
		}
		below := bodyAfter(lines, i+1)
		if len(below) < least || !namesOver(l, valueColumns(below)) {
			continue
		}
		if !gap && (cellsOf(below) != len(l.cells) || cellsOf(lines[from:i]) == len(l.cells)) {
			continue
		}
		for i > from && lines[i-1].filled <= 1 && tableWidth(lines[from:i]) > 1 {
			i--
		}
		return i
	}
	return 0
}

// cellsOf is the commonest number of cells, empty ones included.
func cellsOf(lines []line) int {
	counts := map[int]int{}
	for _, l := range lines {
		if l.filled > 0 {
			counts[len(l.cells)]++
		}
	}
	return commonest(counts)
}

// valueColumns are the columns with one typed class.
func valueColumns(body []line) []int {
	var columns []int
	for i := range tableWidth(body) {
		if k, share, n := columnClass(body, i); k.typed() && share > 0.8 && n > 1 {
			columns = append(columns, i)
		}
	}
	return columns
}

// namesOver tells whether a record has texts, and no value, in at least two of
// those columns.
func namesOver(l line, columns []int) bool {
	names, typed := over(l, columns)
	return names >= 2 && typed == 0
}

// over counts the texts and the values a record has in those columns.
func over(l line, columns []int) (names, typed int) {
	for _, i := range columns {
		switch k := l.class(i); {
		case k == text:
			names++
		case k.typed():
			typed++
		}
	}
	return names, typed
}

func sameNames(a, b line) bool {
	for i := range max(len(a.cells), len(b.cells)) {
		if !strings.EqualFold(strings.TrimSpace(a.cell(i)), strings.TrimSpace(b.cell(i))) {
			return false
		}
	}
	return true
}
