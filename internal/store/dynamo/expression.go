package dynamo

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dropload/dropload/internal/store"
)

// expression is op as the expressions of the single and the transactional
// writes: every name and value by a placeholder.
type expression struct {
	names     map[string]string
	values    attributes
	update    *string
	condition *string
}

func express(op *store.Op) expression {
	e := expression{names: map[string]string{}, values: attributes{}}
	if op.Kind == store.Update {
		e.update = aws.String(e.updates(op))
	}
	var conds []string
	switch {
	case op.Kind == store.Insert:
		conds = append(conds, "attribute_not_exists("+e.name("pk")+")")
	case op.Kind == store.Update, op.Kind == store.Delete && len(op.If) > 0:
		conds = append(conds, "attribute_exists("+e.name("pk")+")")
	}
	for _, c := range op.If {
		switch c.Kind {
		case store.Equals:
			conds = append(conds, e.name(c.Attr)+" = "+e.value(c.Value))
		case store.Less:
			conds = append(conds, e.name(c.Attr)+" < "+e.value(c.Value))
		case store.Missing:
			conds = append(conds, "attribute_not_exists("+e.name(c.Attr)+")")
		case store.Present:
			conds = append(conds, "attribute_exists("+e.name(c.Attr)+")")
		}
	}
	if len(conds) > 0 {
		e.condition = aws.String(strings.Join(conds, " AND "))
	}
	if len(e.names) == 0 {
		e.names = nil // an empty map is refused
	}
	if len(e.values) == 0 {
		e.values = nil
	}
	return e
}

func (e *expression) updates(op *store.Op) string {
	var set, remove []string
	for _, n := range sortedNames(op.Set) {
		set = append(set, e.name(n)+" = "+e.value(op.Set[n]))
	}
	for _, n := range op.Remove {
		remove = append(remove, e.name(n))
	}
	var clauses []string
	if len(set) > 0 {
		clauses = append(clauses, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(remove, ", "))
	}
	return strings.Join(clauses, " ")
}

func (e *expression) name(n string) string {
	p := "#n" + strconv.Itoa(len(e.names))
	e.names[p] = n
	return p
}

func (e *expression) value(v any) string {
	p := ":v" + strconv.Itoa(len(e.values))
	e.values[p] = encode(v)
	return p
}
