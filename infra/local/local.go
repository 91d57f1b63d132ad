// Package local runs Dropload on the developer's machine: it sets up the tools
// in a virtual environment, starts the engine that stands in for AWS, builds
// and deploys the template with `sam build` and `sam deploy` themselves, and
// says where everything is.
//
// Nothing it starts sees the caller's AWS settings, and nothing it starts can
// reach a real account: every AWS variable is taken away and the credentials
// are made up. What it keeps is in one folder; two of its callers at the same
// time wait for each other. It refuses to stop a process that it did not start.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// ErrNotUp says that nothing is deployed, or that its engine does not run.
var ErrNotUp = errors.New("the local stack is not up: run `dropload up`")

const (
	region      = "us-east-1"
	account     = "test" // access key and secret of an engine
	defaultPort = 4566
)

// Options say what to bring up and where. The zero value of a field is its
// default.
type Options struct {
	Root  string // the project's folder; default: the one with template.yaml, from here upwards
	State string // folder of data, build and log; default: $DROPLOAD_STATE, else Root/.dropload
	Tools string // folder of the virtual environment; default: Root/.dropload/venv
	Port  int    // of the engine, where it is free; default: 4566
	Name  string // of the stack; default: dropload-local
	// Endpoint is an engine that runs already and is not this package's to
	// start or stop; default: its own.
	Endpoint string
	// Prepare makes in a deployed stack what a user needs, such as a tenant and
	// its feeds, and says so in the Stack. It is called by each Up, so it must
	// bear being repeated; default: nothing is made.
	Prepare func(context.Context, *Stack) error
	// Progress is where steps are told to a person; default: nowhere.
	Progress io.Writer
}

// Tables are the names of the two tables.
type Tables struct {
	Records string `json:"records"`
	Control string `json:"control"`
}

// Stack says where a deployed Dropload is. Its JSON is what `dropload up
// --json` prints.
type Stack struct {
	Endpoint     string            `json:"endpoint"` // "" is AWS itself
	Region       string            `json:"region"`
	Bucket       string            `json:"bucket"`
	Tables       Tables            `json:"tables"`
	StateMachine string            `json:"state_machine"` // its ARN
	Messages     string            `json:"messages"`      // the URL of the queue of messages
	Tenant       string            `json:"tenant,omitempty"`
	Feeds        map[string]string `json:"feeds,omitempty"` // name → prefix in the bucket
}

// LoadOptions make an AWS configuration that goes to the stack's engine and
// never to AWS. Call Isolate first: a variable such as AWS_ENDPOINT_URL_S3
// would win over them.
func (s Stack) LoadOptions() []func(*config.LoadOptions) error {
	return []func(*config.LoadOptions) error{
		config.WithRegion(s.Region),
		config.WithBaseEndpoint(s.Endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(account, account, "")),
		config.WithSharedConfigFiles([]string{}),
		config.WithSharedCredentialsFiles([]string{}),
	}
}

// Environ is what a process that uses the stack finds in its environment: the
// variables of the functions and, for an engine, those of the AWS SDK. Whoever
// starts the process takes the caller's AWS variables away first.
func (s Stack) Environ() []string {
	env := []string{
		"AWS_REGION=" + s.Region, "BUCKET=" + s.Bucket,
		"RECORDS_TABLE=" + s.Tables.Records, "CONTROL_TABLE=" + s.Tables.Control,
		"STATE_MACHINE_ARN=" + s.StateMachine, "QUEUE_URL=" + s.Messages,
	}
	if s.Endpoint == "" {
		return env
	}
	return append(env, "AWS_ENDPOINT_URL="+s.Endpoint, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY="+account,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
}

// Isolate takes every AWS variable out of this process's environment.
func Isolate() error {
	for _, entry := range os.Environ() {
		if name := variable(entry); isAWS(name) {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Up brings everything up that is not: tools, engine, build, deployment. What
// runs and is unchanged stays as it is.
func Up(ctx context.Context, opts Options) (Stack, error) {
	p, err := opts.place()
	if err != nil {
		return Stack{}, err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return Stack{}, err
	}
	defer unlock()

	if err := p.setUpTools(ctx); err != nil {
		return Stack{}, err
	}
	endpoint := opts.Endpoint
	if endpoint == "" {
		e, err := p.startEngine(ctx)
		if err != nil {
			return Stack{}, err
		}
		endpoint = e.endpoint()
	}
	d, err := p.deploy(ctx, endpoint)
	if err != nil {
		return Stack{}, err
	}
	if opts.Prepare != nil {
		err := p.progress.step("preparing the stack", func(func(string)) error { return opts.Prepare(ctx, &d.Stack) })
		if err != nil {
			return Stack{}, err
		}
	}
	return d.Stack, p.keep(d)
}

// SetUpTools sets up the virtual environment only and returns its folder.
func SetUpTools(ctx context.Context, opts Options) (string, error) {
	p, err := opts.place()
	if err != nil {
		return "", err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	return p.tools, p.setUpTools(ctx)
}

// Down stops the engine and keeps its data; where it does not run that is no
// error, and stopped is false.
func Down(ctx context.Context, opts Options) (stopped bool, err error) {
	p, err := opts.place()
	if err != nil {
		return false, err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	return p.stopEngine(ctx)
}

// Current returns the stack that is up, or ErrNotUp.
func Current(ctx context.Context, opts Options) (Stack, error) {
	p, err := opts.place()
	if err != nil {
		return Stack{}, err
	}
	d, err := p.readDeployment()
	if errors.Is(err, os.ErrNotExist) {
		return Stack{}, ErrNotUp
	}
	if err != nil {
		return Stack{}, err
	}
	if !healthy(ctx, d.Stack.Endpoint) {
		return Stack{}, ErrNotUp
	}
	return d.Stack, nil
}

// place is where one stack's files are.
type place struct {
	Options
	root, state, tools string
	progress           *progress
}

func (o Options) place() (*place, error) {
	p := &place{Options: o, root: o.Root, state: o.State, tools: o.Tools, progress: newProgress(o.Progress)}
	if p.root == "" {
		root, err := findRoot()
		if err != nil {
			return nil, err
		}
		p.root = root
	}
	if p.state == "" {
		p.state = os.Getenv("DROPLOAD_STATE")
	}
	if p.state == "" {
		p.state = filepath.Join(p.root, ".dropload")
	}
	if p.tools == "" {
		p.tools = filepath.Join(p.root, ".dropload", "venv")
	}
	if p.Port == 0 {
		p.Port = defaultPort
	}
	if p.Name == "" {
		p.Name = "dropload-local"
	}
	for _, dir := range []*string{&p.root, &p.state, &p.tools} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, err
		}
		*dir = abs
	}
	return p, os.MkdirAll(p.state, 0o755)
}

// findRoot is the nearest folder, from the current one upwards, that holds the
// template.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "template.yaml")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no template.yaml in %s or above: run this in a clone of the project", dir)
		}
	}
}

// lock keeps two callers from starting two engines in one folder or two
// installations in one environment.
func (p *place) lock(ctx context.Context) (unlock func(), err error) {
	name := filepath.Join(p.state, "lock")
	err = p.progress.step("waiting for another `dropload up` or `down`", func(func(string)) error {
		for {
			unlock, err = lockFile(name)
			if err == nil || !errors.Is(err, errLocked) {
				return err
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
	})
	return unlock, err
}

// pause waits between two looks at something that no event tells.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
