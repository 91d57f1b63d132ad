package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/journal"
	"github.com/dropload/dropload/internal/notice"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/store"
	"github.com/dropload/dropload/internal/table"
)

// Message names a message about credited points in the queue. Key is a hash of
// the member's key, which may be a telephone number.
type Message struct {
	Tenant string `json:"tenant"`
	Import string `json:"import"`
	Key    string `json:"key"`
}

// MessageState is where a message stands.
type MessageState string

// The states of a message. It is marked as being sent before it is; one that
// stays so may have been sent or not, and is Unknown.
const (
	MessageQueued  MessageState = "queued"
	MessageSending MessageState = "sending"
	MessageSent    MessageState = "sent"
	MessageFailed  MessageState = "failed"  // certainly not sent
	MessageUnknown MessageState = "unknown" // never stored: sending for longer than a sender lives
)

// The attributes of a message's item.
const (
	messageKey     = "key"
	messageState   = "state"
	messageAt      = "at"   // seconds since 1970 of the last change
	messageAttempt = "n"    // times that it was marked as being sent
	messageCode    = "code" // why it failed
)

// senderLife is longer than a sender lives after it marked a message.
const senderLife = 2 * time.Minute

// messageChunk is how many credited records are looked at together.
const messageChunk = 250

func messagesPK(tenant, id string) string { return tenant + "#messages#" + id }

func messageItem(m Message) store.Key {
	return store.Key{PK: messagesPK(m.Tenant, m.Import), SK: m.Key}
}

// messageHash names a record to people's logs and queues without telling its key.
func messageHash(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\x00" + key))
	return hex.EncodeToString(sum[:])
}

