package value_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/entity/value"
	"github.com/dropload/dropload/internal/record"
)

// everything has one field of each type.
const everything = `{"name": "things", "key": "code", "fields": [
  {"name": "code", "type": "code"},
  {"name": "text", "type": "text", "max_length": 10},
  {"name": "tags", "type": "text", "list": true, "policy": "append"},
  {"name": "integer", "type": "integer"},
  {"name": "decimal", "type": "decimal"},
  {"name": "money", "type": "money"},
  {"name": "date", "type": "date"},
  {"name": "datetime", "type": "datetime"},
  {"name": "boolean", "type": "boolean"},
  {"name": "choice", "type": "choice", "choices": [
    {"value": "male", "titles": {"de": "Männlich", "lt": "Vyras"}, "synonyms": {"en": ["m"], "lt": ["v"]}},
    {"value": "female", "titles": {"de": "Weiblich", "lt": "Moteris"}, "synonyms": {"en": ["f"], "lt": ["m"]}}]},
  {"name": "email", "type": "email", "unique": true},
  {"name": "url", "type": "url"},
  {"name": "country", "type": "country"},
  {"name": "currency", "type": "currency"},
  {"name": "language", "type": "language"},
  {"name": "addresses", "type": "address", "list": true, "policy": "append"},
  {"name": "secret", "type": "secret"},
  {"name": "agreement", "type": "agreement"}
]}`

func things(tb testing.TB) *entity.Definition {
	tb.Helper()
	def, err := entity.Parse([]byte(everything))
	if err != nil {
		tb.Fatal(err)
	}
	return def
}

// march is 2026-03-04, and half past ten, as spreadsheet programs count.
const (
	march   = 46085
	halfTen = 10.5 / 24
)

