package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/shuffle"
)

// ReportInput is what the state machine gives to Report: the event that it
// began with, and its state, which names the error where a step failed.
type ReportInput struct {
	Event json.RawMessage `json:"event"`
	State struct {
		Error *StepError `json:"error,omitempty"`
	} `json:"state"`
}

// StepError is an error as a state machine catches it.
type StepError struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// ReportStep is what Report answers: "wait" while a worker that started may
// still write, "failed" or "done" at the end, and what is published then.
type ReportStep struct {
	Job      Job    `json:"job"`
	Next     string `json:"next"`
	Manifest string `json:"manifest"`
	Detail   Detail `json:"detail"`
}

// Detail is the body of the event "Import finished".
type Detail struct {
	Tenant         string        `json:"tenant"`
	Import         string        `json:"import"`
	Feed           string        `json:"feed"`
	Entity         string        `json:"entity"`
	State          State         `json:"state"`
	NothingWritten bool          `json:"nothing_written"`
	Rows           record.Counts `json:"rows"`
}

// Report stops late workers, waits for those that started, adds the journals
// up, writes the reports, sets the final state, gives the turn back and queues
// messages. It may be repeated; once the state is final it changes nothing but
// what is missing of those.
func (i *Importer) Report(ctx context.Context, in ReportInput) (ReportStep, error) {
	_, job, _, err := identity(in.Event)
	if err != nil {
		// An event that names no import leaves nothing to report on.
		return ReportStep{Next: "failed", Detail: Detail{State: Failed, NothingWritten: true}}, nil //nolint:nilerr // said above
	}
	if i, err = i.of(ctx, job.Tenant); err != nil {
		return ReportStep{}, err
	}
	m, err := i.load(ctx, job.Tenant, job.Import)
	if errors.Is(err, ErrNoImport) {
		return ReportStep{Job: job, Next: "failed", Detail: Detail{Tenant: job.Tenant, Import: job.Import, State: Failed, NothingWritten: true}}, nil
	}
	if err != nil {
		return ReportStep{}, err
	}
	if !m.State.Final() {
		waiting, err := i.conclude(ctx, m, in.State.Error)
		if err != nil {
			return ReportStep{}, err
		}
		if waiting {
			return ReportStep{Job: m.job(), Next: "wait"}, nil
		}
		if m, err = i.load(ctx, job.Tenant, job.Import); err != nil {
			return ReportStep{}, err
		}
	}
	if !m.NothingWritten {
		if err := i.nextEpoch(ctx, m.Tenant, i.touched(m)); err != nil {
			return ReportStep{}, err
		}
	}
	if err := i.leave(ctx, m); err != nil {
		return ReportStep{}, err
	}
	more, err := i.queueMessages(ctx, m)
	if err != nil {
		return ReportStep{}, err
	}
	next := "done"
	switch {
	case more:
		next = "wait"
	case m.State == Failed:
		next = "failed"
	}
	return ReportStep{Job: m.job(), Next: next, Detail: Detail{
		Tenant: m.Tenant, Import: m.ID, Feed: m.Feed, Entity: m.Entity,
		State: m.State, NothingWritten: m.NothingWritten, Rows: m.Rows,
	}}, nil
}

// ending is what Report works out.
type ending struct {
	counts  record.Counts
	codes   map[string]int64
	held    map[string]int64
	notices map[string]int64
	// written tells that a worker started, cancelled that a person ended it.
	written   bool
	cancelled bool
	trouble   *Trouble
	state     State
	rec       *Reconciled
	reports   Reports
	files     []report.File
}

