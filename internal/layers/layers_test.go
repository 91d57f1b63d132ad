// Package layers_test keeps the imports pointing one way. depguard says the
// same file by file; this test also sees what a package reaches through others
// of this module.
package layers_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dropload/dropload/"

// What keeps the domain free of where it runs, and the only packages that may
// have it. A name ending in / stands for all below it.
var outside = []struct {
	imports, only []string
}{
	{
		imports: []string{"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go/"},
		only: []string{"internal/object/s3", "internal/store/dynamo", "internal/execution/sfn", "internal/notice/aws", "internal/queue/sqs", "internal/awsclient/",
			"internal/wiring", "internal/bench/", "infra/", "cmd/", "functions/"},
	},
	{
		imports: []string{"github.com/aws/aws-lambda-go/"},
		only:    []string{"internal/wiring", "internal/rehearsal", "internal/bench/", "functions/"},
	},
	{
		imports: []string{"net/http"},
		only: []string{"internal/awsclient/", "internal/object/s3", "internal/store/dynamo", "internal/execution/sfn", "internal/notice/aws", "internal/queue/sqs",
			"internal/webapi/", "internal/bench/", "infra/", "cmd/", "functions/"},
	},
	{
		// The workbook libraries stay below the packages that hide them.
		imports: []string{"github.com/xuri/", "github.com/richardlehane/"},
		only:    []string{"internal/sheet/", "internal/report/", "internal/bench/"},
	},
}

// What a package of this module may know of the others. A package that is not
// named may know all but what others keep to themselves.
var inside = []struct {
	from, never []string
	but         []string
}{
	{from: []string{"internal/record", "internal/fault"}, never: []string{""}},
	{from: []string{"internal/"}, never: []string{"cmd/", "functions/", "infra/"}},
	// The use cases are on top: only what runs them sees them. Wiring puts them
	// together with AWS, for the functions and the command line.
	{
		from:  []string{"internal/"},
		never: []string{"internal/importer/"},
		but:   []string{"internal/importer/", "internal/wiring", "internal/rehearsal", "internal/bench/", "internal/webapi/"},
	},
	// The domain sees the interfaces over AWS, never what is behind them.
	{
		from:  []string{"internal/"},
		never: []string{"internal/object/s3", "internal/store/dynamo", "internal/execution/sfn", "internal/notice/aws", "internal/queue/sqs", "internal/awsclient/"},
		but: []string{"internal/object/s3", "internal/store/dynamo", "internal/execution/sfn", "internal/notice/aws", "internal/queue/sqs", "internal/awsclient/",
			"internal/wiring", "internal/rehearsal", "internal/bench/"},
	},
	// What is for tests stays in tests.
	{
		from: []string{""}, never: []string{"internal/rehearsal", "internal/object/memory", "internal/store/memory",
			"internal/notice/memory", "internal/queue/memory"},
		but: []string{"internal/rehearsal", "internal/bench/"},
	},
	{from: []string{"functions/"}, never: []string{"cmd/", "infra/"}},
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := list(t)
	for path, p := range packages {
		for _, rule := range outside {
			if matches(path, rule.only) {
				continue
			}
			for _, imported := range p.Imports {
				if matches(imported, rule.imports) {
					t.Errorf("%s imports %s, which only %s may", path, imported, strings.Join(rule.only, ", "))
				}
			}
		}
		for _, rule := range inside {
			if !matches(path, rule.from) || matches(path, rule.but) {
				continue
			}
			for _, reached := range p.Deps {
				if name, ours := strings.CutPrefix(reached, module); ours && name != path && matches(name, rule.never) {
					t.Errorf("%s reaches %s, which it may not know", path, name)
				}
			}
		}
	}
	for _, name := range []string{"internal/record", "internal/fault", "internal/importer", "internal/store/dynamo"} {
		if packages[name] == nil {
			t.Errorf("%s is not there: are the rules still about this tree?", name)
		}
	}
}

// TestRulesBite shows that the matching above can fail.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules []string
		want  bool
	}{
		{"net/http", []string{"net/http"}, true},
		{"net/http/httptest", []string{"net/http"}, false},
		{"internal/store", []string{"internal/store/"}, true},
		{"internal/store/dynamo", []string{"internal/store/"}, true},
		{"internal/storefront", []string{"internal/store/"}, false},
		{"anything", []string{""}, true},
	} {
		if got := matches(c.name, c.rules); got != c.want {
			t.Errorf("matches(%q, %q) = %t", c.name, c.rules, got)
		}
	}
}

func matches(name string, rules []string) bool {
	return slices.ContainsFunc(rules, func(rule string) bool {
		folder, below := strings.CutSuffix(rule, "/")
		return rule == "" || name == folder || below && strings.HasPrefix(name, rule)
	})
}

type listed struct {
	ImportPath    string
	Imports, Deps []string
}

// list returns the packages of this module by their path within it.
func list(t *testing.T) map[string]*listed {
	t.Helper()
	// Looking at every folder tells the test cache what the outcome hangs on.
	for _, folder := range []string{"cmd", "functions", "infra", "internal"} {
		look := func(string, fs.DirEntry, error) error { return nil }
		if err := filepath.WalkDir(filepath.Join("..", "..", folder), look); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps", module+"...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]*listed{}
	for d := json.NewDecoder(out); ; {
		p := new(listed)
		err := d.Decode(p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if name, ours := strings.CutPrefix(p.ImportPath, module); ours {
			packages[name] = p
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return packages
}
