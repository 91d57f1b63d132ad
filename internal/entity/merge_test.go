package entity_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

func standard(tb testing.TB) *entity.Catalog {
	tb.Helper()
	c, err := entity.Standard()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func define(tb testing.TB, name string) *entity.Definition {
	tb.Helper()
	def, ok := standard(tb).Entity(name)
	if !ok {
		tb.Fatalf("no entity %q", name)
	}
	return def
}

func options(tb testing.TB, def *entity.Definition, tighten map[string]entity.Policy, replace ...string) *entity.MergeOptions {
	tb.Helper()
	o, err := def.MergeOptions(tighten, replace)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// of is a value of the field's form.
func of(f *entity.Field, texts ...string) record.Value {
	if f.List {
		return record.Value{List: texts}
	}
	return record.Value{Text: texts[0]}
}

func show(v record.Value) string {
	switch {
	case v.Clear:
		return "<clear>"
	case len(v.List) > 0:
		return fmt.Sprint(v.List)
	case v.Text == "":
		return "-"
	}
	return v.Text
}

// base are values that a new record of the entity must have, without the field
// under test.
func base(def *entity.Definition, except int) []entity.FieldValue {
	var row []entity.FieldValue
	for i := range def.Fields {
		f := &def.Fields[i]
		needed := f.Key || f.Required
		for _, group := range def.RequireAny {
			needed = needed || slices.Contains(group, f.Name)
		}
		if needed && i != except {
			row = append(row, entity.FieldValue{Index: i, Value: of(f, "base "+f.Name)})
		}
	}
	return row
}

// TestPolicies exercises the policy of every field of every entity on new and
// on stored records, and keeps the answers as a table.
func TestPolicies(t *testing.T) {
	t.Parallel()
	var table bytes.Buffer
	fmt.Fprintln(&table, "entity field policy | new | stored empty, row b | stored a, row b | stored a, row blank | stored a, clear | tightened to once: stored empty, row b")
	for _, def := range standard(t).Entities() {
		o := options(t, def, nil)
		for i := range def.Fields {
			f := &def.Fields[i]
			once := o
			if f.Policy != entity.Credit {
				once = options(t, def, map[string]entity.Policy{f.Name: entity.Once})
			}
			answer := func(o *entity.MergeOptions, exists bool, before record.Value, v record.Value) string {
				var stored record.Fields
				row := []entity.FieldValue{{Index: i, Value: v}}
				if exists {
					stored = record.Fields{}
					if !before.IsEmpty() {
						stored[f.Name] = before
					}
				} else {
					row = append(row, base(def, i)...)
				}
				m := def.Merge(stored, exists, row, o)
				s := show(m.After[f.Name])
				if slices.Contains(m.Held, f.Name) {
					s += " (held)"
				}
				for _, p := range m.Problems {
					s = "!" + p.Code
				}
				return s
			}
			fmt.Fprintf(&table, "%s %s %s | %s | %s | %s | %s | %s | %s\n", def.Name, f.Name, f.Policy,
				answer(o, false, record.Value{}, of(f, "b")),
				answer(o, true, record.Value{}, of(f, "b")),
				answer(o, true, of(f, "a"), of(f, "b")),
				answer(o, true, of(f, "a"), record.Value{}),
				answer(o, true, of(f, "a"), record.Value{Clear: true}),
				answer(once, true, record.Value{}, of(f, "b")))
		}
	}
	golden(t, "policies.txt", table.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", name, diff)
	}
}

func TestMergeAppends(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	cards, f := def.Field("plastic_cards")
	stored := record.Fields{"phone": {Text: "+37061234567"}, f.Name: {List: []string{"A1", "b2"}}}
	row := []entity.FieldValue{{Index: cards, Value: record.Value{List: []string{"B2", "c3", "c3"}}}}

	m := def.Merge(stored, true, row, options(t, def, nil))
	if diff := cmp.Diff([]string{"A1", "b2", "c3"}, m.After[f.Name].List); diff != "" {
		t.Errorf("appended: %s", diff)
	}
	m = def.Merge(stored, true, row, options(t, def, nil, f.Name))
	if diff := cmp.Diff([]string{"B2", "c3"}, m.After[f.Name].List); diff != "" {
		t.Errorf("replaced: %s", diff)
	}
	if diff := cmp.Diff([]string{"A1", "b2"}, stored[f.Name].List); diff != "" {
		t.Errorf("the stored record was changed: %s", diff)
	}
}

func TestMergeNew(t *testing.T) {
	t.Parallel()
	def := define(t, "contacts")
	o := options(t, def, nil)
	value := func(name, text string) entity.FieldValue {
		i, _ := def.Field(name)
		return entity.FieldValue{Index: i, Value: record.Value{Text: text}}
	}
	codes := func(m entity.Merge) []string {
		var all []string
		for _, p := range m.Problems {
			all = append(all, p.Code+" "+p.Args[0])
		}
		return all
	}
	tests := map[string]struct {
		row  []entity.FieldValue
		want []string
	}{
		"nothing": {nil, []string{"required_any_missing first_name, last_name", "required_any_missing email, phone, username"}},
		"no name": {[]entity.FieldValue{value("phone", "+37061234567")}, []string{"required_any_missing first_name, last_name"}},
		"enough":  {[]entity.FieldValue{value("username", "anna"), value("last_name", "Berg")}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := def.Merge(nil, false, test.row, o)
			if diff := cmp.Diff(test.want, codes(m)); diff != "" {
				t.Error(diff)
			}
			if (m.After == nil) != (test.want != nil) {
				t.Errorf("after %v", m.After)
			}
		})
	}
	t.Run("key required", func(t *testing.T) {
		t.Parallel()
		devices := define(t, "devices")
		m := devices.Merge(nil, false, nil, options(t, devices, nil))
		if diff := cmp.Diff([]string{"required_missing serial_number"}, codes(m)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("wanted", func(t *testing.T) {
		t.Parallel()
		members := define(t, "members")
		phone, _ := members.Field("phone")
		m := members.Merge(nil, false, []entity.FieldValue{{Index: phone, Value: record.Value{Text: "+37061234567"}}}, options(t, members, nil))
		if diff := cmp.Diff([]string{"consent"}, m.Missing); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPoliciesTightenOnly(t *testing.T) {
	t.Parallel()
	def := define(t, "members")
	allowed := map[string][]entity.Policy{
		"user_group":    {entity.Overwrite, entity.IfEmpty, entity.Once},
		"plastic_cards": {entity.Append, entity.IfEmpty, entity.Once},
		"name":          {entity.IfEmpty, entity.Once},
		"email":         {entity.Once},
		"phone":         {entity.Once},
		"points":        {entity.Credit},
		"no_such_field": nil,
	}
	for name, good := range allowed {
		for _, p := range []entity.Policy{entity.Overwrite, entity.Append, entity.IfEmpty, entity.Once, entity.Credit, "", "other"} {
			_, err := def.MergeOptions(map[string]entity.Policy{name: p}, nil)
			if (err == nil) != slices.Contains(good, p) {
				t.Errorf("%s tightened to %q: %v", name, p, err)
			}
		}
	}
	if _, err := def.MergeOptions(nil, []string{"name"}); err == nil {
		t.Error("a field without a list may not be replaced")
	}
}

// TestMergeProperties: a row applied twice changes nothing the second time; a
// policy is never broken; what a row does not name stays.
func TestMergeProperties(t *testing.T) {
	t.Parallel()
	catalog := standard(t)
	rapid.Check(t, func(t *rapid.T) {
		def := catalog.Entities()[rapid.IntRange(0, len(catalog.Entities())-1).Draw(t, "entity")]
		o, err := def.MergeOptions(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		texts := rapid.SampledFrom([]string{"a", "A", "b", "ž", "c"})
		draw := func(i int, label string) record.Value {
			f := &def.Fields[i]
			if f.List {
				return record.Value{List: rapid.SliceOfN(texts, 1, 3).Draw(t, label)}
			}
			return record.Value{Text: texts.Draw(t, label)}
		}
		stored := record.Fields{}
		var row []entity.FieldValue
		for i := range def.Fields {
			f := &def.Fields[i]
			if rapid.Bool().Draw(t, "stored "+f.Name) {
				m := def.Merge(record.Fields{}, true, []entity.FieldValue{{Index: i, Value: draw(i, f.Name)}}, o)
				maps.Copy(stored, m.After)
			}
			if rapid.Bool().Draw(t, "row "+f.Name) {
				row = append(row, entity.FieldValue{Index: i, Value: draw(i, "new "+f.Name)})
			}
		}
		once := def.Merge(stored, true, row, o)
		if len(once.Problems) > 0 {
			t.Fatalf("problems %v", once.Problems)
		}
		twice := def.Merge(once.After, true, row, o)
		if len(twice.Changed) > 0 {
			t.Fatalf("the same row changes %v again", twice.Changed)
		}
		for i := range def.Fields {
			f := &def.Fields[i]
			before, after := stored[f.Name], once.After[f.Name]
			named := slices.ContainsFunc(row, func(fv entity.FieldValue) bool { return fv.Index == i })
			kept := !named || f.Policy == entity.Once || f.Policy == entity.Credit || f.Policy == entity.IfEmpty && !before.IsEmpty()
			if kept && !after.Equal(before) {
				t.Fatalf("%s (%s) went from %v to %v", f.Name, f.Policy, before, after)
			}
			if slices.Contains(once.Changed, f.Name) == after.Equal(before) {
				t.Fatalf("%s: changed says otherwise", f.Name)
			}
			if f.Policy == entity.Append && len(after.List) < len(before.List) {
				t.Fatalf("%s lost a value", f.Name)
			}
		}
	})
}

func BenchmarkMerge(b *testing.B) {
	def := define(b, "contacts")
	o := options(b, def, nil)
	var row []entity.FieldValue
	stored := record.Fields{}
	for i := range def.Fields {
		if f := &def.Fields[i]; f.Type != entity.Secret {
			row = append(row, entity.FieldValue{Index: i, Value: of(f, "value of "+f.Name)})
			stored[f.Name] = of(f, "value of "+f.Name)
		}
	}
	for b.Loop() {
		if m := def.Merge(stored, true, row, o); len(m.Changed) > 0 {
			b.Fatal(m.Changed)
		}
	}
}
