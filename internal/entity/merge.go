package entity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/record"
)

// FieldValue is the value that a row gives to one field. Of a reference it is
// the key of the record named.
type FieldValue struct {
	Index int          `json:"f"` // position in Definition.Fields
	Value record.Value `json:"v"`
}

// MergeOptions rule a merge. They are made once for an import, by
// Definition.MergeOptions.
type MergeOptions struct {
	policies []Policy
	replace  []bool
}

// Merge is what one row makes of a record.
type Merge struct {
	// After is the record after the row; the stored fields themselves where
	// nothing changes. Nil where Problems say that there is no record.
	After record.Fields
	// Changed are the fields that differ afterwards, in the order of the row.
	Changed []string
	// Held are the fields whose new value a policy held back.
	Held []string
	// Missing are the wanted fields that a new record lacks: a notice.
	Missing []string
	// Problems reject the row. Their Column is -1.
	Problems []record.Problem
}

// MergeOptions tightens policies (by field name) and chooses the append fields
// whose list is replaced. It refuses what would loosen a policy, and names that
// are not fields.
func (d *Definition) MergeOptions(tighten map[string]Policy, replace []string) (*MergeOptions, error) {
	o := &MergeOptions{policies: make([]Policy, len(d.Fields)), replace: make([]bool, len(d.Fields))}
	for i := range d.Fields {
		o.policies[i] = d.Fields[i].Policy
	}
	for _, name := range slices.Sorted(maps.Keys(tighten)) {
		i, f := d.Field(name)
		if f == nil {
			return nil, fmt.Errorf("entity: %s has no field %q", d.Name, name)
		}
		if !f.Policy.Tightens(tighten[name]) {
			return nil, fmt.Errorf("entity: the policy of %s.%s is %s and cannot become %s", d.Name, name, f.Policy, tighten[name])
		}
		o.policies[i] = tighten[name]
	}
	for _, name := range replace {
		i, f := d.Field(name)
		if f == nil || f.Policy != Append {
			return nil, fmt.Errorf("entity: %s has no list %q to replace", d.Name, name)
		}
		o.replace[i] = true
	}
	return o, nil
}

// Tightens tells whether an import may use policy q where the field has p.
func (p Policy) Tightens(q Policy) bool {
	if p == q {
		return true
	}
	switch p {
	case Overwrite, Append:
		return q == IfEmpty || q == Once
	case IfEmpty:
		return q == Once
	}
	return false
}

// Policy is the policy of the field at this position under these options.
func (o *MergeOptions) Policy(index int) Policy { return o.policies[index] }

// Merge works out what a row makes of a record: a new one (exists is false;
// stored is then nil) or a stored one. Fields that the row leaves blank keep
// their value; the key of a stored record never changes; credit fields are left
// to the ledger. A row's fields must be distinct. Stored is never changed.
func (d *Definition) Merge(stored record.Fields, exists bool, row []FieldValue, o *MergeOptions) Merge {
	m := Merge{After: stored}
	own := false     // whether After is ours to change
	cleared := false // whether a field was emptied
	for _, fv := range row {
		if fv.Value.IsEmpty() {
			continue
		}
		f := &d.Fields[fv.Index]
		policy := o.policies[fv.Index]
		if f.Type == Secret || policy == Credit && !fv.Value.Clear {
			continue
		}
		before := stored[f.Name]
		after, held, problem := d.apply(f, fv, before, exists, policy, o.replace[fv.Index])
		if problem != "" {
			m.Problems = append(m.Problems, record.Problem{Code: problem, Column: -1, Field: f.Name})
			continue
		}
		if held {
			m.Held = append(m.Held, f.Name)
		}
		if after.Equal(before) {
			continue
		}
		if !own {
			own = true
			m.After = make(record.Fields, len(stored)+len(row))
			maps.Copy(m.After, stored)
		}
		if after.IsEmpty() {
			cleared = true
			delete(m.After, f.Name)
		} else {
			m.After[f.Name] = after
		}
		m.Changed = append(m.Changed, f.Name)
	}
	if !exists {
		d.checkNew(&m)
	} else if cleared {
		d.checkCleared(stored, &m)
	}
	if len(m.Problems) > 0 {
		return Merge{Problems: m.Problems}
	}
	if m.After == nil {
		m.After = record.Fields{}
	}
	return m
}

