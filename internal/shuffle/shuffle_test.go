package shuffle_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/memory"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/shuffle"
)

func rows() *rapid.Generator[shuffle.Row] {
	return rapid.Custom(func(t *rapid.T) shuffle.Row {
		r := shuffle.Row{
			Number: rapid.Int64Range(1, 1<<40).Draw(t, "number"),
			Key:    rapid.String().Draw(t, "key"), Generated: rapid.Bool().Draw(t, "generated"),
			Fields: []entity.FieldValue{},
		}
		r.Written = rapid.SampledFrom([]string{r.Key, r.Key + "W"}).Draw(t, "written")
		for n := range rapid.IntRange(0, 4).Draw(t, "fields") {
			f := entity.FieldValue{Index: n * 3}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				f.Value.Text = rapid.String().Draw(t, "text")
			case 1:
				f.Value.List = rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "list")
			default:
				f.Value.Clear = true
			}
			r.Fields = append(r.Fields, f)
		}
		if rapid.Bool().Draw(t, "refers") {
			r.Refs = []shuffle.Ref{{Index: 7, Name: rapid.String().Draw(t, "name")}}
		}
		return r
	})
}

// What goes into a segment comes out of its batches, in order, and all rows of
// one key in one batch.
func TestSegmentKeepsRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		batches := rapid.IntRange(1, 5).Draw(t, "batches")
		in := rapid.SliceOfN(rows(), 0, 20).Draw(t, "rows")
		w := shuffle.NewWriter(batches)
		want := map[int][]shuffle.Row{}
		for n := range in {
			w.Add(&in[n])
			b := shuffle.BatchOf(in[n].Key, batches)
			r := in[n]
			if r.Generated && r.Written == r.Key {
				r.Written = "" // a generated key that is written as it is compared is not kept twice
			}
			want[b] = append(want[b], r)
		}
		left := []shuffle.Left{{Number: 9, Outcome: record.Rejected, Problems: []record.Problem{{Code: "c", Column: 2, Field: "f", Args: []string{"ä"}}}}}
		if err := w.Leave(left[0]); err != nil {
			t.Fatal(err)
		}
		f := shuffle.Footer{NextRow: 99, Last: true}
		body, err := w.Object(&f)
		if err != nil {
			t.Fatal(err)
		}
		objects := memory.New()
		if _, err := objects.Put(t.Context(), "s", body, object.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		s, err := shuffle.Open(t.Context(), objects, "s")
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows != int64(len(in)+1) || s.NextRow != 99 || !s.Last {
			t.Fatalf("footer %+v", s.Footer)
		}
		for b := range batches {
			got, err := s.Batch(t.Context(), b, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want[b], got); d != "" {
				t.Fatalf("batch %d (-in +out):\n%s", b, d)
			}
		}
		var got []shuffle.Left
		if err := s.EachLeft(t.Context(), func(l shuffle.Left) error { got = append(got, l); return nil }); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(left, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestReferencesAreCountedAndSorted(t *testing.T) {
	t.Parallel()
	w := shuffle.NewWriter(1)
	for n, name := range []string{"nord", "alt", "nord"} {
		w.Name(shuffle.Ref{Index: 1, Name: name}, "as "+name, int64(n+2))
	}
	body, err := w.Object(&shuffle.Footer{})
	if err != nil {
		t.Fatal(err)
	}
	objects := memory.New()
	if _, err := objects.Put(t.Context(), "s", body, object.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := shuffle.Open(t.Context(), objects, "s")
	if err != nil {
		t.Fatal(err)
	}
	refs, err := s.OpenRefs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = refs.Close() }()
	b, err := io.ReadAll(refs)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"i":1,"k":"alt","w":"as alt","r":3,"n":1}` + "\n" + `{"i":1,"k":"nord","w":"as nord","r":2,"n":2}` + "\n"
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Error(d)
	}
}

func TestMissingAndDamagedSegments(t *testing.T) {
	t.Parallel()
	objects := memory.New()
	if _, err := shuffle.Open(t.Context(), objects, "none"); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("a missing segment: %v", err)
	}
	for n, text := range []string{"", "short", "{}\x00\x00\x00\x00\x00\x00\x00\xff", "xx\x00\x00\x00\x00\x00\x00\x00\x02"} {
		key := fmt.Sprint("damaged", n)
		if _, err := objects.Put(t.Context(), key, io.LimitReader(&repeat{text: text}, int64(len(text))), object.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := shuffle.Open(t.Context(), objects, key); err == nil {
			t.Errorf("%q is taken for a segment", text)
		}
	}
}

type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at += n
	return n, nil
}

// Keys spread evenly over batches, and by another hash than over shards.
func TestBatchesAreEven(t *testing.T) {
	t.Parallel()
	var counts [16]int
	for n := range 16_000 {
		counts[shuffle.BatchOf(fmt.Sprintf("key-%06d", n), 16)]++
	}
	for b, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("batch %d has %d of 16,000 keys", b, n)
		}
	}
}
