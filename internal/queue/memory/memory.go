// Package memory is a queue.Queue in memory, for tests: what is in it stays
// until it is taken.
package memory

import (
	"context"
	"sync"

	"github.com/dropload/dropload/internal/queue"
)

// Queue is a queue.Queue in memory.
type Queue struct {
	mu     sync.Mutex
	bodies []string
}

var _ queue.Queue = (*Queue)(nil)

// Send implements queue.Queue.
func (q *Queue) Send(_ context.Context, bodies []string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bodies = append(q.bodies, bodies...)
	return nil
}

// Take empties the queue and returns what was in it.
func (q *Queue) Take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	bodies := q.bodies
	q.bodies = nil
	return bodies
}
