package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet/csv"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// WorkerInput is what a Map gives to each of its workers.
type WorkerInput struct {
	Job   Job             `json:"job"`
	Index int             `json:"index"`
	Item  json.RawMessage `json:"item"`
	From  int64           `json:"from"`
}

// WorkerStep is what a worker answers: "more" to be called again with the rest
// as it is here, or "done".
type WorkerStep struct {
	Job   Job             `json:"job"`
	Index int             `json:"index"`
	Item  json.RawMessage `json:"item"`
	From  int64           `json:"from"`
	Next  string          `json:"next"`
}

func (in WorkerInput) done() WorkerStep {
	return WorkerStep{Job: in.Job, Index: in.Index, Item: in.Item, From: in.From, Next: "done"}
}

func (in WorkerInput) more(from int64) WorkerStep {
	return WorkerStep{Job: in.Job, Index: in.Index, Item: in.Item, From: from, Next: "more"}
}

// deadline is when a worker hands over; zero where the context has no end.
func (i *Importer) deadline(ctx context.Context) time.Time {
	if end, ok := ctx.Deadline(); ok {
		return end.Add(-i.Config.Reserve)
	}
	return time.Time{}
}

func (i *Importer) late(deadline time.Time) bool {
	return !deadline.IsZero() && i.Now().After(deadline)
}

func segmentKey(job Job, part, segment int) string {
	return job.work(fmt.Sprintf("prepare/%06d-%04d", part, segment))
}

// Overlay is what a person changed of a file's rows, by row number.
type Overlay struct {
	// Edits are new texts of cells, by row and column from 0.
	Edits map[int64]map[int]string `json:"edits,omitempty"`
	// Out are rows taken out, In rows taken back in that a filter or a decision
	// left out.
	Out []int64 `json:"out,omitempty"`
	In  []int64 `json:"in,omitempty"`
}

// preparer prepares one part of a file.
type preparer struct {
	*Importer
	m      *Import
	def    *entity.Definition
	mapper *mapping.Mapper
	// unfiltered maps rows that a person took back in.
	unfiltered *mapping.Mapper
	overlay    Overlay
	out, in    map[int64]bool
	mapped     map[int]bool // the columns that feed a field
	match      []int        // unique fields by which a row without a key is matched
	segment    *shuffle.Writer
	pending    []shuffle.Row
	value      []string // of pending rows, the match value
	field      []int    // of pending rows, the field it is of; -1 for none
	firstRow   int64
	// weight is how much text the segment's rows had: it decides where the
	// segment ends, and is the same in every run.
	weight int
}

// Prepare is a worker of the part that its item names: it parses, maps,
// converts, validates and matches the rows and shuffles them into segments.
func (i *Importer) Prepare(ctx context.Context, in WorkerInput) (WorkerStep, error) {
	i, err := i.of(ctx, in.Job.Tenant)
	if err != nil {
		return WorkerStep{}, err
	}
	m, err := i.begin(ctx, in.Job)
	if err != nil {
		return WorkerStep{}, err
	}
	var item PrepareItem
	if err := json.Unmarshal(in.Item, &item); err != nil {
		return WorkerStep{}, &fault.Broken{Message: "the list of parts cannot be read"}
	}
	p, err := i.newPreparer(ctx, m)
	if err != nil {
		return WorkerStep{}, err
	}
	number, from := 0, item.Part.FirstRow
	for {
		s, err := shuffle.Open(ctx, i.Objects, segmentKey(in.Job, item.Index, number))
		if errors.Is(err, object.ErrNotFound) {
			break
		}
		if err != nil {
			return WorkerStep{}, err
		}
		if s.Last {
			return in.done(), nil
		}
		number, from = number+1, s.NextRow
	}
	reader, err := i.reader(ctx, &m.Input, item.Part)
	if err != nil {
		return WorkerStep{}, err
	}
	defer func() { _ = reader.Close() }()
	deadline := i.deadline(ctx)
	looked := i.Now()
	next := from // the row after the last one read: the same in every run
	for {
		row, err := reader.Next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return WorkerStep{}, cutError(err)
		}
		if !end && row.Number < from {
			continue
		}
		if !end {
			next = row.Number + 1
		}
		if !end && row.Number <= m.Input.LastRow {
			if err := p.row(ctx, row); err != nil {
				return WorkerStep{}, err
			}
			if row.Number&1023 == 0 && i.Now().Sub(looked) >= time.Second {
				looked = i.Now()
				if stop, err := i.stopped(ctx, in.Job); err != nil {
					return WorkerStep{}, err
				} else if stop {
					return WorkerStep{}, &fault.Cancelled{}
				}
			}
			if p.weight < i.Config.SegmentBytes {
				continue
			}
		} else if !end {
			end = true
		}
		footer := shuffle.Footer{NextRow: next, Last: end}
		if err := p.flush(ctx, segmentKey(in.Job, item.Index, number), &footer); err != nil {
			return WorkerStep{}, err
		}
		if end {
			return in.done(), nil
		}
		number++
		if i.late(deadline) {
			return in.more(0), nil
		}
	}
}

