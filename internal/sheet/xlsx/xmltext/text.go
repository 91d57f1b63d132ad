package xmltext

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// AppendText appends written text with its entities replaced and its line ends
// made \n, as XML asks. Entities other than XML's own five stay as written.
func AppendText(dst, raw []byte) []byte {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return append(dst, raw...)
	}
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '&':
			r, n := entity(raw[i:])
			if n == 0 {
				dst = append(dst, '&')
				i++
				continue
			}
			dst = utf8.AppendRune(dst, r)
			i += n
		case '\r':
			if i++; i < len(raw) && raw[i] == '\n' {
				i++
			}
			dst = append(dst, '\n')
		default:
			dst = append(dst, raw[i])
			i++
		}
	}
	return dst
}

// entity reads an entity and returns its length; 0 where it is none.
func entity(raw []byte) (rune, int) {
	const longest = 12
	end := bytes.IndexByte(raw[:min(len(raw), longest)], ';')
	if end < 2 {
		return 0, 0
	}
	name := raw[1:end]
	switch string(name) {
	case "amp":
		return '&', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if name[0] != '#' || len(name) < 2 {
		return 0, 0
	}
	digits, base := string(name[1:]), 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, 0
	}
	return rune(n), end + 1
}
