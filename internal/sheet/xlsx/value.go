package xlsx

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/record"
)

// hex4 reads four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	n, err := strconv.ParseUint(string(b), 16, 16)
	return rune(n), err == nil
}

// encode appends a character to dst in place and returns its length. Half a
// surrogate pair becomes the replacement character.
func encode(dst []byte, r rune) int { return len(utf8.AppendRune(dst, r)) }

// parseNumber reads a number as it is written in a sheet. Plain decimals of up
// to fifteen digits are exact in one division.
func parseNumber(b []byte) (float64, bool) {
	const exact = 15
	var mant uint64
	digits, frac, i := 0, -1, 0
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		i++
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9' && digits < exact:
			mant = mant*10 + uint64(c-'0')
			digits++
			if frac >= 0 {
				frac++
			}
		case c == '.' && frac < 0:
			frac = 0
		default:
			return parseSlow(b)
		}
	}
	if digits == 0 {
		return parseSlow(b)
	}
	v := float64(mant)
	if frac > 0 {
		v /= powers[frac]
	}
	if neg {
		v = -v
	}
	return v, true
}

//nolint:gochecknoglobals // a constant that Go cannot write
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func parseSlow(b []byte) (float64, bool) {
	s := strings.TrimSpace(string(b))
	if strings.ContainsAny(s, "xX_pPnN") { // what Go reads and a sheet does not mean
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

// isShown tells whether a number is written as General shows it.
func isShown(b []byte) bool {
	const width = 11
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > width || b[0] == '.' {
		return false
	}
	if len(b) > 1 && b[0] == '0' && b[1] != '.' {
		return false
	}
	point := false
	for _, c := range b {
		if c == '.' && !point {
			point = true
		} else if c < '0' || c > '9' {
			return false
		}
	}
	last := b[len(b)-1]
	return last != '.' && (!point || last != '0')
}

// parseMoment reads the ISO 8601 text of a cell of the type d.
func parseMoment(s string) (record.Kind, float64, bool) {
	s = strings.TrimSpace(s)
	for _, f := range [...]struct {
		layout string
		kind   record.Kind
	}{
		{"2006-01-02", record.Date},
		{"2006-01-02T15:04:05Z07:00", record.DateTime},
		{"2006-01-02T15:04:05", record.DateTime},
		{"2006-01-02T15:04Z07:00", record.DateTime},
		{"2006-01-02T15:04", record.DateTime},
		{"15:04:05Z07:00", record.Time},
		{"15:04:05", record.Time},
		{"T15:04:05", record.Time},
		{"15:04", record.Time},
	} {
		t, err := time.Parse(f.layout, s)
		if err != nil {
			continue
		}
		clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
		part := clock.Hours() / 24
		if f.kind == record.Time {
			return f.kind, part, true
		}
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86_400
		const unixEpoch = 25_569 // 1970-01-01
		return f.kind, float64(day+unixEpoch) + part, true
	}
	return 0, 0, false
}
