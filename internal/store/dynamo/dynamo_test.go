package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/dynamo"
)

// server is a DynamoDB that answers as a test says.
type server struct {
	mu     sync.Mutex
	calls  []string                                        // operation and body
	answer func(op string, n int, body request) (int, any) // n counts the calls of op, from 0
	counts map[string]int
}

// request is what the answers depend on.
type request struct {
	Statements []struct {
		Statement  string
		Parameters []map[string]any
	}
	RequestItems       map[string]json.RawMessage
	ClientRequestToken string
	ExclusiveStartKey  map[string]map[string]string
	raw                string
}

type object = map[string]any

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	raw, err := io.ReadAll(r.Body)
	var body request
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body.raw = string(raw)
	s.mu.Lock()
	n := s.counts[op]
	s.counts[op]++
	s.calls = append(s.calls, op+" "+string(raw))
	status, answer := s.answer(op, n, body)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// open serves a table; each request is sent once by the SDK.
func open(t *testing.T, answer func(op string, n int, body request) (int, any), opts ...dynamo.Option) (*dynamo.Table, *server) {
	t.Helper()
	s := &server{answer: answer, counts: map[string]int{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-north-1", BaseEndpoint: &srv.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	return dynamo.New(client, "records", opts...), s
}

func key(i int) store.Key { return store.Key{PK: "p", SK: fmt.Sprint(i)} }

func inserts(n int) []store.Op {
	ops := make([]store.Op, n)
	for i := range ops {
		ops[i] = store.Op{Kind: store.Insert, Key: key(i), Set: map[string]any{"v": "1"}}
	}
	return ops
}

// sk is the sort key that a statement of this table names.
func sk(parameters []map[string]any) string {
	s, _ := parameters[1]["S"].(string)
	return s
}

func TestStatementsThatAreThrottledAreSentAgain(t *testing.T) {
	t.Parallel()
	table, srv := open(t, func(_ string, n int, body request) (int, any) {
		var responses []object
		for _, s := range body.Statements {
			r := object{}
			switch {
			case n == 0 && sk(s.Parameters) == "3":
				r["Error"] = object{"Code": "DuplicateItem"}
			case n == 0 && sk(s.Parameters) > "5":
				r["Error"] = object{"Code": "ThrottlingError", "Message": "slow down"}
			case n == 1 && sk(s.Parameters) == "7":
				r["Error"] = object{"Code": "InternalServerError"}
			}
			responses = append(responses, r)
		}
		return http.StatusOK, object{"Responses": responses}
	})
	results, err := table.Write(t.Context(), inserts(9))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		var want error
		if i == 3 {
			want = store.ErrExists
		}
		if !errors.Is(r.Err, want) {
			t.Errorf("%d: %v, want %v", i, r.Err, want)
		}
	}
	if len(srv.calls) != 3 || strings.Contains(srv.calls[1], `"5"`) || strings.Count(srv.calls[2], "INSERT") != 1 {
		t.Errorf("calls:\n%s", strings.Join(srv.calls, "\n"))
	}
}

func TestWhatStaysThrottledIsTransient(t *testing.T) {
	t.Parallel()
	unprocessed := func(op string, _ int, body request) (int, any) {
		if op == "BatchWriteItem" {
			return http.StatusOK, object{"UnprocessedItems": body.RequestItems}
		}
		if op == "BatchGetItem" {
			return http.StatusOK, object{"Responses": object{}, "UnprocessedKeys": body.RequestItems}
		}
		if op == "TransactWriteItems" {
			return http.StatusBadRequest, object{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": []object{{"Code": "None"}, {"Code": "TransactionConflict"}}}
		}
		responses := []object{}
		for range body.Statements {
			responses = append(responses, object{"Error": object{"Code": "ProvisionedThroughputExceeded"}})
		}
		return http.StatusOK, object{"Responses": responses}
	}
	refused := func(string, int, request) (int, any) {
		return http.StatusBadRequest, object{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow down"}
	}
	broken := func(string, int, request) (int, any) { return http.StatusInternalServerError, object{} }
	for name, answer := range map[string]func(string, int, request) (int, any){"unprocessed": unprocessed, "refused": refused, "broken": broken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, _ := open(t, answer, dynamo.WithAttempts(2))
			odd := store.Op{Kind: store.Insert, Key: key(99), Set: map[string]any{"it's": "single"}}
			put := store.Op{Kind: store.Put, Key: key(98)}
			ops := append(inserts(2), put)
			if name != "unprocessed" {
				ops = append(ops, odd)
			}
			results, err := table.Write(t.Context(), ops)
			if err != nil {
				t.Fatal(err)
			}
			var transient *fault.Transient
			for i, r := range results {
				if !errors.As(r.Err, &transient) {
					t.Errorf("write %d: %v", i, r.Err)
				}
			}
			if _, err := table.Get(t.Context(), []store.Key{key(1)}); !errors.As(err, &transient) {
				t.Errorf("Get: %v", err)
			}
			if err := table.Transact(t.Context(), inserts(2)); !errors.As(err, &transient) {
				t.Errorf("Transact: %v", err)
			}
		})
	}
}

func TestOtherErrorsAreTheCalls(t *testing.T) {
	t.Parallel()
	table, srv := open(t, func(string, int, request) (int, any) {
		return http.StatusBadRequest, object{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no table"}
	})
	var transient *fault.Transient
	if results, err := table.Write(t.Context(), inserts(30)); results != nil || err == nil || errors.As(err, &transient) {
		t.Errorf("Write: %v, %v", results, err)
	}
	if _, err := table.Get(t.Context(), []store.Key{key(1)}); err == nil || errors.As(err, &transient) {
		t.Errorf("Get: %v", err)
	}
	if err := table.Transact(t.Context(), inserts(1)); err == nil || errors.As(err, &transient) {
		t.Errorf("Transact: %v", err)
	}
	if _, err := table.Query(t.Context(), store.Query{PK: "p"}); err == nil || errors.As(err, &transient) {
		t.Errorf("Query: %v", err)
	}
	if len(srv.calls) > 5 {
		t.Errorf("%d calls", len(srv.calls))
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-north-1", BaseEndpoint: &srv.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	results, err := dynamo.New(client, "records").Write(t.Context(), inserts(1))
	var transient *fault.Transient
	if err != nil || !errors.As(results[0].Err, &transient) {
		t.Errorf("%v, %v", results, err)
	}
}

func TestReadsGoOnWhereTheyStopped(t *testing.T) {
	t.Parallel()
	table, srv := open(t, func(_ string, n int, body request) (int, any) {
		var asked struct {
			Keys           []map[string]map[string]string
			ConsistentRead bool
		}
		if err := json.Unmarshal(body.RequestItems["records"], &asked); err != nil || !asked.ConsistentRead {
			return http.StatusBadRequest, object{"message": fmt.Sprint(err, asked.ConsistentRead)}
		}
		done := min(40, len(asked.Keys))
		var items []object
		for _, k := range asked.Keys[:done] {
			items = append(items, object{"pk": k["pk"], "sk": k["sk"], "v": object{"N": "1"}, "null": object{"NULL": true}})
		}
		left := object{}
		if rest := asked.Keys[done:]; len(rest) > 0 {
			left["records"] = object{"Keys": rest, "ConsistentRead": true}
		}
		return http.StatusOK, object{"Responses": object{"records": items}, "UnprocessedKeys": left}
	}, dynamo.WithAttempts(1)) // progress is no attempt
	var keys []store.Key
	for i := range 250 {
		keys = append(keys, key(i))
	}
	got, err := table.Get(t.Context(), keys)
	if err != nil || len(got) != 250 {
		t.Fatalf("%d items, %v", len(got), err)
	}
	want := store.Item{Key: key(7), Attrs: map[string]any{"v": store.Number("1")}}
	if diff := cmp.Diff(want, got[key(7)]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(srv.calls) != 3+3+2 {
		t.Errorf("%d calls", len(srv.calls))
	}
}

// TestTransactionsAreSentAgainAsTheSame checks the tokens: the same when a
// transaction is sent again, another for each call.
func TestTransactionsAreSentAgainAsTheSame(t *testing.T) {
	t.Parallel()
	var tokens []string
	table, _ := open(t, func(_ string, n int, body request) (int, any) {
		tokens = append(tokens, body.ClientRequestToken)
		if n == 0 {
			return http.StatusBadRequest, object{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": []object{{"Code": "TransactionConflict"}}}
		}
		return http.StatusOK, object{}
	})
	for range 2 {
		if err := table.Transact(t.Context(), inserts(1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(tokens) != 3 || tokens[0] == "" || len(tokens[0]) > 36 || tokens[0] != tokens[1] || tokens[1] == tokens[2] {
		t.Errorf("tokens %q", tokens)
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	var got []string
	table, _ := open(t, func(op string, _ int, body request) (int, any) {
		responses := []object{}
		for _, s := range body.Statements {
			got = append(got, fmt.Sprintf("%s %d", s.Statement, len(s.Parameters)))
			responses = append(responses, object{"Item": object{"pk": object{"S": "p"}, "sk": object{"S": "s"}}})
		}
		return http.StatusOK, object{"Responses": responses}
	})
	_, err := table.Write(t.Context(), []store.Op{
		{Kind: store.Insert, Key: key(1), Set: map[string]any{"b": "x", "a b": true}},
		{Kind: store.Update, Key: key(2), Set: map[string]any{"b": "x", "a": "y"}, Remove: []string{"c"}, If: []store.Cond{{Kind: store.Equals, Attr: "ver", Value: store.Number("1")}, {Kind: store.Less, Attr: "n", Value: "z"}}},
		{Kind: store.Delete, Key: key(3), If: []store.Cond{{Kind: store.Missing, Attr: "x"}, {Kind: store.Present, Attr: "y"}}},
		{Kind: store.Delete, Key: key(4)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`INSERT INTO "records" VALUE {'pk': ?, 'sk': ?, 'a b': ?, 'b': ?} 4`,
		`UPDATE "records" SET "a" = ? SET "b" = ? REMOVE "c" WHERE "pk" = ? AND "sk" = ? AND "ver" = ? AND "n" < ? 6`,
		`DELETE FROM "records" WHERE "pk" = ? AND "sk" = ? AND "x" IS MISSING AND "y" IS NOT MISSING RETURNING ALL OLD * 2`,
		`DELETE FROM "records" WHERE "pk" = ? AND "sk" = ? 2`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequestsAreFullAndBounded(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sizes := map[string]int{}
	running, most := 0, 0
	two := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body request
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		running++
		if most = max(most, running); running == 2 {
			select {
			case <-two:
			default:
				close(two)
			}
		}
		sizes[fmt.Sprint(len(body.Statements))]++
		mu.Unlock()
		<-two // two requests are under way
		mu.Lock()
		running--
		mu.Unlock()
		_ = json.NewEncoder(w).Encode(object{"Responses": make([]object, len(body.Statements))})
	}))
	defer srv.Close()
	client := dynamodb.New(dynamodb.Options{Region: "eu-north-1", BaseEndpoint: aws.String(srv.URL), Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	table := dynamo.New(client, "records", dynamo.WithConcurrency(2))
	if _, err := table.Write(t.Context(), inserts(130)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"25": 5, "5": 1}, sizes); diff != "" || most != 2 {
		t.Errorf("%d at a time; sizes (-want +got):\n%s", most, diff)
	}
}

func TestContextEndsThePauses(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	table, _ := open(t, func(_ string, _ int, body request) (int, any) {
		cancel()
		responses := []object{}
		for range body.Statements {
			responses = append(responses, object{"Error": object{"Code": "ThrottlingError"}})
		}
		return http.StatusOK, object{"Responses": responses}
	}, dynamo.WithAttempts(1000))
	if _, err := table.Write(ctx, inserts(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
