package charset

import (
	"os"
	"strings"
	"testing"
)

// tables reads testdata/tables.txt: short tables, each with the encodings in
// which it must be recognised.
func tables_(t testing.TB) (names, encodings, texts []string) {
	t.Helper()
	b, err := os.ReadFile("testdata/tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(b), "\n-- ") {
		head, text, ok := strings.Cut(strings.TrimPrefix(part, "-- "), " --\n")
		name, list, found := strings.Cut(head, ": ")
		if !ok || !found {
			t.Fatalf("malformed part %q", head)
		}
		if name == "vi" {
			text = splitTones(text)
		}
		names, encodings, texts = append(names, name), append(encodings, list), append(texts, text)
	}
	return names, encodings, texts
}

func TestMatrix(t *testing.T) {
	names, encs, texts := tables_(t)
	for i, n := range names {
		for _, e := range strings.Fields(encs[i]) {
			if !CanEncode(e, texts[i]) {
				t.Errorf("%s: %s cannot", n, e)
				continue
			}
			b := encode(t, e, texts[i])
			g := Detect(b, true)
			d, err := NewDecoder(g.Name, strings.NewReader(string(b)))
			if err != nil {
				t.Fatal(err)
			}
			var sb strings.Builder
			buf := make([]byte, 100)
			for {
				n, err := d.Read(buf)
				sb.Write(buf[:n])
				if err != nil {
					break
				}
			}
			if sb.String() != texts[i] {
				t.Errorf("%s in %s: got %s %.2f %s", n, e, g.Name, g.Confidence, g.Why)
			} else {
				t.Logf("%s in %s: %s %.2f %s", n, e, g.Name, g.Confidence, g.Why)
			}
		}
	}
}
