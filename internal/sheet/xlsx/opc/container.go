// Package opc reads the parts of an Office document: the files of its zip
// container, found the way Office finds them.
//
// It is forgiving where Office is: names in the wrong case, backslashes, bytes
// before the container or behind it, a broken directory as long as the end of
// the file is there. It refuses what cannot be trusted: a container that is cut
// off, a part whose checksum is wrong, one that inflates beyond all measure, a
// flood of parts. A part is always streamed; nothing but the list of names is
// kept.
package opc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/url"
	"path"
	"strings"
	"sync/atomic"

	"github.com/dropload/dropload/internal/fault"
)

// The limits. What goes beyond is refused with the code too-large.
const (
	// MaxParts is the number of files in a container.
	MaxParts = 65_536
	// MaxPart is the length of one part, inflated.
	MaxPart = 16 << 30
	// MaxRatio is how many times its packed length a part may have, once it is
	// longer than FreeSize; and likewise all parts together against the file,
	// so that parts which share the same packed bytes do not help. Real sheets
	// stay below 60.
	MaxRatio = 100
	// FreeSize is the inflated length from which on MaxRatio holds.
	FreeSize = 256 << 20
	// maxName is the length of a part's name; what has a longer one is no part.
	maxName = 1024
)

// Container is an opened container.
type Container struct {
	src   io.ReaderAt
	size  int64
	base  int64 // where the container starts in src
	parts map[string]*Part

	free     int64        // FreeSize, but in tests
	inflated atomic.Int64 // of all parts, as far as each was ever read
}

// Part is one file of a container.
type Part struct {
	// Name is the name as written, without a slash in front.
	Name string

	in        *Container
	offset    int64 // of the local header
	packed    int64 // -1: unknown
	size      int64 // -1: unknown
	crc       uint32
	hasCRC    bool
	method    uint16
	encrypted bool

	reached atomic.Int64 // how far it was ever read, inflated
}

const (
	sigLocal = "PK\x03\x04"
	sigEntry = "PK\x01\x02"
	sigEnd   = "PK\x05\x06"
	sigEnd64 = "PK\x06\x06"
	sigLoc64 = "PK\x06\x07"
)

func corrupt(message string, cause error) error {
	return &fault.BadFile{Code: "corrupt", Message: message, Cause: cause}
}

// Open reads the list of parts. Errors are *fault.BadFile with the code corrupt
// or too-large, or those of src.
func Open(src io.ReaderAt, size int64) (*Container, error) {
	c := &Container{src: src, size: size, parts: map[string]*Part{}, free: FreeSize}
	end, err := c.findEnd()
	if err != nil {
		return nil, err
	}
	err = c.readDirectory(end)
	if errors.Is(err, errDirectory) {
		err = c.recover()
	}
	if err != nil {
		return nil, err
	}
	if len(c.parts) == 0 {
		return nil, corrupt("The file is an empty container. Save it again and send it once more.", nil)
	}
	return c, nil
}

// errDirectory says that the directory cannot be read, though the end is there.
var errDirectory = errors.New("opc: broken directory")

// directory is where the end record says that the directory is.
type directory struct {
	offset, length int64
	at             int64 // of the end record in src
}

// findEnd finds the end record. Without it the file was cut off.
func (c *Container) findEnd() (directory, error) {
	const fixed, longest = 22, 22 + 65535
	tail := make([]byte, min(c.size, longest+4096))
	if _, err := readAt(c.src, tail, c.size-int64(len(tail))); err != nil {
		return directory{}, err
	}
	for i := len(tail) - fixed; i >= 0; i-- {
		if string(tail[i:i+4]) != sigEnd {
			continue
		}
		b := tail[i:]
		if comment := int(binary.LittleEndian.Uint16(b[20:])); fixed+comment > len(b) {
			continue
		}
		d := directory{
			length: int64(binary.LittleEndian.Uint32(b[12:])),
			offset: int64(binary.LittleEndian.Uint32(b[16:])),
			at:     c.size - int64(len(tail)) + int64(i),
		}
		if d.length == 0xffffffff || d.offset == 0xffffffff {
			d = c.end64(d)
		}
		return d, nil
	}
	return directory{}, corrupt("The workbook is cut off: its end is missing. Save it again and send it once more.", nil)
}

// end64 reads the end record of a large container, where there is one.
func (c *Container) end64(d directory) directory {
	var b [56]byte
	if _, err := readAt(c.src, b[:20], d.at-20); err != nil || string(b[:4]) != sigLoc64 {
		return d
	}
	at := int64(binary.LittleEndian.Uint64(b[8:]))
	if _, err := readAt(c.src, b[:], at); err != nil || string(b[:4]) != sigEnd64 {
		return d
	}
	return directory{
		length: int64(binary.LittleEndian.Uint64(b[40:])),
		offset: int64(binary.LittleEndian.Uint64(b[48:])),
		at:     at,
	}
}

