package sniff

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/record"
)

// class is what a cell looks like. A table has columns of one class under a
// header of text, and a text cut at the wrong places has cells of none.
type class uint8

const (
	blank  class = iota
	text         // words
	code         // one word with digits, such as MG-8769
	number       // amounts, percentages and money included
	date         // dates, times, both
	truth        // yes and no
	mail         // e-mail addresses
	link         // web addresses
	phone        // telephone numbers that say so by + or brackets
	absent       // "n/a" and its like: said to be nothing
)

// typed tells that a header cell would hardly look so.
func (c class) typed() bool { return c >= number && c <= phone }

// classOf looks at one cell. What a workbook says of it counts more than its
// text.
func classOf(c record.Cell) class {
	switch c.Kind {
	case record.Empty:
		return blank
	case record.Number:
		return number
	case record.Bool:
		return truth
	case record.Date, record.Time, record.DateTime:
		return date
	case record.Error:
		return absent
	}
	return classOfText(c.Text)
}

func classOfText(s string) class {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' || r == 0 || r == 0x1a })
	const longest = 200 // nothing typed is longer
	switch {
	case s == "":
		return blank
	case len(s) > longest:
		if isLink(s) {
			return link
		}
		return text
	case isAbsent(s):
		return absent
	case isTruth(s):
		return truth
	case isNumber(s):
		return number
	case isDate(s):
		return date
	case isMail(s):
		return mail
	case isLink(s):
		return link
	case isPhone(s):
		return phone
	case isCode(s):
		return code
	}
	return text
}

func isAbsent(s string) bool {
	switch strings.ToLower(s) {
	case "n/a", "na", "null", "nil", "none", "nan", "-", "--", "?", "#n/a", "\\n", "(null)", "undefined":
		return true
	}
	return false
}

func isTruth(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "ja", "nein", "sí", "oui", "non", "taip", "ne", "vrai", "faux", "wahr", "falsch", "verdadero", "falso":
		return true
	}
	return false
}

// isNumber knows signs, brackets, thousands, decimals, exponents, per cent and
// money before or after.
func isNumber(s string) bool {
	if s[0] == '(' && s[len(s)-1] == ')' {
		s = s[1 : len(s)-1]
	}
	s = strings.TrimLeft(s, "+-−")
	s = trimMoney(s)
	s = strings.TrimLeft(s, "+-−")
	if s == "" || !strings.ContainsRune("0123456789.,", rune(s[0])) {
		return false
	}
	digits, marks := 0, 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
			marks = 0
		case r == '.' || r == ',' || r == '\'' || r == '’' || r == ' ' || r == '\u00a0' || r == '\u202f':
			marks++
			if marks > 1 {
				return false
			}
		case (r == 'e' || r == 'E') && digits > 0:
			return isExponent(s[i+1:])
		default:
			return false
		}
	}
	last := s[len(s)-1]
	return digits > 0 && (last >= '0' && last <= '9' || last == '.') && plausibleMarks(s)
}

// plausibleMarks refuses what only looks like a number, such as 1.2.3 and
// 10 20 30: thousands come in groups of two or three digits, and the last mark
// may be the decimal one.
func plausibleMarks(s string) bool {
	first := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if first < 0 {
		return true
	}
	if s[0] == ' ' {
		return false
	}
	groups := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if len(groups) <= 2 && !strings.ContainsAny(s, " \u00a0\u202f") {
		return true
	}
	for _, g := range groups[1 : len(groups)-1] {
		if len(g) != 3 && len(g) != 2 {
			return false
		}
	}
	last := groups[len(groups)-1]
	mark, _ := utf8.DecodeLastRuneInString(s[:len(s)-len(last)])
	mid := len(groups) > 2 && strings.ContainsRune(s[:len(s)-len(last)-utf8.RuneLen(mark)], mark)
	if mid || mark == ' ' || mark == '\u00a0' || mark == '\u202f' {
		return len(last) == 3 && len(groups[0]) <= 3
	}
	return true
}

