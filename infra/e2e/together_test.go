//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dropload/dropload/infra/e2e"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
)

func oneEventThreeTimes(t *testing.T, s *trial) {
	key := s.Drop(t, "contacts", "people.csv", text(t, ',', people()))
	m := e2e.Await(t, patience, "the import", func(ctx context.Context) (*importer.Import, bool, error) {
		m, err := s.show(ctx, key)
		return m, m != nil, err
	})
	event := *s.Execution(t, m.Execution).Input
	again := []string{s.StartExecution(t, event), s.StartExecution(t, event)}
	m = s.ended(t, key)
	again = append(again, s.StartExecution(t, event))
	for _, name := range again {
		want(t, "end of one started again", string(s.ExecutionEnded(t, name, patience)), "SUCCEEDED")
		want(t, "states of one started again", s.History(t, name), []string{"Inspect", "Inspected", "Known"})
	}
	all, _, err := s.use.Imports(t.Context(), s.Tenant, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "imports", len(all), 1)
	want(t, "rows", m.Rows, counts(3, 3, 0, 0, 0, 0))
	want(t, "records", s.people(t), peopleStored())
}

// crowd is a sheet of n contacts, all with the same value in a further column.
func crowd(n int, column, value string) [][]string {
	rows := [][]string{{"Code", "First name", "Phone", column}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("P-%05d", i), "Ada", "+49 30 5550101", value})
	}
	return rows
}

// crowdStored are the codes of a crowd with what is behind them.
func crowdStored(n int, rest string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("P-%05d %s", i, rest))
	}
	return out
}

func twoFilesOfOneFeed(t *testing.T, s *trial) {
	const n, few = 4000, 200 // so many that the first is at work when the second comes
	first := s.Drop(t, "contacts", "first.csv", text(t, ',', crowd(n, "Last name", "One")))
	one := e2e.Await(t, patience, "the first import", func(ctx context.Context) (*importer.Import, bool, error) {
		m, err := s.show(ctx, first)
		return m, m != nil, err
	})
	// Events tell the time of an arrival in seconds.
	e2e.Await(t, patience, "the next second", func(context.Context) (struct{}, bool, error) {
		return struct{}{}, time.Now().Truncate(time.Second).After(one.Received), nil
	})
	second := s.Drop(t, "contacts", "second.csv", text(t, ',', crowd(few, "Last name", "Two")))
	two := s.ended(t, second)
	one = s.ended(t, first)
	if !two.Received.Before(one.Finished) {
		t.Errorf("they were not there at once: the second came at %s, the first ended at %s", two.Received, one.Finished)
	}
	if one.Arrived >= two.Arrived {
		t.Errorf("the first arrived %s, the second %s", one.Arrived, two.Arrived)
	}
	want(t, "rows of the first", one.Rows, counts(n, n, 0, 0, 0, 0))
	want(t, "rows of the second", two.Rows, counts(few, 0, few, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "code", "last_name"), append(crowdStored(few, "Two"), crowdStored(n, "One")[few:]...))
}

func replaced(t *testing.T, s *trial) {
	const n = 500
	key := s.Drop(t, "contacts", "people.csv", text(t, ',', crowd(n, "Last name", "One")))
	one := s.in(t, key, importer.Preparing, importer.Planning, importer.Applying, importer.Completed)
	s.Drop(t, "contacts", "people.csv", text(t, ',', crowd(n+1, "Last name", "Two")))
	e2e.Await(t, patience, "the second import", func(ctx context.Context) (struct{}, bool, error) {
		m, err := s.show(ctx, key)
		return struct{}{}, err == nil && m.ID != one.ID, err
	})
	two := s.ended(t, key)
	want(t, "rows of the second", two.Rows, counts(n+1, 1, n, 0, 0, 0))
	one, err := s.use.Show(t.Context(), s.Tenant, one.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.checkEnd(t, one)
	want(t, "rows of the first", one.Rows, counts(n, n, 0, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "code", "last_name"), crowdStored(n+1, "Two"))
}

func twoFeedsOfOneEntity(t *testing.T, s *trial) {
	const n = 1000
	feeds, err := s.use.Feeds(t.Context(), s.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	other := feeds[slices.IndexFunc(feeds, func(f importer.Feed) bool { return f.Name == "contacts" })]
	other.Name = "fair"
	if err := s.use.PutFeed(t.Context(), s.Tenant, other); err != nil {
		t.Fatal(err)
	}
	// Both are planned on the same empty table, then started at once.
	keys := []string{
		s.dropWith(t, "contacts", "a.csv", text(t, ',', crowd(n, "Job title", "Buyer")), mapping.Options{Start: mapping.OnMyWord}),
		s.dropWith(t, "fair", "b.csv", text(t, ',', crowd(n, "Notes", "Met at the fair")), mapping.Options{Start: mapping.OnMyWord}),
	}
	ids := make([]string, len(keys))
	for k, key := range keys {
		m := s.in(t, key, importer.Ready)
		want(t, "plan", m.Plan, counts(n, n, 0, 0, 0, 0))
		ids[k] = m.ID
	}
	var started sync.WaitGroup
	for _, id := range ids {
		started.Go(func() {
			if err := s.use.Start(t.Context(), s.Tenant, id); err != nil {
				t.Error(err)
			}
		})
	}
	started.Wait()
	sum := s.ended(t, keys[0]).Rows
	sum.Plus(s.ended(t, keys[1]).Rows)
	want(t, "rows of both", sum, counts(2*n, n, n, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "code", "job_title", "notes"), crowdStored(n, "Buyer Met at the fair"))
}

func cancelledApplying(t *testing.T, s *trial) {
	const n = 10000
	key := s.Drop(t, "contacts", "people.csv", text(t, ',', crowd(n, "Last name", "One")))
	m := s.in(t, key, importer.Applying)
	s.firstStored(t, "contacts")
	if err := s.use.Cancel(t.Context(), s.Tenant, m.ID); err != nil {
		t.Fatal(err)
	}
	m = s.ended(t, key)
	want(t, "state", m.State, importer.CancelledState)
	want(t, "nothing written", m.NothingWritten, false)
	stored := int64(len(s.list(t, "contacts", "code")))
	if stored == 0 || stored == n {
		t.Errorf("%d of %d are stored: it was not cancelled while it applied", stored, n)
	}
	want(t, "rows", m.Rows, counts(n, stored, 0, 0, n-stored, 0))

	// What was not applied is in the report, and imports when it is dropped back.
	m = s.imported(t, "contacts", "people.rejected.csv", s.read(t, m.Reports.Failures))
	want(t, "rows of the rest", m.Rows, counts(n-stored, n-stored, 0, 0, 0, 0))
	want(t, "records", s.list(t, "contacts", "code", "last_name"), crowdStored(n, "One"))
}
