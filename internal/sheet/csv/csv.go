// Package csv reads delimited text tolerantly, with positions, and cuts it at
// the ends of records.
//
// Reader and Cut share one scanner, so that the parts Cut makes, read one after
// another, give the same rows with the same numbers as the whole.
//
// What a record is:
//   - It ends at "\n", "\r\n" or a lone "\r", mixed as they come. Each line end
//     outside quotes ends one; a blank line is a record without cells. After the
//     last line end there is no further record.
//   - A cell is quoted if it starts with the quote, or with spaces and a quote.
//     Inside, delimiters and line ends are text and a doubled quote is one. The
//     quote closes where a delimiter, a line end or the end of the text follows,
//     spaces between them left away.
//   - Any other quote is text: one within an unquoted cell (5" pipe), and one
//     within a quoted cell that is followed by more text ("5" pipe").
//   - A quote that opens a cell and is never closed is text, too, and its line
//     is read as if it stood for itself. It was not closed if the text ends, or
//     if the next quotes can only be those of a later cell: after a delimiter or
//     at a line's start, and before text. A sloppy quote so costs one cell, not
//     the rest of the file. The row carries the problem "quote_unclosed".
//   - An escape takes the meaning of a following quote, escape or delimiter; before
//     anything else it is text, so that C:\temp stays what it is.
//
// Nothing is trimmed, converted or left out. A cell of more than MaxCell bytes,
// a record of more than MaxRecord bytes or MaxCells cells is refused by a
// *fault.BadFile with the code "too-large" that names the record.
package csv

import (
	"fmt"

	"github.com/dropload/dropload/internal/fault"
)

// The limits of one cell and one record. They bound the memory: a reader holds
// at most two records of that size.
const (
	MaxCell   = 16 << 20 // bytes
	MaxRecord = 32 << 20 // bytes
	MaxCells  = 1 << 16  // a spreadsheet program has 16,384
)

// The codes of the problems that a row may carry.
const (
	// QuoteUnclosed is a quote that opens a cell and is not closed. Column names
	// the cell.
	QuoteUnclosed = "quote_unclosed"
	// CellsExtra is a row with text beyond the last column of the header. Column
	// names the first such cell; Args hold the number of columns.
	CellsExtra = "cells_extra"
)

func tooLarge(row int64, what string) error {
	return &fault.BadFile{
		Code:    "too-large",
		Message: fmt.Sprintf("Record %d has %s. Is a quote not closed, or is the delimiter another one?", row, what),
	}
}
