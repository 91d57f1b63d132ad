package xls

import (
	"errors"
	"io"
	"slices"
)

// summary is what a first look at a sheet's records tells.
type summary struct {
	rows    int64 // number of the last row with a value, from 1
	ordered bool  // whether the cells come row by row
}

// rowSet is a set of row indexes from 0.
type rowSet [1 << 16 / 64]uint64

func (s *rowSet) add(i uint16)      { s[i/64] |= 1 << (i % 64) }
func (s *rowSet) has(i uint16) bool { return s[i/64]&(1<<(i%64)) != 0 }

// maxIndex bounds the cells of a sheet that is out of order: 96 MB.
const maxIndex = 12 << 20

// walk calls visit for each record of the sheet itself: not for those of the
// charts inside it. It returns nil at the sheet's end.
func walk(sc *scanner, visit func(rec) error) error {
	for depth := 0; ; {
		r, err := sc.next()
		if errors.Is(err, io.EOF) {
			return nil // some programs leave the last EOF record out
		}
		if err != nil {
			return cut(err)
		}
		switch {
		case isBOF(r.id):
			depth++
			continue
		case r.id == recEOF:
			depth--
		}
		if depth <= 0 {
			return nil
		}
		if depth == 1 {
			if err := visit(r); err != nil {
				return err
			}
		}
	}
}

// substreams lists where the substreams start that are in no other.
func substreams(sc *scanner) ([]int64, error) {
	var list []int64
	for depth := 0; ; {
		r, err := sc.next()
		if errors.Is(err, io.EOF) || errors.Is(err, errCut) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case isBOF(r.id):
			if depth == 0 {
				list = append(list, r.at)
			}
			depth++
		case r.id == recEOF:
			depth = max(0, depth-1)
		}
	}
}

// survey looks through a sheet and puts the rows it hides into hidden, if given.
func survey(sc *scanner, hidden *rowSet) (summary, error) {
	s := summary{ordered: true}
	last := -1
	err := walk(sc, func(r rec) error {
		if hasValue(r.id) {
			if len(r.data) < 4 {
				return corrupt("a cell does not say where it is")
			}
			row := int(u16(r.data))
			s.ordered = s.ordered && row >= last
			last = row
			s.rows = max(s.rows, int64(row)+1)
		} else if r.id == recRow && hidden != nil && len(r.data) >= 16 && r.data[12]&0x20 != 0 {
			hidden.add(u16(r.data))
		}
		return nil
	})
	return s, err
}

// indexCells lists the cells of a sheet that is out of order, row by row, and
// within a row as the file has them: 16 bits of row, 48 of the place in the file.
func indexCells(sc *scanner) ([]uint64, error) {
	var list []uint64
	err := walk(sc, func(r rec) error {
		if !hasValue(r.id) || len(r.data) < 4 {
			return nil
		}
		if len(list) >= maxIndex {
			return tooLarge("a sheet has too many cells, and not row by row")
		}
		list = append(list, uint64(u16(r.data))<<48|uint64(r.at))
		return nil
	})
	slices.Sort(list)
	return list, err
}

// hasValue tells whether a record holds a cell, or a row of cells, with a value.
func hasValue(id uint16) bool {
	switch id {
	case recLabelSST, recRK, recMulRK, recNumber, recFormula, recLabel, recRString, recBoolErr,
		recFormula3, recFormula4, recInteger2, recNumber2, recLabel2, recBoolErr2:
		return true
	}
	return false
}
