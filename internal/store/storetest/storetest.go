// Package storetest is the contract of store.Table as tests. Every
// implementation runs it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropload/dropload/internal/store"
)

// Index is the index that the table must have: its keys are the text attributes
// "ref" and "sk".
const Index = "by_ref"

// Run runs the suite. open returns a table with the index Index; the tests use
// partitions of their own, so it may be the same table each time.
func Run(t *testing.T, open func(t *testing.T) store.Table) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"kinds of values come back as they went in", values},
		{"a number comes back in its canonical form", numbers},
		{"awkward names and texts", awkward},
		{"insert", insert},
		{"update", update},
		{"delete", remove},
		{"put", put},
		{"conditions", conditions},
		{"a failed condition shows the item", shows},
		{"one failure does not touch the others", mixed},
		{"many writes and reads", many},
		{"an item that is too large", large},
		{"what no table takes is refused", refused},
		{"copies go in and come out", copies},
		{"of racing inserts one wins", race},
		{"guarded updates lose nothing", counter},
		{"transactions", transact},
		{"transactions that race", transactRace},
		{"a transaction may be made again", transactAgain},
		{"queries in order", query},
		{"pages", pages},
		{"pages that end by size", bigPages},
		{"an index", index},
		{"a context that has ended", ended},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			t.Cleanup(cancel)
			name := strings.ReplaceAll(t.Name(), "/", "-") + fmt.Sprint(time.Now().UnixNano())
			c.test(&bench{T: t, ctx: ctx, table: open(t), pk: name})
		})
	}
}

// bench is one test with a table and a partition of its own.
type bench struct {
	*testing.T
	ctx   context.Context
	table store.Table
	pk    string
}

type attrs = map[string]any

func (b *bench) key(sk string) store.Key { return store.Key{PK: b.pk, SK: sk} }

func (b *bench) insert(sk string, a attrs) store.Op {
	return store.Op{Kind: store.Insert, Key: b.key(sk), Set: a}
}

// write carries ops out and returns each one's error.
func (b *bench) write(ops ...store.Op) []error {
	b.Helper()
	results, err := b.table.Write(b.ctx, ops)
	if err != nil {
		b.Fatalf("Write: %v", err)
	}
	if len(results) != len(ops) {
		b.Fatalf("Write: %d results for %d ops", len(results), len(ops))
	}
	errs := make([]error, len(results))
	for i, r := range results {
		errs[i] = r.Err
	}
	return errs
}

// must carries ops out and wants each done.
func (b *bench) must(ops ...store.Op) {
	b.Helper()
	for i, err := range b.write(ops...) {
		if err != nil {
			b.Fatalf("write %d: %v", i, err)
		}
	}
}

// fails carries one op out and wants that error.
func (b *bench) fails(op store.Op, want error) {
	b.Helper()
	if err := b.write(op)[0]; !errors.Is(err, want) {
		b.Errorf("kind %d, conditions %v: got %v, want %v", op.Kind, op.If, err, want)
	}
}

// stored reads one item; nil for none.
func (b *bench) stored(sk string) attrs {
	b.Helper()
	got, err := b.table.Get(b.ctx, []store.Key{b.key(sk)})
	if err != nil {
		b.Fatalf("Get: %v", err)
	}
	it, ok := got[b.key(sk)]
	if !ok {
		return nil
	}
	if it.Key != b.key(sk) {
		b.Errorf("item %v under the key %v", it.Key, b.key(sk))
	}
	return it.Attrs
}

func (b *bench) want(sk string, want attrs) {
	b.Helper()
	if diff := cmp.Diff(want, b.stored(sk), cmpopts.EquateEmpty()); diff != "" {
		b.Errorf("%s (-want +got):\n%s", sk, diff)
	}
}

func values(b *bench) {
	in := attrs{
		"text": "Žąsis €", "empty": "", "number": store.Number("-12.5"), "big": store.Number("12345678901234567890123456789012345678"),
		"yes": true, "no": false, "list": []any{"a", store.Number("1"), true, []any{}, attrs{"deep": []any{"x"}}},
		"map": attrs{"street": "Gatvė 1", "none": attrs{}, "n": store.Number("0")}, "blank list": []any{},
	}
	b.must(b.insert("insert", in), store.Op{Kind: store.Put, Key: b.key("put"), Set: in}, b.insert("update", attrs{"old": "x"}))
	b.must(store.Op{Kind: store.Update, Key: b.key("update"), Set: in, Remove: []string{"old"}})
	for _, sk := range []string{"insert", "put", "update"} {
		b.want(sk, in)
	}
	b.must(b.insert("keys only", nil))
	if b.stored("keys only") == nil {
		b.Error("an item without attributes is not stored")
	}
}

