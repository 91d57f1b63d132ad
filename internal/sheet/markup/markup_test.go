package markup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/markup"
)

func code(err error) string {
	var bad *fault.BadFile
	switch {
	case err == nil:
		return ""
	case errors.As(err, &bad):
		return bad.Code
	}
	return "other: " + err.Error()
}

// dump writes all sheets as lines: a name and its number of rows, then each
// row's number, ~ if hidden, and its cells.
func dump(file []byte) string {
	wb, err := markup.Open(bytes.NewReader(file))
	if err != nil {
		return "error " + code(err) + "\n"
	}
	var b strings.Builder
	for i, m := range wb.Sheets() {
		fmt.Fprintf(&b, "[%s] %d", m.Name, m.Rows)
		if m.Hidden {
			b.WriteString(" hidden")
		}
		b.WriteString("\n")
		r, err := wb.Open(i)
		for err == nil {
			var row *record.Row
			if row, err = r.Next(); err == nil {
				writeRow(&b, row)
			}
		}
		if !errors.Is(err, io.EOF) {
			fmt.Fprintf(&b, "error %s\n", code(err))
		}
	}
	return b.String()
}

func writeRow(b *strings.Builder, row *record.Row) {
	fmt.Fprintf(b, "%d", row.Number)
	if row.Hidden {
		b.WriteString("~")
	}
	for _, c := range row.Cells {
		switch c.Kind {
		case record.Empty:
			b.WriteString(" -")
		case record.Text:
			fmt.Fprintf(b, " %q", c.Text)
		case record.Error, record.Bool:
			fmt.Fprintf(b, " %s", c.Text)
		case record.Number:
			fmt.Fprintf(b, " %v(%s)", c.Number, c.Text)
		default:
			fmt.Fprintf(b, " %s(%s)", c.When().Format("2006-01-02T15:04:05"), c.Text)
		}
	}
	b.WriteString("\n")
}

