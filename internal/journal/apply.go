package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Wave is how many records are written before the worker looks up: at the
// cancel mark, at its time, at what must be decided again.
const Wave = 500

// supplements is how often one wave may be decided again before the worker
// gives up: each time somebody else must have changed a record in between.
const supplements = 20

// Applier carries out the journal of one batch.
type Applier struct {
	Planner *Planner
	Objects object.Store
	// Prefix is where the batch's supplements lie.
	Prefix string
	// Rows returns the prepared rows of one key, in file order, to decide on
	// them again.
	Rows func(ctx context.Context, key string) ([]shuffle.Row, error)
	// Names tells that the records' names are kept for references.
	Names bool
	// Stopped tells whether the worker is to stop; asked once a second at most.
	Stopped func(ctx context.Context) (bool, error)
	// Deadline is when the worker hands over; zero is never.
	Deadline time.Time
	Now      func() time.Time
	// Wave takes the place of the constant; 0 does not.
	Wave int64
}

func (a *Applier) size() int64 {
	if a.Wave > 0 {
		return a.Wave
	}
	return Wave
}

// Progress is what one call of Apply did.
type Progress struct {
	// From is how many entries are done: where the next call starts.
	From int64
	// Done tells that the batch is done, Stopped that it was told to stop.
	Done, Stopped bool
}

// Overrides are the outcomes of rows that were decided again.
type Overrides map[int64]RowNote

// Apply carries out the entries from the given one on. What was already
// carried out, by this worker or another, is found by its stamp and left.
func (a *Applier) Apply(ctx context.Context, s *Stored, from int64) (Progress, error) {
	p := Progress{From: from}
	ctx, stop := context.WithCancel(ctx)
	waves := readAhead(ctx, s, from, a.size())
	defer func() {
		stop()
		for range waves { // the reader has ended when Apply has
			continue
		}
	}()
	var looked time.Time
	for w := range waves {
		if w.err != nil {
			return p, w.err
		}
		if now := a.Now(); now.Sub(looked) >= time.Second {
			looked = now
			stopped, err := a.Stopped(ctx)
			if err != nil || stopped {
				p.Stopped = stopped
				return p, err
			}
		}
		// A worker that is called does something, be it late.
		if p.From > from && !a.Deadline.IsZero() && a.Now().After(a.Deadline) {
			return p, nil
		}
		if err := a.wave(ctx, (w.end-1)/a.size(), w.entries); err != nil {
			return p, err
		}
		p.From = w.end
	}
	if err := ctx.Err(); err != nil {
		return p, err // the reader stopped early
	}
	p.Done = true
	return p, nil
}

// wave is some entries of a journal, up to the one with the number end, or why
// there are no more.
type wave struct {
	entries []*Entry
	end     int64
	err     error
}

// readAhead reads the entries after the given one in waves: the next is read
// while one is written. Its channel is closed when all is read or ctx ends.
func readAhead(ctx context.Context, s *Stored, from, size int64) <-chan wave {
	waves := make(chan wave, 1)
	go func() {
		defer close(waves)
		var w wave
		send := func() error {
			select {
			case waves <- w:
			case <-ctx.Done():
				return ctx.Err()
			}
			w.entries = nil
			return nil
		}
		err := s.EachWrite(ctx, func(e *Entry) error {
			if w.end++; w.end <= from {
				return nil
			}
			w.entries = append(w.entries, e)
			if w.end%size == 0 {
				return send()
			}
			return nil
		})
		if err != nil {
			w.entries, w.err = nil, err
			_ = send() // nobody listens where the context has ended
		} else if len(w.entries) > 0 {
			_ = send()
		}
	}()
	return waves
}

// wave writes some entries, and decides again what somebody else changed.
func (a *Applier) wave(ctx context.Context, n int64, entries []*Entry) error {
	again, err := a.write(ctx, entries)
	for round := 0; err == nil && len(again) > 0; round++ {
		if round == supplements {
			return &fault.Transient{Cause: fmt.Errorf("journal: %d records keep changing", len(again))}
		}
		var decided []*Entry
		if decided, err = a.decide(ctx, n, round, again); err != nil {
			return err
		}
		again, err = a.write(ctx, decided)
	}
	return err
}

