package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// kills is how often each crash test kills its child: often enough to be killed at different steps, and more often with -long -kills 200.
var kills = flag.Int("kills", 3, "how often each crash test kills its child")

// cutEvery is after how many more looks at its context a move into hours is cut short than the time before; -long -cut-every 1 tries all.
var cutEvery = flag.Int64("cut-every", 101, "how many looks at the context lie between two cuts of a move into hours")

// childVariable is the environment variable with the job that a copy of this test program does instead of testing.
const childVariable = "COURANT_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if job, is := os.LookupEnv(childVariable); is {
		os.Exit(childJob(job))
	}
	storetest.SaveTime()
	goleak.VerifyTestMain(m)
}

func childJob(job string) int {
	name, path, _ := strings.Cut(job, " ")
	var err error
	switch name {
	case "open":
		err = openWhenTold(path)
	case "commit":
		err = commitUntilKilled(path)
	case "thin":
		err = thinUntilKilled(path)
	case "summarise":
		err = summariseUntilKilled(path)
	case "restore":
		err = restoreUntilKilled(path)
	default:
		err = fmt.Errorf("no such job")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

// sameRows compares batches.
var sameRows = cmp.Comparer(func(a, b market.Batch) bool { return reflect.DeepEqual(a, b) })

// openNew opens a store in a new file.
func openNew(t testing.TB) *store.Store {
	t.Helper()
	return storetest.New(t)
}

// open opens the file until the test ends.
func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// openEmpty opens the file until the test ends, and makes it first, empty, if there is none. Tests of how a file is made use open.
func openEmpty(t testing.TB, path string, options ...store.Option) *store.Store {
	t.Helper()
	return storetest.Open(t, path, options...)
}

// date parses YYYY-MM-DD.
func date(text string) market.DeliveryDate {
	d, err := market.ParseDeliveryDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// dawn is an instant of ours; the tests count minutes from it.
var dawn = time.Date(2026, 7, 15, 4, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return dawn.Add(time.Duration(n) * time.Minute) }

// runAt returns a successful run that ended at minute n.
func runAt(n int, datasets ...market.Dataset) *store.Run {
	return &store.Run{Feed: "test", Datasets: datasets, Started: minute(n).Add(-time.Second), Ended: minute(n), Outcome: store.OutcomeOK,
		Window: date("2026-07-14").Period()}
}

// commit commits a batch, which must succeed.
func commit(t testing.TB, s *store.Store, run *store.Run, batch market.Batch) *store.Run {
	t.Helper()
	if err := s.Commit(t.Context(), run, batch); err != nil {
		t.Fatal(err)
	}
	return run
}

// ask returns SQLite's answer to a query, one row in a line, the columns separated by bars.
func ask(t testing.TB, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var lines []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, value := range values {
			cells = append(cells, fmt.Sprint(value))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// keptTables are the tables of published values and their coverage.
var keptTables = []string{"day_ahead_price", "capacity", "afrr_energy", "mfrr_energy", "revision", "afrr_energy_revision", "coverage", "market_commit", "change"}

// kept returns everything that the store has of published values.
func kept(t testing.TB, s *store.Store) string {
	t.Helper()
	var all strings.Builder
	for _, table := range keptTables {
		fmt.Fprintf(&all, "%s\n%s\n", table, ask(t, s.WriterPool(), "SELECT * FROM "+table))
	}
	return all.String()
}

// revisionsOf returns the revisions of a dataset between two delivery dates.
func revisionsOf(t rapid.TB, s *store.Store, dataset market.Dataset, first, last market.DeliveryDate) []store.Revision {
	t.Helper()
	var all []store.Revision
	for r, err := range s.Revisions(context.Background(), dataset, first, last, store.RevisionAt{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// revisionLine is all of a revision; it was current since and seen at so many ms.
func revisionLine(r store.Revision) string {
	text := func(n market.Number) string {
		if !n.Valid {
			return "null"
		}
		return fmt.Sprint(n.V + 0) // -0 is kept as 0
	}
	return fmt.Sprintf("%d|%s|%s|%s|%s|%d|%d", r.Start, r.Series, r.Column, text(r.Old.Number), text(r.New.Number), r.Since.UnixMilli(), r.Seen.UnixMilli())
}

// afrrDay is the 4 s steps of a delivery date, all with the same upward price.
func afrrDay(d market.DeliveryDate, upward float64) []market.AFRRStep {
	period := d.Period()
	rows := make([]market.AFRRStep, 0, d.Steps(market.AFRRSeconds))
	for start := period.Start; start < period.End; start += market.AFRRSeconds {
		demand := float64(start%4001) - 2000.5
		rows = append(rows, market.AFRRStep{
			Start: start, UpwardPrice: market.Num(upward), DownwardPrice: market.Num(upward - demand/16), DemandMW: market.Num(demand),
			ForFranceMW: market.Num(demand / 2), InFranceMW: market.Num(demand / 4),
			PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{Valid: true},
		})
	}
	return rows
}
