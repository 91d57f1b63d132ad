// Package object is the interface over S3. Its implementations are object/s3
// and object/memory; both pass object/objecttest.
package object

import (
	"context"
	"errors"
	"io"
	"time"
)

// The errors of a store. Implementations may wrap them.
var (
	ErrNotFound = errors.New("object: not found")
	// ErrExists: PutOptions.IfNoneMatch found an object.
	ErrExists = errors.New("object: exists")
	// ErrChanged: the object is no longer the one with the asked ETag.
	ErrChanged = errors.New("object: changed")
)

// Ref names one version of an object.
type Ref struct {
	Key string
	// Version is the version id; "" is the current one.
	Version string
	// ETag, where set, must match: it guards reads where there is no version.
	ETag string
}

// Range is a part of an object in bytes. The zero Range is the whole object;
// Length -1 is to the end; a negative Offset counts from the end.
type Range struct{ Offset, Length int64 }

// Info is what the store says of an object.
type Info struct {
	Ref
	Size     int64 // of the whole object, also for a ranged Get
	Modified time.Time
}

// PutOptions are the options of Put.
type PutOptions struct {
	ContentType string
	// IfNoneMatch stores only where no object of this key is.
	IfNoneMatch bool
	// Filename is offered to people who download the object.
	Filename string
}

// Store is one bucket. All methods may be called at the same time.
type Store interface {
	// Get opens an object, or a part of it, for reading. The caller closes it.
	// Returns ErrNotFound and ErrChanged.
	Get(ctx context.Context, ref Ref, r Range) (io.ReadCloser, Info, error)
	// Put stores all that body gives, however long, in bounded memory; nothing is
	// stored when body fails. Returns ErrExists.
	Put(ctx context.Context, key string, body io.Reader, opts PutOptions) (Info, error)
	// Head returns ErrNotFound and ErrChanged.
	Head(ctx context.Context, ref Ref) (Info, error)
	// List returns the objects whose key starts with prefix, in order of the
	// key, after the key `after`, at most 1,000; more tells whether there are more.
	List(ctx context.Context, prefix, after string) (infos []Info, more bool, err error)
	// Delete removes an object; a missing one is no error.
	Delete(ctx context.Context, key string) error
}