// write claims, writes the records, keeps their names and frees old values. It
// returns the entries that must be decided again.
func (a *Applier) write(ctx context.Context, entries []*Entry) ([]*Entry, error) {
	var landed []*Entry
	live := make([]*Entry, 0, len(entries))
	for _, e := range entries {
		switch e.Op {
		case None:
		case Pay:
			landed = append(landed, e)
		default:
			live = append(live, e)
		}
	}
	frees, err := a.freeable(ctx, live)
	if err != nil {
		return nil, err
	}
	live, again, err := a.claim(ctx, live)
	if err != nil {
		return nil, err
	}
	ops := make([]store.Op, len(live))
	for i, e := range live {
		ops[i] = a.op(e)
	}
	results, err := a.Planner.Records.Write(ctx, ops)
	if err != nil {
		return nil, fmt.Errorf("journal: writing records: %w", err)
	}
	var doubtful []*Entry
	for i, r := range results {
		switch {
		case r.Err == nil:
			landed = append(landed, live[i])
		case errors.Is(r.Err, store.ErrExists), errors.Is(r.Err, store.ErrConditionFailed):
			doubtful = append(doubtful, live[i])
		default:
			return nil, fmt.Errorf("journal: writing a record: %w", r.Err)
		}
	}
	found, err := a.look(ctx, doubtful)
	if err != nil {
		return nil, err
	}
	for _, e := range doubtful {
		if w, ok := found[e.Key]; ok && w.state(e, a.Planner.Import) == wroteThis {
			landed = append(landed, e)
		} else {
			again = append(again, e)
		}
	}
	if err := a.credit(ctx, landed); err != nil {
		return nil, err
	}
	return again, a.settle(ctx, landed, frees)
}

func (a *Applier) op(e *Entry) store.Op {
	p := a.Planner
	r := table.Record{Key: e.Key, Written: e.Written, Fields: e.After, Ver: e.NewVer, By: e.By}
	r.By = r.Stamp(table.Writer{Import: p.Import, Row: e.Row, Ver: e.NewVer})
	op := store.Op{Kind: store.Insert, Key: table.RecordKey(p.Tenant, p.Def.Name, e.Key), Set: table.Attrs(p.Tenant, p.Def, &r)}
	if e.Ver == 0 {
		return op
	}
	op.Kind = store.Update
	op.If = []store.Cond{{Kind: store.Equals, Attr: table.AttrVersion, Value: store.Number(strconv.FormatInt(e.Ver, 10))}}
	if e.Gone {
		op.Remove = append(op.Remove, table.AttrGone, table.AttrExpires)
	}
	if _, has := op.Set[table.AttrRef]; !has && e.OldRef != "" {
		op.Remove = append(op.Remove, table.AttrRef)
	}
	return op
}

// claim takes the unique values of entries. Those that lose one are returned to
// be decided again.
func (a *Applier) claim(ctx context.Context, entries []*Entry) (live, again []*Entry, err error) {
	p := a.Planner
	var (
		ops  []store.Op
		of   []*Entry
		lost = map[*Entry]bool{}
	)
	claims := map[store.Key]bool{}
	for _, e := range entries {
		for _, u := range e.Take {
			k := table.ClaimKey(p.Tenant, p.Def.Name, u.Field, u.Value)
			if claims[k] { // two that were decided again want it: the other has it
				lost[e] = true
				continue
			}
			claims[k] = true
			ops = append(ops, store.Op{Kind: store.Insert, Key: k, Set: claimAttrs(e.Key, p.Import)})
			of = append(of, e)
		}
	}
	if len(ops) == 0 {
		return entries, nil, nil
	}
	results, err := p.Records.Write(ctx, ops)
	if err != nil {
		return nil, nil, fmt.Errorf("journal: claiming: %w", err)
	}
	var held []store.Key
	taker := map[store.Key]*Entry{}
	for i, r := range results {
		switch {
		case errors.Is(r.Err, store.ErrExists):
			held = append(held, ops[i].Key)
			taker[ops[i].Key] = of[i]
		case r.Err != nil:
			return nil, nil, fmt.Errorf("journal: claiming: %w", r.Err)
		}
	}
	if err := a.takeOver(ctx, held, taker, lost); err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if lost[e] {
			again = append(again, e)
		} else {
			live = append(live, e)
		}
	}
	return live, again, nil
}

