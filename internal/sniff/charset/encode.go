package charset

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// NewEncoder returns a writer of UTF-8 that arrives at w in that encoding, or
// ErrUnknown, or ErrCannotEncode where the encoding is only read. A Write fails
// with ErrCannotEncode at a character that the encoding lacks: nothing is
// replaced in silence, so ask CanEncode first and write UTF-8 with a BOM where
// it says no. No byte order mark is written. Close writes what is left; it does
// not close w.
func NewEncoder(name string, w io.Writer) (io.WriteCloser, error) {
	t, err := lookup(name)
	if err != nil {
		return nil, err
	}
	if t.enc == nil {
		return plain{w}, nil
	}
	e := t.enc.NewEncoder()
	if e == nil {
		return nil, fmt.Errorf("%w: %s is only read", ErrCannotEncode, name)
	}
	return &encoder{name: name, w: transform.NewWriter(w, e.Transformer)}, nil
}

// CanEncode tells whether s can be written in that encoding and read again as
// the same text. It is false for unknown names and for text that is not UTF-8.
func CanEncode(name, s string) bool {
	t, err := lookup(name)
	if err != nil || !utf8.ValidString(s) {
		return false
	}
	if t.enc == nil || t.ascii && isASCII(s) {
		return true
	}
	e := t.enc.NewEncoder()
	if e == nil {
		return false
	}
	b, err := e.String(s)
	if err != nil {
		return false
	}
	back, err := t.enc.NewDecoder().String(b)
	return err == nil && back == s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

type encoder struct {
	name string
	w    *transform.Writer
}

func (e *encoder) Write(p []byte) (int, error) {
	n, err := e.w.Write(p)
	return n, e.wrap(err)
}

func (e *encoder) Close() error { return e.wrap(e.w.Close()) }

// wrap names the encoder's own refusals; an error of the writer below stays.
func (e *encoder) wrap(err error) error {
	var lacks interface{ Replacement() byte }
	if errors.As(err, &lacks) || errors.Is(err, encoding.ErrInvalidUTF8) {
		return fmt.Errorf("%w: %s", ErrCannotEncode, e.name)
	}
	return err
}
