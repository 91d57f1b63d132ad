package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/store"
)

// The imports of a feed stand in a queue in the order of their arrival from
// the moment they are registered. The first in the queue holds the turn once it
// has taken it, and keeps it to its end, so that a plan is never made on what
// the import before it is about to change. One that waits for a person leaves
// the queue and comes back to its old place.

func queuePK(tenant, feed string) string { return tenant + "#queue#" + feed }

func queueKey(m *Import) store.Key {
	return store.Key{PK: queuePK(m.Tenant, m.Feed), SK: m.Arrived + "#" + m.ID}
}

func holderKey(tenant, feed string) store.Key {
	return store.Key{PK: tenant + "#turn", SK: feed}
}

// enqueue puts the import in its place.
func (i *Importer) enqueue(ctx context.Context, m *Import) error {
	return i.writeControl(ctx, store.Op{Kind: store.Put, Key: queueKey(m), Set: map[string]any{"import": m.ID}})
}

// leave takes the import out of the queue, gives the turn back if it holds it,
// and wakes the next. It may be repeated.
func (i *Importer) leave(ctx context.Context, m *Import) error {
	if err := i.writeControl(ctx, store.Op{Kind: store.Delete, Key: queueKey(m)}); err != nil {
		return err
	}
	err := i.writeControl(ctx, store.Op{
		Kind: store.Delete, Key: holderKey(m.Tenant, m.Feed),
		If: []store.Cond{{Kind: store.Equals, Attr: "import", Value: m.ID}},
	})
	if err != nil && !errors.Is(err, store.ErrConditionFailed) {
		return err
	}
	return i.wakeNext(ctx, m.Tenant, m.Feed)
}

// wakeNext tells the first in the queue, if it waits for its turn, to look.
func (i *Importer) wakeNext(ctx context.Context, tenant, feed string) error {
	head, err := i.head(ctx, tenant, feed)
	if err != nil || head == "" {
		return err
	}
	next, err := i.load(ctx, tenant, head)
	if err != nil || next.Pause.Kind != "turn" {
		return err
	}
	err = i.resume(ctx, next, Step{Job: next.job(), Next: "turn"})
	if errors.Is(err, errAnswered) {
		return nil
	}
	return err
}

// head is the first import in the queue that is not at its end; those that are
// are taken out.
func (i *Importer) head(ctx context.Context, tenant, feed string) (string, error) {
	for {
		page, err := i.Control.Query(ctx, store.Query{PK: queuePK(tenant, feed), Limit: 1})
		if err != nil {
			return "", fmt.Errorf("importer: reading the queue: %w", err)
		}
		if len(page.Items) == 0 {
			return "", nil
		}
		id, _ := page.Items[0].Attrs["import"].(string)
		m, err := i.load(ctx, tenant, id)
		if err != nil && !errors.Is(err, ErrNoImport) {
			return "", err
		}
		if err == nil && !m.State.Final() {
			return id, nil
		}
		if err := i.writeControl(ctx, store.Op{Kind: store.Delete, Key: page.Items[0].Key}); err != nil {
			return "", err
		}
	}
}

// take takes the feed's turn; false is to wait for it.
func (i *Importer) take(ctx context.Context, m *Import) (bool, error) {
	if err := i.enqueue(ctx, m); err != nil {
		return false, err
	}
	k := holderKey(m.Tenant, m.Feed)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return false, fmt.Errorf("importer: reading the turn: %w", err)
	}
	if it, held := items[k]; held && it.Attrs["import"] == m.ID {
		return true, nil // a run that was cut off took it; who arrived since comes after
	}
	head, err := i.head(ctx, m.Tenant, m.Feed)
	if err != nil || head != m.ID {
		return false, err
	}
	mine := map[string]any{"import": m.ID}
	for range 10 {
		err := i.writeControl(ctx, store.Op{Kind: store.Insert, Key: k, Set: mine})
		if err == nil || !errors.Is(err, store.ErrExists) {
			return err == nil, err
		}
		items, err := i.Control.Get(ctx, []store.Key{k})
		if err != nil {
			return false, fmt.Errorf("importer: reading the turn: %w", err)
		}
		it, held := items[k]
		if !held {
			continue
		}
		holder, _ := it.Attrs["import"].(string)
		if holder == m.ID {
			return true, nil
		}
		other, err := i.load(ctx, m.Tenant, holder)
		if err != nil && !errors.Is(err, ErrNoImport) {
			return false, err
		}
		if err == nil && !other.State.Final() {
			return false, nil
		}
		err = i.writeControl(ctx, store.Op{
			Kind: store.Update, Key: k, Set: mine,
			If: []store.Cond{{Kind: store.Equals, Attr: "import", Value: holder}},
		})
		if err == nil || !errors.Is(err, store.ErrConditionFailed) {
			return err == nil, err
		}
	}
	return false, nil
}

