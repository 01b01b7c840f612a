package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/store/market"
)

// ReadersOf are the readers of all feeds.
func ReadersOf(prices *entsoe.Client, reserves *rte.Client) map[market.FeedName]Reader {
	return map[market.FeedName]Reader{
		market.FeedDayAheadPrices: ReaderOf(market.Prices, prices.DayAheadPrices),
		market.FeedCapacity:       ReaderOf(market.Capacity, reserves.ProcuredReserves),
		market.FeedAFRREnergy:     ReaderOf(market.AFRR, reserves.MarginalPrice),
		market.FeedMFRREnergy:     ReaderOf(market.MFRR, reserves.StandardMFRR),
		market.FeedImbalance:      ReaderOf(market.Imbalance, reserves.ImbalanceData),
		market.FeedExchangePrices: ReaderOf(market.Prices, reserves.PowerExchangePrices),
	}
}

func date(t *testing.T, text string) market.DeliveryDate {
	t.Helper()
	d, err := market.ParseDeliveryDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// calls writes the windows' calls as UTC, a line of calls for each window.
func calls(windows []window) [][]string {
	var all [][]string
	for _, w := range windows {
		var line []string
		for _, call := range w.calls {
			line = append(line, call.From().Format("01-02T15:04Z")+" "+call.To().Format("01-02T15:04Z"))
		}
		all = append(all, line)
	}
	return all
}

var (
	sevenDays  = market.Feed{WindowDays: 7}
	localTimes = market.Feed{WindowDays: 1, LocalTimes: true}
)

func TestWindows(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		feed        market.Feed
		first, last string
		want        [][]string
	}{
		{"seven dates a call", sevenDays, "2026-11-01", "2026-11-09", [][]string{{"10-31T23:00Z 11-07T23:00Z"}, {"11-07T23:00Z 11-09T23:00Z"}}},
		{"one date a call", localTimes, "2026-11-01", "2026-11-02", [][]string{{"10-31T23:00Z 11-01T23:00Z"}, {"11-01T23:00Z 11-02T23:00Z"}}},
		{"a date of 23 hours is one call", localTimes, "2026-03-29", "2026-03-29", [][]string{{"03-28T23:00Z 03-29T22:00Z"}}},
		{"a date of 25 hours is two calls of one window", localTimes, "2026-10-25", "2026-10-25",
			[][]string{{"10-24T22:00Z 10-25T01:00Z", "10-25T01:00Z 10-25T23:00Z"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, calls(windowsOf(row.feed, date(t, row.first), date(t, row.last)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoCallForEnergyIsLongerThanADay(t *testing.T) {
	t.Parallel()
	for d := date(t, "2020-01-01"); d.Before(date(t, "2041-01-01")); d = d.Add(1) {
		for _, w := range windowsOf(localTimes, d, d) {
			end := w.Start
			for _, call := range w.calls {
				if call.Start != end || call.Seconds() > int64(24*time.Hour/time.Second) {
					t.Fatalf("%s: a call from %s to %s", d, call.From(), call.To())
				}
				end = call.End
			}
			if end != w.End || w.Period != d.Period() {
				t.Fatalf("%s: the calls end at %s", d, time.Unix(end, 0).UTC())
			}
		}
	}
}

func TestPartsOfAWindow(t *testing.T) {
	t.Parallel()
	whole := windowsOf(localTimes, date(t, "2026-10-25"), date(t, "2026-10-25"))[0]
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	if _, begun := whole.upTo(at("2026-10-24T22:00:00Z")); begun {
		t.Error("a date that begins now is asked for")
	}
	early, _ := whole.upTo(at("2026-10-25T00:40:00Z"))
	across, _ := whole.upTo(at("2026-10-25T01:10:00Z"))
	all, _ := whole.upTo(at("2026-10-26T12:00:00Z"))
	want := [][]string{
		{"10-24T22:00Z 10-25T00:40Z"},
		{"10-25T00:40Z 10-25T01:00Z", "10-25T01:00Z 10-25T01:10Z"},
		{"10-24T22:00Z 10-25T01:00Z", "10-25T01:00Z 10-25T23:00Z"},
	}
	if diff := cmp.Diff(want, calls([]window{early, across.since(at("2026-10-25T00:40:00Z")), all})); diff != "" {
		t.Error(diff)
	}
}

func TestDatesArePlannedNewestFirstInRunsOfNeighbours(t *testing.T) {
	t.Parallel()
	wanted := map[market.DeliveryDate]bool{}
	for _, text := range []string{"2026-11-01", "2026-11-02", "2026-11-03", "2026-11-10", "2026-11-11"} {
		wanted[date(t, text)] = true
	}
	got := calls(planDates(&feed{Feed: market.Feed{WindowDays: 2}}, wanted))
	want := [][]string{{"11-09T23:00Z 11-11T23:00Z"}, {"11-02T23:00Z 11-03T23:00Z"}, {"10-31T23:00Z 11-02T23:00Z"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
