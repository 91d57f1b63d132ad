package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/open"
	"github.com/dropload/dropload/internal/sheet/unwrap"
	"github.com/dropload/dropload/internal/sniff"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// PrepareItem is the work of one worker of Prepare.
type PrepareItem struct {
	Index int        `json:"index"`
	Part  sheet.Part `json:"part"`
}

// Split reads every byte of the file once: it confirms or corrects the
// encoding, rewrites what workers cannot read in parts, and cuts the file into
// parts at the ends of records. It answers "prepare" with the list of parts.
func (i *Importer) Split(ctx context.Context, job Job) (Step, error) {
	i, err := i.of(ctx, job.Tenant)
	if err != nil {
		return Step{}, err
	}
	m, err := i.begin(ctx, job)
	if err != nil {
		return Step{}, err
	}
	input := Input{Key: m.File.Key, Version: m.File.Version, ETag: m.File.ETag, Layout: m.Layout, Manifest: job.work("parts.json")}
	var (
		parts []sheet.Part
		rows  int64
	)
	if m.Layout.Format == sheet.CSV {
		parts, rows, err = i.splitText(ctx, m, &input)
	} else {
		parts, rows, err = i.splitBook(ctx, m, &input)
	}
	if err != nil {
		return Step{}, err
	}
	items := make([]PrepareItem, len(parts))
	for n, p := range parts {
		items[n] = PrepareItem{Index: n, Part: p}
	}
	if err := i.putJSON(ctx, input.Manifest, items); err != nil {
		return Step{}, err
	}
	input.Parts = len(items)
	input.Batches = int(max(1, (rows+int64(i.Config.BatchRows)-1)/int64(i.Config.BatchRows)))
	epochs, err := i.epochs(ctx, m)
	if err != nil {
		return Step{}, err
	}
	encoding := m.Layout.Encoding
	_, err = i.edit(ctx, job.Tenant, job.Import, func(m *Import) error {
		m.Input = input
		m.Layout.Encoding = encoding
		m.Epochs = epochs
		m.Planned, m.Pass = false, 0
		m.to(Preparing, i.Now())
		return nil
	})
	if err != nil {
		return Step{}, err
	}
	i.log(ctx, job, "split", "parts", len(parts), "rows", rows, "batches", input.Batches)
	return Step{Job: job, Next: "prepare", Manifest: input.Manifest}, nil
}

// splitText cuts delimited text. It reads it again where every byte showed that
// the encoding is another one than its first megabyte let believe; m's layout
// then names that one.
func (i *Importer) splitText(ctx context.Context, m *Import, input *Input) ([]sheet.Part, int64, error) {
	for {
		parts, totals, err := i.cut(ctx, m, input)
		if err != nil {
			return nil, 0, err
		}
		if corrected, _, changed := sniff.Correct(input.Layout, totals); changed && corrected.Encoding != input.Layout.Encoding {
			input.Layout = corrected
			continue
		}
		input.Damaged = totals.Invalid
		input.LastRow = totals.LastData(input.Layout)
		return parts, max(0, input.LastRow-input.Layout.DataFrom()+1), nil
	}
}