// takeOver makes claims ours that are ours already or hold no more, and notes
// who lost.
func (a *Applier) takeOver(ctx context.Context, held []store.Key, taker map[store.Key]*Entry, lost map[*Entry]bool) error {
	p := a.Planner
	if len(held) == 0 {
		return nil
	}
	items, err := p.Records.Get(ctx, held)
	if err != nil {
		return fmt.Errorf("journal: reading claims: %w", err)
	}
	owners, err := liveOwners(ctx, p.Records, p.Tenant, p.Def, held, p.Holding)
	if err != nil {
		return err
	}
	var ops []store.Op
	for _, k := range held {
		e := taker[k]
		it, stored := items[k]
		if !stored { // freed since
			ops = append(ops, store.Op{Kind: store.Insert, Key: k, Set: claimAttrs(e.Key, p.Import)})
			continue
		}
		now := readClaim(it)
		if o, holds := owners[k]; holds && o.key != e.Key {
			lost[e] = true
			continue
		}
		if now.key == e.Key && now.imp == p.Import {
			continue
		}
		ops = append(ops, store.Op{Kind: store.Update, Key: k, Set: claimAttrs(e.Key, p.Import), If: []store.Cond{
			{Kind: store.Equals, Attr: claimKey, Value: now.key}, {Kind: store.Equals, Attr: claimImport, Value: now.imp},
		}})
	}
	results, err := p.Records.Write(ctx, ops)
	if err != nil {
		return fmt.Errorf("journal: taking claims over: %w", err)
	}
	for i, r := range results {
		switch {
		case errors.Is(r.Err, store.ErrExists), errors.Is(r.Err, store.ErrConditionFailed):
			lost[taker[ops[i].Key]] = true
		case r.Err != nil:
			return fmt.Errorf("journal: taking a claim over: %w", r.Err)
		}
	}
	return nil
}

