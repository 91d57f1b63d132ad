package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
)

const (
	blockSize = 4 << 20
	blockKeep = 8
)

// source reads an object at any place, in blocks that are kept for a while, so
// that reading a workbook costs a request for each four megabytes. Memory is
// bounded by the blocks that are kept.
type source struct {
	ctx     context.Context
	objects object.Store
	ref     object.Ref
	size    int64

	mu     sync.Mutex
	blocks map[int64][]byte
	order  []int64 // oldest first
}

func newSource(ctx context.Context, objects object.Store, ref object.Ref, size int64) *source {
	return &source{ctx: ctx, objects: objects, ref: ref, size: size, blocks: map[int64][]byte{}}
}

// Size is the size of the object in bytes.
func (s *source) Size() int64 { return s.size }

// ReadAt reads at an offset.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("importer: negative offset")
	}
	n := 0
	for n < len(p) {
		if off >= s.size {
			return n, io.EOF
		}
		b, err := s.block(off / blockSize)
		if err != nil {
			return n, err
		}
		c := copy(p[n:], b[off%blockSize:])
		n += c
		off += int64(c)
	}
	return n, nil
}

func (s *source) block(at int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.blocks[at]; ok {
		return b, nil
	}
	length := min(blockSize, s.size-at*blockSize)
	body, _, err := s.objects.Get(s.ctx, s.ref, object.Range{Offset: at * blockSize, Length: length})
	if err != nil {
		return nil, fileError(err)
	}
	defer func() { _ = body.Close() }()
	b := make([]byte, length)
	if _, err := io.ReadFull(body, b); err != nil {
		return nil, &fault.Transient{Cause: fmt.Errorf("importer: reading the file: %w", err)}
	}
	if len(s.order) == blockKeep {
		delete(s.blocks, s.order[0])
		s.order = s.order[1:]
	}
	s.blocks[at] = b
	s.order = append(s.order, at)
	return b, nil
}

// fileError says what became of the uploaded file where it is not as it was.
func fileError(err error) error {
	switch {
	case errors.Is(err, object.ErrNotFound):
		return &fault.BadFile{Code: "file_missing", Message: "The file is no longer in the bucket. Drop it again.", Cause: err}
	case errors.Is(err, object.ErrChanged):
		return &fault.BadFile{Code: "file_replaced", Message: "The file was replaced while it was imported. The new one is imported by itself.", Cause: err}
	}
	return fmt.Errorf("importer: reading the file: %w", err)
}
