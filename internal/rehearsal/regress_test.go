package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/sniff"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// sheet is a file whose cells mean what they say.
func sheet(kind, header string, rows ...string) *file {
	text, delimiter, quote, none, one := "utf-8", ";", `"`, 0, 1
	f := &file{entity: kind, columns: strings.Split(header, ";")}
	f.options.Layout = sniff.Override{
		Encoding: &text, Delimiter: &delimiter, Quote: &quote, Preamble: &none, HeaderRows: &one, FooterRows: &none,
	}
	f.options.Separator, f.options.GenerateMissing, f.options.Unmatched = "|", true, mapping.CreateMissing
	for _, r := range rows {
		f.rows = append(f.rows, row{cells: says(strings.Split(r, ";")...)})
	}
	return f
}

func (f *file) with(change func(*mapping.Options)) *file {
	change(&f.options)
	return f
}

// tiny are sizes that put each row into a part and a segment of its own.
func tiny() *importer.Config {
	c := importer.Defaults()
	c.BatchRows, c.PartBytes, c.SegmentBytes, c.MatchRows, c.Wave = 1, 1, 1, 1, 1
	return &c
}

// TestRegressions imports files that once came out otherwise than the clerk's,
// whole and in tiny parts.
func TestRegressions(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]*file{
		"a record is written as the row that made it": {
			sheet("classifications", "name;code", "<clear>;L1", "Silver;l1"),
		},
		"rows of a failed import are reported, whatever batch they are in": {
			sheet("companies", "code;name;stage", "K1;Eins;lead"),
			sheet("companies", "code;name;stage", "K1;Eins;lead", "K2;Zwei;purple!choice_unknown", "K3;Drei;purple!choice_unknown", "K4;Vier;lead").
				with(func(o *mapping.Options) { half := 0.4; o.ToleratedShare = &half }),
		},
		"a value is taken by the row that first has it, not by the last that changes the list": {
			sheet("members", "phone;plastic_cards", "+49305550101;C1", "+49305550102;C1", "+49305550101;C2"),
		},
		"a value taken for a while is taken for the rows between": {
			sheet("contacts", "code;first_name;email", "A1;Anna;a@x.example", "A2;Bo;a@x.example", "A1;;b@x.example", "A3;Cy;a@x.example"),
		},
		"a row that loses to one that loses itself is let in": {
			sheet("contacts", "code;first_name;email;username",
				"A1;Anna;c@x.example;", "A2;Bo;w@x.example;", "A3;Cy;w@x.example;v", "A4;Di;;v", "A2;;c@x.example;"),
		},
		"nothing is made for what a policy holds back, or a row takes back": {
			sheet("contacts", "code;first_name;email;company", "A1;Anna;a@x.example;Nord", "A2;Bo;b@x.example;"),
			sheet("contacts", "code;first_name;email;company", "A1;;;West", "A2;;;Ost").
				with(func(o *mapping.Options) { o.Policies = map[string]entity.Policy{"company": "if_empty"} }),
			sheet("contacts", "code;first_name;email;company", "A1;;;West", "A2;;;Süd", "A1;;;Nord"),
		},
		"a record made on the way is spelled as the first row spells it": {
			sheet("contacts", "code;first_name;email;company", "A1;Anna;a@x.example;Süd", "A2;Bo;b@x.example;sud"),
		},
		"a mark that empties says nothing of a new record": {
			sheet("companies", "code;name;notes", ";Süd;<clear>", ";Süd;"),
		},
		"rows that are matched stay in order with those that are not": {
			sheet("companies", "code;tax_number;name", "K1;T1;Süd", "K1;;Zwei").with(func(o *mapping.Options) { o.MatchOn = "tax_number" }),
			sheet("companies", "code;tax_number;name", ";T1;Ost", "K1;;Nord"),
		},
		"points do not stamp a record that they do not change": {
			sheet("members", "phone;name;consent;points;points_currency", "+49305550101;Anna;yes;5;EUR", "+49305550101;;;7;EUR"),
			sheet("members", "phone;name;consent;points;points_currency", "+49305550101;;;1;EUR", "+49305550101;;;1;EUR"),
		},
	} {
		for size, config := range map[string]*importer.Config{"whole": nil, "tiny": tiny()} {
			t.Run(name+"/"+size, func(t *testing.T) {
				t.Parallel()
				s := stage(t, rehearsal.Options{Config: config})
				w := newWitness(s)
				for n, f := range files {
					if err := w.imports(t.Context(), f, fmt.Sprint(n)); err != nil {
						t.Fatalf("file %d: %v\n%s", n+1, err, f)
					}
				}
			})
		}
	}
}

// A claim that an import was cut off after, before it wrote the record, is of no
// record: a row without a key is matched by what records carry.
func TestAClaimThatItsRecordDoesNotCarryMatchesNothing(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	w := newWitness(s)
	w.loose = true
	ctx := t.Context()
	if err := w.imports(ctx, sheet("contacts", "code;first_name;email", "A1;Anna;a@x.example"), "1"); err != nil {
		t.Fatal(err)
	}
	orphan := table.ClaimKey(rehearsal.Tenant, "contacts", "email", "b@x.example")
	if _, err := s.Records.Write(ctx, []store.Op{{Kind: store.Insert, Key: orphan, Set: map[string]any{"k": "a1", "i": "gone"}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.imports(ctx, sheet("contacts", "first_name;email", "Bo;b@x.example"), "2"); err != nil {
		t.Fatal(err)
	}
}
