package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff"
)

// newInspect is `dropload inspect`.
func newInspect() *cobra.Command {
	var (
		asJSON     bool
		batch      string
		entityName string
		over       overrides
	)
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Tell how a file would be read, on which evidence and how surely",
		Args:  fileOrBatch(&batch),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			if batch == "" {
				in := inspectFile(args[0], over.of(cmd))
				in.propose(entityName)
				if err := in.print(out, asJSON); err != nil {
					return err
				}
				if in.err != nil {
					return statusError(1)
				}
				return nil
			}
			return eachLine(batch, func(_ int, name string) error {
				in := inspectFile(name, over.of(cmd))
				in.propose(entityName)
				return in.print(out, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a file")
	cmd.Flags().StringVar(&batch, "batch", "", "inspect the files listed in this file, one path a line")
	cmd.Flags().StringVar(&entityName, "entity", "", "what the rows are (contacts, …); without it the entity that fits best")
	over.flags(cmd)
	return cmd
}

// overrides are the flags that fix what would be found.
type overrides struct {
	encoding, delimiter, quote, escape, sheetName string
	sheet, preamble, header, footer               int
}

func (f *overrides) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.encoding, "encoding", "", "read the text in this encoding")
	cmd.Flags().StringVar(&f.delimiter, "delimiter", "", `split cells at this (\t for a tab)`)
	cmd.Flags().StringVar(&f.quote, "quote", "", "take this for the quote; empty for none")
	cmd.Flags().StringVar(&f.escape, "escape", "", "take this for the escape; empty for none")
	cmd.Flags().IntVar(&f.sheet, "sheet", 0, "read this sheet, counted from 0")
	cmd.Flags().StringVar(&f.sheetName, "sheet-name", "", "read the sheet of this name")
	cmd.Flags().IntVar(&f.preamble, "preamble-rows", 0, "skip this many records before the header")
	cmd.Flags().IntVar(&f.header, "header-rows", 0, "take this many records for the header")
	cmd.Flags().IntVar(&f.footer, "footer-rows", 0, "leave out this many records at the end")
}

// of is what was set on the command line. The sheet is the first one unless
// another is asked for, so that the answer does not depend on what is in it.
func (f *overrides) of(cmd *cobra.Command) sniff.Override {
	set := func(name string, v *string) *string {
		if !cmd.Flags().Changed(name) {
			return nil
		}
		s := strings.ReplaceAll(*v, `\t`, "\t")
		return &s
	}
	number := func(name string, v *int) *int {
		if !cmd.Flags().Changed(name) {
			return nil
		}
		return v
	}
	o := sniff.Override{
		Encoding:   set("encoding", &f.encoding),
		Delimiter:  set("delimiter", &f.delimiter),
		Quote:      set("quote", &f.quote),
		Escape:     set("escape", &f.escape),
		SheetName:  set("sheet-name", &f.sheetName),
		Sheet:      number("sheet", &f.sheet),
		Preamble:   number("preamble-rows", &f.preamble),
		HeaderRows: number("header-rows", &f.header),
		FooterRows: number("footer-rows", &f.footer),
	}
	if o.Sheet == nil && o.SheetName == nil {
		o.Sheet = &f.sheet
	}
	return o
}

// fileOrBatch asks for exactly one of a file and a list of files.
func fileOrBatch(batch *string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if (len(args) == 1) == (*batch == "") && len(args) < 2 {
			return nil
		}
		return errors.New("give one FILE, or --batch LIST")
	}
}

