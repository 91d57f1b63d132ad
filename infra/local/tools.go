package local

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A tool that has to be there, and how to get it.
const (
	wantGo     = "no Go here: install it from your package manager or from go.dev/dl (go.mod says which version), then try again"
	wantPython = "no Python 3.11 or newer here: install python3 (Debian: apt-get install python3 python3-venv; macOS: brew install python), then try again"
	wantVenv   = "no venv module in Python here: install it (Debian: apt-get install python3-venv), then try again"
)

// setUpTools makes the virtual environment with the engine and the SAM CLI, as
// the lock file says. It is made anew when the lock file or Python changes.
func (p *place) setUpTools(ctx context.Context) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New(wantGo)
	}
	python, version, err := findPython(ctx)
	if err != nil {
		return err
	}
	lock := filepath.Join(p.root, "infra", "local", "requirements.txt")
	wanted, err := os.ReadFile(lock)
	if err != nil {
		return err
	}
	stamp := fmt.Sprintf("%x\n%s\n%s\n", sha256.Sum256(wanted), version, p.tools)
	stampFile := filepath.Join(p.tools, "dropload-stamp")
	if have, err := os.ReadFile(stampFile); err == nil && string(have) == stamp {
		return nil
	}
	if _, err := os.Stat(p.tools); err == nil {
		if _, err := os.Stat(filepath.Join(p.tools, "pyvenv.cfg")); err != nil {
			return fmt.Errorf("%s is there and is no virtual environment: move it away, then try again", p.tools)
		}
	}
	return p.progress.step("setting up the local engine and the SAM CLI", func(note func(string)) error {
		note("virtual environment")
		if err := p.run(ctx, "venv.log", note, environment(), python, "-m", "venv", "--clear", p.tools); err != nil {
			return errors.Join(errors.New(wantVenv), err)
		}
		packages, n := strings.Count(string(wanted), "=="), 0
		collecting := func(line string) {
			if name, ok := strings.CutPrefix(line, "Collecting "); ok {
				n++
				name, _, _ = strings.Cut(name, " ")
				note(fmt.Sprintf("package %d of about %d, %s", n, packages, name))
			} else if strings.HasPrefix(line, "Installing") {
				note("unpacking")
			}
		}
		err := p.run(ctx, "pip.log", collecting, environment("PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1"),
			p.tool("python"), "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", lock)
		if err != nil {
			return err
		}
		return os.WriteFile(stampFile, []byte(stamp), 0o644)
	})
}

func (p *place) tool(name string) string { return filepath.Join(p.tools, "bin", name) }

// findPython returns a Python that is new enough.
func findPython(ctx context.Context) (path, version string, err error) {
	const show = `import sys, ensurepip, venv; print(sys.version) if sys.version_info >= (3, 11) else sys.exit("old")`
	venvMissing := false
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "-c", show).CombinedOutput()
		if err == nil {
			return path, strings.Join(strings.Fields(string(out)), " "), nil
		}
		if strings.Contains(string(out), "ModuleNotFoundError") {
			venvMissing = true
		}
	}
	if venvMissing {
		return "", "", errors.New(wantVenv)
	}
	return "", "", errors.New(wantPython)
}
