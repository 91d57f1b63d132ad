package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 30 * time.Second // it saves its data
)

// engine is a MiniStack process that this package started.
type engine struct {
	PID  int `json:"pid"`
	Port int `json:"port"`
}

func (e engine) endpoint() string { return "http://" + address(e.Port) }

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (p *place) engineFile() string { return filepath.Join(p.state, "engine.json") }

// runningEngine returns the engine of this folder; ok is false where it does
// not run.
func (p *place) runningEngine(ctx context.Context) (e engine, ok bool, err error) {
	b, err := os.ReadFile(p.engineFile())
	if errors.Is(err, os.ErrNotExist) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	written := json.Unmarshal(b, &e) == nil && e.PID > 1 // or only half, by a process that was killed
	// The number alone may be another process's by now.
	ours := written && alive(e.PID) && strings.Contains(commandLine(ctx, e.PID), p.tool("ministack"))
	return e, ours, nil
}

// startEngine returns the engine that runs, or starts it with the data that it
// left.
func (p *place) startEngine(ctx context.Context) (engine, error) {
	e, ok, err := p.runningEngine(ctx)
	if err != nil {
		return engine{}, err
	}
	if ok {
		if healthy(ctx, e.endpoint()) {
			return e, nil
		}
		p.progress.say("the engine on port %d does not answer: starting it anew", e.Port)
		if _, err := p.stopEngine(ctx); err != nil {
			return engine{}, err
		}
	}
	port, err := freePort(ctx, p.Port)
	if err != nil {
		return engine{}, err
	}
	if port != p.Port {
		p.progress.say("port %d is taken by another program: using %d", p.Port, port)
	}
	err = p.progress.step("starting the local engine", func(func(string)) error {
		e, err = p.launch(ctx, port)
		return err
	})
	return e, err
}

// freePort returns the wanted port, or the next one that is free.
func freePort(ctx context.Context, wanted int) (int, error) {
	const tries = 50
	var lc net.ListenConfig
	for port := wanted; port < wanted+tries; port++ {
		l, err := lc.Listen(ctx, "tcp", address(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("ports %d to %d are all taken: name another with --port", wanted, wanted+tries-1)
}

func (p *place) launch(ctx context.Context, port int) (engine, error) {
	dirs := map[string]string{}
	for _, name := range []string{"state", "s3", "tmp"} {
		dirs[name] = filepath.Join(p.state, "engine", name)
		if err := os.MkdirAll(dirs[name], 0o755); err != nil {
			return engine{}, err
		}
	}
	logName := filepath.Join(p.state, "engine.log")
	log, err := os.Create(logName)
	if err != nil {
		return engine{}, err
	}
	defer log.Close()

	e := engine{Port: port}
	// It outlives its caller. The functions inherit this environment, so it
	// holds nothing of the caller's but where programs are.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.tool("python"), p.tool("ministack"))
	cmd.Dir = filepath.Join(p.state, "engine")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dirs["tmp"], "TMPDIR=" + dirs["tmp"], "LANG=C.UTF-8",
		"AWS_ENDPOINT_URL=" + e.endpoint(), "AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=" + account,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_EC2_METADATA_DISABLED=true",
		"MINISTACK_REGION=" + region, "GATEWAY_PORT=" + strconv.Itoa(port), "BIND_HOST=127.0.0.1",
		"IOT_MTLS_ENABLED=0", // else it listens on every address
		"LAMBDA_EXECUTOR=local",
		"PERSIST_STATE=1", "STATE_DIR=" + dirs["state"], "S3_PERSIST=1", "S3_DATA_DIR=" + dirs["s3"],
	}
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return engine{}, err
	}
	e.PID = cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	b, err := json.Marshal(e)
	if err == nil {
		err = os.WriteFile(p.engineFile(), b, 0o644)
	}
	if err == nil {
		err = awaitHealth(ctx, e, ended)
	}
	if err != nil {
		_ = killSession(e.PID)
		_ = os.Remove(p.engineFile())
		return engine{}, fmt.Errorf("%w\n%s\nall of it: %s", err, lastLines(logName), logName)
	}
	return e, nil
}

func awaitHealth(ctx context.Context, e engine, ended <-chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("the engine did not answer within %s", startLimit))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("the engine ended while it started: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if healthy(ctx, e.endpoint()) {
				return nil
			}
		}
	}
}

// healthy says whether an engine answers there.
func healthy(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Both engines answer under this name.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_localstack/health", nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// stopEngine asks the engine to save its data and end.
func (p *place) stopEngine(ctx context.Context) (stopped bool, err error) {
	e, ok, err := p.runningEngine(ctx)
	if err != nil {
		return false, err
	}
	if ok {
		err = p.progress.step("stopping the local engine", func(func(string)) error { return stop(ctx, e.PID) })
	}
	if err != nil {
		return false, err
	}
	if err := os.Remove(p.engineFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	return ok, nil
}

func stop(ctx context.Context, pid int) error {
	if err := terminate(pid); err != nil {
		return err
	}
	for limit := time.Now().Add(stopLimit); alive(pid); {
		if time.Now().After(limit) {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	_ = killSession(pid) // what it may have left running; usually nothing
	return nil
}

func lastLines(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	return strings.Join(follow(f, func(string) {}), "\n")
}
