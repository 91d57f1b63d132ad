package importer

import (
	"context"
	"errors"
	"fmt"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Show returns an import. Returns ErrNoImport.
func (i *Importer) Show(ctx context.Context, tenant, id string) (*Import, error) {
	return i.load(ctx, tenant, id)
}

// Imports returns a page of a tenant's imports, the newest first, and the
// cursor of the next page, "" after the last.
func (i *Importer) Imports(ctx context.Context, tenant, cursor string, limit int) ([]*Import, string, error) {
	page, err := i.Control.Query(ctx, store.Query{PK: tenant + "#imports", Reverse: true, Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", fmt.Errorf("importer: reading imports: %w", err)
	}
	imports := make([]*Import, 0, len(page.Items))
	for _, it := range page.Items {
		id, _ := it.Attrs["import"].(string)
		m, err := i.load(ctx, tenant, id)
		if errors.Is(err, ErrNoImport) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		imports = append(imports, m)
	}
	return imports, page.Next, nil
}

// Inspection returns what was found of an import's file. Returns ErrNoImport,
// and *fault.Refused before it was looked at.
func (i *Importer) Inspection(ctx context.Context, tenant, id string) (*Inspection, error) {
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	var in Inspection
	job := m.job()
	job.Round = 1
	if err := i.getJSON(ctx, job.work("inspect.json"), &in); errors.Is(err, object.ErrNotFound) {
		return nil, &fault.Refused{Code: "not_inspected", Message: "The file was not looked at yet, or could not be read."}
	} else if err != nil {
		return nil, err
	}
	return &in, nil
}

// UnmatchedOf calls f with each reference that the import did not find.
func (i *Importer) UnmatchedOf(ctx context.Context, tenant, id string, f func(Unmatched) error) error {
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return err
	}
	err = eachLine(ctx, i, m.job().work("unmatched.jsonl"), f)
	if errors.Is(err, object.ErrNotFound) {
		return nil
	}
	return err
}

// Record is a stored record as people see it.
type Record struct {
	Key    string
	Fields record.Fields
	Ver    int64
}

// GetRecord returns a record by its key as people write it; nil where there is
// none.
func (i *Importer) GetRecord(ctx context.Context, tenant, entityName, key string) (*Record, error) {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return nil, err
	}
	def, ok := i.Catalog.Entity(entityName)
	if !ok {
		return nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	k := table.RecordKey(tenant, entityName, entity.Fold(def.KeyField(), key))
	items, err := i.Records.Get(ctx, []store.Key{k})
	if err != nil {
		return nil, fmt.Errorf("importer: reading a record: %w", err)
	}
	it, found := items[k]
	if !found {
		return nil, nil
	}
	r, err := table.Read(def, it)
	if err != nil || r.Gone {
		return nil, err
	}
	return &Record{Key: r.Written, Fields: r.Fields, Ver: r.Ver}, nil
}

// EachRecord calls f with each record of an entity, in no order that means
// anything.
func (i *Importer) EachRecord(ctx context.Context, tenant, entityName string, f func(Record) error) error {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return err
	}
	def, ok := i.Catalog.Entity(entityName)
	if !ok {
		return &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	for shard := range table.Shards {
		q := store.Query{PK: table.RecordPartition(tenant, entityName, shard)}
		for {
			page, err := i.Records.Query(ctx, q)
			if err != nil {
				return fmt.Errorf("importer: reading records: %w", err)
			}
			for _, it := range page.Items {
				r, err := table.Read(def, it)
				if err != nil {
					return err
				}
				if r.Gone {
					continue
				}
				if err := f(Record{Key: r.Written, Fields: r.Fields, Ver: r.Ver}); err != nil {
					return err
				}
			}
			if page.Next == "" {
				break
			}
			q.Cursor = page.Next
		}
	}
	return nil
}
