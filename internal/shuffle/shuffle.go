// Package shuffle carries prepared rows from the ranges of a file to the
// batches of a plan: ranges in, batches out.
//
// A Segment is one object that holds the prepared rows of a stretch of the file
// in blocks by batch, each in file order, then the rows that were rejected or
// ignored, then the references that the rows name, then an index. All rows of
// one key meet in one batch, whatever range they came from. A segment is one
// object so that a worker that runs twice can never leave half of one run
// beside half of the other.
package shuffle

import (
	"encoding/binary"
	"errors"
	"hash/fnv"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

// Row is one prepared row on its way to its batch.
type Row struct {
	// Number is the row's number in the file.
	Number int64
	// Key is the record's key in its compared form.
	Key string
	// Written is the key as the file writes it; "" where it is generated.
	Written string
	// Generated tells that no stored record matched and the key was made.
	Generated bool
	// Fields are the values of the row, by index of the entity's fields.
	Fields []entity.FieldValue
	// Refs are the references of the row that are still to be resolved.
	Refs []Ref
}

// Ref is a reference as a row names it.
type Ref struct {
	Index int    // the entity's field
	Name  string // in its compared form
}

// BatchOf is the batch of a key among n. It is another hash than the one that
// spreads records over the shards of the table, so that each batch's writes
// spread over all shards.
func BatchOf(key string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte("batch\x00"))
	_, _ = h.Write([]byte(key))
	return int(Mix(h.Sum64()) % uint64(n))
}

// Mix spreads the bits of a hash: FNV alone leaves near keys near.
func Mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

var errCut = errors.New("shuffle: a row is cut off")

const (
	flagGenerated = 1 << iota
	flagWritten
	flagRefs
)

const (
	kindText = iota
	kindList
	kindClear
)

// appendRow encodes a row at the end of b.
func appendRow(b []byte, r *Row) []byte {
	var flags byte
	if r.Generated {
		flags |= flagGenerated
	}
	if r.Written != "" && r.Written != r.Key {
		flags |= flagWritten
	}
	if len(r.Refs) > 0 {
		flags |= flagRefs
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(r.Number))
	b = appendText(b, r.Key)
	if flags&flagWritten != 0 {
		b = appendText(b, r.Written)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Fields)))
	for _, f := range r.Fields {
		b = binary.AppendUvarint(b, uint64(f.Index))
		switch {
		case f.Value.Clear:
			b = append(b, kindClear)
		case f.Value.List != nil:
			b = append(b, kindList)
			b = binary.AppendUvarint(b, uint64(len(f.Value.List)))
			for _, s := range f.Value.List {
				b = appendText(b, s)
			}
		default:
			b = append(b, kindText)
			b = appendText(b, f.Value.Text)
		}
	}
	if flags&flagRefs != 0 {
		b = binary.AppendUvarint(b, uint64(len(r.Refs)))
		for _, ref := range r.Refs {
			b = binary.AppendUvarint(b, uint64(ref.Index))
			b = appendText(b, ref.Name)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decoder reads what appendRow wrote. text is the block as one string, so that
// a row's strings are parts of it and cost nothing.
type decoder struct {
	text string
	pos  int
	err  error
}

func (d *decoder) uvarint() uint64 {
	var x uint64
	for shift := 0; shift < 64; shift += 7 {
		if d.pos >= len(d.text) {
			d.err = errCut
			return 0
		}
		c := d.text[d.pos]
		d.pos++
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	d.err = errCut
	return 0
}

func (d *decoder) string() string {
	n := d.uvarint()
	if d.err != nil || n > uint64(len(d.text)-d.pos) {
		d.err = errCut
		return ""
	}
	s := d.text[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return s
}

func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.text)-d.pos)+1 {
		d.err = errCut
		return 0
	}
	return int(n)
}

func (d *decoder) index() int {
	n := d.uvarint()
	if n > 1<<16 {
		d.err = errCut
		return 0
	}
	return int(n)
}

func (d *decoder) row() (Row, error) {
	if d.pos >= len(d.text) {
		return Row{}, errCut
	}
	flags := d.text[d.pos]
	d.pos++
	r := Row{Generated: flags&flagGenerated != 0}
	r.Number = int64(d.uvarint())
	r.Key = d.string()
	if !r.Generated {
		r.Written = r.Key
	}
	if flags&flagWritten != 0 {
		r.Written = d.string()
	}
	r.Fields = make([]entity.FieldValue, d.count())
	for i := range r.Fields {
		f := &r.Fields[i]
		f.Index = d.index()
		if d.pos >= len(d.text) {
			return Row{}, errCut
		}
		kind := d.text[d.pos]
		d.pos++
		switch kind {
		case kindClear:
			f.Value = record.Value{Clear: true}
		case kindList:
			list := make([]string, d.count())
			for j := range list {
				list[j] = d.string()
			}
			f.Value = record.Value{List: list}
		default:
			f.Value = record.Value{Text: d.string()}
		}
		if d.err != nil {
			return Row{}, d.err
		}
	}
	if flags&flagRefs != 0 {
		r.Refs = make([]Ref, d.count())
		for i := range r.Refs {
			r.Refs[i] = Ref{Index: d.index(), Name: d.string()}
		}
	}
	return r, d.err
}
