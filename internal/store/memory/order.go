package memory

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/dropload/dropload/internal/store"
)

// entry is an item's place in a partition.
type entry struct {
	sort string
	key  store.Key
}

func compare(a, b entry) int {
	return cmp.Or(cmp.Compare(a.sort, b.sort), cmp.Compare(a.key.PK, b.key.PK), cmp.Compare(a.key.SK, b.key.SK))
}

// partitions hold entries by partition key, each sorted when it is next read.
type partitions map[string]*partition

type partition struct {
	set    map[entry]struct{}
	sorted []entry // nil when set has changed
}

func (p partitions) add(pk string, e entry) {
	part := p[pk]
	if part == nil {
		part = &partition{set: map[entry]struct{}{}}
		p[pk] = part
	}
	part.set[e] = struct{}{}
	part.sorted = nil
}

func (p partitions) remove(pk string, e entry) {
	part := p[pk]
	if part == nil {
		return
	}
	delete(part.set, e)
	part.sorted = nil
	if len(part.set) == 0 {
		delete(p, pk)
	}
}

// scan gives the entries of a partition in order: forwards from the first whose
// sort key is at least low, or backwards from the last; in both cases beyond
// the entry after, where there is one.
func (p partitions) scan(pk string, reverse bool, low string, after *entry) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		part := p[pk]
		if part == nil {
			return
		}
		if part.sorted == nil {
			part.sorted = make([]entry, 0, len(part.set))
			for e := range part.set {
				part.sorted = append(part.sorted, e)
			}
			slices.SortFunc(part.sorted, compare)
		}
		s := part.sorted
		if reverse {
			end := len(s)
			if after != nil {
				end, _ = slices.BinarySearchFunc(s, *after, compare)
			}
			for i := end - 1; i >= 0 && yield(s[i]); i-- {
			}
			return
		}
		start, _ := slices.BinarySearchFunc(s, entry{sort: low}, compare)
		if after != nil {
			at, found := slices.BinarySearchFunc(s, *after, compare)
			if found {
				at++
			}
			start = max(start, at)
		}
		for i := start; i < len(s) && yield(s[i]); i++ {
		}
	}
}

// tableIndex is one index: the items that have both of its attributes.
type tableIndex struct {
	pkAttr, skAttr string
	order          partitions
}

func attr(it store.Item, name string) (any, bool) {
	switch name {
	case "pk":
		return it.PK, true
	case "sk":
		return it.SK, true
	}
	v, ok := it.Attrs[name]
	return v, ok
}

// check refuses an item whose index attributes are not text, as DynamoDB does.
func (ix *tableIndex) check(it store.Item) error {
	for _, name := range []string{ix.pkAttr, ix.skAttr} {
		if v, ok := attr(it, name); ok {
			if s, text := v.(string); !text || s == "" {
				return fmt.Errorf("store: attribute %q of an index must be text that is not empty", name)
			}
		}
	}
	return nil
}

func (ix *tableIndex) place(it store.Item) (pk string, e entry, ok bool) {
	v, ok := attr(it, ix.pkAttr)
	if !ok {
		return "", entry{}, false
	}
	e.key = it.Key
	if ix.skAttr != "" {
		s, ok := attr(it, ix.skAttr)
		if !ok {
			return "", entry{}, false
		}
		e.sort, _ = s.(string)
	}
	pk, _ = v.(string)
	return pk, e, true
}

func (ix *tableIndex) add(it store.Item) {
	if pk, e, ok := ix.place(it); ok {
		ix.order.add(pk, e)
	}
}

func (ix *tableIndex) remove(it store.Item) {
	if pk, e, ok := ix.place(it); ok {
		ix.order.remove(pk, e)
	}
}