func same(t *testing.T, file, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if d := cmp.Diff(want, dump([]byte(file))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]sheet.Format{
		"":            "",
		"id;name\n1;": "",
		"<html><table><tr><td>1</td></tr></table></html>":                                              sheet.HTML,
		"\ufeff\r\n <!-- made by x --><HTML xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><head>": sheet.HTML,
		"<!DOCTYPE html PUBLIC \"-//W3C//DTD\"><html>":                                                 sheet.HTML,
		"<?xml version=\"1.0\"?><!DOCTYPE html><html>":                                                 sheet.HTML,
		"<table border=1><tr>":               sheet.HTML,
		"<style>td{}</style><table><tr><td>": sheet.HTML,
		"<b>bold</b>;and;text\n":             "",
		"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">": sheet.SpreadsheetML,
		"<ss:Workbook xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'>":                                                                sheet.SpreadsheetML,
		"<Workbook xmlns='urn:other'>":                            "",
		"<?xml version=\"1.0\"?><rows><row/></rows>":              "",
		"<\x00t\x00a\x00b\x00l\x00e\x00>\x00<\x00t\x00r\x00>\x00": sheet.HTML,
		"\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00":                  sheet.HTML,
	} {
		if got := markup.Kind([]byte(head)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ page, want string }{
		"as it should be": {
			`<html><head><title>T <table></title></head><body><table><caption>Staff</caption><thead><tr><th>Name</th><th>City</th></tr></thead>
			<tbody><tr><td> Zo&euml;  <b>M&#252;ller</b> </td><td>K&ouml;ln<br>D&uuml;ren</td></tr></tbody></table></body></html>`,
			"[Staff] 2\n1 \"Name\" \"City\"\n2 \"Zoë Müller\" \"Köln\\nDüren\"\n",
		},
		"end tags left out": {
			"<table><tr><th>a<th>b<tr><td>1<td>2<tr><td>3<td>4",
			"[Table 1] 3\n1 \"a\" \"b\"\n2 \"1\" \"2\"\n3 \"3\" \"4\"\n",
		},
		"cells that span": {
			`<table><tr><td colspan=2>ab<td rowspan=2>c<td>d<tr><td>e<td>f<td>g<tr><td rowspan=0>h<td>i<tr><td>j<tr><td colspan=x>k`,
			`
			[Table 1] 5
			1 "ab" - "c" "d"
			2 "e" "f" - "g"
			3 "h" "i"
			4 - "j"
			5 - "k"
			`,
		},
		"empty cells and rows": {
			"<table><tr><td>a</td><td>&nbsp;</td><td></td></tr><tr></tr><tr><td></td><td>b</td></tr></table>",
			"[Table 1] 3\n1 \"a\"\n2\n3 - \"b\"\n",
		},
		"what is hidden": {
			`<table><tr style="DISPLAY: none"><td>a</td></tr><tr><td><span style="display:none">007<span>x</span></span>7</td><td><script>x<td></script>b<style>y</style></td></tr></table>`,
			"[Table 1] 2\n1~ \"a\"\n2 \"7\" \"b\"\n",
		},
		"paragraphs": {
			"<table><tr><td><p>one</p><p>two</p><div>three<br><br>four</div></td></tr></table>",
			"[Table 1] 1\n1 \"one\\ntwo\\nthree\\n\\nfour\"\n",
		},
		"a table that only lays out": {
			"<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
			"[Table 1] 1\n1 \"a\" \"b\"\n",
		},
		"the largest first": {
			"<table><tr><td>Report</td></tr></table><table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>",
			"[Table 2] 2\n1 \"a\" \"b\"\n2 \"1\" \"2\"\n[Table 1] 1\n1 \"Report\"\n",
		},
		"a table inside a cell": {
			"<table><tr><td>a<table><tr><td>in</td></tr></table>z</td><td>b</td></tr></table>",
			"[Table 2] 1\n1 \"az\" \"b\"\n[Table 1] 1\n1 \"in\"\n",
		},
		"one table in pieces": {
			"<table><tr><th>a<th>b</table> <br> <table><tr><td>1<td>2</table><table><tr><td>3<td>4</table><p>Orders</p><table><tr><td>5<td>6</table>",
			"[Table 1] 3\n1 \"a\" \"b\"\n2 \"1\" \"2\"\n3 \"3\" \"4\"\n[Table 4] 1\n1 \"5\" \"6\"\n",
		},
		"tables side by side": {
			"<table><tr><td><table><tr><td>a<td>b</table></td><td><table><tr><td>c<td>d</table></td></tr></table>",
			"[Table 1] 1\n1 \"a\" \"b\"\n[Table 2] 1\n1 \"c\" \"d\"\n",
		},
		"no table":          {"<html><body><p>Session expired</p></body></html>", "error unsupported\n"},
		"an empty table":    {"<html><table><tr><td></td></tr></table>", "error unsupported\n"},
		"too wide":          {"<table><tr>" + strings.Repeat("<td colspan=1000>", 16) + "<td colspan=400>x", "[Table 1] 1\nerror too-large\n"},
		"nested too deeply": {strings.Repeat("<table><tr><td>x", 300), "error too-large\n"},
		"a text too long":   {"<table><tr><td>" + strings.Repeat("long ", 2<<20), "error too-large\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, tc.page, tc.want)
		})
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const page = "<html><head>%s</head><table><tr><td>Łódź – Ąžuolas</td></tr></table>"
	const want = "[Table 1] 1\n1 \"Łódź – Ąžuolas\"\n"
	encode := func(e interface{ Bytes([]byte) ([]byte, error) }, meta string) string {
		b, err := e.Bytes(fmt.Appendf(nil, page, meta))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const meta1257 = `<meta http-equiv="Content-Type" content="text/html; charset=windows-1257">`
	late := strings.Replace(fmt.Sprintf(page, `<meta charset=windows-1257>`), "<table>", "<!--"+strings.Repeat("x", 200_000)+"--><table>", 1)
	lateBytes, err := charmap.Windows1257.NewEncoder().Bytes([]byte(strings.ReplaceAll(strings.ReplaceAll(late, "Ł", "L"), "ź", "z")))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ file, want string }{
		"UTF-8":                 {fmt.Sprintf(page, ""), want},
		"UTF-8 with a mark":     {"\ufeff" + fmt.Sprintf(page, ""), want},
		"UTF-8, declared other": {fmt.Sprintf(page, "<meta charset=iso-8859-1>"), want},
		"UTF-16 with a mark":    {encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), ""), want},
		"UTF-16 without one":    {encode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), ""), want},
		"declared":              {encode(charmap.Windows1257.NewEncoder(), meta1257), want},
		"declared, and far on":  {string(lateBytes), "[Table 1] 1\n1 \"Lódz – Ąžuolas\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := tc.file
			if name == "declared" {
				file = strings.NewReplacer("\xa3", "L").Replace(file) // the alphabets differ in two letters
			}
			same(t, file, tc.want)
		})
	}
}

