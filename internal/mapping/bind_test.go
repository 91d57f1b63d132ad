package mapping_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
)

// saved is a template for companies with a column of each kind.
func saved() mapping.Template {
	return mapping.Template{
		ID: "t1", Name: "From the till", Version: 1, Entity: "companies",
		Columns: []mapping.Column{
			{Header: "Customer No.", Index: 0, Field: "code"},
			{Header: "Firm", Index: 1, Field: "name"},
			{Header: "Phone", Index: 2, Field: "phone"},
			{Header: "Fax", Index: 3},
			{Header: "Street", Index: 4, Field: "addresses.street", Join: []string{"House no"}, Separator: " "},
			{Header: "Remarks", Index: 6, Field: "notes", Transforms: []mapping.Transform{{Op: mapping.Upper}}},
			{Field: "stage", Constant: "customer"},
		},
	}
}

var savedHeaders = []string{"Customer No.", "Firm", "Phone", "Fax", "Street", "House no", "Remarks"}

func kinds(drift []mapping.Drift) []string {
	var all []string
	for _, d := range drift {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.Kind, d.Header, d.Was, d.Field)))
	}
	return all
}

func TestBind(t *testing.T) {
	t.Parallel()
	def := define(t, "companies")
	t.Run("as saved", func(t *testing.T) {
		t.Parallel()
		bound, drift := mapping.Bind(def, saved(), savedHeaders)
		if len(drift) > 0 {
			t.Errorf("drift %v", kinds(drift))
		}
		m, err := mapping.NewMapper(def, bound, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out mapping.Prepared
		m.Map(&record.Row{Number: 2, Cells: cells("17", "Nord", "+37061234567", "x", "Hauptstr.", "5", "call")}, &out)
		want := map[string]string{"code": "17", "name": "Nord", "phone": "+37061234567", "notes": "CALL", "stage": "customer",
			"addresses": `{"kind":"billing","street":"Hauptstr. 5"}`}
		if diff := cmp.Diff(want, byName(def, &out)); diff != "" {
			t.Error(diff)
		}
	})
	tests := map[string]struct {
		headers  []string
		rule     mapping.DriftRule
		drift    []string
		reaction mapping.Reaction
	}{
		"reordered":  {[]string{"Firm", "Customer No.", "Phone", "Fax", "Street", "House no", "Remarks"}, mapping.DriftRule{}, []string{"reordered"}, mapping.Accept},
		"decorated":  {[]string{"CUSTOMER NO", "firm ", "phone", "FAX", "street", "House-No.", "remarks"}, mapping.DriftRule{}, nil, mapping.Accept},
		"new":        {append(slices.Clone(savedHeaders), "Shoe size"), mapping.DriftRule{}, []string{"new Shoe size"}, mapping.Accept},
		"new stops":  {append(slices.Clone(savedHeaders), "Shoe size"), mapping.DriftRule{New: mapping.Stop}, []string{"new Shoe size"}, mapping.Stop},
		"renamed":    {[]string{"Customer No.", "Firm", "Telephone number", "Fax", "Street", "House no", "Remarks"}, mapping.DriftRule{}, []string{"renamed Telephone number Phone phone"}, mapping.AskUs},
		"missing":    {[]string{"Customer No.", "Firm", "Fax", "Street", "House no", "Remarks"}, mapping.DriftRule{Missing: mapping.Accept}, []string{"missing Phone  phone"}, mapping.Accept},
		"required":   {[]string{"Customer No.", "Phone", "Fax", "Street", "House no", "Remarks"}, mapping.DriftRule{Missing: mapping.Accept}, []string{"missing Firm  name", "required   name"}, mapping.Stop},
		"a report":   {append(slices.Clone(savedHeaders), mapping.ReportColumns("lt")...), mapping.DriftRule{}, nil, mapping.Accept},
		"unreadable": {[]string{"a", "b"}, mapping.DriftRule{}, nil, mapping.Stop},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, drift := mapping.Bind(def, saved(), test.headers)
			if name != "unreadable" {
				if diff := cmp.Diff(test.drift, kinds(drift)); diff != "" {
					t.Error(diff)
				}
			}
			if got := test.rule.Judge(drift); got != test.reaction {
				t.Errorf("reaction %q, want %q (%v)", got, test.reaction, kinds(drift))
			}
		})
	}
}

