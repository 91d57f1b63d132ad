package importer

import (
	"context"
	"errors"
	"fmt"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/store"
)

// MessageLine is one message as people see it.
type MessageLine struct {
	Key   string       `json:"key"` // of the record
	State MessageState `json:"state"`
	Code  string       `json:"code,omitempty"` // why it failed
}

// Messages counts the messages of an import by state, and calls each with every
// one that was not sent. Returns ErrNoImport.
func (i *Importer) Messages(ctx context.Context, tenant, id string, each func(MessageLine) error) (map[MessageState]int64, error) {
	if _, err := i.load(ctx, tenant, id); err != nil {
		return nil, err
	}
	counts := map[MessageState]int64{}
	err := i.eachMessage(ctx, tenant, id, func(it store.Item) error {
		line := i.messageLine(it)
		counts[line.State]++
		if line.State == MessageSent {
			return nil
		}
		return each(line)
	})
	return counts, err
}

func (i *Importer) eachMessage(ctx context.Context, tenant, id string, f func(store.Item) error) error {
	q := store.Query{PK: messagesPK(tenant, id)}
	for {
		page, err := i.Control.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("importer: reading messages: %w", err)
		}
		for _, it := range page.Items {
			if err := f(it); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

func (i *Importer) messageLine(it store.Item) MessageLine {
	text := func(name string) string { s, _ := it.Attrs[name].(string); return s }
	line := MessageLine{Key: text(messageKey), State: MessageState(text(messageState)), Code: text(messageCode)}
	at, _ := it.Attrs[messageAt].(store.Number)
	since, err := parseInt(at)
	if line.State == MessageSending && (err != nil || i.Now().Unix()-since > int64(senderLife.Seconds())) {
		line.State = MessageUnknown
	}
	return line
}

// SendAgain queues messages of an import again, on a person's word: those whose
// fate is unknown, those that failed and those that still wait. keys are records
// as people write them; none stands for all. What was sent, or is being sent, is
// left. It tells how many were queued. Returns ErrNoImport, and *fault.Refused
// for a key that has no message.
func (i *Importer) SendAgain(ctx context.Context, tenant, id string, keys []string) (int64, error) {
	i, err := i.of(ctx, tenant)
	if err != nil {
		return 0, err
	}
	m, err := i.load(ctx, tenant, id)
	if err != nil {
		return 0, err
	}
	var n int64
	again := func(it store.Item) error {
		queued, err := i.again(ctx, m, it)
		if queued {
			n++
		}
		return err
	}
	if len(keys) == 0 {
		err := i.eachMessage(ctx, tenant, id, again)
		return n, err
	}
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return 0, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	for _, key := range keys {
		k := messageItem(Message{tenant, id, messageHash(tenant, entity.Fold(def.KeyField(), key))})
		items, err := i.Control.Get(ctx, []store.Key{k})
		if err != nil {
			return n, fmt.Errorf("importer: reading messages: %w", err)
		}
		it, found := items[k]
		if !found {
			return n, &fault.Refused{Code: "message_unknown", Message: "The import has no message to one of the records named. See the list with: dropload messages " + id}
		}
		if err := again(it); err != nil {
			return n, err
		}
	}
	return n, nil
}

// again queues one message again where it may be.
func (i *Importer) again(ctx context.Context, m *Import, it store.Item) (bool, error) {
	switch i.messageLine(it).State {
	case MessageSent, MessageSending:
		return false, nil
	}
	state, _ := it.Attrs[messageState].(string)
	attempt, _ := it.Attrs[messageAttempt].(store.Number)
	err := i.moveMessage(ctx, it.Key, MessageState(state), attempt, map[string]any{messageState: string(MessageQueued), messageCode: ""})
	if errors.Is(err, store.ErrConditionFailed) {
		return false, nil // it has just gone on
	}
	if err != nil {
		return false, err
	}
	return true, i.enqueueMessages(ctx, []Message{{m.Tenant, m.ID, it.SK}})
}
