package importer

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/sniff"
	"github.com/dropload/dropload/internal/store"
)

// Event is what EventBridge says of a new object in the bucket, as far as an
// import needs it. See "EventBridge event message structure" in the S3 user
// guide.
type Event struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Detail struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			Size      int64  `json:"size"`
			ETag      string `json:"etag"`
			VersionID string `json:"version-id"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"detail"`
}

// InspectInput is what the state machine gives to Inspect.
type InspectInput struct {
	Event     json.RawMessage `json:"event"`
	Execution string          `json:"execution"`
}

// identity is the import that an event means: the same for each delivery of
// one event.
func identity(raw json.RawMessage) (Event, Job, string, error) {
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, Job{}, "", &fault.Refused{Code: "event_invalid", Message: "The execution's input is not an event of a new object.", Cause: err}
	}
	o := e.Detail.Object
	parts := strings.SplitN(o.Key, "/", 4)
	if len(parts) < 4 || parts[0] != "inbox" || parts[3] == "" || !validName.MatchString(parts[1]) {
		return e, Job{}, "", &fault.Refused{Code: "key_invalid", Message: "Files to import go to inbox/<tenant>/<feed>/<name>, and a tenant's id has 1 to 63 characters of a-z, 0-9 and -."}
	}
	which := o.VersionID
	if which == "" {
		which = o.Sequencer
	}
	if which == "" {
		which = o.ETag
	}
	sum := sha256.Sum256([]byte(e.Detail.Bucket.Name + "\x00" + o.Key + "\x00" + which))
	id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
	return e, Job{Tenant: parts[1], Import: id, Round: 1}, parts[2], nil
}

// Inspect registers the import, pins the file's version, finds out how the file
// is to be read, and finds its mapping. It answers "known" for an event that
// another execution has, "mapping" to wait for a person, "split" to go on.
// Whatever is wrong with the file is kept with the import before it is
// returned as *fault.BadFile or *fault.Refused.
func (i *Importer) Inspect(ctx context.Context, in InspectInput) (Step, error) {
	event, job, feedName, err := identity(in.Event)
	if err != nil {
		return Step{}, err
	}
	if i, err = i.of(ctx, job.Tenant); err != nil {
		return Step{}, err
	}
	m, known, err := i.register(ctx, event, job, feedName, in.Execution)
	if err != nil {
		return Step{}, err
	}
	if known {
		return Step{Job: job, Next: "known"}, nil
	}
	job = m.job()
	i.log(ctx, job, "import registered", "feed", feedName, "bytes", event.Detail.Object.Size)
	feed, err := i.feed(ctx, job.Tenant, feedName)
	if err != nil {
		return Step{}, err
	}
	// Known from the start, so that a file that cannot be read still says what it
	// was to be.
	m.Entity = feed.Entity
	if _, err := i.edit(ctx, job.Tenant, job.Import, func(stored *Import) error {
		if stored.Entity == feed.Entity || stored.State != Inspecting {
			return errStop
		}
		stored.Entity = feed.Entity
		return nil
	}); err != nil {
		return Step{}, err
	}
	if err := i.pin(ctx, m, event); err != nil {
		return Step{}, err
	}
	var intent Intent
	if _, _, err := i.document(ctx, intentKey(job.Tenant, m.File.Key), &intent); err != nil {
		return Step{}, err
	}
	if intent.Template != nil {
		m.Template = *intent.Template
	} else if m.Template, err = i.template(ctx, job.Tenant, feed.Template); err != nil {
		return Step{}, err
	}
	if intent.Options != nil {
		m.Template.Options = *intent.Options
	}
	m.Options = m.Template.Options.Defaults()
	m.Entity, m.By = m.Template.Entity, intent.By
	m.Attended = intent.Attended || feed.Attended
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return Step{}, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	src := newSource(ctx, i.Objects, m.ref(), m.File.Size)
	found, err := sniff.Inspect(src, m.File.Name, m.Options.Layout)
	if err != nil {
		return Step{}, err
	}
	m.Layout = found.Layout
	next := i.fit(m, def)
	if next == "mapping" && intent.Template == nil {
		if next, err = i.fitKnown(ctx, m, def); err != nil {
			return Step{}, err
		}
	}
	if next == "stop" {
		return Step{}, &fault.Refused{Code: "columns_differ", Message: "The columns are not those of the feed's template, and the feed says to stop then. " + describeDrift(m.Drift)}
	}
	history, err := i.history(ctx, job.Tenant, def.Name)
	if err != nil {
		return Step{}, err
	}
	inspection := Inspection{Result: found, Proposals: mapping.Propose(def, found.Layout.Columns, found.Sample, history), Drift: m.Drift}
	if err := i.putJSON(ctx, job.work("inspect.json"), inspection); err != nil {
		return Step{}, err
	}
	_, err = i.edit(ctx, job.Tenant, job.Import, func(stored *Import) error {
		if stored.State != Inspecting {
			m = stored // an earlier run of this step went further
			return errStop
		}
		m.Pause, m.Times, m.State = stored.Pause, stored.Times, stored.State
		if next == "mapping" {
			m.pause("mapping")
			m.to(NeedsMapping, i.Now())
		} else {
			m.to(Preparing, i.Now())
		}
		*stored = *m
		return nil
	})
	if err != nil {
		return Step{}, err
	}
	if m.State == NeedsMapping {
		return Step{Job: job, Next: "mapping"}, i.leave(ctx, m)
	}
	return Step{Job: job, Next: "split"}, nil
}

