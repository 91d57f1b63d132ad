package xlsx

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sort"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet/xlsx/opc"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// table holds the shared strings. They are read as far as somebody asks, since
// the first rows of a sheet use the first strings, and packed in blocks; blocks
// beyond the budget of memory are kept in a temporary file.
type table struct {
	mu     sync.Mutex
	part   *opc.Part // nil: no shared strings
	src    io.ReadCloser
	scan   *xmltext.Scanner
	err    error // sticky; io.EOF after the last string
	blocks []*block
	last   *block // the one being filled
	total  int64  // bytes of text read

	memory int64 // budget of bytes kept in memory
	file   *os.File
	offset int64
	recent [16]*block // blocks of the file that were read lately
}

// A block ends at perBlock strings, or where it is longer than blockBytes.
const (
	perBlock   = 1 << 10
	blockBytes = 1 << 20
	// loadBytes is the length up to which a block comes back from the file whole.
	loadBytes = 1 << 17
)

// block is a number of strings one after another.
type block struct {
	text   []byte // nil where it is in the file
	ends   []uint32
	number int
	first  int   // the number of its first string
	offset int64 // in the file; -1 where it is in memory
}

func (b *block) slice(i int) (from, to uint32) {
	if i -= b.first; i > 0 {
		from = b.ends[i-1]
	}
	return from, b.ends[i]
}

func (b *block) has(i int) bool { return b.first <= i && i < b.first+len(b.ends) }

// find returns the block of string i, nil where it is in none of them. Most
// blocks are full, so that its place is known.
func find(blocks []*block, i int) *block {
	if k := i / perBlock; k < len(blocks) && blocks[k].has(i) {
		return blocks[k]
	}
	k := sort.Search(len(blocks), func(k int) bool { return i < blocks[k].first+len(blocks[k].ends) })
	if k < len(blocks) {
		return blocks[k]
	}
	return nil
}

func newTable(p *opc.Part) *table { return &table{part: p, memory: MemoryStrings} }

// errNoString says that there is no string with this number.
var errNoString = errors.New("xlsx: no such shared string")

// view is a reader's own sight of the blocks that are complete, so that it need
// not ask for the lock.
type view struct {
	of     *table
	blocks []*block
}

// get returns string i. It stays valid until the table is closed, but where it
// comes from the file: until the next call.
func (v *view) get(i int) (string, error) {
	if b := find(v.blocks, i); b != nil && b.offset < 0 {
		from, to := b.slice(i)
		return text(b.text[from:to]), nil
	}
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	s, err := v.of.get(i)
	v.blocks = v.of.blocks
	return s, err
}

// text is the string over b, which must not change while the string is used.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (t *table) get(i int) (string, error) {
	for i >= t.count() {
		if err := t.read(); err != nil {
			if errors.Is(err, io.EOF) {
				return "", errNoString
			}
			return "", err
		}
	}
	b := find(t.blocks, i)
	if b == nil {
		b = t.last
	}
	from, to := b.slice(i)
	switch {
	case b.offset >= 0 && b.ends[len(b.ends)-1] > loadBytes: // long strings come alone
		alone := make([]byte, to-from)
		_, err := t.file.ReadAt(alone, b.offset+int64(from))
		return text(alone), err
	case b.offset >= 0:
		var err error
		if b, err = t.load(b); err != nil {
			return "", err
		}
	}
	return text(b.text[from:to]), nil
}

func (t *table) count() int {
	if t.last == nil {
		return 0
	}
	return t.last.first + len(t.last.ends)
}

// open starts reading the part.
func (t *table) open() error {
	if t.part == nil {
		return io.EOF
	}
	rc, err := t.part.Open()
	if err != nil {
		return err
	}
	t.src = rc
	t.scan = xmltext.New(xmltext.Decode(rc))
	t.last = &block{offset: -1}
	return nil
}

// read reads one more string; io.EOF after the last one.
func (t *table) read() error {
	if t.err == nil && t.scan == nil {
		t.err = t.open()
	}
	if t.err != nil {
		return t.err
	}
	for {
		tok, err := t.scan.Next()
		switch {
		case errors.Is(err, io.EOF):
			t.err = io.EOF
			return t.err
		case err != nil:
			t.err = broken(err)
			return t.err
		case tok != xmltext.Start || string(t.scan.Name) != "si":
			continue
		}
		if len(t.last.ends) == perBlock || len(t.last.text) > blockBytes {
			if t.err = t.complete(); t.err != nil {
				return t.err
			}
		}
		before := len(t.last.text)
		t.last.text, err = appendRich(t.last.text, t.scan)
		if err == nil {
			if t.total += int64(len(t.last.text) - before); t.total > MaxStrings {
				err = &fault.BadFile{Code: "too-large", Message: "The texts of the workbook are too long altogether. Split the file."}
			}
		}
		if err != nil {
			t.err = err
			return err
		}
		t.last.ends = append(t.last.ends, uint32(len(t.last.text))) // at most blockBytes + MaxText
		return nil
	}
}

