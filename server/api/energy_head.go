package api

import (
	"time"

	"courant/store/market"
)

// energyHead is what the answers of both energies begin with, about the latest delivery date.
type energyHead struct {
	rows        int
	stepSeconds int64
	newest      int64 // start of the newest period, seconds UTC, if there are rows
	up, down    market.Mean
}

func (w *jsonWriter) energyHead(last market.DeliveryDate, fetchedAt time.Time, head energyHead) {
	w.key("latestDeliveryDateParis").date(last)
	w.key(fetchedKey).fetched(fetchedAt)
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
