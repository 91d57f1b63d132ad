package importer

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
)

// lost are the rows that lose a unique value to an earlier row, and the keys
// all of whose rows are rejected for it.
type lost struct {
	Rows map[int64]lostRow           `json:"rows"`
	Keys map[string][]record.Problem `json:"keys"`
}

type lostRow struct {
	Batch    int              `json:"batch"`
	Problems []record.Problem `json:"problems"`
}

func lostKey(job Job, pass int) string { return job.work(fmt.Sprintf("lost-%d.json", pass)) }

func planKey(job Job, pass int) string { return job.work(fmt.Sprintf("plan-%d.json", pass)) }

func journalKey(job Job, item PlanItem) string {
	return job.journal(fmt.Sprintf("%06d.%d", item.Batch, item.Pass))
}

// planner makes the planner of an import's round.
func (i *Importer) planner(ctx context.Context, m *Import, pass int) (*journal.Planner, error) {
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	merge, err := def.MergeOptions(m.Options.Policies, m.Options.ReplaceLists)
	if err != nil {
		return nil, &fault.Refused{Code: "options_invalid", Message: "The policies asked for cannot be used: " + err.Error(), Cause: err}
	}
	resolutions, err := i.resolutions(ctx, m.job())
	if err != nil {
		return nil, err
	}
	p := &journal.Planner{
		Tenant: m.Tenant, Def: def, Merge: merge, Import: m.ID, NewVer: m.NewVer, Records: i.Records,
		Resolve: func(field int, name string) (journal.Resolution, bool) {
			r, ok := resolutions[shuffle.Ref{Index: field, Name: name}]
			return r, ok
		},
		Holding:    func(ctx context.Context, id string) (bool, error) { return i.holding(ctx, m.Tenant, id) },
		CreateOnly: m.Options.Mode == mapping.CreateOnly, UpdateOnly: m.Options.Mode == mapping.UpdateOnly,
		Repeats: journal.Repeats(m.Options.Repeats),
	}
	if pass > 1 {
		var l lost
		if err := i.getJSON(ctx, lostKey(m.job(), pass), &l); err != nil {
			return nil, err
		}
		p.Lost, p.LostKeys = make(map[int64][]record.Problem, len(l.Rows)), l.Keys
		for row, x := range l.Rows {
			p.Lost[row] = x.Problems
		}
	}
	return p, nil
}

// claimsHold is how long after an import's end a claim holds that its record
// does not carry: a late worker may still be writing.
const claimsHold = 20 * time.Minute

// holding tells whether an import may still write what it claimed.
func (i *Importer) holding(ctx context.Context, tenant, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	m, err := i.load(ctx, tenant, id)
	if errors.Is(err, ErrNoImport) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !m.State.Final() || i.Now().Sub(m.Finished) < claimsHold, nil
}

func (i *Importer) resolutions(ctx context.Context, job Job) (map[shuffle.Ref]journal.Resolution, error) {
	found := map[shuffle.Ref]journal.Resolution{}
	err := i.eachResolution(ctx, job, func(r resolved) error {
		found[shuffle.Ref{Index: r.Index, Name: r.Name}] = r.As
		return nil
	})
	return found, err
}

func (i *Importer) eachResolution(ctx context.Context, job Job, f func(resolved) error) error {
	return eachLine(ctx, i, job.work("resolutions.jsonl"), f)
}

// eachLine reads an object of JSON lines.
func eachLine[T any](ctx context.Context, i *Importer, key string, f func(T) error) error {
	body, _, err := i.Objects.Get(ctx, object.Ref{Key: key}, object.Range{})
	if err != nil {
		return fmt.Errorf("importer: reading %s: %w", key, err)
	}
	defer func() { _ = body.Close() }()
	dec := json.NewDecoder(bufio.NewReader(body))
	for {
		var v T
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("importer: reading %s: %w", key, err)
		}
		if err := f(v); err != nil {
			return err
		}
	}
}

// batchRows reads the prepared rows of a batch, in file order.
func (i *Importer) batchRows(ctx context.Context, segments []string, batch int) ([]shuffle.Row, error) {
	var rows []shuffle.Row
	for _, k := range segments {
		s, err := shuffle.Open(ctx, i.Objects, k)
		if errors.Is(err, object.ErrNotFound) {
			return nil, &fault.Broken{Message: "prepared rows are gone: " + k}
		}
		if err != nil {
			return nil, err
		}
		if rows, err = s.Batch(ctx, batch, rows); err != nil {
			return nil, err
		}
	}
	// Rows that had to be matched come behind those that did not.
	byNumber := func(a, b shuffle.Row) int { return cmp.Compare(a.Number, b.Number) }
	if !slices.IsSortedFunc(rows, byNumber) {
		slices.SortFunc(rows, byNumber)
	}
	return rows, nil
}

// Plan is a worker of the batch that its item names: it reads the stored
// records, works out each row's outcome and writes the journal.
func (i *Importer) Plan(ctx context.Context, in WorkerInput) (WorkerStep, error) {
	i, err := i.of(ctx, in.Job.Tenant)
	if err != nil {
		return WorkerStep{}, err
	}
	m, err := i.begin(ctx, in.Job)
	if err != nil {
		return WorkerStep{}, err
	}
	var item PlanItem
	if err := json.Unmarshal(in.Item, &item); err != nil {
		return WorkerStep{}, &fault.Broken{Message: "the list of batches cannot be read"}
	}
	key := journalKey(in.Job, item)
	if _, err := i.Objects.Head(ctx, object.Ref{Key: key}); err == nil {
		return in.done(), nil
	} else if !errors.Is(err, object.ErrNotFound) {
		return WorkerStep{}, fmt.Errorf("importer: looking for %s: %w", key, err)
	}
	p, err := i.planner(ctx, m, item.Pass)
	if err != nil {
		return WorkerStep{}, err
	}
	rec, err := i.reconciled(ctx, in.Job)
	if err != nil {
		return WorkerStep{}, err
	}
	rows, err := i.batchRows(ctx, rec.Segments, item.Batch)
	if err != nil {
		return WorkerStep{}, err
	}
	j, err := p.Batch(ctx, item.Batch, rows)
	if err != nil {
		return WorkerStep{}, err
	}
	body, err := j.Encode()
	if err != nil {
		return WorkerStep{}, err
	}
	if _, err := i.Objects.Put(ctx, key, body, object.PutOptions{IfNoneMatch: true}); err != nil && !errors.Is(err, object.ErrExists) {
		return WorkerStep{}, fmt.Errorf("importer: storing %s: %w", key, err)
	}
	return in.done(), nil
}

func (i *Importer) reconciled(ctx context.Context, job Job) (*Reconciled, error) {
	var rec Reconciled
	if err := i.getJSON(ctx, job.work("reconciled.json"), &rec); err != nil {
		return nil, err
	}
	return &rec, nil
}
