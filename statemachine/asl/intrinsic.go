package asl

import (
	"encoding/json"
	"fmt"
	"strings"
)

// call is an intrinsic function with its arguments: each a call, a path or a
// value.
type call struct {
	name string
	args []any
}

// argPath is an argument that is a path.
type argPath string

func parseCall(text string) (*call, error) {
	p := &callParser{rest: text}
	c, err := p.call()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is neither a path nor an intrinsic function: %w", text, err)
	}
	return c, nil
}

type callParser struct{ rest string }

func (p *callParser) call() (*call, error) {
	name, rest, ok := strings.Cut(p.rest, "(")
	if !ok {
		return nil, fmt.Errorf("no bracket")
	}
	c := &call{name: strings.TrimSpace(name)}
	if _, known := functions()[c.name]; !known {
		return nil, fmt.Errorf("function %s is not known", c.name)
	}
	p.rest = strings.TrimLeft(rest, " ")
	if r, ok := strings.CutPrefix(p.rest, ")"); ok {
		p.rest = r
		return c, nil
	}
	for {
		arg, err := p.arg()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, arg)
		p.rest = strings.TrimLeft(p.rest, " ")
		switch {
		case strings.HasPrefix(p.rest, ","):
			p.rest = p.rest[1:]
		case strings.HasPrefix(p.rest, ")"):
			p.rest = p.rest[1:]
			return c, nil
		default:
			return nil, fmt.Errorf("a comma or a bracket is missing")
		}
	}
}

func (p *callParser) arg() (any, error) {
	p.rest = strings.TrimLeft(p.rest, " ")
	switch {
	case strings.HasPrefix(p.rest, "'"):
		return p.text()
	case strings.HasPrefix(p.rest, "States."):
		return p.call()
	}
	end := strings.IndexAny(p.rest, ",)")
	if end < 0 {
		return nil, fmt.Errorf("a bracket is not closed")
	}
	word := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if strings.HasPrefix(word, "$") {
		_, err := parsePath(word)
		return argPath(word), err
	}
	v, err := decode([]byte(word))
	if err != nil {
		return nil, fmt.Errorf("argument %q: %w", word, err)
	}
	return v, nil
}

// text reads a text in single quotes; a backslash takes the next character as it
// is, but braces keep theirs for States.Format.
func (p *callParser) text() (any, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\'':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			if p.rest[i] == '{' || p.rest[i] == '}' {
				b.WriteByte('\\')
			}
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("a text is not closed")
}

func (c *call) value(s scope) (any, *Error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		var err *Error
		switch a := a.(type) {
		case argPath:
			args[i], err = s.find(string(a))
		case *call:
			args[i], err = a.value(s)
		default:
			args[i] = a
		}
		if err != nil {
			return nil, err
		}
	}
	v, err := functions()[c.name](args)
	if err != nil {
		return nil, &Error{Name: "States.IntrinsicFailure", Cause: fmt.Sprintf("%s: %v", c.name, err)}
	}
	return v, nil
}

func functions() map[string]func([]any) (any, error) {
	return map[string]func([]any) (any, error){
		"States.Format":       format,
		"States.Array":        func(args []any) (any, error) { return args, nil },
		"States.StringToJson": stringToJSON,
		"States.JsonToString": jsonToString,
		"States.ArrayLength":  arrayLength,
		"States.MathAdd":      mathAdd,
	}
}

func format(args []any) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no format")
	}
	pattern, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("the format is not a text")
	}
	args = args[1:]
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		case strings.HasPrefix(pattern[i:], "{}"):
			if len(args) == 0 {
				return nil, fmt.Errorf("too few arguments")
			}
			if s, ok := args[0].(string); ok {
				b.WriteString(s)
			} else {
				b.Write(encode(args[0]))
			}
			args = args[1:]
			i++
		default:
			b.WriteByte(pattern[i])
		}
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("too many arguments")
	}
	return b.String(), nil
}

func stringToJSON(args []any) (any, error) {
	if len(args) == 1 {
		if s, ok := args[0].(string); ok {
			return decode([]byte(s))
		}
	}
	return nil, fmt.Errorf("takes one text")
}

func jsonToString(args []any) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("takes one value")
	}
	return string(encode(args[0])), nil
}

func arrayLength(args []any) (any, error) {
	if len(args) == 1 {
		if l, ok := args[0].([]any); ok {
			return json.Number(fmt.Sprint(len(l))), nil
		}
	}
	return nil, fmt.Errorf("takes one array")
}

func mathAdd(args []any) (any, error) {
	sum := int64(0)
	for _, a := range args {
		n, ok := a.(json.Number)
		if !ok {
			return nil, fmt.Errorf("takes whole numbers")
		}
		i, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("takes whole numbers")
		}
		sum += i
	}
	if len(args) != 2 {
		return nil, fmt.Errorf("takes two numbers")
	}
	return json.Number(fmt.Sprint(sum)), nil
}
