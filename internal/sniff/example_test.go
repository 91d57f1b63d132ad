package sniff_test

import (
	"fmt"
	"strings"

	"github.com/dropload/dropload/internal/sniff"
)

func ExampleInspect() {
	in := "Customers\n\nNo;Name;Since\n1;Ann;01.02.2020\n2;Bo;03.04.2021\n3;Cy;05.06.2022\n"
	r, err := sniff.Inspect(strings.NewReader(in), "customers.txt", sniff.Override{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Printf("%s: %s (%s)\n", f.What, f.Answer, f.Why)
	}
	// Output:
	// format: csv (text without the marks of another format)
	// encoding: utf-8 (only ASCII characters)
	// delimiter: ; (93 % of 5 records have 3 cells)
	// quote: " (no cell is enclosed; the usual quote is assumed)
	// newline: "\n" (the commonest line end)
	// preamble: 2 (2 records above the table are blank, comments or narrower than it)
	// header: 1 (2 cells of the record are names above columns of values)
	// footer: 0 (the last record is one of the table)
}
