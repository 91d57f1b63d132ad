package unwrap

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/dropload/dropload/internal/fault"
)

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// archive zips the files name, content, name, content…
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReaderAndSource(t *testing.T) {
	t.Parallel()
	small := "id;name\n1;Ann\n"
	large := strings.Repeat(small, inMemory/len(small)+10)
	for _, text := range []string{small, large} {
		b := []byte(text)
		zipped := archive(t, "folder/", "", "__MACOSX/._a.csv", "x", "folder/a.csv", text)
		for name, c := range map[string]struct {
			wrapped   []byte
			wrappings []string
		}{
			"nothing":      {b, nil},
			"gzip":         {gz(t, b), []string{Gzip}},
			"zstd":         {zst(t, b), []string{Zstd}},
			"zip":          {zipped, []string{Zip}},
			"zip in gzip":  {gz(t, zipped), []string{Gzip, Zip}},
			"gzip in zip":  {archive(t, "a.csv.gz", string(gz(t, b))), []string{Zip, Gzip}},
			"zstd in gzip": {gz(t, zst(t, b)), []string{Gzip, Zstd}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if len(c.wrappings) > 0 && Kind(c.wrapped) != c.wrappings[0] {
					t.Errorf("kind %q", Kind(c.wrapped))
				}
				r, err := Reader(bytes.NewReader(c.wrapped), c.wrappings)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err := errors.Join(err, r.Close()); err != nil || string(got) != text {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
				src, closer, err := Source(bytes.NewReader(c.wrapped), c.wrappings)
				if err != nil {
					t.Fatal(err)
				}
				end := make([]byte, 4)
				_, err = src.ReadAt(end, src.Size()-4)
				if err := errors.Join(err, closer.Close()); err != nil || string(end) != "Ann\n" || src.Size() != int64(len(text)) {
					t.Fatalf("%q of %d, %v", end, src.Size(), err)
				}
			})
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	ok := gz(t, bytes.Repeat([]byte("a,b\n"), 1000))
	locked := archive(t, "a.csv", "a")
	// The flags of the local header and of the directory.
	for _, sign := range []string{"PK\x03\x04", "PK\x01\x02"} {
		at := bytes.Index(locked, []byte(sign))
		if sign[2] == 3 {
			locked[at+6] |= 1
		} else {
			locked[at+8] |= 1
		}
	}
	for name, c := range map[string]struct {
		wrapped   []byte
		wrappings []string
		code      string
	}{
		"cut gzip":    {ok[:len(ok)-9], []string{Gzip}, "corrupt"},
		"no gzip":     {[]byte("a,b\n"), []string{Gzip}, "corrupt"},
		"cut zip":     {archive(t, "a.csv", "a")[:40], []string{Zip}, "corrupt"},
		"two files":   {archive(t, "a.csv", "a", "b.csv", "b"), []string{Zip}, "unsupported"},
		"no file":     {archive(t, "a/", ""), []string{Zip}, "empty"},
		"locked":      {locked, []string{Zip}, "encrypted"},
		"unknown":     {ok, []string{"lzma"}, "unsupported"},
		"cut in gzip": {gz(t, ok[:len(ok)-9]), []string{Gzip, Gzip}, "corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Reader(bytes.NewReader(c.wrapped), c.wrappings)
			if err == nil {
				_, err = io.ReadAll(r)
				err = errors.Join(err, r.Close())
			}
			var bad *fault.BadFile
			if !errors.As(err, &bad) || bad.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

// A bomb is stopped by what it gives, not by what it says.
func TestBomb(t *testing.T) {
	t.Parallel()
	g := &guard{r: zeros{}, left: 1 << 20}
	n, err := io.Copy(io.Discard, g)
	var bad *fault.BadFile
	if !errors.As(err, &bad) || bad.Code != "too-large" || n > 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if Limit(1<<30) <= Limit(1) {
		t.Error("a large file may not hold more")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestNames(t *testing.T) {
	t.Parallel()
	got, err := Names(bytes.NewReader(archive(t, "xl/", "", "xl/workbook.xml", "x", ".DS_Store", "x", "a/Thumbs.db", "x")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"xl/workbook.xml"}, got); diff != "" {
		t.Error(diff)
	}
}
