package csv

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"testing"
)

// contacts are n records of 12 columns, as an address book exports them; every
// tenth has a quoted cell with a delimiter.
func contacts(n int) []byte {
	var b bytes.Buffer
	b.WriteString("id,first,last,email,phone,street,zip,city,country,company,born,note\n")
	for i := range n {
		company := "Muster GmbH"
		if i%10 == 0 {
			company = `"Muster, Söhne & Co."`
		}
		fmt.Fprintf(&b, "C-%07d,Anneliese,Beispiel%d,anneliese.%d@example.com,+49 30 90%06d,Lange Straße %d,%05d,Berlin,DE,%s,19%02d-03-14,met at the fair\n",
			i, i, i, i, i%200, i%99999, company, i%90+10)
	}
	return b.Bytes()
}

func BenchmarkReader(b *testing.B) {
	text := contacts(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), comma(), 1)
		n := 0
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n += len(row.Cells)
		}
		if n != 12*100_001 {
			b.Fatal(n)
		}
	}
}

// BenchmarkStandardLibrary is the yardstick: encoding/csv without positions.
func BenchmarkStandardLibrary(b *testing.B) {
	text := contacts(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := stdcsv.NewReader(bytes.NewReader(text))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCut(b *testing.B) {
	text := contacts(100_000)
	l := comma()
	l.Encoding = "utf-8"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Cut(context.Background(), bytes.NewReader(text), l, 1<<20, nil); err != nil {
			b.Fatal(err)
		}
	}
}
