package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// The attributes of a claim: whose the value is, and which import claimed it.
const (
	claimKey    = "k"
	claimImport = "i"
)

// liveOwners reads claims and returns the owners of those that hold. A claim holds
// while the import that made it may still write; later only if its record
// carries the value. Keys must be distinct.
func liveOwners(ctx context.Context, t store.Table, tenant string, def *entity.Definition, keys []store.Key,
	holding func(context.Context, string) (bool, error),
) (map[store.Key]owner, error) {
	found := map[store.Key]owner{}
	if len(keys) == 0 {
		return found, nil
	}
	items, err := t.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("journal: reading claims: %w", err)
	}
	records := make(map[store.Key][]store.Key, len(items)) // record → claims on it
	for k, it := range items {
		o := readClaim(it)
		found[k] = o
		rk := table.RecordKey(tenant, def.Name, o.key)
		records[rk] = append(records[rk], k)
	}
	if len(records) == 0 {
		return found, nil
	}
	recordKeys := make([]store.Key, 0, len(records))
	for k := range records {
		recordKeys = append(recordKeys, k)
	}
	stored, err := t.Get(ctx, recordKeys)
	if err != nil {
		return nil, fmt.Errorf("journal: reading the owners of claims: %w", err)
	}
	holds := map[string]bool{}
	for rk, claims := range records {
		for _, k := range claims {
			if it, ok := stored[rk]; ok {
				r, err := table.Read(def, it)
				if err != nil {
					return nil, err
				}
				if carries(def, &r, items[k]) {
					continue
				}
			}
			imp := found[k].imp
			h, known := holds[imp]
			if !known {
				if h, err = holding(ctx, imp); err != nil {
					return nil, err
				}
				holds[imp] = h
			}
			if !h {
				delete(found, k)
			}
		}
	}
	return found, nil
}

func readClaim(it store.Item) owner {
	key, _ := it.Attrs[claimKey].(string)
	imp, _ := it.Attrs[claimImport].(string)
	return owner{key: key, imp: imp}
}

// carries tells whether a record has the value of a claim on it.
func carries(def *entity.Definition, r *table.Record, claim store.Item) bool {
	for _, i := range def.Unique() {
		f := &def.Fields[i]
		if !strings.Contains(claim.PK, "@"+f.Name+"#") {
			continue
		}
		if slices.Contains(Values(f, r.Fields[f.Name]), claim.SK) {
			return true
		}
	}
	return false
}

func claimAttrs(key, importID string) map[string]any {
	return map[string]any{claimKey: key, claimImport: importID}
}

// Carriers returns the keys of the records that carry the unique values of these
// claims, for matching. A claim that its record does not carry matches nothing:
// its import was cut off, or is about to write. Keys must be distinct, and of
// one entity.
func Carriers(ctx context.Context, t store.Table, tenant string, def *entity.Definition, keys []store.Key) (map[store.Key]string, error) {
	owners, err := liveOwners(ctx, t, tenant, def, keys, func(context.Context, string) (bool, error) { return false, nil })
	if err != nil {
		return nil, err
	}
	found := make(map[store.Key]string, len(owners))
	for k, o := range owners {
		found[k] = o.key
	}
	return found, nil
}
