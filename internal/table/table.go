// Package table is the layout of the records table: which item holds what,
// under which key, and how a record is written as attributes and read back.
//
// A tenant's items are under partition keys that begin with its id and "#",
// which no tenant id contains, so that no key made here for one tenant can be
// another's. Records, claims and names are each spread over Shards partitions
// by a hash of their own sort key.
package table

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/store"
)

// Shards is the number of partitions that the items of one kind spread over.
const Shards = 64

// ByReference is the index by reference: hash "ref", range "sk".
const ByReference = "by-reference"

// The attributes of a record's item.
const (
	AttrFields  = "f"
	AttrVersion = "ver"
	AttrBy      = "by"
	AttrWritten = "key"
	AttrRef     = "ref"
	AttrGone    = "gone"
	AttrExpires = "exp"
)

// Writers is how many of its last writers a record names.
const Writers = 8

// Writer is one write of a record: by which import, for which row, and the
// version that it made. What is edited on a screen has the import "".
type Writer struct {
	Import string `json:"i,omitempty"`
	Row    int64  `json:"r,omitempty"`
	Ver    int64  `json:"v"`
}

// Record is a stored record.
type Record struct {
	Key     string // in its compared form
	Written string // as people write it
	Fields  record.Fields
	Ver     int64
	By      []Writer // oldest first, at most Writers
	// Gone tells that the record was deleted and only its tombstone is left.
	Gone bool
}

// Wrote returns the newest write of an import among By.
func (r *Record) Wrote(importID string) (Writer, bool) {
	for _, w := range slices.Backward(r.By) {
		if w.Import == importID {
			return w, true
		}
	}
	return Writer{}, false
}

// ReachesBack tells whether By still names every write after version ver, so
// that a write that it does not name did not happen.
func (r *Record) ReachesBack(ver int64) bool {
	if r.Ver == ver || len(r.By) < Writers {
		return true
	}
	return r.By[0].Ver <= ver+1
}

// Stamp is By with one writer more.
func (r *Record) Stamp(w Writer) []Writer {
	by := append(slices.Clone(r.By), w)
	return by[max(0, len(by)-Writers):]
}

func shard(kind, s string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind))
	_, _ = h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 29
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 32
	return strconv.FormatUint(x%Shards, 10)
}

// RecordPartition is the partition key of one shard of an entity's records.
func RecordPartition(tenant, entityName string, shard int) string {
	return tenant + "#" + entityName + "#" + strconv.Itoa(shard)
}

// RecordKey is where a record lies; key is in its compared form.
func RecordKey(tenant, entityName, key string) store.Key {
	return store.Key{PK: tenant + "#" + entityName + "#" + shard("record", key), SK: key}
}

// ClaimKey is where the owner of a unique value is named; value is in its
// compared form.
func ClaimKey(tenant, entityName, field, value string) store.Key {
	return store.Key{PK: tenant + "#" + entityName + "@" + field + "#" + shard("claim", value), SK: value}
}

// NamePrefix is the sort key prefix of all records with exactly this name;
// name is in its compared form.
func NamePrefix(name string) string { return name + "\x00" }

// NameShard is the partition key of one shard of an entity's names.
func NameShard(tenant, entityName string, shard int) string {
	return tenant + "#" + entityName + "~#" + strconv.Itoa(shard)
}

// NamePartition is the partition that holds a name's items.
func NamePartition(tenant, entityName, name string) string {
	return tenant + "#" + entityName + "~#" + shard("name", name)
}

// NameKey is the item that says that the record with key has the name.
func NameKey(tenant, entityName, name, key string) store.Key {
	return store.Key{PK: NamePartition(tenant, entityName, name), SK: NamePrefix(name) + key}
}

// RefValue is the value of the index attribute of records whose field refers
// to the record with key.
func RefValue(tenant, entityName, field, key string) string {
	return tenant + "#" + entityName + "#" + field + "#" + key
}

// Attrs are the attributes of a record's item. Empty fields are not stored.
func Attrs(tenant string, def *entity.Definition, r *Record) map[string]any {
	a := map[string]any{
		AttrFields:  fieldAttrs(def, r.Fields),
		AttrVersion: store.Number(strconv.FormatInt(r.Ver, 10)),
		AttrBy:      byAttr(r.By),
	}
	if r.Written != "" && r.Written != r.Key {
		a[AttrWritten] = r.Written
	}
	if ref := Ref(tenant, def, r.Fields); ref != "" {
		a[AttrRef] = ref
	}
	return a
}

// Ref is the value of the index attribute of a record with these fields, ""
// where it refers to nothing.
func Ref(tenant string, def *entity.Definition, fields record.Fields) string {
	for i := range def.Fields {
		f := &def.Fields[i]
		if f.Ref == nil || f.List {
			continue
		}
		if v := fields[f.Name].Text; v != "" {
			return RefValue(tenant, def.Name, f.Name, v)
		}
	}
	return ""
}

// Tombstone is what is left of a deleted record for a day.
func Tombstone(r *Record, w Writer, now time.Time) map[string]any {
	return map[string]any{
		AttrGone:    true,
		AttrVersion: store.Number(strconv.FormatInt(w.Ver, 10)),
		AttrBy:      byAttr(r.Stamp(w)),
		AttrExpires: store.Number(strconv.FormatInt(now.Add(24*time.Hour).Unix(), 10)),
	}
}

