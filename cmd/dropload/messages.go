package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
)

// messagesJSON is what `messages --json` prints: a contract, see docs/cli.md.
type messagesJSON struct {
	Counts   map[importer.MessageState]int64 `json:"counts"`
	Messages []importer.MessageLine          `json:"messages"`
	Again    *int64                          `json:"again"`
}

// newMessages is `dropload messages`.
func newMessages(open opener) *cobra.Command {
	var (
		flags stackFlags
		again bool
	)
	cmd := &cobra.Command{
		Use:   "messages ID [KEY...]",
		Short: "List the messages to credited members that were not sent, or send them again",
		Long: `Count an import's messages to credited members by state, and list those that
were not sent. With --again those that failed, that still wait, and those whose
fate is unknown are queued again: all, or those of the members named. One of
unknown fate may reach its member twice then.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && !again {
				return usageError{"members are named to send to them again: add --again"}
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			j := messagesJSON{Messages: []importer.MessageLine{}}
			if again {
				n, err := s.SendAgain(cmd.Context(), s.Tenant, args[0], args[1:])
				if err != nil {
					return err
				}
				j.Again = &n
			}
			j.Counts, err = s.Messages(cmd.Context(), s.Tenant, args[0], func(l importer.MessageLine) error {
				j.Messages = append(j.Messages, l)
				return nil
			})
			if err != nil {
				return err
			}
			return s.printMessages(cmd, j)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&again, "again", false, "queue messages again that were not sent or may not have been")
	return cmd
}

func (s *session) printMessages(cmd *cobra.Command, j messagesJSON) error {
	out := cmd.OutOrStdout()
	if s.JSON {
		return printJSON(out, j)
	}
	if j.Again != nil {
		fmt.Fprintf(out, "%d queued again\n", *j.Again)
	}
	t := newTable(out)
	for _, state := range slices.Sorted(maps.Keys(j.Counts)) {
		t.row(string(state), fmt.Sprint(j.Counts[state]))
	}
	for _, l := range j.Messages {
		t.row(l.Key, string(l.State), l.Code)
	}
	return t.flush()
}
