// Package xlsx reads OOXML workbooks (xlsx, xlsm, xltx, xltm) as a stream of
// rows.
//
// A cell's Text is what a person sees under its number format and its Number is
// what is stored; dates count from 1899-12-30 whatever the workbook's own epoch.
// A formula is its stored result. Merged cells hold their value in the first
// cell only, as Excel's own export to csv shows them. Rows that the file leaves
// out come as blank rows, so that Row.Number is the number a person sees; blank
// rows after the last cell do not come. Chart, dialog and macro sheets are no
// sheets here.
//
// Memory does not grow with the sheet: shared strings are packed, and beyond
// MemoryStrings they go to a temporary file. It refuses, as *fault.BadFile, what
// is encrypted, corrupt, too-large, unsupported or no workbook at all
// (unknown-format); see package opc for what is forgiven.
package xlsx

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/xlsx/opc"
	"github.com/dropload/dropload/internal/sheet/xlsx/xmltext"
)

// The limits of what is read. What goes beyond is refused with the code
// too-large.
const (
	// MaxRows and MaxColumns are Excel's own.
	MaxRows    = 1_048_576
	MaxColumns = 16_384
	// MaxText is the length in bytes of the text of one cell. Excel's own limit
	// is 32,767 characters.
	MaxText = 1 << 20
	// MaxRowText is the length in bytes of the texts of one row together.
	MaxRowText = 32 << 20
	// maxSheetName is in bytes; Excel's own limit is 31 characters.
	maxSheetName = 1024
	// MaxSheets is the number of sheets.
	MaxSheets = 4096
	// MaxStrings is the length in bytes of all shared strings together.
	MaxStrings = 2 << 30
	// MemoryStrings is how much of them is kept in memory.
	MemoryStrings = 48 << 20
	// MaxGaps is the number of empty cells before others in their rows that a
	// sheet may have: a few bytes of a file can make thousands of them.
	MaxGaps = 1 << 28
)

func corrupt(message string, cause error) error {
	return &fault.BadFile{Code: "corrupt", Message: message, Cause: cause}
}

// workbook is an opened file.
type workbook struct {
	parts    *opc.Container
	sheets   []part
	date1904 bool
	styles   []style
	strings  *table

	meta func() []sheet.SheetMeta // works it out the first time
}

// part is one sheet of the workbook.
type part struct {
	name   string
	hidden bool
	file   *opc.Part // nil where it is missing
}

