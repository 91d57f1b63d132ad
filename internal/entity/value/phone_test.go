package value_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/entity/value"
	"github.com/dropload/dropload/internal/record"
)

func define(tb testing.TB, name string) *entity.Definition {
	tb.Helper()
	c, err := entity.Standard()
	if err != nil {
		tb.Fatal(err)
	}
	def, ok := c.Entity(name)
	if !ok {
		tb.Fatalf("no entity %q", name)
	}
	return def
}

func converter(tb testing.TB, def *entity.Definition, o value.Options) *value.Converter {
	tb.Helper()
	c, err := value.New(def, o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func text(s string) record.Cell    { return record.Cell{Kind: record.Text, Text: s} }
func number(n float64) record.Cell { return record.Cell{Kind: record.Number, Number: n} }
func shows(n float64, s string) record.Cell {
	return record.Cell{Kind: record.Number, Number: n, Text: s}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	phone, _ := def.Field("phone")
	tests := []struct {
		country string
		cell    record.Cell
		want    string // "!code" is a problem
	}{
		{"", text("+37061234567"), "+37061234567"},
		{"", text("37061234567"), "+37061234567"},
		{"", text("0037061234567"), "+37061234567"},
		{"", text("+370 (612) 34-567"), "+37061234567"},
		{"", text("+370 612 34567"), "+37061234567"},
		{"", text("+370\u00a0612\u201334567"), "+37061234567"},
		{"", text("\u202a+37061234567\u202c"), "+37061234567"},
		{"", text("tel:+37061234567"), "+37061234567"},
		{"", text("37061234567.0"), "+37061234567"},
		{"", text("37061234567,00"), "+37061234567"},
		{"", text("3.7061234567E+10"), "+37061234567"},
		{"", text("3,7061234567E+10"), "+37061234567"},
		{"", text("3.70612E+10"), "!digits_lost"},
		{"", text("3,70612E+10"), "!digits_lost"},
		{"", text("3.7E+10"), "!digits_lost"},
		{"", number(37061234567), "+37061234567"},
		{"", shows(37061234567, "3.70612E+10"), "+37061234567"},
		{"", shows(37061234567.5, "37061234567.5"), "!phone_invalid"},
		{"", text("861234567"), "!phone_country"},
		{"", text("061234567"), "!phone_country"},
		{"LT", text("861234567"), "+37061234567"},
		{"LT", text("061234567"), "+37061234567"},
		{"LT", text("61234567"), "+37061234567"},
		{"LT", text("37061234567"), "+37061234567"},
		{"lt", text("8 612 34567"), "+37061234567"},
		{"DE", text("030 5550101"), "+49305550101"},
		{"DE", text("+49 (0)30 5550101"), "+49305550101"},
		{"DE", text("0049 30 5550101"), "+49305550101"},
		{"DE", text("+37061234567"), "+37061234567"},
		{"US", text("(202) 555-0143"), "+12025550143"},
		{"US", text("1-202-555-0143"), "+12025550143"},
		{"UK", text("020 7946 0991"), "+442079460991"},
		{"Lithuania", text("861234567"), "+37061234567"},
		{"", text("+1 202 555 0143"), "+12025550143"},
		{"", text("+44 20 7946 0991"), "+442079460991"},
		{"", text("+44 (0)20 7946 0991"), "+442079460991"},
		{"", text("+39 06 12345678"), "+390612345678"},
		{"", text("+1 202 555 0143 ext. 22"), "!phone_extension"},
		{"", text("+1 202 555 0143 x22"), "!phone_extension"},
		{"", text("+37061234567, +37061234568"), "!phone_invalid"},
		{"", text("+37061234567/+37061234568"), "!phone_invalid"},
		{"", text("call me"), "!phone_invalid"},
		{"", text("+370 612"), "!phone_invalid"},
		{"", text("+999 1234567"), "!phone_invalid"},
		{"", text("+"), "!phone_invalid"},
		{"", text("12"), "!phone_invalid"},
		{"", text("n/a"), "!phone_invalid"},
		{"", text("   "), ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %v", test.country, test.cell), func(t *testing.T) {
			t.Parallel()
			v, w := converter(t, def, value.Options{Country: test.country}).Convert(phone, test.cell)
			got := v.Text
			if w.Code != "" {
				got = "!" + w.Code
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestFastPhone holds the short way against the library: whatever it takes, the
// library takes too, and makes the same of it.
func TestFastPhone(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	phone, _ := def.Field("phone")
	c := converter(t, def, value.Options{})
	var codes []int
	for code := range phonenumbers.GetSupportedCallingCodes() {
		codes = append(codes, code)
	}
	random := rand.New(rand.NewPCG(1, 2))
	fast, same := 0, 0
	for range 20_000 {
		code := codes[random.IntN(len(codes))]
		if random.IntN(2) == 0 {
			code = []int{1, 30, 31, 32, 33, 34, 40, 41, 44, 45, 46, 47, 48, 49, 351, 370, 371, 372, 380, 420, 421}[random.IntN(21)]
		}
		digits := fmt.Sprint(code)
		for range 5 + random.IntN(9) {
			digits += fmt.Sprint(random.IntN(10))
		}
		if len(digits) > 15 {
			digits = digits[:15]
		}
		v, w := c.Convert(phone, text("+"+digits))
		want := ""
		if n, err := phonenumbers.Parse("+"+digits, "ZZ"); err == nil && phonenumbers.IsPossibleNumber(n) {
			want = phonenumbers.Format(n, phonenumbers.E164)
		}
		if v.Text != want {
			t.Fatalf("+%s: got %q (%s), the library says %q", digits, v.Text, w.Code, want)
		}
		fast++
		if v.Text == "+"+digits {
			same++
		}
	}
	if same < fast/10 {
		t.Errorf("only %d of %d numbers were possible: the test tries too little", same, fast)
	}
}

// TestPhoneDecoration: blanks, hyphens and brackets change nothing, and what
// comes out goes in again.
func TestPhoneDecoration(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	phone, _ := def.Field("phone")
	c := converter(t, def, value.Options{})
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.SampledFrom([]string{"37061234567", "12025550143", "493055501012", "442079460991", "390612345678", "351912345678"}).Draw(t, "digits")
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"+", "00", "+ "}).Draw(t, "prefix"))
		for _, d := range digits {
			b.WriteRune(d)
			b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", "."}).Draw(t, "gap"))
		}
		v, w := c.Convert(phone, text(b.String()))
		if v.Text != "+"+digits {
			t.Fatalf("%q: got %q %s, want +%s", b.String(), v.Text, w.Code, digits)
		}
	})
}
