package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	objects "github.com/dropload/dropload/internal/object"
)

// newImport is `dropload import`.
func newImport() *cobra.Command {
	var (
		flags             stackFlags
		entityName, feed  string
		dryRun, withWatch bool
	)
	cmd := &cobra.Command{
		Use: "import FILE --entity E", Short: "Import a file", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if feed == "" {
				feed = entityName
			}
			if feed == "" {
				return errors.New("say what the file holds: --entity contacts, or the feed it goes to: --feed NAME")
			}
			s, err := flags.open(cmd.Context())
			if err != nil {
				return err
			}
			id, err := s.upload(cmd.Context(), args[0], feed, dryRun)
			if err != nil {
				return err
			}
			if !withWatch {
				if s.JSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{"id": id})
				}
				fmt.Fprintln(cmd.OutOrStdout(), id)
				return nil
			}
			return s.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), id)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&entityName, "entity", "", "what the file holds: companies, contacts, …")
	cmd.Flags().StringVar(&feed, "feed", "", "the feed it goes to (default: the entity's)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "plan only, write nothing")
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}

// upload puts a file into the bucket and returns the id of its import.
func (s *session) upload(ctx context.Context, file, feed string, dryRun bool) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var intent importer.Intent
	if dryRun {
		options, err := s.OptionsOf(ctx, s.Tenant, feed)
		if err != nil {
			return "", err
		}
		options.DryRun = true
		intent.Options = &options
	}
	key, err := s.Announce(ctx, s.Tenant, feed, strings.ToLower(rand.Text()), filepath.Base(file), intent)
	if err != nil {
		return "", err
	}
	if _, err := s.Objects.Put(ctx, key, f, objects.PutOptions{}); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		id, err := s.ImportOf(ctx, s.Tenant, key)
		if err != nil || id != "" {
			return id, err
		}
		select {
		case <-ctx.Done():
			return "", errors.New("the file is in the bucket, but no import of it began within a minute: look at the engine's log")
		case <-time.After(wait):
		}
	}
}

// watch shows the states of an import until it is at its end or waits for a
// person.
func (s *session) watch(ctx context.Context, out, progress io.Writer, id string) error {
	seen := 0
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		m, err := s.Show(ctx, s.Tenant, id)
		if err != nil {
			return err
		}
		for ; seen < len(m.Times); seen++ {
			if !s.JSON {
				fmt.Fprintf(progress, "%s\n", m.Times[seen].State)
			}
			wait = 100 * time.Millisecond
		}
		person := m.State == importer.NeedsMapping || m.State == importer.NeedsDecision || m.State == importer.Ready && m.Pause.Kind == "start"
		if m.State.Final() || person {
			if s.JSON {
				if err := printJSON(out, importJSONOf(m)); err != nil {
					return err
				}
			} else {
				printImport(out, m)
			}
			return status(m.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
