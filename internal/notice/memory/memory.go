// Package memory is a notice.Sender that keeps what it is given, for tests. A
// fault may be set for the messages that follow.
package memory

import (
	"context"
	"sync"

	"github.com/dropload/dropload/internal/notice"
)

// Message is a message that was taken.
type Message struct {
	From, To, Subject, Text string // From and Subject are "" in a text message
}

// Sender is a notice.Sender in memory. The zero value takes everything.
type Sender struct {
	mu    sync.Mutex
	sent  []Message
	fault func(Message) error
}

var _ notice.Sender = (*Sender)(nil)

// Fail makes f judge the messages that follow; one that it gives an error for
// is not taken. Nil takes all again.
func (s *Sender) Fail(f func(Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Sent are the messages taken, in their order.
func (s *Sender) Sent() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.sent...)
}

// Text implements notice.Sender.
func (s *Sender) Text(_ context.Context, phone, text string) error {
	return s.take(Message{To: phone, Text: text})
}

// Mail implements notice.Sender.
func (s *Sender) Mail(_ context.Context, from, to, subject, text string) error {
	return s.take(Message{From: from, To: to, Subject: subject, Text: text})
}

func (s *Sender) take(m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		if err := s.fault(m); err != nil {
			return err
		}
	}
	s.sent = append(s.sent, m)
	return nil
}
