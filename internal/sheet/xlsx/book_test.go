package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
)

const (
	nsMain = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	nsRels = `xmlns="http://schemas.openxmlformats.org/package/2006/relationships"`
	relDoc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

// parts are the files of a workbook by name.
type parts map[string]string

// plainBook is a workbook of one sheet; data is the inside of its sheetData.
func plainBook(data string) parts {
	return parts{
		"_rels/.rels":     rels("officeDocument", "xl/workbook.xml"),
		"xl/workbook.xml": `<workbook ` + nsMain + ` xmlns:r="x"><sheets><sheet name="S &amp; T" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": rels("worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml",
			"styles", "styles.xml"),
		"xl/worksheets/sheet1.xml": `<?xml version="1.0"?><worksheet ` + nsMain + `><sheetData>` + data + `</sheetData></worksheet>`,
		"xl/sharedStrings.xml":     `<sst ` + nsMain + `><si><t>zero</t></si><si><r><t xml:space="preserve">one </t></r><r><rPr><b/></rPr><t>&amp; a half</t></r><rPh sb="0" eb="1"><t>sound</t></rPh></si><si><t/></si><si><t>a_x000D_b_x005F_x000D_</t></si></sst>`,
		"xl/styles.xml": `<styleSheet ` + nsMain + `><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/><numFmt numFmtId="165" formatCode="00000"/></numFmts>` +
			`<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="10"/><xf numFmtId="21"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
	}
}

// rels is a relationships part of kind and target in turn; ids are r1, r2…
func rels(pairs ...string) string {
	var b strings.Builder
	b.WriteString(`<Relationships ` + nsRels + `>`)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="r%d" Type="%s%s" Target="%s"/>`, i/2+1, relDoc, pairs[i], pairs[i+1])
	}
	return b.String() + `</Relationships>`
}

// with returns the parts with one of them replaced; none is taken away by "".
func (p parts) with(name, content string) parts {
	out := maps.Clone(p)
	out[name] = content
	if content == "" {
		delete(out, name)
	}
	return out
}

func (p parts) renamed(from, to string) parts {
	c := p[from]
	return p.with(from, "").with(to, c)
}

func (p parts) replace(name, from, to string) parts {
	return p.with(name, strings.ReplaceAll(p[name], from, to))
}

// zip packs the parts.
func (p parts) zip(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range p {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func source(b []byte) sheet.Source { return bytes.NewReader(b) }

// show writes a cell as its kind and its text: "n:12", "" for an empty one.
func show(c record.Cell) string {
	if c.Kind == record.Empty {
		return ""
	}
	return [...]string{"", "t", "n", "b", "d", "c", "m", "e"}[c.Kind] + ":" + c.Text
}

// lines reads a sheet: a line a row, its number before it where it is not the
// next one, a star behind it where it is hidden.
func lines(t testing.TB, b []byte, sheet int) ([]string, error) {
	t.Helper()
	w, err := Open(source(b))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	r, err := w.Open(sheet)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, show(c))
		}
		line := strings.Join(cells, "|")
		for _, p := range row.Problems {
			line += fmt.Sprintf(" !%s@%d", p.Code, p.Column)
		}
		if row.Hidden {
			line += "*"
		}
		if row.Number != int64(len(out)+1) {
			line = fmt.Sprintf("%d=%s", row.Number, line)
		}
		out = append(out, line)
	}
}

// code is the code of a fault, "" of none, the error's text of anything else.
func code(err error) string {
	var bad *fault.BadFile
	switch {
	case err == nil:
		return ""
	case errors.As(err, &bad):
		return bad.Code
	}
	return err.Error()
}
