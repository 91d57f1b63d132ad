// Package markup reads tables that are written as markup and mostly called
// .xls: HTML pages, bare or in a web archive (MHTML), as many programs export
// them, and the SpreadsheetML 2003 of Excel 2002 and 2003.
//
// Both are read as they stream by, so memory is bounded by one row. Markup is
// read as people write it: a page may leave out what HTML lets it leave out and
// more. Entities that a document defines itself stay as written, and nothing
// outside the file is ever read. It refuses pages without a table, documents
// that are cut off, and sheets wider than any spreadsheet program's.
package markup

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sniff/charset"
)

const (
	// maxColumns is the width of a sheet in today's spreadsheet programs.
	maxColumns = 16_384
	// maxRows is their height, which only SpreadsheetML can leap to.
	maxRows = 1 << 20
	// maxRowText bounds the text of one row in bytes.
	maxRowText = 32 << 20
	// maxArea bounds the cells of a sheet, empty ones included: a few bytes of
	// markup can ask for a row of thousands of cells.
	maxArea = 1 << 29
	// maxSheets bounds the tables of a page that are told apart.
	maxSheets = 1 << 14
	// maxDepth bounds tables within tables.
	maxDepth = 200
)

// Kind tells from the first bytes of a file whether it is markup that Open
// reads: sheet.HTML, sheet.SpreadsheetML, or "" for neither.
func Kind(head []byte) sheet.Format {
	if isArchive(head) {
		return sheet.HTML
	}
	start := bytes.TrimLeft(head, " \t\r\n\f\x00\xef\xbb\xbf\xfe\xff")
	if len(start) == 0 || start[0] != '<' {
		return ""
	}
	// What tells one kind from the other is ASCII; only characters of two bytes
	// are in the way.
	name := charset.UTF8
	if start = start[:min(len(start), 64)]; bytes.IndexByte(start, 0) >= 0 {
		name = charset.Detect(head, false).Name
	}
	text, err := io.ReadAll(decoded(bytes.NewReader(head[:min(len(head), headBytes)]), name))
	if err != nil {
		return ""
	}
	low := bytes.ToLower(text)
	switch root := rootName(low); root {
	case "workbook":
		if bytes.Contains(low, []byte("urn:schemas-microsoft-com:office:spreadsheet")) {
			return sheet.SpreadsheetML
		}
	case "!doctype":
		return sheet.HTML
	case "html", "head", "body", "table":
		return sheet.HTML
	case "meta", "style", "title", "link", "script", "center", "div", "font", "form", "p", "br", "b", "h1", "h2", "h3", "h4", "span", "tr", "thead", "tbody":
		// such a start may also be that of a text with a tag in it
		if bytes.Contains(low, []byte("<table")) || bytes.Contains(low, []byte("<td")) {
			return sheet.HTML
		}
	}
	return ""
}

// rootName is the name of the first element without its prefix; "!doctype" where
// the document says that it is HTML before.
func rootName(s []byte) string {
	for {
		s = bytes.TrimLeft(s, " \t\r\n\f\x00\ufeff")
		if len(s) == 0 || s[0] != '<' {
			return ""
		}
		end := []byte(">")
		switch {
		case bytes.HasPrefix(s, []byte("<?")):
			end = []byte("?>")
		case bytes.HasPrefix(s, []byte("<!--")):
			end = []byte("-->")
		case bytes.HasPrefix(s, []byte("<!doctype")):
			if bytes.HasPrefix(bytes.TrimLeft(s[len("<!doctype"):], " \t\r\n"), []byte("html")) {
				return "!doctype"
			}
			if i := bytes.IndexAny(s, "[>"); i >= 0 && s[i] == '[' {
				end = []byte("]>") // behind its own declarations
			}
		case bytes.HasPrefix(s, []byte("<!")):
		default:
			name := s[1:]
			if i := bytes.IndexAny(name, " \t\r\n\f/>"); i >= 0 {
				name = name[:i]
			}
			return string(name[bytes.LastIndexByte(name, ':')+1:])
		}
		i := bytes.Index(s, end)
		if i < 0 {
			return ""
		}
		s = s[i+len(end):]
	}
}

// Open reads what the file holds: the tables of a page, the largest first, or
// the worksheets of a workbook. It returns a *fault.BadFile with the code
// "corrupt", "too-large" or, where there is no table, "unsupported"; or the
// error of src.
func Open(src sheet.Source) (sheet.Workbook, error) {
	d, head, err := openDocument(src)
	if err != nil {
		return nil, err
	}
	if Kind(head) == sheet.SpreadsheetML {
		return openXML(d)
	}
	return openPage(d)
}

func corrupt(what string) error {
	return &fault.BadFile{
		Code:    "corrupt",
		Message: "The file is damaged: " + what + ". Make it anew, or save it as .xlsx or .csv.",
		Cause:   errors.New("markup: " + what),
	}
}

func brokenArchive(cause error) error {
	return &fault.BadFile{
		Code:    "corrupt",
		Message: "The web archive is damaged or cut off. Make it anew, or save it as .xlsx or .csv.",
		Cause:   cause,
	}
}

func tooLarge(what string) error {
	return &fault.BadFile{
		Code:    "too-large",
		Message: "The file cannot be read: " + what + ". Save it as .xlsx or .csv.",
		Cause:   errors.New("markup: " + what),
	}
}

func unsupported(what string) error {
	return &fault.BadFile{
		Code:    "unsupported",
		Message: "The file holds no table that can be read: " + what + ". Save the table as .xlsx or .csv.",
		Cause:   errors.New("markup: " + what),
	}
}

func isBlank(s string) bool { return strings.Trim(s, " \t\r\n\f\u00a0") == "" }
