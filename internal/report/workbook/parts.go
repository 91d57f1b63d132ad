package workbook

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	cells   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	office  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	pack    = "http://schemas.openxmlformats.org/package/2006"
	content = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// head are the parts that do not depend on the rows.
func head(name string) []part {
	return []part{
		{"_rels/.rels", xmlHead + `<Relationships xmlns="` + pack + `/relationships">` +
			`<Relationship Id="rId1" Type="` + office + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", xmlHead + `<workbook xmlns="` + cells + `" xmlns:r="` + office + `"><sheets><sheet name="` +
			string(appendText(nil, sheetName(name))) + `" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xmlHead + `<Relationships xmlns="` + pack + `/relationships">` +
			`<Relationship Id="rId1" Type="` + office + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + office + `/styles" Target="styles.xml"/></Relationships>`},
	}
}

// sheetName keeps what a sheet's name may hold: 31 UTF-16 units, none of
// []:*?/\, no apostrophe at its ends.
func sheetName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || strings.ContainsRune(`[]:*?/\`, r) {
			return -1
		}
		return r
	}, name)
	units := utf16.Encode([]rune(strings.Trim(name, "' ")))
	name = strings.Trim(string(utf16.Decode(units[:min(len(units), 31)])), "'\ufffd ")
	if name == "" {
		return "Sheet1"
	}
	return name
}

// sheetHead is the sheet up to its first row.
func sheetHead(o Options) string {
	var b strings.Builder
	b.WriteString(xmlHead + `<worksheet xmlns="` + cells + `" xmlns:r="` + office + `">`)
	if o.Frozen > 0 {
		fmt.Fprintf(&b, `<sheetViews><sheetView workbookViewId="0"><pane ySplit="%d" topLeftCell="A%d" `+
			`activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`, o.Frozen, o.Frozen+1)
	}
	var cols strings.Builder
	for i, width := range o.Widths {
		if width > 0 && i < MaxColumns {
			fmt.Fprintf(&cols, `<col min="%d" max="%d" width="%g" customWidth="1"/>`, i+1, i+1, min(width, 255))
		}
	}
	if cols.Len() > 0 {
		b.WriteString("<cols>" + cols.String() + "</cols>")
	}
	b.WriteString("<sheetData>")
	return b.String()
}

func sheetTail(notes bool) string {
	if notes {
		return `</sheetData><legacyDrawing r:id="rId1"/></worksheet>`
	}
	return "</sheetData></worksheet>"
}

// tail are the parts that depend on the rows.
func tail(s *styles, notes []note) []part {
	types := `<Types xmlns="` + pack + `/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + content + `sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + content + `worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + content + `styles+xml"/>`
	parts := []part{{"xl/styles.xml", s.xml()}}
	if len(notes) > 0 {
		types += `<Override PartName="/xl/comments1.xml" ContentType="` + content + `comments+xml"/>`
		parts = append(parts,
			part{"xl/worksheets/_rels/sheet1.xml.rels", xmlHead + `<Relationships xmlns="` + pack + `/relationships">` +
				`<Relationship Id="rId1" Type="` + office + `/vmlDrawing" Target="../drawings/vmlDrawing1.vml"/>` +
				`<Relationship Id="rId2" Type="` + office + `/comments" Target="../comments1.xml"/></Relationships>`},
			part{"xl/comments1.xml", comments(notes)},
			part{"xl/drawings/vmlDrawing1.vml", drawing(notes)})
	}
	return append(parts, part{"[Content_Types].xml", xmlHead + types + "</Types>"})
}

// comments are the texts of the notes.
func comments(notes []note) string {
	b := []byte(xmlHead + `<comments xmlns="` + cells + `"><authors><author>Dropload</author></authors><commentList>`)
	for _, n := range notes {
		b = append(b, `<comment ref="`...)
		b = appendRef(b, n.column, n.row+1)
		b = append(b, `" authorId="0"><text><r><rPr><sz val="9"/><rFont val="Calibri"/></rPr><t xml:space="preserve">`...)
		b = appendText(b, cut(n.text))
		b = append(b, "</t></r></text></comment>"...)
	}
	return string(append(b, "</commentList></comments>"...))
}

