package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dropload/dropload/internal/store"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// encode turns a value that store.CheckOps let through into DynamoDB's.
func encode(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return text(v)
	case store.Number:
		n, _ := v.Canonical() // not every engine does it by itself
		return &types.AttributeValueMemberN{Value: string(n)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		out := make([]types.AttributeValue, len(v))
		for i := range v {
			out[i] = encode(v[i])
		}
		return &types.AttributeValueMemberL{Value: out}
	case map[string]any:
		out := make(attributes, len(v))
		for k, e := range v {
			out[k] = encode(e)
		}
		return &types.AttributeValueMemberM{Value: out}
	}
	panic(fmt.Sprintf("dynamo: an attribute cannot hold a %T", v))
}

func encodeKey(k store.Key) attributes {
	return attributes{"pk": text(k.PK), "sk": text(k.SK)}
}

func encodeItem(k store.Key, attrs map[string]any) attributes {
	out := make(attributes, len(attrs)+2)
	for name, v := range attrs {
		out[name] = encode(v)
	}
	out["pk"], out["sk"] = text(k.PK), text(k.SK)
	return out
}

// decodeItem turns a stored item into the interface's. A null is an attribute
// that is absent.
func decodeItem(m attributes) (store.Item, error) {
	it := store.Item{Attrs: make(map[string]any, len(m))}
	for name, av := range m {
		v, err := decode(av)
		if err != nil {
			return store.Item{}, fmt.Errorf("attribute %q: %w", name, err)
		}
		if v != nil {
			it.Attrs[name] = v
		}
	}
	var err error
	if it.Key, err = decodeKey(m); err != nil {
		return store.Item{}, err
	}
	delete(it.Attrs, "pk")
	delete(it.Attrs, "sk")
	return it, nil
}

func decodeKey(m attributes) (store.Key, error) {
	pk, ok1 := m["pk"].(*types.AttributeValueMemberS)
	sk, ok2 := m["sk"].(*types.AttributeValueMemberS)
	if !ok1 || !ok2 {
		return store.Key{}, fmt.Errorf("an item without the text attributes pk and sk")
	}
	return store.Key{PK: pk.Value, SK: sk.Value}, nil
}

func decode(av types.AttributeValue) (any, error) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return av.Value, nil
	case *types.AttributeValueMemberN:
		return store.Number(av.Value), nil
	case *types.AttributeValueMemberBOOL:
		return av.Value, nil
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberL:
		out := make([]any, 0, len(av.Value))
		for _, e := range av.Value {
			v, err := decode(e)
			if err != nil {
				return nil, err
			}
			if v != nil {
				out = append(out, v)
			}
		}
		return out, nil
	case *types.AttributeValueMemberM:
		out := make(map[string]any, len(av.Value))
		for k, e := range av.Value {
			v, err := decode(e)
			if err != nil {
				return nil, err
			}
			if v != nil {
				out[k] = v
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("stored as %T, which no item of ours holds", av)
}
