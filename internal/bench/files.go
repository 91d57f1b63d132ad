package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// edition says how a file differs from the one that was imported before: one
// row in Changed has another value. 0 is none.
type edition struct{ changed, number int }

// kind is an entity with a file of its own making.
type kind struct {
	entity  string
	columns []string
	row     func(n int, e edition) []string
}

func (e edition) of(n int) int {
	if e.changed > 0 && n%e.changed == 0 {
		return e.number
	}
	return 0
}

// products have no unique field besides the key.
func products() kind {
	return kind{
		entity:  "products",
		columns: []string{"Code", "Name", "Type", "Description", "Price", "Currency", "Barcode", "Active"},
		row: func(n int, e edition) []string {
			return []string{
				fmt.Sprintf("AB-%08d", n), fmt.Sprintf("Running shoe %d", n), "product",
				fmt.Sprintf("Light running shoe, size %d, two colours, for road and trail", 36+n%12),
				fmt.Sprintf("%d.%02d", 10+n%90+e.of(n), n%97), "EUR", fmt.Sprintf("40063%08d", n), "yes",
			}
		},
	}
}

// contacts have a unique e-mail, 12 columns in all; without phones, another
// line of the address stands in their place.
func contacts(phones bool) kind {
	third := "Phone"
	if !phones {
		third = "Address line 2"
	}
	return kind{
		entity: "contacts",
		columns: []string{"Code", "E-mail", third, "First name", "Last name", "Job title", "Language", "Notes",
			"Street", "Postal code", "City", "Country"},
		row: func(n int, e edition) []string {
			phone := fmt.Sprintf([...]string{"+370612%05d", "+370 612 %05d", "00370612%05d", "+49 30 55%05d"}[n%4], n%100_000)
			if !phones {
				phone = fmt.Sprintf("Staircase %d", n%7)
			}
			return []string{
				fmt.Sprintf("P-%08d", n), fmt.Sprintf("anna.berg.%d@example.com", n), phone, "Anna", fmt.Sprintf("Bérg %d", n%1000),
				[...]string{"Buyer", "Head of Sales", "Accountant"}[n%3], [...]string{"de", "lt", "en"}[n%3],
				fmt.Sprintf("Met at the fair, stand %d", n%500+e.of(n)), fmt.Sprintf("Hauptstr. %d", n%200), fmt.Sprintf("1%04d", n%10_000), "Berlin", "DE",
			}
		},
	}
}

// writeCSV writes n rows below a header.
func (k kind) writeCSV(w io.Writer, n int, e edition) error {
	var line []byte
	write := func(cells []string) error {
		line = line[:0]
		for i, c := range cells {
			if i > 0 {
				line = append(line, ',')
			}
			if strings.ContainsRune(c, ',') {
				line = append(append(append(line, '"'), c...), '"')
			} else {
				line = append(line, c...)
			}
		}
		_, err := w.Write(append(line, '\n'))
		return err
	}
	if err := write(k.columns); err != nil {
		return err
	}
	for i := range n {
		if err := write(k.row(i, e)); err != nil {
			return err
		}
	}
	return nil
}

func (k kind) csv(n int, e edition) []byte {
	var b bytes.Buffer
	_ = k.writeCSV(&b, n, e) // a buffer takes all
	return b.Bytes()
}

// xlsx is a workbook of n rows with shared strings, as Excel writes them.
func (k kind) xlsx(n int) ([]byte, error) {
	const main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	const packed = "http://schemas.openxmlformats.org/package/2006/"
	var sheet, shared strings.Builder
	index := map[string]int{}
	fmt.Fprintf(&sheet, `<worksheet %s><sheetData>`, main)
	fmt.Fprintf(&shared, `<sst %s>`, main)
	row := func(at int, cells []string) {
		fmt.Fprintf(&sheet, `<row r="%d">`, at)
		for i, c := range cells {
			s, ok := index[c]
			if !ok {
				s = len(index)
				index[c] = s
				fmt.Fprintf(&shared, "<si><t>%s</t></si>", c)
			}
			fmt.Fprintf(&sheet, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+i, at, s)
		}
		sheet.WriteString("</row>")
	}
	row(1, k.columns)
	for i := range n {
		row(i+2, k.row(i, edition{}))
	}
	sheet.WriteString("</sheetData></worksheet>")
	shared.WriteString("</sst>")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [...][2]string{
		{"[Content_Types].xml", `<Types xmlns="` + packed + `content-types"><Default Extension="xml" ContentType="application/xml"/>` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
			`<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="` + packed + `relationships"><Relationship Id="rId1" Type="` + office + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook ` + main + ` xmlns:r="` + office + `"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packed + `relationships">` +
			`<Relationship Id="rId1" Type="` + office + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + office + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", sheet.String()},
		{"xl/sharedStrings.xml", shared.String()},
	} {
		w, err := z.Create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+part[1]); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
