package rehearsal_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/rehearsal"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/store/memory"
	"github.com/dropload/dropload/internal/table"
)

// contents are what lies in the records table.
type contents struct {
	records map[string]map[string]table.Record // by entity and key
	refs    map[string]string                  // of records, the value in the index, by "entity key"
	claims  map[string]string                  // "entity field value" → key
	names   map[string]bool                    // "entity|name|key"
	ledger  map[string]bool                    // "entity key import row amount currency expiry account"
	sums    map[string]string                  // balances, by "entity key currency", or "entity key currency@account"
}

func read(catalog *entity.Catalog, t store.Table) (*contents, error) {
	c := &contents{records: map[string]map[string]table.Record{}, refs: map[string]string{}, claims: map[string]string{}, names: map[string]bool{}, ledger: map[string]bool{}, sums: map[string]string{}}
	for _, d := range catalog.Entities() {
		c.records[d.Name] = map[string]table.Record{}
	}
	for _, it := range t.(*memory.Table).All() {
		kind := strings.Split(it.PK, "#")[1]
		if name, field, isClaim := strings.Cut(kind, "@"); isClaim {
			c.claims[name+" "+field+" "+it.SK], _ = it.Attrs["k"].(string)
			continue
		}
		if name, isName := strings.CutSuffix(kind, "~"); isName {
			c.names[name+"|"+strings.ReplaceAll(it.SK, "\x00", "|")] = true
			continue
		}
		if name, isLedger := strings.CutSuffix(kind, "$"); isLedger {
			key, _, _ := strings.Cut(it.SK, "\x00")
			a := it.Attrs
			expiry, _ := a["e"].(string)
			account, _ := a["k"].(string)
			c.ledger[fmt.Sprint(name, " ", key, " ", a["i"], " ", a["r"], " ", a["a"], " ", a["c"], " ", expiry, " ", account)] = true
			continue
		}
		if name, isBalance := strings.CutSuffix(kind, "="); isBalance {
			c.sums[name+" "+strings.ReplaceAll(it.SK, "\x00", " ")] = fmt.Sprint(it.Attrs["n"])
			continue
		}
		if strings.HasSuffix(kind, "%") {
			continue // whose an account is
		}
		def, ok := catalog.Entity(kind)
		if !ok {
			return nil, fmt.Errorf("an item under %q", it.PK)
		}
		r, err := table.Read(def, it)
		if err != nil {
			return nil, err
		}
		c.records[kind][r.Key] = r
		c.refs[kind+" "+r.Key], _ = it.Attrs[table.AttrRef].(string)
	}
	return c, nil
}

// fieldsOf are the fields of a stored record as the model keeps them, without
// the key, whose text may be made up.
func fieldsOf(def *entity.Definition, r *table.Record) map[string][]string {
	out := map[string][]string{}
	for name, v := range r.Fields {
		if name == def.Key {
			continue
		}
		out[name] = v.List
		if v.Text != "" {
			out[name] = []string{v.Text}
		}
	}
	return out
}

// witness compares what is stored with what the clerk keeps. It learns the keys
// that the product made up.
type witness struct {
	*clerk
	stage  *rehearsal.Stage
	actual map[string]string // symbol → key
	vers   map[string]int64  // "entity key" → version
	ledger map[string]bool
	sums   map[string]*big.Rat
	loose  bool // orphans are let pass, and how often a record was written
}

func newWitness(s *rehearsal.Stage) *witness {
	return &witness{clerk: newClerk(s.Catalog), stage: s, actual: map[string]string{}, vers: map[string]int64{}, ledger: map[string]bool{}, sums: map[string]*big.Rat{}}
}

// pay keeps the credits of an import that was carried out.
func (w *witness) pay(f *file, m *importer.Import, v *verdict) {
	if v.trouble != "" || f.options.DryRun {
		return
	}
	for _, c := range v.credits {
		w.ledger[ledgerID(f.entity, m.ID, &c)] = true
		id := f.entity + " " + c.key + " " + c.currency
		if c.account != "" {
			id += "@" + c.account
		}
		if w.sums[id] == nil {
			w.sums[id] = new(big.Rat)
		}
		amount, _ := new(big.Rat).SetString(c.amount)
		w.sums[id].Add(w.sums[id], amount)
	}
}

