package journal_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/object"
	objects "github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/internal/table"
)

// bench is one batch of contacts over stores in memory.
type bench struct {
	*testing.T
	def     *entity.Definition
	table   *memory.Table
	objects *objects.Store
	planner *journal.Planner
	rows    []shuffle.Row
}

func setup(t *testing.T, hook memory.Hook) *bench {
	t.Helper()
	c, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	def, _ := c.Entity("contacts")
	merge, err := def.MergeOptions(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, def: def, table: memory.New(memory.WithHook(hook)), objects: objects.New()}
	b.planner = &journal.Planner{
		Tenant: "t", Def: def, Merge: merge, Import: "imp", NewVer: 1000, Records: b.table,
		Resolve: func(int, string) (journal.Resolution, bool) { return journal.Resolution{}, false },
		Holding: func(context.Context, string) (bool, error) { return false, nil },
	}
	return b
}

func (b *bench) row(number int64, key string, fields ...string) {
	r := shuffle.Row{Number: number, Key: key, Written: key}
	for n := 0; n < len(fields); n += 2 {
		i, f := b.def.Field(fields[n])
		if f == nil {
			b.Fatalf("no field %s", fields[n])
		}
		r.Fields = append(r.Fields, entity.FieldValue{Index: i, Value: record.Value{Text: fields[n+1]}})
	}
	b.rows = append(b.rows, r)
}

func (b *bench) plan() *journal.Stored {
	b.Helper()
	j, err := b.planner.Batch(b.Context(), 0, slices.Clone(b.rows))
	if err != nil {
		b.Fatal(err)
	}
	body, err := j.Encode()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.objects.Put(b.Context(), "journal", body, object.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	s, err := journal.Open(b.Context(), b.objects, "journal")
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) applier() *journal.Applier {
	return &journal.Applier{
		Planner: b.planner, Objects: b.objects, Prefix: "again", Now: time.Now,
		Stopped: func(context.Context) (bool, error) { return false, nil },
		Rows: func(_ context.Context, key string) ([]shuffle.Row, error) {
			var of []shuffle.Row
			for _, r := range b.rows {
				if r.Key == key {
					of = append(of, r)
				}
			}
			return of, nil
		},
	}
}

// apply applies the journal to its end and returns the outcomes.
func (b *bench) apply(s *journal.Stored) (record.Counts, journal.Overrides) {
	b.Helper()
	a := b.applier()
	p, err := a.Apply(b.Context(), s, 0)
	if err != nil || !p.Done {
		b.Fatal(p, err)
	}
	counts, overrides, err := a.Audit(b.Context(), s, false)
	if err != nil {
		b.Fatal(err)
	}
	return counts, overrides
}

func (b *bench) stored(key string) table.Record {
	b.Helper()
	k := table.RecordKey("t", "contacts", key)
	items, err := b.table.Get(b.Context(), []store.Key{k})
	if err != nil {
		b.Fatal(err)
	}
	it, ok := items[k]
	if !ok {
		return table.Record{}
	}
	r, err := table.Read(b.def, it)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// edit writes a record as a screen does.
func (b *bench) edit(key string, fields record.Fields) {
	b.Helper()
	old := b.stored(key)
	r := table.Record{Key: key, Written: key, Fields: fields, Ver: old.Ver + 1, By: old.By}
	r.By = r.Stamp(table.Writer{Ver: r.Ver})
	results, err := b.table.Write(b.Context(), []store.Op{{Kind: store.Put, Key: table.RecordKey("t", "contacts", key), Set: table.Attrs("t", b.def, &r)}})
	if err != nil || results[0].Err != nil {
		b.Fatal(err, results)
	}
}

func TestApplyingTwiceLeavesWhatOnceDoes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.row(2, "a", "first_name", "Anna", "email", "a@example.com")
	b.row(3, "b", "first_name", "Bo", "email", "b@example.com")
	b.row(4, "a", "last_name", "Berg")
	s := b.plan()
	want := record.Counts{Read: 3, Created: 2, Updated: 1}
	for range 2 {
		counts, overrides := b.apply(s)
		if counts != want || len(overrides) > 0 {
			t.Errorf("counts %+v, overrides %v", counts, overrides)
		}
	}
	a := b.stored("a")
	if a.Ver != 1000 || a.Fields["last_name"].Text != "Berg" || len(a.By) != 1 || a.By[0].Row != 4 {
		t.Errorf("stored %+v", a)
	}
}

func TestARecordChangedMeanwhileIsDecidedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.edit("a", record.Fields{"code": {Text: "a"}, "first_name": {Text: "Anna"}, "email": {Text: "a@example.com"}})
	b.row(2, "a", "first_name", "Anne", "job_title", "Chef")
	s := b.plan()
	b.edit("a", record.Fields{"code": {Text: "a"}, "first_name": {Text: "Anne"}, "email": {Text: "a@example.com"}, "job_title": {Text: "Chef"}, "notes": {Text: "kept"}})
	counts, overrides := b.apply(s)
	if want := (record.Counts{Read: 1, Unchanged: 1}); counts != want {
		t.Errorf("counts %+v, overrides %v", counts, overrides)
	}
	if got := b.stored("a"); got.Fields["notes"].Text != "kept" || got.Ver != 2 {
		t.Errorf("stored %+v", got)
	}
	b.edit("a", record.Fields{"code": {Text: "a"}, "first_name": {Text: "Ann"}, "email": {Text: "a@example.com"}})
	counts, overrides = b.apply(s) // a worker that comes late finds its decision
	if want := (record.Counts{Read: 1, Unchanged: 1}); counts != want && counts != (record.Counts{Read: 1, Updated: 1}) {
		t.Errorf("counts %+v, overrides %v", counts, overrides)
	}
}

