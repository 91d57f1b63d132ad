package rehearsal_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/mapping"
)

// The oracle is an import as a careful clerk does it who takes the rows one by
// one. It shares no code with the product but the definitions of the entities,
// which are data. Its rules are those of the design:
//
//   - References, and records that rows without a key mean, are looked up among
//     what is stored when the import begins.
//   - A row takes all of its unique values or none. One that a record gives up
//     in the import is free from the next import on, unless the record only took
//     it in this one.
//   - Rows that change a record back and forth leave its rows unchanged.
//   - A record that is named and not there is made if a row took it, to a record
//     that is written. Its key is made of its name, for ever,
//     and its name is written as the first good row writes it.
//   - Points are credited once for each row that is taken, unless their currency
//     is missing. A file whose credits are those of another asks first.

// kept is a stored record of the model. Keys that the product makes up are
// symbols here, which begin with "~".
type kept struct {
	key, written string
	fields       map[string][]string
	row          int64 // the last row that changed it, in the last import that did
}

// clerk keeps the records.
type clerk struct {
	catalog  *entity.Catalog
	records  map[string]map[string]*kept // by entity and key
	serial   int                         // of imports
	accounts map[string]string           // whose each account is
	credited map[string]bool             // the credits of each import, by what they say
}

// credit is a line of a member's ledger.
type credit struct {
	key                               string
	row                               int64
	amount, currency, expiry, account string
}

// fate is what becomes of one row.
type fate struct {
	outcome  string   // as record.Outcome says it
	problems []string // "code field", sorted
	key      string   // of the record it is about; "" for none
}

// verdict is what becomes of a file.
type verdict struct {
	rows    map[int64]*fate
	held    map[string]int64
	trouble string          // why nothing was written
	writes  map[string]bool // keys of records written
	credits []credit
	paid    map[string]bool // keys of records credited
	again   bool            // the very credits were made before, so that a person is asked
	notices map[string]int64
	made    map[string]int // records made on the way, by entity
}

func newClerk(catalog *entity.Catalog) *clerk {
	c := &clerk{catalog: catalog, records: map[string]map[string]*kept{}, accounts: map[string]string{}, credited: map[string]bool{}}
	for _, d := range catalog.Entities() {
		c.records[d.Name] = map[string]*kept{}
	}
	return c
}

// fold is the compared form of a field's value, as far as the pools need it.
func fold(f *entity.Field, s string) string {
	if f.Type == entity.Code || f.Type == entity.Email || f.IgnoreCase {
		return strings.ToLower(s)
	}
	return s
}

func foldAll(f *entity.Field, values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fold(f, v)
	}
	return out
}

// foldName is the compared form of a name.
func foldName(s string) string {
	return strings.NewReplacer("ü", "u", "ö", "o").Replace(strings.Join(strings.Fields(strings.ToLower(s)), " "))
}

func nameOf(def *entity.Definition, fields map[string][]string) string {
	from := def.NameFrom
	if def.NameField != "" {
		from = []string{def.NameField}
	}
	var parts []string
	for _, name := range from {
		parts = append(parts, fields[name]...)
	}
	return strings.Join(parts, " ")
}

// task is one import under the clerk's hands.
type task struct {
	*clerk
	f     *file
	def   *entity.Definition
	id    int
	out   *verdict
	lines []*line
	of    map[string][]*line // by key
	made  []*kept            // on the way
	// start is what was stored, now what is.
	start, now map[string]*kept
	owner      map[string]string // unique values at the start: "field value" → key
	taken      map[string]string // those taken since
	wrote      map[string]string // how a record to be made is written first, by symbol
	credits    string            // what the credits say
}

// line is a good row on its way.
type line struct {
	number int64
	key    string
	wrote  string
	cells  map[string]cell // by field, blank ones left out
	took   []string        // symbols of records to be made that it refers to now
}

