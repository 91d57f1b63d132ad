// Command inspect is the function that registers an import and finds out how its file is read.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Inspect); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
