// Command turn is the function that takes a feed's turn.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Turn); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
