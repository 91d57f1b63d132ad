package entity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

func TestStandard(t *testing.T) {
	t.Parallel()
	c := standard(t)
	var names []string
	for _, def := range c.Entities() {
		names = append(names, def.Name)
		for _, lang := range entity.Languages() {
			if def.Titles[lang] == "" || def.Singular[lang] == "" {
				t.Errorf("%s has no title in %s", def.Name, lang)
			}
			for i := range def.Fields {
				if f := &def.Fields[i]; f.Titles[lang] == "" {
					t.Errorf("%s.%s has no title in %s", def.Name, f.Name, lang)
				}
			}
		}
	}
	want := []string{"companies", "contacts", "individuals", "members", "products", "devices", "reward_codes",
		"classifications", "user_groups", "locations", "product_families", "reward_schemes"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if _, ok := c.Entity("unicorns"); ok {
		t.Error("there are unicorns")
	}
}

// TestOfATenant: a tenant adds fields and entities; what is wrong with its file
// is said so that a person understands it.
func TestOfATenant(t *testing.T) {
	t.Parallel()
	c := standard(t)
	more, err := c.With(
		[]byte(`{"extends": "contacts", "fields": [{"name": "pet", "type": "reference", "reference": {"to": ["pets"], "by": ["key"]}}]}`),
		[]byte(`{"name": "pets", "key": "chip", "fields": [{"name": "chip", "type": "code"}]}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	extended, _ := more.Entity("contacts")
	if i, f := extended.Field("pet"); f == nil || i != len(extended.Fields)-1 || f.Policy != entity.Overwrite {
		t.Errorf("the field is not there: %d %+v", i, f)
	}
	before, _ := c.Entity("contacts")
	if _, f := before.Field("pet"); f != nil {
		t.Error("the standard catalog was changed")
	}

	wrong := map[string]struct{ file, say string }{
		"no JSON":              {`{"name": `, "the file is not JSON"},
		"unknown type":         {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "string"}]}`, `fields[k].type: "string" is none of text, integer`},
		"unknown attribute":    {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code", "colour": "red"}]}`, `fields[k]: "colour" is not known here`},
		"a name with a blank":  {`{"name": "a b", "key": "k", "fields": [{"name": "k", "type": "code"}]}`, `name: "a b" is not allowed; a name has small letters`},
		"no fields":            {`{"name": "a", "key": "k"}`, `lacks "fields"`},
		"text for a list":      {`{"name": "a", "key": "k", "fields": "k"}`, "fields: must be an array"},
		"half a number":        {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code", "max_length": 1.5}]}`, "max_length: must be an integer"},
		"no name":              {`{"key": "k", "fields": [{"name": "k", "type": "code"}]}`, "an entity has a name"},
		"no such key":          {`{"name": "a", "key": "x", "fields": [{"name": "k", "type": "code"}]}`, `the key "x" must be a field`},
		"a field twice":        {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "k", "type": "text"}]}`, `field "k" is there twice`},
		"reference to nothing": {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "r", "type": "reference"}]}`, "says in \"reference\" what it points at"},
		"reference nowhere":    {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "r", "type": "reference", "reference": {"to": ["x"], "by": ["key"]}}]}`, `points at "x", which is no entity`},
		"choice of nothing":    {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "c", "type": "choice"}]}`, "lists its \"choices\""},
		"append without list":  {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "c", "type": "text", "policy": "append"}]}`, `needs "list": true`},
		"a key that changes":   {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code", "policy": "overwrite"}]}`, "the key's policy is once"},
		"an unknown name":      {`{"name": "a", "key": "k", "name_field": "n", "fields": [{"name": "k", "type": "code"}]}`, `there is no field "n"`},
		"there already":        {`{"name": "contacts", "key": "k", "fields": [{"name": "k", "type": "code"}]}`, `entity "contacts" is there already`},
		"extends nothing":      {`{"extends": "x", "fields": [{"name": "k", "type": "code"}]}`, `no entity "x" to extend`},
		"a required credit":    {`{"name": "a", "key": "k", "fields": [{"name": "k", "type": "code"}, {"name": "c", "type": "decimal", "policy": "credit", "required": true}]}`, "neither unique nor required"},
	}
	for name, test := range wrong {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.With([]byte(test.file))
			if !errors.Is(err, entity.ErrDefinition) || !strings.Contains(err.Error(), test.say) {
				t.Errorf("got %v, want %q", err, test.say)
			}
		})
	}
}

func TestSchemaIsJSON(t *testing.T) {
	t.Parallel()
	if !json.Valid(entity.Schema()) {
		t.Error("the schema is not JSON")
	}
}

