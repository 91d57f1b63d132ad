package notice_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dropload/dropload/internal/notice"
)

func TestPointsInEachLanguage(t *testing.T) {
	t.Parallel()
	credited := []notice.Amount{{Amount: "10.5", Currency: "EUR"}, {Amount: "2", Currency: "EUR", Account: "A1"}}
	balances := []notice.Amount{{Amount: "15", Currency: "EUR"}}
	for language, want := range map[string][2]string{
		"en": {"Your points", "Points credited: 10.5 EUR, 2 EUR (A1). New balance: 15 EUR."},
		"de": {"Ihre Punkte", "Gutgeschrieben: 10.5 EUR, 2 EUR (A1). Neuer Stand: 15 EUR."},
		"es": {"Sus puntos", "Puntos abonados: 10.5 EUR, 2 EUR (A1). Nuevo saldo: 15 EUR."},
		"fr": {"Vos points", "Points crédités : 10.5 EUR, 2 EUR (A1). Nouveau solde : 15 EUR."},
		"lt": {"Jūsų taškai", "Įskaityta taškų: 10.5 EUR, 2 EUR (A1). Naujas likutis: 15 EUR."},
		"xx": {"Your points", "Points credited: 10.5 EUR, 2 EUR (A1). New balance: 15 EUR."},
	} {
		subject, text := notice.Points(language, credited, balances)
		if got := [2]string{subject, text}; got != want {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
	}
}

func TestRefusedIsTold(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("sending: %w", &notice.Refused{Code: "OptedOut"})
	if !errors.Is(err, notice.ErrRefused) || errors.Is(errors.New("timeout"), notice.ErrRefused) {
		t.Error("what was refused and what is unknown are told alike")
	}
}
