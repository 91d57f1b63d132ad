package rehearsal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/rehearsal"
)

// everything is all that may go wrong without an import giving up.
func everything() map[trouble]uint64 {
	return map[trouble]uint64{
		killedBefore: 100, killedWithin: 50, killedAfter: 200, lostRequest: 40, lostReply: 60, throttled: 60, lostWrites: 80,
		sentTwice: 100, twice: 200, ghost: 100, slow: 40, short: 300,
	}
}

// TestOracleUnderFaults imports random files while functions are killed and run
// twice, and requests and replies are lost, as often as the state machine can
// bear. What is stored and told is what it would have been without.
func TestOracleUnderFaults(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			sky := newWeather(rapid.Uint64().Draw(t, "seed"), 3, drawOdds(t))
			sky.pace = time.Duration(rapid.IntRange(0, 400).Draw(t, "pace")) * time.Millisecond
			ctx := t.Context()
			s, err := rehearsal.New(ctx, rehearsal.Options{Config: drawConfig(t), Records: sky.table, Control: sky.table, Objects: sky.bucket})
			if err != nil {
				t.Fatal(err)
			}
			sky.over(s)
			defer sky.clears()
			w := newWitness(s)
			w.loose = true
			if err := w.openAccounts(ctx); err != nil {
				t.Fatal(err)
			}
			entities := drawEntities(t)
			for n := range rapid.IntRange(1, 4).Draw(t, "files") {
				f := drawFile(t, entities)
				t.Logf("%s", f)
				if err := w.imports(ctx, f, fmt.Sprint(n)); err != nil {
					t.Fatalf("%v\nwent wrong: %v", err, sky.seen)
				}
			}
			sky.ghosts.Wait()
			if err := w.stored(ctx); err != nil {
				t.Fatalf("after the last ghost: %v", err)
			}
		})
	})
}

// TestOracleWhereImportsEndEarly cancels imports at any time, or lets things go
// wrong more often than the state machine tries again, or takes objects away.
// Each record is then as it was or as it was to be, the report says which, and
// once no late worker can be left a further import is as if nothing had been.
func TestOracleWhereImportsEndEarly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			sky := newWeather(rapid.Uint64().Draw(t, "seed"), 3, drawOdds(t))
			sky.breaks = rapid.SampledFrom([]string{"", "", "Apply", "Apply", "Prepare", "Plan", "Found", "Report"}).Draw(t, "breaks")
			sky.pace = 400 * time.Millisecond
			ctx := t.Context()
			s, err := rehearsal.New(ctx, rehearsal.Options{Config: drawConfig(t), Records: sky.table, Control: sky.table, Objects: sky.bucket})
			if err != nil {
				t.Fatal(err)
			}
			s.Runner.LeaveWorkers = rapid.Bool().Draw(t, "workers are left")
			s.Runner.Machine.States["Apply"].MaxConcurrency = rapid.IntRange(1, 3).Draw(t, "workers at once")
			sky.over(s)
			defer func() {
				s.Runner.Join()
				sky.clears()
			}()
			w := newWitness(s)
			w.loose = true
			if err := w.openAccounts(ctx); err != nil {
				t.Fatal(err)
			}
			entities := drawEntities(t)
			for n := range rapid.IntRange(1, 3).Draw(t, "files") {
				f := drawFile(t, entities)
				f.options.DryRun = false
				t.Logf("%s", f)
				sky.off.Store(n%2 == 1)
				if n%2 == 1 {
					pass(21 * time.Minute)
					s.Runner.Join()
					sky.ghosts.Wait()
					if err := w.imports(ctx, f, fmt.Sprint(n)); err != nil {
						t.Fatalf("afterwards: %v\nwent wrong: %v", err, sky.seen)
					}
					continue
				}
				end := earlyEnd{after: time.Duration(rapid.IntRange(0, 8_000).Draw(t, "after")) * time.Millisecond}
				switch rapid.IntRange(0, 3).Draw(t, "end") {
				case 0:
					end.writes = rapid.IntRange(1, 6).Draw(t, "writes")
				case 1:
					end.cancelled = rapid.SampledFrom([]importer.State{importer.Inspecting, importer.Preparing, importer.Planning}).Draw(t, "cancelled")
				case 2:
					end.takes = rapid.SampledFrom([]string{"/plan-1.json", "/prepare/", "/journals/", "final.json", "apply.json", "/reconciled.json", "/parts.json", "/apply/"}).Draw(t, "taken away")
				}
				if err := w.endsEarly(ctx, f, fmt.Sprint(n), sky, end); err != nil {
					t.Fatalf("%v\nwent wrong: %v", err, sky.seen)
				}
			}
		})
	})
}

