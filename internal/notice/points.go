package notice

import "strings"

// Amount is an amount of points.
type Amount struct {
	Amount   string // decimal text
	Currency string
	Account  string // "" is the balance of the currency
}

// Points is the message to somebody who was credited points: what was credited
// and the balances after it. The language is one of those of reports; any other
// is English.
func Points(language string, credited, balances []Amount) (subject, text string) {
	var words [3]string
	switch language {
	case "de":
		words = [...]string{"Ihre Punkte", "Gutgeschrieben", "Neuer Stand"}
	case "es":
		words = [...]string{"Sus puntos", "Puntos abonados", "Nuevo saldo"}
	case "fr":
		words = [...]string{"Vos points", "Points crédités", "Nouveau solde"}
	case "lt":
		words = [...]string{"Jūsų taškai", "Įskaityta taškų", "Naujas likutis"}
	default:
		words = [...]string{"Your points", "Points credited", "New balance"}
	}
	colon := ": "
	if language == "fr" {
		colon = " : "
	}
	return words[0], words[1] + colon + list(credited) + ". " + words[2] + colon + list(balances) + "."
}

func list(amounts []Amount) string {
	parts := make([]string, len(amounts))
	for n, a := range amounts {
		parts[n] = a.Amount + " " + a.Currency
		if a.Account != "" {
			parts[n] += " (" + a.Account + ")"
		}
	}
	return strings.Join(parts, ", ")
}
