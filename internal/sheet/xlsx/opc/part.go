package opc

import (
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/dropload/dropload/internal/fault"
)

const (
	stored   = 0
	deflated = 8
)

// Open streams the part. Reading gives *fault.BadFile with the code corrupt
// where the part is damaged, and too-large beyond the limits.
func (p *Part) Open() (io.ReadCloser, error) {
	if p.encrypted {
		return nil, &fault.BadFile{Code: "encrypted", Message: "The workbook is protected by a password. Save it without one and send it again."}
	}
	var b [30]byte
	at := p.in.base + p.offset
	if _, err := readAt(p.in.src, b[:], at); err != nil || string(b[:4]) != sigLocal {
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		return nil, corrupt("A part of the workbook is not where its directory says. Save it again and send it once more.", err)
	}
	at += int64(len(b)) + int64(u16(b[26:])) + int64(u16(b[28:]))
	length := p.in.size - at
	if p.packed >= 0 && p.packed < length {
		length = p.packed
	}
	in := &counter{r: io.NewSectionReader(p.in.src, at, max(length, 0))}
	out := &reader{part: p, in: in, sum: crc32.NewIEEE()}
	switch p.method {
	case stored:
		out.r = io.NopCloser(in)
	case deflated:
		out.r = flate.NewReader(in)
	default:
		return nil, &fault.BadFile{Code: "unsupported", Message: "The workbook is packed in a way that Excel does not write. Save it again with Excel."}
	}
	return out, nil
}

// Packed is the length of the part in the file, -1 where it is not known.
func (p *Part) Packed() int64 { return p.packed }

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// reader streams a part and keeps watch over it.
type reader struct {
	part *Part
	r    io.ReadCloser
	in   *counter
	n    int64
	sum  hash.Hash32
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.n += int64(n)
	_, _ = r.sum.Write(b[:n]) // a hash never fails
	all := r.part.progress(r.n)
	c := r.part.in
	if r.n > MaxPart || r.n > c.free && r.n > r.in.n*MaxRatio || all > c.free && all > c.size*MaxRatio {
		return 0, &fault.BadFile{Code: "too-large", Message: "The workbook grows beyond all measure when it is unpacked. Save it again with Excel, or split it."}
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		if r.part.hasCRC && r.sum.Sum32() != r.part.crc {
			return n, corrupt("A part of the workbook is damaged: its checksum is wrong. Send the file once more.", nil)
		}
		return n, io.EOF
	}
	var bad flate.CorruptInputError
	var internal flate.InternalError
	if errors.As(err, &bad) || errors.As(err, &internal) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, corrupt("A part of the workbook is damaged and cannot be unpacked. Send the file once more.", err)
	}
	return n, err
}

// progress notes that the part was inflated up to n and returns the sum over all
// parts. Reading a part again adds nothing.
func (p *Part) progress(n int64) int64 {
	for {
		before := p.reached.Load()
		if n <= before {
			return p.in.inflated.Load()
		}
		if p.reached.CompareAndSwap(before, n) {
			return p.in.inflated.Add(n - before)
		}
	}
}

// Close frees the reader. What was wrong with the part, a read has said.
func (r *reader) Close() error {
	_ = r.r.Close()
	return nil
}
