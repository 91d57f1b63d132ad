package importer

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/problem"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/shuffle"
)

// problemRows are the rows to report, gathered in no order and read back in the
// order of the file. They lie in one temporary file for each part, so that no
// more than one part's are in memory at a time.
type problemRows struct {
	parts []sheet.Part
	files []*os.File
	bufs  []*bufio.Writer
}

func (i *Importer) newProblemRows(ctx context.Context, m *Import) (*problemRows, error) {
	r := &problemRows{}
	if m.Input.Manifest == "" {
		return r, nil
	}
	var items []PrepareItem
	if err := i.getJSON(ctx, m.Input.Manifest, &items); err != nil {
		return nil, err
	}
	for _, it := range items {
		r.parts = append(r.parts, it.Part)
	}
	r.files = make([]*os.File, len(r.parts))
	r.bufs = make([]*bufio.Writer, len(r.parts))
	return r, nil
}

func (r *problemRows) close() {
	for _, f := range r.files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// partOf is the part that holds a row.
func (r *problemRows) partOf(number int64) int {
	at, _ := slices.BinarySearchFunc(r.parts, number+1, func(p sheet.Part, n int64) int { return cmp.Compare(p.FirstRow, n) })
	return max(0, at-1)
}

func (r *problemRows) add(l shuffle.Left) error {
	part := r.partOf(l.Number)
	if r.files[part] == nil {
		f, err := os.CreateTemp("", "dropload-rows-")
		if err != nil {
			return fmt.Errorf("importer: %w", err)
		}
		// The file lives as long as it is open, and no longer.
		if err := os.Remove(f.Name()); err != nil {
			_ = f.Close()
			return fmt.Errorf("importer: %w", err)
		}
		r.files[part], r.bufs[part] = f, bufio.NewWriter(f)
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("importer: %w", err)
	}
	_, err = r.bufs[part].Write(append(b, '\n'))
	if err != nil {
		return fmt.Errorf("importer: %w", err)
	}
	return nil
}

// of are the rows of a part in the order of the file.
func (r *problemRows) of(part int) ([]shuffle.Left, error) {
	f := r.files[part]
	if f == nil {
		return nil, nil
	}
	if err := r.bufs[part].Flush(); err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	var rows []shuffle.Left
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var l shuffle.Left
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("importer: %w", err)
		}
		rows = append(rows, l)
	}
	slices.SortFunc(rows, func(a, b shuffle.Left) int { return cmp.Compare(a.Number, b.Number) })
	return rows, nil
}

// writeReports writes the failure report and the file of ignored rows, each
// only where it has rows.
func (i *Importer) writeReports(ctx context.Context, m *Import, e *ending, rows *problemRows) error {
	err := i.writeFiles(ctx, m, e, rows, false)
	if errors.Is(err, report.ErrEncoding) {
		// A person's edit has a character that the upload's encoding lacks.
		err = i.writeFiles(ctx, m, e, rows, true)
	}
	return err
}

func (i *Importer) writeFiles(ctx context.Context, m *Import, e *ending, rows *problemRows, unicode bool) (err error) {
	header, err := i.header(ctx, m)
	if err != nil {
		return err
	}
	bom, err := i.hasBOM(ctx, m)
	if err != nil {
		return err
	}
	e.files, e.reports = nil, Reports{}
	layout := m.Input.Layout
	layout.Encoding, layout.Compression = m.Layout.Encoding, nil
	open := func(kind report.Kind) (*reportFile, error) {
		name, contentType := report.Name(kind, m.File.Name, &m.Layout)
		f := &reportFile{File: report.File{Name: name, Key: m.job().report(name), ContentType: contentType}}
		f.Kind = report.RejectedFile
		if kind == report.Ignored {
			f.Kind = report.IgnoredFile
		}
		err := f.open(ctx, i.Objects, layout, report.Options{
			Kind: kind, Language: m.Options.Language, Header: header, Width: e.rec.Width, BOM: bom, Unicode: unicode,
			Text: func(p record.Problem) string {
				what, fix := problem.Text(m.Options.Language, p)
				return strings.TrimSpace(what + " " + fix)
			},
		})
		return f, err
	}
	w := &reportWriter{open: open}
	defer func() { err = errors.Join(err, w.close(err)) }()
	if err := i.eachProblemRow(ctx, m, rows, w.row); err != nil {
		return err
	}
	if err := w.close(nil); err != nil {
		return err
	}
	for kind, f := range w.files {
		if f == nil {
			continue
		}
		e.files = append(e.files, f.File)
		if report.Kind(kind) == report.Failures {
			e.reports.Failures = f.Key
		} else {
			e.reports.Ignored = f.Key
		}
	}
	return nil
}

