package charset

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func BenchmarkDetect(b *testing.B) {
	const size = 1 << 20
	for _, c := range []struct{ name, enc, text string }{
		{"ascii", "utf-8", "1001;Smith;12.50;2024-01-31\r\n"},
		{"utf-8", "utf-8", "1001;Müller;12.50;Łódź\r\n"},
		{"windows-1252", "windows-1252", wordList("de")},
		{"windows-1251", "windows-1251", wordList("ru")},
		{"shift_jis", "shift_jis", wordList("ja")},
		{"gb18030", "gb18030", wordList("zh-hans")},
	} {
		b.Run(c.name, func(b *testing.B) {
			head := encode(b, c.enc, strings.Repeat(c.text, size/len(c.text)+1))
			head = head[:min(size, len(head))]
			b.SetBytes(int64(len(head)))
			for b.Loop() {
				Detect(head, false)
			}
		})
	}
}

// The slowest input is one in which every word is new.
func BenchmarkDetectNoise(b *testing.B) {
	head := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range head {
		head[i] = byte(r.UintN(128)) + 128
		if r.UintN(8) == 0 {
			head[i] = ','
		}
	}
	for b.Loop() {
		Detect(head, false)
	}
}
