package charset

import (
	"bytes"
	"unicode/utf8"
)

// Guess is the encoding of a text and the evidence for it.
type Guess struct {
	// Name is the WHATWG name in lower case, or IANA's where WHATWG has none.
	Name string
	// Confidence is from 0 to 1.
	Confidence float64
	// Why is the evidence in words for a person.
	Why string
	// BOM is the length of the byte order mark in bytes; 0 without one.
	BOM int
}

// Detect finds the encoding of a text from its first bytes. complete says that
// head is the whole text; otherwise it may be cut within a character.
func Detect(head []byte, complete bool) Guess {
	if g, ok := detectMark(head); ok {
		return g
	}
	if g, ok := detectWide(head); ok {
		return g
	}
	if g, ok := detectShifted(head); ok {
		return g
	}
	if n := validUTF8(head, complete); n >= 0 {
		if n == 0 {
			return Guess{UTF8, 0.9, "only ASCII characters", 0}
		}
		return Guess{UTF8, 0.99, "valid UTF-8 beyond ASCII", 0}
	}
	return detectPlausible(head, complete)
}

// detectMark knows the byte order marks. That of UTF-32 begins with that of
// UTF-16, so it comes first.
func detectMark(head []byte) (Guess, bool) {
	for _, m := range []struct{ mark, name string }{
		{"\xFF\xFE\x00\x00", "utf-32le"},
		{"\x00\x00\xFE\xFF", "utf-32be"},
		{"\xEF\xBB\xBF", UTF8},
		{"\xFF\xFE", "utf-16le"},
		{"\xFE\xFF", "utf-16be"},
	} {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return Guess{m.name, 1, "byte order mark", len(m.mark)}, true
		}
	}
	return Guess{}, false
}

// detectWide finds UTF-16 and UTF-32 without a mark by where the zero bytes
// stand.
func detectWide(head []byte) (Guess, bool) {
	const least = 4
	if len(head) < least {
		return Guess{}, false
	}
	var zeros [4]int
	whole := head[:len(head)/4*4]
	for i, b := range whole {
		if b == 0 {
			zeros[i%4]++
		}
	}
	n := len(whole) / 4
	most := func(k int) bool { return zeros[k]*10 >= n*6 }
	few := func(k int) bool { return zeros[k]*20 <= n }
	switch {
	case most(0) && most(1) && few(3):
		return Guess{"utf-32be", 0.95, "zero bytes as in UTF-32", 0}, true
	case most(2) && most(3) && few(0):
		return Guess{"utf-32le", 0.95, "zero bytes as in UTF-32", 0}, true
	case most(0) && most(2) && few(1) && few(3):
		return Guess{"utf-16be", 0.95, "every other byte is zero", 0}, true
	case most(1) && most(3) && few(0) && few(2):
		return Guess{"utf-16le", 0.95, "every other byte is zero", 0}, true
	}
	return Guess{}, false
}

// validUTF8 counts the characters beyond ASCII, or returns -1 where the bytes
// are not UTF-8. The last character may be cut unless the text is complete.
func validUTF8(b []byte, complete bool) int {
	n := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			if !complete && !utf8.FullRune(b[i:]) {
				return n
			}
			return -1
		}
		n++
		i += size
	}
	return n
}
