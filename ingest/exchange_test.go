package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// exchange is RTE's power exchanges: the prices of one delivery date, a quarter's being what at says of it.
type exchange struct {
	date  func() market.DeliveryDate
	at    func(quarter int) float64
	fault error
	asked int
}

func (e *exchange) PowerExchangePrices(_ context.Context, window market.Period) (source.Reply[market.Price], source.Traffic, error) {
	e.asked++
	var reply source.Reply[market.Price]
	if e.fault != nil {
		return reply, source.Traffic{Tries: 1}, e.fault
	}
	period := e.date().Period()
	for s := period.Start; s < period.End; s += market.QuarterSeconds {
		if window.Holds(s) {
			reply.Rows = append(reply.Rows, market.Price{Start: s, Resolution: market.PT15M, Source: market.FromRTE, Price: market.Num(e.at(len(reply.Rows)))})
		}
	}
	return reply, source.Traffic{Tries: 1}, nil
}

// withExchange is a bench of prices alone, of which ENTSO-E gives nothing yet, and exchanges that give tomorrow's from
// 14:00 on and today's before.
func withExchange(t *testing.T, now string) (*bench, *exchange) {
	b := newBench(t, now)
	e := &exchange{at: plain}
	e.date = func() market.DeliveryDate {
		if today := b.today(); b.clock.Now().Before(today.At(14, 0)) {
			return today
		}
		return b.today().Add(1)
	}
	b.Feeds = New(Options{Store: b.db, Clock: b.clock, Log: slog.New(slog.DiscardHandler),
		Readers: map[market.FeedName]Reader{
			market.FeedDayAheadPrices: ReaderOf(market.Prices, b.market.DayAheadPrices), market.FeedExchangePrices: ReaderOf(market.Prices, e.PowerExchangePrices),
		},
		Schedules: map[market.FeedName]Schedule{market.FeedDayAheadPrices: pricesHours}})
	b.market.prices = func(market.Period) (replyOfPrices, error) { return replyOfPrices{}, nil }
	return b, e
}

// served are the source and the first price of the date's quarters, and how many there are.
func (b *bench) served(text string) (market.PriceSource, float64, int) {
	b.t.Helper()
	prices, err := store.Within(b.t.Context(), b.db, market.Prices, market.DayAheadPrices, date(b.t, text).Period())
	if err != nil {
		b.t.Fatal(err)
	}
	quarters := market.Quarters(prices)
	if len(quarters) == 0 {
		return 0, 0, 0
	}
	return quarters[0].Source, quarters[0].Price.V, len(quarters)
}

func TestExchangePricesAreServedForTomorrowFromAQuarterToTwo(t *testing.T) {
	t.Parallel()
	b, e := withExchange(t, "2026-11-20 13:30")
	feed := b.feed(market.FeedExchangePrices)
	b.pricesOfToday()
	next := b.job(t.Context(), feed)
	if e.asked != 0 || next.Before(paris(t, "2026-11-20 13:45")) || next.After(paris(t, "2026-11-20 13:47")) {
		t.Fatalf("asked %d times, next at %s", e.asked, next.In(market.Paris))
	}
	for _, want := range []struct {
		asked int
		rows  int // of tomorrow
		next  string
	}{{1, 0, "2026-11-20 13:55"}, {2, 0, "2026-11-20 14:05"}, {3, 96, "2026-11-20 15:05"}, {3, 96, "2026-11-20 16:05"}} {
		b.clock.Advance(next.Sub(b.clock.Now()))
		next = b.job(t.Context(), feed)
		at := paris(t, want.next)
		if _, _, rows := b.served("2026-11-21"); e.asked != want.asked || rows != want.rows || next.Before(at) || next.After(at.Add(5*time.Minute)) {
			t.Errorf("at %s asked %d times, %d rows, next at %s; want %+v", b.clock.Now().In(market.Paris), e.asked, rows, next.In(market.Paris), want)
		}
	}
	status := b.status(market.DayAheadPrices)
	if status.State != report.StateOK || len(status.Missing) > 0 {
		t.Errorf("state %s, missing %v", status.State, status.Missing)
	}
	// ENTSO-E is asked on, and what it gives is served.
	b.market.dates(market.FeedDayAheadPrices)
	b.pricesOf(func(quarter int) float64 { return plain(quarter) + 0.5 })
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	// Today too, which nothing has asked for since the start.
	if asked := b.market.dates(market.FeedDayAheadPrices); !slices.Equal(asked, []string{"2026-11-20", "2026-11-21"}) {
		t.Errorf("ENTSO-E is asked for %v", asked)
	}
	if source, price, rows := b.served("2026-11-21"); source != market.FromENTSOE || price != 0.5 || rows != 96 {
		t.Errorf("%d prices, the first %v from %s", rows, price, source)
	}
	var revisions []store.Revision
	for r, err := range b.db.Revisions(t.Context(), market.DayAheadPrices, date(t, "2026-11-21"), date(t, "2026-11-21"), store.RevisionAt{}) {
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, r)
	}
	if len(revisions) != 96 || revisions[0].Old.Number != market.Num(0) || revisions[0].New.Number != market.Num(0.5) || revisions[0].Series != "PT15M" {
		t.Errorf("%d revisions", len(revisions))
	}
	current, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := report.Instant(b.clock.Now().Truncate(time.Millisecond).UTC())
	// ENTSO-E's correction of today, which is not over, is served too.
	want := []report.Difference{
		{Date: date(t, "2026-11-20"), Between: "ENTSO-E/RTE", Quarters: 96, LargestEURMWh: 0.5, SeenAt: seen}, {Date: date(t, "2026-11-21"), Between: "ENTSO-E/RTE", Quarters: 96, LargestEURMWh: 0.5, SeenAt: seen},
	}
	if !slices.Equal(want, current.PriceDifferences) {
		t.Errorf("differences %+v, want %+v", current.PriceDifferences, want)
	}
}

