package sniff

import (
	"context"
	"errors"
	"fmt"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/unwrap"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// Correct decides again on the encoding once every byte has been seen: Inspect
// sees only the start and the end, and a file that is plain ASCII there may hold
// letters of another encoding in between. It returns the layout to read by, and
// whether that is another one than before: then the text is to be cut again.
//
// A few broken bytes among many characters of valid UTF-8 do not change it.
func Correct(l sheet.Layout, t csv.Totals) (sheet.Layout, Finding, bool) {
	f := Finding{What: "encoding", Answer: l.Encoding, Confidence: 0.99, Why: "all of the file was read"}
	if l.Encoding != charset.UTF8 || t.Invalid == 0 {
		return l, f, false
	}
	const many = 5
	if t.Multibyte >= many*t.Invalid {
		f.Confidence = 0.9
		f.Why = fmt.Sprintf("%d bytes are no UTF-8, %d characters beyond ASCII are", t.Invalid, t.Multibyte)
		return l, f, false
	}
	g := charset.Detect(t.Sample, false)
	if g.Name == charset.UTF8 {
		g = charset.Guess{Name: "windows-1252", Confidence: 0.4, Why: "not UTF-8"}
	}
	l.Encoding = g.Name
	f.Answer, f.Confidence = g.Name, g.Confidence
	f.Why = fmt.Sprintf("from byte %d on it is no UTF-8; %s", t.InvalidAt, g.Why)
	return l, f, true
}

// Confirm reads all of a delimited text to find out whether it is what its
// layout says, and returns the layout to read it by.
func Confirm(ctx context.Context, src sheet.Source, l sheet.Layout) (sheet.Layout, error) {
	if l.Format != sheet.CSV || l.Encoding != charset.UTF8 {
		return l, nil
	}
	r, err := unwrap.Reader(src, l.Compression)
	if err != nil {
		return l, err
	}
	const one = 1 << 62 // a single part
	_, totals, err := csv.Cut(ctx, r, l, one, nil)
	if err := errors.Join(err, r.Close()); err != nil {
		return l, err
	}
	l, _, _ = Correct(l, totals)
	return l, nil
}
