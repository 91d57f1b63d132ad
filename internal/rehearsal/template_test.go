package rehearsal_test

import (
	"bytes"
	"testing"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/report/blank"
)

// The example row of every entity's template to download is imported as it
// stands, from csv and from xlsx, whatever it refers to being made on the way
// or there before.
func TestTemplatesToDownloadImport(t *testing.T) {
	t.Parallel()
	catalog, err := entity.Standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "lt"} {
		for _, def := range catalog.Entities() {
			var text, book bytes.Buffer
			if err := blank.Text(&text, catalog, def, lang); err != nil {
				t.Fatal(err)
			}
			if err := blank.Workbook(&book, catalog, def, lang); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{text.String(), book.String()} {
				s := stage(t, rehearsal.Options{})
				m := withOptions(t, s, def.Name, file, mapping.Options{Unmatched: mapping.CreateMissing, GenerateMissing: true})
				if m.Rows.Read != 1 || m.Rows.Rejected != 0 && !refersToWhatCannotBeMade(def.Name) {
					t.Errorf("%s in %s: %+v %v", def.Name, lang, m.Rows, m.Codes)
				}
			}
		}
	}
}

// refersToWhatCannotBeMade names the entities whose example refers to a person
// or a product, which no name alone makes.
func refersToWhatCannotBeMade(name string) bool { return name == "devices" || name == "reward_codes" }
