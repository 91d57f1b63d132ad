package rehearsal_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// adopt finds out how much of an import that did not end well was carried out:
// each record is as it was, or as the import makes it with all of its credits,
// and nothing else is changed. The clerk keeps what was carried out, and rejects
// the rest.
func (w *witness) adopt(t *task, m *importer.Import) error {
	c, err := read(w.catalog, w.stage.Records)
	if err != nil {
		return err
	}
	if err := w.adoptMade(t, c); err != nil {
		return err
	}
	next := maps.Clone(t.start)
	var credits []credit
	for _, key := range slices.Sorted(maps.Keys(t.of)) {
		writes, pays := t.out.writes[key], t.out.paid[key]
		if !writes && !pays {
			continue
		}
		landed := true
		if writes {
			if landed, err = w.landed(t, c, key); err != nil {
				return err
			}
		}
		paid := w.paidFor(t, c, m, key)
		switch {
		case !pays:
		case paid == 0 && (!writes || !landed):
			landed = false
		case paid != 1 || !landed:
			return fmt.Errorf("%s %s: written %v, of its credits %v", t.def.Name, key, landed, paid)
		}
		if !landed {
			t.refuse(key, "not_applied ")
			delete(t.out.writes, key)
			delete(t.out.paid, key)
			continue
		}
		if writes {
			next[key] = t.now[key]
		}
		for _, x := range t.out.credits {
			if x.key == key {
				credits = append(credits, x)
			}
		}
	}
	t.out.credits = credits
	w.records[t.def.Name] = next
	w.pay(t.f, m, t.out)
	return nil
}

// adoptMade keeps the records that were made on the way.
func (w *witness) adoptMade(t *task, c *contents) error {
	for _, r := range t.made {
		to := strings.Fields(r.key)[1]
		def, _ := w.catalog.Entity(to)
		if w.unknown(t, c, def, r) != "" {
			w.records[to][r.key] = r
		}
	}
	return w.learn(c)
}

// unknown is the key of a stored record that holds what r does and that the
// clerk does not know, nor the file by its key; "" where there is none.
func (w *witness) unknown(t *task, c *contents, def *entity.Definition, r *kept) string {
	known := w.byActual(def.Name)
	for _, key := range slices.Sorted(maps.Keys(c.records[def.Name])) {
		got := c.records[def.Name][key]
		if def == t.def && t.of[key] != nil {
			continue
		}
		if known[key] == nil && !got.Gone && gocmp.Equal(w.modelled(def, r), fieldsOf(def, &got)) {
			return key
		}
	}
	return ""
}

// landed tells whether a record was written as planned; it must else be as it
// was.
func (w *witness) landed(t *task, c *contents, key string) (bool, error) {
	got, stored := c.records[t.def.Name][w.key(key)]
	stored = stored && !got.Gone
	before, after := t.start[key], t.now[key]
	if w.key(key)[0] == '~' {
		return w.unknown(t, c, t.def, after) != "", nil
	}
	switch {
	case stored && gocmp.Equal(w.modelled(t.def, after), fieldsOf(t.def, &got)):
		return true, nil
	case !stored && before == nil:
		return false, nil
	case stored && before != nil && gocmp.Equal(w.modelled(t.def, before), fieldsOf(t.def, &got)):
		return false, nil
	}
	return false, fmt.Errorf("%s %s is neither as it was nor as it was to be: %v", t.def.Name, key, got.Fields)
}

// paidFor is the share of a record's credits that is in the ledger.
func (w *witness) paidFor(t *task, c *contents, m *importer.Import, key string) float64 {
	there, of := 0, 0
	for _, x := range t.out.credits {
		if x.key != key {
			continue
		}
		of++
		if c.ledger[ledgerID(t.def.Name, m.ID, &x)] {
			there++
		}
	}
	return float64(there) / float64(max(of, 1))
}

func ledgerID(entityName, importID string, c *credit) string {
	return fmt.Sprint(entityName, " ", c.key, " ", importID, " ", c.row, " ", c.amount, " ", c.currency, " ", c.expiry, " ", c.account)
}

// edit writes a record as a screen does: a new version, with its stamp and name.
func (w *witness) edit(ctx context.Context, entityName, key string, change func(*table.Record)) error {
	def, _ := w.catalog.Entity(entityName)
	k := table.RecordKey(rehearsal.Tenant, entityName, key)
	items, err := w.stage.Records.Get(ctx, []store.Key{k})
	if err != nil {
		return err
	}
	it, ok := items[k]
	if !ok {
		return fmt.Errorf("there is no %s %s", entityName, key)
	}
	r, err := table.Read(def, it)
	if err != nil {
		return err
	}
	before := maps.Clone(r.Fields)
	change(&r)
	by := table.Writer{Ver: r.Ver + 1}
	set, after := table.Tombstone(&r, by, w.stage.Now()), record.Fields{}
	if !r.Gone {
		r.By, r.Ver = r.Stamp(by), by.Ver
		set, after = table.Attrs(rehearsal.Tenant, def, &r), r.Fields
	}
	ops := []store.Op{{Kind: store.Put, Key: k, Set: set}}
	if w.referredTo(entityName) {
		ops = append(ops, journal.NameOps(rehearsal.Tenant, def, key, by.Ver, before, after)...)
	}
	results, err := w.stage.Records.Write(ctx, ops)
	if err != nil {
		return err
	}
	return results[0].Err
}
