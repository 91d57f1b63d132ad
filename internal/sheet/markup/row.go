package markup

import "github.com/dropload/dropload/internal/record"

// builder makes one row after the other. The texts of a row are collected in one
// buffer and become one string when the row is complete.
type builder struct {
	row   record.Row
	text  []byte
	spans []span
	area  int64
}

// span is where in the text that of a cell is.
type span struct{ col, from, to int }

// start begins the next row.
func (b *builder) start() {
	clear(b.row.Cells)
	b.row.Cells = b.row.Cells[:0]
	b.row.Hidden = false
	b.row.Number++
	b.text, b.spans = b.text[:0], b.spans[:0]
}

// put sets a cell; its text is what was appended to the buffer since from.
func (b *builder) put(col int, kind record.Kind, number float64, from int) error {
	if col >= maxColumns {
		return tooLarge("a row has more than 16384 columns")
	}
	if len(b.text) > maxRowText {
		return tooLarge("a row has more than 32 MB of text")
	}
	for len(b.row.Cells) <= col {
		b.row.Cells = append(b.row.Cells, record.Cell{})
	}
	b.row.Cells[col] = record.Cell{Kind: kind, Number: number}
	b.spans = append(b.spans, span{col, from, len(b.text)})
	return nil
}

// finish completes the row, which is width columns wide.
func (b *builder) finish(width int) (*record.Row, error) {
	if b.area += int64(max(width, len(b.row.Cells))); b.area > maxArea {
		return nil, tooLarge("a sheet has more than 500 million cells")
	}
	text := string(b.text)
	for _, s := range b.spans {
		b.row.Cells[s.col].Text = text[s.from:s.to]
	}
	return &b.row, nil
}
