// Package memory is an object.Store in memory, for tests and for runs in one
// process: a bucket with versioning on. Every Put makes a new version, a Delete
// hides the key and leaves its versions readable.
//
// A Hook may make any call fail, before or after it is done.
package memory

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dropload/dropload/internal/object"
)

// pageSize is the number of objects in a page of List.
const pageSize = 1000

// Store is an object.Store in memory.
type Store struct {
	hook Hook
	now  func() time.Time

	mu      sync.RWMutex
	serial  int
	objects map[string][]version // oldest first
}

var _ object.Store = (*Store)(nil)

type version struct {
	info    object.Info
	opts    object.PutOptions
	data    []byte // never changed once stored
	deleted bool   // a delete marker
}

// Option configures a Store.
type Option func(*Store)

// WithHook sets what is asked before every call.
func WithHook(h Hook) Option { return func(s *Store) { s.hook = h } }

// WithClock sets the clock that Info.Modified is read from; the default is the
// machine's.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// New returns an empty store.
func New(opts ...Option) *Store {
	s := &Store{now: time.Now, objects: map[string][]version{}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Call is what a Hook is asked about.
type Call struct {
	Method string // Get, Put, Head, List or Delete
	Key    string // the prefix of a List
}

// Fault is what goes wrong; the zero Fault is nothing.
type Fault struct {
	// Before is returned and nothing is done: the request was lost.
	Before error
	// After is returned though the call was carried out: the reply was lost.
	After error
}

// Hook decides what goes wrong with a call. It runs outside the store's lock.
type Hook func(context.Context, Call) Fault

// begin asks the hook and the context.
func (s *Store) begin(ctx context.Context, method, key string) Fault {
	if err := ctx.Err(); err != nil {
		return Fault{Before: err}
	}
	if s.hook == nil {
		return Fault{}
	}
	return s.hook(ctx, Call{Method: method, Key: key})
}

// Get implements object.Store.
func (s *Store) Get(ctx context.Context, ref object.Ref, r object.Range) (io.ReadCloser, object.Info, error) {
	if err := r.Check(); err != nil {
		return nil, object.Info{}, err
	}
	f := s.begin(ctx, "Get", ref.Key)
	if f.Before != nil {
		return nil, object.Info{}, f.Before
	}
	v, err := s.find(ref)
	if err != nil {
		return nil, object.Info{}, err
	}
	if f.After != nil {
		return nil, object.Info{}, f.After
	}
	offset, length := r.Clip(v.info.Size)
	body := bytes.NewReader(v.data[offset : offset+length])
	return &reader{ctx: ctx, r: body}, v.info, nil
}

// reader ends with the context, as a body from the network does.
type reader struct {
	ctx context.Context
	r   *bytes.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

func (r *reader) Close() error { return nil }

func (s *Store) find(ref object.Ref) (version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	vs := s.objects[ref.Key]
	i := len(vs) - 1
	if ref.Version != "" {
		i = slices.IndexFunc(vs, func(v version) bool { return v.info.Version == ref.Version })
	}
	if i < 0 || vs[i].deleted {
		return version{}, object.ErrNotFound
	}
	if ref.ETag != "" && object.PlainETag(ref.ETag) != vs[i].info.ETag {
		return version{}, object.ErrChanged
	}
	return vs[i], nil
}

// Put implements object.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, opts object.PutOptions) (object.Info, error) {
	if key == "" || len(key) > 1024 {
		return object.Info{}, fmt.Errorf("object: a key of %d bytes", len(key))
	}
	f := s.begin(ctx, "Put", key)
	if f.Before != nil {
		return object.Info{}, f.Before
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return object.Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return object.Info{}, err
	}
	sum := md5.Sum(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if opts.IfNoneMatch && s.current(key) != nil {
		return object.Info{}, object.ErrExists
	}
	info := object.Info{
		Ref:      object.Ref{Key: key, Version: s.nextVersion(), ETag: hex.EncodeToString(sum[:])},
		Size:     int64(len(data)),
		Modified: s.now().UTC().Truncate(time.Second),
	}
	s.objects[key] = append(s.objects[key], version{info: info, opts: opts, data: data})
	if f.After != nil {
		return object.Info{}, f.After
	}
	return info, nil
}

// nextVersion makes version ids that do not sort in the order they were made,
// for those of S3 do not.
func (s *Store) nextVersion() string {
	s.serial++
	return fmt.Sprintf("v%08x", uint32(s.serial)*2654435761)
}

func (s *Store) current(key string) *version {
	vs := s.objects[key]
	if len(vs) == 0 || vs[len(vs)-1].deleted {
		return nil
	}
	return &vs[len(vs)-1]
}

// Head implements object.Store.
func (s *Store) Head(ctx context.Context, ref object.Ref) (object.Info, error) {
	f := s.begin(ctx, "Head", ref.Key)
	if f.Before != nil {
		return object.Info{}, f.Before
	}
	v, err := s.find(ref)
	if err != nil {
		return object.Info{}, err
	}
	if f.After != nil {
		return object.Info{}, f.After
	}
	return v.info, nil
}

// List implements object.Store. The infos name no version.
func (s *Store) List(ctx context.Context, prefix, after string) ([]object.Info, bool, error) {
	f := s.begin(ctx, "List", prefix)
	if f.Before != nil {
		return nil, false, f.Before
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var infos []object.Info
	for key := range s.objects {
		if v := s.current(key); v != nil && strings.HasPrefix(key, prefix) && key > after {
			info := v.info
			info.Version = ""
			infos = append(infos, info)
		}
	}
	if f.After != nil {
		return nil, false, f.After
	}
	slices.SortFunc(infos, func(a, b object.Info) int { return strings.Compare(a.Key, b.Key) })
	if len(infos) > pageSize {
		return infos[:pageSize], true, nil
	}
	return infos, false, nil
}

// Delete implements object.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	f := s.begin(ctx, "Delete", key)
	if f.Before != nil {
		return f.Before
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current(key) != nil {
		marker := version{deleted: true}
		marker.info.Key, marker.info.Version = key, s.nextVersion()
		s.objects[key] = append(s.objects[key], marker)
	}
	return f.After
}
