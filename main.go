// Courant is the French electricity market in one file: it collects the feeds of RTE and ENTSO-E, keeps every value
// in an embedded SQLite database and serves them through a REST API and a dashboard.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // Europe/Paris, on machines that have no time zone data

	"courant/server/command"
)

// example is the configuration that courant init writes, with answers filled in.
//
//go:embed config.example.yaml
var example string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, example)
	stop()
	os.Exit(code)
}
