package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/sniff"
)

// optionFlags are the options of one import on the command line.
type optionFlags struct {
	entity, feed, template          string
	dryRun, attended, missing       bool
	country, decimal, list, clear   string
	zone, language, matchOn         string
	mode, unmatched, repeats, start string
	startAt                         string
	dates, onlyWhere, replace       []string
	tolerated                       float64
	layout                          overrides
}

func (f *optionFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.entity, "entity", "", "what the file holds: companies, contacts, …")
	flags.StringVar(&f.feed, "feed", "", "the feed that it goes to (default: the entity's)")
	flags.StringVar(&f.template, "template", "", "a saved template to use instead of the feed's")
	flags.BoolVar(&f.dryRun, "dry-run", false, "plan and report, write nothing")
	flags.BoolVar(&f.attended, "attended", false, "ask where something is unclear instead of rejecting rows")
	flags.StringVar(&f.country, "country", "", "country of national phone numbers, such as DE")
	flags.StringArrayVar(&f.dates, "date-format", nil, "how dates are written, such as DD.MM.YYYY; may be repeated")
	flags.StringVar(&f.decimal, "decimal-mark", "", "decimal mark of numbers: . or ,")
	flags.StringVar(&f.list, "separator", "", "what separates the values of a list within a cell")
	flags.StringVar(&f.clear, "clear-mark", "", "the text that empties a field (default <clear>)")
	flags.StringVar(&f.zone, "time-zone", "", "zone of times that name none, such as Europe/Berlin")
	flags.StringVar(&f.mode, "mode", "", "create_and_update, create_only or update_only")
	flags.StringVar(&f.matchOn, "match-on", "", "the unique field by which rows find their records")
	flags.StringArrayVar(&f.replace, "replace-list", nil, "a list field to replace instead of adding to it; may be repeated")
	flags.BoolVar(&f.missing, "generate-missing", false, "make values of lists that are not there yet")
	flags.StringVar(&f.unmatched, "unmatched", "", "references to records that are not there: ask, create, reject or ignore")
	flags.StringVar(&f.repeats, "repeats", "", "rows that repeat a key: in_order, last or reject")
	flags.StringArrayVar(&f.onlyWhere, "only-where", nil, "ignore rows without a value in this column; may be repeated")
	flags.Float64Var(&f.tolerated, "tolerated-share", 1, "share of rejected rows, 0 to 1, above which nothing is written")
	flags.StringVar(&f.start, "start", "", "now or on_word: plan, then wait for `dropload start`")
	flags.StringVar(&f.startAt, "start-at", "", "when to write, such as 2026-03-01T06:00:00+01:00")
	flags.StringVar(&f.language, "language", "", "language of the report: en, de, es, fr or lt")
	f.layout.flags(cmd)
}

// check refuses what no stack needs to be asked for.
func (f *optionFlags) check() error {
	if f.entity == "" && f.feed == "" && f.template == "" {
		return usageError{"say what the file holds: --entity contacts, or the feed that it goes to: --feed NAME"}
	}
	for _, word := range []struct {
		flag, value string
		words       []string
	}{
		{"mode", f.mode, []string{"create_and_update", "create_only", "update_only"}},
		{"unmatched", f.unmatched, []string{"ask", "create", "reject", "ignore"}},
		{"repeats", f.repeats, []string{"in_order", "last", "reject"}},
		{"start", f.start, []string{"now", "on_word"}},
		{"decimal-mark", f.decimal, []string{".", ","}},
		{"language", f.language, []string{"en", "de", "es", "fr", "lt"}},
	} {
		if word.value != "" && !slices.Contains(word.words, word.value) {
			return usageError{fmt.Sprintf("--%s is %q; it takes %s", word.flag, word.value, strings.Join(word.words, ", "))}
		}
	}
	if f.startAt != "" {
		if _, err := time.Parse(time.RFC3339, f.startAt); err != nil {
			return usageError{fmt.Sprintf("--start-at is %q; write it as 2026-03-01T06:00:00+01:00", f.startAt)}
		}
		if f.start != "" {
			return usageError{"--start and --start-at exclude each other"}
		}
	}
	if f.tolerated < 0 || f.tolerated > 1 {
		return usageError{fmt.Sprintf("--tolerated-share is %g; it takes a number from 0 to 1", f.tolerated)}
	}
	return nil
}

// optionNames are the flags that make up mapping.Options.
func optionNames() []string {
	return []string{
		"dry-run", "country", "date-format", "decimal-mark", "separator", "clear-mark", "time-zone", "mode", "match-on",
		"replace-list", "generate-missing", "unmatched", "repeats", "only-where", "tolerated-share", "start", "start-at",
		"language",
	}
}

