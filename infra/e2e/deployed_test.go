//go:build e2e

package e2e_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/dropload/dropload/infra/e2e"
)

// TestCoreUploadStartsTheMachine shows that bucket, rule, machine and first
// function hang together, whatever becomes of the file: its tenant is unknown.
func TestCoreUploadStartsTheMachine(t *testing.T) {
	t.Parallel()
	s := e2e.Open(t)
	key := s.Drop(t, "contacts", "any.csv", []byte("first name\nAda\n"))
	execution, _ := s.ExecutionOf(t, key, 30*time.Second)
	e2e.Await(t, 30*time.Second, "the first state", func(context.Context) (struct{}, bool, error) {
		return struct{}{}, slices.Contains(s.History(t, execution), "Inspect"), nil
	})
}
