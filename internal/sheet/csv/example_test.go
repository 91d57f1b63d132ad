package csv_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dropload/dropload/internal/sheet"
	"github.com/dropload/dropload/internal/sheet/csv"
)

func ExampleReader() {
	in := "id;size\n1;5\" pipe\n\n2;\"a;\nb\"\n"
	r := csv.NewReader(strings.NewReader(in), sheet.Layout{Delimiter: ";", Quote: `"`}, 1)
	for row, err := r.Next(); err == nil; row, err = r.Next() {
		fmt.Print(row.Number)
		for _, c := range row.Cells {
			fmt.Printf(" %q", c.Text)
		}
		fmt.Println()
	}
	// Output:
	// 1 "id" "size"
	// 2 "1" "5\" pipe"
	// 3
	// 4 "2" "a;\nb"
}

func ExampleCut() {
	in := "id,text\n1,\"two\nlines\"\n2,x\n3,y\n"
	l := sheet.Layout{Delimiter: ",", Quote: `"`, Encoding: "utf-8"}
	parts, totals, err := csv.Cut(context.Background(), strings.NewReader(in), l, 10, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range parts {
		r := csv.NewReader(io.NewSectionReader(strings.NewReader(in), p.Offset, p.Length), l, p.FirstRow)
		row, err := r.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d bytes with %d records, the first is %d\n", p.Length, p.Rows, row.Number)
	}
	fmt.Println(totals.Records, "records")
	// Output:
	// 22 bytes with 2 records, the first is 1
	// 8 bytes with 2 records, the first is 3
	// 4 records
}
