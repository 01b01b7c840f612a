package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

func TestAProposalCountsWhatWouldBeStored(t *testing.T) {
	s := openNew(t)
	commit(t, s, runAt(0, market.MFRREnergy), mfrr(0, 4, market.Num(7)))
	came := mfrr(2, 6, market.Num(7)) // two quarters are stored, two are new, each in two directions
	market.MFRR.In(came)[0].ClearingPrice = market.Number{Withdrawn: true}
	market.MFRR.In(came)[1].ClearingPrice = market.Num(-900)
	market.MFRR.In(came)[2].SubmittedOffersMW = market.Num(5)
	market.MFRR.In(came)[7].SubmittedOffersMW = market.Num(30)
	quarantine(t, s, 1, market.MFRREnergy, "2026-07-14", market.WaitsRefused, came)
	got, err := s.Proposal(t.Context(), only(t, s).ID)
	if err != nil {
		t.Fatal(err)
	}
	start := date("2026-07-14").Start()
	if got.Kind != market.WaitsRefused || got.Rows != 8 || got.NewRows != 4 || !got.First.Equal(start.Add(30*time.Minute)) || !got.Last.Equal(start.Add(75*time.Minute)) {
		t.Errorf("%s, %d rows of which %d are new, from %s to %s", got.Kind, got.Rows, got.NewRows, got.First, got.Last)
	}
	want := []store.ProposedColumn{
		{Name: "clearing_price", Given: 7, Min: market.Num(-900), Max: market.Num(7), ColumnEffect: store.ColumnEffect{Held: 8, Changed: 1, Withdrawn: 1, New: 4}},
		{Name: "submitted_offers_mw", Given: 2, Min: market.Num(5), Max: market.Num(30), ColumnEffect: store.ColumnEffect{Filled: 1, New: 1}},
	}
	if diff := cmp.Diff(want, got.Values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*) FROM mfrr_energy"); got != "8" {
		t.Errorf("%s rows are stored", got)
	}
	if _, err := s.Proposal(t.Context(), 99); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
}

func TestAProposalOf4sStepsCountsWhatWouldBeStored(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	period := date("2026-07-14").Period()
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: period.Start, UpwardPrice: market.Num(1), DemandMW: market.Num(2)}}))
	quarantine(t, s, 1, market.AFRREnergy, "2026-07-14", market.WaitsWithdrawn, market.AFRR.Batch([]market.AFRRStep{
		{Start: period.Start, UpwardPrice: market.Number{Withdrawn: true}}, {Start: period.Start + 4, DemandMW: market.Num(3), ProrataMode: market.Flag{V: true, Valid: true}},
	}))
	got, err := s.Proposal(t.Context(), only(t, s).ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []store.ProposedColumn{
		{Name: "upward_price", ColumnEffect: store.ColumnEffect{Held: 1, Withdrawn: 1}},
		{Name: "demand_mw", Given: 1, Min: market.Num(3), Max: market.Num(3), ColumnEffect: store.ColumnEffect{Held: 1, New: 1}},
		{Name: "prorata_mode", Given: 1, Min: market.Num(1), Max: market.Num(1), ColumnEffect: store.ColumnEffect{New: 1}},
	}
	if diff := cmp.Diff(want, got.Values); diff != "" || got.NewRows != 1 {
		t.Errorf("%d new rows, (-want +got):\n%s", got.NewRows, diff)
	}
}
