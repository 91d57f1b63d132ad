package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
)

// write is one op on its way.
type write struct {
	at        int // its place in ops and results
	statement types.BatchStatementRequest
	wantsOld  bool // an answer without an item means that there was none
}

// Write implements store.Table.
func (t *Table) Write(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	if err := store.CheckOps(ops); err != nil {
		return nil, err
	}
	results := make([]store.Result, len(ops))
	var statements, puts, singles []write
	for i := range ops {
		op := &ops[i]
		if (op.Kind == store.Insert || op.Kind == store.Put) &&
			(store.Item{Key: op.Key, Attrs: op.Set}).Size() > store.MaxItem {
			results[i].Err = store.ErrTooLarge
			continue
		}
		if op.Kind == store.Put {
			puts = append(puts, write{at: i})
		} else if s, ok := t.statement(op); ok {
			wantsOld := op.Kind == store.Delete && len(op.If) > 0
			statements = append(statements, write{at: i, statement: s, wantsOld: wantsOld})
		} else {
			singles = append(singles, write{at: i})
		}
	}
	var work []func(context.Context) error
	for _, c := range chunks(statements, maxWrites) {
		work = append(work, func(ctx context.Context) error { return t.execute(ctx, c, results) })
	}
	for _, c := range chunks(puts, maxWrites) {
		work = append(work, func(ctx context.Context) error { return t.put(ctx, ops, c, results) })
	}
	for _, w := range singles {
		work = append(work, func(ctx context.Context) error {
			var err error
			results[w.at], err = t.single(ctx, &ops[w.at])
			return err
		})
	}
	err := each(ctx, len(work), t.concurrency, func(ctx context.Context, i int) error { return work[i](ctx) })
	if err != nil {
		return nil, err
	}
	return results, nil
}

func chunks[T any](s []T, n int) [][]T {
	var out [][]T
	for len(s) > n {
		out = append(out, s[:n:n])
		s = s[n:]
	}
	if len(s) > 0 {
		out = append(out, s)
	}
	return out
}

// execute sends up to 25 statements, and those again that were not done.
func (t *Table) execute(ctx context.Context, ws []write, results []store.Result) error {
	for attempt := 0; ; attempt++ {
		in := &dynamodb.BatchExecuteStatementInput{Statements: make([]types.BatchStatementRequest, len(ws))}
		for i := range ws {
			in.Statements[i] = ws[i].statement
		}
		out, err := t.client.BatchExecuteStatement(ctx, in)
		if err != nil {
			return failAll(ws, results, awserr.Wrap(ctx, "BatchExecuteStatement", err))
		}
		if len(out.Responses) != len(ws) {
			return fmt.Errorf("BatchExecuteStatement: %d answers to %d statements", len(out.Responses), len(ws))
		}
		var again []write
		for i, w := range ws {
			e := out.Responses[i].Error
			switch {
			case e == nil && w.wantsOld && len(out.Responses[i].Item) == 0:
				results[w.at] = store.Result{Err: store.ErrConditionFailed}
			case e == nil:
				results[w.at] = store.Result{}
			case awserr.Retryable(string(e.Code)):
				results[w.at] = store.Result{Err: &fault.Transient{Cause: statementError(e)}}
				again = append(again, w)
			default:
				if results[w.at], err = statementResult(e); err != nil {
					return err
				}
			}
		}
		if len(again) == 0 || attempt+1 >= t.attempts {
			return nil
		}
		ws = again
		if err := t.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func statementError(e *types.BatchStatementError) error {
	return fmt.Errorf("BatchExecuteStatement: %s: %s", e.Code, aws.ToString(e.Message))
}

func statementResult(e *types.BatchStatementError) (store.Result, error) {
	switch e.Code {
	case types.BatchStatementErrorCodeEnumDuplicateItem:
		return store.Result{Err: store.ErrExists}, nil
	case types.BatchStatementErrorCodeEnumConditionalCheckFailed:
		old, err := oldItem(e.Item)
		return store.Result{Err: store.ErrConditionFailed, Old: old}, err
	case types.BatchStatementErrorCodeEnumItemCollectionSizeLimitExceeded:
		return store.Result{Err: store.ErrTooLarge}, nil
	case types.BatchStatementErrorCodeEnumValidationError:
		if tooLarge(aws.ToString(e.Message)) {
			return store.Result{Err: store.ErrTooLarge}, nil
		}
	}
	return store.Result{Err: statementError(e)}, nil
}

// oldItem decodes the item that an answer holds, nil for none.
func oldItem(m attributes) (*store.Item, error) {
	if len(m) == 0 {
		return nil, nil
	}
	it, err := decodeItem(m)
	if err != nil {
		return nil, err
	}
	return &it, nil
}

// tooLarge reads a validation's message: DynamoDB has no code for an item that
// would pass 400 KB.
func tooLarge(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "size") && strings.Contains(m, "exceeded")
}

// failAll makes a transient failure of a request that of each of its writes;
// any other is the whole call's.
func failAll(ws []write, results []store.Result, err error) error {
	var t *fault.Transient
	if !errors.As(err, &t) {
		return err
	}
	for _, w := range ws {
		results[w.at] = store.Result{Err: t}
	}
	return nil
}

// put stores up to 25 items without conditions, and those again that were not.
func (t *Table) put(ctx context.Context, ops []store.Op, ws []write, results []store.Result) error {
	at := make(map[store.Key]write, len(ws))
	requests := make([]types.WriteRequest, len(ws))
	for i, w := range ws {
		op := &ops[w.at]
		at[op.Key] = w
		requests[i].PutRequest = &types.PutRequest{Item: encodeItem(op.Key, op.Set)}
	}
	for attempt := 0; ; attempt++ {
		out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{t.name: requests},
		})
		if err != nil {
			return failAll(ws, results, awserr.Wrap(ctx, "BatchWriteItem", err))
		}
		requests, ws = out.UnprocessedItems[t.name], ws[:0:0]
		if len(requests) == 0 {
			return nil
		}
		for _, r := range requests {
			key, err := decodeKey(r.PutRequest.Item)
			if err != nil {
				return fmt.Errorf("BatchWriteItem: %w", err)
			}
			ws = append(ws, at[key])
		}
		if attempt+1 >= t.attempts {
			return failAll(ws, results, &fault.Transient{Cause: errors.New("BatchWriteItem: throttled")})
		}
		if err := t.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// single carries out one write by a request of its own.
func (t *Table) single(ctx context.Context, op *store.Op) (store.Result, error) {
	e := express(op)
	var err error
	switch op.Kind {
	case store.Insert:
		_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &t.name, Item: encodeItem(op.Key, op.Set),
			ConditionExpression: e.condition, ExpressionAttributeNames: e.names,
		})
	case store.Update:
		_, err = t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &t.name, Key: encodeKey(op.Key),
			UpdateExpression: e.update, ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	case store.Delete:
		_, err = t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &t.name, Key: encodeKey(op.Key), ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	if err == nil {
		return store.Result{}, nil
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if op.Kind == store.Insert {
			return store.Result{Err: store.ErrExists}, nil
		}
		old, err := oldItem(failed.Item)
		return store.Result{Err: store.ErrConditionFailed, Old: old}, err
	}
	if isTooLarge(err) {
		return store.Result{Err: store.ErrTooLarge}, nil
	}
	err = awserr.Wrap(ctx, "write", err)
	if transient, ok := errors.AsType[*fault.Transient](err); ok {
		return store.Result{Err: transient}, nil
	}
	return store.Result{}, err
}

