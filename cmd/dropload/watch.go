package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
)

// newWatch is `dropload watch`.
func newWatch(open opener) *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "watch ID",
		Short: "Follow an import until it ends or needs a person",
		Long: `Follow an import until it ends or needs a person, and show it then. The exit
status is that of the import: 0 completed, 3 completed with rejects, 4 a person
is needed, 1 failed or cancelled.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			return s.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], 0)
		},
	}
	flags.add(cmd)
	return cmd
}

// watch follows an import until it is at its end or waits for a person, prints
// it, and returns its exit status as an error. seen is how many of its states
// the person knows.
func (s *session) watch(ctx context.Context, out, progress io.Writer, id string, seen int) error {
	m, err := s.follow(ctx, progress, id, seen, settled)
	if err != nil {
		return err
	}
	if err := s.print(out, m); err != nil {
		return err
	}
	return statusOf(m)
}

// follow tells the states of an import as they pass, until there is an answer.
func (s *session) follow(ctx context.Context, progress io.Writer, id string, seen int, answers func(*importer.Import) bool) (*importer.Import, error) {
	spinner := &bar{}
	defer func() { spinner.end() }()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		m, err := s.Show(ctx, s.Tenant, id)
		if err != nil {
			return nil, err
		}
		for ; seen < len(m.Times); seen++ {
			spinner.end()
			t := m.Times[seen]
			if !s.JSON {
				fmt.Fprintf(progress, "%6.1f s  %s\n", t.At.Sub(m.Received).Seconds(), t.State)
			}
			spinner = s.newBar(progress, string(t.State), -1)
			wait = 50 * time.Millisecond
		}
		if answers(m) {
			return m, nil
		}
		spinner.add(1)
		if err := sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("stopped watching; the import goes on: dropload watch %s", id)
		}
	}
}

// settled tells whether an import is at its end or waits for a person.
func settled(m *importer.Import) bool { return m.State.Final() || needsPerson(m) }

// ended tells whether an import is at its end.
func ended(m *importer.Import) bool { return m.State.Final() }

// needsPerson tells whether an import waits for a person's word.
func needsPerson(m *importer.Import) bool {
	switch m.State {
	case importer.NeedsMapping, importer.NeedsDecision:
		return true
	case importer.Ready:
		return m.Pause.Kind == "start" && !m.Word
	}
	return false
}

// sleep waits between two looks at something that no event tells.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
