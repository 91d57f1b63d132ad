package xls_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/record"
	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/xls"
	"github.com/dropload/dropload/internal/sheet/xls/xlstest"
)

// dump writes rows as lines: the row's number, ~ if hidden, and each cell by its
// kind, its text and, where they differ in what they say, its number.
func dump(t *testing.T, wb sheet.Workbook, i int) string {
	t.Helper()
	r, err := wb.Open(i)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b strings.Builder
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			fmt.Fprintf(&b, "error %s\n", code(err))
			return b.String()
		}
		fmt.Fprintf(&b, "%d", row.Number)
		if row.Hidden {
			b.WriteString("~")
		}
		for _, c := range row.Cells {
			switch c.Kind {
			case record.Empty:
				b.WriteString(" -")
			case record.Text:
				fmt.Fprintf(&b, " %q", c.Text)
			case record.Error, record.Bool:
				fmt.Fprintf(&b, " %s", c.Text)
			case record.Number:
				fmt.Fprintf(&b, " %v(%s)", c.Number, c.Text)
			default:
				fmt.Fprintf(&b, " %s(%s)", c.When().Format("2006-01-02T15:04:05"), c.Text)
			}
		}
		for _, p := range row.Problems {
			fmt.Fprintf(&b, " !%d", p.Column)
			if p.Code != xls.CellUnreadable {
				t.Errorf("a problem with the code %q", p.Code)
			}
		}
		b.WriteString("\n")
	}
}

func code(err error) string {
	if bad, ok := errors.AsType[*fault.BadFile](err); ok {
		return bad.Code
	}
	return "other: " + err.Error()
}

