// Package compound reads the streams of a compound file, the container of the
// Office formats before 2007 and of every encrypted Office file.
// Source of the layout: [MS-CFB], Compound File Binary File Format.
//
// Nothing the file says is believed before it is compared with the file's size,
// so time and memory are bounded by that size. It refuses chains of sectors
// that meet themselves or leave the file; it accepts what careless writers do
// and no reader needs: counts that are wrong, a last sector cut short, a
// directory tree that is out of order. Streams may be read from several
// goroutines.
package compound

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/dropload/dropload/internal/fault"
)

// Signature is what every compound file starts with.
const Signature = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

const (
	headerSize   = 512
	entrySize    = 128
	miniShift    = 6
	miniCutoff   = 4096
	inHeader     = 109        // FAT sectors that the header lists
	firstSpecial = 0xFFFFFFFA // sector numbers from here on have a meaning of their own
	none         = 0xFFFFFFFF

	typeStream = 2
	typeRoot   = 5

	// maxDirectory bounds the directory: a workbook's has some dozens of entries.
	maxDirectory = 1 << 16
)

// File is an open compound file.
type File struct {
	src     io.ReaderAt
	size    int64
	shift   uint // log2 of the sector size
	sectors uint32
	fat     []uint32
	miniFAT []uint32
	mini    []uint32 // the sectors that hold the small streams
	entries []entry
}

type entry struct {
	name               string
	kind               byte
	left, right, child uint32
	start              uint32
	size               int64
}

// Open reads the tables of a compound file of size bytes. It returns a
// *fault.BadFile with the code "corrupt" where they contradict each other, or
// the error of src.
func Open(src io.ReaderAt, size int64) (*File, error) {
	var head [headerSize]byte
	if size < headerSize {
		return nil, corrupt("it ends within its header")
	}
	if err := readFull(src, head[:], 0); err != nil {
		return nil, err
	}
	if string(head[:8]) != Signature {
		return nil, corrupt("it does not start like a compound file")
	}
	f := &File{src: src, size: size, shift: uint(u16(head[30:]))}
	if f.shift != 9 && f.shift != 12 {
		return nil, corrupt("its sector size is impossible")
	}
	count := (size - 1) >> f.shift // the header takes the place of one sector
	if count >= firstSpecial {
		return nil, &fault.BadFile{Code: "too-large", Message: "The file is larger than a workbook of this format can be."}
	}
	f.sectors = uint32(count)
	if err := f.readFAT(head[:]); err != nil {
		return nil, err
	}
	if err := f.readDirectory(u32(head[48:])); err != nil {
		return nil, err
	}
	return f, f.readMini(u32(head[60:]))
}

// readFAT joins the sectors of the allocation table, which the header and then
// a chain of sectors list.
func (f *File) readFAT(head []byte) error {
	perSector := 1 << (f.shift - 2)
	// more sectors of the table than would describe the whole file are a lie
	most := int(f.sectors)/perSector + 1
	buf := make([]byte, 1<<f.shift)
	add := func(list []byte) error {
		for ; len(list) >= 4; list = list[4:] {
			n := u32(list)
			if n >= firstSpecial {
				continue
			}
			if len(f.fat)/perSector >= most {
				return nil
			}
			if err := f.readSector(buf, n); err != nil {
				return err
			}
			f.fat = appendWords(f.fat, buf)
		}
		return nil
	}
	if err := add(head[76 : 76+4*inHeader]); err != nil {
		return err
	}
	next := u32(head[68:])
	list := make([]byte, 1<<f.shift)
	for steps := 0; next < firstSpecial && u32(head[72:]) > 0; steps++ {
		if steps > most {
			return corrupt("its list of sectors runs in a circle")
		}
		if err := f.readSector(list, next); err != nil {
			return err
		}
		if err := add(list[:len(list)-4]); err != nil {
			return err
		}
		next = u32(list[len(list)-4:])
	}
	return nil
}

func (f *File) readDirectory(start uint32) error {
	chain, err := f.chain(f.fat, start, maxDirectory*entrySize>>f.shift, f.sectors)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<f.shift)
	for _, n := range chain {
		if err := f.readSector(buf, n); err != nil {
			return err
		}
		for b := buf; len(b) >= entrySize; b = b[entrySize:] {
			f.entries = append(f.entries, f.parseEntry(b))
		}
	}
	if len(f.entries) == 0 || f.entries[0].kind != typeRoot {
		return corrupt("its directory has no root")
	}
	return nil
}

func (f *File) parseEntry(b []byte) entry {
	e := entry{
		kind: b[66], left: u32(b[68:]), right: u32(b[72:]), child: u32(b[76:]),
		start: u32(b[116:]), size: int64(u32(b[120:])),
	}
	if f.shift == 12 { // version 4; before it the upper half may be anything
		e.size = int64(binary.LittleEndian.Uint64(b[120:]) & (1<<63 - 1))
	}
	var units []uint16
	for i := 0; i+1 < min(int(u16(b[64:])), 64); i += 2 {
		if c := u16(b[i:]); c != 0 {
			units = append(units, c)
		}
	}
	e.name = string(utf16.Decode(units))
	return e
}

// readMini finds the stream that holds the small streams, and its own table.
func (f *File) readMini(start uint32) error {
	root := f.entries[0]
	if start >= firstSpecial || root.start >= firstSpecial {
		return nil
	}
	table, err := f.chain(f.fat, start, int(f.sectors), f.sectors)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<f.shift)
	for _, n := range table {
		if err := f.readSector(buf, n); err != nil {
			return err
		}
		f.miniFAT = appendWords(f.miniFAT, buf)
	}
	f.mini, err = f.chain(f.fat, root.start, int(f.sectors), f.sectors)
	return err
}