func isTooLarge(err error) bool {
	var collection *types.ItemCollectionSizeLimitExceededException
	var api smithy.APIError
	return errors.As(err, &collection) ||
		errors.As(err, &api) && api.ErrorCode() == "ValidationException" && tooLarge(api.ErrorMessage())
}

// Transact implements store.Table. Each call has a token of its own, so that a
// request that is sent again is carried out once; a token made from the ops
// would take a later call with the same ops for the same one and not do it.
func (t *Table) Transact(ctx context.Context, ops []store.Op) error {
	if len(ops) > store.MaxTransact {
		return fmt.Errorf("store: a transaction of %d writes, at most %d", len(ops), store.MaxTransact)
	}
	if err := store.CheckOps(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return nil
	}
	in := &dynamodb.TransactWriteItemsInput{TransactItems: make([]types.TransactWriteItem, len(ops)), ClientRequestToken: aws.String(token())}
	for i := range ops {
		in.TransactItems[i] = t.transactItem(&ops[i])
	}
	for attempt := 0; ; attempt++ {
		_, err := t.client.TransactWriteItems(ctx, in)
		if err == nil {
			return nil
		}
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			if isTooLarge(err) {
				return store.ErrTooLarge
			}
			return awserr.Wrap(ctx, "TransactWriteItems", err)
		}
		if err := cancellation(cancelled); err != nil {
			return err
		}
		if attempt+1 >= t.attempts {
			return &fault.Transient{Cause: fmt.Errorf("TransactWriteItems: %w", err)}
		}
		if err := t.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// cancellation says why a transaction was not done, nil for what may go through
// when it is sent again.
func cancellation(c *types.TransactionCanceledException) error {
	var other error
	for _, r := range c.CancellationReasons {
		switch code := aws.ToString(r.Code); {
		case code == "ConditionalCheckFailed":
			return store.ErrConditionFailed
		case code == "ItemCollectionSizeLimitExceeded", code == "ValidationError" && tooLarge(aws.ToString(r.Message)):
			other = store.ErrTooLarge
		case code != "" && code != "None" && !awserr.Retryable(code):
			other = fmt.Errorf("TransactWriteItems: %s: %s", code, aws.ToString(r.Message))
		}
	}
	return other
}

func (t *Table) transactItem(op *store.Op) types.TransactWriteItem {
	e := express(op)
	switch op.Kind {
	case store.Update:
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &t.name, Key: encodeKey(op.Key),
			UpdateExpression: e.update, ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		}}
	case store.Delete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: encodeKey(op.Key), ConditionExpression: e.condition,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		}}
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name, Item: encodeItem(op.Key, op.Set),
		ConditionExpression: e.condition, ExpressionAttributeNames: e.names,
	}}
}
