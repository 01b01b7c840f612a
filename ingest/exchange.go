package ingest

import (
	"context"
	"time"

	"courant/store/market"
)

// exchangeWindowDays is today and tomorrow: the exchange gives one of them, without being asked which.
const exchangeWindowDays = 2

// exchangeSchedule begins 45 minutes after the prices are out: what ENTSO-E has not given then, the exchange stands in
// for. Until it has given tomorrow's prices, it is asked every ten minutes.
var exchangeSchedule = Schedule{Every: 10 * time.Minute, FromMinute: 13*60 + 45, ToMinute: 18 * 60}

// exchangeDue is what a run of the exchange's feed that begins now asks for: tomorrow's prices once it is time, to stand
// in or to be compared with, and before that today's where nobody has given them.
func (f *Feeds) exchangeDue(ctx context.Context, feed *feed, now time.Time) ([]window, error) {
	today := market.DeliveryDateOf(now)
	lacks, err := f.exchangeLacks(ctx, now)
	if err != nil || !lacks {
		return nil, err
	}
	return feed.plan(today, today.Add(1)), nil
}

func (f *Feeds) exchangeLacks(ctx context.Context, now time.Time) (bool, error) {
	today := market.DeliveryDateOf(now)
	if now.Before(minutesLater(today, exchangeSchedule.FromMinute)) {
		holdings, err := f.holdings(ctx, market.DayAheadPrices, today, today)
		return !holdings[today].whole(), err
	}
	tomorrow := today.Add(1)
	coverage, err := f.store.Coverage(ctx, market.DayAheadPrices, tomorrow, tomorrow)
	return coverage[tomorrow][market.PriceSeries(market.PT15M, market.FromRTE)] < tomorrow.Steps(market.QuarterSeconds), err
}

// sayDifferences logs the delivery dates in the period of which two publications of prices do not agree.
func (f *Feeds) sayDifferences(ctx context.Context, period market.Period) {
	dates := period.Dates()
	differences, err := f.store.PriceDifferences(ctx, dates[0])
	if err != nil {
		f.log.Error("prices not compared", "error", oneLine(err))
		return
	}
	for _, d := range differences {
		if d.Date.After(dates[len(dates)-1]) {
			return
		}
		f.log.Warn("prices differ", "date", d.Date.String(), "quarters", d.Quarters, "largest_eur_mwh", d.Largest,
			"between", d.Between)
	}
}
