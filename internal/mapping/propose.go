package mapping

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/entity/value"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report/columns"
)

// Automatic is the confidence from which a proposal may be taken without a
// person.
const Automatic = 0.9

// least is the confidence below which nothing is proposed.
const least = 0.5

// mostColumns is how many columns are looked at: no entity has so many fields,
// and the time to assign them grows with the square.
const mostColumns = 300

// Proposal says what a column probably holds.
type Proposal struct {
	Column int `json:"column"` // from 0
	// Field is as in Column.Field; "" where nothing fits.
	Field string `json:"field"`
	// Confidence is from 0 to 1; without a field it is 0.
	Confidence float64 `json:"confidence"`
	// Reason is the evidence, for a person.
	Reason string `json:"reason"`
}

// History is what was mapped before: the template's columns of this tenant and
// entity, the latest first. A column without a field was left out on purpose.
type History []Column

// Propose says for each column which field it probably feeds, no field twice,
// in the order of the columns. Sample are the first data rows as a person sees
// them; it may be nil.
func Propose(def *entity.Definition, headers []string, sample [][]string, history History) []Proposal {
	p := newProposer(def, headers, sample)
	p.learn(history)
	return p.propose()
}

// ProposeAny proposes for the entity that the columns fit best. Lists are left
// out: their columns fit everywhere.
func ProposeAny(catalog *entity.Catalog, headers []string, sample [][]string, history History) (entityName string, best []Proposal) {
	most := -1.0
	for _, def := range catalog.Entities() {
		if def.IsList {
			continue
		}
		proposals := Propose(def, headers, sample, history)
		sum := 0.0
		for _, p := range proposals {
			sum += p.Confidence
		}
		if sum > most+1e-9 {
			most, entityName, best = sum, def.Name, proposals
		}
	}
	return entityName, best
}

type proposer struct {
	def     *entity.Definition
	headers []string
	samples [][]record.Cell // by column
	targets []target
	gain    [][]float64 // by column and target
	why     [][]string
	done    []*Proposal // by column: settled beforehand
}

// target is what a column may be mapped to.
type target struct {
	path  string
	field int // position in Fields; of a split its first field
	part  string
	knows []string
	split bool
}

func newProposer(def *entity.Definition, headers []string, sample [][]string) *proposer {
	p := &proposer{def: def, headers: headers, targets: targetsOf(def), done: make([]*Proposal, len(headers))}
	p.collect(sample)
	for i := len(headers) - columns.Recognise(headers); i < len(headers); i++ {
		p.done[i] = &Proposal{Column: i, Reason: "a column that a report added"}
	}
	for i := mostColumns; i < len(headers); i++ {
		p.done[i] = &Proposal{Column: i, Reason: fmt.Sprintf("only the first %d columns are looked at", mostColumns)}
	}
	d := words()
	own := ownWords(d, def)
	weight := d.weights(headers)
	p.gain = make([][]float64, len(headers))
	p.why = make([][]string, len(headers))
	readings := make([]*reading, len(headers))
	checks := p.newChecks()
	for i, h := range headers {
		p.gain[i] = make([]float64, len(p.targets))
		p.why[i] = make([]string, len(p.targets))
		if p.done[i] != nil {
			continue
		}
		readings[i] = d.read(h, def.Name, weight)
		packed := strings.Join(d.tokens(h), "")
		p.score(i, readings[i], own[packed], checks)
	}
	p.names(readings)
	return p
}

// targetsOf are the targets of an entity; of the address kinds the usual one
// goes by its short path.
func targetsOf(def *entity.Definition) []target {
	var targets []target
	for i := range def.Fields {
		f := &def.Fields[i]
		if f.Type != entity.Address {
			targets = append(targets, target{path: f.Name, field: i, knows: f.Knows})
			continue
		}
		for _, kind := range []string{"", "shipping."} {
			for _, part := range entity.AddressParts() {
				targets = append(targets, target{path: f.Name + "." + kind + part, field: i, part: part, knows: []string{part}})
			}
		}
	}
	for _, s := range def.Splits {
		i, _ := def.Field(s.Into[0])
		targets = append(targets, target{path: s.Name, field: i, knows: s.Knows, split: true})
	}
	return targets
}

