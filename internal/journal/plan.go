package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Resolution is what became of a reference that rows name.
type Resolution struct {
	// Key is the record referred to; "" where there is none.
	Key string `json:"k,omitempty"`
	// Made tells that the record is to be made on the way, by journal 0.
	Made bool `json:"m,omitempty"`
	// Ignore leaves out the rows that name it; Code rejects them.
	Ignore bool   `json:"i,omitempty"`
	Code   string `json:"c,omitempty"`
	// Written is, beside a Code, the name as the file writes it.
	Written string `json:"w,omitempty"`
}

// Repeats says what becomes of rows that repeat a key.
type Repeats string

// The ways with rows that repeat a key.
const (
	RepeatsInOrder Repeats = "in_order" // each after the other
	RepeatsLast    Repeats = "last"     // only the last counts; the others are ignored
	RepeatsReject  Repeats = "reject"   // all but the first are rejected
)

// Planner plans the batches of one import.
type Planner struct {
	Tenant string
	Def    *entity.Definition
	Merge  *entity.MergeOptions
	Import string
	// NewVer is the version of the records that the import creates: the clock
	// when it was registered, in milliseconds.
	NewVer  int64
	Records store.Table
	// Resolve finds a reference by field and name in compared form.
	Resolve func(field int, name string) (Resolution, bool)
	// Holding tells whether an import may still write what it claimed.
	Holding func(ctx context.Context, importID string) (bool, error)
	// Lost are rows that lose a unique value to an earlier row, by number.
	Lost map[int64][]record.Problem
	// LostKeys are keys all of whose rows are rejected, for the last pass.
	LostKeys map[string][]record.Problem
	// CreateOnly leaves stored records alone, UpdateOnly makes no new ones.
	CreateOnly, UpdateOnly bool
	Repeats                Repeats
}

// candidate is a record in the making.
type candidate struct {
	stored table.Record
	exists bool // a record is stored and not gone
	known  bool // something is stored, be it a tombstone
}

// Batch plans the rows of one batch, which must be in file order. It changes
// the order of rows.
func (p *Planner) Batch(ctx context.Context, batch int, rows []shuffle.Row) (*Journal, error) {
	j := &Journal{Footer: Footer{Batch: batch, Codes: map[string]int64{}, Held: map[string]int64{}, Notes: map[string]int64{}}}
	slices.SortStableFunc(rows, func(a, b shuffle.Row) int { return strings.Compare(a.Key, b.Key) })
	stored, err := p.read(ctx, rows)
	if err != nil {
		return nil, err
	}
	owners, err := p.owners(ctx, rows, stored)
	if err != nil {
		return nil, err
	}
	accounts, err := p.accounts(ctx, p.accountsNamed(rows))
	if err != nil {
		return nil, err
	}
	refs := map[string]bool{}
	j.Entries = make([]Entry, 0, len(rows))
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].Key == rows[from].Key {
			to++
		}
		e := p.entry(rows[from:to], stored[rows[from].Key], known{owners, accounts}, refs)
		j.note(&e)
		j.Entries = append(j.Entries, e)
		from = to
	}
	for key := range refs {
		j.Refs = append(j.Refs, key)
	}
	slices.Sort(j.Refs)
	return j, nil
}

// CodeOf is the key under which problems are counted: the code, a blank and the
// field, which may be none.
func CodeOf(p record.Problem) string { return p.Code + " " + p.Field }

func (j *Journal) note(e *Entry) {
	for n := range e.Credits {
		j.Credits.add(e.Key, &e.Credits[n])
	}
	for _, r := range e.Rows {
		j.Counts.Add(r.Outcome, 1)
		if r.Outcome != record.Rejected {
			r.Problems = nil
		}
		for _, pr := range r.Problems {
			j.Codes[CodeOf(pr)]++
		}
		for _, f := range r.Held {
			j.Held[f]++
		}
		for _, code := range r.Notes {
			j.Notes[code]++
		}
	}
}

// read gets the stored records of all keys but those made for this import.
func (p *Planner) read(ctx context.Context, rows []shuffle.Row) (map[string]candidate, error) {
	var keys []store.Key
	for i := range rows {
		if rows[i].Generated || i > 0 && rows[i].Key == rows[i-1].Key {
			continue
		}
		keys = append(keys, table.RecordKey(p.Tenant, p.Def.Name, rows[i].Key))
	}
	return p.candidates(ctx, keys)
}

