package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spf13/pflag"
)

// The manual names every command and every flag, and no flag that is not there.
func TestManualNamesEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, flag := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(string(manual), -1) {
		named[flag] = true
	}
	root, known := newRoot(openStack, upAndOpen), map[string]bool{}
	for _, cmd := range root.Commands() {
		if !regexp.MustCompile("dropload " + cmd.Name() + `\b`).Match(manual) {
			t.Errorf("dropload %s is not in the manual", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			known["--"+f.Name] = true
			if !named["--"+f.Name] {
				t.Errorf("--%s of dropload %s is not in the manual", f.Name, cmd.Name())
			}
		})
		if len(cmd.Short) == 0 || !cmd.Runnable() {
			t.Errorf("dropload %s has no help or does nothing", cmd.Name())
		}
	}
	for flag := range named {
		if !known[flag] {
			t.Errorf("the manual names %s, which no command has", flag)
		}
	}
}
