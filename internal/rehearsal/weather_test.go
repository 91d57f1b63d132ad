package rehearsal_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	objects "github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/statemachine/asl"
)

// weather makes things go wrong: at random, and much alike in each run of a
// case, for what happens to a call depends on what is called and how often it
// was, not on when.
type weather struct {
	seed uint64
	// odds are how many of a thousand calls go wrong in each way.
	odds map[trouble]uint64
	// patience is how often one piece of work may fail: less than the state
	// machine tries again, or it gives up.
	patience int
	// breaks is a function of which there is no end of trouble; "" is none.
	breaks string

	mu     sync.Mutex
	calls  map[string]int
	spent  map[string]int // of patience, by function and payload
	seen   map[trouble]int
	ghosts sync.WaitGroup
	off    atomic.Bool   // nothing more goes wrong
	pace   time.Duration // the most that a request takes anyway

	writes  int // until onWrite is closed
	onWrite chan struct{}
}

// trouble is a way in which a call goes wrong.
type trouble string

const (
	killedBefore trouble = "a function is killed before it begins"
	killedWithin trouble = "a function is killed within a request"
	killedAfter  trouble = "a function is killed before it answers"
	lostRequest  trouble = "a request is lost"
	lostReply    trouble = "a request is carried out and its reply is lost"
	throttled    trouble = "some writes of a batch are throttled"
	lostWrites   trouble = "some writes of a batch are carried out and told as failed"
	sentTwice    trouble = "a write is sent twice by its client"
	twice        trouble = "a function runs twice at once"
	ghost        trouble = "a function runs again, later and slowly"
	slow         trouble = "a request takes long"
	short        trouble = "a worker has little time and hands over"
)

// process is one run of a function.
type process struct {
	work string // function and payload
	run  string // which run of it
	slow bool
	mu   sync.Mutex
	dead bool
}

type processKey struct{}

func newWeather(seed uint64, patience int, odds map[trouble]uint64) *weather {
	return &weather{seed: seed, odds: odds, patience: patience, calls: map[string]int{}, spent: map[string]int{}, seen: map[trouble]int{}}
}

// roll decides whether a call of a run of some work goes wrong in a way.
func (w *weather) roll(t trouble, work, run, what string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.odds[t] == 0 || w.off.Load() {
		return false
	}
	id := string(t) + work + run + what
	w.calls[id]++
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, w.seed, id, w.calls[id])
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	if x%1000 >= w.odds[t] {
		return false
	}
	patience := w.patience
	if w.breaks != "" && strings.HasPrefix(work, w.breaks) {
		patience = 1000
	}
	if t != slow && t != twice && t != ghost && t != sentTwice && t != short && run[0] == '#' {
		if w.spent[work] >= patience {
			return false
		}
		w.spent[work]++
	}
	w.seen[t]++
	return true
}

// wrote counts writes of records, for who waits for some.
func (w *weather) wrote(pk string) {
	if strings.HasSuffix(pk, "#imports") || strings.Contains(pk, "#import#") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writes--; w.writes == 0 && w.onWrite != nil {
		close(w.onWrite)
		w.onWrite = nil
	}
}

// after returns what is closed at the n-th write of a record from now on.
func (w *weather) after(n int) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes, w.onWrite = n, make(chan struct{})
	return w.onWrite
}

var errCut = errors.New("the connection was cut")

// request decides on one request of a function.
func (w *weather) request(ctx context.Context, what string) (before, after error) {
	p, _ := ctx.Value(processKey{}).(*process)
	if p == nil {
		return nil, nil
	}
	if w.pace > 0 {
		h := fnv.New64a()
		_, _ = fmt.Fprint(h, w.seed, p.work, p.run, what)
		pass(time.Duration(h.Sum64() % uint64(w.pace)))
	}
	if p.slow || w.roll(slow, p.work, p.run, what) {
		select {
		case <-time.After(time.Duration(1+len(what)%7) * time.Second):
		case <-ctx.Done():
			return ctx.Err(), nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.dead:
		return errCut, nil
	case w.roll(killedWithin, p.work, p.run, what):
		p.dead = true
		if len(what)%2 == 0 {
			return errCut, nil
		}
		return nil, errCut
	case w.roll(lostRequest, p.work, p.run, what):
		return &fault.Transient{Cause: errCut}, nil
	case w.roll(lostReply, p.work, p.run, what):
		return nil, &fault.Transient{Cause: errCut}
	}
	return nil, nil
}

// pass lets virtual time pass: every test here is in a bubble of synctest.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // see above
}

