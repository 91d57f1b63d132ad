package opc

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
)

// pack makes a container of names and contents in turn.
func pack(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err == nil {
			_, err = io.WriteString(w, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*Container, error) { return Open(bytes.NewReader(b), int64(len(b))) }

func read(p *Part) (string, error) {
	rc, err := p.Open()
	if err != nil {
		return "", err
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	return string(b), err
}

func code(err error) string {
	if bad, ok := errors.AsType[*fault.BadFile](err); ok {
		return bad.Code
	}
	return fmt.Sprint(err)
}

func TestFind(t *testing.T) {
	t.Parallel()
	c, err := open(pack(t, "xl/Sheet 1.xml", "one", `XL\two.xml`, "two", "/three.xml", "three", "folder/", "", "three.xml", "last wins"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"XL/sheet 1.XML", "/xl/Sheet%201.xml", `xl\two.xml`, "xl/./a/../two.xml", "three.xml", "folder", "../three.xml"} {
		p := c.Find(name)
		if p == nil {
			continue
		}
		if got[name], err = read(p); err != nil {
			t.Error(err)
		}
	}
	want := map[string]string{"XL/sheet 1.XML": "one", "/xl/Sheet%201.xml": "one", `xl\two.xml`: "two", "xl/./a/../two.xml": "two", "three.xml": "last wins", "../three.xml": "last wins"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRatio(t *testing.T) {
	t.Parallel()
	blank := strings.Repeat(" ", 3<<20)
	c, err := open(pack(t, "a", blank, "b", strings.Repeat(" ", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	c.free = 2 << 20
	if _, err := read(c.Find("b")); err != nil {
		t.Errorf("a small part: %v", err)
	}
	if _, err := read(c.Find("a")); code(err) != "too-large" {
		t.Errorf("a large part: %v", err)
	}
}

// TestOverlap: parts that are the same bytes of the file count each; reading one
// of them often does not.
func TestOverlap(t *testing.T) {
	t.Parallel()
	const size, entries = 1 << 20, 40
	file := pack(t, "p00", strings.Repeat(" ", size))
	end := bytes.LastIndex(file, []byte(sigEnd))
	dir := int(binary.LittleEndian.Uint32(file[end+16:]))
	out := bytes.Clone(file[:end])
	for i := 1; i < entries; i++ {
		entry := bytes.Clone(file[dir:end])
		copy(entry[46:], fmt.Sprintf("p%02d", i))
		out = append(out, entry...)
	}
	tail := bytes.Clone(file[end:])
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(out)-dir))
	c, err := open(append(out, tail...))
	if err != nil {
		t.Fatal(err)
	}
	c.free = size * 2
	for range 2 * entries {
		if _, err := read(c.Find("p00")); err != nil {
			t.Fatalf("the same part again: %v", err)
		}
	}
	for i := 1; i < entries; i++ {
		if _, err = read(c.Find(fmt.Sprintf("p%02d", i))); err != nil {
			break
		}
	}
	if code(err) != "too-large" {
		t.Errorf("got %v, want too-large", err)
	}
}

func TestTooManyParts(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range MaxParts + 1 {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(b.Bytes()); code(err) != "too-large" {
		t.Errorf("got %v, want too-large", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(pack(f, "a", "b", "c/d", strings.Repeat("x", 100)))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := open(b)
		if err != nil {
			if _, ok := errors.AsType[*fault.BadFile](err); !ok {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		for _, p := range c.Matching(func(string) bool { return true }) {
			rc, err := p.Open()
			if err != nil {
				continue
			}
			_, err = io.Copy(io.Discard, rc)
			if errors.Is(err, io.EOF) {
				t.Fatalf("an error that looks like the end: %v", err)
			}
			_ = rc.Close()
		}
	})
}
