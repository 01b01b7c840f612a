package api

import (
	"time"

	"courant/store"
	"courant/store/market"
)

// pricesBody answers /api/day-ahead-prices: every quarter hour of the window, EUR/MWh.
func pricesBody(window store.Window[market.Price]) []byte {
	quarters := market.Quarters(window.Rows)
	const bytesPerRow = 128
	w := jsonWriter{bytes: make([]byte, 0, len(quarters)*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for _, q := range quarters {
		w.open('{')
		w.key("hour_start_utc").instant(q.Start)
		w.key("hour_end_utc").instant(q.Start + market.QuarterSeconds)
		w.key("price_eur_mwh").number(q.Price)
		w.close('}')
	}
	w.close(']')
	var earliest market.DeliveryDate
	if len(quarters) > 0 {
		earliest = market.DeliveryDateOf(time.Unix(quarters[0].Start, 0))
	}
	w.key("latestDate").date(window.Last)
	w.key("earliestDate").date(earliest)
	w.close('}')
	return w.bytes
}