// eachLine calls do with each line of a file and its number from 1.
func eachLine(name string, do func(n int, line string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	n := 0
	for lines.Scan() {
		n++
		if err := do(n, lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// file is a sheet.Source on disk.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

func openFile(name string) (file, error) {
	f, err := os.Open(name)
	if err != nil {
		return file{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return file{}, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return file{}, errors.Join(&fault.BadFile{Code: "unknown-format", Message: name + " is no file."}, f.Close())
	}
	return file{f, info.Size()}, nil
}

// inspected is the answer for one file.
type inspected struct {
	name   string
	result sniff.Result
	err    error
	fields []string // the field that each column would feed; "" is none
}

func inspectFile(name string, o sniff.Override) inspected {
	in := inspected{name: name}
	f, err := openFile(name)
	if err != nil {
		in.err = err
		return in
	}
	defer f.Close()
	in.result, in.err = sniff.Inspect(f, filepath.Base(name), o)
	if isEmpty(in.err) {
		// Nothing in it is no mistake here: it is a table without rows.
		in.err, in.result.Layout.Format = nil, sheet.CSV
		in.result.Findings = []sniff.Finding{{What: "format", Answer: string(sheet.CSV), Confidence: 1, Why: "the file is empty"}}
	}
	return in
}

func isEmpty(err error) bool {
	var bad *fault.BadFile
	return errors.As(err, &bad) && bad.Code == "empty"
}

func (in inspected) print(out *bufio.Writer, asJSON bool) error {
	if asJSON {
		return errors.Join(encode(out, in.object()), out.Flush())
	}
	in.text(out)
	return out.Flush()
}

// encode writes one line of JSON.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// errorObject is an error as JSON: a stable code, and a message for people.
type errorObject struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func errorOf(err error) *errorObject {
	var (
		bad     *fault.BadFile
		refused *fault.Refused
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return &errorObject{bad.Code, bad.Message}
	case errors.As(err, &refused):
		return &errorObject{refused.Code, refused.Message}
	}
	return &errorObject{"internal", err.Error()}
}

type column struct {
	Name  string  `json:"name"`
	Field *string `json:"field"`
}

// object is the JSON of `inspect --json`; docs/cli.md describes it.
type object struct {
	Format       sheet.Format      `json:"format"`
	Compression  []string          `json:"compression,omitempty"`
	Encoding     *string           `json:"encoding"`
	Delimiter    *string           `json:"delimiter"`
	Quote        *string           `json:"quote"`
	Escape       *string           `json:"escape"`
	Newline      *string           `json:"newline"`
	PreambleRows int               `json:"preamble_rows"`
	HeaderRows   int               `json:"header_rows"`
	FooterRows   int               `json:"footer_rows"`
	Columns      []column          `json:"columns"`
	Sheets       []sniff.SheetInfo `json:"sheets"`
	Confidence   float64           `json:"confidence"`
	Findings     []sniff.Finding   `json:"findings"`
	Error        *errorObject      `json:"error"`
}

func (in inspected) object() object {
	l := in.result.Layout
	o := object{
		Format: l.Format, Compression: l.Compression, Encoding: orNull(l.Encoding), Delimiter: orNull(l.Delimiter),
		Quote: orNull(l.Quote), Escape: orNull(l.Escape), Newline: orNull(l.Newline), PreambleRows: l.Preamble,
		HeaderRows: l.HeaderRows, FooterRows: l.FooterRows, Columns: []column{}, Sheets: in.result.Sheets,
		Confidence: in.result.Confidence(), Findings: in.result.Findings, Error: errorOf(in.err),
	}
	if o.Format == "" {
		o.Format = sheet.UnknownFormat
	}
	for i, name := range l.Columns {
		c := column{Name: name}
		if i < len(in.fields) {
			c.Field = orNull(in.fields[i])
		}
		o.Columns = append(o.Columns, c)
	}
	return o
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// text prints the findings for people.
func (in inspected) text(w io.Writer) {
	fmt.Fprintln(w, in.name)
	for _, f := range in.result.Findings {
		fmt.Fprintf(w, "  %-12s %-24s %3.0f %%  %s\n", f.What, visible(f.Answer), 100*f.Confidence, f.Why)
	}
	for i, s := range in.result.Sheets {
		hidden := ""
		if s.Hidden {
			hidden = " (hidden)"
		}
		fmt.Fprintf(w, "  sheet %d      %s, %d rows%s\n", i, s.Name, s.Rows, hidden)
	}
	if n := len(in.result.Layout.Columns); n > 0 && in.err == nil {
		const most = 50
		fmt.Fprintf(w, "  %d columns: %s\n", n, strings.Join(in.result.Layout.Columns[:min(n, most)], " · "))
	}
	if e := errorOf(in.err); e != nil {
		fmt.Fprintf(w, "  error: %s (%s)\n", e.Message, e.Code)
	}
}

// visible makes a delimiter or line end visible.
func visible(s string) string {
	if s == "" {
		return "none"
	}
	if strings.TrimSpace(s) == s && !strings.ContainsAny(s, "\x00\x01\x1f") {
		return s
	}
	return fmt.Sprintf("%q", s)
}
