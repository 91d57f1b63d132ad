package entity

import (
	"encoding/json"
	"strings"
)

// PostalAddress is one address. Its canonical text is one JSON object with the
// parts in this order, blank ones left out.
type PostalAddress struct {
	Kind       string `json:"kind,omitempty"` // billing or shipping
	Text       string `json:"text,omitempty"` // an address written in one piece
	Street     string `json:"street,omitempty"`
	Street2    string `json:"street2,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166-1 alpha-2
}

// AddressParts are the parts that a column can hold, in the order of the
// canonical text.
func AddressParts() []string {
	return []string{"text", "street", "street2", "postal_code", "city", "region", "country"}
}

// AddressKinds are the kinds; the first is meant where none is said.
func AddressKinds() []string { return []string{"billing", "shipping"} }

// Set sets a part by its name, and tells whether there is such a part.
func (a *PostalAddress) Set(part, value string) bool {
	switch part {
	case "text":
		a.Text = value
	case "street":
		a.Street = value
	case "street2":
		a.Street2 = value
	case "postal_code":
		a.PostalCode = value
	case "city":
		a.City = value
	case "region":
		a.Region = value
	case "country":
		a.Country = value
	default:
		return false
	}
	return true
}

// IsEmpty tells whether no part is set; the kind alone is no address.
func (a *PostalAddress) IsEmpty() bool { return *a == PostalAddress{Kind: a.Kind} }

// String is the canonical text.
func (a *PostalAddress) String() string {
	var b strings.Builder
	b.Grow(160)
	for _, p := range [...][2]string{{"kind", a.Kind}, {"text", a.Text}, {"street", a.Street}, {"street2", a.Street2},
		{"postal_code", a.PostalCode}, {"city", a.City}, {"region", a.Region}, {"country", a.Country}} {
		if p[1] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		} else {
			b.WriteByte('{')
		}
		b.WriteByte('"')
		b.WriteString(p[0])
		b.WriteString(`":`)
		quote(&b, p[1])
	}
	if b.Len() == 0 {
		return ""
	}
	b.WriteByte('}')
	return b.String()
}

// quote writes a JSON string; only what JSON asks for is escaped.
func quote(b *strings.Builder, s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			// HTML is not escaped, so that what people read stays as it is.
			var w strings.Builder
			enc := json.NewEncoder(&w)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(s); err != nil {
				panic(err) // a string always encodes
			}
			b.WriteString(strings.TrimSuffix(w.String(), "\n"))
			return
		}
	}
	b.WriteByte('"')
	b.WriteString(s)
	b.WriteByte('"')
}

// ParseAddress reads a canonical text, and any JSON object of these parts.
func ParseAddress(text string) (PostalAddress, bool) {
	if !strings.HasPrefix(text, "{") {
		return PostalAddress{}, false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var a PostalAddress
	if err := dec.Decode(&a); err != nil || dec.More() {
		return PostalAddress{}, false
	}
	return a, true
}
