package dynamo

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dropload/dropload/internal/store"
)

// maxStatement is DynamoDB's limit of a statement's text.
const maxStatement = 8192

// statement writes op as a PartiQL statement. It reports false for what PartiQL
// cannot say: a name with odd characters, and a text that is too long.
//
// A DELETE of a missing item succeeds whatever its conditions. One with
// conditions asks for the old item: without one in the answer there was none.
func (t *Table) statement(op *store.Op) (types.BatchStatementRequest, bool) {
	var b strings.Builder
	args := make([]types.AttributeValue, 0, len(op.Set)+len(op.If)+2)
	plain := true
	name := func(n string, quote byte) {
		plain = plain && plainName(n)
		b.WriteByte(quote)
		b.WriteString(n)
		b.WriteByte(quote)
	}
	switch op.Kind {
	case store.Insert:
		b.WriteString("INSERT INTO " + t.quoted + " VALUE {'pk': ?, 'sk': ?")
		args = append(args, text(op.Key.PK), text(op.Key.SK))
		for _, n := range sortedNames(op.Set) {
			b.WriteString(", ")
			name(n, '\'')
			b.WriteString(": ?")
			args = append(args, encode(op.Set[n]))
		}
		b.WriteByte('}')
	case store.Update:
		b.WriteString("UPDATE " + t.quoted)
		for _, n := range sortedNames(op.Set) {
			b.WriteString(" SET ")
			name(n, '"')
			b.WriteString(" = ?")
			args = append(args, encode(op.Set[n]))
		}
		for _, n := range op.Remove {
			b.WriteString(" REMOVE ")
			name(n, '"')
		}
	case store.Delete:
		b.WriteString("DELETE FROM " + t.quoted)
	}
	if op.Kind != store.Insert {
		b.WriteString(` WHERE "pk" = ? AND "sk" = ?`)
		args = append(args, text(op.Key.PK), text(op.Key.SK))
		for _, c := range op.If {
			b.WriteString(" AND ")
			name(c.Attr, '"')
			switch c.Kind {
			case store.Equals:
				b.WriteString(" = ?")
			case store.Less:
				b.WriteString(" < ?")
			case store.Missing:
				b.WriteString(" IS MISSING")
			case store.Present:
				b.WriteString(" IS NOT MISSING")
			}
			if c.Value != nil {
				args = append(args, encode(c.Value))
			}
		}
	}
	if op.Kind == store.Delete && len(op.If) > 0 {
		b.WriteString(" RETURNING ALL OLD *")
	}
	if !plain || b.Len() > maxStatement {
		return types.BatchStatementRequest{}, false
	}
	req := types.BatchStatementRequest{Statement: aws.String(b.String()), Parameters: args}
	if op.Kind != store.Insert {
		req.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	return req, true
}

// plainName reports whether a name may stand between quotes in a statement as
// it is.
func plainName(n string) bool {
	for i := range len(n) {
		switch c := n[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == ' ':
		default:
			return false
		}
	}
	return true
}

func sortedNames(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
