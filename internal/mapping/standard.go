package mapping

import (
	"slices"

	"github.com/dropload/dropload/internal/entity"
)

// StandardTemplate is the template of a default feed: the standard column names
// of an entity, in any order.
func StandardTemplate(def *entity.Definition) Template {
	return Template{
		ID:       "standard-" + def.Name,
		Name:     def.Title("en"),
		Version:  1,
		Entity:   def.Name,
		Standard: true,
	}
}

// StandardColumn is one column of a template to download.
type StandardColumn struct {
	Field   string // as in Column.Field
	Title   string // the header, in the language asked for
	Example string // a value for the example row; may be ""
}

// StandardColumns are the columns of a template to download, in the order of
// the fields: an address by its parts, secrets left out. Its example row is one
// that imports.
func StandardColumns(def *entity.Definition, lang string) []StandardColumn {
	var cols []StandardColumn
	for i := range def.Fields {
		f := &def.Fields[i]
		switch f.Type {
		case entity.Secret:
		case entity.Address:
			for _, p := range [...][2]string{{"street", "Hauptstr. 5"}, {"street2", ""}, {"postal_code", "10115"},
				{"city", "Berlin"}, {"region", ""}, {"country", "DE"}} {
				cols = append(cols, StandardColumn{f.Name + "." + p[0], AddressTitle("", p[0], lang), p[1]})
			}
		default:
			cols = append(cols, StandardColumn{f.Name, f.Title(lang), f.Example})
		}
	}
	return cols
}

// AddressTitle is what a person reads for a part of an address ("city"), of
// one kind ("billing", "shipping") or of the usual one ("").
func AddressTitle(kind, part, lang string) string {
	at := max(0, slices.Index(entity.Languages(), base(lang)))
	title := map[string][5]string{
		"text":        {"Address", "Anschrift", "Dirección", "Adresse", "Adresas"},
		"street":      {"Street", "Straße", "Calle", "Rue", "Gatvė"},
		"street2":     {"Address line 2", "Adresszusatz", "Dirección, línea 2", "Complément d’adresse", "Adreso 2 eilutė"},
		"postal_code": {"Postal code", "Postleitzahl", "Código postal", "Code postal", "Pašto kodas"},
		"city":        {"City", "Ort", "Ciudad", "Ville", "Miestas"},
		"region":      {"Region", "Bundesland", "Región", "Région", "Regionas"},
		"country":     {"Country", "Land", "País", "Pays", "Šalis"},
	}[part][at]
	suffix := map[string][5]string{
		"billing":  {"billing", "Rechnung", "facturación", "facturation", "sąskaitos"},
		"shipping": {"shipping", "Lieferung", "envío", "livraison", "pristatymo"},
	}[kind][at]
	if suffix == "" {
		return title
	}
	return title + " (" + suffix + ")"
}

func base(lang string) string {
	for i := range len(lang) {
		if lang[i] == '-' || lang[i] == '_' {
			return lang[:i]
		}
	}
	return lang
}