// take works an import out. The records are changed by commit.
func (c *clerk) take(f *file) *task {
	c.serial++
	def, _ := c.catalog.Entity(f.entity)
	t := &task{
		clerk: c, f: f, def: def, id: c.serial,
		out: &verdict{
			rows: map[int64]*fate{}, held: map[string]int64{}, writes: map[string]bool{}, paid: map[string]bool{}, made: map[string]int{}, notices: map[string]int64{},
		},
		start: c.records[f.entity], now: maps.Clone(c.records[f.entity]), owner: map[string]string{}, taken: map[string]string{},
		wrote: map[string]string{}, of: map[string][]*line{},
	}
	for key, r := range t.start {
		for _, u := range def.Unique() {
			field := &def.Fields[u]
			for _, v := range foldAll(field, r.fields[field.Name]) {
				t.owner[field.Name+" "+v] = key
			}
		}
	}
	for i := range f.rows {
		t.read(int64(i)+2, &f.rows[i])
	}
	for _, l := range t.lines {
		t.of[l.key] = append(t.of[l.key], l)
	}
	for _, l := range t.lines {
		t.out.rows[l.number] = t.row(l, t.of[l.key])
	}
	t.settle()
	return t
}

func (t *task) reject(number int64, key string, problems ...string) *fate {
	slices.Sort(problems)
	x := &fate{outcome: "rejected", problems: problems, key: key}
	t.out.rows[number] = x
	return x
}

// read takes a row as it stands, and finds whose it is.
func (t *task) read(number int64, r *row) {
	if r.header || r.blank() {
		return
	}
	l := &line{number: number, cells: map[string]cell{}}
	var problems []string
	for i, column := range t.f.columns {
		x := r.cells[i]
		if slices.Contains(t.f.options.OnlyWhere, column) && x.text == "" {
			t.out.rows[number] = &fate{outcome: "ignored"}
			return
		}
		switch {
		case x.bad != "":
			problems = append(problems, x.bad+" "+column)
		case x.clear || len(x.means) > 0:
			l.cells[column] = x
		}
	}
	for i := range t.def.Fields {
		f := &t.def.Fields[i]
		if f.EveryRow && len(l.cells[f.Name].means) == 0 && !slices.ContainsFunc(problems, func(p string) bool { return strings.HasSuffix(p, " "+f.Name) }) {
			problems = append(problems, "required_missing "+f.Name)
		}
	}
	if len(problems) > 0 {
		t.reject(number, "", problems...)
		return
	}
	for i := range t.def.Fields {
		if f := &t.def.Fields[i]; f.Ref != nil && len(l.cells[f.Name].means) > 0 {
			symbol := madeSymbol(f.Ref.To[0], l.cells[f.Name].means[0])
			t.wrote[symbol] = cmp.Or(t.wrote[symbol], l.cells[f.Name].means[0])
		}
	}
	if problem := t.identify(l); problem != "" {
		t.reject(number, "", problem)
		return
	}
	t.lines = append(t.lines, l)
}

// identify finds the key of a row: its own, that of the record with its unique
// value, or a new one.
func (t *task) identify(l *line) string {
	keyField := t.def.KeyField()
	if own := l.cells[t.def.Key].means; len(own) > 0 {
		l.key, l.wrote = fold(keyField, own[0]), own[0]
	}
	field, value := "", ""
	for _, u := range t.def.Unique() {
		f := &t.def.Fields[u]
		if f.List || field != "" || t.f.options.MatchOn != "" && t.f.options.MatchOn != f.Name {
			continue
		}
		if v := l.cells[f.Name].means; len(v) > 0 {
			field, value = f.Name, fold(f, v[0])
		}
	}
	found := t.owner[field+" "+value]
	switch {
	case l.key != "":
		if t.f.options.MatchOn != "" && found != "" && found != l.key {
			return "match_conflict " + field
		}
	case found != "":
		l.key, l.wrote = found, t.start[found].written
	case field != "":
		l.key = fmt.Sprintf("~%d %s %s %s", t.id, t.def.Name, field, value)
	case !keyField.Generated:
		return "required_missing " + t.def.Key
	default:
		l.key = "~" + t.def.Name
		for i := range t.def.Fields {
			name := t.def.Fields[i].Name
			x, there := l.cells[name]
			if !there || x.clear {
				continue
			}
			says := strings.Join(x.means, "|")
			if t.def.Fields[i].Ref != nil {
				says = strings.ToLower(says)
			}
			l.key += fmt.Sprintf(" %s:%s", name, says)
		}
	}
	if l.wrote == "" {
		l.wrote = l.key
	}
	return ""
}