func isExponent(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// trimMoney takes a currency or per cent sign away, or a currency's three
// letters.
func trimMoney(s string) string {
	s = strings.TrimSpace(strings.TrimFunc(s, func(r rune) bool { return unicode.Is(unicode.Sc, r) || r == '%' || r == '‰' }))
	isName := func(p string) bool {
		return len(p) == 3 && strings.IndexFunc(p, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
	}
	const name = 3
	if len(s) > name && isName(s[:name]) {
		return strings.TrimSpace(s[name:])
	}
	if len(s) > name && isName(s[len(s)-name:]) {
		return strings.TrimSpace(s[:len(s)-name])
	}
	return s
}

// isDate knows dates, times and both: digits in groups with their marks, names
// of months, ISO 8601 and its zones.
func isDate(s string) bool {
	const longest = 40
	if len(s) > longest || strings.IndexFunc(s, unicode.IsDigit) < 0 {
		return false
	}
	day, clock := s, ""
	if i := strings.IndexAny(s, "T "); i > 0 && isDay(s[:i]) {
		day, clock = s[:i], s[i+1:]
	}
	if clock != "" {
		return isClock(strings.TrimSpace(clock)) || isDay(s)
	}
	return isDay(day) || isClock(s)
}

func isDay(s string) bool {
	groups := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-/. ,", r) })
	if len(groups) < 2 || len(groups) > 4 {
		return false
	}
	digits, months := 0, 0
	long := false
	for _, g := range groups {
		trimmed := strings.TrimRight(g, "stndrh")
		switch {
		case isMonth(g):
			months++
		case len(trimmed) >= 1 && strings.Trim(trimmed, "0123456789") == "" && len(trimmed) <= 4 && len(trimmed) != 3:
			digits++
			long = long || len(trimmed) == 4
		case isWeekday(g):
		default:
			return false
		}
	}
	switch {
	case months == 1:
		return digits >= 1
	case digits == 3:
		// 1.2.3 is a version: a date has a year of four digits or two-digit parts.
		return long || len(s) >= len("01.02.03") || strings.Count(s, "/") == 2
	case digits == 2:
		return long && (s[4:5] == "-" || len(s) == len("01/2024"))
	}
	return false
}

func isMonth(s string) bool {
	s = strings.ToLower(s)
	const least = 3
	if len(s) < least || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, m := range []string{
		"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
		"januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember", "janvier", "février", "mars", "avril", "juin",
		"juillet", "août", "septembre", "octobre", "novembre", "décembre", "enero", "febrero", "marzo", "abril", "mayo", "junio",
		"julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre", "sept",
	} {
		if s == m || len(s) == least && strings.HasPrefix(m, s) {
			return true
		}
	}
	return false
}

func isWeekday(s string) bool {
	s = strings.ToLower(s)
	const least = 2
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"} {
		if len(s) >= least && len(s) <= 4 && strings.HasPrefix(d, s) || s == d {
			return true
		}
	}
	return false
}

// isClock knows 9:05, 09:05:07.123, 9 pm, and a zone behind.
func isClock(s string) bool {
	low := strings.ToLower(s)
	half := strings.TrimRight(low, "amp. ")
	half = strings.TrimSpace(half)
	if half != low && strings.IndexFunc(low[len(half):], unicode.IsLetter) < 0 {
		half = low
	}
	zone := strings.IndexAny(half, "z+-")
	if zone > 0 {
		if rest := strings.Trim(half[zone:], "z+-0123456789:"); rest != "" {
			return false
		}
		half = strings.TrimSpace(half[:zone])
	}
	groups := strings.Split(half, ":")
	if len(groups) == 1 {
		return half != low && zone <= 0 && len(half) <= 2 && half != "" && strings.Trim(half, "0123456789") == ""
	}
	if len(groups) > 3 {
		return false
	}
	for i, g := range groups {
		if i == 2 {
			g, _, _ = strings.Cut(strings.ReplaceAll(g, ",", "."), ".")
		}
		if g == "" || len(g) > 2 || strings.Trim(g, "0123456789") != "" {
			return false
		}
	}
	return true
}

func isMail(s string) bool {
	at := strings.IndexByte(s, '@')
	if at <= 0 || strings.ContainsAny(s, " ,;\t") {
		return false
	}
	dot := strings.LastIndexByte(s, '.')
	return dot > at+1 && dot < len(s)-2
}

func isLink(s string) bool {
	if strings.ContainsAny(s, " \t\n") {
		return false
	}
	for _, p := range []string{"http://", "https://", "ftp://", "www.", "HTTP://", "HTTPS://", "mailto:", "urn:"} {
		if strings.HasPrefix(s, p) && len(s) > len(p)+2 {
			return true
		}
	}
	return false
}

// isPhone asks for a sign that it is one: groups of digits alone may be codes.
func isPhone(s string) bool {
	const least = 6
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" -./()x", r):
		default:
			return false
		}
	}
	return digits >= least && digits <= 20
}

// isCode knows single words with a digit in them, the parts joined by marks.
func isCode(s string) bool {
	digit := false
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digit = true
		case unicode.IsLetter(r), strings.ContainsRune("-_./", r):
		default:
			return false
		}
	}
	return digit
}