func (p *Planner) candidates(ctx context.Context, keys []store.Key) (map[string]candidate, error) {
	found := make(map[string]candidate, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	items, err := p.Records.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("journal: reading records: %w", err)
	}
	for k, it := range items {
		r, err := table.Read(p.Def, it)
		if err != nil {
			return nil, err
		}
		found[k.SK] = candidate{stored: r, exists: !r.Gone, known: true}
	}
	return found, nil
}

// owner is who has a unique value.
type owner struct {
	key string
	imp string
}

// owners looks up who has the unique values that rows might take, leaving out
// claims that hold no more.
func (p *Planner) owners(ctx context.Context, rows []shuffle.Row, stored map[string]candidate) (map[store.Key]owner, error) {
	unique := p.Def.Unique()
	if len(unique) == 0 {
		return nil, nil
	}
	wanted := map[store.Key]bool{}
	var keys []store.Key
	for i := range rows {
		r := &rows[i]
		for _, fv := range r.Fields {
			if !slices.Contains(unique, fv.Index) {
				continue
			}
			f := &p.Def.Fields[fv.Index]
			has := Values(f, stored[r.Key].stored.Fields[f.Name])
			for _, v := range Values(f, fv.Value) {
				if slices.Contains(has, v) {
					continue
				}
				k := table.ClaimKey(p.Tenant, p.Def.Name, f.Name, v)
				if !wanted[k] {
					wanted[k] = true
					keys = append(keys, k)
				}
			}
		}
	}
	return liveOwners(ctx, p.Records, p.Tenant, p.Def, keys, p.Holding)
}

// Values are the compared forms of the values of a unique field.
func Values(f *entity.Field, v record.Value) []string {
	if len(v.List) > 0 {
		out := make([]string, len(v.List))
		for i, s := range v.List {
			out[i] = entity.Fold(f, s)
		}
		return out
	}
	if v.Text == "" {
		return nil
	}
	return []string{entity.Fold(f, v.Text)}
}

// entry plans one record from its rows, as a clerk would who took them one by
// one.
func (p *Planner) entry(rows []shuffle.Row, c candidate, k known, refs map[string]bool) Entry {
	e := Entry{Key: rows[0].Key, Written: rows[0].Written, Gone: c.known && !c.exists}
	if c.known {
		e.Ver, e.By = c.stored.Ver, c.stored.By
	}
	now, exists := c.stored.Fields, c.exists
	if exists {
		e.Written = c.stored.Written
	} else {
		now = nil
	}
	var t tries
	var taken []string // keys of records to be made that a row took
	for i := range rows {
		r := &rows[i]
		note := RowNote{Number: r.Number}
		fields, made, verdict := p.resolve(r)
		lost, isLost := p.LostKeys[r.Key]
		switch {
		case p.Repeats == RepeatsLast && i < len(rows)-1:
			note.Outcome = record.Ignored
		case p.Repeats == RepeatsReject && i > 0:
			note.Outcome = record.Rejected
			note.Problems = []record.Problem{{Code: "key_repeated", Column: -1, Field: p.Def.Key, Args: []string{fmt.Sprint(rows[0].Number)}}}
		case verdict.Outcome != record.NoOutcome:
			note.Outcome, note.Problems = verdict.Outcome, verdict.Problems
		case isLost:
			note.Outcome, note.Problems = record.Rejected, lost
		case p.UpdateOnly && !exists:
			note.Outcome = record.Rejected
			note.Problems = []record.Problem{{Code: "record_missing", Column: -1, Field: p.Def.Key}}
		case p.CreateOnly && exists:
			note.Outcome = record.Unchanged
		default:
			if !exists {
				e.Written = r.Written
			}
			changed := p.merge(&e, &note, fields, &now, &exists, k, &t)
			if note.Outcome == record.Created || len(changed) > 0 {
				e.Row = r.Number
			}
			for _, m := range made {
				if slices.Contains(changed, p.Def.Fields[m.field].Name) {
					taken = append(taken, m.key)
				}
			}
		}
		e.Rows = append(e.Rows, note)
	}
	p.finish(&e, &c, now, exists, t)
	if e.Op == Create || e.Op == Change {
		for _, key := range taken {
			refs[key] = true
		}
	}
	return e
}