func open(t *testing.T, file []byte) sheet.Workbook {
	t.Helper()
	wb, err := xls.Open(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return wb
}

func same(t *testing.T, got, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// table is the same sheet for every version that can hold it.
func table() xlstest.Sheet {
	return xlstest.Sheet{
		Name: "Übersicht", HiddenRows: map[int]bool{1: true, 2: true},
		Rows: [][]any{
			{"Name", "Größe", nil, "Seit"},
			{"Zoë", 7, -7, 1.25},
			{},
			{"", true, false, xlstest.Error(0x2A), xlstest.Error(0x07)},
			{
				xlstest.Styled{Value: 45352, Format: "yyyy\\-mm\\-dd"}, xlstest.Styled{Value: 45352.5, Format: "d.m.yy h:mm"},
				xlstest.Styled{Value: 0.25, Format: "h:mm:ss"}, xlstest.Styled{Value: 7, Format: "00000"}, xlstest.Styled{Value: 0.5, Format: "0%"},
			},
			{xlstest.Formula{Result: "re\u00e9"}, xlstest.Formula{Result: 2.5}, xlstest.Formula{Result: true}, xlstest.Formula{Result: xlstest.Error(0x17)}, xlstest.Formula{Result: ""}, "next"},
		},
	}
}

const tableRows = `
	1 "Name" "Größe" - "Seit"
	2~ "Zoë" 7(7) -7(-7) 1.25(1.25)
	3~
	4 "" TRUE FALSE #N/A #DIV/0!
	5 2024-03-01T00:00:00(2024-03-01) 2024-03-01T12:00:00(1.3.24 12:00) 1899-12-30T06:00:00(6:00:00) 7(00007) 0.5(50%)
	6 "reé" 2.5(2.5) TRUE #REF! "" "next"
`

func TestBIFF8(t *testing.T) {
	t.Parallel()
	second := xlstest.Sheet{Name: "Лист", Hidden: true, Rows: [][]any{{"日本", "plain"}}}
	chart := xlstest.Sheet{Name: "Chart", Kind: 2}
	wb := open(t, xlstest.Workbook{Sheets: []xlstest.Sheet{table(), chart, second}}.File())
	want := []sheet.SheetMeta{{Name: "Übersicht", Rows: 6}, {Name: "Лист", Rows: 1, Hidden: true}}
	if d := cmp.Diff(want, wb.Sheets()); d != "" {
		t.Errorf("sheets: -want +got\n%s", d)
	}
	same(t, dump(t, wb, 0), tableRows)
	same(t, dump(t, wb, 1), "1 \"日本\" \"plain\"\n")
	if _, err := wb.Open(2); code(err) != "unsupported" {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

func TestBIFF5(t *testing.T) {
	t.Parallel()
	s := table()
	s.Name = "\xdcbersicht"
	s.Rows[0] = []any{"Name", "Gr\xf6\xdfe", nil, "Seit"}
	s.Rows[1][0] = "Zo\xeb"
	s.Rows[5][0] = xlstest.Formula{Result: "re\xe9"}
	w := xlstest.Workbook{Old: true, Sheets: []xlstest.Sheet{s}}
	for name, file := range map[string][]byte{"compound": w.File(), "bare": w.Stream()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wb := open(t, file)
			if got := wb.Sheets()[0].Name; got != "Übersicht" {
				t.Errorf("name %q", got)
			}
			same(t, dump(t, wb, 0), tableRows)
		})
	}
}

func TestCodePages(t *testing.T) {
	t.Parallel()
	for page, tc := range map[uint16]struct{ in, want string }{
		437: {"\x81", "ü"}, 850: {"\x9b", "ø"}, 852: {"\xa5", "ą"}, 855: {"\xa0", "а"}, 858: {"\xd5", "€"}, 860: {"\x84", "ã"},
		862: {"\x80", "א"}, 863: {"\x84", "Â"}, 865: {"\x9b", "ø"}, 866: {"\x80", "А"}, 874: {"\xa1", "ก"},
		932: {"\x93\xfa", "日"}, 936: {"\xc8\xd5", "日"}, 949: {"\xb0\xa1", "가"}, 950: {"\xa4\xe9", "日"},
		1250: {"\xb9", "ą"}, 1251: {"\xc0", "А"}, 1252: {"\x80", "€"}, 1253: {"\xe1", "α"}, 1254: {"\xfe", "ş"}, 1255: {"\xe0", "א"},
		1256: {"\xc7", "ا"}, 1257: {"\xe0", "ą"}, 1258: {"\xd0", "Đ"}, 10000: {"\x8a", "ä"}, 10007: {"\x80", "А"}, 32768: {"\x8a", "ä"},
		367: {"a", "a"}, 1200: {"\xe4", "ä"},
	} {
		w := xlstest.Workbook{Old: true, CodePage: page, Sheets: []xlstest.Sheet{{Name: "S", Rows: [][]any{{tc.in}}}}}
		if got, want := dump(t, open(t, w.File()), 0), fmt.Sprintf("1 %q\n", tc.want); got != want {
			t.Errorf("code page %d: got %s, want %s", page, got, want)
		}
	}
}

func TestDates1904(t *testing.T) {
	t.Parallel()
	rows := [][]any{{xlstest.Styled{Value: 1, Format: "yyyy-mm-dd"}, xlstest.Styled{Value: 43890.75, Format: "yyyy-mm-dd hh:mm"}}}
	wb := open(t, xlstest.Workbook{Date1904: true, Sheets: []xlstest.Sheet{{Name: "S", Rows: rows}}}.File())
	same(t, dump(t, wb, 0), "1 1904-01-02T00:00:00(1904-01-02) 2024-03-01T18:00:00(2024-03-01 18:00)\n")
}

// TestGaps has rows and columns that the file leaves out.
func TestGaps(t *testing.T) {
	t.Parallel()
	r := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(0x10))
	r.Add(0x0203, uint16(2), uint16(3), uint16(0), 1.0)
	r.Add(0x0201, uint16(9), uint16(0), uint16(0)) // a blank cell is no value
	r.Add(0x000A)
	wb := open(t, r.Bytes)
	same(t, dump(t, wb, 0), "1\n2\n3 - - - 1(1)\n")
}

// TestOutOfOrder has the cells of a sheet column by column, a cell twice, and a
// formula whose text follows it.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	r := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(0x10))
	num := func(y, x uint16, v float64) { r.Add(0x0203, y, x, uint16(0), v) }
	num(0, 0, 1)
	num(1, 0, 2)
	num(3, 0, 4)
	num(0, 1, 10)
	num(3, 1, 40)
	r.Add(0x0006, uint16(1), uint16(1), uint16(0), []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, uint32(0))
	r.Add(0x0207, uint16(2), xlstest.Unicode("hi"))
	num(0, 0, 9)
	r.Add(0x000A)
	same(t, dump(t, open(t, r.Bytes), 0), `
		1 9(9) 10(10)
		2 2(2) "hi"
		3
		4 4(4) 40(40)
	`)
}