func numbers(b *bench) {
	b.must(b.insert("n", attrs{"a": store.Number("1.50"), "b": store.Number("007"), "c": store.Number("1e3"), "d": store.Number("-0"), "e": store.Number("0.00100"), "f": []any{store.Number("+4")}}))
	b.want("n", attrs{"a": store.Number("1.5"), "b": store.Number("7"), "c": store.Number("1000"), "d": store.Number("0"), "e": store.Number("0.001"), "f": []any{store.Number("4")}})
	b.must(store.Op{Kind: store.Update, Key: b.key("n"), Set: attrs{"g": store.Number("1")}, If: []store.Cond{{Kind: store.Equals, Attr: "a", Value: store.Number("1.500")}}})
	b.must(store.Op{Kind: store.Update, Key: b.key("n"), Set: attrs{"h": store.Number("1")}, If: []store.Cond{{Kind: store.Less, Attr: "b", Value: store.Number("10")}}})
}

func awkward(b *bench) {
	long := attrs{}
	for i := range 60 { // a statement of more than 8 KB
		long[fmt.Sprintf("%03d %s", i, strings.Repeat("n", 200))] = "v"
	}
	odd := attrs{
		"first": "reserved", "tax number": "a space", "Straße": "not ASCII", "it's": "a quote", `say "hi"`: "quotes",
		"a.b": "a dot", "what?": "a mark", "c[0]": "brackets", "#n": "like a placeholder", "back`tick\\": "ticks",
	}
	for name, a := range map[string]attrs{"long": long, "odd": odd} {
		sk := `key 'with' "quotes"? ` + name
		b.must(b.insert(sk, a))
		b.want(sk, a)
		b.fails(b.insert(sk, a), store.ErrExists)
		var conds []store.Cond
		changed := attrs{}
		for n := range a {
			conds = append(conds, store.Cond{Kind: store.Equals, Attr: n, Value: a[n]})
			changed[n] = "changed"
		}
		b.must(store.Op{Kind: store.Update, Key: b.key(sk), Set: changed, If: conds})
		b.want(sk, changed)
		b.fails(store.Op{Kind: store.Update, Key: b.key(sk), Set: changed, If: conds}, store.ErrConditionFailed)
		b.fails(store.Op{Kind: store.Delete, Key: b.key(sk), If: conds}, store.ErrConditionFailed)
		b.want(sk, changed)
	}
}

func insert(b *bench) {
	b.must(b.insert("a", attrs{"v": "1"}))
	b.fails(b.insert("a", attrs{"v": "2"}), store.ErrExists)
	b.want("a", attrs{"v": "1"})
	b.want("other", nil)
}

func update(b *bench) {
	b.fails(store.Op{Kind: store.Update, Key: b.key("a"), Set: attrs{"v": "1"}}, store.ErrConditionFailed)
	b.fails(store.Op{Kind: store.Update, Key: b.key("a"), Set: attrs{"v": "1"}, If: []store.Cond{{Kind: store.Missing, Attr: "v"}}}, store.ErrConditionFailed)
	b.want("a", nil)
	b.must(b.insert("a", attrs{"keep": "k", "change": "old", "drop": "d"}))
	b.must(store.Op{Kind: store.Update, Key: b.key("a"), Set: attrs{"change": "new", "add": attrs{"x": "y"}}, Remove: []string{"drop", "never there"}})
	b.want("a", attrs{"keep": "k", "change": "new", "add": attrs{"x": "y"}})
	b.must(store.Op{Kind: store.Update, Key: b.key("a"), Remove: []string{"add"}})
	b.want("a", attrs{"keep": "k", "change": "new"})
}

