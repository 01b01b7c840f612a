package ingest

import (
	"slices"
	"testing"
	"time"

	"courant/store/market"
)

// askedBy runs a feed's job at an instant and lists the delivery dates that it asks for, ascending.
func (b *bench) askedBy(name market.FeedName, at string) []string {
	b.t.Helper()
	b.clock.Advance(paris(b.t, at).Sub(b.clock.Now()))
	b.market.dates(name)
	b.job(b.t.Context(), b.feed(name))
	return slices.Compact(slices.Sorted(slices.Values(b.market.dates(name))))
}

func TestDayAheadDataAreReadAgainBeforeDelivery(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		feed  market.FeedName
		whole string
		then  map[string]bool // whether today and tomorrow are read again then
	}{
		{market.FeedDayAheadPrices, "2026-11-20 13:00", map[string]bool{
			"2026-11-20 14:29": false, "2026-11-20 14:30": true, "2026-11-20 15:30": false, "2026-11-20 18:00": true, "2026-11-20 19:00": false,
			"2026-11-20 22:00": true, "2026-11-20 23:00": false}},
		{market.FeedCapacity, "2026-11-20 09:30", map[string]bool{
			"2026-11-20 11:29": false, "2026-11-20 11:30": true, "2026-11-20 12:30": false, "2026-11-20 18:00": true, "2026-11-20 19:00": false}},
	} {
		t.Run(string(row.feed), func(t *testing.T) {
			b := newBench(t, row.whole)
			b.job(t.Context(), b.feed(row.feed))
			var instants []string
			for at := range row.then {
				instants = append(instants, at)
			}
			slices.Sort(instants)
			for _, at := range instants {
				var want []string
				if row.then[at] {
					want = []string{"2026-11-20", "2026-11-21"}
				}
				if got := b.askedBy(row.feed, at); !slices.Equal(got, want) {
					t.Errorf("at %s it asks for %v, want %v", at, got, want)
				}
			}
		})
	}
}

func TestPricesOfTodayAreReadAgainInTheMorning(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-19 23:00")
	whole, end := b.market.prices, date(t, "2026-11-20").End().Unix()
	b.market.prices = func(window market.Period) (replyOfPrices, error) { // tomorrow's are not published yet
		if window.End = min(window.End, end); window.Start >= window.End {
			return replyOfPrices{}, nil
		}
		return whole(window)
	}
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	for _, row := range []struct {
		at     string
		asking bool
	}{{"2026-11-20 05:59", false}, {"2026-11-20 06:00", true}, {"2026-11-20 06:30", false}} {
		if got := b.askedBy(market.FeedDayAheadPrices, row.at); slices.Contains(got, "2026-11-20") != row.asking {
			t.Errorf("at %s it asks for %v", row.at, got)
		}
	}
}

func TestAStartReadsTodayAndTomorrowAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []market.FeedName{market.FeedDayAheadPrices, market.FeedCapacity} {
		b := newBench(t, "2026-11-20 15:00")
		b.job(t.Context(), b.feed(name))
		if got := b.askedBy(name, "2026-11-20 15:10"); len(got) > 0 {
			t.Errorf("%s asks for %v without need", name, got)
		}
		b.clock.Advance(time.Minute)
		b.Feeds = New(b.options())
		if got := b.askedBy(name, "2026-11-20 15:12"); !slices.Equal(got, []string{"2026-11-20", "2026-11-21"}) {
			t.Errorf("at a start %s asks for %v", name, got)
		}
	}
}

func TestPricesThatDifferFromTheExchangesAreReadAgainAtOnceAndOnce(t *testing.T) {
	t.Parallel()
	b, e := withExchange(t, "2026-11-20 14:00")
	b.pricesOf(func(quarter int) float64 { return plain(quarter) + 1 })
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	b.market.dates(market.FeedDayAheadPrices)
	b.clock.Advance(time.Minute)
	b.job(t.Context(), b.feed(market.FeedExchangePrices))
	asked := b.market.dates(market.FeedDayAheadPrices)
	report, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e.asked != 1 || len(report.PriceDifferences) != 1 || !slices.Equal(asked, []string{"2026-11-21"}) {
		t.Errorf("the exchange is asked %d times, ENTSO-E for %v; differences %+v", e.asked, asked, report.PriceDifferences)
	}
	b.clock.Advance(time.Minute)
	b.job(t.Context(), b.feed(market.FeedExchangePrices))
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if asked := b.market.dates(market.FeedDayAheadPrices); len(asked) > 0 {
		t.Errorf("again it is asked for %v", asked)
	}
}

func TestEnergiesAreReadAgainInTheirSecondWeekAndForTheirSettlement(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-09-30 12:00")
	if err := b.Fetch(t.Context(), request(t, market.MFRREnergy, "2026-07-28", "2026-09-30")); err != nil {
		t.Fatal(err)
	}
	between := func(dates []string, first, last string) []string {
		return slices.DeleteFunc(slices.Clone(dates), func(d string) bool { return d < first || d > last })
	}
	var august []string
	for _, d := range market.Dates(date(t, "2026-08-01"), date(t, "2026-08-31")) {
		august = append(august, d.String())
	}
	for _, row := range []struct {
		at    string
		first string // of the dates that are looked at
		last  string
		want  []string
	}{
		{"2026-10-01 12:00", "2026-07-28", "2026-09-23", nil},
		{"2026-10-04 04:39", "2026-07-28", "2026-09-26", []string{"2026-09-25", "2026-09-26"}}, // the nights that were missed
		{"2026-10-04 04:40", "2026-07-28", "2026-09-26", []string{"2026-09-20", "2026-09-21", "2026-09-22", "2026-09-23", "2026-09-24", "2026-09-25", "2026-09-26"}},
		{"2026-10-04 06:00", "2026-07-28", "2026-09-26", nil},
		{"2026-10-20 05:19", "2026-07-28", "2026-08-31", nil},
		{"2026-10-20 05:30", "2026-07-28", "2026-08-31", august},
		{"2026-10-20 06:00", "2026-07-28", "2026-08-31", nil},
		{"2026-11-19 12:00", "2026-07-28", "2026-08-31", nil},
	} {
		if got := between(b.askedBy(market.FeedMFRREnergy, row.at), row.first, row.last); !slices.Equal(got, row.want) {
			t.Errorf("at %s it asks for %v, want %v", row.at, got, row.want)
		}
	}
}

func TestAMonthThatIsDueToBeSettledIsMadeUpForAfterARest(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-09-30 12:00")
	if err := b.Fetch(t.Context(), request(t, market.MFRREnergy, "2026-08-31", "2026-08-31")); err != nil {
		t.Fatal(err)
	}
	if got := b.askedBy(market.FeedMFRREnergy, "2026-12-24 12:00"); !slices.Contains(got, "2026-08-31") {
		t.Errorf("after three months it asks for %v", got)
	}
}
