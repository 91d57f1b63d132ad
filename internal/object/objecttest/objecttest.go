// Package objecttest is the contract of object.Store as tests. Every
// implementation runs it, on a bucket with versioning on.
package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/object"
)

// Run runs the suite. open returns a store whose uploads are sent in parts of
// partSize bytes at most; the tests use prefixes of their own, so it may be the
// same store each time.
func Run(t *testing.T, partSize int, open func(t *testing.T) object.Store) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"put and get", putGet},
		{"ranges", ranges},
		{"an empty object", empty},
		{"what is missing", missing},
		{"versions", versions},
		{"an ETag guards a read", guarded},
		{"only where none is", ifNoneMatch},
		{"of racing puts one wins", race},
		{"long bodies", func(b *bench) { long(b, partSize) }},
		{"a body that fails stores nothing", func(b *bench) { failing(b, partSize) }},
		{"awkward keys", awkward},
		{"list", list},
		{"pages of a list", listPages},
		{"a context that has ended", ended},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			t.Cleanup(cancel)
			prefix := fmt.Sprintf("objecttest/%d/%s/", time.Now().UnixNano(), strings.ReplaceAll(c.name, " ", "-"))
			c.test(&bench{T: t, ctx: ctx, store: open(t), prefix: prefix})
		})
	}
}

// bench is one test with a store and a prefix of its own.
type bench struct {
	*testing.T
	ctx    context.Context
	store  object.Store
	prefix string
}

func (b *bench) put(name, body string) object.Info {
	b.Helper()
	info, err := b.store.Put(b.ctx, b.prefix+name, strings.NewReader(body), object.PutOptions{})
	if err != nil {
		b.Fatalf("Put %s: %v", name, err)
	}
	if info.Key != b.prefix+name || info.Size != int64(len(body)) || info.ETag == "" || strings.Contains(info.ETag, `"`) {
		b.Errorf("Put %s: %+v", name, info)
	}
	return info
}

func (b *bench) read(ref object.Ref, r object.Range) (string, object.Info, error) {
	b.Helper()
	body, info, err := b.store.Get(b.ctx, ref, r)
	if err != nil {
		return "", info, err
	}
	data, err := io.ReadAll(body)
	if err := body.Close(); err != nil {
		b.Errorf("Close: %v", err)
	}
	return string(data), info, err
}

func (b *bench) want(ref object.Ref, want string) {
	b.Helper()
	if got, _, err := b.read(ref, object.Range{}); err != nil || got != want {
		b.Errorf("%+v: %d bytes, %v; want %d bytes", ref, len(got), err, len(want))
	}
}

// fails wants the same error of Get and of Head.
func (b *bench) fails(ref object.Ref, want error) {
	b.Helper()
	if _, _, err := b.store.Get(b.ctx, ref, object.Range{}); !errors.Is(err, want) {
		b.Errorf("Get %+v: %v, want %v", ref, err, want)
	}
	if _, _, err := b.store.Get(b.ctx, ref, object.Range{Offset: 1, Length: 1}); !errors.Is(err, want) {
		b.Errorf("Get of a range of %+v: %v, want %v", ref, err, want)
	}
	if _, err := b.store.Head(b.ctx, ref); !errors.Is(err, want) {
		b.Errorf("Head %+v: %v, want %v", ref, err, want)
	}
}

// same ignores what an Info need not say exactly.
func same(a, c object.Info) bool {
	d := a.Modified.Sub(c.Modified).Abs()
	a.Modified, c.Modified = time.Time{}, time.Time{}
	return a == c && d < time.Minute
}

func putGet(b *bench) {
	key := b.prefix + "a.csv"
	opts := object.PutOptions{ContentType: "text/csv", Filename: `Klientų sąrašas "1".csv`}
	put, err := b.store.Put(b.ctx, key, iotest.OneByteReader(strings.NewReader("a;b\n1;2\n")), opts)
	if err != nil {
		b.Fatal(err)
	}
	got, info, err := b.read(object.Ref{Key: key}, object.Range{})
	if err != nil || got != "a;b\n1;2\n" {
		b.Errorf("%q, %v", got, err)
	}
	head, err := b.store.Head(b.ctx, object.Ref{Key: key})
	if err != nil {
		b.Error(err)
	}
	if !same(put, info) || !same(put, head) || info.Size != 8 {
		b.Errorf("Put %+v\nGet %+v\nHead %+v", put, info, head)
	}
	b.put("a.csv", "new")
	b.want(object.Ref{Key: key}, "new")
	for range 2 {
		if err := b.store.Delete(b.ctx, key); err != nil {
			b.Error(err)
		}
		b.fails(object.Ref{Key: key}, object.ErrNotFound)
	}
	b.put("a.csv", "back")
	b.want(object.Ref{Key: key}, "back")
}

