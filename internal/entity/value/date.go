package value

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

// date is YYYY-MM-DD.
func (c *Converter) date(cell record.Cell) (string, Wrong) {
	switch cell.Kind {
	case record.Date, record.DateTime:
		return cell.When().Format(time.DateOnly), Wrong{}
	case record.Text:
		m, code := c.moment(cell.Text)
		if code != "" {
			return "", wrong(code, shown(cell.Text))
		}
		return m.date(), Wrong{}
	case record.Number:
		// A number in a date column may be a day written without separators, as
		// 20260304; a serial number without a date format could be anything.
		if m, ok := compact(plain(cell.Number)); ok {
			return m.date(), Wrong{}
		}
	}
	return "", wrong("date_invalid", shown(asSeen(cell)))
}

// dateTime is RFC 3339. A time without a zone is in the options' zone.
func (c *Converter) dateTime(cell record.Cell) (string, Wrong) {
	switch cell.Kind {
	case record.Date, record.DateTime:
		t := cell.When()
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, c.zone)
		return t.Format(time.RFC3339), Wrong{}
	case record.Text:
		if t, err := time.Parse(time.RFC3339Nano, cell.Text); err == nil {
			return t.Truncate(time.Second).Format(time.RFC3339), Wrong{}
		}
		m, code := c.moment(cell.Text)
		if code != "" {
			return "", wrong(code, shown(cell.Text))
		}
		t := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, 0, c.zone)
		return t.Format(time.RFC3339), Wrong{}
	}
	return "", wrong("date_invalid", shown(asSeen(cell)))
}

// moment is a day, and a time of day where one is written.
type moment struct{ year, month, day, hour, minute, second int }

func (m moment) date() string {
	var b [10]byte
	put := func(at, width, n int) {
		for i := at + width - 1; i >= at; i-- {
			b[i] = byte('0' + n%10)
			n /= 10
		}
	}
	put(0, 4, m.year)
	put(5, 2, m.month)
	put(8, 2, m.day)
	b[4], b[7] = '-', '-'
	return string(b[:])
}

// valid tells whether there is such a day and time.
func (m moment) valid() bool {
	if m.year < 1000 || m.year > 9999 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > 31 {
		return false
	}
	if m.hour > 23 || m.minute > 59 || m.second > 59 {
		return false
	}
	last := time.Date(m.year, time.Month(m.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return m.day <= last
}

// iso is the short way for YYYY-MM-DD alone.
func iso(s string) (moment, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return moment{}, false
	}
	number := func(s string) int {
		n := 0
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return -1
			}
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	m := moment{year: number(s[:4]), month: number(s[5:7]), day: number(s[8:])}
	return m, m.valid()
}

// compact is YYYYMMDD of this and the last century.
func compact(s string) (moment, bool) {
	if len(s) != 8 || !digitsOnly(s) || s[:2] != "19" && s[:2] != "20" {
		return moment{}, false
	}
	return iso(s[:4] + "-" + s[4:6] + "-" + s[6:])
}

// moment reads a date, with or without a time. It returns a problem's code.
func (c *Converter) moment(s string) (moment, string) {
	if m, ok := iso(s); ok {
		return m, ""
	}
	for _, l := range c.layouts {
		if m, ok := l.parse(s, c.months); ok {
			return m, ""
		}
	}
	day, clock := s, moment{}
	if at := clockAt(s); at > 0 {
		var ok bool
		if clock, ok = parseClock(s[at:]); !ok {
			return moment{}, "date_invalid"
		}
		day = strings.TrimRight(s[:at], " ,Tt")
	}
	m, code := c.day(day)
	m.hour, m.minute, m.second = clock.hour, clock.minute, clock.second
	return m, code
}

// clockAt is where a time of day begins behind a date; -1 is nowhere.
func clockAt(s string) int {
	colon := strings.IndexByte(s, ':')
	if colon < 1 {
		return -1
	}
	at := colon
	for at > 0 && '0' <= s[at-1] && s[at-1] <= '9' {
		at--
	}
	return at
}

// parseClock reads 9:05, 21:05:30, 09:05:30.123, 9:05 pm and a Z or +00:00
// behind.
func parseClock(s string) (moment, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "z"), "+00:00")
	half := ""
	for _, h := range []string{"am", "pm", "a.m.", "p.m."} {
		if rest, ok := strings.CutSuffix(s, h); ok {
			s, half = strings.TrimSpace(rest), h[:1]
		}
	}
	if at := strings.IndexAny(s, ".,"); at > 0 && digitsOnly(s[at+1:]) {
		s = s[:at]
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return moment{}, false
	}
	var n [3]int
	for i, p := range parts {
		if len(p) == 0 || len(p) > 2 || !digitsOnly(p) {
			return moment{}, false
		}
		n[i], _ = strconv.Atoi(p)
	}
	if half != "" {
		if n[0] < 1 || n[0] > 12 {
			return moment{}, false
		}
		n[0] %= 12
		if half == "p" {
			n[0] += 12
		}
	}
	return moment{hour: n[0], minute: n[1], second: n[2]}, n[0] < 24 && n[1] < 60 && n[2] < 60
}

