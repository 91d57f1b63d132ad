package sniff

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/markup"
	"github.com/dropload/dropload/internal/sheet/unwrap"
	"github.com/dropload/dropload/internal/sniff/charset"
)

// headBytes is how much of the start of a file is looked at.
const headBytes = 1 << 20

// content is a file without its wrappings, as far as detection needs it.
type content struct {
	format      sheet.Format
	compression []string
	head        []byte // its first bytes
	complete    bool   // head is all
	why         string
}

// findContent takes the wrappings off and tells the format of what is inside by
// its first bytes. The file's name is only used where the bytes leave a choice.
func findContent(src sheet.Source, name string) (content, error) {
	c := content{}
	for {
		head, complete, err := readHead(src, c.compression)
		if err != nil {
			return c, err
		}
		c.head, c.complete = head, complete
		if len(head) == 0 {
			return c, empty()
		}
		kind := unwrap.Kind(head)
		if kind == unwrap.Zip {
			format, why, err := inZip(src, c.compression, name)
			if err != nil || format != sheet.CSV {
				c.format, c.why = format, why
				return c, err
			}
		}
		if kind == "" {
			c.format, c.why, err = formatOf(head)
			return c, err
		}
		if len(c.compression) == unwrap.MaxDepth {
			return c, unknown("The file is wrapped too many times.")
		}
		c.compression = append(c.compression, kind)
		name = strings.TrimSuffix(name, path.Ext(name))
	}
}

func empty() error {
	return &fault.BadFile{Code: "empty", Message: "The file is empty."}
}

func unknown(message string) error {
	return &fault.BadFile{Code: "unknown-format", Message: message + " Send a table as csv, xlsx or xls."}
}

func readHead(src sheet.Source, wrappings []string) (head []byte, complete bool, err error) {
	r, err := unwrap.Reader(src, wrappings)
	if err != nil {
		return nil, false, err
	}
	head, err = io.ReadAll(io.LimitReader(r, headBytes+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, false, fault.Bare(err)
	}
	if len(head) > headBytes {
		return head[:headBytes], false, nil
	}
	return head, true, nil
}

// inZip tells which workbook a zip archive is; sheet.CSV says that it is none
// and holds a single file.
func inZip(src sheet.Source, wrappings []string, name string) (sheet.Format, string, error) {
	inner, closer, err := unwrap.Source(src, wrappings)
	if err != nil {
		return sheet.UnknownFormat, "", err
	}
	names, err := unwrap.Names(inner)
	if err := errors.Join(err, closer.Close()); err != nil {
		return sheet.UnknownFormat, "", fault.Bare(err)
	}
	has := func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return strings.HasPrefix(strings.ToLower(strings.ReplaceAll(n, `\`, "/")), p)
		})
	}
	switch {
	case has("xl/workbook.bin"):
		return sheet.XLSB, "an archive with a binary workbook in it", nil
	case has("xl/"):
		return sheet.XLSX, "an archive with a workbook in it", nil
	case has("word/"), has("ppt/"):
		return sheet.UnknownFormat, "", unknown("The file is a document or a presentation, not a table.")
	case has("content.xml") && has("mimetype"):
		return sheet.ODS, "an archive with an OpenDocument in it", nil
	case has("[content_types].xml"):
		return sheet.XLSX, "an archive with the parts of an Office document in it", nil
	case has("index/") && has("metadata/"):
		return sheet.UnknownFormat, "", unknown("The file is an Apple Numbers document.")
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".ods":
		return sheet.UnknownFormat, "", &fault.BadFile{Code: "corrupt", Message: "The file calls itself a workbook but holds none. Save it again and send that."}
	}
	return sheet.CSV, "", nil
}

// formatOf tells the format by the first bytes.
func formatOf(head []byte) (sheet.Format, string, error) {
	for _, m := range []struct {
		magic  string
		format sheet.Format
		why    string
	}{
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", sheet.XLS, "the compound file of Excel 97 to 2003"},
		{"\x09\x08\x08\x00", sheet.XLS, "the records of Excel 5"},
		{"\x09\x08\x10\x00", sheet.XLS, "the records of Excel 97 to 2003"},
		{"\x09\x04\x06\x00", sheet.XLS, "the records of Excel 4"},
		{"\x09\x02\x06\x00", sheet.XLS, "the records of Excel 3"},
		{"\x09\x00\x04\x00", sheet.XLS, "the records of Excel 2"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format, m.why, nil
		}
	}
	for _, m := range []struct{ magic, what string }{
		{"%PDF-", "a PDF"}, {"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"GIF8", "a picture"}, {"{\\rtf", "a text document"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive"}, {"Rar!", "a RAR archive"}, {"BZh", "a bzip2 archive"}, {"\xfd7zXZ\x00", "an xz archive"},
		{"SQLite format 3\x00", "a database"}, {"PAR1", "a Parquet file"}, {"\x7fELF", "a program"}, {"MZ\x90\x00", "a program"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return sheet.UnknownFormat, "", unknown("The file is " + m.what + ".")
		}
	}
	switch markup.Kind(head) {
	case sheet.HTML:
		return sheet.HTML, "tags of a web page", nil
	case sheet.SpreadsheetML:
		return sheet.SpreadsheetML, "XML of Excel 2003", nil
	}
	if what := otherText(head); what != "" {
		return sheet.UnknownFormat, what, nil
	}
	return sheet.CSV, "text without the marks of another format", nil
}

// otherText knows texts that are made for programs and hold no table of lines.
func otherText(head []byte) string {
	const most = 16 << 10
	start := decodeHead(head[:min(len(head), most)], false, charset.Detect(head, false).Name)
	start = strings.TrimLeft(start, " \t\r\n\uFEFF")
	for _, tag := range []string{"<?xml", "<rss", "<feed", "<rdf:"} {
		if strings.HasPrefix(strings.ToLower(start), tag) {
			return "XML of another kind"
		}
	}
	if isJSON(start) {
		return "JSON"
	}
	return ""
}

// isJSON tells whether a text is an object, or a list of objects or lists, or
// several of them one a line. The text may be cut.
func isJSON(s string) bool {
	if !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "[") {
		return false
	}
	var first json.RawMessage
	d := json.NewDecoder(strings.NewReader(s))
	switch err := d.Decode(&first); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return true // all right as far as it goes
	case err != nil:
		return false
	}
	rest := strings.TrimLeft(s[d.InputOffset():], " \t\r\n")
	return rest == "" || rest[0] == '{' || rest[0] == '['
}

// decodeHead is the text of the first bytes, without a character that is cut.
func decodeHead(head []byte, complete bool, encoding string) string {
	if !complete {
		const widest = 4
		head = head[:len(head)/widest*widest]
	}
	d, err := charset.NewDecoder(encoding, bytes.NewReader(head))
	if err != nil {
		return ""
	}
	b, err := io.ReadAll(d)
	if err != nil {
		return ""
	}
	return string(b)
}

// isBinary tells whether a decoded text is none: a table has hardly a control
// character. Zero bytes within words and padding at the end are let pass.
func isBinary(text string) bool {
	const most = 64 << 10
	text = strings.TrimRight(text[:min(len(text), most)], "\x00\x1a")
	n, odd := 0, 0
	for _, r := range text {
		n++
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1f && r != 0x01 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			odd++
		}
	}
	return n == 0 || odd*20 > n && odd > 5
}
