package object

import (
	"fmt"
	"strings"
)

// Check refuses a range that names no part of any object.
func (r Range) Check() error {
	if r.Length < -1 || (r.Offset < 0 && r.Length == 0) {
		return fmt.Errorf("object: a range of %d bytes at %d", r.Length, r.Offset)
	}
	return nil
}

// Clip returns the part of an object of size bytes that r names, as an offset
// and a length that lie within it. What lies beyond the end is left out, so a
// range may name nothing at all.
func (r Range) Clip(size int64) (offset, length int64) {
	if r == (Range{}) {
		return 0, size
	}
	offset = r.Offset
	if offset < 0 {
		offset = max(0, size+offset)
	}
	offset = min(offset, size)
	length = size - offset
	if r.Length >= 0 {
		length = min(length, r.Length)
	}
	return offset, length
}

// PlainETag returns an ETag without the quotes and the weakness mark that some
// replies put around it; events give it without.
func PlainETag(etag string) string {
	return strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
}
