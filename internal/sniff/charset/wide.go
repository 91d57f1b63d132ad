package charset

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// detectWide finds UTF-16 and UTF-32 without a byte order mark. Only they have
// zero bytes, as the other half of every ASCII character; in the wrong order
// those become characters that no text has.
func detectWide(head []byte, complete bool) (Guess, bool) {
	if bytes.IndexByte(head, 0) < 0 || complete && len(head)%2 != 0 {
		return Guess{}, false
	}
	var best Guess
	var most float64
	for _, w := range []struct {
		name  string
		size  int
		order binary.ByteOrder
	}{
		{"utf-32le", 4, binary.LittleEndian},
		{"utf-32be", 4, binary.BigEndian},
		{"utf-16le", 2, binary.LittleEndian},
		{"utf-16be", 2, binary.BigEndian},
	} {
		if s := wideShare(head, w.size, w.order); s > most {
			most = s
			best = Guess{Name: w.name, Confidence: 0.97, Why: "zero bytes where ASCII characters have them in this encoding"}
		}
	}
	return best, most > 0
}

// wideShare is the part of the characters that are printable ASCII or line
// ends, of which every table has some; 0 if there are too few, or more than a
// hundredth are such as no text has.
func wideShare(head []byte, size int, order binary.ByteOrder) float64 {
	const least, most = 0.03, 0.01
	var good, bad, all int
	for i := 0; i+size <= len(head); i += size {
		var r rune
		if size == 4 {
			u := order.Uint32(head[i:])
			r = unicode.MaxRune + 1
			if u <= unicode.MaxRune {
				r = rune(u)
			}
		} else {
			r = rune(order.Uint16(head[i:]))
			if utf16.IsSurrogate(r) && i+4 <= len(head) {
				r = utf16.DecodeRune(r, rune(order.Uint16(head[i+2:])))
				if r == unicode.ReplacementChar {
					r = unicode.MaxRune + 1
				} else {
					i += 2
				}
			}
		}
		all++
		switch {
		case r >= ' ' && r < 0x7F || r == '\n' || r == '\r' || r == '\t':
			good++
		case !utf8.ValidRune(r) || !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r):
			bad++
		}
	}
	share := float64(good) / float64(max(all, 1))
	if share < least || float64(bad) > most*float64(all) {
		return 0
	}
	return share
}
