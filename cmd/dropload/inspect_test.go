package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// writeFiles writes files into a folder of their own and returns it.
func writeFiles(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// execute runs a command and returns what it printed and its status.
func execute(t *testing.T, cmd *cobra.Command, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	var status statusError
	switch {
	case errors.As(err, &status):
		return out.String(), int(status)
	case err != nil:
		t.Fatal(err)
	}
	return out.String(), 0
}

func TestInspectJSON(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"a b ü.csv": "Liste\n\nqqq;zzz\n1;Müller\n2;Söhne\n",
		"empty.csv": "",
		"doc.pdf":   "%PDF-1.7",
	})
	out, status := execute(t, newInspect(), "--json", filepath.Join(dir, "a b ü.csv"))
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 {
		t.Fatal(err, status, out)
	}
	for _, key := range []string{"findings", "confidence"} {
		if got[key] == nil {
			t.Errorf("no %s", key)
		}
		delete(got, key)
	}
	want := map[string]any{
		"format": "csv", "encoding": "utf-8", "delimiter": ";", "quote": "\"", "escape": nil, "newline": "\n",
		"preamble_rows": 2.0, "header_rows": 1.0, "footer_rows": 0.0, "sheets": nil, "error": nil,
		"columns": []any{map[string]any{"name": "qqq", "field": nil}, map[string]any{"name": "zzz", "field": nil}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	if out, status = execute(t, newInspect(), "--json", filepath.Join(dir, "doc.pdf")); status != 1 || !strings.Contains(out, `"code":"unknown-format"`) {
		t.Errorf("%d %s", status, out)
	}
	if out, status = execute(t, newInspect(), "--json", filepath.Join(dir, "empty.csv")); status != 0 || !strings.Contains(out, `"error":null`) {
		t.Errorf("%d %s", status, out)
	}
	if out, _ = execute(t, newInspect(), filepath.Join(dir, "a b ü.csv")); !strings.Contains(out, "2 columns: qqq · zzz") {
		t.Error(out)
	}
}

func TestInspectBatch(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{"1.csv": "a,b\n1,2\n", "2.bin": "%PDF-1.7"})
	list := filepath.Join(dir, "list")
	lines := filepath.Join(dir, "1.csv") + "\n" + filepath.Join(dir, "missing") + "\n" + filepath.Join(dir, "2.bin") + "\n"
	if err := os.WriteFile(list, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	out, status := execute(t, newInspect(), "--json", "--batch", list)
	answers := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(answers) != 3 || !strings.Contains(answers[0], `"error":null`) || !strings.Contains(answers[2], "unknown-format") {
		t.Error(status, out)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"top.csv":    "Liste\n\nid;name;n\n1; \"a;b\";2\n\n2;\x00\"x\\\xff;3\nSumme;;5\n",
		"groups.csv": "Who;;What;\nid;name;item;price\n1;Ann;Cup;2.50\n2;Bob;Mug;3.50\n3;Cy;Jar;4.50\n",
		"page.xls":   "<table><tr><td>id</td><td>n</td></tr><tr><td>1</td><td></td></tr><tr></tr><tr><td>2</td><td>x</td></tr></table>",
		"empty.csv":  "",
		"cut.xlsx":   "PK\x03\x04",
	})
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"top.csv", `["id","name","n"]` + "\n" + `["1","a;b","2"]` + "\n" + `["2","\u0000\"x\\` + "\uFFFD" + `","3"]` + "\n", []string{"--encoding", "utf-8"}},
		{"groups.csv", `["Who id","name","What item","price"]` + "\n" + `["1","Ann","Cup","2.50"]` + "\n", nil},
		{"page.xls", `{"index":0,"sheet":`, []string{"--raw"}},
		{"empty.csv", "", nil},
		{"cut.xlsx", `{"error":{"code":"corrupt",`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, status := execute(t, newRows(), append(c.args, filepath.Join(dir, c.name))...)
			if !strings.HasPrefix(out, c.want) || c.want == "" && out != "" {
				t.Errorf("got %s", out)
			}
			if (status != 0) != strings.Contains(c.want, "error") {
				t.Errorf("status %d", status)
			}
		})
	}
}

func TestRowsBatch(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{"1.csv": "a,b\n1,2\n", "2.xlsx": "PK\x03\x04"})
	list, into := filepath.Join(dir, "list"), t.TempDir()
	if err := os.WriteFile(list, []byte(filepath.Join(dir, "1.csv")+"\n"+filepath.Join(dir, "2.xlsx")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, status := execute(t, newRows(), "--batch", list, "--out", into); status != 0 {
		t.Fatal(status)
	}
	for name, want := range map[string]string{"1.jsonl": "[\"a\",\"b\"]\n[\"1\",\"2\"]\n", "2.jsonl": `{"error":{"code":"corrupt"`} {
		b, err := os.ReadFile(filepath.Join(into, name))
		if err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: %s %v", name, b, err)
		}
	}
}

// What is written by hand is what encoding/json would write.
func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x00\xff\u2028é😀")
	f.Fuzz(func(t *testing.T, s string) {
		var got, want []string
		if err := json.Unmarshal(appendStrings(nil, []string{s, ""}), &got); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal([]string{s, ""})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
