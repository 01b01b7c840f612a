package ingest

import (
	"database/sql"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestAnErrorOfALongPastDateEndsOnceTheSourceIsWellAgain(t *testing.T) {
	t.Parallel()
	const day = "2026-03-12"
	for _, row := range storetest.Some(2, []struct {
		name    string
		feed    market.FeedName
		dataset market.Dataset
		spoil   func(*bench)
	}{
		{"prices that the source fails to give", market.FeedDayAheadPrices, market.DayAheadPrices, func(b *bench) {
			b.market.prices = func(market.Period) (replyOfPrices, error) { return replyOfPrices{}, unreached }
		}},
		{"prices that are refused", market.FeedDayAheadPrices, market.DayAheadPrices, func(b *bench) {
			whole := b.market.prices
			b.market.prices = func(window market.Period) (replyOfPrices, error) {
				reply, err := whole(window)
				reply.Refusals.Refuse(market.DayAheadPrices, date(b.t, day), "an odd value")
				reply.Rows = nil
				return reply, err
			}
		}},
		{"energy that the source fails to give", market.FeedMFRREnergy, market.MFRREnergy, func(b *bench) {
			b.market.mfrr = func(market.Period) (replyOfMFRR, error) { return replyOfMFRR{}, unreached }
		}},
		{"energy of which steps are left out", market.FeedMFRREnergy, market.MFRREnergy, func(b *bench) {
			whole := b.market.mfrr
			b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
				reply, err := whole(window)
				reply.Omissions = []market.Omission{{Dataset: market.MFRREnergy, Date: date(b.t, day), Steps: 1, Reason: "an odd step"}}
				return reply, err
			}
		}},
	}) {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 23:50")
			prices, mfrr := b.market.prices, b.market.mfrr
			ask := request(t, row.dataset, day, day)
			if err := b.Fetch(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
			row.spoil(b)
			if err := b.Fetch(t.Context(), ask); err == nil || b.status(row.dataset).LastError == nil {
				t.Fatalf("a fetch that fails: %v, %+v", err, b.status(row.dataset))
			}
			b.market.prices, b.market.mfrr = prices, mfrr
			b.jobsUntil(row.feed, "2026-11-21 23:50")
			if got := b.status(row.dataset); got.State == report.StateError || got.LastError != nil || b.reasonOf(row.dataset, day) != "" {
				t.Errorf("a day later: %+v", got)
			}
		})
	}
}

func TestADateThatIsThinnedHasNoError(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-10-25 23:00")
	whole := b.market.afrr
	ask := request(t, market.AFRREnergy, "2026-09-01", "2026-09-03")
	if err := b.Fetch(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		if window.Start == date(t, "2026-09-02").Start().Unix() {
			return replyOfAFRR{}, &source.Fault{Source: "RTE", Status: 400, Message: "the window was refused"}
		}
		return whole(window)
	}
	if err := b.Fetch(t.Context(), ask); err == nil || b.status(market.AFRREnergy).State != report.StateError {
		t.Fatalf("a fetch that fails: %v, %+v", err, b.status(market.AFRREnergy))
	}
	if _, err := b.db.ThinAFRR(t.Context(), date(t, "2026-09-04"), b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := b.status(market.AFRREnergy); got.State == report.StateError || got.LastError != nil {
		t.Errorf("thinned: state %s, error %v", got.State, *got.LastError)
	}
}

func TestRowsThatWereNotStoredDoNotCountAsRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00", store.BusyTimeout(10*time.Millisecond))
	whole := b.market.prices
	other, err := sql.Open("sqlite", "file:"+b.db.Path()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var tx *sql.Tx
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		if tx, err = other.BeginTx(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		reply, err := whole(window)
		reply.Refusals.RefuseFinally(market.DayAheadPrices, date(t, "2026-11-10"), "an odd value")
		return reply, err
	}
	// The lock ends between the attempt to store what came and the account of the run.
	b.ran = func(store.Run) {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	run, err := b.runDates(market.FeedDayAheadPrices, "2026-11-10", "2026-11-12")
	if err == nil || run.Outcome != store.OutcomeFailed {
		t.Fatalf("outcome %s, error %v", run.Outcome, err)
	}
	asked, err := b.asked(t.Context(), b.feed(market.FeedDayAheadPrices), market.DayAheadPrices, date(t, "2026-11-10"), date(t, "2026-11-12"))
	if err != nil {
		t.Fatal(err)
	}
	for day, a := range asked {
		if a.Fault.Kind != store.FaultFailed || !a.Whole.IsZero() {
			t.Errorf("of %s it is known: %+v", day, a)
		}
	}
	if got := b.summary(market.DayAheadPrices).LastSuccess; !got.IsZero() {
		t.Errorf("last success %s", got)
	}
}
