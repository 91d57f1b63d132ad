package local

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// deployment is what was deployed last, kept beside the engine's data.
type deployment struct {
	Stack  Stack  `json:"stack"`
	Source string `json:"source"` // sum of all it was built from
}

func (p *place) deploymentFile() string { return filepath.Join(p.state, "deployment.json") }

func (p *place) readDeployment() (d deployment, err error) {
	b, err := os.ReadFile(p.deploymentFile())
	if err != nil {
		return d, err
	}
	err = json.Unmarshal(b, &d)
	return d, err
}

// deploy builds and deploys, unless just this is deployed there already.
func (p *place) deploy(ctx context.Context, endpoint string) (deployment, error) {
	source, err := p.source()
	if err != nil {
		return deployment{}, err
	}
	target := Stack{Endpoint: endpoint, Region: region}
	if d, err := p.readDeployment(); err == nil && d.Source == source {
		// The engine may have been emptied; only it knows.
		if s, err := Describe(ctx, p.Name, target, target.LoadOptions()...); err == nil && s.Bucket == d.Stack.Bucket {
			return deployment{Stack: s, Source: source}, nil
		}
	}
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if arch == "" {
		return deployment{}, fmt.Errorf("functions run on amd64 and arm64, and this machine is %s", runtime.GOARCH)
	}
	parameters := []string{"--parameter-overrides", "Architecture=" + arch, "Engine=local", "LogLevel=DEBUG"}
	configFile := []string{"--config-file", filepath.Join(p.root, "samconfig.toml"), "--config-env", "local"}
	built := filepath.Join(p.state, "build")
	env := environment("SAM_CLI_TELEMETRY=0", "CGO_ENABLED=0", "GOFLAGS="+goFlags(os.Getenv("GOFLAGS")),
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY="+account,
		"AWS_REGION="+region, "AWS_DEFAULT_REGION="+region)

	err = p.progress.step("building the functions", func(note func(string)) error {
		building := func(line string) {
			if _, rest, ok := strings.Cut(line, "functions: "); ok {
				note(rest)
			}
		}
		args := append([]string{"build", "--build-dir", built}, configFile...)
		return p.run(ctx, "build.log", building, env, p.tool("sam"), append(args, parameters...)...)
	})
	if err != nil {
		return deployment{}, err
	}
	err = p.progress.step("deploying", func(note func(string)) error {
		args := append([]string{"deploy", "--template-file", filepath.Join(built, "template.yaml"),
			"--stack-name", p.Name, "--resolve-s3"}, configFile...)
		return p.run(ctx, "deploy.log", deploying(note), env, p.tool("sam"), append(args, parameters...)...)
	})
	if err != nil {
		return deployment{}, err
	}
	s, err := Describe(ctx, p.Name, target, target.LoadOptions()...)
	return deployment{Stack: s, Source: source}, err
}

// deploying notes how many resources are done.
func deploying(note func(string)) func(string) {
	done := 0
	return func(line string) {
		if f := strings.Fields(line); len(f) > 0 && strings.HasSuffix(f[0], "_COMPLETE") {
			done++
			note(fmt.Sprintf("%d resources", done))
		} else if strings.Contains(line, "Uploading to") {
			note("uploading the functions")
		}
	}
}

// goFlags are the flags for small functions, after the caller's own.
func goFlags(callers string) string {
	return strings.TrimSpace(callers + " -tags=lambda.norpc '-ldflags=-s -w'")
}

func (p *place) keep(d deployment) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(p.deploymentFile(), b, 0o644)
}

// source sums up all that a deployment is made from.
func (p *place) source() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, p.Name, runtime.Version(), os.Getenv("GOFLAGS"))
	add := func(name string) error {
		f, err := os.Open(filepath.Join(p.root, name))
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintln(sum, name)
		_, err = io.Copy(sum, f)
		return err
	}
	for _, name := range []string{"go.mod", "go.sum", "template.yaml", "samconfig.toml"} {
		if err := add(name); err != nil {
			return "", err
		}
	}
	for _, dir := range []string{"functions", "internal", "statemachine"} {
		err := fs.WalkDir(os.DirFS(p.root), dir, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && (e.Name() == "testdata" || e.Name() == "node_modules"):
				return fs.SkipDir
			case e.Type().IsRegular() && !strings.HasSuffix(name, "_test.go"):
				return add(name)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// Describe finds a deployed stack by its name, on an engine or on AWS. The
// result has the endpoint and, where the configuration names none, the region
// of target. A stack that is being changed or failed to is an error.
func Describe(ctx context.Context, name string, target Stack, options ...func(*config.LoadOptions) error) (Stack, error) {
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return Stack{}, err
	}
	s := target
	if cfg.Region != "" {
		s.Region = cfg.Region
	}
	res, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return Stack{}, fmt.Errorf("stack %s: %w", name, err)
	}
	if len(res.Stacks) != 1 {
		return Stack{}, fmt.Errorf("stack %s: found %d", name, len(res.Stacks))
	}
	switch status := res.Stacks[0].StackStatus; status {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete:
	default:
		return Stack{}, fmt.Errorf("stack %s: it is %s", name, status)
	}
	for _, o := range res.Stacks[0].Outputs {
		value := aws.ToString(o.OutputValue)
		switch aws.ToString(o.OutputKey) {
		case "Bucket":
			s.Bucket = value
		case "RecordsTable":
			s.Tables.Records = value
		case "ControlTable":
			s.Tables.Control = value
		case "StateMachine":
			s.StateMachine = value
		case "Messages":
			s.Messages = value
		}
	}
	if s.Bucket == "" || s.Tables.Records == "" || s.Tables.Control == "" || s.StateMachine == "" {
		return Stack{}, fmt.Errorf("stack %s: its outputs are not those of Dropload", name)
	}
	return s, nil
}
