// Package numfmt shows a stored number the way a spreadsheet program shows it
// under a number format: "#,##0.00", "d mmm yyyy", "[h]:mm", "# ?/?".
//
// It knows Excel's format language (ECMA-376 part 1, 18.8.30 and 18.8.31) and
// works on the fifteen significant digits that Excel works on, so 1.005 under
// "0.00" is 1.01. Any text is a format: what cannot be understood is shown as
// General. Colours are left out, and so is the padding that only lines columns
// up: "_x" and "*x" at either end. Names of months and days are English unless
// the format itself names a language that package numfmt knows.
package numfmt

import (
	"math"
	"strings"

	"github.com/dropload/dropload/internal/record"
)

// Format is a parsed number format. It is never changed after Parse, so several
// goroutines may use it.
type Format struct {
	sections []section // at least one; never a text section
}

// lastSerial is the first number past 9999-12-31, the last day there is.
const lastSerial = 2958466

// maxCode is the length in bytes of the longest format that is understood: Excel
// allows 255 characters.
const maxCode = 1024

// days1904 is the distance between the two epochs.
const days1904 = 1462

// pick finds the section for a value; nil where the format hides such values
// behind no section at all.
func (f *Format) pick(v float64) *section {
	for i := range f.sections {
		if f.sections[i].accepts(v) {
			return &f.sections[i]
		}
	}
	return nil
}

// IsGeneral tells that a value is shown as General: the format says nothing.
func (f *Format) IsGeneral(v float64) bool {
	s := f.pick(v)
	return s == nil || s.kind == general
}

// Kind tells what a stored number is under the format. The value has its say: a
// day with a time of day is a DateTime even where the format shows the day only,
// and a number that is no date (negative, past the year 9999) is a Number.
func (f *Format) Kind(v float64) record.Kind {
	s := f.pick(v)
	if s == nil || s.kind != date || v < 0 || v >= lastSerial || v != v {
		return record.Number
	}
	whole := v == math.Floor(v)
	switch {
	case s.elapsed && v >= 1:
		return record.Number // a duration, not a moment
	case s.days && whole && !s.clock:
		return record.Date
	case s.days && v >= 1:
		return record.DateTime
	case s.clock && !s.days && v >= 1:
		return record.DateTime
	}
	return record.Time
}

// Text is the value as Excel shows it. In a workbook with the 1904 date system
// value is the stored number, day 0 being 1904-01-01.
func (f *Format) Text(value float64, date1904 bool) string {
	return string(f.AppendText(nil, value, date1904))
}

// AppendText appends what Text returns.
func (f *Format) AppendText(dst []byte, value float64, date1904 bool) []byte {
	s := f.pick(value)
	if s == nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return AppendGeneral(dst, value)
	}
	switch s.kind {
	case number:
		return s.appendNumber(dst, value)
	case fraction:
		return s.appendFraction(dst, value)
	case date:
		return s.appendDate(dst, value, date1904)
	}
	return s.appendGeneral(dst, value)
}

// Cell is the cell that a stored number makes. Its Text is that of Text, except
// for whole numbers of twelve to fifteen digits under General: Excel shows them
// as 3.70612E+11 in the cell and in full when the cell is entered; what people
// write there is a phone number or a code, so they are given in full.
func (f *Format) Cell(value float64, date1904 bool) record.Cell {
	kind, days := f.Moment(value, date1904)
	var buf [64]byte
	return record.Cell{Kind: kind, Number: days, Text: string(f.AppendCell(buf[:0], value, date1904))}
}

// AppendCell appends the Text of Cell.
func (f *Format) AppendCell(dst []byte, value float64, date1904 bool) []byte {
	if a := math.Abs(value); a >= 1e11 && a < 1e15 && a == math.Floor(a) && f.IsGeneral(value) {
		return appendWhole(dst, value)
	}
	return f.AppendText(dst, value, date1904)
}

// Moment is the Kind and the Number of Cell: dates count from 1899-12-30.
func (f *Format) Moment(value float64, date1904 bool) (record.Kind, float64) {
	kind := f.Kind(value)
	switch {
	case kind == record.Number:
		return kind, value
	case date1904 && kind != record.Time:
		return kind, value + days1904
	case date1904:
		return f.kind1904(value)
	case value >= 1 && value < 60:
		return kind, value + 1 // before the 29th of February 1900 that never was
	}
	return kind, value
}

// kind1904: day 0 of the 1904 system is a day, 1904-01-01, not "no day".
func (f *Format) kind1904(value float64) (record.Kind, float64) {
	if s := f.pick(value); s.days {
		kind := record.DateTime
		if value == 0 && !s.clock {
			kind = record.Date
		}
		return kind, value + days1904
	}
	return record.Time, value
}

