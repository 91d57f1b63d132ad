package charset

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"
)

// double is an encoding of characters of mostly two bytes, with the log
// probability of each pair of bytes.
type double struct {
	name  string
	prior float64
	cost  []float32 // by first<<8 | second
	// lead and single tell what a byte beyond ASCII may begin or be alone.
	lead   [256]bool
	single [256]float32
}

// share is a class of characters and the part of a text that it makes up.
type share struct {
	part  float64 // of all characters
	among float64 // characters in the class
}

func (s share) log() float32 { return float32(math.Log(s.part / s.among)) }

// doubles builds the tables once in the life of the program.
var doubles = sync.OnceValue(func() []*double { //nolint:gochecknoglobals // read-only data, built once
	ja, ko := ranks("ja"), ranks("ko")
	hans, hant := ranks("zh-hans"), ranks("zh-hant")
	sjis := newDouble("shift_jis", -1, japanese.ShiftJIS, ja, levelShiftJIS)
	for b := 0xA1; b <= 0xDF; b++ {
		sjis.single[b] = share{1, 63}.log()
		sjis.lead[b] = false
	}
	return []*double{
		sjis,
		newDouble("euc-jp", -2, japanese.EUCJP, ja, levelRows(0xB0, 0xCF, 0xF4)),
		newDouble("euc-kr", -1.5, korean.EUCKR, ko, levelRows(0xB0, 0xC8, 0xFD)),
		newDouble("gb18030", -1, simplifiedchinese.GB18030, hans, levelRows(0xB0, 0xD7, 0xF7)),
		newDouble("johab", -9, readOnly{func() transform.Transformer { return decoderJohab{} }}, ko, levelJohab),
		newDouble("big5", -1.5, traditionalchinese.Big5, hant, levelBig5),
	}
})

// Levels of the ideographs (in Korean: the syllables) of an encoding, which its
// makers sorted by use.
const (
	levelUsual = iota
	levelRare
	levelExtension
)

// levelRows is for the encodings in which both bytes are beyond 0xA0.
func levelRows(first, last, end byte) func(a, b byte) int {
	return func(a, b byte) int {
		switch {
		case b < 0xA1 || a < 0xA1:
			return levelExtension
		case a >= first && a <= last:
			return levelUsual
		case a <= end:
			return levelRare
		}
		return levelExtension
	}
}

func levelShiftJIS(a, _ byte) int {
	switch {
	case a >= 0x88 && a <= 0x97:
		return levelUsual
	case a >= 0x98 && a <= 0xEA:
		return levelRare
	}
	return levelExtension
}

// levelJohab tells syllables from ideographs; it does not know the usual ones
// beyond the list.
func levelJohab(a, _ byte) int {
	if a <= 0xD3 {
		return levelUsual
	}
	return levelRare
}

func levelBig5(a, _ byte) int {
	switch {
	case a >= 0xA4 && a <= 0xC6:
		return levelUsual
	case a >= 0xC9 && a <= 0xF9:
		return levelRare
	}
	return levelExtension
}

// ranks gives the log probability of the characters of a list in which the
// common ones come first, one part of which is kana in a Japanese list.
func ranks(name string) map[rune]float32 {
	weights := map[rune]float64{}
	totals := map[bool]float64{} // by: is kana
	n := map[bool]int{}
	for _, r := range wordList(name) {
		if _, ok := weights[r]; ok || r < 0x80 {
			continue
		}
		kana := isKana(r)
		n[kana]++
		weights[r] = 1 / float64(n[kana]+25)
		totals[kana] += weights[r]
	}
	logs := map[rune]float32{}
	for r, w := range weights {
		part := 0.75
		switch kana := isKana(r); {
		case kana:
			part = 0.55
		case totals[true] > 0:
			part = 0.24
		}
		logs[r] = float32(math.Log(part * w / totals[isKana(r)]))
	}
	return logs
}

func isKana(r rune) bool { return r >= 0x3041 && r <= 0x30FE }

