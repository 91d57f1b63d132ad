// Package memory is a store.Table in memory, for tests and for runs in one
// process. It keeps the whole contract: what goes in and comes out is copied,
// pages end as DynamoDB's do, a number comes back in its canonical form, and
// what DynamoDB would refuse is refused.
//
// A Hook may make any call or write fail, before or after it is done, or be
// carried out twice as by a client that lost the first reply.
package memory

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/dropload/dropload/internal/store"
)

// pageBytes is where a page of a query ends by itself.
const pageBytes = 1 << 20

// Table is a store.Table in memory.
type Table struct {
	hook Hook

	mu      sync.RWMutex
	items   map[store.Key]store.Item
	order   partitions             // the table's own order
	indexes map[string]*tableIndex // by name; the set is fixed by New
}

var _ store.Table = (*Table)(nil)

// Option configures a Table.
type Option func(*Table)

// WithIndex declares an index: an item that has the text attributes pkAttr and
// skAttr is in it. Either may be "pk" or "sk", the table's own; skAttr "" is an
// index without a sort key.
func WithIndex(name, pkAttr, skAttr string) Option {
	return func(t *Table) {
		t.indexes[name] = &tableIndex{pkAttr: pkAttr, skAttr: skAttr, order: partitions{}}
	}
}

// WithHook sets what is asked before every call and every write.
func WithHook(h Hook) Option { return func(t *Table) { t.hook = h } }

// New returns an empty table.
func New(opts ...Option) *Table {
	t := &Table{items: map[store.Key]store.Item{}, order: partitions{}, indexes: map[string]*tableIndex{}}
	for _, o := range opts {
		o(t)
	}
	return t
}

// Get implements store.Table.
func (t *Table) Get(ctx context.Context, keys []store.Key) (map[store.Key]store.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := store.CheckKeys(keys); err != nil {
		return nil, err
	}
	f := t.ask(ctx, Call{Method: "Get", Keys: keys})
	if f.Before != nil {
		return nil, f.Before
	}
	out := make(map[store.Key]store.Item, len(keys))
	t.mu.RLock()
	for _, k := range keys {
		if it, ok := t.items[k]; ok {
			out[k] = it.Clone()
		}
	}
	t.mu.RUnlock()
	if f.After != nil {
		return nil, f.After
	}
	return out, nil
}

// Write implements store.Table.
func (t *Table) Write(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := store.CheckOps(ops); err != nil {
		return nil, err
	}
	f := t.ask(ctx, Call{Method: "Write", Keys: opKeys(ops)})
	if f.Before != nil {
		return nil, f.Before
	}
	results := make([]store.Result, len(ops))
	for i := range ops {
		results[i] = t.writeOne(ctx, &ops[i])
	}
	if f.After != nil {
		return nil, f.After
	}
	return results, nil
}

func (t *Table) writeOne(ctx context.Context, op *store.Op) store.Result {
	f := t.ask(ctx, Call{Method: "Op", Keys: []store.Key{op.Key}, Op: op})
	if f.Before != nil {
		return store.Result{Err: f.Before}
	}
	t.mu.Lock()
	r := t.apply(op)
	if f.Repeat {
		r = t.apply(op)
	}
	t.mu.Unlock()
	if f.After != nil {
		return store.Result{Err: f.After}
	}
	return r
}

// apply carries out one write under the lock.
func (t *Table) apply(op *store.Op) store.Result {
	next, r := t.decide(op)
	if r.Err == nil {
		t.set(op.Key, next)
	}
	return r
}

// decide returns the item as it will be after op, nil for none, or why not.
func (t *Table) decide(op *store.Op) (*store.Item, store.Result) {
	old, exists := t.items[op.Key]
	next := store.Item{Key: op.Key, Attrs: make(map[string]any, len(op.Set))}
	switch op.Kind {
	case store.Insert:
		if exists {
			return nil, store.Result{Err: store.ErrExists}
		}
	case store.Update, store.Delete:
		if !exists && (op.Kind == store.Update || len(op.If) > 0) {
			return nil, store.Result{Err: store.ErrConditionFailed}
		}
		for _, c := range op.If {
			if !c.Holds(old.Attrs) {
				have := old.Clone()
				return nil, store.Result{Err: store.ErrConditionFailed, Old: &have}
			}
		}
		if op.Kind == store.Delete {
			return nil, store.Result{}
		}
		next = old.Clone()
	}
	for _, name := range op.Remove {
		delete(next.Attrs, name)
	}
	for name, v := range op.Set {
		next.Attrs[name] = canonical(v)
	}
	if next.Size() > store.MaxItem {
		return nil, store.Result{Err: store.ErrTooLarge}
	}
	for _, ix := range t.indexes {
		if err := ix.check(next); err != nil {
			return nil, store.Result{Err: err}
		}
	}
	return &next, store.Result{}
}

