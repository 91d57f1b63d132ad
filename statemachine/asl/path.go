package asl

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// A path is a reference path: "$", then fields and indexes, as in
// $.a['b c'][0]. One that begins with "$$" is in the context object.
type path struct {
	text    string
	context bool
	steps   []any // string: a field; int: an element
}

func parsePath(text string) (path, error) {
	p := path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, fmt.Errorf("path %q does not begin with $", text)
	}
	if r, ok := strings.CutPrefix(rest, "$"); ok {
		p.context, rest = true, r
	}
	for rest != "" {
		var step any
		var err error
		if step, rest, err = parseStep(rest); err != nil {
			return p, fmt.Errorf("path %q: %w", text, err)
		}
		p.steps = append(p.steps, step)
	}
	return p, nil
}

func parseStep(s string) (step any, rest string, err error) {
	switch {
	case strings.HasPrefix(s, "['"), strings.HasPrefix(s, `["`):
		name, rest, ok := strings.Cut(s[2:], s[1:2]+"]")
		if !ok || name == "" {
			return nil, "", fmt.Errorf("a bracket is not closed")
		}
		return name, rest, nil
	case s[0] == '[':
		number, rest, _ := strings.Cut(s[1:], "]")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return nil, "", fmt.Errorf("%q is not an element's number", number)
		}
		return n, rest, nil
	case s[0] == '.':
		end := strings.IndexAny(s[1:], ".[")
		if end < 0 {
			end = len(s) - 1
		}
		name := s[1 : 1+end]
		if name == "" || strings.ContainsAny(name, "*?@,:()'\" ") {
			return nil, "", fmt.Errorf("%q is not a field's name", name)
		}
		return name, s[1+end:], nil
	}
	return nil, "", fmt.Errorf("%q is not known", s)
}

// find returns what the path leads to.
func (p path) find(root any) (any, bool) {
	for _, step := range p.steps {
		switch step := step.(type) {
		case string:
			m, ok := root.(map[string]any)
			if !ok {
				return nil, false
			}
			if root, ok = m[step]; !ok {
				return nil, false
			}
		case int:
			l, ok := root.([]any)
			if !ok || step >= len(l) {
				return nil, false
			}
			root = l[step]
		}
	}
	return root, true
}

// put returns root with value at the path: objects on the way are made, what is
// no object is in the way. The root itself is not changed.
func (p path) put(root, value any) (any, *Error) {
	if len(p.steps) == 0 {
		return value, nil
	}
	out, ok := putAt(root, p.steps, value)
	if !ok {
		return nil, &Error{Name: "States.ResultPathMatchFailure", Cause: fmt.Sprintf("the path %s does not fit the input", p.text)}
	}
	return out, nil
}

func putAt(root any, steps []any, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	switch step := steps[0].(type) {
	case string:
		old, ok := root.(map[string]any)
		if root != nil && !ok {
			return nil, false
		}
		m := make(map[string]any, len(old)+1)
		maps.Copy(m, old)
		if m[step], ok = putAt(old[step], steps[1:], value); !ok {
			return nil, false
		}
		return m, true
	case int:
		old, ok := root.([]any)
		if !ok || step >= len(old) {
			return nil, false
		}
		l := append([]any(nil), old...)
		if l[step], ok = putAt(old[step], steps[1:], value); !ok {
			return nil, false
		}
		return l, true
	}
	return nil, false
}

// scope is what paths are looked up in.
type scope struct {
	input   any
	context map[string]any
}

// find looks a path up. One that finds nothing fails the execution, as on AWS.
func (s scope) find(text string) (any, *Error) {
	p, err := parsePath(text)
	if err != nil {
		return nil, runtimeError("%v", err)
	}
	root := s.input
	if p.context {
		root = s.context
	}
	v, ok := p.find(root)
	if !ok {
		return nil, runtimeError("the JSONPath %s finds nothing in the input", text)
	}
	return v, nil
}