func byAttr(by []Writer) []any {
	list := make([]any, len(by))
	for i, w := range by {
		list[i] = w.Import + ":" + strconv.FormatInt(w.Row, 10) + ":" + strconv.FormatInt(w.Ver, 10)
	}
	return list
}

func fieldAttrs(def *entity.Definition, fields record.Fields) map[string]any {
	m := make(map[string]any, len(fields))
	for i := range def.Fields {
		f := &def.Fields[i]
		v, ok := fields[f.Name]
		if !ok || v.IsEmpty() || v.Clear {
			continue
		}
		if f.List {
			list := make([]any, len(v.List))
			for j, s := range v.List {
				list[j] = attr(f.Type, s)
			}
			m[f.Name] = list
			continue
		}
		m[f.Name] = attr(f.Type, v.Text)
	}
	return m
}

func attr(t entity.Type, s string) any {
	switch t {
	case entity.Integer, entity.Decimal, entity.Money:
		return store.Number(s)
	case entity.Boolean:
		return s == "true"
	case entity.Address:
		var m map[string]string
		if json.Unmarshal([]byte(s), &m) == nil {
			out := make(map[string]any, len(m))
			for k, v := range m {
				out[k] = v
			}
			return out
		}
	}
	return s
}

// Read reads a record from its item. A field that the definition no longer
// has is left out.
func Read(def *entity.Definition, it store.Item) (Record, error) {
	r := Record{Key: it.SK, Written: it.SK, Fields: record.Fields{}}
	if w, ok := it.Attrs[AttrWritten].(string); ok {
		r.Written = w
	}
	ver, ok := it.Attrs[AttrVersion].(store.Number)
	if !ok {
		return Record{}, fmt.Errorf("table: an item of %s has no version", def.Name)
	}
	var err error
	if r.Ver, err = strconv.ParseInt(string(ver), 10, 64); err != nil {
		return Record{}, fmt.Errorf("table: version of an item of %s: %w", def.Name, err)
	}
	by, _ := it.Attrs[AttrBy].([]any)
	for _, x := range by {
		s, _ := x.(string)
		parts := strings.Split(s, ":")
		if len(parts) != 3 {
			continue
		}
		row, _ := strconv.ParseInt(parts[1], 10, 64)
		v, _ := strconv.ParseInt(parts[2], 10, 64)
		r.By = append(r.By, Writer{Import: parts[0], Row: row, Ver: v})
	}
	if gone, _ := it.Attrs[AttrGone].(bool); gone {
		r.Gone = true
		return r, nil
	}
	m, _ := it.Attrs[AttrFields].(map[string]any)
	for name, v := range m {
		_, f := def.Field(name)
		if f == nil {
			continue
		}
		if list, ok := v.([]any); ok {
			out := make([]string, len(list))
			for i, x := range list {
				out[i] = text(x)
			}
			r.Fields[name] = record.Value{List: out}
			continue
		}
		r.Fields[name] = record.Value{Text: text(v)}
	}
	return r, nil
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case store.Number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		var a entity.PostalAddress
		a.Kind, _ = v["kind"].(string)
		for _, part := range entity.AddressParts() {
			if p, ok := v[part].(string); ok {
				a.Set(part, p)
			}
		}
		return a.String()
	}
	return ""
}

// Size is about how many bytes the item of a record takes.
func Size(r *Record) int {
	n := 2*len(r.Key) + len(r.Written) + 64 + len(r.By)*40
	for name, v := range r.Fields {
		n += len(name) + len(v.Text) + 8
		for _, s := range v.List {
			n += len(s) + 4
		}
	}
	return n
}

// MaxSize is the size in bytes past which a record is refused: DynamoDB takes
// 400 KB, and undo and export need room.
const MaxSize = 300_000

// LedgerKey is where the ledger line lies that a row of an import made for the
// record with key.
func LedgerKey(tenant, entityName, key, importID string, row int64) store.Key {
	return store.Key{
		PK: tenant + "#" + entityName + "$#" + shard("ledger", key),
		SK: key + "\x00" + importID + "#" + fmt.Sprintf("%012d", row),
	}
}

// LedgerPrefix begins the sort keys of a record's ledger lines, which lie in
// the partition of LedgerKey.
func LedgerPrefix(key string) string { return key + "\x00" }

// BalanceKey is where a balance of a record lies: that of a currency, or of an
// account. Balances are their own items, so that a credit is no edit of the
// record.
func BalanceKey(tenant, entityName, key, balance string) store.Key {
	return store.Key{PK: tenant + "#" + entityName + "=#" + shard("balance", key), SK: key + "\x00" + balance}
}

// AccountBalance names the balance of an account in a currency.
func AccountBalance(account, currency string) string { return currency + "@" + account }

// AccountKey is where it is said whose an account is.
func AccountKey(tenant, entityName, account string) store.Key {
	return store.Key{PK: tenant + "#" + entityName + "%#" + shard("account", account), SK: account}
}
