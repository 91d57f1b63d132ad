// Package charset finds out in which encoding a text is written, and turns it
// into UTF-8 and back.
//
// Only the decoded text counts: of two encodings that read the bytes as the
// same text, Detect names the wider one (windows-1252 for iso-8859-1, gb18030
// for gb2312). Whatever the bytes are, nothing here panics; a decoder replaces
// what is invalid by U+FFFD and counts it, an encoder refuses what the encoding
// cannot hold. Markup and declared names are not believed: a file often says
// one thing and is another.
package charset

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// UTF8 is the name of UTF-8, which every text can be written in.
const UTF8 = "utf-8"

// BOM is the byte order mark as a character. Written first to an encoder of
// UTF-8, UTF-16 or UTF-32 it becomes that encoding's mark; the others cannot
// hold it.
const BOM = "\uFEFF"

// ErrUnknown says that a name is not one of Names.
var ErrUnknown = errors.New("unknown encoding")

// ErrCannotEncode says that a text has a character which the encoding lacks, or
// that the encoding is only read, never written.
var ErrCannotEncode = errors.New("the encoding cannot hold the text")

// table is one encoding: how it is read, and whether a byte below 0x80 is that
// ASCII character wherever it stands.
type table struct {
	name  string
	enc   encoding.Encoding
	ascii bool
}

// tables lists what can be read, the commonest first. utf-8 has no Encoding: it
// is copied.
func tables() []table {
	le, be := unicode.LittleEndian, unicode.BigEndian
	return []table{
		{UTF8, nil, true},
		{"utf-16le", unicode.UTF16(le, unicode.IgnoreBOM), false},
		{"utf-16be", unicode.UTF16(be, unicode.IgnoreBOM), false},
		{"utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), false},
		{"utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), false},
		{"windows-1252", charmap.Windows1252, true},
		{"windows-1250", charmap.Windows1250, true},
		{"windows-1251", charmap.Windows1251, true},
		{"windows-1253", charmap.Windows1253, true},
		{"windows-1254", charmap.Windows1254, true},
		{"windows-1255", charmap.Windows1255, true},
		{"windows-1256", charmap.Windows1256, true},
		{"windows-1257", charmap.Windows1257, true},
		{"windows-1258", charmap.Windows1258, true},
		{"windows-874", charmap.Windows874, true},
		{"iso-8859-1", charmap.ISO8859_1, true},
		{"iso-8859-2", charmap.ISO8859_2, true},
		{"iso-8859-3", charmap.ISO8859_3, true},
		{"iso-8859-4", charmap.ISO8859_4, true},
		{"iso-8859-5", charmap.ISO8859_5, true},
		{"iso-8859-6", charmap.ISO8859_6, true},
		{"iso-8859-7", charmap.ISO8859_7, true},
		{"iso-8859-8", charmap.ISO8859_8, true},
		{"iso-8859-9", charmap.ISO8859_9, true},
		{"iso-8859-10", charmap.ISO8859_10, true},
		{"iso-8859-13", charmap.ISO8859_13, true},
		{"iso-8859-14", charmap.ISO8859_14, true},
		{"iso-8859-15", charmap.ISO8859_15, true},
		{"iso-8859-16", charmap.ISO8859_16, true},
		{"koi8-r", charmap.KOI8R, true},
		{"koi8-u", charmap.KOI8U, true},
		{"macintosh", charmap.Macintosh, true},
		{"x-mac-cyrillic", charmap.MacintoshCyrillic, true},
		{"ibm437", charmap.CodePage437, true},
		{"ibm850", charmap.CodePage850, true},
		{"ibm852", charmap.CodePage852, true},
		{"ibm855", charmap.CodePage855, true},
		{"ibm858", charmap.CodePage858, true},
		{"ibm862", charmap.CodePage862, true},
		{"ibm865", charmap.CodePage865, true},
		{"ibm866", charmap.CodePage866, true},
		{"shift_jis", japanese.ShiftJIS, false},
		{"euc-jp", japanese.EUCJP, true},
		{"iso-2022-jp", japanese.ISO2022JP, false},
		{"euc-kr", korean.EUCKR, false},
		{"gb18030", simplifiedchinese.GB18030, false},
		{"gbk", simplifiedchinese.GBK, false},
		{"hz-gb-2312", simplifiedchinese.HZGB2312, false},
		{"big5", traditionalchinese.Big5, false},
		{"iso-2022-kr", readOnly{func() transform.Transformer { return &decoder2022KR{} }}, false},
		{"johab", readOnly{func() transform.Transformer { return decoderJohab{} }}, false},
	}
}

// aliases are names that other programs and people use for the same encodings.
func aliases() map[string]string {
	return map[string]string{
		"utf8": UTF8, "utf-8-sig": UTF8, "ascii": UTF8, "us-ascii": UTF8,
		"utf-16": "utf-16le", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be",
		"utf-32": "utf-32le", "utf-32-le": "utf-32le", "utf-32-be": "utf-32be",
		"latin1": "iso-8859-1", "latin-1": "iso-8859-1", "ansi": "windows-1252",
		"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252",
		"cp1253": "windows-1253", "cp1254": "windows-1254", "cp1255": "windows-1255",
		"cp1256": "windows-1256", "cp1257": "windows-1257", "cp1258": "windows-1258",
		"cp874": "windows-874", "tis-620": "windows-874", "iso-8859-11": "windows-874",
		"iso-8859-8-i": "iso-8859-8", "mac-roman": "macintosh", "macroman": "macintosh",
		"mac-cyrillic": "x-mac-cyrillic", "maccyrillic": "x-mac-cyrillic",
		"cp437": "ibm437", "cp850": "ibm850", "cp852": "ibm852", "cp855": "ibm855",
		"cp858": "ibm858", "cp862": "ibm862", "cp865": "ibm865", "cp866": "ibm866",
		"sjis": "shift_jis", "shift-jis": "shift_jis", "cp932": "shift_jis", "windows-31j": "shift_jis",
		"cp949": "euc-kr", "uhc": "euc-kr", "ks_c_5601-1987": "euc-kr", "windows-949": "euc-kr",
		"gb2312": "gbk", "cp936": "gbk", "big5-hkscs": "big5", "cp950": "big5",
	}
}

// encodings holds the tables by name and alias.
var encodings = sync.OnceValue(func() map[string]table { //nolint:gochecknoglobals // read-only data, built once
	byName := map[string]table{}
	for _, t := range tables() {
		byName[t.name] = t
	}
	for alias, name := range aliases() {
		byName[alias] = byName[name]
	}
	return byName
})

// lookup returns the encoding of that name or alias, in any letter case, or
// ErrUnknown.
func lookup(name string) (table, error) {
	t, ok := encodings()[strings.ToLower(strings.TrimSpace(name))]
	if !ok {
		return table{}, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	return t, nil
}

// Names lists the encodings that can be read, in lower case, the commonest
// first.
func Names() []string {
	all := tables()
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.name
	}
	return names
}

// ASCIICompatible tells whether in that encoding every byte below 0x80 is that
// ASCII character wherever it stands, so that the bytes may be cut at line ends
// and delimiters without decoding. It is false for UTF-16 and UTF-32, for
// encodings whose longer characters may end in such a byte (Shift JIS, Big5,
// GB18030, CP949) or that switch by escape sequences, and for unknown names.
func ASCIICompatible(name string) bool {
	t, err := lookup(name)
	return err == nil && t.ascii
}
