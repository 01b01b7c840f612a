// Courant is the French electricity market in one file: it collects the feeds of RTE and ENTSO-E, keeps every value
// in an embedded SQLite database and serves them through a REST API and a dashboard.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // Europe/Paris, on machines that have no time zone data
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
