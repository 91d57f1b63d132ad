package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
)

// maxBreaks is how often a body may break off with nothing read in between.
const maxBreaks = 3

// errStalled ends a read that brought nothing for too long.
var errStalled = errors.New("the body stalled")

// body is an object's bytes from the network. Where the connection breaks off
// it goes on from the same byte of the same version.
type body struct {
	store *Store
	ctx   context.Context // the caller's
	key   string

	r      io.ReadCloser
	cancel context.CancelCauseFunc // ends the request under r
	reqCtx context.Context
	ref    object.Ref // pins what was opened first
	next   int64      // the object's byte that the next Read begins at
	end    int64      // the byte after the last
	skip   int64      // bytes before next that the server sent though they were not asked for
	beyond bool       // the server sends more than was asked for
	breaks int
}

// open sends the request for a range and says of what it is. The error is the
// SDK's.
func (b *body) open(ref object.Ref, r object.Range) (object.Info, error) {
	b.reqCtx, b.cancel = context.WithCancelCause(b.ctx)
	out, err := b.store.client.GetObject(b.reqCtx, &s3.GetObjectInput{
		Bucket: &b.store.bucket, Key: &b.key, VersionId: optional(ref.Version), IfMatch: quoted(ref.ETag),
		Range: rangeHeader(r),
	})
	if err != nil {
		b.cancel(nil)
		return object.Info{}, err
	}
	info := object.Info{
		Ref:      object.Ref{Key: b.key, Version: aws.ToString(out.VersionId), ETag: object.PlainETag(aws.ToString(out.ETag))},
		Size:     aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified).UTC(),
	}
	b.r, b.ref, b.next = out.Body, info.Ref, 0
	b.end, b.skip, b.beyond = info.Size, 0, false
	if out.ContentRange == nil {
		// A server may send the whole object instead of a range: some engines
		// do where a version is named.
		var length int64
		b.next, length = r.Clip(info.Size)
		b.skip, b.end, b.beyond = b.next, b.next+length, b.next+length < info.Size
	} else {
		var last int64
		if _, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &b.next, &last, &info.Size); err != nil {
			_ = b.Close()
			return object.Info{}, fmt.Errorf("content range %s", strconv.Quote(*out.ContentRange))
		}
		b.end = last + 1
	}
	return info, nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, b.ctx.Err()
	}
	for len(p) > 0 {
		if b.next >= b.end {
			return 0, b.last()
		}
		room := b.end - b.next
		if b.skip > 0 {
			room = b.skip
		}
		n, err := b.read(p[:min(int64(len(p)), room)])
		switch {
		case b.skip > 0:
			b.skip -= int64(n)
		case n > 0:
			b.next += int64(n)
			b.breaks = 0
			return n, nil // an error comes again, or is mended then
		}
		if err == nil {
			continue
		}
		if err := b.mend(err); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// read gives the request up where it brings nothing for too long.
func (b *body) read(p []byte) (int, error) {
	timer := time.AfterFunc(b.store.stall, func() { b.cancel(errStalled) })
	defer timer.Stop()
	return b.r.Read(p)
}

// last ends the body. It reads on to the end of the stream, where the SDK
// compares checksums.
func (b *body) last() error {
	if b.beyond || b.skip > 0 {
		return io.EOF
	}
	for {
		n, err := b.read(make([]byte, 1))
		switch {
		case n > 0:
			return &fault.Transient{Cause: errors.New("GetObject: more bytes than announced")}
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return b.broken(err)
		}
	}
}

// mend opens the rest of a body that broke off with err.
func (b *body) mend(err error) error {
	err = b.broken(err)
	if b.ctx.Err() != nil || b.breaks == maxBreaks || strings.Contains(err.Error(), "checksum") {
		return err
	}
	b.breaks++
	_ = b.Close()
	rest := object.Range{Offset: b.next, Length: b.end - b.next}
	end := b.end
	info, openErr := b.open(b.ref, rest)
	if openErr != nil {
		b.r = io.NopCloser(strings.NewReader(""))
		return readError(b.ctx, "GetObject", b.ref, openErr)
	}
	if b.next != rest.Offset || b.end != end || info.ETag != b.ref.ETag {
		return &fault.Transient{Cause: errors.New("GetObject: another range than asked for")}
	}
	return nil
}

// broken names the error of a body: the context's own, or *fault.Transient.
func (b *body) broken(err error) error {
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	if cause := context.Cause(b.reqCtx); cause != nil {
		err = cause
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if awserr.Code(err) != "" {
		return awserr.Wrap(b.ctx, "GetObject", err)
	}
	return &fault.Transient{Cause: fmt.Errorf("GetObject: %w", err)}
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.cancel(nil)
	return b.r.Close()
}
