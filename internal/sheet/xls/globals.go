package xls

import (
	"errors"
	"io"

	"golang.org/x/text/encoding"

	"github.com/dropload/dropload/internal/sheet/numfmt"
)

// globals is what the sheets of a workbook share. It does not change once read.
type globals struct {
	version  int // of BIFF: 2, 3, 4, 5 (Excel 5 and 95) or 8
	enc      encoding.Encoding
	date1904 bool
	texts    texts
	xfs      []*numfmt.Format // the number format of each XF record
	byNumber []*numfmt.Format // BIFF2: the formats by their number
	sheets   []bound
}

// bound is one sheet as the workbook lists it.
type bound struct {
	name   string
	at     int64 // of its BOF record
	kind   byte
	hidden bool
}

// kindWorksheet is a sheet with a table in a BOUNDSHEET record; the others are
// macros, charts and modules.
const kindWorksheet = 0

// versionOf reads the version of BIFF from a BOF record. Programs that write
// BIFF by hand often leave the version out of it.
func versionOf(r rec) int {
	switch r.id {
	case recBOF2:
		return 2
	case recBOF3:
		return 3
	case recBOF4:
		return 4
	}
	if len(r.data) < 2 {
		return 5
	}
	switch v := u16(r.data); v {
	case 0x0600:
		return 8
	case 0x0200, 0x0300, 0x0400:
		return int(v >> 8)
	}
	return 5
}

// readGlobals reads the substream at from: that of the workbook, or up to
// BIFF4 that of the one sheet, which is its own workbook.
func readGlobals(sc *scanner) (*globals, error) {
	first, err := sc.next()
	if err != nil {
		return nil, cut(err)
	}
	if !isBOF(first.id) {
		return nil, corrupt("it does not start with the record that begins a workbook")
	}
	g := &globals{version: versionOf(first), enc: codePage(1252)}
	formats := formatTable{byID: map[uint16][]byte{}}
	var (
		xfs   []uint16
		raw   []rawBound
		name  []byte // of the workspace's sheet that comes next
		depth = 1
	)
	for depth > 0 {
		r, err := sc.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errCut) && g.version < 5 {
			break // what is cut off is found when the cells are read
		}
		if err != nil {
			return nil, cut(err)
		}
		switch {
		case isBOF(r.id):
			if name != nil {
				raw = append(raw, rawBound{name: name, at: r.at})
				name = nil
			}
			depth++
		case r.id == recEOF:
			depth--
		case depth > 1:
		case r.id == recFilePass:
			return nil, encrypted()
		case r.id == recCodePage && len(r.data) >= 2:
			g.enc = codePage(u16(r.data))
		case r.id == recDateMode && len(r.data) >= 2:
			g.date1904 = u16(r.data) == 1
		case r.id == recFormat || r.id == recFormat2:
			formats.add(g.version, r)
		case r.id == recXF && len(r.data) >= 4:
			xfs = append(xfs, u16(r.data[2:]))
		case (r.id == recXF3 || r.id == recXF4) && len(r.data) >= 2:
			xfs = append(xfs, uint16(r.data[1]))
		case r.id == recSheetHdr && len(r.data) >= 5:
			name = append([]byte{}, r.data[4:]...)
		case r.id == recBoundary && len(r.data) >= 7:
			raw = append(raw, rawBound{
				at: int64(u32(r.data)), hidden: r.data[4]&3 != 0, kind: r.data[5],
				name: append([]byte{}, r.data[6:]...),
			})
		case r.id == recSST:
			if g.texts, err = readTexts(sc, r.data); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range raw {
		g.sheets = append(g.sheets, bound{name: g.name(b.name), at: b.at, kind: b.kind, hidden: b.hidden})
	}
	formats.resolve(g, xfs)
	return g, nil
}

// rawBound is a bound whose name waits for the code page to be known.
type rawBound struct {
	name   []byte
	at     int64
	kind   byte
	hidden bool
}

// name reads a string with its length in one byte.
func (g *globals) name(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if g.version >= 8 {
		c := &cursor{sc: newScanner(nil, 0, 0), data: b[1:]}
		return string(c.unicode(nil, int(b[0])))
	}
	return decodeBytes(g.enc, b[1:min(len(b), 1+int(b[0]))])
}

// formatTable collects the FORMAT records, which may come before the code page.
type formatTable struct {
	byID  map[uint16][]byte
	order int // BIFF2 to 4 number them in order
}

func (t *formatTable) add(version int, r rec) {
	b := r.data
	id := uint16(t.order)
	if r.id == recFormat {
		if len(b) < 2 {
			return
		}
		if version >= 5 {
			id = u16(b)
		}
		b = b[2:]
	}
	t.order++
	t.byID[id] = append([]byte{}, b...)
}

// resolve parses each format once and gives each XF its own.
func (t *formatTable) resolve(g *globals, xfs []uint16) {
	parsed := map[uint16]*numfmt.Format{}
	get := func(id uint16) *numfmt.Format {
		f, ok := parsed[id]
		if !ok {
			f = numfmt.Parse(t.code(g, id))
			parsed[id] = f
		}
		return f
	}
	for _, id := range xfs {
		g.xfs = append(g.xfs, get(id))
	}
	if g.version == 2 {
		for id := range min(t.order, 64) {
			g.byNumber = append(g.byNumber, get(uint16(id)))
		}
	}
	if len(g.xfs) == 0 {
		g.xfs = append(g.xfs, numfmt.Parse("General"))
	}
}

// code is the format's text: the file's own before the built-in one. The
// numbers of the built-in ones hold from BIFF5 on.
func (t *formatTable) code(g *globals, id uint16) string {
	b, ok := t.byID[id]
	switch {
	case !ok && g.version >= 5:
		return numfmt.Builtin(int(id))
	case !ok || len(b) == 0:
		return "General"
	case g.version >= 8:
		if len(b) < 3 {
			return "General"
		}
		c := &cursor{sc: newScanner(nil, 0, 0), data: b[2:]}
		return string(c.unicode(nil, int(u16(b))))
	}
	return g.name(b)
}
