package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	objects "github.com/dropload/dropload/internal/object"
)

// newImport is `dropload import`.
func newImport(open opener) *cobra.Command {
	var (
		flags     stackFlags
		options   optionFlags
		withWatch bool
	)
	cmd := &cobra.Command{
		Use:   "import FILE --entity E",
		Short: "Import a file",
		Long: `Import a file: it is put into the bucket, where the feed picks it up. Without
--watch the command ends when the import has begun, and prints its id; with
--watch it follows the import and ends with its status: 0 completed, 3 completed
with rejects, 4 a person is needed, 1 failed or cancelled.`,
		Example: `  dropload import contacts.csv --entity contacts --watch
  dropload import kunden.xlsx --entity companies --country DE --unmatched create --dry-run --watch`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := options.check(); err != nil {
				return err
			}
			f, err := openFile(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			feed, intent, err := options.intent(cmd, s)
			if err != nil {
				return err
			}
			id, err := s.upload(cmd.Context(), cmd.ErrOrStderr(), source{filepath.Base(args[0]), f, f.size}, feed, intent)
			if err != nil {
				return err
			}
			if withWatch {
				return s.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), id, 0)
			}
			if s.JSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"id": id})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
	flags.add(cmd)
	options.add(cmd)
	cmd.Flags().BoolVar(&withWatch, "watch", false, "wait for the end and show it")
	return cmd
}

// source is a file to upload.
type source struct {
	name string
	body io.Reader
	size int64
}

// beginLimit is how long an import may take to begin after its file is there.
const beginLimit = time.Minute

// upload puts a file into the bucket and returns the id of its import once that
// has begun.
func (s *session) upload(ctx context.Context, progress io.Writer, file source, feed string, intent importer.Intent) (string, error) {
	key, err := s.Announce(ctx, s.Tenant, feed, strings.ToLower(rand.Text()), file.name, intent)
	if err != nil {
		return "", err
	}
	bar := s.bytes(progress, "uploading "+file.name, file.size)
	_, err = s.Objects.Put(ctx, key, bar.reader(file.body), objects.PutOptions{})
	bar.end()
	if err != nil {
		return "", fmt.Errorf("uploading %s: %w", file.name, err)
	}
	spinner := s.newBar(progress, "waiting for the import to begin", -1)
	defer spinner.end()
	limit := time.Now().Add(beginLimit)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		id, err := s.ImportOf(ctx, s.Tenant, key)
		if err != nil || id != "" {
			return id, err
		}
		if time.Now().After(limit) {
			return "", errors.New("the file is in the bucket, but no import of it began within a minute: is the stack's rule on inbox/ in place? Look at the engine's log")
		}
		spinner.add(1)
		if err := sleep(ctx, wait); err != nil {
			return "", errors.New("stopped waiting; the file is in the bucket and its import will be listed by: dropload imports")
		}
	}
}