// apply is the value of one field after the row, whether a policy held the
// row's value back, and the code of a problem.
func (d *Definition) apply(f *Field, fv FieldValue, before record.Value, exists bool, policy Policy, replace bool) (after record.Value, held bool, problem string) {
	if fv.Value.Clear {
		if fv.Index == d.key || policy != Overwrite && policy != Append {
			return before, false, "clear_not_allowed"
		}
		return record.Value{}, false, ""
	}
	if !exists {
		return d.fresh(f, fv.Value), false, ""
	}
	if fv.Index == d.key {
		return before, Fold(f, before.Text) != Fold(f, fv.Value.Text), ""
	}
	switch policy {
	case Once:
		return before, !same(f, before, fv.Value), ""
	case IfEmpty:
		if before.IsEmpty() {
			return d.fresh(f, fv.Value), false, ""
		}
		return before, !same(f, before, fv.Value), ""
	case Append:
		if !replace {
			return added(f, before, fv.Value), false, ""
		}
	}
	return d.fresh(f, fv.Value), false, ""
}

// fresh is a value as it is stored in an empty field.
func (d *Definition) fresh(f *Field, v record.Value) record.Value {
	if !f.List {
		return v
	}
	return added(f, record.Value{}, v)
}

// same tells whether both values are one in compared form.
func same(f *Field, a, b record.Value) bool {
	if a.Equal(b) {
		return true
	}
	if len(a.List) != len(b.List) || Fold(f, a.Text) != Fold(f, b.Text) {
		return false
	}
	for i := range a.List {
		if Fold(f, a.List[i]) != Fold(f, b.List[i]) {
			return false
		}
	}
	return true
}

// added appends what is not in the list yet, by compared form. What is in the
// list keeps its spelling and its place.
func added(f *Field, before, v record.Value) record.Value {
	list := before.List
	own := false
	for _, item := range v.List {
		if contains(f, list, item) {
			continue
		}
		if !own {
			list, own = append(make([]string, 0, len(list)+len(v.List)), list...), true
		}
		list = append(list, item)
	}
	return record.Value{List: list}
}

func contains(f *Field, list []string, item string) bool {
	if slices.Contains(list, item) {
		return true
	}
	if len(list) == 0 {
		return false
	}
	folded := Fold(f, item)
	return slices.ContainsFunc(list, func(s string) bool { return Fold(f, s) == folded })
}

// checkCleared tells what a clear mark may not empty: what no new record may
// lack, where the stored one had it.
func (d *Definition) checkCleared(stored record.Fields, m *Merge) {
	lacks := func(fields record.Fields, group []int) bool {
		return !slices.ContainsFunc(group, func(i int) bool { return !fields[d.Fields[i].Name].IsEmpty() })
	}
	refuse := func(group []int) {
		if lacks(m.After, group) && !lacks(stored, group) {
			name := d.Fields[group[0]].Name
			m.Problems = append(m.Problems, record.Problem{Code: "clear_required", Column: -1, Field: name, Args: []string{name}})
		}
	}
	for _, i := range d.required {
		refuse([]int{i})
	}
	for _, group := range d.requireAny {
		refuse(group)
	}
}

// checkNew looks for what a new record must have, and should have.
func (d *Definition) checkNew(m *Merge) {
	for _, i := range d.required {
		f := &d.Fields[i]
		if i == d.key && f.Generated {
			continue
		}
		if m.After[f.Name].IsEmpty() {
			m.Problems = append(m.Problems, record.Problem{Code: "required_missing", Column: -1, Field: f.Name, Args: []string{f.Name}})
		}
	}
	for g, group := range d.requireAny {
		if !slices.ContainsFunc(group, func(i int) bool { return !m.After[d.Fields[i].Name].IsEmpty() }) {
			m.Problems = append(m.Problems, record.Problem{Code: "required_any_missing", Column: -1, Field: d.RequireAny[g][0],
				Args: []string{strings.Join(d.RequireAny[g], ", ")}})
		}
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Wanted && m.After[f.Name].IsEmpty() {
			m.Missing = append(m.Missing, f.Name)
		}
	}
}
