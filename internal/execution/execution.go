// Package execution is the interface over what runs the state machines. Its
// implementations are execution/sfn (Step Functions) and the runner of
// statemachine/asl, which runs the same machines in one process.
package execution

import (
	"context"
	"errors"
)

// ErrGone says that nobody waits on the token any more: it was answered, its wait timed
// out, its execution ended, or it never was.
var ErrGone = errors.New("execution: nobody waits on this token")

// Executions start executions of one state machine and answer those that wait.
// All methods may be called at the same time.
type Executions interface {
	// Start starts an execution of that name with a JSON input. A name that was
	// started before is no error, whatever its input was and whether it has ended.
	Start(ctx context.Context, name string, input []byte) error
	// Succeed answers a wait with a JSON output. Returns ErrGone.
	//
	// Two answers to one token that come together may both be taken for the first:
	// who must know guards the answer himself.
	Succeed(ctx context.Context, token string, output []byte) error
	// Fail ends a wait with an error's name, which the machine may catch, and a
	// cause for people. Returns ErrGone.
	Fail(ctx context.Context, token, name, cause string) error
}
