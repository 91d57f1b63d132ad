package columns_test

import (
	"slices"
	"testing"

	"github.com/dropload/dropload/internal/report/columns"
)

func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, lang := range columns.Languages() {
		names := columns.Names(lang)
		if len(names) != columns.Count {
			t.Fatalf("%s: %d names, want %d", lang, len(names), columns.Count)
		}
		for _, name := range names {
			if other := seen[name]; other != "" {
				t.Errorf("%q is a name in %s and in %s", name, other, lang)
			}
			seen[name] = lang
		}
		if got := columns.Recognise(append([]string{"email", "reason"}, names...)); got != columns.Count {
			t.Errorf("%s: recognised %d of its own columns", lang, got)
		}
	}
	for _, lang := range []string{"", "en-GB", "ja"} {
		if got := columns.Names(lang); !slices.Equal(got, columns.Names("en")) {
			t.Errorf("Names(%q) = %q, want the English ones", lang, got)
		}
	}
	if got := columns.Names("de-AT"); !slices.Equal(got, columns.Names("de")) {
		t.Errorf("Names(de-AT) = %q, want the German ones", got)
	}
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header []string
		want   int
	}{
		"nothing":               {nil, 0},
		"no added column":       {[]string{"code", "name", "field"}, 0},
		"all":                   {[]string{"code", "Row number in file", "Field with problem", "Problem code", "Reason"}, 4},
		"only added columns":    {[]string{"Row number in file", "Field with problem", "Problem code", "Reason"}, 4},
		"decorated":             {[]string{"code", "* ROW_NUMBER_IN_FILE:", " field with problem ", "Problem-code.1", "reason (2)"}, 4},
		"accents lost":          {[]string{"code", "Eilutes numeris faile", "Laukas su klaida", "Klaidos kodas", "Priezastis"}, 4},
		"accents apart":         {[]string{"code", "Code du proble\u0300me"}, 1},
		"languages mixed":       {[]string{"code", "Zeilennummer in der Datei", "Problem code", "Motivo"}, 3},
		"some deleted":          {[]string{"code", "Row number in file", "Reason"}, 2},
		"a reason of the file":  {[]string{"code", "Reason"}, 0},
		"both reasons":          {[]string{"code", "Reason", "Row number in file", "Field with problem", "Problem code", "Reason"}, 4},
		"a column added behind": {[]string{"code", "Row number in file", "Problem code", "comment"}, 0},
		"blank ones behind":     {[]string{"code", "Row number in file", "Problem code", "", " "}, 4},
		"blank ones only":       {[]string{"code", "", ""}, 0},
		"wrong order":           {[]string{"code", "Problem code", "Row number in file"}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := columns.Recognise(test.header); got != test.want {
				t.Errorf("Recognise(%q) = %d, want %d", test.header, got, test.want)
			}
		})
	}
}
