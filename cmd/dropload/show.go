package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
)

// newShow is `dropload show`.
func newShow(open opener) *cobra.Command {
	var (
		flags       stackFlags
		differences bool
	)
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show an import: its state, its counts and what it needs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			if differences {
				return s.differences(cmd, args[0])
			}
			m, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			return s.print(cmd.OutOrStdout(), m)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&differences, "differences", false, "list the records that a plan made anew treats otherwise than the plan before it")
	return cmd
}

// importJSON is an import as `show --json` prints it: a contract, see
// docs/cli.md. Every key is always there.
type importJSON struct {
	ID             string               `json:"id"`
	State          importer.State       `json:"state"`
	NothingWritten bool                 `json:"nothing_written"`
	Rows           record.Counts        `json:"rows"`
	Error          *importer.Trouble    `json:"error"`
	Feed           string               `json:"feed"`
	Entity         string               `json:"entity"`
	File           string               `json:"file"`
	Round          int                  `json:"round"`
	DryRun         bool                 `json:"dry_run"`
	Planned        bool                 `json:"planned"`
	Made           int64                `json:"made"`
	Differs        int64                `json:"differs"`
	Credits        int64                `json:"credits"`
	CreditedBy     *string              `json:"credited_by"`
	Waits          *string              `json:"waits"`
	Drift          []mapping.Drift      `json:"drift"`
	Reports        reportsJSON          `json:"reports"`
	Problems       []problemJSON        `json:"problems"`
	HeldBack       map[string]int64     `json:"held_back"`
	Notices        map[string]int64     `json:"notices"`
	Received       time.Time            `json:"received"`
	Finished       *time.Time           `json:"finished"`
	Times          []importer.StateTime `json:"times"`
}

// reportsJSON are the keys of an import's reports in the bucket.
type reportsJSON struct {
	Failures *string `json:"failures"`
	Ignored  *string `json:"ignored"`
	Summary  *string `json:"summary"`
}

// problemJSON counts the rows with one problem.
type problemJSON struct {
	Code  string `json:"code"`
	Field string `json:"field"`
	Count int64  `json:"count"`
}

func importJSONOf(m *importer.Import) importJSON {
	j := importJSON{
		ID: m.ID, State: m.State, NothingWritten: !m.State.Final() || m.NothingWritten, Rows: m.Rows, Error: m.Trouble,
		Feed: m.Feed, Entity: m.Entity, File: m.File.Name, Round: m.Round, DryRun: m.Options.DryRun, Planned: m.Planned, Made: m.Made, Differs: m.Differs,
		Credits: m.Credits, CreditedBy: orNull(m.CreditedBy),
		Drift: m.Drift, Reports: reportsJSON{orNull(m.Reports.Failures), orNull(m.Reports.Ignored), orNull(m.Reports.Summary)},
		Problems: problemsOf(m.Codes), HeldBack: m.Held, Notices: m.Notices, Received: m.Received, Times: m.Times,
	}
	if j.Drift == nil {
		j.Drift = []mapping.Drift{}
	}
	if j.Times == nil {
		j.Times = []importer.StateTime{}
	}
	for _, counts := range []*map[string]int64{&j.HeldBack, &j.Notices} {
		if *counts == nil {
			*counts = map[string]int64{}
		}
	}
	switch {
	case m.State.Final():
		j.Finished = &m.Finished
	default:
		j.Error, j.NothingWritten = nil, m.State != importer.Applying
		j.Waits = waitsFor(m)
		if m.Planned {
			j.Rows = m.Plan
		}
	}
	return j
}

// waitsFor is what an import waits for: "mapping", "decision", "start", "time"
// or "turn"; nil where it does not wait.
func waitsFor(m *importer.Import) *string {
	switch m.State {
	case importer.NeedsMapping, importer.NeedsDecision, importer.Ready, importer.Queued:
		return orNull(m.Pause.Kind)
	}
	return nil
}

// problemsOf takes the importer's counts apart: a code, a blank, and the field.
func problemsOf(counts map[string]int64) []problemJSON {
	problems := []problemJSON{}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		code, field, _ := strings.Cut(key, " ")
		problems = append(problems, problemJSON{Code: code, Field: field, Count: counts[key]})
	}
	return problems
}

// The exit statuses of commands that end with an import.
const (
	statusFailed  = 1
	statusUsage   = 2
	statusRejects = 3
	statusPerson  = 4
)

// statusOf is the exit status that an import means, as an error.
func statusOf(m *importer.Import) error {
	switch {
	case m.State == importer.CompletedWithRejects:
		return statusError(statusRejects)
	case m.State == importer.Failed || m.State == importer.CancelledState:
		return statusError(statusFailed)
	case needsPerson(m):
		return statusError(statusPerson)
	}
	return nil
}

