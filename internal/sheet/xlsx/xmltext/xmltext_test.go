package xmltext

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// tokens writes a document's tokens as they were read; runs of text are joined.
func tokens(src io.Reader) (string, error) {
	s := New(src)
	var out strings.Builder
	for {
		tok, err := s.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out.String(), err
		}
		switch tok {
		case Start:
			out.WriteString("<" + string(s.Name))
			for n, v, rest := NextAttr(s.Attrs()); n != nil; n, v, rest = NextAttr(rest) {
				out.WriteString(" " + string(n) + "=[" + string(AppendText(nil, v)) + "]")
			}
			if s.Empty {
				out.WriteString("/")
			}
			out.WriteString(">")
		case End:
			out.WriteString("</" + string(s.Name) + ">")
		case Text:
			out.Write(s.AppendText(nil))
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		doc, want string
		err       error
	}{
		{`<?xml version="1.0"?><a>x</a>`, `<a>x</a>`, nil},
		{`<p:a b = '1' q:c="2>3"/>`, `<a b=[1] q:c=[2>3]/>`, nil},
		{`<a x="'" y='"'>t</a >`, `<a x=['] y=["]>t</a>`, nil},
		{"<a\n\tb=\"1\"\r\n/>", `<a b=[1]/>`, nil},
		{`<a>&lt;&#x4e00;&amp;&bogus;&;&#0x;</a>`, `<a><一&&bogus;&;&#0x;</a>`, nil},
		{"<a>1\r\n2\r3</a>", "<a>1\n2\n3</a>", nil},
		{`<a><!-- <b> -- > --><![CDATA[<&amp;]]]]></a>`, `<a><&amp;]]</a>`, nil},
		{`<!DOCTYPE a [<!ENTITY b "]>"> <!-- x -->]><a/>`, `<a/>`, nil},
		{``, ``, nil},
		{`text only`, `text only`, nil},
		{`<a`, ``, io.ErrUnexpectedEOF},
		{`<a b=">`, ``, io.ErrUnexpectedEOF},
		{`<!-- x`, ``, io.ErrUnexpectedEOF},
		{`<![CDATA[x`, ``, io.ErrUnexpectedEOF},
		{`<a><></a>`, `<a>`, ErrSyntax},
		{`<a b="` + strings.Repeat("x", 3*MaxTag) + `">`, ``, ErrSyntax},
	} {
		for name, src := range map[string]io.Reader{"whole": strings.NewReader(c.doc), "bytes": iotest.OneByteReader(strings.NewReader(c.doc))} {
			if len(c.doc) > MaxTag && name == "bytes" {
				continue
			}
			got, err := tokens(src)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s %.60q: got %q, %v; want %q, %v", name, c.doc, got, err, c.want, c.err)
			}
		}
	}
}

// TestLongText: text longer than the buffer comes whole, with no entity cut.
func TestLongText(t *testing.T) {
	t.Parallel()
	for _, shift := range []int{0, 1, 2, 3, 4} {
		body := strings.Repeat("x", shift) + strings.Repeat("ab&amp;", bufferSize)
		got, err := tokens(strings.NewReader("<t>" + body + "</t>"))
		if want := "<t>" + strings.ReplaceAll(body, "&amp;", "&") + "</t>"; err != nil || got != want {
			t.Errorf("shift %d: %d bytes, %v", shift, len(got), err)
		}
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	s := New(strings.NewReader(`<a><b><c/><b>x</b></b><d/></a>`))
	var names []string
	for {
		tok, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if tok == Start {
			names = append(names, string(s.Name))
			if string(s.Name) == "b" {
				if err := s.Skip(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if d := cmp.Diff([]string{"a", "b", "d"}, names); d != "" {
		t.Error(d)
	}
}

// FuzzTokens: however the bytes come, the tokens are the same.
func FuzzTokens(f *testing.F) {
	f.Add(`<?xml version="1.0"?><p:a b='1'>x&amp;<![CDATA[y]]><!-- z --></p:a>`)
	f.Add(`<!DOCTYPE a [<!ENTITY b "]>">]><a>&b;</a>`)
	f.Fuzz(func(t *testing.T, doc string) {
		whole, err1 := tokens(strings.NewReader(doc))
		bytes, err2 := tokens(iotest.OneByteReader(strings.NewReader(doc)))
		if whole != bytes || !errors.Is(err2, err1) {
			t.Errorf("whole: %q, %v; by bytes: %q, %v", whole, err1, bytes, err2)
		}
	})
}
