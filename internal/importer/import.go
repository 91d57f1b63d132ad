package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/store"
)

// State is where an import stands.
type State string

// The states, in the order in which an import passes them. The last six are
// final.
const (
	Received             State = "received"
	Inspecting           State = "inspecting"
	NeedsMapping         State = "needs_mapping"
	Preparing            State = "preparing"
	Queued               State = "queued"
	NeedsDecision        State = "needs_decision"
	Planning             State = "planning"
	Ready                State = "ready"
	Applying             State = "applying"
	Completed            State = "completed"
	CompletedWithRejects State = "completed_with_rejects"
	Failed               State = "failed"
	CancelledState       State = "cancelled"
	Undone               State = "undone"
)

// Final tells whether the state is an end.
func (s State) Final() bool {
	switch s {
	case Completed, CompletedWithRejects, Failed, CancelledState, Undone:
		return true
	}
	return false
}

// File is the uploaded file, pinned to one version.
type File struct {
	Key     string `json:"key"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	ETag    string `json:"etag,omitempty"`
	Size    int64  `json:"size"`
}

// Trouble is why an import failed, for people.
type Trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Pause is a wait for a person or for the feed's turn.
type Pause struct {
	// Number counts the import's pauses: an answer is for one of them.
	Number int    `json:"number"`
	Kind   string `json:"kind"` // "mapping", "turn", "time", "decision" or "start"
}

// Input is what the workers of Prepare read: the file itself, or its text as
// UTF-8 in work/ where it was compressed or in another encoding.
type Input struct {
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
	ETag    string `json:"etag,omitempty"`
	// Layout describes the bytes under Key.
	Layout sheet.Layout `json:"layout"`
	Parts  int          `json:"parts"`
	// Damaged counts the bytes that are no character of the encoding.
	Damaged int64 `json:"damaged,omitempty"`
	// LastRow is the number of the last row that may be data.
	LastRow int64 `json:"last_row"`
	Batches int   `json:"batches"`
	// Manifest is the key of the list of parts.
	Manifest string `json:"manifest"`
}

// Import is one run of one file, as the control table keeps it.
type Import struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	Feed      string    `json:"feed"`
	Entity    string    `json:"entity"`
	File      File      `json:"file"`
	Execution string    `json:"execution"`
	Arrived   string    `json:"arrived"` // sorts by order of arrival within the feed
	Received  time.Time `json:"received"`
	Finished  time.Time `json:"finished,omitzero"`
	State     State     `json:"state"`
	Round     int       `json:"round"`
	Attended  bool      `json:"attended,omitempty"`
	By        string    `json:"by,omitempty"` // who started it; "" is the feed

	Layout   sheet.Layout     `json:"layout"`
	Template mapping.Template `json:"template"`
	Options  mapping.Options  `json:"options"`
	Bound    mapping.Bound    `json:"bound"`
	Drift    []mapping.Drift  `json:"drift,omitempty"`
	Input    Input            `json:"input"`

	Pause  Pause            `json:"pause,omitzero"`
	Epochs map[string]int64 `json:"epochs,omitempty"`
	// Left is the round that Turn ended because another import came between.
	Left int `json:"left,omitempty"`
	// NewVer is the version of the records that it creates.
	NewVer   int64    `json:"new_ver"`
	Decision Decision `json:"decision,omitzero"`
	// Overlay is the key of a person's edits for the round, "" for none.
	Overlay string `json:"overlay,omitempty"`

	Pass    int           `json:"pass"`
	Planned bool          `json:"planned,omitempty"`
	Plan    record.Counts `json:"plan,omitzero"`
	Made    int64         `json:"made,omitempty"` // records to be made on the way
	// Credits counts the ledger lines of the plan. CreditedBy is the import that
	// made the very same ones before: such an import waits for a person's word.
	Credits    int64  `json:"credits,omitempty"`
	CreditedBy string `json:"credited_by,omitempty"`
	// Shown is the round whose plan was made before another import changed what
	// it was made on; 0 is none. Differs counts the records that the plan of this
	// round treats otherwise; see Differences.
	Shown   int   `json:"shown,omitempty"`
	Differs int64 `json:"differs,omitempty"`
	Started bool  `json:"started,omitempty"`
	// Begun is when the first write to the records was about to be made; zero
	// before.
	Begun time.Time `json:"begun,omitzero"`
	Word  bool      `json:"word,omitempty"` // a person said to start

	Rows           record.Counts    `json:"rows"`
	NothingWritten bool             `json:"nothing_written"`
	Trouble        *Trouble         `json:"error,omitempty"`
	Codes          map[string]int64 `json:"codes,omitempty"`
	Held           map[string]int64 `json:"held,omitempty"`
	Notices        map[string]int64 `json:"notices,omitempty"`
	Reports        Reports          `json:"reports,omitzero"`
	Times          []StateTime      `json:"times,omitempty"`
}

// Reports are the keys of the files for people; "" where there is none.
type Reports struct {
	Failures string `json:"failures,omitempty"`
	Ignored  string `json:"ignored,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

// StateTime is when an import came to a state.
type StateTime struct {
	State State     `json:"state"`
	At    time.Time `json:"at"`
}

func (m *Import) job() Job { return Job{Tenant: m.Tenant, Import: m.ID, Round: m.Round} }

// to sets the state; a final one is never left by it.
func (m *Import) to(s State, now time.Time) {
	if m.State == s || m.State.Final() {
		return
	}
	m.State = s
	m.Times = append(m.Times, StateTime{s, now.UTC()})
}

// pause numbers a new pause.
func (m *Import) pause(kind string) {
	m.Pause = Pause{Number: m.Pause.Number + 1, Kind: kind}
}

// ErrNoImport says that the tenant has no import of that id.
var ErrNoImport = &fault.Refused{Code: "import_unknown", Message: "There is no import with this id. See the list with: dropload imports"}

func importPK(tenant, id string) string { return tenant + "#import#" + id }

func importKey(tenant, id string) store.Key { return store.Key{PK: importPK(tenant, id), SK: "import"} }

const (
	attrDoc      = "doc"
	attrRevision = "rev"
)

// document reads a JSON document of the control table. It tells whether it is
// stored, and its revision.
func (i *Importer) document(ctx context.Context, k store.Key, v any) (rev int64, found bool, err error) {
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return 0, false, fmt.Errorf("importer: reading %s: %w", k.SK, err)
	}
	it, ok := items[k]
	if !ok {
		return 0, false, nil
	}
	return readDocument(it, v)
}

