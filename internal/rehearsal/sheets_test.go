package rehearsal_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/sniff"
)

// cell is what a file writes in one cell, and what that means: nothing, texts
// (one, or those of a list), the mark that empties a field, or a problem.
type cell struct {
	text  string
	means []string
	clear bool
	bad   string
}

// row is one physical record of a file. What repeats the header and what is
// blank is no row of data.
type row struct {
	cells  []cell
	header bool
}

func (r *row) blank() bool {
	return !r.header && !slices.ContainsFunc(r.cells, func(c cell) bool { return strings.TrimSpace(c.text) != "" })
}

// file is one file of a feed, which is named as its entity.
type file struct {
	entity  string
	columns []string // names of fields
	rows    []row    // from record 2 on
	options mapping.Options
}

// text is the file as it is dropped.
func (f *file) text() string {
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteByte(';')
			}
			if strings.ContainsAny(c, ";\"\n") {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			b.WriteString(c)
		}
		b.WriteByte('\n')
	}
	line(f.columns)
	for _, r := range f.rows {
		if r.header {
			line(f.columns)
			continue
		}
		cells := make([]string, len(r.cells))
		for i, c := range r.cells {
			cells[i] = c.text
		}
		line(cells)
	}
	return b.String()
}

// String shows the file and its options, to see what failed.
func (f *file) String() string {
	o := f.options
	o.Layout = sniff.Override{}
	options, err := json.Marshal(o)
	if err != nil {
		panic(err) // plain data
	}
	return fmt.Sprintf("%s %s\n%s", f.entity, options, f.text())
}

// says makes cells that mean what they say, "" being blank; "text=meaning" says
// something else, "text!code" is wrong.
func says(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, t := range texts {
		switch text, meaning, differs := strings.Cut(t, "="); {
		case strings.Contains(t, "!"):
			text, code, _ := strings.Cut(t, "!")
			cells[i] = cell{text: text, bad: code}
		case t == "<clear>":
			cells[i] = cell{text: t, clear: true}
		case differs:
			cells[i] = cell{text: text, means: strings.Split(meaning, "|")}
		case t != "":
			cells[i] = cell{text: t, means: []string{t}}
		}
	}
	return cells
}

// pools are the cells of each field that files are made of: few, so that rows
// meet.
func pools() map[string]map[string][]cell {
	emails := says("", "", "a@x.example", "a@x.example", "A@X.example", "b@x.example", "b@x.example", " c@x.example=c@x.example", "d@x.example", "nope!email_invalid", "<clear>")
	lists := says("", "Gold", "gold", "Silver", "Silver", "Brönze=Brönze", "Bro\u0308nze=Brönze", "L1", "<clear>")
	companies := says("", "K1", "k2", "K3", "Nord", "NORD", " nord=nord", "Süd", "sud", "Ost", "West", "<clear>")
	return map[string]map[string][]cell{
		"contacts": {
			"code":           says("", "", "A1", "A1", "a1", "A2", "A2", "A3", "A4", " a2=a2", "<clear>"),
			"username":       says("", "", "u1", "u1", "U1", "u2", "u3", "u3", "<clear>"),
			"email":          emails,
			"first_name":     says("", "Anna", "Bo", "bo", "Cy", "<clear>"),
			"last_name":      says("", "Berg", "Ek", "Ek", "<clear>"),
			"phone":          says("", "", "+49 30 5550101=+49305550101", "+49 30 5550102=+49305550102", "12!phone_invalid", "<clear>"),
			"job_title":      says("", "Boss", "Clerk", "<clear>"),
			"company":        companies,
			"classification": lists,
		},
		"companies": {
			"code":       says("", "", "K1", "K1", "k1", "K2", "K3", "K3"),
			"name":       says("Nord", "nord", "Süd", "Sud", "Ost", "Eins", "Zwei", "", "<clear>"),
			"tax_number": says("", "", "T1", "T1", "t1", "T2", "T3", "<clear>"),
			"stage":      says("", "lead", "Kunde=customer", "purple!choice_unknown", "<clear>"),
			"notes":      says("", "x", "y", "<clear>"),
			"user_group": lists,
		},
		"members": {
			"phone":         says("", "+49 30 5550101=+49305550101", "+49 30 5550101=+49305550101", "+49305550102", "+49305550103", "12!phone_invalid", "<clear>"),
			"email":         emails,
			"name":          says("", "Anna", "anna", "Bo", "<clear>"),
			"plastic_cards": says("", "C1", "C1", "C2", "C1|C2=C1|C2", "c2|C3=c2|C3", "C3|c3=C3", "C4", "<clear>"),
			"consent":       says("", "yes", "no", "<clear>"),
			"user_group":    lists,

			"points":          says("", "10", "10", "2.5", "0", "-3", "many!number_invalid"),
			"points_currency": says("EUR", "EUR", "usd=USD", "", "ZZZ!currency_unknown"),
			"points_expiry":   says("", "2027-12-31"),
			"points_account":  says("", "", "", "ACC1", "ACC2"),
		},
		"products": {
			"code":   says("P1", "P1", "p1", "P2", "P3", ""),
			"name":   says("", "Shoe", "Boot", "Sandal", "Shoe", "<clear>"),
			"price":  says("", "19.90=19.9", "20", "19,90=19.9", "cheap!number_invalid", "<clear>"),
			"family": lists,
			"active": says("", "yes=true", "nein=false", "perhaps!boolean_unknown", "<clear>"),
		},
		"devices": {
			"serial_number": says("S1", "s1", "S2", "S3", ""),
			"name":          says("", "Door", "Till", "<clear>"),
			"product":       says("", "P1", "p1", "Shoe", "shoe", "Boot", "P9", "<clear>"),
			"status":        says("", "new", "old", "<clear>"),
			"owner":         says("", "A1", "a1", "a@x.example", "B@x.example", "u1", "U2", "+49305550101", "nobody", "<clear>"),
		},
		"classifications": {
			"code": says("", "L1", "l1", "L2"),
			"name": says("Gold", "gold", "Silver", "Other", "", "<clear>"),
		},
	}
}

