package importer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Action is what a person decides on a reference that was not found.
type Action string

// The actions.
const (
	CreateRecord Action = "create"
	UseRecord    Action = "use"
	IgnoreRows   Action = "ignore"
	RejectRows   Action = "reject"
)

// Decision is what a person decided on the references that were not found.
type Decision struct {
	// All is for every one that Names does not name; "" asks on.
	All Action `json:"all,omitempty"`
	// Names is the key of an object with single decisions (Named), "" for none.
	Names string `json:"names,omitempty"`
}

// Named is a decision on one name.
type Named struct {
	Field  string `json:"field"`
	Name   string `json:"name"` // as Unmatched.Name
	Action Action `json:"action"`
	Key    string `json:"key,omitempty"` // of the record to use
}

// Unmatched is a reference that was not found.
type Unmatched struct {
	Field   string `json:"field"`
	Name    string `json:"name"`    // in its compared form
	Written string `json:"written"` // as the first row writes it
	Row     int64  `json:"row"`     // the first row that names it
	Rows    int64  `json:"rows"`
	// Many are the keys of several records of this name.
	Many []string `json:"many,omitempty"`
}

// Reconciled is what Reconcile hands to the later steps.
type Reconciled struct {
	Segments []string         `json:"segments"`
	Width    int              `json:"width"`
	Left     record.Counts    `json:"left"`
	Codes    map[string]int64 `json:"codes"`
	Notes    map[string]int64 `json:"notes"`
	// Rows is the number of data rows in the segments.
	Rows      int64 `json:"rows"`
	Unmatched int64 `json:"unmatched"`
	// Batches are those that have rows.
	Batches []int `json:"batches"`
}

// resolved is a line of resolutions.jsonl.
type resolved struct {
	Index int                `json:"i"`
	Name  string             `json:"n"`
	As    journal.Resolution `json:"as"`
	// To, Written and Row are of a record to be made: its entity, and how and
	// where it is named first.
	To      string `json:"to,omitempty"`
	Written string `json:"w,omitempty"`
	Row     int64  `json:"r,omitempty"`
}

// PlanItem is the work of one worker of Plan and of Apply.
type PlanItem struct {
	Batch int `json:"batch"`
	Pass  int `json:"pass"`
}

// Reconcile looks whether every worker of Prepare left its result, counts, and
// looks up the references that rows name. It answers "decision" to wait for a
// person, "plan" to go on.
func (i *Importer) Reconcile(ctx context.Context, job Job) (Step, error) {
	i, err := i.of(ctx, job.Tenant)
	if err != nil {
		return Step{}, err
	}
	m, err := i.begin(ctx, job)
	if err != nil {
		return Step{}, err
	}
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return Step{}, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	rec, segments, err := i.gather(ctx, m)
	if err != nil {
		return Step{}, err
	}
	asked, err := i.resolveAll(ctx, m, def, rec, segments)
	if err != nil {
		return Step{}, err
	}
	if err := i.putJSON(ctx, job.work("reconciled.json"), rec); err != nil {
		return Step{}, err
	}
	if asked {
		i.log(ctx, job, "references need a decision", "unmatched", rec.Unmatched)
		step, err := i.wait(ctx, job, NeedsDecision, "decision", "decision")
		if err != nil {
			return Step{}, err
		}
		return step, i.leave(ctx, m)
	}
	manifest := job.work("plan-1.json")
	items := make([]PlanItem, 0, len(rec.Batches))
	for _, b := range rec.Batches {
		items = append(items, PlanItem{Batch: b, Pass: 1})
	}
	if err := i.putJSON(ctx, manifest, items); err != nil {
		return Step{}, err
	}
	if _, err := i.edit(ctx, job.Tenant, job.Import, func(m *Import) error {
		m.Pass = 1
		m.to(Planning, i.Now())
		return nil
	}); err != nil {
		return Step{}, err
	}
	i.log(ctx, job, "reconciled", "rows", rec.Rows, "left", rec.Left.Read, "batches", len(rec.Batches), "unmatched", rec.Unmatched)
	return Step{Job: job, Next: "plan", Manifest: manifest}, nil
}

