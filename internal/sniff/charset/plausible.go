package charset

import (
	"bytes"
	"cmp"
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
// first. A part of a long list decides which ones are worth scoring on all of
// it; the others stay as far behind as they were.
func candidates(list []token) []candidate {
	const (
		part   = 150
		beyond = 100.0
	)
	all := make([]candidate, 0, len(pages())+len(doubles()))
	for i := range cap(all) {
		all = append(all, scored(i, list[:min(len(list), part)]))
	}
	if len(list) > part {
		lead := slices.MaxFunc(all, byScore).score
		top := math.Inf(-1)
		var behind []int
		for i, c := range all {
			if lead-c.score > beyond {
				behind = append(behind, i)
				continue
			}
			all[i] = scored(i, list)
			top = max(top, all[i].score)
		}
		for _, i := range behind {
			all[i].score += top - lead
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return byScore(b, a) })
	return all
}

func byScore(a, b candidate) int { return cmp.Compare(a.score, b.score) }

// scored is one encoding, counted through pages and then doubles.
func scored(i int, list []token) candidate {
	if i < len(pages()) {
		p := pages()[i]
		score, lang := p.best(list)
		return candidate{p.name, lang, score, p.prior}
	}
	d := doubles()[i-len(pages())]
	sum := d.prior
	for _, t := range list {
		sum += t.weight * d.score(t)
	}
	return candidate{d.name, "", sum, d.prior}
}

// detectPlausible picks the encoding in which the text reads best.
func detectPlausible(head []byte, complete bool) Guess {
	list := tokens(head, complete)
	if len(list) == 0 {
		return Guess{Name: "windows-1252", Confidence: 0.2, Why: "not UTF-8, and no word to judge by"}
	}
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
	g.Why = fmt.Sprintf("of %d encodings the one in which %d words read best", len(all), len(list))
	if best.lang != "" {
		g.Why += ", as language " + best.lang
	}
	var size float64
	for _, t := range list {
		size += t.weight * float64(len(t.bytes))
	}
	// Text read rightly costs about 3 a byte in any language known here; where
	// the best costs much more, none may be right.
	const poor = -4.2
	if best.score-best.prior < poor*size {
		g.Confidence = min(g.Confidence, 0.5)
		g.Why += ", though in none they read well"
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
		if errP != nil || errQ != nil || !bytes.Equal(p, q) {
			return false
		}
	}
	return true
}
