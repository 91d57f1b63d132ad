package rehearsal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
)

func stage(t *testing.T, o rehearsal.Options) *rehearsal.Stage {
	t.Helper()
	s, err := rehearsal.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t *testing.T, s *rehearsal.Stage, feed, name, content string) *importer.Import {
	t.Helper()
	m, x, err := s.Import(t.Context(), feed, name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s %v", name, m.State, x.Path)
	if m.Trouble != nil {
		t.Logf("%+v %s %s", *m.Trouble, x.Error, x.Cause)
	}
	return m
}

// records lists the stored records of an entity as "field=value" lines, sorted
// by what is shown.
func records(t *testing.T, s *rehearsal.Stage, entity string, fields ...string) []string {
	t.Helper()
	var out []string
	err := s.EachRecord(t.Context(), rehearsal.Tenant, entity, func(r importer.Record) error {
		var line []string
		for _, f := range fields {
			v := r.Fields[f]
			line = append(line, v.Text+strings.Join(v.List, "|"))
		}
		out = append(out, strings.Join(line, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func counts(read, created, updated, unchanged, rejected, ignored int64) record.Counts {
	return record.Counts{Read: read, Created: created, Updated: updated, Unchanged: unchanged, Rejected: rejected, Ignored: ignored}
}

func TestSameFileAgainIsUnchanged(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	file := "code;name;email\nA1;Ašara;a@example.com\nB2;Nord;b@example.com\n"
	m := run(t, s, "companies", "one.csv", file)
	want(t, "first", m.Rows, counts(2, 2, 0, 0, 0, 0))
	want(t, "state", m.State, importer.Completed)
	m = run(t, s, "companies", "two.csv", file)
	want(t, "again", m.Rows, counts(2, 0, 0, 2, 0, 0))
	want(t, "records", records(t, s, "companies", "code", "name"), []string{"A1 Ašara", "B2 Nord"})
}

func TestReportIsRepairedAndDroppedBack(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := run(t, s, "contacts", "people.csv", "E-mail;First name;Phone\na@example.com;Anna;\nnope;Bo;\nc@example.com;Cy;12\n")
	want(t, "rows", m.Rows, counts(3, 1, 0, 0, 2, 0))
	want(t, "state", m.State, importer.CompletedWithRejects)
	report, err := s.Read(t.Context(), m.Reports.Failures)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(report)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "nope;Bo;;3;email;email_invalid;") || !strings.HasPrefix(lines[2], "c@example.com;Cy;12;4;phone;") {
		t.Fatalf("report:\n%s", report)
	}
	repaired := strings.ReplaceAll(strings.ReplaceAll(string(report), "nope", "bo@example.com"), ";12;", ";+49 30 5550101;")
	m = run(t, s, "contacts", "people.rejected.csv", repaired)
	want(t, "repaired", m.Rows, counts(2, 2, 0, 0, 0, 0))
	want(t, "records", records(t, s, "contacts", "email", "first_name", "phone"), []string{
		"a@example.com Anna ", "bo@example.com Bo ", "c@example.com Cy +49305550101",
	})
}

func TestOneEventThreeTimesIsOneImport(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	d, err := s.Put(t.Context(), "companies", "c.csv", []byte("code,name\n1,One\n"))
	if err != nil {
		t.Fatal(err)
	}
	var ends []string
	for n := range 3 {
		x, err := s.Runner.Run(t.Context(), fmt.Sprint("delivery-", n), d.Event)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, x.Path[len(x.Path)-1])
	}
	want(t, "ends", ends, []string{"Done", "Known", "Known"})
	all, _, err := s.Imports(t.Context(), rehearsal.Tenant, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "imports", len(all), 1)
}

func TestEveryRowRejectedIsFailed(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := run(t, s, "contacts", "bad.csv", "E-mail;First name\nnope;Bo\nneither;Cy\n")
	want(t, "state", m.State, importer.Failed)
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "rows", m.Rows, counts(2, 0, 0, 0, 2, 0))
	want(t, "trouble", m.Trouble.Code, "all_rejected")
	if _, err := s.Read(t.Context(), m.Reports.Failures); err != nil {
		t.Error(err)
	}
}

func TestColumnsThatDoNotFitWaitForAMapping(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	ctx := t.Context()
	d, err := s.Put(ctx, "companies", "c.csv", []byte("Kennung,Firma\n1,Eins\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		t.Fatal(err)
	}
	w, err := s.Runner.Await(ctx, d.Execution)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "waits in", w.State, "AwaitMapping")
	m, err := s.Of(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "state", m.State, importer.NeedsMapping)
	tpl := mapping.Template{ID: "eins", Name: "Eins", Entity: "companies", Columns: []mapping.Column{
		{Header: "Kennung", Index: 0, Field: "code"}, {Header: "Firma", Index: 1, Field: "name"},
	}}
	if err := s.Map(ctx, rehearsal.Tenant, m.ID, importer.Mapping{Template: tpl}); err != nil {
		t.Fatal(err)
	}
	if err := s.Map(ctx, rehearsal.Tenant, m.ID, importer.Mapping{Template: tpl}); err == nil {
		t.Error("a second answer was taken")
	}
	if _, err := s.Runner.Wait(ctx, d.Execution); err != nil {
		t.Fatal(err)
	}
	if m, err = s.Of(ctx, d); err != nil {
		t.Fatal(err)
	}
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "records", records(t, s, "companies", "code", "name"), []string{"1 Eins"})
}

func TestUnmatchedCompanies(t *testing.T) {
	t.Parallel()
	const file = "E-mail;Last name;Company\na@example.com;A;Nord\nb@example.com;B;Süd\nc@example.com;C;NORD\nd@example.com;D;K1\n"
	for rule, c := range map[mapping.Unmatched]struct {
		rows      record.Counts
		companies []string
		contacts  int
	}{
		mapping.CreateMissing: {counts(4, 4, 0, 0, 0, 0), []string{"Known", "Nord", "Süd"}, 4},
		mapping.RejectRow:     {counts(4, 1, 0, 0, 3, 0), []string{"Known"}, 1},
		mapping.IgnoreRow:     {counts(4, 1, 0, 0, 0, 3), []string{"Known"}, 1},
	} {
		t.Run(string(rule), func(t *testing.T) {
			t.Parallel()
			s := stage(t, rehearsal.Options{})
			run(t, s, "companies", "k.csv", "code;name\nK1;Known\n")
			m := withOptions(t, s, "contacts", file, mapping.Options{Unmatched: rule})
			want(t, "rows", m.Rows, c.rows)
			want(t, "companies", records(t, s, "companies", "name"), c.companies)
			want(t, "contacts", len(records(t, s, "contacts", "email")), c.contacts)
		})
	}
}

// announced puts a file with options and starts its import.
func announced(t *testing.T, s *rehearsal.Stage, feed, file string, o mapping.Options) rehearsal.Drop {
	t.Helper()
	ctx := t.Context()
	key, err := s.Announce(ctx, rehearsal.Tenant, feed, fmt.Sprintf("%p", &o), "file.csv", importer.Intent{Options: &o})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.PutKey(ctx, key, []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		t.Fatal(err)
	}
	return d
}

func ended(t *testing.T, s *rehearsal.Stage, d rehearsal.Drop) *importer.Import {
	t.Helper()
	x, err := s.Runner.Wait(context.WithoutCancel(t.Context()), d.Execution)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Of(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %v %+v %s %s", m.State, x.Path, m.Trouble, x.Error, x.Cause)
	return m
}

func withOptions(t *testing.T, s *rehearsal.Stage, feed, file string, o mapping.Options) *importer.Import {
	t.Helper()
	return ended(t, s, announced(t, s, feed, file, o))
}

func waits(t *testing.T, s *rehearsal.Stage, d rehearsal.Drop, state string) *importer.Import {
	t.Helper()
	w, err := s.Runner.Await(t.Context(), d.Execution)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "waits in", w.State, state)
	m, err := s.Of(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAPersonDecidesOnCompanies(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	run(t, s, "companies", "k.csv", "code;name\nK1;Known\n")
	d := announced(t, s, "contacts", "E-mail;Last name;Company\na@example.com;A;Nord\nb@example.com;B;Süd\nc@example.com;C;West\n", mapping.Options{Unmatched: mapping.Ask})
	m := waits(t, s, d, "AwaitDecision")
	want(t, "state", m.State, importer.NeedsDecision)
	var open []importer.Unmatched
	if err := s.UnmatchedOf(t.Context(), rehearsal.Tenant, m.ID, func(u importer.Unmatched) error {
		open = append(open, u)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want(t, "unmatched", len(open), 3)
	decisions := []importer.Named{
		{Field: "company", Name: open[0].Name, Action: importer.UseRecord, Key: "k1"},
		{Field: "company", Name: open[1].Name, Action: importer.CreateRecord},
	}
	if err := s.Decide(t.Context(), rehearsal.Tenant, m.ID, importer.IgnoreRows, decisions); err != nil {
		t.Fatal(err)
	}
	m = ended(t, s, d)
	want(t, "rows", m.Rows, counts(3, 2, 0, 0, 0, 1))
	want(t, "companies", records(t, s, "companies", "name"), []string{"Known", open[1].Written})
	ignored, err := s.Read(t.Context(), m.Reports.Ignored)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ignored), open[2].Written) {
		t.Errorf("ignored rows:\n%s", ignored)
	}
}

func TestReviewThenStart(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	d := announced(t, s, "companies", "code;name\nA;Alt\nB;Bert\n", mapping.Options{Start: mapping.OnMyWord})
	m := waits(t, s, d, "AwaitStart")
	want(t, "state", m.State, importer.Ready)
	want(t, "plan", m.Plan, counts(2, 2, 0, 0, 0, 0))
	want(t, "nothing yet", records(t, s, "companies", "code"), []string(nil))
	// Another import changes the entity meanwhile: the plan is made anew.
	run(t, s, "companies", "other.csv", "code;name\nA;Alt\n")
	if err := s.Start(t.Context(), rehearsal.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = ended(t, s, d)
	want(t, "rows", m.Rows, counts(2, 1, 0, 1, 0, 0))
	want(t, "round", m.Round, 2)
	var differences []importer.Difference
	if err := s.Differences(t.Context(), rehearsal.Tenant, m.ID, func(d importer.Difference) error {
		differences = append(differences, d)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want(t, "differences", differences, []importer.Difference{{Key: "a", Was: "create", Fields: []string{"code", "name"}}})
	want(t, "counted", m.Differs, int64(1))
}

func TestTemplateIsFoundByItsHeader(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	tpl := mapping.Template{ID: "haus", Name: "Haus", Entity: "companies", Fingerprint: mapping.Fingerprint([]string{"Kennung", "Firma"}), Columns: []mapping.Column{
		{Header: "Kennung", Index: 0, Field: "code"}, {Header: "Firma", Index: 1, Field: "name"},
	}}
	if _, err := s.SaveTemplate(t.Context(), rehearsal.Tenant, tpl); err != nil {
		t.Fatal(err)
	}
	m := run(t, s, "companies", "h.csv", "Firma;Kennung\nEins;1\n")
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "template", m.Template.ID, "haus")
	want(t, "records", records(t, s, "companies", "code", "name"), []string{"1 Eins"})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	d := announced(t, s, "companies", "code;name\nA;Alt\n", mapping.Options{Start: mapping.OnMyWord})
	m := waits(t, s, d, "AwaitStart")
	if err := s.Cancel(t.Context(), rehearsal.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = ended(t, s, d)
	want(t, "state", m.State, importer.CancelledState)
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "records", records(t, s, "companies", "code"), []string(nil))
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := withOptions(t, s, "companies", "code;name\nA;Alt\n", mapping.Options{DryRun: true})
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "records", records(t, s, "companies", "code"), []string(nil))
}

func TestUniqueWithinTheFile(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := run(t, s, "contacts", "u.csv", "Code;E-mail;First name\nA;x@example.com;Anna\nB;X@example.com;Bo\nC;y@example.com;Cy\n")
	want(t, "rows", m.Rows, counts(3, 2, 0, 0, 1, 0))
	want(t, "records", records(t, s, "contacts", "code", "email"), []string{"A x@example.com", "C y@example.com"})
	m = run(t, s, "contacts", "v.csv", "Code;E-mail;First name\nD;y@example.com;Dan\n")
	want(t, "taken", m.Rows, counts(1, 0, 0, 0, 1, 0))
	m = run(t, s, "contacts", "w.csv", "Code;E-mail\nC;z@example.com\n")
	want(t, "changed", m.Rows, counts(1, 0, 1, 0, 0, 0))
	m = run(t, s, "contacts", "x.csv", "Code;E-mail;First name\nD;y@example.com;Dan\n")
	want(t, "free again", m.Rows, counts(1, 1, 0, 0, 0, 0))
}

func TestFilesThatAreNoSheets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		state   importer.State
		code    string
	}{
		"empty.csv":      {"", importer.Failed, "empty"},
		"header.csv":     {"code;name\n", importer.Completed, ""},
		"picture.png":    {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89", importer.Failed, "unknown-format"},
		"truncated.xlsx": {"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", importer.Failed, "corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := run(t, stage(t, rehearsal.Options{}), "companies", name, c.content)
			want(t, "state", m.State, c.state)
			want(t, "nothing written", m.NothingWritten, true)
			if c.code != "" && (m.Trouble == nil || m.Trouble.Code != c.code) {
				t.Errorf("trouble %+v, want %s", m.Trouble, c.code)
			}
		})
	}
}

// A few broken bytes among valid UTF-8 are never imported in silence.
func TestDamagedCharactersRejectTheirRow(t *testing.T) {
	t.Parallel()
	file := "code;name;notes\nA;Ašara;ąčęėįšųūž\nB;Sūd\xfc;x\nC;Nord;ąčęėįšųūž\n"
	m := run(t, stage(t, rehearsal.Options{}), "companies", "d.csv", file)
	want(t, "rows", m.Rows, counts(3, 2, 0, 0, 1, 0))
	if m.Codes["characters_damaged "] != 1 {
		t.Errorf("codes %v", m.Codes)
	}
}