func remove(b *bench) {
	b.must(store.Op{Kind: store.Delete, Key: b.key("missing")})
	b.fails(store.Op{Kind: store.Delete, Key: b.key("missing"), If: []store.Cond{{Kind: store.Equals, Attr: "v", Value: "1"}}}, store.ErrConditionFailed)
	b.fails(store.Op{Kind: store.Delete, Key: b.key("missing"), If: []store.Cond{{Kind: store.Missing, Attr: "v"}}}, store.ErrConditionFailed)
	b.must(b.insert("a", attrs{"v": "1"}), b.insert("b", attrs{"v": "1"}), b.insert("c", attrs{"v": "1"}))
	b.fails(store.Op{Kind: store.Delete, Key: b.key("a"), If: []store.Cond{{Kind: store.Equals, Attr: "v", Value: "2"}}}, store.ErrConditionFailed)
	b.want("a", attrs{"v": "1"})
	b.must(
		store.Op{Kind: store.Delete, Key: b.key("a"), If: []store.Cond{{Kind: store.Equals, Attr: "v", Value: "1"}}},
		store.Op{Kind: store.Delete, Key: b.key("b"), If: []store.Cond{{Kind: store.Missing, Attr: "w"}}},
		store.Op{Kind: store.Delete, Key: b.key("c")},
	)
	for _, sk := range []string{"a", "b", "c"} {
		b.want(sk, nil)
	}
	b.must(b.insert("a", attrs{"v": "again"}))
}

func put(b *bench) {
	b.must(store.Op{Kind: store.Put, Key: b.key("a"), Set: attrs{"v": "1", "w": "2"}})
	b.must(store.Op{Kind: store.Put, Key: b.key("a"), Set: attrs{"v": "3"}})
	b.want("a", attrs{"v": "3"})
}

func conditions(b *bench) {
	item := attrs{"s": "m", "n": store.Number("9"), "b": true, "l": []any{"a", store.Number("1")}, "m": attrs{"k": "v"}}
	b.must(b.insert("a", item))
	one := func(kind store.CondKind, attr string, v any) []store.Cond {
		return []store.Cond{{Kind: kind, Attr: attr, Value: v}}
	}
	for i, c := range []struct {
		conds []store.Cond
		holds bool
	}{
		{one(store.Equals, "s", "m"), true},
		{one(store.Equals, "s", "M"), false},
		{one(store.Equals, "n", store.Number("9")), true},
		{one(store.Equals, "n", "9"), false}, // another type
		{one(store.Equals, "b", true), true},
		{one(store.Equals, "b", false), false},
		{one(store.Equals, "l", []any{"a", store.Number("1")}), true},
		{one(store.Equals, "l", []any{"a"}), false},
		{one(store.Equals, "m", attrs{"k": "v"}), true},
		{one(store.Equals, "x", "m"), false},
		{one(store.Present, "s", nil), true},
		{one(store.Present, "x", nil), false},
		{one(store.Missing, "x", nil), true},
		{one(store.Missing, "s", nil), false},
		{one(store.Less, "n", store.Number("10")), true}, // not as text
		{one(store.Less, "n", store.Number("9")), false},
		{one(store.Less, "s", "n"), true},
		{one(store.Less, "s", "m"), false},
		{one(store.Less, "s", store.Number("5")), false}, // another type
		{one(store.Less, "x", "z"), false},
		{append(one(store.Equals, "s", "m"), one(store.Missing, "x", nil)...), true},
		{append(one(store.Equals, "s", "m"), one(store.Missing, "n", nil)...), false},
	} {
		op := store.Op{Kind: store.Update, Key: b.key("a"), Set: attrs{"count": store.Number(fmt.Sprint(i))}, If: c.conds}
		err := b.write(op)[0]
		if c.holds && err != nil || !c.holds && !errors.Is(err, store.ErrConditionFailed) {
			b.Errorf("%v: %v, want it to hold: %v", c.conds, err, c.holds)
		}
	}
}

func shows(b *bench) {
	item := attrs{"v": store.Number("1"), "by": []any{attrs{"row": store.Number("7")}}}
	b.must(b.insert("u", item), b.insert("d", item), b.insert("exists", item))
	wrong := []store.Cond{{Kind: store.Equals, Attr: "v", Value: store.Number("2")}}
	results, err := b.table.Write(b.ctx, []store.Op{
		{Kind: store.Update, Key: b.key("u"), Set: attrs{"x": "y"}, If: wrong},
		{Kind: store.Delete, Key: b.key("d"), If: wrong},
		{Kind: store.Update, Key: b.key("missing"), Set: attrs{"x": "y"}, If: wrong},
		b.insert("exists", item),
	})
	if err != nil {
		b.Fatal(err)
	}
	for i, sk := range []string{"u", "d"} {
		want := &store.Item{Key: b.key(sk), Attrs: item}
		if diff := cmp.Diff(want, results[i].Old); diff != "" {
			b.Errorf("%s: Old (-want +got):\n%s", sk, diff)
		}
	}
	for _, r := range results[2:] {
		if r.Old != nil {
			b.Errorf("Old is %v with %v", r.Old, r.Err)
		}
	}
}

