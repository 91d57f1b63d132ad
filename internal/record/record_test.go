package record_test

import (
	"testing"
	"time"

	"github.com/dropload/dropload/internal/record"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	for number, want := range map[float64]string{
		45352:              "2024-03-01T00:00:00Z",
		45352.432638888888: "2024-03-01T10:23:00Z",
		61:                 "1900-03-01T00:00:00Z",
		0.5:                "1899-12-30T12:00:00Z",
	} {
		if got := (record.Cell{Kind: record.DateTime, Number: number}).When().Format(time.RFC3339); got != want {
			t.Errorf("%v is %s, want %s", number, got, want)
		}
	}
}

func TestIsBlank(t *testing.T) {
	t.Parallel()
	for cell, want := range map[record.Cell]bool{
		{}: true, {Kind: record.Text, Text: " \u00a0\t"}: true, {Kind: record.Text, Text: "x"}: false,
		{Kind: record.Number}: false, {Kind: record.Error, Text: "#N/A"}: false,
	} {
		if got := cell.IsBlank(); got != want {
			t.Errorf("%+v: %v, want %v", cell, got, want)
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	var c record.Counts
	for o := record.Created; o <= record.Ignored; o++ {
		c.Add(o, int64(o))
	}
	c.Add(record.NoOutcome, 7)
	if !c.AddUp() || c.Read != 1+2+3+4+5 {
		t.Errorf("%+v", c)
	}
	c.Created++
	if c.AddUp() {
		t.Error("a row too many adds up")
	}
}