func (w *witness) key(k string) string {
	if to, key, several := strings.Cut(k, "/"); several {
		return to + "/" + w.key(key)
	}
	if strings.HasPrefix(k, "~") {
		return cmp.Or(w.actual[k], k)
	}
	return k
}

// modelled are a model record's fields with keys in the place of symbols.
func (w *witness) modelled(def *entity.Definition, r *kept) map[string][]string {
	out := map[string][]string{}
	for name, values := range r.fields {
		if name == def.Key || len(values) == 0 {
			continue
		}
		out[name] = values
		if _, f := def.Field(name); f.Ref != nil {
			out[name] = []string{w.key(values[0])}
		}
	}
	return out
}

// learn finds the records whose keys the product made up, by what they hold.
func (w *witness) learn(c *contents) error {
	definitions := w.catalog.Entities()
	slices.SortStableFunc(definitions, func(a, b *entity.Definition) int {
		rank := func(d *entity.Definition) int { // what is referred to first
			switch {
			case d.IsList:
				return 0
			case d.Name == "companies" || d.Name == "products":
				return 1
			case d.Name == "devices":
				return 3
			}
			return 2
		}
		return rank(a) - rank(b)
	})
	for _, def := range definitions {
		known := map[string]bool{}
		for key := range w.records[def.Name] {
			known[w.key(key)] = true
		}
		for _, symbol := range slices.Sorted(maps.Keys(w.records[def.Name])) {
			if w.key(symbol)[0] != '~' {
				continue
			}
			want := w.modelled(def, w.records[def.Name][symbol])
			for _, key := range slices.Sorted(maps.Keys(c.records[def.Name])) {
				r := c.records[def.Name][key]
				if !known[key] && !r.Gone && gocmp.Equal(want, fieldsOf(def, &r)) {
					w.actual[symbol], known[key] = key, true
					break
				}
			}
			if w.actual[symbol] == "" {
				return fmt.Errorf("no stored record of %s holds %v (%s)", def.Name, want, symbol)
			}
		}
	}
	return nil
}

