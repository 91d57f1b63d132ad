// Command rescue is the function that ends an import whose execution ended without its report.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve(wiring.Quiet((*importer.Importer).Rescue)); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