func (i *Importer) newPreparer(ctx context.Context, m *Import) (*preparer, error) {
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	mapper, err := mapping.NewMapper(def, m.Bound, m.Options)
	if err != nil {
		return nil, &fault.Refused{Code: "mapping_invalid", Message: "The mapping cannot be used: " + err.Error(), Cause: err}
	}
	all := m.Bound
	all.Only = nil
	unfiltered, err := mapping.NewMapper(def, all, m.Options)
	if err != nil {
		return nil, &fault.Refused{Code: "mapping_invalid", Message: "The mapping cannot be used: " + err.Error(), Cause: err}
	}
	p := &preparer{
		Importer: i, m: m, def: def, mapper: mapper, unfiltered: unfiltered, segment: shuffle.NewWriter(m.Input.Batches),
		out: map[int64]bool{}, in: map[int64]bool{}, mapped: map[int]bool{}, firstRow: m.Input.Layout.DataFrom(),
	}
	for _, feed := range m.Bound.Feeds {
		for _, c := range feed.Columns {
			p.mapped[c] = true
		}
	}
	for _, u := range def.Unique() {
		if f := &def.Fields[u]; !f.List && f.Policy != entity.Credit {
			if m.Bound.MatchOn == f.Name {
				p.match = slices.Insert(p.match, 0, u)
			} else if m.Options.MatchOn == "" {
				p.match = append(p.match, u)
			}
		}
	}
	if m.Overlay != "" {
		if err := i.getJSON(ctx, m.Overlay, &p.overlay); err != nil {
			return nil, err
		}
		for _, n := range p.overlay.Out {
			p.out[n] = true
		}
		for _, n := range p.overlay.In {
			p.in[n] = true
		}
	}
	return p, nil
}

// row prepares one row.
func (p *preparer) row(ctx context.Context, row *record.Row) error {
	if row.Number < p.firstRow || row.IsBlank() || p.isHeader(row) {
		return nil
	}
	p.overlay.apply(row)
	p.segment.Widen(row)
	for n := range row.Cells {
		p.weight += len(row.Cells[n].Text) + 4
	}
	if p.out[row.Number] {
		return p.segment.Leave(shuffle.Left{Number: row.Number, Outcome: record.Ignored, Problems: []record.Problem{{Code: "taken_out", Column: -1}}})
	}
	problems := p.readerProblems(row)
	var out mapping.Prepared
	mapper := p.mapper
	if p.in[row.Number] {
		mapper = p.unfiltered
	}
	mapper.Map(row, &out)
	problems = append(problems, p.damaged(row)...)
	if out.Ignored {
		return p.segment.Leave(shuffle.Left{Number: row.Number, Outcome: record.Ignored, Problems: []record.Problem{{Code: "filtered_out", Column: -1}}})
	}
	problems = append(problems, out.Problems...)
	if len(problems) > 0 {
		return p.segment.Leave(shuffle.Left{Number: row.Number, Outcome: record.Rejected, Problems: cloneProblems(problems)})
	}
	return p.take(ctx, row.Number, &out)
}

// isHeader tells whether a row repeats the header, as pages printed into one
// file do.
func (p *preparer) isHeader(row *record.Row) bool {
	columns := p.m.Input.Layout.Columns
	if p.m.Input.Layout.HeaderRows == 0 || len(row.Cells) != len(columns) {
		return false
	}
	for n, c := range row.Cells {
		if strings.TrimSpace(c.Text) != strings.TrimSpace(columns[n]) {
			return false
		}
	}
	return true
}

