package workbook

import (
	"math"
	"strconv"
	"strings"

	"github.com/dropload/dropload/internal/record"
)

// textFormat is the number format of a cell that stays a text when edited.
const textFormat = "@"

// numberFormat is a format code under which a number looks as it did: "" is the
// general one. Where none is found the number is right all the same.
func numberFormat(text string, n float64) string {
	if text == "" || len(text) > 60 || isGeneral(text, n) {
		return ""
	}
	if code, ok := scientific(text); ok {
		return code
	}
	if code, ok := fixed(text, n); ok {
		return code
	}
	if code, ok := digits(text, n); ok {
		return code
	}
	return ""
}

// isGeneral tells whether the general format shows n as text: up to 11 digits,
// no zeros that say nothing.
func isGeneral(text string, n float64) bool {
	if text == strconv.FormatFloat(n, 'f', -1, 64) {
		return true
	}
	if !strings.Contains(text, ".") || strings.ContainsAny(text, "Ee,%") || strings.HasSuffix(text, "0") {
		return false
	}
	shown, err := strconv.ParseFloat(text, 64)
	return err == nil && math.Abs(shown-n) <= 1e-9*math.Abs(n)
}

// scientific finds the format of 3.7E+10.
func scientific(text string) (string, bool) {
	mantissa, exponent, ok := strings.Cut(strings.TrimPrefix(text, "-"), "E")
	if !ok || len(exponent) < 2 || exponent[0] != '+' && exponent[0] != '-' || !onlyDigits(exponent[1:]) {
		return "", false
	}
	whole, decimals, point := strings.Cut(mantissa, ".")
	if len(whole) != 1 || !onlyDigits(whole+decimals) || point != (decimals != "") {
		return "", false
	}
	code := "0"
	if point {
		code += "." + strings.Repeat("0", len(decimals))
	}
	return code + "E+" + strings.Repeat("0", len(exponent)-1), true
}

// fixed finds the format of a number with a fixed number of decimals or of
// leading zeros, groups of thousands, a percent sign, and words around it.
func fixed(text string, n float64) (string, bool) {
	first := strings.IndexAny(text, "0123456789")
	if first < 0 {
		return "", false
	}
	last := strings.LastIndexAny(text, "0123456789")
	before, core, after := text[:first], text[first:last+1], text[last+1:]
	whole, decimals, _ := strings.Cut(core, ".")
	grouped := strings.Contains(whole, ",")
	if !onlyDigits(strings.ReplaceAll(whole, ",", "")) || !onlyDigits(decimals) || strings.ContainsAny(before+after, `"\`) {
		return "", false
	}
	percent := strings.Count(before+after, "%")
	if percent > 1 {
		return "", false
	}
	shown := strconv.FormatFloat(math.Abs(n)*math.Pow(100, float64(percent)), 'f', len(decimals), 64)
	code := "0"
	switch shownWhole, _, _ := strings.Cut(shown, "."); {
	case grouped:
		code = "#,##0"
		whole = ungroup(whole)
	case len(whole) > len(shownWhole):
		code = strings.Repeat("0", len(whole))
		shown = strings.Repeat("0", len(whole)-len(shownWhole)) + shown
	}
	if decimals != "" {
		code += "." + strings.Repeat("0", len(decimals))
		whole += "." + decimals
	}
	if whole != shown {
		return "", false
	}
	if n < 0 && strings.HasPrefix(before, "-") {
		return literal(before[1:]) + code + literal(after), true
	}
	code = literal(before) + code + literal(after)
	if n < 0 {
		code = "0;" + code // a negative number without its sign, such as (5.00)
	}
	return code, true
}

// digits finds the format of a whole number whose digits stand apart, such as
// +370 612 34567.
func digits(text string, n float64) (string, bool) {
	var code, all, between strings.Builder
	for _, r := range text {
		if r >= '0' && r <= '9' {
			code.WriteString(literal(between.String()))
			between.Reset()
			code.WriteByte('0')
			all.WriteRune(r)
			continue
		}
		if r == '"' || r == '\\' {
			return "", false
		}
		between.WriteRune(r)
	}
	code.WriteString(literal(between.String()))
	whole := strings.TrimLeft(all.String(), "0")
	if n < 1 || all.Len() > 15 || whole != strconv.FormatFloat(n, 'f', -1, 64) {
		return "", false
	}
	return code.String(), true
}

// literal is how a format code holds words. A percent sign is no word.
func literal(s string) string {
	if s == "" {
		return ""
	}
	parts := strings.Split(s, "%")
	for i, p := range parts {
		if p != "" {
			parts[i] = `"` + p + `"`
		}
	}
	return strings.Join(parts, "%")
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// ungroup takes the commas away where they stand between groups of three.
func ungroup(s string) string {
	groups := strings.Split(s, ",")
	for i, g := range groups {
		if len(g) != 3 && (i > 0 || len(g) == 0 || len(g) > 3) {
			return s
		}
	}
	return strings.Join(groups, "")
}

// dateFormat is a format code under which a date or time looks as it did, else
// one that says it in full. A column keeps its format where it fits: 3/4/2026
// and 25/4/2026 belong together.
func dateFormat(c *record.Cell, last string, choices []shown) string {
	when := c.When()
	if last != "" {
		for _, f := range choices {
			if f.code == last && when.Format(f.layout) == c.Text {
				return last
			}
		}
	}
	for _, f := range choices {
		if when.Format(f.layout) == c.Text {
			return f.code
		}
	}
	return choices[0].code
}

// shown is a way to show a moment, as a format code and as Go has it.
type shown struct{ code, layout string }

func dateTimeFormats(kind record.Kind) []shown {
	days := []shown{
		{`yyyy\-mm\-dd`, "2006-01-02"},
		{`dd\.mm\.yyyy`, "02.01.2006"},
		{`d\.m\.yyyy`, "2.1.2006"},
		{`dd\.mm\.yy`, "02.01.06"},
		{`dd\/mm\/yyyy`, "02/01/2006"},
		{`mm\/dd\/yyyy`, "01/02/2006"},
		{`d\/m\/yyyy`, "2/1/2006"},
		{`m\/d\/yyyy`, "1/2/2006"},
		{`m\/d\/yy`, "1/2/06"},
		{`mm\-dd\-yy`, "01-02-06"},
		{`dd\-mm\-yyyy`, "02-01-2006"},
		{`yyyy\.mm\.dd`, "2006.01.02"},
		{`yyyy\/mm\/dd`, "2006/01/02"},
		{`d\-mmm\-yy`, "2-Jan-06"},
		{`d\ mmm\ yyyy`, "2 Jan 2006"},
		{`d\ mmmm\ yyyy`, "2 January 2006"},
		{`mmmm\ d\,\ yyyy`, "January 2, 2006"},
	}
	times := []shown{
		{`hh:mm:ss`, "15:04:05"},
		{`hh:mm`, "15:04"},
		{`h:mm\ AM/PM`, "3:04 PM"},
		{`h:mm:ss\ AM/PM`, "3:04:05 PM"},
		{`hh:mm:ss.000`, "15:04:05.000"},
	}
	switch kind {
	case record.Date:
		return days
	case record.Time:
		return times
	}
	both := make([]shown, 0, 2*len(days)*len(times))
	for _, d := range days {
		for _, t := range times {
			both = append(both, shown{d.code + `\ ` + t.code, d.layout + " " + t.layout},
				shown{d.code + `\T` + t.code, d.layout + "T" + t.layout})
		}
	}
	return both
}
