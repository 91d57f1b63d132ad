// Command report is the function that ends an import and writes its reports.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Report); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
