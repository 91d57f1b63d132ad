// Package notice is the interface to what carries a message to a person, and
// the words of such messages.
//
// Neither service behind it takes a token that makes a repeat harmless, so an
// error tells which it is: ErrRefused says that the message was certainly not
// taken; after any other it may have been. The package refuses to repeat.
package notice

import (
	"context"
	"errors"
)

// Sender sends messages to people. Each method returns a *Refused where the
// message was certainly not taken; after any other error it may have been.
// Errors hold neither the address nor the text.
type Sender interface {
	// Text sends a text message to a number in E.164.
	Text(ctx context.Context, phone, text string) error
	// Mail sends an e-mail in plain text.
	Mail(ctx context.Context, from, to, subject, text string) error
}

// ErrRefused is what every *Refused is.
var ErrRefused = errors.New("notice: refused")

// Refused says that a message was certainly not taken.
type Refused struct {
	Code string // the service's
	// Later tells that the same message may be taken later.
	Later bool
}

func (e *Refused) Error() string { return "notice: refused: " + e.Code }

// Is makes every *Refused an ErrRefused.
func (e *Refused) Is(target error) bool { return target == ErrRefused }
