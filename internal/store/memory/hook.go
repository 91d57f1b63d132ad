package memory

import (
	"context"

	"github.com/dropload/dropload/internal/store"
)

// Call is what a Hook is asked about.
type Call struct {
	// Method is Get, Write, Transact or Query for a whole call, and Op for each
	// write of a Write.
	Method string
	Keys   []store.Key
	Op     *store.Op    // Op only
	Query  *store.Query // Query only
}

// Fault is what goes wrong; the zero Fault is nothing.
type Fault struct {
	// Before is returned and nothing is done: the request was lost.
	Before error
	// After is returned though the call was carried out: the reply was lost.
	After error
	// Repeat carries an Op out twice and gives the second answer: the client
	// lost the first reply and sent the request again.
	Repeat bool
}

// Hook decides what goes wrong with a call. It may block, panic and call the
// table; it runs outside the table's lock.
type Hook func(context.Context, Call) Fault

func (t *Table) ask(ctx context.Context, c Call) Fault {
	if t.hook == nil {
		return Fault{}
	}
	return t.hook(ctx, c)
}