// condition is a section's own condition, such as [>=100].
type condition struct {
	op    string // one of < <= = <> >= >
	bound float64
}

func (c condition) holds(v float64) bool {
	switch c.op {
	case "<":
		return v < c.bound
	case "<=":
		return v <= c.bound
	case ">":
		return v > c.bound
	case ">=":
		return v >= c.bound
	case "<>":
		return v != c.bound
	}
	return v == c.bound
}

// negativeOnly tells that only negative numbers pass: their sign is then the
// format's business.
func (c condition) negativeOnly() bool {
	switch c.op {
	case "<":
		return c.bound <= 0
	case "<=", "=":
		return c.bound < 0
	}
	return false
}

// sectionKind is what a section shows.
type sectionKind uint8

const (
	general sectionKind = iota // the word General, a text section, or nothing understood
	number
	fraction
	date
	literal // no place for the value at all
)

// section is one of the parts between semicolons.
type section struct {
	kind   sectionKind
	tokens []token
	cond   *condition // nil accepts everything
	bare   bool       // the sign is not shown: the section is for negatives

	// Of numbers.
	ints, fracs int  // places before and after the point
	shift       int  // digits by which the point moves: percent signs, scaling commas
	group       bool // thousands
	exps        int  // places of the exponent; 0 is none
	// Of fractions.
	whole, num, den int // places; den 0: fixed
	fixed           int // a denominator given as a number

	// Of dates.
	days, clock, elapsed, half bool   // half: twelve hours with AM and PM
	decimals                   int    // of the seconds
	locales                    string // the language that the format names, as written
	lang                       *language
	system                     string // a format for the reader's own settings
}

func (s *section) accepts(v float64) bool { return s.cond == nil || s.cond.holds(v) }

// appendGeneral appends the value as General among the section's literals.
func (s *section) appendGeneral(dst []byte, v float64) []byte {
	if s.bare {
		v = math.Abs(v)
	}
	from := len(dst)
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokGeneral, tokText:
			dst = AppendGeneral(dst, v)
		case tokLiteral:
			dst = append(dst, t.text...)
		case tokPad:
			dst = append(dst, padding)
		}
	}
	return unpad(dst, from)
}

// unsigned returns the absolute value and writes the sign where one is due.
func (s *section) unsigned(dst *[]byte, v float64) float64 {
	if v >= 0 {
		return v
	}
	if !s.bare && len(s.tokens) > 0 {
		*dst = append(*dst, '-')
	}
	return -v
}

// padding stands for the white space of "_x" until the text is complete. It is
// no byte of UTF-8, so nothing else can be mistaken for it.
const padding = 0xff

// unpad takes padding away at the ends of dst[from:] and makes it blanks inside.
func unpad(dst []byte, from int) []byte {
	out, held := from, 0
	for i := from; i < len(dst); i++ {
		if dst[i] == padding {
			if out > from {
				held++
			}
			continue
		}
		b := dst[i]
		for ; held > 0; held-- {
			dst[out] = ' '
			out++
		}
		dst[out] = b
		out++
	}
	return dst[:out]
}

// Parse reads a number format. It never fails: see the package comment.
func Parse(code string) *Format {
	code = strings.TrimSpace(code)
	if len(code) > maxCode {
		code = ""
	}
	switch strings.ToLower(code) {
	case "", "general", "standard", "@", "g/通用格式", "g/標準", "g/표준":
		return &Format{sections: []section{{kind: general, tokens: []token{{kind: tokGeneral}}}}}
	}
	sections, ok := parseSections(code)
	if !ok {
		return Parse("")
	}
	return &Format{sections: arrange(sections)}
}

// arrange drops text sections and gives each number section the condition that
// its place implies.
func arrange(all []section) []section {
	if len(all) > 4 {
		all = all[:4]
	}
	var s []section
	for i := range all {
		textual := i > 0 && i == len(all)-1 && all[i].kind == general && all[i].hasText()
		if i < 3 && !textual {
			s = append(s, all[i])
		}
	}
	last := len(s) - 1
	explicit := false
	for i := range s {
		explicit = explicit || s[i].cond != nil
	}
	switch {
	case last == 0:
	case !explicit && last == 1:
		s[0].cond, s[1].bare = &condition{">=", 0}, true
	case !explicit:
		s[0].cond, s[1].cond, s[1].bare = &condition{">", 0}, &condition{"<", 0}, true
	case last == 2 && s[1].cond == nil:
		s[1].cond = &condition{"<", 0}
	case s[0].cond == nil:
		s[0].cond = &condition{">", 0}
	}
	for i := range s {
		if s[i].cond != nil && s[i].cond.negativeOnly() {
			s[i].bare = true
		}
	}
	return s
}
