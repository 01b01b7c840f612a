package ingest

import (
	"context"
	"slices"

	"courant/store"
	"courant/store/market"
)

// logDifferences logs the delivery dates in the period on which two publications of prices differ.
func (f *Feeds) logDifferences(ctx context.Context, period market.Period) {
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

// compared is the dataset that a second source brings too: the prices.
var compared = func() market.Dataset {
	feeds := market.Feeds()
	return feeds[slices.IndexFunc(feeds, func(feed market.Feed) bool { return feed.Secondary })].Datasets[0]
}()

// rereadDiffering asks ENTSO-E again at once for the delivery dates, today and tomorrow, whose prices differ from those of
// the exchanges; once for each difference. feed is the one whose job is running.
func (f *Feeds) rereadDiffering(ctx context.Context, feed *feed) {
	prices := f.primary[compared]
	if _, blocked := prices.blockedUntil(); blocked || prices.isOff() || ctx.Err() != nil {
		return
	}
	if feed != prices {
		if !prices.busy.TryLock() {
			return // its own job is running, and does this at its end
		}
		defer prices.busy.Unlock()
	}
	today := f.today()
	differences, err := f.store.PriceDifferences(ctx, today)
	var asked map[market.DeliveryDate]store.FetchHistory
	if err == nil {
		asked, err = f.asked(ctx, prices, compared, today, today.Add(1))
	}
	if err != nil {
		f.log.Error("differing prices not read again", "error", oneLine(err))
		return
	}
	due := map[market.DeliveryDate]bool{}
	for _, d := range differences {
		if a, was := asked[d.Date]; was && a.Whole.Before(d.Seen) {
			due[d.Date] = true
		}
	}
	if len(due) > 0 {
		_, _ = f.runAll(ctx, prices, planDates(prices, due)) // runAll logs and records what fails
	}
}
