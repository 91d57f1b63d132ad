package charset

import (
	"bytes"
	"encoding/binary"
	"fmt"
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
// head is the whole text; otherwise it may be cut within a character. A megabyte
// takes some milliseconds, at most a few dozen; more is seldom of use.
func Detect(head []byte, complete bool) Guess {
	if g, ok := detectBytes(head, complete); ok {
		return g
	}
	if g, ok := guessUTF8(countUTF8(head, complete)); ok {
		return g
	}
	return detectPlausible(head, complete)
}

// detectBytes finds the encodings that show in the bytes themselves.
func detectBytes(head []byte, complete bool) (Guess, bool) {
	if g, ok := detectMark(head); ok {
		return g, true
	}
	if g, ok := detectWide(head, complete); ok {
		return g, true
	}
	return detectShifted(head)
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
			return Guess{Name: m.name, Confidence: 1, Why: "byte order mark", BOM: len(m.mark)}, true
		}
	}
	return Guess{}, false
}

// countUTF8 counts the characters beyond ASCII and the bytes that are not part
// of one. The last character may be cut unless the text is complete.
func countUTF8(b []byte, complete bool) (characters, invalid int) {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			if !complete && !utf8.FullRune(b[i:]) {
				break
			}
			invalid++
		} else {
			characters++
		}
		i += size
	}
	return characters, invalid
}

// guessUTF8 settles what the counts settle. Text in another encoding is hardly
// ever UTF-8 by chance: even of Chinese, whose bytes come closest, less than one
// character in four is.
func guessUTF8(characters, invalid int) (Guess, bool) {
	switch {
	case characters == 0 && invalid == 0:
		return Guess{Name: UTF8, Confidence: 0.9, Why: "only ASCII characters"}, true
	case invalid == 0:
		return Guess{Name: UTF8, Confidence: 0.99, Why: "valid UTF-8 beyond ASCII"}, true
	case characters >= 3*invalid:
		return Guess{
			Name: UTF8, Confidence: 0.6,
			Why: fmt.Sprintf("UTF-8 but for %d bytes; %d characters are", invalid, characters),
		}, true
	}
	return Guess{}, false
}

// firstHigh is the index of the first byte beyond ASCII, or len(b).
func firstHigh(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}