func TestCreatable(t *testing.T) {
	t.Parallel()
	want := map[string]bool{"companies": true, "classifications": true, "user_groups": true, "locations": true, "product_families": true, "reward_schemes": true}
	for _, def := range standard(t).Entities() {
		if def.Creatable() != want[def.Name] {
			t.Errorf("%s: creatable is %v", def.Name, def.Creatable())
		}
	}
}

func TestNameOf(t *testing.T) {
	t.Parallel()
	contact := record.Fields{"first_name": {Text: "Anna"}, "last_name": {Text: "Berg"}}
	if got := define(t, "contacts").NameOf(contact); got != "Anna Berg" {
		t.Errorf("contact is %q", got)
	}
	delete(contact, "first_name")
	if got := define(t, "contacts").NameOf(contact); got != "Berg" {
		t.Errorf("contact is %q", got)
	}
	if got := define(t, "companies").NameOf(record.Fields{"name": {Text: "Nord"}}); got != "Nord" {
		t.Errorf("company is %q", got)
	}
	if got := define(t, "reward_codes").NameOf(record.Fields{"code": {Text: "X"}}); got != "" {
		t.Errorf("reward code is %q", got)
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	email := &entity.Field{Type: entity.Email}
	text := &entity.Field{Type: entity.Text}
	tests := []struct {
		f        *entity.Field
		in, want string
	}{
		{email, " Anna@Example.COM\u00a0", "anna@example.com"},
		{email, "STRASSE@x.example", "strasse@x.example"},
		{&entity.Field{Type: entity.Code}, "Ab-1", "ab-1"},
		{&entity.Field{Type: entity.Code}, "STRAẞE", "strasse"},
		{&entity.Field{Type: entity.Text, IgnoreCase: true}, "Ｘ", "ｘ"},
		{text, " Ab ", "Ab"},
		{text, "cafe\u0301", "café"},
		{text, "\u200bx\ufeff", "x"},
	}
	for _, test := range tests {
		if got := entity.Fold(test.f, test.in); got != test.want {
			t.Errorf("Fold(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	for in, want := range map[string]string{
		"  Nord   GmbH ": "nord gmbh", "Żółw": "zolw", "Søren": "soren", "STRASSE": "strasse", "Straße": "strasse",
		"Ｎｏｒｄ": "nord", "O’Brien": "o'brien", "A–B": "a-b", "Įmonė": "imone", "a\tb\n": "a b", "": "", "Ærø": "aero", "ИП Ёлка": "ип елка",
	} {
		if got := entity.FoldName(in); got != want {
			t.Errorf("FoldName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestFoldTwice: a compared form is its own compared form.
func TestFoldTwice(t *testing.T) {
	t.Parallel()
	fields := []*entity.Field{{Type: entity.Text}, {Type: entity.Code}, {Type: entity.Email}}
	for r := range rune(0x1f000) {
		s := "a" + string(r) + "b"
		if once := entity.Fold(fields[1], s); entity.Fold(fields[1], once) != once {
			t.Errorf("code with %U: %q folds to %q", r, once, entity.Fold(fields[1], once))
		}
		if once := entity.FoldName(s); entity.FoldName(once) != once {
			t.Errorf("name with %U: %q folds to %q", r, once, entity.FoldName(once))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		for _, f := range fields {
			if once := entity.Fold(f, s); entity.Fold(f, once) != once {
				t.Fatalf("%s: %q folds to %q and that to %q", f.Type, s, once, entity.Fold(f, once))
			}
		}
		if once := entity.FoldName(s); entity.FoldName(once) != once {
			t.Fatalf("%q folds to %q and that to %q", s, once, entity.FoldName(once))
		}
	})
}

func TestAddress(t *testing.T) {
	t.Parallel()
	a := entity.PostalAddress{Kind: "billing", Country: "DE", City: `"Ulm" & <x>`, Street: "Münsterplatz 1"}
	const want = `{"kind":"billing","street":"Münsterplatz 1","city":"\"Ulm\" & <x>","country":"DE"}`
	if got := a.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if b, ok := entity.ParseAddress(want); !ok || b != a {
		t.Errorf("read back as %+v", b)
	}
	rapid.Check(t, func(t *rapid.T) {
		var a entity.PostalAddress
		for _, part := range entity.AddressParts() {
			a.Set(part, strings.ToValidUTF8(rapid.String().Draw(t, part), ""))
		}
		if a.IsEmpty() {
			return
		}
		if b, ok := entity.ParseAddress(a.String()); !ok || b != a {
			t.Fatalf("%s was read back as %+v", a.String(), b)
		}
	})
	for _, bad := range []string{"", "{", `{"town":"x"}`, `{"city":1}`, `{"city":"x"} y`, "[]"} {
		if _, ok := entity.ParseAddress(bad); ok {
			t.Errorf("%q was read as an address", bad)
		}
	}
	if (&entity.PostalAddress{}).Set("moon", "x") {
		t.Error("an address has no moon")
	}
}