// drawFile draws a file that its feed takes without a person.
func drawFile(t *rapid.T, entities []string) *file {
	f := &file{entity: rapid.SampledFrom(entities).Draw(t, "entity")}
	pool := pools()[f.entity]
	f.drawOptions(t)
	f.drawColumns(t)
	widths := len(f.columns)
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		var r row
		switch rapid.IntRange(0, 24).Draw(t, "kind") {
		case 0:
			r.header = true
		case 1: // blank
			r.cells = make([]cell, widths)
		default:
			for _, column := range f.columns {
				r.cells = append(r.cells, rapid.SampledFrom(pool[column]).Draw(t, column))
			}
		}
		f.rows = append(f.rows, r)
	}
	return f
}

func (f *file) drawOptions(t *rapid.T) {
	maybe := func(what string) bool { return rapid.IntRange(0, 5).Draw(t, what) == 5 }
	text, delimiter, quote, none, one := "utf-8", ";", `"`, 0, 1
	o := mapping.Options{Layout: sniff.Override{
		Encoding: &text, Delimiter: &delimiter, Quote: &quote, Preamble: &none, HeaderRows: &one, FooterRows: &none,
	}}
	o.Separator = "|"
	o.Unmatched = rapid.SampledFrom([]mapping.Unmatched{
		mapping.CreateMissing, mapping.CreateMissing, mapping.RejectRow, mapping.IgnoreRow, mapping.ByAttendance,
	}).Draw(t, "unmatched")
	o.GenerateMissing = rapid.Bool().Draw(t, "generate")
	if maybe("mode?") {
		o.Mode = rapid.SampledFrom([]mapping.Mode{mapping.CreateOnly, mapping.UpdateOnly}).Draw(t, "mode")
	}
	if maybe("repeats?") {
		o.Repeats = rapid.SampledFrom([]mapping.Repeats{mapping.LastOnly, mapping.RejectRepeats}).Draw(t, "repeats")
	}
	if maybe("severity?") {
		if rapid.Bool().Draw(t, "which") {
			o.RepeatedUnique = mapping.FailsImport
		} else {
			o.MissingRequired = mapping.FailsImport
		}
	}
	if maybe("tolerated?") {
		half := 0.5
		o.ToleratedShare = &half
	}
	o.DryRun = rapid.IntRange(0, 15).Draw(t, "dry run") == 15
	if maybe("policies?") {
		o.Policies = f.drawPolicies(t)
	}
	if f.entity == "members" && maybe("replace?") {
		o.ReplaceLists = []string{"plastic_cards"}
	}
	f.options = o
}

func (f *file) drawPolicies(t *rapid.T) map[string]entity.Policy {
	fields := map[string][]string{
		"contacts": {"username", "email", "first_name", "company"}, "companies": {"name", "tax_number", "notes"},
		"members": {"plastic_cards", "name", "user_group"}, "products": {"name", "price", "family"}, "devices": {"product", "name"},
		"classifications": {"name"},
	}[f.entity]
	policies := map[string]entity.Policy{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fields), 1, 2, rapid.ID).Draw(t, "tightened") {
		policies[name] = rapid.SampledFrom([]entity.Policy{entity.IfEmpty, entity.Once}).Draw(t, name)
		if name == "name" && f.entity == "members" {
			policies[name] = entity.Once
		}
	}
	return policies
}

// drawColumns draws columns with which the file is taken unattended: those that
// every new record needs, and one that identifies where records are only
// updated.
func (f *file) drawColumns(t *rapid.T) {
	all := map[string][]string{
		"contacts":        {"code", "username", "email", "first_name", "last_name", "phone", "job_title", "company", "classification"},
		"companies":       {"code", "name", "tax_number", "stage", "notes", "user_group"},
		"members":         {"phone", "email", "name", "plastic_cards", "consent", "user_group", "points", "points_currency", "points_expiry", "points_account"},
		"products":        {"code", "name", "price", "family", "active"},
		"devices":         {"serial_number", "name", "product", "status", "owner"},
		"classifications": {"code", "name"},
	}[f.entity]
	needed := map[string][]string{
		"contacts": {"email", "first_name"}, "companies": {"name"}, "members": {"phone"}, "products": {"code", "name"},
		"devices": {"serial_number"}, "classifications": {"name"},
	}[f.entity]
	f.columns = slices.Clone(needed)
	for _, name := range rapid.Permutation(all).Draw(t, "columns") {
		if slices.Contains(needed, name) || rapid.IntRange(0, 4).Draw(t, name+"?") == 0 {
			continue
		}
		at := rapid.IntRange(0, len(f.columns)).Draw(t, "at")
		f.columns = slices.Insert(f.columns, at, name)
	}
	has := func(name string) bool { return slices.Contains(f.columns, name) }
	if (f.entity == "companies" || f.entity == "classifications") && !has("code") && !has("tax_number") {
		f.columns = append(f.columns, "code")
	}
	if rapid.IntRange(0, 5).Draw(t, "match?") == 5 {
		for _, name := range []string{"tax_number", "username", "email"} {
			if has(name) && (f.entity == "contacts" || f.entity == "companies" || f.entity == "members" && name == "email") {
				f.options.MatchOn = name
			}
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "only?") == 9 {
		f.options.OnlyWhere = []string{rapid.SampledFrom(f.columns).Draw(t, "only")}
	}
}
