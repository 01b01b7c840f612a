package ingest

import (
	"context"

	"courant/store/market"
)

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
