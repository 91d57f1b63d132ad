package xmltext

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Decode returns the text of an XML document as UTF-8: by its byte order mark,
// by the zeros between the characters of its first tag, or by the encoding that
// its declaration names. An unknown name is taken for UTF-8.
func Decode(src io.Reader) io.Reader {
	const enough = 200
	b := bufio.NewReaderSize(src, bufferSize)
	head, _ := b.Peek(enough) // a short document is fine, and errors come again
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = b.Discard(3) // they were peeked
		return b
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("<\x00")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(b)
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\x00<")):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(b)
	}
	if e := declared(head); e != nil {
		return e.NewDecoder().Reader(b)
	}
	return b
}

// declared is the encoding that a document names, nil for UTF-8.
func declared(head []byte) encoding.Encoding {
	declaration, _, ok := bytes.Cut(head, []byte("?>"))
	if !ok || !bytes.HasPrefix(head, []byte("<?xml")) {
		return nil
	}
	m := regexp.MustCompile(`encoding\s*=\s*["']([^"']+)["']`).FindSubmatch(declaration)
	if m == nil {
		return nil
	}
	name := strings.ToLower(string(m[1]))
	if strings.HasPrefix(name, "utf") || strings.HasPrefix(name, "ucs") {
		return nil // a document that can be read so far is in none of the others
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	return e
}
