package main

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"io"

	"github.com/xuri/excelize/v2"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/sheet/open"
)

// readers reads contacts of 12 columns beside the libraries that others take:
// csv beside encoding/csv that reuses its record, xlsx beside excelize's
// streaming rows without formats.
func readers(_ context.Context, _ *settings, res *results) error {
	const csvRows, xlsxRows = 200_000, 30_000
	k := contacts(true)
	text := k.csv(csvRows, edition{})
	layout := sheet.Layout{Format: sheet.CSV, Encoding: "utf-8", Delimiter: ",", Quote: `"`}
	ours, err := rate(func() (int, error) { return rows(csv.NewReader(bytes.NewReader(text), layout, 1)) })
	if err != nil {
		return err
	}
	theirs, err := rate(func() (int, error) {
		r := stdcsv.NewReader(bytes.NewReader(text))
		r.ReuseRecord = true
		for n := 0; ; n++ {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				return n, nil
			} else if err != nil {
				return n, err
			}
		}
	})
	if err != nil {
		return err
	}
	res.add("read csv, beside encoding/csv", ours, theirs, "rows/s", "")
	book, err := k.xlsx(xlsxRows)
	if err != nil {
		return err
	}
	ours, err = rate(func() (int, error) {
		r, err := open.Open(bytes.NewReader(book), sheet.Layout{Format: sheet.XLSX})
		if err != nil {
			return 0, err
		}
		return rows(r)
	})
	if err != nil {
		return err
	}
	theirs, err = rate(func() (int, error) { return excelizeRows(book) })
	if err != nil {
		return err
	}
	res.add("read xlsx, beside excelize", ours, theirs, "rows/s", "")
	return nil
}

// rate is the best rate of three runs, in rows a second of processor
// time.
func rate(read func() (int, error)) (float64, error) {
	var best float64
	for range 3 {
		begin := cpu()
		n, err := read()
		if err != nil {
			return 0, err
		}
		best = max(best, float64(n)/(cpu()-begin).Seconds())
	}
	return best, nil
}

func rows(r sheet.Reader) (n int, err error) {
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func excelizeRows(book []byte) (n int, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(book), excelize.Options{RawCellValue: true, UnzipXMLSizeLimit: 1 << 20})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := f.Rows("Sheet1")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for r.Next() {
		if _, err := r.Columns(); err != nil {
			return n, err
		}
		n++
	}
	return n, r.Error()
}
