// Package sniff finds out how a file is to be read: format, compression,
// encoding, dialect, sheet, preamble, header and footer, each with the evidence
// and a confidence.
package sniff

import "github.com/dropload/dropload/internal/sheet"

// Finding is one thing found, and why.
type Finding struct {
	// What is "format", "compression", "encoding", "delimiter", "quote",
	// "escape", "newline", "sheet", "preamble", "header" or "footer".
	What string `json:"what"`
	// Answer is the value found, as text.
	Answer string `json:"answer"`
	// Confidence is from 0 to 1; 1 for what was set by hand.
	Confidence float64 `json:"confidence"`
	// Why is the evidence in words for a person.
	Why string `json:"why"`
}

// SheetInfo describes one sheet of a workbook.
type SheetInfo struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	Hidden bool   `json:"hidden,omitempty"`
}

// Result is what was found.
type Result struct {
	Layout   sheet.Layout `json:"layout"`
	Sheets   []SheetInfo  `json:"sheets,omitempty"`
	Findings []Finding    `json:"findings"`
	// Sample holds the first data rows as a person sees them, at most 100 of at
	// most 200 cells.
	Sample [][]string `json:"sample"`
	// SampleFrom is the record number of the first row of Sample.
	SampleFrom int64 `json:"sample_from"`
}

// Confidence is the least of the findings': how sure the whole is.
func (r *Result) Confidence() float64 {
	least := 1.0
	for _, f := range r.Findings {
		least = min(least, f.Confidence)
	}
	return least
}

// Override fixes what a person or a template knows; nil is to be found.
type Override struct {
	Encoding   *string `json:"encoding,omitempty"`
	Delimiter  *string `json:"delimiter,omitempty"`
	Quote      *string `json:"quote,omitempty"`
	Escape     *string `json:"escape,omitempty"`
	Sheet      *int    `json:"sheet,omitempty"`
	SheetName  *string `json:"sheet_name,omitempty"`
	Preamble   *int    `json:"preamble_rows,omitempty"`
	HeaderRows *int    `json:"header_rows,omitempty"`
	FooterRows *int    `json:"footer_rows,omitempty"`
}
