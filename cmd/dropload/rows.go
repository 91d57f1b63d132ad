package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/open"
	"github.com/dropload/dropload/internal/sniff"
)

// newRows is `dropload rows`.
func newRows() *cobra.Command {
	var (
		raw        bool
		batch, dir string
		over       overrides
	)
	cmd := &cobra.Command{
		Use:   "rows FILE",
		Short: "Print the rows of a file's table as JSON, one array a line",
		Long: `Print the rows of a file's table as JSON, one array a line: first the header, if
there is one, then the data rows. With --raw every cell of every sheet is
printed, uninterpreted.`,
		Args: fileOrBatch(&batch),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := rowPrinter{raw: raw, over: over.of(cmd)}
			if batch == "" {
				return p.single(cmd.Context(), args[0], cmd.OutOrStdout())
			}
			if dir == "" {
				return errors.New("--batch needs --out DIR")
			}
			return eachLine(batch, func(n int, name string) error {
				return p.into(cmd.Context(), name, filepath.Join(dir, strconv.Itoa(n)+".jsonl"))
			})
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print every cell of every sheet, nothing interpreted")
	cmd.Flags().Bool("json", true, "print JSON (there is no other form)")
	cmd.Flags().StringVar(&batch, "batch", "", "read the files listed in this file, one path a line")
	cmd.Flags().StringVar(&dir, "out", "", "with --batch: write N.jsonl for line N into this folder")
	over.flags(cmd)
	return cmd
}

type rowPrinter struct {
	raw  bool
	over sniff.Override
}

// single prints one file; an error is an answer, too.
func (p rowPrinter) single(ctx context.Context, name string, w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	bad := p.print(ctx, name, out)
	if bad != nil {
		if err := encode(out, map[string]*errorObject{"error": errorOf(bad)}); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if bad != nil {
		return statusError(1)
	}
	return nil
}

// into writes the rows of a file to another, which holds the error alone if
// there is one.
func (p rowPrinter) into(ctx context.Context, name, target string) error {
	f, err := os.CreateTemp(filepath.Dir(target), ".rows-*")
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 64<<10)
	if bad := p.print(ctx, name, out); bad != nil {
		out.Reset(f)
		_, seekErr := f.Seek(0, io.SeekStart)
		err = errors.Join(seekErr, f.Truncate(0), encode(out, map[string]*errorObject{"error": errorOf(bad)}))
	}
	return errors.Join(err, out.Flush(), f.Close(), os.Rename(f.Name(), target))
}

func (p rowPrinter) print(ctx context.Context, name string, w io.Writer) error {
	f, err := openFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	found, err := sniff.Inspect(f, filepath.Base(name), p.over)
	switch {
	case isEmpty(err):
		return nil // it has no rows
	case err != nil:
		return err
	}
	l := found.Layout
	if p.over.Encoding == nil {
		if l, err = sniff.Confirm(ctx, f, l); err != nil {
			return err
		}
	}
	if p.raw {
		return printRaw(f, l, w)
	}
	return printTable(f, l, w)
}

// printTable prints header and data rows as text.
func printTable(src sheet.Source, l sheet.Layout, w io.Writer) error {
	r, err := open.Open(src, l)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if l.HeaderRows > 1 {
		if err := encode(w, l.Columns); err != nil {
			return err
		}
	}
	from := l.DataFrom()
	if l.HeaderRows == 1 {
		from--
	}
	held := make([][]string, 0, l.FooterRows+1)
	var line []byte
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Number < from {
			continue
		}
		// The last records are the footer: each is printed when enough have
		// followed.
		held = append(held, texts(row))
		if len(held) <= l.FooterRows {
			continue
		}
		if len(held[0]) > 0 {
			line = appendStrings(line[:0], held[0])
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		held = append(held[:0], held[1:]...)
	}
}

// appendStrings appends a JSON array of texts and a line feed. Files are large,
// and encoding/json takes ten times as long.
func appendStrings(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, s := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']', '\n')
}

// appendString appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		b = append(b, s[done:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, "\uFFFD"...)
		}
		i += n
		done = i
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

// texts are the row's cells as a person sees them; nothing for a blank row.
func texts(row *record.Row) []string {
	if row.IsBlank() {
		return nil
	}
	cells := make([]string, len(row.Cells))
	for i, c := range row.Cells {
		cells[i] = c.Text
	}
	return cells
}

// printRaw prints all cells of all sheets as they are stored.
func printRaw(src sheet.Source, l sheet.Layout, w io.Writer) error {
	if l.Format == sheet.CSV {
		r, err := open.Open(src, l)
		if err != nil {
			return err
		}
		return errors.Join(printCells(r, w, false), r.Close())
	}
	book, err := open.Workbook(src, l)
	if err != nil {
		return err
	}
	defer func() { _ = book.Close() }()
	for i, m := range book.Sheets() {
		if err := encode(w, map[string]any{"sheet": m.Name, "index": i}); err != nil {
			return err
		}
		r, err := book.Open(i)
		if err != nil {
			return err
		}
		if err := errors.Join(printCells(r, w, true), r.Close()); err != nil {
			return err
		}
	}
	return nil
}

// printCells prints each row from the first on. Of a workbook's rows the empty
// cells are null and the trailing ones, rows too, are left out.
func printCells(r sheet.Reader, w io.Writer, book bool) error {
	next := int64(1)
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		cells := row.Cells
		for book && len(cells) > 0 && cells[len(cells)-1].Kind == record.Empty {
			cells = cells[:len(cells)-1]
		}
		if book && len(cells) == 0 {
			continue
		}
		for ; next < row.Number; next++ {
			if _, err := io.WriteString(w, "[]\n"); err != nil {
				return err
			}
		}
		next++
		values := make([]any, len(cells))
		for i, c := range cells {
			values[i] = stored(c, book)
		}
		if err := encode(w, values); err != nil {
			return err
		}
	}
}

// stored is the cell's value as JSON has it.
func stored(c record.Cell, book bool) any {
	switch c.Kind {
	case record.Empty:
		if book {
			return nil
		}
		return ""
	case record.Number:
		return c.Number
	case record.Bool:
		return c.Number != 0
	case record.Date:
		return c.When().Format(time.DateOnly)
	case record.Time:
		return clock(c.When())
	case record.DateTime:
		return c.When().Format("2006-01-02T") + clock(c.When())
	}
	return c.Text
}

func clock(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.TimeOnly) + fmt.Sprintf(".%03d", t.Nanosecond()/1e6)
}
