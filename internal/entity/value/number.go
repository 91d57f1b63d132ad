package value

import (
	"math"
	"strings"
	"unicode"

	"github.com/dropload/dropload/internal/record"
)

func (c *Converter) integer(cell record.Cell) (string, Wrong) {
	text, w := c.number(cell, false)
	if w.Code == "number_invalid" || w.Code == "" && strings.Contains(text, ".") {
		return "", wrong("integer_invalid", shown(asSeen(cell)))
	}
	return text, w
}

// number is plain decimal text. Money may carry its currency.
func (c *Converter) number(cell record.Cell, money bool) (string, Wrong) {
	switch cell.Kind {
	case record.Number:
		if math.IsInf(cell.Number, 0) || math.IsNaN(cell.Number) {
			return "", wrong("number_invalid", shown(cell.Text))
		}
		return trimZeros(plain(cell.Number)), Wrong{}
	case record.Text:
		text, code := parseNumber(cell.Text, c.options.DecimalMark, money)
		if code != "" {
			return "", wrong(code, shown(cell.Text))
		}
		return text, Wrong{}
	}
	return "", wrong("number_invalid", shown(cell.Text))
}

// maxDigits is how many digits DynamoDB keeps of a number.
const maxDigits = 38

// parseNumber reads a number as people write it. Mark is the decimal mark, ""
// where only what is not ambiguous is read. It returns a problem's code.
func parseNumber(s, mark string, money bool) (text, code string) {
	if digits, exponent, ok := scientific(s); ok {
		if len(digits) != exponent+1 {
			return "", "digits_lost"
		}
		return trimZeros(digits), ""
	}
	body, negative := sign(s)
	if money {
		body = withoutCurrency(body)
		var again bool
		if body, again = sign(body); again {
			negative = !negative
		}
	}
	whole, fraction, code := parts(body, mark)
	if code != "" {
		return "", code
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole)+len(fraction) > maxDigits {
		return "", "number_invalid"
	}
	if whole == "" {
		whole = "0"
	}
	text = whole
	if fraction != "" {
		text = trimZeros(whole + "." + fraction)
	}
	if negative && text != "0" {
		text = "-" + text
	}
	return text, ""
}

// sign takes a minus before or behind, or brackets round a number away.
func sign(s string) (body string, negative bool) {
	s = strings.TrimSpace(s)
	switch {
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		return strings.TrimSpace(s[1 : len(s)-1]), true
	case strings.HasPrefix(s, "-"), strings.HasSuffix(s, "-"):
		return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, "-"), "-")), true
	case strings.HasPrefix(s, "−"):
		return strings.TrimSpace(strings.TrimPrefix(s, "−")), true
	}
	return strings.TrimPrefix(s, "+"), false
}

// withoutCurrency takes a currency's sign or code away from an amount.
func withoutCurrency(s string) string {
	trim := func(r rune) bool { return unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) }
	s = strings.TrimFunc(s, trim)
	letters := func(part string) bool {
		return len(part) == 3 && strings.IndexFunc(part, func(r rune) bool { return !unicode.IsLetter(r) || r > unicode.MaxASCII }) < 0
	}
	if len(s) > 3 && letters(s[:3]) {
		s = s[3:]
	} else if len(s) > 3 && letters(s[len(s)-3:]) {
		s = s[:len(s)-3]
	}
	return strings.TrimFunc(s, trim)
}

// parts splits a number without sign into its whole and fractional digits.
func parts(s, mark string) (whole, fraction, code string) {
	points, commas, others := 0, 0, 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
		case r == '.':
			points++
		case r == ',':
			commas++
		case isGroup(r):
			others++
		default:
			return "", "", "number_invalid"
		}
	}
	if mark == "" && points+commas > 0 {
		mark, code = guessMark(s, points, commas, others)
		if code != "" {
			return "", "", code
		}
	}
	whole = s
	if at := strings.LastIndex(s, mark); mark != "" && at >= 0 {
		whole, fraction = s[:at], s[at+1:]
	}
	if fraction != "" && !digitsOnly(fraction) || mark != "" && strings.Contains(whole, mark) {
		return "", "", "number_invalid"
	}
	whole, ok := ungroup(whole)
	if !ok || whole == "" && fraction == "" {
		return "", "", "number_invalid"
	}
	return whole, fraction, ""
}

// guessMark is the decimal mark where only one can be meant; "" where the marks
// only group. One mark before exactly three digits may be either: "1.234".
func guessMark(s string, points, commas, others int) (mark, code string) {
	if points > 0 && commas > 0 {
		if strings.LastIndex(s, ".") > strings.LastIndex(s, ",") {
			return ".", ""
		}
		return ",", ""
	}
	mark = "."
	if commas > 0 {
		mark = ","
	}
	if points+commas > 1 {
		return "", "" // grouping only; ungroup checks it
	}
	before, after, _ := strings.Cut(s, mark)
	if len(after) != 3 || others > 0 || len(before) > 3 || before == "" || before[0] == '0' {
		return mark, ""
	}
	return "", "number_ambiguous"
}

func isGroup(r rune) bool {
	return r == '\'' || r == '’' || unicode.Is(unicode.Zs, r)
}

// ungroup joins the groups of a whole number: three digits each, two before the
// last as in India, and any one kind of separator.
func ungroup(s string) (string, bool) {
	if digitsOnly(s) {
		return s, true
	}
	var separator rune
	groups := strings.FieldsFunc(s, func(r rune) bool {
		if '0' <= r && r <= '9' {
			return false
		}
		if separator == 0 {
			separator = r
		}
		return r == separator
	})
	for i, g := range groups {
		if !digitsOnly(g) || g == "" {
			return "", false
		}
		switch {
		case i == 0 && len(g) > 3, i > 0 && i < len(groups)-1 && len(g) != 3 && len(g) != 2, i == len(groups)-1 && len(g) != 3:
			return "", false
		}
	}
	if strings.Count(s, string(separator)) != len(groups)-1 {
		return "", false
	}
	return strings.Join(groups, ""), true
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// trimZeros takes the zeros away that end a fraction.
func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}
