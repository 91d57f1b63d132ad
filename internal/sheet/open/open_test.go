package open_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/open"
)

func read(t testing.TB, r sheet.Reader, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(&b, row.Number)
		for _, c := range row.Cells {
			b.WriteString("|" + c.Text)
		}
		b.WriteByte('\n')
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const people = "id;name\n1;Müller\n2;\"Söhne;\n& Co\"\n"

func TestOpenText(t *testing.T) {
	t.Parallel()
	want := "1|id|name\n2|1|Müller\n3|2|Söhne;\n& Co\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, people); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(people)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in, encoding string
		compression  []string
	}{
		"utf-8":        {people, "utf-8", nil},
		"with a mark":  {"\uFEFF" + people, "utf-8", nil},
		"utf-16":       {wide, "utf-16le", nil},
		"windows-1252": {strings.NewReplacer("ü", "\xfc", "ö", "\xf6").Replace(people), "windows-1252", nil},
		"gzip":         {packed.String(), "utf-8", []string{"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := sheet.Layout{Format: sheet.CSV, Encoding: c.encoding, Compression: c.compression, Delimiter: ";", Quote: `"`}
			r, err := open.Open(strings.NewReader(c.in), l)
			if diff := cmp.Diff(want, read(t, r, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The parts of a text in another encoding are cut as its bytes stand and decoded
// one by one.
func TestPartsOfAnotherEncoding(t *testing.T) {
	t.Parallel()
	for _, delimiter := range []string{";", "§"} {
		in := strings.Repeat(strings.NewReplacer("ü", "\xfc", "ö", "\xf6", ";", string([]rune(delimiter)[0])).Replace(people), 50)
		in = strings.ReplaceAll(in, "§", "\xa7")
		l := sheet.Layout{Format: sheet.CSV, Encoding: "windows-1252", Delimiter: delimiter, Quote: `"`}
		r, err := open.Open(strings.NewReader(in), l)
		whole := read(t, r, err)
		parts, totals, err := csv.Cut(context.Background(), strings.NewReader(in), l, 100, nil)
		if err != nil || len(parts) < 10 || totals.Records != 150 {
			t.Fatal(len(parts), totals, err)
		}
		var got strings.Builder
		for _, p := range parts {
			r, err := open.Part(io.NewSectionReader(strings.NewReader(in), p.Offset, p.Length), l, p)
			got.WriteString(read(t, r, err))
		}
		if diff := cmp.Diff(whole, got.String()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestOpenHTML(t *testing.T) {
	t.Parallel()
	in := "<html><table><tr><th>id<th>name</tr><tr><td>1<td>Zoë</tr></table></html>"
	l := sheet.Layout{Format: sheet.HTML, Encoding: "utf-8"}
	r, err := open.Open(strings.NewReader(in), l)
	if diff := cmp.Diff("1|id|name\n2|1|Zoë\n", read(t, r, err)); diff != "" {
		t.Error(diff)
	}
	l.Sheet = 5
	var refused *fault.Refused
	if _, err := open.Open(strings.NewReader(in), l); !errors.As(err, &refused) || refused.Code != "no_such_sheet" {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, l := range []sheet.Layout{
		{Format: sheet.UnknownFormat},
		{Format: sheet.ODS},
		{Format: sheet.XLSX},
		{Format: sheet.XLS},
		{Format: sheet.CSV, Encoding: "klingon"},
		{Format: sheet.CSV, Encoding: "utf-8", Compression: []string{"gzip"}},
	} {
		var bad *fault.BadFile
		if _, err := open.Open(strings.NewReader("a;b\n"), l); !errors.As(err, &bad) {
			t.Errorf("%+v: got %v", l, err)
		}
	}
}
