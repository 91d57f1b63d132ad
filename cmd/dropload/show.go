package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/record"
)

// importJSON is an import as `show --json` prints it: a contract, see docs/cli.md.
type importJSON struct {
	ID             string               `json:"id"`
	Feed           string               `json:"feed"`
	Entity         string               `json:"entity"`
	File           string               `json:"file"`
	State          importer.State       `json:"state"`
	NothingWritten bool                 `json:"nothing_written"`
	Rows           record.Counts        `json:"rows"`
	Plan           *record.Counts       `json:"plan,omitempty"`
	Error          *importer.Trouble    `json:"error"`
	Round          int                  `json:"round"`
	Waits          string               `json:"waits,omitempty"`
	Reports        importer.Reports     `json:"reports"`
	Problems       map[string]int64     `json:"problems,omitempty"`
	Held           map[string]int64     `json:"held_back,omitempty"`
	Notices        map[string]int64     `json:"notices,omitempty"`
	Received       time.Time            `json:"received"`
	Finished       *time.Time           `json:"finished"`
	Times          []importer.StateTime `json:"times"`
}

func importJSONOf(m *importer.Import) importJSON {
	s := importJSON{
		ID: m.ID, Feed: m.Feed, Entity: m.Entity, File: m.File.Name, State: m.State, NothingWritten: m.NothingWritten,
		Rows: m.Rows, Error: m.Trouble, Round: m.Round, Reports: m.Reports, Problems: m.Codes, Held: m.Held,
		Notices: m.Notices, Received: m.Received, Times: m.Times,
	}
	if !m.State.Final() {
		s.Waits = m.Pause.Kind
		s.Error = nil
		if m.Planned {
			s.Rows, s.Plan = m.Plan, &m.Plan
		}
	} else {
		s.Finished = &m.Finished
	}
	return s
}

// The exit statuses of commands that end with an import.
const (
	statusFailed  = 1
	statusRejects = 3
	statusPerson  = 4
)

// status is the exit status that an import's state means, as an error.
func status(s importer.State) error {
	switch s {
	case importer.Completed, importer.Undone:
		return nil
	case importer.CompletedWithRejects:
		return statusError(statusRejects)
	case importer.NeedsMapping, importer.NeedsDecision, importer.Ready:
		return statusError(statusPerson)
	case importer.Failed, importer.CancelledState:
		return statusError(statusFailed)
	}
	return nil
}

func printImport(w io.Writer, m *importer.Import) {
	s := importJSONOf(m)
	fmt.Fprintf(w, "%s  %s  %s\n", s.ID, s.File, s.State)
	r := s.Rows
	fmt.Fprintf(w, "%d read = %d created + %d updated + %d unchanged + %d rejected + %d ignored\n",
		r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored)
	if s.Error != nil {
		fmt.Fprintf(w, "%s: %s\n", s.Error.Code, s.Error.Message)
	}
	switch m.State {
	case importer.NeedsMapping:
		fmt.Fprintf(w, "It needs a mapping: dropload map %s --auto\n", s.ID)
	case importer.NeedsDecision:
		fmt.Fprintf(w, "References were not found: dropload decide %s --list\n", s.ID)
	case importer.Ready:
		fmt.Fprintf(w, "It waits for your word: dropload start %s\n", s.ID)
	}
	if s.Reports.Failures != "" {
		fmt.Fprintf(w, "Rejected rows: dropload report %s -o FILE\n", s.ID)
	}
}

// newShow is `dropload show`.
func newShow() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show an import: its state and counts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := flags.open(cmd.Context())
			if err != nil {
				return err
			}
			m, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			if s.JSON {
				return printJSON(cmd.OutOrStdout(), importJSONOf(m))
			}
			printImport(cmd.OutOrStdout(), m)
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}
