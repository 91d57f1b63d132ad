package rehearsal_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/notice"
	notices "github.com/dropload/dropload/internal/notice/memory"
	"github.com/dropload/dropload/internal/rehearsal"
)

const creditsFile = "phone;name;email;points;points_currency\n" +
	"+37061234567;Ona;ona@example.com;10.5;EUR\n" +
	"+37061234567;;;4.5;EUR\n" + // a second credit of the same member
	"+37061234568;Jonas;;7;\n" // no currency: nothing is credited

func deliver(t *testing.T, s *rehearsal.Stage) []string {
	t.Helper()
	again, err := s.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func messages(t *testing.T, s *rehearsal.Stage, id string) (map[importer.MessageState]int64, []importer.MessageLine) {
	t.Helper()
	var lines []importer.MessageLine
	counts, err := s.Messages(t.Context(), rehearsal.Tenant, id, func(l importer.MessageLine) error {
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts, lines
}

func TestACreditedMemberGetsOneMessage(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	d := announced(t, s, "members", creditsFile, mapping.Options{SendPointsMessage: true, Language: "de"})
	m := ended(t, s, d)
	want(t, "state", m.State, importer.Completed)
	bodies := s.Queued.Take()
	want(t, "queued", len(bodies), 1)
	if strings.Contains(bodies[0], "3706") {
		t.Errorf("the queue holds a telephone number: %s", bodies[0])
	}

	// The report is made again, and the queue gives its message out three times.
	event, err := json.Marshal(map[string]any{"event": json.RawMessage(d.Event), "state": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	var in importer.ReportInput
	if err := json.Unmarshal(event, &in); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Report(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Queued.Send(t.Context(), bodies); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "asked for again", len(deliver(t, s)), 0)
	want(t, "sent", s.Sent.Sent(), []notices.Message{{To: "+37061234567", Text: "Gutgeschrieben: 15 EUR. Neuer Stand: 15 EUR."}})
	counts, _ := messages(t, s, m.ID)
	want(t, "states", counts, map[importer.MessageState]int64{importer.MessageSent: 1})

	// What was sent is not sent again, even on a person's word.
	n, err := s.SendAgain(t.Context(), rehearsal.Tenant, m.ID, []string{"+37061234567"})
	want(t, "again", n, int64(0))
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, s)
	want(t, "sent", len(s.Sent.Sent()), 1)
}

// A report that was killed while it queued leaves a message that was stored and
// never came into the queue; made again, it queues it.
func TestAMessageIsNotLostBeforeTheQueue(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	q := &brokenQueue{Queue: s.Queue, failures: 1}
	s.Queue = q
	m := withOptions(t, s, "members", creditsFile, mapping.Options{SendPointsMessage: true})
	want(t, "state", m.State, importer.Completed)
	want(t, "failed once", q.failures, 0)
	deliver(t, s)
	want(t, "sent", len(s.Sent.Sent()), 1)
}

type brokenQueue struct {
	Queue interface {
		Send(context.Context, []string) error
	}
	failures int
}

func (q *brokenQueue) Send(ctx context.Context, bodies []string) error {
	if q.failures > 0 {
		q.failures--
		return &fault.Transient{Cause: errors.New("no connection")}
	}
	return q.Queue.Send(ctx, bodies)
}

func TestAnUnknownMessageWaitsForAPerson(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := withOptions(t, s, "members", creditsFile, mapping.Options{SendPointsMessage: true})
	s.Sent.Fail(func(notices.Message) error { return errors.New("no answer") })
	bodies := s.Queued.Take()
	for range 2 {
		if err := s.Queued.Send(t.Context(), bodies); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "asked for again", len(deliver(t, s)), 0)
	s.Sent.Fail(nil)
	if err := s.Queued.Send(t.Context(), bodies); err != nil {
		t.Fatal(err)
	}
	deliver(t, s)
	want(t, "sent by itself", len(s.Sent.Sent()), 0)

	// One that was marked just now may still be on its way.
	n, err := s.SendAgain(t.Context(), rehearsal.Tenant, m.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "on its way", n, int64(0))
	s.Now = func() time.Time { return time.Now().Add(time.Hour) }
	counts, lines := messages(t, s, m.ID)
	want(t, "states", counts, map[importer.MessageState]int64{importer.MessageUnknown: 1})
	want(t, "listed", lines, []importer.MessageLine{{Key: "+37061234567", State: importer.MessageUnknown}})
	if n, err = s.SendAgain(t.Context(), rehearsal.Tenant, m.ID, nil); err != nil {
		t.Fatal(err)
	}
	want(t, "queued on a word", n, int64(1))
	deliver(t, s)
	want(t, "sent", s.Sent.Sent(), []notices.Message{{To: "+37061234567", Text: "Points credited: 15 EUR. New balance: 15 EUR."}})
}

func TestARefusedMessageIsCertain(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := withOptions(t, s, "members", creditsFile, mapping.Options{SendPointsMessage: true})
	s.Sent.Fail(func(notices.Message) error { return &notice.Refused{Code: "Throttled", Later: true} })
	again := deliver(t, s)
	want(t, "comes again", len(again), 1)
	s.Sent.Fail(func(notices.Message) error { return &notice.Refused{Code: "OptedOut"} })
	if err := s.Queued.Send(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	want(t, "comes again", len(deliver(t, s)), 0)
	_, lines := messages(t, s, m.ID)
	want(t, "listed", lines, []importer.MessageLine{{Key: "+37061234567", State: importer.MessageFailed, Code: "OptedOut"}})
}

func TestMessagesByMailWhereThereIsAnAddress(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	if err := s.SetPointsMessage(t.Context(), rehearsal.Tenant, importer.ByMail, "club@example.com"); err != nil {
		t.Fatal(err)
	}
	withOptions(t, s, "members", creditsFile+"+37061234569;Rasa;;1;EUR\n", mapping.Options{SendPointsMessage: true})
	deliver(t, s)
	got := map[string]notices.Message{}
	for _, m := range s.Sent.Sent() {
		got[m.To] = m
	}
	want(t, "sent", got, map[string]notices.Message{
		"ona@example.com": {From: "club@example.com", To: "ona@example.com", Subject: "Your points", Text: "Points credited: 15 EUR. New balance: 15 EUR."},
		"+37061234569":    {To: "+37061234569", Text: "Points credited: 1 EUR. New balance: 1 EUR."},
	})
}

func TestNoMessageUnlessAskedFor(t *testing.T) {
	t.Parallel()
	s := stage(t, rehearsal.Options{})
	m := withOptions(t, s, "members", creditsFile, mapping.Options{})
	want(t, "credits", m.Credits, int64(2))
	want(t, "queued", len(s.Queued.Take()), 0)
	counts, _ := messages(t, s, m.ID)
	want(t, "states", counts, map[importer.MessageState]int64{})
}