func readDocument(it store.Item, v any) (rev int64, found bool, err error) {
	doc, _ := it.Attrs[attrDoc].(string)
	if err := json.Unmarshal([]byte(doc), v); err != nil {
		return 0, false, fmt.Errorf("importer: reading %s: %w", it.SK, err)
	}
	if n, ok := it.Attrs[attrRevision].(store.Number); ok {
		rev, err = parseInt(n)
	}
	return rev, true, err
}

// insertDocument stores a new document; ErrExists where one is stored.
func (i *Importer) insertDocument(ctx context.Context, k store.Key, v any) error {
	set, err := documentAttrs(v, 1)
	if err != nil {
		return err
	}
	return i.writeControl(ctx, store.Op{Kind: store.Insert, Key: k, Set: set})
}

// putDocument stores a document whatever was there.
func (i *Importer) putDocument(ctx context.Context, k store.Key, v any) error {
	set, err := documentAttrs(v, 1)
	if err != nil {
		return err
	}
	return i.writeControl(ctx, store.Op{Kind: store.Put, Key: k, Set: set})
}

func documentAttrs(v any, rev int64) (map[string]any, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	return map[string]any{attrDoc: string(doc), attrRevision: number(rev)}, nil
}

func (i *Importer) writeControl(ctx context.Context, op store.Op) error {
	results, err := i.Control.Write(ctx, []store.Op{op})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return fmt.Errorf("importer: writing %s: %w", op.Key.SK, err)
	}
	return nil
}

// errStop ends an edit of a document without writing.
var errStop = errors.New("importer: leave as it is")

