// Package fault holds the named errors that the state machines may catch.
//
// AWS Lambda names a Go error by its outermost type and never unwraps it, so a
// handler returns the bare type: *fault.BadFile arrives in the state machine as
// "BadFile". Use Bare at the edge. A fault's message is for people and carries
// no cell of a file; the cause is for the log.
package fault

import (
	"errors"
	"fmt"
)

// BadFile says that the file cannot be imported as it is, however often it is
// tried: it is not a sheet, it is cut off, it is encrypted.
type BadFile struct {
	Code    string // stable, such as "encrypted"; listed in docs/problems.md
	Message string // what, where and how to fix it
	Cause   error  // for the log
}

func (e *BadFile) Error() string { return e.Code + ": " + e.Message }
func (e *BadFile) Unwrap() error { return e.Cause }

// Refused says that the import cannot go on as it was asked for: an unknown
// feed, a mapping that does not fit, a decision that is missing.
type Refused struct {
	Code    string
	Message string
	Cause   error
}

func (e *Refused) Error() string { return e.Code + ": " + e.Message }
func (e *Refused) Unwrap() error { return e.Cause }

// Cancelled says that a person cancelled the import.
type Cancelled struct{}

func (e *Cancelled) Error() string { return "cancelled: the import was cancelled" }

// Transient says that the same call may go through when tried again.
type Transient struct{ Cause error }

func (e *Transient) Error() string { return fmt.Sprintf("transient: %v", e.Cause) }
func (e *Transient) Unwrap() error { return e.Cause }

// Broken says that something stored is not as an earlier step left it: a
// result is missing, counts do not add up. Trying again does not help.
type Broken struct{ Message string }

func (e *Broken) Error() string { return "broken: " + e.Message }

// Bare returns the fault inside err without what wraps it, or err itself where
// there is none.
func Bare(err error) error {
	var (
		badFile   *BadFile
		refused   *Refused
		cancelled *Cancelled
		transient *Transient
		broken    *Broken
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &badFile):
		return badFile
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &cancelled):
		return cancelled
	case errors.As(err, &broken):
		return broken
	case errors.As(err, &transient):
		return transient
	}
	return err
}

// Names are the names of all faults as a state machine sees them.
func Names() []string {
	return []string{"BadFile", "Refused", "Cancelled", "Transient", "Broken"}
}
