package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// decode reads JSON with its numbers as they were written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

// encode writes JSON as it was written: no character is made harmless for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only decoded JSON is encoded
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// template fills a payload template: a field whose name ends in ".$" is a path
// or an intrinsic function.
func (s scope) template(text json.RawMessage) (any, *Error) {
	v, err := decode(text)
	if err != nil {
		return nil, runtimeError("template: %v", err)
	}
	return s.fill(v)
}

func (s scope) fill(v any) (any, *Error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			plain, dynamic := strings.CutSuffix(name, ".$")
			var err *Error
			if dynamic {
				text, _ := v[name].(string)
				out[plain], err = s.evaluate(text)
			} else {
				out[name], err = s.fill(v[name])
			}
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err *Error
			if out[i], err = s.fill(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func (s scope) evaluate(text string) (any, *Error) {
	if strings.HasPrefix(text, "$") {
		return s.find(text)
	}
	c, err := parseCall(text)
	if err != nil {
		return nil, &Error{Name: "States.IntrinsicFailure", Cause: err.Error()}
	}
	return c.value(s)
}

// checkTemplate refuses what can never be filled.
func checkTemplate(text json.RawMessage) error {
	v, err := decode(text)
	if err != nil {
		return err
	}
	return checkNode(v)
}

func checkNode(v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			plain, dynamic := strings.CutSuffix(name, ".$")
			if !dynamic {
				if err := checkNode(v[name]); err != nil {
					return err
				}
				continue
			}
			if _, both := v[plain]; both {
				return fmt.Errorf("both %s and %s", plain, name)
			}
			text, ok := v[name].(string)
			if !ok {
				return fmt.Errorf("%s is not a text", name)
			}
			if err := checkDynamic(text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case []any:
		for _, e := range v {
			if err := checkNode(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDynamic(text string) error {
	if strings.HasPrefix(text, "$") {
		_, err := parsePath(text)
		return err
	}
	_, err := parseCall(text)
	return err
}
