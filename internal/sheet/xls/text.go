package xls

import (
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// cursor reads values from a record and from the CONTINUE records that follow
// it. Reading past the last of them sets short and gives zeros.
type cursor struct {
	sc    *scanner
	data  []byte
	short bool
	err   error // of the source

	units []uint16 // scratch
}

// more steps into the next CONTINUE record.
func (c *cursor) more() bool {
	for !c.short {
		back := c.sc.pos
		r, err := c.sc.next()
		if err != nil || r.id != recContinue {
			c.short, c.sc.pos = true, back
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errCut) {
				c.err = err
			}
			return false
		}
		if len(r.data) > 0 {
			c.data = r.data
			return true
		}
	}
	return false
}

func (c *cursor) u8() byte {
	if len(c.data) == 0 && !c.more() {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return b
}

func (c *cursor) u16() uint16 { return uint16(c.u8()) | uint16(c.u8())<<8 }
func (c *cursor) u32() uint32 { return uint32(c.u16()) | uint32(c.u16())<<16 }

func (c *cursor) skip(n int64) {
	for n > 0 {
		if len(c.data) == 0 && !c.more() {
			return
		}
		k := min(n, int64(len(c.data)))
		c.data = c.data[k:]
		n -= k
	}
}

// unicode appends a BIFF8 string of n characters in UTF-8: flags, the counts of
// what follows the characters, the characters in one byte each (the upper one
// is then zero) or two, and what follows them: formatting runs and phonetic
// data. Where a CONTINUE record cuts the characters, it starts with flags again.
func (c *cursor) unicode(dst []byte, n int) []byte {
	flags := c.u8()
	var runs, phonetic int64
	if flags&0x08 != 0 {
		runs = int64(c.u16())
	}
	if flags&0x04 != 0 {
		phonetic = int64(c.u32())
	}
	dst = c.chars(dst, n, flags&1 != 0)
	c.skip(4*runs + phonetic)
	return dst
}

func (c *cursor) chars(dst []byte, n int, wide bool) []byte {
	if !wide && n <= len(c.data) {
		dst = appendLatin1(dst, c.data[:n])
		c.data = c.data[n:]
		return dst
	}
	c.units = c.units[:0]
	for n > 0 {
		if len(c.data) == 0 {
			if !c.more() {
				break
			}
			wide = c.u8()&1 != 0
		}
		if !wide {
			k := min(n, len(c.data))
			for _, b := range c.data[:k] {
				c.units = append(c.units, uint16(b))
			}
			c.data = c.data[k:]
			n -= k
			continue
		}
		k := min(n, len(c.data)/2)
		for i := range k {
			c.units = append(c.units, u16(c.data[2*i:]))
		}
		c.data = c.data[2*k:]
		n -= k
		if len(c.data) == 1 && n > 0 {
			c.data = nil // half a character: what follows is flags
		}
	}
	return appendUTF16(dst, c.units)
}

func appendLatin1(dst, b []byte) []byte {
	for _, x := range b {
		if x < utf8.RuneSelf {
			dst = append(dst, x)
		} else {
			dst = append(dst, 0xC0|x>>6, 0x80|x&0x3F)
		}
	}
	return dst
}

func appendUTF16(dst []byte, units []uint16) []byte {
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			r2 := rune(utf8.RuneError)
			if i+1 < len(units) {
				r2 = utf16.DecodeRune(r, rune(units[i+1]))
			}
			if r2 != utf8.RuneError {
				i++
			}
			r = r2
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// codePages are the numbers of the CODEPAGE record. A page that no decoder is
// known for is read as windows-1252.
func codePage(n uint16) encoding.Encoding {
	switch n {
	case 437:
		return charmap.CodePage437
	case 850:
		return charmap.CodePage850
	case 852:
		return charmap.CodePage852
	case 855:
		return charmap.CodePage855
	case 858:
		return charmap.CodePage858
	case 860:
		return charmap.CodePage860
	case 862:
		return charmap.CodePage862
	case 863:
		return charmap.CodePage863
	case 865:
		return charmap.CodePage865
	case 866:
		return charmap.CodePage866
	case 874:
		return charmap.Windows874
	case 932:
		return japanese.ShiftJIS
	case 936:
		return simplifiedchinese.GBK
	case 949:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	case 1250:
		return charmap.Windows1250
	case 1251:
		return charmap.Windows1251
	case 1253:
		return charmap.Windows1253
	case 1254:
		return charmap.Windows1254
	case 1255:
		return charmap.Windows1255
	case 1256:
		return charmap.Windows1256
	case 1257:
		return charmap.Windows1257
	case 1258:
		return charmap.Windows1258
	case 10000, 32768: // the second is what Excel 2 to 4 for Macintosh writes
		return charmap.Macintosh
	case 10007:
		return charmap.MacintoshCyrillic
	}
	return charmap.Windows1252
}

// decodeBytes turns a string of one or two bytes a character into UTF-8.
func decodeBytes(enc encoding.Encoding, b []byte) string {
	ascii := true
	for _, x := range b {
		ascii = ascii && x < utf8.RuneSelf
	}
	if ascii || enc == nil {
		return string(b)
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return string(appendLatin1(nil, b)) // these decoders replace what is wrong, so never
	}
	return string(out)
}

// texts is the table of shared strings, in blocks: it never has to be copied to
// grow.
type texts [][]string

const (
	textBlock = 4096
	// maxTexts bounds what the shared strings may take in memory. Each workbook
	// that Excel wrote stays far below.
	maxTexts = 128 << 20
)

// get is a shared string by its index.
func (t texts) get(i uint32) (string, bool) {
	if int64(i/textBlock) >= int64(len(t)) || int(i%textBlock) >= len(t[i/textBlock]) {
		return "", false
	}
	return t[i/textBlock][i%textBlock], true
}

func (t *texts) add(s string) {
	if n := len(*t); n == 0 || len((*t)[n-1]) == textBlock {
		*t = append(*t, make([]string, 0, textBlock))
	}
	last := &(*t)[len(*t)-1]
	*last = append(*last, s)
}

// readTexts reads the SST record to the end of its CONTINUE records: the number
// of strings that it announces is wrong in too many files.
func readTexts(sc *scanner, data []byte) (texts, error) {
	c := &cursor{sc: sc, data: data}
	c.skip(8)
	var (
		list  texts
		chunk []byte // strings are cut out of larger ones: fewer objects to keep
		ends  []int
		total int
	)
	flush := func() {
		all := string(chunk)
		from := 0
		for _, e := range ends {
			list.add(all[from:e])
			from = e
		}
		chunk, ends = chunk[:0], ends[:0]
	}
	for len(c.data) > 0 || c.more() {
		n := int(c.u16())
		before := len(chunk)
		chunk = c.unicode(chunk, n)
		if c.err != nil {
			return nil, c.err
		}
		if c.short { // the table is cut off within this string
			chunk = chunk[:before]
			break
		}
		ends = append(ends, len(chunk))
		if total += len(chunk) - before + 16; total > maxTexts {
			return nil, tooLarge("its texts take more than 128 MB")
		}
		if len(chunk) >= 64<<10 || len(ends) >= textBlock {
			flush()
		}
	}
	flush()
	return list, c.err
}
