package mapping

import (
	"strings"
	"unicode/utf8"
)

// reading is what a header may mean: for each concept how sure that is, and
// why.
type reading struct {
	concepts map[string]evidence
	shipping bool // it speaks of a delivery
	billing  bool // it speaks of an invoice
}

type evidence struct {
	score float64
	why   string
}

func (r *reading) add(concept string, score float64, why string) {
	if score > r.concepts[concept].score {
		r.concepts[concept] = evidence{score, why}
	}
}

// The scores of the ways to find a meaning, the surest first. Only what is
// found by looking up whole words may pass the automatic threshold.
const (
	exact      = 1.0
	bracketed  = 0.98 // without notes in brackets
	alternates = 0.95 // one of the names between slashes
	withoutAny = 0.97 // without a word such as "of", "main"
	ownNoun    = 0.96 // without the entity's own name
	whereNoun  = 0.94 // without "work", "private"
	noNumber   = 0.95 // without "number"
	second     = 0.75 // "Phone 2"
	compound   = 0.93 // the head of a compound: "Kundentelefon"
	unlike     = 0.88 // a typing mistake
	contained  = 0.50 // a phrase somewhere in the header; by length up to 0.85
)

// read finds out what a header may mean for an entity. Weight weighs the
// languages, 0.9 to 1.
func (d *dictionary) read(header, entityName string, weight []float64) *reading {
	r := &reading{concepts: map[string]evidence{}}
	plain := d.tokens(undecorated(header))
	all := d.tokens(header)
	for _, t := range all {
		r.shipping = r.shipping || d.noun(t, "shipping") || d.starts(t, "shipping")
		r.billing = r.billing || d.noun(t, "billing") || d.starts(t, "billing")
	}
	d.look(r, all, exact, "the header is a name of this field", weight)
	if len(plain) == 0 {
		plain = all
	}
	d.look(r, plain, bracketed, "the header is a name of this field", weight)
	d.reduce(r, plain, bracketed, entityName, weight)
	if parts := alternatives(header); len(parts) > 1 {
		for _, part := range parts {
			tokens := d.tokens(undecorated(part))
			d.look(r, tokens, alternates, "one of the names in the header", weight)
			d.reduce(r, tokens, alternates*0.97, entityName, weight)
		}
	}
	d.likeness(r, plain, weight)
	return r
}

// starts tells whether a compound begins with a noun of a kind.
func (d *dictionary) starts(word, kind string) bool {
	for end := len(word) - 3; end >= 5; end-- {
		if d.nouns[kind][word[:end]] {
			return true
		}
	}
	return false
}

// look adds the meanings of a whole phrase.
func (d *dictionary) look(r *reading, tokens []string, score float64, why string, weight []float64) {
	for _, m := range d.phrases[strings.Join(tokens, "")] {
		r.add(m.concept, score*weight[m.lang], why)
	}
}

// alternatives are the names between slashes and "or".
func alternatives(header string) []string {
	if len(header) > maxHeader {
		return nil
	}
	parts := strings.FieldsFunc(header, func(r rune) bool { return r == '/' || r == '|' || r == '\n' || r == '\\' || r == '>' || r == ':' })
	var names []string
	for _, p := range parts {
		for name := range strings.SplitSeq(p, " or ") {
			if utf8.RuneCountInString(strings.TrimSpace(name)) > 1 {
				names = append(names, name)
			}
		}
	}
	return names
}

// reduce looks the header up without the words that say little: all the ways
// to take some of them off.
func (d *dictionary) reduce(r *reading, tokens []string, score float64, entityName string, weight []float64) {
	if len(tokens) == 0 {
		return
	}
	type state struct {
		tokens []string
		score  float64
	}
	entityKind := entityName
	if d.nouns[entityKind] == nil {
		entityKind = "lists"
	}
	removers := []struct {
		factor float64
		drop   func(word string, at, of int) bool
	}{
		{withoutAny, func(w string, _, _ int) bool { return d.noun(w, "stop") }},
		{withoutAny, func(w string, _, _ int) bool { return d.noun(w, "any") }},
		{withoutAny, func(w string, _, _ int) bool { return d.noun(w, "billing", "shipping") }},
		{ownNoun, func(w string, _, _ int) bool { return d.noun(w, entityKind) }},
		{whereNoun, func(w string, _, _ int) bool { return d.noun(w, "where") }},
		{noNumber, func(w string, _, _ int) bool { return w == numberSign }},
		{second, func(w string, at, of int) bool { return at == of-1 && len(w) == 1 && w >= "2" && w <= "9" }},
	}
	states := []state{{tokens, score}}
	for _, remover := range removers {
		for _, s := range states {
			kept := make([]string, 0, len(s.tokens))
			for i, t := range s.tokens {
				if !remover.drop(t, i, len(s.tokens)) {
					kept = append(kept, t)
				}
			}
			if len(kept) > 0 && len(kept) < len(s.tokens) {
				states = append(states, state{kept, s.score * remover.factor})
			}
		}
	}
	for _, s := range states {
		d.look(r, s.tokens, s.score, "the header without its lesser words is a name of this field", weight)
		for _, rest := range d.cutNoun(s.tokens[0], entityKind, "any", "where", "billing", "shipping") {
			cut := append(d.tokens(rest), s.tokens[1:]...)
			d.look(r, cut, s.score*compound, "the header ends in a name of this field", weight)
		}
	}
}