// collect turns the sample into columns of cells that are not blank.
func (p *proposer) collect(sample [][]string) {
	const most = 50
	p.samples = make([][]record.Cell, len(p.headers))
	for _, row := range sample {
		for i := range min(len(row), len(p.headers)) {
			if c := (record.Cell{Kind: record.Text, Text: row[i]}); len(p.samples[i]) < most && !c.IsBlank() {
				p.samples[i] = append(p.samples[i], c)
			}
		}
	}
}

// learn takes over what was mapped before under the same header.
func (p *proposer) learn(history History) {
	before := map[string]Column{}
	for _, c := range history {
		if h := foldHeader(c.Header); h != "" && len(c.Join) == 0 {
			if _, known := before[h]; !known {
				before[h] = c
			}
		}
	}
	for i, h := range p.headers {
		c, known := before[foldHeader(h)]
		if !known || p.done[i] != nil {
			continue
		}
		if c.Field == "" {
			p.done[i] = &Proposal{Column: i, Reason: "this column was left out before"}
			continue
		}
		for t := range p.targets {
			if p.targets[t].path == c.Field {
				p.gain[i][t], p.why[i][t] = 1.5, "this column was mapped so before"
			}
		}
	}
}

// score weighs one column for every target.
func (p *proposer) score(i int, r *reading, own string, checks *checks) {
	foreign := 0.0
	known := map[string]bool{}
	for _, t := range p.targets {
		for _, k := range t.knows {
			known[k] = true
		}
	}
	for concept, e := range r.concepts {
		if !known[concept] {
			foreign = max(foreign, e.score)
		}
	}
	for j := range p.targets {
		t := &p.targets[j]
		score, said, why := 0.0, 0.0, ""
		for n, k := range t.knows {
			e := r.concepts[k]
			said = max(said, e.score)
			if e.score*rankWeight(n) > score {
				score, why = e.score*rankWeight(n), e.why
			}
		}
		if strings.Contains(t.path, ".shipping.") != (r.shipping && t.part != "") {
			score *= 0.5
		}
		if own == t.path {
			score, said, why = exact, exact, "the header is the field's own name"
		}
		if foreign >= 0.9 && said < foreign {
			score *= 0.55 // the header means something that this entity has no field for
		}
		p.gain[i][j], p.why[i][j] = checks.weigh(p, i, t, score, why, foreign)
	}
}

// rankWeight is how much a field's n-th concept counts beside its first.
func rankWeight(n int) float64 { return 1 - 0.03*float64(min(n, 5)) }

// names settles the plain "Name" of people: beside a column of given names it
// is the family name, and the other way round.
func (p *proposer) names(readings []*reading) {
	first, last, full := p.target("first_name"), p.target("last_name"), p.target("full_name")
	if first < 0 || last < 0 || full < 0 {
		return
	}
	strong := func(t int) bool {
		return slices.ContainsFunc(p.gain, func(g []float64) bool { return g[t] >= 0.85 })
	}
	hasFirst, hasLast := strong(first), strong(last)
	for i, r := range readings {
		if r == nil || r.concepts["name"].score < 0.9 {
			continue
		}
		t, why := full, "a name that is not said to be given or family name"
		switch {
		case p.gain[i][first] >= 0.85 || p.gain[i][last] >= 0.85:
			continue
		case hasFirst && !hasLast:
			t, why = last, "a name beside a column of given names"
		case hasLast && !hasFirst:
			t, why = first, "a name beside a column of family names"
		}
		if score := 0.93 * r.concepts["name"].score; score > p.gain[i][t] {
			p.gain[i][t], p.why[i][t] = score, why
		}
	}
}

