package markup

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
)

// isArchive tells a web archive (RFC 2557) by its header.
func isArchive(head []byte) bool {
	header, _, _ := bytes.Cut(bytes.ToLower(bytes.TrimLeft(head, "\r\n")), []byte("\n\n"))
	header, _, _ = bytes.Cut(header, []byte("\r\n\r\n"))
	const most = 4 << 10
	return len(header) < most && bytes.Contains(header, []byte("mime-version:")) &&
		bytes.Contains(header, []byte("content-type:"))
}

// openArchive reads the pages of a web archive one behind the other: Excel puts
// each sheet in a page of its own.
func openArchive(src sheet.Source) (io.Reader, error) {
	const longestHeader = 64 << 10
	n := &noting{r: io.NewSectionReader(src, 0, src.Size())}
	head, err := headerOf(n, longestHeader)
	if err != nil {
		return nil, n.fault(err)
	}
	kind, params, err := mime.ParseMediaType(head.header.Get("Content-Type"))
	if err != nil {
		return nil, n.fault(err)
	}
	a := &archive{source: n}
	if strings.HasPrefix(kind, "multipart/") {
		a.parts = multipart.NewReader(head.body, params["boundary"])
	} else {
		a.page = transferred(head.body, head.header.Get("Content-Transfer-Encoding"))
	}
	return a, nil
}

type message struct {
	header textproto.MIMEHeader
	body   *bufio.Reader
}

// headerOf reads a header of limited length.
func headerOf(r io.Reader, most int) (message, error) {
	b := bufio.NewReaderSize(r, most)
	for {
		if c, err := b.ReadByte(); err != nil || c != '\r' && c != '\n' {
			if err != nil {
				return message{}, err
			}
			break
		}
	}
	if err := b.UnreadByte(); err != nil {
		return message{}, err
	}
	peeked, err := b.Peek(most)
	if err != nil && !errors.Is(err, io.EOF) {
		return message{}, err
	}
	end, length := bytes.Index(peeked, []byte("\r\n\r\n")), 4
	if i := bytes.Index(peeked, []byte("\n\n")); i >= 0 && (end < 0 || i < end) {
		end, length = i, 2
	}
	if end < 0 {
		return message{}, errors.New("the header has no end")
	}
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(peeked[:end+length]))).ReadMIMEHeader()
	if err != nil {
		return message{}, err
	}
	_, err = b.Discard(end + length)
	return message{h, b}, err
}

// archive reads the pages of a web archive.
type archive struct {
	source *noting
	parts  *multipart.Reader // nil where there is a single page
	page   io.Reader         // nil between two pages
}

func (a *archive) Read(p []byte) (int, error) {
	for {
		if a.page == nil {
			if a.parts == nil {
				return 0, io.EOF
			}
			part, err := a.parts.NextRawPart()
			if err == io.EOF {
				return 0, io.EOF
			}
			if err != nil {
				return 0, a.source.fault(err)
			}
			if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || kind != "text/html" {
				continue
			}
			a.page = transferred(part, part.Header.Get("Content-Transfer-Encoding"))
		}
		n, err := a.page.Read(p)
		if err == io.EOF {
			a.page, err = nil, nil
		}
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, a.source.fault(err)
		}
	}
}

// transferred takes off what a page was wrapped in for its way by mail.
func transferred(r io.Reader, how string) io.Reader {
	switch strings.ToLower(strings.TrimSpace(how)) {
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

// noting keeps an error of the source, to tell it from one of the archive.
type noting struct {
	r   io.Reader
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	k, err := n.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return k, err
}

// fault is the error of the source, or else what is wrong with the archive.
func (n *noting) fault(err error) error {
	if n.err != nil {
		return n.err
	}
	return brokenArchive(err)
}