// day reads a date that is written in a way that means one day.
func (c *Converter) day(s string) (moment, string) {
	if m, ok := compact(s); ok {
		return m, ""
	}
	numbers, month, separator, ok := c.dateTokens(s)
	if !ok {
		return moment{}, "date_invalid"
	}
	if month > 0 {
		return named(numbers, month)
	}
	if len(numbers) != 3 {
		return moment{}, "date_invalid"
	}
	if len(numbers[0]) == 4 { // the year first: month and day follow everywhere
		return check(numbers[0], numbers[1], numbers[2])
	}
	if len(c.layouts) > 0 {
		return moment{}, "date_invalid" // the template says how days are written
	}
	return dayOrMonthFirst(numbers, separator)
}

// dayOrMonthFirst reads three numbers with the year last. Points stand between
// them only where the day comes first; with slashes and hyphens the order shows
// only where one of the numbers is no month, or where both are the same.
func dayOrMonthFirst(n []string, separator rune) (moment, string) {
	if len(n[2]) != 4 {
		return moment{}, "date_ambiguous" // the century, and often the order
	}
	dayFirst, code := check(n[2], n[1], n[0])
	monthFirst, other := check(n[2], n[0], n[1])
	switch {
	case separator == '.':
		return dayFirst, code
	case code == "" && other == "" && dayFirst != monthFirst:
		return moment{}, "date_ambiguous"
	case code == "":
		return dayFirst, ""
	}
	return monthFirst, other
}

// named reads a date with the month as a word.
func named(n []string, month int) (moment, string) {
	m := strconv.Itoa(month)
	switch {
	case len(n) != 2:
	case len(n[0]) == 4 && len(n[1]) <= 2:
		return check(n[0], m, n[1])
	case len(n[1]) == 4 && len(n[0]) <= 2:
		return check(n[1], m, n[0])
	default:
		return moment{}, "date_ambiguous"
	}
	return moment{}, "date_invalid"
}

func check(year, month, day string) (moment, string) {
	var m moment
	m.year, _ = strconv.Atoi(year)
	m.month, _ = strconv.Atoi(month)
	m.day, _ = strconv.Atoi(day)
	if len(year) != 4 || len(month) > 2 || len(day) > 2 || !m.valid() {
		return moment{}, "date_invalid"
	}
	return m, ""
}

// dateTokens splits a date into its numbers, the month where it is a word, and
// the first separator between numbers.
func (c *Converter) dateTokens(s string) (numbers []string, month int, separator rune, ok bool) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case '0' <= r && r <= '9':
			end := i
			for end < len(s) && '0' <= s[end] && s[end] <= '9' {
				end++
			}
			numbers = append(numbers, s[i:end])
			i = end
			continue
		case unicode.IsLetter(r):
			end := i
			for end < len(s) {
				l, n := utf8.DecodeRuneInString(s[end:])
				if !unicode.IsLetter(l) && !unicode.Is(unicode.M, l) {
					break
				}
				end += n
			}
			word := entity.FoldName(s[i:end])
			i = end
			if isFiller(word) {
				continue
			}
			m, known := c.months[word]
			if !known || month > 0 {
				return nil, 0, 0, false
			}
			month = m
			continue
		case r == '.' || r == '/' || r == '-' || r == ' ' || r == ',' || r == '\u00a0' || r == '’' || r == '\'':
			if separator == 0 && r != ' ' {
				separator = r
			}
		default:
			return nil, 0, 0, false
		}
		i += size
	}
	return numbers, month, separator, len(numbers) > 0
}

