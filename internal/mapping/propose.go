package mapping

import "github.com/dropload/dropload/internal/entity"

// Automatic is the confidence from which a proposal may be taken without a
// person.
const Automatic = 0.9

// Proposal says what a column probably holds.
type Proposal struct {
	Column int `json:"column"` // from 0
	// Field is as in Column.Field; "" where nothing fits.
	Field string `json:"field"`
	// Confidence is from 0 to 1.
	Confidence float64 `json:"confidence"`
	// Reason is the evidence, for a person.
	Reason string `json:"reason"`
}

// History is what was mapped before: the template's columns of this tenant and
// entity, the latest first.
type History []Column

// Propose says for each column which field it probably feeds, one field to one
// column, in the order of the columns. Sample are the first rows as a person
// sees them; it may be nil.
func Propose(def *entity.Definition, headers []string, sample [][]string, history History) []Proposal {
	names := standardNames(def)
	taken := map[string]bool{}
	all := make([]Proposal, len(headers))
	for i, h := range headers {
		all[i] = Proposal{Column: i, Reason: "no field has this name"}
		if field, ok := names[foldHeader(h)]; ok && !taken[field] {
			taken[field] = true
			all[i] = Proposal{Column: i, Field: field, Confidence: 1, Reason: "the field's own name"}
		}
	}
	return all
}
