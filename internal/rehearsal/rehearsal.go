// Package rehearsal runs imports in one process: the real state machine and the
// real steps over tables and a bucket in memory. It is for tests, which put
// faults between the steps and the stores, and for measuring without a network.
//
// It refuses to stand in for anything at run time; nothing but tests and
// benchmarks imports it.
package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	notices "github.com/dropload/dropload/internal/notice/memory"
	"github.com/dropload/dropload/internal/object"
	objects "github.com/dropload/dropload/internal/object/memory"
	queues "github.com/dropload/dropload/internal/queue/memory"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/internal/table"
	"github.com/dropload/dropload/internal/wiring"
	"github.com/dropload/dropload/statemachine/asl"
)

// Tenant is the tenant that a stage begins with.
const Tenant = "demo"

// Options are what a rehearsal may change. The zero value is a plain one.
type Options struct {
	Config  *importer.Config // nil is importer.Defaults
	Records memory.Hook      // faults of the records table
	Control memory.Hook      // faults of the control table
	Objects objects.Hook     // faults of the bucket
	Clock   asl.Clock        // nil is the system's
	// Before is called before each function; an error ends it as if its process
	// had been killed before it did anything.
	Before func(function string, payload []byte) *asl.Error
	// After is called when a function has ended; an error replaces its answer, as
	// if its process had been killed before it could give it.
	After func(function string, payload []byte) *asl.Error
	// Table takes the place of the records table in memory, for measuring.
	Table store.Table
}

// Stage is where imports run.
type Stage struct {
	*importer.Importer
	Runner *asl.Runner
	Queued *queues.Queue   // the messages that wait; see Deliver
	Sent   *notices.Sender // what went to people
	drops  atomic.Int64
}

// New sets a stage with the tenant and its default feeds.
func New(ctx context.Context, o Options) (*Stage, error) {
	catalog, err := entity.Standard()
	if err != nil {
		return nil, err
	}
	clock := o.Clock
	if clock == nil {
		clock = asl.System{}
	}
	i := &importer.Importer{
		Records: memory.New(memory.WithIndex(table.ByReference, table.AttrRef, "sk"), memory.WithHook(o.Records)),
		Control: memory.New(memory.WithHook(o.Control)),
		Objects: objects.New(objects.WithHook(o.Objects), objects.WithClock(clock.Now)),
		Catalog: catalog, Now: clock.Now, Config: importer.Defaults(),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if o.Config != nil {
		i.Config = *o.Config
	}
	if o.Table != nil {
		i.Records = o.Table
	}
	s := &Stage{Importer: i, Queued: &queues.Queue{}, Sent: &notices.Sender{}}
	i.Queue, i.Sender = s.Queued, s.Sent
	definition, err := os.ReadFile(Definition())
	if err != nil {
		return nil, err
	}
	functions := functions(i)
	names := map[string]string{"Bucket": "bucket"}
	for name := range functions {
		names[name+"FunctionArn"] = name
	}
	machine, err := asl.Parse(definition, names)
	if err != nil {
		return nil, err
	}
	s.Runner = &asl.Runner{
		Machine: machine, Objects: i.Objects, Clock: clock,
		Invoke: func(ctx context.Context, function string, payload []byte) ([]byte, *asl.Error) {
			if o.Before != nil {
				if err := o.Before(function, payload); err != nil {
					return nil, err
				}
			}
			out, failed := call(ctx, functions[function], payload)
			if o.After != nil {
				if err := o.After(function, payload); err != nil {
					return nil, err
				}
			}
			return out, failed
		},
	}
	i.Executions = s.Runner
	return s, i.CreateTenant(ctx, importer.Tenant{ID: Tenant})
}

// Definition is the path of the import machine.
func Definition() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "statemachine", "import.asl.json")
}

