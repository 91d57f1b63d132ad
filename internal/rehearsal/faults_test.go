package rehearsal_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/rehearsal"
)

// everything is all that may go wrong without an import giving up.
func everything() map[trouble]uint64 {
	return map[trouble]uint64{
		killedBefore: 100, killedWithin: 50, killedAfter: 200, lostRequest: 40, lostReply: 60, throttled: 60, lostWrites: 80,
		sentTwice: 100, twice: 200, ghost: 100, slow: 40,
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
			ctx := t.Context()
			s, err := rehearsal.New(ctx, rehearsal.Options{Config: drawConfig(t), Records: sky.table, Control: sky.table, Objects: sky.bucket})
			if err != nil {
				t.Fatal(err)
			}
			sky.over(s)
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

// drawOdds draws which ways things go wrong in, so that a case that fails
// shrinks to those that matter.
func drawOdds(t *rapid.T) map[trouble]uint64 {
	odds := everything()
	for _, name := range []trouble{killedBefore, killedWithin, killedAfter, lostRequest, lostReply, throttled, lostWrites, sentTwice, twice, ghost, slow} {
		if !rapid.Bool().Draw(t, string(name)) {
			delete(odds, name)
		}
	}
	return odds
}
