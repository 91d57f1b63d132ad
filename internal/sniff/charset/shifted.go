package charset

import (
	"bytes"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// readOnly is an encoding that is read, never written: nobody asks for new
// files in it.
type readOnly struct{ decoder func() transform.Transformer }

func (e readOnly) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: e.decoder()}
}

// NewEncoder returns nil; NewEncoder of the package turns it into an error.
func (readOnly) NewEncoder() *encoding.Encoder { return nil }

const (
	escape   = 0x1B
	shiftOut = 0x0E
	shiftIn  = 0x0F
)

// announceKR says that the text shifted out is KS X 1001 (RFC 1557).
const announceKR = "\x1B$)C"

// decoder2022KR reads ISO-2022-KR: between shift out and shift in, or the end
// of the line, two bytes are a character of KS X 1001, which EUC-KR has with
// the high bits set.
type decoder2022KR struct{ shifted bool }

func (d *decoder2022KR) Reset() { d.shifted = false }

func (d *decoder2022KR) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	euc := korean.EUCKR.NewDecoder()
	for nSrc < len(src) {
		b := src[nSrc]
		size, out := 1, []byte(string(unicode.ReplacementChar))
		switch {
		case b == escape:
			have := min(len(src)-nSrc, len(announceKR))
			if string(src[nSrc:nSrc+have]) == announceKR[:have] {
				if have < len(announceKR) && !atEOF {
					return nDst, nSrc, transform.ErrShortSrc
				}
				if have == len(announceKR) {
					size, out = have, nil
				}
			}
		case b == shiftOut, b == shiftIn:
			d.shifted, out = b == shiftOut, nil
		case b == '\n':
			d.shifted, out = false, src[nSrc:nSrc+1]
		case b < 0x80 && (!d.shifted || b <= ' ' || b == 0x7F):
			out = src[nSrc : nSrc+1]
		case b < 0x80:
			if nSrc+1 == len(src) {
				if !atEOF {
					return nDst, nSrc, transform.ErrShortSrc
				}
				break
			}
			if next := src[nSrc+1]; next > ' ' && next < 0x7F {
				size = 2
				if text, err := euc.Bytes([]byte{b | 0x80, next | 0x80}); err == nil {
					out = text
				}
			}
		}
		if nDst+len(out) > len(dst) {
			if b == shiftOut || b == shiftIn || b == '\n' {
				d.shifted = b == shiftOut
			}
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], out)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// detectShifted finds the encodings that write longer characters in ASCII bytes
// between marks.
func detectShifted(head []byte) (Guess, bool) {
	if firstHigh(head) < len(head) {
		return Guess{}, false
	}
	found := func(name, why string) (Guess, bool) {
		return Guess{Name: name, Confidence: 0.97, Why: why}, true
	}
	if bytes.Contains(head, []byte(announceKR)) {
		return found("iso-2022-kr", "announces Korean by an escape sequence")
	}
	for _, mark := range []string{"\x1B$B", "\x1B$@", "\x1B$(D", "\x1B(J", "\x1B(I"} {
		if bytes.Contains(head, []byte(mark)) {
			return found("iso-2022-jp", "switches to Japanese by escape sequences")
		}
	}
	if inHZ(head) {
		return found("hz-gb-2312", "Chinese between ~{ and ~}")
	}
	return Guess{}, false
}

// inHZ tells whether what stands between the first ~{ and the next ~} is
// Chinese: a template's braces are not.
func inHZ(head []byte) bool {
	_, after, ok := bytes.Cut(head, []byte("~{"))
	inside, _, closed := bytes.Cut(after, []byte("~}"))
	if !ok || !closed || len(inside) == 0 || len(inside)%2 != 0 || len(inside) > 400 {
		return false
	}
	high := bytes.Clone(inside)
	for i := range high {
		high[i] |= 0x80
	}
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(high)
	if err != nil {
		return false
	}
	known := ranks("zh-hans")
	usual, all := 0, 0
	for _, r := range string(text) {
		all++
		if !unicode.Is(unicode.Han, r) && !unicode.IsPunct(r) {
			return false
		}
		if _, ok := known[r]; ok || unicode.IsPunct(r) {
			usual++
		}
	}
	return usual*2 > all
}
