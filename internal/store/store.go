// Package store is the interface over DynamoDB. Its implementations are
// store/dynamo and store/memory; both pass store/storetest.
//
// Every write is conditional and every read is strong (but for Query on an
// index). The package retries nothing of its own but what the interface says;
// throttling that outlasts the SDK's retries is returned as *fault.Transient.
package store

import (
	"context"
	"errors"
)

// Key identifies an item of a table.
type Key struct{ PK, SK string }

// Number is a DynamoDB number in its decimal text.
type Number string

// Item is a stored item. Attrs holds string, Number, bool, []any and
// map[string]any (nested likewise); it does not hold pk and sk. An absent
// attribute is not in the map; nil never occurs.
type Item struct {
	Key
	Attrs map[string]any
}

// OpKind is the kind of a write.
type OpKind uint8

// The kinds of a write.
const (
	// Insert stores a new item; it fails with ErrExists where one is stored.
	Insert OpKind = iota + 1
	// Update sets and removes attributes of a stored item; where there is none
	// it fails with ErrConditionFailed.
	Update
	// Delete removes a stored item. Without conditions a missing item is no
	// error; with conditions it fails with ErrConditionFailed.
	Delete
	// Put stores the item whatever was there. If must be empty.
	Put
)

// Op is one write.
type Op struct {
	Kind   OpKind
	Key    Key
	Set    map[string]any // Insert, Put: all attributes; Update: those to set
	Remove []string       // Update: attributes to remove
	If     []Cond         // Update, Delete: all must hold
}

// CondKind is the kind of a condition.
type CondKind uint8

// The kinds of a condition.
const (
	Equals  CondKind = iota + 1 // the attribute is there and equals Value
	Missing                     // the attribute is not there
	Present                     // the attribute is there
	Less                        // the attribute is there and is less than Value (Number or string)
)

// Cond is a condition on one top-level attribute of the stored item.
type Cond struct {
	Kind  CondKind
	Attr  string
	Value any
}

// The outcomes of a single write besides nil.
var (
	// ErrExists: an Insert found an item.
	ErrExists = errors.New("store: item exists")
	// ErrConditionFailed: a condition did not hold, or the item is missing.
	ErrConditionFailed = errors.New("store: condition failed")
	// ErrTooLarge: the item would be larger than the table takes (400 KB).
	ErrTooLarge = errors.New("store: item too large")
)

// Result is the outcome of one Op.
type Result struct {
	// Err is nil, ErrExists, ErrConditionFailed, ErrTooLarge, or any other error
	// after which the write may or may not have happened.
	Err error
	// Old is the stored item that made a condition fail, where the store says
	// it; nil otherwise (always nil with ErrExists: read it).
	Old *Item
}

// Query asks for the items of one partition in order of the sort key.
type Query struct {
	Index   string // "" is the table itself (strong); else the name of an index (eventual)
	PK      string // the partition key's value
	Prefix  string // sort keys that start so; "" is all
	From    string // sort keys from here on, inclusive; "" is the beginning. Not with Prefix
	Reverse bool
	Limit   int    // at most so many items in the page; 0 is the store's own limit
	Cursor  string // Page.Next of the page before; "" is the first page
}

// Page is one page of a query.
type Page struct {
	Items []Item
	Next  string // "" after the last page
}

// Table is one table. All methods may be called at the same time.
type Table interface {
	// Get reads items strongly, any number of distinct keys; an item that is not
	// stored is not in the map.
	Get(ctx context.Context, keys []Key) (map[Key]Item, error)
	// Write carries out any number of writes with distinct keys, 25 a request,
	// in no order; results are parallel to ops. One op's failure does not touch
	// the others. A write whose reply was lost may have happened, and a repeat by
	// the SDK may then answer ErrExists or ErrConditionFailed: the caller tells
	// by what is stored. The error is for the whole call (bad arguments, no
	// connection): results then are nil.
	Write(ctx context.Context, ops []Op) ([]Result, error)
	// Transact carries out up to 100 writes with distinct keys together or not
	// at all. Where a condition fails the error is ErrConditionFailed.
	Transact(ctx context.Context, ops []Op) error
	// Query reads one page.
	Query(ctx context.Context, q Query) (Page, error)
}