func mixed(b *bench) {
	var setup, ops []store.Op
	for i := range 60 {
		setup = append(setup, b.insert(fmt.Sprintf("%02d", i), attrs{"v": store.Number("1")}))
	}
	b.must(setup...)
	for i := range 60 {
		key := b.key(fmt.Sprintf("%02d", i))
		have := store.Number("1")
		if i%3 == 0 {
			have = "2"
		}
		if i%5 == 0 {
			ops = append(ops, store.Op{Kind: store.Insert, Key: key})
			continue
		}
		ops = append(ops, store.Op{Kind: store.Update, Key: key, Set: attrs{"v": store.Number("2")}, If: []store.Cond{{Kind: store.Equals, Attr: "v", Value: have}}})
	}
	for i, err := range b.write(ops...) {
		var want error
		switch {
		case i%5 == 0:
			want = store.ErrExists
		case i%3 == 0:
			want = store.ErrConditionFailed
		}
		if !errors.Is(err, want) {
			b.Errorf("%d: %v, want %v", i, err, want)
		}
		v := store.Number("2")
		if want != nil {
			v = "1"
		}
		b.want(fmt.Sprintf("%02d", i), attrs{"v": v})
	}
}

func many(b *bench) {
	const n = 437
	var ops []store.Op
	var keys []store.Key
	for i := range n {
		kind := store.Insert
		if i%2 == 0 {
			kind = store.Put
		}
		op := store.Op{Kind: kind, Key: store.Key{PK: fmt.Sprintf("%s-%d", b.pk, i%7), SK: fmt.Sprint(i)}, Set: attrs{"i": store.Number(fmt.Sprint(i))}}
		ops = append(ops, op)
		keys = append(keys, op.Key, store.Key{PK: b.pk, SK: fmt.Sprint("not there ", i)})
	}
	b.must(ops...)
	got, err := b.table.Get(b.ctx, keys)
	if err != nil {
		b.Fatal(err)
	}
	if len(got) != n {
		b.Errorf("%d items, want %d", len(got), n)
	}
	for _, op := range ops {
		if diff := cmp.Diff(store.Item{Key: op.Key, Attrs: op.Set}, got[op.Key]); diff != "" {
			b.Fatalf("%v (-want +got):\n%s", op.Key, diff)
		}
	}
	if got, err := b.table.Get(b.ctx, nil); err != nil || len(got) != 0 {
		b.Errorf("no keys: %v, %v", got, err)
	}
	if got, err := b.table.Write(b.ctx, nil); err != nil || len(got) != 0 {
		b.Errorf("no ops: %v, %v", got, err)
	}
}

func large(b *bench) {
	big := strings.Repeat("x", 300<<10)
	b.must(b.insert("a", attrs{"one": big}), b.insert("b", attrs{"v": "1"}))
	over := attrs{"one": big, "two": big}
	errs := b.write(
		store.Op{Kind: store.Update, Key: b.key("a"), Set: attrs{"two": big}},
		store.Op{Kind: store.Update, Key: b.key("b"), Set: attrs{"v": "2"}},
		b.insert("c", over),
		store.Op{Kind: store.Put, Key: b.key("d"), Set: over},
	)
	for i, want := range []error{store.ErrTooLarge, nil, store.ErrTooLarge, store.ErrTooLarge} {
		if !errors.Is(errs[i], want) {
			b.Errorf("write %d: %v, want %v", i, errs[i], want)
		}
	}
	b.want("a", attrs{"one": big})
	b.want("b", attrs{"v": "2"})
	b.want("c", nil)
	b.want("d", nil)
	if err := b.table.Transact(b.ctx, []store.Op{
		b.insert("e", attrs{"v": "1"}), {Kind: store.Update, Key: b.key("a"), Set: attrs{"two": big}},
	}); !errors.Is(err, store.ErrTooLarge) {
		b.Errorf("Transact: %v, want %v", err, store.ErrTooLarge)
	}
	b.want("e", nil)
}

