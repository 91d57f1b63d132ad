package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/store"
)

func definitionsPK(tenant string) string { return tenant + "#definitions" }

// of is the importer with the tenant's own catalog: the standard entities and
// what its definition files add.
func (i *Importer) of(ctx context.Context, tenant string) (*Importer, error) {
	files, err := i.definitionFiles(ctx, tenant)
	if err != nil || len(files) == 0 {
		return i, err
	}
	catalog, err := i.Catalog.With(files...)
	if err != nil {
		return nil, fmt.Errorf("importer: the tenant's definitions: %w", err)
	}
	own := *i
	own.Catalog = catalog
	return &own, nil
}

// CatalogOf returns the entities of a tenant: the standard ones and its own.
func (i *Importer) CatalogOf(ctx context.Context, tenant string) (*entity.Catalog, error) {
	own, err := i.of(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return own.Catalog, nil
}

func (i *Importer) definitionFiles(ctx context.Context, tenant string) ([][]byte, error) {
	var files [][]byte
	q := store.Query{PK: definitionsPK(tenant)}
	for {
		page, err := i.Control.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("importer: reading definitions: %w", err)
		}
		for _, it := range page.Items {
			var file json.RawMessage
			if _, _, err := readDocument(it, &file); err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		if page.Next == "" {
			return files, nil
		}
		q.Cursor = page.Next
	}
}

// Define adds a definition file of the tenant's own: an entity, or fields of
// one that it has. A file of the same name is replaced. A new entity gets a
// feed of its name. Returns *fault.Refused, which says what is wrong with the
// file and where.
func (i *Importer) Define(ctx context.Context, tenant string, file []byte) (*entity.Definition, error) {
	d, err := entity.Parse(file)
	if err != nil {
		return nil, &fault.Refused{Code: "definition_invalid", Message: err.Error(), Cause: err}
	}
	k := store.Key{PK: definitionsPK(tenant), SK: d.Name}
	if d.Extends != "" {
		k.SK = d.Extends + "+" + d.Name
	}
	stored, err := i.definitionFiles(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var others [][]byte
	for _, f := range stored {
		other, err := entity.Parse(f)
		if err != nil {
			return nil, fmt.Errorf("importer: the tenant's definitions: %w", err)
		}
		if other.Name != d.Name || other.Extends != d.Extends {
			others = append(others, f)
		}
	}
	catalog, err := i.Catalog.With(append(others, file)...)
	if err != nil {
		if errors.Is(err, entity.ErrDefinition) {
			return nil, &fault.Refused{Code: "definition_invalid", Message: err.Error(), Cause: err}
		}
		return nil, err
	}
	if err := i.putDocument(ctx, k, json.RawMessage(file)); err != nil {
		return nil, err
	}
	if d.Extends == "" {
		if d, _ = catalog.Entity(d.Name); d != nil {
			return d, i.defaultFeed(ctx, tenant, d)
		}
	}
	return d, nil
}

// defaultFeed stores a feed of the entity's name, whose template takes the
// standard column names in any order, where there is none.
func (i *Importer) defaultFeed(ctx context.Context, tenant string, def *entity.Definition) error {
	tpl := mapping.StandardTemplate(def)
	if err := i.insertOnce(ctx, templateKey(tenant, tpl.ID, tpl.Version), tpl); err != nil {
		return err
	}
	return i.insertOnce(ctx, feedKey(tenant, def.Name), Feed{Name: def.Name, Entity: def.Name, Template: tpl.ID})
}

// historyKey is where the columns are kept that people of a tenant mapped
// before, for proposals.
func historyKey(tenant, entityName string) store.Key {
	return store.Key{PK: tenant + "#history", SK: entityName}
}

// maxHistory is how many mapped columns are remembered, the newest first.
const maxHistory = 500

// remember keeps what a person mapped.
func (i *Importer) remember(ctx context.Context, tenant string, t *mapping.Template) error {
	k := historyKey(tenant, t.Entity)
	if err := i.insertOnce(ctx, k, mapping.History{}); err != nil {
		return err
	}
	_, _, err := editDocument(ctx, i, k, func(h *mapping.History) error {
		seen := map[string]bool{}
		var next mapping.History
		for _, list := range []mapping.History{t.Columns, *h} {
			for _, c := range list {
				if c.Header != "" && c.Field != "" && !seen[c.Header] && len(next) < maxHistory {
					seen[c.Header] = true
					next = append(next, mapping.Column{Header: c.Header, Field: c.Field})
				}
			}
		}
		*h = next
		return nil
	})
	return err
}

func (i *Importer) history(ctx context.Context, tenant, entityName string) (mapping.History, error) {
	var h mapping.History
	_, _, err := i.document(ctx, historyKey(tenant, entityName), &h)
	return h, err
}
