package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
)

// quick is how long something may take before it is worth a bar.
const quick = 2 * time.Second

// bar tells a person on a terminal how far something is. It shows itself only
// once it has taken a while; on anything else than a terminal it says nothing.
type bar struct {
	make  func() *progressbar.ProgressBar // nil where nothing is shown
	shown *progressbar.ProgressBar
	begin time.Time
	done  int64
}

// newBar makes a bar over total steps, -1 where nobody knows how many.
func (s *session) newBar(w io.Writer, title string, total int64, options ...progressbar.Option) *bar {
	b := &bar{begin: time.Now()}
	if s.JSON || !isTerminal(w) {
		return b
	}
	options = append([]progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(title), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionSpinnerType(14),
		progressbar.OptionSetElapsedTime(true),
	}, options...)
	b.make = func() *progressbar.ProgressBar { return progressbar.NewOptions64(total, options...) }
	return b
}

// counter is a bar over nobody knows how many things.
func (s *session) counter(w io.Writer, title string) *bar {
	return s.newBar(w, title, -1, progressbar.OptionShowCount())
}

// bytes is a bar over a file.
func (s *session) bytes(w io.Writer, title string, size int64) *bar {
	return s.newBar(w, title, size, progressbar.OptionShowBytes(true))
}

func (b *bar) add(n int64) {
	b.done += n
	if b.make == nil || b.shown == nil && time.Since(b.begin) < quick {
		return
	}
	if b.shown == nil {
		b.shown = b.make()
		n = b.done
	}
	_ = b.shown.Add64(n) // a terminal that cannot be written to is no reason to stop
}

func (b *bar) end() {
	if b.shown != nil {
		_ = b.shown.Finish() // as above
	}
}

// reader passes on what it reads and shows how far it is.
func (b *bar) reader(r io.Reader) io.Reader { return &barReader{r, b} }

type barReader struct {
	r io.Reader
	b *bar
}

func (r *barReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.b.add(int64(n))
	return n, err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// table prints rows of cells in columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) table { return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// row adds a row; flush says what went wrong.
func (t table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = strings.ReplaceAll(fmt.Sprint(c), "\t", " ")
	}
	fmt.Fprintln(t.w, strings.Join(texts, "\t"))
}

func (t table) flush() error { return t.w.Flush() }
