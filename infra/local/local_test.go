package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNothingStartedSeesTheCallersAccount(t *testing.T) {
	hostile := map[string]string{
		"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SESSION_TOKEN": "real",
		"AWS_ENDPOINT_URL_S3": "https://s3.example", "SAM_CLI_BETA_FEATURES": "1", "BOTO_CONFIG": "/x",
	}
	for name, value := range hostile {
		t.Setenv(name, value)
	}
	t.Setenv("NO_PROXY", "corp.example")
	env := environment("AWS_ACCESS_KEY_ID=test")
	for _, entry := range env {
		name := variable(entry)
		if value, ok := hostile[name]; ok && entry == name+"="+value {
			t.Errorf("%s goes through", name)
		}
	}
	for _, want := range []string{"AWS_CONFIG_FILE=" + os.DevNull, "NO_PROXY=corp.example,127.0.0.1,localhost", "AWS_ACCESS_KEY_ID=test"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not there", want)
		}
	}
	if err := Isolate(); err != nil {
		t.Fatal(err)
	}
	for name := range hostile {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s is still %q", name, v)
		}
	}
}

func TestStackNamesItsEngineAndOnlyIt(t *testing.T) {
	t.Parallel()
	s := Stack{Endpoint: "http://127.0.0.1:1", Region: region, Bucket: "b", Tables: Tables{Records: "r", Control: "c"}, StateMachine: "m"}
	env := s.Environ()
	for _, want := range []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1", "BUCKET=b", "RECORDS_TABLE=r", "CONTROL_TABLE=c", "STATE_MACHINE_ARN=m"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not in %q", want, env)
		}
	}
	s.Endpoint = ""
	if env := strings.Join(s.Environ(), " "); strings.Contains(env, "ENDPOINT") || strings.Contains(env, "ACCESS_KEY") {
		t.Errorf("a stack on AWS is told as %q", env)
	}
}

func TestTakenPortIsPassedOver(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	got, err := freePort(t.Context(), taken)
	if err != nil {
		t.Fatal(err)
	}
	if got <= taken {
		t.Errorf("got port %d, and %d is taken", got, taken)
	}
}

func TestDownStopsNothingThatIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"no file":            "",
		"another's process":  fmt.Sprintf(`{"pid":%d,"port":4566}`, os.Getpid()),
		"a process of old":   `{"pid":999999999,"port":4566}`,
		"written half":       `{"pid":12`,
		"every process":      `{"pid":-1,"port":4566}`,
		"this process group": `{"pid":0,"port":4566}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := Options{Root: "../..", State: t.TempDir()}
			if content != "" {
				write(t, filepath.Join(opts.State, "engine.json"), content)
			}
			stopped, err := Down(t.Context(), opts)
			if err != nil || stopped {
				t.Errorf("stopped %t, error %v", stopped, err)
			}
		})
	}
}

func TestCurrentWithoutAnEngine(t *testing.T) {
	t.Parallel()
	opts := Options{Root: "../..", State: t.TempDir()}
	if _, err := Current(t.Context(), opts); !errors.Is(err, ErrNotUp) {
		t.Errorf("nothing was deployed: %v", err)
	}
	write(t, filepath.Join(opts.State, "deployment.json"), `{"stack":{"endpoint":"http://127.0.0.1:1"}}`)
	if _, err := Current(t.Context(), opts); !errors.Is(err, ErrNotUp) {
		t.Errorf("the engine does not run: %v", err)
	}
}

func TestTwoCallersWaitForEachOther(t *testing.T) {
	t.Parallel()
	p, err := Options{Root: "../..", State: t.TempDir()}.place()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := p.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := p.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second caller got %v", err)
	}
	unlock()
	again, err := p.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestSourceTellsWhatWouldBeDeployed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "template.yaml", "samconfig.toml", "functions/a/main.go",
		"internal/b/b.go", "internal/b/b_test.go", "internal/b/testdata/x", "statemachine/import.asl.json"} {
		write(t, filepath.Join(root, name), name)
	}
	p, err := Options{Root: root}.place()
	if err != nil {
		t.Fatal(err)
	}
	sum := func() string {
		t.Helper()
		s, err := p.source()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := sum()
	for _, name := range []string{"internal/b/b_test.go", "internal/b/testdata/x"} {
		write(t, filepath.Join(root, name), "changed")
		if sum() != before {
			t.Errorf("%s is not deployed, and counts", name)
		}
	}
	for _, name := range []string{"internal/b/b.go", "template.yaml", "statemachine/import.asl.json", "go.mod"} {
		write(t, filepath.Join(root, name), "changed")
		after := sum()
		if after == before {
			t.Errorf("%s is deployed, and does not count", name)
		}
		before = after
	}
}

func TestProgressSpeaksOfWhatTakesLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		took time.Duration
		err  error
		want string
	}{
		{"quick", time.Second, nil, ""},
		{"long", 25 * time.Second, nil, "building … 2 s, a part\nbuilding … 12 s, a part\nbuilding … 22 s, a part\nbuilding: done in 25 s\n"},
		{"failed", 3 * time.Second, errors.New("no"), "building … 2 s, a part\nbuilding: failed after 3 s\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				err := newProgress(&out).step("building", func(note func(string)) error {
					note("a part")
					<-time.After(c.took)
					return c.err
				})
				if !errors.Is(err, c.err) {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(c.want, out.String()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFailedCommandSaysItsLastLines(t *testing.T) {
	t.Parallel()
	p, err := Options{Root: "../..", State: t.TempDir()}.place()
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	err = p.run(t.Context(), "x.log", func(line string) { noted = append(noted, line) }, os.Environ(),
		"sh", "-c", "seq 30; echo; echo the cause >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "the cause") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
	if strings.Contains(err.Error(), "\n5\n") {
		t.Errorf("the error holds old lines: %v", err)
	}
	if len(noted) != 31 {
		t.Errorf("%d lines noted", len(noted))
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