// gather opens every segment of every part.
func (i *Importer) gather(ctx context.Context, m *Import) (*Reconciled, []*shuffle.Segment, error) {
	rec := &Reconciled{Codes: map[string]int64{}, Notes: map[string]int64{}}
	batches := map[int]bool{}
	var segments []*shuffle.Segment
	for part := range m.Input.Parts {
		for n := 0; ; n++ {
			s, err := shuffle.Open(ctx, i.Objects, segmentKey(m.job(), part, n))
			if errors.Is(err, object.ErrNotFound) {
				return nil, nil, i.missing(ctx, m.job(), "prepare", part)
			}
			if err != nil {
				return nil, nil, err
			}
			segments = append(segments, s)
			rec.Segments = append(rec.Segments, s.Key)
			rec.Rows += s.Rows
			rec.Width = max(rec.Width, s.Width)
			for b := range s.Blocks {
				batches[b] = true
			}
			for code, count := range s.Notes {
				rec.Notes[code] += count
			}
			err = s.EachLeft(ctx, func(l shuffle.Left) error {
				rec.Left.Add(l.Outcome, 1)
				if l.Outcome == record.Rejected {
					for _, p := range l.Problems {
						rec.Codes[journal.CodeOf(p)]++
					}
				}
				return nil
			})
			if err != nil {
				return nil, nil, err
			}
			if s.Last {
				break
			}
		}
	}
	rec.Batches = slices.Sorted(maps.Keys(batches))
	return rec, segments, nil
}

// lookups is how many references are looked up at once.
const lookups = 500