// row does one row.
func (t *task) row(l *line, repeats []*line) *fate {
	x := &fate{outcome: "rejected", key: l.key}
	stored := t.now[l.key]
	switch {
	case t.f.options.Repeats == mapping.LastOnly && l != repeats[len(repeats)-1]:
		x.outcome = "ignored"
		return x
	case t.f.options.Repeats == mapping.RejectRepeats && l != repeats[0]:
		x.problems = []string{"key_repeated " + t.def.Key}
		return x
	}
	given, ignored, problems := t.refer(l)
	switch {
	case len(problems) > 0:
		return t.reject(l.number, l.key, problems...)
	case ignored:
		x.outcome = "ignored"
		return x
	case t.f.options.Mode == mapping.UpdateOnly && stored == nil:
		return t.reject(l.number, l.key, "record_missing "+t.def.Key)
	case t.f.options.Mode == mapping.CreateOnly && stored != nil:
		x.outcome = "unchanged"
		return x
	}
	next, held, problems := t.merge(stored, l, given)
	if len(problems) > 0 {
		return t.reject(l.number, l.key, problems...)
	}
	pay, pays := t.pay(l)
	if problems := t.claim(stored, next, pay); len(problems) > 0 {
		return t.reject(l.number, l.key, problems...)
	}
	for _, name := range held {
		t.out.held[name]++
	}
	for i := range t.def.Fields {
		if f := &t.def.Fields[i]; stored == nil && f.Wanted && len(next.fields[f.Name]) == 0 {
			t.out.notices["missing_"+f.Name]++
		}
	}
	if pays {
		t.out.credits = append(t.out.credits, pay)
	} else if pay.amount != "" {
		t.out.notices["points_without_currency"]++
	}
	switch {
	case stored == nil:
		x.outcome = "created"
	case !maps.EqualFunc(stored.fields, next.fields, slices.Equal[[]string]):
		x.outcome = "updated"
	case pays:
		x.outcome = "updated"
		return x
	default:
		x.outcome = "unchanged"
		return x
	}
	next.row = l.number
	t.now[l.key] = next
	for name, found := range given {
		if strings.HasPrefix(found[0], "~made ") && slices.Equal(next.fields[name], found) && (stored == nil || !slices.Equal(stored.fields[name], found)) {
			l.took = append(l.took, found[0])
		}
	}
	return x
}

// pay is the credit that the row asks for, and whether it is made.
func (t *task) pay(l *line) (credit, bool) {
	says := func(field string) string {
		if _, f := t.def.Field(field); f == nil || len(l.cells[field].means) == 0 {
			return ""
		}
		return l.cells[field].means[0]
	}
	c := credit{l.key, l.number, says("points"), says("points_currency"), says("points_expiry"), says("points_account")}
	if c.amount == "0" {
		c.amount = ""
	}
	return c, c.amount != "" && c.currency != ""
}

// refer finds what the row refers to, by key, then by name.
func (t *task) refer(l *line) (given map[string][]string, ignored bool, problems []string) {
	given = map[string][]string{}
	for i := range t.def.Fields {
		f := &t.def.Fields[i]
		name := l.cells[f.Name].means
		if f.Ref == nil || len(name) == 0 {
			continue
		}
		found := t.find(f.Ref, name[0])
		if len(found) == 1 {
			given[f.Name] = found
			continue
		}
		to, _ := t.catalog.Entity(f.Ref.To[0])
		create := t.f.options.Unmatched == mapping.CreateMissing
		if to.IsList {
			create = t.f.options.GenerateMissing
		}
		switch {
		case create && len(found) == 0 && to.KeyField().Generated && len(to.RequireAny) == 0:
			given[f.Name] = []string{madeSymbol(to.Name, name[0])}
		case !to.IsList && t.f.options.Unmatched == mapping.IgnoreRow:
			ignored = true
		case len(found) > 1:
			problems = append(problems, "reference_ambiguous "+f.Name)
		default:
			problems = append(problems, "reference_unknown "+f.Name)
		}
	}
	return given, ignored, problems
}

func madeSymbol(entityName, name string) string { return "~made " + entityName + " " + foldName(name) }