// pricesOfToday has ENTSO-E give everything up to today.
func (b *bench) pricesOfToday() {
	b.t.Helper()
	nothing := b.market.prices
	b.pricesOf(plain)
	if _, err := b.runDates(market.FeedDayAheadPrices, b.today().Add(-34).String(), b.today().String()); err != nil {
		b.t.Fatal(err)
	}
	b.market.prices = nothing
}

func TestExchangePricesAreServedForTodayWhileENTSOEHasNone(t *testing.T) {
	t.Parallel()
	b, e := withExchange(t, "2026-11-20 08:00")
	feed := b.feed(market.FeedExchangePrices)
	for range 2 {
		next := b.job(t.Context(), feed)
		b.clock.Advance(next.Sub(b.clock.Now()))
	}
	if source, _, rows := b.served("2026-11-20"); source != market.FromRTE || rows != 96 || e.asked != 1 {
		t.Errorf("asked %d times, %d rows from %s", e.asked, rows, source)
	}
}

func TestExchangePricesAreComparedWithThoseOfENTSOE(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		off  float64
		want int
	}{{"the same", 0, 0}, {"a cent off", 0.01, 0}, {"more", 0.02, 96}} {
		t.Run(row.name, func(t *testing.T) {
			b, e := withExchange(t, "2026-11-20 14:30")
			b.pricesOf(plain)
			b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
			e.at = func(quarter int) float64 { return plain(quarter) + row.off }
			b.job(t.Context(), b.feed(market.FeedExchangePrices))
			if source, price, rows := b.served("2026-11-21"); source != market.FromENTSOE || price != 0 || rows != 96 {
				t.Errorf("%d prices, the first %v from %s", rows, price, source)
			}
			report, err := b.Report(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			quarters := 0
			for _, d := range report.PriceDifferences {
				quarters += d.Quarters
			}
			if quarters != row.want {
				t.Errorf("%d quarters differ, want %d", quarters, row.want)
			}
		})
	}
}

func TestACorrectionOfENTSOEThatIsReadAtNightIsCompared(t *testing.T) {
	b, e := withExchange(t, "2026-11-20 14:30")
	var log bytes.Buffer
	b.log = slog.New(slog.NewTextHandler(&log, nil))
	b.pricesOf(plain)
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	e.at = plain
	b.job(t.Context(), b.feed(market.FeedExchangePrices))
	b.jobsUntil(market.FeedDayAheadPrices, "2026-11-22 02:00")
	log.Reset()
	b.pricesOf(func(quarter int) float64 { return plain(quarter) + b2f(quarter < 10) })
	b.jobsUntil(market.FeedDayAheadPrices, "2026-11-22 04:00")
	report, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := report.PriceDifferences; len(d) != 1 || d[0].Date != date(t, "2026-11-21") || d[0].Quarters != 10 || d[0].LargestEURMWh != 1 {
		t.Errorf("differences %+v", d)
	}
	if said := "date=2026-11-21 quarters=10 largest_eur_mwh=1"; strings.Count(log.String(), said) != 1 {
		t.Errorf("the log does not say %q once:\n%s", said, log.String())
	}
}

func TestExchangePricesDoNotCountAsAReplyOfENTSOE(t *testing.T) {
	t.Parallel()
	b, e := withExchange(t, "2026-11-20 14:30")
	b.market.prices = func(market.Period) (replyOfPrices, error) {
		return replyOfPrices{}, &source.Fault{Source: "ENTSO-E", Status: 503, Message: "Service Unavailable", Retryable: true}
	}
	b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	b.clock.Advance(time.Minute)
	b.job(t.Context(), b.feed(market.FeedExchangePrices))
	got := b.status(market.DayAheadPrices)
	if e.asked != 1 || got.LastSuccessAt != nil || got.LastError == nil || !strings.Contains(*got.LastError, "503") || got.LastChangeAt == nil {
		t.Errorf("asked %d times, status %+v", e.asked, got)
	}
}

func TestFlatExchangePricesAreRefused(t *testing.T) {
	t.Parallel()
	b, e := withExchange(t, "2026-11-20 14:30")
	e.at = func(int) float64 { return 0 }
	b.job(t.Context(), b.feed(market.FeedExchangePrices))
	report, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, rows := b.served("2026-11-21"); rows != 0 || len(report.Quarantine) != 0 {
		t.Errorf("%d rows, waiting %v", rows, report.Quarantine)
	}
}

func TestExchangesThatAreNotSubscribedToAreLeftAloneUntilTheirHoursBegin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ refused, again string }{
		{"2026-11-20 00:00", "2026-11-20 13:45"},
		{"2026-11-20 13:44", "2026-11-20 13:45"},
		{"2026-11-20 13:45", "2026-11-21 13:45"},
		{"2026-11-20 14:30", "2026-11-21 13:45"},
	} {
		t.Run(row.refused, func(t *testing.T) {
			b, e := withExchange(t, row.refused)
			e.fault = &source.Fault{Source: "RTE", Call: "france_power_exchanges", Status: 403, Message: "the application is not subscribed"}
			next := b.job(t.Context(), b.feed(market.FeedExchangePrices))
			if at := paris(t, row.again); e.asked != 1 || next.Before(at) || next.After(at.Add(time.Minute)) {
				t.Errorf("asked %d times, again at %s", e.asked, next.In(market.Paris))
			}
		})
	}
}
