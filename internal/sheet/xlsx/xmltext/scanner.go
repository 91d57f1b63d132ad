// Package xmltext scans XML as it streams by: tags and the text between them.
//
// It is made for parts of many millions of small elements: nothing is
// allocated for an element and no tree is built. Names are given without their
// prefix. Entities that a document defines itself are never resolved, and no
// document can make the scanner read anything else; a document type is passed
// over. Memory is bounded by the longest tag, which has a limit. It checks no
// more than it needs: whether tags match is the caller's business.
package xmltext

import (
	"bytes"
	"errors"
	"io"
)

// Token is what Next found.
type Token uint8

// The tokens.
const (
	Start Token = iota + 1 // a start tag, or an empty element
	End                    // an end tag
	Text                   // a run of text, or a part of a long one
)

// MaxTag is the length in bytes that a tag with its attributes may have.
const MaxTag = 1 << 20

// ErrSyntax says that the bytes are no XML.
var ErrSyntax = errors.New("xmltext: no well-formed XML")

const bufferSize = 64 << 10

// Scanner reads tokens. Name, Empty and what the methods return are those of the
// last token and are valid until the next call of Next.
type Scanner struct {
	// Name is the name of a Start or an End without its prefix.
	Name []byte
	// Empty tells that a Start is an empty element: no End follows.
	Empty bool

	attrs []byte
	text  []byte
	cdata bool

	src  io.Reader
	buf  []byte
	r, w int
	err  error // of src
}

// New returns a scanner of UTF-8 text. See Decode for other encodings.
func New(src io.Reader) *Scanner {
	return &Scanner{src: src, buf: make([]byte, bufferSize)}
}

// fill reads more bytes behind those that are kept, from s.r on. It returns
// false at the end of the source or where the buffer is full of kept bytes.
func (s *Scanner) fill() bool {
	if s.err != nil {
		return false
	}
	if s.r > 0 {
		copy(s.buf, s.buf[s.r:s.w])
		s.w -= s.r
		s.r = 0
	}
	for tries := 0; s.w < len(s.buf); tries++ {
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		if err != nil {
			s.err = err
		} else if n == 0 && tries > 100 {
			s.err = io.ErrNoProgress
		}
		if n > 0 {
			return true
		}
		if s.err != nil {
			return false
		}
	}
	return false
}

// grow makes room for a long tag.
func (s *Scanner) grow() bool {
	if s.w-s.r < len(s.buf) || len(s.buf) > MaxTag {
		return false
	}
	s.buf = append(s.buf, make([]byte, len(s.buf))...)
	return true
}

// end is the error of the source: io.EOF where it just ended.
func (s *Scanner) end() error {
	if s.err == nil {
		return ErrSyntax // the buffer is full
	}
	return s.err
}

// cut is the error where the source ends within a tag.
func (s *Scanner) cut() error {
	if err := s.end(); !errors.Is(err, io.EOF) {
		return err
	}
	return io.ErrUnexpectedEOF
}

// Next returns the next token; io.EOF at the end, io.ErrUnexpectedEOF within a
// tag, ErrSyntax, or the error of the source. Comments, processing instructions
// and document types are passed over.
func (s *Scanner) Next() (Token, error) {
	for {
		if s.r == s.w && !s.fill() {
			return 0, s.end()
		}
		if s.buf[s.r] != '<' {
			return s.run()
		}
		tag, err := s.tag()
		if err != nil {
			return 0, err
		}
		if len(tag) == 0 {
			return 0, ErrSyntax
		}
		switch tag[0] {
		case '/':
			s.Name = local(tag[1:])
			s.Empty = false
			return End, nil
		case '!':
			if found, err := s.declaration(tag); found || err != nil {
				return Text, err
			}
		case '?':
			if err := s.skipPast("?>"); err != nil {
				return 0, err
			}
		default:
			s.start(tag)
			return Start, nil
		}
	}
}

// run returns text up to the next tag, or as much as the buffer holds.
func (s *Scanner) run() (Token, error) {
	s.cdata = false
	from := 0
	for {
		if i := bytes.IndexByte(s.buf[s.r+from:s.w], '<'); i >= 0 {
			s.text = s.buf[s.r : s.r+from+i]
			s.r += from + i
			return Text, nil
		}
		from = s.w - s.r
		if from >= bufferSize/2 || !s.fill() {
			break
		}
	}
	// Text longer than half a buffer comes in parts, none of which ends within
	// an entity.
	n := from
	if s.err == nil {
		const longest = 12
		if i := bytes.LastIndexByte(s.buf[s.w-min(longest, n):s.w], '&'); i >= 0 {
			if part := n - min(longest, n) + i; part > 0 {
				n = part
			}
		}
	}
	s.text = s.buf[s.r : s.r+n]
	s.r += n
	return Text, nil
}

// tag takes the bytes between < and > at s.r and passes over them; of <! and <?
// it takes only the beginning and passes over nothing.
func (s *Scanner) tag() ([]byte, error) {
	from := 1
	for {
		if s.w-s.r > 1 && (s.buf[s.r+1] == '!' || s.buf[s.r+1] == '?') {
			return s.buf[s.r+1 : s.w], nil
		}
		if i := bytes.IndexByte(s.buf[s.r+from:s.w], '>'); i >= 0 {
			end := s.r + from + i
			tag := s.buf[s.r+1 : end]
			if closed(tag) {
				s.r = end + 1
				return tag, nil
			}
			from += i + 1
			continue
		}
		from = max(s.w-s.r, 1)
		if !s.fill() && !s.grow() {
			return nil, s.cut()
		}
	}
}

