package rehearsal_test

import (
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/rehearsal"
)

func TestATenantAddsFieldsAndEntities(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	ctx := t.Context()
	if _, err := s.Define(ctx, rehearsal.Tenant, []byte(`{"name": "shop", "extends": "companies", "fields": [{"name": "vip", "type": "boolean", "titles": {"en": "VIP"}}]}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Define(ctx, rehearsal.Tenant, []byte(`{"name": "branches", "key": "number", "titles": {"en": "Branches"}, "fields": [
		{"name": "number", "type": "code", "titles": {"en": "Number"}}, {"name": "town", "type": "text", "titles": {"en": "Town"}}]}`)); err != nil {
		t.Fatal(err)
	}
	m := run(t, s, "companies", "c.csv", "code;name;VIP\nA;Alt;yes\n")
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "own field", records(t, s, "companies", "code", "vip"), []string{"A true"})
	m = run(t, s, "branches", "b.csv", "Number;Town\n7;Vilnius\n")
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "own entity", records(t, s, "branches", "number", "town"), []string{"7 Vilnius"})

	if _, err := s.Define(ctx, rehearsal.Tenant, []byte(`{"name": "bad", "key": "nothing", "fields": []}`)); err == nil {
		t.Error("a definition without its key was taken")
	}
	if err := s.CreateTenant(ctx, importer.Tenant{ID: "other"}); err != nil {
		t.Fatal(err)
	}
	if err := s.EachRecord(ctx, "other", "branches", func(importer.Record) error { return nil }); err == nil {
		t.Error("another tenant has the entity, too")
	}
}

func TestNearNamesAreSuggested(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	run(t, s, "companies", "c.csv", "code;name\nA;Nordlicht Handels GmbH\nB;Nordwind\nC;Südfrucht\n")
	near, err := s.Suggest(t.Context(), rehearsal.Tenant, "companies", "Nordlicht Handel GmbH", 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(near) == 0 || near[0].Key != "a" || near[0].Name != "Nordlicht Handels GmbH" {
		t.Errorf("near: %+v", near)
	}
}

func TestDecisionsAndMappingsAreRemembered(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	ctx := t.Context()
	run(t, s, "companies", "k.csv", "code;name\nK1;Known\n")
	if err := s.Remember(ctx, rehearsal.Tenant, "contacts", []importer.Named{{Field: "company", Name: "old name", Action: importer.UseRecord, Key: "k1"}}); err != nil {
		t.Fatal(err)
	}
	m := withOptions(t, s, "contacts", "E-mail;Last name;Company\na@example.com;A;Old Name\n", mapping.Options{Unmatched: mapping.Ask})
	want(t, "rows", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "company", records(t, s, "contacts", "email", "company"), []string{"a@example.com k1"})

	d, err := s.Put(ctx, "companies", "c.csv", []byte("Xyzzy,Plugh\n1,Eins\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		t.Fatal(err)
	}
	m = waits(t, s, d, "AwaitMapping")
	tpl := mapping.Template{ID: "x", Name: "X", Entity: "companies", Columns: []mapping.Column{{Header: "Xyzzy", Field: "code"}, {Header: "Plugh", Index: 1, Field: "name"}}}
	if err := s.Map(ctx, rehearsal.Tenant, m.ID, importer.Mapping{Template: tpl}); err != nil {
		t.Fatal(err)
	}
	ended(t, s, d)
	d, err = s.Put(ctx, "companies", "d.csv", []byte("Plugh,Xyzzy,Other\nZwei,2,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Runner.Start(ctx, d.Execution, d.Event); err != nil {
		t.Fatal(err)
	}
	m = waits(t, s, d, "AwaitMapping")
	in, err := s.Inspection(ctx, rehearsal.Tenant, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range in.Proposals {
		got = append(got, in.Layout.Columns[p.Column]+"="+p.Field)
	}
	if s := strings.Join(got, " "); !strings.Contains(s, "Xyzzy=code") || !strings.Contains(s, "Plugh=name") {
		t.Errorf("proposals: %s", s)
	}
	if err := s.Cancel(ctx, rehearsal.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	ended(t, s, d)
}
