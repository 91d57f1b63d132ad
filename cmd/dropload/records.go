package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/record"
)

// newRecords is `dropload records`.
func newRecords(open opener) *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "records ENTITY [KEY]",
		Short: "Print the stored records of an entity, or one of them",
		Long: `Print the stored records of an entity, one a line and in no order that means
anything, or the one with the key given.`,
		Example: "  dropload records companies C-1001\n  dropload records contacts --json | jq -r .fields.email",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			def, err := s.entity(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				return s.oneRecord(cmd, def, args[1])
			}
			return s.eachRecord(cmd, def)
		},
	}
	flags.add(cmd)
	return cmd
}

// oneRecord prints the record with a key; of a record that can be credited also
// its balances.
func (s *session) oneRecord(cmd *cobra.Command, def *entity.Definition, key string) error {
	r, err := s.GetRecord(cmd.Context(), s.Tenant, def.Name, key)
	if err != nil {
		return err
	}
	if r == nil {
		return fmt.Errorf("there is no record with the key %q among %s of the tenant %s", key, def.Name, s.Tenant)
	}
	j := recordJSONOf(def, r)
	if credited(def) {
		balances, ledger, err := s.Balances(cmd.Context(), s.Tenant, def.Name, key)
		if err != nil {
			return err
		}
		j.Balances, j.Ledger = append([]importer.Balance{}, balances...), append([]importer.LedgerLine{}, ledger...)
	}
	if s.JSON {
		return encode(cmd.OutOrStdout(), j)
	}
	t := newTable(cmd.OutOrStdout())
	for i := range def.Fields {
		f := &def.Fields[i]
		if v, ok := r.Fields[f.Name]; ok {
			t.row(f.Name, displayed(f, v))
		}
	}
	for _, b := range j.Balances {
		t.row("balance", strings.TrimSpace(b.Amount+" "+b.Currency+" "+b.Account))
	}
	return t.flush()
}

// credited tells whether an import can credit records of an entity.
func credited(def *entity.Definition) bool {
	for i := range def.Fields {
		if def.Fields[i].Policy == entity.Credit {
			return true
		}
	}
	return false
}

// eachRecord prints all records of an entity, one a line.
func (s *session) eachRecord(cmd *cobra.Command, def *entity.Definition) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	bar := s.counter(cmd.ErrOrStderr(), "records")
	defer bar.end()
	err := s.EachRecord(cmd.Context(), s.Tenant, def.Name, func(r importer.Record) error {
		bar.add(1)
		if s.JSON {
			return encode(out, recordJSONOf(def, &r))
		}
		_, err := fmt.Fprintln(out, recordLine(def, &r))
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// recordJSON is a record as `records --json` prints it: a contract, see
// docs/cli.md.
type recordJSON struct {
	Key    string         `json:"key"`
	Fields map[string]any `json:"fields"`
	// Balances and Ledger are those of one record that can be credited.
	Balances []importer.Balance    `json:"balances,omitzero"`
	Ledger   []importer.LedgerLine `json:"ledger,omitzero"`
}

func recordJSONOf(def *entity.Definition, r *importer.Record) recordJSON {
	j := recordJSON{Key: r.Key, Fields: map[string]any{}}
	for name, v := range r.Fields {
		var typ entity.Type
		if _, f := def.Field(name); f != nil {
			typ = f.Type
		}
		if v.List == nil {
			j.Fields[name] = plain(typ, v.Text)
			continue
		}
		list := make([]any, len(v.List))
		for i, text := range v.List {
			list[i] = plain(typ, text)
		}
		j.Fields[name] = list
	}
	return j
}

// plain is one value as plain JSON: numbers and booleans as such, an address as
// an object, everything else as a string.
func plain(typ entity.Type, text string) any {
	switch typ {
	case entity.Integer, entity.Decimal, entity.Money:
		if json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case entity.Boolean:
		if text == "true" || text == "false" {
			return text == "true"
		}
	case entity.Address:
		if json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
	}
	return text
}

// recordLine is a record for people: its key and its fields in their order.
func recordLine(def *entity.Definition, r *importer.Record) string {
	var b strings.Builder
	b.WriteString(r.Key)
	for i := range def.Fields {
		f := &def.Fields[i]
		if v, ok := r.Fields[f.Name]; ok && f.Name != def.Key {
			fmt.Fprintf(&b, "  %s: %s", f.Name, displayed(f, v))
		}
	}
	return b.String()
}

// displayed is a value for people, on one line.
func displayed(f *entity.Field, v record.Value) string {
	texts := v.List
	if texts == nil {
		texts = []string{v.Text}
	}
	parts := make([]string, 0, len(texts))
	for _, text := range texts {
		if f.Type == entity.Address {
			text = addressLine(text)
		}
		parts = append(parts, strings.Join(strings.Fields(text), " "))
	}
	return strings.Join(parts, " | ")
}

// addressLine is an address on one line, in the order of its parts.
func addressLine(text string) string {
	var address map[string]string
	if json.Unmarshal([]byte(text), &address) != nil {
		return text
	}
	var parts []string
	for _, name := range entity.AddressParts() {
		if part := address[name]; part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