// toMake is a reference to a record that is yet to be made.
type toMake struct {
	field int
	key   string
}

// resolve puts the keys of references in the place of their names.
func (p *Planner) resolve(r *shuffle.Row) (fields []entity.FieldValue, made []toMake, verdict RowNote) {
	fields = r.Fields
	for _, ref := range r.Refs {
		f := &p.Def.Fields[ref.Index]
		res, ok := p.Resolve(ref.Index, ref.Name)
		switch {
		case !ok:
			res.Code = "reference_unknown"
			fallthrough
		case res.Code != "":
			verdict.Outcome = record.Rejected
			name := cmp.Or(res.Written, ref.Name)
			verdict.Problems = append(verdict.Problems, record.Problem{Code: res.Code, Column: -1, Field: f.Name, Args: []string{name}})
		case res.Ignore:
			if verdict.Outcome == record.NoOutcome {
				verdict.Outcome = record.Ignored
			}
		default:
			fields = append(slices.Clip(fields), entity.FieldValue{Index: ref.Index, Value: record.Value{Text: res.Key}})
			if res.Made {
				made = append(made, toMake{ref.Index, res.Key})
			}
		}
	}
	return fields, made, verdict
}

// merge takes one row into the record, and tells which fields it changed.
func (p *Planner) merge(e *Entry, note *RowNote, fields []entity.FieldValue, now *record.Fields, exists *bool, k known, t *tries) []string {
	if !*exists {
		fields = withKey(fields, p.Def.KeyIndex(), e.Written)
	}
	m := p.Def.Merge(*now, *exists, fields, p.Merge)
	note.Held = m.Held
	if len(m.Problems) > 0 {
		note.Outcome, note.Problems = record.Rejected, m.Problems
		return nil
	}
	takes, drops := p.uses(*now, &m)
	for _, u := range takes {
		if o, taken := k.owners[table.ClaimKey(p.Tenant, p.Def.Name, u.Field, u.Value)]; taken && o.key != e.Key {
			note.Problems = append(note.Problems, record.Problem{Code: "not_unique", Column: -1, Field: u.Field, Args: []string{o.key}})
		}
	}
	after := table.Record{Key: e.Key, Written: e.Written, Fields: m.After}
	if table.Size(&after) > table.MaxSize {
		note.Problems = append(note.Problems, record.Problem{Code: "record_too_large", Column: -1})
	}
	credit, pays, about := creditFieldsOf(p.Def).of(note.Number, fields)
	if pays && credit.Account != "" && k.accounts[credit.Account] != e.Key {
		note.Problems = append(note.Problems, record.Problem{Code: "account_unknown", Column: -1, Field: p.Def.Fields[creditFieldsOf(p.Def).account].Name})
	}
	if len(note.Problems) == 0 {
		note.Problems = p.Lost[note.Number]
		t.add(takes, drops, note.Number, len(note.Problems) > 0)
	}
	if len(note.Problems) > 0 {
		note.Outcome, note.Held = record.Rejected, nil
		return nil
	}
	note.Notes = m.Missing
	for n := range note.Notes {
		note.Notes[n] = "missing_" + note.Notes[n]
	}
	if about != "" {
		note.Notes = append(note.Notes, about)
	}
	if pays {
		e.Credits = append(e.Credits, credit)
	}
	switch {
	case !*exists:
		note.Outcome = record.Created
	case len(m.Changed) > 0 || pays:
		note.Outcome = record.Updated
	default:
		note.Outcome = record.Unchanged
	}
	*now, *exists = m.After, true
	return m.Changed
}

// uses are the unique values that a row takes and those that it gives up.
func (p *Planner) uses(now record.Fields, m *entity.Merge) (takes, drops []Unique) {
	for _, name := range m.Changed {
		i, f := p.Def.Field(name)
		if !f.Unique || i == p.Def.KeyIndex() {
			continue
		}
		had, has := Values(f, now[name]), Values(f, m.After[name])
		for _, v := range has {
			if !slices.Contains(had, v) {
				takes = append(takes, Unique{Field: name, Value: v})
			}
		}
		for _, v := range had {
			if !slices.Contains(has, v) {
				drops = append(drops, Unique{Field: name, Value: v})
			}
		}
	}
	return takes, drops
}

