package rehearsal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/rehearsal"
)

// drawConfig draws sizes so small that a file of a few rows has several parts,
// segments and batches.
func drawConfig(t *rapid.T) *importer.Config {
	c := importer.Defaults()
	c.BatchRows = rapid.IntRange(1, 6).Draw(t, "batch rows")
	c.PartBytes = rapid.Int64Range(1, 300).Draw(t, "part bytes")
	c.SegmentBytes = rapid.IntRange(1, 300).Draw(t, "segment bytes")
	c.MatchRows = rapid.IntRange(1, 5).Draw(t, "match rows")
	c.Wave = rapid.Int64Range(1, 4).Draw(t, "wave")
	return &c
}

// drop drops a file with its options and runs its import to the end. It tells
// whether a person's word was waited for, and says it.
func drop(ctx context.Context, s *rehearsal.Stage, f *file, id string) (m *importer.Import, asked bool, err error) {
	key, err := s.Announce(ctx, rehearsal.Tenant, f.entity, id, "file.csv", importer.Intent{Options: &f.options})
	if err != nil {
		return nil, false, err
	}
	d, err := s.PutKey(ctx, key, []byte(f.text()))
	if err != nil {
		return nil, false, err
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		return nil, false, err
	}
	if wait, err := s.Runner.Await(ctx, d.Execution); err == nil && wait.State == "AwaitStart" {
		asked = true
		if m, err = s.Of(ctx, d); err != nil {
			return nil, false, err
		}
		if err := s.Start(ctx, rehearsal.Tenant, m.ID); err != nil {
			return nil, false, err
		}
	}
	if _, err := s.Runner.Wait(ctx, d.Execution); err != nil {
		return nil, false, err
	}
	m, err = s.Of(ctx, d)
	return m, asked, err
}

// TestOracle imports random files, one after the other, and compares all that is
// stored and told with what the clerk would have made. Many thousand cases:
//
//	go test ./internal/rehearsal -run TestOracle -rapid.checks=20000
func TestOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, imports) })
}

// imports is one case of the oracle.
func imports(t *rapid.T) {
	ctx := t.Context()
	s, err := rehearsal.New(ctx, rehearsal.Options{Config: drawConfig(t)})
	if err != nil {
		t.Fatal(err)
	}
	w := newWitness(s)
	if err := w.openAccounts(ctx); err != nil {
		t.Fatal(err)
	}
	entities := drawEntities(t)
	for n := range rapid.IntRange(1, 4).Draw(t, "files") {
		f := drawFile(t, entities)
		t.Logf("%s", f)
		if err := w.imports(ctx, f, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
}

func drawEntities(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{
		{"contacts", "companies"}, {"contacts"}, {"members", "members", "classifications"}, {"products", "devices"}, {"contacts", "members", "devices"}, {"companies", "contacts", "classifications"},
	}).Draw(t, "entities")
}

// openAccounts opens the account that files name.
func (w *witness) openAccounts(ctx context.Context) error {
	w.accounts["ACC1"] = "+49305550101"
	return w.stage.OpenAccount(ctx, rehearsal.Tenant, "members", w.accounts["ACC1"], "ACC1")
}

// imports imports a file and compares all that is stored and told with what the
// clerk makes of it.
func (w *witness) imports(ctx context.Context, f *file, id string) error {
	m, asked, err := drop(ctx, w.stage, f, id)
	if err != nil {
		return err
	}
	todo := w.take(f)
	v := todo.out
	todo.commit()
	w.pay(f, m, v)
	if asked != v.again {
		return fmt.Errorf("a person was asked: %v, want %v", asked, v.again)
	}
	if err := w.told(ctx, f, m, v); err != nil {
		return fmt.Errorf("%w\n%s", err, trace(ctx, w.stage, m))
	}
	if err := w.stored(ctx); err != nil {
		return err
	}
	return w.stamps(f, m, v)
}

// trace tells what an import left of why it failed.
func trace(ctx context.Context, s *rehearsal.Stage, m *importer.Import) string {
	var b strings.Builder
	if m.Trouble != nil {
		fmt.Fprintf(&b, "%+v\n", *m.Trouble)
	}
	fmt.Fprintf(&b, "%v %+v %+v\n", m.Times, m.Drift, m.Bound)
	infos, _, err := s.Objects.List(ctx, "work/"+rehearsal.Tenant+"/"+m.ID+"/", "")
	if err != nil {
		return err.Error()
	}
	for _, info := range infos {
		if !strings.Contains(info.Key, "/notes/") && !strings.HasSuffix(info.Key, "resolutions.jsonl") && !strings.Contains(info.Key, ".again") {
			continue
		}
		text, err := s.Read(ctx, info.Key)
		fmt.Fprintf(&b, "%s %s %v\n", info.Key, text, err)
	}
	c, err := read(s.Catalog, s.Records)
	if err != nil {
		return err.Error()
	}
	for name, records := range c.records {
		for key, r := range records {
			fmt.Fprintf(&b, "%s %s %v\n", name, key, r)
		}
	}
	fmt.Fprintf(&b, "%v\n%v\n", c.names, c.claims)
	return b.String()
}
