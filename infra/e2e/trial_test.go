//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/infra/e2e"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/wiring"
)

// patience is how long any one thing may take, with other tests beside it.
const patience = 2 * time.Minute

// trial is a tenant with its default feeds on the deployed stack.
type trial struct {
	*e2e.Stack
	use *importer.Importer
}

func begin(t *testing.T) *trial {
	t.Helper()
	s := e2e.Open(t)
	i, err := wiring.Importer(s.Clients, wiring.Stack{
		Bucket: s.Bucket, Records: s.RecordsTable, Control: s.ControlTable, StateMachine: s.StateMachine,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.CreateTenant(t.Context(), importer.Tenant{ID: s.Tenant}); err != nil {
		t.Fatal(err)
	}
	return &trial{s, i}
}

// dropWith drops a file with options of its own.
func (s *trial) dropWith(t *testing.T, feed, name string, content []byte, o mapping.Options) string {
	t.Helper()
	key, err := s.use.Announce(t.Context(), s.Tenant, feed, "1", name, importer.Intent{Options: &o})
	if err != nil {
		t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(key, importer.InboxPrefix(s.Tenant, feed))
	if !ok {
		t.Fatalf("the key %s is not the feed's", key)
	}
	return s.Drop(t, feed, rest, content)
}

// show is the import of a key; nil where none has begun.
func (s *trial) show(ctx context.Context, key string) (*importer.Import, error) {
	id, err := s.use.ImportOf(ctx, s.Tenant, key)
	if err != nil || id == "" {
		return nil, err
	}
	m, err := s.use.Show(ctx, s.Tenant, id)
	if errors.Is(err, importer.ErrNoImport) {
		return nil, nil
	}
	return m, err
}

// in awaits the import of a key in one of these states. One that ends in
// another fails the test.
func (s *trial) in(t *testing.T, key string, states ...importer.State) *importer.Import {
	t.Helper()
	return e2e.Await(t, patience, fmt.Sprintf("%s to be %v", key, states), func(ctx context.Context) (*importer.Import, bool, error) {
		m, err := s.show(ctx, key)
		switch {
		case err != nil || m == nil:
			return nil, false, err
		case slices.Contains(states, m.State):
			return m, true, nil
		case m.State.Final():
			return nil, false, fmt.Errorf("it is %s, error %+v", m.State, m.Trouble)
		}
		return nil, false, nil
	})
}

// ended awaits the end of the import of a key and of its execution, and checks
// what holds of every import that has ended.
func (s *trial) ended(t *testing.T, key string) *importer.Import {
	t.Helper()
	m := s.in(t, key, importer.Completed, importer.CompletedWithRejects, importer.Failed, importer.CancelledState)
	status := s.ExecutionEnded(t, m.Execution, patience)
	t.Logf("%s is %s in %s: %+v %v", m.File.Name, m.State, m.Finished.Sub(m.Received).Round(time.Millisecond), m.Rows, m.Codes)
	if m.Trouble != nil {
		t.Logf("error %+v", *m.Trouble)
	}
	if want := map[bool]types.ExecutionStatus{false: types.ExecutionStatusSucceeded, true: types.ExecutionStatusFailed}[m.State == importer.Failed]; status != want {
		t.Errorf("the execution is %s, want %s", status, want)
	}
	s.checkEnd(t, m)
	return m
}

// checkEnd checks that the outcomes add up, in the import and in the summary
// that lies beside the report.
func (s *trial) checkEnd(t *testing.T, m *importer.Import) {
	t.Helper()
	if !m.Rows.AddUp() {
		t.Errorf("the outcomes do not add up: %+v", m.Rows)
	}
	var summary report.Summary
	if err := json.Unmarshal(s.read(t, m.Reports.Summary), &summary); err != nil {
		t.Fatal(err)
	}
	if err := summary.Check(); err != nil {
		t.Error(err)
	}
	want(t, "rows of the summary", summary.Rows, m.Rows)
}

// imported drops a file and awaits the end of its import.
func (s *trial) imported(t *testing.T, feed, name string, content []byte) *importer.Import {
	t.Helper()
	return s.ended(t, s.Drop(t, feed, name, content))
}

// read reads an object whole.
func (s *trial) read(t *testing.T, key string) []byte {
	t.Helper()
	body, _, err := s.Objects.Get(t.Context(), object.Ref{Key: key}, object.Range{})
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return b
}

// list lists the stored records of an entity, the fields of each with a blank
// between, sorted.
func (s *trial) list(t *testing.T, entity string, fields ...string) []string {
	t.Helper()
	var out []string
	err := s.use.EachRecord(t.Context(), s.Tenant, entity, func(r importer.Record) error {
		var line []string
		for _, f := range fields {
			v := r.Fields[f]
			line = append(line, v.Text+strings.Join(v.List, "|"))
		}
		out = append(out, strings.Join(line, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// firstStored awaits the first stored record of an entity.
func (s *trial) firstStored(t *testing.T, entity string) {
	t.Helper()
	errFound := errors.New("found")
	e2e.Await(t, patience, "the first record", func(ctx context.Context) (struct{}, bool, error) {
		err := s.use.EachRecord(ctx, s.Tenant, entity, func(importer.Record) error { return errFound })
		if errors.Is(err, errFound) {
			return struct{}{}, true, nil
		}
		return struct{}{}, false, err
	})
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func counts(read, created, updated, unchanged, rejected, ignored int64) record.Counts {
	return record.Counts{Read: read, Created: created, Updated: updated, Unchanged: unchanged, Rejected: rejected, Ignored: ignored}
}

// failedWith checks the state and the error's code of a failed import.
func failedWith(t *testing.T, m *importer.Import, code string) {
	t.Helper()
	want(t, "state", m.State, importer.Failed)
	want(t, "nothing written", m.NothingWritten, true)
	if m.Trouble == nil || m.Trouble.Code != code {
		t.Errorf("the error is %+v, want %s", m.Trouble, code)
	}
}
