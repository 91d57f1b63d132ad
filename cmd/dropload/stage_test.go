package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	objects "github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/rehearsal"
)

// stage is a stack in this process: what is put under inbox/ is imported.
type stage struct {
	t     *testing.T
	stage *rehearsal.Stage
	dir   string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s, err := rehearsal.New(t.Context(), rehearsal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t: t, stage: s, dir: t.TempDir()}
}

// open is an opener.
func (s *stage) open(_ context.Context, f *stackFlags) (*session, error) {
	front := *s.stage.Importer
	front.Objects = &inbox{Store: s.stage.Objects, stage: s}
	return &session{Importer: &front, Tenant: f.tenant, JSON: f.json}, nil
}

// inbox is the bucket with the rule that starts an import.
type inbox struct {
	objects.Store
	stage *stage
	mu    sync.Mutex
}

func (b *inbox) Put(ctx context.Context, key string, body io.Reader, o objects.PutOptions) (objects.Info, error) {
	if !strings.HasPrefix(key, "inbox/") {
		return b.Store.Put(ctx, key, body, o)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	content, err := io.ReadAll(body)
	if err != nil {
		return objects.Info{}, err
	}
	drop, err := b.stage.stage.PutKey(ctx, key, content)
	if err == nil {
		err = b.stage.stage.Runner.Start(ctx, drop.Execution, drop.Event)
	}
	return objects.Info{Ref: objects.Ref{Key: key}, Size: int64(len(content))}, err
}

// file writes a file to import and returns its path.
func (s *stage) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// result is what a command did.
type result struct {
	status      int
	out, stderr string
}

// dropload runs a command.
func (s *stage) dropload(args ...string) result {
	s.t.Helper()
	return runWith(s.t, s.open, args...)
}

func runWith(t *testing.T, open opener, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	root := newRoot(open, open)
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&stderr)
	status := run(t.Context(), root, &stderr)
	return result{status, out.String(), stderr.String()}
}

// must runs a command that ends with a status.
func (s *stage) must(status int, args ...string) result {
	s.t.Helper()
	r := s.dropload(args...)
	if r.status != status {
		s.t.Fatalf("dropload %s: status %d, want %d\n%s%s", strings.Join(args, " "), r.status, status, r.out, r.stderr)
	}
	return r
}

var (
	times = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[0-9:.]+Z"`)
	ids   = regexp.MustCompile(`\b[a-z2-7]{16}\b`)
)

// steady puts fixed words in the place of what differs from run to run.
func steady(text string) string {
	return ids.ReplaceAllString(times.ReplaceAllString(text, `"TIME"`), "ID")
}
