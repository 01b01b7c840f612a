package api

import (
	"courant/store"
	"courant/store/market"
)

// recentSteps is how many of the newest are listed.
const recentSteps = 50

// afrrBody answers /api/afrr-energy: the latest delivery date's newest 4 s steps, and all of it in 5 min.
func afrrBody(window store.Window[market.AFRRStep]) []byte {
	rows := window.Rows
	var up, down market.Mean
	for _, row := range rows {
		up.Add(row.UpwardPrice)
		down.Add(row.DownwardPrice)
	}
	var newest int64
	if len(rows) > 0 {
		newest = rows[len(rows)-1].Start
	}
	var w jsonWriter
	w.open('{')
	w.energyHead(window.Last, window.FetchedAt, energyHead{rows: len(rows), stepSeconds: market.AFRRSeconds, up: up, down: down, newest: newest})
	w.key("latestRow")
	if len(rows) == 0 {
		w.null()
	} else {
		writeAFRR(&w, rows[len(rows)-1])
	}
	w.key("recentRows").open('[')
	for i := len(rows) - 1; i >= max(0, len(rows)-recentSteps); i-- {
		writeAFRR(&w, rows[i])
	}
	w.close(']')
	w.key("chartRows").open('[')
	for _, bucket := range market.AFRRBuckets(rows) {
		w.open('{')
		w.key("bucket_start_utc").instant(bucket.Start)
		w.key("bucket_end_utc").instant(bucket.Start + market.BucketSeconds)
		w.key("upward_price_eur_mwh").number(bucket.UpwardPrice.Mean)
		w.key("downward_price_eur_mwh").number(bucket.DownwardPrice.Mean)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.bytes
}

func writeAFRR(w *jsonWriter, row market.AFRRStep) {
	w.open('{')
	w.key("period_start_utc").instant(row.Start)
	w.key("period_end_utc").instant(row.Start + market.AFRRSeconds)
	w.key("upward_price_eur_mwh").number(row.UpwardPrice)
	w.key("downward_price_eur_mwh").number(row.DownwardPrice)
	w.key("pdemand_mw").number(row.DemandMW)
	w.key("afrr_for_france_mw").number(row.ForFranceMW)
	w.key("afrr_in_france_mw").number(row.InFranceMW)
	w.key("picasso_connection").flag(row.PicassoConnection)
	w.key("prorata_mode").flag(row.ProrataMode)
	w.close('}')
}
