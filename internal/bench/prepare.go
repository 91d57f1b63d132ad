package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store"
)

// prepareAlone prepares contacts of 12 columns on one core: read, mapped,
// checked, put into batches and stored, in memory.
func prepareAlone(ctx context.Context, _ *settings, res *results) error {
	for _, c := range []struct {
		name   string
		phones bool
		goal   string
	}{{"prepare, one core, with phones", true, "70,000"}, {"prepare, one core, no phones", false, "250,000"}} {
		var best float64
		for range 3 {
			perSecond, err := prepareOnce(ctx, contacts(c.phones), 200_000)
			if err != nil {
				return err
			}
			best = max(best, perSecond)
		}
		res.add(c.name, best, 0, "rows/s", c.goal)
	}
	return nil
}

func prepareOnce(ctx context.Context, k kind, rows int) (float64, error) {
	s, err := rehearsal.New(ctx, rehearsal.Options{Table: nothing{}})
	if err != nil {
		return 0, err
	}
	d, err := s.Put(ctx, k.entity, "alone.csv", k.csv(rows, edition{}))
	if err != nil {
		return 0, err
	}
	step, err := s.Inspect(ctx, importer.InspectInput{Event: d.Event, Execution: d.Execution})
	if err == nil {
		step, err = s.Split(ctx, step.Job)
	}
	if err != nil {
		return 0, err
	}
	manifest, err := s.Read(ctx, step.Manifest)
	if err != nil {
		return 0, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(manifest, &items); err != nil {
		return 0, err
	}
	runtime.GC()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	begin := cpu() // of one core, whoever else uses the machine
	for n, item := range items {
		out, err := s.Prepare(ctx, importer.WorkerInput{Job: step.Job, Index: n, Item: item})
		if err != nil {
			return 0, err
		}
		if out.Next != "done" {
			return 0, fmt.Errorf("prepare answered %q", out.Next)
		}
	}
	return float64(rows) / (cpu() - begin).Seconds(), nil
}

// nothing is a records table that takes all and has nothing: what is measured
// beside it costs what our own code costs.
type nothing struct{}

var _ store.Table = nothing{}

// Get implements store.Table.
func (nothing) Get(context.Context, []store.Key) (map[store.Key]store.Item, error) {
	return map[store.Key]store.Item{}, nil
}

// Write implements store.Table.
func (nothing) Write(_ context.Context, ops []store.Op) ([]store.Result, error) {
	return make([]store.Result, len(ops)), nil
}

// Transact implements store.Table.
func (nothing) Transact(context.Context, []store.Op) error { return nil }

// Query implements store.Table.
func (nothing) Query(context.Context, store.Query) (store.Page, error) { return store.Page{}, nil }
