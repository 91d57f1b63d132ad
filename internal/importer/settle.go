package importer

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
)

// lastPass is the pass after which rows that still collide are rejected with
// all rows of their key, which frees values and takes none. Each pass settles
// the earliest row at least that is not settled yet, and mostly all.
const lastPass = 8

// Final are the journals that hold, and their sum: the exact preview.
type Final struct {
	Items []PlanItem `json:"items"`
	// Writes are those with something to write.
	Writes []PlanItem       `json:"writes"`
	Counts record.Counts    `json:"counts"`
	Codes  map[string]int64 `json:"codes"`
	Held   map[string]int64 `json:"held"`
	Notes  map[string]int64 `json:"notes"`
	// Made counts the records to be made on the way, by entity.
	Made map[string]int64 `json:"made"`
	// Credits are the ledger lines to be made.
	Credits journal.Credits `json:"credits,omitzero"`
}

// Settle looks whether every journal is there and merges the unique values that
// the rows take: the earliest row wins, the losers are planned again ("plan").
// The journals are then final. It answers "start" to wait for a person's word,
// "turn" to wait for the start time, "found" to go on, "report" where nothing
// is to be applied.
func (i *Importer) Settle(ctx context.Context, job Job) (Step, error) {
	i, err := i.of(ctx, job.Tenant)
	if err != nil {
		return Step{}, err
	}
	m, err := i.begin(ctx, job)
	if err != nil {
		return Step{}, err
	}
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return Step{}, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	job.Pass = max(job.Pass, 1)
	items, err := i.latest(ctx, job)
	if err != nil {
		return Step{}, err
	}
	journals, err := i.journals(ctx, job, items)
	if err != nil {
		return Step{}, err
	}
	again, err := i.collisions(ctx, job, def, journals)
	if err != nil {
		return Step{}, err
	}
	if len(again) > 0 {
		pass := job.Pass + 1
		next := make([]PlanItem, 0, len(again))
		for _, b := range again {
			next = append(next, PlanItem{Batch: b, Pass: pass})
		}
		if err := i.putJSON(ctx, planKey(job, pass), next); err != nil {
			return Step{}, err
		}
		i.log(ctx, job, "unique values collide", "batches", len(again), "pass", pass)
		job.Pass = pass
		return Step{Job: job, Next: "plan", Manifest: planKey(job, pass)}, nil
	}
	final, err := i.finish(ctx, m, items, journals)
	if err != nil {
		return Step{}, err
	}
	differs, err := i.compare(ctx, m, items)
	if err != nil {
		return Step{}, err
	}
	return i.decideStart(ctx, m, final, differs)
}

// latest are the batches with the pass that planned each last.
func (i *Importer) latest(ctx context.Context, job Job) ([]PlanItem, error) {
	last := map[int]int{}
	for pass := 1; pass <= job.Pass; pass++ {
		var items []PlanItem
		if err := i.getJSON(ctx, planKey(job, pass), &items); err != nil {
			return nil, err
		}
		for _, it := range items {
			last[it.Batch] = it.Pass
		}
	}
	items := make([]PlanItem, 0, len(last))
	for _, b := range slices.Sorted(maps.Keys(last)) {
		items = append(items, PlanItem{Batch: b, Pass: last[b]})
	}
	return items, nil
}

func (i *Importer) journals(ctx context.Context, job Job, items []PlanItem) ([]*journal.Stored, error) {
	journals := make([]*journal.Stored, len(items))
	for n, it := range items {
		s, err := journal.Open(ctx, i.Objects, journalKey(job, it))
		if errors.Is(err, object.ErrNotFound) {
			return nil, i.missing(ctx, job, "plan", it.Batch)
		}
		if err != nil {
			return nil, err
		}
		journals[n] = s
	}
	return journals, nil
}

// contender is a row that takes a unique value that another record takes, too.
type contender struct {
	value  string // field and value
	taking journal.Taking
	batch  int
}

