package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func variable(entry string) string { name, _, _ := strings.Cut(entry, "="); return name }

// isAWS says whether a variable could lead to a real account.
func isAWS(name string) bool {
	return strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SAM_CLI_") || name == "BOTO_CONFIG"
}

// environment is the caller's without what could lead to a real account, and
// without proxies for this machine. Later entries win.
func environment(extra ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool { return isAWS(variable(entry)) })
	local := "127.0.0.1,localhost"
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if v := os.Getenv(name); v != "" {
			local = v + "," + local
			break
		}
	}
	env = append(env, "NO_PROXY="+local, "no_proxy="+local,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
	return append(env, extra...)
}

// run runs a command in the project's folder. Its output goes to a log; each
// line is noted; when it fails the error holds the last lines.
func (p *place) run(ctx context.Context, log string, note func(string), env []string, name string, args ...string) error {
	file, err := os.Create(filepath.Join(p.state, log))
	if err != nil {
		return err
	}
	defer file.Close()
	r, w := io.Pipe()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.root, env, w, w
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second

	last := make(chan []string)
	go func() { last <- follow(io.TeeReader(r, file), note) }()
	err = cmd.Run()
	_ = w.Close() // never fails
	tail := <-last
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s\nall of it: %s", filepath.Base(name), args[0], err, strings.Join(tail, "\n"), file.Name())
	}
	return nil
}

// follow notes each line and returns the last ones.
func follow(r io.Reader, note func(string)) []string {
	const keep = 20
	var tail []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		note(line)
		if tail = append(tail, line); len(tail) > keep {
			tail = tail[1:]
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line too long must not stop the command
	return tail
}
