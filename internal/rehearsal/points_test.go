package rehearsal_test

import (
	"testing"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/rehearsal"
)

func balances(t *testing.T, s *rehearsal.Stage, phone string) map[string]string {
	t.Helper()
	all, lines, err := s.Balances(t.Context(), rehearsal.Tenant, "members", phone)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %+v", phone, lines)
	out := map[string]string{}
	for _, b := range all {
		name := b.Currency
		if b.Account != "" {
			name += "@" + b.Account
		}
		out[name] = b.Amount
	}
	return out
}

func TestPointsAreCreditedOnce(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	const file = "phone;name;points;points_currency;points_account\n" +
		"+37061234567;Ona;10.5;EUR;\n" + // a credit
		"+37061234567;;4,5;EUR;\n" + // another of the same member
		"+37061234568;Jonas;7;;\n" + // no currency: not credited
		"+37061234569;Rasa;3;EUR;nobody\n" + // an account that is not hers
		"+37061234567;;2;EUR;acc\n" // a transaction on her account
	if err := s.OpenAccount(t.Context(), rehearsal.Tenant, "members", "+37061234567", "acc"); err != nil {
		t.Fatal(err)
	}
	m := withOptions(t, s, "members", file, mapping.Options{DecimalMark: ""})
	want(t, "rows", m.Rows, counts(5, 2, 2, 0, 1, 0))
	want(t, "credits", m.Credits, int64(3))
	want(t, "balances", balances(t, s, "+37061234567"), map[string]string{"EUR": "15", "EUR@acc": "2"})
	want(t, "not credited", balances(t, s, "+37061234568"), map[string]string{})
	want(t, "notice", m.Notices["points_without_currency"], int64(1))

	// The same credits again wait for a person's yes, which names the import.
	d := announced(t, s, "members", file, mapping.Options{})
	again := waits(t, s, d, "AwaitStart")
	want(t, "names the earlier import", again.CreditedBy, m.ID)
	if err := s.Start(t.Context(), rehearsal.Tenant, again.ID); err != nil {
		t.Fatal(err)
	}
	again = ended(t, s, d)
	want(t, "a new credit each", again.Rows, counts(5, 0, 3, 1, 1, 0))
	want(t, "balances", balances(t, s, "+37061234567"), map[string]string{"EUR": "30", "EUR@acc": "4"})
	want(t, "state", again.State, importer.CompletedWithRejects)
}

func TestACardBelongsToOneMember(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := run(t, s, "members", "m.csv", "phone;plastic_cards\n+37061234567;A1|A2\n+37061234568;A2\n")
	want(t, "rows", m.Rows, counts(2, 1, 0, 0, 1, 0))
	m = withOptions(t, s, "members", "phone;plastic_cards\n+37061234567;A3\n", mapping.Options{ReplaceLists: []string{"plastic_cards"}})
	want(t, "replaced", m.Rows, counts(1, 0, 1, 0, 0, 0))
	m = run(t, s, "members", "n.csv", "phone;plastic_cards\n+37061234568;A2\n")
	want(t, "the old number is free", m.Rows, counts(1, 1, 0, 0, 0, 0))
	want(t, "cards", records(t, s, "members", "phone", "plastic_cards"), []string{"+37061234567 A3", "+37061234568 A2"})
}

func TestListsAreGeneratedIfAsked(t *testing.T) {
	t.Parallel()
	const file = "code;name;family\nP1;Hammer;Tools\nP2;Saw;tools\n"
	s := stage(t, rehearsal.Options{})
	m := withOptions(t, s, "products", file, mapping.Options{})
	want(t, "off", m.Rows, counts(2, 0, 0, 0, 2, 0))
	m = withOptions(t, s, "products", file, mapping.Options{GenerateMissing: true})
	want(t, "on", m.Rows, counts(2, 2, 0, 0, 0, 0))
	want(t, "families", records(t, s, "product_families", "name"), []string{"Tools"})
	m = withOptions(t, s, "products", "code;name;family\nP3;Nail;TOOLS\n", mapping.Options{})
	want(t, "found", m.Rows, counts(1, 1, 0, 0, 0, 0))
}
