package api

import (
	"courant/store"
	"courant/store/market"
)

// energyHead is what the answers of aFRR and mFRR energy begin with, beside what is known of their window.
type energyHead struct {
	stepSeconds int64
	up, down    market.Mean // of the date's prices, EUR/MWh
}

// energyHead writes the members about the latest delivery date.
func (w *jsonWriter) energyHead(window store.Window, head energyHead) {
	w.key("latestDeliveryDateParis").date(window.Last)
	w.key(fetchedKey).timestamp(window.FetchedAt)
	if n := window.Rows.Len(); n == 0 {
		w.key("latestPeriodStartUtc").null()
		w.key("latestPeriodEndUtc").null()
	} else {
		w.key("latestPeriodStartUtc").instant(window.Rows.Starts[n-1])
		w.key("latestPeriodEndUtc").instant(window.Rows.Ends[n-1])
	}
	w.key("resolutionSeconds").integer(int(head.stepSeconds))
	w.key("rowCount").integer(window.Rows.Len())
	w.key("averageUpwardPrice").number(head.up.Number())
	w.key("averageDownwardPrice").number(head.down.Number())
}
