package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
)

// Mapping is a person's answer to needs_mapping, or a change of mind later: how
// the file is to be read and mapped.
type Mapping struct {
	// Template is the mapping with its options. It is used as it is given; save
	// it with SaveTemplate to use it again.
	Template mapping.Template
	By       string
}

// Map gives the import a mapping. An import that waits at its mapping goes on;
// one that waits for decisions or its start goes back and begins a new round.
// Returns ErrNoImport, and *fault.Refused where the mapping does not fit the
// file or the import does not wait.
func (i *Importer) Map(ctx context.Context, tenant, id string, a Mapping) error {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return err
	}
	def, ok := i.Catalog.Entity(a.Template.Entity)
	if !ok {
		return &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", a.Template.Entity)}
	}
	if m, err := i.load(ctx, tenant, id); err != nil {
		return err
	} else if woken, err := i.wakeCutOff(ctx, m); err != nil || woken {
		return err
	}
	m, err := i.edit(ctx, tenant, id, func(m *Import) error {
		again := m.State == NeedsDecision || m.State == Ready && m.Pause.Kind == "start"
		if m.State != NeedsMapping && !again {
			return notWaiting(m, "a mapping")
		}
		m.Template, m.Options, m.Entity, m.Attended = a.Template, a.Template.Options.Defaults(), a.Template.Entity, true
		m.Bound, m.Drift = mapping.Bind(def, m.Template, m.Layout.Columns)
		for _, d := range m.Drift {
			if needsPerson(d.Kind) {
				return &fault.Refused{Code: "mapping_incomplete", Message: "The mapping does not fit the file: " + describeDrift([]mapping.Drift{d}) + "."}
			}
		}
		if len(m.Bound.Feeds) == 0 {
			return &fault.Refused{Code: "mapping_empty", Message: "The mapping imports no column."}
		}
		if a.By != "" {
			m.By = a.By
		}
		if again {
			m.Round++
			m.Planned, m.Shown, m.Decision = false, 0, Decision{}
		}
		m.to(Preparing, i.Now())
		return nil
	})
	if err != nil {
		return err
	}
	if err := i.remember(ctx, tenant, &a.Template); err != nil {
		return err
	}
	if err := i.enqueue(ctx, m); err != nil {
		return err
	}
	return i.resume(ctx, m, Step{Job: m.job(), Next: "split"})
}

// wakeCutOff wakes an import whose answer was kept by a call that ended before it
// could say so. It tells whether it did.
func (i *Importer) wakeCutOff(ctx context.Context, m *Import) (bool, error) {
	next := map[State]string{Preparing: "split", Planning: "turn"}[m.State]
	switch m.Pause.Kind {
	case "mapping", "decision", "start":
	default:
		return false, nil
	}
	var answer Step
	_, answered, err := i.document(ctx, answerKey(m), &answer)
	if err != nil || answered || next == "" {
		return false, err
	}
	if err := i.enqueue(ctx, m); err != nil {
		return false, err
	}
	return true, i.resume(ctx, m, Step{Job: m.job(), Next: next})
}

func notWaiting(m *Import, what string) error {
	return &fault.Refused{Code: "not_waiting", Message: fmt.Sprintf("The import is %q and does not wait for %s.", m.State, what)}
}

// Decide says what becomes of the references that were not found: of each one
// named, and of all others. Where some stay open, the import asks again.
// Returns ErrNoImport and *fault.Refused.
func (i *Importer) Decide(ctx context.Context, tenant, id string, all Action, names []Named) error {
	for _, n := range names {
		switch n.Action {
		case CreateRecord, IgnoreRows, RejectRows:
		case UseRecord:
			if n.Key == "" {
				return &fault.Refused{Code: "decision_invalid", Message: fmt.Sprintf("The decision on %q names no record to use.", n.Field)}
			}
		default:
			return &fault.Refused{Code: "decision_invalid", Message: fmt.Sprintf("%q is no decision; say create, use, ignore or reject.", n.Action)}
		}
	}
	switch all {
	case "", CreateRecord, IgnoreRows, RejectRows:
	default:
		return &fault.Refused{Code: "decision_invalid", Message: fmt.Sprintf("%q is no decision for all; say create, ignore or reject.", all)}
	}
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return err
	}
	if m.State != NeedsDecision {
		if woken, err := i.wakeCutOff(ctx, m); err != nil || woken {
			return err
		}
		return notWaiting(m, "a decision")
	}
	decided, err := i.decisions(ctx, m)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n.Action == UseRecord {
			if n.Key, err = i.chosen(ctx, m, n); err != nil {
				return err
			}
		}
		decided[n.Field+"\x00"+n.Name] = n
	}
	key := ""
	if len(decided) > 0 {
		list := make([]Named, 0, len(decided))
		for _, n := range decided {
			list = append(list, n)
		}
		key = m.job().file(fmt.Sprintf("decisions-%d.json", m.Pause.Number))
		if err := i.putJSON(ctx, key, list); err != nil {
			return err
		}
	}
	number := m.Pause.Number
	m, err = i.edit(ctx, tenant, id, func(m *Import) error {
		if m.State != NeedsDecision || m.Pause.Number != number {
			return errAnswered
		}
		m.Decision.Names = key
		if all != "" {
			m.Decision.All = all
		}
		m.to(Planning, i.Now())
		return nil
	})
	if err != nil {
		return err
	}
	if err := i.enqueue(ctx, m); err != nil {
		return err
	}
	return i.resume(ctx, m, Step{Job: m.job(), Next: "turn"})
}