// queueMessages queues a message for each record that an ended import credited,
// where its options say so. It may be repeated: what was queued and sent stays
// so. It tells whether time ran out before all were queued.
func (i *Importer) queueMessages(ctx context.Context, m *Import) (more bool, err error) {
	if !m.Options.SendPointsMessage || m.NothingWritten || m.Credits == 0 {
		return false, nil
	}
	var f Final
	if err := i.getJSON(ctx, m.job().work("final.json"), &f); err != nil {
		if errors.Is(err, object.ErrNotFound) {
			return false, nil
		}
		return false, err
	}
	deadline := i.deadline(ctx)
	for _, item := range f.Writes {
		done := m.job().work(fmt.Sprintf("messages/%06d.json", item.Batch))
		if found, err := i.exists(ctx, done); err != nil || found {
			if err != nil {
				return false, err
			}
			continue
		}
		if i.late(deadline) {
			return true, nil
		}
		if err := i.queueBatch(ctx, m, item); err != nil {
			return false, err
		}
		if err := i.putJSON(ctx, done, begun{i.Now()}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// queueBatch queues the messages of one batch.
func (i *Importer) queueBatch(ctx context.Context, m *Import, item PlanItem) error {
	stored, err := journal.Open(ctx, i.Objects, journalKey(m.job(), item))
	if err != nil || stored.Credits.Count == 0 {
		return err
	}
	var chunk []*journal.Entry
	flush := func() error {
		keys, err := i.credited(ctx, m, chunk)
		chunk = chunk[:0]
		if err != nil || len(keys) == 0 {
			return err
		}
		return i.queueKeys(ctx, m, keys)
	}
	err = stored.EachWrite(ctx, func(e *journal.Entry) error {
		if len(e.Credits) > 0 {
			chunk = append(chunk, e)
		}
		if len(chunk) == messageChunk {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

// credited are the keys of the entries whose ledger has a line of the import.
func (i *Importer) credited(ctx context.Context, m *Import, entries []*journal.Entry) ([]string, error) {
	var lines []store.Key
	for _, e := range entries {
		for _, c := range e.Credits {
			lines = append(lines, table.LedgerKey(m.Tenant, m.Entity, e.Key, m.ID, c.Row))
		}
	}
	items, err := i.Records.Get(ctx, lines)
	if err != nil {
		return nil, fmt.Errorf("importer: reading ledgers: %w", err)
	}
	var keys []string
	for _, e := range entries {
		for _, c := range e.Credits {
			if _, ok := items[table.LedgerKey(m.Tenant, m.Entity, e.Key, m.ID, c.Row)]; ok {
				keys = append(keys, e.Key)
				break
			}
		}
	}
	return keys, nil
}

// queueKeys stores a message for each key and queues those that are not under
// way: one that an earlier try stored may not have come into the queue.
func (i *Importer) queueKeys(ctx context.Context, m *Import, keys []string) error {
	ops := make([]store.Op, len(keys))
	for n, key := range keys {
		ops[n] = store.Op{
			Kind: store.Insert, Key: messageItem(Message{m.Tenant, m.ID, messageHash(m.Tenant, key)}),
			Set: map[string]any{messageKey: key, messageState: string(MessageQueued), messageAt: number(i.Now().Unix()), messageAttempt: number(0)},
		}
	}
	results, err := i.Control.Write(ctx, ops)
	if err != nil {
		return fmt.Errorf("importer: queueing messages: %w", err)
	}
	var known []store.Key
	for n, r := range results {
		switch {
		case errors.Is(r.Err, store.ErrExists):
			known = append(known, ops[n].Key)
		case r.Err != nil:
			return fmt.Errorf("importer: queueing messages: %w", r.Err)
		}
	}
	there, err := i.Control.Get(ctx, known)
	if err != nil {
		return fmt.Errorf("importer: queueing messages: %w", err)
	}
	var queued []Message
	for _, op := range ops {
		if it, ok := there[op.Key]; !ok || it.Attrs[messageState] == string(MessageQueued) {
			queued = append(queued, Message{m.Tenant, m.ID, op.Key.SK})
		}
	}
	return i.enqueueMessages(ctx, queued)
}

func (i *Importer) enqueueMessages(ctx context.Context, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	if i.Queue == nil {
		return errors.New("importer: there is no queue for messages")
	}
	bodies := make([]string, len(messages))
	for n, m := range messages {
		b, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("importer: %w", err)
		}
		bodies[n] = string(b)
	}
	if err := i.Queue.Send(ctx, bodies); err != nil {
		return fmt.Errorf("importer: queueing messages: %w", err)
	}
	return nil
}

// SendMessage sends a queued message, at most once: it is marked before. An
// error is only where it is certain that it was not sent and may be tried again.
func (i *Importer) SendMessage(ctx context.Context, msg Message) error {
	i, err := i.of(ctx, msg.Tenant)
	if err != nil {
		return err
	}
	k := messageItem(msg)
	items, err := i.Control.Get(ctx, []store.Key{k})
	if err != nil {
		return fmt.Errorf("importer: reading a message: %w", err)
	}
	it, ok := items[k]
	if !ok || it.Attrs[messageState] != string(MessageQueued) {
		return nil
	}
	key, _ := it.Attrs[messageKey].(string)
	send, err := i.compose(ctx, msg, key)
	if err != nil {
		return err
	}
	before, _ := it.Attrs[messageAttempt].(store.Number)
	n, err := parseInt(before)
	if err != nil {
		return err
	}
	attempt := number(n + 1)
	err = i.moveMessage(ctx, k, MessageQueued, before, map[string]any{messageState: string(MessageSending), messageAttempt: attempt})
	if errors.Is(err, store.ErrConditionFailed) {
		return nil // another sender has it
	}
	if err != nil {
		return err
	}
	failure := send(ctx)
	// What is known now is noted even where the time for sending is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var refused *notice.Refused
	switch {
	case failure == nil:
		err = i.moveMessage(ctx, k, MessageSending, attempt, map[string]any{messageState: string(MessageSent)})
	case !errors.As(failure, &refused):
		i.Log.WarnContext(ctx, "whether a message was sent is unknown", "tenant", msg.Tenant, "import", msg.Import, "message", msg.Key, "error", failure.Error())
		return nil
	case refused.Later:
		if err = i.moveMessage(ctx, k, MessageSending, attempt, map[string]any{messageState: string(MessageQueued)}); err == nil {
			return &fault.Transient{Cause: failure}
		}
	default:
		err = i.moveMessage(ctx, k, MessageSending, attempt, map[string]any{messageState: string(MessageFailed), messageCode: refused.Code})
	}
	if err != nil {
		i.Log.WarnContext(ctx, "what became of a message could not be noted", "tenant", msg.Tenant, "import", msg.Import, "message", msg.Key, "error", err.Error())
	}
	return nil
}

// moveMessage changes a message that is in a state since an attempt.
func (i *Importer) moveMessage(ctx context.Context, k store.Key, from MessageState, attempt store.Number, set map[string]any) error {
	set[messageAt] = number(i.Now().Unix())
	return i.writeControl(ctx, store.Op{Kind: store.Update, Key: k, Set: set, If: []store.Cond{
		{Kind: store.Equals, Attr: messageState, Value: string(from)},
		{Kind: store.Equals, Attr: messageAttempt, Value: attempt},
	}})
}

// compose works out what is to be sent to a credited record, and to where.
func (i *Importer) compose(ctx context.Context, msg Message, key string) (func(context.Context) error, error) {
	m, err := i.load(ctx, msg.Tenant, msg.Import)
	if err != nil {
		return nil, err
	}
	def, ok := i.Catalog.Entity(m.Entity)
	if !ok {
		return nil, &fault.Refused{Code: "entity_unknown", Message: fmt.Sprintf("There is no entity %q.", m.Entity)}
	}
	var settings Tenant
	if _, _, err := i.document(ctx, tenantKey(msg.Tenant), &settings); err != nil {
		return nil, err
	}
	credited, err := i.creditsOf(ctx, m, key)
	if err != nil {
		return nil, err
	}
	var balances []notice.Amount
	all, _, err := i.Balances(ctx, msg.Tenant, m.Entity, key)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		for _, c := range credited {
			if c.Currency == b.Currency && c.Account == b.Account {
				balances = append(balances, notice.Amount{Amount: b.Amount, Currency: b.Currency, Account: b.Account})
			}
		}
	}
	r, err := i.GetRecord(ctx, msg.Tenant, m.Entity, key)
	if err != nil {
		return nil, err
	}
	var phone, mail string
	if r != nil {
		phone, mail = addresses(def, r)
	}
	subject, text := notice.Points(m.Options.Defaults().Language, credited, balances)
	return func(ctx context.Context) error {
		switch {
		case len(credited) == 0:
			return &notice.Refused{Code: "NothingCredited"}
		case i.Sender == nil:
			return &notice.Refused{Code: "NoSender"}
		case settings.PointsMessage == ByMail && settings.SenderAddress != "" && mail != "":
			return i.Sender.Mail(ctx, settings.SenderAddress, mail, subject, text)
		case phone == "":
			return &notice.Refused{Code: "NoAddress"}
		}
		return i.Sender.Text(ctx, phone, text)
	}, nil
}

// addresses are the telephone number and the e-mail address of a record, "" for
// none; a key that is a number is the number.
func addresses(def *entity.Definition, r *Record) (phone, mail string) {
	if def.KeyField().Type == entity.Phone {
		phone = r.Key
	}
	for n := range def.Fields {
		f := &def.Fields[n]
		text := r.Fields[f.Name].Text
		switch {
		case f.Type == entity.Phone && phone == "":
			phone = text
		case f.Type == entity.Email && mail == "":
			mail = text
		}
	}
	return phone, mail
}

// creditsOf sums up what an import credited a record, by currency and account,
// in the order of the rows.
func (i *Importer) creditsOf(ctx context.Context, m *Import, key string) ([]notice.Amount, error) {
	var (
		credited []notice.Amount
		sums     []*big.Rat
		broken   bool
	)
	first := table.LedgerKey(m.Tenant, m.Entity, key, m.ID, 0)
	prefix := table.LedgerPrefix(key) + m.ID + "#"
	err := i.eachItem(ctx, first.PK, prefix, func(it store.Item) {
		line := ledgerLine(it)
		amount, ok := new(big.Rat).SetString(line.Amount)
		if !ok {
			broken = true
			return
		}
		for n := range credited {
			if credited[n].Currency == line.Currency && credited[n].Account == line.Account {
				sums[n].Add(sums[n], amount)
				return
			}
		}
		credited = append(credited, notice.Amount{Currency: line.Currency, Account: line.Account})
		sums = append(sums, amount)
	})
	if err == nil && broken {
		err = &fault.Broken{Message: "a ledger line is no number"}
	}
	for n, sum := range sums {
		digits, _ := sum.FloatPrec()
		credited[n].Amount = sum.FloatString(digits)
	}
	return credited, err
}

// ledgerLine reads the item of a ledger line.
func ledgerLine(it store.Item) LedgerLine {
	text := func(name string) string {
		switch v := it.Attrs[name].(type) {
		case string:
			return v
		case store.Number:
			return string(v)
		}
		return ""
	}
	row, _ := strconv.ParseInt(text("r"), 10, 64)
	return LedgerLine{Import: text("i"), Row: row, Amount: text("a"), Currency: text("c"), Expiry: text("e"), Account: text("k")}
}
