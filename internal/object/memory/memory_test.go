package memory_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/internal/object/objecttest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	objecttest.Run(t, 1<<16, func(*testing.T) object.Store { return memory.New() })
}

func TestHook(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	fault := memory.Fault{}
	s := memory.New(memory.WithHook(func(_ context.Context, c memory.Call) memory.Fault {
		if c.Key != "a" {
			t.Errorf("asked about %+v", c)
		}
		return fault
	}))
	put := func() error {
		_, err := s.Put(t.Context(), "a", strings.NewReader("x"), object.PutOptions{IfNoneMatch: true})
		return err
	}
	for _, c := range []struct {
		fault memory.Fault
		want  error
	}{
		{memory.Fault{Before: lost}, lost}, // nothing stored
		{memory.Fault{After: lost}, lost},  // stored
		{memory.Fault{}, object.ErrExists},
	} {
		fault = c.fault
		if err := put(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.fault, err, c.want)
		}
	}
	for _, fault = range []memory.Fault{{Before: lost}, {After: lost}} {
		if _, _, err := s.Get(t.Context(), object.Ref{Key: "a"}, object.Range{}); !errors.Is(err, lost) {
			t.Errorf("Get: %v", err)
		}
		if _, err := s.Head(t.Context(), object.Ref{Key: "a"}); !errors.Is(err, lost) {
			t.Errorf("Head: %v", err)
		}
		if _, _, err := s.List(t.Context(), "a", ""); !errors.Is(err, lost) {
			t.Errorf("List: %v", err)
		}
		if err := s.Delete(t.Context(), "a"); !errors.Is(err, lost) {
			t.Errorf("Delete: %v", err)
		}
	}
}
