package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// pricesOf returns the quarter hours of a date, all at one price.
func pricesOf(day string, price float64) []market.Price {
	var prices []market.Price
	for start := date(day).Period().Start; start < date(day).Period().End; start += market.QuarterSeconds {
		prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(price)})
	}
	return prices
}

// arrive quarantines the prices of a date, at minute n.
func arrive(t *testing.T, s *store.Store, n int, day string, price float64) store.Decision {
	t.Helper()
	decision, err := s.Quarantine(t.Context(), store.Quarantined{Dataset: market.DayAheadPrices, Date: date(day), Kind: market.WaitsFlat, Reason: "flat", Seen: minute(n),
		Batch: market.Prices.Batch(pricesOf(day, price))})
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

// waiting returns the quarantined prices.
func waiting(t *testing.T, s *store.Store) []float64 {
	t.Helper()
	all, err := s.InQuarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var prices []float64
	for _, q := range all {
		prices = append(prices, market.Prices.In(whatWaits(t, s, q.ID).Batch)[0].Price.V)
	}
	return prices
}

// whatWaits returns the quarantined date with the ID, with its rows.
func whatWaits(t *testing.T, s *store.Store, id int64) store.Quarantined {
	t.Helper()
	q, err := s.Waiting(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// stored commits, at minute 1, the prices of 14 July of that resolution from one step to another, all at one price.
func stored(from, to int, resolution market.Resolution, price float64) func(*testing.T, *store.Store) {
	return func(t *testing.T, s *store.Store) {
		t.Helper()
		var prices []market.Price
		for i := from; i < to; i++ {
			start := date("2026-07-14").Period().Start + int64(i)*resolution.Seconds()
			prices = append(prices, market.Price{Start: start, Resolution: resolution, Price: market.Num(price)})
		}
		commit(t, s, runAt(1, market.DayAheadPrices), market.Prices.Batch(prices))
	}
}

func TestNewerPricesReplaceQuarantinedOnes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		then func(*testing.T, *store.Store)
		want []float64
	}{
		{"not by the same again", func(t *testing.T, s *store.Store) { arrive(t, s, 1, "2026-07-14", 7) }, []float64{7}},
		{"by other odd prices of its date", func(t *testing.T, s *store.Store) { arrive(t, s, 1, "2026-07-14", 8) }, []float64{8}},
		{"not by those of another date", func(t *testing.T, s *store.Store) { arrive(t, s, 1, "2026-07-15", 8) }, []float64{7, 8}},
		{"not by odd prices of a part of its date", func(t *testing.T, s *store.Store) {
			q := store.Quarantined{Dataset: market.DayAheadPrices, Date: date("2026-07-14"), Kind: market.WaitsChanged, Reason: "much changes", Seen: minute(1),
				Batch: market.Prices.Batch(pricesOf("2026-07-14", 8)[:20])}
			if _, err := s.Quarantine(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}, []float64{7, 8}},
		{"by prices of its date that are stored", stored(0, 96, market.PT15M, 5), nil},
		{"by the same prices, which a person fetched", stored(0, 96, market.PT15M, 7), nil},
		{"not by those of a part of its date", stored(0, 95, market.PT15M, 5), []float64{7}},
		{"by those of both parts of its date", func(t *testing.T, s *store.Store) {
			stored(0, 40, market.PT15M, 5)(t, s)
			stored(40, 96, market.PT15M, 5)(t, s)
		}, nil},
		{"not by coarser ones, which are not served in their place", stored(0, 24, market.PT60M, 5), []float64{7}},
		{"by finer ones beside coarser ones", func(t *testing.T, s *store.Store) {
			stored(0, 24, market.PT60M, 5)(t, s)
			stored(0, 96, market.PT15M, 5)(t, s)
		}, nil},
		{"not by those that stand in", func(t *testing.T, s *store.Store) {
			prices := pricesOf("2026-07-14", 5)
			for i := range prices {
				prices[i].Source = market.FromRTE
			}
			commit(t, s, runAt(1, market.DayAheadPrices), market.Prices.Batch(prices))
		}, []float64{7}},
		{"and waits again when it comes again", func(t *testing.T, s *store.Store) {
			arrive(t, s, 1, "2026-07-14", 8)
			arrive(t, s, 2, "2026-07-14", 7)
		}, []float64{7}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			if decision := arrive(t, s, 0, "2026-07-14", 7); decision != store.Undecided {
				t.Fatalf("decided %q", decision)
			}
			row.then(t, s)
			if diff := cmp.Diff(row.want, waiting(t, s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnImbalanceThatWaitsHasTheStatusOfWhenItWasRead(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	row := market.ImbalanceStep{Start: day.Start().Unix(), PositivePrice: market.Num(1)}
	for n, read := range []market.DeliveryDate{day.Add(1), day.Add(3)} {
		row.NegativePrice = market.Num(float64(n))
		q := store.Quarantined{Dataset: market.ImbalancePrices, Date: day, Kind: market.WaitsChanged, Reason: "much changes", Seen: read.Start(),
			Batch: market.Imbalance.Batch([]market.ImbalanceStep{row})}
		if _, err := s.Quarantine(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		all, err := s.InQuarantine(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		waits, err := s.Waiting(t.Context(), all[0].ID)
		row.Status = market.Str([]string{"provisional", "validated"}[n])
		if diff := cmp.Diff([]market.ImbalanceStep{row}, market.Imbalance.In(waits.Batch)); err != nil || diff != "" {
			t.Errorf("read on %s: error %v (-want +got):\n%s", read, err, diff)
		}
	}
}

func TestADecisionAppliesToTheSameContentAgain(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	arrive(t, s, 0, "2026-07-14", 7)
	all, err := s.InQuarantine(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	id := all[0].ID
	held := whatWaits(t, s, id)
	run := runAt(1)
	run.Feed = "quarantine"
	q, err := s.Accept(t.Context(), store.Note{}, id, run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(held, q, cmp.AllowUnexported(market.DeliveryDate{}), sameRows); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if run.Window != date("2026-07-14").Period() || run.Tallies[market.DayAheadPrices].Changed != 96 {
		t.Errorf("run %+v", run)
	}
	stored, err := store.Within(t.Context(), s, market.Prices, market.DayAheadPrices, run.Window)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pricesOf("2026-07-14", 7), stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if decision := arrive(t, s, 2, "2026-07-14", 7); decision != store.Accepted {
		t.Errorf("the same again is %q", decision)
	}
	for name, again := range map[string]func() error{
		"accept": func() error { _, err := s.Accept(t.Context(), store.Note{}, id, runAt(3)); return err },
		"reject": func() error { _, err := s.Reject(t.Context(), store.Note{}, id, minute(3)); return err },
	} {
		if err := again(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	arrive(t, s, 4, "2026-07-15", 9)
	if all, err = s.InQuarantine(t.Context()); err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	if _, err := s.Reject(t.Context(), store.Note{}, all[0].ID, minute(5)); err != nil {
		t.Fatal(err)
	}
	if decision := arrive(t, s, 6, "2026-07-15", 9); decision != store.Rejected || len(waiting(t, s)) > 0 {
		t.Errorf("the same again is %q", decision)
	}
}

// mfrr is quarters of mFRR energy of 14 July, both directions, at a clearing price.
func mfrr(from, to int, price market.Number) market.Batch {
	var batch market.Batch
	for i := from; i < to; i++ {
		for _, direction := range []market.Direction{market.Upward, market.Downward} {
			start := date("2026-07-14").Period().Start + int64(i)*market.QuarterSeconds
			market.MFRR.Put(&batch, append(market.MFRR.In(batch), market.MFRRStep{Start: start, Direction: direction, ClearingPrice: price}))
		}
	}
	return batch
}

func TestNewerRowsOfOtherDatasetsReplaceQuarantinedOnes(t *testing.T) {
	t.Parallel()
	const dataset, day = market.MFRREnergy, "2026-07-14"
	whole := date(day).Period()
	for _, row := range []struct {
		name  string
		kind  market.WaitKind
		then  func(*testing.T, *store.Store)
		waits int
	}{
		{"by newer values of the whole date", market.WaitsWithdrawn, func(t *testing.T, s *store.Store) {
			commit(t, s, runAt(1, dataset), mfrr(0, 96, market.Num(7)))
		}, 0},
		{"not by those of a part", market.WaitsWithdrawn, func(t *testing.T, s *store.Store) {
			commit(t, s, runAt(1, dataset), mfrr(0, 95, market.Num(7)))
		}, 1},
		{"not by a run that brought nothing of it", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			commit(t, s, runAt(1, dataset), market.Batch{})
		}, 1},
		{"not by another dataset", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			commit(t, s, runAt(1, market.DayAheadPrices), market.Prices.Batch(pricesOf(day, 5)))
		}, 1},
		{"where it was refused, by a good reading of its whole date", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			commit(t, s, runAt(1, dataset), mfrr(0, 95, market.Num(7)))
		}, 0},
		{"where it was refused, not by a reading of a part of its date", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			run := runAt(1, dataset)
			run.Window = market.Period{Start: whole.Start + 3600, End: whole.End}
			commit(t, s, run, mfrr(4, 96, market.Num(7)))
		}, 1},
		{"by newer content for the same kind of reason, also of a part", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			quarantine(t, s, 1, dataset, day, market.WaitsRefused, mfrr(0, 5, market.Num(9)))
		}, 1},
		{"not by a refusal where it waits for another reason", market.WaitsWithdrawn, func(t *testing.T, s *store.Store) {
			quarantine(t, s, 1, dataset, day, market.WaitsRefused, mfrr(0, 96, market.Num(9)))
		}, 2},
		{"where it was refused, by newer content that could be read", market.WaitsRefused, func(t *testing.T, s *store.Store) {
			quarantine(t, s, 1, dataset, day, market.WaitsWithdrawn, mfrr(0, 96, market.Num(9)))
		}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openNew(t)
			quarantine(t, s, 0, dataset, day, row.kind, mfrr(0, 96, market.Number{Withdrawn: true}))
			row.then(t, s)
			all, err := s.InQuarantine(t.Context())
			if err != nil || len(all) != row.waits {
				t.Errorf("waiting %v, error %v", all, err)
			}
		})
	}
}

func TestAcceptedRowsWithdrawValuesAndLeaveRevisions(t *testing.T) {
	s := openNew(t)
	commit(t, s, runAt(0, market.MFRREnergy), mfrr(0, 96, market.Num(7)))
	quarantine(t, s, 1, market.MFRREnergy, "2026-07-14", market.WaitsWithdrawn, mfrr(0, 96, market.Number{Withdrawn: true}))
	note := store.Note{Event: "quarantine_accepted", Actor: "anne@example.org", Subject: "1"}
	run := runAt(2)
	if _, err := s.Accept(t.Context(), note, only(t, s).ID, run); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(clearing_price) FROM mfrr_energy"); got != "0" {
		t.Errorf("%s prices are served", got)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*), min(old), max(new) FROM revision"); got != "192|7|<nil>" {
		t.Errorf("revisions %s", got)
	}
	if got := ask(t, s.ReaderPool(), "SELECT content IS NULL, decision FROM quarantine"); got != "1|accepted" {
		t.Errorf("afterwards %s is kept", got)
	}
	notes, err := s.Notes(t.Context(), 0, 2)
	if err != nil || len(notes) != 1 || notes[0].Subject != "1" || notes[0].Detail != "mfrr-energy 2026-07-14" {
		t.Errorf("the audit log tells %+v, %v", notes, err)
	}
}

func TestOldQuarantinedDatesAreDeleted(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	quarantine(t, s, 0, market.MFRREnergy, "2026-07-14", market.WaitsRefused, mfrr(0, 1, market.Num(1)))
	quarantine(t, s, 0, market.MFRREnergy, "2026-07-14", market.WaitsWithdrawn, mfrr(1, 2, market.Num(2)))
	arrive(t, s, 0, "2026-07-14", 7)
	all, err := s.InQuarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reject(t.Context(), store.Note{}, all[2].ID, minute(0)); err != nil {
		t.Fatal(err)
	}
	const day = 24 * 60
	for _, row := range []struct {
		minute int
		left   string
	}{
		{30*day - 1, "refused withdrawn flat"}, {30 * day, "withdrawn flat"}, {365*day - 1, "withdrawn flat"}, {365 * day, "<nil>"},
	} {
		if err := s.PruneQuarantine(t.Context(), minute(row.minute)); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, s.ReaderPool(), "SELECT group_concat(kind, ' ') FROM quarantine"); got != row.left {
			t.Errorf("after %d minutes %s are left, want %s", row.minute, got, row.left)
		}
	}
}
