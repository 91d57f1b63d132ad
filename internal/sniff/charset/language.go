package charset

import (
	"embed"
	"math"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// words holds a list of words, names and places for each language, written for
// this package from general knowledge. A language is added by adding a file and
// its name below.
//
//go:embed words/*.txt
var words embed.FS

// A language tells how probable a letter is after the two before it, learned
// from its word list. Letters are numbered; 0 is the edge of a word.
type language struct {
	name    string
	latin   bool
	letters map[rune]uint8
	size    int
	// pair is the log probability of a letter after another, by first*size+second.
	pair []float32
	// back is what a pair pays for being followed by a third letter that it was
	// never seen with; triple replaces pair and back where it was.
	back   []float32
	triple map[uint32]float32
	// beyond counts how often each letter beyond ASCII was seen.
	beyond map[rune]int
}

// How much the longer context is believed: a context seen as often as this
// counts as much as the shorter one.
const (
	pairDoubt   = 6
	tripleDoubt = 4
)

func languageNames() []string {
	return []string{
		"en", "de", "fr", "es", "pt", "it", "nl", "ca", "sv", "da", "nb", "fi", "is",
		"pl", "cs", "sk", "hu", "ro", "hr", "sq", "tr", "et", "lv", "lt", "vi",
		"ru", "uk", "bg", "sr", "be", "el", "he", "ar", "fa", "th",
	}
}

// languages learns all languages, once in the life of the program.
var languages = sync.OnceValue(func() []*language { //nolint:gochecknoglobals // read-only data, built once
	var all []*language
	for _, n := range languageNames() {
		all = append(all, learn(n, wordList(n)))
	}
	return all
})

// wordList reads an embedded list; the names are the package's own, so a list
// that is missing is empty and TestLanguages says so.
func wordList(name string) string {
	b, _ := words.ReadFile("words/" + name + ".txt")
	return string(b)
}

// learn builds the model of one list. Of a language in Latin letters only the
// words with a letter beyond ASCII teach: the others never come up as tokens.
func learn(name, list string) *language {
	if name == "vi" {
		list = splitTones(list)
	}
	spelled := strings.FieldsFunc(list, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r)
	})
	l := &language{name: name, letters: map[rune]uint8{}, beyond: map[rune]int{}, triple: map[uint32]float32{}}
	ascii, all := 0, 0
	for _, r := range list {
		if unicode.IsLetter(r) {
			all++
			if r < 0x80 {
				ascii++
			}
		}
	}
	l.latin = ascii*3 > all
	if l.latin {
		for r := 'a'; r <= 'z'; r++ {
			l.add(r)
		}
	}
	var taught [][]uint8
	for _, w := range spelled {
		w = strings.ToLower(w)
		if l.latin && name != "en" && isASCII(w) {
			continue
		}
		word := []uint8{0}
		for _, r := range w {
			if !l.latin && r < 0x80 {
				continue
			}
			word = append(word, l.add(r))
			if r >= 0x80 {
				l.beyond[r]++
			}
		}
		taught = append(taught, append(word, 0))
	}
	l.count(taught)
	return l
}

func (l *language) add(r rune) uint8 {
	if i, ok := l.letters[r]; ok {
		return i
	}
	i := uint8(len(l.letters) + 1)
	l.letters[r] = i
	return i
}

// count turns the words into probabilities.
func (l *language) count(taught [][]uint8) {
	n := len(l.letters) + 1
	l.size = n
	single := make([]float64, n)
	pair := make([]float64, n*n)
	context := make([]float64, n*n) // how often a pair was followed by anything
	first := make([]float64, n)
	triple := map[uint32]float64{}
	var total float64
	for _, w := range taught {
		for i := 1; i < len(w); i++ {
			single[w[i]]++
			total++
			pair[int(w[i-1])*n+int(w[i])]++
			first[w[i-1]]++
			if i > 1 {
				context[int(w[i-2])*n+int(w[i-1])]++
				triple[key(w[i-2], w[i-1], w[i])]++
			}
		}
	}
	p2 := make([]float64, n*n)
	l.pair = make([]float32, n*n)
	l.back = make([]float32, n*n)
	for a := range n {
		for b := range n {
			p1 := (single[b] + 0.5) / (total + 0.5*float64(n))
			i := a*n + b
			p2[i] = (pair[i] + pairDoubt*p1) / (first[a] + pairDoubt)
			l.pair[i] = float32(math.Log(p2[i]))
			l.back[i] = float32(math.Log(tripleDoubt / (context[i] + tripleDoubt)))
		}
	}
	for k, c := range triple {
		a, b, e := int(k>>16), int(k>>8&0xFF), int(k&0xFF)
		p := (c + tripleDoubt*p2[b*n+e]) / (context[a*n+b] + tripleDoubt)
		l.triple[k] = float32(math.Log(p))
	}
}

func key(a, b, c uint8) uint32 { return uint32(a)<<16 | uint32(b)<<8 | uint32(c) }

// after is the log probability of c after a and b.
func (l *language) after(a, b, c uint8) float64 {
	if p, ok := l.triple[key(a, b, c)]; ok {
		return float64(p)
	}
	return float64(l.back[int(a)*l.size+int(b)] + l.pair[int(b)*l.size+int(c)])
}

// fits tells whether the encoding has the letters of the language: nearly all
// that were seen.
func (l *language) fits(c *charmap.Charmap) bool {
	have, all := 0, 0
	for r, n := range l.beyond {
		all += n
		if _, ok := c.EncodeRune(r); ok {
			have += n
		}
	}
	return have*100 >= all*97
}

// splitTones writes Vietnamese as windows-1258 does: a vowel with its quality,
// then the tone as a mark of its own where the two are not one character.
func splitTones(s string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		if _, ok := charmap.Windows1258.EncodeRune(r); ok {
			b.WriteRune(r)
			continue
		}
		var vowel, tone []rune
		for _, p := range norm.NFD.String(string(r)) {
			switch p {
			case 0x300, 0x301, 0x303, 0x309, 0x323:
				tone = append(tone, p)
			default:
				vowel = append(vowel, p)
			}
		}
		b.WriteString(norm.NFC.String(string(vowel)))
		b.WriteString(string(tone))
	}
	return b.String()
}

func logOf(x float64) float64 { return math.Log(x) }
