package value

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/entity"
)

// email checks one address: a local part without quotes, and a domain with a
// point in it (RFC 5321 lengths; letters beyond ASCII as RFC 6531 has them).
func email(s string) (string, Wrong) {
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 || !isLocal(s[:at]) || !isDomain(s[at+1:]) {
		return "", wrong("email_invalid", shown(s))
	}
	return s, Wrong{}
}

func isLocal(s string) bool {
	dot := true // a point may not come first, last or twice
	for i := range len(s) {
		ch := s[i]
		switch {
		case ch == '.':
			if dot {
				return false
			}
			dot = true
			continue
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', ch >= utf8.RuneSelf:
		case strings.IndexByte("!#$%&'*+/=?^_`{|}~-", ch) < 0:
			return false
		}
		dot = false
	}
	return !dot && visible(s)
}

// isDomain tells whether s is a name of at least two labels, the last not a
// number.
func isDomain(s string) bool {
	if len(s) > 253 || !visible(s) {
		return false
	}
	labels, start := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			ch := s[i]
			if !isLabel(ch) {
				return false
			}
			continue
		}
		label := s[start:i]
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if i == len(s) && digitsOnly(label) || i == len(s) && len(label) < 2 {
			return false
		}
		labels++
		start = i + 1
	}
	return labels >= 2
}

// isLabel tells whether a byte may stand in a label of a domain.
func isLabel(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' || ch == '-' || ch >= utf8.RuneSelf
}

// visible tells whether s has neither white space nor marks that nobody sees.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r >= utf8.RuneSelf
			}) < 0
		}
	}
	return true
}

// url is an address of the web with its scheme; https where none is written.
func url(s string) (string, Wrong) {
	bad := wrong("url_invalid", shown(s))
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) >= 0 {
		return "", bad
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "https", strings.TrimPrefix(s, "//")
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return "", bad
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, port, hasPort := strings.Cut(rest[:end], ":")
	if !isDomain(strings.TrimSuffix(host, ".")) || hasPort && (port == "" || len(port) > 5 || !digitsOnly(port)) {
		return "", bad
	}
	if hasPort {
		port = ":" + port
	}
	return scheme + "://" + strings.ToLower(host) + port + rest[end:], Wrong{}
}

// address reads the canonical text of an address, and takes any other text as
// an address in one piece.
func (c *Converter) address(s string) (string, Wrong) {
	if !strings.HasPrefix(s, "{") {
		a := entity.PostalAddress{Kind: entity.AddressKinds()[0], Text: s}
		return a.String(), Wrong{}
	}
	a, ok := entity.ParseAddress(s)
	if !ok {
		return "", wrong("address_invalid", shown(s))
	}
	if a.Kind == "" {
		a.Kind = entity.AddressKinds()[0]
	}
	if a.Country != "" {
		code, w := c.names().country(a.Country)
		if w.Code != "" {
			return "", w
		}
		a.Country = code
	}
	return a.String(), Wrong{}
}
