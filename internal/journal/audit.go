package journal

import (
	"context"
	"reflect"
	"slices"
	"strconv"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Audit works out what became of the batch's rows: the counts, and the rows
// whose outcome is not the planned one. A worker that is done audits what was
// decided again; with everything true every record is looked at, which tells
// what a worker that is gone has left undone: those rows are rejected with the
// code "not_applied". The names and credits of what it did write are then made
// good; values that it did not free hold nobody up.
func (a *Applier) Audit(ctx context.Context, s *Stored, everything bool) (record.Counts, Overrides, error) {
	counts, overrides := s.Counts, Overrides{}
	decided, err := a.Supplements(ctx, 0, -1)
	if err != nil || len(decided) == 0 && !everything {
		return counts, overrides, err
	}
	var chunk []*Entry
	flush := func() error {
		found, err := a.look(ctx, chunk)
		if err != nil {
			return err
		}
		if everything {
			if err := a.complete(ctx, chunk, found, decided); err != nil {
				return err
			}
		}
		for _, e := range chunk {
			final, err := a.final(ctx, e, found[e.Key], decided[e.Key])
			if err != nil {
				return err
			}
			overrides.differ(&counts, e, final)
		}
		chunk = chunk[:0]
		return nil
	}
	err = s.EachWrite(ctx, func(e *Entry) error {
		if everything || len(decided[e.Key]) > 0 {
			chunk = append(chunk, e)
		}
		if len(chunk) == Wave {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return counts, overrides, err
}

// complete does what is left to do for records that were written.
func (a *Applier) complete(ctx context.Context, entries []*Entry, found map[string]*seen, decided map[string][]*Entry) error {
	var landed, newest []*Entry
	for _, e := range entries {
		if e.Op == Pay && len(decided[e.Key]) == 0 {
			// A record's credits are made or not; some of them are no end.
			paid, err := a.Planner.credited(ctx, e)
			if err != nil {
				return err
			}
			if paid > 0 && paid < len(e.Credits) {
				landed = append(landed, e)
			}
			continue
		}
		s := found[e.Key]
		w, wrote := s.stored.Wrote(a.Planner.Import)
		for _, d := range append([]*Entry{e}, decided[e.Key]...) {
			if !wrote || d.Op == None || d.Op == Pay || d.NewVer != w.Ver {
				continue
			}
			landed = append(landed, d)
			if s.stored.Ver == d.NewVer {
				newest = append(newest, d)
			}
			break
		}
	}
	if err := a.settle(ctx, newest, nil); err != nil {
		return err
	}
	return a.credit(ctx, landed)
}

// NotApplied is the problem of a good row that was not applied because its
// import ended.
func NotApplied() record.Problem { return record.Problem{Code: "not_applied", Column: -1} }

// Unapplied are the outcomes of a journal that was not carried out: the rows of
// each record that it would have written are rejected.
func (s *Stored) Unapplied(ctx context.Context) (record.Counts, Overrides, error) {
	counts, overrides := s.Counts, Overrides{}
	err := s.EachWrite(ctx, func(e *Entry) error {
		overrides.differ(&counts, e, refuse(e, NotApplied().Code).Rows)
		return nil
	})
	return counts, overrides, err
}

// differ notes the rows of an entry that ended otherwise than they were planned.
func (o Overrides) differ(counts *record.Counts, e *Entry, final []RowNote) {
	for i, r := range final {
		if reflect.DeepEqual(r, e.Rows[i]) {
			continue
		}
		counts.Add(e.Rows[i].Outcome, -1)
		counts.Add(r.Outcome, 1)
		o[r.Number] = r
	}
}

// final are the rows of an entry as they ended.
func (a *Applier) final(ctx context.Context, e *Entry, s *seen, decided []*Entry) ([]RowNote, error) {
	if e.Op == Pay && len(decided) == 0 {
		paid, err := a.Planner.credited(ctx, e)
		if err == nil && paid < len(e.Credits) {
			return refuse(e, NotApplied().Code).Rows, nil
		}
		return e.Rows, err
	}
	state := s.state(e, a.Planner.Import)
	if state == wroteThis {
		return e.Rows, nil
	}
	if w, ok := s.stored.Wrote(a.Planner.Import); ok {
		for _, d := range decided {
			if d.Op != None && d.NewVer == w.Ver {
				return d.Rows, nil
			}
		}
	}
	for _, d := range slices.Backward(decided) {
		if d.Op == None || d.Op == Pay {
			return d.Rows, nil
		}
	}
	if state == unknown {
		return undecided(e).Rows, nil
	}
	return refuse(e, NotApplied().Code).Rows, nil
}

// NameOps are the writes that keep the names of a record, by which references
// find it, in step with its fields of version ver. They may be repeated, and
// late: a name that a later version has again is not taken away.
func NameOps(tenant string, def *entity.Definition, key string, ver int64, before, after record.Fields) []store.Op {
	was, is := entity.FoldName(def.NameOf(before)), entity.FoldName(def.NameOf(after))
	if was == is {
		return nil
	}
	var ops []store.Op
	n := store.Number(strconv.FormatInt(ver, 10))
	if is != "" {
		ops = append(ops, store.Op{Kind: store.Put, Key: table.NameKey(tenant, def.Name, is, key), Set: map[string]any{"n": def.NameOf(after), table.AttrVersion: n}})
	}
	if was != "" {
		ops = append(ops, store.Op{
			Kind: store.Delete, Key: table.NameKey(tenant, def.Name, was, key),
			If: []store.Cond{{Kind: store.Less, Attr: table.AttrVersion, Value: n}},
		})
	}
	return ops
}
