package value

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/dropload/dropload/internal/record"
)

// phone is a number in E.164. What has no plus is taken as international only
// where it is a valid number as such, for national numbers without their
// country would be guesses.
func (c *Converter) phone(cell record.Cell) (string, Wrong) {
	s := cell.Text
	if cell.Kind == record.Number {
		if n := cell.Number; n != math.Trunc(n) || n < 0 || n >= 1e15 {
			return "", wrong("phone_invalid", shown(asSeen(cell)))
		}
		s = strconv.FormatFloat(cell.Number, 'f', 0, 64)
	}
	if e164, ok := fastPhone(s); ok {
		return e164, Wrong{}
	}
	number, code := plainPhone(s)
	if code != "" {
		return "", wrong(code, shown(s))
	}
	if strings.HasPrefix(number, "+") {
		if e164, ok := parsePhone(number, "ZZ", phonenumbers.IsPossibleNumber); ok {
			return e164, Wrong{}
		}
		return "", wrong("phone_invalid", shown(s))
	}
	country := c.options.Country
	if country != "" {
		if e164, ok := parsePhone(number, country, phonenumbers.IsValidNumber); ok {
			return e164, Wrong{}
		}
	}
	if number[0] != '0' {
		if e164, ok := parsePhone("+"+number, "ZZ", phonenumbers.IsValidNumber); ok {
			return e164, Wrong{}
		}
	}
	if country == "" {
		return "", wrong("phone_country", shown(s))
	}
	if e164, ok := parsePhone(number, country, phonenumbers.IsPossibleNumber); ok {
		return e164, Wrong{}
	}
	return "", wrong("phone_invalid", shown(s))
}

func parsePhone(number, region string, good func(*phonenumbers.PhoneNumber) bool) (string, bool) {
	n, err := phonenumbers.Parse(number, region)
	if err != nil || !good(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// plainPhone is a number as its digits, with a plus before where it says that
// it is international. It undoes what spreadsheet programs do to numbers, and
// returns a problem's code where it cannot be undone.
func plainPhone(s string) (number, code string) {
	s = strings.TrimSpace(s)
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = strings.TrimSpace(s[4:])
	}
	if digits, exponent, ok := scientific(strings.TrimPrefix(s, "+")); ok {
		if len(digits) != exponent+1 {
			return "", "digits_lost"
		}
		return digits, ""
	}
	// A float: 37061234567.0. A national number never ends so.
	if at := strings.LastIndexAny(s, ".,"); at >= 7 && digitsOnly(s[:at]) && strings.Trim(s[at+1:], "0") == "" {
		s = s[:at]
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case unicode.IsDigit(r), r == '+' && b.Len() == 0, r == '＋' && b.Len() == 0:
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r),
			r == '(', r == ')', r == '.', r == '/', r == '[', r == ']', r == '~', r == '\'' && i == 0, r == '−':
		case (r == 'x' || r == 'X' || r == 'e' || r == 'E' || r == '#' || r == ';' || r == ',') && b.Len() > 6 && isExtension(s[i:]):
			return "", "phone_extension"
		default:
			return "", "phone_invalid"
		}
	}
	number = b.String()
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		number = "+" + rest
	}
	if len(strings.TrimPrefix(number, "+")) < 3 {
		return "", "phone_invalid"
	}
	// A trunk zero in brackets behind the country code: +49 (0)30.
	return number, ""
}

// isExtension tells whether s is the extension behind a number: "ext. 22".
func isExtension(s string) bool {
	s = strings.ToLower(s)
	for _, word := range []string{"extension", "ext", "x", "#", ";ext=", ","} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			rest = strings.Trim(rest, " .:#")
			return rest != "" && len(rest) <= 6 && digitsOnly(rest)
		}
	}
	return false
}

// plan is what the short way knows of a country's numbers.
type plan struct {
	lengths uint32 // a bit for each possible number of national digits
	avoid   string // first national digits that may be a national prefix
}

// planOf is the numbering plan of the calling codes seen most, by code. A test
// holds it against the library's metadata. Countries whose national prefixes
// take more than a digit to tell are left to the library.
func planOf(callingCode int) (plan, bool) {
	const (
		n7, n8, n9, n10, n11, n12 = 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12
	)
	switch callingCode {
	case 1: // United States, Canada and others
		return plan{n10, "01"}, true
	case 30: // Greece
		return plan{n10, "0"}, true
	case 31: // Netherlands
		return plan{n9, "0"}, true
	case 32: // Belgium
		return plan{n8 | n9, "0"}, true
	case 33: // France
		return plan{n9, "0"}, true
	case 34: // Spain
		return plan{n9, "0"}, true
	case 40: // Romania
		return plan{n9, "0"}, true
	case 41: // Switzerland
		return plan{n9, "0"}, true
	case 44: // United Kingdom
		return plan{n10, "0"}, true
	case 45: // Denmark
		return plan{n8, "0"}, true
	case 46: // Sweden
		return plan{n7 | n8 | n9, "0"}, true
	case 47: // Norway
		return plan{n8, "0"}, true
	case 48: // Poland
		return plan{n9, "0"}, true
	case 49: // Germany
		return plan{n7 | n8 | n9 | n10 | n11, "0"}, true
	case 351: // Portugal
		return plan{n9, "0"}, true
	case 352, 353, 354, 358:
		return plan{}, false
	case 370: // Lithuania
		return plan{n8, "08"}, true
	case 371: // Latvia
		return plan{n8, "0"}, true
	case 372: // Estonia
		return plan{n7 | n8, "0"}, true
	case 380: // Ukraine
		return plan{n9, "0"}, true
	case 420: // Czechia
		return plan{n9, "0"}, true
	case 421: // Slovakia
		return plan{n9, "0"}, true
	}
	return plan{}, false
}

// fastPhone is the short way for the commonest forms: an international number
// with + or 00, digits, blanks, hyphens and brackets. What it does not know it
// leaves to the library.
func fastPhone(s string) (string, bool) {
	var digits [17]byte
	digits[0] = '+'
	n := 1
	var i int
	switch {
	case len(s) > 1 && s[0] == '+':
		i = 1
	case len(s) > 2 && s[0] == '0' && s[1] == '0':
		i = 2
	default:
		return "", false
	}
	clean := i == 1 // whether s is already E.164
	for ; i < len(s); i++ {
		switch ch := s[i]; {
		case '0' <= ch && ch <= '9':
			if n > 15 {
				return "", false
			}
			digits[n] = ch
			n++
		case ch == ' ' || ch == '-' || ch == '(' || ch == ')':
			clean = false
		default:
			return "", false
		}
	}
	code := 0
	for at := 1; at <= 3 && at < n; at++ {
		code = code*10 + int(digits[at]-'0')
		p, ok := planOf(code)
		if !ok {
			continue
		}
		national := digits[at+1 : n]
		if len(national) == 0 || p.lengths&(1<<len(national)) == 0 || strings.IndexByte(p.avoid, national[0]) >= 0 {
			return "", false
		}
		if clean {
			return s, true
		}
		return string(digits[:n]), true
	}
	return "", false
}