func ranges(b *bench) {
	const data = "0123456789"
	whole := b.put("r", data)
	for _, c := range []struct {
		r    object.Range
		want string
	}{
		{object.Range{}, data},
		{object.Range{Offset: 0, Length: -1}, data},
		{object.Range{Offset: 0, Length: 4}, "0123"},
		{object.Range{Offset: 3, Length: 4}, "3456"},
		{object.Range{Offset: 3, Length: -1}, "3456789"},
		{object.Range{Offset: 3, Length: 0}, ""},
		{object.Range{Offset: 8, Length: 100}, "89"},
		{object.Range{Offset: 9, Length: 1}, "9"},
		{object.Range{Offset: 10, Length: 1}, ""},
		{object.Range{Offset: 10, Length: -1}, ""},
		{object.Range{Offset: 99, Length: -1}, ""},
		{object.Range{Offset: -3, Length: -1}, "789"},
		{object.Range{Offset: -3, Length: 3}, "789"},
		{object.Range{Offset: -3, Length: 9}, "789"},
		{object.Range{Offset: -3, Length: 2}, "78"},
		{object.Range{Offset: -99, Length: -1}, data},
		{object.Range{Offset: -99, Length: 2}, "01"},
	} {
		for _, ref := range []object.Ref{{Key: whole.Key}, whole.Ref} {
			got, info, err := b.read(ref, c.r)
			if err != nil || got != c.want {
				b.Errorf("%+v: %q, %v; want %q", c.r, got, err, c.want)
			}
			if !same(whole, info) {
				b.Errorf("%+v: %+v, want %+v", c.r, info, whole)
			}
		}
	}
	for _, r := range []object.Range{{Offset: 0, Length: -2}, {Offset: -3, Length: 0}} {
		if _, _, err := b.read(whole.Ref, r); err == nil {
			b.Errorf("took %+v", r)
		}
	}
}

func empty(b *bench) {
	info := b.put("empty", "")
	for _, r := range []object.Range{{}, {Length: -1}, {Length: 5}, {Offset: 3, Length: -1}, {Offset: -3, Length: -1}, {Offset: -3, Length: 1}} {
		if got, i, err := b.read(info.Ref, r); err != nil || got != "" || i.Size != 0 {
			b.Errorf("%+v: %q, %+v, %v", r, got, i, err)
		}
	}
}

func missing(b *bench) {
	b.fails(object.Ref{Key: b.prefix + "none"}, object.ErrNotFound)
	b.fails(object.Ref{Key: b.prefix + "none", ETag: "d41d8cd98f00b204e9800998ecf8427e"}, object.ErrNotFound)
	if err := b.store.Delete(b.ctx, b.prefix+"none"); err != nil {
		b.Errorf("Delete: %v", err)
	}
}

func versions(b *bench) {
	one, two := b.put("v", "one"), b.put("v", "two")
	if one.Version == "" || one.Version == two.Version {
		b.Fatalf("versions %q and %q", one.Version, two.Version)
	}
	b.want(object.Ref{Key: one.Key, Version: one.Version}, "one")
	b.want(object.Ref{Key: one.Key, Version: two.Version}, "two")
	b.want(object.Ref{Key: one.Key}, "two")
	if err := b.store.Delete(b.ctx, one.Key); err != nil {
		b.Fatal(err)
	}
	b.fails(object.Ref{Key: one.Key}, object.ErrNotFound)
	b.want(one.Ref, "one")
	b.want(two.Ref, "two")
	if got, _, err := b.read(one.Ref, object.Range{Offset: 1, Length: 1}); err != nil || got != "n" {
		b.Errorf("a range of a version: %q, %v", got, err)
	}
}

