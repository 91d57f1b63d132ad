package charset

import (
	"math"
	"sync"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// single is an encoding of one byte a character that Detect may name. Left out
// are those whose text another one reads alike (iso-8859-1, -8 and -9 are parts
// of windows-1252, -1255 and -1254) and those that files hardly ever have.
type single struct {
	name string
	enc  *charmap.Charmap
	// prior is the log of how common the encoding is beside windows-1252.
	prior float64
}

func singles() []single {
	return []single{
		{"windows-1252", charmap.Windows1252, 0},
		{"windows-1250", charmap.Windows1250, -1},
		{"windows-1251", charmap.Windows1251, -1},
		{"windows-1253", charmap.Windows1253, -1.5},
		{"windows-1254", charmap.Windows1254, -1.5},
		{"windows-1255", charmap.Windows1255, -1.5},
		{"windows-1256", charmap.Windows1256, -1.5},
		{"windows-1257", charmap.Windows1257, -1.5},
		{"windows-1258", charmap.Windows1258, -3},
		{"windows-874", charmap.Windows874, -1.5},
		{"iso-8859-2", charmap.ISO8859_2, -2},
		{"iso-8859-15", charmap.ISO8859_15, -3},
		{"iso-8859-4", charmap.ISO8859_4, -4},
		{"iso-8859-13", charmap.ISO8859_13, -3},
		{"iso-8859-5", charmap.ISO8859_5, -3},
		{"iso-8859-6", charmap.ISO8859_6, -3},
		{"iso-8859-7", charmap.ISO8859_7, -2.5},
		{"koi8-r", charmap.KOI8R, -2},
		{"koi8-u", charmap.KOI8U, -2.5},
		{"macintosh", charmap.Macintosh, -3},
		{"x-mac-cyrillic", charmap.MacintoshCyrillic, -4},
		{"ibm866", charmap.CodePage866, -2.5},
		{"ibm855", charmap.CodePage855, -5},
		{"ibm850", charmap.CodePage850, -4},
		{"ibm437", charmap.CodePage437, -5},
		{"ibm852", charmap.CodePage852, -4},
		{"ibm858", charmap.CodePage858, -6},
		{"ibm862", charmap.CodePage862, -5},
		{"ibm865", charmap.CodePage865, -6},
	}
}

// What a byte is to a language. The numbers below are its letters.
const (
	kindEdge    = 0   // ASCII that is no letter
	kindForeign = 251 // a letter of the script that the language does not use
	kindASCII   = 252 // an ASCII letter in a language of another script
	kindOther   = 253 // a letter of another script
	kindSymbol  = 254 // beyond ASCII and no letter
	lastLetter  = 250
)

// Log probabilities that need no language.
const (
	costForeign = -9.0
	costOther   = -11.0
	costASCII   = -3.3 // a little more than in a language that has it
	costMixed   = -6.0 // two scripts side by side in one word
	costInvalid = -16.0
	otherTongue = -3.0 // a word of another language of the same encoding
)

// page is what the bytes of an encoding are, whatever the language.
type page struct {
	single
	runes [256]rune
	// upper and lower tell the letter case; neither where there is none.
	upper, lower [256]bool
	symbol       [256]symbol
	views        []*view
}

// view is one encoding read as one language.
type view struct {
	*page
	lang *language
	kind [256]uint8
}

// pages prepares all encodings, each with the languages whose letters it has,
// once in the life of the program.
var pages = sync.OnceValue(func() []*page { //nolint:gochecknoglobals // read-only data, built once
	var all []*page
	for _, s := range singles() {
		p := &page{single: s}
		for i := range 256 {
			b := byte(i)
			r := s.enc.DecodeByte(b)
			p.runes[b] = r
			p.upper[b], p.lower[b] = unicode.IsUpper(r), unicode.IsLower(r)
			if b >= 0x80 && !letterOf(r) {
				p.symbol[b] = symbolOf(r)
			}
		}
		for _, l := range languages() {
			if l.fits(s.enc) {
				p.views = append(p.views, newView(p, l))
			}
		}
		all = append(all, p)
	}
	return all
})

func newView(p *page, l *language) *view {
	v := &view{page: p, lang: l}
	for b, r := range &p.runes {
		index, known := l.letters[unicode.ToLower(r)]
		switch {
		case known:
			v.kind[b] = index
		case b < 0x80 && unicode.IsLetter(r):
			v.kind[b] = kindASCII
		case b < 0x80:
			v.kind[b] = kindEdge
		case letterOf(r):
			v.kind[b] = kindOther
			if unicode.Is(unicode.Latin, r) == l.latin {
				v.kind[b] = kindForeign
			}
		default:
			v.kind[b] = kindSymbol
		}
	}
	return v
}

// letterOf excludes the ordinal, micro and florin signs, which Unicode calls
// letters and people use as symbols.
func letterOf(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsMark(r)) && r != 'ª' && r != 'º' && r != 'µ' && r != 'ƒ' && r != 'ˆ' && r != 'ˇ'
}