// apply puts a person's texts into the row's cells.
func (o *Overlay) apply(row *record.Row) {
	for column, text := range o.Edits[row.Number] {
		for len(row.Cells) <= column {
			row.Cells = append(row.Cells, record.Cell{})
		}
		kind := record.Text
		if text == "" {
			kind = record.Empty
		}
		row.Cells[column] = record.Cell{Kind: kind, Text: text}
	}
}

// readerProblems are the reader's own findings that lose data if the row is
// taken as it stands. What is wrong with a cell that is not imported, and what
// loses nothing, is noted.
func (p *preparer) readerProblems(row *record.Row) []record.Problem {
	var problems []record.Problem
	for _, pr := range row.Problems {
		beyond := pr.Column >= len(p.m.Input.Layout.Columns)
		if pr.Code == csv.QuoteUnclosed || pr.Column >= 0 && !beyond && !p.mapped[pr.Column] {
			p.segment.Note(pr.Code, 1)
			continue
		}
		problems = append(problems, pr)
	}
	return problems
}

// damaged are the cells with characters that could not be decoded.
func (p *preparer) damaged(row *record.Row) []record.Problem {
	if p.m.Input.Damaged == 0 {
		return nil
	}
	var problems []record.Problem
	for n := range row.Cells {
		if p.mapped[n] && strings.ContainsRune(row.Cells[n].Text, utf8.RuneError) {
			problems = append(problems, record.Problem{Code: "characters_damaged", Column: n})
		}
	}
	return problems
}

func cloneProblems(problems []record.Problem) []record.Problem {
	out := slices.Clone(problems)
	for n := range out {
		args := slices.Clone(out[n].Args)
		for a := range args {
			args[a] = strings.Clone(args[a])
		}
		out[n].Args = args
	}
	return out
}

// take puts a good row on its way: at once where it carries its key, else when
// it is matched.
func (p *preparer) take(ctx context.Context, number int64, out *mapping.Prepared) error {
	r := shuffle.Row{Number: number, Fields: out.Fields}
	key, matchField, matchValue := "", -1, ""
	for _, fv := range out.Fields {
		if fv.Index == p.def.KeyIndex() {
			key = fv.Value.Text
		}
	}
	for _, u := range p.match {
		for _, fv := range out.Fields {
			if fv.Index == u && fv.Value.Text != "" && matchField < 0 {
				matchField, matchValue = u, entity.Fold(&p.def.Fields[u], fv.Value.Text)
			}
		}
	}
	for _, ref := range out.Refs {
		name := p.refName(ref)
		r.Refs = append(r.Refs, shuffle.Ref{Index: ref.Index, Name: name})
		p.segment.Name(shuffle.Ref{Index: ref.Index, Name: name}, ref.Text, number)
	}
	switch {
	case key != "":
		r.Written, r.Key = key, entity.Fold(p.def.KeyField(), key)
		explicit := p.m.Options.MatchOn != "" && p.m.Options.MatchOn != p.def.Key
		if !explicit || matchField < 0 {
			p.segment.Add(&r)
			return nil
		}
	case matchField >= 0:
	case p.def.KeyField().Generated:
		r.Written = p.contentCode(&r)
		r.Key = entity.Fold(p.def.KeyField(), r.Written)
		p.segment.Add(&r)
		return nil
	default:
		return p.segment.Leave(shuffle.Left{Number: number, Outcome: record.Rejected, Problems: []record.Problem{
			{Code: "required_missing", Column: -1, Field: p.def.Key, Args: []string{p.def.Key}},
		}})
	}
	p.pending = append(p.pending, cloneRow(&r))
	p.value = append(p.value, strings.Clone(matchValue))
	p.field = append(p.field, matchField)
	if len(p.pending) < p.Config.MatchRows {
		return nil
	}
	return p.matchPending(ctx)
}

// refName is a reference in the form in which distinct ones are told apart.
func (p *preparer) refName(ref mapping.RefText) string {
	to := p.def.Fields[ref.Index].Ref.To
	if def, ok := p.Catalog.Entity(to[0]); ok {
		return entity.Fold(def.KeyField(), ref.Text)
	}
	return entity.Clean(ref.Text)
}