func guarded(b *bench) {
	one, two := b.put("e", "one"), b.put("e", "two")
	b.fails(object.Ref{Key: one.Key, ETag: one.ETag}, object.ErrChanged)
	b.want(object.Ref{Key: one.Key, ETag: two.ETag}, "two")
	b.want(object.Ref{Key: one.Key, ETag: `"` + two.ETag + `"`}, "two")
	b.fails(object.Ref{Key: one.Key, Version: two.Version, ETag: one.ETag}, object.ErrChanged)
}

func ifNoneMatch(b *bench) {
	key := b.prefix + "once"
	once := object.PutOptions{IfNoneMatch: true}
	if _, err := b.store.Put(b.ctx, key, strings.NewReader("first"), once); err != nil {
		b.Fatal(err)
	}
	if _, err := b.store.Put(b.ctx, key, strings.NewReader("second"), once); !errors.Is(err, object.ErrExists) {
		b.Errorf("second: %v", err)
	}
	b.want(object.Ref{Key: key}, "first")
	if err := b.store.Delete(b.ctx, key); err != nil {
		b.Fatal(err)
	}
	if _, err := b.store.Put(b.ctx, key, strings.NewReader("third"), once); err != nil {
		b.Errorf("after the delete: %v", err)
	}
	b.want(object.Ref{Key: key}, "third")
}

func race(b *bench) {
	const n = 8
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, errs[i] = b.store.Put(b.ctx, b.prefix+"raced", strings.NewReader(fmt.Sprint(i)), object.PutOptions{IfNoneMatch: true})
		})
	}
	wg.Wait()
	winner := ""
	for i, err := range errs {
		switch {
		case err == nil && winner == "":
			winner = fmt.Sprint(i)
		case !errors.Is(err, object.ErrExists):
			b.Errorf("%d: %v", i, err)
		}
	}
	b.want(object.Ref{Key: b.prefix + "raced"}, winner)
}

// noise is n bytes that no compression shortens.
func noise(n int) string {
	r := rand.NewChaCha8([32]byte{1})
	data := make([]byte, n)
	_, _ = r.Read(data) // never fails
	return string(data)
}

