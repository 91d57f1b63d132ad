package importer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/adrg/strutil/metrics"
	"golang.org/x/sync/errgroup"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Suggestion is a stored record whose name is near one that was not found.
type Suggestion struct {
	Key   string  `json:"key"`
	Name  string  `json:"name"`
	Score float64 `json:"score"` // 0 to 1; 1 is the same name
}

const (
	// nearEnough is the least score of a suggestion: below it, names that a
	// person would not take for one another come up.
	nearEnough = 0.85
	// suggestFrom is how many letters of a name must be right: names are searched
	// by how they begin.
	suggestFrom = 2
	// suggestAmong bounds the names looked at in each shard.
	suggestAmong = 200
)

// Suggest finds stored records whose names are near a name that was not found,
// the nearest first. A suggestion is never taken by itself.
func (i *Importer) Suggest(ctx context.Context, tenant, entityName, name string, limit int) ([]Suggestion, error) {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if _, ok := i.Catalog.Entity(entityName); !ok {
		return nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	folded := entity.FoldName(name)
	letters := []rune(folded)
	if len(letters) < suggestFrom {
		return nil, nil
	}
	prefix := string(letters[:suggestFrom])
	found := make([][]Suggestion, table.Shards)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for n := range table.Shards {
		g.Go(func() error {
			page, err := i.Records.Query(ctx, store.Query{PK: table.NameShard(tenant, entityName, n), Prefix: prefix, Limit: suggestAmong})
			if err != nil {
				return fmt.Errorf("importer: looking for near names: %w", err)
			}
			jaro := metrics.NewJaroWinkler()
			for _, it := range page.Items {
				other, key, _ := strings.Cut(it.SK, "\x00")
				if score := jaro.Compare(folded, other); score >= nearEnough {
					shown, _ := it.Attrs["n"].(string)
					found[n] = append(found[n], Suggestion{Key: key, Name: shown, Score: score})
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(found...)
	slices.SortFunc(all, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key))
	})
	return all[:min(limit, len(all))], nil
}
