package csv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The short way through well-formed records finds what the careful one does, in
// whatever is put together of the bytes that matter.
func TestWellFormedFindsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			`"`, `""`, ",", "\n", "\r\n", "\r", " ", "a", "bc", `"x"`, `,"y",`, `"z`, `\`, "ü",
		}), 0, 40).Draw(t, "pieces"), "")
		for _, l := range layouts() {
			short, careful := NewReader(strings.NewReader(text), l, 1), NewReader(strings.NewReader(text), l, 1)
			careful.s.careful = true
			if d := cmp.Diff(show(t, careful), show(t, short)); d != "" {
				t.Fatalf("%q (-careful +short):\n%s", text, d)
			}
		}
	})
}