// try is a unique value that a row takes, or would take if it were not lost.
type try struct {
	field, value string
	row, until   int64 // until is the row that gives it up again, 0 for none
	lost         bool
}

// tries are those of the rows of one record, in their order.
type tries []try

// add notes what a row takes and gives up; lost is a row that is rejected for
// it.
func (t *tries) add(takes, drops []Unique, row int64, lost bool) {
	for _, u := range takes {
		*t = append(*t, try{field: u.Field, value: u.Value, row: row, lost: lost})
	}
	if lost {
		return
	}
	for _, u := range drops {
		if held := t.held(u.Field, u.Value); held != nil {
			held.until = row
		}
	}
}

// held is the try by which the record has a value; nil where it has it from
// before the import.
func (t tries) held(field, value string) *try {
	for i := range t {
		if x := &t[i]; x.field == field && x.value == value && !x.lost && x.until == 0 {
			return x
		}
	}
	return nil
}

func withKey(fields []entity.FieldValue, index int, written string) []entity.FieldValue {
	for _, fv := range fields {
		if fv.Index == index {
			return fields
		}
	}
	return append(slices.Clip(fields), entity.FieldValue{Index: index, Value: record.Value{Text: written}})
}

// pays tells whether a row makes a ledger line.
func (e *Entry) pays(row int64) bool {
	return slices.ContainsFunc(e.Credits, func(c Credit) bool { return c.Row == row })
}

// known is what is known beside the records: who has unique values, whose
// accounts are.
type known struct {
	owners   map[store.Key]owner
	accounts map[string]string
}

// accountsNamed are the accounts that rows name.
func (p *Planner) accountsNamed(rows []shuffle.Row) []string {
	index := creditFieldsOf(p.Def).account
	if index < 0 {
		return nil
	}
	var named []string
	for i := range rows {
		for _, fv := range rows[i].Fields {
			if fv.Index == index && fv.Value.Text != "" {
				named = append(named, fv.Value.Text)
			}
		}
	}
	return named
}

// finish works out what is to be written from what is stored and what the
// record became.
func (p *Planner) finish(e *Entry, c *candidate, now record.Fields, exists bool, t tries) {
	e.tries = t
	if !exists {
		return
	}
	before := c.stored.Fields
	if !c.exists {
		before = nil
	}
	for i := range p.Def.Fields {
		f := &p.Def.Fields[i]
		was, is := before[f.Name], now[f.Name]
		if was.Equal(is) {
			continue
		}
		e.Changed = append(e.Changed, f.Name)
		if !was.IsEmpty() {
			if e.Before == nil {
				e.Before = record.Fields{}
			}
			e.Before[f.Name] = was
		}
		if f.Unique && !f.Key {
			had, has := Values(f, was), Values(f, is)
			for _, v := range has {
				if !slices.Contains(had, v) {
					e.Take = append(e.Take, Unique{Field: f.Name, Value: v})
				}
			}
			for _, v := range had {
				if !slices.Contains(has, v) {
					e.Free = append(e.Free, Unique{Field: f.Name, Value: v})
				}
			}
		}
	}
	if c.exists && len(e.Changed) == 0 {
		// Rows that change the record back and forth leave it as it is: the file
		// imported again is unchanged.
		e.Row = 0
		for n := range e.Rows {
			if e.Rows[n].Outcome == record.Updated && !e.pays(e.Rows[n].Number) {
				e.Rows[n].Outcome = record.Unchanged
			}
		}
		if len(e.Credits) > 0 {
			e.Op = Pay
		}
		return
	}
	switch {
	case !c.exists:
		e.Op, e.After = Create, now
		e.NewVer = max(p.NewVer, e.Ver+1)
	default:
		e.Op, e.After = Change, now
		e.NewVer = e.Ver + 1
		e.OldRef = table.Ref(p.Tenant, p.Def, before)
	}
}
