package entity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Schema is the JSON Schema of a definition file.
func Schema() []byte {
	data, err := files.ReadFile("definition.schema.json")
	if err != nil {
		panic(err) // it is compiled in
	}
	return data
}

// schema is the part of JSON Schema (draft 2020-12) that definition files need.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Type                 string             `json:"type"`
	Description          string             `json:"description"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	MinItems             int                `json:"minItems"`
	Enum                 []string           `json:"enum"`
	Pattern              string             `json:"pattern"`
	MaxLength            int                `json:"maxLength"`
}

// checkSchema checks a file against the schema. The error lists everything
// that is wrong, each with its place.
func checkSchema(data []byte) error {
	var s schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var v any
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("%w: the file is not JSON: %w", ErrDefinition, err)
	}
	check := checker{defs: s.Defs}
	check.value("", v, &s)
	if len(check.wrong) > 0 {
		return fmt.Errorf("%w: %s", ErrDefinition, strings.Join(check.wrong, "; "))
	}
	return nil
}

type checker struct {
	defs  map[string]*schema
	wrong []string
}

func (c *checker) say(at, format string, args ...any) {
	if at == "" {
		at = "the file"
	}
	c.wrong = append(c.wrong, at+": "+fmt.Sprintf(format, args...))
}

func (c *checker) value(at string, v any, s *schema) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s = c.defs[name]
	}
	if s.Type != "" && !isType(v, s.Type) {
		c.say(at, "must be %s", article(s.Type))
		return
	}
	switch v := v.(type) {
	case map[string]any:
		c.object(at, v, s)
	case []any:
		if len(v) < s.MinItems {
			c.say(at, "needs at least %d", s.MinItems)
		}
		for i, item := range v {
			if s.Items != nil {
				c.value(place(at, i, item), item, s.Items)
			}
		}
	case string:
		c.text(at, v, s)
	}
}

func (c *checker) text(at, v string, s *schema) {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		c.say(at, "%q is none of %s", v, strings.Join(s.Enum, ", "))
	}
	if s.MaxLength > 0 && utf8.RuneCountInString(v) > s.MaxLength {
		c.say(at, "is longer than %d characters", s.MaxLength)
	}
	if s.Pattern == "" {
		return
	}
	if re, err := regexp.Compile(s.Pattern); err != nil || !re.MatchString(v) {
		c.say(at, "%q is not allowed; %s", v, s.Description)
	}
}

func (c *checker) object(at string, v map[string]any, s *schema) {
	for _, name := range s.Required {
		if _, there := v[name]; !there {
			c.say(at, "lacks %q", name)
		}
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		inside := name
		if at != "" {
			inside = at + "." + name
		}
		if p := s.Properties[name]; p != nil {
			c.value(inside, v[name], p)
			continue
		}
		switch other := string(s.AdditionalProperties); other {
		case "", "true":
		case "false":
			c.say(at, "%q is not known here", name)
		default:
			var p schema
			if err := json.Unmarshal(s.AdditionalProperties, &p); err != nil {
				panic(err) // the schema is compiled in
			}
			c.value(inside, v[name], &p)
		}
	}
}

// place names an item of a list by its own name where it has one.
func place(at string, i int, item any) string {
	if o, ok := item.(map[string]any); ok {
		for _, name := range []string{"name", "value"} {
			if s, ok := o[name].(string); ok {
				return fmt.Sprintf("%s[%s]", at, s)
			}
		}
	}
	return fmt.Sprintf("%s[%d]", at, i)
}

func isType(v any, name string) bool {
	switch v := v.(type) {
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	}
	return false
}

func article(name string) string {
	switch name {
	case "object", "array", "integer":
		return "an " + name
	}
	return "a " + name
}
