package record

import "slices"

// Value is one field of a record in its canonical form. The field's type says
// how the text is meant: a number is plain decimal text, a date YYYY-MM-DD, a
// date with time RFC 3339, a boolean true or false, a phone E.164, an address
// one JSON object with its parts in fixed order.
type Value struct {
	// Text is the value of a field with one value.
	Text string `json:"t,omitempty"`
	// List holds the values of a list field, in order, without duplicates.
	List []string `json:"l,omitempty"`
	// Clear asks to empty the field; Text and List are then empty.
	Clear bool `json:"c,omitempty"`
}

// IsEmpty tells whether the value says nothing: it changes no record.
func (v Value) IsEmpty() bool { return v.Text == "" && len(v.List) == 0 && !v.Clear }

// Equal tells whether both say the same.
func (v Value) Equal(w Value) bool {
	return v.Text == w.Text && v.Clear == w.Clear && slices.Equal(v.List, w.List)
}

// Fields are the values of a record by field name. A field that is not there
// is empty.
type Fields map[string]Value
