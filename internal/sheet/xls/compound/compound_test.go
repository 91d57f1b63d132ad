package compound_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet/xls/compound"
	"github.com/dropload/dropload/internal/sheet/xls/xlstest"
)

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>9) ^ byte(i)
	}
	return b
}

func code(err error) string {
	if bad, ok := errors.AsType[*fault.BadFile](err); ok {
		return bad.Code
	}
	return ""
}

// read opens a file and reads a stream of it in one go.
func read(file []byte, name string) ([]byte, error) {
	f, err := compound.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	s, err := f.Stream(name)
	if err != nil || s == nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
}

// TestSizes reads streams on either side of each limit: of a small sector, of
// the small streams, of a sector, and of what the header lists.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 63, 64, 65, 4095, 4096, 4097, 100_000, 110 * 128 * 512} {
		data, other := pattern(n), pattern(300)
		file := xlstest.Compound(xlstest.Stream{Name: "Other", Data: other}, xlstest.Stream{Name: "Workbook", Data: data})
		for name, want := range map[string][]byte{"workBOOK": data, "Other": other} {
			got, err := read(file, name)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: %s: %d bytes read, %v", n, name, len(got), err)
			}
		}
	}
}

// TestReadAt compares reads anywhere in a stream with the data itself.
func TestReadAt(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3000, 9000} {
		data := pattern(n)
		file := xlstest.Compound(xlstest.Stream{Name: "A", Data: pattern(70)}, xlstest.Stream{Name: "S", Data: data})
		f, err := compound.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Stream("S")
		if err != nil {
			t.Fatal(err)
		}
		for off := 0; off < n+100; off += 61 {
			for _, size := range []int{1, 64, 65, 600, 5000} {
				got, want := make([]byte, size), make([]byte, size)
				gotN, gotErr := s.ReadAt(got, int64(off))
				wantN, wantErr := bytes.NewReader(data).ReadAt(want, int64(off))
				if gotN != wantN || !errors.Is(gotErr, wantErr) || !bytes.Equal(got, want) {
					t.Fatalf("%d bytes at %d of %d: %d, %v; want %d, %v", size, off, n, gotN, gotErr, wantN, wantErr)
				}
			}
		}
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	file := xlstest.Compound(xlstest.Stream{Name: "EncryptionInfo", Data: []byte("x")})
	f, err := compound.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Has("encryptioninfo") || f.Has("Workbook") {
		t.Error("the names of the root are wrong")
	}
	if s, err := f.Stream("Workbook"); s != nil || err != nil {
		t.Errorf("a stream that is not there: %v, %v", s, err)
	}
}

// TestDamaged changes single fields of a good file. Sector 0 holds the stream,
// then come the directory and the table, in one sector each.
func TestDamaged(t *testing.T) {
	t.Parallel()
	data := pattern(8 * 512)
	const table, directory = 512 * (1 + 9), 512 * (1 + 8)
	for name, tc := range map[string]struct {
		at    int
		value uint32
		want  string // code, or "" where the stream is whole, "short" where it ends early
	}{
		"nothing":                     {512 + 40, 0, ""},
		"signature":                   {0, 0, "corrupt"},
		"sector size":                 {30, 8, "corrupt"},
		"directory outside":           {48, 4000, "corrupt"},
		"directory nowhere":           {48, 0xFFFFFFFE, "corrupt"},
		"table outside":               {76, 4000, "corrupt"},
		"list of tables in a circle":  {68, 0, ""},
		"stream in a circle":          {table + 4*3, 1, "corrupt"},
		"stream leaves the file":      {table + 4*3, 4000, "corrupt"},
		"stream ends early":           {table + 4*3, 0xFFFFFFFE, "short"},
		"directory in a circle":       {table + 4*8, 8, "corrupt"},
		"tree in a circle":            {directory + 128 + 72, 1, ""},
		"tree leaves the directory":   {directory + 76, 9999, ""},
		"stream larger than the file": {directory + 128 + 120, 0x7FFFFFFF, ""},
		"no root":                     {directory + 64, 0, "corrupt"},
	} {
		file := xlstest.Compound(xlstest.Stream{Name: "S", Data: data})
		if name != "nothing" {
			binary.LittleEndian.PutUint32(file[tc.at:], tc.value)
		}
		got, err := read(file, "S")
		switch {
		case tc.want == "short":
			if err != nil || len(got) >= len(data) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		case code(err) != tc.want:
			t.Errorf("%s: %v", name, err)
		case err == nil && !bytes.Equal(got[:min(len(got), len(data))], data):
			t.Errorf("%s: other data", name)
		}
	}
}

// TestCutOff cuts a file anywhere: it is a fault, or the stream ends early.
func TestCutOff(t *testing.T) {
	t.Parallel()
	data := pattern(5000)
	file := xlstest.Compound(xlstest.Stream{Name: "S", Data: data})
	for n := range file {
		got, err := read(file[:n], "S")
		if err != nil && code(err) != "corrupt" {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if err == nil && !bytes.HasPrefix(data, got) {
			t.Fatalf("cut at %d: other data", n)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(xlstest.Compound(xlstest.Stream{Name: "Workbook", Data: pattern(5000)}), "Workbook")
	f.Add(xlstest.Compound(xlstest.Stream{Name: "A", Data: pattern(50)}, xlstest.Stream{Name: "Book", Data: pattern(90)}), "Book")
	f.Fuzz(func(t *testing.T, file []byte, name string) {
		got, err := read(file, name)
		if err != nil && code(err) == "" {
			t.Fatal(err)
		}
		if len(got) > len(file) {
			t.Fatalf("%d bytes out of %d", len(got), len(file))
		}
	})
}