// collisions finds the rows that lose a unique value to an earlier row, and
// returns the batches that were planned on other losers than these, to be
// planned again.
func (i *Importer) collisions(ctx context.Context, job Job, def *entity.Definition, journals []*journal.Stored) ([]int, error) {
	if len(def.Unique()) == 0 {
		return nil, nil
	}
	contenders, err := i.contenders(ctx, journals)
	if err != nil {
		return nil, err
	}
	was := lost{Rows: map[int64]lostRow{}, Keys: map[string][]record.Problem{}}
	if job.Pass > 1 {
		if err := i.getJSON(ctx, lostKey(job, job.Pass), &was); err != nil {
			return nil, err
		}
	}
	is := lost{Rows: losers(contenders), Keys: was.Keys}
	batches := map[int]bool{}
	for row, l := range is.Rows {
		if !reflect.DeepEqual(was.Rows[row].Problems, l.Problems) {
			batches[l.Batch] = true
		}
	}
	for row, l := range was.Rows {
		if _, still := is.Rows[row]; !still {
			batches[l.Batch] = true
		}
	}
	if len(batches) == 0 {
		return nil, nil
	}
	if job.Pass >= lastPass {
		batches = is.giveUp(&was, contenders)
	}
	if err := i.putJSON(ctx, lostKey(job, job.Pass+1), is); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(batches)), nil
}

// losers takes the rows one by one, as a clerk would: a row takes all of its
// values or none, and one that a record gives up is free for the rows after.
// What a loser's plan says of the rows after it is not what will be, so that the
// plans made without it are looked at again.
func losers(contenders []contender) map[int64]lostRow {
	type use struct {
		row   int64
		drops bool // the value is given up by this row
		*contender
	}
	var uses []use
	for n := range contenders {
		c := &contenders[n]
		uses = append(uses, use{c.taking.Row, false, c})
		if c.taking.Until > 0 {
			uses = append(uses, use{c.taking.Until, true, c})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.taking.Field, b.taking.Field), cmp.Compare(a.value, b.value))
	})
	lose := map[int64]lostRow{}
	taken := map[string]*contender{}
	for from := 0; from < len(uses); {
		to := from
		var problems []record.Problem
		for ; to < len(uses) && uses[to].row == uses[from].row; to++ {
			u := &uses[to]
			if winner := taken[u.value]; !u.drops && winner != nil && winner.taking.Key != u.taking.Key {
				problems = append(problems, record.Problem{
					Code: "not_unique_in_file", Column: -1, Field: u.taking.Field, Args: []string{strconv.FormatInt(winner.taking.Row, 10)},
				})
			}
		}
		if len(problems) > 0 {
			lose[uses[from].row] = lostRow{Batch: uses[from].batch, Problems: problems}
		} else {
			for _, u := range uses[from:to] {
				if u.drops && taken[u.value] == u.contender {
					delete(taken, u.value)
				}
			}
			for _, u := range uses[from:to] {
				if !u.drops {
					taken[u.value] = u.contender
				}
			}
		}
		from = to
	}
	return lose
}

// giveUp rejects all rows of each key that loses anew, and lets no row back in
// that lost before: then no value is taken that was not.
func (l *lost) giveUp(was *lost, contenders []contender) map[int]bool {
	batches := map[int]bool{}
	for _, c := range contenders {
		x, loses := l.Rows[c.taking.Row]
		if _, before := was.Rows[c.taking.Row]; loses && !before {
			l.Keys[c.taking.Key] = x.Problems
			batches[c.batch] = true
		}
	}
	l.Rows = was.Rows
	return batches
}

