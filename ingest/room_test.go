package ingest

import (
	"errors"
	"strings"
	"testing"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
)

// withRoom is a bench whose disk is nearly full while the returned error is not nil.
func withRoom(t *testing.T, now string) (b *bench, full *error) {
	t.Helper()
	b, full = newBench(t, now), new(error)
	options := b.options()
	options.Room = func() error { return *full }
	b.Feeds = New(options)
	return b, full
}

// runs is how many runs are accounted for.
func (b *bench) runs() int64 {
	b.t.Helper()
	versions, err := b.db.Versions(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	var newest int64
	for _, version := range versions {
		newest = max(newest, version)
	}
	return newest
}

func TestAFeedRestsWhileThereIsNoRoomAndGoesOnByItself(t *testing.T) {
	t.Parallel()
	b, full := withRoom(t, "2026-11-20 13:00")
	*full = errors.New("1 MB is free: free some space")
	for range 3 {
		if got := b.job(t.Context(), b.feed(market.FeedDayAheadPrices)); !got.Equal(b.clock.Now().Add(roomPause)) {
			t.Errorf("it looks again at %s", got)
		}
		b.clock.Advance(roomPause)
	}
	if got := b.market.dates(market.FeedDayAheadPrices); got != nil || b.runs() != 0 {
		t.Errorf("asked for %v, %d runs", got, b.runs())
	}
	if states, err := b.db.FeedStates(t.Context()); err != nil || len(states) > 0 {
		t.Errorf("written: %v, %v", states, err)
	}
	status := b.status(market.DayAheadPrices)
	if status.LastError == nil || *status.LastError != "the disk is nearly full: 1 MB is free: free some space" || status.State == report.StateDown || status.NextRunAt == nil {
		t.Errorf("status %+v", status)
	}
	*full = nil
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if status := b.status(market.DayAheadPrices); status.LastError != nil || b.rows(market.DayAheadPrices, "2026-11-21") != 96 {
		t.Errorf("with room again: status %+v", status)
	}
}

func TestARunIsNotKeptWhereTheDiskFilledMeanwhile(t *testing.T) {
	t.Parallel()
	b, full := withRoom(t, "2026-11-20 13:00")
	whole := b.market.prices
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		*full = errors.New("free some space")
		return whole(window)
	}
	run, err := b.runDates(market.FeedDayAheadPrices, "2026-11-19", "2026-11-19")
	if !errors.Is(err, ErrNoRoom) || run.Outcome != store.OutcomeFailed || b.rows(market.DayAheadPrices, "2026-11-19") != 0 || b.runs() != 0 {
		t.Errorf("error %v, outcome %s, %d runs", err, run.Outcome, b.runs())
	}
}

func TestAFetchEndsAtOnceWhereThereIsNoRoomAndGoesOnLater(t *testing.T) {
	t.Parallel()
	b, full := withRoom(t, "2026-11-20 13:00")
	fetch := request(t, market.AFRREnergy, "2026-11-10", "2026-11-12")
	*full = errors.New("free some space")
	if err := b.Fetch(t.Context(), fetch); !errors.Is(err, ErrNoRoom) || b.market.dates(market.FeedAFRREnergy) != nil {
		t.Errorf("the fetch ends with %v", err)
	}
	*full = nil
	whole := b.market.afrr
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		if window.Start == date(t, "2026-11-11").Start().Unix() {
			*full = errors.New("free some space")
		}
		return whole(window)
	}
	if err := b.Fetch(t.Context(), fetch); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "the disk is nearly full: free some space; 2 delivery dates are left: the same command continues there") {
		t.Errorf("the fetch ends with %v", err)
	}
	b.market.dates(market.FeedAFRREnergy)
	*full, b.market.afrr = nil, whole
	if err := b.Fetch(t.Context(), fetch); err != nil {
		t.Error(err)
	}
	if got := strings.Join(b.market.dates(market.FeedAFRREnergy), " "); got != "2026-11-11 2026-11-12" {
		t.Errorf("it goes on with %s", got)
	}
}
