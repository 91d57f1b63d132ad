//go:build e2e

package e2e_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"golang.org/x/text/encoding/unicode"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
)

func mappedByAPerson(t *testing.T, s *trial) {
	key := s.Drop(t, "companies", "c.csv", []byte("Kennung,Firma,Egal\n1,Eins,x\n2,Zwei,y\n"))
	m := s.in(t, key, importer.NeedsMapping)
	in, err := s.use.Inspection(t.Context(), s.Tenant, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "columns to map", in.Layout.Columns, []string{"Kennung", "Firma", "Egal"})

	columns := []mapping.Column{{Header: "Kennung", Index: 0, Field: "code"}, {Header: "Firma", Index: 1, Field: "name"}}
	bad := importer.Mapping{Template: mapping.Template{ID: "c", Name: "C", Entity: "companies", Columns: []mapping.Column{{Header: "Firma", Index: 1, Field: "shoe_size"}}}}
	if err := s.use.Map(t.Context(), s.Tenant, m.ID, bad); !refused(err, "mapping_incomplete") {
		t.Errorf("a mapping to a field that is not there: %v", err)
	}
	good := importer.Mapping{Template: mapping.Template{ID: "c", Name: "C", Entity: "companies", Columns: columns}, By: "ada"}
	if err := s.use.Map(t.Context(), s.Tenant, m.ID, good); err != nil {
		t.Fatal(err)
	}
	if err := s.use.Map(t.Context(), s.Tenant, m.ID, good); !refused(err, "not_waiting") {
		t.Errorf("a second answer: %v", err)
	}
	m = s.ended(t, key)
	want(t, "state", m.State, importer.Completed)
	want(t, "rows", m.Rows, counts(2, 2, 0, 0, 0, 0))
	want(t, "by", m.By, "ada")
	want(t, "records", s.list(t, "companies", "code", "name"), []string{"1 Eins", "2 Zwei"})
}

func refused(err error, code string) bool {
	var r *fault.Refused
	return errors.As(err, &r) && r.Code == code
}

// ofCompanies are contacts of companies: one that is stored, named in both
// ways, and two that are not.
func ofCompanies(t *testing.T, s *trial) []byte {
	t.Helper()
	s.imported(t, "companies", "known.csv", []byte("code;name\nK1;Known\n"))
	return []byte("E-mail;Last name;Company\na@example.com;A;Nord\nb@example.com;B;Süd\nc@example.com;C;NORD\nd@example.com;D;K1\ne@example.com;E;known\n")
}

// unmatched imports contacts of companies under a rule, and checks what is
// stored then.
func unmatched(t *testing.T, s *trial, rule mapping.Unmatched, rows record.Counts, companies, contacts []string) *importer.Import {
	t.Helper()
	m := s.ended(t, s.dropWith(t, "contacts", "people.csv", ofCompanies(t, s), mapping.Options{Unmatched: rule}))
	want(t, "rows", m.Rows, rows)
	s.wantContacts(t, companies, contacts)
	return m
}

