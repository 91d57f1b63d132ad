package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/s3"
)

// open serves a bucket by a handler; each request is sent once by the SDK.
func open(t *testing.T, handler http.HandlerFunc, opts ...s3.Option) *s3.Store {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	client := awss3.New(awss3.Options{
		Region: "eu-north-1", BaseEndpoint: &srv.URL, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		DisableLogOutputChecksumValidationSkipped: true,
	})
	return s3.New(client, "bucket", opts...)
}

// file serves content with ranges, as http.ServeContent does, and lets the test
// touch each answer first.
func file(content string, touch func(n int, w http.ResponseWriter, r *http.Request) http.ResponseWriter) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		nth := n
		mu.Unlock()
		w.Header().Set("ETag", `"etag"`)
		w.Header().Set("x-amz-version-id", "v1")
		if w = touch(nth, w, r); w != nil {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		}
	}
}

// breaking cuts the connection after n bytes of the body.
type breaking struct {
	http.ResponseWriter
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p[:min(len(p), b.left)])
	if b.left -= n; b.left == 0 && err == nil {
		http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func TestBodyThatBreaksIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 10_000)
	var asked []string
	store := open(t, file(content, func(n int, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
		asked = append(asked, strings.Join([]string{r.Header.Get("Range"), r.Header.Get("If-Match"), r.URL.Query().Get("versionId")}, " "))
		if n <= 3 {
			return &breaking{w, 20_000}
		}
		return w
	}))
	body, info, err := store.Get(t.Context(), object.Ref{Key: "k"}, object.Range{Offset: 10, Length: 90_000})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || string(got) != content[10:90_010] {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if info.Size != 100_000 || info.ETag != "etag" || info.Version != "v1" {
		t.Errorf("%+v", info)
	}
	want := []string{"bytes=10-90009  ", `bytes=20010-90009 "etag" v1`, `bytes=40010-90009 "etag" v1`, `bytes=60010-90009 "etag" v1`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestBodyThatKeepsBreakingIsTransient(t *testing.T) {
	t.Parallel()
	calls := 0
	store := open(t, file(strings.Repeat("x", 1000), func(n int, w http.ResponseWriter, _ *http.Request) http.ResponseWriter {
		calls = n
		if n == 1 {
			return &breaking{w, 100}
		}
		w.Header().Set("Content-Length", "900")
		w.Header().Set("Content-Range", "bytes 100-999/1000")
		w.WriteHeader(http.StatusPartialContent)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	body, _, err := store.Get(t.Context(), object.Ref{Key: "k"}, object.Range{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	var transient *fault.Transient
	if !errors.As(err, &transient) || len(got) != 100 || calls != 4 {
		t.Errorf("%d bytes after %d calls, %v", len(got), calls, err)
	}
	_ = body.Close()
}

func TestBodyOfAnObjectThatChanged(t *testing.T) {
	t.Parallel()
	store := open(t, file(strings.Repeat("x", 1000), func(n int, w http.ResponseWriter, _ *http.Request) http.ResponseWriter {
		if n == 1 {
			return &breaking{w, 100}
		}
		w.Header().Set("ETag", `"other"`) // so If-Match fails
		return w
	}))
	body, _, err := store.Get(t.Context(), object.Ref{Key: "k"}, object.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); !errors.Is(err, object.ErrChanged) || len(got) != 100 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = body.Close()
}

func TestBodyThatStalls(t *testing.T) {
	t.Parallel()
	store := open(t, file(strings.Repeat("x", 1000), func(n int, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if n > 1 {
			return w
		}
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return nil
	}), s3.WithStall(50*time.Millisecond))
	body, _, err := store.Get(t.Context(), object.Ref{Key: "k"}, object.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err != nil || len(got) != 1000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = body.Close()
}

// TestServerThatSendsTheWholeObject is what an engine does with a range of a
// named version.
func TestServerThatSendsTheWholeObject(t *testing.T) {
	t.Parallel()
	store := open(t, file("0123456789", func(_ int, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
		r.Header.Del("Range")
		return w
	}))
	for r, want := range map[object.Range]string{
		{}: "0123456789", {Offset: 2, Length: 3}: "234", {Offset: 7, Length: -1}: "789", {Offset: -2, Length: -1}: "89",
		{Offset: 10, Length: 1}: "", {Offset: 0, Length: 1}: "0", {Offset: -4, Length: 2}: "67",
	} {
		body, info, err := store.Get(t.Context(), object.Ref{Key: "k", Version: "v1"}, r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(iotest.OneByteReader(body))
		if err != nil || string(got) != want || info.Size != 10 {
			t.Errorf("%+v: %q, %v, %+v", r, got, err, info)
		}
		_ = body.Close()
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	body := func(code string) string { return "<Error><Code>" + code + "</Code><Message>m</Message></Error>" }
	transient := errors.New("transient")
	for _, c := range []struct {
		name      string
		status    int
		code      string
		get, put  error // nil: another error that is not transient
		onVersion error
	}{
		{"no key", 404, "NoSuchKey", object.ErrNotFound, nil, object.ErrNotFound},
		{"no bucket", 404, "NoSuchBucket", nil, nil, nil},
		{"no version", 404, "NoSuchVersion", object.ErrNotFound, nil, object.ErrNotFound},
		{"a delete marker", 405, "MethodNotAllowed", object.ErrNotFound, nil, object.ErrNotFound},
		{"no version id", 400, "InvalidArgument", nil, nil, object.ErrNotFound},
		{"precondition", 412, "PreconditionFailed", object.ErrChanged, object.ErrExists, object.ErrChanged},
		{"forbidden", 403, "AccessDenied", nil, nil, nil},
		{"conflict", 409, "ConditionalRequestConflict", transient, transient, transient},
		{"slow down", 503, "SlowDown", transient, transient, transient},
		{"broken", 500, "InternalError", transient, transient, transient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := open(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, body(c.code))
			})
			check := func(call string, err, want error) {
				t.Helper()
				var later *fault.Transient
				is := errors.As(err, &later)
				switch {
				case err == nil, is != (want == transient):
					t.Errorf("%s: %v", call, err)
				case want != nil && want != transient && !errors.Is(err, want):
					t.Errorf("%s: %v, want %v", call, err, want)
				case want == nil && (errors.Is(err, object.ErrNotFound) || errors.Is(err, object.ErrChanged) || errors.Is(err, object.ErrExists)):
					t.Errorf("%s: %v", call, err)
				}
			}
			_, _, err := store.Get(t.Context(), object.Ref{Key: "k"}, object.Range{})
			check("Get", err, c.get)
			_, _, err = store.Get(t.Context(), object.Ref{Key: "k", Version: "v"}, object.Range{})
			check("Get of a version", err, c.onVersion)
			_, err = store.Put(t.Context(), "k", strings.NewReader("x"), object.PutOptions{IfNoneMatch: true})
			check("Put", err, c.put)
		})
	}
}

// uploads is a bucket that takes uploads in parts.
type uploads struct {
	mu      sync.Mutex
	parts   map[string][]byte
	calls   []string
	failAt  string // the part that is refused
	aborted bool
}

func (u *uploads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	defer u.mu.Unlock()
	part := r.URL.Query().Get("partNumber")
	switch {
	case r.URL.Query().Has("uploads"):
		_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
	case part != "" && part == u.failAt:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code></Error>`)
	case part != "":
		u.parts[part] = data
		w.Header().Set("ETag", `"`+part+`"`)
	case r.Method == http.MethodDelete:
		u.aborted = true
		w.WriteHeader(http.StatusNoContent)
	default:
		u.calls = append(u.calls, r.Header.Get("If-None-Match")+" "+string(data))
		_, _ = io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"whole-3"</ETag></CompleteMultipartUploadResult>`)
	}
}

func TestLongBodyIsSentInParts(t *testing.T) {
	t.Parallel()
	u := &uploads{parts: map[string][]byte{}}
	store := open(t, u.ServeHTTP, s3.WithPartSize(1000))
	data := bytes.Repeat([]byte("0123456789"), 250)
	info, err := store.Put(t.Context(), "k", bytes.NewReader(data), object.PutOptions{IfNoneMatch: true})
	if err != nil || info.Size != 2500 || info.ETag != "whole-3" {
		t.Fatalf("%+v, %v", info, err)
	}
	if got := bytes.Join([][]byte{u.parts["1"], u.parts["2"], u.parts["3"]}, nil); !bytes.Equal(got, data) || len(u.parts) != 3 || len(u.parts["3"]) != 500 {
		t.Errorf("%d parts, %d bytes", len(u.parts), len(got))
	}
	if len(u.calls) != 1 || !strings.HasPrefix(u.calls[0], "* ") || u.aborted {
		t.Errorf("%q, aborted %v", u.calls, u.aborted)
	}
	for i := 1; i <= 3; i++ {
		if !strings.Contains(u.calls[0], fmt.Sprintf("<PartNumber>%d</PartNumber>", i)) {
			t.Errorf("part %d is not in %s", i, u.calls[0])
		}
	}
}

func TestUploadThatFailsIsAborted(t *testing.T) {
	t.Parallel()
	broken := errors.New("the body broke")
	for name, c := range map[string]struct {
		failAt string
		body   func(cancel context.CancelFunc) io.Reader
		want   error
	}{
		"a part is refused": {"2", func(context.CancelFunc) io.Reader { return strings.NewReader(strings.Repeat("x", 5000)) }, nil},
		"the body breaks": {"", func(context.CancelFunc) io.Reader {
			return io.MultiReader(strings.NewReader(strings.Repeat("x", 2500)), iotest.ErrReader(broken))
		}, broken},
		"the context ends": {"", func(cancel context.CancelFunc) io.Reader {
			return io.MultiReader(strings.NewReader(strings.Repeat("x", 2500)), readerFunc(func([]byte) (int, error) {
				cancel()
				return 0, io.EOF
			}))
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &uploads{parts: map[string][]byte{}, failAt: c.failAt}
			store := open(t, u.ServeHTTP, s3.WithPartSize(1000))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := store.Put(ctx, "k", c.body(cancel), object.PutOptions{})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			if !u.aborted || len(u.calls) > 0 {
				t.Errorf("aborted %v, completed %q", u.aborted, u.calls)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
