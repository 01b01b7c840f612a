package api

import (
	"time"

	"courant/store/market"
)

// energyHead is the members about the latest delivery date with which the answers of aFRR and mFRR energy begin.
type energyHead struct {
	rows        int
	stepSeconds int64
	newest      int64       // start of the newest period, seconds UTC; 0 if there are no rows
	up, down    market.Mean // of the date's prices, EUR/MWh
}

// energyHead writes the members of the head.
func (w *jsonWriter) energyHead(last market.DeliveryDate, fetchedAt time.Time, head energyHead) {
	w.key("latestDeliveryDateParis").date(last)
	w.key(fetchedKey).timestamp(fetchedAt)
	if head.rows == 0 {
		w.key("latestPeriodStartUtc").null()
		w.key("latestPeriodEndUtc").null()
	} else {
		w.key("latestPeriodStartUtc").instant(head.newest)
		w.key("latestPeriodEndUtc").instant(head.newest + head.stepSeconds)
	}
	w.key("resolutionSeconds").integer(int(head.stepSeconds))
	w.key("rowCount").integer(head.rows)
	w.key("averageUpwardPrice").number(head.up.Number())
	w.key("averageDownwardPrice").number(head.down.Number())
}