// score is the log probability of a token.
func (v *view) score(t []byte) float64 {
	const (
		start = iota
		lower
		oneUpper
		allUpper
	)
	var (
		sum    float64
		p2, p1 uint8
		before = uint8(kindEdge)
		state  = start
	)
	for i, b := range t {
		k := v.kind[b]
		if k == kindSymbol {
			s := v.symbol[b]
			sum += s.cost
			if before != kindEdge && before != kindSymbol {
				sum += s.afterLetter
			}
			if i+1 < len(t) && v.kind[t[i+1]] != kindEdge && v.kind[t[i+1]] != kindSymbol {
				sum += s.beforeLetter
			}
		}
		if k == kindEdge || k == kindSymbol {
			if p1 != 0 {
				sum += v.lang.after(p2, p1, 0)
			}
			p2, p1, state, before = 0, 0, start, k
			continue
		}
		switch {
		case v.upper[b]:
			switch state {
			case start:
				sum, state = sum-1.1, oneUpper
			case lower:
				sum, state = sum-5.5, oneUpper
			case oneUpper:
				sum, state = sum-1.4, allUpper
			}
		case v.lower[b]:
			switch state {
			case start:
				sum -= 0.4
			case oneUpper:
				sum -= 0.3
			case allUpper:
				sum -= 3.5
			}
			state = lower
		}
		switch k {
		case kindForeign:
			sum += costForeign
			p2, p1 = 0, 0
		case kindOther:
			sum += costOther
			p2, p1 = 0, 0
		case kindASCII:
			sum += costASCII
			if before != kindEdge && before != kindSymbol && before != kindASCII {
				sum += costMixed
			}
			p2, p1 = 0, 0
		default:
			if before == kindASCII {
				sum += costMixed
			}
			sum += v.lang.after(p2, p1, k)
			p2, p1 = p1, k
		}
		before = k
	}
	if p1 != 0 {
		sum += v.lang.after(p2, p1, 0)
	}
	return sum
}

// best is the log probability of all tokens in the language that fits best,
// where a word may be of another language of the same encoding.
func (p *page) best(list []token) (float64, string) {
	costs := make([]float64, len(p.views)*len(list))
	cheapest := make([]float64, len(list))
	for i, v := range p.views {
		for j, t := range list {
			c := v.score(t.bytes)
			costs[i*len(list)+j] = c
			if i == 0 || c > cheapest[j] {
				cheapest[j] = c
			}
		}
	}
	top, name := math.Inf(-1), ""
	for i, v := range p.views {
		var sum float64
		for j, t := range list {
			sum += t.weight * max(costs[i*len(list)+j], cheapest[j]+otherTongue)
		}
		if sum > top {
			top, name = sum, v.lang.name
		}
	}
	return top + p.prior, name
}
