package charset

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"utf-8", "id;name\n1;Łukasz 北京 😀\n"},
		{"utf-16le", "id;name\n1;Łukasz 北京 😀\n"},
		{"utf-16be", "id;name\n1;Łukasz 北京 😀\n"},
		{"utf-32le", "id;name\n1;Łukasz 北京 😀\n"},
		{"utf-32be", "id;name\n1;Łukasz 北京 😀\n"},
		{"windows-1252", "Müller – 5 €"},
		{"windows-1251", "Пётр Иванов"},
		{"shift_jis", "表示,ソ"},
		{"gb18030", "北京市,€"},
		{"big5", "臺北"},
		{"euc-kr", "서울 뷁"},
		{"iso-2022-jp", "東京 a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			long := strings.Repeat(c.text, 5000)
			if !CanEncode(c.name, long) {
				t.Fatal("cannot encode")
			}
			var b bytes.Buffer
			w, err := NewEncoder(c.name, &b)
			if err != nil {
				t.Fatal(err)
			}
			for part := long; part != ""; {
				n := min(len(part), 777)
				if _, err := io.WriteString(w, part[:n]); err != nil {
					t.Fatal(err)
				}
				part = part[n:]
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, r := range []io.Reader{bytes.NewReader(b.Bytes()), iotest.OneByteReader(bytes.NewReader(b.Bytes()))} {
				d, err := NewDecoder(c.name, r)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(d)
				if err != nil || string(got) != long || d.Invalid() != 0 {
					t.Fatalf("got %d bytes, want %d; %d invalid; %v", len(got), len(long), d.Invalid(), err)
				}
			}
		})
	}
}

func TestDecoderCountsInvalid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
		invalid        int64
	}{
		{"utf-8", "\xEF\xBB\xBFa\xFFb\xEF\xBF\xBD\xC3", "a\uFFFDb\uFFFD\uFFFD", 2},
		{"utf-16le", "\xFF\xFEa\x00\x00\xD8b\x00", "a\uFFFDb", 1},
		{"shift_jis", "a\x82", "a\uFFFD", 1},
		{"windows-1252", "", "", 0},
	} {
		d, err := NewDecoder(c.name, strings.NewReader(c.in))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(d)
		if err != nil || string(got) != c.want || d.Invalid() != c.invalid {
			t.Errorf("%s: got %q with %d invalid and %v, want %q with %d", c.name, got, d.Invalid(), err, c.want, c.invalid)
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	t.Parallel()
	w, err := NewEncoder("windows-1252", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "Łódź"); !errors.Is(err, ErrCannotEncode) {
		t.Errorf("got %v", err)
	}
	if CanEncode("windows-1252", "Łódź") || CanEncode("no such", "a") || CanEncode(UTF8, "\xFF") {
		t.Error("said that it can encode what it cannot")
	}
	if _, err := NewEncoder("no such", io.Discard); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreKnown(t *testing.T) {
	t.Parallel()
	for _, n := range Names() {
		if _, err := NewDecoder(strings.ToUpper(n), strings.NewReader("")); err != nil {
			t.Error(err)
		}
	}
	for alias, n := range aliases() {
		if _, err := lookup(n); err != nil {
			t.Errorf("%s: %v", alias, err)
		}
	}
}

// encode writes text in that encoding, or ends the test.
func encode(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewEncoder(name, &b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzDecode(f *testing.F) {
	for i := range Names() {
		f.Add(uint8(i), []byte("a,ü\xFC\x82\xA0\x1B$)C\x0E<-\n\xFF"))
	}
	names := Names()
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		name := names[int(which)%len(names)]
		var texts [2]string
		for i, r := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b))} {
			d, err := NewDecoder(name, r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(d)
			if err != nil {
				t.Fatal(err)
			}
			if !utf8.Valid(text) {
				t.Fatalf("%s gave %q, which is not UTF-8", name, text)
			}
			texts[i] = string(text)
		}
		if texts[0] != texts[1] {
			t.Fatalf("%s gave %q at once and %q byte by byte", name, texts[0], texts[1])
		}
		if CanEncode(name, texts[0]) && !strings.HasPrefix(texts[0], BOM) {
			if got := decode(t, name, encode(t, name, texts[0])); got != texts[0] {
				t.Fatalf("%s wrote %q and read %q", name, texts[0], got)
			}
		}
	})
}

// decode reads all of b, or ends the test.
func decode(t testing.TB, name string, b []byte) string {
	t.Helper()
	d, err := NewDecoder(name, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