// TestRecords has each record that holds cells, by hand.
func TestRecords(t *testing.T) {
	t.Parallel()
	at := func(y, x uint16) []byte { return xlstest.Join(y, x, uint16(0)) }
	textResult := []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0}
	for name, tc := range map[string]struct {
		version uint16
		add     func(r *xlstest.Records)
		want    string
	}{
		"RK": {0x0600, func(r *xlstest.Records) {
			for x, v := range []uint32{0x3FF00000, 0x3FF00001, 123<<2 | 2, 12345<<2 | 3, 0xFFFFFFFE} {
				r.Add(0x027E, at(0, uint16(x)), v)
			}
		}, "1 1(1) 0.01(0.01) 123(123) 123.45(123.45) -1(-1)\n"},
		"MULRK and MULBLANK": {0x0600, func(r *xlstest.Records) {
			r.Add(0x00BD, uint16(0), uint16(1), uint16(0), uint32(1<<2|2), uint16(0), uint32(2<<2|2), uint16(2))
			r.Add(0x00BE, uint16(0), uint16(3), uint16(0), uint16(0), uint16(4))
			r.Add(0x0203, at(0, 5), 3.5)
		}, "1 - 1(1) 2(2) - - 3.5(3.5)\n"},
		"LABEL of BIFF8": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0204, at(0, 0), uint16(2), xlstest.Unicode("ąb"))
		}, "1 \"ąb\"\n"},
		"RSTRING of BIFF5": {0x0500, func(r *xlstest.Records) {
			r.Add(0x00D6, at(0, 0), uint16(3), "ab\xe9", byte(1), byte(0), byte(5))
		}, "1 \"abé\"\n"},
		"text result behind a shared formula": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0006, at(0, 0), textResult)
			r.Add(0x04BC, make([]byte, 10))
			r.Add(0x0207, uint16(2), xlstest.Unicode("ok"))
			r.Add(0x0203, at(0, 1), 1.0)
		}, "1 \"ok\" 1(1)\n"},
		"text result behind an array formula and a table": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0006, at(0, 0), textResult)
			r.Add(0x0221, make([]byte, 14))
			r.Add(0x0236, make([]byte, 16))
			r.Add(0x0207, uint16(2), xlstest.Unicode("ok"))
		}, "1 \"ok\"\n"},
		"text result over several records": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0006, at(0, 0), textResult)
			r.Add(0x0207, uint16(6), []byte{0}, "abc")
			r.Add(0x003C, []byte{1}, []byte{0x05, 0x01, 0x64, 0})
			r.Add(0x003C, []byte{0}, "e")
		}, "1 \"abcąde\"\n"},
		"text result that is missing": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0006, at(0, 0), textResult)
			r.Add(0x0203, at(0, 1), 1.0)
		}, "1 \"\" 1(1)\n"},
		"empty text as result": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0006, at(0, 0), []byte{3, 0, 0, 0, 0, 0, 0xFF, 0xFF})
		}, "1 \"\"\n"},
		"a chart in the sheet": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0203, at(0, 0), 1.0)
			r.Add(0x0809, uint16(0x0600), uint16(0x20))
			r.Add(0x0203, at(0, 0), 2.0)
			r.Add(0x000A)
			r.Add(0x0203, at(1, 0), 3.0)
		}, "1 1(1)\n2 3(3)\n"},
		"errors": {0x0600, func(r *xlstest.Records) {
			for x, e := range []byte{0x00, 0x07, 0x0F, 0x17, 0x1D, 0x24, 0x2A} {
				r.Add(0x0205, at(0, uint16(x)), e, byte(1))
			}
		}, "1 #NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A\n"},
		"an XF record that is not there": {0x0600, func(r *xlstest.Records) {
			r.Add(0x0203, uint16(0), uint16(0), uint16(99), 1.5)
		}, "1 1.5(1.5)\n"},
		"a version left out": {0, func(r *xlstest.Records) {
			r.Add(0x0204, at(0, 0), uint16(2), "a\xe9")
			r.Add(0x0203, at(0, 1), 1.5)
		}, "1 \"aé\" 1.5(1.5)\n"},
		"a cell outside the sheet": {0x0600, func(r *xlstest.Records) { r.Add(0x0203, at(0, 256), 1.0) }, "1 !-1\n"},
		"a cell too short":         {0x0600, func(r *xlstest.Records) { r.Add(0x0203, at(0, 2), uint16(1)) }, "1 !2\n"},
		"a text cut off":           {0x0600, func(r *xlstest.Records) { r.Add(0x0204, at(0, 0), uint16(9), xlstest.Unicode("ab")) }, "1 !0\n"},
		"a text not there":         {0x0600, func(r *xlstest.Records) { r.Add(0x00FD, at(0, 0), uint32(0)) }, "1 !0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := (&xlstest.Records{}).Add(0x0809, tc.version, uint16(0x10), uint32(0))
			tc.add(r)
			r.Add(0x000A)
			same(t, dump(t, open(t, r.Bytes), 0), tc.want)
		})
	}
}

