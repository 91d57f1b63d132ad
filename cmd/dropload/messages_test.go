package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	notices "github.com/dropload/dropload/internal/notice/memory"
	"github.com/dropload/dropload/internal/rehearsal"
)

func TestMessagesAreListedAndSentAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	key, err := s.stage.Announce(ctx, rehearsal.Tenant, "members", "one", "m.csv",
		importer.Intent{Options: &mapping.Options{SendPointsMessage: true}})
	if err != nil {
		t.Fatal(err)
	}
	drop, err := s.stage.PutKey(ctx, key, []byte("phone;points;points_currency\n+37061234567;5;EUR\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.stage.Runner.Run(ctx, drop.Execution, drop.Event); err != nil {
		t.Fatal(err)
	}
	m, err := s.stage.Of(ctx, drop)
	if err != nil {
		t.Fatal(err)
	}
	s.stage.Sent.Fail(func(notices.Message) error { return errors.New("no answer") })
	if _, err := s.stage.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	s.stage.Sent.Fail(nil)
	s.stage.Now = func() time.Time { return time.Now().Add(time.Hour) }

	if out := s.must(0, "messages", m.ID).out; !strings.Contains(out, "unknown") || !strings.Contains(out, "+37061234567") {
		t.Errorf("the unknown one is not listed:\n%s", out)
	}
	s.must(statusUsage, "messages", m.ID, "+37061234567")
	s.must(1, "messages", m.ID, "+37061234599", "--again")
	var got messagesJSON
	if err := json.Unmarshal([]byte(s.must(0, "messages", m.ID, "+37061234567", "--again", "--json").out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Again == nil || *got.Again != 1 || got.Counts[importer.MessageQueued] != 1 {
		t.Errorf("%+v", got)
	}
	if _, err := s.stage.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(s.stage.Sent.Sent()); n != 1 {
		t.Errorf("%d sent", n)
	}
}
