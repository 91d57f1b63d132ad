package sniff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/record"
)

// line is a record as the search for the table sees it.
type line struct {
	number  int64
	cells   []string
	classes []class
	filled  int // cells that are not blank
	width   int // the last of them, counted from 1
}

func newLine(row *record.Row) line {
	l := line{number: row.Number, cells: make([]string, len(row.Cells)), classes: make([]class, len(row.Cells))}
	for i, c := range row.Cells {
		l.cells[i] = strings.Clone(c.Text)
		l.classes[i] = classOf(c)
		if l.classes[i] != blank {
			l.filled++
			l.width = i + 1
		}
	}
	return l
}

func (l line) class(i int) class {
	if i < len(l.classes) {
		return l.classes[i]
	}
	return blank
}

func (l line) cell(i int) string {
	if i < len(l.cells) {
		return l.cells[i]
	}
	return ""
}

// first is the first cell that is not blank, -1 where there is none.
func (l line) first() int {
	return slices.IndexFunc(l.classes, func(c class) bool { return c != blank })
}

// table is where the table is among the records.
type table struct {
	preamble, header int
	columns          []string

	preambleSure, headerSure float64
	preambleWhy, headerWhy   string
}

// findTable finds preamble and header among the first records of a sheet.
func findTable(lines []line, o Override) table {
	t := table{preambleSure: 0.95, headerSure: 0.5, preambleWhy: "the first record is as wide as the table"}
	if len(lines) == 0 {
		t.preambleWhy, t.headerWhy = "no records", "no records"
		t.preambleSure, t.headerSure = 1, 1
		t.fix(o)
		return t
	}
	start := t.findStart(lines, o)
	switch {
	case o.HeaderRows != nil:
		t.header = *o.HeaderRows
		t.headerSure, t.headerWhy = 1, "set by hand"
	case start < len(lines):
		t.findHeader(lines, start, o)
	}
	t.name(lines)
	return t
}

func (t *table) fix(o Override) {
	if o.Preamble != nil {
		t.preamble, t.preambleSure, t.preambleWhy = *o.Preamble, 1, "set by hand"
	}
	if o.HeaderRows != nil {
		t.header, t.headerSure, t.headerWhy = *o.HeaderRows, 1, "set by hand"
	}
}

// findStart returns the index of the first record of the table, which is the
// header if there is one.
func (t *table) findStart(lines []line, o Override) int {
	if o.Preamble != nil {
		t.preamble, t.preambleSure, t.preambleWhy = *o.Preamble, 1, "set by hand"
		return min(*o.Preamble, len(lines))
	}
	start := startOf(lines)
	t.preamble = start
	if start > 0 {
		t.preambleSure = 0.9
		t.preambleWhy = counted(start, "record above the table is blank, a comment or narrower than it", "records above the table are blank, comments or narrower than it")
	}
	return start
}

// startOf skips what is narrower than the records below it: titles, lines of a
// key and its value, comments, blank lines. The body's filled cells are what is
// compared, since titles are often padded to the table's width.
func startOf(lines []line) int {
	const most = 100 // a preamble is short
	usual := usualFill(lines)
	for i, l := range lines[:min(most, len(lines))] {
		if l.filled == 0 || isSepLine(l) {
			continue
		}
		if !isAbove(lines, i, usual) {
			return afterGap(lines, i, usual)
		}
	}
	// Nothing is as wide as the usual record: begin with what there is.
	return max(0, slices.IndexFunc(lines, func(l line) bool { return l.filled > 0 && !isSepLine(l) }))
}

// afterGap looks for a blank line near the top of a table of few columns, where
// a key and its value are as wide as the table. What is above the gap stands
// above the table if it does not fit the columns below, and a header follows.
func afterGap(lines []line, start, usual int) int {
	const near = 15
	end := min(len(lines), start+near)
	gap := slices.IndexFunc(lines[start:end], func(l line) bool { return l.filled == 0 })
	if gap < 0 {
		return start
	}
	after := start + gap
	for after < len(lines) && lines[after].filled == 0 {
		after++
	}
	body := bodyAfter(lines, after+1)
	values := valueColumns(body)
	if len(body) < max(3, 2*gap) || len(values) == 0 {
		return start
	}
	for _, l := range lines[start : start+gap] {
		if names, _ := over(l, values); names == 0 {
			return start
		}
	}
	names, typed := over(lines[after], values)
	const few = 3 // columns
	if names > 0 && typed == 0 || gap > 1 && usual <= few {
		return after
	}
	return start
}

// usualFill is the number of filled cells that half of the records exceed.
func usualFill(lines []line) int {
	var fills []int
	for _, l := range lines {
		if l.filled > 0 {
			fills = append(fills, l.filled)
		}
	}
	if len(fills) == 0 {
		return 0
	}
	slices.Sort(fills)
	return fills[len(fills)/2]
}

func isSepLine(l line) bool {
	return len(l.cells) > 0 && strings.HasPrefix(strings.ToLower(strings.TrimSpace(l.cells[0])), "sep=") && l.number == 1
}

// isAbove tells whether record i stands above the table.
func isAbove(lines []line, i, usual int) bool {
	l := lines[i]
	below := lines[i+1:]
	next := slices.IndexFunc(below, func(l line) bool { return l.filled > 0 })
	if next < 0 {
		return false
	}
	gap := next > 0 // a blank line follows
	// A line without delimiters in a text whose records have all theirs.
	if width, share := cellsShare(lines[i:]); share > 0.9 && len(l.cells) < width && 2*len(l.cells) <= width+1 {
		return true
	}
	if isComment(l) && (l.filled < usual || strings.HasPrefix(l.cells[l.first()], "# ")) {
		return true
	}
	switch {
	case usual <= 1:
		return false
	case usual == 2 && len(l.cells) <= 2:
		return l.filled == 1 && (len(l.cells) == 1 || gap)
	case l.filled == 1:
		// One cell of a wide table: a title, or one of several.
		wide := slices.IndexFunc(below, func(l line) bool { return l.filled*2 >= usual })
		return gap || wide >= 0 && wide < 20
	case l.filled*2 <= usual && l.width*2 <= max(usual, tableWidth(lines)):
		return true
	case l.filled*2 <= usual:
		return gap || below[next].filled >= 2*l.filled
	}
	return false
}