// TestSharedStrings cuts shared strings in all places where CONTINUE may.
func TestSharedStrings(t *testing.T) {
	t.Parallel()
	wide := func(s string) []byte { return xlstest.Unicode(s)[1:] }
	// the header cut between two strings; characters cut, narrow to wide and back;
	// runs and phonetic data, cut too; a pair of surrogates cut in the middle
	build := func(announced uint32) []byte {
		r := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(5))
		r.Add(0x0085, uint32(0), byte(0), byte(0), byte(1), xlstest.Unicode("S"))
		place := len(r.Bytes) - 9
		r.Add(0x00FC, announced, announced, uint16(3), byte(0), "one", uint16(6), byte(0), "ab")
		r.Add(0x003C, byte(1), wide("ąč"))
		r.Add(0x003C, byte(0), "yz")
		r.Add(0x003C, uint16(2), byte(8), uint16(2), "hi", uint32(0))
		r.Add(0x003C, uint32(0), uint16(2), byte(4), uint32(6), "fa", "abc")
		r.Add(0x003C, "def", uint16(2), byte(1), []byte{0x3D, 0xD8})
		r.Add(0x003C, byte(1), []byte{0x00, 0xDE}, uint16(3), byte(0))
		r.Add(0x003C, byte(0), "end", uint16(5), byte(0), "cut")
		r.Add(0x000A)
		copy(r.Bytes[place:], xlstest.Join(uint32(len(r.Bytes))))
		r.Add(0x0809, uint16(0x0600), uint16(0x10))
		for i := range uint32(6) {
			r.Add(0x00FD, uint16(0), uint16(i), uint16(0), i)
		}
		r.Add(0x00FD, uint16(1), uint16(0), uint16(0), uint32(6))
		return r.Add(0x000A).Bytes
	}
	const want = `
		1 "one" "abąčyz" "hi" "fa" "😀" "end"
		2 !0
	`
	for _, announced := range []uint32{6, 0, 0xFFFFFFFF} {
		same(t, dump(t, open(t, build(announced)), 0), want)
	}
}

// TestManySharedStrings has more than a record holds, so that they are cut
// wherever the writer was.
func TestManySharedStrings(t *testing.T) {
	t.Parallel()
	var rows [][]any
	var want strings.Builder
	for i := range 3000 {
		s := strings.Repeat([]string{"narrow ", "wide ą "}[i%2], i%23)
		rows = append(rows, []any{s})
		fmt.Fprintf(&want, "%d %q\n", i+1, s)
	}
	wb := open(t, xlstest.Workbook{Sheets: []xlstest.Sheet{{Name: "S", Rows: rows}}}.File())
	same(t, dump(t, wb, 0), want.String())
}

