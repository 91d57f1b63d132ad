// Command reconcile is the function that counts prepared rows and resolves references.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.Serve((*importer.Importer).Reconcile); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