// closed tells whether no quote is open at the end of a tag.
func closed(tag []byte) bool {
	if bytes.IndexByte(tag, '\'') < 0 {
		return bytes.Count(tag, []byte{'"'})&1 == 0
	}
	var open byte
	for _, c := range tag {
		switch {
		case open != 0:
			if c == open {
				open = 0
			}
		case c == '"' || c == '\'':
			open = c
		}
	}
	return open == 0
}

// start takes a start tag apart.
func (s *Scanner) start(tag []byte) {
	s.Empty = tag[len(tag)-1] == '/'
	if s.Empty {
		tag = tag[:len(tag)-1]
	}
	from := 0
	for i, c := range tag {
		switch c {
		case ':':
			from = i + 1
		case ' ', '\t', '\r', '\n', '/':
			s.Name, s.attrs = tag[from:i], tag[i:]
			return
		}
	}
	s.Name, s.attrs = tag[from:], nil
}

// local is the name of an end tag without its prefix and the blanks behind it.
func local(name []byte) []byte {
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	for i, c := range name {
		if c == ':' {
			return name[i+1:]
		}
	}
	return name
}

// declaration passes over a comment or a document type; a CDATA section is text.
func (s *Scanner) declaration(tag []byte) (found bool, err error) {
	const comment, cdata = "!--", "![CDATA["
	for len(tag) < len(cdata) {
		more := s.fill() // it moves the bytes, even where no more come
		tag = s.buf[s.r+1 : s.w]
		if !more {
			break
		}
	}
	switch {
	case bytes.HasPrefix(tag, []byte(comment)):
		s.r += 1 + len(comment)
		return false, s.skipPast("-->")
	case bytes.HasPrefix(tag, []byte(cdata)):
		return true, s.section(len("<") + len(cdata))
	}
	return false, s.doctype()
}

// section takes a CDATA section whole; it may be as long as a tag.
func (s *Scanner) section(open int) error {
	s.r += open
	for {
		if i := bytes.Index(s.buf[s.r:s.w], []byte("]]>")); i >= 0 {
			s.text, s.cdata = s.buf[s.r:s.r+i], true
			s.r += i + len("]]>")
			return nil
		}
		if !s.fill() && !s.grow() {
			return s.cut()
		}
	}
}

// skipPast passes over everything up to the end of a mark.
func (s *Scanner) skipPast(mark string) error {
	for {
		if i := bytes.Index(s.buf[s.r:s.w], []byte(mark)); i >= 0 {
			s.r += i + len(mark)
			return nil
		}
		s.r = max(s.r, s.w-len(mark)+1)
		if !s.fill() {
			return s.cut()
		}
	}
}

// doctype passes over a document type with its own declarations.
func (s *Scanner) doctype() error {
	depth := 0
	var open byte
	for {
		for ; s.r < s.w; s.r++ {
			switch c := s.buf[s.r]; {
			case open != 0:
				if c == open {
					open = 0
				}
			case c == '"' || c == '\'':
				open = c
			case c == '<':
				depth++
			case c == '>':
				depth--
				if depth == 0 {
					s.r++
					return nil
				}
			}
		}
		if !s.fill() {
			return s.cut()
		}
	}
}

// Skip passes over the rest of the element of the last Start, its end included.
func (s *Scanner) Skip() error {
	if s.Empty {
		return nil
	}
	for depth := 1; depth > 0; {
		tok, err := s.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		switch {
		case tok == Start && !s.Empty:
			depth++
		case tok == End:
			depth--
		}
	}
	return nil
}

// Attrs are the attributes of the last Start, for NextAttr.
func (s *Scanner) Attrs() []byte { return s.attrs }

// NextAttr takes one attribute off the front of attrs: its name with its prefix
// and its value as written. The name is nil after the last one.
func NextAttr(attrs []byte) (name, value, rest []byte) {
	i := 0
	for i < len(attrs) && isSpace(attrs[i]) {
		i++
	}
	from := i
	for i < len(attrs) && attrs[i] != '=' && !isSpace(attrs[i]) {
		i++
	}
	name = attrs[from:i]
	for i < len(attrs) && (attrs[i] == '=' || isSpace(attrs[i])) {
		i++
	}
	if len(name) == 0 || i >= len(attrs) {
		return nil, nil, nil
	}
	quote := attrs[i]
	if quote != '"' && quote != '\'' {
		return nil, nil, nil
	}
	attrs = attrs[i+1:]
	end := bytes.IndexByte(attrs, quote)
	if end < 0 {
		return nil, nil, nil
	}
	return name, attrs[:end], attrs[end+1:]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// Attr is the value of the attribute with this name and no prefix, "" where
// there is none.
func (s *Scanner) Attr(name string) string {
	for n, v, rest := NextAttr(s.attrs); n != nil; n, v, rest = NextAttr(rest) {
		if string(n) == name {
			return string(AppendText(nil, v))
		}
	}
	return ""
}

// PrefixedAttr is the value of the attribute with this name and any prefix.
func (s *Scanner) PrefixedAttr(name string) string {
	for n, v, rest := NextAttr(s.attrs); n != nil; n, v, rest = NextAttr(rest) {
		if i := bytes.IndexByte(n, ':'); i >= 0 && string(n[i+1:]) == name {
			return string(AppendText(nil, v))
		}
	}
	return ""
}

// AppendText appends the characters of the last Text.
func (s *Scanner) AppendText(dst []byte) []byte {
	if s.cdata {
		return append(dst, s.text...)
	}
	return AppendText(dst, s.text)
}