// print prints an import as JSON or for people.
func (s *session) print(w io.Writer, m *importer.Import) error {
	if s.JSON {
		return printJSON(w, importJSONOf(m))
	}
	j := importJSONOf(m)
	fmt.Fprintf(w, "%s  %s  %s\n", j.ID, j.File, describe(m))
	if m.State.Final() || m.Planned {
		fmt.Fprintln(w, equation(j.Rows))
	}
	if j.Made > 0 {
		fmt.Fprintf(w, "  %d records made on the way, for references to them\n", j.Made)
	}
	if j.Differs > 0 {
		fmt.Fprintf(w, "  planned anew because of another import; %d records differ: dropload show %s --differences\n", j.Differs, j.ID)
	}
	if j.Error != nil {
		fmt.Fprintf(w, "%s: %s\n", j.Error.Code, j.Error.Message)
	}
	for _, p := range j.Problems {
		fmt.Fprintf(w, "  %d × %s\n", p.Count, strings.TrimSpace(p.Code+" "+p.Field))
	}
	for _, code := range slices.Sorted(maps.Keys(j.Notices)) {
		fmt.Fprintf(w, "  notice: %d × %s\n", j.Notices[code], code)
	}
	for _, field := range slices.Sorted(maps.Keys(j.HeldBack)) {
		fmt.Fprintf(w, "  notice: %d × %s kept as it is stored\n", j.HeldBack[field], field)
	}
	for _, line := range nextSteps(m) {
		fmt.Fprintln(w, line)
	}
	return nil
}

// differences lists what a plan made anew treats otherwise, one record a line.
func (s *session) differences(cmd *cobra.Command, id string) error {
	out := cmd.OutOrStdout()
	t := newTable(out)
	if !s.JSON {
		t.row("key", "was", "is", "fields")
	}
	err := s.Differences(cmd.Context(), s.Tenant, id, func(d importer.Difference) error {
		if s.JSON {
			return encode(out, d)
		}
		t.row(d.Key, cmp.Or(string(d.Was), "-"), cmp.Or(string(d.Is), "-"), strings.Join(d.Fields, ", "))
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	return t.flush()
}

// describe is the state of an import in a few words.
func describe(m *importer.Import) string {
	switch {
	case m.State == importer.Failed && m.NothingWritten:
		return "failed, nothing was written"
	case m.State.Final() && m.Options.DryRun:
		return string(m.State) + ", a dry run: nothing was written"
	case m.State == importer.CancelledState && m.NothingWritten:
		return "cancelled, nothing was written"
	}
	return strings.ReplaceAll(string(m.State), "_", " ")
}

// equation says that every row read has its outcome.
func equation(r record.Counts) string {
	return fmt.Sprintf("%d read = %d created + %d updated + %d unchanged + %d rejected + %d ignored",
		r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored)
}

// nextSteps says what a person can do now.
func nextSteps(m *importer.Import) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case m.State == importer.NeedsMapping:
		for _, d := range m.Drift {
			say("  %s", driftLine(d))
		}
		say("It needs a mapping. See the columns: dropload map %s; take what is proposed: dropload map %s --auto", m.ID, m.ID)
	case m.State == importer.NeedsDecision:
		say("References were not found. List them: dropload decide %s --list", m.ID)
	case needsPerson(m) && m.CreditedBy != "":
		say("The very same points were credited by the import %s: dropload show %s", m.CreditedBy, m.CreditedBy)
		say("Credit them once more: dropload start %s; else: dropload cancel %s", m.ID, m.ID)
	case needsPerson(m):
		say("It waits for your word: dropload start %s", m.ID)
	}
	if m.Reports.Failures != "" {
		say("Rejected rows: dropload report %s -o FILE", m.ID)
	}
	if m.Reports.Ignored != "" {
		say("Ignored rows: dropload report %s --ignored -o FILE", m.ID)
	}
	return lines
}

func driftLine(d mapping.Drift) string {
	switch d.Kind {
	case mapping.Missing:
		return fmt.Sprintf("the column %q is not there", d.Header)
	case mapping.Renamed:
		return fmt.Sprintf("the column %q is new where %q was", d.Header, d.Was)
	case mapping.New:
		return fmt.Sprintf("the column %q is not known", d.Header)
	case mapping.Reordered:
		return "the columns are in another order"
	case mapping.NoRequired:
		return fmt.Sprintf("no column feeds %s, which is required", d.Field)
	case importer.NothingIdentifies:
		return fmt.Sprintf("no column identifies a record: neither %s nor another unique field has one", d.Field)
	case mapping.Repeated:
		return fmt.Sprintf("the column %q is there more than once", d.Header)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Kind, d.Header, d.Field))
}