// clears waits until nothing runs any more, be it an execution that waits for
// what never comes.
func (w *weather) clears() {
	w.off.Store(true)
	pass(60 * 24 * time.Hour)
	w.ghosts.Wait()
}

func (w *weather) table(ctx context.Context, c memory.Call) memory.Fault {
	if c.Method != "Op" {
		what := c.Method
		if len(c.Keys) > 0 {
			what += c.Keys[0].PK + c.Keys[0].SK
		}
		before, after := w.request(ctx, what)
		return memory.Fault{Before: before, After: after}
	}
	p, _ := ctx.Value(processKey{}).(*process)
	if p == nil {
		return memory.Fault{}
	}
	what := c.Op.Key.PK + c.Op.Key.SK
	if strings.HasPrefix(p.work, "Apply") && !strings.ContainsAny(c.Op.Key.PK, "@~$=") {
		w.wrote(c.Op.Key.PK)
	}
	switch {
	case w.roll(throttled, p.work, p.run, what):
		return memory.Fault{Before: &fault.Transient{Cause: errors.New("throttled")}}
	case w.roll(lostWrites, p.work, p.run, what):
		return memory.Fault{After: &fault.Transient{Cause: errCut}}
	case w.roll(sentTwice, p.work, p.run, what):
		return memory.Fault{Repeat: true}
	}
	return memory.Fault{}
}

func (w *weather) bucket(ctx context.Context, c objects.Call) objects.Fault {
	before, after := w.request(ctx, c.Method+c.Key)
	return objects.Fault{Before: before, After: after}
}

// over puts the weather over a stage, whose stores must have its hooks.
func (w *weather) over(s *rehearsal.Stage) {
	invoke := s.Runner.Invoke
	token := regexp.MustCompile(`"token":"[^"]*"`) // a new one for each try
	exit := &asl.Error{Name: "Runtime.ExitError", Cause: "the process ended"}
	s.Runner.Invoke = func(ctx context.Context, function string, payload []byte) ([]byte, *asl.Error) {
		work := function + string(token.ReplaceAll(payload, nil))
		start := func(ctx context.Context, run string, slow bool) ([]byte, *asl.Error) {
			p := &process{work: work, run: run, slow: slow}
			if w.roll(short, function, run, "") { // the reserve is all that is left
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, importer.Defaults().Reserve+time.Second)
				defer stop()
			}
			out, err := invoke(context.WithValue(ctx, processKey{}, p), function, payload)
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.dead {
				return nil, exit
			}
			return out, err
		}
		w.mu.Lock()
		w.calls[work]++
		run := fmt.Sprint("#", w.calls[work])
		w.mu.Unlock()
		if w.roll(killedBefore, work, run, "") {
			return nil, exit
		}
		if worker := function == "Prepare" || function == "Plan" || function == "Apply"; worker {
			if w.roll(twice, work, run, "") {
				w.ghosts.Go(func() { _, _ = start(ctx, "second "+run, false) })
			}
			if w.roll(ghost, work, run, "") {
				w.ghosts.Go(func() {
					late, stop := context.WithTimeout(context.WithoutCancel(ctx), 14*time.Minute)
					defer stop()
					_, _ = start(late, "ghost "+run, true)
				})
			}
		}
		out, err := start(ctx, run, false)
		if w.roll(killedAfter, work, run, "") {
			return nil, exit
		}
		return out, err
	}
}
