package rehearsal_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/table"
)

// plain draws a file whose rows have their keys, take no unique values, name no
// other records, and wait for nobody.
func plain(t *rapid.T, kind string) *file {
	f := sheet(kind, map[string]string{
		"products": "code;name;price;active", "companies": "code;name;stage;notes",
		"members": "phone;name;consent;points;points_currency",
	}[kind])
	keys := map[string][]cell{
		"products": says("P1", "P1", "p1", "P2", "P3"), "companies": says("K1", "K1", "k1", "K2", "K3"),
		"members": says("+49305550101", "+49305550101", "+49305550102", "+49305550103"),
	}[kind]
	pool := pools()[kind]
	serial := rapid.IntRange(1, 1_000_000_000).Draw(t, "points") // no two files credit the same
	for n := range rapid.IntRange(1, 10).Draw(t, "rows") {
		r := row{cells: []cell{rapid.SampledFrom(keys).Draw(t, "key")}}
		for _, column := range f.columns[1:] {
			x := rapid.SampledFrom(pool[column]).Draw(t, column)
			if column == "points" && x.bad == "" && x.text != "" {
				x = says(fmt.Sprint(serial + n))[0]
			}
			r.cells = append(r.cells, x)
		}
		f.rows = append(f.rows, r)
	}
	return f
}

// theatre is a stage under a weather, with a witness.
func theatre(t *rapid.T) (*witness, *weather) {
	sky := newWeather(rapid.Uint64().Draw(t, "seed"), 3, drawOdds(t))
	sky.pace = time.Duration(rapid.IntRange(0, 400).Draw(t, "pace")) * time.Millisecond
	s, err := rehearsal.New(t.Context(), rehearsal.Options{Config: drawConfig(t), Records: sky.table, Control: sky.table, Objects: sky.bucket})
	if err != nil {
		t.Fatal(err)
	}
	sky.over(s)
	w := newWitness(s)
	w.loose = true
	return w, sky
}

// begin drops a file into a feed and starts its import.
func (w *witness) begin(ctx context.Context, feed, id string, f *file) (rehearsal.Drop, error) {
	key, err := w.stage.Announce(ctx, rehearsal.Tenant, feed, id, "file.csv", importer.Intent{Options: &f.options})
	if err != nil {
		return rehearsal.Drop{}, err
	}
	d, err := w.stage.PutKey(ctx, key, []byte(f.text()))
	if err != nil {
		return d, err
	}
	return d, w.stage.Runner.Start(ctx, d.Execution, d.Event)
}

func (w *witness) ended(ctx context.Context, d rehearsal.Drop) (*importer.Import, error) {
	if _, err := w.stage.Runner.Wait(ctx, d.Execution); err != nil {
		return nil, err
	}
	return w.stage.Of(ctx, d)
}

// TestOracleOfOneFeed starts several imports of one feed at once, each event
// more than once. They are done one at a time, as if one came after the other.
func TestOracleOfOneFeed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			ctx := t.Context()
			w, sky := theatre(t)
			defer sky.clears()
			kind := rapid.SampledFrom([]string{"products", "companies", "members"}).Draw(t, "entity")
			files := map[string]*file{}
			var drops []rehearsal.Drop
			for n := range rapid.IntRange(2, 3).Draw(t, "files") {
				f := plain(t, kind)
				t.Logf("%s", f)
				d, err := w.begin(ctx, kind, fmt.Sprint(n), f)
				if err != nil {
					t.Fatal(err)
				}
				for again := range rapid.IntRange(0, 2).Draw(t, "deliveries") {
					if err := w.stage.Runner.Start(ctx, fmt.Sprint(d.Execution, " again ", again), d.Event); err != nil {
						t.Fatal(err)
					}
				}
				files[d.Key] = f
				drops = append(drops, d)
				pass(time.Duration(rapid.IntRange(0, 5000).Draw(t, "later")) * time.Millisecond)
			}
			pass(12 * time.Hour)
			var all []*importer.Import
			for _, d := range drops {
				m, err := w.stage.Of(ctx, d)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			slices.SortFunc(all, func(a, b *importer.Import) int { return a.Finished.Compare(b.Finished) })
			var err error
			for _, m := range all {
				todo := w.take(files[m.File.Key])
				todo.commit()
				w.pay(files[m.File.Key], m, todo.out)
				if err = w.told(ctx, files[m.File.Key], m, todo.out); err != nil {
					t.Fatalf("%s: %v\n%s\nwent wrong: %v", m.File.Key, err, trace(ctx, w.stage, m), sky.seen)
				}
			}
			if err := w.stored(ctx); err != nil {
				t.Fatalf("%v\nwent wrong: %v", err, sky.seen)
			}
			if n := len(w.stage.Runner.Events()); n != len(all) {
				t.Fatalf("%d events of %d imports", n, len(all))
			}
		})
	})
}