func (p *proposer) target(path string) int {
	return slices.IndexFunc(p.targets, func(t target) bool { return t.path == path })
}

// propose assigns one column to one target so that the whole is surest.
func (p *proposer) propose() []Proposal {
	gain := make([][]float64, min(len(p.headers), mostColumns))
	for i := range gain {
		gain[i] = make([]float64, len(p.targets))
		if p.done[i] != nil {
			continue
		}
		for j, g := range p.gain[i] {
			if g >= least {
				// What is surer by far is not given up for two that are unsure,
				// and of equals the column further left is taken.
				gain[i][j] = g*g*g - 1e-6*float64(i)
			}
		}
	}
	result := make([]Proposal, len(p.headers))
	assigned := assign(gain, len(p.targets))
	for i := range result {
		t := -1
		if i < len(assigned) {
			t = assigned[i]
		}
		switch {
		case p.done[i] != nil:
			result[i] = *p.done[i]
		case t >= 0:
			result[i] = Proposal{Column: i, Field: p.targets[t].path, Confidence: round(min(p.gain[i][t], 1)), Reason: p.why[i][t]}
		default:
			result[i] = Proposal{Column: i, Reason: p.whyNot(i)}
		}
	}
	p.redundant(result)
	return result
}

// redundant asks a person about a full name beside its parts.
func (p *proposer) redundant(result []Proposal) {
	for i := range result {
		s, ok := p.def.Split(result[i].Field)
		if !ok {
			continue
		}
		if slices.ContainsFunc(result, func(q Proposal) bool { return slices.Contains(s.Into, q.Field) }) {
			result[i].Confidence = min(result[i].Confidence, 0.7)
			result[i].Reason += "; its parts have columns of their own"
		}
	}
}

func (p *proposer) whyNot(i int) string {
	best := -1
	for j, g := range p.gain[i] {
		if g >= least && (best < 0 || g > p.gain[i][best]) {
			best = j
		}
	}
	if best < 0 {
		return "no field is like this column"
	}
	return fmt.Sprintf("%s has a column that fits better", p.targets[best].path)
}

func round(f float64) float64 { return math.Round(f*1000) / 1000 }

// checks holds what the values of each column look like.
type checks struct {
	convert *value.Converter
	shares  map[[2]int]float64 // by column and field
	emails  []float64          // share of e-mail addresses, by column
}

func (p *proposer) newChecks() *checks {
	c := &checks{shares: map[[2]int]float64{}, emails: make([]float64, len(p.headers))}
	convert, err := value.New(p.def, value.Options{})
	if err != nil {
		return c // the values then say nothing
	}
	c.convert = convert
	for i, cells := range p.samples {
		n := 0
		for _, cell := range cells {
			if at := strings.IndexByte(cell.Text, '@'); at > 0 && strings.Contains(cell.Text[at:], ".") {
				n++
			}
		}
		if len(cells) > 0 {
			c.emails[i] = float64(n) / float64(len(cells))
		}
	}
	return c
}

// share is how many of a column's values a field takes.
func (c *checks) share(p *proposer, column, field int) float64 {
	at := [2]int{column, field}
	if s, ok := c.shares[at]; ok {
		return s
	}
	good := 0
	for _, cell := range p.samples[column] {
		_, w := c.convert.Convert(field, cell)
		switch w.Code {
		case "", "date_ambiguous", "number_ambiguous", "digits_lost", "phone_extension":
			good++
		case "phone_country":
			if len(cell.Text) >= 6 {
				good++
			}
		}
	}
	s := float64(good) / float64(len(p.samples[column]))
	c.shares[at] = s
	return s
}

