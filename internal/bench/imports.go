package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/dynamo"
	"github.com/dropload/dropload/statemachine/asl"
)

// bench is a stage whose functions are watched: at most so many workers of a
// Map run at a time, and how long each function took is kept.
type bench struct {
	*rehearsal.Stage
	free chan struct{}

	mu    sync.Mutex
	phase map[string]*phase
}

// phase is how long at least one call of a function ran.
type phase struct {
	running int
	since   time.Time
	took    time.Duration
}

// newBench sets a stage over a records table; adjust may change its sizes.
func newBench(ctx context.Context, records store.Table, workers int, adjust func(*importer.Config)) (*bench, error) {
	b := &bench{free: make(chan struct{}, workers), phase: map[string]*phase{}}
	config := importer.Defaults()
	adjust(&config)
	var err error
	b.Stage, err = rehearsal.New(ctx, rehearsal.Options{
		Config: &config, Table: records,
		Before: func(function string, _ []byte) *asl.Error {
			b.begin(function)
			return nil
		},
		After: func(function string, _ []byte) *asl.Error {
			b.end(function)
			return nil
		},
	})
	return b, err
}

func isWorker(function string) bool {
	return function == "Prepare" || function == "Plan" || function == "Apply"
}

func (b *bench) begin(function string) {
	if isWorker(function) {
		b.free <- struct{}{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.phase[function]
	if p == nil {
		p = &phase{}
		b.phase[function] = p
	}
	if p.running == 0 {
		p.since = time.Now()
	}
	p.running++
}

func (b *bench) end(function string) {
	b.mu.Lock()
	p := b.phase[function]
	if p.running--; p.running == 0 {
		p.took += time.Since(p.since)
	}
	b.mu.Unlock()
	if isWorker(function) {
		<-b.free
	}
}

// took is how long functions took together.
func (b *bench) took(functions ...string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sum time.Duration
	for _, f := range functions {
		if p := b.phase[f]; p != nil {
			sum += p.took
		}
	}
	return sum
}

// tell says how long each function of the last import took.
func (b *bench) tell(w io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprint(w, " ")
	for _, f := range slices.Sorted(maps.Keys(b.phase)) {
		fmt.Fprintf(w, " %s %.2f s", f, b.phase[f].took.Seconds())
	}
	fmt.Fprintln(w)
}

// timing is one import: how long its writing half and how long all of it took,
// and the processor time that went into it.
type timing struct {
	apply, whole, cpu time.Duration
	rows              record.Counts
}

// measure runs an import to its end.
func (b *bench) measure(ctx context.Context, k kind, name string, file []byte) (timing, error) {
	b.mu.Lock()
	clear(b.phase)
	b.mu.Unlock()
	begin, spent := time.Now(), cpu()
	m, x, err := b.Import(ctx, k.entity, name, file)
	if err != nil {
		return timing{}, err
	}
	t := timing{apply: b.took("Plan", "Settle", "Found", "Apply"), whole: time.Since(begin), cpu: cpu() - spent, rows: m.Rows}
	if m.State != importer.Completed {
		return t, fmt.Errorf("the import of %s ended %s: %s %s %+v", name, m.State, x.Error, x.Cause, m.Trouble)
	}
	return t, nil
}

func perSecond(rows int64, took time.Duration) float64 { return float64(rows) / took.Seconds() }

func perRow(d time.Duration, rows int) float64 { return float64(d.Microseconds()) / float64(rows) }

// againstStub imports new rows into a table that takes 8 ms for each request.
func againstStub(ctx context.Context, s *settings, res *results) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	endpoint, err := serveStub(ctx, 8*time.Millisecond)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		kind kind
		goal string
	}{{products(), "≥ 0.85"}, {contacts(true), "≥ 0.42"}} {
		err := beside(ctx, s, res, endpoint, c.kind, s.stubRows, "8 ms", []work{{"new", edition{}, c.goal}})
		if err != nil {
			return err
		}
	}
	return nil
}

// againstLocal imports new rows, one row in ten changed and nothing changed.
func againstLocal(ctx context.Context, s *settings, res *results) error {
	endpoint, stop, err := startLocal(ctx, s)
	if err != nil {
		return err
	}
	defer stop()
	if err := warmUp(ctx, s, endpoint); err != nil {
		return err
	}
	for _, c := range []struct {
		kind kind
		goal string
	}{{products(), "≥ 0.25"}, {contacts(true), "≥ 0.13"}} {
		err := beside(ctx, s, res, endpoint, c.kind, s.localRows, "local", []work{
			{"new", edition{}, c.goal}, {"1 in 10 changed", edition{10, 1}, "≥ 1.0"}, {"unchanged", edition{10, 1}, "≥ 2.5"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// warmUp lets the engine compile what it runs often.
func warmUp(ctx context.Context, s *settings, endpoint string) error {
	const rows = 6000
	k := products()
	row := k.row
	k.row = func(n int, e edition) []string {
		cells := row(n, e)
		cells[0] = "W" + cells[0] // other records than those that are measured
		return cells
	}
	client, err := connect(ctx, endpoint)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, dynamo.New(client, recordsTable), s.workers, func(*importer.Config) {})
	if err != nil {
		return err
	}
	for n := range 2 {
		if _, err := blindLoad(ctx, client, k.csv(rows, edition{}), s.workers); err != nil {
			return err
		}
		if _, err := b.measure(ctx, k, fmt.Sprintf("warm-%d.csv", n), k.csv(rows, edition{2, n})); err != nil {
			return err
		}
	}
	return nil
}

// work is one import of a row of them over the same records.
type work struct {
	name    string
	edition edition
	goal    string
}

// beside runs imports and the floor in turns against one store.
func beside(ctx context.Context, s *settings, res *results, endpoint string, k kind, rows int, where string, works []work) error {
	client, err := connect(ctx, endpoint)
	if err != nil {
		return err
	}
	// As many requests write at a time as the floor's; reads are overlapped.
	records := dynamo.New(client, recordsTable, dynamo.WithConcurrency(1))
	b, err := newBench(ctx, records, s.workers, func(c *importer.Config) {
		c.BatchRows = rows / s.workers
		c.PartBytes = int64(len(k.csv(rows, edition{}))/s.workers + 1)
	})
	if err != nil {
		return err
	}
	for _, w := range works {
		file := k.csv(rows, w.edition)
		spent := cpu()
		floor, err := blindLoad(ctx, client, file, s.workers)
		if err != nil {
			return err
		}
		spent = cpu() - spent
		t, err := b.measure(ctx, k, w.name+".csv", file)
		if err != nil {
			return err
		}
		after, err := blindLoad(ctx, client, file, s.workers)
		if err != nil {
			return err
		}
		floor = (floor + after) / 2
		name := fmt.Sprintf("%s, %s, %s", where, k.entity, w.name)
		b.tell(res.progress)
		res.add(name+": plan + apply", perSecond(t.rows.Read, t.apply), floor, "rows/s", w.goal)
		res.add(name+": processor time", perRow(t.cpu, rows), perRow(spent, rows), "µs/row", "")
		res.add(name+": whole import", perSecond(t.rows.Read, t.whole), floor, "rows/s", "")
	}
	return nil
}
