package formula_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/report/formula"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                      "",
		"plain":                 "plain",
		"a=b":                   "a=b",
		"O'Brien":               "O'Brien",
		"'quoted'":              "'quoted'",
		"=1+1":                  "'=1+1",
		"=HYPERLINK(\"x\")":     "'=HYPERLINK(\"x\")",
		"+cmd|' /C calc'!A0":    "'+cmd|' /C calc'!A0",
		"-2+3":                  "'-2+3",
		"@SUM(A1)":              "'@SUM(A1)",
		"\t=1":                  "'\t=1",
		"\r=1":                  "'\r=1",
		"+":                     "'+",
		"-":                     "'-",
		"+12":                   "+12",
		"-12":                   "-12",
		"-12.5":                 "'-12.5",
		"+37061234567":          "+37061234567",
		"+370 (612) 34-567":     "+370 (612) 34-567",
		"+370.612/34567":        "+370.612/34567",
		"+1-2":                  "'+1-2",
		"+370 612 34567 ext. 2": "'+370 612 34567 ext. 2",
		"-370 612 34567":        "'-370 612 34567",
		"+1234567890123456-1":   "'+1234567890123456-1",
		"'=1":                   "''=1",
		"''=1":                  "'''=1",
		"'+37061234567":         "''+37061234567",
	}
	for s, want := range tests {
		if got := formula.Guard(s); got != want {
			t.Errorf("Guard(%q) = %q, want %q", s, got, want)
		}
		if got := formula.Unguard(want); got != s {
			t.Errorf("Unguard(%q) = %q, want %q", want, got, s)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`'{0,3}[=+\-@\t\r]?[0-9 ()=A-Z'-]{0,9}`))
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "s")
		if got := formula.Unguard(formula.Guard(s)); got != s {
			t.Fatalf("Unguard(Guard(%q)) = %q", s, got)
		}
	})
}
