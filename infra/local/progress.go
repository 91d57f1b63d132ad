package local

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// quick is how long a step may take before it is worth a word.
const quick = 2 * time.Second

// progress tells a person which step runs, for how long, and on what. On a
// terminal it keeps one line up to date; elsewhere it adds a line now and then.
type progress struct {
	w   io.Writer
	tty bool
}

func newProgress(w io.Writer) *progress {
	if w == nil {
		return &progress{w: io.Discard}
	}
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.tty = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step runs do, which may note what it is at.
func (p *progress) step(title string, do func(note func(string)) error) error {
	var (
		mu      sync.Mutex
		current string
	)
	note := func(s string) { mu.Lock(); current = s; mu.Unlock() }
	begin, done, shown := time.Now(), make(chan struct{}), make(chan struct{})
	every := 10 * time.Second
	if p.tty {
		every = 200 * time.Millisecond
	}
	go func() {
		defer close(shown)
		for wait := quick; ; wait = every {
			select {
			case <-done:
				return
			case <-time.After(wait):
			}
			mu.Lock()
			p.show(title, current, time.Since(begin))
			mu.Unlock()
		}
	}()
	err := do(note)
	close(done)
	<-shown
	if took := time.Since(begin); took >= quick {
		end := "done in"
		if err != nil {
			end = "failed after"
		}
		p.line(fmt.Sprintf("%s: %s %s", title, end, seconds(took)))
	}
	return err
}

// say tells something that is no step.
func (p *progress) say(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }

func (p *progress) show(title, note string, took time.Duration) {
	text := fmt.Sprintf("%s … %s", title, seconds(took))
	if note != "" {
		text += ", " + note
	}
	if !p.tty {
		p.line(text)
		return
	}
	if r := []rune(text); len(r) > 78 {
		text = string(r[:77]) + "…"
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", text)
}

func (p *progress) line(text string) {
	if p.tty {
		text = "\r\x1b[K" + text
	}
	fmt.Fprintln(p.w, text)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }
