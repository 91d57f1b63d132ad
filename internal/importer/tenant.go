package importer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/mapping"
	"github.com/dropload/dropload/internal/store"
)

// Feed is a named, recurring way in: a prefix of the bucket with a template
// and an order.
type Feed struct {
	Name   string `json:"name"`
	Entity string `json:"entity"`
	// Template is the id of its template; the newest version is used.
	Template string `json:"template"`
	// Parallel lets its imports run side by side; else they run one at a time in
	// the order of their arrival.
	Parallel bool `json:"parallel,omitempty"`
	// Attended tells that a person looks after its imports, and is asked rather
	// than rows rejected.
	Attended bool `json:"attended,omitempty"`
}

// Tenant are the settings of a tenant.
type Tenant struct {
	ID       string `json:"id"`
	Country  string `json:"country,omitempty"`
	Language string `json:"language,omitempty"`
	// PointsMessage is how credited members get their message; "" is ByText. By
	// e-mail goes one to a member that has an address, if there is a
	// SenderAddress; else it is a text message.
	PointsMessage string `json:"points_message,omitempty"`
	SenderAddress string `json:"sender_address,omitempty"`
}

// How a message goes.
const (
	ByText = "sms"
	ByMail = "email"
)

func tenantKey(id string) store.Key { return store.Key{PK: id + "#tenant", SK: "settings"} }

func feedKey(tenant, name string) store.Key { return store.Key{PK: tenant + "#feeds", SK: name} }

func templateKey(tenant, id string, version int) store.Key {
	return store.Key{PK: tenant + "#templates", SK: fmt.Sprintf("%s#%06d", id, version)}
}

var validName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

