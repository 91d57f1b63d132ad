package numfmt

import (
	"testing"

	"github.com/dropload/dropload/internal/record"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  string
		value float64
		want  string
	}{
		// General
		{"General", 0, "0"},
		{"General", 12, "12"},
		{"General", -12.5, "-12.5"},
		{"General", 0.1 + 0.2, "0.3"},
		{"General", 1.0 / 3, "0.333333333"},
		{"General", -1.0 / 3, "-0.333333333"},
		{"General", 123456.789012345, "123456.789"},
		{"General", 12345678901, "12345678901"},
		{"General", 123456789012, "1.23457E+11"},
		{"General", 12345678901.5, "12345678902"},
		{"General", 99999999999.5, "1E+11"},
		{"General", 0.0001, "0.0001"},
		{"General", 0.000012345, "0.000012345"},
		{"General", 0.00001234567, "1.23457E-05"},
		{"General", 1e-10, "1E-10"},
		{"General", 1e300, "1E+300"},
		{"General", -0.0001234567891, "-0.000123457"},
		{`General" kg"`, 1.5, "1.5 kg"},
		{"@", 1.25, "1.25"},
		{"", 1.25, "1.25"},
		{"[unclosed", 1.25, "1.25"},
		// places
		{"0", 0.5, "1"},
		{"0", 2.5, "3"},
		{"0", -0.4, "-0"},
		{"0.00", 1.005, "1.01"},
		{"0.00", 2.675, "2.68"},
		{"00000", 123, "00123"},
		{"00000", 1234567, "1234567"},
		{"#", 0, ""},
		{"#.##", 5, "5."},
		{"#.##", 0.25, ".25"},
		{".00", 12.5, "12.50"},
		{"0.0#", 1.25, "1.25"},
		{"0.0#", 1, "1.0"},
		{"0.0??", 1.5, "1.5"},
		{"???.0", 1.5, "1.5"},
		{"#,##0", 1234567, "1,234,567"},
		{"#,##0", -999, "-999"},
		{"0,000", 12, "0,012"},
		{"#,##0.00", 999.995, "1,000.00"},
		{"#,##0,", 1234567, "1,235"},
		{`0.0,,"M"`, 12345678, "12.3M"},
		{"0%", 0.125, "13%"},
		{"0.0%", 1.5, "150.0%"},
		{"%0", 0.5, "%50"},
		{"000-00-0000", 123456789, "123-45-6789"},
		{"(000) 000-0000", 5551234567, "(555) 123-4567"},
		{"+000 000 00000", 37061234567, "+370 612 34567"},
		{"0.00E+00", 12345, "1.23E+04"},
		{"0.00E+00", 0.00012345, "1.23E-04"},
		{"0.0E+0", 9.96, "1.0E+1"},
		{"##0.0E+0", 12345, "12.3E+3"},
		{"0E-0", 12345, "1E4"},
		{"0.00E+00", 0, "0.00E+00"},
		// sections, literals, colours
		{`0;(0);"zero"`, -5, "(5)"},
		{`0;(0);"zero"`, 0, "zero"},
		{"0;(0)", 0, "0"},
		{`0;;"-"`, -5, ""},
		{";;;", 5, ""},
		{`[Red]0.0;[Color3]-0.0`, -1.25, "-1.3"},
		{`[<100]"few";[<1000]"some";"many"`, 99, "few"},
		{`[<100]"few";[<1000]"some";"many"`, 999, "some"},
		{`[<100]"few";[<1000]"some";"many"`, 1000, "many"},
		{"[>=10]0.0;0.00", -5, "-5.00"},
		{"[<0]0;0", -5, "5"},
		{"[=1]0\" piece\";0\" pieces\"", 1, "1 piece"},
		{"[=1]0\" piece\";0\" pieces\"", 2, "2 pieces"},
		{`0;-0;;@`, 0, ""},
		{`0.00;@`, -3, "-3.00"},
		{`\x0\y`, 7, "x7y"},
		{`"a;b"0`, 7, "a;b7"},
		{`[$€-407] #,##0.00`, 1234.5, "€ 1,234.50"},
		{`#,##0.00\ [$EUR]`, 1234.5, "1,234.50 EUR"},
		{`_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)`, 1234.5, "1,234.50"},
		{`_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)`, -1234.5, "(1,234.50)"},
		{`_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)`, 0, "-"},
		{`0_-"x"`, 3, "3 x"},
		// fractions
		{"# ?/?", 1.5, "1 1/2"},
		{"# ?/?", 0.5, "1/2"},
		{"# ?/?", 3, "3"},
		{"# ?/?", -0.25, "-1/4"},
		{"# ??/??", 3.14159, "3 1/7"},
		{"# ???/???", 3.14159265, "3 16/113"},
		{"?/?", 1.5, "3/2"},
		{"# ?/8", 1.3, "1 2/8"},
		{"# ??/100", 0.37, "37/100"},
		{"# ?/?", 0.999, "1"},
		{"# ?? / ??", 0.125, "1 / 8"},
		{`"none"`, -1, "none"},
		// dates and times
		{"yyyy-mm-dd", 45352, "2024-03-01"},
		{"d/m/yy", 45352, "1/3/24"},
		{"dddd, mmmm d, yyyy", 45352, "Friday, March 1, 2024"},
		{"ddd dd mmm yy", 45352, "Fri 01 Mar 24"},
		{"mmmmm", 45352, "M"},
		{"yyyy-mm-dd", 60, "1900-02-29"},
		{"yyyy-mm-dd", 59, "1900-02-28"},
		{"yyyy-mm-dd", 61, "1900-03-01"},
		{"yyyy-mm-dd", 1, "1900-01-01"},
		{"yyyy-mm-dd", 2958465, "9999-12-31"},
		{"yyyy-mm-dd", -1, "-1"},
		{"h:mm", 0.75, "18:00"},
		{"h:mm AM/PM", 0.75, "6:00 PM"},
		{"h:mm AM/PM", 0, "12:00 AM"},
		{"h AM/PM", 0.5, "12 PM"},
		{"hh:mm a/p", 0.25, "06:00 a"},
		{"mm:ss", 0.0420138888888889, "00:30"},
		{"h:mm:ss.000", 0.123456789, "2:57:46.667"},
		{"mm:ss.0", 0.123456789, "57:46.7"},
		{"h:mm:ss", 0.999999, "0:00:00"},
		{"[h]:mm", 1.5, "36:00"},
		{"[hh]:mm:ss", 0.01, "00:14:24"},
		{"[mm]:ss", 1.5, "2160:00"},
		{"[s]", 0.5, "43200"},
		{"[h]:mm", -0.5, "-12:00"},
		{"yyyy-mm-dd h:mm", 45352.4321, "2024-03-01 10:22"},
		{`yyyy\-mm\-dd\Thh:mm:ss`, 45352.5, "2024-03-01T12:00:00"},
		{"d.m.yyyy;@", 45352, "1.3.2024"},
		{"[$-409]d-mmm-yy;@", 45352, "1-Mar-24"},
		{"[$-407]dddd, d. mmmm yyyy", 45352, "Freitag, 1. März 2024"},
		{"[$-1010407]mmm", 45352, "Mrz"},
		{"[$-fr-FR]d mmm", 45352, "1 mars"},
		{"[$-C0A]dddd", 45352, "viernes"},
		{"[$-427]mmmm", 45352, "kovas"},
		{"[$-411]mmmm", 45352, "March"},
		{"[$-F800]dddd, mmmm dd, yyyy", 45352, "2024-03-01"},
		{"[$-F400]h:mm:ss AM/PM", 0.75, "18:00:00"},
		{`yyyy"年"m"月"d"日"`, 45352, "2024年3月1日"},
	} {
		if got := Parse(c.code).Text(c.value, false); got != c.want {
			t.Errorf("%q of %v: got %q, want %q", c.code, c.value, got, c.want)
		}
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  string
		value float64
		want  record.Kind
	}{
		{"General", 45352, record.Number},
		{"0.00", 45352, record.Number},
		{`"dmy"0`, 45352, record.Number},
		{"[Red]0", 45352, record.Number},
		{"yyyy-mm-dd", 45352, record.Date},
		{"yyyy-mm-dd", 45352.5, record.DateTime},
		{"yyyy-mm-dd", -1, record.Number},
		{"yyyy-mm-dd", 2958466, record.Number},
		{"yyyy-mm-dd h:mm", 45352, record.DateTime},
		{"h:mm", 0.5, record.Time},
		{"h:mm", 45352.5, record.DateTime},
		{"[h]:mm", 0.5, record.Time},
		{"[h]:mm", 1.5, record.Number},
		{"mm:ss", 0.5, record.Time},
	} {
		if got := Parse(c.code).Kind(c.value); got != c.want {
			t.Errorf("%q of %v: got %d, want %d", c.code, c.value, got, c.want)
		}
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  string
		value float64
		d1904 bool
		want  record.Cell
	}{
		{"General", 370612345678, false, record.Cell{Kind: record.Number, Number: 370612345678, Text: "370612345678"}},
		{"General", 3.5e15, false, record.Cell{Kind: record.Number, Number: 3.5e15, Text: "3.5E+15"}},
		{"yyyy-mm-dd", 1, false, record.Cell{Kind: record.Date, Number: 2, Text: "1900-01-01"}},
		{"yyyy-mm-dd", 43890, true, record.Cell{Kind: record.Date, Number: 45352, Text: "2024-03-01"}},
		{"yyyy-mm-dd", 0, true, record.Cell{Kind: record.Date, Number: 1462, Text: "1904-01-01"}},
		{"h:mm", 0.5, true, record.Cell{Kind: record.Time, Number: 0.5, Text: "12:00"}},
		{"[h]:mm", 1.25, true, record.Cell{Kind: record.Number, Number: 1.25, Text: "30:00"}},
	} {
		if got := Parse(c.code).Cell(c.value, c.d1904); got != c.want {
			t.Errorf("%q of %v: got %+v, want %+v", c.code, c.value, got, c.want)
		}
	}
}

func TestBuiltin(t *testing.T) {
	t.Parallel()
	for id, want := range map[int]string{-1: "General", 0: "General", 1: "0", 14: "yyyy-mm-dd", 22: "yyyy-mm-dd h:mm",
		46: "[h]:mm:ss", 49: "@", 50: "yyyy-mm-dd", 59: "0", 72: "d-mmm-yy", 80: "mm:ss.0", 164: "General"} {
		if got := Builtin(id); got != want {
			t.Errorf("Builtin(%d) = %q, want %q", id, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for id := range 82 {
		f.Add(Builtin(id), 45352.4321, false)
	}
	f.Add(`[<100]"few";[<1000]"some";"many"`, -99.5, true)
	f.Add("# ?/?", 1e14, false)
	f.Add("[$-F800]", 1.0, false)
	f.Fuzz(func(t *testing.T, code string, value float64, d1904 bool) {
		format := Parse(code)
		cell := format.Cell(value, d1904)
		if len(cell.Text) > 64*(len(code)+64) {
			t.Fatalf("%q of %v: %d bytes", code, value, len(cell.Text))
		}
	})
}