func cloneRow(r *shuffle.Row) shuffle.Row {
	c := shuffle.Row{Number: r.Number, Key: strings.Clone(r.Key), Written: strings.Clone(r.Written)}
	c.Fields = slices.Clone(r.Fields)
	for n := range c.Fields {
		v := &c.Fields[n].Value
		v.Text = strings.Clone(v.Text)
		v.List = slices.Clone(v.List)
		for k := range v.List {
			v.List[k] = strings.Clone(v.List[k])
		}
	}
	c.Refs = slices.Clone(r.Refs)
	for n := range c.Refs {
		c.Refs[n].Name = strings.Clone(c.Refs[n].Name)
	}
	return c
}

// matchPending finds the records of the rows that wait, by who has their
// unique value.
func (p *preparer) matchPending(ctx context.Context) error {
	if len(p.pending) == 0 {
		return nil
	}
	claims := make([]store.Key, len(p.pending))
	distinct := map[store.Key]bool{}
	var keys []store.Key
	for n := range p.pending {
		claims[n] = table.ClaimKey(p.m.Tenant, p.def.Name, p.def.Fields[p.field[n]].Name, p.value[n])
		if !distinct[claims[n]] {
			distinct[claims[n]] = true
			keys = append(keys, claims[n])
		}
	}
	owners, err := journal.Carriers(ctx, p.Records, p.m.Tenant, p.def, keys)
	if err != nil {
		return err
	}
	for n := range p.pending {
		r := &p.pending[n]
		owner, found := owners[claims[n]]
		switch {
		case r.Key != "" && found && owner != r.Key:
			err = p.segment.Leave(shuffle.Left{Number: r.Number, Outcome: record.Rejected, Problems: []record.Problem{
				{Code: "match_conflict", Column: -1, Field: p.def.Fields[p.field[n]].Name, Args: []string{owner}},
			}})
			if err != nil {
				return err
			}
			continue
		case r.Key != "":
		case found:
			r.Key, r.Written = owner, owner
		default:
			r.Written = code(p.m.Tenant, p.def.Name, p.m.ID, p.def.Fields[p.field[n]].Name, p.value[n])
			r.Key, r.Generated = entity.Fold(p.def.KeyField(), r.Written), true
		}
		p.segment.Add(r)
	}
	p.pending, p.value, p.field = p.pending[:0], p.value[:0], p.field[:0]
	return nil
}

// code makes a key: the same for the same parts, however often it is made. It
// is written in Crockford's base 32, which leaves out I, L, O and U.
func code(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	x := binary.BigEndian.Uint64(h.Sum(nil))
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [12]byte
	for n := range b {
		b[n] = digits[x&31]
		x >>= 5
	}
	return string(b[:])
}

// contentCode is the key of a row that nothing identifies: made of what the row
// says, so that the same row imported again finds the record that it made.
func (p *preparer) contentCode(r *shuffle.Row) string {
	parts := []string{p.m.Tenant, p.def.Name}
	for _, fv := range r.Fields {
		if fv.Value.Clear {
			continue // to empty a field of a new record is to say nothing of it
		}
		parts = append(parts, p.def.Fields[fv.Index].Name, fv.Value.Text)
		parts = append(parts, fv.Value.List...)
	}
	for _, ref := range r.Refs {
		parts = append(parts, p.def.Fields[ref.Index].Name, ref.Name)
	}
	return code(parts...)
}

// flush stores the segment, unless another run of this worker has: then that
// one's end is where this one goes on, too.
func (p *preparer) flush(ctx context.Context, key string, f *shuffle.Footer) error {
	if err := p.matchPending(ctx); err != nil {
		return err
	}
	body, err := p.segment.Object(f)
	if err != nil {
		return err
	}
	if _, err = p.Objects.Put(ctx, key, body, object.PutOptions{IfNoneMatch: true}); errors.Is(err, object.ErrExists) {
		stored, err := shuffle.Open(ctx, p.Objects, key)
		if err != nil {
			return err
		}
		if stored.NextRow != f.NextRow || stored.Last != f.Last {
			return &fault.Broken{Message: "two runs of a worker cut its part differently"}
		}
	} else if err != nil {
		return fmt.Errorf("importer: storing prepared rows: %w", err)
	}
	p.segment, p.weight = shuffle.NewWriter(p.m.Input.Batches), 0
	return nil
}