// conclude ends an import. It tells whether a worker that started is to be
// waited for.
func (i *Importer) conclude(ctx context.Context, m *Import, failure *StepError) (waiting bool, err error) {
	cancelled, stopped, err := i.whyStopped(ctx, m.Tenant, m.ID)
	if err != nil {
		return false, err
	}
	if cancelled == "" {
		stopped = i.Now()
		if err := i.stop(ctx, m.Tenant, m.ID, "report"); err != nil {
			return false, err
		}
	}
	e := &ending{codes: map[string]int64{}, held: map[string]int64{}, notices: map[string]int64{}, trouble: m.Trouble}
	if failure != nil && e.trouble == nil {
		e.trouble = troubleOf(failure.Error, failure.Cause)
	}
	if e.cancelled = cancelled == "cancelled"; e.cancelled {
		e.trouble = nil
	}
	rows, err := i.newProblemRows(ctx, m)
	if err == nil {
		defer rows.close()
		waiting, err = i.outcomes(ctx, m, e, rows)
	}
	if taken(err) {
		i.log(ctx, m.job(), "what the import left is not all there", "error", err.Error())
		e, rows = i.unaccounted(m, e), &problemRows{}
		waiting, err = e.written && i.Now().Sub(stopped) < i.Config.LateWorker, nil
	}
	if err != nil || waiting {
		return waiting, err
	}
	switch {
	case e.cancelled && e.trouble == nil:
		e.state = CancelledState
	case e.trouble != nil:
		e.state = Failed
	case e.counts.Rejected > 0:
		e.state = CompletedWithRejects
	default:
		e.state = Completed
	}
	if e.counts.Read > 0 || e.rec != nil {
		if err := i.writeReports(ctx, m, e, rows); taken(err) {
			e.files, e.reports = nil, Reports{}
			e.notices["report_unwritten"] = 1 // the upload is gone
		} else if err != nil {
			return false, err
		}
	}
	if e.counts.Read == 0 && e.trouble == nil && e.state == Completed {
		e.notices["no_rows"] = 1
	}
	e.reports.Summary = m.job().report("summary.json")
	now := i.Now().UTC()
	summary, err := i.summary(m, e)
	if err != nil {
		return false, err
	}
	if err := i.putJSON(ctx, e.reports.Summary, summary); err != nil {
		return false, err
	}
	_, err = i.edit(ctx, m.Tenant, m.ID, func(m *Import) error {
		if m.State.Final() {
			return errStop
		}
		m.Rows, m.Codes, m.Held, m.Notices = e.counts, e.codes, e.held, e.notices
		m.NothingWritten, m.Trouble, m.Reports = !e.written, e.trouble, e.reports
		m.Finished = now
		m.to(e.state, now)
		return nil
	})
	if err == nil {
		i.log(ctx, m.job(), "import finished", "state", e.state, "read", e.counts.Read, "created", e.counts.Created,
			"updated", e.counts.Updated, "unchanged", e.counts.Unchanged, "rejected", e.counts.Rejected, "ignored", e.counts.Ignored)
	}
	return false, err
}

// taken tells that something stored is not there any more, or not as it was
// left: trying again does not help.
func taken(err error) bool {
	var (
		broken *fault.Broken
		bad    *fault.BadFile
	)
	return errors.Is(err, object.ErrNotFound) || errors.As(err, &broken) || errors.As(err, &bad)
}

// unaccounted is the end of an import of which too much is gone to say what
// became of each row. Nothing is said of them but that.
func (i *Importer) unaccounted(m *Import, e *ending) *ending {
	u := &ending{codes: map[string]int64{}, held: map[string]int64{}, notices: map[string]int64{}, cancelled: e.cancelled, written: !m.Begun.IsZero()}
	u.trouble = &Trouble{"work_missing", "Parts of the import's work in the bucket are gone, so that nobody can say what became of each row. Look at the records, and drop the file again."}
	return u
}