// Open reads the frame of a workbook: its sheets and styles, none of its rows.
// Errors are *fault.BadFile (see the package comment, and empty for no bytes or
// no sheet with cells) or those of src.
func Open(src sheet.Source) (sheet.Workbook, error) {
	w, err := open(src)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func open(src sheet.Source) (*workbook, error) {
	if err := recognise(src); err != nil {
		return nil, err
	}
	parts, err := opc.Open(src, src.Size())
	if err != nil {
		return nil, err
	}
	w := &workbook{parts: parts}
	w.meta = sync.OnceValue(w.survey)
	if err := w.readFrame(); err != nil {
		return nil, err
	}
	return w, nil
}

// recognise tells containers of other kinds by their first bytes.
func recognise(src sheet.Source) error {
	if src.Size() == 0 {
		return &fault.BadFile{Code: "empty", Message: "The file is empty."}
	}
	var head [8]byte
	if _, err := src.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(head[:]) == "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" {
		return compound(src)
	}
	return nil
}

// compound names what an OLE compound file is. An encrypted workbook is one
// with a stream of the name EncryptedPackage (MS-OFFCRYPTO 1.3.2), written in
// the directory in UTF-16.
func compound(src sheet.Source) error {
	var name []byte
	for _, c := range []byte("EncryptedPackage") {
		name = append(name, c, 0)
	}
	const window = 1 << 20
	buf := make([]byte, window+len(name))
	for at := int64(0); at < src.Size(); at += window {
		n, err := src.ReadAt(buf[:min(int64(len(buf)), src.Size()-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if bytes.Contains(buf[:n], name) {
			return &fault.BadFile{Code: "encrypted", Message: "The workbook is protected by a password. Save it without one and send it again."}
		}
	}
	return &fault.BadFile{Code: "unsupported", Message: "The file is a document of an older program under the name of a new workbook. Save it as .xlsx."}
}

// readFrame finds the workbook part and reads it, the relationships and styles.
func (w *workbook) readFrame() error {
	main, err := w.findMain()
	if err != nil {
		return err
	}
	rels, err := w.relationships(main.Name)
	if err != nil {
		return err
	}
	if err := w.readSheets(main, rels); err != nil {
		return err
	}
	if len(w.sheets) == 0 {
		return &fault.BadFile{Code: "empty", Message: "The workbook has no sheet with cells."}
	}
	dir := path.Dir("/" + main.Name)
	if p := w.related(rels, dir, "styles", "styles.xml"); p != nil {
		if err := w.readStyles(p); err != nil {
			return err
		}
	}
	w.strings = newTable(w.related(rels, dir, "sharedstrings", "sharedstrings.xml"))
	return nil
}

// findMain finds the workbook part: by the container's relationships, else by
// its usual name.
func (w *workbook) findMain() (*opc.Part, error) {
	rels, err := w.relationships("")
	var bad *fault.BadFile
	if err != nil && !errors.As(err, &bad) {
		return nil, err // of the source; a broken hint is no more than that
	}
	for _, r := range rels {
		if r.kind != "officedocument" {
			continue
		}
		if p := w.parts.Find(r.target); p != nil {
			return p, mainKind(p.Name)
		}
	}
	for _, name := range [...]string{"xl/workbook.xml", "xl/workbook.bin", "workbook.xml", "word/document.xml", "ppt/presentation.xml", "content.xml"} {
		if p := w.parts.Find(name); p != nil {
			return p, mainKind(p.Name)
		}
	}
	return nil, &fault.BadFile{Code: "unknown-format", Message: "The file is an archive without a workbook in it."}
}

// mainKind refuses documents of other kinds by the name of their main part.
func mainKind(name string) error {
	name = strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, ".bin"):
		return &fault.BadFile{Code: "unsupported", Message: "Binary workbooks (.xlsb) are not read. Save it as .xlsx."}
	case name == "content.xml":
		return &fault.BadFile{Code: "unsupported", Message: "OpenDocument sheets (.ods) are not read. Save it as .xlsx."}
	case strings.HasPrefix(name, "word/"), strings.HasPrefix(name, "ppt/"):
		return &fault.BadFile{Code: "unsupported", Message: "The file is a text or a presentation, not a sheet."}
	}
	return nil
}

// relationship is one arrow from a part to another.
type relationship struct {
	id     string
	kind   string // the last word of its type, in lower case
	target string
}

// relationships reads the arrows of a part; of the container itself for "".
func (w *workbook) relationships(name string) ([]relationship, error) {
	p := w.parts.Find(path.Dir("/"+name) + "/_rels/" + strings.TrimPrefix(path.Base("/"+name), "/") + ".rels")
	if p == nil {
		return nil, nil
	}
	var out []relationship
	err := scan(p, func(s *xmltext.Scanner) error {
		if string(s.Name) == "Relationship" && !strings.EqualFold(s.Attr("TargetMode"), "External") && len(out) < 1<<16 {
			out = append(out, relationship{
				id:     s.Attr("Id"),
				kind:   strings.ToLower(path.Base(s.Attr("Type"))),
				target: s.Attr("Target"),
			})
		}
		return nil
	})
	return out, err
}

// find returns the part that a relationship of a part in dir points at.
func (w *workbook) find(dir, target string) *opc.Part {
	target = strings.ReplaceAll(target, `\`, "/")
	if strings.HasPrefix(target, "/") {
		if p := w.parts.Find(target); p != nil {
			return p
		}
	}
	if p := w.parts.Find(path.Join(dir, target)); p != nil {
		return p
	}
	return w.parts.Find(target) // relative to the container, which is wrong and done
}

// related is the part of a kind, by relationship or by its usual name.
func (w *workbook) related(rels []relationship, dir, kind, usual string) *opc.Part {
	for _, r := range rels {
		if r.kind == kind {
			if p := w.find(dir, r.target); p != nil {
				return p
			}
		}
	}
	return w.parts.Find(path.Join(dir, usual))
}

// readSheets lists the sheets of the workbook part.
func (w *workbook) readSheets(main *opc.Part, rels []relationship) error {
	dir := path.Dir("/" + main.Name)
	listed := 0
	err := scan(main, func(s *xmltext.Scanner) error {
		switch string(s.Name) {
		case "workbookPr":
			w.date1904 = isTrue(s.Attr("date1904"))
		case "sheet":
			if listed++; listed > MaxSheets {
				return &fault.BadFile{Code: "too-large", Message: "The workbook has too many sheets."}
			}
			state := s.Attr("state")
			p, cells := w.findSheet(dir, rels, s.PrefixedAttr("id"), listed)
			if cells {
				name := s.Attr("name")
				w.sheets = append(w.sheets, part{name: name[:min(len(name), maxSheetName)], hidden: state != "" && state != "visible", file: p})
			}
		}
		return nil
	})
	if err != nil || listed > 0 {
		return err
	}
	// A workbook part without a list: the sheets that are there.
	files := w.parts.Matching(func(name string) bool {
		return strings.Contains(name, "worksheets/") && strings.HasSuffix(name, ".xml")
	})
	slices.SortFunc(files, func(a, b *opc.Part) int {
		if d := len(a.Name) - len(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, p := range files {
		w.sheets = append(w.sheets, part{name: strings.TrimSuffix(path.Base(p.Name), ".xml"), file: p})
	}
	return nil
}

// findSheet finds the part of the n-th sheet and tells whether it has cells.
func (w *workbook) findSheet(dir string, rels []relationship, id string, n int) (p *opc.Part, cells bool) {
	for _, r := range rels {
		if r.id != id || id == "" {
			continue
		}
		switch r.kind {
		case "chartsheet", "dialogsheet", "xlmacrosheet", "xlintlmacrosheet":
			return nil, false
		}
		if p := w.find(dir, r.target); p != nil {
			return p, true
		}
	}
	return w.parts.Find(path.Join(dir, "worksheets/sheet"+itoa(n)+".xml")), true
}

// scan calls each for every start tag of a part that is read whole. Such parts
// are small in any workbook: their length has a limit.
func scan(p *opc.Part, each func(*xmltext.Scanner) error) error {
	rc, err := p.Open()
	if err != nil {
		return err
	}
	defer rc.Close()
	const longest = 256 << 20
	limit := &io.LimitedReader{R: rc, N: longest}
	s := xmltext.New(xmltext.Decode(limit))
	for {
		switch tok, err := s.Next(); {
		case err != nil && limit.N <= 0:
			return &fault.BadFile{Code: "too-large", Message: "The styles or the list of sheets of the workbook are too long. Copy the sheet into a new workbook."}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return broken(err)
		case tok == xmltext.Start:
			if err := each(s); err != nil {
				return err
			}
		}
	}
}

// broken names an error of a scanner or of what it reads from.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // callers take io.EOF for a good end
	}
	if errors.Is(err, xmltext.ErrSyntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt("A part of the workbook is damaged. Open it in Excel, let it be repaired, and save it again.", err)
	}
	return fault.Bare(err)
}

func isTrue(s string) bool {
	return s == "1" || strings.EqualFold(s, "true") || strings.EqualFold(s, "on")
}

// Sheets implements sheet.Workbook.
func (w *workbook) Sheets() []sheet.SheetMeta {
	return slices.Clone(w.meta())
}

// Open implements sheet.Workbook.
func (w *workbook) Open(i int) (sheet.Reader, error) {
	if i < 0 || i >= len(w.sheets) {
		return nil, &fault.BadFile{Code: "empty", Message: "The workbook has no such sheet."}
	}
	if w.sheets[i].file == nil {
		return nil, corrupt("The workbook names a sheet that is not in it. Open it in Excel, let it be repaired, and save it again.", nil)
	}
	return w.newReader(w.sheets[i].file)
}

// Close implements sheet.Workbook.
func (w *workbook) Close() error { return w.strings.close() }