// Turn takes the feed's turn. It answers "wait" until the import is first;
// "later" or "soon" until its start time; "prepare" where another import
// changed meanwhile what this one was prepared or planned on, which starts a
// new round; then "reconcile", or "found" once it is planned.
func (i *Importer) Turn(ctx context.Context, job Job) (Step, error) {
	i, err := i.of(ctx, job.Tenant)
	if err != nil {
		return Step{}, err
	}
	m, err := i.load(ctx, job.Tenant, job.Import)
	if err != nil {
		return Step{}, err
	}
	if m.Left == job.Round && m.Round == job.Round+1 {
		// An earlier run of this step began the new round and could not say so.
		return Step{Job: m.job(), Next: "prepare", Manifest: m.Input.Manifest}, nil
	}
	if m, err = i.begin(ctx, job); err != nil {
		return Step{}, err
	}
	if m.Planned {
		if wait := i.untilStart(m); wait > 0 {
			next := "later"
			if wait < 15*time.Minute {
				next = "soon"
			}
			return i.wait(ctx, job, Ready, "time", next)
		}
	}
	ours, err := i.take(ctx, m)
	if err != nil {
		return Step{}, err
	}
	if !ours {
		step, err := i.wait(ctx, job, Queued, "turn", "wait")
		if err != nil {
			return Step{}, err
		}
		// The import before it may have ended before this one was seen to wait.
		return step, i.wakeIfFirst(ctx, m)
	}
	epochs, err := i.epochs(ctx, m)
	if err != nil {
		return Step{}, err
	}
	stale := !maps.Equal(epochs, m.Epochs)
	next, manifest := "reconcile", ""
	m, err = i.edit(ctx, job.Tenant, job.Import, func(m *Import) error {
		switch {
		case m.Round != job.Round:
			return roundOver(job, m)
		case stale:
			m.Left = m.Round
			if m.Planned {
				m.Shown = m.Round
			}
			m.Round++
			m.Epochs = epochs
			m.Planned, m.Pass = false, 0
			m.to(Preparing, i.Now())
			next, manifest = "prepare", m.Input.Manifest
		case m.Planned:
			m.Started = true
			m.to(Applying, i.Now())
			next = "found"
		default:
			m.to(Planning, i.Now())
		}
		return nil
	})
	if err != nil {
		return Step{}, err
	}
	i.log(ctx, job, "turn taken", "next", next)
	return Step{Job: m.job(), Next: next, Manifest: manifest}, nil
}

// untilStart is how long a planned import waits for its start time.
func (i *Importer) untilStart(m *Import) time.Duration {
	if m.Options.Start != mapping.At || m.Word {
		return 0
	}
	return m.Options.StartAt.Sub(i.Now())
}

// wait notes a new pause of the import.
func (i *Importer) wait(ctx context.Context, job Job, s State, kind, next string) (Step, error) {
	m, err := i.edit(ctx, job.Tenant, job.Import, func(m *Import) error {
		m.pause(kind)
		m.to(s, i.Now())
		return nil
	})
	if err != nil {
		return Step{}, err
	}
	return Step{Job: m.job(), Next: next}, nil
}

func (i *Importer) wakeIfFirst(ctx context.Context, m *Import) error {
	k := holderKey(m.Tenant, m.Feed)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return fmt.Errorf("importer: reading the turn: %w", err)
	}
	if it, held := items[k]; held {
		holder, _ := it.Attrs["import"].(string)
		other, err := i.load(ctx, m.Tenant, holder)
		if err == nil && !other.State.Final() {
			return nil
		}
		if err != nil && !errors.Is(err, ErrNoImport) {
			return err
		}
	}
	return i.wakeNext(ctx, m.Tenant, m.Feed)
}

// Epochs count, for each entity, the imports that began and ended applying to
// it: where the count moved, a plan may be out of date.

func epochKey(tenant, entityName string) store.Key {
	return store.Key{PK: tenant + "#epochs", SK: entityName}
}

