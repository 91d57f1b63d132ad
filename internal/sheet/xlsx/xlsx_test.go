package xlsx

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/sheet"
)

func TestCells(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"numbers":           {`<row r="1"><c r="A1"><v>12</v></c><c r="B1" t="n"><v>-1.50</v></c><c r="C1"><v>1E-3</v></c><c r="D1"><v> 7 </v></c></row>`, []string{"n:12|n:-1.5|n:0.001|n:7"}},
		"no number":         {`<row r="1"><c r="A1"><v>0x10</v></c><c r="B1"><v>NaN</v></c><c r="C1"><v>twelve</v></c></row>`, []string{"t:0x10|t:NaN|t:twelve"}},
		"formats":           {`<row r="1"><c r="A1" s="1"><v>45352</v></c><c r="B1" s="2"><v>42</v></c><c r="C1" s="3"><v>0.125</v></c><c r="D1" s="4"><v>0.5</v></c><c r="E1" s="5"><v>45352.5</v></c></row>`, []string{"d:01/03/2024|n:00042|n:12.50%|c:12:00:00|m:2024-03-01 12:00"}},
		"no such style":     {`<row r="1"><c r="A1" s="99"><v>45352</v></c><c r="B1" s="x"><v>1</v></c></row>`, []string{"n:45352|n:1"}},
		"shared":            {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c></row>`, []string{"t:zero|t:one & a half||t:a\rb_x000D_"}},
		"no such string":    {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>4294967295</v></c><c r="C1" t="s"><v>-1</v></c></row>`, []string{"t:zero !cell_unreadable@1 !cell_unreadable@2"}},
		"inline":            {`<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><v>1.0</v><is><r><t>b</t></r><r><t>c</t></r></is></c><c r="C1" t="inlineStr"><is/></c></row>`, []string{"t:a|t:bc"}},
		"booleans":          {`<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c><c r="C1" t="b"><v>true</v></c></row>`, []string{"b:TRUE|b:FALSE|b:TRUE"}},
		"errors":            {`<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`, []string{"e:#N/A|e:#DIV/0!"}},
		"formulas":          {`<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>"x"</f><v>x &lt; y</v></c><c r="C1" t="str"><f>""</f><v></v></c><c r="D1"><f>NOW()</f></c><c r="E1"><f>1</f><v/></c></row>`, []string{"n:2|t:x < y !formula_not_calculated@3 !formula_not_calculated@4"}},
		"written dates":     {`<row r="1"><c r="A1" t="d"><v>2024-03-01</v></c><c r="B1" t="d"><v>2024-03-01T10:22:00</v></c><c r="C1" t="d"><v>10:22:00</v></c><c r="D1" t="d" s="1"><v>2024-03-01</v></c><c r="E1" t="d"><v>soon</v></c></row>`, []string{"d:2024-03-01|m:2024-03-01 10:22:00|c:10:22:00|d:01/03/2024|t:soon"}},
		"cdata, references": {`<row r="1"><c r="A1" t="str"><v><![CDATA[a & <b>]]></v></c><c r="B1" t="str"><v>&#65;&#x42;&unknown;&amp;amp;</v></c></row>`, []string{"t:a & <b>|t:AB&unknown;&amp;"}},
		"no utf-8":          {"<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a\xffb</v></c></row>", []string{"t:a\ufffdb"}},
		"prefixes":          {`<x:row r="1"><x:c r="A1" t="str"><x:v>a</x:v></x:c><x:extLst><c r="B1"><v>1</v></c></x:extLst></x:row>`, []string{"t:a"}},
		"comments":          {`<!-- <row> --><row r="1"><!-- c --><c r="A1"><?pi <v>?><v>1<!-- > -->2</v></c></row>`, []string{"n:12"}},
		"quoted brackets":   {`<row r="1" a='>"' b=">'"><c r="A1" t='str'><v>a</v></c></row>`, []string{"t:a"}},
		"no references":     {`<row><c><v>1</v></c><c/><c t="s"><v>0</v></c></row><row/><row><c><v>2</v></c></row>`, []string{"n:1||t:zero", "", "n:2"}},
		"rows by cells":     {`<row><c r="B3"><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>`, []string{"", "", "|n:1|n:2", "n:3"}},
		"gaps":              {`<row r="2"><c r="C2"><v>1</v></c></row><row r="4"/><row r="5"><c r="A5"><v>2</v></c></row>`, []string{"", "||n:1", "", "", "n:2"}},
		"blanks at the end": {`<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="1"/></row><row r="1048576"><c r="XFD1048576" s="1"/></row>`, []string{"n:1"}},
		"cells unordered":   {`<row r="1"><c r="C1"><v>3</v></c><c r="A1"><v>1</v></c></row>`, []string{"n:1||n:3"}},
		"rows unordered":    {`<row r="2"><c r="A2"><v>2</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>`, []string{"", "n:2", "n:1"}},
		"hidden":            {`<row r="1" hidden="1"><c r="A1"><v>1</v></c></row><row r="2" hidden="true"/><row r="3" hidden="0"><c r="A3"><v>3</v></c></row>`, []string{"n:1*", "", "n:3"}},
		"dollars":           {`<row r="1"><c r="$b$1"><v>1</v></c></row>`, []string{"|n:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := lines(t, plainBook(c.data).zip(t), 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestFrames: what Office still opens is opened.
func TestFrames(t *testing.T) {
	t.Parallel()
	plain := plainBook(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45352</v></c></row>`)
	const relsPart, book, one = "xl/_rels/workbook.xml.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml"
	wide := func(s string, order interface{ put(uint16) []byte }) string {
		var b bytes.Buffer
		for _, u := range utf16.Encode([]rune(s)) {
			b.Write(order.put(u))
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		parts parts
		want  string
	}{
		"plain":               {plain, "t:zero|d:01/03/2024"},
		"backslashes":         {plain.replace(relsPart, "worksheets/sheet1.xml", `worksheets\sheet1.xml`), "t:zero|d:01/03/2024"},
		"absolute":            {plain.replace(relsPart, "worksheets/", "/xl/worksheets/"), "t:zero|d:01/03/2024"},
		"dots":                {plain.replace(relsPart, "worksheets/", "./x/../worksheets/"), "t:zero|d:01/03/2024"},
		"from the root":       {plain.replace(relsPart, "worksheets/", "xl/worksheets/"), "t:zero|d:01/03/2024"},
		"wrong case":          {plain.renamed(one, "XL/WorkSheets/Sheet1.XML"), "t:zero|d:01/03/2024"},
		"backslashes in zip":  {plain.renamed(one, `xl\worksheets\sheet1.xml`), "t:zero|d:01/03/2024"},
		"percent":             {plain.renamed(one, "xl/worksheets/sheet 1.xml").replace(relsPart, "sheet1.xml", "sheet%201.xml"), "t:zero|d:01/03/2024"},
		"strict":              {plain.replace(relsPart, relDoc, "http://purl.oclc.org/ooxml/officeDocument/relationships/"), "t:zero|d:01/03/2024"},
		"no root arrows":      {plain.with("_rels/.rels", ""), "t:zero|d:01/03/2024"},
		"no arrows":           {plain.with(relsPart, ""), "t:zero|d:01/03/2024"},
		"wrong arrow":         {plain.replace(relsPart, "sheet1.xml", "sheet9.xml"), "t:zero|d:01/03/2024"},
		"no list of sheets":   {plain.with(book, "<workbook/>"), "t:zero|d:01/03/2024"},
		"no styles":           {plain.with("xl/styles.xml", ""), "t:zero|n:45352"},
		"1904":                {plain.replace(book, "<sheets>", `<workbookPr date1904="1"/><sheets>`), "t:zero|d:02/03/2028"},
		"prefixed":            {plain.with(book, `<x:workbook xmlns:x="y" xmlns:rel="z"><x:sheets><x:sheet name="S" rel:id="r1"/></x:sheets></x:workbook>`), "t:zero|d:01/03/2024"},
		"little-endian":       {plain.with(one, wide("\ufeff"+plain[one], little{})), "t:zero|d:01/03/2024"},
		"big-endian, no mark": {plain.with(one, wide(plain[one], big{})), "t:zero|d:01/03/2024"},
		"byte order mark":     {plain.with(one, "\ufeff"+plain[one]), "t:zero|d:01/03/2024"},
		"latin-1": {plain.with("xl/sharedStrings.xml", `<?xml version="1.0" encoding="iso-8859-1"?><sst><si><t>K`+"\xf6"+`ln</t></si></sst>`),
			"t:Köln|d:01/03/2024"},
		"document type": {plain.with("xl/sharedStrings.xml", `<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "]>">]><sst><si><t>a&x;</t></si></sst>`),
			"t:a&x;|d:01/03/2024"},
		"lying dimension": {plain.replace(one, "<sheetData>", `<dimension ref="A1:XFD1048576"/><sheetData>`), "t:zero|d:01/03/2024"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := lines(t, c.parts.zip(t), 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{c.want}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

type (
	little struct{}
	big    struct{}
)

func (little) put(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }
func (big) put(u uint16) []byte    { return []byte{byte(u >> 8), byte(u)} }

func TestSheets(t *testing.T) {
	t.Parallel()
	p := plainBook(`<row r="7"><c r="A7"><v>1</v></c></row><row r="9"><c r="A9" s="1"/></row>`).
		with("xl/workbook.xml", `<workbook xmlns:r="x"><sheets><sheet name="Chart" r:id="r4"/><sheet name="A &lt; B" r:id="r1"/><sheet name="Old" state="veryHidden" r:id="r5"/></sheets></workbook>`).
		with("xl/_rels/workbook.xml.rels", rels("worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml",
			"chartsheet", "chartsheets/sheet1.xml", "worksheet", "worksheets/sheet2.xml")).
		with("xl/worksheets/sheet2.xml", `<worksheet><cols><col min="2" max="3" hidden="1"/><col min="4" max="4"/></cols><sheetData/></worksheet>`).
		with("xl/chartsheets/sheet1.xml", `<chartsheet/>`)
	w, err := Open(source(p.zip(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want := []sheet.SheetMeta{{Name: "A < B", Rows: 7}, {Name: "Old", Rows: 0, Hidden: true}}
	if d := cmp.Diff(want, w.Sheets()); d != "" {
		t.Error(d)
	}
	r, err := w.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if d := cmp.Diff([]int{1, 2}, r.(interface{ HiddenColumns() []int }).HiddenColumns()); d != "" {
		t.Error(d)
	}
}

// TestRefusals: every file that cannot be read has a name for it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	plain := plainBook(`<row r="1"><c r="A1"><v>1</v></c></row>`)
	const one = "xl/worksheets/sheet1.xml"
	whole := plain.zip(t)
	utf16le := func(s string) string {
		var b strings.Builder
		for _, c := range s {
			b.WriteRune(c)
			b.WriteByte(0)
		}
		return b.String()
	}
	const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no bytes":           {nil, "empty"},
		"text":               {[]byte("id,name\n1,a\n"), "corrupt"},
		"cut off":            {whole[:len(whole)*2/3], "corrupt"},
		"encrypted":          {[]byte(ole + strings.Repeat("\x00", 1000) + utf16le("EncryptedPackage")), "encrypted"},
		"old workbook":       {[]byte(ole + strings.Repeat("\x00", 1000) + utf16le("Workbook")), "unsupported"},
		"other archive":      {parts{"readme.txt": "x"}.zip(t), "unknown-format"},
		"binary workbook":    {plain.with("_rels/.rels", rels("officeDocument", "xl/workbook.bin")).with("xl/workbook.bin", "x").zip(t), "unsupported"},
		"opendocument":       {parts{"mimetype": "x", "content.xml": "<x/>"}.zip(t), "unsupported"},
		"document":           {parts{"_rels/.rels": rels("officeDocument", "word/document.xml"), "word/document.xml": "<x/>"}.zip(t), "unsupported"},
		"no sheets":          {plain.with(one, "").with("xl/workbook.xml", "<workbook/>").zip(t), "empty"},
		"a sheet is missing": {plain.with(one, "").zip(t), "corrupt"},
		"data cut off":       {plain.with(one, `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>`).zip(t), "corrupt"},
		"cut within a tag":   {plain.with(one, `<worksheet><sheetData><row r="1`).zip(t), "corrupt"},
		"row too far":        {plain.with(one, `<worksheet><sheetData><row r="1048577"/></sheetData></worksheet>`).zip(t), "corrupt"},
		"column too far":     {plain.with(one, `<worksheet><sheetData><row r="1"><c r="XFE1"/></row></sheetData></worksheet>`).zip(t), "corrupt"},
		"text too long":      {plainBook(`<row r="1"><c r="A1" t="str"><v>` + strings.Repeat("x", MaxText+1) + `</v></c></row>`).zip(t), "too-large"},
		"shared text":        {plainBook(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`).with("xl/sharedStrings.xml", `<sst><si><t>`+strings.Repeat("x", MaxText+1)+`</t></si></sst>`).zip(t), "too-large"},
		"row too long":       {plainBook(`<row r="1">`+strings.Repeat(`<c t="s"><v>0</v></c>`, 40)+`</row>`).with("xl/sharedStrings.xml", `<sst><si><t>`+strings.Repeat("x", MaxText)+`</t></si></sst>`).zip(t), "too-large"},
		"tag too long":       {plainBook(`<row r="1" x="` + strings.Repeat("x", 3<<20) + `"/>`).zip(t), "corrupt"},
		"broken list":        {plain.with("xl/workbook.xml", `<workbook><sheets><sheet name="a"`).zip(t), "corrupt"},
		"too many sheets":    {plain.with("xl/workbook.xml", `<workbook>`+strings.Repeat(`<sheet name="a"/>`, MaxSheets+1)+`</workbook>`).zip(t), "too-large"},
		"wide and far apart": {plainBook(strings.Repeat(`<row><c r="XFD1"><v>1</v></c></row>`, MaxGaps/MaxColumns+9)).zip(t), "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := drainAll(c.file); code(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
