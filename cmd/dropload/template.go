package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/report/blank"
)

// templateFlags are the flags of `dropload template`.
type templateFlags struct {
	lang, out, format string
	definitions       []string
	fields, asJSON    bool
}

// newTemplate is `dropload template`. It needs no engine.
func newTemplate() *cobra.Command {
	var f templateFlags
	cmd := &cobra.Command{
		Use:   "template ENTITY",
		Short: "Write a file to fill in for an entity, or list its fields",
		Long: `Write a file to fill in for an entity: the standard column names, an example row,
and in a workbook the colours of the policies, notes, lists to choose from, and
phone numbers and codes kept as text. The file imports as it is.`,
		Example: "  dropload template contacts --lang de -o kontakte.xlsx\n  dropload template members --fields --json",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.OutOrStdout(), args[0]) },
	}
	cmd.Flags().StringVar(&f.lang, "lang", "en", "language of the headers: "+strings.Join(entity.Languages(), ", "))
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "the file to write, - for standard output (default ENTITY.xlsx)")
	cmd.Flags().StringVar(&f.format, "format", "", "xlsx or csv (default by the file's ending, else xlsx)")
	cmd.Flags().StringArrayVar(&f.definitions, "definitions", nil, "a definition file of your own entities or fields; may be repeated")
	cmd.Flags().BoolVar(&f.fields, "fields", false, "list the fields instead of writing a file")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print as JSON")
	return cmd
}

func (f *templateFlags) run(stdout io.Writer, name string) error {
	catalog, err := f.catalog()
	if err != nil {
		return err
	}
	def, ok := catalog.Entity(name)
	if !ok {
		var names []string
		for _, d := range catalog.Entities() {
			names = append(names, d.Name)
		}
		return fmt.Errorf("there is no entity %q; there are %s", name, strings.Join(names, ", "))
	}
	if f.fields {
		return f.list(stdout, catalog, def)
	}
	write, err := f.writer(def)
	if err != nil {
		return err
	}
	if f.out == "-" {
		return write(stdout, catalog, def, f.lang)
	}
	if err := writeFile(f.out, func(w io.Writer) error { return write(w, catalog, def, f.lang) }); err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(stdout, map[string]string{"entity": def.Name, "language": f.lang, "format": f.format, "file": f.out})
	}
	_, err = fmt.Fprintln(stdout, f.out)
	return err
}

// catalog is the standard one with the definition files given.
func (f *templateFlags) catalog() (*entity.Catalog, error) {
	catalog, err := entity.Standard()
	if err != nil || len(f.definitions) == 0 {
		return catalog, err
	}
	var files [][]byte
	for _, path := range f.definitions {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, data)
	}
	return catalog.With(files...)
}

// writer finds the format, and fills in where the file goes.
func (f *templateFlags) writer(def *entity.Definition) (func(io.Writer, *entity.Catalog, *entity.Definition, string) error, error) {
	if f.format == "" {
		f.format = "xlsx"
		if ext := strings.ToLower(filepath.Ext(f.out)); ext == ".csv" || ext == ".txt" {
			f.format = "csv"
		}
	}
	if f.out == "" {
		f.out = def.Name + "." + f.format
	}
	switch f.format {
	case "csv":
		return blank.Text, nil
	case "xlsx":
		return blank.Workbook, nil
	}
	return nil, fmt.Errorf("the format is %q, want xlsx or csv", f.format)
}

func (f *templateFlags) list(stdout io.Writer, catalog *entity.Catalog, def *entity.Definition) error {
	fields, err := blank.Fields(catalog, def, f.lang)
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(stdout, fields)
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, field := range fields {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", field.Name, field.Column, field.Type, field.Policy, strings.ReplaceAll(field.Note, "\n", " "))
	}
	return table.Flush()
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".dropload-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
