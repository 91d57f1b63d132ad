// Package s3 is an object.Store over an S3 bucket.
//
// Reads are pinned: a body that breaks off is taken up again at the same byte of
// the same version, and one that stalls is given up. Writes of any length are
// sent in parts, in bounded memory, and appear whole or not at all.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/object"
)

// Store is an object.Store over a bucket.
type Store struct {
	client *s3.Client
	bucket string
	part   int64         // bytes of a part of an upload; what is longer is sent in parts
	stall  time.Duration // how long a read may bring nothing
}

var _ object.Store = (*Store)(nil)

// Option configures a Store.
type Option func(*Store)

// WithPartSize sets the bytes of a part of an upload; the default is 8 MiB and
// the least that S3 takes is 5 MiB.
func WithPartSize(n int64) Option { return func(s *Store) { s.part = n } }

// WithStall sets how long a read of a body may bring nothing; the default is 30
// seconds.
func WithStall(d time.Duration) Option { return func(s *Store) { s.stall = d } }

// New returns the bucket's store. The role needs s3:ListBucket: without it S3
// answers "forbidden" for an object that is not there.
func New(client *s3.Client, bucket string, opts ...Option) *Store {
	s := &Store{client: client, bucket: bucket, part: 8 << 20, stall: 30 * time.Second}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Head implements object.Store.
func (s *Store) Head(ctx context.Context, ref object.Ref) (object.Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.bucket, Key: &ref.Key, VersionId: optional(ref.Version), IfMatch: quoted(ref.ETag),
	})
	if err != nil {
		return object.Info{}, readError(ctx, "HeadObject", ref, err)
	}
	return object.Info{
		Ref:      object.Ref{Key: ref.Key, Version: aws.ToString(out.VersionId), ETag: object.PlainETag(aws.ToString(out.ETag))},
		Size:     aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified).UTC(),
	}, nil
}

// List implements object.Store. The infos name no version.
func (s *Store) List(ctx context.Context, prefix, after string) ([]object.Info, bool, error) {
	out, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: &prefix, StartAfter: optional(after), MaxKeys: aws.Int32(1000),
		EncodingType: types.EncodingTypeUrl, // XML cannot hold every character of a key
	})
	if err != nil {
		return nil, false, awserr.Wrap(ctx, "ListObjectsV2", err)
	}
	infos := make([]object.Info, len(out.Contents))
	for i, o := range out.Contents {
		key := aws.ToString(o.Key)
		if out.EncodingType == types.EncodingTypeUrl {
			if key, err = url.QueryUnescape(key); err != nil {
				return nil, false, fmt.Errorf("ListObjectsV2: a key is badly encoded: %w", err)
			}
		}
		infos[i] = object.Info{
			Ref:      object.Ref{Key: key, ETag: object.PlainETag(aws.ToString(o.ETag))},
			Size:     aws.ToInt64(o.Size),
			Modified: aws.ToTime(o.LastModified).UTC(),
		}
	}
	return infos, aws.ToBool(out.IsTruncated), nil
}

// Delete implements object.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key}); err != nil {
		return awserr.Wrap(ctx, "DeleteObject", err)
	}
	return nil
}

// Get implements object.Store.
func (s *Store) Get(ctx context.Context, ref object.Ref, r object.Range) (io.ReadCloser, object.Info, error) {
	if err := r.Check(); err != nil {
		return nil, object.Info{}, err
	}
	switch {
	case r == object.Range{}:
		r.Length = -1
	case r.Length == 0:
		return s.empty(ctx, ref)
	case r.Offset < 0 && r.Length > 0 && r.Length < -r.Offset:
		// S3 knows no range that begins from the end and stops before it.
		info, err := s.Head(ctx, ref)
		if err != nil {
			return nil, object.Info{}, err
		}
		ref = info.Ref
		if r.Offset, r.Length = r.Clip(info.Size); r.Length == 0 {
			return io.NopCloser(strings.NewReader("")), info, nil
		}
	case r.Offset < 0:
		r.Length = -1
	}
	b := &body{store: s, ctx: ctx, key: ref.Key}
	info, err := b.open(ref, r)
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		return s.empty(ctx, ref) // all of the range is beyond the end
	}
	if err != nil {
		return nil, object.Info{}, readError(ctx, "GetObject", ref, err)
	}
	return b, info, nil
}

// empty is a range that holds nothing.
func (s *Store) empty(ctx context.Context, ref object.Ref) (io.ReadCloser, object.Info, error) {
	info, err := s.Head(ctx, ref)
	if err != nil {
		return nil, object.Info{}, err
	}
	return io.NopCloser(strings.NewReader("")), info, nil
}

// readError names what became of a read.
func readError(ctx context.Context, call string, ref object.Ref, err error) error {
	code := awserr.Code(err)
	switch status(err) {
	case http.StatusNotFound:
		if code != "NoSuchBucket" {
			return object.ErrNotFound
		}
	case http.StatusMethodNotAllowed: // the version is a delete marker
		return object.ErrNotFound
	case http.StatusBadRequest: // no version id looks like this one
		if ref.Version != "" && (code == "InvalidArgument" || code == "BadRequest") {
			return object.ErrNotFound
		}
	case http.StatusPreconditionFailed:
		return object.ErrChanged
	}
	return awserr.Wrap(ctx, call, err)
}

// status is the HTTP status of an answer that is an error, 0 for none.
func status(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func quoted(etag string) *string {
	if etag == "" {
		return nil
	}
	return aws.String(`"` + object.PlainETag(etag) + `"`)
}

// disposition offers a name to people who download an object.
func disposition(filename string) *string {
	if filename == "" {
		return nil
	}
	return optional(mime.FormatMediaType("attachment", map[string]string{"filename": filename}))
}

// rangeHeader writes a range that is to the end or has a length; nil is the
// whole object.
func rangeHeader(r object.Range) *string {
	from := strconv.FormatInt(r.Offset, 10)
	switch {
	case r.Offset < 0:
		return aws.String("bytes=" + from)
	case r.Length >= 0:
		return aws.String("bytes=" + from + "-" + strconv.FormatInt(r.Offset+r.Length-1, 10))
	case r.Offset > 0:
		return aws.String("bytes=" + from + "-")
	}
	return nil
}
