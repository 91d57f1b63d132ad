package workbook

import (
	"math"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet/numfmt"
)

// textFormat is the number format of a cell that stays a text when edited.
const textFormat = "@"

// formats finds number formats under which cells look as they did in the
// upload. A cell carries what a person saw, not the format, so a format is
// guessed and tried: only one that shows exactly that text is taken.
type formats struct {
	parsed map[string]*numfmt.Format
	last   []string // by column, the one that fitted last
	missed []int    // by column, how often none fitted
	days   []string
	times  []string
	both   []string
	// General is tried first for numbers.
	general *numfmt.Format
}

// patience is how often the format of a moment is searched for in vain before a
// column is given up: hundreds are tried each time.
const patience = 100

// maxParsed bounds the memory of formats.parsed.
const maxParsed = 2 * maxFormats

func newFormats() formats {
	f := formats{
		parsed:  map[string]*numfmt.Format{},
		general: numfmt.Parse("General"),
		days: []string{
			`yyyy\-mm\-dd`, `dd\.mm\.yyyy`, `d\.m\.yyyy`, `dd\.mm\.yy`, `d\.m\.yy`, `dd\/mm\/yyyy`, `mm\/dd\/yyyy`, `d\/m\/yyyy`,
			`m\/d\/yyyy`, `m\/d\/yy`, `d\/m\/yy`, `mm\/dd\/yy`, `dd\/mm\/yy`, `mm\-dd\-yy`, `dd\-mm\-yyyy`, `yyyy\.mm\.dd`,
			`yyyy\/mm\/dd`, `yyyy\/m\/d`, `d\-mmm\-yy`, `d\-mmm\-yyyy`, `dd\-mmm\-yy`, `dd\-mmm\-yyyy`, `d\ mmm\ yyyy`,
			`d\ mmmm\ yyyy`, `mmm\ d\,\ yyyy`, `mmmm\ d\,\ yyyy`, `dddd\,\ mmmm\ d\,\ yyyy`, `dddd\,\ mmmm\ dd\,\ yyyy`,
			`d\-mmm`, `mmm\-yy`, `mmmm\ yyyy`, `mm\/yyyy`, `yyyy`,
			`d\.\ mmmm\ yyyy`, `[$-407]d\.\ mmmm\ yyyy`, `[$-40C]d\ mmmm\ yyyy`, `[$-C0A]d\ \d\e\ mmmm\ \d\e\ yyyy`,
		},
		times: []string{`hh:mm:ss`, `hh:mm`, `h:mm:ss`, `h:mm`, `h:mm\ AM/PM`, `h:mm:ss\ AM/PM`, `hh:mm:ss.000`, `mm:ss`, `mm:ss.0`},
	}
	for _, d := range f.days[:24] {
		for _, t := range f.times[:7] {
			f.both = append(f.both, d+`\ `+t, d+`\T`+t, d+`\,\ `+t)
		}
	}
	return f
}

// of is the format code for a Number, Date, Time or DateTime of that stored
// value, "" for General. Where none shows the cell's text, a moment is shown in
// full and a number as General: the value is right all the same.
func (f *formats) of(c *record.Cell, stored float64, column int) string {
	for len(f.last) <= column {
		f.last = append(f.last, "")
		f.missed = append(f.missed, 0)
	}
	if last := f.last[column]; last != "" && f.shows(last, c, stored) {
		return last
	}
	if c.Kind == record.Number || f.missed[column] < patience {
		if code, found := f.find(c, stored); found {
			f.last[column] = code
			return code
		}
		f.missed[column]++
	}
	switch c.Kind {
	case record.Number:
		return ""
	case record.Date:
		return `yyyy\-mm\-dd`
	case record.Time:
		return `hh:mm:ss`
	}
	return `yyyy\-mm\-dd\ hh:mm:ss`
}

func (f *formats) find(c *record.Cell, stored float64) (code string, found bool) {
	choices := [][]string{f.both, f.days, f.times}
	switch c.Kind {
	case record.Number:
		return f.number(c, stored)
	case record.Date:
		choices = choices[1:2]
	case record.Time:
		choices = [][]string{f.times, f.days, f.both}
	}
	for _, list := range choices {
		for _, code := range list {
			if f.shows(code, c, stored) {
				return code, true
			}
		}
	}
	return "", false
}

