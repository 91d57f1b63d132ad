package problem_test

import (
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/problem"
	"github.com/dropload/dropload/internal/record"
)

func TestEveryCodeSpeaksEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, code := range problem.Codes() {
		e, _ := problem.Find(code)
		if e.Kind != "row" && e.Kind != "notice" && e.Kind != "file" {
			t.Errorf("%s: kind %q", code, e.Kind)
		}
		for _, lang := range []string{"en", "de", "es", "fr", "lt"} {
			for part, texts := range map[string]map[string]string{"message": e.Message, "fix": e.Fix} {
				if texts[lang] == "" {
					t.Errorf("%s: no %s in %s", code, part, lang)
				}
				for _, place := range []string{"{0}", "{1}", "{2}"} {
					if strings.Contains(texts[lang], place) != strings.Contains(texts["en"], place) {
						t.Errorf("%s: the %s in %s differs from the English one in %s", code, part, lang, place)
					}
				}
			}
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lang         string
		problem      record.Problem
		message, fix string
	}{
		"english": {
			"en", record.Problem{Code: "choice_unknown", Args: []string{"purple", "red, blue"}},
			"“purple” is none of the values of this field.", "Write one of: red, blue.",
		},
		"a region":       {"de-AT", record.Problem{Code: "text_too_long", Args: []string{"40"}}, "Der Text ist länger als 40 Zeichen.", "Kürzen."},
		"not spoken":     {"ja", record.Problem{Code: "required_missing", Args: []string{"name"}}, "A value is needed here and missing: name.", "Fill it in."},
		"no args":        {"en", record.Problem{Code: "required_missing"}, "A value is needed here and missing: .", "Fill it in."},
		"braces in args": {"en", record.Problem{Code: "url_invalid", Args: []string{"{1}{x"}}, "“{1}{x” is not the address of a website.", "Write it as https://example.com."},
		"unknown":        {"en", record.Problem{Code: "no_such_code", Args: []string{"x"}}, "no_such_code", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message, fix := problem.Text(test.lang, test.problem)
			if message != test.message || fix != test.fix {
				t.Errorf("Text = %q, %q; want %q, %q", message, fix, test.message, test.fix)
			}
		})
	}
}
