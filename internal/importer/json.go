package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/store"
)

func number(n int64) store.Number { return store.Number(strconv.FormatInt(n, 10)) }

func parseInt(n store.Number) (int64, error) {
	v, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("importer: %w", err)
	}
	return v, nil
}

// putJSON stores a small object, whatever was there.
func (i *Importer) putJSON(ctx context.Context, key string, v any) error {
	return i.writeJSON(ctx, key, v, object.PutOptions{ContentType: "application/json"})
}

// keepJSON stores a small object where none is stored; else it reads the one
// that is stored into v. It tells whether v is the caller's.
func (i *Importer) keepJSON(ctx context.Context, key string, v any) (ours bool, err error) {
	err = i.writeJSON(ctx, key, v, object.PutOptions{ContentType: "application/json", IfNoneMatch: true})
	if errors.Is(err, object.ErrExists) {
		return false, i.getJSON(ctx, key, v)
	}
	return err == nil, err
}

func (i *Importer) writeJSON(ctx context.Context, key string, v any, opts object.PutOptions) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("importer: %s: %w", key, err)
	}
	if _, err := i.Objects.Put(ctx, key, bytes.NewReader(b), opts); err != nil {
		return fmt.Errorf("importer: storing %s: %w", key, err)
	}
	return nil
}

// getJSON reads a small object. Returns object.ErrNotFound.
func (i *Importer) getJSON(ctx context.Context, key string, v any) error {
	body, _, err := i.Objects.Get(ctx, object.Ref{Key: key}, object.Range{})
	if err != nil {
		return fmt.Errorf("importer: reading %s: %w", key, err)
	}
	defer func() { _ = body.Close() }()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("importer: reading %s: %w", key, err)
	}
	return nil
}
