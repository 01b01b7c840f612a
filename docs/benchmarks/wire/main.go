package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// eight are the endpoints whose answers are compared.
var eight = []string{
	"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy", "balancing-capacity", "balancing-energy",
}

const rowsPath = "/api/datasets/day-ahead-prices/rows"

// options is how much is measured.
type options struct {
	rounds               int
	span                 time.Duration // of each load, whole seconds
	connections, threads int
	beside               string // another build of Courant, for its /csv; empty: the same
	only                 string // part of the names of what is measured
}

func main() {
	if is, err := copies(); is {
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("wire", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var o options
	flags.IntVar(&o.rounds, "rounds", 5, "how often each load has its turn")
	flags.DurationVar(&o.span, "span", 2*time.Second, "how long each load lasts, in whole seconds")
	flags.IntVar(&o.connections, "connections", 32, "kept connections")
	flags.IntVar(&o.threads, "threads", 2, "threads of wrk")
	flags.StringVar(&o.beside, "beside", "", "another `program` of Courant whose /csv is measured")
	flags.StringVar(&o.only, "only", "", "measure only what has this `text` in its name")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0, o.rounds < 1, o.span < time.Second, o.connections < o.threads, o.threads < 1:
		flags.Usage()
		return 2
	}
	if err := measure(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "wire:", err)
		return 1
	}
	return 0
}

// measure starts the servers, gives each load its turns, and writes the table.
func measure(ctx context.Context, o options, table, progress io.Writer) error {
	folder, err := os.MkdirTemp("", "courant-wire-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "courant")
	if err := build(ctx, program); err != nil {
		return err
	}
	courant, err := serve(ctx, program, filepath.Join(folder, "ours"))
	defer courant.stop()
	if err != nil {
		return err
	}
	beside := courant
	if o.beside != "" {
		if o.beside, err = filepath.Abs(o.beside); err != nil {
			return err
		}
		beside, err = serve(ctx, o.beside, filepath.Join(folder, "beside"))
		defer beside.stop()
		if err != nil {
			return err
		}
	}
	bare, err := serveBeside(ctx, courant)
	defer bare.stop()
	if err != nil {
		return err
	}
	pairs, err := makePairs(ctx, courant, beside, bare, o.only)
	if err != nil {
		return err
	}
	for round := range o.rounds {
		for _, p := range pairs {
			fmt.Fprintf(progress, "round %d of %d: %s\n", round+1, o.rounds, p.name)
			if err := p.round(ctx, o); err != nil {
				return err
			}
		}
	}
	fmt.Fprint(table, "| what | bytes | requests a second | of the other | ratio | ratio by processor time |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range pairs {
		fmt.Fprintln(table, p.line())
	}
	for _, coding := range []string{"identity", "gzip"} {
		var bySecond, byCPU []float64
		for _, p := range pairs {
			if p.theirs.process == bare && p.ours.headers["Accept-Encoding"] == coding {
				bySecond, byCPU = append(bySecond, p.ratios(perSecond)...), append(byCPU, p.ratios(perCPU)...)
			}
		}
		if len(bySecond) > 0 {
			fmt.Fprintf(table, "| all eight, %s | | | | %s | %s |\n", coding, spread(bySecond), spread(byCPU))
		}
	}
	return nil
}

// makePairs lists what is compared, and makes the first request of each load.
func makePairs(ctx context.Context, courant, beside, bare *process, only string) ([]*pair, error) {
	var pairs []*pair
	isMeasured := func(name string) bool { return strings.Contains(name, only) }
	for _, coding := range []string{"identity", "gzip"} {
		for _, endpoint := range eight {
			name := "`" + endpoint + "`, " + coding
			if !isMeasured(name) {
				continue
			}
			ours := &load{process: courant, path: "/api/" + endpoint, headers: map[string]string{"Accept-Encoding": coding}, status: http.StatusOK}
			first, err := ours.prepare(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := bare.ask(ctx, ours.path+"?fill", ours.headers); err != nil {
				return nil, err
			}
			theirs := &load{process: bare, path: ours.path, headers: ours.headers, status: http.StatusOK}
			copied, err := theirs.prepare(ctx)
			if err != nil {
				return nil, err
			}
			if string(copied.body) != string(first.body) {
				return nil, fmt.Errorf("%s is not copied to the byte", name)
			}
			pairs = append(pairs, &pair{name: name, bytes: len(first.body), ours: ours, theirs: theirs})
		}
	}
	for _, endpoint := range eight {
		name := "a day of prices as rows, 304, beside `" + endpoint + "`, 304"
		if !isMeasured(name) {
			continue
		}
		ours, err := unchanged(ctx, courant, rowsPath+"?date="+latest)
		if err != nil {
			return nil, err
		}
		theirs, err := unchanged(ctx, courant, "/api/"+endpoint)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, &pair{name: name, ours: ours, theirs: theirs})
	}
	for _, order := range []string{"asc", "desc"} {
		name := "90 days of prices as JSON, " + order + ", beside `/csv` of 31, per row"
		if !isMeasured(name) {
			continue
		}
		p, err := rowsBesideCSV(ctx, courant, beside, order)
		if err != nil {
			return nil, err
		}
		p.name = name
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// unchanged is the load of requests with the entity tag of what they ask for.
func unchanged(ctx context.Context, courant *process, path string) (*load, error) {
	l := &load{process: courant, path: path, headers: map[string]string{"Accept-Encoding": "identity"}, status: http.StatusOK}
	first, err := l.prepare(ctx)
	if err != nil {
		return nil, err
	}
	l.headers["If-None-Match"], l.status = first.header.Get("Etag"), http.StatusNotModified
	_, err = l.prepare(ctx)
	return l, err
}

// rowsBesideCSV compares 90 days of rows with the file of 31 days. Rows in descending order are not cached.
func rowsBesideCSV(ctx context.Context, courant, beside *process, order string) (*pair, error) {
	ours := &load{
		process: courant, path: rowsPath + "?from=" + firstPrices + "&to=2026-04-05&order=" + order, headers: map[string]string{"Accept-Encoding": "identity"},
		status: http.StatusOK,
	}
	first, err := ours.prepare(ctx)
	if err != nil {
		return nil, err
	}
	var body struct{ Rows []json.RawMessage }
	if err := json.Unmarshal(first.body, &body); err != nil {
		return nil, err
	}
	ours.rows = len(body.Rows)
	theirs := &load{
		process: beside, path: "/csv/en/day-ahead-prices?from=" + firstCSV + "&to=" + latest,
		headers: map[string]string{"Accept-Encoding": "identity"}, status: http.StatusOK,
	}
	file, err := theirs.prepare(ctx)
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(file.body), "\ufeff"))).ReadAll()
	if err != nil {
		return nil, err
	}
	theirs.rows = len(lines) - 1
	return &pair{bytes: len(first.body), ours: ours, theirs: theirs}, nil
}
