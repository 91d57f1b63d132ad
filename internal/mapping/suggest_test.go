package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/mapping"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entity  string
		headers []string
		sample  [][]string
		want    map[string]string
	}{
		"the order of day and month": {"individuals", []string{"Last name", "DOB"}, [][]string{{"Berg", "03/04/1980"}, {"Doe", "13/04/1980"}}, map[string]string{"date_formats": "DD/MM/YYYY"}},
		"month first, two digits":    {"individuals", []string{"Last name", "DOB"}, [][]string{{"Berg", "3-4-80"}, {"Doe", "4-13-80"}}, map[string]string{"date_formats": "MM-DD-YY"}},
		"both orders":                {"individuals", []string{"Last name", "DOB"}, [][]string{{"Berg", "13/04/1980"}, {"Doe", "04/13/1980"}}, map[string]string{}},
		"no order shows":             {"individuals", []string{"Last name", "DOB"}, [][]string{{"Berg", "03/04/1980"}, {"Doe", "1980-04-13"}}, map[string]string{}},
		"the decimal mark":           {"products", []string{"SKU", "Price"}, [][]string{{"1", "1.234"}, {"2", "€ 12,5"}}, map[string]string{"decimal_mark": ","}},
		"both kinds":                 {"products", []string{"SKU", "Price"}, [][]string{{"1", "1,234.50"}, {"2", "1.234"}}, map[string]string{"decimal_mark": "."}},
		"marks that contradict":      {"products", []string{"SKU", "Price"}, [][]string{{"1", "1.5"}, {"2", "1,5"}}, map[string]string{}},
		"national numbers":           {"companies", []string{"Name", "Phone", "Country"}, [][]string{{"Nord", "030 5550101", "Germany"}, {"Süd", "089 5550101", "DE"}}, map[string]string{"country": "DE"}},
		"of two countries":           {"companies", []string{"Name", "Phone", "Country"}, [][]string{{"Nord", "030 5550101", "Germany"}, {"Süd", "089 5550101", "AT"}}, map[string]string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := define(t, test.entity)
			got := map[string]string{}
			for _, s := range mapping.Suggest(def, mapping.Propose(def, test.headers, test.sample, nil), test.sample) {
				got[s.Option] = s.Value
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