// outcomes adds up what became of the rows, as far as the import came, and
// collects those to report.
func (i *Importer) outcomes(ctx context.Context, m *Import, e *ending, rows *problemRows) (waiting bool, err error) {
	rec, err := i.reconciled(ctx, m.job())
	switch {
	case errors.Is(err, object.ErrNotFound):
		if m.Input.Parts == 0 {
			return false, nil
		}
		// It ended before the workers' results were counted: what there is of
		// them says which rows are bad.
		if rec, _, err = i.gather(ctx, m); err != nil {
			return false, nil //nolint:nilerr // nothing was prepared to its end: no row was read
		}
	case err != nil:
		return false, err
	}
	e.rec = rec
	e.counts = rec.Left
	add(e.codes, rec.Codes)
	add(e.notices, rec.Notes)
	if err := i.leftRows(ctx, rec, rows); err != nil {
		return false, err
	}
	var f Final
	if m.Planned {
		if err := i.getJSON(ctx, m.job().work("final.json"), &f); err != nil {
			return false, err
		}
		add(e.notices, f.Notes)
		add(e.held, f.Held)
	} else {
		return false, i.unplanned(ctx, e, rows)
	}
	e.written = !m.Begun.IsZero()
	if e.written {
		if waiting, err := i.workersRun(ctx, m, f.Writes); err != nil || waiting {
			return waiting, err
		}
		if err := i.auditMade(ctx, m, e, &f); err != nil {
			return false, err
		}
	}
	writes := map[int]bool{}
	for _, w := range f.Writes {
		writes[w.Batch] = true
	}
	for _, item := range f.Items {
		if err := i.batchOutcome(ctx, m, e, item, writes[item.Batch], rows); err != nil {
			return false, err
		}
	}
	if !e.counts.AddUp() || e.counts.Read != rec.Rows {
		return false, &fault.Broken{Message: fmt.Sprintf("%d rows were read and %d have an outcome", rec.Rows, e.counts.Read)}
	}
	return false, nil
}

// auditMade makes good what an import that ended early left undone of the
// records that it made on the way.
func (i *Importer) auditMade(ctx context.Context, m *Import, e *ending, f *Final) error {
	if e.trouble == nil && !e.cancelled {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(f.Made)) {
		a, stored, err := i.maker(ctx, m, name)
		if err != nil {
			return err
		}
		if _, _, err := a.Audit(ctx, stored, true); err != nil {
			return err
		}
	}
	return nil
}

// unplanned rejects the rows that reached no plan.
func (i *Importer) unplanned(ctx context.Context, e *ending, rows *problemRows) error {
	for _, batch := range e.rec.Batches {
		prepared, err := i.batchRows(ctx, e.rec.Segments, batch)
		if err != nil {
			return err
		}
		for n := range prepared {
			l := shuffle.Left{Number: prepared[n].Number, Outcome: record.Rejected, Problems: []record.Problem{journal.NotApplied()}}
			if err := rows.add(l); err != nil {
				return err
			}
		}
		e.counts.Add(record.Rejected, int64(len(prepared)))
		e.codes[journal.CodeOf(journal.NotApplied())] += int64(len(prepared))
	}
	return nil
}

// leftRows collects the rows that did not reach a batch.
func (i *Importer) leftRows(ctx context.Context, rec *Reconciled, rows *problemRows) error {
	for _, key := range rec.Segments {
		s, err := shuffle.Open(ctx, i.Objects, key)
		if err != nil {
			return err
		}
		if err := s.EachLeft(ctx, rows.add); err != nil {
			return err
		}
	}
	return nil
}

