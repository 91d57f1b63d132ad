package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
)

func transact(b *bench) {
	v := func(n string) attrs { return attrs{"v": store.Number(n)} }
	is := func(n string) []store.Cond {
		return []store.Cond{{Kind: store.Equals, Attr: "v", Value: store.Number(n)}}
	}
	b.must(b.insert("u", v("1")), b.insert("d", v("1")), b.insert("p", v("1")))
	all := func(ver string) []store.Op {
		return []store.Op{
			b.insert("i", v("2")),
			{Kind: store.Update, Key: b.key("u"), Set: v("2"), Remove: []string{"x"}, If: is(ver)},
			{Kind: store.Delete, Key: b.key("d"), If: is("1")},
			{Kind: store.Delete, Key: b.key("missing")},
			{Kind: store.Put, Key: b.key("p"), Set: v("2")},
		}
	}
	if err := b.table.Transact(b.ctx, all("0")); !errors.Is(err, store.ErrConditionFailed) {
		b.Fatalf("with a condition that fails: %v", err)
	}
	for sk, want := range map[string]attrs{"i": nil, "u": v("1"), "d": v("1"), "p": v("1")} {
		b.want(sk, want)
	}
	if err := b.table.Transact(b.ctx, all("1")); err != nil {
		b.Fatal(err)
	}
	for sk, want := range map[string]attrs{"i": v("2"), "u": v("2"), "d": nil, "p": v("2")} {
		b.want(sk, want)
	}
	for name, op := range map[string]store.Op{
		"insert of a stored item":       b.insert("i", v("3")),
		"update of a missing item":      {Kind: store.Update, Key: b.key("missing"), Set: v("3")},
		"guarded delete of nothing":     {Kind: store.Delete, Key: b.key("missing"), If: is("1")},
		"delete of nothing, if missing": {Kind: store.Delete, Key: b.key("missing"), If: []store.Cond{{Kind: store.Missing, Attr: "v"}}},
		"if less":                       {Kind: store.Update, Key: b.key("u"), Set: v("3"), If: []store.Cond{{Kind: store.Less, Attr: "v", Value: store.Number("2")}}},
		"if present":                    {Kind: store.Update, Key: b.key("u"), Set: v("3"), If: []store.Cond{{Kind: store.Present, Attr: "w"}}},
	} {
		if err := b.table.Transact(b.ctx, []store.Op{op, b.insert("with it", nil)}); !errors.Is(err, store.ErrConditionFailed) {
			b.Errorf("%s: %v, want %v", name, err, store.ErrConditionFailed)
		}
	}
	b.want("with it", nil)
	var hundred []store.Op
	for i := range store.MaxTransact {
		hundred = append(hundred, b.insert(fmt.Sprint("hundred ", i), nil))
	}
	if err := b.table.Transact(b.ctx, append(slices.Clone(hundred), b.insert("one more", nil))); err == nil {
		b.Error("took more than a transaction holds")
	}
	if err := b.table.Transact(b.ctx, hundred); err != nil {
		b.Error(err)
	}
	if err := b.table.Transact(b.ctx, nil); err != nil {
		b.Errorf("of nothing: %v", err)
	}
}

func transactRace(b *bench) {
	b.must(b.insert("lock", attrs{"free": true}))
	const n = 6
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = b.table.Transact(b.ctx, []store.Op{
				{Kind: store.Update, Key: b.key("lock"), Set: attrs{"owner": fmt.Sprint(i)}, Remove: []string{"free"}, If: []store.Cond{{Kind: store.Present, Attr: "free"}}},
				b.insert(fmt.Sprint("taken by ", i), nil),
			})
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		var later *fault.Transient
		switch {
		case err == nil && winner < 0:
			winner = i
		case !errors.Is(err, store.ErrConditionFailed) && !errors.As(err, &later):
			b.Errorf("%d: %v", i, err)
		}
	}
	b.want("lock", attrs{"owner": fmt.Sprint(winner)})
	for i := range n {
		if stored := b.stored(fmt.Sprint("taken by ", i)) != nil; stored != (i == winner) {
			b.Errorf("%d: stored %v, the winner is %d", i, stored, winner)
		}
	}
}

// transactAgain takes, gives back and takes the same lock with the very same
// writes: the second must not be taken for the first sent again.
func transactAgain(b *bench) {
	take := []store.Op{b.insert("lock", attrs{"owner": "me"})}
	for range 2 {
		if err := b.table.Transact(b.ctx, take); err != nil {
			b.Fatal(err)
		}
		b.want("lock", attrs{"owner": "me"})
		b.must(store.Op{Kind: store.Delete, Key: b.key("lock")})
	}
}

// all reads every page and wants each to end well.
func (b *bench) all(q store.Query) []string {
	b.Helper()
	var sks []string
	for pages := 0; ; pages++ {
		page, err := b.table.Query(b.ctx, q)
		if err != nil {
			b.Fatalf("%+v: %v", q, err)
		}
		if q.Limit > 0 && len(page.Items) > q.Limit {
			b.Errorf("%+v: a page of %d", q, len(page.Items))
		}
		for _, it := range page.Items {
			sks = append(sks, it.SK)
		}
		if page.Next == "" {
			return sks
		}
		if q.Cursor = page.Next; pages > 1000 {
			b.Fatalf("%+v: the pages do not end", q)
		}
	}
}

