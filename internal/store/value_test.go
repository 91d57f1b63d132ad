package store_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/store"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "00": "0", "0.0": "0", "7": "7", "-7": "-7", "+7": "7", "007": "7", "1.50": "1.5", ".5": "0.5", "5.": "5",
		"1e3": "1000", "1E-3": "0.001", "-12.5e+1": "-125", "1.2e1": "12", "1e125": "1" + strings.Repeat("0", 125),
		strings.Repeat("9", 38): strings.Repeat("9", 38),
		"":                      "", "-": "", "+-1": "", "1,5": "", "1e": "", "e1": "", "0x1": "", "NaN": "", "1 ": "", "1e1.5": "", "--1": "", "1e999": "", ".": "",
		strings.Repeat("9", 39): "", "1e126": "", "1_0": "", "１": "",
	} {
		got, ok := store.Number(in).Canonical()
		if ok != (want != "") || string(got) != want {
			t.Errorf("%q: %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestCanonicalKeepsTheWorth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[-+]?[0-9]{1,12}(\.[0-9]{0,12})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number")
		got, ok := store.Number(in).Canonical()
		if !ok {
			t.Fatalf("%q is refused", in)
		}
		want, _ := new(big.Rat).SetString(in)
		have, valid := new(big.Rat).SetString(string(got))
		if !valid || want.Cmp(have) != 0 {
			t.Fatalf("%q became %q", in, got)
		}
		if again, ok := got.Canonical(); !ok || again != got {
			t.Fatalf("%q became %q and then %q", in, got, again)
		}
	})
}
