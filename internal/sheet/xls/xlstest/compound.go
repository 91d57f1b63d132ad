package xlstest

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/dropload/dropload/internal/sheet/xls/compound"
)

// Stream is a stream of a compound file.
type Stream struct {
	Name string
	Data []byte
}

const (
	sectorSize = 512
	miniSize   = 64
	cutoff     = 4096
	free       = 0xFFFFFFFF
	endOfChain = 0xFFFFFFFE
	fatSector  = 0xFFFFFFFD
)

// Compound builds a compound file of version 3 with its streams in the root.
// The sectors of each stream lie one behind the other.
func Compound(streams ...Stream) []byte {
	var (
		body []byte // all sectors
		fat  []uint32
		mini []byte // the stream of small streams
		mfat []uint32
	)
	// chain appends data in sectors of a size and links them in a table.
	chain := func(to *[]byte, table *[]uint32, size int, data []byte) uint32 {
		if len(data) == 0 {
			return endOfChain
		}
		start := uint32(len(*table))
		for len(data) > 0 {
			n := min(size, len(data))
			*to = append(*to, data[:n]...)
			*to = append(*to, make([]byte, size-n)...)
			data = data[n:]
			*table = append(*table, uint32(len(*table)+1))
		}
		(*table)[len(*table)-1] = endOfChain
		return start
	}
	dir := make([]byte, 0, 128*(len(streams)+1))
	entry := func(name string, kind byte, right, child, start uint32, size int) {
		var e [128]byte
		units := utf16.Encode([]rune(name))
		for i, u := range units {
			binary.LittleEndian.PutUint16(e[2*i:], u)
		}
		binary.LittleEndian.PutUint16(e[64:], uint16(2*len(units)+2))
		e[66], e[67] = kind, 1
		binary.LittleEndian.PutUint32(e[68:], free)
		binary.LittleEndian.PutUint32(e[72:], right)
		binary.LittleEndian.PutUint32(e[76:], child)
		binary.LittleEndian.PutUint32(e[116:], start)
		binary.LittleEndian.PutUint32(e[120:], uint32(size))
		dir = append(dir, e[:]...)
	}
	starts := make([]uint32, len(streams))
	for i, s := range streams {
		if len(s.Data) < cutoff {
			starts[i] = chain(&mini, &mfat, miniSize, s.Data)
		} else {
			starts[i] = chain(&body, &fat, sectorSize, s.Data)
		}
	}
	miniStart := chain(&body, &fat, sectorSize, mini)
	miniTable := chain(&body, &fat, sectorSize, words(mfat, sectorSize))
	child := uint32(1)
	if len(streams) == 0 {
		child = free
	}
	entry("Root Entry", 5, free, child, miniStart, len(mini))
	for i, s := range streams {
		right := uint32(i + 2)
		if i == len(streams)-1 {
			right = free
		}
		entry(s.Name, 2, right, free, starts[i], len(s.Data))
	}
	dirStart := chain(&body, &fat, sectorSize, dir)

	// The table describes its own sectors and those that list it, too.
	used := uint32(len(fat))
	tables, lists := uint32(1), uint32(0)
	for {
		need := (used + tables + lists + 127) / 128
		lists = 0
		if need > 109 {
			lists = (need - 109 + 126) / 127
		}
		if need == tables {
			break
		}
		tables = need
	}
	for range tables {
		fat = append(fat, fatSector)
	}
	for range lists {
		fat = append(fat, fatSector-1)
	}
	body = append(body, words(fat, sectorSize)...)
	var numbers []uint32
	for i := range tables {
		numbers = append(numbers, used+i)
	}
	inHeader := min(len(numbers), 109)
	head := make([]byte, 512)
	copy(head, compound.Signature)
	for i, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		binary.LittleEndian.PutUint16(head[i:], v)
	}
	listStart := uint32(endOfChain)
	if lists > 0 {
		listStart = used + tables
	}
	for i, v := range map[int]uint32{
		44: tables, 48: dirStart, 56: cutoff, 60: miniTable,
		64: uint32(len(mfat)+127) / 128, 68: listStart, 72: lists,
	} {
		binary.LittleEndian.PutUint32(head[i:], v)
	}
	copy(head[76:], words(numbers[:inHeader], 436))
	for rest, next := numbers[inHeader:], listStart+1; len(rest) > 0; next++ {
		n := min(len(rest), 127)
		sector := words(rest[:n], sectorSize)
		rest = rest[n:]
		if len(rest) > 0 {
			binary.LittleEndian.PutUint32(sector[508:], next)
		} else {
			binary.LittleEndian.PutUint32(sector[508:], endOfChain)
		}
		body = append(body, sector...)
	}
	return slices.Concat(head, body)
}

// words writes numbers and fills the last sector with free ones.
func words(list []uint32, size int) []byte {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for len(b)%size != 0 {
		b = binary.LittleEndian.AppendUint32(b, free)
	}
	return b
}