// TestOracleSideBySide runs imports of two feeds on the same records at once.
// What each record becomes is what one order of the two makes of it: no update
// is lost.
func TestOracleSideBySide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			ctx := t.Context()
			w, sky := theatre(t)
			defer sky.clears()
			kind := rapid.SampledFrom([]string{"products", "companies", "members"}).Draw(t, "entity")
			feed := importer.Feed{Name: "others", Entity: kind, Template: "standard-" + kind}
			if err := w.stage.PutFeed(ctx, rehearsal.Tenant, feed); err != nil {
				t.Fatal(err)
			}
			first := plain(t, kind)
			if err := w.imports(ctx, first, "first"); err != nil {
				t.Fatal(err)
			}
			a, b := plain(t, kind), plain(t, kind)
			t.Logf("%s%s%s", first, a, b)
			da, err := w.begin(ctx, kind, "a", a)
			if err != nil {
				t.Fatal(err)
			}
			pass(time.Duration(rapid.IntRange(0, 9000).Draw(t, "later")) * time.Millisecond)
			db, err := w.begin(ctx, "others", "b", b)
			if err != nil {
				t.Fatal(err)
			}
			ma, err := w.ended(ctx, da)
			if err != nil {
				t.Fatal(err)
			}
			mb, err := w.ended(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.oneAfterTheOther(kind, a, b, ma, mb); err != nil {
				t.Fatalf("%v\n%s%s\nwent wrong: %v", err, trace(ctx, w.stage, ma), trace(ctx, w.stage, mb), sky.seen)
			}
		})
	})
}

// oneAfterTheOther looks for an order of two imports, record by record, that
// makes of it what is stored, and for outcomes that fit.
func (w *witness) oneAfterTheOther(kind string, a, b *file, ma, mb *importer.Import) error {
	c, err := read(w.catalog, w.stage.Records)
	if err != nil {
		return err
	}
	type order struct {
		records map[string]*kept
		a, b    *verdict
	}
	before := w.records[kind]
	var orders [2]order
	for n, files := range [2][2]*file{{a, b}, {b, a}} {
		w.records[kind] = before
		one := w.take(files[0])
		one.commit()
		two := w.take(files[1])
		two.commit()
		orders[n] = order{w.records[kind], one.out, two.out}
		if n == 1 {
			orders[n].a, orders[n].b = two.out, one.out
		}
	}
	def, _ := w.catalog.Entity(kind)
	keys := map[string]bool{}
	for _, o := range orders {
		for key := range o.records {
			keys[key] = true
		}
		for _, v := range []*verdict{o.a, o.b} {
			for _, x := range v.rows {
				keys[x.key] = true
			}
		}
	}
	var least, most [2]record.Counts
	for key := range keys {
		var fits []order
		got, stored := c.records[kind][key]
		for _, o := range orders {
			r := o.records[key]
			if (r != nil) != stored || r != nil && !gocmp.Equal(w.modelled(def, r), fieldsOf(def, &got)) {
				continue
			}
			if w.creditedAs(kind, c, key, ma, o.a) && w.creditedAs(kind, c, key, mb, o.b) {
				fits = append(fits, o)
			}
		}
		if len(fits) == 0 {
			return fmt.Errorf("no order makes %s what it is: %v, %v", key, got.Fields, c.ledger)
		}
		if name := foldName(nameOf(def, fieldsOf(def, &got))); stored && name != "" && w.referredTo(kind) && !c.names[kind+"|"+name+"|"+key] {
			return fmt.Errorf("%s is not found by its name %q: %v", key, name, c.names)
		}
		for n := range 2 {
			var counts []record.Counts
			for _, o := range fits {
				counts = append(counts, countsOf([]*verdict{o.a, o.b}[n], key))
			}
			spread(&least[n], &most[n], counts)
		}
	}
	for n, m := range []*importer.Import{ma, mb} {
		if !within(least[n], m.Rows, most[n]) {
			return fmt.Errorf("import %d counts %+v, want %+v to %+v", n, m.Rows, least[n], most[n])
		}
	}
	return nil
}

