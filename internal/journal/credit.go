package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Credit is a ledger line that a row makes: an amount credited to the balance
// of its currency or, with an account, a transaction on that account.
type Credit struct {
	Row      int64  `json:"n"`
	Amount   string `json:"a"` // decimal text, not zero
	Currency string `json:"c"`
	Expiry   string `json:"e,omitempty"` // a date; "" is permanent
	Account  string `json:"x,omitempty"`
}

// Credits counts the ledger lines of a journal and sums them up, whatever their
// order, so that the same credits are known again.
type Credits struct {
	Count int64     `json:"count"`
	Sum   [2]uint64 `json:"sum"`
}

// Plus adds others.
func (c *Credits) Plus(d Credits) {
	c.Count += d.Count
	c.Sum[0] += d.Sum[0]
	c.Sum[1] += d.Sum[1]
}

func (c *Credits) add(key string, cr *Credit) {
	sum := sha256.Sum256([]byte(strings.Join([]string{key, cr.Amount, cr.Currency, cr.Expiry, cr.Account}, "\x00")))
	c.Plus(Credits{1, [2]uint64{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}})
}

// Name names the credits: equal for equal ones. "" where there are none.
func (c *Credits) Name() string {
	if c.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%016x%016x", c.Count, c.Sum[0], c.Sum[1])
}

// creditFields are the positions of an entity's credit fields, told by their
// types; -1 where it has none.
type creditFields struct{ amount, currency, expiry, account int }

func creditFieldsOf(def *entity.Definition) creditFields {
	c := creditFields{-1, -1, -1, -1}
	for i := range def.Fields {
		f := &def.Fields[i]
		if f.Policy != entity.Credit {
			continue
		}
		switch f.Type {
		case entity.Decimal, entity.Money, entity.Integer:
			c.amount = i
		case entity.Currency:
			c.currency = i
		case entity.Date:
			c.expiry = i
		default:
			c.account = i
		}
	}
	return c
}

// PointsWithoutCurrency is the note on points that are not credited because no
// currency is said.
const PointsWithoutCurrency = "points_without_currency"

// of is the credit that a row asks for. ok is false where it asks for none;
// note is the note of one that is not made.
func (c creditFields) of(row int64, fields []entity.FieldValue) (cr Credit, ok bool, note string) {
	if c.amount < 0 {
		return Credit{}, false, ""
	}
	for _, fv := range fields {
		switch fv.Index {
		case c.amount:
			cr.Amount = fv.Value.Text
		case c.currency:
			cr.Currency = fv.Value.Text
		case c.expiry:
			cr.Expiry = fv.Value.Text
		case c.account:
			cr.Account = fv.Value.Text
		}
	}
	cr.Row = row
	amount, valid := new(big.Rat).SetString(cr.Amount)
	if !valid || amount.Sign() == 0 {
		return Credit{}, false, ""
	}
	if cr.Currency == "" {
		return Credit{}, false, PointsWithoutCurrency
	}
	return cr, true, ""
}

// The attributes of ledger lines and balances.
const (
	ledgerAmount   = "a"
	ledgerCurrency = "c"
	ledgerExpiry   = "e"
	ledgerImport   = "i"
	ledgerRow      = "r"
	balanceSum     = "n"
	accountOwner   = "k"
)

