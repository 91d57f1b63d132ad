package rehearsal_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store/memory"
)

// A call that is cut off between the decision and the waking can be made again.
func TestADecisionThatWasCutOffIsMadeAgain(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	s := stage(t, rehearsal.Options{Control: func(_ context.Context, c memory.Call) memory.Fault {
		if c.Op != nil && strings.HasPrefix(c.Op.Key.SK, "answer#") && cut.CompareAndSwap(true, false) {
			return memory.Fault{Before: &fault.Transient{}}
		}
		return memory.Fault{}
	}})
	d := announced(t, s, "contacts", "E-mail;Last name;Company\na@example.com;A;Nord\n", mapping.Options{Unmatched: mapping.Ask})
	m := waits(t, s, d, "AwaitDecision")
	cut.Store(true)
	if err := s.Decide(t.Context(), rehearsal.Tenant, m.ID, importer.CreateRecord, nil); err == nil {
		t.Fatal("the call was not cut off")
	}
	if err := s.Decide(t.Context(), rehearsal.Tenant, m.ID, importer.CreateRecord, nil); err != nil {
		t.Fatal(err)
	}
	m = ended(t, s, d)
	want(t, "rows", m.Rows, record.Counts{Read: 1, Created: 1})
}