// contenders merges the sorted takings of all batches and returns those whose
// value more than one record would take.
func (i *Importer) contenders(ctx context.Context, journals []*journal.Stored) ([]contender, error) {
	var h takings
	defer func() {
		for _, t := range h {
			t.lines.Close()
		}
	}()
	for _, s := range journals {
		if s.Takings.Count == 0 {
			continue
		}
		lines, err := s.OpenTakings(ctx)
		if err != nil {
			return nil, err
		}
		t := &takingHead{lines: lines, batch: s.Batch}
		h = append(h, t)
		if t.at, err = lines.Next(); err != nil {
			return nil, err
		}
	}
	heap.Init(&h)
	var (
		found []contender
		group []contender
	)
	flush := func() {
		for _, c := range group[min(1, len(group)):] {
			if c.taking.Key != group[0].taking.Key {
				found = append(found, group...)
				break
			}
		}
		group = group[:0]
	}
	for len(h) > 0 {
		t := h[0]
		value := t.at.Field + "\x00" + t.at.Value
		if len(group) > 0 && group[0].value != value {
			flush()
		}
		group = append(group, contender{value: value, taking: *t.at, batch: t.batch})
		var err error
		if t.at, err = t.lines.Next(); err == io.EOF {
			t.lines.Close()
			heap.Pop(&h)
			continue
		} else if err != nil {
			return nil, err
		}
		heap.Fix(&h, 0)
	}
	flush()
	return found, nil
}

type takingHead struct {
	lines *journal.Lines[journal.Taking]
	at    *journal.Taking
	batch int
}

// takings is a heap of streams by their next taking.
type takings []*takingHead

func (h takings) Len() int           { return len(h) }
func (h takings) Less(a, b int) bool { return journal.CompareTakings(*h[a].at, *h[b].at) < 0 }
func (h takings) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *takings) Push(x any)        { *h = append(*h, x.(*takingHead)) }
func (h *takings) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	return t
}

// finish adds the journals up and writes journal 0.
func (i *Importer) finish(ctx context.Context, m *Import, items []PlanItem, journals []*journal.Stored) (*Final, error) {
	rec, err := i.reconciled(ctx, m.job())
	if err != nil {
		return nil, err
	}
	f := &Final{
		Items: items, Counts: rec.Left, Codes: rec.Codes, Notes: rec.Notes,
		Held: map[string]int64{}, Made: map[string]int64{},
	}
	refs := map[string]bool{}
	for n, s := range journals {
		f.Counts.Plus(s.Counts)
		add(f.Codes, s.Codes)
		add(f.Held, s.Held)
		add(f.Notes, s.Notes)
		f.Credits.Plus(s.Credits)
		for _, key := range s.Refs {
			refs[key] = true
		}
		if s.Writes.Count > 0 {
			f.Writes = append(f.Writes, items[n])
		}
	}
	if !f.Counts.AddUp() || f.Counts.Read != rec.Rows {
		return nil, &fault.Broken{Message: fmt.Sprintf("%d rows were prepared and %d planned", rec.Rows, f.Counts.Read)}
	}
	if err := i.writeMade(ctx, m, f, refs); err != nil {
		return nil, err
	}
	return f, i.putJSON(ctx, m.job().work("final.json"), f)
}

func add(sum, counts map[string]int64) {
	for k, n := range counts {
		sum[k] += n
	}
}

func madeJournal(job Job, entityName string) string { return job.journal("made-" + entityName) }

// writeMade writes journal 0: the records to be made on the way, as far as
// accepted rows refer to them, one journal an entity.
func (i *Importer) writeMade(ctx context.Context, m *Import, f *Final, refs map[string]bool) error {
	if len(refs) == 0 {
		return nil
	}
	made := map[string]map[string]journal.Entry{}
	named := map[string]int64{} // the row that names a record first
	err := i.eachResolution(ctx, m.job(), func(r resolved) error {
		if !r.As.Made || !refs[r.As.Key] {
			return nil
		}
		if made[r.To] == nil {
			made[r.To] = map[string]journal.Entry{}
		}
		if row, ok := named[r.To+" "+r.As.Key]; ok && row < r.Row {
			return nil
		}
		named[r.To+" "+r.As.Key] = r.Row
		made[r.To][r.As.Key] = i.madeEntry(m, r)
		return nil
	})
	if err != nil {
		return err
	}
	for name, entries := range made {
		j := &journal.Journal{}
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			j.Entries = append(j.Entries, entries[key])
		}
		body, err := j.Encode()
		if err != nil {
			return err
		}
		if _, err := i.Objects.Put(ctx, madeJournal(m.job(), name), body, object.PutOptions{}); err != nil {
			return fmt.Errorf("importer: storing journal 0: %w", err)
		}
		f.Made[name] = int64(len(entries))
	}
	return nil
}

