package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/infra/local"
	"github.com/dropload/dropload/internal/importer"
	objects "github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/report/columns"
	"github.com/dropload/dropload/internal/sheet/open"
	"github.com/dropload/dropload/internal/sniff"
)

//go:embed samples
var samples embed.FS

const demoTenant = "demo"

// newDemo is `dropload demo`. up brings the stack up and connects to it.
func newDemo(up opener) *cobra.Command {
	var flags stackFlags
	return &cobra.Command{
		Use:   "demo",
		Short: "Set everything up, import sample files, show result and failure report",
		Long: `Bring the local stack up, import a file of companies and an ugly one of their
contacts through the bucket, and show what became of every row. It may be run
again and again: what is there already stays unchanged.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.tenant = demoTenant
			s, err := up(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			return s.demo(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// upAndOpen brings the local stack up and connects to it.
func upAndOpen(ctx context.Context, f *stackFlags) (*session, error) {
	if err := local.Isolate(); err != nil {
		return nil, err
	}
	stack, err := local.Up(ctx, local.Options{Prepare: prepareTenant(f.tenant), Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	i, err := connect(ctx, &stack, stack.LoadOptions()...)
	if err != nil {
		return nil, err
	}
	return &session{Importer: i, Tenant: f.tenant, JSON: f.json}, nil
}

// demo imports the samples and shows what became of them. The last line that it
// prints is a contract: see docs/cli.md.
func (s *session) demo(ctx context.Context, out, progress io.Writer) error {
	var done []*importer.Import
	for _, sample := range []struct{ feed, country string }{{"companies", ""}, {"contacts", "DE"}} {
		m, err := s.importSample(ctx, progress, sample.feed, sample.country)
		if err != nil {
			return err
		}
		done = append(done, m)
	}
	fmt.Fprintln(out)
	t := newTable(out)
	t.row("file", "read", "created", "updated", "unchanged", "rejected", "ignored", "state")
	for _, m := range done {
		r := m.Rows
		t.row(m.File.Name, r.Read, r.Created, r.Updated, r.Unchanged, r.Rejected, r.Ignored, describe(m))
	}
	if err := t.flush(); err != nil {
		return err
	}
	m := done[len(done)-1]
	if m.Reports.Failures != "" {
		if err := s.reportHead(ctx, out, m); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nThe records: %s records contacts\n\n", program())
	_, err := fmt.Fprintln(out, "demo: "+equation(m.Rows))
	return err
}

// importSample imports a sample to its end.
func (s *session) importSample(ctx context.Context, progress io.Writer, feed, country string) (*importer.Import, error) {
	name := feed + ".csv"
	data, err := samples.ReadFile("samples/" + name)
	if err != nil {
		return nil, err
	}
	var intent importer.Intent
	if country != "" {
		options, err := s.OptionsOf(ctx, s.Tenant, feed)
		if err != nil {
			return nil, err
		}
		options.Country = country
		intent.Options = &options
	}
	fmt.Fprintf(progress, "\n%s into %s\n", name, importer.InboxPrefix(s.Tenant, feed))
	id, err := s.upload(ctx, progress, source{name, bytes.NewReader(data), int64(len(data))}, feed, intent)
	if err != nil {
		return nil, err
	}
	m, err := s.follow(ctx, progress, id, 0, settled)
	if err != nil {
		return nil, err
	}
	switch {
	case m.State == importer.Completed || m.State == importer.CompletedWithRejects:
		return m, nil
	case m.Trouble != nil:
		return nil, fmt.Errorf("%s: %s: %s", name, m.Trouble.Code, m.Trouble.Message)
	}
	return nil, fmt.Errorf("%s: the import is %s; see: %s show %s", name, describe(m), program(), m.ID)
}

// program is how this program was called.
func program() string {
	if strings.ContainsRune(os.Args[0], os.PathSeparator) {
		return os.Args[0]
	}
	return "dropload"
}

// headRows are the rows that the demo shows of a report.
const headRows = 8

// reportHead shows the head of an import's failure report, read as any file is.
func (s *session) reportHead(ctx context.Context, out io.Writer, m *importer.Import) error {
	rows, err := s.reportRows(ctx, m.Reports.Failures)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe first rejected rows:\n\n")
	t := newTable(out)
	t.row("row", "field", "code", "reason")
	for _, row := range rows {
		t.row(row[columns.Row], row[columns.Field], row[columns.Code], short(row[columns.Reason]))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nAll %d of them, as a file to repair and import again: %s report %s -o contacts.rejected.csv\n",
		m.Rows.Rejected, program(), m.ID)
	return err
}

// reportRows reads the added columns of a report's first rows.
func (s *session) reportRows(ctx context.Context, key string) (rows [][]string, err error) {
	body, _, err := s.Objects.Get(ctx, objects.Ref{Key: key}, objects.Range{})
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	src := bytes.NewReader(data)
	found, err := sniff.Inspect(src, key, sniff.Override{})
	if err != nil {
		return nil, err
	}
	added := columns.Recognise(found.Layout.Columns)
	if added != columns.Count {
		return nil, fmt.Errorf("%s has %d of the %d columns that a report adds", key, added, columns.Count)
	}
	reader, err := open.Open(src, found.Layout)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	first := len(found.Layout.Columns) - added
	for len(rows) < headRows {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row.Number < found.Layout.DataFrom() || row.IsBlank() {
			continue
		}
		cells := append(texts(row), slices.Repeat([]string{""}, len(found.Layout.Columns))...)
		rows = append(rows, cells[first:first+columns.Count])
	}
	return rows, nil
}

// short cuts a text for a line on a terminal.
func short(text string) string {
	const most = 100
	if r := []rune(text); len(r) > most {
		return strings.TrimSpace(string(r[:most])) + "…"
	}
	return text
}
