package charset

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/transform"
)

// decoderJohab reads Johab (KS X 1001, annex 3): a Korean syllable is a set bit
// and three numbers of five bits for its sounds; ideographs and signs are those
// of KS X 1001 in another arrangement.
type decoderJohab struct{ transform.NopResetter }

func (decoderJohab) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := rune(src[nSrc]), 1
		if r >= 0x80 {
			switch {
			case nSrc+1 < len(src):
				if r = johabRune(src[nSrc], src[nSrc+1]); r != unicode.ReplacementChar {
					size = 2
				}
			case !atEOF:
				return nDst, nSrc, transform.ErrShortSrc
			default:
				r = unicode.ReplacementChar
			}
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += size
	}
	return nDst, nSrc, nil
}

func johabRune(a, b byte) rune {
	if a <= 0xD3 {
		return johabSyllable(int(a)<<8 | int(b))
	}
	// A lead byte holds two rows of 94 characters: the first from 0x31 to 0x7E
	// and 0x91 to 0xA0, the second from there on.
	var row, column int
	switch {
	case a >= 0xD9 && a <= 0xDE:
		row = 2 * (int(a) - 0xD9)
	case a >= 0xE0 && a <= 0xF9:
		row = 2*(int(a)-0xE0) + 0x4A - 0x21
	default:
		return unicode.ReplacementChar
	}
	switch {
	case b >= 0x31 && b <= 0x7E:
		column = int(b) - 0x31
	case b >= 0x91 && b <= 0xFE:
		column = int(b) - 0x91 + 0x4E
	default:
		return unicode.ReplacementChar
	}
	pair := []byte{byte(row + column/94 + 0xA1), byte(column%94 + 0xA1)}
	text, err := korean.EUCKR.NewDecoder().Bytes(pair)
	r, size := utf8.DecodeRune(text)
	if err != nil || size != len(text) {
		return unicode.ReplacementChar
	}
	return r
}

// johabSyllable takes the sounds apart. 1 (vowels: 2) means that there is none;
// a single sound is written as a letter, which KS X 1001 has too.
func johabSyllable(code int) rune {
	const none = -1
	initial := (code >> 10 & 31) - 2
	vowel := vowelNumber(code >> 5 & 31)
	final := code & 31
	if final == 18 || final > 29 || final == 0 {
		return unicode.ReplacementChar
	}
	if final > 18 {
		final--
	}
	final--
	switch {
	case initial >= 0 && initial < 19 && vowel >= 0:
		return rune(0xAC00 + (initial*21+vowel)*28 + final)
	case initial >= 0 && initial < 19 && vowel == none && final == 0:
		return []rune("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ")[initial]
	case initial == none && vowel >= 0 && final == 0:
		return rune(0x314F + vowel)
	case initial == none && vowel == none && final > 0:
		return []rune("ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")[final-1]
	}
	return unicode.ReplacementChar
}

// vowelNumber counts the vowels from 0; -1 is none, -2 no valid code. The codes
// leave gaps so that the second byte is never one of the controls.
func vowelNumber(code int) int {
	switch {
	case code == 2:
		return -1
	case code >= 3 && code <= 7:
		return code - 3
	case code >= 10 && code <= 15:
		return code - 5
	case code >= 18 && code <= 23:
		return code - 7
	case code >= 26 && code <= 29:
		return code - 9
	}
	return -2
}
