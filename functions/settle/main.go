// Command settle is the function that makes the plans final.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Settle); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
