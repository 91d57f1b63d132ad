package sniff

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// summary is what a golden file holds.
func summary(r Result, err error) string {
	var b strings.Builder
	l := r.Layout
	fmt.Fprintf(&b, "format %s %v\nencoding %s\ndelimiter %q quote %q escape %q newline %q\n", l.Format, l.Compression, l.Encoding, l.Delimiter, l.Quote, l.Escape, l.Newline)
	fmt.Fprintf(&b, "preamble %d header %d footer %d\ncolumns %q\n", l.Preamble, l.HeaderRows, l.FooterRows, l.Columns)
	for _, f := range r.Findings {
		if f.What != "encoding" { // package charset tests its own evidence
			fmt.Fprintf(&b, "%s: %s\n", f.What, f.Why)
		}
	}
	for i, row := range r.Sample {
		fmt.Fprintf(&b, "%d %q\n", r.SampleFrom+int64(i), row)
	}
	if err != nil {
		fmt.Fprintf(&b, "error %v\n", err)
	}
	return b.String()
}

// Each file of testdata/ugly shows one ugliness, which its name tells.
func TestUglyFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/ugly/*.[ct][sx][vt]")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := summary(Inspect(bytes.NewReader(b), filepath.Base(name), Override{}))
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNoTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, code string
	}{
		{"empty.csv", "", "empty"},
		{"blank.csv", "\r\n \r\n", "empty"},
		{"mark.csv", "\xEF\xBB\xBF", "empty"},
		{"zeros.csv", strings.Repeat("\x00", 1000), "unknown-format"},
		{"noise.csv", strings.Repeat("\x02\x9f\x00\xfe\x11\x81a", 300), "unknown-format"},
		{"page.pdf", "%PDF-1.7\n1 0 obj", "unknown-format"},
		{"feed.xml", "<?xml version=\"1.0\"?>\n<rss><item/></rss>", "unknown-format"},
		{"list.json", "[{\"a\": 1},\n {\"a\": 2", "unknown-format"},
		{"lines.json", "{\"a\": 1}\n{\"a\": 2}\n", "unknown-format"},
		{"cut.xlsx", "PK\x03\x04 and nothing more", "corrupt"},
		{"cut.csv.gz", "\x1f\x8b\x08\x00\x00", "corrupt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Inspect(strings.NewReader(c.in), c.name, Override{})
			var bad *fault.BadFile
			if !errors.As(err, &bad) || bad.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	set := func(s string) *string { return &s }
	number := func(n int) *int { return &n }
	in := "Liste;;\na,b;c;d\n1,2;3;4\n5,6;7;8\n"
	r, err := Inspect(strings.NewReader(in), "", Override{
		Encoding: set("windows-1252"), Delimiter: set(","), Quote: set(""), Escape: set(`\`),
		Preamble: number(1), HeaderRows: number(0), FooterRows: number(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.Layout{
		Format: sheet.CSV, Encoding: "windows-1252", Delimiter: ",", Escape: `\`, Newline: "\n",
		Preamble: 1, FooterRows: 1, Columns: []string{"A", "B"},
	}
	if diff := cmp.Diff(want, r.Layout); diff != "" {
		t.Error(diff)
	}
	for _, f := range r.Findings {
		if f.Confidence != 1 && f.What != "format" && f.What != "newline" {
			t.Errorf("%+v was set by hand", f)
		}
	}
	for _, o := range []Override{
		{Encoding: set("klingon")}, {Quote: set("“")}, {Quote: set("''")}, {Escape: set("\n")}, {Delimiter: set("abc")}, {Delimiter: set("\"")},
	} {
		var refused *fault.Refused
		if _, err := Inspect(strings.NewReader(in), "", o); !errors.As(err, &refused) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}

// The head may end anywhere: what is found must not change.
func TestLongFileIsReadFromItsHead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("Liste\n\nid;text;sum\n")
	for i := range 60_000 {
		fmt.Fprintf(&b, "%d;\"a; b\nnext line %d\";%d,50\n", i, i, i)
	}
	b.WriteString("\nQuelle: Kasse\n")
	r, err := Inspect(bytes.NewReader(b.Bytes()), "", Override{})
	if err != nil {
		t.Fatal(err)
	}
	l := r.Layout
	if l.Delimiter != ";" || l.Preamble != 2 || l.HeaderRows != 1 || l.FooterRows != 2 {
		t.Errorf("got %+v", l)
	}
	if len(r.Sample) != sampleRows || r.SampleFrom != 4 {
		t.Errorf("sample of %d from %d", len(r.Sample), r.SampleFrom)
	}
}

// A text of very short lines has more of them than are looked at.
func TestManyShortLines(t *testing.T) {
	t.Parallel()
	in := "a;b;c\n" + strings.Repeat("1;2;3\n", 30_000) + "\n" + strings.Repeat("1;2;3\n", 30_000) + "\nnote\n"
	r, err := Inspect(strings.NewReader(in), "", Override{})
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Layout; l.FooterRows != 2 || l.Delimiter != ";" || l.HeaderRows != 1 {
		t.Errorf("%+v", l)
	}
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	ascii := "id;name\n" + strings.Repeat("1;plain text\n", 1<<17)
	late := "2;caf\xe9 M\xfcller, Stra\xdfe\n"
	good := strings.Repeat("3;Müller café\n", 100)
	for _, c := range []struct {
		name, in, want string
	}{
		{"ascii", ascii, "utf-8"},
		{"late", ascii + late + ascii, "windows-1252"},
		{"broken among good", ascii + good + "4;broken\xff\n" + ascii, "utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Inspect(strings.NewReader(c.in), "", Override{})
			if err != nil || r.Layout.Encoding != "utf-8" {
				t.Fatal(r.Layout.Encoding, err)
			}
			_, totals, err := csv.Cut(context.Background(), strings.NewReader(c.in), r.Layout, 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			l, f, changed := Correct(r.Layout, totals)
			if l.Encoding != c.want || f.Answer != c.want || changed != (c.want != "utf-8") {
				t.Errorf("got %s (%+v)", l.Encoding, f)
			}
			confirmed, err := Confirm(context.Background(), strings.NewReader(c.in), r.Layout)
			if err != nil || confirmed.Encoding != c.want {
				t.Errorf("confirmed %s, %v", confirmed.Encoding, err)
			}
		})
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for k, texts := range map[class][]string{
		blank:  {"", " ", "\t"},
		number: {"1", "-1.5", "1,5", "1.100,25", "1,100.25", "1 100", "12 345,67", "€ 5", "5,00 EUR", "USD 7", "(12.50)", "99%", "1e-5", "+3", "10'000", "12,34,567"},
		date:   {"2024-03-01", "01.02.2024", "3/1/24", "01.02.24", "2024-03-01T10:22:00Z", "2024-03-01 10:22", "10:30", "10:30:15.123", "9:05 pm", "1 March 2024", "Mar 1, 2024", "2024-03", "20:53:06+01:00"},
		truth:  {"true", "No", "ja"},
		mail:   {"a@b.de", "x.y+z@example.co.uk"},
		link:   {"http://example.com/x?y", "www.example.com"},
		phone:  {"+49 30 901820", "(496)978-3969x58947", "229.077.5154"},
		code:   {"MG-8769", "a1", "1.2.3", "DD37Cf93aecA6Dc"},
		absent: {"n/a", "NULL", "-"},
		text:   {"Anna", "5 apples", "Müller, Anna", "1, 2 and 3", "a:b", "'1'"},
	} {
		for _, s := range texts {
			if got := classOfText(s); got != k {
				t.Errorf("%q is %d, want %d", s, got, k)
			}
		}
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := Letters(i); got != want {
			t.Errorf("%d is %s, want %s", i, got, want)
		}
	}
}

func FuzzInspect(f *testing.F) {
	names, err := filepath.Glob("testdata/ugly/*.[ct][sx][vt]")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
	f.Add([]byte("<table><tr><td>a</table>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Inspect(bytes.NewReader(b), "f", Override{})
		if err != nil {
			if _, ok := errors.AsType[*fault.BadFile](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if r.Layout.Preamble < 0 || r.Layout.HeaderRows < 0 || r.Layout.FooterRows < 0 {
			t.Fatalf("%+v", r.Layout)
		}
		if c := r.Confidence(); c < 0 || c > 1 {
			t.Fatalf("confidence %f", c)
		}
	})
}
