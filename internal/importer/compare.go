package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/object"
)

// Difference is a record that a plan treats otherwise than the plan that was
// made, and maybe shown, before another import changed it.
type Difference struct {
	Key string     `json:"key"`
	Was journal.Op `json:"was"` // "" is nothing to write
	Is  journal.Op `json:"is"`
	// Fields are those that end otherwise, or begin so.
	Fields []string `json:"fields,omitempty"`
}

// compare lists what the round plans otherwise than the round before it, where
// that one was planned to its end, and returns how many records that are.
func (i *Importer) compare(ctx context.Context, m *Import, items []PlanItem) (int64, error) {
	if m.Shown == 0 {
		return 0, nil
	}
	before := m.job()
	before.Round = m.Shown
	var shown Final
	if err := i.getJSON(ctx, before.work("final.json"), &shown); err != nil {
		return 0, err
	}
	passes := map[int]int{}
	for _, it := range shown.Items {
		passes[it.Batch] = it.Pass
	}
	var (
		out   bytes.Buffer
		count int64
		enc   = json.NewEncoder(&out)
	)
	for _, it := range items {
		was, err := i.planned(ctx, before, PlanItem{Batch: it.Batch, Pass: passes[it.Batch]})
		if err != nil {
			return 0, err
		}
		is, err := i.planned(ctx, m.job(), it)
		if err != nil {
			return 0, err
		}
		keys := map[string]bool{}
		for k := range was {
			keys[k] = true
		}
		for k := range is {
			keys[k] = true
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			d, differs := difference(k, was[k], is[k])
			if !differs {
				continue
			}
			count++
			if err := enc.Encode(d); err != nil {
				return 0, fmt.Errorf("importer: %w", err)
			}
		}
	}
	if _, err := i.Objects.Put(ctx, m.job().work("differences.jsonl"), &out, object.PutOptions{}); err != nil {
		return 0, fmt.Errorf("importer: storing the differences: %w", err)
	}
	return count, nil
}

// planned are the entries of a journal with something to write, by key.
func (i *Importer) planned(ctx context.Context, job Job, item PlanItem) (map[string]*journal.Entry, error) {
	entries := map[string]*journal.Entry{}
	stored, err := journal.Open(ctx, i.Objects, journalKey(job, item))
	if errors.Is(err, object.ErrNotFound) {
		return entries, nil
	}
	if err != nil {
		return nil, err
	}
	return entries, stored.EachWrite(ctx, func(e *journal.Entry) error {
		entries[e.Key] = e
		return nil
	})
}

// difference compares two plans of one record; nil is nothing to write.
func difference(key string, was, is *journal.Entry) (Difference, bool) {
	d := Difference{Key: key}
	fields := map[string]bool{}
	for _, e := range []*journal.Entry{was, is} {
		if e != nil {
			for _, name := range e.Changed {
				fields[name] = true
			}
		}
	}
	if was != nil {
		d.Was = was.Op
	}
	if is != nil {
		d.Is = is.Op
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if was == nil || is == nil || !was.After[name].Equal(is.After[name]) || !was.Before[name].Equal(is.Before[name]) {
			d.Fields = append(d.Fields, name)
		}
	}
	return d, d.Was != d.Is || len(d.Fields) > 0
}

// Differences calls f with each record that the import's plan treats otherwise
// than the plan before it.
func (i *Importer) Differences(ctx context.Context, tenant, id string, f func(Difference) error) error {
	m, err := i.load(ctx, tenant, id)
	if err != nil || m.Shown == 0 {
		return err
	}
	err = eachLine(ctx, i, m.job().work("differences.jsonl"), f)
	if errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return err
}