// cellsShare is the commonest number of cells and the share of the records that
// have it.
func cellsShare(lines []line) (width int, share float64) {
	width = cellsOf(lines)
	same, all := 0, 0
	for _, l := range lines {
		if l.filled > 0 {
			all++
		}
		if l.filled > 0 && len(l.cells) == width {
			same++
		}
	}
	return width, float64(same) / float64(max(1, all))
}

// tableWidth is the commonest number of cells up to the last filled one.
func tableWidth(lines []line) int {
	widths := map[int]int{}
	for _, l := range lines {
		if l.filled > 0 {
			widths[l.width]++
		}
	}
	return commonest(widths)
}

func isComment(l line) bool {
	f := l.first()
	if f < 0 {
		return false
	}
	s := strings.TrimSpace(l.cells[f])
	for _, p := range []string{"#", "//", "--", "/*", "%%", ";;", "!"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// findHeader decides whether the table starts with a header, and of how many
// records.
func (t *table) findHeader(lines []line, start int, o Override) {
	head := lines[start]
	body := bodyAfter(lines, start+1)
	j := judgeHeader(head, body)
	t.headerSure, t.headerWhy = j.sure(), j.why
	if j.score <= 0 {
		return
	}
	t.header = 1
	for i := start + 1; i < len(lines) && t.header < 5; i++ {
		if !goesOn(lines[start], lines[i], bodyAfter(lines, i+1)) {
			break
		}
		t.header++
		t.headerWhy = fmt.Sprintf("%d records of names above columns of values", t.header)
	}
	if o.Preamble == nil && start > 0 && isGroup(lines[start-1], head) {
		t.preamble--
		t.header++
		t.headerWhy = "a record that names groups of columns, and one that names the columns"
	}
}

// bodyAfter are the records from i on that may be data, at most 200.
func bodyAfter(lines []line, i int) []line {
	const most = 200
	var body []line
	for _, l := range lines[min(i, len(lines)):] {
		if l.filled > 0 {
			body = append(body, l)
		}
		if len(body) == most {
			break
		}
	}
	return body
}

// isGroup tells whether a record names groups of the header's columns: as wide
// as the header, all text, with gaps between its few cells.
func isGroup(l, head line) bool {
	if l.filled == 0 || l.filled*4 > head.filled*3 || len(l.cells) < head.width || isComment(l) {
		return false
	}
	at := -1
	gaps := false
	for i, c := range l.classes {
		if c == blank {
			continue
		}
		if c != text && c != code {
			return false
		}
		if at >= 0 && i > at+1 {
			gaps = true
		}
		at = i
	}
	return gaps || l.filled == 1 && l.first() > 0
}

// goesOn tells whether a record below the first of the header belongs to it:
// the same again, or text above columns of values.
func goesOn(head, l line, body []line) bool {
	if l.filled == 0 || l.filled*2 < head.filled || len(body) == 0 {
		return false
	}
	body = withValues(body)
	same := 0
	for i := range head.cells {
		if head.class(i) != blank && strings.EqualFold(strings.TrimSpace(head.cells[i]), strings.TrimSpace(l.cell(i))) {
			same++
		}
	}
	if same*10 >= head.filled*9 {
		return true
	}
	values, names := 0, 0
	for i := range max(len(head.cells), len(l.cells)) {
		k, share, n := columnClass(body, i)
		if n < 2 || !k.typed() || share < 0.8 || l.class(i) == blank {
			continue
		}
		values++
		switch k := l.class(i); {
		case k == text, k == code:
			names++
		case k.typed():
			return false
		}
	}
	return values >= 2 && names == values
}

// withValues are the records with a value in them, if there are any: what is left
// of a header has none.
func withValues(body []line) []line {
	var some []line
	for _, l := range body {
		if slices.ContainsFunc(l.classes, class.typed) {
			some = append(some, l)
		}
	}
	if len(some) == 0 {
		return body
	}
	return some
}

// columnClass is the commonest class of column i, its share of the filled cells
// and their number. Absent cells are of any class.
func columnClass(body []line, i int) (k class, share float64, n int) {
	var counts [absent + 1]int
	for _, l := range body {
		counts[l.class(i)]++
	}
	for c := text; c < absent; c++ {
		n += counts[c]
		if counts[c] > counts[k] || k == blank {
			k = c
		}
	}
	if n == 0 {
		return blank, 0, 0
	}
	return k, float64(counts[k]) / float64(n), n
}

// name gives the columns their names.
func (t *table) name(lines []line) {
	from, to := min(t.preamble, len(lines)), min(t.preamble+t.header, len(lines))
	width := 0
	for _, l := range lines[from:to] {
		width = max(width, l.width)
	}
	body := bodyAfter(lines, to)
	width = max(width, tableWidth(body))
	t.columns = make([]string, width)
	for i := range t.columns {
		if t.header == 0 {
			t.columns[i] = Letters(i)
			continue
		}
		var names []string
		for _, l := range lines[from:to] {
			if l.class(i) != blank {
				names = append(names, l.cell(i))
			}
		}
		t.columns[i] = strings.Join(names, " ")
	}
}

// Letters is the name of column i, counted from 0, as spreadsheet programs give
// it: A to Z, AA and so on.
func Letters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