// Inspection is what is kept of looking at a file, for people to map it by.
type Inspection struct {
	sniff.Result
	Proposals []mapping.Proposal `json:"proposals"`
	Drift     []mapping.Drift    `json:"drift,omitempty"`
}

func (m *Import) ref() object.Ref {
	return object.Ref{Key: m.File.Key, Version: m.File.Version, ETag: m.File.ETag}
}

// register stores the import once. known tells that another execution has it.
func (i *Importer) register(ctx context.Context, e Event, job Job, feed, execution string) (m *Import, known bool, err error) {
	now := i.Now().UTC()
	o := e.Detail.Object
	m = &Import{
		ID: job.Import, Tenant: job.Tenant, Feed: feed, Round: 1,
		File:      File{Key: o.Key, Name: path.Base(o.Key), Version: o.VersionID, ETag: o.ETag, Size: o.Size},
		Execution: execution, Received: now, NewVer: now.UnixMilli(),
		Arrived: e.Time.UTC().Format("20060102T150405.000") + "#" + o.Sequencer,
	}
	m.to(Received, now)
	m.to(Inspecting, now)
	err = i.insertDocument(ctx, importKey(job.Tenant, job.Import), m)
	if errors.Is(err, store.ErrExists) {
		if m, err = i.load(ctx, job.Tenant, job.Import); err != nil {
			return nil, false, err
		}
		if m.Execution != execution {
			return m, true, nil
		}
	} else if err != nil {
		return nil, false, err
	}
	for _, op := range []store.Op{
		{Kind: store.Put, Key: store.Key{PK: job.Tenant + "#imports", SK: m.Received.Format(time.RFC3339Nano) + "#" + m.ID}, Set: map[string]any{"import": m.ID}},
		{Kind: store.Put, Key: uploadKey(job.Tenant, o.Key), Set: map[string]any{"import": m.ID}},
	} {
		if err := i.writeControl(ctx, op); err != nil {
			return nil, false, err
		}
	}
	return m, false, i.enqueue(ctx, m)
}

// pin finds the version of the file that the event means. Some engines escape
// the key in the event, and some leave out the version.
func (i *Importer) pin(ctx context.Context, m *Import, e Event) error {
	o := e.Detail.Object
	keys := []string{o.Key}
	if plain, err := url.QueryUnescape(o.Key); err == nil && plain != o.Key {
		keys = append(keys, plain)
	}
	var err error
	for _, key := range keys {
		var info object.Info
		info, err = i.Objects.Head(ctx, object.Ref{Key: key, Version: o.VersionID, ETag: o.ETag})
		if err == nil {
			m.File = File{Key: key, Name: path.Base(key), Version: info.Version, ETag: info.ETag, Size: info.Size}
			return i.writeControl(ctx, store.Op{Kind: store.Put, Key: uploadKey(m.Tenant, key), Set: map[string]any{"import": m.ID}})
		}
		if !errors.Is(err, object.ErrNotFound) {
			break
		}
	}
	return fileError(err)
}

// NothingIdentifies is the drift of a file without a column that identifies its
// rows: neither the key nor a unique field.
const NothingIdentifies mapping.DriftKind = "nothing_identifies"

// fit binds the template to the file's columns. It answers "split" where the
// import may go on, "mapping" where a person is to look, "stop" where the feed
// says so.
func (i *Importer) fit(m *Import, def *entity.Definition) string {
	m.Bound, m.Drift = mapping.Bind(def, m.Template, m.Layout.Columns)
	stop := slices.ContainsFunc(m.Drift, func(d mapping.Drift) bool {
		return m.Options.Drift.Judge([]mapping.Drift{d}) == mapping.Stop && !needsPerson(d.Kind)
	})
	if m.Bound.MatchOn == "" && len(m.Bound.Feeds) > 0 && m.Options.Mode != mapping.CreateOnly {
		// Nothing tells which record a row means: a person is to say so, for the
		// same rows imported again with one letter changed would be new records.
		m.Drift = append(m.Drift, mapping.Drift{Kind: NothingIdentifies, Column: -1, Field: def.Key})
		if !stop {
			return "mapping"
		}
	}
	switch {
	case stop:
		return "stop"
	case m.Options.Drift.Judge(m.Drift) != mapping.Accept || len(m.Bound.Feeds) == 0:
		return "mapping"
	}
	return "split"
}

// fitKnown looks for a template of the tenant that was made for this header,
// whatever the order of its columns, and takes it where it fits. Else the
// import keeps its own and waits for a person.
func (i *Importer) fitKnown(ctx context.Context, m *Import, def *entity.Definition) (string, error) {
	templates, err := i.Templates(ctx, m.Tenant)
	if err != nil {
		return "", err
	}
	fingerprint := mapping.Fingerprint(m.Layout.Columns)
	for _, t := range templates {
		if t.Fingerprint != fingerprint || t.Entity != def.Name {
			continue
		}
		known := *m
		known.Template, known.Options = t, t.Options.Defaults()
		if i.fit(&known, def) == "split" {
			*m = known
			return "split", nil
		}
	}
	return "mapping", nil
}

// needsPerson tells the kinds of drift that a person can mend by mapping.
func needsPerson(k mapping.DriftKind) bool {
	return k == mapping.NoRequired || k == mapping.BadField || k == mapping.BadOption
}

func describeDrift(drift []mapping.Drift) string {
	parts := make([]string, 0, len(drift))
	for _, d := range drift {
		what := d.Header
		if what == "" {
			what = d.Field
		}
		parts = append(parts, string(d.Kind)+" "+what)
	}
	return strings.Join(parts, "; ")
}
