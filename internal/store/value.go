package store

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// MaxItem is the largest item that a table takes, in bytes as Item.Size counts
// them.
const MaxItem = 400 << 10

// MaxTransact is the largest number of writes in one Transact.
const MaxTransact = 100

// Clone returns a deep copy of an attribute's value. It panics on a value that
// no Item may hold: CheckOps refuses those first.
func Clone(v any) any {
	switch v := v.(type) {
	case string, Number, bool:
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Clone(v[i])
		}
		return out
	case map[string]any:
		return cloneMap(v)
	}
	panic(fmt.Sprintf("store: an attribute cannot hold a %T", v))
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = Clone(v)
	}
	return out
}

// Clone returns a deep copy of the item.
func (i Item) Clone() Item { return Item{Key: i.Key, Attrs: cloneMap(i.Attrs)} }

// Size is the item's size in bytes by DynamoDB's rule: names and values, three
// bytes for a list or a map and one for each thing in it.
func (i Item) Size() int {
	n := len("pk") + len(i.PK) + len("sk") + len(i.SK)
	for name, v := range i.Attrs {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case Number:
		return len(v)/2 + 2
	case []any:
		n := 3
		for _, e := range v {
			n += 1 + valueSize(e)
		}
		return n
	case map[string]any:
		n := 3
		for name, e := range v {
			n += 1 + len(name) + valueSize(e)
		}
		return n
	}
	return 1
}

// Equal reports whether two values are equal as DynamoDB compares them: of the
// same type, and numbers by their worth.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case Number:
		b, ok := b.(Number)
		return ok && (a == b || a.Compare(b) == 0)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	return false
}

// Holds reports whether the condition holds on a stored item's attributes.
func (c Cond) Holds(attrs map[string]any) bool {
	v, ok := attrs[c.Attr]
	switch c.Kind {
	case Equals:
		return ok && Equal(v, c.Value)
	case Missing:
		return !ok
	case Present:
		return ok
	case Less:
		switch want := c.Value.(type) {
		case string:
			have, is := v.(string)
			return is && have < want
		case Number:
			have, is := v.(Number)
			return is && have.Compare(want) < 0
		}
	}
	return false
}

// Compare compares two valid numbers by their worth.
func (n Number) Compare(m Number) int {
	a, b := n.rat(), m.rat()
	return a.Cmp(b)
}

func (n Number) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// Canonical returns the number as DynamoDB gives it back: without a plus, an
// exponent, or zeros that say nothing. It reports false for what is no number
// with at most 38 digits between 1e-130 and 1e126.
func (n Number) Canonical() (Number, bool) {
	if n.plain() {
		return n, true
	}
	s := string(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	if len(n)-len(s) > 1 {
		return "", false
	}
	mantissa, exponent, hasExp := strings.Cut(strings.ToLower(s), "e")
	exp := 0
	if hasExp {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil || exp > 200 || exp < -200 {
			return "", false
		}
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	if whole+frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return "", false
	}
	exp -= len(frac)
	digits := strings.TrimLeft(whole+frac, "0")
	for strings.HasSuffix(digits, "0") {
		digits, exp = digits[:len(digits)-1], exp+1
	}
	if digits == "" {
		return "0", true
	}
	if len(digits) > 38 || len(digits)+exp > 126 || len(digits)+exp < -129 {
		return "", false
	}
	switch point := len(digits) + exp; {
	case exp >= 0:
		digits += strings.Repeat("0", exp)
	case point > 0:
		digits = digits[:point] + "." + digits[point:]
	default:
		digits = "0." + strings.Repeat("0", -point) + digits
	}
	if neg {
		digits = "-" + digits
	}
	return Number(digits), true
}

// plain reports whether n is a short whole number in its canonical form, which
// nearly all are.
func (n Number) plain() bool {
	s := string(n)
	if len(s) > 1 && s[0] == '-' {
		s = s[1:]
		if s[0] == '0' {
			return false
		}
	}
	if s == "" || len(s) > 38 || (s[0] == '0' && len(s) > 1) {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
