package charset

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// sample is a short table of testdata/tables.txt and the encodings in which it
// must be read.
type sample struct {
	name, text string
	encodings  []string
}

func samples(t testing.TB) []sample {
	t.Helper()
	b, err := os.ReadFile("testdata/tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for part := range strings.SplitSeq(string(b), "\n-- ") {
		head, text, ok := strings.Cut(strings.TrimPrefix(part, "-- "), " --\n")
		name, list, found := strings.Cut(head, ": ")
		if !ok || !found {
			t.Fatalf("malformed part %q", head)
		}
		if name == "vi" {
			text = splitTones(text)
		}
		all = append(all, sample{name, text, strings.Fields(list)})
	}
	return all
}

// read detects and decodes.
func read(t testing.TB, b []byte) (string, Guess) {
	t.Helper()
	g := Detect(b, true)
	return decode(t, g.Name, b), g
}

func TestShortTables(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		for _, e := range s.encodings {
			t.Run(s.name+"/"+e, func(t *testing.T) {
				t.Parallel()
				if got, g := read(t, encode(t, e, s.text)); got != s.text {
					t.Errorf("read as %s (%.2f, %s):\n%s", g.Name, g.Confidence, g.Why, got)
				}
			})
		}
	}
}

// A row alone is often all that is beyond ASCII in an export. Not every one can
// be told, but then the confidence must say so.
func TestSingleRows(t *testing.T) {
	t.Parallel()
	var right, all, sure, surelyRight int
	for _, s := range samples(t) {
		for _, e := range s.encodings {
			for row := range strings.Lines(s.text) {
				if isASCII(row) {
					continue
				}
				text := "id,name,city\n1,Smith,London\n" + row
				got, g := read(t, encode(t, e, text))
				all++
				if g.Confidence >= 0.9 {
					sure++
				}
				if got == text {
					right++
					if g.Confidence >= 0.9 {
						surelyRight++
					}
				}
			}
		}
	}
	t.Logf("%d of %d rows, %d of the %d sure ones", right, all, surelyRight, sure)
	if right*100 < all*97 {
		t.Errorf("%d of %d rows read rightly, want 97 %%", right, all)
	}
	if surelyRight*1000 < sure*995 {
		t.Errorf("%d of %d rows that were sure read rightly, want 99.5 %%", surelyRight, sure)
	}
}

func TestDetectBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, head string
		complete   bool
		want       string
		mark       int
	}{
		{"empty", "", true, UTF8, 0},
		{"ascii", "a,b\n1,2\n", true, UTF8, 0},
		{"utf-8", "a,ü\n", true, UTF8, 0},
		{"utf-8 cut within a character", "a,ü\xC3", false, UTF8, 0},
		{"utf-8 with one wrong byte", "Zoë,Łódź,\xFF,naïve\n", true, UTF8, 0},
		{"utf-8 mark", "\xEF\xBB\xBFa,b", true, UTF8, 3},
		{"utf-16le mark", "\xFF\xFEa\x00", true, "utf-16le", 2},
		{"utf-16be mark", "\xFE\xFF\x00a", true, "utf-16be", 2},
		{"utf-32le mark", "\xFF\xFE\x00\x00a\x00\x00\x00", true, "utf-32le", 4},
		{"utf-32be mark", "\x00\x00\xFE\xFF\x00\x00\x00a", true, "utf-32be", 4},
		{"utf-16le", "a\x00,\x00\x17\x53\n\x00", true, "utf-16le", 0},
		{"utf-16be", "\x00a\x00,\x53\x17\x00\n", true, "utf-16be", 0},
		{"utf-16le cut within a unit", "a\x00,\x00\x17\x53\n\x00b", false, "utf-16le", 0},
		{"utf-16be, mostly Chinese", "\x00a\x00\n" + strings.Repeat("\x53\x17\x4E\xAC", 30), true, "utf-16be", 0},
		{"utf-32le", "a\x00\x00\x00,\x00\x00\x00\x17\x53\x00\x00", true, "utf-32le", 0},
		{"utf-32be", "\x00\x00\x00a\x00\x00\x00,\x00\x00\x53\x17", true, "utf-32be", 0},
		{"a stray zero byte", "id,name\n1,Sm\x00ith\n2,Jones\n3,Brown\n4,Taylor\n5,Davies\n", true, UTF8, 0},
		{"fields padded with zero bytes", "ab\x00\x00\x00\x00\x00\x00,cd\x00\x00\x00\x00\x00\x00\n", true, UTF8, 0},
		{"iso-2022-jp", "a,\x1B$B5~ET\x1B(B\n", true, "iso-2022-jp", 0},
		{"iso-2022-kr", "\x1B$)Ca,\x0E<-=o\x0F\n", true, "iso-2022-kr", 0},
		{"hz", "a,~{11>)~}\n", true, "hz-gb-2312", 0},
		{"braces are not hz", "a,~{not chinese}~}\n", true, UTF8, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if g := Detect([]byte(c.head), c.complete); g.Name != c.want || g.BOM != c.mark {
				t.Errorf("got %+v, want %s with a mark of %d bytes", g, c.want, c.mark)
			}
		})
	}
}

func TestNoiseIsDoubtful(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(1 + r.UintN(255))
	}
	if g := Detect(noise, true); g.Confidence > 0.5 {
		t.Errorf("noise was taken for %s with confidence %.2f", g.Name, g.Confidence)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		if len(l.letters) < 20 || len(l.letters) > lastLetter {
			t.Errorf("%s has %d letters", l.name, len(l.letters))
		}
		if fit := slices.ContainsFunc(singles(), func(s single) bool { return l.fits(s.enc) }); !fit {
			t.Errorf("no encoding has the letters of %s", l.name)
		}
	}
	for _, name := range []string{"ja", "ko", "zh-hans", "zh-hant"} {
		if n := len(ranks(name)); n < 300 {
			t.Errorf("%s has %d characters", name, n)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range samples(f) {
		for _, e := range s.encodings {
			f.Add(encode(f, e, s.text), true)
		}
	}
	f.Add([]byte("\x81\x30\x81\x30\xFF"), false)
	f.Add([]byte("\xFF\xFE\x00\xD8"), true)
	f.Add([]byte("~{~}\x1B$)C"), true)
	names := Names()
	f.Fuzz(func(t *testing.T, head []byte, complete bool) {
		g := Detect(head, complete)
		if !slices.Contains(names, g.Name) || g.Confidence < 0 || g.Confidence > 1 || g.Why == "" || g.BOM > len(head) {
			t.Fatalf("%+v", g)
		}
		if again := Detect(head, complete); again != g {
			t.Fatalf("%+v, then %+v", g, again)
		}
	})
}
