package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/object"
)

// AWS's limits: the bytes of any payload, and the events of an execution's
// history, of which a state takes two and a task three more for each try.
const (
	maxPayload = 256 << 10
	maxHistory = 25_000
)

// The states of an execution.
const (
	Running   = "RUNNING"
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	Aborted   = "ABORTED"
)

// Execution is what became of one execution.
type Execution struct {
	Name   string
	Status string
	Output []byte // JSON, where it succeeded
	Error  string // where it failed
	Cause  string
	// Path is the states in the order they were entered; those of a Map's
	// children are in Children.
	Path []string
	// Children are the executions that its Maps started, in order of the Map and
	// the index. Their names end in the Map's label and the index.
	Children         []Execution
	Started, Stopped time.Time
}

// Wait is an execution that waits on a task token.
type Wait struct{ Execution, State, Token string }

// Runner runs executions of one machine. Its fields are set before the first;
// then all methods may be called at the same time. It must not be copied.
type Runner struct {
	Machine *Machine
	// Invoke runs a function, named as in the machine after the substitutions.
	// Call and ErrorOf name errors as Lambda does. How long it may take is its own
	// affair: only waits on a token go by the state's TimeoutSeconds.
	Invoke func(ctx context.Context, function string, payload []byte) ([]byte, *Error)
	// Objects is the bucket that Maps read their items from, whatever its name.
	Objects object.Store
	// Clock is System where it is nil.
	Clock Clock
	// Publish, where it is set, may refuse entries of EventBridge.
	Publish func(ctx context.Context, entries []byte) *Error
	// LeaveWorkers lets functions of a Map that has failed run on while the
	// machine goes on, as they do on AWS. Without it the machine waits for them;
	// in both cases no state comes after them. Join waits for all of them.
	LeaveWorkers bool

	mu      sync.Mutex
	runs    map[string]*run
	waits   map[string]*wait
	serial  int
	events  []json.RawMessage
	changed chan struct{} // closed and made anew when a wait or a run changes
	workers sync.WaitGroup
}

var _ execution.Executions = (*Runner)(nil)

// run is one execution from its start on.
type run struct {
	done   chan struct{}
	result Execution
	err    error // of the context that it ran under
}

// wait is a task that waits for an answer.
type wait struct {
	Wait
	open   bool // its function has returned
	answer chan answer
}

type answer struct {
	output any
	failed *Error
}

// Run runs an execution to its end. The error is for a name that was used
// before, an input that is no JSON, and the context's end, which aborts it.
func (r *Runner) Run(ctx context.Context, name string, input []byte) (Execution, error) {
	x, err := r.register(name, input)
	if err != nil {
		return Execution{}, err
	}
	if x == nil {
		return Execution{}, fmt.Errorf("asl: execution %s was started before", name)
	}
	r.run(ctx, x, name, input)
	return x.result, x.err
}

// Start implements execution.Executions: the execution runs on when ctx ends.
func (r *Runner) Start(ctx context.Context, name string, input []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x, err := r.register(name, input)
	if err != nil || x == nil {
		return err
	}
	go r.run(context.WithoutCancel(ctx), x, name, input)
	return nil
}

// Wait waits for the end of an execution that was started.
func (r *Runner) Wait(ctx context.Context, name string) (Execution, error) {
	r.mu.Lock()
	x := r.runs[name]
	r.mu.Unlock()
	if x == nil {
		return Execution{}, fmt.Errorf("asl: no execution %s", name)
	}
	select {
	case <-ctx.Done():
		return Execution{}, ctx.Err()
	case <-x.done:
		return x.result, x.err
	}
}

// Await waits until an execution waits on a token whose function has returned,
// or has ended: then the error says so.
func (r *Runner) Await(ctx context.Context, name string) (Wait, error) {
	for {
		r.mu.Lock()
		for _, w := range r.waits {
			if w.Execution == name && w.open {
				r.mu.Unlock()
				return w.Wait, nil
			}
		}
		x, changed := r.runs[name], r.change()
		r.mu.Unlock()
		if x == nil {
			return Wait{}, fmt.Errorf("asl: no execution %s", name)
		}
		select {
		case <-x.done:
			return Wait{}, fmt.Errorf("asl: execution %s has ended: %s %s", name, x.result.Status, x.result.Error)
		case <-changed:
		case <-ctx.Done():
			return Wait{}, ctx.Err()
		}
	}
}

// change returns what is closed at the next change; under the lock.
func (r *Runner) change() chan struct{} {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

func (r *Runner) announce() {
	close(r.change())
	r.changed = nil
}

// Events are the entries given to EventBridge so far, each a JSON array.
func (r *Runner) Events() []json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Join waits for the functions that were left running.
func (r *Runner) Join() { r.workers.Wait() }

// Succeed implements execution.Executions.
func (r *Runner) Succeed(_ context.Context, token string, output []byte) error {
	v, err := decode(output)
	if err != nil {
		return fmt.Errorf("asl: the output is not JSON: %w", err)
	}
	if len(output) > maxPayload {
		return fmt.Errorf("asl: the output has %d bytes", len(output))
	}
	return r.answer(token, answer{output: v})
}

// Fail implements execution.Executions.
func (r *Runner) Fail(_ context.Context, token, name, cause string) error {
	return r.answer(token, answer{failed: &Error{Name: name, Cause: cause}})
}

func (r *Runner) answer(token string, a answer) error {
	w := r.close(token)
	if w == nil {
		return execution.ErrGone
	}
	w.answer <- a
	return nil
}

// open makes a token.
func (r *Runner) open(name, state string) *wait {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serial++
	w := &wait{answer: make(chan answer, 1)}
	w.Execution, w.State, w.Token = name, state, name+"/"+state+"/"+strconv.Itoa(r.serial)
	if r.waits == nil {
		r.waits = map[string]*wait{}
	}
	r.waits[w.Token] = w
	return w
}

// close takes a token away; nil where it is gone.
func (r *Runner) close(token string) *wait {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.waits[token]
	delete(r.waits, token)
	return w
}

// register makes a run; nil where the name was used before.
func (r *Runner) register(name string, input []byte) (*run, error) {
	if _, err := decode(input); err != nil {
		return nil, fmt.Errorf("asl: the input is not JSON: %w", err)
	}
	if len(input) > maxPayload {
		return nil, fmt.Errorf("asl: the input has %d bytes", len(input))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs[name] != nil {
		return nil, nil
	}
	if r.runs == nil {
		r.runs = map[string]*run{}
	}
	x := &run{done: make(chan struct{})}
	r.runs[name] = x
	return x, nil
}

func (r *Runner) run(ctx context.Context, x *run, name string, input []byte) {
	v, _ := decode(input) // register has seen to it
	w := r.walker(name, v, ctx, ctx)
	x.result = w.execute(r.Machine, v)
	if x.result.Status == Aborted {
		x.err = ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	close(x.done)
	r.announce()
}

func (r *Runner) clock() Clock {
	if r.Clock == nil {
		return System{}
	}
	return r.Clock
}
