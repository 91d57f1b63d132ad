// Package journal plans what an import does to the records, keeps the plan, and
// carries it out.
//
// A journal is the plan of one batch: for each record what is stored, what it
// becomes, the version that this was worked out on, and the outcome of each row.
// Planning writes nothing to the records. A journal, once stored, never changes;
// applying it twice, or by two workers at once, leaves what applying it once
// does. The package knows records and rows, not files: it refuses formats and
// mappings.
package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/table"
)

// Op is what is to be done to a record.
type Op string

// The operations. None is an entry whose rows change nothing.
const (
	None   Op = ""
	Create Op = "create"
	Change Op = "update"
	// Pay writes ledger lines and leaves the record as it is.
	Pay Op = "credit"
)

// Unique is a value of a unique field in its compared form.
type Unique struct {
	Field string `json:"f"`
	Value string `json:"v"`
}

// RowNote is the outcome of one row.
type RowNote struct {
	Number   int64            `json:"n"`
	Outcome  record.Outcome   `json:"o"`
	Problems []record.Problem `json:"p,omitempty"`
	// Held are the fields whose value a policy held back.
	Held []string `json:"h,omitempty"`
	// Notes are codes of what is told of the row but rejects nothing.
	Notes []string `json:"t,omitempty"`
}

// Entry is the plan of one record.
type Entry struct {
	Key     string `json:"k"`
	Written string `json:"w,omitempty"`
	Op      Op     `json:"op,omitempty"`
	// Ver is the stored version the plan was worked out on, 0 where nothing is
	// stored; NewVer the version that the write makes.
	Ver    int64 `json:"v,omitempty"`
	NewVer int64 `json:"nv,omitempty"`
	// Gone tells that a tombstone is stored under the key.
	Gone bool `json:"g,omitempty"`
	// Changed are the fields that differ, Before their stored values, After all
	// fields of the record afterwards.
	Changed []string      `json:"c,omitempty"`
	Before  record.Fields `json:"b,omitempty"`
	After   record.Fields `json:"a,omitempty"`
	// OldRef is the stored value of the reference that the index holds.
	OldRef string `json:"r,omitempty"`
	// Take are the unique values that the record takes, Free those it gives up.
	Take []Unique  `json:"t,omitempty"`
	Free []Unique  `json:"x,omitempty"`
	Rows []RowNote `json:"rows"`
	// Credits are the ledger lines that the rows make.
	Credits []Credit `json:"cr,omitempty"`
	// Row is the last row that changed something: the one the write is stamped
	// with.
	Row int64 `json:"n,omitempty"`
	// tries are the unique values that the rows take, for a while or for good.
	tries tries
	// By are the stored record's last writers, for the stamp.
	By []table.Writer `json:"by,omitempty"`
}

// Taking is a unique value that a row takes, for Settle.
type Taking struct {
	Hash  uint64 `json:"h"` // of field and value: the order of the list
	Field string `json:"f"`
	Value string `json:"v"`
	Row   int64  `json:"n"`
	Key   string `json:"k"`
	// Until is the row by which the record gives it up again; 0 for none.
	Until int64 `json:"u,omitempty"`
	// Lost tells that the row is rejected for losing it, or another of its values.
	Lost bool `json:"l,omitempty"`
}

// Footer is the index of a journal, at its end.
type Footer struct {
	Batch  int           `json:"batch"`
	Counts record.Counts `json:"counts"`
	// Codes counts the problems of rejected rows, Held the values that policies
	// held back by field, Notes what is told but rejects nothing.
	Codes map[string]int64 `json:"codes,omitempty"`
	Held  map[string]int64 `json:"held,omitempty"`
	Notes map[string]int64 `json:"notes,omitempty"`
	// Credits are the ledger lines of the batch.
	Credits Credits `json:"credits,omitzero"`
	// Refs are the keys of records made on the way that accepted rows refer to.
	Refs []string `json:"refs,omitempty"`
	// Writes holds the entries with something to write, Rest the others.
	Writes  shuffle.Span `json:"writes"`
	Rest    shuffle.Span `json:"rest"`
	Takings shuffle.Span `json:"takings"`
}

// Journal is the plan of one batch, in memory.
type Journal struct {
	Footer
	Entries []Entry // sorted by key
}

// HashOf is the order in which takings are sorted and merged.
func HashOf(field, value string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(field))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(value))
	return shuffle.Mix(h.Sum64())
}

// window is how far back a compressed journal refers, in bytes: what each of
// the many that Settle reads at the same time takes of its memory.
const window = 128 << 10

