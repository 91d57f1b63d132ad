package markup

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// document is a text at rest in a known encoding.
type document struct {
	raw      func() (io.Reader, error) // its bytes from the start
	encoding string
}

// openDocument finds out how a file is written. What is kept of its beginning is
// given back, too.
func openDocument(src sheet.Source) (d document, head []byte, err error) {
	d.raw = func() (io.Reader, error) { return io.NewSectionReader(src, 0, src.Size()), nil }
	if head, err = d.bytes(0); err != nil {
		return d, nil, err
	}
	if isArchive(head) {
		d.raw = func() (io.Reader, error) { return openArchive(src) }
		if head, err = d.bytes(0); err != nil {
			return d, nil, err
		}
	}
	d.encoding, err = d.findEncoding(head)
	return d, head, err
}

// bytes reads 64 KB from a place on.
func (d document) bytes(place int64) ([]byte, error) {
	r, err := d.raw()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, place); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, headBytes))
}

// headBytes is how much of a text is looked at to tell what it is.
const headBytes = 64 << 10

// from reads the text as UTF-8 from a place on, counted in bytes of UTF-8
// without a byte order mark.
func (d document) from(place int64) (io.Reader, error) {
	raw, err := d.raw()
	if err != nil {
		return nil, err
	}
	r := decoded(raw, d.encoding)
	_, err = io.CopyN(io.Discard, r, place)
	return r, err
}

// decoded reads a text as UTF-8. The name is one that encodingOf found.
func decoded(r io.Reader, name string) io.Reader {
	d, err := charset.NewDecoder(name, r)
	if err != nil {
		return r
	}
	return d
}

// findEncoding decides how the text is written. A file that is UTF-8 to its end
// and not just ASCII is UTF-8, whatever it declares: many programs leave the
// declaration of another template in. Otherwise what it declares counts, and
// without that what the bytes look like.
func (d document) findEncoding(head []byte) (string, error) {
	name := encodingOf(head)
	if name != charset.UTF8 || bytes.HasPrefix(head, []byte(charset.BOM)) {
		return name, nil
	}
	raw, err := d.raw()
	if err != nil {
		return "", err
	}
	at, err := firstInvalid(raw)
	if at < 0 || err != nil {
		return name, err
	}
	if name := declaredIn(head); name != "" {
		return name, nil
	}
	rest, err := d.bytes(at)
	return charset.Detect(rest, false).Name, err
}

// encodingOf is findEncoding for the beginning of a text.
func encodingOf(head []byte) string {
	g := charset.Detect(head, false)
	if g.BOM > 0 || g.Name == charset.UTF8 || strings.HasPrefix(g.Name, "utf-") {
		return g.Name
	}
	if name := declaredIn(head); name != "" {
		return name
	}
	return g.Name
}

// declaredIn is the encoding that an XML declaration or a meta element names,
// unless it is none, unknown, or cannot be true of a text in which the
// declaration was found.
func declaredIn(head []byte) string {
	re := regexp.MustCompile(`(?i)<(?:\?xml|meta)\s[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.-]+)`)
	m := re.FindSubmatch(head[:min(len(head), 16<<10)])
	if m == nil {
		return ""
	}
	name := strings.ToLower(string(m[1]))
	if e, err := htmlindex.Get(name); err == nil {
		if canonical, err := htmlindex.Name(e); err == nil {
			name = canonical
		}
	}
	if strings.HasPrefix(name, "utf") {
		return ""
	}
	if _, err := charset.NewDecoder(name, bytes.NewReader(nil)); err != nil {
		return ""
	}
	return name
}

// firstInvalid is about where a text stops being UTF-8; -1 where it does not.
func firstInvalid(r io.Reader) (int64, error) {
	buf := make([]byte, 64<<10)
	kept, at := 0, int64(0)
	for {
		n, err := r.Read(buf[kept:])
		b := buf[:kept+n]
		whole := b
		if err == nil {
			whole = b[:len(b)-cutRune(b)]
		}
		if !utf8.Valid(whole) {
			return at, nil
		}
		at += int64(len(whole))
		kept = copy(buf, b[len(whole):])
		if errors.Is(err, io.EOF) {
			return -1, nil
		}
		if err != nil {
			return -1, err
		}
	}
}

// cutRune is the length of the character that the end of b cuts; 0 without one.
func cutRune(b []byte) int {
	for k := 1; k < utf8.UTFMax && k <= len(b); k++ {
		if utf8.RuneStart(b[len(b)-k]) {
			if utf8.FullRune(b[len(b)-k:]) {
				return 0
			}
			return k
		}
	}
	return 0
}
