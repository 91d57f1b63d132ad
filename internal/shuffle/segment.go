package shuffle

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
)

// Left is a row that does not reach a batch: rejected or ignored before the
// plan.
type Left struct {
	Number   int64            `json:"n"`
	Outcome  record.Outcome   `json:"o"`
	Problems []record.Problem `json:"p,omitempty"`
}

// RefNote says that rows of a segment name a record of another entity.
type RefNote struct {
	Index   int    `json:"i"` // the entity's field
	Name    string `json:"k"` // in its compared form
	Written string `json:"w"` // as the first row writes it
	Row     int64  `json:"r"` // the first row that names it
	Rows    int64  `json:"n"` // how many rows name it
}

// Span is a part of the segment object.
type Span struct {
	Offset int64 `json:"o"`
	Length int64 `json:"l"`
	Count  int64 `json:"n"`
}

// Footer is the index of a segment, at its end.
type Footer struct {
	// Blocks has one span a batch that has rows, by batch.
	Blocks map[int]Span `json:"blocks"`
	Left   Span         `json:"left"`
	Refs   Span         `json:"refs"`
	// Rows is the number of data rows of the segment: those in the blocks and
	// those left.
	Rows int64 `json:"rows"`
	// NextRow is the number of the row after the segment's last.
	NextRow int64 `json:"next_row"`
	// Last tells that the range ends with this segment.
	Last bool `json:"last"`
	// Width is the number of cells of the longest row, blank ones at its end left
	// out.
	Width int `json:"width"`
	// Notes counts what is told but rejects nothing, by code.
	Notes map[string]int64 `json:"notes,omitempty"`
}

// Writer gathers the rows of one segment in memory, encoded. The caller
// decides where a segment ends.
type Writer struct {
	blocks  []block // by batch
	row     []byte  // the row that is encoded
	left    bytes.Buffer
	nLeft   int64
	refs    map[refKey]*RefNote
	rows    int64
	batches int
	width   int
	notes   map[string]int64
}

type refKey struct {
	index int
	name  string
}

// NewWriter starts a segment of a plan with so many batches.
func NewWriter(batches int) *Writer {
	return &Writer{
		blocks: make([]block, batches), refs: map[refKey]*RefNote{}, batches: batches, notes: map[string]int64{},
	}
}

// Rows is the number of data rows added.
func (w *Writer) Rows() int64 { return w.rows }

// Add puts a row into its batch. Nothing of r is kept.
func (w *Writer) Add(r *Row) {
	b := BatchOf(r.Key, w.batches)
	w.row = appendRow(w.row[:0], r)
	w.blocks[b].add(w.row)
	w.rows++
}

// block is the encoded rows of one batch, in pieces: text that grows in one
// piece is copied again and again.
type block struct {
	full   [][]byte
	last   []byte
	length int64
	rows   int64
}

// The sizes of a block's pieces: each is twice as large as the one before.
const (
	minPiece = 4 << 10
	maxPiece = 256 << 10
)

func (b *block) add(row []byte) {
	if cap(b.last)-len(b.last) < len(row) {
		if len(b.last) > 0 {
			b.full = append(b.full, b.last)
		}
		b.last = make([]byte, 0, max(len(row), min(max(2*cap(b.last), minPiece), maxPiece)))
	}
	b.last = append(b.last, row...)
	b.length += int64(len(row))
	b.rows++
}

func (b *block) readers() []io.Reader {
	readers := make([]io.Reader, 0, len(b.full)+1)
	for _, piece := range b.full {
		readers = append(readers, bytes.NewReader(piece))
	}
	return append(readers, bytes.NewReader(b.last))
}

// Name notes that a row names a reference; written is how.
func (w *Writer) Name(ref Ref, written string, row int64) {
	k := refKey{ref.Index, ref.Name}
	if n, ok := w.refs[k]; ok {
		n.Rows++
		return
	}
	k.name = strings.Clone(k.name)
	w.refs[k] = &RefNote{Index: ref.Index, Name: k.name, Written: strings.Clone(written), Row: row, Rows: 1}
}

// Leave notes a row that is rejected or ignored.
func (w *Writer) Leave(l Left) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("shuffle: row %d: %w", l.Number, err)
	}
	w.left.Write(b)
	w.left.WriteByte('\n')
	w.nLeft++
	w.rows++
	return nil
}

// Widen notes how long a row is.
func (w *Writer) Widen(row *record.Row) {
	n := len(row.Cells)
	for n > w.width && row.Cells[n-1].IsBlank() {
		n--
	}
	w.width = max(w.width, n)
}

// Note counts something told that rejects nothing.
func (w *Writer) Note(code string, n int64) { w.notes[code] += n }