func long(b *bench, part int) {
	for _, n := range []int{part - 1, part, part + 1, 2 * part, 5*part + 17} {
		data := noise(n)
		// OneByteReader would be slow; half reads are as unlike a file as needed.
		body := iotest.HalfReader(strings.NewReader(data))
		key := b.prefix + fmt.Sprint("long ", n)
		info, err := b.store.Put(b.ctx, key, body, object.PutOptions{IfNoneMatch: true, ContentType: "text/csv"})
		if err != nil {
			b.Fatalf("%d bytes: %v", n, err)
		}
		got, read, err := b.read(info.Ref, object.Range{})
		if err != nil || got != data {
			b.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
		if !same(info, read) || info.Size != int64(n) {
			b.Errorf("%d bytes: Put %+v, Get %+v", n, info, read)
		}
		middle := object.Range{Offset: int64(n / 3), Length: int64(n / 3)}
		if got, _, err := b.read(info.Ref, middle); err != nil || got != data[n/3:n/3+n/3] {
			b.Errorf("%d bytes, the middle: %d came back, %v", n, len(got), err)
		}
		if _, err := b.store.Put(b.ctx, key, strings.NewReader(data), object.PutOptions{IfNoneMatch: true}); !errors.Is(err, object.ErrExists) {
			b.Errorf("%d bytes again: %v", n, err)
		}
	}
}

func failing(b *bench, part int) {
	broken := errors.New("the body broke")
	for _, n := range []int{0, 10, part, 3*part + 10} {
		key := b.prefix + fmt.Sprint("failing ", n)
		body := io.MultiReader(strings.NewReader(noise(n)), iotest.ErrReader(broken))
		if _, err := b.store.Put(b.ctx, key, body, object.PutOptions{}); !errors.Is(err, broken) {
			b.Errorf("%d bytes: %v", n, err)
		}
		b.fails(object.Ref{Key: key}, object.ErrNotFound)
	}
}

func awkward(b *bench) {
	names := []string{"a b", "a+b", "a%20b", "ąčę.csv", "日本語.xlsx", "it's", `"quoted"`, "a&b=c?d#e", "deep/er/and//double", "(1) [2] {3}.csv", "semi;colon,comma", "back\\slash", "new\u0301"}
	for _, name := range names {
		info := b.put(name, name)
		b.want(object.Ref{Key: b.prefix + name}, name)
		b.want(info.Ref, name)
	}
	got, more, err := b.store.List(b.ctx, b.prefix, "")
	if err != nil || more {
		b.Fatal(more, err)
	}
	listed := map[string]bool{}
	for _, i := range got {
		listed[strings.TrimPrefix(i.Key, b.prefix)] = true
	}
	for _, name := range names {
		if !listed[name] {
			b.Errorf("%q is not in %v", name, listed)
		}
		if err := b.store.Delete(b.ctx, b.prefix+name); err != nil {
			b.Errorf("Delete %q: %v", name, err)
		}
		b.fails(object.Ref{Key: b.prefix + name}, object.ErrNotFound)
	}
}

func list(b *bench) {
	two := b.put("b/2", "22")
	b.put("b/1", "1")
	b.put("b/10", "10")
	b.put("a", "a")
	b.put("c", "old")
	b.put("c", "newer")
	b.put("gone", "x")
	if err := b.store.Delete(b.ctx, b.prefix+"gone"); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", []string{"a", "b/1", "b/10", "b/2", "c"}},
		{"b/", "", []string{"b/1", "b/10", "b/2"}},
		{"b/1", "", []string{"b/1", "b/10"}},
		{"none", "", nil},
		{"", "b/1", []string{"b/10", "b/2", "c"}},
		{"b/", "b/11", []string{"b/2"}},
		{"", "c", nil},
	} {
		after := c.after
		if after != "" {
			after = b.prefix + after
		}
		infos, more, err := b.store.List(b.ctx, b.prefix+c.prefix, after)
		if err != nil || more {
			b.Errorf("%q after %q: %v, %v", c.prefix, c.after, more, err)
		}
		var got []string
		for _, i := range infos {
			got = append(got, strings.TrimPrefix(i.Key, b.prefix))
			if i.Key == two.Key {
				if i.Version = two.Version; !same(i, two) {
					b.Errorf("listed as %+v, stored as %+v", i, two)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			b.Errorf("%q after %q (-want +got):\n%s", c.prefix, c.after, diff)
		}
	}
}

func listPages(b *bench) {
	const n = 1003
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				if _, err := b.store.Put(b.ctx, fmt.Sprintf("%s%04d", b.prefix, i), bytes.NewReader(nil), object.PutOptions{}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	seen, after := 0, ""
	for more := true; more; {
		var infos []object.Info
		var err error
		if infos, more, err = b.store.List(b.ctx, b.prefix, after); err != nil || len(infos) == 0 {
			b.Fatalf("after %q: %d, %v", after, len(infos), err)
		}
		for _, i := range infos {
			if want := fmt.Sprintf("%s%04d", b.prefix, seen); i.Key != want {
				b.Fatalf("%q, want %q", i.Key, want)
			}
			seen, after = seen+1, i.Key
		}
	}
	if seen != n {
		b.Errorf("%d of %d", seen, n)
	}
}

func ended(b *bench) {
	info := b.put("a", "a")
	ctx, cancel := context.WithCancel(b.ctx)
	body, _, err := b.store.Get(ctx, info.Ref, object.Range{})
	if err != nil {
		b.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(body); !errors.Is(err, context.Canceled) {
		b.Errorf("Read: %v", err)
	}
	_ = body.Close()
	if _, err := b.store.Head(ctx, info.Ref); !errors.Is(err, context.Canceled) {
		b.Errorf("Head: %v", err)
	}
	if _, err := b.store.Put(ctx, info.Key, strings.NewReader("b"), object.PutOptions{}); !errors.Is(err, context.Canceled) {
		b.Errorf("Put: %v", err)
	}
	if _, _, err := b.store.List(ctx, b.prefix, ""); !errors.Is(err, context.Canceled) {
		b.Errorf("List: %v", err)
	}
	if err := b.store.Delete(ctx, info.Key); !errors.Is(err, context.Canceled) {
		b.Errorf("Delete: %v", err)
	}
	b.want(info.Ref, "a")
}
