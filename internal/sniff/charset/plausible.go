package charset

import (
	"fmt"
	"math"
	"slices"
)

// candidate is an encoding with the log probability of the sample in it.
type candidate struct {
	name  string
	lang  string
	score float64
	prior float64
}

// candidates scores every encoding that the bytes alone do not settle, the best
// first.
func candidates(list []token) []candidate {
	var all []candidate
	for _, s := range singles() {
		score, lang := scoreSingle(s, list)
		all = append(all, candidate{s.name, lang, score, s.prior})
	}
	for _, d := range doubles() {
		sum := d.prior
		for _, t := range list {
			sum += t.weight * d.score(t)
		}
		all = append(all, candidate{d.name, "", sum, d.prior})
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return all
}

// detectPlausible picks the encoding in which the text reads best.
func detectPlausible(head []byte, complete bool) Guess {
	list := tokens(head, complete)
	all := candidates(list)
	best := commonest(all, list)
	margin := math.Inf(1)
	for _, c := range all[1:] {
		if !alike(best.name, c.name, list) {
			margin = best.score - c.score
			break
		}
	}
	g := Guess{Name: best.name, Confidence: min(0.99, 1-0.5*math.Exp(-margin/5))}
	g.Why = fmt.Sprintf("reads best of %d encodings", len(all))
	if best.lang != "" {
		g.Why += ", as language " + best.lang
	}
	return g
}

// commonest picks, among the candidates that read the sample as the best one
// does and hardly worse, the one that is commonest by itself.
func commonest(all []candidate, list []token) candidate {
	const hardly = 3.0
	best := all[0]
	for _, c := range all[1:] {
		if all[0].score-c.score > hardly {
			break
		}
		if c.prior > best.prior && alike(all[0].name, c.name, list) {
			best = c
		}
	}
	return best
}

// alike tells whether two encodings read the sample as the same text.
func alike(a, b string, list []token) bool {
	x, errX := lookup(a)
	y, errY := lookup(b)
	if errX != nil || errY != nil {
		return false
	}
	for _, t := range list {
		p, errP := x.enc.NewDecoder().Bytes(t.bytes)
		q, errQ := y.enc.NewDecoder().Bytes(t.bytes)
		if errP != nil || errQ != nil || string(p) != string(q) {
			return false
		}
	}
	return true
}