func (i *Importer) cut(ctx context.Context, m *Import, input *Input) ([]sheet.Part, csv.Totals, error) {
	body, err := i.unwrapped(ctx, m)
	if err != nil {
		return nil, csv.Totals{}, err
	}
	defer func() { _ = body.Close() }()
	rewrite := len(m.Layout.Compression) > 0 || !charset.ASCIICompatible(input.Layout.Encoding)
	if !rewrite {
		parts, totals, err := csv.Cut(ctx, body, input.Layout, i.Config.PartBytes, nil)
		return parts, totals, cutError(err)
	}
	text, err := charset.NewDecoder(input.Layout.Encoding, body)
	if err != nil {
		return nil, csv.Totals{}, &fault.BadFile{Code: "unsupported", Message: fmt.Sprintf("The encoding %q cannot be read.", input.Layout.Encoding), Cause: err}
	}
	layout := input.Layout
	layout.Compression, layout.Encoding = nil, charset.UTF8
	key := m.job().work("source.txt")
	r, w := io.Pipe()
	stored := make(chan error, 1)
	go func() {
		_, err := i.Objects.Put(ctx, key, r, object.PutOptions{ContentType: "text/plain; charset=utf-8"})
		_ = r.CloseWithError(err)
		stored <- err
	}()
	parts, totals, err := csv.Cut(ctx, text, layout, i.Config.PartBytes, w)
	_ = w.CloseWithError(err)
	if putErr := <-stored; putErr != nil && err == nil {
		err = fmt.Errorf("importer: storing the text: %w", putErr)
	}
	if err != nil {
		return nil, totals, cutError(err)
	}
	input.Key, input.Version, input.ETag, input.Layout = key, "", "", layout
	return parts, totals, nil
}

// cutError leaves a fault as it is and makes what broke a stream worth another
// try.
func cutError(err error) error {
	var bad *fault.BadFile
	if err == nil || errors.As(err, &bad) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &fault.Transient{Cause: err}
	}
	return err
}

// unwrapped streams the file without its wrappings.
func (i *Importer) unwrapped(ctx context.Context, m *Import) (io.ReadCloser, error) {
	if len(m.Layout.Compression) > 0 {
		src := newSource(ctx, i.Objects, m.ref(), m.File.Size)
		r, err := unwrap.Reader(src, m.Layout.Compression)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	body, _, err := i.Objects.Get(ctx, m.ref(), object.Range{})
	if err != nil {
		return nil, fileError(err)
	}
	return body, nil
}

// splitBook makes one part of a workbook's sheet.
func (i *Importer) splitBook(ctx context.Context, m *Import, input *Input) ([]sheet.Part, int64, error) {
	if len(m.Layout.Compression) > 0 {
		body, err := i.unwrapped(ctx, m)
		if err != nil {
			return nil, 0, err
		}
		defer func() { _ = body.Close() }()
		input.Key, input.Version, input.ETag = m.job().work("source.bin"), "", ""
		if _, err := i.Objects.Put(ctx, input.Key, body, object.PutOptions{}); err != nil {
			return nil, 0, cutError(fmt.Errorf("importer: storing the workbook: %w", err))
		}
		input.Layout.Compression = nil
	}
	reader, err := i.reader(ctx, input, sheet.Part{FirstRow: 1})
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = reader.Close() }()
	part := sheet.Part{FirstRow: 1}
	var last int64
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		part.Rows++
		if part.Rows&8191 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if !row.IsBlank() {
			last = row.Number
		}
	}
	input.LastRow = max(0, last-int64(input.Layout.FooterRows))
	return []sheet.Part{part}, max(0, input.LastRow-input.Layout.DataFrom()+1), nil
}

// reader reads a part of what the workers read.
func (i *Importer) reader(ctx context.Context, input *Input, part sheet.Part) (sheet.Reader, error) {
	ref := object.Ref{Key: input.Key, Version: input.Version, ETag: input.ETag}
	if input.Layout.Format != sheet.CSV {
		info, err := i.Objects.Head(ctx, ref)
		if err != nil {
			return nil, fileError(err)
		}
		return open.Open(newSource(ctx, i.Objects, ref, info.Size), input.Layout)
	}
	body, _, err := i.Objects.Get(ctx, ref, object.Range{Offset: part.Offset, Length: part.Length})
	if err != nil {
		return nil, fileError(err)
	}
	rows, err := open.Part(body, input.Layout, part)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return &partReader{rows, body}, nil
}

// partReader closes the body with the reader.
type partReader struct {
	sheet.Reader
	body io.Closer
}

// Close closes both.
func (r *partReader) Close() error {
	_ = r.Reader.Close()
	return r.body.Close()
}