// newDouble decodes every pair of bytes and gives each its probability.
func newDouble(name string, prior float64, enc encoding.Encoding, known map[rune]float32, level func(a, b byte) int) *double {
	d := &double{name: name, prior: prior, cost: make([]float32, 1<<16)}
	for i := range d.cost {
		d.cost[i] = costInvalid
	}
	for i := range d.single {
		d.single[i] = costInvalid
	}
	var pairs []byte
	for a := 0x81; a <= 0xFE; a++ {
		for b := 0x40; b <= 0xFE; b++ {
			pairs = append(pairs, byte(a), byte(b), '\n')
		}
	}
	text, err := enc.NewDecoder().Bytes(pairs)
	if err != nil {
		return d
	}
	i := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if i >= len(pairs) {
			break
		}
		a, b := pairs[i], pairs[i+1]
		i += 3
		if rs := []rune(string(line)); len(rs) == 1 && rs[0] != unicode.ReplacementChar {
			d.cost[int(a)<<8|int(b)] = pairCost(rs[0], known, level(a, b))
			d.lead[a] = true
		}
	}
	return d
}

const (
	usualMarks = "、。，．・：；？！「」（）　ー—…“”《》【】～"
	someMarks  = "『』〈〉‘’／％＋－＝＆＠＃＊￥＄→←↑↓★☆●○◎◆◇■□▲△▼▽※〒①②③④⑤⑥〔〕［］〜‥·"
)

func pairCost(r rune, known map[rune]float32, level int) float32 {
	if p, ok := known[r]; ok {
		return p
	}
	switch {
	case strings.ContainsRune(usualMarks, r):
		return share{0.08, 24}.log()
	case strings.ContainsRune(someMarks, r):
		return share{0.02, 48}.log()
	case r >= 0xFF10 && r <= 0xFF5A: // full-width digits and letters
		return share{0.02, 62}.log()
	case isKana(r):
		return share{0.002, 170}.log()
	case unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hangul, r):
		switch level {
		case levelUsual:
			return share{0.18, 3000}.log()
		case levelRare:
			return share{0.01, 4000}.log()
		}
		return share{0.002, 10000}.log()
	case unicode.Is(unicode.Co, r):
		return -14
	}
	return share{0.002, 600}.log()
}

// costHalfWidth is the log probability of a word in half-width kana.
const costHalfWidth = -4.0

// costBeside is paid where a lower-case letter stands directly beside a wide
// character: initials and abbreviations do (PDF), words hardly ever.
const costBeside = -2.0

// costRun is paid for each run of wide characters: they seldom stand alone.
const costRun = -1.5

// score is the log probability of a token.
func (d *double) score(t token) float64 {
	var sum float64
	const (
		edge  = iota
		small // a lower-case ASCII letter
		wide
	)
	before := edge
	for i := 0; i < len(t.bytes); {
		b := t.bytes[i]
		rest := len(t.bytes) - i
		now := wide
		switch {
		case b < 0x80:
			now = edge
			if b >= 'a' && b <= 'z' {
				now = small
			}
			if b > '9' {
				sum += costASCII
			}
			i++
		case d.lead[b] && rest == 1 && t.cut:
			i++
		case d.lead[b] && rest > 1 && d.cost[int(b)<<8|int(t.bytes[i+1])] > costInvalid:
			sum += float64(d.cost[int(b)<<8|int(t.bytes[i+1])])
			i += 2
		case d.longer(t.bytes[i:]) > 0:
			sum += costInvalid + 2
			i += d.longer(t.bytes[i:])
		default:
			// Half-width kana come in whole words.
			if i == 0 || t.bytes[i-1] < 0xA1 || t.bytes[i-1] > 0xDF {
				sum += costHalfWidth
			}
			sum += float64(d.single[b])
			i++
		}
		if now == wide && before != wide {
			sum += costRun
		}
		if before+now == small+wide {
			sum += costBeside
		}
		before = now
	}
	return sum
}

// longer is the length of a character of three or four bytes, which are rare.
func (d *double) longer(b []byte) int {
	switch {
	case d.name == "gb18030" && len(b) >= 4 && b[0] >= 0x81 && b[0] <= 0xFE && digit(b[1]) && b[2] >= 0x81 && b[2] <= 0xFE && digit(b[3]):
		return 4
	case d.name == "euc-jp" && len(b) >= 3 && b[0] == 0x8F && b[1] >= 0xA1 && b[2] >= 0xA1:
		return 3
	case d.name == "euc-jp" && len(b) >= 2 && b[0] == 0x8E && b[1] >= 0xA1 && b[1] <= 0xDF:
		return 2
	}
	return 0
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
