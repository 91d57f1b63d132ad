package mapping_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/mapping"
)

// labelled is a header and the field that it means; "-" is none.
type labelled struct{ entity, header, field string }

func readLabelled(tb testing.TB, path string) []labelled {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var all []labelled
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		parts := strings.Split(line, "\t")
		all = append(all, labelled{parts[0], parts[1], parts[2]})
	}
	return all
}

// tables puts headers into files: of one entity, each field and each header
// once.
func tables(all []labelled) [][]labelled {
	var files [][]labelled
next:
	for _, l := range all {
		for i, file := range files {
			fits := file[0].entity == l.entity && len(file) < 20
			for _, other := range file {
				fits = fits && other.header != l.header && (other.field == "-" || other.field != l.field)
			}
			if fits {
				files[i] = append(file, l)
				continue next
			}
		}
		files = append(files, []labelled{l})
	}
	return files
}

// TestProposeHeaders holds the proposals against labelled headers: at least 97
// in a hundred are right first, and none is wrong that would be taken without a
// person.
func TestProposeHeaders(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/headers/*.tsv")
	if err != nil || len(paths) == 0 {
		t.Fatal("no labelled headers", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			right, all := 0, 0
			for _, file := range tables(readLabelled(t, path)) {
				headers := make([]string, len(file))
				for i, l := range file {
					headers[i] = l.header
				}
				for i, p := range mapping.Propose(define(t, file[0].entity), headers, nil, nil) {
					all++
					got := p.Field
					if got == "" {
						got = "-"
					}
					if got == file[i].field {
						right++
						continue
					}
					t.Logf("%s %q is %s, got %s (%.2f: %s)", file[i].entity, headers[i], file[i].field, got, p.Confidence, p.Reason)
					if p.Confidence >= mapping.Automatic {
						t.Errorf("%q would be taken for %s without a person", headers[i], got)
					}
				}
			}
			if right*100 < all*97 {
				t.Errorf("%d of %d right", right, all)
			}
		})
	}
}

func TestProposeByValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entity  string
		headers []string
		sample  [][]string
		history mapping.History
		want    []string
	}{
		"an e-mail address is one, whatever its header": {
			"contacts", []string{"Column 1", "xyz"}, [][]string{{"Berg", "anna@b.example"}, {"Doe", "j@d.example"}}, nil, []string{"", "email"},
		},
		"no header at all": {
			"members", []string{"", ""}, [][]string{{"+37061234567", "a@b.example"}}, nil, []string{"phone", "email"},
		},
		"a fax is none of our numbers": {
			"contacts", []string{"Fax", "Telefon"}, [][]string{{"+49 30 5550101", "+49 30 5550102"}}, nil, []string{"", "phone"},
		},
		"the values speak against the header": {
			"contacts", []string{"E-mail", "Contact"}, [][]string{{"yes", "a@b.example"}, {"no", "c@d.example"}}, nil, []string{"", "email"},
		},
		"a plain name beside a given name": {
			"contacts", []string{"Vorname", "Name", "E-Mail"}, nil, nil, []string{"first_name", "last_name", "email"},
		},
		"a plain name alone": {
			"contacts", []string{"Name", "E-Mail"}, nil, nil, []string{"full_name", "email"},
		},
		"a title that is a form of address": {
			"contacts", []string{"Title"}, [][]string{{"Mr"}, {"Dr."}, {"Ms"}}, nil, []string{""},
		},
		"what was mapped before": {
			"contacts", []string{"Feld 7", "Position"}, nil,
			mapping.History{{Header: "feld-7", Field: "job_title"}, {Header: "FELD 7", Field: "notes"}}, []string{"job_title", ""},
		},
		"what was left out before": {
			"contacts", []string{"Phone"}, nil, mapping.History{{Header: "phone"}}, []string{""},
		},
		"a report dropped back": {
			"contacts", append([]string{"E-mail"}, mapping.ReportColumns("fr")...), nil, nil, []string{"email", "", "", "", ""},
		},
		"two kinds of address": {
			"companies", []string{"Billing city", "Delivery city"}, nil, nil, []string{"addresses.city", "addresses.shipping.city"},
		},
		"more columns than any file needs": {
			"contacts", append([]string{"E-mail"}, make([]string, 5000)...), nil, nil, append([]string{"email"}, make([]string, 5000)...),
		},
		"a header without end": {
			"contacts", []string{strings.Repeat("e-mail ", 100_000)}, nil, nil, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mapping.Propose(define(t, test.entity), test.headers, test.sample, test.history)
			for i := range test.want {
				if got[i].Field != test.want[i] {
					t.Errorf("%q: got %q (%.2f: %s), want %q", test.headers[i], got[i].Field, got[i].Confidence, got[i].Reason, test.want[i])
				}
			}
		})
	}
}

// TestKnowledge: every concept that a field names is in the dictionaries, so
// that a slip in the data is seen.
func TestKnowledge(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"companies": "Steuernummer", "contacts": "Apellidos", "members": "Kortelės numeris", "products": "Streckkod", "devices": "Sijainti", "reward_codes": "Дата окончания",
	} {
		if p := mapping.Propose(define(t, name), []string{header}, nil, nil); p[0].Field == "" {
			t.Errorf("%s: %q means nothing", name, header)
		}
	}
}