// likeness looks for phrases inside the header, and for typing mistakes.
func (d *dictionary) likeness(r *reading, tokens []string, weight []float64) {
	packed := strings.Join(tokens, "")
	if len(packed) < 4 {
		return
	}
	share := func(p string) float64 { return float64(len(p)) / float64(len(packed)) }
	in := map[string]bool{}
	for _, t := range tokens {
		in[t] = true
	}
	for t := range in {
		for _, p := range d.byToken[t] {
			if len(p.packed) >= 3 && len(p.packed) < len(packed) && allIn(p.tokens, in) {
				r.add(p.concept, (contained+0.35*share(p.packed))*weight[p.lang], "a name of this field is in the header")
			}
		}
	}
	for cut := 1; cut < len(packed); cut++ {
		if end := packed[cut:]; len(end) >= 5 {
			for _, m := range d.phrases[end] {
				r.add(m.concept, (contained+0.33*share(end))*weight[m.lang], "the header ends in a name of this field")
			}
		}
		if start := packed[:cut]; len(start) >= 5 {
			for _, m := range d.phrases[start] {
				r.add(m.concept, (contained+0.30*share(start))*weight[m.lang], "the header begins with a name of this field")
			}
		}
	}
	if len(packed) < 5 || len(packed) > mostTyped || r.sure() {
		return
	}
	for length := max(4, len(packed)-2); length <= min(len(packed)+2, len(d.byLength)-1); length++ {
		for _, p := range d.byLength[length] {
			if near(packed, p.packed) {
				r.add(p.concept, unlike*weight[p.lang], "the header is nearly a name of this field")
			}
		}
	}
}

// mostTyped is how long a header is at most that is tried for typing mistakes.
const mostTyped = 40

// sure tells whether some meaning is beyond doubt.
func (r *reading) sure() bool {
	for _, e := range r.concepts {
		if e.score >= unlike {
			return true
		}
	}
	return false
}

func allIn(tokens []string, in map[string]bool) bool {
	for _, t := range tokens {
		if !in[t] {
			return false
		}
	}
	return true
}

// near tells whether one change makes one text of the other (two from ten
// letters on): a letter more, less, other, or two exchanged.
func near(a, b string) bool {
	most := 1
	if len(a) >= 10 && len(b) >= 10 {
		most = 2
	}
	if a == b {
		return false
	}
	if d := len(a) - len(b); d > most || d < -most || a[0] != b[0] && a[len(a)-1] != b[len(b)-1] {
		return false
	}
	return distance(a, b) <= most
}

// distance is the number of changes between two texts, exchanged neighbours
// counting as one. Both have at most mostTyped+2 bytes.
func distance(a, b string) int {
	var rows [3][mostTyped + 3]int
	two, one, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		two, one, now = one, now, two
	}
	return one[len(b)]
}

// weights are how much each language counts in a file: where a header means
// different things in two languages, the one that speaks through more of the
// other headers wins.
func (d *dictionary) weights(headers []string) []float64 {
	votes := make([]float64, len(d.langs))
	most := 0.0
	for _, h := range headers {
		meanings := d.phrases[strings.Join(d.tokens(undecorated(h)), "")]
		speaks := map[int]bool{}
		for _, m := range meanings {
			speaks[m.lang] = true
		}
		for lang := range speaks {
			votes[lang] += 1 / float64(len(speaks))
			most = max(most, votes[lang])
		}
	}
	weight := make([]float64, len(votes))
	for i, v := range votes {
		weight[i] = 1
		if most > 0 {
			weight[i] = 0.94 + 0.06*v/most
		}
	}
	return weight
}