// TestOlderVersions has the single sheets of Excel 2 to 4.
func TestOlderVersions(t *testing.T) {
	t.Parallel()
	attr := func(format byte) []byte { return []byte{0, format, 0} }
	two := (&xlstest.Records{}).Add(0x0009, uint16(2), uint16(0x10))
	two.Add(0x001E, byte(7), "General").Add(0x001E, byte(4), "0.00")
	two.Add(0x0002, uint16(0), uint16(0), attr(1), uint16(7))
	two.Add(0x0003, uint16(0), uint16(1), attr(0), 1.5)
	two.Add(0x0004, uint16(0), uint16(2), attr(0), byte(3), "ab\xe9")
	two.Add(0x0005, uint16(0), uint16(3), attr(0), byte(1), byte(0))
	two.Add(0x0006, uint16(1), uint16(0), attr(0), []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, byte(0), uint16(0))
	two.Add(0x0007, byte(2), "ok")
	two.Add(0x0006, uint16(1), uint16(1), attr(1), 2.0, byte(0), uint16(0))
	two.Add(0x000A)

	three := (&xlstest.Records{}).Add(0x0209, uint16(0), uint16(0x10), uint16(0))
	three.Add(0x0042, uint16(32768))
	three.Add(0x001E, byte(7), "General").Add(0x001E, byte(4), "0.00")
	three.Add(0x0243, []byte{0, 0}, make([]byte, 10)).Add(0x0243, []byte{0, 1}, make([]byte, 10))
	three.Add(0x0203, uint16(0), uint16(0), uint16(1), 7.0)
	three.Add(0x0204, uint16(0), uint16(1), uint16(0), uint16(2), "a\x8a")
	three.Add(0x0206, uint16(1), uint16(0), uint16(0), []byte{0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, uint16(0))
	three.Add(0x0207, uint16(2), "ok")
	three.Add(0x000A)

	sheet4 := func(text string) []byte {
		r := (&xlstest.Records{}).Add(0x0409, uint16(0), uint16(0x10), uint16(0))
		r.Add(0x041E, uint16(0), byte(7), "General").Add(0x041E, uint16(0), byte(4), "0.00")
		r.Add(0x0443, []byte{0, 0}, make([]byte, 10)).Add(0x0443, []byte{0, 1}, make([]byte, 10))
		r.Add(0x0203, uint16(0), uint16(0), uint16(1), 7.0)
		r.Add(0x0204, uint16(0), uint16(1), uint16(0), uint16(len(text)), text)
		return r.Add(0x000A).Bytes
	}
	space := (&xlstest.Records{}).Add(0x0409, uint16(0), uint16(0x100), uint16(0))
	space.Add(0x008F, uint32(0), byte(3), "One")
	space.Bytes = append(space.Bytes, sheet4("first")...)
	space.Add(0x008F, uint32(0), byte(3), "Two")
	space.Bytes = append(space.Bytes, sheet4("second")...)
	space.Add(0x000A)

	for name, tc := range map[string]struct {
		file  []byte
		sheet int
		want  string
	}{
		"2":              {two.Bytes, 0, "1 7(7.00) 1.5(1.5) \"abé\" TRUE\n2 \"ok\" 2(2.00)\n"},
		"3":              {three.Bytes, 0, "1 7(7.00) \"aä\"\n2 \"ok\"\n"},
		"4":              {sheet4("x"), 0, "1 7(7.00) \"x\"\n"},
		"workspace":      {space.Bytes, 0, "1 7(7.00) \"first\"\n"},
		"workspace next": {space.Bytes, 1, "1 7(7.00) \"second\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !xls.Is(tc.file) {
				t.Error("not told by its start")
			}
			same(t, dump(t, open(t, tc.file), tc.sheet), tc.want)
		})
	}
}

// TestMisplaced has sheets that are not where the workbook says, and one sheet
// under two names.
func TestMisplaced(t *testing.T) {
	t.Parallel()
	build := func(shift func(i int, at uint32) uint32) []byte {
		body := func(v float64) []byte {
			r := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(0x10))
			return r.Add(0x0203, uint16(0), uint16(0), uint16(0), v).Add(0x000A).Bytes
		}
		globals := func(at ...uint32) []byte {
			r := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(5))
			for i, a := range at {
				r.Add(0x0085, shift(i, a), byte(0), byte(0), byte(1), xlstest.Unicode(string(rune('A'+i))))
			}
			return r.Add(0x000A).Bytes
		}
		n := uint32(len(globals(0, 0)))
		return slices.Concat(globals(n, n+uint32(len(body(1)))), body(1), body(2))
	}
	moved := open(t, build(func(_ int, at uint32) uint32 { return at + 3 }))
	same(t, dump(t, moved, 0)+dump(t, moved, 1), "1 1(1)\n1 2(2)\n")
	first := uint32(0)
	shared := open(t, build(func(i int, at uint32) uint32 {
		if i == 0 {
			first = at
		}
		return first
	}))
	same(t, dump(t, shared, 0)+dump(t, shared, 1), "1 1(1)\n1 1(1)\n")
}

