package mapping

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dropload/dropload/internal/entity"
)

//go:embed knowledge/*.txt
var knowledge embed.FS

// dictionary is what is known of headers in many languages. It is read-only.
type dictionary struct {
	// phrases are the ways to write a concept, by their packed form. The concept
	// "none" is of headers that no entity has a field for.
	phrases map[string][]meaning
	// byToken holds the same by each phrase's first word, byLength by the length
	// of the packed form: for what is looked for by likeness.
	byToken  map[string][]phrase
	byLength [][]phrase
	// nouns are words by what they stand for: an entity's name, "any", "where",
	// "stop", "shipping", "billing".
	nouns map[string]map[string]bool
	langs []string
}

// meaning is one concept that a phrase stands for, in one language.
type meaning struct {
	concept string
	lang    int // position in langs
}

type phrase struct {
	meaning
	packed string
	tokens []string
}

// words is the dictionary, read when it is first asked for.
var words = sync.OnceValue(func() *dictionary { //nolint:gochecknoglobals // read-only data, decoded once
	d, err := loadDictionary()
	if err != nil {
		panic(err) // the files are compiled in, and a test reads them
	}
	return d
})

func loadDictionary() (*dictionary, error) {
	d := &dictionary{phrases: map[string][]meaning{}, nouns: map[string]map[string]bool{}, byToken: map[string][]phrase{}}
	err := eachLine("nouns", func(kind string, forms []string) {
		set := d.nouns[kind]
		if set == nil {
			set = map[string]bool{}
			d.nouns[kind] = set
		}
		for _, form := range forms {
			for _, spelt := range spellings(form) {
				set[strings.ReplaceAll(foldHeader(spelt), " ", "")] = true
			}
		}
	})
	if err != nil {
		return nil, err
	}
	entries, err := knowledge.ReadDir("knowledge")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		lang := strings.TrimSuffix(entry.Name(), ".txt")
		if lang == "nouns" {
			continue
		}
		d.langs = append(d.langs, lang)
		err := eachLine(lang, func(concept string, forms []string) {
			for _, form := range forms {
				for _, spelt := range spellings(form) {
					d.add(concept, len(d.langs)-1, spelt)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *dictionary) add(concept string, lang int, form string) {
	m := meaning{concept: concept, lang: lang}
	tokens := d.tokens(form)
	packed := strings.Join(tokens, "")
	if packed == "" || slices.Contains(d.phrases[packed], m) {
		return
	}
	d.phrases[packed] = append(d.phrases[packed], m)
	p := phrase{m, packed, tokens}
	d.byToken[tokens[0]] = append(d.byToken[tokens[0]], p)
	for len(d.byLength) <= len(packed) {
		d.byLength = append(d.byLength, nil)
	}
	d.byLength[len(packed)] = append(d.byLength[len(packed)], p)
}

// eachLine reads a file of lines "concept: form | form".
func eachLine(name string, line func(head string, forms []string)) error {
	data, err := knowledge.ReadFile("knowledge/" + name + ".txt")
	if err != nil {
		return err
	}
	for text := range strings.Lines(string(data)) {
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		head, rest, ok := strings.Cut(text, ":")
		if !ok {
			return fmt.Errorf("mapping: knowledge/%s.txt: no colon in %q", name, text)
		}
		line(head, strings.Split(rest, "|"))
	}
	return nil
}

// spellings are the ways to write a form where special letters are not at hand:
// ü as ue, å as aa; without accents it folds by itself.
func spellings(form string) []string {
	apart := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "ø", "oe").Replace(form)
	if apart == form {
		return []string{form}
	}
	return []string{form, apart}
}

// maxHeader is how many bytes of a header are read: what is longer is no name.
const maxHeader = 200

// numberSign stands for every word that means "number".
const numberSign = "#"

// tokens are the words of a header in compared form. Words for "number" are one
// sign, also at the end of a compound.
func (d *dictionary) tokens(h string) []string {
	if len(h) > maxHeader {
		h = strings.ToValidUTF8(h[:maxHeader], "")
	}
	tokens := strings.Fields(foldHeader(splitCamel(h)))
	numbers := d.nouns["number"]
	out := make([]string, 0, len(tokens)+1)
	for _, t := range tokens {
		if numbers[t] {
			out = append(out, numberSign)
			continue
		}
		out = append(out, t)
		for _, end := range [...]string{"nummern", "nummer", "numero", "szama", "szam", "numeris", "nr"} {
			if stem, ok := strings.CutSuffix(t, end); ok && len(stem) >= 3 {
				out = append(out[:len(out)-1], stem, numberSign)
				break
			}
		}
	}
	return out
}

// splitCamel puts a blank where a small letter is followed by a capital.
func splitCamel(h string) string {
	var b strings.Builder
	small := false
	for _, r := range h {
		capital := 'A' <= r && r <= 'Z'
		if capital && small {
			b.WriteByte(' ')
		}
		small = 'a' <= r && r <= 'z'
		b.WriteRune(r)
	}
	return b.String()
}

// noun tells whether a word stands for one of the kinds.
func (d *dictionary) noun(word string, kinds ...string) bool {
	for _, kind := range kinds {
		if d.nouns[kind][word] {
			return true
		}
	}
	return false
}

// cutNoun takes the longest noun of the kinds off the beginning of a compound
// word: "kundentelefon" is a telephone. A joining letter may go with it.
func (d *dictionary) cutNoun(word string, kinds ...string) []string {
	for end := len(word) - 3; end >= 3; end-- {
		if !d.noun(word[:end], kinds...) {
			continue
		}
		rests := []string{word[end:]}
		for _, joint := range []string{"en", "n", "s", "e"} {
			if rest, ok := strings.CutPrefix(word[end:], joint); ok && len(rest) > 2 {
				rests = append(rests, rest)
			}
		}
		return rests
	}
	return nil
}

// ownWords are an entity's own names and titles: what a tenant's fields are
// known by, and the standard ones too.
func ownWords(d *dictionary, def *entity.Definition) map[string]string {
	own := map[string]string{}
	for name, field := range standardNames(def) {
		packed := strings.Join(d.tokens(name), "")
		if _, taken := own[packed]; !taken {
			own[packed] = field
		}
	}
	return own
}
