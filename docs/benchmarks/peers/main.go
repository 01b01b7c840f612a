package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options is how much is measured.
type options struct {
	rounds      int
	span        time.Duration // of each load
	connections int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var o options
	flags.IntVar(&o.rounds, "rounds", 5, "how often each server has its turn, 1 to 100")
	flags.DurationVar(&o.span, "span", 5*time.Second, "how long each load lasts, 1s to 1m")
	flags.IntVar(&o.connections, "connections", 32, "kept connections, 1 to 1000")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0, o.rounds < 1, o.rounds > 100, o.span < time.Second, o.span > time.Minute, o.connections < 1, o.connections > 1000:
		flags.Usage()
		return 2
	}
	if err := compare(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "peers:", err)
		return 1
	}
	return 0
}

// compare makes the servers, gives each its turns, and writes the tables.
func compare(ctx context.Context, o options, tables, progress io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "courant-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	servers, rows, err := makeServers(ctx, folder, progress)
	if err != nil {
		return err
	}
	results := newResults(servers)
	for round := range o.rounds {
		for i := range results {
			r := results[(i+round)%len(results)]
			fmt.Fprintf(progress, "round %d of %d: %s\n", round+1, o.rounds, r.server.name)
			if err := r.turn(ctx, rows, o); err != nil {
				return fmt.Errorf("%s: %w", r.server.name, err)
			}
		}
	}
	results.write(tables)
	return nil
}
