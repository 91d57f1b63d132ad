package entity

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed definitions/*.json definition.schema.json
var files embed.FS

// Catalog is a set of entities that refer to one another.
type Catalog struct {
	entities []*Definition
}

// Standard is the catalog of the entities that every tenant has.
func Standard() (*Catalog, error) {
	names, err := fs.Glob(files, "definitions/*.json")
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return (&Catalog{}).With(all...)
}

// With is this catalog with the definition files of a tenant: new entities, and
// fields added to those it has. The error says in which file, where in it and
// why it is refused; it wraps ErrDefinition.
func (c *Catalog) With(data ...[]byte) (*Catalog, error) {
	next := &Catalog{entities: slices.Clone(c.entities)}
	for _, file := range data {
		d, err := Parse(file)
		if err != nil {
			return nil, err
		}
		if d.Extends == "" {
			if _, there := next.Entity(d.Name); there {
				return nil, fmt.Errorf("%w: entity %q is there already", ErrDefinition, d.Name)
			}
			next.entities = append(next.entities, d)
			continue
		}
		base, there := next.Entity(d.Extends)
		if !there {
			return nil, fmt.Errorf("%w: there is no entity %q to extend", ErrDefinition, d.Extends)
		}
		extended := *base
		extended.Fields = append(slices.Clone(base.Fields), d.Fields...)
		extended.Splits = append(slices.Clone(base.Splits), d.Splits...)
		extended.RequireAny = append(slices.Clone(base.RequireAny), d.RequireAny...)
		if err := extended.complete(); err != nil {
			return nil, err
		}
		next.entities[slices.Index(next.entities, base)] = &extended
	}
	slices.SortStableFunc(next.entities, func(a, b *Definition) int { return rank(a.Name) - rank(b.Name) })
	if err := next.check(); err != nil {
		return nil, err
	}
	return next, nil
}

// rank is the order in which people read the standard entities.
func rank(name string) int {
	order := [...]string{"companies", "contacts", "individuals", "members", "products", "devices", "reward_codes",
		"classifications", "user_groups", "locations", "product_families", "reward_schemes"}
	if i := slices.Index(order[:], name); i >= 0 {
		return i
	}
	return len(order)
}

// Entity finds a definition by its name.
func (c *Catalog) Entity(name string) (*Definition, bool) {
	for _, d := range c.entities {
		if d.Name == name {
			return d, true
		}
	}
	return nil, false
}

// Entities are all definitions, in the order in which people read them: what is
// referred to is not always before what refers to it.
func (c *Catalog) Entities() []*Definition { return slices.Clone(c.entities) }

// ErrDefinition is wrapped by what is wrong with a definition file.
var ErrDefinition = errors.New("entity: definition refused")

// Parse reads one definition file.
func Parse(data []byte) (*Definition, error) {
	if err := checkSchema(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	d := &Definition{}
	if err := dec.Decode(d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDefinition, err)
	}
	if d.Extends != "" {
		return d, nil
	}
	if err := d.complete(); err != nil {
		return nil, err
	}
	return d, nil
}

// complete fills in what a file leaves to the rules, and checks what a schema
// cannot say.
func (d *Definition) complete() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrDefinition, d.Name, fmt.Sprintf(format, args...))
	}
	d.index = make(map[string]int, len(d.Fields))
	d.required, d.requireAny = nil, nil
	for i := range d.Fields {
		f := &d.Fields[i]
		if _, twice := d.index[f.Name]; twice {
			return refuse("field %q is there twice", f.Name)
		}
		d.index[f.Name] = i
		f.Key = f.Name == d.Key
		if f.Key {
			d.key = i
			f.Unique = true
			if f.Policy == "" {
				f.Policy = Once
			}
		}
		if f.Policy == "" {
			f.Policy = Overwrite
		}
		if f.Required || f.Key {
			d.required = append(d.required, i)
		}
		if err := f.check(); err != nil {
			return refuse("field %q: %v", f.Name, err)
		}
	}
	if d.Name == "" {
		return refuse("an entity has a name, or extends one")
	}
	if _, f := d.Field(d.Key); f == nil || f.List || f.Ref != nil {
		return refuse("the key %q must be a field with one value, and no reference", d.Key)
	}
	named := append([]string{}, d.NameFrom...)
	if d.NameField != "" {
		named = append(named, d.NameField)
	}
	for _, s := range d.Splits {
		named = append(named, s.Into...)
	}
	for _, group := range d.RequireAny {
		named = append(named, group...)
		positions := make([]int, len(group))
		for i, name := range group {
			positions[i], _ = d.Field(name)
		}
		d.requireAny = append(d.requireAny, positions)
	}
	for _, name := range named {
		if _, f := d.Field(name); f == nil {
			return refuse("there is no field %q", name)
		}
	}
	return nil
}

// check tells what does not go together in a field.
func (f *Field) check() error {
	switch {
	case (f.Type == Ref) != (f.Ref != nil):
		return errors.New(`a field of type "reference" says in "reference" what it points at, and no other does`)
	case (f.Type == Choice) != (len(f.Choices) > 0):
		return errors.New(`a field of type "choice" lists its "choices", and no other does`)
	case f.Policy == Append && !f.List:
		return errors.New(`the policy "append" needs "list": true`)
	case f.Key && f.Policy != Once:
		return errors.New("the key's policy is once")
	case f.Generated && f.Type != Code:
		return errors.New("only a code can be generated")
	case f.Policy == Credit && (f.Unique || f.Required):
		return errors.New("a credit is no part of the record: it can be neither unique nor required")
	case f.Type == Secret && (f.Unique || f.Required || f.List):
		return errors.New("a secret is never read")
	case strings.Contains(f.Name, "."):
		return errors.New("a name has no dot")
	}
	return nil
}

// check tells whether every reference points at an entity of the catalog.
func (c *Catalog) check() error {
	for _, d := range c.entities {
		for i := range d.Fields {
			f := &d.Fields[i]
			if f.Ref == nil {
				continue
			}
			for _, to := range f.Ref.To {
				target, there := c.Entity(to)
				if !there {
					return fmt.Errorf("%w: %s.%s points at %q, which is no entity", ErrDefinition, d.Name, f.Name, to)
				}
				if !slices.ContainsFunc(f.Ref.By, func(by string) bool { return target.names(by) }) {
					return fmt.Errorf("%w: %s.%s: none of %q names a record of %s", ErrDefinition, d.Name, f.Name, f.Ref.By, to)
				}
			}
		}
	}
	return nil
}

// names tells whether a reference can name a record of this entity so.
func (d *Definition) names(by string) bool {
	switch by {
	case "key":
		return true
	case "name":
		return d.NameField != "" || len(d.NameFrom) > 0
	}
	_, f := d.Field(by)
	return f != nil && f.Unique
}
