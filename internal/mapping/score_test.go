package mapping_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dropload/dropload/internal/mapping"
)

func TestScoreTmp(t *testing.T) {
	path := os.Getenv("HEADERS")
	if path == "" {
		return
	}
	data, _ := os.ReadFile(path)
	by := map[string][][2]string{}
	var order []string
	for i, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		p := strings.Split(l, "\t")
		if i == 0 { continue }
		k := 0
		key := ""
	again:
		key = fmt.Sprint(p[0], "-", k)
		for _, x := range by[key] {
			if x[0] == p[1] || p[2] != "-" && x[1] == p[2] || len(by[key]) >= 20 { k++; goto again }
		}
		if by[key] == nil { order = append(order, key) }
		by[key] = append(by[key], [2]string{p[1], p[2]})
	}
	ok, n := 0, 0
	for _, key := range order {
		e, _, _ := strings.Cut(key, "-")
		def := define(t, e)
		var hs []string
		for _, x := range by[key] { hs = append(hs, x[0]) }
		for i, p := range mapping.Propose(def, hs, nil, nil) {
			want := by[key][i][1]
			n++
			if p.Field == want || want == "-" && p.Field == "" || want == "customer_group" && p.Field == "user_group" { ok++; continue }
			fmt.Printf("%s %q want %s got %q %.2f %s\n", e, hs[i], want, p.Field, p.Confidence, p.Reason)
		}
	}
	fmt.Println(ok, "/", n)
}