// Encode returns the journal as one object.
func (j *Journal) Encode() (io.Reader, error) {
	var (
		parts [3]bytes.Buffer
		spans [3]shuffle.Span
	)
	var takings []Taking
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = enc.Close() }()
	write := func(part int, each func(add func(any) error) error) error {
		enc.Reset(&parts[part])
		out := json.NewEncoder(enc)
		if err := each(func(v any) error {
			spans[part].Count++
			return out.Encode(v)
		}); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if err := enc.Close(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		spans[part].Length = int64(parts[part].Len())
		return nil
	}
	for part, writes := range []bool{true, false} {
		if err := write(part, func(add func(any) error) error {
			for i := range j.Entries {
				if (j.Entries[i].Op != None) == writes {
					if err := add(&j.Entries[i]); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	for i := range j.Entries {
		for _, x := range j.Entries[i].tries {
			takings = append(takings, Taking{
				Hash: HashOf(x.field, x.value), Field: x.field, Value: x.value, Row: x.row, Key: j.Entries[i].Key, Until: x.until, Lost: x.lost,
			})
		}
	}
	slices.SortFunc(takings, CompareTakings)
	if err := write(2, func(add func(any) error) error {
		for i := range takings {
			if err := add(&takings[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	spans[1].Offset = spans[0].Length
	spans[2].Offset = spans[0].Length + spans[1].Length
	j.Writes, j.Rest, j.Takings = spans[0], spans[1], spans[2]
	foot, err := json.Marshal(j.Footer)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	foot = binary.BigEndian.AppendUint64(foot, uint64(len(foot)))
	return io.MultiReader(&parts[0], &parts[1], &parts[2], bytes.NewReader(foot)), nil
}

// CompareTakings orders by hash, then value, then row: the earliest row first.
func CompareTakings(a, b Taking) int {
	return cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Value, b.Value),
		cmp.Compare(a.Row, b.Row), cmp.Compare(a.Key, b.Key))
}

// Stored is a stored journal.
type Stored struct {
	ObjectKey string
	Footer
	objects object.Store
}

// Open reads the footer of a stored journal. Returns object.ErrNotFound where
// it is not stored.
func Open(ctx context.Context, objects object.Store, key string) (*Stored, error) {
	s := &Stored{ObjectKey: key, objects: objects}
	if err := shuffle.ReadFooter(ctx, objects, key, &s.Footer); err != nil {
		return nil, err
	}
	return s, nil
}

// EachWrite calls f with each entry that has something to write, by key.
func (s *Stored) EachWrite(ctx context.Context, f func(*Entry) error) error {
	return eachLine(ctx, s, s.Writes, f)
}

// EachRest calls f with each entry that has nothing to write, by key.
func (s *Stored) EachRest(ctx context.Context, f func(*Entry) error) error {
	return eachLine(ctx, s, s.Rest, f)
}

// OpenTakings streams the unique values that the batch takes, in the order of
// CompareTakings. The caller closes it.
func (s *Stored) OpenTakings(ctx context.Context) (*Lines[Taking], error) {
	return openLines[Taking](ctx, s, s.Takings)
}

func eachLine(ctx context.Context, s *Stored, span shuffle.Span, f func(*Entry) error) error {
	lines, err := openLines[Entry](ctx, s, span)
	if err != nil {
		return err
	}
	defer lines.Close()
	for {
		e, err := lines.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
}

// Lines streams values from a part of a journal.
type Lines[T any] struct {
	key  string
	left int64
	body io.Closer
	zr   *zstd.Decoder
	dec  *json.Decoder
}

func openLines[T any](ctx context.Context, s *Stored, span shuffle.Span) (*Lines[T], error) {
	l := &Lines[T]{key: s.ObjectKey, left: span.Count}
	if span.Count == 0 {
		return l, nil
	}
	body, _, err := s.objects.Get(ctx, object.Ref{Key: s.ObjectKey}, object.Range{Offset: span.Offset, Length: span.Length})
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", s.ObjectKey, err)
	}
	l.body = body
	l.zr, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("journal: %s: %w", s.ObjectKey, err)
	}
	l.dec = json.NewDecoder(bufio.NewReaderSize(l.zr, 64<<10))
	return l, nil
}

// Next returns the next value, bare io.EOF after the last.
func (l *Lines[T]) Next() (*T, error) {
	if l.left == 0 {
		return nil, io.EOF
	}
	l.left--
	v := new(T)
	if err := l.dec.Decode(v); err != nil {
		return nil, fmt.Errorf("journal: %s: %w", l.key, err)
	}
	return v, nil
}

// Close frees what the stream holds.
func (l *Lines[T]) Close() {
	if l.body != nil {
		l.zr.Close()
		_ = l.body.Close()
	}
}
