package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

func definition(t *testing.T, name string) *entity.Definition {
	t.Helper()
	c, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	def, ok := c.Entity(name)
	if !ok {
		t.Fatalf("no entity %s", name)
	}
	return def
}

func TestRecordComesBack(t *testing.T) {
	t.Parallel()
	def := definition(t, "companies")
	in := table.Record{
		Key: "a1", Written: "A1", Ver: 1_795_316_413_773,
		By: []table.Writer{{Import: "i", Row: 3, Ver: 1_795_316_413_773}},
		Fields: record.Fields{
			"code": {Text: "A1"}, "name": {Text: "Ašara"}, "credit_limit": {Text: "1200.5"},
			"addresses": {List: []string{`{"kind":"billing","street":"Hauptstr. 5","city":"Berlin"}`}},
		},
	}
	attrs := table.Attrs("t", def, &in)
	if attrs["f"].(map[string]any)["credit_limit"] != store.Number("1200.5") {
		t.Errorf("money is stored as %T", attrs["f"].(map[string]any)["credit_limit"])
	}
	out, err := table.Read(def, store.Item{Key: table.RecordKey("t", "companies", "a1"), Attrs: attrs})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, out); d != "" {
		t.Errorf("(-in +out):\n%s", d)
	}
}

func TestReferenceIsIndexed(t *testing.T) {
	t.Parallel()
	def := definition(t, "contacts")
	r := table.Record{Key: "p", Fields: record.Fields{"company": {Text: "a1"}}}
	if got, want := table.Attrs("t", def, &r)["ref"], "t#contacts#company#a1"; got != want {
		t.Errorf("ref is %v, want %s", got, want)
	}
	r.Fields = record.Fields{}
	if got, ok := table.Attrs("t", def, &r)["ref"]; ok {
		t.Errorf("a record without a reference is indexed under %v", got)
	}
}

func TestByKeepsTheLastWriters(t *testing.T) {
	t.Parallel()
	var r table.Record
	for n := range int64(12) {
		r.Ver = 100 + n
		r.By = r.Stamp(table.Writer{Import: fmt.Sprint("i", n), Row: n, Ver: r.Ver})
	}
	if len(r.By) != table.Writers || r.By[0].Import != "i4" {
		t.Errorf("by %+v", r.By)
	}
	if _, ok := r.Wrote("i3"); ok {
		t.Error("a writer too old is still named")
	}
	if w, ok := r.Wrote("i11"); !ok || w.Ver != 111 {
		t.Errorf("the last writer is %+v", w)
	}
	for ver, want := range map[int64]bool{111: true, 104: true, 103: true, 102: false} {
		if got := r.ReachesBack(ver); got != want {
			t.Errorf("reaches back to %d: %v, want %v", ver, got, want)
		}
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	def := definition(t, "companies")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := table.Record{Key: "a", Ver: 5, By: []table.Writer{{Import: "i", Row: 1, Ver: 5}}}
	out, err := table.Read(def, store.Item{Key: store.Key{SK: "a"}, Attrs: table.Tombstone(&r, table.Writer{Ver: 6}, now)})
	if err != nil {
		t.Fatal(err)
	}
	if !out.Gone || out.Ver != 6 || len(out.By) != 2 {
		t.Errorf("%+v", out)
	}
}

// One tenant's keys can never be another's.
func TestKeysAreOfTheirTenant(t *testing.T) {
	t.Parallel()
	for _, k := range []store.Key{
		table.RecordKey("a", "contacts", "x#y"), table.ClaimKey("a", "contacts", "email", "b#c"),
		table.NameKey("a", "companies", "nord", "k"), {PK: table.RefValue("a", "contacts", "company", "k")},
	} {
		if !strings.HasPrefix(k.PK, "a#") {
			t.Errorf("%q does not begin with its tenant", k.PK)
		}
	}
	if table.RecordKey("a", "b", "c").PK == table.ClaimKey("a", "b", "", "c").PK {
		t.Error("a record and a claim share a key")
	}
}

func TestShardsAreEven(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for n := range 64_000 {
		counts[table.RecordKey("t", "e", fmt.Sprintf("key-%06d", n)).PK]++
	}
	if len(counts) != table.Shards {
		t.Fatalf("%d shards", len(counts))
	}
	for pk, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("%s has %d of 64,000 keys", pk, n)
		}
	}
}
