// Package xlstest builds workbooks of the formats before 2007 for tests: whole
// ones from Go values, or record by record where a test is about the records.
// It is for tests only, and panics where a test asks for what it cannot write.
package xlstest

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf16"
)

// Records is a stream of BIFF records.
type Records struct{ Bytes []byte }

// Add appends a record. Its parts are numbers of fixed size, strings in one byte
// a character, and bytes.
func (r *Records) Add(id uint16, parts ...any) *Records {
	data := Join(parts...)
	if len(data) > 0xFFFF {
		panic("xlstest: a record is too long")
	}
	r.Bytes = append(r.Bytes, Join(id, uint16(len(data)), data)...)
	return r
}

// Join writes the parts of a record one behind the other.
func Join(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch v := p.(type) {
		case byte:
			b = append(b, v)
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		default:
			panic(fmt.Sprintf("xlstest: a part of type %T", p))
		}
	}
	return b
}

// Unicode is a BIFF8 string without its length: flags, then its characters in
// one byte each where that is enough, in two otherwise.
func Unicode(s string) []byte {
	units := utf16.Encode([]rune(s))
	wide := byte(0)
	for _, u := range units {
		if u > 0xFF {
			wide = 1
		}
	}
	b := []byte{wide}
	for _, u := range units {
		b = append(b, byte(u))
		if wide == 1 {
			b = append(b, byte(u>>8))
		}
	}
	return b
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }

// Workbook is a workbook of Excel 97 to 2003, or with Old of Excel 5.
type Workbook struct {
	Old      bool // BIFF5; its texts are bytes of the code page
	CodePage uint16
	Date1904 bool
	Sheets   []Sheet
}

// Sheet is one sheet. Its cells are nil, string, float64, int (as RK), bool,
// Error, Styled and Formula.
type Sheet struct {
	Name       string
	Hidden     bool
	Kind       byte // 0 worksheet, 1 macros, 2 chart
	Rows       [][]any
	HiddenRows map[int]bool // by index from 0
}

// Error is an error value by its code.
type Error byte

// Styled is a number under a number format.
type Styled struct {
	Value  float64
	Format string
}

// Formula is a formula with the result that it stores: string, float64, bool
// or Error.
type Formula struct{ Result any }

// Stream builds the stream of the workbook.
func (w Workbook) Stream() []byte {
	e := &encoder{w: w, texts: map[string]uint32{}, formats: map[string]uint16{}}
	bodies := make([][]byte, len(w.Sheets))
	for i, s := range w.Sheets {
		bodies[i] = e.sheet(s)
	}
	// The sheets' places depend on the length of the globals, which do not
	// depend on the places: so the globals are built twice.
	at := make([]uint32, len(bodies))
	for range 2 {
		off := len(e.globals(at))
		for i, b := range bodies {
			at[i] = uint32(off)
			off += len(b)
		}
	}
	out := e.globals(at)
	for _, b := range bodies {
		out = append(out, b...)
	}
	return out
}

// File builds the workbook in a compound file.
func (w Workbook) File() []byte {
	if w.Old {
		return Compound(Stream{"Book", w.Stream()})
	}
	return Compound(Stream{"Workbook", w.Stream()})
}

type encoder struct {
	w       Workbook
	texts   map[string]uint32
	order   []string
	formats map[string]uint16 // to the number of the XF record
	codes   []string
}

func (e *encoder) version() uint16 {
	if e.w.Old {
		return 0x0500
	}
	return 0x0600
}

func (e *encoder) globals(at []uint32) []byte {
	r := &Records{}
	r.Add(0x0809, e.version(), uint16(5), uint16(0x0DBB), uint16(1996))
	page := e.w.CodePage
	if page == 0 {
		page = 1252
	}
	r.Add(0x0042, page)
	if e.w.Date1904 {
		r.Add(0x0022, uint16(1))
	}
	for i, code := range e.codes {
		if e.w.Old {
			r.Add(0x041E, uint16(164+i), byte(len(code)), code)
		} else {
			r.Add(0x041E, uint16(164+i), uint16(length(code)), Unicode(code))
		}
	}
	xf := func(format uint16) {
		r.Add(0x00E0, uint16(0), format, make([]byte, 16))
	}
	xf(0)
	for i := range e.codes {
		xf(uint16(164 + i))
	}
	for i, s := range e.w.Sheets {
		hidden := byte(0)
		if s.Hidden {
			hidden = 1
		}
		if e.w.Old {
			r.Add(0x0085, at[i], hidden, s.Kind, byte(len(s.Name)), s.Name)
		} else {
			r.Add(0x0085, at[i], hidden, s.Kind, byte(length(s.Name)), Unicode(s.Name))
		}
	}
	if !e.w.Old {
		e.sst(r)
	}
	return r.Add(0x000A).Bytes
}