func TestRefused(t *testing.T) {
	t.Parallel()
	whole := xlstest.Workbook{Sheets: []xlstest.Sheet{table()}}
	locked := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(5)).Add(0x002F, make([]byte, 54)).Add(0x000A)
	elsewhere := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(5))
	elsewhere.Add(0x0085, uint32(4), byte(0), byte(0), byte(1), xlstest.Unicode("S")).Add(0x000A)
	nowhere := (&xlstest.Records{}).Add(0x0809, uint16(0x0600), uint16(0x10)).Add(0x0203, uint16(1)).Add(0x000A)
	stream := whole.Stream()
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":           {nil, "corrupt"},
		"text":              {[]byte("id;name\n1;Zoë\n"), "corrupt"},
		"a password":        {xlstest.Compound(xlstest.Stream{Name: "Workbook", Data: locked.Bytes}), "encrypted"},
		"a password, xlsx":  {xlstest.Compound(xlstest.Stream{Name: "EncryptionInfo", Data: []byte("x")}, xlstest.Stream{Name: "EncryptedPackage", Data: []byte("x")}), "encrypted"},
		"a letter":          {xlstest.Compound(xlstest.Stream{Name: "WordDocument", Data: []byte("x")}), "unsupported"},
		"charts only":       {xlstest.Workbook{Sheets: []xlstest.Sheet{{Name: "C", Kind: 2}}}.File(), "unsupported"},
		"a sheet elsewhere": {elsewhere.Bytes, "corrupt"},
		"a cell nowhere":    {nowhere.Bytes, "corrupt"},
		"a sheet cut off":   {stream[:len(stream)-20], "corrupt"},
		"globals cut off":   {stream[:50], "corrupt"},
		"a file cut off":    {contacts(500).File()[:30_000], "corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := xls.Open(bytes.NewReader(tc.file)); code(err) != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestSourceError tells an error of the source from a fault of the file.
func TestSourceError(t *testing.T) {
	t.Parallel()
	file := contacts(200).File()
	for limit := range int64(len(file) / 512) {
		wb, err := xls.Open(failing{bytes.NewReader(file), limit * 512})
		if err == nil {
			r, err2 := wb.Open(0)
			for err = err2; err == nil; {
				_, err = r.Next()
			}
		}
		if !errors.Is(err, errSource) {
			t.Fatalf("fails from byte %d on: %v", limit*512, err)
		}
	}
}

var errSource = errors.New("the source failed")

type failing struct {
	*bytes.Reader
	from int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from && f.from < f.Size() {
		return 0, errSource
	}
	return f.Reader.ReadAt(p, off)
}

func FuzzOpen(f *testing.F) {
	w := xlstest.Workbook{Sheets: []xlstest.Sheet{table(), {Name: "Two", Rows: [][]any{{"ą", 1.0}}}}}
	f.Add(w.File())
	f.Add(w.Stream())
	w.Sheets = w.Sheets[:1]
	w.Old = true
	f.Add(w.Stream())
	f.Fuzz(func(t *testing.T, file []byte) {
		wb, err := xls.Open(bytes.NewReader(file))
		for i := 0; err == nil && i < len(wb.Sheets()); i++ {
			var r sheet.Reader
			if r, err = wb.Open(i); err != nil {
				break
			}
			for n := int64(1); err == nil; n++ {
				var row *record.Row
				if row, err = r.Next(); err == nil && row.Number != n {
					t.Fatalf("row %d after %d", row.Number, n-1)
				}
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
		}
		if err != nil && strings.HasPrefix(code(err), "other") {
			t.Fatalf("not a fault of the file: %v", err)
		}
	})
}
