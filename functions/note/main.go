// Command note is the function that keeps why a worker failed.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve(wiring.Quiet((*importer.Importer).Note)); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