// complete puts the full last block away and begins a new one.
func (t *table) complete() error {
	b := t.last
	next := &block{offset: -1, number: b.number + 1, first: b.first + len(b.ends)}
	if t.memory -= int64(len(b.text)); t.memory >= 0 {
		b.text = append(make([]byte, 0, len(b.text)), b.text...)
	} else {
		if err := t.spill(b); err != nil {
			return err
		}
		b.text = nil // a row may still show texts of it: it is not used again
	}
	next.ends = make([]uint32, 0, perBlock)
	t.blocks = append(t.blocks, b)
	t.last = next
	return nil
}

// spill writes a block to the file.
func (t *table) spill(b *block) error {
	if t.file == nil {
		f, err := os.CreateTemp("", "dropload-strings-*")
		if err != nil {
			return err
		}
		t.file = f
		_ = os.Remove(f.Name()) // where it cannot go while open, close tries again
	}
	if _, err := t.file.WriteAt(b.text, t.offset); err != nil {
		return err
	}
	b.offset = t.offset
	t.offset += int64(len(b.text))
	return nil
}

// load reads a block of the file, or finds it among the recent ones.
func (t *table) load(b *block) (*block, error) {
	slot := &t.recent[b.number%len(t.recent)]
	if *slot != nil && (*slot).number == b.number {
		return *slot, nil
	}
	text := make([]byte, b.ends[len(b.ends)-1])
	if _, err := t.file.ReadAt(text, b.offset); err != nil {
		return nil, err
	}
	*slot = &block{text: text, ends: b.ends, number: b.number, first: b.first, offset: -1}
	return *slot, nil
}

func (t *table) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = os.ErrClosed
	var err error
	if t.src != nil {
		err = t.src.Close()
		t.src = nil
	}
	if t.file != nil {
		name := t.file.Name()
		err = errors.Join(err, t.file.Close())
		_ = os.Remove(name) // gone already where that was possible
		t.file = nil
	}
	return err
}

// appendRich appends the text of the si or is element that was just started:
// its own and that of its runs, without what is only said how to pronounce it.
func appendRich(dst []byte, s *xmltext.Scanner) ([]byte, error) {
	if s.Empty {
		return dst, nil
	}
	from := len(dst)
	inText := false
	for depth := 1; depth > 0; {
		tok, err := s.Next()
		if err != nil {
			return dst, broken(err)
		}
		switch tok {
		case xmltext.Text:
			if inText {
				dst = s.AppendText(dst)
				if len(dst)-from > MaxText {
					return dst, errLongText()
				}
			}
		case xmltext.Start:
			switch string(s.Name) {
			case "rPh", "phoneticPr", "rPr":
				if err := s.Skip(); err != nil {
					return dst, broken(err)
				}
				continue
			case "t":
				inText = !s.Empty
			}
			if !s.Empty {
				depth++
			}
		case xmltext.End:
			inText = false
			depth--
		}
	}
	dst = unescape(dst, from)
	if !utf8.Valid(dst[from:]) {
		dst = append(dst[:from], bytes.ToValidUTF8(dst[from:], []byte("\ufffd"))...)
	}
	return dst, nil
}

func errLongText() error {
	return &fault.BadFile{Code: "too-large", Message: "A cell of the workbook holds a text of more than a million bytes."}
}

// unescape replaces the escapes of ECMA-376 part 1, 22.9.2.19 in dst[from:]: a
// character that XML cannot hold is written _xHHHH_.
func unescape(dst []byte, from int) []byte {
	const length = len("_x000D_")
	if !bytes.Contains(dst[from:], []byte("_x")) {
		return dst
	}
	out := from
	for i := from; i < len(dst); {
		if dst[i] == '_' && i+length <= len(dst) && dst[i+1] == 'x' && dst[i+length-1] == '_' {
			if r, ok := hex4(dst[i+2 : i+6]); ok {
				n := encode(dst[out:out:i+length], r)
				out += n
				i += length
				continue
			}
		}
		dst[out] = dst[i]
		out++
		i++
	}
	return dst[:out]
}