// layoutNames are the flags that make up the options' layout.
func layoutNames() []string {
	return []string{
		"encoding", "delimiter", "quote", "escape", "sheet", "sheet-name", "preamble-rows", "header-rows", "footer-rows",
	}
}

// intent finds the feed, and says what is to be done with the file as far as it
// is not what the feed says.
func (f *optionFlags) intent(cmd *cobra.Command, s *session) (feed string, in importer.Intent, err error) {
	ctx := cmd.Context()
	in.Attended = f.attended
	if f.template != "" {
		t, err := s.NewestTemplate(ctx, s.Tenant, f.template)
		if err != nil {
			return "", in, err
		}
		in.Template = &t
	}
	feed, err = f.feedOf(cmd, s, in.Template)
	if err != nil {
		return "", in, err
	}
	changed := func(name string) bool { return cmd.Flags().Changed(name) }
	if !slices.ContainsFunc(append(optionNames(), layoutNames()...), changed) {
		return feed, in, nil
	}
	var o mapping.Options
	if in.Template != nil {
		o = in.Template.Options
	} else if o, err = s.OptionsOf(ctx, s.Tenant, feed); err != nil {
		return "", in, err
	}
	f.over(&o, cmd)
	in.Options = &o
	return feed, in, nil
}

// feedOf is the feed that a file goes to.
func (f *optionFlags) feedOf(cmd *cobra.Command, s *session, t *mapping.Template) (string, error) {
	if f.entity != "" {
		if _, err := s.entity(cmd.Context(), f.entity); err != nil {
			return "", err
		}
	}
	entity := f.entity
	if t != nil {
		if entity != "" && entity != t.Entity {
			return "", usageError{fmt.Sprintf("the template %s is for %s, not for %s", f.template, t.Entity, entity)}
		}
		entity = t.Entity
	}
	if f.feed == "" || entity == "" || t != nil {
		return cmp.Or(f.feed, entity), nil
	}
	feeds, err := s.Feeds(cmd.Context(), s.Tenant)
	if err != nil {
		return "", err
	}
	for _, feed := range feeds {
		if feed.Name == f.feed && feed.Entity != entity {
			return "", usageError{fmt.Sprintf("the feed %s is for %s, not for %s", f.feed, feed.Entity, entity)}
		}
	}
	return f.feed, nil
}

// over puts the flags that were given over options.
func (f *optionFlags) over(o *mapping.Options, cmd *cobra.Command) {
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&o.Country, strings.ToUpper(f.country))
	set(&o.DecimalMark, f.decimal)
	set(&o.Separator, f.list)
	set(&o.ClearMark, f.clear)
	set(&o.TimeZone, f.zone)
	set(&o.Language, f.language)
	set(&o.MatchOn, f.matchOn)
	set((*string)(&o.Mode), f.mode)
	set((*string)(&o.Unmatched), f.unmatched)
	set((*string)(&o.Repeats), f.repeats)
	set((*string)(&o.Start), f.start)
	if at, err := time.Parse(time.RFC3339, f.startAt); err == nil {
		o.Start, o.StartAt = mapping.At, at.UTC()
	}
	for to, from := range map[*[]string][]string{&o.DateFormats: f.dates, &o.OnlyWhere: f.onlyWhere, &o.ReplaceLists: f.replace} {
		if len(from) > 0 {
			*to = from
		}
	}
	for name, to := range map[string]func(){
		"dry-run":          func() { o.DryRun = f.dryRun },
		"generate-missing": func() { o.GenerateMissing = f.missing },
		"tolerated-share":  func() { o.ToleratedShare = &f.tolerated },
	} {
		if cmd.Flags().Changed(name) {
			to()
		}
	}
	o.Layout = f.layoutOver(o.Layout, cmd)
}

// layoutOver puts what the flags say of the file over what is known of it.
func (f *optionFlags) layoutOver(known sniff.Override, cmd *cobra.Command) sniff.Override {
	given := f.layout.of(cmd)
	if cmd.Flags().Changed("sheet") || cmd.Flags().Changed("sheet-name") {
		known.Sheet, known.SheetName = nil, given.SheetName
		if cmd.Flags().Changed("sheet") {
			known.Sheet = given.Sheet
		}
	}
	known.Encoding, known.Delimiter = cmp.Or(given.Encoding, known.Encoding), cmp.Or(given.Delimiter, known.Delimiter)
	known.Quote, known.Escape = cmp.Or(given.Quote, known.Quote), cmp.Or(given.Escape, known.Escape)
	known.Preamble, known.HeaderRows = cmp.Or(given.Preamble, known.Preamble), cmp.Or(given.HeaderRows, known.HeaderRows)
	known.FooterRows = cmp.Or(given.FooterRows, known.FooterRows)
	return known
}
