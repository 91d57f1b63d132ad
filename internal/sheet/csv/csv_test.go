package csv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
)

func comma() sheet.Layout { return sheet.Layout{Delimiter: ",", Quote: `"`} }

// show writes rows as text: cells between bars, the row's number before them.
func show(t interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}, r *Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d", row.Number)
		for _, c := range row.Cells {
			if (c.Kind == record.Empty) != (c.Text == "") {
				t.Fatalf("kind %d of %q", c.Kind, c.Text)
			}
			quoted := must(json.Marshal(c.Text))
			fmt.Fprintf(&b, "|%s", quoted[1:len(quoted)-1])
		}
		for _, p := range row.Problems {
			fmt.Fprintf(&b, " !%s@%d", p.Code, p.Column)
		}
		b.WriteByte('\n')
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestReader(t *testing.T) {
	t.Parallel()
	single := sheet.Layout{Quote: `"`}
	semicolon := sheet.Layout{Delimiter: ";", Quote: `'`}
	wide := sheet.Layout{Delimiter: ", ", Quote: `"`}
	escaped := sheet.Layout{Delimiter: ",", Quote: `"`, Escape: `\`}
	bare := sheet.Layout{Delimiter: ","}
	headed := sheet.Layout{Delimiter: ",", Quote: `"`, HeaderRows: 1, Columns: []string{"a", "b"}}
	for _, c := range []struct {
		name   string
		layout sheet.Layout
		in     string
		want   string
	}{
		{"nothing", comma(), "", ""},
		{"one record without a line end", comma(), "a,b", "1|a|b\n"},
		{"short and long rows", comma(), "a,b\nc\nd,e,f\n", "1|a|b\n2|c\n3|d|e|f\n"},
		{"empty cells", comma(), ",\n\"\",\n", "1||\n2||\n"},
		{"blank lines", comma(), "\na\n\n\nb\n\n", "1\n2|a\n3\n4\n5|b\n6\n"},
		{"mixed line ends", comma(), "a\r\nb\rc\nd\r", "1|a\n2|b\n3|c\n4|d\n"},
		{"byte order mark", comma(), "\uFEFF\"a\",b\n", "1|a|b\n"},
		{"quoted", comma(), "\"a,b\",\"c\r\nd\",\"e\"\"f\"\n", `1|a,b|c\r\nd|e\"f` + "\n"},
		{"blanks after the quote", comma(), "\"a\" ,\"b\"\t\nc\n", "1|a|b\n2|c\n"},
		{"blanks before the quote", comma(), "a, \"b,c\", d\n", "1|a|b,c| d\n"},
		{"a quoted word after a blank", comma(), "a, \"b\" c,d\n", `1|a| \"b\" c|d` + "\n"},
		{"inches", comma(), "5\" pipe,ok\n", `1|5\" pipe|ok` + "\n"},
		{"inches within quotes", comma(), "\"5\" pipe\",ok\n", `1|5\" pipe|ok` + "\n"},
		{"a quote too many", comma(), "a,\"\"b c\",d\n", `1|a|\"b c|d` + "\n"},
		{"never closed", comma(), "a,\"b\nc,d\n", `1|a|\"b !quote_unclosed@1` + "\n2|c|d\n"},
		{"closed by the next cell's quote", comma(), "a,\"b,\"c,d\",e\n", `1|a|\"b|c,d|e !quote_unclosed@1` + "\n"},
		{"closed by the next row's quote", comma(), "a,\"b\n\"c\",d\n", `1|a|\"b !quote_unclosed@1` + "\n2|c|d\n"},
		{"a word in quotes goes on", comma(), "\"a\"b,\"c\"\n", `1|\"a\"b|c !quote_unclosed@0` + "\n"},
		{"delimiter and quote as text", comma(), "\"a,\",\"b\"\n", "1|a,|b\n"},
		{"single column", single, "a,b;c\n\"d\ne\"\n", `1|a,b;c` + "\n" + `2|d\ne` + "\n"},
		{"other dialect", semicolon, "'a;b';c'd;'e''f'\n", "1|a;b|c'd|e'f\n"},
		{"delimiter of two", wide, "a, \"b, c\", d,e\n", "1|a|b, c|d,e\n"},
		{"escapes", escaped, `"a\"b",c\,d,e\\,C:\temp,"x""y"` + "\n", `1|a\"b|c,d|e\\|C:\\temp|x\"y` + "\n"},
		{"no quote", bare, "\"a,b\"\n", `1|\"a|b\"` + "\n"},
		{"zero bytes", comma(), "a\x00,b\n", `1|a\u0000|b` + "\n"},
		{"cells beyond the header", headed, "a,b\n1,2,\n1,2,3\n", "1|a|b\n2|1|2|\n3|1|2|3 !cells_extra@2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, show(t, NewReader(strings.NewReader(c.in), c.layout, 1))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// pieces are what ugly files are made of.
func pieces() []string {
	return []string{
		"a", "b c", ",", ",", ", ", "\"", "\"", "\"\"", "\n", "\r\n", "\r", "\\", " ", "é", "\x00", ";", ",\"", "\",", "\"\n",
	}
}

func layouts() []sheet.Layout {
	return []sheet.Layout{
		comma(), {}, {Delimiter: ","}, {Delimiter: ", ", Quote: `"`}, {Quote: `"`},
		{Delimiter: ",", Quote: `"`, Escape: `\`}, {Delimiter: ";", Quote: `'`},
	}
}

// wholeAndParts checks that the parts give what the whole gives, and that no
// byte belongs to no record.
func wholeAndParts(t interface {
	Fatalf(string, ...any)
	Helper()
}, tb testing.TB, text string, l sheet.Layout, least int64,
) {
	t.Helper()
	whole := show(tb, NewReader(strings.NewReader(text), l, 1))
	var tee bytes.Buffer
	parts, totals, err := Cut(context.Background(), strings.NewReader(text), l, least, &tee)
	if err != nil {
		t.Fatalf("cut: %v", err)
	}
	if tee.String() != text || totals.Bytes != int64(len(text)) {
		t.Fatalf("copied %d, counted %d of %d bytes", tee.Len(), totals.Bytes, len(text))
	}
	var b strings.Builder
	offset, first := int64(0), int64(1)
	for i, p := range parts {
		if p.Offset != offset || p.FirstRow != first || p.Length == 0 || p.Rows == 0 {
			t.Fatalf("part %d is %+v, want it at %d, row %d", i, p, offset, first)
		}
		if i < len(parts)-1 && p.Length < least {
			t.Fatalf("part %d is %+v, shorter than %d", i, p, least)
		}
		offset, first = offset+p.Length, first+p.Rows
		b.WriteString(show(tb, NewReader(io.NewSectionReader(strings.NewReader(text), p.Offset, p.Length), l, p.FirstRow)))
	}
	if first-1 != totals.Records || len(parts) > 0 && offset != totals.Bytes {
		t.Fatalf("parts end at %d, row %d; totals %+v", offset, first, totals)
	}
	if diff := cmp.Diff(whole, b.String()); diff != "" {
		t.Fatalf("%q by %+v: %s", text, l, diff)
	}
}

func TestPartsGiveTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces()), 0, 60).Draw(rt, "pieces"), "")
		l := rapid.SampledFrom(layouts()).Draw(rt, "layout")
		wholeAndParts(rt, t, text, l, rapid.Int64Range(1, 30).Draw(rt, "least"))
	})
}

