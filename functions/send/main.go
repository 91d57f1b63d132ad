// Command send is the function that sends messages to credited members.
package main

import (
	"log/slog"
	"os"

	"github.com/dropload/dropload/internal/wiring"
)

func main() {
	if err := wiring.ServeMessages(); err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
}