func TestConvert(t *testing.T) {
	t.Parallel()
	german := value.Options{DateFormats: []string{"DD/MM/YYYY"}, DecimalMark: ",", Language: "de"}
	short := value.Options{DateFormats: []string{"M/D/YY", "D MMM YYYY", "YYYYMMDDHHmm"}}
	tests := []struct {
		field   string
		options value.Options
		cell    record.Cell
		want    string // list items are joined with " | "; "!code" is a problem
	}{
		{"text", value.Options{}, text("  abc\u00a0"), "abc"},
		{"text", value.Options{}, text("cafe\u0301"), "café"},
		{"text", value.Options{}, text("eleven chars"), "!text_too_long"},
		{"text", value.Options{}, text("zehn Zäöüß"), "zehn Zäöüß"},
		{"text", value.Options{}, number(12), "12"},
		{"text", value.Options{}, number(0.1 + 0.2), "0.3"},
		{"text", value.Options{}, shows(0.5, "50 %"), "50 %"},
		{"text", value.Options{}, record.Cell{Kind: record.Error, Text: "#N/A"}, "!cell_error"},
		{"text", value.Options{}, text("<CLEAR>"), "(clear)"},
		{"text", value.Options{ClearMark: "-leer-"}, text(" -Leer- "), "(clear)"},
		{"text", value.Options{ClearMark: "-leer-"}, text("<clear>"), "<clear>"},
		{"text", value.Options{}, text(""), ""},
		{"text", value.Options{}, text("\u200b\ufeff "), ""},

		{"tags", value.Options{}, text("a; b|c\nA;a;;"), "a | b | c | A"},
		{"tags", value.Options{Separator: ","}, text("a;b, c"), "a;b | c"},
		{"tags", value.Options{}, number(7), "7"},

		{"code", value.Options{}, text("00123"), "00123"},
		{"code", value.Options{}, text("12E3"), "12E3"},
		{"code", value.Options{}, text("1.5E+3"), "1.5E+3"},
		{"code", value.Options{}, text("4.00638E+12"), "!digits_lost"},
		{"code", value.Options{}, text("4.006381333931E+12"), "4006381333931"},
		{"code", value.Options{}, shows(4006381333931, "4.00638E+12"), "4006381333931"},
		{"code", value.Options{}, shows(7, "0007"), "0007"},
		{"code", value.Options{}, text(strings.Repeat("x", 600)), "!key_too_long"},
		{"code", value.Options{}, text(strings.Repeat("ž", 257)), "!key_too_long"},
		{"code", value.Options{}, text(strings.Repeat("x", 512)), strings.Repeat("x", 512)},

		{"integer", value.Options{}, text("1 234"), "1234"},
		{"integer", value.Options{}, text("-7"), "-7"},
		{"integer", value.Options{}, text("12.0"), "12"},
		{"integer", value.Options{}, text("12.5"), "!integer_invalid"},
		{"integer", value.Options{}, text("x"), "!integer_invalid"},

		{"decimal", value.Options{}, text("19.90"), "19.9"},
		{"decimal", value.Options{}, text("19,90"), "19.9"},
		{"decimal", value.Options{}, text("1,234.50"), "1234.5"},
		{"decimal", value.Options{}, text("1.234,50"), "1234.5"},
		{"decimal", value.Options{}, text("1,234,567"), "1234567"},
		{"decimal", value.Options{}, text("12,34,567.8"), "1234567.8"},
		{"decimal", value.Options{}, text("1'234.5"), "1234.5"},
		{"decimal", value.Options{}, text("1,234"), "!number_ambiguous"},
		{"decimal", value.Options{}, text("1.234"), "!number_ambiguous"},
		{"decimal", value.Options{}, text("0.125"), "0.125"},
		{"decimal", value.Options{}, text("1234.567"), "1234.567"},
		{"decimal", value.Options{DecimalMark: "."}, text("1.234"), "1.234"},
		{"decimal", value.Options{DecimalMark: "."}, text("1,234"), "1234"},
		{"decimal", german, text("1.234"), "1234"},
		{"decimal", german, text("1,5"), "1.5"},
		{"decimal", german, text("1.5"), "!number_invalid"},
		{"decimal", value.Options{}, text(".5"), "0.5"},
		{"decimal", value.Options{}, text("-0.00"), "0"},
		{"decimal", value.Options{}, text("007"), "7"},
		{"decimal", value.Options{}, text("1.2E+05"), "!digits_lost"},
		{"decimal", value.Options{}, text("1-2"), "!number_invalid"},
		{"decimal", value.Options{}, text("€ 5"), "!number_invalid"},
		{"decimal", value.Options{}, text(""), ""},
		{"decimal", value.Options{}, text("."), "!number_invalid"},
		{"decimal", value.Options{}, text(strings.Repeat("9", 39)), "!number_invalid"},
		{"decimal", value.Options{}, shows(1234.5, "1 234,50"), "1234.5"},
		{"decimal", value.Options{}, record.Cell{Kind: record.Bool, Number: 1, Text: "TRUE"}, "!number_invalid"},

		{"money", value.Options{}, text("€ 1.234,50"), "1234.5"},
		{"money", value.Options{}, text("1 234,50 EUR"), "1234.5"},
		{"money", value.Options{}, text("($12.00)"), "-12"},
		{"money", value.Options{}, text("$-12"), "-12"},
		{"money", value.Options{}, text("12.50-"), "-12.5"},
		{"money", value.Options{}, text("free"), "!number_invalid"},

		{"date", value.Options{}, text("2026-03-04"), "2026-03-04"},
		{"date", value.Options{}, text("2026-02-30"), "!date_invalid"},
		{"date", value.Options{}, text("2024-02-29"), "2024-02-29"},
		{"date", value.Options{}, text("2026/3/4"), "2026-03-04"},
		{"date", value.Options{}, text("20260304"), "2026-03-04"},
		{"date", value.Options{}, text("2026-03-04T10:30:00Z"), "2026-03-04"},
		{"date", value.Options{}, text("2026-03-04 00:00"), "2026-03-04"},
		{"date", value.Options{}, text("03/04/2026"), "!date_ambiguous"},
		{"date", value.Options{}, text("3-4-2026"), "!date_ambiguous"},
		{"date", value.Options{}, text("3/4/26"), "!date_ambiguous"},
		{"date", value.Options{}, text("13/04/2026"), "2026-04-13"},
		{"date", value.Options{}, text("04/13/2026"), "2026-04-13"},
		{"date", value.Options{}, text("04/04/2026"), "2026-04-04"},
		{"date", value.Options{}, text("14/13/2026"), "!date_invalid"},
		{"date", value.Options{}, text("03.04.2026"), "2026-04-03"},
		{"date", value.Options{}, text("3. April 2026"), "2026-04-03"},
		{"date", value.Options{}, text("April 3rd, 2026"), "2026-04-03"},
		{"date", value.Options{}, text("3 de abril de 2026"), "2026-04-03"},
		{"date", value.Options{}, text("1er août 2026"), "2026-08-01"},
		{"date", value.Options{}, text("2026 m. gegužės 3 d."), "2026-05-03"},
		{"date", value.Options{}, text("3-Apr-26"), "!date_ambiguous"},
		{"date", value.Options{}, text("April 2026"), "!date_invalid"},
		{"date", value.Options{}, text("soon"), "!date_invalid"},
		{"date", value.Options{}, text("0000-01-01"), "!date_invalid"},
		{"date", value.Options{}, text("2026-03-04 25:00"), "!date_invalid"},
		{"date", german, text("03/04/2026"), "2026-04-03"},
		{"date", german, text("3/4/2026"), "2026-04-03"},
		{"date", german, text("04/13/2026"), "!date_invalid"},
		{"date", german, text("2026-03-04"), "2026-03-04"},
		{"date", german, text("3. April 2026"), "2026-04-03"},
		{"date", german, text("03/04/2026 10:30"), "!date_invalid"},
		{"date", short, text("3/4/26"), "2026-03-04"},
		{"date", short, text("3/4/70"), "1970-03-04"},
		{"date", short, text("4 Mrz 2026"), "2026-03-04"},
		{"date", short, text("202603041030"), "2026-03-04"},
		{"date", value.Options{}, record.Cell{Kind: record.Date, Number: march, Text: "04/03/2026"}, "2026-03-04"},
		{"date", value.Options{}, record.Cell{Kind: record.DateTime, Number: march + halfTen}, "2026-03-04"},
		{"date", value.Options{}, record.Cell{Kind: record.Time, Number: halfTen, Text: "10:30"}, "!date_invalid"},
		{"date", value.Options{}, number(march), "!date_invalid"},
		{"date", value.Options{}, number(20260304), "2026-03-04"},

		{"datetime", value.Options{}, text("2026-03-04T10:30:00+02:00"), "2026-03-04T10:30:00+02:00"},
		{"datetime", value.Options{}, text("2026-03-04 10:30"), "2026-03-04T10:30:00Z"},
		{"datetime", value.Options{}, text("04.03.2026, 10:30 PM"), "2026-03-04T22:30:00Z"},
		{"datetime", value.Options{TimeZone: "Europe/Vilnius"}, text("2026-03-04 10:30"), "2026-03-04T10:30:00+02:00"},
		{"datetime", value.Options{}, text("2026-03-04"), "2026-03-04T00:00:00Z"},
		{"datetime", value.Options{}, record.Cell{Kind: record.DateTime, Number: march + halfTen}, "2026-03-04T10:30:00Z"},
		{"datetime", value.Options{}, text("3/4/2026 10:30"), "!date_ambiguous"},

		{"boolean", value.Options{}, text("Yes"), "true"},
		{"boolean", value.Options{}, text("NEIN"), "false"},
		{"boolean", value.Options{}, text("taip"), "true"},
		{"boolean", value.Options{}, text("Sí"), "true"},
		{"boolean", value.Options{}, text("non"), "false"},
		{"boolean", value.Options{}, text("maybe"), "!boolean_unknown"},
		{"boolean", value.Options{}, record.Cell{Kind: record.Bool, Number: 1, Text: "WAHR"}, "true"},
		{"boolean", value.Options{}, number(0), "false"},
		{"boolean", value.Options{}, shows(2, "2"), "!boolean_unknown"},

		{"choice", value.Options{}, text("MALE"), "male"},
		{"choice", value.Options{}, text("männlich"), "male"},
		{"choice", value.Options{}, text("mannlich"), "male"},
		{"choice", value.Options{}, text("m"), "male"},
		{"choice", value.Options{Language: "lt"}, text("M"), "female"},
		{"choice", value.Options{Language: "lt"}, text("V"), "male"},
		{"choice", value.Options{}, text("f."), "female"},
		{"choice", value.Options{}, text("robot"), "!choice_unknown"},

		{"email", value.Options{}, text(" Anna.Berg@Example.com "), "Anna.Berg@Example.com"},
		{"email", value.Options{}, text("mailto:a@b.example"), "a@b.example"},
		{"email", value.Options{}, text("o'brien+x@sub.b-c.example"), "o'brien+x@sub.b-c.example"},
		{"email", value.Options{}, text("jürgen@müller.example"), "jürgen@müller.example"},
		{"email", value.Options{}, text("anna"), "!email_invalid"},
		{"email", value.Options{}, text("anna@example"), "!email_invalid"},
		{"email", value.Options{}, text("anna@@example.com"), "!email_invalid"},
		{"email", value.Options{}, text("an na@example.com"), "!email_invalid"},
		{"email", value.Options{}, text("a@b.com; c@d.com"), "!email_invalid"},
		{"email", value.Options{}, text(".a@b.com"), "!email_invalid"},
		{"email", value.Options{}, text("a..b@c.com"), "!email_invalid"},
		{"email", value.Options{}, text("a@-b.com"), "!email_invalid"},
		{"email", value.Options{}, text("a@b.c"), "!email_invalid"},
		{"email", value.Options{}, text("a@10.0.0.1"), "!email_invalid"},
		{"email", value.Options{}, text("a@b.com\u200bx"), "!email_invalid"},
		{"email", value.Options{}, text(strings.Repeat("a", 65) + "@b.com"), "!email_invalid"},

		{"url", value.Options{}, text("Example.com"), "https://example.com"},
		{"url", value.Options{}, text("HTTP://Example.com/Path?q=1"), "http://example.com/Path?q=1"},
		{"url", value.Options{}, text("www.example.com:8080/x"), "https://www.example.com:8080/x"},
		{"url", value.Options{}, text("ftp://example.com"), "!url_invalid"},
		{"url", value.Options{}, text("javascript:alert(1)"), "!url_invalid"},
		{"url", value.Options{}, text("not a site"), "!url_invalid"},
		{"url", value.Options{}, text("none"), "!url_invalid"},

		{"country", value.Options{}, text("de"), "DE"},
		{"country", value.Options{}, text("DEU"), "DE"},
		{"country", value.Options{}, text("Germany"), "DE"},
		{"country", value.Options{}, text("DEUTSCHLAND"), "DE"},
		{"country", value.Options{}, text("Allemagne"), "DE"},
		{"country", value.Options{}, text("Alemania"), "DE"},
		{"country", value.Options{}, text("Vokietija"), "DE"},
		{"country", value.Options{}, text("U.S.A."), "US"},
		{"country", value.Options{}, text("UK"), "GB"},
		{"country", value.Options{}, text("The Netherlands"), "NL"},
		{"country", value.Options{}, text("Österreich"), "AT"},
		{"country", value.Options{}, text("Atlantis"), "!country_unknown"},
		{"country", value.Options{}, text("XX"), "!country_unknown"},

		{"currency", value.Options{}, text("eur"), "EUR"},
		{"currency", value.Options{}, text("€"), "EUR"},
		{"currency", value.Options{}, text("$"), "!currency_unknown"},
		{"currency", value.Options{}, text("ABC"), "!currency_unknown"},
		{"currency", value.Options{Currencies: []string{"STARS"}}, text("stars"), "STARS"},

		{"language", value.Options{}, text("DE"), "de"},
		{"language", value.Options{}, text("deu"), "de"},
		{"language", value.Options{}, text("German"), "de"},
		{"language", value.Options{}, text("Deutsch"), "de"},
		{"language", value.Options{}, text("lietuvių"), "lt"},
		{"language", value.Options{}, text("pt_br"), "pt-BR"},
		{"language", value.Options{}, text("Klingonese"), "!language_unknown"},

		{"addresses", value.Options{}, text("Hauptstr. 5, Berlin"), `{"kind":"billing","text":"Hauptstr. 5, Berlin"}`},
		{"addresses", value.Options{}, text(`{"city":"Berlin","kind":"shipping","country":"Germany"}`), `{"kind":"shipping","city":"Berlin","country":"DE"}`},
		{"addresses", value.Options{}, text(`{"town":"Berlin"}`), "!address_invalid"},

		{"secret", value.Options{}, text("s3cret!"), ""},

		{"agreement", value.Options{}, text("2025-05-01, Berlin, no. 17"), "2025-05-01, Berlin, no. 17"},
		{"agreement", value.Options{}, text("1.5.2025, Berlin, no. 17"), "2025-05-01, Berlin, no. 17"},
		{"agreement", value.Options{}, text("May 1, 2025 Rome"), "2025-05-01 Rome"},
		{"agreement", value.Options{}, text("3/4/2025, Rome"), "3/4/2025, Rome"},
		{"agreement", value.Options{}, text("at the till"), "at the till"},
	}
	def := things(t)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %v", test.field, test.cell), func(t *testing.T) {
			t.Parallel()
			i, _ := def.Field(test.field)
			v, w := converter(t, def, test.options).Convert(i, test.cell)
			got := v.Text + strings.Join(v.List, " | ")
			switch {
			case w.Code != "":
				got = "!" + w.Code
			case v.Clear:
				got = "(clear)"
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestAgain: a canonical value that comes in again stays as it is, so that a
// repeated import changes nothing.
func TestAgain(t *testing.T) {
	t.Parallel()
	def := things(t)
	c := converter(t, def, value.Options{})
	some := rapid.OneOf(
		rapid.StringN(0, 30, -1),
		rapid.StringMatching(`[0-9.,' €()+-]{1,12}`),
		rapid.StringMatching(`[0-3]?[0-9][./-][01]?[0-9][./-]20[0-9]{2}( 1?[0-9]:[0-5][0-9])?`),
		rapid.StringMatching(`[a-z.]{1,6}@[a-z]{1,5}\.[a-z]{2,3}`),
		rapid.SampledFrom([]string{"Germany", "€", "yes", "non", "männlich", "pt_br", "www.example.com/x", "1.5.2025, Rome", `{"city":"Ulm"}`}),
	)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(def.Fields)-1).Draw(t, "field")
		in := some.Draw(t, "text")
		once, w := c.Convert(i, text(in))
		if w.Code != "" || once.Clear {
			return
		}
		for _, s := range append(once.List, once.Text) {
			twice, w := c.Convert(i, text(s))
			if got := twice.Text + strings.Join(twice.List, "|"); w.Code != "" || got != s {
				t.Fatalf("%s: %q became %q, and that %q %s", def.Fields[i].Name, in, s, got, w.Code)
			}
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]value.Options{
		"country":      {Country: "Atlantis"},
		"mark":         {DecimalMark: ";"},
		"zone":         {TimeZone: "Mars/Olympus"},
		"no year":      {DateFormats: []string{"DD.MM."}},
		"month twice":  {DateFormats: []string{"DD.MM.MM.YYYY"}},
		"empty format": {DateFormats: []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := value.New(things(t), o); err == nil {
				t.Error("no error")
			}
		})
	}
}