// find are the records that a text names: by key, else by a unique field, else
// by name, as far as the field is looked up by these.
func (t *task) find(ref *entity.Reference, text string) []string {
	for _, by := range []string{"key", "unique", "name"} {
		var found []string
		for _, to := range ref.To {
			def, _ := t.catalog.Entity(to)
			for _, key := range slices.Sorted(maps.Keys(t.records[to])) {
				if !named(def, t.records[to][key], ref.By, by, text) {
					continue
				}
				if len(ref.To) > 1 {
					key = to + "/" + key
				}
				found = append(found, key)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func named(def *entity.Definition, r *kept, allowed []string, by, text string) bool {
	switch by {
	case "key":
		return r.key == fold(def.KeyField(), text)
	case "name":
		return slices.Contains(allowed, "name") && foldName(nameOf(def, r.fields)) == foldName(text)
	}
	for _, u := range def.Unique() {
		f := &def.Fields[u]
		if slices.Contains(allowed, f.Name) && slices.Contains(foldAll(f, r.fields[f.Name]), fold(f, text)) {
			return true
		}
	}
	return false
}

// merge is the record after the row: what each field's policy lets the row do.
func (t *task) merge(stored *kept, l *line, given map[string][]string) (next *kept, held, problems []string) {
	next = &kept{key: l.key, written: l.wrote, fields: map[string][]string{}}
	if stored != nil {
		next.written, next.fields = stored.written, maps.Clone(stored.fields)
	}
	emptied := false
	for i := range t.def.Fields {
		f := &t.def.Fields[i]
		x, there := l.cells[f.Name]
		if !there {
			continue
		}
		policy := f.Policy
		if p, tightened := t.f.options.Policies[f.Name]; tightened {
			policy = p
		}
		says := x.means
		if f.Ref != nil && !x.clear {
			says = given[f.Name]
		}
		if policy == entity.Credit {
			continue
		}
		has := next.fields[f.Name]
		differs := !slices.Equal(foldAll(f, has), foldAll(f, says))
		switch {
		case x.clear && (f.Key || policy == entity.Once || policy == entity.IfEmpty):
			problems = append(problems, "clear_not_allowed "+f.Name)
		case x.clear:
			emptied = emptied || len(has) > 0
			delete(next.fields, f.Name)
		case stored == nil:
			next.fields[f.Name] = says
		case f.Key || policy == entity.Once || policy == entity.IfEmpty && len(has) > 0:
			if differs {
				held = append(held, f.Name)
			}
		case policy == entity.Append && !slices.Contains(t.f.options.ReplaceLists, f.Name):
			next.fields[f.Name] = appended(f, has, says)
		default:
			next.fields[f.Name] = says
		}
	}
	return next, held, append(problems, t.lacks(stored, next, emptied)...)
}

func appended(f *entity.Field, list, more []string) []string {
	list = slices.Clone(list)
	for _, s := range more {
		if !slices.Contains(foldAll(f, list), fold(f, s)) {
			list = append(list, s)
		}
	}
	return list
}

// lacks tells what the record may not be without.
func (t *task) lacks(stored, next *kept, emptied bool) (problems []string) {
	if stored == nil && next.fields[t.def.Key] == nil {
		next.fields[t.def.Key] = []string{next.written}
	}
	groups := slices.Clone(t.def.RequireAny)
	for i := range t.def.Fields {
		if f := &t.def.Fields[i]; f.Required {
			groups = append(groups, []string{f.Name})
		}
	}
	for _, group := range groups {
		has := func(r *kept) bool {
			return slices.ContainsFunc(group, func(name string) bool { return len(r.fields[name]) > 0 })
		}
		switch {
		case has(next):
		case stored == nil && len(group) > 1:
			problems = append(problems, "required_any_missing "+group[0])
		case stored == nil:
			problems = append(problems, "required_missing "+group[0])
		case emptied && has(stored):
			problems = append(problems, "clear_required "+group[0])
		}
	}
	return problems
}

// claim takes the unique values that the record is to have, all or none.
func (t *task) claim(stored, next *kept, pay credit) (problems []string) {
	if stored == nil {
		stored = &kept{}
	}
	type use struct{ takes, drops []string }
	var uses use
	for _, u := range t.def.Unique() {
		f := &t.def.Fields[u]
		had, has := foldAll(f, stored.fields[f.Name]), foldAll(f, next.fields[f.Name])
		for _, v := range has {
			id := f.Name + " " + v
			if slices.Contains(had, v) {
				continue
			}
			if o := t.owner[id]; o != "" && o != next.key {
				problems = append(problems, "not_unique "+f.Name)
			} else if o := t.taken[id]; o != "" && o != next.key {
				problems = append(problems, "not_unique_in_file "+f.Name)
			}
			uses.takes = append(uses.takes, id)
		}
		for _, v := range had {
			if !slices.Contains(has, v) {
				uses.drops = append(uses.drops, f.Name+" "+v)
			}
		}
	}
	if pay.amount != "" && pay.currency != "" && pay.account != "" && t.accounts[pay.account] != next.key {
		problems = append(problems, "account_unknown points_account")
	}
	// What is stored is looked at before what earlier rows took.
	if slices.ContainsFunc(problems, func(p string) bool { return !strings.HasPrefix(p, "not_unique_in_file ") }) {
		problems = slices.DeleteFunc(problems, func(p string) bool { return strings.HasPrefix(p, "not_unique_in_file ") })
	}
	if len(problems) > 0 {
		return problems
	}
	for _, id := range uses.drops {
		delete(t.taken, id)
	}
	for _, id := range uses.takes {
		t.taken[id] = next.key
	}
	return nil
}

// settle works out what is written, or why nothing is.
func (t *task) settle() {
	pays := map[int64]bool{}
	for _, c := range t.out.credits {
		t.out.paid[c.key], pays[c.row] = true, true
	}
	for key, r := range t.now {
		before := t.start[key]
		switch {
		case before == r:
		case before != nil && maps.EqualFunc(before.fields, r.fields, slices.Equal[[]string]):
			// Back and forth: as if nothing had been.
			t.now[key] = before
			for _, l := range t.of[key] {
				if x := t.out.rows[l.number]; x.outcome == "updated" && !pays[l.number] {
					x.outcome = "unchanged"
				}
			}
		default:
			t.out.writes[key] = true
		}
	}
	if t.out.trouble = t.judge(); t.out.trouble != "" {
		for key := range t.of {
			if t.out.writes[key] || t.out.paid[key] {
				t.refuse(key, "not_applied ")
			}
		}
		return
	}
	t.makeNamed()
	if t.f.options.DryRun || len(t.out.credits) == 0 {
		return
	}
	says := make([]string, len(t.out.credits))
	for i, c := range t.out.credits {
		c.row = 0
		says[i] = fmt.Sprint(c)
	}
	slices.Sort(says)
	t.credits = strings.Join(says, "\n")
	t.out.again = t.credited[t.credits]
}

// refuse rejects the good rows of a record that is not written.
func (t *task) refuse(key, problem string) {
	for _, l := range t.of[key] {
		if x := t.out.rows[l.number]; x.outcome == "created" || x.outcome == "updated" || x.outcome == "unchanged" {
			x.outcome, x.problems = "rejected", []string{problem}
		}
	}
}

// commit keeps what the import writes.
func (t *task) commit() {
	if t.out.trouble != "" || t.f.options.DryRun {
		return
	}
	for _, r := range t.made {
		t.records[strings.Fields(r.key)[1]][r.key] = r
	}
	t.records[t.def.Name] = t.now
	if t.credits != "" {
		t.credited[t.credits] = true
	}
}

// makeNamed makes the records that rows of what is written took.
func (t *task) makeNamed() {
	done := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(t.out.writes)) {
		for _, l := range t.of[key] {
			for _, symbol := range l.took {
				to := strings.Fields(symbol)[1]
				if done[symbol] || t.records[to][symbol] != nil {
					continue
				}
				done[symbol] = true
				t.out.made[to]++
				t.made = append(t.made, &kept{key: symbol, written: symbol, fields: map[string][]string{"code": {symbol}, "name": {t.wrote[symbol]}}})
			}
		}
	}
}

// judge is the code of why a plan is not carried out.
func (t *task) judge() string {
	total, rejected := len(t.out.rows), 0
	count := map[string]int{}
	for _, x := range t.out.rows {
		if x.outcome != "rejected" {
			continue
		}
		rejected++
		for _, p := range x.problems {
			code, _, _ := strings.Cut(p, " ")
			count[code]++
		}
	}
	o := &t.f.options
	switch {
	case total == 0:
		return ""
	case rejected == total:
		return "all_rejected"
	case o.ToleratedShare != nil && float64(rejected)/float64(total) > *o.ToleratedShare:
		return "too_many_rejected"
	case o.RepeatedUnique == mapping.FailsImport && count["not_unique"]+count["not_unique_in_file"] > 0:
		return "repeated_unique"
	case o.MissingRequired == mapping.FailsImport && count["required_missing"]+count["required_any_missing"] > 0:
		return "missing_required"
	}
	return ""
}