// credit writes the ledger lines of entries whose records are written, each
// together with the balance that it changes. A line is written once for each
// import and row, however often this is repeated.
func (a *Applier) credit(ctx context.Context, landed []*Entry) error {
	p := a.Planner
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, e := range landed {
		if len(e.Credits) == 0 {
			continue
		}
		g.Go(func() error {
			byBalance := map[string][]Credit{}
			for _, c := range e.Credits {
				id := balanceOf(&c)
				byBalance[id] = append(byBalance[id], c)
			}
			for id, credits := range byBalance {
				for from := 0; from < len(credits); from += maxLines {
					if err := p.creditBalance(ctx, e.Key, id, credits[from:min(len(credits), from+maxLines)]); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// maxLines is how many ledger lines go into one transaction with their balance.
const maxLines = 50

// balanceOf names the balance that a credit changes: a currency's, or that of
// an account.
func balanceOf(c *Credit) string {
	if c.Account != "" {
		return table.AccountBalance(c.Account, c.Currency)
	}
	return c.Currency
}

func (p *Planner) creditBalance(ctx context.Context, key, balance string, credits []Credit) error {
	bk := table.BalanceKey(p.Tenant, p.Def.Name, key, balance)
	for range 100 {
		keys := []store.Key{bk}
		for _, c := range credits {
			keys = append(keys, table.LedgerKey(p.Tenant, p.Def.Name, key, p.Import, c.Row))
		}
		items, err := p.Records.Get(ctx, keys)
		if err != nil {
			return fmt.Errorf("journal: reading a ledger: %w", err)
		}
		old, has := items[bk]
		sum := new(big.Rat)
		if has {
			n, _ := old.Attrs[balanceSum].(store.Number)
			if _, ok := sum.SetString(string(n)); !ok {
				return &fault.Broken{Message: "a balance is no number"}
			}
		}
		var ops []store.Op
		for n, c := range credits {
			if _, done := items[keys[n+1]]; done {
				continue
			}
			amount, _ := new(big.Rat).SetString(c.Amount)
			sum.Add(sum, amount)
			ops = append(ops, store.Op{Kind: store.Insert, Key: keys[n+1], Set: ledgerAttrs(p.Import, &c)})
		}
		if len(ops) == 0 {
			return nil
		}
		set := map[string]any{balanceSum: decimal(sum)}
		if has {
			ops = append(ops, store.Op{Kind: store.Update, Key: bk, Set: set, If: []store.Cond{{Kind: store.Equals, Attr: balanceSum, Value: old.Attrs[balanceSum]}}})
		} else {
			ops = append(ops, store.Op{Kind: store.Insert, Key: bk, Set: set})
		}
		if err = p.Records.Transact(ctx, ops); err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrConditionFailed) && !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("journal: crediting: %w", err)
		}
	}
	return &fault.Transient{Cause: errors.New("journal: a balance keeps changing")}
}

func ledgerAttrs(importID string, c *Credit) map[string]any {
	set := map[string]any{
		ledgerAmount: store.Number(c.Amount), ledgerCurrency: c.Currency,
		ledgerImport: importID, ledgerRow: store.Number(strconv.FormatInt(c.Row, 10)),
	}
	if c.Expiry != "" {
		set[ledgerExpiry] = c.Expiry
	}
	if c.Account != "" {
		set[accountOwner] = c.Account
	}
	return set
}

// decimal writes a sum of decimals exactly.
func decimal(r *big.Rat) store.Number {
	digits, _ := r.FloatPrec()
	return store.Number(r.FloatString(digits))
}

// accounts looks up whose the accounts are that rows name.
func (p *Planner) accounts(ctx context.Context, named []string) (map[string]string, error) {
	owners := map[string]string{}
	if len(named) == 0 {
		return owners, nil
	}
	var keys []store.Key
	of := map[store.Key]string{}
	for _, id := range named {
		k := table.AccountKey(p.Tenant, p.Def.Name, id)
		if _, ok := of[k]; !ok {
			of[k] = id
			keys = append(keys, k)
		}
	}
	items, err := p.Records.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("journal: reading accounts: %w", err)
	}
	for k, it := range items {
		owners[of[k]], _ = it.Attrs[accountOwner].(string)
	}
	return owners, nil
}

// credited counts the ledger lines of an entry that are written.
func (p *Planner) credited(ctx context.Context, e *Entry) (int, error) {
	keys := make([]store.Key, len(e.Credits))
	for n, c := range e.Credits {
		keys[n] = table.LedgerKey(p.Tenant, p.Def.Name, e.Key, p.Import, c.Row)
	}
	items, err := p.Records.Get(ctx, keys)
	if err != nil {
		return 0, fmt.Errorf("journal: reading a ledger: %w", err)
	}
	return len(items), nil
}