// weigh changes a score by what the values say.
func (c *checks) weigh(p *proposer, column int, t *target, score float64, why string, foreign float64) (float64, string) {
	if c.convert == nil || len(p.samples[column]) == 0 {
		return score * 0.97, why
	}
	f := &p.def.Fields[t.field]
	typ := f.Type
	if t.split || t.part != "" && t.part != "country" {
		typ = entity.Text
	}
	switch typ {
	case entity.Email, entity.Phone, entity.URL:
		return c.told(p, column, t, score, why, foreign)
	case entity.Integer, entity.Decimal, entity.Money, entity.Date, entity.DateTime, entity.Boolean, entity.Choice,
		entity.Country, entity.Currency, entity.Language:
		if score == 0 {
			return 0, ""
		}
		return c.confirmed(p, column, t, score, why)
	case entity.Ref:
		if c.emails[column] > 0.6 && !slices.Contains(f.Ref.By, "email") {
			return score * 0.5, why
		}
		return score * 0.98, why
	case entity.Secret:
		return score * 0.98, why
	}
	if c.salutations(p, column) {
		return 0, "" // "Title" of a person, as often as of a job
	}
	if c.emails[column] > 0.6 && f.Name != "username" && f.Name != "notes" {
		return score * 0.5, why
	}
	return score * 0.98, why
}

// confirmed weighs a field whose values can be checked but whose type alone
// says nothing: any date is a date.
func (c *checks) confirmed(p *proposer, column int, t *target, score float64, why string) (float64, string) {
	var share float64
	if t.part == "country" {
		good := 0
		for _, cell := range p.samples[column] {
			if _, w := c.convert.Part("country", cell); w.Code == "" {
				good++
			}
		}
		share = float64(good) / float64(len(p.samples[column]))
	} else {
		share = c.share(p, column, t.field)
	}
	switch {
	case share >= 0.6:
		return score + (1-score)*0.35, why + ", and its values fit"
	case share < 0.2:
		return score * 0.55, why + ", but its values do not fit"
	}
	return score * 0.9, why
}

// told weighs a field whose values tell it, whatever the header is.
func (c *checks) told(p *proposer, column int, t *target, score float64, why string, foreign float64) (float64, string) {
	share := c.share(p, column, t.field)
	fits := share >= 0.6
	if p.def.Fields[t.field].Type == entity.URL {
		fits = fits && c.emails[column] < 0.2
	}
	switch {
	case fits && score > 0:
		score, why = score+(1-score)*0.35, why+", and its values fit"
	case share < 0.2:
		return score * 0.55, why + ", but its values do not fit"
	case !fits:
		return score * 0.9, why
	}
	if foreign >= 0.9 {
		return score, why // the header says plainly that it is something else
	}
	byValue := map[entity.Type]float64{entity.Email: 0.88, entity.Phone: 0.72, entity.URL: 0.6}[p.def.Fields[t.field].Type]
	if p.def.Fields[t.field].Type == entity.Phone && !c.international(p, column) {
		byValue = 0
	}
	if byValue > score {
		return byValue, "its values are of this kind"
	}
	return score, why
}

// salutations tells whether most values are a form of address.
func (c *checks) salutations(p *proposer, column int) bool {
	n := 0
	for _, cell := range p.samples[column] {
		switch strings.TrimRight(entity.FoldName(cell.Text), ".") {
		case "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "dr. med", "m", "mme", "mlle",
			"monsieur", "madame", "sr", "sra", "srta", "don", "dona", "sig", "sig.ra", "signor", "signora", "dott", "pan", "pani",
			"dhr", "mevr", "mw", "hr", "fr", "ponas", "ponia", "p":
			n++
		}
	}
	return n > 0 && float64(n) >= 0.6*float64(len(p.samples[column]))
}

// international tells whether most values are written as international phone
// numbers: what else looks so?
func (c *checks) international(p *proposer, column int) bool {
	n := 0
	for _, cell := range p.samples[column] {
		if strings.HasPrefix(cell.Text, "+") || strings.HasPrefix(cell.Text, "00") {
			n++
		}
	}
	return float64(n) >= 0.6*float64(len(p.samples[column]))
}