// resolveAll resolves every distinct reference and stores the resolutions. It
// tells whether a person is to be asked.
func (i *Importer) resolveAll(ctx context.Context, m *Import, def *entity.Definition, rec *Reconciled, segments []*shuffle.Segment) (bool, error) {
	decided, err := i.decisions(ctx, m)
	if err != nil {
		return false, err
	}
	var (
		out, unmatched bytes.Buffer
		resolutions    = json.NewEncoder(&out)
		missing        = json.NewEncoder(&unmatched)
		asked          bool
	)
	err = eachReference(ctx, segments, func(notes []shuffle.RefNote) error {
		found, err := i.lookUp(ctx, m, def, notes)
		if err != nil {
			return err
		}
		for n, note := range notes {
			r := resolved{Index: note.Index, Name: note.Name, Written: note.Written, Row: note.Row}
			f := &def.Fields[note.Index]
			switch keys := found[n]; {
			case len(keys) == 1:
				r.As.Key = keys[0]
			default:
				rec.Unmatched++
				if rec.Unmatched > int64(i.Config.MaxUnmatched) {
					return &fault.Refused{Code: "too_many_unmatched", Message: fmt.Sprintf(
						"More than %d different values of %q are not found. Is the right column mapped?", i.Config.MaxUnmatched, f.Name)}
				}
				if i.rule(m, f, note, keys, decided, &r) {
					asked = true
				}
				if err := missing.Encode(Unmatched{Field: f.Name, Name: note.Name, Written: note.Written, Row: note.Row, Rows: note.Rows, Many: keys}); err != nil {
					return fmt.Errorf("importer: %w", err)
				}
			}
			if err := resolutions.Encode(r); err != nil {
				return fmt.Errorf("importer: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for name, body := range map[string]*bytes.Buffer{"resolutions.jsonl": &out, "unmatched.jsonl": &unmatched} {
		if _, err := i.Objects.Put(ctx, m.job().work(name), body, object.PutOptions{}); err != nil {
			return false, fmt.Errorf("importer: storing %s: %w", name, err)
		}
	}
	return asked, nil
}

// rule says what becomes of a reference that was not found, or found more than
// once. It tells whether a person is to be asked.
func (i *Importer) rule(m *Import, f *entity.Field, note shuffle.RefNote, keys []string, decided map[string]Named, r *resolved) bool {
	to, _ := i.Catalog.Entity(f.Ref.To[0])
	action, code := RejectRows, "reference_unknown"
	if len(keys) > 1 {
		code = "reference_ambiguous"
	}
	asked := false
	if to.IsList {
		if m.Options.GenerateMissing && len(keys) == 0 {
			action = CreateRecord
		}
	} else {
		switch m.Options.Unmatched {
		case mapping.CreateMissing:
			action = CreateRecord
		case mapping.IgnoreRow:
			action = IgnoreRows
		case mapping.RejectRow:
		default:
			asked = m.Attended || m.Options.Unmatched == mapping.Ask
		}
	}
	if d, ok := decided[f.Name+"\x00"+note.Name]; ok {
		action, asked, r.As.Key = d.Action, false, d.Key
	} else if m.Decision.All != "" && !to.IsList {
		action, asked = m.Decision.All, false
	}
	if asked {
		return true
	}
	if action == CreateRecord && (!to.Creatable() || len(keys) > 1) {
		action = RejectRows
	}
	switch action {
	case CreateRecord:
		r.As = journal.Resolution{Key: madeKey(m.Tenant, to, note.Written), Made: true}
		r.To = to.Name
	case UseRecord:
	case IgnoreRows:
		r.As = journal.Resolution{Ignore: true}
	default:
		r.As = journal.Resolution{Code: code, Written: note.Written}
	}
	return false
}

// madeKey is the key of a record that is made on the way for a name: a hash, so
// that two imports make the same one; of a list whose key is its name, the
// name.
func madeKey(tenant string, to *entity.Definition, written string) string {
	if to.Key == to.NameField {
		return entity.Fold(to.KeyField(), written)
	}
	return entity.Fold(to.KeyField(), code(tenant, to.Name, entity.FoldName(written)))
}

// decisions are a person's decisions on single names: those remembered for the
// feed, and over them those on this import.
func (i *Importer) decisions(ctx context.Context, m *Import) (map[string]Named, error) {
	var remembered, said []Named
	if _, _, err := i.document(ctx, rememberedKey(m.Tenant, m.Feed), &remembered); err != nil {
		return nil, err
	}
	if m.Decision.Names != "" {
		if err := i.getJSON(ctx, m.Decision.Names, &said); err != nil {
			return nil, err
		}
	}
	decided := map[string]Named{}
	for _, list := range [][]Named{remembered, said} {
		for _, d := range list {
			decided[d.Field+"\x00"+d.Name] = d
		}
	}
	return decided, nil
}

func rememberedKey(tenant, feed string) store.Key {
	return store.Key{PK: tenant + "#remembered", SK: feed}
}

// maxRemembered is how many decisions a feed remembers.
const maxRemembered = 2_000

// Remember keeps decisions on names for the next imports of a feed. Returns
// *fault.Refused where there would be too many.
func (i *Importer) Remember(ctx context.Context, tenant, feed string, names []Named) error {
	k := rememberedKey(tenant, feed)
	if err := i.insertOnce(ctx, k, []Named{}); err != nil {
		return err
	}
	_, _, err := editDocument(ctx, i, k, func(list *[]Named) error {
		kept := slices.DeleteFunc(*list, func(old Named) bool {
			return slices.ContainsFunc(names, func(n Named) bool { return n.Field == old.Field && n.Name == old.Name })
		})
		*list = slices.Concat(kept, names)
		if len(*list) > maxRemembered {
			return &fault.Refused{Code: "too_many_remembered", Message: fmt.Sprintf("A feed remembers at most %d decisions.", maxRemembered)}
		}
		return nil
	})
	return err
}

// eachReference merges the segments' sorted references and calls f with each
// distinct one, some at a time, with the first row that names it and the number
// of rows that do.
func eachReference(ctx context.Context, segments []*shuffle.Segment, f func([]shuffle.RefNote) error) error {
	var (
		merged  []shuffle.RefNote
		pending = map[shuffle.Ref]int{}
	)
	heads, stop, err := openRefs(ctx, segments)
	if err != nil {
		return err
	}
	defer stop()
	for {
		least := -1
		for n, h := range heads {
			if h.note != nil && (least < 0 || lessRef(h.note, heads[least].note)) {
				least = n
			}
		}
		if least < 0 {
			break
		}
		note := *heads[least].note
		k := shuffle.Ref{Index: note.Index, Name: note.Name}
		if at, ok := pending[k]; ok {
			merged[at].Rows += note.Rows
			if note.Row < merged[at].Row {
				merged[at].Row, merged[at].Written = note.Row, note.Written
			}
		} else {
			if len(merged) == lookups {
				if err := f(merged); err != nil {
					return err
				}
				merged, pending = merged[:0], map[shuffle.Ref]int{}
			}
			pending[k] = len(merged)
			merged = append(merged, note)
		}
		if err := heads[least].next(); err != nil {
			return err
		}
	}
	if len(merged) == 0 {
		return nil
	}
	return f(merged)
}

func lessRef(a, b *shuffle.RefNote) bool {
	if a.Index != b.Index {
		return a.Index < b.Index
	}
	return a.Name < b.Name
}

type refHead struct {
	note *shuffle.RefNote
	next func() error
}

func openRefs(ctx context.Context, segments []*shuffle.Segment) ([]*refHead, func(), error) {
	var (
		heads  []*refHead
		bodies []io.Closer
	)
	stop := func() {
		for _, b := range bodies {
			_ = b.Close()
		}
	}
	for _, s := range segments {
		if s.Refs.Count == 0 {
			continue
		}
		body, err := s.OpenRefs(ctx)
		if err != nil {
			stop()
			return nil, nil, err
		}
		bodies = append(bodies, body)
		dec, left := json.NewDecoder(bufio.NewReader(body)), s.Refs.Count
		h := &refHead{}
		h.next = func() error {
			h.note = nil
			if left == 0 {
				return nil
			}
			left--
			h.note = new(shuffle.RefNote)
			if err := dec.Decode(h.note); err != nil {
				return fmt.Errorf("importer: references of %s: %w", s.Key, err)
			}
			return nil
		}
		if err := h.next(); err != nil {
			stop()
			return nil, nil, err
		}
		heads = append(heads, h)
	}
	return heads, stop, nil
}

// lookUp finds the records that references name: by key, else by a unique
// field, else by name, as the field's definition says. The result is parallel
// to notes; several keys are several records of one name.
func (i *Importer) lookUp(ctx context.Context, m *Import, def *entity.Definition, notes []shuffle.RefNote) ([][]string, error) {
	found := make([][]string, len(notes))
	if err := i.byKey(ctx, m, def, notes, found); err != nil {
		return nil, err
	}
	if err := i.byUnique(ctx, m, def, notes, found); err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for n, note := range notes {
		ref := def.Fields[note.Index].Ref
		if len(found[n]) > 0 || note.Written == "" || !slices.Contains(ref.By, "name") {
			continue
		}
		g.Go(func() error {
			for _, to := range ref.To {
				keys, err := i.byName(ctx, m.Tenant, to, note.Written)
				if err != nil {
					return err
				}
				for _, key := range keys {
					found[n] = append(found[n], refKey(ref, to, key))
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

// refKey is the stored value of a reference: the key of the record, with its
// entity before it where the field may name several.
func refKey(ref *entity.Reference, to, key string) string {
	if len(ref.To) == 1 {
		return key
	}
	return to + "/" + key
}

// byKey finds records by their keys.
func (i *Importer) byKey(ctx context.Context, m *Import, def *entity.Definition, notes []shuffle.RefNote, found [][]string) error {
	of := map[store.Key][]int{}
	entityOf := map[store.Key]string{}
	var keys []store.Key
	for n, note := range notes {
		for _, to := range def.Fields[note.Index].Ref.To {
			target, ok := i.Catalog.Entity(to)
			if !ok {
				continue
			}
			k := table.RecordKey(m.Tenant, to, entity.Fold(target.KeyField(), note.Written))
			if len(of[k]) == 0 {
				keys = append(keys, k)
				entityOf[k] = to
			}
			of[k] = append(of[k], n)
		}
	}
	items, err := i.Records.Get(ctx, keys)
	if err != nil {
		return fmt.Errorf("importer: looking up references: %w", err)
	}
	for _, k := range keys {
		it, ok := items[k]
		if !ok {
			continue
		}
		if gone, _ := it.Attrs[table.AttrGone].(bool); gone {
			continue
		}
		for _, n := range of[k] {
			found[n] = append(found[n], refKey(def.Fields[notes[n].Index].Ref, entityOf[k], k.SK))
		}
	}
	return nil
}

// byUnique finds records, of those not found yet, by their unique fields.
func (i *Importer) byUnique(ctx context.Context, m *Import, def *entity.Definition, notes []shuffle.RefNote, found [][]string) error {
	type target struct {
		note int
		to   string
	}
	of := map[store.Key][]target{}
	keys := map[*entity.Definition][]store.Key{}
	for n, note := range notes {
		if len(found[n]) > 0 {
			continue
		}
		ref := def.Fields[note.Index].Ref
		for _, to := range ref.To {
			d, ok := i.Catalog.Entity(to)
			if !ok {
				continue
			}
			for _, by := range ref.By {
				_, f := d.Field(by)
				if f == nil || !f.Unique {
					continue
				}
				k := table.ClaimKey(m.Tenant, to, by, entity.Fold(f, note.Written))
				if len(of[k]) == 0 {
					keys[d] = append(keys[d], k)
				}
				of[k] = append(of[k], target{n, to})
			}
		}
	}
	for _, d := range i.Catalog.Entities() {
		owners, err := journal.Carriers(ctx, i.Records, m.Tenant, d, keys[d])
		if err != nil {
			return err
		}
		for _, k := range keys[d] {
			owner, ok := owners[k]
			if !ok {
				continue
			}
			for _, t := range of[k] {
				key := refKey(def.Fields[notes[t.note].Index].Ref, t.to, owner)
				if !slices.Contains(found[t.note], key) {
					found[t.note] = append(found[t.note], key)
				}
			}
		}
	}
	return nil
}

// byName finds the keys of the records with a name. A name that its record no
// longer has finds nothing.
func (i *Importer) byName(ctx context.Context, tenant, entityName, name string) ([]string, error) {
	folded := entity.FoldName(name)
	if folded == "" {
		return nil, nil
	}
	prefix := table.NamePrefix(folded)
	page, err := i.Records.Query(ctx, store.Query{PK: table.NamePartition(tenant, entityName, folded), Prefix: prefix, Limit: 10})
	if err != nil {
		return nil, fmt.Errorf("importer: looking up names: %w", err)
	}
	if len(page.Items) == 0 {
		return nil, nil
	}
	keys := make([]store.Key, len(page.Items))
	for n, it := range page.Items {
		keys[n] = table.RecordKey(tenant, entityName, it.SK[len(prefix):])
	}
	items, err := i.Records.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("importer: looking up names: %w", err)
	}
	def, _ := i.Catalog.Entity(entityName)
	var found []string
	for _, k := range keys {
		it, ok := items[k]
		if !ok {
			continue
		}
		r, err := table.Read(def, it)
		if err != nil {
			return nil, err
		}
		if !r.Gone && entity.FoldName(def.NameOf(r.Fields)) == folded {
			found = append(found, r.Key)
		}
	}
	return found, nil
}