func TestWebArchive(t *testing.T) {
	t.Parallel()
	const header = "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"=_x\"\r\n\r\nfor people\r\n"
	const pages = "--=_x\r\nContent-Type: text/html; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"<html><meta charset=3Dwindows-1252><table><tr><td>Zo=EB</td><td>b<=\r\n/td></tr></table></html>\r\n" +
		"--=_x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n" +
		"--=_x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHRhYmxlPjx0cj48\r\ndGQ+c2Vjb25k\r\n"
	for name, tc := range map[string]struct{ file, want string }{
		"pages": {header + pages + "--=_x--\r\n", "[Table 1] 1\n1 \"Zoë\" \"b\"\n[Table 2] 1\n1 \"second\"\n"},
		"a single page": {"\nMIME-Version: 1.0\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<table><tr><td width=3D5>a</td></tr></table>",
			"[Table 1] 1\n1 \"a\"\n"},
		"cut off":       {header + pages, "error corrupt\n"},
		"no end mark":   {header, "error corrupt\n"},
		"only a header": {"MIME-Version: 1.0\nContent-Type: text/html", "error corrupt\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := markup.Kind([]byte(tc.file)); got != sheet.HTML {
				t.Errorf("kind %q", got)
			}
			same(t, tc.file, tc.want)
		})
	}
}

const book = `<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">
<Styles>
 <Style ss:ID="Default" ss:Name="Normal"><Alignment ss:Vertical="Bottom"/></Style>
 <Style ss:ID="day"><NumberFormat ss:Format="Short Date"/></Style>
 <Style ss:ID="child" ss:Parent="pct"><Font ss:Bold="1"/></Style>
 <Style ss:ID="pct"><NumberFormat ss:Format="0%%"/></Style>
 <Style ss:ID="clock"><NumberFormat ss:Format="Short Time"/></Style>
</Styles>
%s
</Workbook>`

func worksheets(s string) string { return fmt.Sprintf(book, s) }

func TestSpreadsheetML(t *testing.T) {
	t.Parallel()
	table := func(rows string) string {
		return worksheets(`<Worksheet ss:Name="One"><Table>` + rows + `</Table></Worksheet>`)
	}
	for name, tc := range map[string]struct{ file, want string }{
		"kinds": {table(`<Row><Cell><Data ss:Type="String">Zo&#235; &amp; &lt;x&gt;&#10;y</Data></Cell><Cell><Data ss:Type="Number">1.50</Data></Cell>
			<Cell><Data ss:Type="Boolean">1</Data></Cell><Cell><Data ss:Type="Boolean">0</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell><Cell><Data>bare</Data></Cell></Row>`),
			"[One] 1\n1 \"Zoë & <x>\\ny\" 1.5(1.5) TRUE FALSE #N/A \"bare\"\n"},
		"dates": {table(`<Row><Cell ss:StyleID="day"><Data ss:Type="DateTime">2024-03-01T00:00:00.000</Data></Cell><Cell><Data ss:Type="DateTime">2024-03-01T18:30:00.000</Data></Cell>
			<Cell ss:StyleID="clock"><Data ss:Type="DateTime">1899-12-31T06:00:00.000</Data></Cell><Cell ss:StyleID="day"><Data ss:Type="DateTime">1900-01-01T00:00:00.000</Data></Cell>
			<Cell ss:StyleID="day"><Data ss:Type="Number">45352</Data></Cell></Row>`),
			"[One] 1\n1 2024-03-01T00:00:00(3/1/2024) 2024-03-01T18:30:00(2024-03-01 18:30:00) 1899-12-30T06:00:00(6:00) 1900-01-01T00:00:00(1/1/1900) 2024-03-01T00:00:00(3/1/2024)\n"},
		"styles from above": {worksheets(`<Worksheet ss:Name="One"><Table ss:StyleID="pct"><Column ss:Index="2" ss:Span="1" ss:StyleID="day"/><Row><Cell><Data ss:Type="Number">0.5</Data></Cell><Cell><Data ss:Type="Number">1</Data></Cell>
			<Cell ss:StyleID="child"><Data ss:Type="Number">2</Data></Cell></Row><Row ss:StyleID="Default"><Cell><Data ss:Type="Number">0.5</Data></Cell></Row></Table></Worksheet>`),
			"[One] 2\n1 0.5(50%) 1900-01-01T00:00:00(1/1/1900) 2(200%)\n2 0.5(0.5)\n"},
		"places": {table(`<Row ss:Index="2"><Cell ss:Index="2"><Data ss:Type="String">b</Data></Cell><Cell ss:MergeAcross="2"><Data ss:Type="String">c</Data></Cell><Cell><Data ss:Type="String">g</Data></Cell></Row>
			<Row ss:Hidden="1" ss:Span="1"/><Row><Cell><Data ss:Type="String">last</Data></Cell></Row><Row><Cell ss:StyleID="day"/></Row>`),
			"[One] 5\n1\n2 - \"b\" \"c\" - - \"g\"\n3~\n4~\n5 \"last\"\n"},
		"formatted text and comments": {table(`<Row><Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>bo</B><Font html:Color="#FF0000">ld</Font></ss:Data><Comment ss:Author="x"><ss:Data>no</ss:Data></Comment></Cell></Row>`),
			"[One] 1\n1 \"bold\"\n"},
		"sheets": {worksheets(`<Worksheet ss:Name="A&amp;B"><Table/></Worksheet><Worksheet ss:Name="Two"><Names/><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet>`),
			"[A&B] 0\n[Two] 1 hidden\n1 \"x\"\n"},
		"entities of its own": {strings.Replace(table(`<Row><Cell><Data ss:Type="String">&x;</Data></Cell></Row>`), "<Workbook", "<!DOCTYPE w [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Workbook", 1),
			"[One] 1\n1 \"&x;\"\n"},
		"prefixed": {`<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><ss:Worksheet ss:Name="P"><ss:Table><ss:Row><ss:Cell><ss:Data ss:Type="Number">1</ss:Data></ss:Cell></ss:Row></ss:Table></ss:Worksheet></ss:Workbook>`,
			"[P] 1\n1 1(1)\n"},
		"cut off":           {strings.TrimSuffix(worksheets(`<Worksheet ss:Name="One"><Table><Row><Cell><Data ss:Type="String">x`), "</Workbook>"), "error corrupt\n"},
		"rows out of order": {table(`<Row ss:Index="3"><Cell><Data>a</Data></Cell></Row><Row ss:Index="2"><Cell><Data>b</Data></Cell></Row>`), "error corrupt\n"},
		"too far down":      {table(`<Row ss:Index="2000000"><Cell><Data>a</Data></Cell></Row>`), "error too-large\n"},
		"too far right":     {table(`<Row><Cell ss:Index="20000"><Data>a</Data></Cell></Row>`), "[One] 1\nerror too-large\n"},
		"no sheet":          {worksheets(""), "error unsupported\n"},
		"deep": {table(`<Row><Cell><Data ss:Type="String">` + strings.Repeat("<B>", 100_000) + "x" + strings.Repeat("</B>", 100_000) + `</Data></Cell></Row>`),
			"[One] 1\n1 \"x\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, tc.file, tc.want)
		})
	}
}

