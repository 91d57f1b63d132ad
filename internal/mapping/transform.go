package mapping

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/dropload/dropload/internal/entity"
)

func checkTransforms(all []Transform) error {
	for _, t := range all {
		switch t.Op {
		case Trim, Upper, Lower, Capitalise, Replace, GivenName, FamilyName:
		case Part:
			if t.Separator == "" && t.From == 0 || t.Separator != "" && t.Nth == 0 || t.Length < 0 {
				return fmt.Errorf("mapping: the transform %q needs From, or Separator and Nth", t.Op)
			}
		default:
			return fmt.Errorf("mapping: there is no transform %q", t.Op)
		}
	}
	return nil
}

func (t *Transform) apply(s string) string {
	switch t.Op {
	case Trim:
		return strings.Join(strings.Fields(s), " ")
	case Upper:
		return cases.Upper(language.Und).String(s)
	case Lower:
		return strings.ToLower(s)
	case Capitalise:
		return capitalise(s)
	case Replace:
		if t.Old != "" {
			return strings.ReplaceAll(s, t.Old, t.New)
		}
		if strings.TrimSpace(s) == "" {
			return t.New
		}
	case Part:
		return t.part(s)
	case GivenName:
		given, _ := splitName(s)
		return given
	case FamilyName:
		_, family := splitName(s)
		return family
	}
	return s
}

func capitalise(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	start := true
	for _, r := range s {
		if start {
			r = unicode.ToTitle(r)
		} else {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
		start = !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	}
	return b.String()
}

// part cuts a text out; nothing where there is no such part.
func (t *Transform) part(s string) string {
	if t.Separator != "" {
		parts := strings.Split(s, t.Separator)
		at := t.Nth - 1
		if t.Nth < 0 {
			at = len(parts) + t.Nth
		}
		if at < 0 || at >= len(parts) {
			return ""
		}
		return strings.TrimSpace(parts[at])
	}
	runes := []rune(s)
	from := t.From - 1
	if t.From < 0 {
		from = max(0, len(runes)+t.From)
	}
	if from >= len(runes) {
		return ""
	}
	end := len(runes)
	if t.Length > 0 {
		end = min(end, from+t.Length)
	}
	return string(runes[from:end])
}

// splitName splits a full name: at a comma the family name comes first; else
// the last word is the family name, with the small words before it that belong
// to it (van der, von, de la) and what follows it (Jr., III).
func splitName(s string) (given, family string) {
	if before, after, ok := strings.Cut(s, ","); ok && !isSuffix(after) {
		return strings.Join(strings.Fields(after), " "), strings.Join(strings.Fields(before), " ")
	}
	words := strings.Fields(s)
	if len(words) < 2 {
		return strings.Join(words, ""), ""
	}
	at := len(words) - 1
	for at > 1 && isSuffix(words[at]) {
		at--
	}
	for at > 1 && isParticle(words[at-1]) {
		at--
	}
	return strings.Join(words[:at], " "), strings.Join(words[at:], " ")
}

func isSuffix(word string) bool {
	switch strings.Trim(entity.FoldName(word), ". ") {
	case "jr", "sr", "ii", "iii", "iv", "phd", "md", "mba":
		return true
	}
	return false
}

// isParticle tells whether a word belongs to the family name behind it. A
// capital makes it a name of its own in most languages, but not the Dutch "Van
// Dijk", so letter case does not count.
func isParticle(word string) bool {
	if utf8.RuneCountInString(word) > 4 {
		return false
	}
	switch entity.FoldName(word) {
	case "van", "von", "vom", "zu", "zum", "zur", "de", "del", "der", "den", "des", "di", "da", "dos", "das", "do", "du",
		"la", "le", "las", "los", "el", "al", "af", "av", "ten", "ter", "te", "'t", "bin", "ibn", "san", "st.", "y", "e":
		return true
	}
	return false
}