func TestTooManyWritesMeanwhileLeaveTheRowUndecided(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	fields := record.Fields{"code": {Text: "a"}, "first_name": {Text: "Anna"}, "email": {Text: "a@example.com"}}
	b.edit("a", fields)
	b.row(2, "a", "first_name", "Anne")
	s := b.plan()
	for range table.Writers + 1 {
		b.edit("a", fields)
	}
	counts, overrides := b.apply(s)
	if want := (record.Counts{Read: 1, Rejected: 1}); counts != want {
		t.Errorf("counts %+v", counts)
	}
	if got := overrides[2].Problems[0].Code; got != "undecided" {
		t.Errorf("code %s", got)
	}
	if got := b.stored("a").Fields["first_name"].Text; got != "Anna" {
		t.Errorf("applied all the same: %s", got)
	}
}

func TestAValueTakenMeanwhileRejectsTheRow(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.row(2, "a", "first_name", "Anna", "email", "x@example.com")
	s := b.plan()
	claim := table.ClaimKey("t", "contacts", "email", "x@example.com")
	if _, err := b.table.Write(t.Context(), []store.Op{{Kind: store.Insert, Key: claim, Set: map[string]any{"k": "z", "i": ""}}}); err != nil {
		t.Fatal(err)
	}
	b.edit("z", record.Fields{"code": {Text: "z"}, "email": {Text: "x@example.com"}})
	counts, overrides := b.apply(s)
	if want := (record.Counts{Read: 1, Rejected: 1}); counts != want {
		t.Errorf("counts %+v", counts)
	}
	if d := cmp.Diff([]record.Problem{{Code: "not_unique", Column: -1, Field: "email", Args: []string{"z"}}}, overrides[2].Problems); d != "" {
		t.Error(d)
	}
	if b.stored("a").Ver != 0 {
		t.Error("the record was made all the same")
	}
}

// A claim whose import is over and whose record does not carry it blocks
// nobody.
func TestAnOrphanedClaimIsTakenOver(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	claim := table.ClaimKey("t", "contacts", "email", "x@example.com")
	if _, err := b.table.Write(t.Context(), []store.Op{{Kind: store.Insert, Key: claim, Set: map[string]any{"k": "ghost", "i": "over"}}}); err != nil {
		t.Fatal(err)
	}
	b.row(2, "a", "first_name", "Anna", "email", "x@example.com")
	counts, _ := b.apply(b.plan())
	if want := (record.Counts{Read: 1, Created: 1}); counts != want {
		t.Errorf("counts %+v", counts)
	}
	items, err := b.table.Get(t.Context(), []store.Key{claim})
	if err != nil {
		t.Fatal(err)
	}
	if got := items[claim].Attrs["k"]; got != "a" {
		t.Errorf("the value belongs to %v", got)
	}
}

// A worker that died before it wrote anything leaves rows that are said to be
// not applied.
func TestAuditOfAWorkerThatIsGone(t *testing.T) {
	t.Parallel()
	dead := errors.New("killed")
	kill := false
	b := setup(t, func(_ context.Context, c memory.Call) memory.Fault {
		if kill && c.Method == "Write" {
			return memory.Fault{Before: dead}
		}
		return memory.Fault{}
	})
	b.row(2, "a", "first_name", "Anna", "phone", "+4930555")
	b.row(3, "b", "first_name", "Bo")
	s := b.plan()
	kill = true
	if _, err := b.applier().Apply(t.Context(), s, 0); err == nil {
		t.Fatal("the worker was not killed")
	}
	counts, overrides, err := b.applier().Audit(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := (record.Counts{Read: 2, Rejected: 2}); counts != want {
		t.Errorf("counts %+v", counts)
	}
	if got := overrides[2].Problems[0].Code; got != "not_applied" {
		t.Errorf("code %s", got)
	}
	if len(overrides) != 1 {
		t.Errorf("overrides %v", overrides)
	}
}

func TestStoppedWorkersStop(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.row(2, "a", "first_name", "Anna", "phone", "+4930555")
	s := b.plan()
	a := b.applier()
	a.Stopped = func(context.Context) (bool, error) { return true, nil }
	p, err := a.Apply(t.Context(), s, 0)
	if err != nil || !p.Stopped || p.Done {
		t.Errorf("%+v %v", p, err)
	}
	if b.stored("a").Ver != 0 {
		t.Error("a stopped worker wrote")
	}
	a.Stopped = func(context.Context) (bool, error) { return false, &fault.Transient{} }
	if _, err := a.Apply(t.Context(), s, 0); err == nil {
		t.Error("a mark that cannot be read stops nobody")
	}
}
