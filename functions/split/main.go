// Command split is the function that cuts a file into parts.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Split); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
