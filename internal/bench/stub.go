package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// stub speaks as much of DynamoDB's protocol as an import of new rows needs: it
// takes every write, keeps nothing and finds nothing, each after a fixed time,
// as a table without limits at the end of a network would.
type stub struct {
	after   time.Duration
	bodies  sync.Pool
	answers sync.Map // by the number of statements: the answer to them
}

// serveStub serves a stub until the context ends, and returns its address.
func serveStub(ctx context.Context, after time.Duration) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: &stub{after: after}, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + l.Addr().String(), nil
}

// ServeHTTP answers one request.
func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	timer := time.NewTimer(s.after)
	defer timer.Stop()
	body, _ := s.bodies.Get().(*bytes.Buffer)
	if body == nil {
		body = new(bytes.Buffer)
	}
	defer s.bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		return
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer, ok := s.answer(op, body.Bytes())
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = io.WriteString(w, answer)
}

func (s *stub) answer(op string, body []byte) (string, bool) {
	switch op {
	case "BatchWriteItem":
		return `{"UnprocessedItems":{}}`, true
	case "BatchGetItem":
		return `{"Responses":{},"UnprocessedKeys":{}}`, true
	case "Query":
		return `{"Count":0,"Items":[],"ScannedCount":0}`, true
	case "BatchExecuteStatement":
		// A quotation mark within a value is escaped, so that this is a name.
		n := bytes.Count(body, []byte(`"Statement":`))
		if a, ok := s.answers.Load(n); ok {
			return a.(string), true //nolint:forcetypeassert // only strings are stored
		}
		a := `{"Responses":[` + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"TableName":%q},`, recordsTable), n), ",") + `]}`
		s.answers.Store(n, a)
		return a, true
	}
	return `{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"the stub does not know this"}`, false
}
