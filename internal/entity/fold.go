package entity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold is the compared form of a value of a key or a unique field: trimmed,
// Unicode NFC and, for codes, user names and e-mail addresses, without letter
// case. Two values are the same where their compared forms are.
func Fold(f *Field, s string) string {
	s = Clean(s)
	if !f.FoldsCase() {
		return s
	}
	return foldCase(s)
}

// FoldsCase tells whether the field's values are compared without letter case.
func (f *Field) FoldsCase() bool {
	return f.IgnoreCase || f.Type == Code || f.Type == Email
}

// Clean trims white space and zero-width marks and composes to NFC: the form
// in which text is kept.
func Clean(s string) string {
	s = strings.TrimFunc(s, invisible)
	if ascii(s) || norm.NFC.IsNormalString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// invisible are characters that nobody sees at the ends of a value.
func invisible(r rune) bool {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u200e', '\u200f', '\u202a', '\u202c', '\u00ad', 0:
		return true
	}
	return unicode.IsSpace(r)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldCase takes letter case away: Unicode's simple case folding, and ß as ss.
// The folding of x/text is not its own (Cherokee letters change places), and a
// compared form must be.
func foldCase(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch r {
		case 'ß', 'ẞ':
			b.WriteString("ss")
		case 'ı':
			b.WriteRune(r)
		default:
			b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
		}
	}
	return norm.NFC.String(b.String())
}

// FoldName is the compared form of a name that a reference is looked up by:
// letter case, accents and the number of spaces do not count. Letters that are
// a letter of their own with a stroke (ł, ø, đ) fold to the plain one.
func FoldName(s string) string {
	if ascii(s) {
		return foldASCII(s)
	}
	// What is another form of a capital (ℂ) becomes one first, and folding may
	// make new forms again.
	s = norm.NFKD.String(foldCase(norm.NFKD.String(foldCase(s))))
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Mn, r), invisible(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch r {
		case 'ł':
			r = 'l'
		case 'ø':
			r = 'o'
		case 'đ', 'ð':
			r = 'd'
		case 'ħ':
			r = 'h'
		case 'ı':
			r = 'i'
		case 'þ':
			b.WriteString("th")
			continue
		case 'æ':
			b.WriteString("ae")
			continue
		case 'œ':
			b.WriteString("oe")
			continue
		case '’', '‘', 'ʼ', '`', '´':
			r = '\''
		case '–', '—', '‐', '‑':
			r = '-'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foldASCII is FoldName for ASCII; it allocates only where something changes.
func foldASCII(s string) string {
	for i := range len(s) {
		c := s[i]
		last := i == len(s)-1
		if 'A' <= c && c <= 'Z' || c < ' ' || c == '`' || c == ' ' && (i == 0 || last || s[i-1] == ' ') {
			return strings.ReplaceAll(strings.ToLower(strings.Join(strings.Fields(s), " ")), "`", "'")
		}
	}
	return s
}