func query(b *bench) {
	sks := []string{"a", "a#1", "a#10", "a#2", "a#\U0010ffff", "b", "B", "é", "z"}
	var ops []store.Op
	for i, sk := range sks {
		ops = append(ops, b.insert(sk, attrs{"i": store.Number(fmt.Sprint(i))}))
	}
	b.must(append(ops, store.Op{Kind: store.Insert, Key: store.Key{PK: b.pk + "other", SK: "a#1"}})...)
	slices.Sort(sks) // by bytes
	filter := func(keep func(string) bool) []string {
		var out []string
		for _, s := range sks {
			if keep(s) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, q := range []store.Query{
		{}, {Prefix: "a"}, {Prefix: "a#"}, {Prefix: "a#1"}, {Prefix: "none"}, {From: "a#2"}, {From: "b"}, {From: "c"}, {From: "zz"},
	} {
		want := filter(func(s string) bool { return strings.HasPrefix(s, q.Prefix) && s >= q.From })
		for _, limit := range []int{0, 1, 2, len(want), 100} {
			for _, reverse := range []bool{false, true} {
				q.PK, q.Limit, q.Reverse = b.pk, limit, reverse
				order := slices.Clone(want)
				if reverse {
					slices.Reverse(order)
				}
				if diff := cmp.Diff(order, b.all(q)); diff != "" {
					b.Errorf("%+v (-want +got):\n%s", q, diff)
				}
			}
		}
	}
	page, err := b.table.Query(b.ctx, store.Query{PK: b.pk, Limit: 1})
	if err != nil || len(page.Items) != 1 || !cmp.Equal(page.Items[0].Attrs, attrs{"i": store.Number("6")}) {
		b.Errorf("first item: %+v, %v", page, err)
	}
	for name, q := range map[string]store.Query{
		"no partition":       {},
		"prefix and from":    {PK: b.pk, Prefix: "a", From: "a"},
		"unknown index":      {PK: b.pk, Index: "none"},
		"cursor of no page":  {PK: b.pk, Cursor: "%%%"},
		"a limit below zero": {PK: b.pk, Limit: -1},
	} {
		if _, err := b.table.Query(b.ctx, q); err == nil {
			b.Errorf("Query took %s", name)
		}
	}
}

// pages checks that what is written behind the cursor is not seen again and what
// is written beyond it is.
func pages(b *bench) {
	b.must(b.insert("b", nil), b.insert("d", nil), b.insert("f", nil))
	page, err := b.table.Query(b.ctx, store.Query{PK: b.pk, Limit: 2})
	if err != nil || len(page.Items) != 2 || page.Next == "" {
		b.Fatalf("%+v, %v", page, err)
	}
	b.must(b.insert("a", nil), b.insert("e", nil), store.Op{Kind: store.Delete, Key: b.key("d")})
	if diff := cmp.Diff([]string{"e", "f"}, b.all(store.Query{PK: b.pk, Cursor: page.Next})); diff != "" {
		b.Errorf("(-want +got):\n%s", diff)
	}
}

func bigPages(b *bench) {
	var want []string
	for i := range 5 {
		sk := fmt.Sprint(i)
		want = append(want, sk)
		b.must(b.insert(sk, attrs{"x": strings.Repeat("x", 350<<10)}))
	}
	if diff := cmp.Diff(want, b.all(store.Query{PK: b.pk})); diff != "" {
		b.Errorf("(-want +got):\n%s", diff)
	}
	var keys []store.Key
	for _, sk := range want {
		keys = append(keys, b.key(sk))
	}
	if got, err := b.table.Get(b.ctx, keys); err != nil || len(got) != len(keys) {
		b.Errorf("Get: %d of %d, %v", len(got), len(keys), err)
	}
}

func index(b *bench) {
	ref := b.pk + " company"
	b.must(b.insert("c", attrs{"ref": ref}), b.insert("a", attrs{"ref": ref, "v": "1"}), b.insert("none", attrs{"v": "2"}), b.insert("other", attrs{"ref": ref + "2"}),
		store.Op{Kind: store.Insert, Key: store.Key{PK: b.pk + "2", SK: "b"}, Set: attrs{"ref": ref}})
	b.indexed(store.Query{Index: Index, PK: ref}, "a", "b", "c")
	b.indexed(store.Query{Index: Index, PK: ref, Limit: 1}, "a", "b", "c")
	b.indexed(store.Query{Index: Index, PK: ref, Limit: 1, Reverse: true}, "c", "b", "a")
	b.indexed(store.Query{Index: Index, PK: ref, From: "b"}, "b", "c")
	b.indexed(store.Query{Index: Index, PK: ref, Prefix: "a"}, "a")
	b.must(store.Op{Kind: store.Update, Key: b.key("a"), Remove: []string{"ref"}},
		store.Op{Kind: store.Update, Key: b.key("none"), Set: attrs{"ref": ref}},
		store.Op{Kind: store.Delete, Key: b.key("c")})
	b.indexed(store.Query{Index: Index, PK: ref}, "b", "none")
}

// indexed asks an index until it has followed the table.
func (b *bench) indexed(q store.Query, want ...string) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		got := b.all(q)
		if cmp.Equal(want, got) {
			return
		}
		if time.Now().After(deadline) {
			b.Errorf("%+v (-want +got):\n%s", q, cmp.Diff(want, got))
			return
		}
	}
}
