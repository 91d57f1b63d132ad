package sniff

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// judgement is how much speaks for a record being a header: above 0 is yes.
type judgement struct {
	score float64
	why   string
}

func (j judgement) sure() float64 { return 1 - 0.5*math.Exp(-math.Abs(j.score)) }

// judgeHeader weighs a record against the records below it, column by column:
// a name differs in kind from what it names.
func judgeHeader(head line, body []line) judgement {
	const prior = 0.4 // most tables have a header
	typed := 0
	for _, c := range head.classes {
		if c.typed() {
			typed++
		}
	}
	if len(body) == 0 {
		if typed == 0 {
			return judgement{1, "the only record has no values"}
		}
		return judgement{-1, "the only record has values"}
	}
	score, contrast, alike, words := prior, 0, 0, 0
	for i := range head.cells {
		s := judgeColumn(head, body, i)
		switch {
		case s >= 1:
			contrast++
		case s <= -1:
			alike++
		}
		if isName(head.cells[i]) {
			words++
		}
		score += s
	}
	score += 3 * float64(words) / float64(max(1, head.filled))
	switch {
	case score <= 0 && alike > 0:
		return judgement{score, counted(alike, "cell of the first record is a value like those below it", "cells of the first record are values like those below them")}
	case score <= 0:
		return judgement{score, "the first record looks like the others"}
	case contrast > 0:
		return judgement{score, counted(contrast, "cell of the record is a name above a column of values", "cells of the record are names above columns of values")}
	}
	return judgement{score, "the record's cells differ from those below them"}
}

// judgeColumn weighs one cell of the header against its column.
func judgeColumn(head line, body []line, i int) float64 {
	h := head.class(i)
	k, share, n := columnClass(body, i)
	if h == truth && k != truth {
		h = text // "No" is short for number
	}
	switch {
	case h == blank:
		return 0
	case h.typed() && h == k && isYear(head.cells[i]) && !mostlyYears(body, i):
		return 0.5
	case h.typed() && h == k:
		return -2 * share
	case h.typed():
		return -1
	case n == 0:
		return 0.1
	case k.typed() && share > 0.6:
		return 1.5 * share
	}
	return judgeWords(head.cells[i], body, i)
}

// isYear tells whether a cell is a year of our times: above other numbers it is
// a name.
func isYear(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) == 4 && (s[:2] == "19" || s[:2] == "20") && strings.Trim(s, "0123456789") == ""
}

func mostlyYears(body []line, i int) bool {
	years, n := 0, 0
	for _, l := range body {
		if l.class(i) != blank {
			n++
			if isYear(l.cell(i)) {
				years++
			}
		}
	}
	return years*2 > n
}

// judgeWords weighs a name against a column of texts.
func judgeWords(name string, body []line, i int) float64 {
	var again, digits, n int
	var lengths []float64
	shapes := map[string]int{}
	for _, l := range body {
		c := l.cell(i)
		if l.class(i) == blank {
			continue
		}
		n++
		if strings.EqualFold(strings.TrimSpace(c), strings.TrimSpace(name)) {
			again++
		}
		if strings.IndexFunc(c, unicode.IsDigit) >= 0 {
			digits++
		}
		shapes[shape(c)]++
		lengths = append(lengths, float64(len(c)))
	}
	s := 0.0
	if again > 0 && n > 1 {
		s -= 1.2 // a value that recurs
	}
	hasDigit := strings.IndexFunc(name, unicode.IsDigit) >= 0
	most, share := commonShape(shapes, n)
	switch {
	case share >= 0.8 && n >= 3 && shape(name) == most:
		s -= 0.6
	case share >= 0.8 && n >= 3:
		s += 0.6
	}
	switch {
	case digits*10 >= n*8 && !hasDigit:
		s += 0.6
	case digits*10 >= n*8:
		s -= 0.3
	}
	if mean, dev := spread(lengths); n >= 3 && math.Abs(float64(len(name))-mean) > 2*dev+2 {
		s += 0.3
	}
	return s
}

// counted is a number with what it counts.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// shape writes runs of capitals, small letters and digits as one sign each:
// MG-8769 is "A-9".
func shape(s string) string {
	var b strings.Builder
	var last rune
	const longest = 12
	for _, r := range s {
		c := r
		switch {
		case unicode.IsUpper(r):
			c = 'A'
		case unicode.IsLetter(r):
			c = 'a'
		case unicode.IsDigit(r):
			c = '9'
		}
		if c != last {
			b.WriteRune(c)
		}
		last = c
		if b.Len() > longest {
			break
		}
	}
	return b.String()
}

func commonShape(shapes map[string]int, n int) (string, float64) {
	most := ""
	for s, c := range shapes {
		if most == "" || c > shapes[most] || c == shapes[most] && s < most {
			most = s
		}
	}
	return most, float64(shapes[most]) / float64(max(1, n))
}

func spread(v []float64) (mean, dev float64) {
	if len(v) == 0 {
		return 0, 0
	}
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		dev += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(dev / float64(len(v)))
}

// isName tells whether a cell is, or ends or begins with, a word that names
// columns in tables of people, firms and goods.
func isName(s string) bool {
	words := strings.FieldsFunc(splitCamel(s), func(r rune) bool { return !unicode.IsLetter(r) })
	const most = 4
	if len(words) == 0 || len(words) > most {
		return false
	}
	for _, w := range []string{words[0], words[len(words)-1]} {
		if isNameWord(strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// splitCamel puts a blank before a capital that follows a small letter.
func splitCamel(s string) string {
	var b strings.Builder
	small := false
	for _, r := range s {
		if small && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

func isNameWord(w string) bool {
	switch w {
	case "id", "no", "nr", "number", "code", "key", "ref", "sku", "uuid", "index", "name", "names", "title", "description", "type",
		"kind", "category", "status", "state", "city", "town", "country", "region", "street", "address", "zip", "postcode", "postal",
		"email", "mail", "phone", "tel", "telephone", "mobile", "fax", "url", "website", "web", "date", "time", "year", "month", "day",
		"created", "updated", "modified", "start", "end", "from", "to", "price", "amount", "total", "cost", "value", "currency",
		"quantity", "qty", "count", "unit", "units", "weight", "size", "color", "colour", "brand", "vendor", "supplier", "company",
		"organization", "organisation", "department", "user", "username", "owner", "customer", "client", "contact", "first", "last",
		"surname", "gender", "sex", "birthday", "birth", "age", "language", "lang", "note", "notes", "comment", "comments", "tags",
		"label", "group", "level", "rank", "score", "rate", "percent", "latitude", "longitude", "lat", "lon", "lng", "version", "source",
		"product", "item", "order", "invoice", "account", "balance", "points", "member", "device", "serial", "model", "image", "file",
		"artikel", "bezeichnung", "preis", "menge", "datum", "nummer", "anzahl", "betrag", "kunde", "firma", "vorname", "nachname",
		"straße", "strasse", "plz", "ort", "land", "telefon", "geburtsdatum", "anrede", "bemerkung", "beschreibung", "kategorie",
		"nombre", "apellido", "apellidos", "fecha", "precio", "cantidad", "dirección", "direccion", "ciudad", "país", "pais", "teléfono",
		"telefono", "correo", "empresa", "código", "codigo", "descripción", "descripcion", "nom", "prénom", "prenom", "adresse", "ville",
		"pays", "téléphone", "courriel", "société", "prix", "quantité", "montant", "vardas", "pavardė", "pavarde", "miestas", "šalis",
		"adresas", "telefonas", "įmonė", "imone", "kodas", "kaina", "kiekis", "data", "suma", "pavadinimas":
		return true
	}
	return false
}
