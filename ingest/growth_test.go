package ingest

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/ingest/simulator"
	"courant/store"
	"courant/store/market"
)

// What else grows with the delivery dates.
const (
	growthOfRuns      = "accounts of the runs"
	growthOfRevisions = "revisions"
)

// yearBytes is what a year is said to add, by dataset and by what else grows.
func yearBytes() map[string]int64 {
	said := map[string]int64{growthOfRuns: yearBytesOfRuns, growthOfRevisions: yearBytesOfRevisions}
	for _, dataset := range market.Datasets() {
		said[string(dataset)] = dataset.About().YearBytes
	}
	return said
}

var measureGrowth = flag.Bool("growth", false, "measure what a year adds to the database")

// pagesByTable is what SQLite says that a table and its indexes take in the file, and the rows of what several datasets share.
const pagesByTable = `
	WITH taken (name, bytes) AS (
		SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) WHERE aggregate = TRUE GROUP BY tbl_name)
	SELECT name, bytes FROM taken WHERE name <> 'capacity'
	UNION ALL
	SELECT dataset, bytes * count(*) / (SELECT count(*) FROM capacity) FROM taken, capacity WHERE name = 'capacity' GROUP BY dataset`

// takenOf names what a table holds; others hold nothing that grows with the dates.
var takenOf = map[string]string{
	"day_ahead_price": string(market.DayAheadPrices), string(market.FCRCapacity): string(market.FCRCapacity),
	string(market.AFRRCapacity): string(market.AFRRCapacity), string(market.MFRRCapacity): string(market.MFRRCapacity),
	"afrr_energy_hour": string(market.AFRREnergy), "afrr_energy_summary": string(market.AFRREnergy), "mfrr_energy": string(market.MFRREnergy), "imbalance_price": string(market.ImbalancePrices),
	"feed_run": growthOfRuns, "asked_date": growthOfRuns, "coverage": growthOfRuns, "refusal": growthOfRuns,
	"market_commit": growthOfRuns,
}

// What the sources are taken to correct in a year: one in a hundred of the values of quarter hours, and one in a thousand of
// those of the 4 s steps, each in a run of its own. How many they change is unknown.
const (
	quarterRevisionsAYear = 10_000
	stepRevisionsAYear    = 40_000
)

// A month of serving, by the default timetable and with both sources simulated, takes what is said of a year.
//
// It takes some minutes, so it is asked for: go test ./ingest -run GrowthOfAYear -growth -v -timeout 30m
func TestGrowthOfAYear(t *testing.T) {
	if !*measureGrowth {
		t.Skip("the growth is measured with -growth")
	}
	const dates = 30
	b := newBench(t, "2026-05-01 00:30")
	var switches simulator.Switches
	sources, err := simulator.Start(simulator.Options{Now: b.clock.Now, Switches: &switches})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	clock := hastyClock{b.clock}
	fromENTSOE := entsoe.NewClient(entsoe.Options{BaseURL: sources.ENTSOEURL, SecurityToken: simulator.SecurityToken, HTTP: client, Clock: clock})
	fromRTE := rte.NewClient(rte.Options{BaseURL: sources.RTEURL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret, HTTP: client, Clock: clock})
	options := b.options()
	options.Clock, options.Log = clock, slog.New(slog.DiscardHandler)
	options.Readers = ReadersOf(fromENTSOE, fromRTE)
	b.Feeds = New(options)

	due := map[*feed]time.Time{}
	for _, feed := range b.feeds {
		due[feed] = b.clock.Now()
	}
	serveUntil := func(end time.Time) {
		for {
			next := b.feeds[0]
			for _, feed := range b.feeds {
				if due[feed].Before(due[next]) {
					next = feed
				}
			}
			if due[next].After(end) {
				return
			}
			b.clock.Advance(max(due[next].Sub(b.clock.Now()), 0))
			due[next] = b.job(t.Context(), next)
		}
	}
	begin := b.today().Add(4)
	serveUntil(begin.At(0, 30))
	before := b.taken(pagesByTable)
	serveUntil(begin.Add(dates).At(0, 30))
	after := b.taken(pagesByTable)
	year := map[string]int64{}
	for table, bytes := range after {
		if what, grows := takenOf[table]; grows {
			year[what] += (bytes - before[table]) * 365 / dates
		}
	}

	yesterday := b.today().Add(-1)
	if err := switches.Set(simulator.Switch{Resource: simulator.AllOfRTE, Fault: simulator.Corrected, Date: simulator.DayOf(yesterday.Start())}); err != nil {
		t.Fatal(err)
	}
	const withRows = "SELECT 'rows', count(*) FROM revision UNION ALL SELECT * FROM (" + pagesByTable + ")"
	was := b.taken(withRows)
	for _, dataset := range []market.Dataset{market.FCRCapacity, market.MFRREnergy} {
		if err := b.Fetch(context.Background(), FetchRequest{Dataset: dataset, First: yesterday, Last: yesterday, Progress: func(Progress) {}}); err != nil {
			t.Fatal(err)
		}
	}
	const steps = 960
	for n := range steps { // one value of an hour after the other
		b.clock.Advance(time.Minute)
		run := &store.Run{Feed: "correction", Datasets: []market.Dataset{market.AFRREnergy}, Window: yesterday.Period(), Started: b.clock.Now(), Ended: b.clock.Now(), Outcome: store.OutcomeOK}
		step := market.AFRRStep{Start: yesterday.Start().Unix() + int64(n%24)*3600 + int64(n/24)*market.AFRRSeconds, UpwardPrice: market.Num(1000 + float64(n)/100)}
		if err := b.db.Commit(t.Context(), run, market.AFRR.Batch([]market.AFRRStep{step})); err != nil {
			t.Fatal(err)
		}
	}
	is := b.taken(withRows)
	revision := (is["revision"] - was["revision"]) / (is["rows"] - was["rows"])
	stepRevision := (is["afrr_energy_revision"] - was["afrr_energy_revision"]) / steps
	year[growthOfRevisions] = revision*quarterRevisionsAYear + stepRevision*stepRevisionsAYear
	if _, err := b.db.ThinAFRR(t.Context(), begin.Add(dates), b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	tables := b.taken(pagesByTable)
	thinned, summaries := tables["afrr_energy_bucket"]*365/(dates+4), tables["afrr_energy_summary"]*365/(dates+4)
	t.Logf("%d bytes a revision, %d one of a 4 s step; a year of thinned aFRR energy: %d, and %d of its summaries", revision, stepRevision, thinned, summaries)

	sum := int64(0)
	for _, what := range slices.Sorted(maps.Keys(year)) {
		t.Logf("%-20s %6.1f MB a year", what, float64(year[what])/1e6)
		sum += year[what]
		if said := yearBytes()[what]; year[what] < said*9/10 || year[what] > said*11/10 {
			t.Errorf("a year of %s takes %d bytes; said are %d", what, year[what], said)
		}
	}
	t.Logf("%-20s %6.1f MB a year", "all", float64(sum)/1e6)
	if len(year) != len(yearBytes()) {
		t.Errorf("measured are %d, said %d", len(year), len(yearBytes()))
	}
}

// taken reads a number by name.
func (b *bench) taken(query string) map[string]int64 {
	b.t.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?mode=ro", b.db.Path()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(b.t.Context(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	taken := map[string]int64{}
	for rows.Next() {
		var name string
		var bytes int64
		if err := rows.Scan(&name, &bytes); err != nil {
			b.t.Fatal(err)
		}
		taken[name] = bytes
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return taken
}
