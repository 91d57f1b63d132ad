// Package problem says in words what is wrong with a row and how to put it
// right, in every language of the product.
//
// The texts are data (problems.json): one entry for each code, which is stable
// and listed in docs/problems.md. A text never says more of a row than the
// problem's Args do. A code without an entry is a mistake of ours; it is shown
// as it is rather than lost.
package problem

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dropload/dropload/internal/record"
)

//go:embed problems.json
var data []byte

// Entry is what is said about one code, by language: en, de, es, fr, lt.
type Entry struct {
	// Kind is "row" (it keeps the row out), "notice" (it does not), "file" (the
	// file cannot be imported) or "request" (what was asked for cannot be done;
	// in English only, for the answer carries a message of its own).
	Kind string `json:"kind"`
	// Message says what is wrong; {0}, {1}… are the problem's Args.
	Message map[string]string `json:"message"`
	// Fix says what a person can do.
	Fix map[string]string `json:"fix"`
}

// entries are read once and never changed.
var entries = sync.OnceValue(func() map[string]Entry { //nolint:gochecknoglobals // read-only data, decoded once
	all := map[string]Entry{}
	if err := json.Unmarshal(data, &all); err != nil {
		panic("problem: problems.json: " + err.Error()) // it is compiled in, and a test reads it
	}
	return all
})

// Text is what is wrong and how to fix it, in a language ("de", "de-AT"); in
// English where the language is not spoken.
func Text(lang string, p record.Problem) (message, fix string) {
	e, ok := entries()[p.Code]
	if !ok {
		return p.Code, ""
	}
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	message, fix = e.Message[lang], e.Fix[lang]
	if message == "" {
		message, fix = e.Message["en"], e.Fix["en"]
	}
	return fill(message, p.Args), fill(fix, p.Args)
}

// fill puts the args in their places; a place without one stays empty.
func fill(text string, args []string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, after, closed := strings.Cut(rest, "}")
		n, err := strconv.Atoi(number)
		if !closed || err != nil {
			b.WriteString("{")
			text = rest
			continue
		}
		if n >= 0 && n < len(args) {
			b.WriteString(args[n])
		}
		text = after
	}
}

// Codes are all codes, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(entries())) }

// Find is the entry of a code.
func Find(code string) (Entry, bool) {
	e, ok := entries()[code]
	return e, ok
}
