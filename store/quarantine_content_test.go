package store_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// quarantine puts what came of a date apart, at minute n.
func quarantine(t *testing.T, s *store.Store, n int, dataset market.Dataset, day string, kind market.WaitKind, batch market.Batch) store.Decision {
	t.Helper()
	decision, err := s.Quarantine(t.Context(), store.Quarantined{Dataset: dataset, Date: date(day), Kind: kind, Reason: string(kind), Seen: minute(n), Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

// only is what waits alone.
func only(t *testing.T, s *store.Store) store.Quarantined {
	t.Helper()
	all, err := s.InQuarantine(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("waiting %v, error %v", all, err)
	}
	return whatWaits(t, s, all[0].ID)
}

// batches are some rows of 14 July of each kind, with all that a value may be.
func batches() map[market.Dataset]market.Batch {
	start := date("2026-07-14").Period().Start
	withdrawn := market.Number{Withdrawn: true}
	return map[market.Dataset]market.Batch{
		market.DayAheadPrices: market.Prices.Batch([]market.Price{{Start: start, Resolution: market.PT60M, Price: market.Num(-0.09211)}, {Start: start + 3600, Resolution: market.PT15M}}),
		market.MFRRCapacity: market.Capacity.Batch([]market.CapacityStep{
			{Dataset: market.MFRRCapacity, Start: start, Direction: market.Downward, TimeHorizon: "DAILY", Product: "SPE", OfferedMW: withdrawn, Price: market.Num(1e8), Updated: 1_784_000_000_123},
			{Dataset: market.MFRRCapacity, Start: start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "SPE0", ContractedMW: market.Num(0.1), Updated: 1_783_000_000_000},
		}),
		market.AFRREnergy: market.AFRR.Batch([]market.AFRRStep{
			{Start: start, UpwardPrice: withdrawn, DemandMW: market.Num(-300), PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{Withdrawn: true}},
			{Start: start + 4, DownwardPrice: market.Num(20.25), ProrataMode: market.Flag{Valid: true}},
		}),
		market.MFRREnergy: market.MFRR.Batch([]market.MFRRStep{
			{Start: start, Direction: market.Downward, ClearingPrice: market.Num(7), ActivatedVolumeSAMW: withdrawn},
			{Start: start, Direction: market.Upward, FilteredOffersMW: market.Num(3), Updated: 5},
		}),
		market.ImbalancePrices: market.Imbalance.Batch([]market.ImbalanceStep{ // read on the day after delivery
			{Start: start, PositivePrice: withdrawn, SystemTrend: market.Str("UPWARD"), Status: market.Str("provisional"), MissingData: market.Str("afrr, mfrr"), Updated: 1_784_000_000_123},
			{Start: start + 900, NegativePrice: market.Num(-3.5), SystemTrend: market.String{Withdrawn: true}, Status: market.Str("provisional"), MissingData: market.String{Withdrawn: true}},
		}),
	}
}

func TestQuarantinedRowsAreReadAsTheyWereStored(t *testing.T) {
	t.Parallel()
	for dataset, batch := range batches() {
		t.Run(string(dataset), func(t *testing.T) {
			s := openNew(t)
			backwards := market.Prices.Batch(slices.Clone(market.Prices.In(batch))).With(market.Capacity.Batch(slices.Clone(market.Capacity.In(batch)))).With(market.AFRR.Batch(slices.Clone(market.AFRR.In(batch)))).With(market.MFRR.Batch(slices.Clone(market.MFRR.In(batch)))).
				With(market.Imbalance.Batch(slices.Clone(market.Imbalance.In(batch))))
			slices.Reverse(market.Prices.In(backwards))
			slices.Reverse(market.Capacity.In(backwards))
			slices.Reverse(market.AFRR.In(backwards))
			slices.Reverse(market.MFRR.In(backwards))
			slices.Reverse(market.Imbalance.In(backwards))
			quarantine(t, s, 0, dataset, "2026-07-14", market.WaitsRefused, backwards)
			if diff := cmp.Diff(batch, only(t, s).Batch, sameRows); diff != "" {
				t.Errorf("(-came +waits):\n%s", diff)
			}
		})
	}
}

func TestADecisionAppliesToTheSameValuesWithNewerUpdateTimes(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	batch := batches()[market.MFRRCapacity]
	quarantine(t, s, 0, market.MFRRCapacity, "2026-07-14", market.WaitsWithdrawn, batch)
	if _, err := s.Reject(t.Context(), store.Note{}, only(t, s).ID, minute(1)); err != nil {
		t.Fatal(err)
	}
	for i := range market.Capacity.In(batch) {
		market.Capacity.In(batch)[i].Updated += 86_400_000
	}
	if decision := quarantine(t, s, 2, market.MFRRCapacity, "2026-07-14", market.WaitsWithdrawn, batch); decision != store.Rejected {
		t.Errorf("the same values of a later date are %q", decision)
	}
}

func TestAQuarantinedDateOf4sStepsTakesLessThan200kB(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	batch := market.AFRR.Batch(afrrDay(date("2026-07-14"), 90.5))
	random := rand.New(rand.NewPCG(1, 2))
	ten4 := func(v float64) market.Number { return market.Num(math.Round(v*1e4) / 1e4) }
	price, base, activated := 50.0, -300.0, -300.0
	for i := range market.AFRR.In(batch) { // as restless as a real date, with as many decimals
		step := &market.AFRR.In(batch)[i]
		if random.IntN(3) == 0 {
			price = math.Round((50+20*random.NormFloat64())*100) / 100
		}
		base = base*0.999 + 5*random.NormFloat64()
		step.UpwardPrice, step.DownwardPrice, step.DemandMW = market.Num(price), ten4(price-20), ten4(base+50*random.NormFloat64())
		activated += (step.DemandMW.V - activated) * 0.03
		step.ForFranceMW = ten4(activated)
		if i >= 3 {
			step.InFranceMW = ten4(market.AFRR.In(batch)[i-3].ForFranceMW.V + float64(random.IntN(3)-1)/1e4)
		}
	}
	quarantine(t, s, 0, market.AFRREnergy, "2026-07-14", market.WaitsWithdrawn, batch)
	var bytes int
	if err := s.ReaderPool().QueryRowContext(t.Context(), "SELECT length(content) FROM quarantine").Scan(&bytes); err != nil || bytes > 200_000 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	if diff := cmp.Diff(batch, only(t, s).Batch, sameRows); diff != "" {
		t.Errorf("(-came +waits):\n%s", diff)
	}
}

func TestAValueThatIsTooLargeIsNotQuarantined(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	batch := market.Prices.Batch([]market.Price{{Start: date("2026-07-14").Period().Start, Resolution: market.PT15M, Price: market.Num(1e8 + 1)}})
	_, err := s.Quarantine(t.Context(), store.Quarantined{Dataset: market.DayAheadPrices, Date: date("2026-07-14"), Kind: market.WaitsRefused, Seen: minute(0), Batch: batch})
	if !errors.Is(err, store.ErrUnfitToWait) {
		t.Errorf("error %v", err)
	}
}