// drawing are the boxes in which programs show the notes; without them they
// show none.
func drawing(notes []note) string {
	var b strings.Builder
	b.WriteString(`<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" ` +
		`xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/>` +
		`</o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" ` +
		`path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>` +
		`<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>`)
	for i, n := range notes {
		// The box stands right of its cell, four columns wide and five rows high.
		fmt.Fprintf(&b, `<v:shape id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;visibility:hidden" `+
			`fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/>`+
			`<v:textbox style="mso-direction-alt:auto"/><x:ClientData ObjectType="Note"><x:MoveWithCells/>`+
			`<x:SizeWithCells/><x:Anchor>%d, 15, %d, 2, %d, 15, %d, 2</x:Anchor><x:AutoFill>False</x:AutoFill>`+
			`<x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>`,
			1025+i, n.column+1, n.row, n.column+5, n.row+5, n.row, n.column)
	}
	b.WriteString("</xml>")
	return b.String()
}

// styles collects the cell formats that are used. Format 0 is the plain one.
type styles struct {
	ids     map[style]int
	order   []style
	formats map[string]int // number formats of our own by code
	codes   []string
}

type style struct {
	format string
	look   Look
}

func newStyles() styles {
	return styles{ids: map[style]int{{}: 0}, order: []style{{}}, formats: map[string]int{}}
}

// id is the number of a style. Where there are too many, the number format is
// left out: the value stays.
func (s *styles) id(format string, look Look) int {
	key := style{format, look}
	if id, ok := s.ids[key]; ok {
		return id
	}
	if len(s.order) >= maxFormats && format != "" {
		return s.id("", look)
	}
	if _, ok := s.formats[format]; !ok && format != "" && format != textFormat {
		s.formats[format] = firstFormat + len(s.codes)
		s.codes = append(s.codes, format)
	}
	s.ids[key] = len(s.order)
	s.order = append(s.order, key)
	return s.ids[key]
}

// firstFormat is the first number that a number format of one's own may have.
const firstFormat = 164

func (s *styles) xml() string {
	var b strings.Builder
	b.WriteString(xmlHead + `<styleSheet xmlns="` + cells + `">`)
	if len(s.codes) > 0 {
		fmt.Fprintf(&b, `<numFmts count="%d">`, len(s.codes))
		for i, code := range s.codes {
			fmt.Fprintf(&b, `<numFmt numFmtId="%d" formatCode="%s"/>`, firstFormat+i, appendText(nil, code))
		}
		b.WriteString("</numFmts>")
	}
	b.WriteString(`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>` +
		`<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>` +
		`<fill><patternFill patternType="solid"><fgColor rgb="FFE7E6E6"/></patternFill></fill>` +
		`<fill><patternFill patternType="solid"><fgColor rgb="FFFFC7CE"/></patternFill></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>`)
	fmt.Fprintf(&b, `<cellXfs count="%d">`, len(s.order))
	for _, st := range s.order {
		format := 0
		switch st.format {
		case "":
		case textFormat:
			format = 49
		default:
			format = s.formats[st.format]
		}
		look := [...]string{
			Plain:   `fontId="0" fillId="0" borderId="0" xfId="0"`,
			Header:  `fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"`,
			Marked:  `fontId="0" fillId="3" borderId="0" xfId="0" applyFill="1"`,
			Wrapped: `fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1"`,
		}[st.look]
		b.WriteString(`<xf numFmtId="` + strconv.Itoa(format) + `" ` + look)
		if format > 0 {
			b.WriteString(` applyNumberFormat="1"`)
		}
		if st.look == Wrapped {
			b.WriteString(`><alignment vertical="top" wrapText="1"/></xf>`)
			continue
		}
		b.WriteString("/>")
	}
	b.WriteString(`</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`)
	return b.String()
}
