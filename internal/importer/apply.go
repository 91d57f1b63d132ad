package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
)

func applyKey(job Job, batch int, name string) string {
	return job.work(fmt.Sprintf("apply/%06d%s", batch, name))
}

// Applied is what a worker of Apply left: the batch's outcomes.
type Applied struct {
	Counts    record.Counts     `json:"counts"`
	Overrides journal.Overrides `json:"overrides,omitempty"`
}

// begun marks that a worker started, and when.
type begun struct {
	At time.Time `json:"at"`
}

// Found makes the records that rows refer to, before the rows. It answers
// "apply", or "report" where nothing is to be written.
func (i *Importer) Found(ctx context.Context, job Job) (Step, error) {
	i, err := i.of(ctx, job.Tenant)
	if err != nil {
		return Step{}, err
	}
	m, err := i.begin(ctx, job)
	if err != nil {
		return Step{}, err
	}
	var f Final
	if err := i.getJSON(ctx, job.work("final.json"), &f); err != nil {
		return Step{}, err
	}
	if len(f.Writes) == 0 {
		return Step{Job: job, Next: "report"}, nil
	}
	if _, err := i.edit(ctx, job.Tenant, job.Import, func(m *Import) error {
		if m.Round != job.Round || !m.Begun.IsZero() {
			return errStop
		}
		m.Begun = i.Now().UTC()
		return nil
	}); err != nil {
		return Step{}, err
	}
	if name := f.Credits.Name(); name != "" {
		if err := i.putDocument(ctx, creditedKey(m, name), m.ID); err != nil {
			return Step{}, err
		}
	}
	names := append(slices.Collect(maps.Keys(f.Made)), m.Entity)
	if err := i.nextEpoch(ctx, job.Tenant, names); err != nil {
		return Step{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(f.Made)) {
		if err := i.make(ctx, m, name); err != nil {
			return Step{}, err
		}
	}
	manifest := job.work("apply.json")
	if err := i.putJSON(ctx, manifest, f.Writes); err != nil {
		return Step{}, err
	}
	return Step{Job: job, Next: "apply", Manifest: manifest}, nil
}

// make applies journal 0 of one entity. A record that somebody else made in the
// meantime is the same one, and is left.
func (i *Importer) make(ctx context.Context, m *Import, name string) error {
	a, stored, err := i.maker(ctx, m, name)
	if err != nil {
		return err
	}
	p, err := a.Apply(ctx, stored, 0)
	if err == nil && p.Stopped {
		err = &fault.Cancelled{}
	}
	return err
}

// maker carries out journal 0 of one entity.
func (i *Importer) maker(ctx context.Context, m *Import, name string) (*journal.Applier, *journal.Stored, error) {
	def, ok := i.Catalog.Entity(name)
	if !ok {
		return nil, nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", name)}
	}
	stored, err := journal.Open(ctx, i.Objects, madeJournal(m.job(), name))
	if err != nil {
		return nil, nil, err
	}
	merge, err := def.MergeOptions(nil, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("importer: %w", err)
	}
	return &journal.Applier{
		Planner: &journal.Planner{
			Tenant: m.Tenant, Def: def, Merge: merge, Import: m.ID, NewVer: m.NewVer, Records: i.Records, CreateOnly: true,
			Resolve: func(int, string) (journal.Resolution, bool) { return journal.Resolution{}, false },
			Holding: func(ctx context.Context, id string) (bool, error) { return i.holding(ctx, m.Tenant, id) },
		},
		Objects: i.Objects, Prefix: m.job().work("apply/made-" + name), Names: i.named(name), Now: i.Now,
		Stopped: func(ctx context.Context) (bool, error) { return i.stopped(ctx, m.job()) },
		Rows: func(ctx context.Context, key string) ([]shuffle.Row, error) {
			return madeRows(ctx, stored, def, key)
		},
	}, stored, nil
}

// madeRows is the row that a record of journal 0 would have had in a file.
func madeRows(ctx context.Context, stored *journal.Stored, def *entity.Definition, key string) ([]shuffle.Row, error) {
	var rows []shuffle.Row
	err := stored.EachWrite(ctx, func(e *journal.Entry) error {
		if e.Key != key {
			return nil
		}
		r := shuffle.Row{Key: e.Key, Written: e.Written}
		for n := range def.Fields {
			if v, ok := e.After[def.Fields[n].Name]; ok {
				r.Fields = append(r.Fields, entity.FieldValue{Index: n, Value: v})
			}
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// applier carries out the journal of a batch.
func (i *Importer) applier(ctx context.Context, m *Import, item PlanItem, segments []string) (*journal.Applier, error) {
	p, err := i.planner(ctx, m, item.Pass)
	if err != nil {
		return nil, err
	}
	var byKey map[string][]shuffle.Row // read when the first record is decided again
	return &journal.Applier{
		Planner: p, Objects: i.Objects, Prefix: applyKey(m.job(), item.Batch, ".again"), Names: i.named(m.Entity), Now: i.Now,
		Stopped:  func(ctx context.Context) (bool, error) { return i.stopped(ctx, m.job()) },
		Deadline: i.deadline(ctx), Wave: i.Config.Wave,
		Rows: func(ctx context.Context, key string) ([]shuffle.Row, error) {
			if byKey == nil {
				rows, err := i.batchRows(ctx, segments, item.Batch)
				if err != nil {
					return nil, err
				}
				byKey = make(map[string][]shuffle.Row, len(rows))
				for _, r := range rows {
					byKey[r.Key] = append(byKey[r.Key], r)
				}
			}
			return byKey[key], nil
		},
	}, nil
}

// Apply is a worker of the batch that its item names: it carries out its
// journal. It marks that it started, and leaves the outcomes; a worker that is
// told to stop leaves only that it ended.
func (i *Importer) Apply(ctx context.Context, in WorkerInput) (WorkerStep, error) {
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
	if _, err := i.Objects.Head(ctx, object.Ref{Key: applyKey(in.Job, item.Batch, ".json")}); err == nil {
		return in.done(), nil
	} else if !errors.Is(err, object.ErrNotFound) {
		return WorkerStep{}, fmt.Errorf("importer: looking for a result: %w", err)
	}
	if err := i.putJSON(ctx, applyKey(in.Job, item.Batch, ".started"), begun{i.Now()}); err != nil {
		return WorkerStep{}, err
	}
	rec, err := i.reconciled(ctx, in.Job)
	if err != nil {
		return WorkerStep{}, err
	}
	a, err := i.applier(ctx, m, item, rec.Segments)
	if err != nil {
		return WorkerStep{}, err
	}
	stored, err := journal.Open(ctx, i.Objects, journalKey(in.Job, item))
	if err != nil {
		return WorkerStep{}, err
	}
	progress, err := a.Apply(ctx, stored, in.From)
	switch {
	case err != nil:
		return WorkerStep{}, err
	case progress.Stopped:
		return in.done(), i.putJSON(ctx, applyKey(in.Job, item.Batch, ".ended"), begun{i.Now()})
	case !progress.Done:
		return in.more(progress.From), nil
	}
	var result Applied
	if result.Counts, result.Overrides, err = a.Audit(ctx, stored, false); err != nil {
		return WorkerStep{}, err
	}
	_, err = i.keepJSON(ctx, applyKey(in.Job, item.Batch, ".json"), &result)
	return in.done(), err
}