// number finds the format of a Number.
func (f *formats) number(c *record.Cell, stored float64) (code string, found bool) {
	if f.general.Cell(stored, false).Text == c.Text {
		return "", true
	}
	if len(c.Text) > 60 {
		return "", false
	}
	for _, code := range [...]string{
		scientific(c.Text), fixed(c.Text, stored), apart(c.Text, stored), `[h]:mm:ss`, `[h]:mm`, `[mm]:ss`, `# ?/?`, `# ??/??`,
	} {
		if code != "" && f.shows(code, c, stored) {
			return code, true
		}
	}
	return "", false
}

// shows tells whether the cell comes back from that format as it is.
func (f *formats) shows(code string, c *record.Cell, stored float64) bool {
	format := f.parsed[code]
	if format == nil {
		format = numfmt.Parse(code)
		if len(f.parsed) < maxParsed {
			f.parsed[code] = format
		}
	}
	back := format.Cell(stored, false)
	return back.Kind == c.Kind && back.Text == c.Text
}

// stored is the value of a cell in a workbook of the 1900 system, which has a
// day too many, 1900-02-29: the days before it have numbers smaller by one.
func stored(c *record.Cell) float64 {
	if (c.Kind == record.Date || c.Kind == record.DateTime) && c.Number >= 2 && c.Number < 61 {
		return c.Number - 1
	}
	return c.Number
}

// The next three guess a format code from a text, "" where it is not of their
// kind.

// scientific guesses the format of 3.7E+10.
func scientific(text string) string {
	mantissa, exponent, ok := strings.Cut(strings.TrimPrefix(text, "-"), "E")
	if !ok || len(exponent) < 2 {
		return ""
	}
	code := "0"
	if whole, decimals, _ := strings.Cut(mantissa, "."); decimals != "" {
		code = strings.Repeat("0", len(whole)) + "." + strings.Repeat("0", len(decimals))
	}
	return code + "E+" + strings.Repeat("0", len(exponent)-1)
}

// fixed guesses the format of a number with a fixed number of decimals or of
// leading zeros, groups of thousands, a percent sign, and words around it.
func fixed(text string, n float64) string {
	first, last := strings.IndexAny(text, "0123456789"), strings.LastIndexAny(text, "0123456789")
	if first < 0 {
		return ""
	}
	before, core, after := text[:first], text[first:last+1], text[last+1:]
	whole, decimals, _ := strings.Cut(core, ".")
	code := "0"
	switch {
	case strings.Contains(whole, ","):
		code = "#,##0"
	case whole[0] == '0':
		code = strings.Repeat("0", len(whole))
	}
	if decimals != "" {
		code += "." + strings.Repeat("0", len(decimals))
	}
	if n < 0 && strings.HasPrefix(before, "-") {
		return literal(before[1:]) + code + literal(after)
	}
	code = literal(before) + code + literal(after)
	if n < 0 {
		code = "0;" + code // a negative number without its sign, such as (5.00)
	}
	return code
}

// apart guesses the format of a whole number whose digits stand apart, such as
// +370 612 34567.
func apart(text string, n float64) string {
	if n < 0 {
		text = strings.TrimPrefix(text, "-")
	}
	var code, between strings.Builder
	for _, r := range text {
		if r < '0' || r > '9' {
			between.WriteRune(r)
			continue
		}
		code.WriteString(literal(between.String()))
		between.Reset()
		code.WriteByte('0')
	}
	return code.String() + literal(between.String())
}

// literal is how a format code holds words. A percent sign is no word.
func literal(s string) string {
	if s == "" {
		return ""
	}
	parts := strings.Split(strings.ReplaceAll(s, `"`, ""), "%")
	for i, p := range parts {
		if p != "" {
			parts[i] = `"` + p + `"`
		}
	}
	return strings.Join(parts, "%")
}

// appendNumber appends a value as workbooks store it.
func appendNumber(b []byte, n float64) []byte {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return strconv.AppendFloat(b, n, 'G', -1, 64)
}
