package memory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/internal/store/storetest"
)

func TestTable(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Table {
		return memory.New(memory.WithIndex(storetest.Index, "ref", "sk"))
	})
}

func TestHook(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	var fault memory.Fault
	var methods []string
	table := memory.New(memory.WithHook(func(_ context.Context, c memory.Call) memory.Fault {
		methods = append(methods, c.Method)
		if c.Method == "Write" {
			return memory.Fault{}
		}
		return fault
	}))
	insert := []store.Op{{Kind: store.Insert, Key: store.Key{PK: "p", SK: "s"}}}
	for _, c := range []struct {
		name   string
		fault  memory.Fault
		want   error
		stored int
	}{
		{"the request is lost", memory.Fault{Before: lost}, lost, 0},
		{"the reply is lost", memory.Fault{After: lost}, lost, 1},
		{"nothing", memory.Fault{}, store.ErrExists, 1},
	} {
		fault = c.fault
		got, err := table.Write(t.Context(), insert)
		if err != nil || !errors.Is(got[0].Err, c.want) || table.Len() != c.stored {
			t.Errorf("%s: %v, %v, %d stored", c.name, got, err, table.Len())
		}
	}
	fault = memory.Fault{Repeat: true}
	insert[0].Key.SK = "sent twice"
	if got, err := table.Write(t.Context(), insert); err != nil || !errors.Is(got[0].Err, store.ErrExists) || table.Len() != 2 {
		t.Errorf("sent twice: %v, %v", got, err)
	}
	want := []string{"Write", "Op", "Write", "Op", "Write", "Op", "Write", "Op"}
	if diff := cmp.Diff(want, methods); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	fault = memory.Fault{Before: lost}
	if _, err := table.Get(t.Context(), nil); !errors.Is(err, lost) {
		t.Errorf("Get: %v", err)
	}
	if err := table.Transact(t.Context(), nil); !errors.Is(err, lost) {
		t.Errorf("Transact: %v", err)
	}
	if _, err := table.Query(t.Context(), store.Query{PK: "p"}); !errors.Is(err, lost) {
		t.Errorf("Query: %v", err)
	}
}

func TestIndexTakesTextOnly(t *testing.T) {
	t.Parallel()
	table := memory.New(memory.WithIndex("by_ref", "ref", "sk"))
	for _, v := range []any{"", store.Number("1"), true} {
		got, err := table.Write(t.Context(), []store.Op{{Kind: store.Insert, Key: store.Key{PK: "p", SK: "s"}, Set: map[string]any{"ref": v}}})
		if err != nil || got[0].Err == nil || table.Len() != 0 {
			t.Errorf("%#v: %v, %v", v, got, err)
		}
	}
}
