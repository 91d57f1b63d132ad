package csv

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
	"time"
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

func readOurs(b *testing.B, text []byte) {
	b.Helper()
	r := NewReader(bytes.NewReader(text), comma(), 1)
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func readStandard(b *testing.B, text []byte) {
	b.Helper()
	r := stdcsv.NewReader(bytes.NewReader(text))
	r.ReuseRecord = true
	for {
		_, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	text := contacts(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		readOurs(b, text)
	}
}

// BenchmarkRatio reads with encoding/csv, without positions, and with this
// reader by turns, so that whatever else the machine does slows both. The ratio
// is of their best times: above 1 is faster than encoding/csv.
func BenchmarkRatio(b *testing.B) {
	text := contacts(100_000)
	ours, standard := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		readOurs(b, text)
		middle := time.Now()
		readStandard(b, text)
		ours, standard = min(ours, middle.Sub(start)), min(standard, time.Since(middle))
	}
	perSecond := func(d time.Duration) float64 { return float64(len(text)) / d.Seconds() / 1e6 }
	b.ReportMetric(perSecond(ours), "MB/s-ours")
	b.ReportMetric(perSecond(standard), "MB/s-encoding/csv")
	b.ReportMetric(float64(standard)/float64(ours), "ratio")
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