// wantContacts compares the companies' names, and the contacts with the names
// of the companies that they are tied to.
func (s *trial) wantContacts(t *testing.T, companies, contacts []string) {
	t.Helper()
	want(t, "companies", s.list(t, "companies", "name"), companies)
	var got []string
	err := s.use.EachRecord(t.Context(), s.Tenant, "contacts", func(r importer.Record) error {
		name := ""
		if key := r.Fields["company"].Text; key != "" {
			company, err := s.use.GetRecord(t.Context(), s.Tenant, "companies", key)
			if err != nil {
				return err
			}
			if company == nil {
				return fmt.Errorf("the company %q is not stored", key)
			}
			name = company.Fields["name"].Text
		}
		got = append(got, r.Fields["last_name"].Text+" "+name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want(t, "contacts", got, contacts)
}

func unmatchedCreated(t *testing.T, s *trial) {
	unmatched(t, s, mapping.CreateMissing, counts(5, 5, 0, 0, 0, 0),
		[]string{"Known", "Nord", "Süd"}, []string{"A Nord", "B Süd", "C Nord", "D Known", "E Known"})
}

func unmatchedRejected(t *testing.T, s *trial) {
	m := unmatched(t, s, mapping.RejectRow, counts(5, 2, 0, 0, 3, 0), []string{"Known"}, []string{"D Known", "E Known"})
	want(t, "state", m.State, importer.CompletedWithRejects)
	got := parseText(t, ';', s.read(t, m.Reports.Failures))
	if len(got) != 4 {
		t.Fatalf("the report has %d rows, want 4: %q", len(got), got)
	}
	for n, row := range []string{"2", "3", "4"} {
		want(t, "row, field, code", got[n+1][3:6], []string{row, "company", "reference_unknown"})
	}
}

func unmatchedIgnored(t *testing.T, s *trial) {
	m := unmatched(t, s, mapping.IgnoreRow, counts(5, 2, 0, 0, 0, 3), []string{"Known"}, []string{"D Known", "E Known"})
	want(t, "state", m.State, importer.Completed)

	// The file of ignored rows imports when it is dropped back.
	m = s.ended(t, s.dropWith(t, "contacts", "people.ignored.csv", s.read(t, m.Reports.Ignored), mapping.Options{Unmatched: mapping.CreateMissing}))
	want(t, "rows of the ignored", m.Rows, counts(3, 3, 0, 0, 0, 0))
	s.wantContacts(t, []string{"Known", "Nord", "Süd"}, []string{"A Nord", "B Süd", "C Nord", "D Known", "E Known"})
}

func unmatchedDecided(t *testing.T, s *trial) {
	file := append(ofCompanies(t, s), "f@example.com;F;West\ng@example.com;G;Ost\n"...)
	key := s.dropWith(t, "contacts", "people.csv", file, mapping.Options{Unmatched: mapping.Ask})
	m := s.in(t, key, importer.NeedsDecision)
	names := map[string]string{}
	err := s.use.UnmatchedOf(t.Context(), s.Tenant, m.ID, func(u importer.Unmatched) error {
		names[u.Written] = u.Name
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "unmatched", len(names), 4)
	err = s.use.Decide(t.Context(), s.Tenant, m.ID, importer.IgnoreRows, []importer.Named{
		{Field: "company", Name: names["Nord"], Action: importer.CreateRecord},
		{Field: "company", Name: names["Süd"], Action: importer.UseRecord, Key: "k1"},
		{Field: "company", Name: names["West"], Action: importer.RejectRows},
	})
	if err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "state", m.State, importer.CompletedWithRejects)
	want(t, "rows", m.Rows, counts(7, 5, 0, 0, 1, 1))
	s.wantContacts(t, []string{"Known", "Nord"}, []string{"A Nord", "B Known", "C Nord", "D Known", "E Known"})
	if ignored := parseText(t, ';', s.read(t, m.Reports.Ignored)); len(ignored) != 2 || ignored[1][1] != "G" {
		t.Errorf("the ignored rows are %q", ignored)
	}
	if failures := parseText(t, ';', s.read(t, m.Reports.Failures)); len(failures) != 2 || failures[1][1] != "F" {
		t.Errorf("the rejected rows are %q", failures)
	}
}

func cancelledWaiting(t *testing.T, s *trial) {
	file := text(t, ',', people())
	key := s.dropWith(t, "contacts", "people.csv", file, mapping.Options{Start: mapping.OnMyWord})
	m := s.in(t, key, importer.Ready)
	want(t, "plan", m.Plan, counts(3, 3, 0, 0, 0, 0))
	if err := s.use.Cancel(t.Context(), s.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "state", m.State, importer.CancelledState)
	want(t, "nothing written", m.NothingWritten, true)
	want(t, "created", m.Rows.Created, int64(0))
	want(t, "records", s.people(t), []string(nil))
	if err := s.use.Cancel(t.Context(), s.Tenant, m.ID); !refused(err, "finished") {
		t.Errorf("cancelled once more: %v", err)
	}

	// It stands in nobody's way.
	m = s.imported(t, "contacts", "next.csv", file)
	want(t, "rows of the next", m.Rows, counts(3, 3, 0, 0, 0, 0))
}

func aborted(t *testing.T, s *trial) {
	file := text(t, ',', people())
	key := s.dropWith(t, "contacts", "people.csv", file, mapping.Options{Start: mapping.OnMyWord})
	m := s.in(t, key, importer.Ready)
	arn := s.Execution(t, m.Execution).ExecutionArn
	if _, err := s.Clients.SFN.StopExecution(t.Context(), &awssfn.StopExecutionInput{ExecutionArn: arn}); err != nil {
		t.Fatal(err)
	}
	// No Catch sees that; the rule on the execution's status does.
	m = s.in(t, key, importer.Failed)
	failedWith(t, m, "step_failed")
	s.checkEnd(t, m)
	want(t, "records", s.people(t), []string(nil))

	m = s.imported(t, "contacts", "next.csv", file)
	want(t, "rows of the next", m.Rows, counts(3, 3, 0, 0, 0, 0))
}

func reviewedThenStarted(t *testing.T, s *trial) {
	key := s.dropWith(t, "contacts", "people.csv", text(t, ',', people()), mapping.Options{Start: mapping.OnMyWord})
	m := s.in(t, key, importer.Ready)
	want(t, "plan", m.Plan, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.people(t), []string(nil))

	// While it waits, another import makes one of its records, so that the plan
	// is made anew when it starts.
	other := s.imported(t, "contacts", "first.csv", text(t, ',', people()[:2]))
	want(t, "rows of the other", other.Rows, counts(1, 1, 0, 0, 0, 0))
	if err := s.use.Start(t.Context(), s.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "rows", m.Rows, counts(3, 2, 0, 1, 0, 0))
	want(t, "round", m.Round, 2)
	want(t, "records", s.people(t), peopleStored())
}

func edited(t *testing.T, s *trial) {
	// What is in another encoding is read from a copy: the second round, too.
	rows := append(people(), []string{"P-4", "nope", "Dörte", "Jäger", ""})
	file := encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text(t, ',', rows))
	key := s.dropWith(t, "contacts", "people.csv", file, mapping.Options{Start: mapping.OnMyWord})
	m := s.in(t, key, importer.Ready)
	want(t, "plan", m.Plan, counts(4, 3, 0, 0, 1, 0))
	err := s.use.Edit(t.Context(), s.Tenant, m.ID, importer.Overlay{
		Edits: map[int64]map[int]string{5: {1: "doerte@example.com"}}, Out: []int64{2},
	})
	if err != nil {
		t.Fatal(err)
	}
	m = s.in(t, key, importer.Ready)
	want(t, "plan of the edited", m.Plan, counts(4, 3, 0, 0, 0, 1))
	if err := s.use.Start(t.Context(), s.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "rows", m.Rows, counts(4, 3, 0, 0, 0, 1))
	want(t, "round", m.Round, 2)
	want(t, "records", s.people(t), append(peopleStored()[1:], "P-4 doerte@example.com Dörte Jäger "))
}

func mappedAnew(t *testing.T, s *trial) {
	key := s.dropWith(t, "contacts", "people.csv", ofCompanies(t, s), mapping.Options{Unmatched: mapping.Ask})
	m := s.in(t, key, importer.NeedsDecision)
	without := mapping.Template{ID: "c", Name: "C", Entity: "contacts", Columns: []mapping.Column{
		{Header: "E-mail", Index: 0, Field: "email"}, {Header: "Last name", Index: 1, Field: "last_name"},
	}}
	if err := s.use.Map(t.Context(), s.Tenant, m.ID, importer.Mapping{Template: without}); err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "rows", m.Rows, counts(5, 5, 0, 0, 0, 0))
	want(t, "round", m.Round, 2)
	s.wantContacts(t, []string{"Known"}, []string{"A ", "B ", "C ", "D ", "E "})
}