func TestBindSpecial(t *testing.T) {
	t.Parallel()
	contacts := define(t, "contacts")
	t.Run("the same header twice", func(t *testing.T) {
		t.Parallel()
		tpl := mapping.Template{Columns: []mapping.Column{
			{Header: "E-mail", Index: 0, Field: "email"}, {Header: "Name", Index: 1, Field: "first_name"}, {Header: "Name", Index: 2, Field: "last_name"},
		}}
		bound, drift := mapping.Bind(contacts, tpl, []string{"E-mail", "Name", "Name"})
		if len(drift) > 0 || bound.Feeds[1].Columns[0] != 1 || bound.Feeds[2].Columns[0] != 2 {
			t.Errorf("bound %+v drift %v", bound.Feeds, kinds(drift))
		}
	})
	t.Run("without a header", func(t *testing.T) {
		t.Parallel()
		tpl := mapping.Template{Columns: []mapping.Column{{Header: "B", Index: 1, Field: "email"}, {Header: "A", Index: 0, Field: "full_name"}}}
		bound, drift := mapping.Bind(contacts, tpl, []string{"A", "B"})
		if got := kinds(drift); len(got) != 1 || got[0] != "reordered" || len(bound.Feeds) != 3 {
			t.Errorf("bound %+v drift %v", bound.Feeds, got)
		}
	})
	t.Run("one column for two fields", func(t *testing.T) {
		t.Parallel()
		tpl := mapping.Template{Columns: []mapping.Column{
			{Header: "Login", Field: "username"}, {Header: "Login", Field: "email"}, {Header: "Person", Index: 1, Field: "full_name"},
		}}
		bound, _ := mapping.Bind(contacts, tpl, []string{"Login", "Person"})
		m, err := mapping.NewMapper(contacts, bound, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out mapping.Prepared
		m.Map(&record.Row{Cells: cells("a@b.example", "Ludwig van Beethoven")}, &out)
		want := map[string]string{"username": "a@b.example", "email": "a@b.example", "first_name": "Ludwig", "last_name": "van Beethoven"}
		if diff := cmp.Diff(want, byName(contacts, &out)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an unknown field", func(t *testing.T) {
		t.Parallel()
		_, drift := mapping.Bind(contacts, mapping.Template{Columns: []mapping.Column{{Header: "X", Field: "shoe_size"}}}, []string{"X"})
		if (mapping.DriftRule{}).Judge(drift) != mapping.Stop || drift[0].Kind != mapping.BadField {
			t.Errorf("drift %v", kinds(drift))
		}
	})
	t.Run("what finds a record", func(t *testing.T) {
		t.Parallel()
		for headers, want := range map[string]string{
			"code,email,last name": "code", "email,last name": "email", "username,email,last name": "username", "phone,last name": "",
		} {
			bound, _ := mapping.Bind(contacts, mapping.StandardTemplate(contacts), strings.Split(headers, ","))
			if bound.MatchOn != want {
				t.Errorf("%s: matched on %q, want %q", headers, bound.MatchOn, want)
			}
		}
		tpl := mapping.StandardTemplate(contacts)
		tpl.Options.MatchOn = "email"
		bound, drift := mapping.Bind(contacts, tpl, []string{"code", "email", "last name"})
		if bound.MatchOn != "email" || len(drift) > 0 {
			t.Errorf("matched on %q, drift %v", bound.MatchOn, kinds(drift))
		}
		tpl.Options.MatchOn = "last_name"
		if _, drift = mapping.Bind(contacts, tpl, []string{"code", "email", "last name"}); (mapping.DriftRule{}).Judge(drift) != mapping.Stop {
			t.Error("matching on a field that is not unique was accepted")
		}
	})
	t.Run("rows with a value only", func(t *testing.T) {
		t.Parallel()
		tpl := mapping.StandardTemplate(contacts)
		tpl.Options.OnlyWhere = []string{"Is contact"}
		bound, drift := mapping.Bind(contacts, tpl, []string{"email", "last name", "is contact"})
		if len(drift) > 0 {
			t.Errorf("drift %v", kinds(drift))
		}
		m, err := mapping.NewMapper(contacts, bound, tpl.Options)
		if err != nil {
			t.Fatal(err)
		}
		var out mapping.Prepared
		for _, flag := range []string{"", " ", "x"} {
			m.Map(&record.Row{Cells: cells("a@b.example", "Berg", flag)}, &out)
			if out.Ignored != (strings.TrimSpace(flag) == "") {
				t.Errorf("flag %q: ignored is %v", flag, out.Ignored)
			}
		}
		m.Map(&record.Row{Cells: cells("a@b.example")}, &out)
		if !out.Ignored {
			t.Error("a short row has no value there")
		}
	})
}

// TestStandardTemplates: what a template to download says is understood, in
// every language, and its example row has no problem.
func TestStandardTemplates(t *testing.T) {
	t.Parallel()
	catalog, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range catalog.Entities() {
		for _, lang := range entity.Languages() {
			t.Run(def.Name+" "+lang, func(t *testing.T) {
				t.Parallel()
				var headers, example []string
				for _, c := range mapping.StandardColumns(def, lang) {
					headers, example = append(headers, c.Title), append(example, c.Example)
				}
				bound, drift := mapping.Bind(def, mapping.StandardTemplate(def), headers)
				if len(drift) > 0 || len(bound.Unmapped) > 0 {
					t.Errorf("drift %v", kinds(drift))
				}
				for i, c := range mapping.StandardColumns(def, lang) {
					name, _, _ := strings.Cut(c.Field, ".")
					if want, _ := def.Field(name); !slices.ContainsFunc(bound.Feeds, func(f mapping.Feed) bool { return f.Field == want && f.Columns[0] == i }) {
						t.Errorf("%q does not feed %s", c.Title, c.Field)
					}
				}
				m, err := mapping.NewMapper(def, bound, mapping.Options{})
				if err != nil {
					t.Fatal(err)
				}
				var out mapping.Prepared
				m.Map(&record.Row{Cells: cells(example...)}, &out)
				if len(out.Problems) > 0 {
					t.Errorf("the example row has problems: %+v", out.Problems)
				}
				proposals := mapping.Propose(def, headers, nil, nil)
				for i, c := range mapping.StandardColumns(def, lang) {
					if proposals[i].Field != c.Field || proposals[i].Confidence < mapping.Automatic {
						t.Errorf("%q: proposed %q (%v), want %q", c.Title, proposals[i].Field, proposals[i].Confidence, c.Field)
					}
				}
			})
		}
	}
}

func TestTemplateAsJSON(t *testing.T) {
	t.Parallel()
	want := saved()
	share := 0.25
	want.Options = mapping.Options{ToleratedShare: &share, Policies: map[string]entity.Policy{"name": entity.Once}}.Defaults()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got mapping.Template
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	def := define(t, "companies")
	tests := []struct {
		in         string
		transforms []mapping.Transform
		want       string
	}{
		{"  a   b ", []mapping.Transform{{Op: mapping.Trim}}, "a b"},
		{"straße", []mapping.Transform{{Op: mapping.Upper}}, "STRASSE"},
		{"ABC", []mapping.Transform{{Op: mapping.Lower}}, "abc"},
		{"anna-maria o'brien", []mapping.Transform{{Op: mapping.Capitalise}}, "Anna-Maria O'brien"},
		{"a.b.c", []mapping.Transform{{Op: mapping.Replace, Old: ".", New: "-"}}, "a-b-c"},
		{"", []mapping.Transform{{Op: mapping.Replace, New: "none"}}, "none"},
		{"", []mapping.Transform{{Op: mapping.Replace, Old: "x", New: "y"}}, ""},
		{"DE-123-X", []mapping.Transform{{Op: mapping.Part, Separator: "-", Nth: 2}}, "123"},
		{"DE-123-X", []mapping.Transform{{Op: mapping.Part, Separator: "-", Nth: -1}}, "X"},
		{"DE-123-X", []mapping.Transform{{Op: mapping.Part, Separator: "-", Nth: 9}}, ""},
		{"žžabc", []mapping.Transform{{Op: mapping.Part, From: 2, Length: 3}}, "žab"},
		{"abcdef", []mapping.Transform{{Op: mapping.Part, From: -2}}, "ef"},
		{"abc", []mapping.Transform{{Op: mapping.Part, From: 7}}, ""},
		{"Anna Maria Berg", []mapping.Transform{{Op: mapping.GivenName}}, "Anna Maria"},
		{"Anna Maria Berg", []mapping.Transform{{Op: mapping.FamilyName}}, "Berg"},
		{"Berg, Anna", []mapping.Transform{{Op: mapping.GivenName}}, "Anna"},
		{"Berg, Anna", []mapping.Transform{{Op: mapping.FamilyName}}, "Berg"},
		{"Vincent Van Gogh", []mapping.Transform{{Op: mapping.FamilyName}}, "Van Gogh"},
		{"Martin Luther King Jr.", []mapping.Transform{{Op: mapping.FamilyName}}, "King Jr."},
		{"Martin King, Jr.", []mapping.Transform{{Op: mapping.GivenName}}, "Martin"},
		{"Anna", []mapping.Transform{{Op: mapping.GivenName}}, "Anna"},
		{"Anna", []mapping.Transform{{Op: mapping.FamilyName}}, ""},
		{"x:Anna Berg", []mapping.Transform{{Op: mapping.Part, Separator: ":", Nth: 2}, {Op: mapping.Upper}}, "ANNA BERG"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.in, test.transforms), func(t *testing.T) {
			t.Parallel()
			tpl := mapping.Template{Columns: []mapping.Column{{Header: "h", Field: "notes", Transforms: test.transforms}}}
			bound, _ := mapping.Bind(def, tpl, []string{"h"})
			m, err := mapping.NewMapper(def, bound, mapping.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var out mapping.Prepared
			m.Map(&record.Row{Cells: cells(test.in)}, &out)
			if got := byName(def, &out)["notes"]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for _, bad := range []mapping.Transform{{Op: "shout"}, {Op: mapping.Part}, {Op: mapping.Part, Separator: "-"}, {Op: mapping.Part, From: 1, Length: -1}} {
		bound := mapping.Bound{Feeds: []mapping.Feed{{Columns: []int{0}, Field: 1, Transforms: []mapping.Transform{bad}}}}
		if _, err := mapping.NewMapper(def, bound, mapping.Options{}); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestAllProblemsOfARow(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	headers := []string{"phone", "email", "birthday", "gender", "points", "plastic cards", "name"}
	bound, _ := mapping.Bind(def, mapping.StandardTemplate(def), headers)
	m, err := mapping.NewMapper(def, bound, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out mapping.Prepared
	row := record.Row{Number: 7, Cells: cells("3.70612E+10", "anna", "03/04/2026", "robot", "1,234", "", "Anna")}
	row.Cells[5] = record.Cell{Kind: record.Error, Text: "#REF!"}
	m.Map(&row, &out)
	want := map[string]string{"!phone": "digits_lost", "!email": "email_invalid", "!birthday": "date_ambiguous", "!gender": "choice_unknown",
		"!points": "number_ambiguous", "!plastic_cards": "cell_error", "name": "Anna"}
	if diff := cmp.Diff(want, byName(def, &out)); diff != "" {
		t.Error(diff)
	}
	for _, p := range out.Problems {
		if headers[p.Column] != strings.ReplaceAll(p.Field, "_", " ") {
			t.Errorf("%s is said to be in column %d", p.Field, p.Column)
		}
	}
	m.Map(&record.Row{Cells: cells("", "a@b.example")}, &out)
	if got := byName(def, &out); got["!phone"] != "required_missing" {
		t.Errorf("a member without a phone: %v", got)
	}
	m.Map(&record.Row{Cells: cells("<clear>", "a@b.example")}, &out)
	if got := byName(def, &out); got["!phone"] != "required_missing" {
		t.Errorf("a member whose phone is cleared: %v", got)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := []string{"E-mail", "First Name", "Straße", "Phone"}
	want := mapping.Fingerprint(base)
	for name, headers := range map[string][]string{
		"reordered": {"Phone", "Straße", "E-mail", "First Name"},
		"decorated": {"E-MAIL *", "first_name", "Strasse (Pflichtfeld)", " phone [+49 …]"},
		"a report":  append(slices.Clone(base), mapping.ReportColumns("de")...),
		"nameless":  append(slices.Clone(base), "", " "),
	} {
		if got := mapping.Fingerprint(headers); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for name, headers := range map[string][]string{
		"one less": base[:3], "one more": append(slices.Clone(base), "Fax"), "twice": append(slices.Clone(base), "Phone"), "none": {"", "-"},
	} {
		if got := mapping.Fingerprint(headers); got == want {
			t.Errorf("%s: the fingerprint is the same", name)
		}
	}
}

// TestPropose: no field is proposed twice, whatever the headers are.
func TestProposeOnce(t *testing.T) {
	t.Parallel()
	catalog, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	names := rapid.OneOf(
		rapid.SampledFrom([]string{"E-mail", "Email 2", "Name", "Vorname", "Phone", "Mobile", "Code", "Ort", "Nombre", "Fax", "", "#", "Points balance"}),
		rapid.StringN(0, 12, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		def := catalog.Entities()[rapid.IntRange(0, len(catalog.Entities())-1).Draw(t, "entity")]
		headers := rapid.SliceOfN(names, 0, 12).Draw(t, "headers")
		seen := map[string]bool{}
		for i, p := range mapping.Propose(def, headers, [][]string{headers}, nil) {
			if p.Column != i || p.Confidence < 0 || p.Confidence > 1 || p.Reason == "" || (p.Field == "") != (p.Confidence == 0) {
				t.Fatalf("proposal %+v", p)
			}
			if seen[p.Field] && p.Field != "" {
				t.Fatalf("%s is proposed twice", p.Field)
			}
			seen[p.Field] = true
			if p.Field != "" && !slices.Contains(mapping.Fields(def), p.Field) {
				t.Fatalf("%q is no field", p.Field)
			}
		}
	})
}

// TestMapAnything: whatever is in the cells, a row has values or problems, each
// field at most once and in order.
func TestMapAnything(t *testing.T) {
	t.Parallel()
	catalog, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	some := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<clear>", "'=1", "3.7E+10", "12,5", "1/2/2026", "x;y|x", "{}", "a@b.example"}))
	rapid.Check(t, func(t *rapid.T) {
		def := catalog.Entities()[rapid.IntRange(0, 11).Draw(t, "entity")]
		headers := mapping.Fields(def)
		bound, _ := mapping.Bind(def, mapping.StandardTemplate(def), headers)
		m, err := mapping.NewMapper(def, bound, mapping.Options{Country: "DE"})
		if err != nil {
			t.Fatal(err)
		}
		row := record.Row{Number: 2, Cells: make([]record.Cell, rapid.IntRange(0, len(headers)+2).Draw(t, "cells"))}
		for i := range row.Cells {
			row.Cells[i] = record.Cell{
				Kind: record.Kind(rapid.IntRange(0, int(record.Error)).Draw(t, "kind")), Text: some.Draw(t, "text"),
				Number: rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64()).Draw(t, "number"),
			}
		}
		var out mapping.Prepared
		m.Map(&row, &out)
		last := -1
		for _, fv := range out.Fields {
			if fv.Index <= last || fv.Value.IsEmpty() {
				t.Fatalf("field %d after %d: %+v", fv.Index, last, fv.Value)
			}
			last = fv.Index
		}
		for _, p := range out.Problems {
			if p.Code == "" || p.Field == "" {
				t.Fatalf("problem %+v", p)
			}
		}
	})
}
