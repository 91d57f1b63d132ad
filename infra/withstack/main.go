// Command withstack runs a command beside a deployed stack and tells it by the
// environment where everything is: the AWS SDK's own variables, and BUCKET,
// RECORDS_TABLE, CONTROL_TABLE and STATE_MACHINE_ARN as the functions get them.
//
//	withstack go test -tags e2e ./...                   a fresh stack on an engine of its own
//	withstack -endpoint URL go test -tags e2e ./...     deployed to an engine that runs already
//	withstack -profile P -stack S go test -tags e2e …   a stack that is deployed on AWS
//
// The engine of its own has a folder and a port of its own, so that it never
// touches the stack of `dropload up`; it starts empty and ends with the
// command. The exit status is the command's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/dropload/dropload/infra/local"
)

type flags struct {
	endpoint, profile, stack, state string
	port                            int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "withstack:", err)
	}
	os.Exit(status)
}

func run(ctx context.Context, args []string) (status int, err error) {
	var f flags
	set := flag.NewFlagSet("withstack", flag.ContinueOnError)
	set.StringVar(&f.endpoint, "endpoint", "", "an engine that runs already")
	set.StringVar(&f.profile, "profile", "", "the profile of an AWS account")
	set.StringVar(&f.stack, "stack", "dropload-e2e", "the stack's name")
	set.StringVar(&f.state, "state", filepath.Join("build", "e2e"), "folder of the engine's data; emptied")
	set.IntVar(&f.port, "port", 4600, "the engine's port, or the next that is free")
	if err := set.Parse(args); err != nil {
		return 2, err
	}
	if set.NArg() == 0 {
		return 2, errors.New("wants a command to run")
	}
	env, done, err := f.open(ctx)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, done()) }()

	cmd := exec.CommandContext(ctx, set.Arg(0), set.Args()[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// open returns the environment of a stack, and what to do in the end.
func (f flags) open(ctx context.Context) (env []string, done func() error, err error) {
	if f.profile != "" {
		env, err = f.onAWS(ctx)
		return env, func() error { return nil }, err
	}
	if err := local.Isolate(); err != nil {
		return nil, nil, err
	}
	opts := local.Options{State: f.state, Port: f.port, Name: f.stack, Endpoint: f.endpoint, Progress: os.Stderr}
	if _, err := local.Down(ctx, opts); err != nil { // one that was left by a run that was killed
		return nil, nil, err
	}
	if err := os.RemoveAll(f.state); err != nil {
		return nil, nil, err
	}
	stack, err := local.Up(ctx, opts)
	if err != nil {
		_, downErr := local.Down(context.WithoutCancel(ctx), opts)
		return nil, nil, errors.Join(err, downErr)
	}
	state, err := filepath.Abs(f.state)
	if err != nil {
		return nil, nil, err
	}
	env = append(os.Environ(), "DROPLOAD_STATE="+state)
	return append(env, stack.Environ()...), func() error {
		_, err := local.Down(context.WithoutCancel(ctx), opts)
		return err
	}, nil
}

func (f flags) onAWS(ctx context.Context) ([]string, error) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			return nil, fmt.Errorf("%s is set: with a profile the calls must go to AWS", name)
		}
	}
	stack, err := local.Describe(ctx, f.stack, local.Stack{}, config.WithSharedConfigProfile(f.profile))
	if err != nil {
		return nil, err
	}
	return append(append(os.Environ(), stack.Environ()...), "AWS_PROFILE="+f.profile), nil
}
