// Package record holds the plain data that every other package passes on: the
// cells and rows of a file, the values made of them, and the problems found.
//
// It depends on the standard library only and refuses behaviour: whatever needs
// to know a file format, an entity or a store belongs elsewhere.
package record

import (
	"math"
	"time"
)

// Kind tells what a cell holds.
type Kind uint8

// The kinds of a cell. A delimited text has only Empty and Text.
const (
	Empty Kind = iota
	Text
	Number
	Bool
	Date     // a day
	Time     // a time of day
	DateTime // both
	Error    // an error value of a spreadsheet, such as #N/A; Text names it
)

// Cell is one cell of a source row.
type Cell struct {
	Kind Kind
	// Text is what a person sees: the characters of a delimited text, the
	// formatted value of a workbook's cell.
	Text string
	// Number is the stored value of a Number; 1 or 0 of a Bool; of a Date, Time
	// or DateTime the days since 1899-12-30, whatever the workbook's own epoch.
	Number float64
}

// IsBlank tells whether the cell holds nothing but white space.
func (c Cell) IsBlank() bool {
	switch c.Kind {
	case Empty:
		return true
	case Text:
		for _, r := range c.Text {
			if r != ' ' && r != '\t' && r != '\u00a0' && r != '\n' && r != '\r' {
				return false
			}
		}
		return true
	}
	return false
}

// epoch is day 0 of Cell.Number: the day before 1899-12-31, so that the serial
// numbers of spreadsheets after their invented 1900-02-29 are right.
func epoch() time.Time { return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC) }

// When is the moment a Date, Time or DateTime cell holds, in UTC, to the
// nearest millisecond. A Time is on 1899-12-30.
func (c Cell) When() time.Time {
	days := math.Floor(c.Number)
	ms := math.Round((c.Number - days) * 86_400_000)
	return epoch().AddDate(0, 0, int(days)).Add(time.Duration(ms) * time.Millisecond)
}

// Row is one physical record of a source.
type Row struct {
	// Number counts the physical records from 1, preamble, header and blank
	// lines included: the row number that a spreadsheet program shows.
	Number int64
	// Cells are in the order of the columns; short rows stay short.
	Cells []Cell
	// Hidden tells that a workbook hides the row (by hand or by a filter).
	Hidden bool
	// Problems are what the reader itself found wrong with the record.
	Problems []Problem
}

// IsBlank tells whether every cell of the row is blank.
func (r *Row) IsBlank() bool {
	for _, c := range r.Cells {
		if !c.IsBlank() {
			return false
		}
	}
	return true
}

// Problem is one thing wrong with one row. It is data, never an error: the run
// goes on. It carries no value of the row but what its Args name.
type Problem struct {
	// Code is stable and listed in docs/problems.md, such as "email_invalid".
	Code string `json:"code"`
	// Column counts the source's columns from 0; -1 is the whole row.
	Column int `json:"column"`
	// Field is the entity's field, "" where no field is concerned.
	Field string `json:"field,omitempty"`
	// Args fill the places of the message of this code, in order.
	Args []string `json:"args,omitempty"`
}

// Outcome is what became of one data row. Each data row has exactly one.
type Outcome uint8

// The outcomes, in the order in which people read them.
const (
	NoOutcome Outcome = iota
	Created
	Updated
	Unchanged
	Rejected
	Ignored
)

// String is the word used in reports, JSON and screens.
func (o Outcome) String() string {
	return [...]string{"none", "created", "updated", "unchanged", "rejected", "ignored"}[o]
}

// Counts counts data rows by outcome. Read is always the sum of the others.
type Counts struct {
	Read      int64 `json:"read"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Rejected  int64 `json:"rejected"`
	Ignored   int64 `json:"ignored"`
}

// Add counts n more rows of one outcome, and as read.
func (c *Counts) Add(o Outcome, n int64) {
	switch o {
	case Created:
		c.Created += n
	case Updated:
		c.Updated += n
	case Unchanged:
		c.Unchanged += n
	case Rejected:
		c.Rejected += n
	case Ignored:
		c.Ignored += n
	default:
		return
	}
	c.Read += n
}

// Plus adds another count to this one.
func (c *Counts) Plus(d Counts) {
	c.Read += d.Read
	c.Created += d.Created
	c.Updated += d.Updated
	c.Unchanged += d.Unchanged
	c.Rejected += d.Rejected
	c.Ignored += d.Ignored
}

// AddUp tells whether the outcomes sum to the rows read.
func (c Counts) AddUp() bool {
	return c.Read == c.Created+c.Updated+c.Unchanged+c.Rejected+c.Ignored
}