// workersRun tells whether a worker that started may still write: it left no
// result, did not say that it ended, and its time is not over.
func (i *Importer) workersRun(ctx context.Context, m *Import, writes []PlanItem) (bool, error) {
	for _, item := range writes {
		if done, err := i.exists(ctx, applyKey(m.job(), item.Batch, ".json")); err != nil || done {
			if err != nil {
				return false, err
			}
			continue
		}
		var start, end begun
		err := i.getJSON(ctx, applyKey(m.job(), item.Batch, ".started"), &start)
		if errors.Is(err, object.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		err = i.getJSON(ctx, applyKey(m.job(), item.Batch, ".ended"), &end)
		if err != nil && !errors.Is(err, object.ErrNotFound) {
			return false, err
		}
		if end.At.Before(start.At) && i.Now().Sub(start.At) < i.Config.LateWorker {
			return true, nil
		}
	}
	return false, nil
}

func (i *Importer) exists(ctx context.Context, key string) (bool, error) {
	_, err := i.Objects.Head(ctx, object.Ref{Key: key})
	if errors.Is(err, object.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("importer: looking for %s: %w", key, err)
	}
	return true, nil
}

// batchOutcome adds up one batch: by what its worker left, else by what the
// records say, else by its journal.
func (i *Importer) batchOutcome(ctx context.Context, m *Import, e *ending, item PlanItem, writes bool, rows *problemRows) error {
	stored, err := journal.Open(ctx, i.Objects, journalKey(m.job(), item))
	if err != nil {
		return err
	}
	applied := Applied{Counts: stored.Counts}
	switch {
	case !writes:
	case e.written:
		err := i.getJSON(ctx, applyKey(m.job(), item.Batch, ".json"), &applied)
		if errors.Is(err, object.ErrNotFound) {
			a, err := i.applier(ctx, m, item, e.rec.Segments)
			if err != nil {
				return err
			}
			if applied.Counts, applied.Overrides, err = a.Audit(ctx, stored, true); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	case m.Options.DryRun && e.trouble == nil && !e.cancelled:
	default:
		if applied.Counts, applied.Overrides, err = stored.Unapplied(ctx); err != nil {
			return err
		}
	}
	e.counts.Plus(applied.Counts)
	return i.journalRows(ctx, stored, applied.Overrides, e, rows)
}

// journalRows collects the rejected and ignored rows of a batch and counts
// their problems.
func (i *Importer) journalRows(ctx context.Context, stored *journal.Stored, overrides journal.Overrides, e *ending, rows *problemRows) error {
	if stored.Counts.Rejected+stored.Counts.Ignored == 0 && len(overrides) == 0 {
		return nil
	}
	each := func(entry *journal.Entry) error {
		for _, r := range entry.Rows {
			if o, ok := overrides[r.Number]; ok {
				r = o
			}
			if r.Outcome != record.Rejected && r.Outcome != record.Ignored {
				continue
			}
			if r.Outcome == record.Rejected {
				for _, p := range r.Problems {
					e.codes[journal.CodeOf(p)]++
				}
			}
			if err := rows.add(shuffle.Left{Number: r.Number, Outcome: r.Outcome, Problems: r.Problems}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := stored.EachWrite(ctx, each); err != nil {
		return err
	}
	return stored.EachRest(ctx, each)
}

var codeWord = regexp.MustCompile(`^[a-z][a-z_-]+$`)

// troubleOf says for people what a state machine caught. A fault carries its
// own words; of anything else only its kind is told, for its text may hold what
// is in the file.
func troubleOf(name, cause string) *Trouble {
	var c struct {
		Message string `json:"errorMessage"`
	}
	message := cause
	if json.Unmarshal([]byte(cause), &c) == nil && c.Message != "" {
		message = c.Message
	}
	if slices.Contains([]string{"BadFile", "Refused", "Cancelled", "Broken"}, name) {
		if code, text, ok := strings.Cut(message, ": "); ok && codeWord.MatchString(code) {
			return &Trouble{Code: code, Message: text}
		}
	}
	switch name {
	case "States.Timeout":
		return &Trouble{"timed_out", "The import waited longer than it may, or a step took too long. Drop the file again."}
	case "Transient":
		return &Trouble{"unavailable", "The store could not be reached for a while. Resume the import, or drop the file again."}
	}
	return &Trouble{"step_failed", "A step of the import failed (" + name + "). The log says why."}
}

// columnsOf finds the columns that feed a field, for marking cells.
func columnsOf(def *entity.Definition, m *Import) map[string]int {
	columns := map[string]int{}
	if def == nil {
		return columns
	}
	for _, feed := range m.Bound.Feeds {
		if len(feed.Columns) == 0 {
			continue
		}
		name := def.Fields[feed.Field].Name
		if _, ok := columns[name]; !ok {
			columns[name] = feed.Columns[0]
		}
	}
	return columns
}
