// Command await is the function that keeps the token of a wait.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve(wiring.Quiet((*importer.Importer).Await)); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