// set stores next under key, or removes what is there.
func (t *Table) set(key store.Key, next *store.Item) {
	old, exists := t.items[key]
	for _, ix := range t.indexes {
		if exists {
			ix.remove(old)
		}
		if next != nil {
			ix.add(*next)
		}
	}
	switch {
	case next != nil:
		t.items[key] = *next
		if !exists {
			t.order.add(key.PK, entry{sort: key.SK, key: key})
		}
	case exists:
		delete(t.items, key)
		t.order.remove(key.PK, entry{sort: key.SK, key: key})
	}
}

// Transact implements store.Table.
func (t *Table) Transact(ctx context.Context, ops []store.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(ops) > store.MaxTransact {
		return fmt.Errorf("store: a transaction of %d writes, at most %d", len(ops), store.MaxTransact)
	}
	if err := store.CheckOps(ops); err != nil {
		return err
	}
	f := t.ask(ctx, Call{Method: "Transact", Keys: opKeys(ops)})
	if f.Before != nil {
		return f.Before
	}
	if err := t.transact(ops); err != nil {
		return err
	}
	return f.After
}

func (t *Table) transact(ops []store.Op) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := make([]*store.Item, len(ops))
	for i := range ops {
		var r store.Result
		switch next[i], r = t.decide(&ops[i]); r.Err {
		case nil:
		case store.ErrExists:
			return store.ErrConditionFailed
		default:
			return r.Err
		}
	}
	for i := range ops {
		t.set(ops[i].Key, next[i])
	}
	return nil
}

// Query implements store.Table.
func (t *Table) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, err
	}
	if err := q.Check(); err != nil {
		return store.Page{}, err
	}
	after, err := decodeCursor(q.Cursor)
	if err != nil {
		return store.Page{}, err
	}
	f := t.ask(ctx, Call{Method: "Query", Query: &q})
	if f.Before != nil {
		return store.Page{}, f.Before
	}
	t.mu.Lock() // sorting is lazy, so a read may write
	page, err := t.page(q, after)
	t.mu.Unlock()
	if err == nil && f.After != nil {
		return store.Page{}, f.After
	}
	return page, err
}

func (t *Table) page(q store.Query, after *entry) (store.Page, error) {
	order := t.order
	if q.Index != "" {
		ix, ok := t.indexes[q.Index]
		if !ok {
			return store.Page{}, fmt.Errorf("store: no index %q", q.Index)
		}
		if ix.skAttr == "" && q.Prefix+q.From != "" {
			return store.Page{}, fmt.Errorf("store: index %q has no sort key", q.Index)
		}
		order = ix.order
	}
	var page store.Page
	size := 0
	for e := range order.scan(q.PK, q.Reverse, q.Prefix+q.From, after) {
		if !strings.HasPrefix(e.sort, q.Prefix) || e.sort < q.From {
			if q.Reverse && e.sort > q.Prefix+q.From {
				continue
			}
			break
		}
		it := t.items[e.key].Clone()
		page.Items = append(page.Items, it)
		if size += it.Size(); len(page.Items) == q.Limit || size >= pageBytes {
			page.Next = encodeCursor(e)
			break
		}
	}
	return page, nil
}

// Len returns the number of stored items.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.items)
}

// All returns a copy of every stored item, in no order: for tests that compare
// what is stored with a model.
func (t *Table) All() []store.Item {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]store.Item, 0, len(t.items))
	for _, it := range t.items {
		out = append(out, it.Clone())
	}
	return out
}

func canonical(v any) any {
	switch v := v.(type) {
	case store.Number:
		n, _ := v.Canonical()
		return n
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = canonical(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = canonical(e)
		}
		return out
	}
	return v
}

func opKeys(ops []store.Op) []store.Key {
	keys := make([]store.Key, len(ops))
	for i := range ops {
		keys[i] = ops[i].Key
	}
	return keys
}

func encodeCursor(e entry) string {
	b, err := json.Marshal([]string{e.sort, e.key.PK, e.key.SK})
	if err != nil {
		panic(err) // strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(s string) (*entry, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	var parts []string
	if err == nil {
		err = json.Unmarshal(b, &parts)
	}
	if err != nil || len(parts) != 3 {
		return nil, fmt.Errorf("store: a cursor that no page gave")
	}
	return &entry{sort: parts[0], key: store.Key{PK: parts[1], SK: parts[2]}}, nil
}