var validFeed = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$`)

// InboxPrefix is the drop prefix of a feed in the bucket.
func InboxPrefix(tenant, feed string) string { return "inbox/" + tenant + "/" + feed + "/" }

// CreateTenant stores a tenant with a default feed for each entity, whose
// template takes the standard column names in any order. What is there already
// is left as it is.
func (i *Importer) CreateTenant(ctx context.Context, t Tenant) error {
	if !validName.MatchString(t.ID) {
		return &fault.Refused{Code: "tenant_invalid", Message: fmt.Sprintf("A tenant's id has 1 to 63 characters of a-z, 0-9 and -, and %q does not fit.", t.ID)}
	}
	for _, def := range i.Catalog.Entities() {
		if err := i.defaultFeed(ctx, t.ID, def); err != nil {
			return err
		}
	}
	return i.insertOnce(ctx, tenantKey(t.ID), t)
}

// SetPointsMessage sets how the tenant's credited members get their message: by
// is ByText or ByMail, sender the address that e-mails come from. Returns
// *fault.Refused for another way and for an unknown tenant.
func (i *Importer) SetPointsMessage(ctx context.Context, tenant, by, sender string) error {
	switch {
	case by != ByText && by != ByMail:
		return &fault.Refused{Code: "tenant_invalid", Message: fmt.Sprintf("Messages go by %s or %s, not by %q.", ByText, ByMail, by)}
	case by == ByMail && sender == "":
		return &fault.Refused{Code: "tenant_invalid", Message: "Messages by e-mail need a sender address."}
	}
	_, found, err := editDocument(ctx, i, tenantKey(tenant), func(t *Tenant) error {
		t.PointsMessage, t.SenderAddress = by, sender
		return nil
	})
	if err == nil && !found {
		err = &fault.Refused{Code: "tenant_unknown", Message: fmt.Sprintf("There is no tenant %q.", tenant)}
	}
	return err
}

func (i *Importer) insertOnce(ctx context.Context, k store.Key, v any) error {
	err := i.insertDocument(ctx, k, v)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// Feeds lists the feeds of a tenant by name.
func (i *Importer) Feeds(ctx context.Context, tenant string) ([]Feed, error) {
	var feeds []Feed
	q := store.Query{PK: tenant + "#feeds"}
	for {
		page, err := i.Control.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("importer: reading feeds: %w", err)
		}
		for _, it := range page.Items {
			var f Feed
			if _, _, err := readDocument(it, &f); err != nil {
				return nil, err
			}
			feeds = append(feeds, f)
		}
		if page.Next == "" {
			return feeds, nil
		}
		q.Cursor = page.Next
	}
}

// PutFeed stores a feed, or changes it.
func (i *Importer) PutFeed(ctx context.Context, tenant string, f Feed) error {
	if !validFeed.MatchString(f.Name) {
		return &fault.Refused{Code: "feed_invalid", Message: fmt.Sprintf("A feed's name has 1 to 63 characters of a-z, 0-9, - and _, and %q does not fit.", f.Name)}
	}
	if _, err := i.template(ctx, tenant, f.Template); err != nil {
		return err
	}
	return i.putDocument(ctx, feedKey(tenant, f.Name), f)
}

// feed reads a feed. Returns a *fault.Refused for an unknown one.
func (i *Importer) feed(ctx context.Context, tenant, name string) (Feed, error) {
	var (
		f Feed
		t Tenant
	)
	if _, found, err := i.document(ctx, tenantKey(tenant), &t); err != nil {
		return f, err
	} else if !found {
		return f, &fault.Refused{Code: "tenant_unknown", Message: fmt.Sprintf("There is no tenant %q. Files go to inbox/<tenant>/<feed>/.", tenant)}
	}
	if _, found, err := i.document(ctx, feedKey(tenant, name), &f); err != nil {
		return f, err
	} else if !found {
		return f, &fault.Refused{Code: "feed_unknown", Message: fmt.Sprintf("The tenant %q has no feed %q. Drop the file under the prefix of one that it has.", tenant, name)}
	}
	return f, nil
}

// template reads the newest version of a template.
func (i *Importer) template(ctx context.Context, tenant, id string) (mapping.Template, error) {
	var t mapping.Template
	page, err := i.Control.Query(ctx, store.Query{PK: tenant + "#templates", Prefix: id + "#", Reverse: true, Limit: 1})
	if err != nil {
		return t, fmt.Errorf("importer: reading templates: %w", err)
	}
	if len(page.Items) == 0 {
		return t, &fault.Refused{Code: "template_unknown", Message: fmt.Sprintf("There is no template %q.", id)}
	}
	_, _, err = readDocument(page.Items[0], &t)
	return t, err
}

// Templates lists the newest version of each of a tenant's templates.
func (i *Importer) Templates(ctx context.Context, tenant string) ([]mapping.Template, error) {
	var newest []mapping.Template
	q := store.Query{PK: tenant + "#templates"}
	for {
		page, err := i.Control.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("importer: reading templates: %w", err)
		}
		for _, it := range page.Items {
			var t mapping.Template
			if _, _, err := readDocument(it, &t); err != nil {
				return nil, err
			}
			if n := len(newest); n > 0 && newest[n-1].ID == t.ID {
				newest[n-1] = t // versions come in order
			} else {
				newest = append(newest, t)
			}
		}
		if page.Next == "" {
			return newest, nil
		}
		q.Cursor = page.Next
	}
}

// SaveTemplate stores a new version of a template and returns it. Earlier
// versions stay as they are.
func (i *Importer) SaveTemplate(ctx context.Context, tenant string, t mapping.Template) (mapping.Template, error) {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return t, err
	}
	if !validName.MatchString(t.ID) {
		return t, &fault.Refused{Code: "template_invalid", Message: fmt.Sprintf("A template's id has 1 to 63 characters of a-z, 0-9 and -, and %q does not fit.", t.ID)}
	}
	if _, ok := i.Catalog.Entity(t.Entity); !ok {
		return t, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", t.Entity)}
	}
	for {
		t.Version = 1
		old, err := i.template(ctx, tenant, t.ID)
		var refused *fault.Refused
		switch {
		case err == nil:
			t.Version = old.Version + 1
		case !errors.As(err, &refused):
			return t, err
		}
		err = i.insertDocument(ctx, templateKey(tenant, t.ID, t.Version), t)
		if !errors.Is(err, store.ErrExists) {
			return t, err
		}
	}
}

// Intent is what somebody says of a file before uploading it.
type Intent struct {
	// Template replaces the feed's; nil is the feed's.
	Template *mapping.Template `json:"template,omitempty"`
	// Options, where set, replace the template's.
	Options  *mapping.Options `json:"options,omitempty"`
	Attended bool             `json:"attended,omitempty"`
	By       string           `json:"by,omitempty"`
}

func intentKey(tenant, key string) store.Key { return store.Key{PK: tenant + "#intents", SK: key} }

func uploadKey(tenant, key string) store.Key { return store.Key{PK: tenant + "#uploads", SK: key} }

// Announce keeps what is to be done with a file that is about to be uploaded
// and returns the key to upload it under. id must be new for each upload.
func (i *Importer) Announce(ctx context.Context, tenant, feed, id, filename string, in Intent) (string, error) {
	if _, err := i.feed(ctx, tenant, feed); err != nil {
		return "", err
	}
	name := path.Base(strings.ReplaceAll(filename, `\`, "/"))
	key := InboxPrefix(tenant, feed) + id + "/" + name
	return key, i.putDocument(ctx, intentKey(tenant, key), in)
}

// ImportOf returns the id of the newest import of an uploaded key, "" where
// none has begun.
func (i *Importer) ImportOf(ctx context.Context, tenant, key string) (string, error) {
	k := uploadKey(tenant, key)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return "", fmt.Errorf("importer: reading uploads: %w", err)
	}
	id, _ := items[k].Attrs["import"].(string)
	return id, nil
}

// OptionsOf are the options of a feed's template.
func (i *Importer) OptionsOf(ctx context.Context, tenant, feed string) (mapping.Options, error) {
	f, err := i.feed(ctx, tenant, feed)
	if err != nil {
		return mapping.Options{}, err
	}
	t, err := i.template(ctx, tenant, f.Template)
	return t.Options, err
}

// NewestTemplate returns the newest version of a saved template. Returns
// *fault.Refused for an unknown one.
func (i *Importer) NewestTemplate(ctx context.Context, tenant, id string) (mapping.Template, error) {
	return i.template(ctx, tenant, id)
}
