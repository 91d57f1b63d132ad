package value

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

//go:embed words.json
var files embed.FS

// vocabulary holds words by language.
type vocabulary struct {
	True       []string            `json:"true"`
	False      []string            `json:"false"`
	Months     map[string][]string `json:"months"` // twelve of each language, alternatives split by |
	Countries  map[string]string   `json:"countries"`
	Currencies map[string]string   `json:"currencies"`
}

func loadVocabulary() (*vocabulary, error) {
	data, err := files.ReadFile("words.json")
	if err != nil {
		return nil, err
	}
	v := &vocabulary{}
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("value: words.json: %w", err)
	}
	return v, nil
}

func (v *vocabulary) booleans() map[string]string {
	words := map[string]string{}
	for _, w := range v.True {
		words[entity.FoldName(w)] = "true"
	}
	for _, w := range v.False {
		words[entity.FoldName(w)] = "false"
	}
	return words
}

// months are the folded names of months, those of the language first.
func (v *vocabulary) months(lang string) map[string]int {
	words := map[string]int{}
	for _, l := range languagesFrom(lang) {
		for i, names := range v.Months[l] {
			for name := range strings.SplitSeq(names, "|") {
				if _, taken := words[entity.FoldName(name)]; !taken {
					words[entity.FoldName(name)] = i + 1
				}
			}
		}
	}
	return words
}

// languagesFrom are all languages, the one given first.
func languagesFrom(lang string) []string {
	all := entity.Languages()
	if i := slices.Index(all, lang); i > 0 {
		return append([]string{lang}, slices.Delete(all, i, i+1)...)
	}
	return all
}

// choiceWords are the folded ways to write each value of a choice. Where two
// languages mean different values by one word, the given language wins.
func choiceWords(f *entity.Field, lang string) map[string]string {
	words := map[string]string{}
	add := func(word, value string) {
		if folded := entity.FoldName(word); folded != "" {
			if _, taken := words[folded]; !taken {
				words[folded] = value
			}
		}
	}
	for _, ch := range f.Choices {
		add(ch.Value, ch.Value)
	}
	for _, l := range languagesFrom(lang) {
		for _, ch := range f.Choices {
			add(ch.Titles[l], ch.Value)
			for _, s := range ch.Synonyms[l] {
				add(s, ch.Value)
			}
		}
	}
	return words
}

func (c *Converter) boolean(index int, cell record.Cell) (string, Wrong) {
	switch cell.Kind {
	case record.Bool, record.Number:
		switch cell.Number {
		case 0:
			return "false", Wrong{}
		case 1:
			return "true", Wrong{}
		}
	}
	text := asSeen(cell)
	if value, ok := c.words[index][entity.FoldName(text)]; ok {
		return value, Wrong{}
	}
	return "", wrong("boolean_unknown", shown(text))
}

func (c *Converter) choice(index int, f *entity.Field, cell record.Cell) (string, Wrong) {
	text := asSeen(cell)
	folded := entity.FoldName(text)
	if value, ok := c.words[index][folded]; ok {
		return value, Wrong{}
	}
	if value, ok := c.words[index][strings.Trim(folded, ". ")]; ok {
		return value, Wrong{}
	}
	allowed := make([]string, len(f.Choices))
	for i, ch := range f.Choices {
		allowed[i] = ch.Value
	}
	return "", wrong("choice_unknown", shown(text), strings.Join(allowed, ", "))
}

func (c *Converter) currency(s string) (string, Wrong) {
	if len(s) == 3 {
		upper := strings.ToUpper(s)
		if _, err := currency.ParseISO(upper); err == nil {
			return upper, Wrong{}
		}
	}
	for _, own := range c.options.Currencies {
		if strings.EqualFold(own, s) {
			return own, Wrong{}
		}
	}
	if code, ok := c.names().currencies[entity.FoldName(s)]; ok {
		return code, Wrong{}
	}
	return "", wrong("currency_unknown", shown(s))
}

// names are the folded names of countries, languages and currencies.
type names struct {
	countries, languages, currencies map[string]string
}

// loadNames reads the names from the languages' dictionaries. It is slow, so a
// converter does it when the first such name comes.
func loadNames() *names {
	n := &names{countries: map[string]string{}, languages: map[string]string{}, currencies: map[string]string{}}
	v, err := loadVocabulary()
	if err != nil {
		panic(err) // New read the same file
	}
	for name, code := range v.Countries {
		n.countries[entity.FoldName(name)] = code
	}
	for name, code := range v.Currencies {
		n.currencies[entity.FoldName(name)] = code
	}
	dictionaries := []*display.Dictionary{display.English, display.German, display.Spanish, display.French, display.Lithuanian}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			n.addCountry(string([]rune{a, b}), dictionaries)
			n.addLanguage(strings.ToLower(string([]rune{a, b})), dictionaries)
		}
	}
	return n
}

func (n *names) addCountry(code string, dictionaries []*display.Dictionary) {
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() || region.String() != code || region.Canonicalize() != region {
		return
	}
	add(n.countries, code, code)
	add(n.countries, region.ISO3(), code)
	for _, d := range dictionaries {
		add(n.countries, d.Regions().Name(region), code)
	}
}

func (n *names) addLanguage(code string, dictionaries []*display.Dictionary) {
	base, err := language.ParseBase(code)
	if err != nil || base.String() != code {
		return
	}
	add(n.languages, code, code)
	add(n.languages, base.ISO3(), code)
	add(n.languages, display.Self.Name(base), code)
	for _, d := range dictionaries {
		add(n.languages, d.Languages().Name(base), code)
	}
}

func add(words map[string]string, name, code string) {
	if folded := entity.FoldName(name); folded != "" {
		if _, taken := words[folded]; !taken {
			words[folded] = code
		}
	}
}

func (n *names) country(s string) (string, Wrong) {
	folded := entity.FoldName(s)
	if code, ok := n.countries[folded]; ok {
		return code, Wrong{}
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.IsPunct(r) {
			return -1
		}
		return r
	}, folded)
	if code, ok := n.countries[strings.TrimPrefix(plain, "the ")]; ok {
		return code, Wrong{}
	}
	return "", wrong("country_unknown", shown(s))
}

// language is a BCP 47 tag: a language, with its region where one is written.
func (n *names) language(s string) (string, Wrong) {
	if code, ok := n.languages[entity.FoldName(s)]; ok {
		return code, Wrong{}
	}
	if tag, err := language.Parse(strings.ReplaceAll(s, "_", "-")); err == nil && len(s) >= 5 && (s[2] == '-' || s[2] == '_') {
		return tag.String(), Wrong{}
	}
	return "", wrong("language_unknown", shown(s))
}