// earlyEnd is why an import ends early.
type earlyEnd struct {
	cancelled importer.State // in which it is cancelled, "" for none
	writes    int            // of records, after which it is cancelled
	takes     string         // what is in the keys of objects that disappear
	after     time.Duration  // of the beginning, or of the state
}

// endsEarly imports a file and ends it early.
func (w *witness) endsEarly(ctx context.Context, f *file, id string, sky *weather, end earlyEnd) error {
	s := w.stage
	key, err := s.Announce(ctx, rehearsal.Tenant, f.entity, id, "file.csv", importer.Intent{Options: &f.options})
	if err != nil {
		return err
	}
	d, err := s.PutKey(ctx, key, []byte(f.text()))
	if err != nil {
		return err
	}
	begun, stop := context.WithCancel(ctx)
	defer stop()
	var others sync.WaitGroup
	if end.cancelled != "" {
		others.Go(func() {
			for begun.Err() == nil {
				pass(50 * time.Millisecond)
				m, err := s.Of(ctx, d)
				if err != nil || m.State != end.cancelled {
					continue
				}
				pass(end.after)
				_ = s.Cancel(ctx, rehearsal.Tenant, m.ID) // it may be at its end
				return
			}
		})
	}
	if end.writes > 0 {
		wrote := sky.after(end.writes)
		others.Go(func() {
			select {
			case <-wrote:
				if m, err := s.Of(ctx, d); err == nil {
					_ = s.Cancel(ctx, rehearsal.Tenant, m.ID)
				}
			case <-begun.Done():
			}
		})
	}
	if end.takes != "" {
		others.Go(func() {
			pass(10 * end.after)
			for begun.Err() == nil {
				pass(500 * time.Millisecond)
				infos, _, err := s.Objects.List(ctx, "", "")
				for _, info := range infos {
					if err == nil && strings.Contains("/"+info.Key, end.takes) {
						_ = s.Objects.Delete(ctx, info.Key)
					}
				}
			}
		})
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		return err
	}
	if wait, err := s.Runner.Await(ctx, d.Execution); err == nil && wait.State == "AwaitStart" {
		if m, err := s.Of(ctx, d); err == nil {
			_ = s.Start(ctx, rehearsal.Tenant, m.ID) // it may be cancelled
		}
	}
	x, err := s.Runner.Wait(ctx, d.Execution)
	if err != nil {
		return err
	}
	stop()
	others.Wait()
	m, err := s.Of(ctx, d)
	if errors.Is(err, importer.ErrNoImport) {
		return nil // it never was registered
	}
	if err != nil {
		return err
	}
	if !m.State.Final() { // the rule on the execution's end
		sky.off.Store(true)
		rescue := importer.RescueInput{}
		rescue.Detail.Name, rescue.Detail.Status, rescue.Detail.Input = d.Execution, x.Status, string(d.Event)
		if err := s.Rescue(ctx, rescue); err != nil {
			return fmt.Errorf("rescue: %w", err)
		}
		if m, err = s.Of(ctx, d); err != nil {
			return err
		}
	}
	if !m.State.Final() {
		return fmt.Errorf("it ended in %v and is %s", x.Path, m.State)
	}
	todo := w.take(f)
	before := len(w.ledger)
	if err := w.adopt(todo, m); err != nil {
		return fmt.Errorf("%w\n%s", err, trace(ctx, s, m))
	}
	if m.NothingWritten && (len(todo.out.writes) > 0 || len(w.ledger) > before) {
		return fmt.Errorf("it says that nothing was written")
	}
	switch {
	case end.takes != "":
	case m.Planned:
		if err := w.counted(ctx, f, m, todo.out); err != nil {
			return fmt.Errorf("%s: %w\n%s", m.State, err, trace(ctx, s, m))
		}
	case m.Rows.Read != 0 && m.Rows.Read != int64(len(todo.out.rows)):
		return fmt.Errorf("%d rows read, want %d", m.Rows.Read, len(todo.out.rows))
	}
	if !m.Rows.AddUp() {
		return fmt.Errorf("counts do not add up: %+v", m.Rows)
	}
	return nil
}

// drawOdds draws which ways things go wrong in, so that a case that fails
// shrinks to those that matter.
func drawOdds(t *rapid.T) map[trouble]uint64 {
	odds := everything()
	for _, name := range []trouble{killedBefore, killedWithin, killedAfter, lostRequest, lostReply, throttled, lostWrites, sentTwice, twice, ghost, slow, short} {
		if !rapid.Bool().Draw(t, string(name)) {
			delete(odds, name)
		}
	}
	return odds
}
