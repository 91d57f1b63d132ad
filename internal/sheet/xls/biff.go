package xls

import (
	"encoding/binary"
	"errors"
	"io"
)

// The records that matter, by the names of [MS-XLS] and, before BIFF8, of
// Microsoft's Excel Developer's Kit. A number after a name is the version of
// BIFF that the form belongs to.
const (
	recBlank2   = 0x0001
	recInteger2 = 0x0002
	recNumber2  = 0x0003
	recLabel2   = 0x0004
	recBoolErr2 = 0x0005
	recFormula  = 0x0006 // 2, 5 and 8
	recString2  = 0x0007
	recBOF2     = 0x0009
	recEOF      = 0x000A
	recFormat2  = 0x001E // 2 and 3
	recDateMode = 0x0022
	recFilePass = 0x002F
	recContinue = 0x003C
	recCodePage = 0x0042
	recBoundary = 0x0085 // BOUNDSHEET
	recSheetHdr = 0x008F // 4, a workspace's sheet
	recMulRK    = 0x00BD
	recRString  = 0x00D6
	recXF       = 0x00E0 // 5 and 8
	recSST      = 0x00FC
	recLabelSST = 0x00FD
	recNumber   = 0x0203
	recLabel    = 0x0204
	recBoolErr  = 0x0205
	recFormula3 = 0x0206
	recString   = 0x0207
	recRow      = 0x0208
	recBOF3     = 0x0209
	recXF3      = 0x0243
	recRK       = 0x027E
	recFormula4 = 0x0406
	recBOF4     = 0x0409
	recFormat   = 0x041E
	recXF4      = 0x0443
	recBOF      = 0x0809
)

// errCut says that the stream ends within a record.
var errCut = errors.New("xls: the stream ends within a record")

// A window is what is read of the stream at once: much where it is read from
// front to back, little where single records are picked out.
const (
	wideWindow   = 128 << 10
	narrowWindow = 4 << 10
)

// scanner walks the records of a stream: an identifier and a length of two
// bytes each, then as many bytes.
type scanner struct {
	src    io.ReaderAt
	pos    int64 // of the next record
	end    int64 // no record starts here or later
	window int

	buf  []byte
	base int64 // where in the stream buf starts
}

// rec is one record. Its data is valid until the scanner moves on.
type rec struct {
	id   uint16
	at   int64
	data []byte
}

func newScanner(src io.ReaderAt, from, end int64) *scanner {
	return &scanner{src: src, pos: from, end: end, window: wideWindow}
}

// next returns the record at pos and moves behind it: io.EOF at the end,
// errCut where the stream ends too early, or the error of the source.
func (s *scanner) next() (rec, error) {
	if s.pos >= s.end {
		return rec{}, io.EOF
	}
	head, err := s.bytes(s.pos, 4)
	if err != nil {
		return rec{}, err
	}
	r := rec{id: u16(head), at: s.pos}
	if r.data, err = s.bytes(s.pos+4, int(u16(head[2:]))); err != nil {
		return rec{}, err
	}
	s.pos += 4 + int64(len(r.data))
	return r, nil
}

// bytes returns n bytes of the stream from off on.
func (s *scanner) bytes(off int64, n int) ([]byte, error) {
	if i := off - s.base; i >= 0 && i+int64(n) <= int64(len(s.buf)) {
		return s.buf[i : i+int64(n)], nil
	}
	size := max(n, s.window)
	if cap(s.buf) < size {
		s.buf = make([]byte, size)
	}
	s.buf, s.base = s.buf[:size], off
	got, err := s.src.ReadAt(s.buf, off)
	s.buf = s.buf[:got]
	if got >= n {
		return s.buf[:n], nil
	}
	if errors.Is(err, io.EOF) {
		return nil, errCut
	}
	return nil, err
}

// isBOF tells whether a record starts a substream.
func isBOF(id uint16) bool {
	return id == recBOF || id == recBOF4 || id == recBOF3 || id == recBOF2
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