func (i *Importer) madeEntry(m *Import, r resolved) journal.Entry {
	to, _ := i.Catalog.Entity(r.To)
	written := code(m.Tenant, to.Name, entity.FoldName(r.Written))
	after := record.Fields{to.NameField: {Text: entity.Clean(r.Written)}}
	if to.Key == to.NameField {
		written = entity.Clean(r.Written)
	} else {
		after[to.Key] = record.Value{Text: written}
	}
	return journal.Entry{
		Key: r.As.Key, Written: written, Op: journal.Create, NewVer: m.NewVer,
		Changed: slices.Sorted(maps.Keys(after)), After: after,
	}
}

// decideStart keeps the preview and says how the import goes on.
func (i *Importer) decideStart(ctx context.Context, m *Import, f *Final, differs int64) (Step, error) {
	next := "found"
	trouble := verdict(&m.Options, f)
	earlier, err := i.creditedBy(ctx, m, f)
	if err != nil {
		return Step{}, err
	}
	switch {
	case trouble != nil, m.Options.DryRun:
		next = "report"
	case (m.Options.Start == mapping.OnMyWord || earlier != "") && !m.Word:
		next = "start"
	case i.untilStart(m) > 0:
		next = "turn"
	}
	m, err = i.edit(ctx, m.Tenant, m.ID, func(m *Import) error {
		m.Planned, m.Differs = true, differs
		m.Credits, m.CreditedBy = f.Credits.Count, earlier
		m.Plan, m.Codes, m.Held, m.Notices = f.Counts, f.Codes, f.Held, f.Notes
		m.Made, m.Trouble = 0, trouble
		for _, n := range f.Made {
			m.Made += n
		}
		switch next {
		case "found":
			m.Started = true
			m.to(Applying, i.Now())
		case "start":
			m.pause("start")
			m.to(Ready, i.Now())
		case "turn":
			m.to(Ready, i.Now())
		}
		return nil
	})
	if err != nil {
		return Step{}, err
	}
	i.log(ctx, m.job(), "planned", "next", next, "created", f.Counts.Created, "updated", f.Counts.Updated,
		"unchanged", f.Counts.Unchanged, "rejected", f.Counts.Rejected, "ignored", f.Counts.Ignored)
	if next == "start" || next == "turn" {
		err = i.leave(ctx, m)
	}
	return Step{Job: m.job(), Next: next}, err
}

// verdict is why a plan is not to be applied; nil where it is.
func verdict(o *mapping.Options, f *Final) *Trouble {
	if f.Counts.Read == 0 {
		return nil
	}
	if f.Counts.Rejected == f.Counts.Read {
		return &Trouble{"all_rejected", "Every row was rejected; the report says why. Repair it and drop it again."}
	}
	if share := float64(f.Counts.Rejected) / float64(f.Counts.Read); share > *o.ToleratedShare {
		return &Trouble{"too_many_rejected", fmt.Sprintf("%.1f %% of the rows were rejected, more than the %.1f %% that the template tolerates. Nothing was written.", share*100, *o.ToleratedShare*100)}
	}
	count := func(codes ...string) int64 {
		var n int64
		for key, c := range f.Codes {
			for _, code := range codes {
				if len(key) > len(code) && key[:len(code)+1] == code+" " {
					n += c
				}
			}
		}
		return n
	}
	if o.RepeatedUnique == mapping.FailsImport && count("not_unique", "not_unique_in_file") > 0 {
		return &Trouble{"repeated_unique", "Rows repeat unique values, and the template says to write nothing then. The report names them."}
	}
	if o.MissingRequired == mapping.FailsImport && count("required_missing", "required_any_missing") > 0 {
		return &Trouble{"missing_required", "Rows lack required data, and the template says to write nothing then. The report names them."}
	}
	return nil
}