// Object returns the segment as one object and its length. f carries NextRow,
func (w *Writer) Object(f *Footer) (io.Reader, error) {
	f.Blocks = map[int]Span{}
	f.Rows = w.rows
	f.Notes = w.notes
	f.Width = w.width
	var (
		parts []io.Reader
		at    int64
	)
	add := func(length, n int64, text ...io.Reader) Span {
		s := Span{Offset: at, Length: length, Count: n}
		parts = append(parts, text...)
		at += length
		return s
	}
	for n := range w.blocks {
		if b := &w.blocks[n]; b.rows > 0 {
			f.Blocks[n] = add(b.length, b.rows, b.readers()...)
		}
	}
	f.Left = add(int64(w.left.Len()), w.nLeft, bytes.NewReader(w.left.Bytes()))
	refs := slices.SortedFunc(maps.Values(w.refs), func(a, b *RefNote) int {
		if a.Index != b.Index {
			return a.Index - b.Index
		}
		return strings.Compare(a.Name, b.Name)
	})
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for _, r := range refs {
		if err := enc.Encode(r); err != nil {
			return nil, fmt.Errorf("shuffle: references: %w", err)
		}
	}
	f.Refs = add(int64(text.Len()), int64(len(refs)), bytes.NewReader(text.Bytes()))
	foot, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("shuffle: footer: %w", err)
	}
	foot = binary.BigEndian.AppendUint64(foot, uint64(len(foot)))
	return io.MultiReader(append(parts, bytes.NewReader(foot))...), nil
}

// tail is how much of a segment's end is read at once in search of its footer.
const tail = 64 << 10

// maxFooter is the largest footer in bytes.
const maxFooter = 1 << 30

// Segment is a stored segment.
type Segment struct {
	Key string
	Footer
	objects object.Store
}

// Open reads the footer of a segment. Returns object.ErrNotFound where it is
// not stored.
func Open(ctx context.Context, objects object.Store, key string) (*Segment, error) {
	s := &Segment{Key: key, objects: objects}
	if err := ReadFooter(ctx, objects, key, &s.Footer); err != nil {
		return nil, err
	}
	return s, nil
}

// ReadFooter reads the JSON at the end of an object that its length in eight
// bytes follows. Returns object.ErrNotFound where there is no object.
func ReadFooter(ctx context.Context, objects object.Store, key string, footer any) error {
	b, err := read(ctx, objects, key, object.Range{Offset: -tail, Length: tail})
	if err != nil {
		return err
	}
	if len(b) < 8 {
		return fmt.Errorf("shuffle: %s: %w", key, errCut)
	}
	n := binary.BigEndian.Uint64(b[len(b)-8:])
	if n > maxFooter {
		return fmt.Errorf("shuffle: %s: %w", key, errCut)
	}
	size := int(n)
	if size > len(b)-8 {
		if b, err = read(ctx, objects, key, object.Range{Offset: -int64(size) - 8, Length: int64(size) + 8}); err != nil {
			return err
		}
		if size > len(b)-8 {
			return fmt.Errorf("shuffle: %s: %w", key, errCut)
		}
	}
	if err := json.Unmarshal(b[len(b)-8-size:len(b)-8], footer); err != nil {
		return fmt.Errorf("shuffle: %s: %w", key, err)
	}
	return nil
}

func read(ctx context.Context, objects object.Store, key string, r object.Range) ([]byte, error) {
	body, _, err := objects.Get(ctx, object.Ref{Key: key}, r)
	if err != nil {
		return nil, fmt.Errorf("shuffle: %s: %w", key, err)
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("shuffle: %s: %w", key, err)
	}
	return b, nil
}

// Batch appends the rows of one batch to rows, in file order.
func (s *Segment) Batch(ctx context.Context, batch int, rows []Row) ([]Row, error) {
	span, ok := s.Blocks[batch]
	if !ok {
		return rows, nil
	}
	b, err := read(ctx, s.objects, s.Key, object.Range{Offset: span.Offset, Length: span.Length})
	if err != nil {
		return nil, err
	}
	d := decoder{text: string(b)}
	for range span.Count {
		r, err := d.row()
		if err != nil {
			return nil, fmt.Errorf("shuffle: %s: %w", s.Key, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// EachLeft calls f with each row that was left, in file order.
func (s *Segment) EachLeft(ctx context.Context, f func(Left) error) error {
	return each(ctx, s, s.Left, f)
}

// OpenRefs streams the references as JSON lines of RefNote, sorted by field and
// name. The caller closes it.
func (s *Segment) OpenRefs(ctx context.Context) (io.ReadCloser, error) {
	body, _, err := s.objects.Get(ctx, object.Ref{Key: s.Key}, object.Range{Offset: s.Refs.Offset, Length: s.Refs.Length})
	if err != nil {
		return nil, fmt.Errorf("shuffle: %s: %w", s.Key, err)
	}
	return body, nil
}

func each[T any](ctx context.Context, s *Segment, span Span, f func(T) error) error {
	if span.Count == 0 {
		return nil
	}
	body, _, err := s.objects.Get(ctx, object.Ref{Key: s.Key}, object.Range{Offset: span.Offset, Length: span.Length})
	if err != nil {
		return fmt.Errorf("shuffle: %s: %w", s.Key, err)
	}
	defer func() { _ = body.Close() }()
	dec := json.NewDecoder(body)
	for range span.Count {
		var v T
		if err := dec.Decode(&v); err != nil {
			return fmt.Errorf("shuffle: %s: %w", s.Key, err)
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}
