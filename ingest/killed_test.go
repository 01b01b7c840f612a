package ingest

import (
	"context"
	"testing"
	"time"

	"courant/ingest/source"
	"courant/store/market"
	"courant/store/storetest"
)

func TestAFeedInWhoseRunsTheServiceWasKilledRestsAndNoOtherDoes(t *testing.T) {
	t.Parallel()
	for _, row := range storetest.Some(5, []struct {
		kills  int
		killed []market.FeedName
		rest   map[market.FeedName]time.Duration
	}{
		{1, []market.FeedName{market.FeedMFRREnergy}, map[market.FeedName]time.Duration{market.FeedMFRREnergy: 10 * time.Minute}},
		{2, []market.FeedName{market.FeedMFRREnergy}, map[market.FeedName]time.Duration{market.FeedMFRREnergy: 20 * time.Minute}},
		{3, []market.FeedName{market.FeedDayAheadPrices}, map[market.FeedName]time.Duration{market.FeedDayAheadPrices: 40 * time.Minute}},
		{4, []market.FeedName{market.FeedMFRREnergy}, map[market.FeedName]time.Duration{market.FeedMFRREnergy: time.Hour}},
		{40, []market.FeedName{market.FeedMFRREnergy}, map[market.FeedName]time.Duration{market.FeedMFRREnergy: time.Hour}},
		{1, []market.FeedName{market.FeedMFRREnergy, market.FeedDayAheadPrices}, map[market.FeedName]time.Duration{market.FeedDayAheadPrices: 5 * time.Minute, market.FeedMFRREnergy: 10 * time.Minute}},
	}) {
		b := newBench(t, "2026-11-20 09:00")
		for n := range row.kills {
			for _, feed := range row.killed {
				if err := b.db.BeginRuns(t.Context(), string(feed), b.clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
			if n < row.kills-1 { // a start that is killed again
				if _, err := b.db.CountKills(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		rest, stop := b.serving()
		rest()
		report, err := b.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []market.FeedName{market.FeedDayAheadPrices, market.FeedCapacity, market.FeedAFRREnergy, market.FeedMFRREnergy} {
			pause, rests := row.rest[name]
			if asked := len(b.market.dates(name)) > 0; asked == rests {
				t.Errorf("after %d kills in %v: %s is asked for: %t", row.kills, row.killed, name, asked)
			}
			for _, status := range report.Datasets {
				if b.primary[status.Dataset].Name == name && rests && (status.NextRunAt == nil || !time.Time(*status.NextRunAt).Equal(b.clock.Now().Add(pause))) {
					t.Errorf("after %d kills in %v: %s runs next at %v, want in %s", row.kills, row.killed, name, status.NextRunAt, pause)
				}
			}
		}
		b.clock.Advance(time.Hour)
		rest()
		for _, name := range row.killed {
			if len(b.market.dates(name)) == 0 {
				t.Errorf("after the rest %s is not asked for", name)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestRunsThatEndAndAnOrdinaryStopLeaveNoKillBehind(t *testing.T) {
	t.Parallel()
	kills := func(b *bench) map[string]int {
		kills, err := b.db.CountKills(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return kills
	}
	t.Run("runs that end", func(t *testing.T) {
		b := newBench(t, "2026-11-20 09:00")
		if err := b.db.BeginRuns(t.Context(), string(market.FeedMFRREnergy), b.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if left := kills(b); left[string(market.FeedMFRREnergy)] != 1 {
			t.Errorf("before: %v", left)
		}
		b.job(t.Context(), b.feed(market.FeedMFRREnergy))
		if left := kills(b); len(left) != 0 {
			t.Errorf("%v", left)
		}
	})
	t.Run("an ordinary stop", func(t *testing.T) {
		b := newBench(t, "2026-11-20 09:00")
		if err := b.db.BeginRuns(t.Context(), string(market.FeedMFRREnergy), b.clock.Now()); err != nil {
			t.Fatal(err)
		}
		rest, stop := b.serving()
		rest()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if left := kills(b); len(left) != 0 {
			t.Errorf("%v", left)
		}
	})
	t.Run("a stop in the middle of a run", func(t *testing.T) {
		b := newBench(t, "2026-11-20 09:00")
		ctx, cancel := context.WithCancel(t.Context())
		mfrr := b.market.mfrr
		b.market.mfrr = func(window market.Period) (source.Reply[market.MFRRStep], error) {
			if left := kills(b); left[string(market.FeedMFRREnergy)] != 1 {
				t.Errorf("in the middle of a run: %v", left)
			}
			cancel()
			return mfrr(window)
		}
		b.job(ctx, b.feed(market.FeedMFRREnergy))
		if left := kills(b); len(left) != 0 {
			t.Errorf("%v", left)
		}
	})
	t.Run("prices that are read again in the job of the exchanges", func(t *testing.T) {
		b, _ := withExchange(t, "2026-11-20 14:00")
		b.pricesOf(func(quarter int) float64 { return plain(quarter) + 1 })
		b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
		b.clock.Advance(time.Minute)
		prices, asked := b.market.prices, false
		b.market.prices = func(window market.Period) (replyOfPrices, error) {
			asked = true
			if left := kills(b); left[string(market.FeedDayAheadPrices)] != 1 || left[string(market.FeedExchangePrices)] > 0 {
				t.Errorf("in the middle of a run: %v", left)
			}
			return prices(window)
		}
		b.job(t.Context(), b.feed(market.FeedExchangePrices))
		if left := kills(b); len(left) != 0 || !asked {
			t.Errorf("%v; asked: %t", left, asked)
		}
	})
}
