// Command prepare is the function of a worker that prepares the rows of one part.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Prepare); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
