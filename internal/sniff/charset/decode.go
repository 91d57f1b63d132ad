package charset

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

const bufferSize = 32 << 10

// Decoder reads a text in some encoding as UTF-8, without its byte order mark.
// What is not valid becomes U+FFFD.
type Decoder struct {
	source    io.Reader
	transform transform.Transformer
	// copied says that a U+FFFD of the source is passed on and is no mistake.
	copied *copier

	in, out  []byte // in: read, not yet decoded; out: decoded, not yet given
	inBuf    []byte
	outBuf   []byte
	started  bool
	ended    bool
	finished bool
	invalid  int64
	err      error
}

// NewDecoder returns a reader of r's text as UTF-8, or ErrUnknown. The memory
// is 64 KiB whatever is read.
func NewDecoder(name string, r io.Reader) (*Decoder, error) {
	t, err := lookup(name)
	if err != nil {
		return nil, err
	}
	d := &Decoder{source: r, inBuf: make([]byte, bufferSize), outBuf: make([]byte, bufferSize)}
	if t.enc == nil {
		d.copied = &copier{}
		d.transform = d.copied
	} else {
		d.transform = t.enc.NewDecoder().Transformer
	}
	return d, nil
}

// Invalid counts the characters read so far that were not valid and became
// U+FFFD: bytes in UTF-8, characters elsewhere.
func (d *Decoder) Invalid() int64 {
	if d.copied != nil {
		return d.copied.invalid
	}
	return d.invalid
}

// Read gives UTF-8. A character may be cut at the end of p and go on in the
// next call, as with any reader.
func (d *Decoder) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.step()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// step reads once, if it must, and decodes what there is.
func (d *Decoder) step() {
	if d.finished {
		d.err = io.EOF
		return
	}
	nOut, nIn, err := d.transform.Transform(d.outBuf, d.in, d.ended)
	d.in = d.in[nIn:]
	d.out = d.outBuf[:nOut]
	if !d.started && nOut > 0 {
		d.started = true
		d.out = bytes.TrimPrefix(d.out, []byte(BOM))
	}
	if d.copied == nil {
		d.invalid += int64(bytes.Count(d.out, []byte("\uFFFD")))
	}
	switch {
	case errors.Is(err, transform.ErrShortDst):
	case err != nil && !errors.Is(err, transform.ErrShortSrc):
		d.err = err
	case d.ended:
		d.finished = true
	default:
		d.fill()
	}
}

// fill reads more behind what is left of the input.
func (d *Decoder) fill() {
	n := copy(d.inBuf, d.in)
	for tries := 0; ; tries++ {
		m, err := d.source.Read(d.inBuf[n:])
		d.in = d.inBuf[:n+m]
		switch {
		case errors.Is(err, io.EOF):
			d.ended = true
		case err != nil:
			d.err = err
		case m == 0 && tries > 100:
			d.err = io.ErrNoProgress
		case m == 0:
			continue
		}
		return
	}
}

// copier passes UTF-8 on and replaces each byte that is not part of a character
// by U+FFFD.
type copier struct {
	transform.NopResetter
	invalid int64
}

func (c *copier) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if n := min(len(dst), len(src)); utf8.Valid(src[:n]) {
		copy(dst, src[:n])
		if n < len(src) {
			return n, n, transform.ErrShortDst
		}
		return n, n, nil
	}
	for nSrc < len(src) {
		if b := src[nSrc]; b < utf8.RuneSelf {
			if nDst == len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			dst[nDst] = b
			nDst, nSrc = nDst+1, nSrc+1
			continue
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		wrong := r == utf8.RuneError && size == 1
		if wrong && !atEOF && !utf8.FullRune(src[nSrc:]) {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += size
		if wrong {
			c.invalid++
		}
	}
	return nDst, nSrc, nil
}
