package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// creditedKey is where it is kept which import made these very credits.
func creditedKey(m *Import, credits string) store.Key {
	return store.Key{PK: m.Tenant + "#credited#" + m.Entity, SK: credits}
}

// creditedBy is an earlier import that made the very credits of a plan, "" for
// none.
func (i *Importer) creditedBy(ctx context.Context, m *Import, f *Final) (string, error) {
	name := f.Credits.Name()
	if name == "" {
		return "", nil
	}
	var id string
	if _, _, err := i.document(ctx, creditedKey(m, name), &id); err != nil || id == m.ID {
		return "", err
	}
	return id, nil
}

// Balance is what a record has in one currency, or on one account of it.
type Balance struct {
	Currency string `json:"currency"`
	Account  string `json:"account,omitempty"`
	Amount   string `json:"amount"` // decimal text
}

// LedgerLine is one credit of a record.
type LedgerLine struct {
	Import   string `json:"import"`
	Row      int64  `json:"row"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Expiry   string `json:"expiry,omitempty"`
	Account  string `json:"account,omitempty"`
}

// Balances returns the balances of a record and the ledger lines that they are
// the sums of. key is the record's as people write it.
func (i *Importer) Balances(ctx context.Context, tenant, entityName, key string) ([]Balance, []LedgerLine, error) {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	def, ok := i.Catalog.Entity(entityName)
	if !ok {
		return nil, nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	key = entity.Fold(def.KeyField(), key)
	var (
		balances []Balance
		lines    []LedgerLine
	)
	prefix := table.LedgerPrefix(key)
	err = i.eachItem(ctx, table.BalanceKey(tenant, entityName, key, "").PK, prefix, func(it store.Item) {
		n, _ := it.Attrs["n"].(store.Number)
		b := Balance{Currency: it.SK[len(prefix):], Amount: string(n)}
		b.Currency, b.Account, _ = strings.Cut(b.Currency, "@")
		balances = append(balances, b)
	})
	if err != nil {
		return nil, nil, err
	}
	err = i.eachItem(ctx, table.LedgerKey(tenant, entityName, key, "", 0).PK, prefix, func(it store.Item) {
		lines = append(lines, ledgerLine(it))
	})
	return balances, lines, err
}

func (i *Importer) eachItem(ctx context.Context, pk, prefix string, f func(store.Item)) error {
	q := store.Query{PK: pk, Prefix: prefix}
	for {
		page, err := i.Records.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("importer: reading balances: %w", err)
		}
		for _, it := range page.Items {
			f(it)
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// OpenAccount says whose an account is. Opening it again for the same record
// changes nothing. Returns *fault.Refused where it is another's.
func (i *Importer) OpenAccount(ctx context.Context, tenant, entityName, key, account string) error {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return err
	}
	def, ok := i.Catalog.Entity(entityName)
	if !ok {
		return &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	key = entity.Fold(def.KeyField(), key)
	k := table.AccountKey(tenant, entityName, account)
	results, err := i.Records.Write(ctx, []store.Op{{Kind: store.Insert, Key: k, Set: map[string]any{"k": key}}})
	if err == nil {
		err = results[0].Err
	}
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	items, err := i.Records.Get(ctx, []store.Key{k})
	if err != nil {
		return fmt.Errorf("importer: reading accounts: %w", err)
	}
	if items[k].Attrs["k"] != key {
		return &fault.Refused{Code: "account_taken", Message: fmt.Sprintf("The account %q belongs to another record.", account)}
	}
	return nil
}
