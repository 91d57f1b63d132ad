// Package xls reads the workbooks of Excel before 2007: BIFF8 of Excel 97 to
// 2003, BIFF5 of Excel 5 and 95, each in a compound file or bare, and the
// single sheets of Excel 2 to 4. Sources of the formats: [MS-XLS], and for what
// is older Microsoft's Excel Developer's Kit.
//
// A reader gives every row up to the last one that holds a value, in order,
// also where the file keeps its cells in another one; formulas give the result
// that was stored. It refuses encrypted workbooks and sheets that are cut off; a
// damaged cell is a problem of its row, so that none is lost in silence. Sheets
// without a table (charts, macros, modules) are not listed.
//
// Memory is bounded by the texts shared by the cells (128 MB at most) and one
// row; only a sheet whose rows are out of order costs eight bytes a cell more.
package xls

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/xls/compound"
)

// Is tells from the first bytes of a file whether it may be one for Open: a
// compound file, or a stream of BIFF records without one.
func Is(head []byte) bool {
	if strings.HasPrefix(string(head[:min(len(head), 8)]), compound.Signature) {
		return true
	}
	if len(head) < 8 || !isBOF(u16(head)) || head[3] != 0 {
		return false
	}
	kind := u16(head[6:])
	return head[2] >= 4 && head[2] <= 16 && (kind == 0x0005 || kind == 0x0010 || kind == 0x0020 || kind == 0x0040 || kind == 0x0100)
}

// workbook implements sheet.Workbook. It does not change after Open.
type workbook struct {
	src    io.ReaderAt
	size   int64
	g      *globals
	sheets []part
	meta   []sheet.SheetMeta
}

// part is one sheet: from its BOF record up to where the next one starts.
type part struct{ from, end int64 }

// Open reads what the sheets of a workbook share. It returns a *fault.BadFile
// with the code "encrypted", "corrupt", "too-large" or, for a compound file
// without sheets, "unsupported"; or the error of src.
func Open(src sheet.Source) (sheet.Workbook, error) {
	var head [8]byte
	n, err := src.ReadAt(head[:], 0)
	if n < len(head) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	w := &workbook{src: src, size: src.Size()}
	if string(head[:n]) == compound.Signature {
		s, err := openStream(src)
		if err != nil {
			return nil, err
		}
		w.src, w.size = s, s.Size()
	} else if !Is(head[:n]) {
		return nil, corrupt("it does not start with the record that begins a workbook")
	}
	if w.g, err = readGlobals(newScanner(w.src, 0, w.size)); err != nil {
		return nil, err
	}
	if err := w.findSheets(); err != nil {
		return nil, err
	}
	rows := map[int64]int64{} // by place: sheets that share one cost no more
	for i, p := range w.sheets {
		if _, ok := rows[p.from]; !ok {
			sum, err := survey(newScanner(w.src, p.from, p.end), nil)
			if err != nil {
				return nil, err
			}
			rows[p.from] = sum.rows
		}
		w.meta[i].Rows = rows[p.from]
	}
	return w, nil
}

// openStream finds the stream of the workbook in a compound file. Excel saved
// files for two versions at once with both; the newer one is better.
func openStream(src sheet.Source) (*compound.Stream, error) {
	f, err := compound.Open(src, src.Size())
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Workbook", "Book"} {
		s, err := f.Stream(name)
		if err != nil {
			return nil, err
		}
		if s != nil {
			return s, nil
		}
	}
	if f.Has("EncryptedPackage") || f.Has("EncryptionInfo") {
		return nil, encrypted()
	}
	return nil, unsupported("it is another program's file in the container that workbooks use, too")
}

// findSheets works out where each worksheet starts and ends: where the workbook
// says, or else the nth sheet is the nth substream behind the workbook's own.
func (w *workbook) findSheets() error {
	if len(w.g.sheets) == 0 {
		return w.findUnlisted()
	}
	listed := true
	for _, b := range w.g.sheets {
		if b.kind != kindWorksheet {
			continue
		}
		first, err := newScanner(w.src, b.at, w.size).next()
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errCut) {
			return err
		}
		listed = listed && err == nil && b.at > 0 && isBOF(first.id)
	}
	if !listed {
		places, err := substreams(newScanner(w.src, 0, w.size))
		if err != nil || len(places) != len(w.g.sheets)+1 {
			return cmp.Or(err, corrupt("a sheet is not where it should be"))
		}
		for i := range w.g.sheets {
			w.g.sheets[i].at = places[i+1]
		}
	}
	starts := make([]int64, 0, len(w.g.sheets))
	for _, b := range w.g.sheets {
		starts = append(starts, b.at)
	}
	slices.Sort(starts)
	for _, b := range w.g.sheets {
		if b.kind != kindWorksheet {
			continue
		}
		end := w.size
		if i, _ := slices.BinarySearch(starts, b.at+1); i < len(starts) {
			end = min(end, starts[i])
		}
		w.sheets = append(w.sheets, part{b.at, end})
		w.meta = append(w.meta, sheet.SheetMeta{Name: b.name, Hidden: b.hidden})
	}
	if len(w.sheets) == 0 {
		return unsupported("it has charts or macros only")
	}
	return nil
}

// findUnlisted takes the file as one sheet, as it was up to BIFF4 and as
// programs write that know little of the format.
func (w *workbook) findUnlisted() error {
	w.sheets = []part{{0, w.size}}
	w.meta = []sheet.SheetMeta{{Name: "Sheet 1"}}
	return nil
}

// Sheets describes the worksheets.
func (w *workbook) Sheets() []sheet.SheetMeta { return append([]sheet.SheetMeta{}, w.meta...) }

// Open reads worksheet i.
func (w *workbook) Open(i int) (sheet.Reader, error) {
	if i < 0 || i >= len(w.sheets) {
		return nil, unsupported("it has no such sheet")
	}
	g, p := w.g, w.sheets[i]
	if g.version < 5 && p.from > 0 { // each sheet of a BIFF4 workspace has its own formats
		var err error
		if g, err = readGlobals(newScanner(w.src, p.from, p.end)); err != nil {
			return nil, err
		}
	}
	hidden := &rowSet{}
	sum, err := survey(newScanner(w.src, p.from, p.end), hidden)
	if err != nil {
		return nil, err
	}
	r := &reader{g: g, sc: newScanner(w.src, p.from, p.end), hidden: hidden, rows: sum.rows}
	if !sum.ordered {
		if r.index, err = indexCells(newScanner(w.src, p.from, p.end)); err != nil {
			return nil, err
		}
		r.sc.window = narrowWindow
	}
	return r, nil
}

// Close has nothing to free.
func (w *workbook) Close() error { return nil }
