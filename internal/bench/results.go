package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// result is one line: what was measured, what it is set beside, and their
// ratio. Floor and Ratio are 0 where it stands alone.
type result struct {
	Name  string  `json:"name"`
	Ours  float64 `json:"ours"`
	Floor float64 `json:"floor"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio"`

	goal string
}

type results struct {
	lines    []result
	progress io.Writer
}

// add keeps a line. goal is what the ratio, or the number itself, is to reach.
func (r *results) add(name string, ours, floor float64, unit, goal string) {
	l := result{Name: name, Ours: ours, Floor: floor, Unit: unit, goal: goal}
	if floor != 0 {
		l.Ratio = ours / floor
	}
	r.lines = append(r.lines, l)
	fmt.Fprintf(r.progress, "  %s: %s %s, beside %s\n", name, number(ours), unit, number(floor))
}

func (r *results) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "measured\tours\tfloor\tratio\tgoal\tunit\t\n")
	for _, l := range r.lines {
		floor, ratio := "", ""
		if l.Floor != 0 {
			floor, ratio = number(l.Floor), fmt.Sprintf("%.2f", l.Ratio)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", l.Name, number(l.Ours), floor, ratio, l.goal, l.Unit)
	}
	_ = t.Flush()
}

func number(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

func (r *results) write(path string) error {
	b, err := json.MarshalIndent(r.lines, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}