func refused(b *bench) {
	if _, err := b.table.Get(b.ctx, []store.Key{b.key("a"), b.key("a")}); err == nil {
		b.Error("Get took a key twice")
	}
	for name, ops := range map[string][]store.Op{
		"key twice":             {b.insert("a", nil), b.insert("b", nil), {Kind: store.Delete, Key: b.key("a")}},
		"empty sort key":        {b.insert("", nil)},
		"no kind":               {{Key: b.key("a")}},
		"insert with condition": {{Kind: store.Insert, Key: b.key("a"), If: []store.Cond{{Kind: store.Missing, Attr: "x"}}}},
		"put with condition":    {{Kind: store.Put, Key: b.key("a"), If: []store.Cond{{Kind: store.Missing, Attr: "x"}}}},
		"update of nothing":     {{Kind: store.Update, Key: b.key("a")}},
		"set and remove":        {{Kind: store.Update, Key: b.key("a"), Set: attrs{"x": "y"}, Remove: []string{"x"}}},
		"key as attribute":      {b.insert("a", attrs{"pk": "x"})},
		"nil value":             {b.insert("a", attrs{"x": nil})},
		"int value":             {b.insert("a", attrs{"x": 1})},
		"nested int":            {b.insert("a", attrs{"x": []any{attrs{"y": 1}}})},
		"not a number":          {b.insert("a", attrs{"x": store.Number("1,5")})},
		"less than a bool":      {{Kind: store.Delete, Key: b.key("a"), If: []store.Cond{{Kind: store.Less, Attr: "x", Value: true}}}},
	} {
		if _, err := b.table.Write(b.ctx, ops); err == nil {
			b.Errorf("Write took %s", name)
		}
		if err := b.table.Transact(b.ctx, ops); err == nil {
			b.Errorf("Transact took %s", name)
		}
	}
	b.want("a", nil)
	b.want("b", nil)
}

func copies(b *bench) {
	list := []any{attrs{"x": "1"}}
	in := attrs{"list": list}
	b.must(b.insert("a", in))
	list[0].(attrs)["x"] = "changed by the writer"
	in["new"] = "y"
	want := attrs{"list": []any{attrs{"x": "1"}}}
	got := b.stored("a")
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("(-want +got):\n%s", diff)
	}
	got["list"].([]any)[0].(attrs)["x"] = "changed by the reader"
	b.want("a", want)
}

func race(b *bench) {
	const n = 8
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := b.table.Write(b.ctx, []store.Op{b.insert("a", attrs{"owner": fmt.Sprint(i)})})
			if err == nil {
				err = r[0].Err
			}
			errs[i] = err
		})
	}
	wg.Wait()
	winner := ""
	for i, err := range errs {
		switch {
		case err == nil && winner == "":
			winner = fmt.Sprint(i)
		case !errors.Is(err, store.ErrExists):
			b.Errorf("%d: %v, want %v", i, err, store.ErrExists)
		}
	}
	b.want("a", attrs{"owner": winner})
}

func counter(b *bench) {
	b.must(b.insert("n", attrs{"ver": store.Number("0")}))
	const workers, each = 4, 5
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				for !b.bump() {
				}
			}
		})
	}
	wg.Wait()
	b.want("n", attrs{"ver": store.Number(fmt.Sprint(workers * each))})
}

// bump adds one to the counter, unless somebody else came between.
func (b *bench) bump() bool {
	got, err := b.table.Get(b.ctx, []store.Key{b.key("n")})
	if err != nil {
		b.Error(err)
		return true
	}
	ver, _ := got[b.key("n")].Attrs["ver"].(store.Number)
	var n int
	if _, err := fmt.Sscan(string(ver), &n); err != nil {
		b.Error(err)
		return true
	}
	r, err := b.table.Write(b.ctx, []store.Op{{
		Kind: store.Update, Key: b.key("n"), Set: attrs{"ver": store.Number(fmt.Sprint(n + 1))},
		If: []store.Cond{{Kind: store.Equals, Attr: "ver", Value: ver}},
	}})
	if err == nil {
		err = r[0].Err
	}
	if err != nil && !errors.Is(err, store.ErrConditionFailed) {
		b.Error(err)
		return true
	}
	return err == nil
}

func ended(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := b.table.Get(ctx, []store.Key{b.key("a")}); !errors.Is(err, context.Canceled) {
		b.Errorf("Get: %v", err)
	}
	if _, err := b.table.Write(ctx, []store.Op{b.insert("a", nil)}); !errors.Is(err, context.Canceled) {
		b.Errorf("Write: %v", err)
	}
	if err := b.table.Transact(ctx, []store.Op{b.insert("a", nil)}); !errors.Is(err, context.Canceled) {
		b.Errorf("Transact: %v", err)
	}
	if _, err := b.table.Query(ctx, store.Query{PK: b.pk}); !errors.Is(err, context.Canceled) {
		b.Errorf("Query: %v", err)
	}
	b.want("a", nil)
}
