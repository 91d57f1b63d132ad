// Package sheet reads rows from a file: delimited text and the workbooks of
// spreadsheet programs. What is read is described by a Layout, which package
// sniff finds and a person may override.
//
// Memory does not grow with the file. Whatever the bytes are, a reader returns
// rows, a *fault.BadFile or the error of its source; it never panics and never
// loses a cell in silence.
package sheet

import (
	"io"

	"github.com/dropload/dropload/internal/record"
)

// Source is a file at rest. Reads may come from several goroutines.
type Source interface {
	io.ReaderAt
	Size() int64
}

// Format is the kind of a file, told by its content.
type Format string

// The formats.
const (
	CSV           Format = "csv"  // any delimited text
	XLSX          Format = "xlsx" // OOXML workbook: xlsx, xlsm, xltx
	XLS           Format = "xls"  // BIFF workbook of Excel 5 to 2003
	HTML          Format = "html" // an HTML table, often called .xls
	SpreadsheetML Format = "xml"  // SpreadsheetML 2003, often called .xls
	XLSB          Format = "xlsb" // told, not read
	ODS           Format = "ods"  // told, not read
	UnknownFormat Format = "unknown"
)

// Layout says how a file is to be read. It is plain data: it is kept with the
// import, and the same Layout reads the same rows for ever.
type Layout struct {
	Format Format `json:"format"`
	// Compression lists the wrappings to take off, outermost first: "gzip",
	// "zstd", "zip" (an archive with one file that is a sheet).
	Compression []string `json:"compression,omitempty"`

	// Encoding is a WHATWG name in lower case; "" for workbooks.
	Encoding string `json:"encoding,omitempty"`
	// Delimiter separates the cells of delimited text: one character, or two
	// such as ", "; "" where there is a single column.
	Delimiter string `json:"delimiter,omitempty"`
	// Quote encloses cells; "" where none is used. Doubled inside, it is itself.
	Quote string `json:"quote,omitempty"`
	// Escape takes the meaning of the next character; "" is none.
	Escape string `json:"escape,omitempty"`
	// Newline is the commonest line end: "\n", "\r\n" or "\r". All are read.
	Newline string `json:"newline,omitempty"`

	// Sheet counts the workbook's sheets from 0, SheetName is its name.
	Sheet     int    `json:"sheet,omitempty"`
	SheetName string `json:"sheet_name,omitempty"`

	// Preamble is the number of physical records before the header (before the
	// first data row where there is none), blank ones included.
	Preamble int `json:"preamble_rows"`
	// HeaderRows is the number of header records; 0 is none.
	HeaderRows int `json:"header_rows"`
	// FooterRows is the number of physical records after the last data row.
	FooterRows int `json:"footer_rows,omitempty"`
	// Columns are the names of the columns: of several header rows joined with a
	// blank, without a header A, B, C…
	Columns []string `json:"columns"`
}

// DataFrom is the number of the first record that may be a data row.
func (l *Layout) DataFrom() int64 { return int64(l.Preamble+l.HeaderRows) + 1 }

// Reader gives the physical records of one sheet in order: preamble, header
// and blank ones included.
type Reader interface {
	// Next returns the next record, io.EOF after the last one. The row and its
	// cells are valid until the next call; strings.Clone what is to be kept.
	Next() (*record.Row, error)
	// Close frees what the reader holds; it does not close the source.
	Close() error
}

// Part is a part of a delimited text that starts and ends at the ends of
// records, or the whole of a workbook's sheet.
type Part struct {
	Offset   int64 `json:"offset"` // bytes
	Length   int64 `json:"length"`
	FirstRow int64 `json:"first_row"` // Row.Number of its first record
	Rows     int64 `json:"rows"`      // records in it
}

// Workbook is an opened file of one or more sheets. An HTML page's tables and
// the parts of other containers count as its sheets.
type Workbook interface {
	// Sheets describes the sheets in their order, hidden ones included.
	Sheets() []SheetMeta
	// Open reads sheet i, counted from 0. Several may be open at a time.
	Open(i int) (Reader, error)
	// Close frees what the workbook holds; it does not close the source.
	Close() error
}

// SheetMeta describes one sheet of a workbook.
type SheetMeta struct { //nolint:revive // not the meta of a reader, or of a row
	Name string `json:"name"`
	// Rows is the number of the last row that holds anything, as far as the
	// file says so cheaply; -1 where only reading tells.
	Rows   int64 `json:"rows"`
	Hidden bool  `json:"hidden,omitempty"`
}
