package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/sniff"
)

// newPropose is `dropload propose`.
func newPropose() *cobra.Command {
	var (
		asJSON     bool
		entityName string
		over       overrides
	)
	cmd := &cobra.Command{
		Use:   "propose FILE",
		Short: "Tell which column would feed which field, how surely and why",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := proposeFile(args[0], entityName, over.of(cmd))
			if err != nil && !asJSON {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			if asJSON {
				p.Error = errorOf(err)
				err = encode(out, p)
			} else {
				p.text(out)
			}
			if err := errors.Join(err, out.Flush()); err != nil {
				return err
			}
			if p.Error != nil {
				return statusError(1)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&entityName, "entity", "", "what the rows are (contacts, …); without it the entity that fits best")
	over.flags(cmd)
	return cmd
}

// proposed is the JSON of `propose --json`; docs/cli.md describes it.
type proposed struct {
	Entity      string           `json:"entity"`
	Fingerprint string           `json:"fingerprint"`
	Automatic   float64          `json:"automatic"` // the confidence that needs no person
	Columns     []proposedColumn `json:"columns"`
	// Suggestions are options that the values speak for.
	Suggestions []mapping.Suggestion `json:"suggestions"`
	Error       *errorObject         `json:"error"`
}

type proposedColumn struct {
	Column     int     `json:"column"` // from 0
	Name       string  `json:"name"`
	Field      *string `json:"field"`
	Confidence float64 `json:"confidence"`
	Reason     string  `json:"reason"`
}

func proposeFile(name, entityName string, o sniff.Override) (proposed, error) {
	p := proposed{Automatic: mapping.Automatic, Columns: []proposedColumn{}, Suggestions: []mapping.Suggestion{}}
	in := inspectFile(name, o)
	if in.err != nil {
		return p, in.err
	}
	def, proposals, err := proposeFields(entityName, &in.result)
	if err != nil {
		return p, err
	}
	p.Suggestions = append(p.Suggestions, mapping.Suggest(def, proposals, in.result.Sample)...)
	p.Entity, p.Fingerprint = def.Name, mapping.Fingerprint(in.result.Layout.Columns)
	for _, q := range proposals {
		p.Columns = append(p.Columns, proposedColumn{
			Column: q.Column, Name: in.result.Layout.Columns[q.Column], Field: orNull(q.Field), Confidence: q.Confidence, Reason: q.Reason,
		})
	}
	return p, nil
}

// proposeFields proposes a field for each column of what was found, for an
// entity or, without one, for the entity that fits best.
func proposeFields(entityName string, r *sniff.Result) (*entity.Definition, []mapping.Proposal, error) {
	catalog, err := entity.Standard()
	if err != nil {
		return nil, nil, err
	}
	headers := r.Layout.Columns
	if r.Layout.HeaderRows == 0 {
		headers = make([]string, len(headers)) // A, B, C say nothing
	}
	if entityName == "" {
		name, proposals := mapping.ProposeAny(catalog, headers, r.Sample, nil)
		def, _ := catalog.Entity(name)
		return def, proposals, nil
	}
	def, ok := catalog.Entity(entityName)
	if !ok {
		return nil, nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", entityName)}
	}
	return def, mapping.Propose(def, headers, r.Sample, nil), nil
}

// propose finds the fields of what was inspected; an entity that is not there
// is the answer's error.
func (in *inspected) propose(entityName string) {
	if in.err != nil {
		return
	}
	_, proposals, err := proposeFields(entityName, &in.result)
	in.err = err
	for _, p := range proposals {
		in.fields = append(in.fields, p.Field)
	}
}

func (p *proposed) text(w io.Writer) {
	fmt.Fprintf(w, "%s\n", p.Entity)
	for _, c := range p.Columns {
		field := "-"
		if c.Field != nil {
			field = *c.Field
		}
		sure := " "
		if c.Confidence >= p.Automatic {
			sure = "*"
		}
		fmt.Fprintf(w, "  %-28s %-24s %3.0f %% %s %s\n", c.Name, field, 100*c.Confidence, sure, c.Reason)
	}
	for _, s := range p.Suggestions {
		fmt.Fprintf(w, "  set %s to %s: %s\n", s.Option, s.Value, s.Reason)
	}
}
