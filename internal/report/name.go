package report

import (
	"path"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
)

// Name is the file name of a report on an upload, such as
// "contacts.rejected.csv", and its content type. Wrappings (.gz, .zip, .zst)
// are taken off; delimited text keeps its ending, everything else is .xlsx.
func Name(kind Kind, original string, l *sheet.Layout) (name, contentType string) {
	name = path.Base(strings.ReplaceAll(original, `\`, "/"))
	for range l.Compression {
		if ext := strings.ToLower(path.Ext(name)); ext == ".gz" || ext == ".zip" || ext == ".zst" || ext == ".gzip" {
			name = name[:len(name)-len(ext)]
		}
	}
	ext := path.Ext(name)
	if !isEnding(ext) {
		ext = ""
	}
	name = strings.TrimSuffix(name, ext)
	if name == "" || name == "." || name == "/" {
		name = "import"
	}
	contentType = ContentTypeXLSX
	if l.Format == sheet.CSV {
		contentType = contentTypeText(l)
		if e := strings.ToLower(ext); e == "" || e == ".xls" || e == ".xlsx" {
			ext = ".csv"
		}
	} else {
		ext = ".xlsx"
	}
	word := ".rejected"
	if kind == Ignored {
		word = ".ignored"
	}
	return name + word + ext, contentType
}

// ContentTypeXLSX is the content type of every workbook that is written.
const ContentTypeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func contentTypeText(l *sheet.Layout) string {
	kind := "text/csv"
	if l.Delimiter == "\t" {
		kind = "text/tab-separated-values"
	}
	if l.Encoding != "" {
		return kind + "; charset=" + l.Encoding
	}
	return kind + "; charset=utf-8"
}

// isEnding tells an ending from what happens to follow a point, as in
// "List 1. May".
func isEnding(ext string) bool {
	if len(ext) < 2 || len(ext) > 6 {
		return false
	}
	for _, c := range ext[1:] {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
