// Package open opens any sheet by its layout: it takes the wrappings off, decodes
// the text and hands out the reader of its format.
//
// It refuses to guess: what the layout does not say is not looked for.
package open

import (
	"errors"
	"fmt"
	"io"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/markup"
	"github.com/dropload/dropload/internal/sheet/unwrap"
	"github.com/dropload/dropload/internal/sheet/xls"
	"github.com/dropload/dropload/internal/sheet/xlsx"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// Open reads all records of the sheet that the layout names. It returns the
// errors of src and *fault.BadFile.
func Open(src sheet.Source, l sheet.Layout) (sheet.Reader, error) {
	if l.Format != sheet.CSV {
		w, err := Workbook(src, l)
		if err != nil {
			return nil, err
		}
		if l.Sheet < 0 || l.Sheet >= len(w.Sheets()) {
			return nil, errors.Join(noSheet(l.Sheet, len(w.Sheets())), w.Close())
		}
		r, err := w.Open(l.Sheet)
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
		return closing{r, w}, nil
	}
	text, err := Text(src, l)
	if err != nil {
		return nil, err
	}
	return closing{csv.NewReader(text, l, 1), text}, nil
}

// Part reads one part of a delimited text: r gives the bytes of the part as they
// stand in the object that csv.Cut read.
func Part(r io.Reader, l sheet.Layout, p sheet.Part) (sheet.Reader, error) {
	text, err := charset.NewDecoder(l.Encoding, r)
	if err != nil {
		return nil, unknownEncoding(l, err)
	}
	return csv.NewReader(text, l, p.FirstRow), nil
}

// Text gives a delimited text as UTF-8, unwrapped and without its byte order
// mark.
func Text(src sheet.Source, l sheet.Layout) (io.ReadCloser, error) {
	r, err := unwrap.Reader(src, l.Compression)
	if err != nil {
		return nil, err
	}
	text, err := charset.NewDecoder(l.Encoding, r)
	if err != nil {
		return nil, errors.Join(unknownEncoding(l, err), r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{text, r}, nil
}

func unknownEncoding(l sheet.Layout, cause error) error {
	return &fault.BadFile{Code: "unsupported", Message: fmt.Sprintf("The encoding %q is not known.", l.Encoding), Cause: cause}
}

func noSheet(i, n int) error {
	return &fault.Refused{Code: "no_such_sheet", Message: fmt.Sprintf("There is no sheet %d: the workbook has %d.", i+1, n)}
}

// Workbook opens a workbook of the layout's format. The caller closes it.
func Workbook(src sheet.Source, l sheet.Layout) (sheet.Workbook, error) {
	inner, closer, err := unwrap.Source(src, l.Compression)
	if err != nil {
		return nil, err
	}
	w, err := workbook(inner, l.Format)
	if err != nil {
		return nil, errors.Join(err, closer.Close())
	}
	return closingWorkbook{w, closer}, nil
}

func workbook(src sheet.Source, format sheet.Format) (sheet.Workbook, error) {
	switch format {
	case sheet.XLSX:
		return xlsx.Open(src)
	case sheet.XLS:
		return xls.Open(src)
	case sheet.HTML, sheet.SpreadsheetML:
		return markup.Open(src)
	case sheet.CSV, sheet.UnknownFormat:
		return nil, &fault.BadFile{Code: "unknown-format", Message: "The file is no workbook."}
	}
	return nil, &fault.BadFile{Code: "unsupported", Message: fmt.Sprintf("Workbooks of the kind %q are not read. Save it as xlsx.", format)}
}

// closing closes the reader, then what it reads from.
type closing struct {
	sheet.Reader
	below io.Closer
}

func (c closing) Close() error { return errors.Join(c.Reader.Close(), c.below.Close()) }

type closingWorkbook struct {
	sheet.Workbook
	below io.Closer
}

func (c closingWorkbook) Close() error { return errors.Join(c.Workbook.Close(), c.below.Close()) }
