package mapping_test

import (
	"fmt"
	"testing"

	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
)

// benchmarkMap maps contacts of 12 columns, one core.
func benchmarkMap(b *testing.B, phones bool) {
	def := define(b, "contacts")
	headers := []string{"code", "username", "email", "first name", "last name", "job title", "company", "classification",
		"language", "notes", "city", "phone"}
	if !phones {
		headers[11] = "postal code"
	}
	bound, drift := mapping.Bind(def, mapping.StandardTemplate(def), headers)
	if len(drift) > 0 {
		b.Fatal(drift)
	}
	m, err := mapping.NewMapper(def, bound, mapping.Options{})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]record.Row, 1000)
	for i := range rows {
		last := fmt.Sprintf("%05d", i)
		if phones {
			last = []string{"+370612%05d", "+370 612 %05d", "370612%05d", "+49 30 55%05d"}[i%4]
			last = fmt.Sprintf(last, i)
		}
		rows[i] = record.Row{Number: int64(i), Cells: cells(fmt.Sprintf("C-%06d", i), fmt.Sprintf("user%d", i), fmt.Sprintf("anna.berg%d@example.com", i),
			"Anna", "Bérg", "Head of Sales", fmt.Sprintf("Nord %d GmbH", i%50), "A", "de", "met at the fair in spring", "Berlin", last)}
	}
	var out mapping.Prepared
	b.ReportAllocs()
	for b.Loop() {
		for i := range rows {
			m.Map(&rows[i], &out)
			if len(out.Problems) > 0 {
				b.Fatal(out.Problems)
			}
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(rows))/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkMap(b *testing.B)       { benchmarkMap(b, false) }
func BenchmarkMapPhones(b *testing.B) { benchmarkMap(b, true) }

func BenchmarkPropose(b *testing.B) {
	def := define(b, "contacts")
	headers := []string{"Kunden-Nr.", "Vorname", "Nachname", "E-Mail-Adresse", "Telefon (Büro)", "Firma", "Straße", "PLZ", "Ort", "Land", "Bemerkungen", "Lieblingsfarbe"}
	mapping.Propose(def, headers, nil, nil) // reads the dictionary
	for b.Loop() {
		mapping.Propose(def, headers, nil, nil)
	}
}