// creditedAs tells whether the ledger of a record has the lines of an import, and
// no others of it.
func (w *witness) creditedAs(kind string, c *contents, key string, m *importer.Import, v *verdict) bool {
	want, got := map[string]bool{}, map[string]bool{}
	for _, x := range v.credits {
		if x.key == key {
			want[ledgerID(kind, m.ID, &x)] = true
		}
	}
	for id := range c.ledger {
		if strings.HasPrefix(id, kind+" "+key+" "+m.ID+" ") {
			got[id] = true
		}
	}
	return maps.Equal(want, got)
}

// countsOf counts the rows of one record; those of none are under "".
func countsOf(v *verdict, key string) record.Counts {
	var c record.Counts
	for _, x := range v.rows {
		if x.key == key {
			c.Add(outcomes()[x.outcome], 1)
		}
	}
	return c
}

func each(c *record.Counts) []*int64 {
	return []*int64{&c.Created, &c.Updated, &c.Unchanged, &c.Rejected, &c.Ignored}
}

// spread adds the least and the most of some counts.
func spread(least, most *record.Counts, counts []record.Counts) {
	for i := range each(least) {
		low, high := *each(&counts[0])[i], *each(&counts[0])[i]
		for n := range counts {
			low, high = min(low, *each(&counts[n])[i]), max(high, *each(&counts[n])[i])
		}
		*each(least)[i] += low
		*each(most)[i] += high
	}
}

func within(least, c, most record.Counts) bool {
	for i := range each(&c) {
		if n := *each(&c)[i]; n < *each(&least)[i] || n > *each(&most)[i] {
			return false
		}
	}
	return c.AddUp()
}

// TestOracleOfStaleJournals edits, deletes and makes again the records of a plan
// while it waits for its start. The import does what a clerk does who finds the
// records as they are then.
func TestOracleOfStaleJournals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			ctx := t.Context()
			w, sky := theatre(t)
			defer sky.clears()
			kind := rapid.SampledFrom([]string{"products", "companies", "members"}).Draw(t, "entity")
			first := plain(t, kind)
			if err := w.imports(ctx, first, "first"); err != nil {
				t.Fatal(err)
			}
			f := plain(t, kind).with(func(o *mapping.Options) { o.Start = mapping.OnMyWord })
			t.Logf("%s%s", first, f)
			d, err := w.begin(ctx, kind, "second", f)
			if err != nil {
				t.Fatal(err)
			}
			if wait, err := w.stage.Runner.Await(ctx, d.Execution); err == nil && wait.State == "AwaitStart" {
				m, err := w.stage.Of(ctx, d)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.meddle(ctx, t, kind, f); err != nil {
					t.Fatal(err)
				}
				if err := w.stage.Start(ctx, rehearsal.Tenant, m.ID); err != nil {
					t.Fatal(err)
				}
			}
			m, err := w.ended(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			todo := w.take(f)
			todo.commit()
			w.pay(f, m, todo.out)
			if err := w.counted(ctx, f, m, todo.out); err != nil {
				t.Fatalf("%v\n%s\nwent wrong: %v", err, trace(ctx, w.stage, m), sky.seen)
			}
			if err := w.stored(ctx); err != nil {
				t.Fatalf("%v\nwent wrong: %v", err, sky.seen)
			}
		})
	})
}

// meddle changes records that the plan of a file would write, behind its back.
func (w *witness) meddle(ctx context.Context, t *rapid.T, kind string, f *file) error {
	plan := w.take(f)
	records := maps.Clone(w.records[kind])
	for _, key := range slices.Sorted(maps.Keys(plan.out.writes)) {
		r := records[key]
		if r == nil {
			continue
		}
		for range rapid.IntRange(0, 3).Draw(t, "edits of "+key) {
			next := &kept{key: key, written: r.written, fields: maps.Clone(r.fields)}
			name := rapid.SampledFrom([]string{"Shoe", "Boot", "Clog"}).Draw(t, "name")
			next.fields["name"] = []string{name}
			gone := rapid.IntRange(0, 4).Draw(t, "deleted") == 0
			if gone {
				next = nil
			}
			records[key] = next
			err := w.edit(ctx, kind, key, func(to *table.Record) {
				if to.Gone = gone; gone {
					return
				}
				to.Written, to.Fields = r.written, record.Fields{}
				for field, v := range next.fields {
					to.Fields[field] = record.Value{Text: v[0]}
				}
			})
			if err != nil {
				return err
			}
		}
		if records[key] == nil {
			delete(records, key)
		}
	}
	w.records[kind] = records
	return nil
}