// chosen is the key, as references keep it, of the record that a decision names.
func (i *Importer) chosen(ctx context.Context, m *Import, n Named) (string, error) {
	if def, ok := i.Catalog.Entity(m.Entity); ok {
		if _, f := def.Field(n.Field); f != nil && f.Ref != nil {
			for _, name := range f.Ref.To {
				r, err := i.GetRecord(ctx, m.Tenant, name, n.Key)
				if err != nil {
					return "", err
				}
				if to, ok := i.Catalog.Entity(name); ok && r != nil {
					return entity.Fold(to.KeyField(), r.Key), nil
				}
			}
		}
	}
	return "", &fault.Refused{Code: "decision_invalid", Message: fmt.Sprintf("There is no record with the key %q for %q to mean.", n.Key, n.Field)}
}

// Start says the word for an import that waits for it, or for its time. Returns
// ErrNoImport and *fault.Refused.
func (i *Importer) Start(ctx context.Context, tenant, id string) error {
	m, err := i.edit(ctx, tenant, id, func(m *Import) error {
		if m.State != Ready {
			return notWaiting(m, "its start")
		}
		m.Word = true
		return nil
	})
	if err != nil {
		return err
	}
	if err := i.enqueue(ctx, m); err != nil {
		return err
	}
	return i.resume(ctx, m, Step{Job: m.job(), Next: "turn"})
}

// Edit gives the import a person's overlay and begins a new round with it.
// Returns ErrNoImport and *fault.Refused.
func (i *Importer) Edit(ctx context.Context, tenant, id string, o Overlay) error {
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return err
	}
	if m.State != Ready && m.State != NeedsDecision {
		if woken, err := i.wakeCutOff(ctx, m); err != nil || woken {
			return err
		}
		return notWaiting(m, "edits")
	}
	round := m.Round + 1
	key := m.job().file(fmt.Sprintf("overlay-%d.json", round))
	if err := i.putJSON(ctx, key, o); err != nil {
		return err
	}
	m, err = i.edit(ctx, tenant, id, func(m *Import) error {
		if m.Round+1 != round || m.State != Ready && m.State != NeedsDecision {
			return errAnswered
		}
		m.Round, m.Overlay, m.Planned, m.Shown, m.Attended = round, key, false, 0, true
		m.to(Preparing, i.Now())
		return nil
	})
	if err != nil {
		return err
	}
	if err := i.enqueue(ctx, m); err != nil {
		return err
	}
	return i.resume(ctx, m, Step{Job: m.job(), Next: "split"})
}

// Cancel ends an import wherever it is; what is applied already stays, and is
// said. An import at its end is refused. Returns ErrNoImport.
func (i *Importer) Cancel(ctx context.Context, tenant, id string) error {
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return err
	}
	if m.State.Final() {
		return &fault.Refused{Code: "finished", Message: fmt.Sprintf("The import is at its end already: %s.", m.State)}
	}
	if err := i.stop(ctx, tenant, id, "cancelled"); err != nil {
		return err
	}
	var token waiting
	if _, found, err := i.document(ctx, tokenKey(m), &token); err != nil || !found || token.Spent {
		return err
	}
	if err := i.Executions.Fail(ctx, token.Token, "Cancelled", "cancelled: the import was cancelled"); err != nil && !errors.Is(err, execution.ErrGone) {
		return fmt.Errorf("importer: cancelling: %w", err)
	}
	return nil
}

// Rescue ends an import whose execution ended without its report: it was
// aborted, timed out, or failed where nothing could catch it. It waits itself
// for workers that may still write.
func (i *Importer) Rescue(ctx context.Context, in RescueInput) error {
	var end time.Time
	if t, ok := ctx.Deadline(); ok {
		end = t.Add(-i.Config.Reserve)
	}
	report := ReportInput{Event: in.input()}
	_, job, _, err := identity(report.Event)
	if err != nil {
		return nil //nolint:nilerr // an execution that was no import's
	}
	m, err := i.load(ctx, job.Tenant, job.Import)
	if errors.Is(err, ErrNoImport) || err == nil && (m.State.Final() || m.Execution != in.Detail.Name) {
		return nil
	}
	if err != nil {
		return err
	}
	report.State.Error = &StepError{Error: "Execution." + in.Detail.Status, Cause: in.Detail.Status}
	for {
		step, err := i.Report(ctx, report)
		if err != nil || step.Next != "wait" {
			return err
		}
		if !end.IsZero() && i.Now().After(end) {
			return &fault.Transient{Cause: errors.New("importer: workers still run")}
		}
		select {
		case <-ctx.Done():
			return &fault.Transient{Cause: ctx.Err()}
		case <-time.After(2 * time.Second):
		}
	}
}
