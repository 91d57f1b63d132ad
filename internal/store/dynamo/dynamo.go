// Package dynamo is a store.Table over a DynamoDB table whose keys are the text
// attributes pk and sk.
//
// Conditional writes go as PartiQL statements, 25 a request, each with its own
// condition and its own answer; that costs what single writes cost and is some
// twenty times faster through a network. What DynamoDB throttles or could not
// do at the moment is sent again with a growing, random pause; what is still
// not done after that is a *fault.Transient of that write alone.
//
// The package refuses what store.CheckOps refuses, and reads no attribute of
// another type than those of store.Item.
package dynamo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/dropload/dropload/internal/store"
)

// DynamoDB's limits of one request.
const (
	maxWrites = 25
	maxReads  = 100
)

// Table is a store.Table over DynamoDB.
type Table struct {
	client      *dynamodb.Client
	name        string
	quoted      string // the table's name in a statement
	concurrency int    // requests that write
	reads       int    // requests that read
	attempts    int
	pause       func(ctx context.Context, attempt int) error
	indexes     map[string]index
}

var _ store.Table = (*Table)(nil)

type index struct{ pkAttr, skAttr string }

// Option configures a Table.
type Option func(*Table)

// WithConcurrency sets how many requests of one Write run at the same time; the
// default is 4.
func WithConcurrency(n int) Option { return func(t *Table) { t.concurrency = max(1, n) } }

// WithReadConcurrency sets how many requests of one Get run at the same time;
// the default is 8. Reads cost a fifth of writes, and a plan waits for them.
func WithReadConcurrency(n int) Option { return func(t *Table) { t.reads = max(1, n) } }

// WithIndex declares the key attributes of an index that is queried; skAttr ""
// is an index without a sort key.
func WithIndex(name, pkAttr, skAttr string) Option {
	return func(t *Table) { t.indexes[name] = index{pkAttr: pkAttr, skAttr: skAttr} }
}

// WithAttempts sets how often a throttled write or read is sent before it is
// given up as *fault.Transient; the default of 8 takes about 10 seconds.
func WithAttempts(n int) Option { return func(t *Table) { t.attempts = max(1, n) } }

// New returns the table of that name. The client's own retries and timeouts
// hold for each request.
func New(client *dynamodb.Client, table string, opts ...Option) *Table {
	t := &Table{
		client: client, name: table, quoted: `"` + table + `"`,
		concurrency: 4, reads: 8, attempts: 8, pause: pause, indexes: map[string]index{},
	}
	for _, o := range opts {
		o(t)
	}
	return t
}

// pause waits before a request is sent again: at most 50 ms, 100 ms, … 5 s.
func pause(ctx context.Context, attempt int) error {
	limit := min(50*time.Millisecond<<min(attempt, 10), 5*time.Second)
	timer := time.NewTimer(limit/4 + rand.N(limit-limit/4))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// each runs work for n chunks, so many at the same time.
func each(ctx context.Context, n, concurrency int, work func(ctx context.Context, i int) error) error {
	if n == 1 {
		return work(ctx, 0)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for i := range n {
		g.Go(func() error { return work(ctx, i) })
	}
	return g.Wait()
}
