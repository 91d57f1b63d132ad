package object_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/object"
)

func TestClipStaysWithinTheObject(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 50).Draw(t, "size")
		r := object.Range{Offset: rapid.Int64Range(-60, 60).Draw(t, "offset"), Length: rapid.Int64Range(-1, 60).Draw(t, "length")}
		if r.Check() != nil {
			return
		}
		offset, length := r.Clip(size)
		if offset < 0 || length < 0 || offset+length > size {
			t.Fatalf("%+v of %d: %d bytes at %d", r, size, length, offset)
		}
		if r.Length > 0 && length > r.Length {
			t.Fatalf("%+v of %d: %d bytes", r, size, length)
		}
		if r.Length == -1 && offset+length != size {
			t.Fatalf("%+v of %d does not reach the end", r, size)
		}
	})
}

func TestPlainETag(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`"abc-2"`: "abc-2", "abc": "abc", `W/"abc"`: "abc", "": ""} {
		if got := object.PlainETag(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
