package asl

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Rule is a rule of a Choice: And, Or, Not, or one comparison of Variable.
type Rule struct {
	Next     string
	Comment  string
	And, Or  []*Rule
	Not      *Rule
	Variable string

	operator string // such as StringEquals
	operand  any
}

// UnmarshalJSON takes the one field that is left for the comparison.
func (r *Rule) UnmarshalJSON(b []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	for name, to := range map[string]any{
		"Next": &r.Next, "Comment": &r.Comment, "And": &r.And, "Or": &r.Or, "Not": &r.Not, "Variable": &r.Variable,
	} {
		if text, ok := fields[name]; ok {
			if err := json.Unmarshal(text, to); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			delete(fields, name)
		}
	}
	if len(fields) > 1 {
		return fmt.Errorf("a rule has one comparison, not %v", slices.Sorted(maps.Keys(fields)))
	}
	for name, text := range fields {
		v, err := decode(text)
		if err != nil {
			return err
		}
		r.operator, r.operand = name, v
	}
	return nil
}

func (r *Rule) validate(top bool) error {
	if !top && r.Next != "" {
		return fmt.Errorf("only the outermost rule has a Next")
	}
	kinds := 0
	for _, set := range []bool{r.And != nil, r.Or != nil, r.Not != nil, r.operator != ""} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("a rule is one of And, Or, Not and a comparison")
	}
	for _, inner := range append(append(slices.Clone(r.And), r.Or...), r.Not) {
		if inner == nil {
			continue
		}
		if err := inner.validate(false); err != nil {
			return err
		}
	}
	if r.operator == "" {
		return nil
	}
	if _, err := parsePath(r.Variable); err != nil {
		return fmt.Errorf("its Variable: %w", err)
	}
	return r.validateComparison()
}

func (r *Rule) validateComparison() error {
	if strings.HasPrefix(r.operator, "Is") {
		_, want := r.operand.(bool)
		if !want || !slices.Contains([]string{"IsPresent", "IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp"}, r.operator) {
			return fmt.Errorf("%s: not known, or not true or false", r.operator)
		}
		return nil
	}
	if r.operator == "StringMatches" {
		if _, ok := r.operand.(string); !ok {
			return fmt.Errorf("StringMatches: not a text")
		}
		return nil
	}
	kind, relation, byPath := r.parts()
	if kind == "" || relation == "" || kind == "Boolean" && relation != "Equals" {
		return fmt.Errorf("comparison %q is not known", r.operator)
	}
	if byPath {
		text, _ := r.operand.(string)
		_, err := parsePath(text)
		return err
	}
	if _, ok := compare(kind, r.operand, r.operand); !ok {
		return fmt.Errorf("%s: the value is of another type", r.operator)
	}
	return nil
}

// parts takes an operator such as NumericLessThanEqualsPath apart.
func (r *Rule) parts() (kind, relation string, byPath bool) {
	name, byPath := strings.CutSuffix(r.operator, "Path")
	for _, k := range []string{"String", "Numeric", "Boolean", "Timestamp"} {
		if rel, ok := strings.CutPrefix(name, k); ok {
			switch rel {
			case "Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals":
				return k, rel, byPath
			}
		}
	}
	return "", "", false
}

// holds reports whether the rule holds. A Variable that finds nothing fails the
// execution, but for IsPresent.
func (r *Rule) holds(s scope) (bool, *Error) {
	switch {
	case r.And != nil:
		for _, inner := range r.And {
			if ok, err := inner.holds(s); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case r.Or != nil:
		for _, inner := range r.Or {
			if ok, err := inner.holds(s); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case r.Not != nil:
		ok, err := r.Not.holds(s)
		return !ok && err == nil, err
	}
	v, err := s.find(r.Variable)
	if r.operator == "IsPresent" {
		return (err == nil) == r.operand, nil
	}
	if err != nil {
		return false, err
	}
	return r.compare(s, v)
}

func (r *Rule) compare(s scope, v any) (bool, *Error) {
	switch r.operator {
	case "IsNull":
		return (v == nil) == r.operand, nil
	case "IsString":
		_, is := v.(string)
		return is == r.operand, nil
	case "IsNumeric":
		_, is := v.(json.Number)
		return is == r.operand, nil
	case "IsBoolean":
		_, is := v.(bool)
		return is == r.operand, nil
	case "IsTimestamp":
		_, is := timestamp(v)
		return is == r.operand, nil
	case "StringMatches":
		text, is := v.(string)
		pattern, _ := r.operand.(string)
		return is && wildcard(pattern, text), nil
	}
	kind, relation, byPath := r.parts()
	want := r.operand
	if byPath {
		text, _ := r.operand.(string)
		var err *Error
		if want, err = s.find(text); err != nil {
			return false, err
		}
	}
	c, ok := compare(kind, v, want)
	if !ok {
		return false, nil
	}
	switch relation {
	case "Equals":
		return c == 0, nil
	case "LessThan":
		return c < 0, nil
	case "LessThanEquals":
		return c <= 0, nil
	case "GreaterThan":
		return c > 0, nil
	}
	return c >= 0, nil
}

// compare compares two values of a kind; it reports false where one is of
// another.
func compare(kind string, a, b any) (int, bool) {
	switch kind {
	case "String":
		x, ok1 := a.(string)
		y, ok2 := b.(string)
		return strings.Compare(x, y), ok1 && ok2
	case "Boolean":
		x, ok1 := a.(bool)
		y, ok2 := b.(bool)
		if x == y {
			return 0, ok1 && ok2
		}
		return 1, ok1 && ok2
	case "Numeric":
		x, ok1 := number(a)
		y, ok2 := number(b)
		if !ok1 || !ok2 {
			return 0, false
		}
		return x.Cmp(y), true
	case "Timestamp":
		x, ok1 := timestamp(a)
		y, ok2 := timestamp(b)
		return x.Compare(y), ok1 && ok2
	}
	return 0, false
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func timestamp(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

// wildcard matches text with a pattern in which * stands for anything, but for
// one after a backslash.
func wildcard(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		for i := range len(text) + 1 {
			if wildcard(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	}
	if pattern[0] == '\\' && len(pattern) > 1 {
		pattern = pattern[1:]
	}
	return text != "" && pattern[0] == text[0] && wildcard(pattern[1:], text[1:])
}
