package problem_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/problem"
	"github.com/dropload/dropload/internal/record"
)

func TestEveryCodeSpeaksEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, code := range problem.Codes() {
		e, _ := problem.Find(code)
		if !slices.Contains([]string{"row", "notice", "file", "request"}, e.Kind) {
			t.Errorf("%s: kind %q", code, e.Kind)
		}
		if e.Kind == "request" {
			continue
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

var update = flag.Bool("update", false, "write docs/problems.md anew")

// TestPage holds docs/problems.md against the texts.
func TestPage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("# Problems\n\nWhat can be wrong, by its code. Codes never change. The report says the same in English, German, Spanish, French and Lithuanian. {0} and {1} stand for what was found.\n")
	for _, section := range []struct{ kind, title, about string }{
		{"row", "Rows", "The row is kept out of the import, and stands in the failure report with every problem it has."},
		{"notice", "Notices", "The row is imported; the summary counts them."},
		{"file", "Files", "The file cannot be imported as it is."},
		{"request", "Requests", "What was asked for cannot be done. The answer's message says more."},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| Code | What is wrong | How to fix it |\n|---|---|---|\n", section.title, section.about)
		for _, code := range problem.Codes() {
			if e, _ := problem.Find(code); e.Kind == section.kind {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, e.Message["en"], e.Fix["en"])
			}
		}
	}
	const page = "../../docs/problems.md"
	if *update {
		if err := os.WriteFile(page, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("docs/problems.md (-want +got; -update writes it):\n%s", diff)
	}
}

// TestEveryCodeIsKnown looks through the sources for codes that nobody explains.
func TestEveryCodeIsKnown(t *testing.T) {
	t.Parallel()
	codes := regexp.MustCompile(`(?:Code: +|wrong\()"([a-z][a-z_-]+)"`)
	seen := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range codes.FindAllSubmatch(source, -1) {
			seen++
			if _, known := problem.Find(string(match[1])); !known {
				t.Errorf("%s: nobody explains the code %q", path, match[1])
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatal(seen, err)
	}
}
