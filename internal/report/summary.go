package report

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
)

// Summary is what an import did, as an object beside its reports. It holds no
// value of a row.
type Summary struct {
	Import string `json:"import"` // id
	Tenant string `json:"tenant"`
	Feed   string `json:"feed,omitempty"`
	File   string `json:"file"` // name
	Bytes  int64  `json:"bytes,omitempty"`
	Entity string `json:"entity"`

	Template Template     `json:"template"`
	Layout   sheet.Layout `json:"layout"`
	// Options are those of the import as it ran, a mapping.Options: kept as they
	// were written, so that a past import goes on saying the same.
	Options json.RawMessage `json:"options,omitempty"`

	State string `json:"state"`
	// NothingWritten says that no worker began to write records.
	NothingWritten bool `json:"nothing_written"`
	// Error is why a failed import failed; nil otherwise.
	Error *Failure `json:"error,omitempty"`

	Rows record.Counts `json:"rows"`
	// Problems counts the problems of the rejected rows. A row may have several.
	Problems []ProblemCount `json:"problems"`
	// HeldBack counts the values that a policy held back.
	HeldBack []FieldCount `json:"held_back"`
	Notices  []Notice     `json:"notices"`
	Files    []File       `json:"files"`

	Received time.Time `json:"received"`
	Started  time.Time `json:"started,omitzero"` // when records began to be written
	Finished time.Time `json:"finished"`
}

// Template names the version of the template that was used.
type Template struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// Failure is a fault as people see it.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ProblemCount counts the problems of one code and field.
type ProblemCount struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"`
	Count int64  `json:"count"`
}

// FieldCount counts something of one field.
type FieldCount struct {
	Field string `json:"field"`
	Count int64  `json:"count"`
}

// Notice is something that people should know and that is no error.
type Notice struct {
	Code  string   `json:"code"`
	Field string   `json:"field,omitempty"`
	Args  []string `json:"args,omitempty"`
	Count int64    `json:"count,omitempty"`
}

// File is one report to download.
type File struct {
	Kind        string `json:"kind"` // "rejected" or "ignored"
	Name        string `json:"name"` // offered to people
	Key         string `json:"key"`  // of the object
	ContentType string `json:"content_type"`
	Rows        int64  `json:"rows"`
}

// Kinds of File.
const (
	RejectedFile = "rejected"
	IgnoredFile  = "ignored"
)

// Check tells what in the summary does not add up: the outcomes are not the
// rows read, a rejected row has no problem, a file has not the rows that it
// should, a time runs backwards. The error carries counts and names only.
func (s *Summary) Check() error {
	r := s.Rows
	for _, n := range []int64{r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored} {
		if n < 0 {
			return fmt.Errorf("report: a count of rows is negative: %+v", r)
		}
	}
	if !r.AddUp() {
		return fmt.Errorf("report: %d rows read are not %d created + %d updated + %d unchanged + %d rejected + %d ignored",
			r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored)
	}
	var problems int64
	for _, p := range s.Problems {
		if p.Code == "" || p.Count <= 0 {
			return fmt.Errorf("report: %d problems of the code %q", p.Count, p.Code)
		}
		problems += p.Count
	}
	if problems < r.Rejected || r.Rejected == 0 && problems > 0 {
		return fmt.Errorf("report: %d problems in %d rejected rows", problems, r.Rejected)
	}
	for _, h := range s.HeldBack {
		if h.Field == "" || h.Count <= 0 {
			return fmt.Errorf("report: %d values held back of the field %q", h.Count, h.Field)
		}
	}
	seen := map[string]bool{}
	for _, f := range s.Files {
		want := r.Rejected
		switch {
		case f.Kind == IgnoredFile:
			want = r.Ignored
		case f.Kind != RejectedFile:
			return fmt.Errorf("report: no file is of the kind %q", f.Kind)
		}
		if seen[f.Kind] {
			return fmt.Errorf("report: two files of %s rows", f.Kind)
		}
		seen[f.Kind] = true
		if f.Rows != want {
			return fmt.Errorf("report: the file of %s rows has %d, not %d", f.Kind, f.Rows, want)
		}
	}
	if s.Finished.Before(s.Received) || !s.Started.IsZero() && (s.Started.Before(s.Received) || s.Finished.Before(s.Started)) {
		return fmt.Errorf("report: received %v, started %v, finished %v", s.Received, s.Started, s.Finished)
	}
	return nil
}
