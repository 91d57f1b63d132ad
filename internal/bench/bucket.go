package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dropload/dropload/internal/object"
)

// part is how large the parts of a large upload are, each a request.
const part = 8 << 20

// bucket is an object.Store of files, so that what is stored takes no memory
// of the process. It counts the requests that it would have been on S3.
type bucket struct {
	folder   string
	serial   atomic.Int64
	requests atomic.Int64
}

var _ object.Store = (*bucket)(nil)

// path is the file of a key; a key's parts are escaped so that none is a
// folder.
func (b *bucket) path(key string) string {
	return filepath.Join(b.folder, strings.ReplaceAll(key, "/", "\x01"))
}

// Get implements object.Store.
func (b *bucket) Get(_ context.Context, ref object.Ref, r object.Range) (io.ReadCloser, object.Info, error) {
	b.requests.Add(1)
	info, err := b.head(ref)
	if err != nil {
		return nil, info, err
	}
	f, err := os.Open(b.path(ref.Key))
	if err != nil {
		return nil, info, err
	}
	offset, length := r.Clip(info.Size)
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, offset, length), f}, info, nil
}

// Put implements object.Store.
func (b *bucket) Put(_ context.Context, key string, body io.Reader, opts object.PutOptions) (object.Info, error) {
	if opts.IfNoneMatch {
		if _, err := b.head(object.Ref{Key: key}); err == nil {
			b.requests.Add(1)
			return object.Info{}, object.ErrExists
		}
	}
	info, err := b.store(key, body)
	if info.Size > part {
		b.requests.Add(2 + (info.Size+part-1)/part)
	} else {
		b.requests.Add(1)
	}
	return info, err
}

// store keeps an object, uncounted.
func (b *bucket) store(key string, body io.Reader) (object.Info, error) {
	name := filepath.Join(b.folder, fmt.Sprintf("\x02%d", b.serial.Add(1)))
	f, err := os.Create(name)
	if err != nil {
		return object.Info{}, err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		return object.Info{}, err
	}
	if err := os.Rename(name, b.path(key)); err != nil {
		return object.Info{}, err
	}
	return b.head(object.Ref{Key: key})
}

// Head implements object.Store.
func (b *bucket) Head(_ context.Context, ref object.Ref) (object.Info, error) {
	b.requests.Add(1)
	return b.head(ref)
}

func (b *bucket) head(ref object.Ref) (object.Info, error) {
	s, err := os.Stat(b.path(ref.Key))
	if errors.Is(err, fs.ErrNotExist) {
		return object.Info{}, object.ErrNotFound
	}
	if err != nil {
		return object.Info{}, err
	}
	etag := fmt.Sprintf("%x-%x", s.Size(), s.ModTime().UnixNano())
	if ref.ETag != "" && object.PlainETag(ref.ETag) != etag {
		return object.Info{}, object.ErrChanged
	}
	return object.Info{Ref: object.Ref{Key: ref.Key, ETag: etag}, Size: s.Size(), Modified: s.ModTime()}, nil
}

// List implements object.Store.
func (b *bucket) List(_ context.Context, prefix, after string) ([]object.Info, bool, error) {
	b.requests.Add(1)
	entries, err := os.ReadDir(b.folder)
	if err != nil {
		return nil, false, err
	}
	var keys []string
	for _, e := range entries {
		if key := strings.ReplaceAll(e.Name(), "\x01", "/"); strings.HasPrefix(key, prefix) && key > after && key[0] != 2 {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	more := len(keys) > 1000
	var infos []object.Info
	for _, key := range keys[:min(1000, len(keys))] {
		info, err := b.head(object.Ref{Key: key})
		if err != nil {
			return nil, false, err
		}
		infos = append(infos, info)
	}
	return infos, more, nil
}

// Delete implements object.Store.
func (b *bucket) Delete(_ context.Context, key string) error {
	b.requests.Add(1)
	if err := os.Remove(b.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