// stored compares the records and all that belongs to them.
func (w *witness) stored(ctx context.Context) error {
	c, err := read(w.catalog, w.stage.Records)
	if err != nil {
		return err
	}
	if err := w.learn(c); err != nil {
		return err
	}
	claims, names := map[string]string{}, map[string]bool{}
	for _, def := range w.catalog.Entities() {
		for key, r := range w.records[def.Name] {
			key = w.key(key)
			got, ok := c.records[def.Name][key]
			if !ok || got.Gone {
				return fmt.Errorf("the record %s of %s is not stored", key, def.Name)
			}
			if err := w.same(def, r, &got, c.refs[def.Name+" "+key]); err != nil {
				return fmt.Errorf("%s %s: %w", def.Name, key, err)
			}
			for _, u := range def.Unique() {
				f := &def.Fields[u]
				for _, v := range foldAll(f, r.fields[f.Name]) {
					claims[def.Name+" "+f.Name+" "+v] = key
				}
			}
			if name := foldName(nameOf(def, r.fields)); name != "" && w.referredTo(def.Name) {
				names[def.Name+"|"+name+"|"+key] = true
			}
		}
		for key, r := range c.records[def.Name] {
			if _, known := w.byActual(def.Name)[key]; !known && !r.Gone {
				return fmt.Errorf("%s %s is stored and nobody made it: %v", def.Name, key, r.Fields)
			}
		}
	}
	if w.loose {
		maps.DeleteFunc(c.claims, func(id, _ string) bool { return claims[id] == "" })
		maps.DeleteFunc(c.names, func(id string, _ bool) bool { return !names[id] })
	}
	if d := gocmp.Diff(claims, c.claims); d != "" {
		return fmt.Errorf("claims (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(names, c.names); d != "" {
		return fmt.Errorf("names (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(w.ledger, c.ledger); d != "" {
		return fmt.Errorf("ledger (-want +got):\n%s", d)
	}
	sums := map[string]string{}
	for id, sum := range w.sums {
		digits, _ := sum.FloatPrec()
		sums[id] = sum.FloatString(digits)
	}
	if d := gocmp.Diff(sums, c.sums); d != "" {
		return fmt.Errorf("balances (-want +got):\n%s", d)
	}
	return ctx.Err()
}

// referredTo tells whether records of an entity are looked for by name.
func (w *witness) referredTo(entityName string) bool {
	for _, d := range w.catalog.Entities() {
		for i := range d.Fields {
			if ref := d.Fields[i].Ref; ref != nil && slices.Contains(ref.To, entityName) && slices.Contains(ref.By, "name") {
				return true
			}
		}
	}
	return false
}

func (w *witness) byActual(entityName string) map[string]*kept {
	out := map[string]*kept{}
	for key, r := range w.records[entityName] {
		out[w.key(key)] = r
	}
	return out
}

func (w *witness) same(def *entity.Definition, want *kept, got *table.Record, ref string) error {
	if d := gocmp.Diff(w.modelled(def, want), fieldsOf(def, got)); d != "" {
		return fmt.Errorf("fields (-want +got):\n%s", d)
	}
	written := want.written
	if written[0] == '~' {
		written = got.Fields[def.Key].Text
	}
	if got.Written != written || got.Fields[def.Key].Text != written {
		return fmt.Errorf("it is written %q, and its key field says %q; want %q", got.Written, got.Fields[def.Key].Text, written)
	}
	wantRef := ""
	for i := range def.Fields {
		if f := &def.Fields[i]; f.Ref != nil && len(want.fields[f.Name]) > 0 {
			wantRef = table.RefValue(rehearsal.Tenant, def.Name, f.Name, w.key(want.fields[f.Name][0]))
			break
		}
	}
	if ref != wantRef {
		return fmt.Errorf("its place in the index is %q, want %q", ref, wantRef)
	}
	return nil
}

// stamps compares who wrote each record last, and that it was written once.
func (w *witness) stamps(f *file, m *importer.Import, v *verdict) error {
	c, err := read(w.catalog, w.stage.Records)
	if err != nil {
		return err
	}
	applied := v.trouble == "" && !f.options.DryRun
	for _, def := range w.catalog.Entities() {
		for symbol, r := range w.records[def.Name] {
			key := w.key(symbol)
			got := c.records[def.Name][key]
			id := def.Name + " " + key
			was := w.vers[id]
			w.vers[id] = got.Ver
			last := got.By[len(got.By)-1]
			wrote := applied && def.Name == f.entity && v.writes[symbol]
			switch {
			case last.Ver != got.Ver:
				return fmt.Errorf("%s: version %d, but its last writer made %d", id, got.Ver, last.Ver)
			case w.loose || was == 0:
			case !wrote && was != got.Ver:
				return fmt.Errorf("%s was written though nothing changed it", id)
			case wrote && was+1 != got.Ver:
				return fmt.Errorf("%s: version %d after %d", id, got.Ver, was)
			}
			if wrote && (last.Import != m.ID || last.Row != r.row) {
				return fmt.Errorf("%s: written last for %s row %d, want row %d", id, last.Import, last.Row, r.row)
			}
		}
	}
	return nil
}

// told compares what the import says of its rows, and how it ended.
func (w *witness) told(ctx context.Context, f *file, m *importer.Import, v *verdict) error {
	if err := w.counted(ctx, f, m, v); err != nil {
		return err
	}
	state := importer.Completed
	switch {
	case v.trouble != "":
		state = importer.Failed
	case m.Rows.Rejected > 0:
		state = importer.CompletedWithRejects
	}
	trouble := ""
	if m.Trouble != nil {
		trouble = m.Trouble.Code
	}
	if m.State != state || trouble != v.trouble {
		return fmt.Errorf("it is %s (%s), want %s (%s)", m.State, trouble, state, v.trouble)
	}
	if nothing := v.trouble != "" || f.options.DryRun || len(v.writes)+len(v.credits) == 0; m.NothingWritten != nothing {
		return fmt.Errorf("nothing written: %v, want %v", m.NothingWritten, nothing)
	}
	if d := gocmp.Diff(v.held, m.Held); d != "" && len(v.held)+len(m.Held) > 0 {
		return fmt.Errorf("held back (-want +got):\n%s", d)
	}
	if m.Rows.Read == 0 {
		v.notices["no_rows"] = 1
	}
	if d := gocmp.Diff(v.notices, m.Notices); d != "" && len(v.notices)+len(m.Notices) > 0 {
		return fmt.Errorf("notices (-want +got):\n%s", d)
	}
	return nil
}

func outcomes() map[string]record.Outcome {
	return map[string]record.Outcome{
		"created": record.Created, "updated": record.Updated, "unchanged": record.Unchanged, "rejected": record.Rejected, "ignored": record.Ignored,
	}
}

// counted compares the outcomes: counts, reasons, and the two files of rows.
func (w *witness) counted(ctx context.Context, f *file, m *importer.Import, v *verdict) error {
	var rows record.Counts
	codes := map[string]int64{}
	for _, x := range v.rows {
		rows.Add(outcomes()[x.outcome], 1)
		if x.outcome == "rejected" {
			for _, p := range x.problems {
				codes[p]++
			}
		}
	}
	if d := gocmp.Diff(rows, m.Rows); d != "" {
		if key := m.Reports.Failures; key != "" {
			lines, _ := w.reported(ctx, key, len(f.columns))
			d += fmt.Sprintf("%+v", lines)
		}
		return fmt.Errorf("counts (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(codes, m.Codes); d != "" && len(codes)+len(m.Codes) > 0 {
		return fmt.Errorf("codes (-want +got):\n%s", d)
	}
	if err := w.report(ctx, f, m.Reports.Failures, v, "rejected"); err != nil {
		return fmt.Errorf("failure report: %w", err)
	}
	if err := w.report(ctx, f, m.Reports.Ignored, v, "ignored"); err != nil {
		return fmt.Errorf("ignored rows: %w", err)
	}
	return nil
}

// report compares the rows of a report: those of one outcome in the order of
// the file, each as it was, with its problems.
func (w *witness) report(ctx context.Context, f *file, key string, v *verdict, outcome string) error {
	var want, got []string
	for i, r := range f.rows {
		x := v.rows[int64(i)+2]
		if x == nil || x.outcome != outcome {
			continue
		}
		line := make([]string, len(f.columns))
		for n := range r.cells {
			line[n] = r.cells[n].text
		}
		problems := x.problems
		if outcome == "ignored" {
			problems = nil
		}
		want = append(want, fmt.Sprintf("%d %q %q", i+2, line, problems))
	}
	if key != "" {
		lines, err := w.reported(ctx, key, len(f.columns))
		if err != nil {
			return err
		}
		for _, l := range lines {
			if outcome == "ignored" {
				l.problems = nil
			}
			got = append(got, fmt.Sprintf("%d %q %q", l.number, l.cells, l.problems))
		}
	}
	if d := gocmp.Diff(want, got); d != "" {
		return fmt.Errorf("rows (-want +got):\n%s", d)
	}
	return nil
}

// reportLine is one row of a report.
type reportLine struct {
	number   int64
	cells    []string
	problems []string // sorted
}

func (w *witness) reported(ctx context.Context, key string, width int) ([]reportLine, error) {
	text, err := w.stage.Read(ctx, key)
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(strings.NewReader(string(text)))
	in.Comma, in.FieldsPerRecord = ';', -1
	all, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	var lines []reportLine
	for _, cells := range all[1:] {
		if len(cells) != width+4 {
			return nil, fmt.Errorf("a row of %d cells, want %d and 4", len(cells), width)
		}
		l := reportLine{cells: cells[:width]}
		if l.number, err = strconv.ParseInt(cells[width], 10, 64); err != nil {
			return nil, err
		}
		fields, codes := strings.Split(cells[width+1], "; "), strings.Split(cells[width+2], "; ")
		for i, code := range codes {
			field := ""
			if i < len(fields) {
				field = fields[i]
			}
			l.problems = append(l.problems, code+" "+field)
		}
		slices.Sort(l.problems)
		lines = append(lines, l)
	}
	return lines, nil
}