// isFiller tells whether a word in a date says nothing: 3rd of May, 3 de mayo,
// 1er mai, 2026 m. gegužės 3 d.
func isFiller(word string) bool {
	switch word {
	case "st", "nd", "rd", "th", "of", "the", "de", "del", "er", "le", "den", "m", "d":
		return true
	}
	return false
}

// agreement is free text; a date that it starts with is written YYYY-MM-DD
// where it means one day.
func (c *Converter) agreement(s string) string {
	for end := min(len(s), 40); end > 5; end-- {
		if end < len(s) && !strings.ContainsRune(" ,;:", rune(s[end])) {
			continue
		}
		if m, code := c.moment(strings.TrimRight(s[:end], " ,;:")); code == "" {
			return m.date() + s[len(strings.TrimRight(s[:end], " ,;:")):]
		}
	}
	return s
}

// layout is a date format of a template: YYYY or YY, M or MM, MMM or MMMM (the
// month's name), D or DD, H or HH, mm, ss, and any text between.
type layout []string

func parseLayout(format string) (layout, error) {
	var l layout
	days, months, years := 0, 0, 0
	for i := 0; i < len(format); {
		end := i + 1
		if strings.IndexByte("YMDHmsydh", format[i]) >= 0 {
			for end < len(format) && format[end] == format[i] {
				end++
			}
		}
		token := format[i:end]
		switch token {
		case "yyyy", "yy", "dd", "d":
			token = strings.ToUpper(token)
		case "h", "hh":
			token = strings.ToUpper(token)
		}
		switch token {
		case "YYYY", "YY":
			years++
		case "M", "MM", "MMM", "MMMM":
			months++
		case "D", "DD":
			days++
		}
		l = append(l, token)
		i = end
	}
	if days != 1 || months != 1 || years != 1 {
		return nil, fmt.Errorf("value: the date format %q must have YYYY, MM and DD once each", format)
	}
	return l, nil
}

// Layout tells whether a template may name this date format.
func Layout(format string) error {
	_, err := parseLayout(format)
	return err
}

// parse reads a text by the format. Numbers may lack their leading zero where a
// separator follows.
func (l layout) parse(s string, monthNames map[string]int) (moment, bool) {
	var m moment
	for i, token := range l {
		number := func(most int, exact bool) (int, bool) {
			end := 0
			for end < len(s) && end < most && '0' <= s[end] && s[end] <= '9' {
				end++
			}
			if end == 0 || exact && end != most {
				return 0, false
			}
			n, _ := strconv.Atoi(s[:end])
			s = s[end:]
			return n, true
		}
		// Without a separator behind it a number has all its digits.
		tight := i+1 < len(l) && strings.ContainsAny(l[i+1][:1], "YMDHms")
		var ok bool
		switch token {
		case "YYYY":
			m.year, ok = number(4, true)
		case "YY":
			if m.year, ok = number(2, true); ok {
				m.year = century(m.year)
			}
		case "M", "MM":
			m.month, ok = number(2, tight)
		case "MMM", "MMMM":
			end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) })
			if end < 0 {
				end = len(s)
			}
			m.month, ok = monthNames[entity.FoldName(s[:end])]
			s = strings.TrimPrefix(s[end:], ".")
		case "D", "DD":
			m.day, ok = number(2, tight)
		case "H", "HH":
			m.hour, ok = number(2, tight)
		case "mm":
			m.minute, ok = number(2, true)
		case "ss":
			m.second, ok = number(2, true)
		default:
			s, ok = strings.CutPrefix(s, token)
		}
		if !ok {
			return moment{}, false
		}
	}
	return m, s == "" && m.valid()
}

// century is the year that two digits mean: the 69 years from 2000 on, else the
// last century, as POSIX has it.
func century(year int) int {
	if year < 69 {
		return 2000 + year
	}
	return 1900 + year
}
