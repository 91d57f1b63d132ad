package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/report"
)

func summary() report.Summary {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	return report.Summary{
		Import: "i1", Tenant: "acme", File: "contacts.csv", Entity: "contacts", State: "completed_with_rejects",
		Template: report.Template{Name: "Contacts", Version: 1},
		Options:  json.RawMessage(`{"dry_run":true}`),
		Rows:     record.Counts{Read: 10, Created: 4, Updated: 1, Unchanged: 2, Rejected: 2, Ignored: 1},
		Problems: []report.ProblemCount{{Code: "email_invalid", Field: "email", Count: 3}},
		HeldBack: []report.FieldCount{{Field: "email", Count: 1}},
		Files: []report.File{
			{Kind: report.RejectedFile, Name: "contacts.rejected.csv", Key: "reports/i1/rejected", Rows: 2},
			{Kind: report.IgnoredFile, Name: "contacts.ignored.csv", Key: "reports/i1/ignored", Rows: 1},
		},
		Received: at, Started: at.Add(time.Minute), Finished: at.Add(2 * time.Minute),
	}
}

func TestSummaryCheck(t *testing.T) {
	t.Parallel()
	good := summary()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	var back report.Summary
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(good, back); diff != "" {
		t.Errorf("through JSON (-want +got):\n%s", diff)
	}

	for name, spoil := range map[string]func(*report.Summary){
		"a row too many":           func(s *report.Summary) { s.Rows.Read++ },
		"a negative count":         func(s *report.Summary) { s.Rows.Created, s.Rows.Updated = 6, -1 },
		"rejected for nothing":     func(s *report.Summary) { s.Problems = nil },
		"problems of no row":       func(s *report.Summary) { s.Rows = record.Counts{}; s.Files = nil },
		"a problem without a code": func(s *report.Summary) { s.Problems[0].Code = "" },
		"held back of no field":    func(s *report.Summary) { s.HeldBack[0].Field = "" },
		"a file is short":          func(s *report.Summary) { s.Files[0].Rows-- },
		"the same file twice":      func(s *report.Summary) { s.Files[1] = s.Files[0] },
		"an unknown file":          func(s *report.Summary) { s.Files[1].Kind = "other" },
		"finished before received": func(s *report.Summary) { s.Finished = s.Received.Add(-time.Second) },
		"started after the end":    func(s *report.Summary) { s.Started = s.Finished.Add(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := summary()
			spoil(&s)
			if err := s.Check(); err == nil {
				t.Error("Check found nothing")
			}
		})
	}
}
