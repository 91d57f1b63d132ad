package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runTemplate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newTemplate()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestTemplateFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, start := range map[string]string{"k.xlsx": "PK\x03\x04", "k.csv": "\ufeffCode;Benutzername;"} {
		path := filepath.Join(dir, name)
		out, err := runTemplate(t, "contacts", "--lang", "de", "-o", path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(out) != path {
			t.Errorf("printed %q, want %s", out, path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, []byte(start)) {
			t.Errorf("%s starts with %q, want %q", name, data[:min(len(data), 30)], start)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files left, %v; want 2", len(left), err)
	}
}

func TestTemplateToStandardOutput(t *testing.T) {
	t.Parallel()
	out, err := runTemplate(t, "contacts", "--format", "csv", "-o", "-")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "\ufeffCode,User name,") {
		t.Errorf("printed %q", out)
	}
}

func TestTemplateFields(t *testing.T) {
	t.Parallel()
	own := filepath.Join(t.TempDir(), "own.json")
	if err := os.WriteFile(own, []byte(`{"extends": "members", "fields": [{"name": "shoe_size", "type": "decimal"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runTemplate(t, "members", "--fields", "--json", "--definitions", own)
	if err != nil {
		t.Fatal(err)
	}
	var fields []struct{ Name, Policy, Colour string }
	if err := json.Unmarshal([]byte(out), &fields); err != nil {
		t.Fatal(err)
	}
	if first := fields[0]; first.Name != "phone" || first.Policy != "once" || first.Colour != "red" {
		t.Errorf("first field %+v", first)
	}
	if last := fields[len(fields)-1]; last.Name != "shoe_size" || last.Colour != "blue" {
		t.Errorf("last field %+v", last)
	}
}

func TestTemplateRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"nothing"}, {"contacts", "--format", "ods", "-o", "-"}, {}, {"contacts", "--definitions", "missing.json"}} {
		if _, err := runTemplate(t, args...); err == nil {
			t.Errorf("template %q was not refused", args)
		}
	}
}
