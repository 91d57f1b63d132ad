package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	objects "github.com/dropload/dropload/internal/object"
)

// newReport is `dropload report`.
func newReport(open opener) *cobra.Command {
	var (
		flags            stackFlags
		ignored, summary bool
		out              string
	)
	cmd := &cobra.Command{
		Use:   "report ID",
		Short: "Fetch the file of an import's rejected or ignored rows",
		Long: `Fetch the file of an import's rejected rows: they stand in the format of the
upload, with the reason beside each. Correct the cells and import it again.`,
		Example: "  dropload report ID -o rejected.csv\n  dropload report ID --ignored -o -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ignored && summary {
				return usageError{"--ignored and --summary exclude each other"}
			}
			s, err := open(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			m, err := s.Show(cmd.Context(), s.Tenant, args[0])
			if err != nil {
				return err
			}
			key, what := m.Reports.Failures, "rejected rows"
			switch {
			case ignored:
				key, what = m.Reports.Ignored, "ignored rows"
			case summary:
				key, what = m.Reports.Summary, "summary"
			}
			switch {
			case key == "" && !m.State.Final():
				return fmt.Errorf("the import is %s: its report comes at its end; wait with: dropload watch %s", m.State, m.ID)
			case key == "":
				return fmt.Errorf("the import %s has no %s", m.ID, what)
			}
			return s.fetch(cmd, m, key, out)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&ignored, "ignored", false, "the ignored rows instead of the rejected ones")
	cmd.Flags().BoolVar(&summary, "summary", false, "the summary (JSON) instead of rows")
	cmd.Flags().StringVarP(&out, "output", "o", "", "the file to write, - for standard output (default: the report's own name, here)")
	return cmd
}

// fetch copies an object of the bucket into a file.
func (s *session) fetch(cmd *cobra.Command, m *importer.Import, key, out string) error {
	if out == "-" {
		return s.copyObject(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), key)
	}
	if out == "" {
		out = path.Base(key)
	}
	err := writeFile(filepath.Clean(out), func(w io.Writer) error {
		return s.copyObject(cmd.Context(), w, cmd.ErrOrStderr(), key)
	})
	if err != nil {
		return err
	}
	if s.JSON {
		return printJSON(cmd.OutOrStdout(), map[string]string{"id": m.ID, "file": out})
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), out)
	return err
}

func (s *session) copyObject(ctx context.Context, w, progress io.Writer, key string) error {
	body, info, err := s.Objects.Get(ctx, objects.Ref{Key: key}, objects.Range{})
	if err != nil {
		return fmt.Errorf("%s: %w", path.Base(key), err)
	}
	defer func() { _ = body.Close() }()
	bar := s.bytes(progress, "fetching "+path.Base(key), info.Size)
	defer bar.end()
	_, err = io.Copy(w, bar.reader(body))
	return err
}