// touched are the entities that an import writes, or refers to.
func (i *Importer) touched(m *Import) []string {
	names := map[string]bool{m.Entity: true}
	if def, ok := i.Catalog.Entity(m.Entity); ok {
		for _, feed := range m.Bound.Feeds {
			if ref := def.Fields[feed.Field].Ref; ref != nil {
				for _, to := range ref.To {
					names[to] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (i *Importer) epochs(ctx context.Context, m *Import) (map[string]int64, error) {
	names := i.touched(m)
	keys := make([]store.Key, len(names))
	for n, name := range names {
		keys[n] = epochKey(m.Tenant, name)
	}
	items, err := i.Control.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("importer: reading epochs: %w", err)
	}
	epochs := map[string]int64{}
	for n, k := range keys {
		if it, ok := items[k]; ok {
			count, _ := it.Attrs["n"].(store.Number)
			if epochs[names[n]], err = parseInt(count); err != nil {
				return nil, err
			}
		}
	}
	return epochs, nil
}

// nextEpoch counts that an import begins or ends applying to these entities.
// Counting twice does no harm.
func (i *Importer) nextEpoch(ctx context.Context, tenant string, names []string) error {
	for _, name := range names {
		k := epochKey(tenant, name)
		for {
			items, err := i.Control.Get(ctx, []store.Key{k})
			if err != nil {
				return fmt.Errorf("importer: reading epochs: %w", err)
			}
			op := store.Op{Kind: store.Insert, Key: k, Set: map[string]any{"n": number(1)}}
			if it, ok := items[k]; ok {
				old, _ := it.Attrs["n"].(store.Number)
				n, err := parseInt(old)
				if err != nil {
					return err
				}
				op = store.Op{
					Kind: store.Update, Key: k, Set: map[string]any{"n": number(n + 1)},
					If: []store.Cond{{Kind: store.Equals, Attr: "n", Value: old}},
				}
			}
			err = i.writeControl(ctx, op)
			if err == nil {
				break
			}
			if !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrConditionFailed) {
				return err
			}
		}
	}
	return nil
}

// errAnswered: the pause was answered before.
var errAnswered = &fault.Refused{Code: "already_answered", Message: "Somebody else has answered this already; look at the import again."}

func answerKey(m *Import) store.Key {
	return store.Key{PK: importPK(m.Tenant, m.ID), SK: fmt.Sprintf("answer#%06d", m.Pause.Number)}
}

func tokenKey(m *Import) store.Key {
	return store.Key{PK: importPK(m.Tenant, m.ID), SK: fmt.Sprintf("token#%06d", m.Pause.Number)}
}

// resume answers the import's pause. The answer is kept first, for a function
// that has not stored its token yet looks for one. Returns errAnswered.
func (i *Importer) resume(ctx context.Context, m *Import, step Step) error {
	if err := i.insertDocument(ctx, answerKey(m), step); err != nil {
		if !errors.Is(err, store.ErrExists) {
			return err
		}
		// It may have been kept by a call that ended before it was sent.
		if sent, err := i.send(ctx, m); err != nil || sent {
			return err
		}
		return errAnswered
	}
	_, err := i.send(ctx, m)
	return err
}

// send gives the kept answer of the import's pause to the state machine that
// waits, once both are there, and marks the token spent. It tells whether it
// was sent by this call.
func (i *Importer) send(ctx context.Context, m *Import) (bool, error) {
	var (
		step  Step
		token waiting
	)
	if _, found, err := i.document(ctx, answerKey(m), &step); err != nil || !found {
		return false, err
	}
	if _, found, err := i.document(ctx, tokenKey(m), &token); err != nil || !found || token.Spent {
		return false, err
	}
	output, err := json.Marshal(step)
	if err != nil {
		return false, fmt.Errorf("importer: %w", err)
	}
	if err := i.Executions.Succeed(ctx, token.Token, output); err != nil && !errors.Is(err, execution.ErrGone) {
		return false, fmt.Errorf("importer: answering: %w", err)
	}
	_, _, err = editDocument(ctx, i, tokenKey(m), func(w *waiting) error {
		if w.Token != token.Token {
			return errStop // the wait began anew
		}
		w.Spent = true
		return nil
	})
	return true, err
}

// waiting is a state machine that waits.
type waiting struct {
	Token string `json:"token"`
	Spent bool   `json:"spent"`
}

// AwaitInput is what the state machine gives to a wait.
type AwaitInput struct {
	Job   Job    `json:"job"`
	Kind  string `json:"kind"`
	Token string `json:"token"`
}

// Await keeps the token of a wait, and answers it at once where an answer, or
// a cancellation, came first. A wait whose pause is over is answered too, so
// that no state machine waits for what nobody will say.
func (i *Importer) Await(ctx context.Context, in AwaitInput) error {
	m, err := i.load(ctx, in.Job.Tenant, in.Job.Import)
	if errors.Is(err, ErrNoImport) {
		return i.failWait(ctx, in, err)
	}
	if err != nil {
		return err
	}
	if m.Pause.Kind != in.Kind {
		return i.failWait(ctx, in, &fault.Broken{Message: "the import does not wait for " + in.Kind})
	}
	if err := i.putDocument(ctx, tokenKey(m), waiting{Token: in.Token}); err != nil {
		return err
	}
	stop, err := i.stopped(ctx, in.Job)
	if err != nil {
		return err
	}
	if stop {
		return i.failWait(ctx, in, &fault.Cancelled{})
	}
	if m.Pause.Kind == "turn" {
		if err := i.wakeIfFirst(ctx, m); err != nil {
			return err
		}
	}
	_, err = i.send(ctx, m)
	return err
}

// failWait ends a wait: the function that the token was given to must say so
// itself, for an error that it returns ends no wait.
func (i *Importer) failWait(ctx context.Context, in AwaitInput, cause error) error {
	name := "Broken"
	var (
		cancelled *fault.Cancelled
		refused   *fault.Refused
	)
	switch {
	case errors.As(cause, &cancelled):
		name = "Cancelled"
	case errors.As(cause, &refused):
		name = "Refused"
	}
	if err := i.Executions.Fail(ctx, in.Token, name, cause.Error()); err != nil && !errors.Is(err, execution.ErrGone) {
		return fmt.Errorf("importer: ending a wait: %w", err)
	}
	return nil
}