// editDocument changes a stored document under its revision, reading it again
// where somebody else was first. f may return errStop. It tells whether the
// document is stored.
func editDocument[T any](ctx context.Context, i *Importer, k store.Key, f func(*T) error) (v T, found bool, err error) {
	for range 50 {
		v = *new(T)
		rev, found, err := i.document(ctx, k, &v)
		if err != nil || !found {
			return v, false, err
		}
		if err := f(&v); errors.Is(err, errStop) {
			return v, true, nil
		} else if err != nil {
			return v, true, err
		}
		set, err := documentAttrs(&v, rev+1)
		if err != nil {
			return v, true, err
		}
		err = i.writeControl(ctx, store.Op{
			Kind: store.Update, Key: k, Set: set,
			If: []store.Cond{{Kind: store.Equals, Attr: attrRevision, Value: number(rev)}},
		})
		if err == nil {
			return v, true, nil
		}
		if !errors.Is(err, store.ErrConditionFailed) {
			return v, true, err
		}
		// A client that sent it twice is told of the second time only.
		if ours, err := i.holds(ctx, k, set); err != nil || ours {
			return v, true, err
		}
	}
	return v, true, &fault.Transient{Cause: fmt.Errorf("importer: %s keeps changing", k.SK)}
}

// holds tells whether a document is stored as it would be written.
func (i *Importer) holds(ctx context.Context, k store.Key, set map[string]any) (bool, error) {
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return false, fmt.Errorf("importer: reading %s: %w", k.SK, err)
	}
	a := items[k].Attrs
	return a[attrDoc] == set[attrDoc] && a[attrRevision] == set[attrRevision], nil
}

// load reads an import. Returns ErrNoImport.
func (i *Importer) load(ctx context.Context, tenant, id string) (*Import, error) {
	var m Import
	_, found, err := i.document(ctx, importKey(tenant, id), &m)
	if err == nil && !found {
		err = ErrNoImport
	}
	return &m, err
}

// edit changes an import. Returns ErrNoImport.
func (i *Importer) edit(ctx context.Context, tenant, id string, f func(*Import) error) (*Import, error) {
	m, found, err := editDocument(ctx, i, importKey(tenant, id), f)
	if err == nil && !found {
		err = ErrNoImport
	}
	return &m, err
}

// begin loads the import of a job for a step. A cancelled one is refused, and
// so is a step of an older round.
func (i *Importer) begin(ctx context.Context, job Job) (*Import, error) {
	m, err := i.load(ctx, job.Tenant, job.Import)
	if err != nil {
		return nil, err
	}
	if m.Round != job.Round {
		return nil, roundOver(job, m)
	}
	stop, err := i.stopped(ctx, job)
	if err != nil {
		return nil, err
	}
	if stop {
		return nil, &fault.Cancelled{}
	}
	return m, nil
}

func roundOver(job Job, m *Import) error {
	return &fault.Refused{Code: "round_over", Message: fmt.Sprintf("Round %d is over; the import is in round %d.", job.Round, m.Round)}
}

func markKey(tenant, id string) store.Key { return store.Key{PK: importPK(tenant, id), SK: "stop"} }

// stopped tells whether the import's workers are to stop.
func (i *Importer) stopped(ctx context.Context, job Job) (bool, error) {
	k := markKey(job.Tenant, job.Import)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return false, fmt.Errorf("importer: reading the cancel mark: %w", err)
	}
	_, ok := items[k]
	return ok, nil
}

// stop marks the import so that its workers stop; why is for the record.
func (i *Importer) stop(ctx context.Context, tenant, id, why string) error {
	set := map[string]any{"why": why, "at": number(i.Now().UnixMilli())}
	err := i.writeControl(ctx, store.Op{Kind: store.Insert, Key: markKey(tenant, id), Set: set})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// whyStopped is the reason on the mark, "" where there is none, and when it was
// made.
func (i *Importer) whyStopped(ctx context.Context, tenant, id string) (why string, at time.Time, err error) {
	k := markKey(tenant, id)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("importer: reading the cancel mark: %w", err)
	}
	why, _ = items[k].Attrs["why"].(string)
	if n, ok := items[k].Attrs["at"].(store.Number); ok {
		ms, err := parseInt(n)
		if err != nil {
			return "", time.Time{}, err
		}
		at = time.UnixMilli(ms)
	}
	return why, at, nil
}
