package server_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

var (
	kills    = flag.Int("kills", 4, "how often the crash test kills a service and a fetch beside it")
	killSeed = flag.Uint64("killseed", 1, "chance of the crash test")
)

// hasty is courant without a pause between two calls to a source.
func hasty() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &command.Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Clock: clockwork.NewRealClock()}
	os.Exit(p.Execute(ctx, os.Args[1:]))
}

// killsPerDatabase is after how many kills a new database is begun, so that there is always much to write.
const killsPerDatabase = 4

// A service and a fetch beside it, on one database, are killed when the fetch has ended some number of its runs, which is
// some moment of all that the feeds of the service do. Each time the database has each batch wholly or not at all; what was begun is
// whole after the next fetch that is not killed.
//
// The long form: go test ./server -run AKillAtAnyMoment -long -kills 200 -v
func TestAKillAtAnyMomentLosesNothing(t *testing.T) {
	storetest.Long(t)
	t.Logf("seed %d", *killSeed)
	chance := rand.New(rand.NewPCG(*killSeed, 0))
	moveIn(t, time.Now)
	environ := []string{"COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}
	today := market.DeliveryDateOf(time.Now())
	first, last := today.Add(-12), today.Add(-1)
	fetch := []string{"fetch", "all", "--from", first.String(), "--to", last.String()}
	runs := 0
	for killed := range *kills {
		if killed%killsPerDatabase == 0 {
			for _, file := range must(filepath.Glob("courant.db*"))(t) {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
		}
		service := startProgram(t, "courant-hasty", environ, true, "serve")
		beside := startProgram(t, "courant-hasty", environ, true, append(fetch, "--force")...)
		for range 1 + chance.IntN(12) {
			beside.await(`"msg":"feed run"`)
		}
		for _, p := range []*process{service, beside} {
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for p.lines.Scan() {
			}
			_ = p.cmd.Wait()
		}
		runs += checkBatches(t)
		if (killed+1)%killsPerDatabase == 0 || killed == *kills-1 {
			if code := startProgram(t, "courant-hasty", environ, false, fetch...).finish(); code != command.ExitDone {
				t.Fatalf("kill %d: the fetch after it exits with %d", killed+1, code)
			}
			checkBatches(t)
			checkWhole(t, first, last)
		}
	}
	t.Logf("%d kills, %d runs accounted for", *kills, runs)
}

// batches counts, for each dataset, the rows that runs say to have written, and those that are there or were changed.
const batches = `
	WITH held (dataset, rows) AS (
		SELECT 'day-ahead-prices', count(*) FROM day_ahead_price
		UNION ALL SELECT dataset, count(*) FROM capacity GROUP BY dataset
		UNION ALL SELECT 'afrr-energy', ifnull(sum(rows), 0) FROM afrr_energy_hour
		UNION ALL SELECT 'mfrr-energy', count(*) FROM mfrr_energy)
	SELECT dataset, rows,
		(SELECT ifnull(sum(rows), 0) FROM coverage c WHERE c.dataset = held.dataset),
		(SELECT ifnull(sum(rows_changed), 0) FROM feed_run r WHERE r.dataset = held.dataset)
			- (SELECT count(*) FROM (SELECT DISTINCT start, series, seen_ms FROM revision v WHERE v.dataset = held.dataset))
			- iif(dataset = 'afrr-energy', (SELECT ifnull(sum(steps), 0) FROM afrr_energy_revision), 0)
	FROM held`

// checkBatches compares the stored rows with the records of the runs, and returns the number of batches.
func checkBatches(t *testing.T) (runs int) {
	t.Helper()
	db, err := store.Open(t.Context(), "courant.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.IntegrityCheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:courant.db?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	rows, err := raw.QueryContext(t.Context(), batches)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var dataset string
		var held, covered, accounted int
		if err := rows.Scan(&dataset, &held, &covered, &accounted); err != nil {
			t.Fatal(err)
		}
		if held != covered || held != accounted {
			t.Fatalf("%s: %d rows are held, %d counted, and %d accounted for by runs", dataset, held, covered, accounted)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if err := raw.QueryRowContext(t.Context(), "SELECT count(*) FROM feed_run").Scan(&runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

// checkWhole holds the dates against what the sources have published.
func checkWhole(t *testing.T, first, last market.DeliveryDate) {
	t.Helper()
	db, err := store.Open(t.Context(), "courant.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raw, err := sql.Open("sqlite", "file:courant.db?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, date := range market.Dates(first, last) {
		day := simulator.DayOf(date.Start())
		var prices, afrr int64 // sums in hundredths and in ten thousandths
		for _, p := range simulator.Prices(day) {
			prices += int64(math.Round(p.EURPerMWh * 100))
		}
		for _, a := range simulator.AFRRSteps(day) {
			afrr += int64(math.Round(a.Demand * 10_000))
		}
		period := date.Period()
		steps, err := store.Within(t.Context(), db, market.AFRR, market.AFRREnergy, period)
		if err != nil {
			t.Fatal(err)
		}
		var held int64
		for _, step := range steps {
			held += int64(math.Round(step.DemandMW.V * 10_000))
		}
		if want := date.Steps(market.AFRRSeconds); len(steps) != want || held != afrr {
			t.Fatalf("%s holds %d steps of 4 s, in sum %d, want %d and %d", date, len(steps), held, want, afrr)
		}
		want := fmt.Sprint(date.Steps(market.QuarterSeconds), prices, 2*date.Steps(market.QuarterSeconds))
		var got string
		err = raw.QueryRowContext(t.Context(), `
			SELECT concat_ws(' ',
				(SELECT concat_ws(' ', count(*), sum(cast(round(price * 100) AS INTEGER))) FROM day_ahead_price
					WHERE source = 'ENTSO-E' AND resolution = 'PT15M' AND start >= ?1 AND start < ?2),
				(SELECT count(*) FROM mfrr_energy WHERE start >= ?1 AND start < ?2))`, period.Start, period.End).Scan(&got)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%s holds %s, want %s", date, got, want)
		}
	}
}

// must is the value of a call that must not fail.
func must[V any](value V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
