package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
)

const (
	maxParts   = 10_000 // S3's own limit
	uploaders  = 3      // parts of one upload that are sent at the same time
	growParts  = 2_000  // parts until they double in size, so that 10,000 hold 400 GB
	abortAfter = 10 * time.Second

	// checksum is named at the upload's creation, with each part and at its end:
	// an upload that was not created with one takes none at its end.
	checksum = types.ChecksumAlgorithmCrc32
)

// Put implements object.Store. It holds at most 4 parts in memory.
func (s *Store) Put(ctx context.Context, key string, from io.Reader, opts object.PutOptions) (object.Info, error) {
	first, last, err := readPart(from, s.part, 0)
	if err != nil {
		return object.Info{}, err
	}
	if last {
		return s.putWhole(ctx, key, first, opts)
	}
	return s.putParts(ctx, key, first, from, opts)
}

// readPart reads up to n bytes into room for so many; last tells that nothing
// follows.
func readPart(from io.Reader, n, room int64) (part []byte, last bool, err error) {
	var b bytes.Buffer
	b.Grow(int(room))
	got, err := io.Copy(&b, io.LimitReader(from, n))
	return b.Bytes(), got < n, err
}

func (s *Store) putWhole(ctx context.Context, key string, data []byte, opts object.PutOptions) (object.Info, error) {
	in := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ContentType: optional(opts.ContentType), ContentDisposition: disposition(opts.Filename),
	}
	if opts.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := s.client.PutObject(ctx, in)
	if err != nil {
		return object.Info{}, putError(ctx, "PutObject", err)
	}
	return stored(key, out.VersionId, out.ETag, int64(len(data))), nil
}

// stored is what is known of a new object without asking again; its time is
// this machine's.
func stored(key string, version, etag *string, size int64) object.Info {
	return object.Info{
		Ref:      object.Ref{Key: key, Version: aws.ToString(version), ETag: object.PlainETag(aws.ToString(etag))},
		Size:     size,
		Modified: time.Now().UTC().Truncate(time.Second),
	}
}

func putError(ctx context.Context, call string, err error) error {
	if status(err) == http.StatusPreconditionFailed {
		return object.ErrExists
	}
	return awserr.Wrap(ctx, call, err)
}

func (s *Store) putParts(ctx context.Context, key string, first []byte, from io.Reader, opts object.PutOptions) (object.Info, error) {
	created, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &key,
		ContentType: optional(opts.ContentType), ContentDisposition: disposition(opts.Filename),
		ChecksumAlgorithm: checksum,
	})
	if err != nil {
		return object.Info{}, putError(ctx, "CreateMultipartUpload", err)
	}
	up := &upload{store: s, key: key, id: created.UploadId}
	info, err := up.run(ctx, first, from, opts)
	if err != nil {
		up.abort(ctx)
		return object.Info{}, err
	}
	return info, nil
}

// upload is one multipart upload.
type upload struct {
	store *Store
	key   string
	id    *string

	mu    sync.Mutex
	parts []types.CompletedPart // by number, 1 first
	size  int64
}

func (u *upload) run(ctx context.Context, part []byte, from io.Reader, opts object.PutOptions) (object.Info, error) {
	g, sendCtx := errgroup.WithContext(ctx)
	g.SetLimit(uploaders)
	var readErr error
	for last := false; ; {
		if len(part) > 0 {
			u.send(sendCtx, g, part)
		}
		if last || sendCtx.Err() != nil {
			break
		}
		if len(u.parts) == maxParts {
			readErr = fmt.Errorf("object: longer than %d parts hold", maxParts)
			break
		}
		n := u.store.part << (len(u.parts) / growParts)
		if part, last, readErr = readPart(from, n, n+bytes.MinRead); readErr != nil {
			break
		}
	}
	if err := g.Wait(); err != nil {
		return object.Info{}, err
	}
	if readErr != nil {
		return object.Info{}, readErr
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	}
	if opts.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := u.store.client.CompleteMultipartUpload(ctx, in)
	if err != nil {
		err = putError(ctx, "CompleteMultipartUpload", err)
		if awserr.Code(err) == "NoSuchUpload" {
			// A completion whose answer was lost, sent again: whether it was done
			// is seen by doing it once more.
			return object.Info{}, &fault.Transient{Cause: err}
		}
		return object.Info{}, err
	}
	return stored(u.key, out.VersionId, out.ETag, u.size), nil
}

// send uploads the next part, once one of the uploaders is free.
func (u *upload) send(ctx context.Context, g *errgroup.Group, data []byte) {
	u.mu.Lock()
	number := int32(len(u.parts) + 1)
	u.parts = append(u.parts, types.CompletedPart{PartNumber: &number})
	u.size += int64(len(data))
	u.mu.Unlock()
	g.Go(func() error {
		out, err := u.store.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &u.store.bucket, Key: &u.key, UploadId: u.id, PartNumber: &number,
			Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
			ChecksumAlgorithm: checksum,
		})
		if err != nil {
			return awserr.Wrap(ctx, "UploadPart", err)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		p := &u.parts[number-1]
		p.ETag, p.ChecksumCRC32 = out.ETag, out.ChecksumCRC32
		return nil
	})
}

// abort drops what was uploaded, also where the caller's context has ended. The
// bucket's lifecycle drops what even this leaves.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortAfter)
	defer cancel()
	_, _ = u.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: u.id,
	})
}
