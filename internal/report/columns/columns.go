// Package columns names the columns that a report adds after a file's own, and
// finds them again when the repaired report is dropped back.
//
// The names are the only thing that tells an added column from one of the
// file's, so they are written here once, in every language of a report. A name
// that real files use too ("Reason") never counts on its own.
package columns

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The added columns, in their order.
const (
	Row    = iota // the row's number in the file
	Field         // the entity's fields that have problems
	Code          // the problems' codes
	Reason        // what is wrong and how to fix it
	Count         // how many there are
)

// Languages are the languages of the names. The first is used for any other.
func Languages() []string { return []string{"en", "de", "es", "fr", "lt"} }

// Names are the headers of the added columns in a language ("de", "de-AT"), in
// English where the language is not spoken.
func Names(lang string) []string {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	switch lang {
	case "de":
		return []string{"Zeilennummer in der Datei", "Feld mit Problem", "Problemcode", "Grund"}
	case "es":
		return []string{"Número de fila en el archivo", "Campo con problema", "Código del problema", "Motivo"}
	case "fr":
		return []string{"Numéro de ligne dans le fichier", "Champ en cause", "Code du problème", "Raison"}
	case "lt":
		return []string{"Eilutės numeris faile", "Laukas su klaida", "Klaidos kodas", "Priežastis"}
	}
	return []string{"Row number in file", "Field with problem", "Problem code", "Reason"}
}

// Recognise tells how many columns at the end of a header are added ones, those
// without a name behind them included: 0 where there is none. It looks through
// letter case, accents, punctuation and a number that a program put behind a
// name that it had seen before. The language may change from name to name and
// some of the columns may be missing, but their order holds, and a reason alone
// is a column of the file's own.
func Recognise(header []string) (n int) {
	end := len(header)
	for end > 0 && fold(header[end-1]) == "" {
		end--
	}
	at, next, sure := end, Count, false
	for at > 0 {
		kind := kindOf(header[at-1])
		if kind < 0 || kind >= next {
			break
		}
		sure = sure || kind != Reason
		next = kind
		at--
	}
	if !sure {
		return 0
	}
	return len(header) - at
}

// kindOf is the added column of this name, -1 where it is none.
func kindOf(name string) int {
	name = fold(name)
	if name == "" {
		return -1
	}
	for _, lang := range Languages() {
		if i := slices.IndexFunc(Names(lang), func(own string) bool { return fold(own) == name }); i >= 0 {
			return i
		}
	}
	return -1
}

// fold keeps what letter case, accents and decoration do not change.
func fold(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(name))
	return norm.NFC.String(name)
}