// freeable reads the claims that entries give up, before their records are
// written: a claim that is renewed after that is not freed.
func (a *Applier) freeable(ctx context.Context, entries []*Entry) (map[*Entry][]store.Op, error) {
	p := a.Planner
	var keys []store.Key
	of := map[store.Key]*Entry{}
	for _, e := range entries {
		for _, u := range e.Free {
			k := table.ClaimKey(p.Tenant, p.Def.Name, u.Field, u.Value)
			keys = append(keys, k)
			of[k] = e
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	items, err := p.Records.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("journal: reading claims: %w", err)
	}
	frees := map[*Entry][]store.Op{}
	for k, it := range items {
		e, o := of[k], readClaim(it)
		if o.key != e.Key {
			continue
		}
		frees[e] = append(frees[e], store.Op{Kind: store.Delete, Key: k, If: []store.Cond{
			{Kind: store.Equals, Attr: claimKey, Value: o.key}, {Kind: store.Equals, Attr: claimImport, Value: o.imp},
		}})
	}
	return frees, nil
}

// settle keeps names and frees values once the records are written. All of it
// may be repeated.
func (a *Applier) settle(ctx context.Context, landed []*Entry, frees map[*Entry][]store.Op) error {
	var ops []store.Op
	for _, e := range landed {
		ops = append(ops, frees[e]...)
		if a.Names && e.Op != Pay {
			ops = append(ops, a.nameOps(e)...)
		}
	}
	if len(ops) == 0 {
		return nil
	}
	results, err := a.Planner.Records.Write(ctx, ops)
	if err != nil {
		return fmt.Errorf("journal: names and freed values: %w", err)
	}
	for _, r := range results {
		if r.Err != nil && !errors.Is(r.Err, store.ErrConditionFailed) {
			return fmt.Errorf("journal: names and freed values: %w", r.Err)
		}
	}
	return nil
}

func (a *Applier) nameOps(e *Entry) []store.Op {
	p := a.Planner
	before := maps.Clone(e.After)
	for _, name := range e.Changed {
		delete(before, name)
		if v, ok := e.Before[name]; ok {
			before[name] = v
		}
	}
	return NameOps(p.Tenant, p.Def, e.Key, e.NewVer, before, e.After)
}

// wrote tells what is known of an entry's write.
type wrote uint8

const (
	wroteNot   wrote = iota // it did not happen
	wroteThis               // it happened
	wroteOther              // another decision of this import happened
	unknown                 // too much was written since
)

// seen is a stored record as Apply finds it; known is false where there is none.
type seen struct {
	candidate
}

// state tells whether the entry's write happened.
func (s *seen) state(e *Entry, importID string) wrote {
	if !s.known {
		if e.Ver > 0 {
			return unknown
		}
		return wroteNot
	}
	if w, ok := s.stored.Wrote(importID); ok {
		if w.Ver == e.NewVer {
			return wroteThis
		}
		return wroteOther
	}
	if s.stored.ReachesBack(e.Ver) {
		return wroteNot
	}
	return unknown
}

// look reads the records of entries; each entry's key is in the result.
func (a *Applier) look(ctx context.Context, entries []*Entry) (map[string]*seen, error) {
	found := make(map[string]*seen, len(entries))
	if len(entries) == 0 {
		return found, nil
	}
	keys := make([]store.Key, len(entries))
	for i, e := range entries {
		keys[i] = table.RecordKey(a.Planner.Tenant, a.Planner.Def.Name, e.Key)
	}
	stored, err := a.Planner.candidates(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		found[e.Key] = &seen{stored[e.Key]}
	}
	return found, nil
}

// decide decides again on entries whose records somebody else changed, and
// stores the decisions before they are written. Where another worker has
// stored its own, those hold.
func (a *Applier) decide(ctx context.Context, wave int64, round int, entries []*Entry) ([]*Entry, error) {
	found, err := a.look(ctx, entries)
	if err != nil {
		return nil, err
	}
	earlier, err := a.Supplements(ctx, wave, wave)
	if err != nil {
		return nil, err
	}
	// What is written already, by a worker that may have got no further, is
	// settled again: its names, its credits.
	var fresh, written []*Entry
	for _, e := range entries {
		s := found[e.Key]
		switch s.state(e, a.Planner.Import) {
		case wroteThis:
			written = append(written, e)
			continue
		case wroteOther:
			w, _ := s.stored.Wrote(a.Planner.Import)
			d := ofVersion(earlier[e.Key], w.Ver)
			if d == nil {
				return nil, &fault.Broken{Message: "a record carries a write of this import that no supplement names"}
			}
			written = append(written, d)
			continue
		case unknown:
			fresh = append(fresh, undecided(e))
			continue
		}
		d, err := a.again(ctx, e, s)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, d)
	}
	if len(fresh) == 0 {
		return written, nil
	}
	decided, err := a.storeSupplement(ctx, wave, round, fresh)
	return append(written, decided...), err
}

// ofVersion is the decision that made a version; nil where none did.
func ofVersion(entries []*Entry, ver int64) *Entry {
	for _, e := range entries {
		if e.NewVer == ver && (e.Op == Create || e.Op == Change) {
			return e
		}
	}
	return nil
}

// undecided rejects the accepted rows of an entry whose write may or may not
// have happened.
func undecided(e *Entry) *Entry { return refuse(e, "undecided") }

