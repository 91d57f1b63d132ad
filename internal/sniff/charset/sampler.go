package charset

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Limits of what a Sampler keeps.
const (
	sampleHead  = 64 << 10
	sampleLines = 256 << 10
	sampleLine  = 4 << 10
)

// Sampler guesses the encoding of a whole text as it passes: what Detect cannot
// see when the first accent comes after the head. It counts all of UTF-8, right
// and wrong, and keeps the first lines beyond ASCII; its memory is bounded. The
// zero value is ready.
type Sampler struct {
	head  []byte
	lines []byte
	line  []byte // the current line, as far as it is kept
	high  bool   // it has a byte beyond ASCII
	size  int64
	// valid and invalid count UTF-8; carry is a character not yet whole.
	valid, invalid int
	carry          []byte
}

// Write takes the next part of the text. It never fails.
func (s *Sampler) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if room := sampleHead - len(s.head); room > 0 {
		s.head = append(s.head, p[:min(room, len(p))]...)
	}
	for rest := p; len(rest) > 0; {
		if len(s.line) == 0 && len(s.carry) == 0 {
			// Most lines are ASCII: go to the start of the first that is not.
			i := firstHigh(rest)
			start := bytes.LastIndexByte(rest[:i], '\n') + 1
			rest = rest[max(start, i-sampleLine/2):]
		}
		if len(rest) == 0 {
			break
		}
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		s.add(rest[:end])
		rest = rest[end:]
	}
	return len(p), nil
}

// add takes a line or a part of one.
func (s *Sampler) add(part []byte) {
	s.count(part)
	i := firstHigh(part)
	if !s.high && i < len(part) && len(s.line)+i > sampleLine/2 {
		// In a very long line what is kept moves on to where it is not ASCII.
		s.line = s.line[:0]
		part = part[max(0, i-sampleLine/2):]
	}
	s.high = s.high || i < len(part)
	if room := sampleLine - len(s.line); room > 0 {
		s.line = append(s.line, part[:min(room, len(part))]...)
	}
	if part[len(part)-1] != '\n' {
		return
	}
	if s.high && len(s.lines)+len(s.line) < sampleLines {
		s.lines = append(append(s.lines, s.line...), '\n')
	}
	s.line, s.high = s.line[:0], false
}

// count goes on counting UTF-8 where the last part ended.
func (s *Sampler) count(part []byte) {
	if len(s.carry) == 0 && firstHigh(part) == len(part) {
		return
	}
	all := part
	if len(s.carry) > 0 {
		all = append(s.carry, part...)
	}
	cut := 0
	for n := 1; n < utf8.UTFMax && n <= len(all); n++ {
		tail := all[len(all)-n:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				cut = n
			}
			break
		}
	}
	valid, invalid := countUTF8(all[:len(all)-cut], true)
	s.valid, s.invalid = s.valid+valid, s.invalid+invalid
	s.carry = append([]byte(nil), all[len(all)-cut:]...)
}

// Guess is the encoding of all that was written.
func (s *Sampler) Guess() Guess {
	complete := s.size == int64(len(s.head))
	if complete {
		return Detect(s.head, true)
	}
	if g, ok := detectBytes(s.head, false); ok {
		return g
	}
	if g, ok := guessUTF8(s.valid, s.invalid+len(s.carry)); ok {
		return g
	}
	return detectPlausible(append(bytes.Clone(s.lines), s.line...), false)
}

// firstHigh is the index of the first byte beyond ASCII, or len(b).
func firstHigh(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}
