package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/report/columns"
)

// foldHeader is the compared form of a header: words of letters and digits
// without case and accents, one blank between. Signs that are words are kept as
// words ("#" is a number).
func foldHeader(h string) string {
	h = entity.FoldName(h)
	var b strings.Builder
	b.Grow(len(h))
	gap := false
	for _, r := range h {
		if r == '#' || r == '№' {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString("no")
			gap = true
			continue
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Fingerprint tells headers of the same columns by one word, whatever their
// order, letter case, accents and decoration: marks of required columns, notes
// in brackets, units, the numbers that programs put behind repeated names. The
// columns that a report adds and nameless ones do not count. A header without
// any name has none: "".
func Fingerprint(headers []string) string {
	headers = headers[:len(headers)-columns.Recognise(headers)]
	var names []string
	for _, h := range headers {
		plain := foldHeader(undecorated(h))
		if plain == "" {
			plain = foldHeader(h)
		}
		if plain != "" {
			names = append(names, plain)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// undecorated takes notes in brackets off a header.
func undecorated(h string) string {
	var b strings.Builder
	depth := 0
	for _, r := range h {
		switch r {
		case '(', '[', '{', '<':
			depth++
			b.WriteByte(' ')
		case ')', ']', '}', '>':
			depth = max(0, depth-1)
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// standardNames are the folded standard names of an entity's columns: names
// and titles in every language.
func standardNames(def *entity.Definition) map[string]string {
	names := map[string]string{}
	add := func(name, field string) {
		if folded := foldHeader(name); folded != "" {
			if _, taken := names[folded]; !taken {
				names[folded] = field
			}
		}
	}
	for _, field := range Fields(def) {
		add(field, field)
	}
	for _, lang := range entity.Languages() {
		for i := range def.Fields {
			f := &def.Fields[i]
			add(f.Title(lang), f.Name)
			if f.Type != entity.Address {
				continue
			}
			for _, part := range entity.AddressParts() {
				add(AddressTitle("", part, lang), f.Name+"."+part)
				for _, kind := range entity.AddressKinds() {
					add(AddressTitle(kind, part, lang), f.Name+"."+kind+"."+part)
				}
			}
		}
		for _, s := range def.Splits {
			add(s.Titles[lang], s.Name)
		}
	}
	return names
}
