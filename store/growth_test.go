package store_test

import (
	"flag"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

var measureGrowth = flag.Bool("growth", false, "measure what a month of 4 s values that are all rewritten adds to the database")

// noisySteps are the 4 s steps of a delivery date with numbers that have nothing to do with one another: prices of two
// decimals, powers of four. What the source publishes is smoother.
func noisySteps(d market.DeliveryDate, random *rand.Rand) []market.AFRRStep {
	rows := afrrDay(d, 0)
	number := func(units int64, perUnit float64) market.Number {
		return market.Num(float64(random.Int64N(2*units)-units) / perUnit)
	}
	for i := range rows {
		rows[i].UpwardPrice, rows[i].DownwardPrice = number(100_000, 100), number(100_000, 100)
		rows[i].DemandMW, rows[i].ForFranceMW, rows[i].InFranceMW = number(10_000_000, 1e4), number(10_000_000, 1e4), number(10_000_000, 1e4)
	}
	return rows
}

// All five numbers of each 4 s step of a date change. With -growth it is a month of dates, for the figures in
// docs/operations.md: go test ./store -run RewrittenSteps -growth -v
func TestRewrittenStepsCostAFewBytesEach(t *testing.T) {
	t.Parallel()
	dates := 1
	if *measureGrowth {
		dates = 30
	}
	s := openNew(t)
	random := rand.New(rand.NewPCG(1, 2))
	size := func() int64 {
		pages, err := strconv.ParseInt(ask(t, s.ReaderPool(), "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	first := date("2026-06-01")
	for n := range dates {
		commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch(noisySteps(first.Add(n), random)))
	}
	before := size()
	begun := time.Now()
	for n := range dates {
		commit(t, s, runAt(dates+n, market.AFRREnergy), market.AFRR.Batch(noisySteps(first.Add(n), random)))
	}
	took := time.Since(begun)
	grown := size() - before
	values := dates * 21_600 * 5
	t.Logf("%d values rewritten: %.1f MB, %.1f bytes each, %v", values, float64(grown)/1e6, float64(grown)/float64(values), took)
	if perMonth := grown * 30 / int64(dates); perMonth > 40e6 {
		t.Errorf("a month that is rewritten takes %d bytes, more than 40 MB", perMonth)
	}
	listed := 0
	for _, err := range s.Revisions(t.Context(), market.AFRREnergy, first, first, store.RevisionAt{}) {
		if err != nil {
			t.Fatal(err)
		}
		listed++
	}
	if listed < 21_600*5-200 { // a number may come again by chance
		t.Errorf("%d revisions of a date, want about %d", listed, 21_600*5)
	}
}
