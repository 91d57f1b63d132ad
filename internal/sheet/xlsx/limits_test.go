package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/dropload/dropload/internal/record"
)

// drainAll reads every sheet and counts rows.
func drainAll(b []byte) (rows int, err error) {
	w, err := Open(source(b))
	if err != nil {
		return 0, err
	}
	defer w.Close()
	for i := range w.Sheets() {
		r, err := w.Open(i)
		if err != nil {
			return rows, err
		}
		for {
			_, err = r.Next()
			if err != nil {
				break
			}
			rows++
		}
		_ = r.Close()
		if !errors.Is(err, io.EOF) {
			return rows, err
		}
	}
	return rows, nil
}

const sheet1 = "xl/worksheets/sheet1.xml"

// TestBomb: a few hundred kilobytes that inflate to gigabytes are refused soon.
func TestBomb(t *testing.T) {
	t.Parallel()
	// Blanks after blanks are always packed alike, so one stretch is packed and
	// written again and again.
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, 6)
	if err != nil {
		t.Fatal(err)
	}
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	first := 0
	for range 2 {
		first = packed.Len()
		if _, err := w.Write(blanks); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	again := packed.Bytes()[first:]
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range plainBook("").with(sheet1, "") {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, content)
	}
	raw, err := z.CreateRaw(&zip.FileHeader{Name: sheet1, Method: zip.Deflate, UncompressedSize64: 1 << 40,
		CompressedSize64: uint64(packed.Len() + len(again)*1024)})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = raw.Write(packed.Bytes())
	for range 1024 {
		_, _ = raw.Write(again)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := drainAll(b.Bytes()); code(err) != "too-large" {
		t.Errorf("got %v, want too-large", err)
	}
}

// TestDamage: containers that Office still opens, and bytes that must not pass.
func TestDamage(t *testing.T) {
	t.Parallel()
	whole := plainBook(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`).zip(t)
	end := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	dir := int(binary.LittleEndian.Uint32(whole[end+16:]))
	patched := func(at int, b ...byte) []byte {
		out := bytes.Clone(whole)
		copy(out[at:], b)
		return out
	}
	first := bytes.Index(whole, []byte("PK\x03\x04"))
	crc := bytes.Index(whole[dir:], []byte(sheet1)) + dir - 46 + 16
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"bytes in front":        {append([]byte("garbage in front"), whole...), ""},
		"bytes behind":          {append(bytes.Clone(whole), "garbage behind"...), ""},
		"directory misplaced":   {patched(end+16, 1, 2, 3, 0), ""},
		"directory overwritten": {patched(dir, 0, 0, 0, 0), ""},
		"length of it wrong":    {patched(end+12, 0xff, 0xff, 0, 0), ""},
		"no end":                {whole[:end], "corrupt"},
		"checksum wrong":        {patched(crc, 1, 2, 3, 4), "corrupt"},
		"packed part damaged":   {patched(first+60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "either"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := lines(t, c.file, 0)
			if c.want == "either" && (err == nil || code(err) == "corrupt") {
				return
			}
			if code(err) != c.want || c.want == "" && (len(got) != 1 || got[0] != "t:zero") {
				t.Errorf("got %v, %v; want %q", got, err, c.want)
			}
		})
	}
}

// TestEncryptedParts: a zip with a password of its own.
func TestEncryptedParts(t *testing.T) {
	t.Parallel()
	file := plainBook("").zip(t)
	for at := 0; ; {
		i := bytes.Index(file[at:], []byte("PK\x01\x02"))
		if i < 0 {
			break
		}
		file[at+i+8] |= 1
		at += i + 4
	}
	if _, err := drainAll(file); code(err) != "encrypted" {
		t.Errorf("got %v, want encrypted", err)
	}
}

// TestSpill: the strings that do not fit into memory come back from the file,
// in any order.
func TestSpill(t *testing.T) {
	t.Parallel()
	const n = 20 * perBlock
	var sst, data strings.Builder
	sst.WriteString("<sst>")
	word := func(i int) string { // now and then one that makes the block a short one
		if i%5000 == 4999 {
			return strings.Repeat(fmt.Sprint(i), blockBytes/5)
		}
		return fmt.Sprintf("string %d", i)
	}
	for i := range n {
		fmt.Fprintf(&sst, "<si><t>%s</t></si>", word(i))
	}
	sst.WriteString("</sst>")
	order := func(i int) int { return i * 7919 % n }
	for i := 0; i < n; i += 4 {
		data.WriteString("<row>")
		for k := range 4 {
			fmt.Fprintf(&data, `<c t="s"><v>%d</v></c>`, order(i+k))
		}
		data.WriteString("</row>")
	}
	w, err := open(source(plainBook(data.String()).with("xl/sharedStrings.xml", sst.String()).zip(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.strings.memory = 3 * perBlock * 10
	for range 2 {
		r, err := w.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < n; i += 4 {
			row, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			for k, c := range row.Cells {
				if want := word(order(i + k)); c != (record.Cell{Kind: record.Text, Text: want}) {
					t.Fatalf("row %d: got %.50q, want %.50q", row.Number, c.Text, want)
				}
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if w.strings.file == nil {
		t.Error("nothing went to the file")
	}
}

// TestFarCorner: the cell in the last corner costs time, not memory.
func TestFarCorner(t *testing.T) {
	t.Parallel()
	file := plainBook(`<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>`).zip(t)
	rows, err := drainAll(file)
	if rows != MaxRows || err != nil {
		t.Errorf("got %d rows, %v", rows, err)
	}
}

// TestStored: parts that are not packed at all.
func TestStored(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range plainBook(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`) {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(content)),
			CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := lines(t, b.Bytes(), 0)
	if err != nil || len(got) != 1 || got[0] != "t:zero" {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestTogether: several sheets are read at the same time, which share the texts.
func TestTogether(t *testing.T) {
	t.Parallel()
	const n = 3 * perBlock
	var sst, data strings.Builder
	for i := range n {
		fmt.Fprintf(&sst, "<si><t>%d</t></si>", i)
		fmt.Fprintf(&data, `<row><c t="s"><v>%d</v></c></row>`, i)
	}
	w, err := Open(source(plainBook(data.String()).with("xl/sharedStrings.xml", "<sst>"+sst.String()+"</sst>").zip(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_ = w.Sheets()
			r, err := w.Open(0)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			for i := range n {
				if row, err := r.Next(); err != nil || row.Cells[0].Text != fmt.Sprint(i) {
					t.Errorf("row %d: %v, %v", i+1, row, err)
					return
				}
			}
		})
	}
	all.Wait()
}
