// Package queue is the interface to a queue of small messages. A message may
// come out more than once and in any order; whoever takes it must bear that.
package queue

import "context"

// Queue takes messages.
type Queue interface {
	// Send puts bodies in, any number. After an error some may be in.
	Send(ctx context.Context, bodies []string) error
}