// refuse is the entry with nothing to write and its accepted rows rejected.
func refuse(e *Entry, code string) *Entry {
	d := &Entry{Key: e.Key, Written: e.Written, Ver: e.Ver}
	for _, r := range e.Rows {
		if r.Outcome == record.Created || r.Outcome == record.Updated || r.Outcome == record.Unchanged {
			r = RowNote{Number: r.Number, Outcome: record.Rejected, Problems: []record.Problem{{Code: code, Column: -1}}}
		}
		d.Rows = append(d.Rows, r)
	}
	return d
}

// again plans one record anew on what is stored now.
func (a *Applier) again(ctx context.Context, e *Entry, s *seen) (*Entry, error) {
	p := a.Planner
	rows, err := a.Rows(ctx, e.Key)
	if err != nil {
		return nil, err
	}
	stored := map[string]candidate{e.Key: s.candidate}
	owners, err := p.owners(ctx, rows, stored)
	if err != nil {
		return nil, err
	}
	accounts, err := p.accounts(ctx, p.accountsNamed(rows))
	if err != nil {
		return nil, err
	}
	d := p.entry(rows, s.candidate, known{owners, accounts}, map[string]bool{})
	if d.NewVer == e.NewVer && (d.Op == Create || d.Op == Change) {
		d.NewVer++ // by its version it is known which decision was written
	}
	return &d, nil
}

func (a *Applier) supplementKey(wave int64, round int) string {
	return fmt.Sprintf("%s-%06d-%03d", a.Prefix, wave, round)
}

// storeSupplement stores decisions. Where others are stored under the name,
// theirs hold for the keys that they name, and ours are stored under the next.
func (a *Applier) storeSupplement(ctx context.Context, wave int64, round int, fresh []*Entry) ([]*Entry, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for _, e := range fresh {
		if err := enc.Encode(e); err != nil {
			return nil, fmt.Errorf("journal: supplement: %w", err)
		}
	}
	for n := round; n < 2*supplements; n++ {
		key := a.supplementKey(wave, n)
		_, err := a.Objects.Put(ctx, key, bytes.NewReader(body.Bytes()), object.PutOptions{IfNoneMatch: true})
		if err == nil {
			return fresh, nil
		}
		if !errors.Is(err, object.ErrExists) {
			return nil, fmt.Errorf("journal: supplement: %w", err)
		}
		theirs, err := a.readSupplement(ctx, key)
		if err != nil {
			return nil, err
		}
		if same(theirs, fresh) {
			return theirs, nil
		}
	}
	return nil, &fault.Transient{Cause: errors.New("journal: too many supplements of one wave")}
}

// same tells whether both decide the same versions of the same records.
func same(a, b []*Entry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || a[i].Ver != b[i].Ver || a[i].NewVer != b[i].NewVer || a[i].Op != b[i].Op {
			return false
		}
	}
	return true
}

func (a *Applier) readSupplement(ctx context.Context, key string) ([]*Entry, error) {
	body, _, err := a.Objects.Get(ctx, object.Ref{Key: key}, object.Range{})
	if err != nil {
		return nil, fmt.Errorf("journal: supplement: %w", err)
	}
	defer func() { _ = body.Close() }()
	var entries []*Entry
	dec := json.NewDecoder(body)
	for {
		var e Entry
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, fmt.Errorf("journal: supplement: %w", err)
		}
		entries = append(entries, &e)
	}
}

// Supplements reads the decisions stored for the waves from..to (to -1 is all),
// by key, in the order in which they were stored.
func (a *Applier) Supplements(ctx context.Context, from, to int64) (map[string][]*Entry, error) {
	found := map[string][]*Entry{}
	prefix, after := a.Prefix+"-", ""
	if from == to {
		prefix = fmt.Sprintf("%s-%06d-", a.Prefix, from)
	}
	for {
		infos, more, err := a.Objects.List(ctx, prefix, after)
		if err != nil {
			return nil, fmt.Errorf("journal: supplements: %w", err)
		}
		for _, info := range infos {
			entries, err := a.readSupplement(ctx, info.Key)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				found[e.Key] = append(found[e.Key], e)
			}
			after = info.Key
		}
		if !more {
			return found, nil
		}
	}
}
