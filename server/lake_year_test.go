package server_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

var (
	lakeInto    = flag.String("lake", "", "a folder in which to store made-up rows of 2026, for docs/lake")
	lakeDays    = flag.Int("lake-days", 365, "how many days are stored for -lake")
	lakeRevised = flag.Bool("lake-revised", false, "revise some of the rows that -lake stored")
)

// lakeFirst is the first delivery date that -lake stores.
var lakeFirst = market.NewDeliveryDate(2026, time.January, 1)

// TestRowsForTheLake stores the rows of 2026 that docs/lake loads into ClickHouse: 4 s steps of aFRR energy, prices with gaps, and capacity,
// whose rows have keys. With -lake-revised it changes and withdraws some of their values, as sources do later.
func TestRowsForTheLake(t *testing.T) {
	if *lakeInto == "" {
		t.Skip("-lake names no folder")
	}
	db := must(store.Open(t.Context(), filepath.Join(*lakeInto, "courant.db")))(t)
	defer db.Close()
	if *lakeRevised {
		reviseLake(t, db)
		return
	}
	storeSteps(t, db, lakeFirst, *lakeDays)
	random := rand.New(rand.NewPCG(3, 4))
	cents := func() float64 { return float64(random.Int64N(40_000)-10_000) / 100 }
	for i := range *lakeDays {
		date := lakeFirst.Add(i)
		var prices []market.Price
		var capacity []market.CapacityStep
		for start := date.Period().Start; start < date.Period().End; start += market.QuarterSeconds {
			prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(cents())})
			for _, direction := range []market.Direction{market.Upward, market.Downward} {
				capacity = append(capacity, market.CapacityStep{
					Dataset: market.AFRRCapacity, Start: start, Direction: direction, TimeHorizon: market.DailyHorizon, Product: "STD",
					OfferedMW: market.Num(float64(random.IntN(9_000)) / 10), ContractedMW: market.Num(float64(random.IntN(4_000)) / 10),
					Price: market.Num(cents() / 4),
				})
			}
		}
		gap := random.IntN(len(prices))
		prices = slices.Delete(prices, gap, gap+1)
		commitLake(t, db, date, market.DayAheadPrices, market.Prices.Batch(prices))
		commitLake(t, db, date, market.AFRRCapacity, market.Capacity.Batch(capacity))
	}
}

// storeSteps stores the 4 s steps of days with all their values, and returns their number.
func storeSteps(t *testing.T, db *store.Store, first market.DeliveryDate, days int) (rows int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	upward, downward, demand := int64(9_000), int64(4_000), int64(0)
	for i := range days {
		date := first.Add(i)
		steps := make([]market.AFRRStep, 0, date.Steps(market.AFRRSeconds))
		for start := date.Period().Start; start < date.Period().End; start += market.AFRRSeconds {
			if random.IntN(10) == 0 {
				upward, downward = upward+random.Int64N(401)-200, downward+random.Int64N(401)-200
			}
			demand += random.Int64N(20_001) - 10_000 - demand/50
			steps = append(steps, market.AFRRStep{
				Start: start, UpwardPrice: market.Num(float64(upward) / 100), DownwardPrice: market.Num(float64(downward) / 100),
				DemandMW: market.Num(float64(demand) / 1e4), ForFranceMW: market.Num(float64(demand*9/10) / 1e4), InFranceMW: market.Num(float64(demand/2) / 1e4),
				PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{V: start/market.HourSeconds%5 == 0, Valid: true},
			})
		}
		commitLake(t, db, date, market.AFRREnergy, market.AFRR.Batch(steps))
		rows += len(steps)
	}
	return rows
}

// reviseLake changes and withdraws values in the four hours around the clock change of each of the two days, as far as they are stored.
func reviseLake(t *testing.T, db *store.Store) {
	t.Helper()
	withdrawn := market.Number{Withdrawn: true}
	for _, date := range []market.DeliveryDate{market.NewDeliveryDate(2026, time.March, 29), market.NewDeliveryDate(2026, time.October, 25)} {
		if lakeFirst.DaysUntil(date) >= *lakeDays {
			continue
		}
		night := market.Period{Start: date.Period().Start, End: date.Period().Start + 4*market.HourSeconds}
		var steps []market.AFRRStep
		for start := night.Start; start < night.End; start += 40 * market.AFRRSeconds {
			steps = append(steps, market.AFRRStep{Start: start, UpwardPrice: market.Num(123.45), DownwardPrice: withdrawn})
		}
		var prices []market.Price
		var capacity []market.CapacityStep
		for start := night.Start; start < night.End; start += market.HourSeconds {
			prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(-0.01)})
			capacity = append(capacity, market.CapacityStep{
				Dataset: market.AFRRCapacity, Start: start, Direction: market.Downward, TimeHorizon: market.DailyHorizon, Product: "STD", Price: withdrawn,
			})
		}
		commitLake(t, db, date, market.AFRREnergy, market.AFRR.Batch(steps))
		commitLake(t, db, date, market.DayAheadPrices, market.Prices.Batch(prices))
		commitLake(t, db, date, market.AFRRCapacity, market.Capacity.Batch(capacity))
	}
}

func commitLake(t *testing.T, db *store.Store, date market.DeliveryDate, dataset market.Dataset, rows market.Batch) {
	t.Helper()
	now := time.Now()
	run := &store.Run{Feed: "test", Datasets: []market.Dataset{dataset}, Window: date.Period(), Started: now, Ended: now, Outcome: store.OutcomeOK}
	if err := db.Commit(t.Context(), run, rows); err != nil {
		t.Fatal(err)
	}
}