// readDirectory reads the list of parts: errDirectory where it is broken.
func (c *Container) readDirectory(d directory) error {
	if d.length <= 0 || d.offset < 0 || d.length > c.size {
		return errDirectory
	}
	// Bytes in front of the container move everything by the same distance.
	for _, base := range [...]int64{d.at - d.length - d.offset, 0} {
		var sig [4]byte
		if base < 0 || base+d.offset >= c.size {
			continue
		}
		if _, err := readAt(c.src, sig[:], base+d.offset); err == nil && string(sig[:]) == sigEntry {
			c.base = base
			return c.entries(io.NewSectionReader(c.src, base+d.offset, d.length))
		}
	}
	return errDirectory
}

func (c *Container) entries(src io.Reader) error {
	r := bufio.NewReader(src)
	var b [46]byte
	for {
		switch _, err := io.ReadFull(r, b[:]); {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF) || err == nil && string(b[:4]) != sigEntry:
			return errDirectory
		case err != nil:
			return err
		}
		rest := make([]byte, int(u16(b[28:]))+int(u16(b[30:]))+int(u16(b[32:])))
		if _, err := io.ReadFull(r, rest); err != nil {
			return errDirectory
		}
		name, extra := rest[:u16(b[28:])], rest[u16(b[28:]):][:u16(b[30:])]
		p := &Part{
			in: c, encrypted: u16(b[8:])&1 != 0, method: u16(b[10:]), crc: u32(b[16:]), hasCRC: true,
			packed: int64(u32(b[20:])), size: int64(u32(b[24:])), offset: int64(u32(b[42:])),
		}
		p.extra64(extra)
		if err := c.add(p, name); err != nil {
			return err
		}
	}
}

// extra64 takes the lengths that do not fit into 32 bits.
func (p *Part) extra64(extra []byte) {
	for len(extra) >= 4 {
		tag, n := u16(extra), int(u16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if tag != 1 {
			continue
		}
		for _, v := range [...]*int64{&p.size, &p.packed, &p.offset} {
			if *v == 0xffffffff && len(field) >= 8 {
				*v = int64(binary.LittleEndian.Uint64(field))
				field = field[8:]
			}
		}
	}
}

func (c *Container) add(p *Part, name []byte) error {
	if len(c.parts) >= MaxParts {
		return &fault.BadFile{Code: "too-large", Message: "The file holds too many parts to be a workbook."}
	}
	if len(name) > maxName {
		return nil
	}
	p.Name = strings.TrimLeft(strings.ReplaceAll(string(name), `\`, "/"), "/")
	if p.Name != "" && !strings.HasSuffix(p.Name, "/") {
		c.parts[strings.ToLower(p.Name)] = p
	}
	return nil
}

// recover reads the list of parts from the headers before each of them.
func (c *Container) recover() error {
	clear(c.parts)
	c.base = 0
	const window = 1 << 20
	buf := make([]byte, window+64<<10)
	for at := int64(0); at < c.size; at += window {
		n, err := readAt(c.src, buf[:min(int64(len(buf)), c.size-at)], at)
		if err != nil {
			return err
		}
		for i := 0; i < min(n, window); i++ {
			k := bytes.Index(buf[i:n], []byte(sigLocal))
			if k < 0 || i+k >= window {
				break
			}
			i += k
			if err := c.local(buf[i:n], at+int64(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// local takes a part from its local header.
func (c *Container) local(b []byte, at int64) error {
	const fixed = 30
	if len(b) < fixed || len(b) < fixed+int(u16(b[26:])) {
		return nil
	}
	p := &Part{
		in: c, encrypted: u16(b[6:])&1 != 0, method: u16(b[8:]), crc: u32(b[14:]), hasCRC: true,
		packed: int64(u32(b[18:])), size: int64(u32(b[22:])), offset: at,
	}
	if p.method != stored && p.method != deflated {
		return nil // the bytes only look like a header
	}
	if u16(b[6:])&8 != 0 { // the lengths come after the part
		p.packed, p.size, p.hasCRC = -1, -1, false
	}
	return c.add(p, b[fixed:fixed+int(u16(b[26:]))])
}

// Find returns the part with this name, nil where there is none. Case does not
// matter, nor do slashes in front, backslashes, dots and percent signs.
func (c *Container) Find(name string) *Part {
	name = strings.ReplaceAll(name, `\`, "/")
	clean := func(s string) string { return strings.ToLower(strings.TrimLeft(path.Clean("/"+s), "/")) }
	if p := c.parts[clean(name)]; p != nil {
		return p
	}
	if plain, err := url.PathUnescape(name); err == nil {
		return c.parts[clean(plain)]
	}
	return nil
}

// Matching returns the parts whose lower-case names pass, in no order.
func (c *Container) Matching(pass func(lower string) bool) []*Part {
	var out []*Part
	for name, p := range c.parts {
		if pass(name) {
			out = append(out, p)
		}
	}
	return out
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// readAt fills b; a short read is an error.
func readAt(src io.ReaderAt, b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := src.ReadAt(b, at)
	if n == len(b) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