// eachProblemRow reads the source once more and calls f with each row to
// report, as it was read, and what is said of it.
func (i *Importer) eachProblemRow(ctx context.Context, m *Import, rows *problemRows, f func(*record.Row, shuffle.Left) error) error {
	var overlay Overlay
	if m.Overlay != "" {
		if err := i.getJSON(ctx, m.Overlay, &overlay); err != nil {
			return err
		}
	}
	def, _ := i.Catalog.Entity(m.Entity)
	columns := columnsOf(def, m)
	for n, part := range rows.parts {
		left, err := rows.of(n)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			continue
		}
		reader, err := i.reader(ctx, &m.Input, part)
		if err != nil {
			return err
		}
		for len(left) > 0 && err == nil {
			var row *record.Row
			if row, err = reader.Next(); err != nil || row.Number < left[0].Number {
				continue
			}
			overlay.apply(row)
			for k := range left[0].Problems {
				p := &left[0].Problems[k]
				if c, ok := columns[p.Field]; ok && p.Column < 0 {
					p.Column = c
				}
			}
			err = f(row, left[0])
			left = left[1:]
		}
		_ = reader.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// header are the header rows of the file as they were read.
func (i *Importer) header(ctx context.Context, m *Import) ([][]record.Cell, error) {
	l := m.Input.Layout
	if l.HeaderRows == 0 || m.Input.Parts == 0 {
		return nil, nil
	}
	var items []PrepareItem
	if err := i.getJSON(ctx, m.Input.Manifest, &items); err != nil {
		return nil, err
	}
	reader, err := i.reader(ctx, &m.Input, items[0].Part)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	var header [][]record.Cell
	for len(header) < l.HeaderRows {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row.Number <= int64(l.Preamble) {
			continue
		}
		cells := slices.Clone(row.Cells)
		for n := range cells {
			cells[n].Text = strings.Clone(cells[n].Text)
		}
		header = append(header, cells)
	}
	return header, nil
}

// hasBOM tells whether the upload began with a byte order mark.
func (i *Importer) hasBOM(ctx context.Context, m *Import) (bool, error) {
	if m.Layout.Format != sheet.CSV || len(m.Layout.Compression) > 0 || m.File.Size < 2 {
		return false, nil
	}
	body, _, err := i.Objects.Get(ctx, m.ref(), object.Range{Length: min(4, m.File.Size)})
	if err != nil {
		return false, fileError(err)
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	if err != nil {
		return false, fmt.Errorf("importer: reading the file: %w", err)
	}
	s := string(b)
	return strings.HasPrefix(s, "\xef\xbb\xbf") || strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff"), nil
}

// reportFile is a report on its way into the bucket.
type reportFile struct {
	report.File
	w      report.Writer
	pipe   *io.PipeWriter
	stored chan error
}

func (f *reportFile) open(ctx context.Context, objects object.Store, l sheet.Layout, o report.Options) error {
	r, w := io.Pipe()
	f.pipe, f.stored = w, make(chan error, 1)
	go func() {
		_, err := objects.Put(ctx, f.Key, r, object.PutOptions{ContentType: f.ContentType, Filename: f.Name})
		_ = r.CloseWithError(err)
		f.stored <- err
	}()
	var err error
	if f.w, err = report.New(w, l, o); err != nil {
		_ = w.CloseWithError(err)
		return errors.Join(err, <-f.stored)
	}
	return nil
}

// reportWriter writes each row into the report of its outcome, which begins
// with its first row.
type reportWriter struct {
	open   func(report.Kind) (*reportFile, error)
	files  [2]*reportFile
	closed bool
}

func (w *reportWriter) row(row *record.Row, l shuffle.Left) error {
	kind := report.Failures
	if l.Outcome == record.Ignored {
		kind = report.Ignored
	}
	if w.files[kind] == nil {
		f, err := w.open(kind)
		if err != nil {
			return err
		}
		w.files[kind] = f
	}
	w.files[kind].Rows++
	return w.files[kind].w.Row(row, l.Problems)
}

// close ends the reports; with an error nothing of them is stored.
func (w *reportWriter) close(cause error) error {
	if w.closed {
		return nil
	}
	w.closed = true
	var errs []error
	for _, f := range w.files {
		if f == nil {
			continue
		}
		err := cause
		if err == nil {
			err = f.w.Close()
		}
		_ = f.pipe.CloseWithError(err)
		stored := <-f.stored
		if cause == nil {
			errs = append(errs, err, stored)
		}
	}
	return errors.Join(errs...)
}

// summary is the object beside the reports.
func (i *Importer) summary(m *Import, e *ending) (*report.Summary, error) {
	options, err := json.Marshal(m.Options)
	if err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	s := &report.Summary{
		Import: m.ID, Tenant: m.Tenant, Feed: m.Feed, File: m.File.Name, Bytes: m.File.Size, Entity: m.Entity,
		Template: report.Template{ID: m.Template.ID, Name: m.Template.Name, Version: m.Template.Version},
		Layout:   m.Layout, Options: options, State: string(e.state), NothingWritten: !e.written, Rows: e.counts,
		Problems: []report.ProblemCount{}, HeldBack: []report.FieldCount{}, Notices: []report.Notice{}, Files: e.files,
		Received: m.Received, Finished: i.Now().UTC(),
	}
	if s.Files == nil {
		s.Files = []report.File{}
	}
	if e.trouble != nil {
		s.Error = &report.Failure{Code: e.trouble.Code, Message: e.trouble.Message}
	}
	for _, key := range slices.Sorted(maps.Keys(e.codes)) {
		code, field, _ := strings.Cut(key, " ")
		s.Problems = append(s.Problems, report.ProblemCount{Code: code, Field: field, Count: e.codes[key]})
	}
	for _, field := range slices.Sorted(maps.Keys(e.held)) {
		s.HeldBack = append(s.HeldBack, report.FieldCount{Field: field, Count: e.held[field]})
	}
	for _, code := range slices.Sorted(maps.Keys(e.notices)) {
		s.Notices = append(s.Notices, report.Notice{Code: code, Count: e.notices[code]})
	}
	for _, t := range m.Times {
		if t.State == Applying {
			s.Started = t.At
		}
	}
	return s, nil
}
