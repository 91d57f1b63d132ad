package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/internal/table"
)

// units counts what an import's requests would cost on AWS. The table in memory
// is metered by DynamoDB's documented rules, for DynamoDB Local leaves the
// units of statements out and counts a missing item as nothing.
func units(ctx context.Context, _ *settings, res *results) error {
	const rows, changed = 5000, 10
	for _, k := range []kind{products(), contacts(true)} {
		m := &meter{Table: memory.New(memory.WithIndex(table.ByReference, table.AttrRef, "sk")), sizes: map[store.Key]int{}}
		b, err := newBench(ctx, m, 1, func(*importer.Config) {})
		if err != nil {
			return err
		}
		for _, w := range []struct {
			name    string
			edition edition
			written int // rows that change something
			goals   [2]string
		}{
			{"new", edition{}, rows, goals(k, [2]string{"≤ 1.01", "≤ 1.05"}, [2]string{"≤ 2.01", "≤ 2.05"})},
			{"1 in 10 changed", edition{changed, 1}, rows / changed, [2]string{"≤ 1.01", "≤ 1.05"}},
			{"unchanged", edition{changed, 1}, 0, [2]string{"0", "≤ 1.05"}},
		} {
			m.reset()
			t, err := b.measure(ctx, k, w.name+".csv", k.csv(rows, w.edition))
			if err != nil {
				return err
			}
			if got := t.rows.Created + t.rows.Updated; got != int64(w.written) {
				return fmt.Errorf("%s, %s: %d rows were written, not %d", k.entity, w.name, got, w.written)
			}
			res.add(fmt.Sprintf("%s, %s: write units per changed row", k.entity, w.name), m.writes/float64(max(1, w.written)), 0, "units", w.goals[0])
			res.add(fmt.Sprintf("%s, %s: read units per row", k.entity, w.name), m.reads/rows, 0, "units", w.goals[1])
		}
	}
	return nil
}

func goals(k kind, plain, unique [2]string) [2]string {
	if k.entity == "contacts" {
		return unique
	}
	return plain
}

// meter counts the capacity that a table would be billed: for a write one unit
// for each KB of the larger of the item before and after, at least one, also
// where a condition fails, and one more where the index is written; for a
// strong read one unit for each 4 KB, at least one, also where nothing is
// stored.
type meter struct {
	store.Table
	mu            sync.Mutex
	sizes         map[store.Key]int
	reads, writes float64
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.writes = 0, 0
}

func perUnit(size, unit int) float64 { return float64(max(1, (size+unit-1)/unit)) }

// Get implements store.Table.
func (m *meter) Get(ctx context.Context, keys []store.Key) (map[store.Key]store.Item, error) {
	items, err := m.Table.Get(ctx, keys)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		m.reads += perUnit(items[k].Size(), 4<<10)
	}
	return items, err
}

// Write implements store.Table.
func (m *meter) Write(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	results, err := m.Table.Write(ctx, ops)
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range results {
		k := ops[i].Key
		// An update of ours sets all that a record has.
		size := store.Item{Key: k, Attrs: ops[i].Set}.Size()
		m.writes += perUnit(max(size, m.sizes[k]), 1<<10)
		if _, indexed := ops[i].Set[table.AttrRef]; indexed {
			m.writes++
		}
		if results[i].Err == nil {
			m.sizes[k] = size
		}
	}
	return results, err
}

// Query implements store.Table.
func (m *meter) Query(ctx context.Context, q store.Query) (store.Page, error) {
	page, err := m.Table.Query(ctx, q)
	size := 0
	for _, it := range page.Items {
		size += it.Size()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads += perUnit(size, 4<<10)
	return page, err
}
