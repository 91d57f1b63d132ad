package blank

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dropload/dropload/internal/entity"
)

//go:embed words.json
var wordsJSON []byte

// words are the sentences of one language.
type words struct {
	Policies  map[entity.Policy]string `json:"policies"`
	Types     map[entity.Type]string   `json:"types"`
	Key       string                   `json:"key"`
	Required  string                   `json:"required"`
	EveryRow  string                   `json:"every_row"`
	OneOf     string                   `json:"one_of"`
	Wanted    string                   `json:"wanted"`
	Generated string                   `json:"generated"`
	Unique    string                   `json:"unique"`
	List      string                   `json:"list"`
	MaxLength string                   `json:"max_length"`
	Yes       string                   `json:"yes"`
	No        string                   `json:"no"`

	Heading string `json:"heading"`
	Intro   string `json:"intro"`

	Field  string `json:"field"`
	Title  string `json:"title"`
	Type   string `json:"type"`
	Policy string `json:"policy"`
	Note   string `json:"note"`
}

// wordsOf are the sentences in a language, in English where it is not spoken.
func wordsOf(lang string) (words, error) {
	all := map[string]words{}
	if err := json.Unmarshal(wordsJSON, &all); err != nil {
		return words{}, fmt.Errorf("blank: words.json: %w", err)
	}
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	if w, ok := all[lang]; ok {
		return w, nil
	}
	return all["en"], nil
}

// note says all that a person must know to fill in a field.
func (w *words) note(c *entity.Catalog, def *entity.Definition, f *entity.Field, lang string) string {
	var lines []string
	add := func(when bool, line string) {
		if when && line != "" {
			lines = append(lines, line)
		}
	}
	hint := w.Types[f.Type]
	switch f.Type {
	case entity.Choice:
		hint = fmt.Sprintf(hint, strings.Join(choices(f, lang), ", "))
	case entity.Ref:
		var to []string
		for _, name := range f.Ref.To {
			title := name
			if target, ok := c.Entity(name); ok {
				title = target.Title(lang)
			}
			to = append(to, title)
		}
		hint = fmt.Sprintf(hint, strings.Join(to, ", "))
	}
	add(true, hint)
	add(f.Key, w.Key)
	switch {
	case f.EveryRow:
		add(true, w.EveryRow)
	case f.Required || f.Key && !f.Generated:
		add(true, w.Required)
	}
	for _, group := range def.RequireAny {
		var titles []string
		named := false
		for _, name := range group {
			named = named || name == f.Name
			if _, other := def.Field(name); other != nil {
				titles = append(titles, other.Title(lang))
			}
		}
		add(named, fmt.Sprintf(w.OneOf, strings.Join(titles, ", ")))
	}
	add(f.Wanted, w.Wanted)
	add(f.Generated, w.Generated)
	add(f.Unique && !f.Key, w.Unique)
	add(f.List && f.Type != entity.Address, w.List)
	if f.MaxLength > 0 {
		add(true, fmt.Sprintf(w.MaxLength, f.MaxLength))
	}
	add(!f.Key, w.Policies[f.Policy])
	return strings.Join(lines, "\n")
}

// choices are the values of a choice as people read them.
func choices(f *entity.Field, lang string) []string {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	titles := make([]string, len(f.Choices))
	for i, c := range f.Choices {
		titles[i] = c.Value
		if t := c.Titles[lang]; t != "" {
			titles[i] = t
		} else if t := c.Titles["en"]; t != "" {
			titles[i] = t
		}
	}
	return titles
}