func FuzzPartsGiveTheWhole(f *testing.F) {
	for i := range layouts() {
		f.Add("a,\"b\n\"c\",d\r\n\r\rx\\\",y", i, 3)
	}
	f.Fuzz(func(t *testing.T, text string, layout, least int) {
		all := layouts()
		l := all[uint(layout)%uint(len(all))]
		wholeAndParts(t, t, text, l, int64(uint(least)%1000)+1)
	})
}

// A small buffer must decide like a large one: one byte at a time is the
// smallest.
func TestReaderSeesNoBufferEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces()), 0, 40).Draw(rt, "pieces"), "")
		l := rapid.SampledFrom(layouts()).Draw(rt, "layout")
		small := NewReader(strings.NewReader(text), l, 1)
		small.s.buf = make([]byte, 0, 4)
		if diff := cmp.Diff(show(t, NewReader(strings.NewReader(text), l, 1)), show(t, small)); diff != "" {
			rt.Fatalf("%q by %+v: %s", text, l, diff)
		}
	})
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]io.Reader{
		"cell":        strings.NewReader("a,b\n1," + strings.Repeat("x", MaxCell+1) + "\n"),
		"quoted cell": strings.NewReader("a,b\n1,\"" + strings.Repeat("x,\n", MaxCell/3+1) + "\"\n"),
		"record":      strings.NewReader("a,b\n" + strings.Repeat("xxxxxxxxxxxx,", MaxRecord/10) + "\n"),
		"cells":       strings.NewReader("a,b\n" + strings.Repeat(",", MaxCells) + "\n"),
		"endless":     endless{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(in, comma(), 1)
			var err error
			for err == nil {
				_, err = r.Next()
			}
			var bad *fault.BadFile
			if !errors.As(err, &bad) || bad.Code != "too-large" {
				t.Fatalf("got %v", err)
			}
			if name != "endless" && !strings.Contains(bad.Message, "Record 2") {
				t.Errorf("got %q", bad.Message)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTotals(t *testing.T) {
	t.Parallel()
	utf8 := comma()
	utf8.Encoding = "utf-8"
	long := strings.Repeat("1,é\n", firstBuffer)
	for _, c := range []struct {
		name, in string
		want     Totals
	}{
		{"blank end", "a,b\n1,2\n,\n\"\"\n\n", Totals{Bytes: 14, Records: 5, LastRow: 2, InvalidAt: -1}},
		{"unclosed", "a,\"b\n", Totals{Bytes: 5, Records: 1, LastRow: 1, Unclosed: 1, InvalidAt: -1}},
		{"cut characters", long, Totals{Bytes: int64(len(long)), Records: firstBuffer, LastRow: firstBuffer, Multibyte: firstBuffer, InvalidAt: -1}},
		{"late", long + "caf\xe9", Totals{
			Bytes: int64(len(long)) + 4, Records: firstBuffer + 1, LastRow: firstBuffer + 1, Multibyte: firstBuffer,
			Invalid: 1, InvalidAt: int64(len(long)) + 3,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, got, err := Cut(context.Background(), strings.NewReader(c.in), utf8, 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Invalid > 0 && !bytes.Contains(got.Sample, []byte{0xe9}) {
				t.Error("the sample has no invalid byte")
			}
			got.Sample = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	in := "a,b\r\n\"c\nd\",e\n\nf"
	r := NewReader(strings.NewReader(in), comma(), 1)
	var got []string
	for {
		if _, err := r.Next(); err != nil {
			break
		}
		if in[r.Offset():r.Offset()+int64(len(r.Raw()))] != string(r.Raw()) {
			t.Errorf("offset %d", r.Offset())
		}
		got = append(got, string(r.Raw()))
	}
	if diff := cmp.Diff([]string{"a,b\r\n", "\"c\nd\",e\n", "\n", "f"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCutStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Cut(ctx, endlessLines{}, comma(), 1<<40, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type endlessLines struct{}

func (endlessLines) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}
