package dynamo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
)

// token is a transaction's idempotency token.
func token() string { return rand.Text() }

// Get implements store.Table.
func (t *Table) Get(ctx context.Context, keys []store.Key) (map[store.Key]store.Item, error) {
	if err := store.CheckKeys(keys); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	found := make(map[store.Key]store.Item, len(keys))
	parts := chunks(keys, maxReads)
	err := each(ctx, len(parts), t.reads, func(ctx context.Context, i int) error {
		return t.get(ctx, parts[i], func(it store.Item) {
			mu.Lock()
			defer mu.Unlock()
			found[it.Key] = it
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// get reads up to 100 items. What did not fit into 16 MB or was throttled is
// asked for again; only a try that brought nothing counts as one.
func (t *Table) get(ctx context.Context, keys []store.Key, found func(store.Item)) error {
	ask := &types.KeysAndAttributes{ConsistentRead: aws.Bool(true), Keys: make([]map[string]types.AttributeValue, len(keys))}
	for i, k := range keys {
		ask.Keys[i] = encodeKey(k)
	}
	for attempt := 0; ; {
		out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{t.name: *ask},
		})
		if err != nil {
			return awserr.Wrap(ctx, "BatchGetItem", err)
		}
		for _, m := range out.Responses[t.name] {
			it, err := decodeItem(m)
			if err != nil {
				return fmt.Errorf("BatchGetItem: %w", err)
			}
			found(it)
		}
		left, ok := out.UnprocessedKeys[t.name]
		if !ok || len(left.Keys) == 0 {
			return nil
		}
		progress := len(left.Keys) < len(ask.Keys)
		ask.Keys = left.Keys
		if progress {
			attempt = 0
			if len(out.Responses[t.name]) > 0 {
				continue
			}
		}
		if attempt++; attempt >= t.attempts {
			return &fault.Transient{Cause: errors.New("BatchGetItem: throttled")}
		}
		if err := t.pause(ctx, attempt-1); err != nil {
			return err
		}
	}
}

// Query implements store.Table.
func (t *Table) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := q.Check(); err != nil {
		return store.Page{}, err
	}
	in := &dynamodb.QueryInput{TableName: &t.name, ScanIndexForward: aws.Bool(!q.Reverse)}
	attrs := index{pkAttr: "pk", skAttr: "sk"}
	if q.Index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		var ok bool
		if attrs, ok = t.indexes[q.Index]; !ok {
			return store.Page{}, fmt.Errorf("store: no index %q", q.Index)
		}
		in.IndexName = &q.Index
	}
	if attrs.skAttr == "" && q.Prefix+q.From != "" {
		return store.Page{}, fmt.Errorf("store: index %q has no sort key", q.Index)
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, 1<<30)))
	}
	condition := "#p = :p"
	in.ExpressionAttributeNames = map[string]string{"#p": attrs.pkAttr}
	in.ExpressionAttributeValues = attributes{":p": text(q.PK)}
	switch {
	case q.Prefix != "":
		condition += " AND begins_with(#s, :s)"
	case q.From != "":
		condition += " AND #s >= :s"
	}
	if s := q.Prefix + q.From; s != "" {
		in.ExpressionAttributeNames["#s"] = attrs.skAttr
		in.ExpressionAttributeValues[":s"] = text(s)
	}
	in.KeyConditionExpression = &condition
	var err error
	if in.ExclusiveStartKey, err = decodeCursor(q.Cursor); err != nil {
		return store.Page{}, err
	}
	out, err := t.client.Query(ctx, in)
	if err != nil {
		return store.Page{}, awserr.Wrap(ctx, "Query", err)
	}
	page := store.Page{Items: make([]store.Item, len(out.Items))}
	for i, m := range out.Items {
		if page.Items[i], err = decodeItem(m); err != nil {
			return store.Page{}, fmt.Errorf("Query: %w", err)
		}
	}
	page.Next, err = encodeCursor(out.LastEvaluatedKey)
	return page, err
}

// A cursor is the last key of a page: its attributes, all of them text, as JSON
// in base64.
func encodeCursor(last attributes) (string, error) {
	if len(last) == 0 {
		return "", nil
	}
	plain := make(map[string]string, len(last))
	for name, av := range last {
		s, ok := av.(*types.AttributeValueMemberS)
		if !ok {
			return "", fmt.Errorf("Query: key attribute %q is not text", name)
		}
		plain[name] = s.Value
	}
	b, err := json.Marshal(plain)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodeCursor(s string) (attributes, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	var plain map[string]string
	if err == nil {
		err = json.Unmarshal(b, &plain)
	}
	if err != nil || len(plain) == 0 {
		return nil, fmt.Errorf("store: a cursor that no page gave")
	}
	out := make(attributes, len(plain))
	for name, v := range plain {
		out[name] = text(v)
	}
	return out, nil
}