// sst writes the shared strings; a record holds 8224 bytes, and a string that
// does not fit is cut and goes on behind a byte of flags.
func (e *encoder) sst(r *Records) {
	const most = 8224
	id := uint16(0x00FC)
	data := Join(uint32(len(e.order)), uint32(len(e.order)))
	flush := func() {
		r.Add(id, data)
		id, data = 0x003C, nil
	}
	for _, s := range e.order {
		head := Join(uint16(length(s)), Unicode(s)[:1])
		chars := Unicode(s)[1:]
		if len(data)+len(head)+2 > most {
			flush()
		}
		data = append(data, head...)
		for len(chars) > 0 {
			n := min(len(chars), (most-len(data))&^1)
			data = append(data, chars[:n]...)
			if chars = chars[n:]; len(chars) > 0 {
				flush()
				data = append(data, head[2])
			}
		}
	}
	flush()
}

func (e *encoder) sheet(s Sheet) []byte {
	r := &Records{}
	r.Add(0x0809, e.version(), uint16(0x10), uint16(0x0DBB), uint16(1996))
	for y, cells := range s.Rows {
		flags := uint32(0x100)
		if s.HiddenRows[y] {
			flags |= 0x20
		}
		r.Add(0x0208, uint16(y), uint16(0), uint16(len(cells)), uint16(255), uint32(0), flags)
		for x, v := range cells {
			e.cell(r, uint16(y), uint16(x), v)
		}
	}
	return r.Add(0x000A).Bytes
}

func (e *encoder) cell(r *Records, y, x uint16, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		if e.w.Old {
			r.Add(0x0204, y, x, uint16(0), uint16(len(v)), v)
			return
		}
		i, ok := e.texts[v]
		if !ok {
			i = uint32(len(e.order))
			e.texts[v] = i
			e.order = append(e.order, v)
		}
		r.Add(0x00FD, y, x, uint16(0), i)
	case int:
		r.Add(0x027E, y, x, uint16(0), uint32(int32(v)<<2|2))
	case float64:
		r.Add(0x0203, y, x, uint16(0), v)
	case bool:
		r.Add(0x0205, y, x, uint16(0), truth(v), byte(0))
	case Error:
		r.Add(0x0205, y, x, uint16(0), byte(v), byte(1))
	case Styled:
		xf, ok := e.formats[v.Format]
		if !ok {
			e.codes = append(e.codes, v.Format)
			xf = uint16(len(e.codes))
			e.formats[v.Format] = xf
		}
		r.Add(0x0203, y, x, xf, v.Value)
	case Formula:
		e.formula(r, y, x, v.Result)
	default:
		panic(fmt.Sprintf("xlstest: a cell of type %T", v))
	}
}

func (e *encoder) formula(r *Records, y, x uint16, v any) {
	write := func(result []byte) {
		r.Add(0x0006, y, x, uint16(0), result, uint16(0), uint32(0), uint16(3), []byte{0x1E, 1, 0})
	}
	special := func(kind, value byte) { write([]byte{kind, 0, value, 0, 0, 0, 0xFF, 0xFF}) }
	switch v := v.(type) {
	case float64:
		write(Join(v))
	case bool:
		special(1, truth(v))
	case Error:
		special(2, byte(v))
	case string:
		special(0, 0)
		if e.w.Old {
			r.Add(0x0207, uint16(len(v)), v)
		} else {
			r.Add(0x0207, uint16(length(v)), Unicode(v))
		}
	default:
		panic(fmt.Sprintf("xlstest: a result of type %T", v))
	}
}

func truth(v bool) byte {
	if v {
		return 1
	}
	return 0
}