// TestSourceError tells an error of the source from a fault of the file.
func TestSourceError(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<table>" +
			strings.Repeat("<tr><td>a</td><td>b</td></tr>", 5000) + "</table>\r\n--x--\r\n",
		"<table>" + strings.Repeat("<tr><td>a</td><td>b</td></tr>", 5000) + "</table>",
		worksheets(`<Worksheet ss:Name="One"><Table>` + strings.Repeat(`<Row><Cell><Data ss:Type="String">x</Data></Cell></Row>`, 4000) + `</Table></Worksheet>`),
	} {
		for from := int64(0); from < int64(len(file)); from += 20_000 {
			wb, err := markup.Open(failing{bytes.NewReader([]byte(file)), from})
			if err == nil {
				r, err2 := wb.Open(0)
				for err = err2; err == nil; {
					_, err = r.Next()
				}
			}
			if !errors.Is(err, errSource) {
				t.Fatalf("fails from byte %d on: %v", from, err)
			}
		}
	}
}

var errSource = errors.New("the source failed")

type failing struct {
	*bytes.Reader
	from int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from && f.from < f.Size() {
		return 0, errSource
	}
	return f.Reader.ReadAt(p, off)
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("<html><table><caption>c</caption><tr><th rowspan=2>a<td colspan=3>b<tr><td>c<table><tr><td style='display:none'>x</table></table>"))
	f.Add([]byte(worksheets(`<Worksheet ss:Name="One"><Table><Column/><Row ss:Index="2" ss:Span="2" ss:Hidden="1"><Cell ss:MergeAcross="2"><Data ss:Type="Number">1</Data></Cell></Row><Row><Cell ss:StyleID="day"><Data ss:Type="DateTime">2024-03-01T00:00:00.000</Data></Cell></Row></Table></Worksheet>`)))
	f.Fuzz(func(t *testing.T, file []byte) {
		markup.Kind(file)
		wb, err := markup.Open(bytes.NewReader(file))
		if err != nil {
			if strings.HasPrefix(code(err), "other") {
				t.Fatal(err)
			}
			return
		}
		for i := range wb.Sheets() {
			r, err := wb.Open(i)
			for n := int64(1); err == nil; n++ {
				var row *record.Row
				if row, err = r.Next(); err == nil && row.Number != n {
					t.Fatalf("row %d after %d", row.Number, n-1)
				}
			}
			if !errors.Is(err, io.EOF) && strings.HasPrefix(code(err), "other") {
				t.Fatal(err)
			}
		}
	})
}