// chain follows a table from one sector to the end, for at most most steps.
// Sectors are numbered below limit.
func (f *File) chain(table []uint32, start uint32, most int, limit uint32) ([]uint32, error) {
	var list []uint32
	seen := make([]uint64, limit/64+1)
	for n := start; n < firstSpecial && len(list) < most; {
		if n >= limit {
			return nil, corrupt("a chain of sectors leaves the file")
		}
		if seen[n/64]&(1<<(n%64)) != 0 {
			return nil, corrupt("a chain of sectors runs in a circle")
		}
		seen[n/64] |= 1 << (n % 64)
		list = append(list, n)
		if int64(n) >= int64(len(table)) {
			break // a table that is too short ends what it does not describe
		}
		n = table[n]
	}
	return list, nil
}

// Has tells whether the root holds a stream or storage of that name.
func (f *File) Has(name string) bool {
	for _, i := range f.rootEntries() {
		if strings.EqualFold(f.entries[i].name, name) {
			return true
		}
	}
	return false
}

// Stream opens a stream of the root by its name, letter case aside; nil where
// there is none. What the chain of sectors cannot hold of the size that the
// directory gives is left out: the stream then ends early.
func (f *File) Stream(name string) (*Stream, error) {
	for _, i := range f.rootEntries() {
		if e := f.entries[i]; e.kind == typeStream && strings.EqualFold(e.name, name) {
			return f.open(e)
		}
	}
	return nil, nil
}

func (f *File) open(e entry) (*Stream, error) {
	s := &Stream{file: f, shift: f.shift}
	table, limit := f.fat, f.sectors
	if e.size < miniCutoff {
		s.shift, s.mini = miniShift, true
		table, limit = f.miniFAT, uint32(min(int64(len(f.mini))<<(f.shift-miniShift), firstSpecial-1))
	}
	need := (e.size-1)>>s.shift + 1
	if e.size == 0 {
		need = 0
	}
	var err error
	s.chain, err = f.chain(table, e.start, int(min(need, int64(limit))), limit)
	s.size = min(e.size, int64(len(s.chain))<<s.shift)
	return s, err
}

// rootEntries lists what lies in the root itself, not in a storage below it,
// such as a workbook embedded in this one. Without a usable tree it lists all.
func (f *File) rootEntries() []uint32 {
	var list []uint32
	seen := make(map[uint32]bool)
	todo := []uint32{f.entries[0].child}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if i == none || i == 0 || int64(i) >= int64(len(f.entries)) || seen[i] {
			continue
		}
		seen[i] = true
		list = append(list, i)
		todo = append(todo, f.entries[i].right, f.entries[i].left)
	}
	if len(list) == 0 {
		for i := 1; i < len(f.entries); i++ {
			list = append(list, uint32(i))
		}
	}
	return list
}

func (f *File) readSector(buf []byte, n uint32) error {
	if n >= f.sectors {
		return corrupt("a sector lies outside the file")
	}
	off := int64(n+1) << f.shift
	got, err := f.src.ReadAt(buf, off)
	if got < len(buf) {
		if !errors.Is(err, io.EOF) {
			return err
		}
		clear(buf[got:]) // the last sector may be cut short
	}
	return nil
}

// Stream is one stream of the file.
type Stream struct {
	file  *File
	shift uint
	mini  bool
	chain []uint32
	size  int64
}

// Size is the number of bytes in the stream.
func (s *Stream) Size() int64 { return s.size }

// ReadAt reads as io.ReaderAt does. A stream that the end of the file cuts off
// ends there, with io.EOF.
func (s *Stream) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("compound: negative offset")
	}
	var n int
	for n < len(p) {
		at := off + int64(n)
		if at >= s.size {
			return n, io.EOF
		}
		pos, length := s.extent(at, min(int64(len(p)-n), s.size-at))
		got, err := s.file.src.ReadAt(p[n:n+int(length)], pos)
		n += got
		if got < int(length) {
			return n, err
		}
	}
	return n, nil
}

// extent finds where in the file the stream's byte at lies, and how many bytes,
// at most want, follow it there.
func (s *Stream) extent(at, want int64) (pos, length int64) {
	i := at >> s.shift
	size := int64(1) << s.shift
	within := at & (size - 1)
	pos = s.position(s.chain[i]) + within
	length = size - within
	for length < want && s.position(s.chain[i+1]) == s.position(s.chain[i])+size {
		i++
		length += size
	}
	return pos, min(length, want)
}

func (s *Stream) position(n uint32) int64 {
	if !s.mini {
		return int64(n+1) << s.shift
	}
	per := s.file.shift - miniShift
	return int64(s.file.mini[n>>per]+1)<<s.file.shift + int64(n&(1<<per-1))<<miniShift
}

func appendWords(list []uint32, b []byte) []uint32 {
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, u32(b))
	}
	return list
}

func readFull(src io.ReaderAt, p []byte, off int64) error {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return corrupt("it is cut off")
	}
	return err
}

func corrupt(what string) error {
	return &fault.BadFile{
		Code:    "corrupt",
		Message: "The workbook is damaged: " + what + ". Open it in a spreadsheet program and save it again.",
		Cause:   fmt.Errorf("compound file: %s", what),
	}
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