// functions are the steps as Lambda functions, by their names in the template.
func functions(i *importer.Importer) map[string]lambda.Handler {
	return map[string]lambda.Handler{
		"Inspect":   handler(i, (*importer.Importer).Inspect),
		"Split":     handler(i, (*importer.Importer).Split),
		"Prepare":   handler(i, (*importer.Importer).Prepare),
		"Turn":      handler(i, (*importer.Importer).Turn),
		"Reconcile": handler(i, (*importer.Importer).Reconcile),
		"Plan":      handler(i, (*importer.Importer).Plan),
		"Settle":    handler(i, (*importer.Importer).Settle),
		"Found":     handler(i, (*importer.Importer).Found),
		"Apply":     handler(i, (*importer.Importer).Apply),
		"Report":    handler(i, (*importer.Importer).Report),
		"Await":     handler(i, wiring.Quiet((*importer.Importer).Await)),
		"Note":      handler(i, wiring.Quiet((*importer.Importer).Note)),
	}
}

func handler[In, Out any](i *importer.Importer, step func(*importer.Importer, context.Context, In) (Out, error)) lambda.Handler {
	return raw(func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		out, err := wiring.Handler(i, step)(ctx, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	})
}

// raw is a handler whose errors keep their type, by which they are named.
type raw func(context.Context, []byte) ([]byte, error)

// Invoke implements lambda.Handler.
func (r raw) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return r(ctx, payload) }

func call(ctx context.Context, h lambda.Handler, payload []byte) ([]byte, *asl.Error) {
	return asl.Call(ctx, h.Invoke, payload)
}

// Drop is a file dropped: its event and the execution that the event starts.
type Drop struct {
	Event     []byte
	Execution string
	Key       string
}

// Put stores a file under a feed's prefix and returns its event. It starts
// nothing.
func (s *Stage) Put(ctx context.Context, feed, name string, content []byte) (Drop, error) {
	return s.PutKey(ctx, importer.InboxPrefix(Tenant, feed)+name, content)
}

// PutKey stores a file under a key and returns its event.
func (s *Stage) PutKey(ctx context.Context, key string, content []byte) (Drop, error) {
	info, err := s.Objects.Put(ctx, key, bytes.NewReader(content), object.PutOptions{})
	if err != nil {
		return Drop{}, err
	}
	n := s.drops.Add(1)
	event, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("event-%d", n), "time": s.Now().UTC().Format(time.RFC3339),
		"detail": map[string]any{
			"bucket": map[string]any{"name": "bucket"},
			"object": map[string]any{
				"key": key, "size": info.Size, "etag": strings.Trim(info.ETag, `"`), "version-id": info.Version,
				"sequencer": fmt.Sprintf("%016d", n),
			},
		},
	})
	return Drop{Event: event, Execution: fmt.Sprintf("event-%d", n), Key: key}, err
}

// Import drops a file and runs its import to the end.
func (s *Stage) Import(ctx context.Context, feed, name string, content []byte) (*importer.Import, asl.Execution, error) {
	d, err := s.Put(ctx, feed, name, content)
	if err != nil {
		return nil, asl.Execution{}, err
	}
	x, err := s.Runner.Run(ctx, d.Execution, d.Event)
	if err != nil {
		return nil, x, err
	}
	m, err := s.Of(ctx, d)
	return m, x, err
}

// Of is the import of a drop.
func (s *Stage) Of(ctx context.Context, d Drop) (*importer.Import, error) {
	id, err := s.ImportOf(ctx, Tenant, d.Key)
	if err != nil {
		return nil, err
	}
	return s.Show(ctx, Tenant, id)
}

// Read reads an object whole.
func (s *Stage) Read(ctx context.Context, key string) ([]byte, error) {
	body, _, err := s.Objects.Get(ctx, object.Ref{Key: key}, object.Range{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	return io.ReadAll(body)
}

// Deliver gives what is queued to the sender function, and returns the bodies of
// the messages that it asks for again; they are not put back.
func (s *Stage) Deliver(ctx context.Context) ([]string, error) {
	bodies := s.Queued.Take()
	var in events.SQSEvent
	for n, body := range bodies {
		in.Records = append(in.Records, events.SQSMessage{MessageId: strconv.Itoa(n), Body: body})
	}
	out, err := wiring.MessagesHandler(s.Importer)(ctx, in)
	if err != nil {
		return nil, err
	}
	var again []string
	for _, f := range out.BatchItemFailures {
		n, err := strconv.Atoi(f.ItemIdentifier)
		if err != nil {
			return nil, err
		}
		again = append(again, bodies[n])
	}
	return again, nil
}
