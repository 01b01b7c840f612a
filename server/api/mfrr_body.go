package api

import (
	"courant/store"
	"courant/store/market"
)

// mfrrQuarter is a quarter hour's clearing prices, EUR/MWh.
type mfrrQuarter struct {
	start    int64 // seconds UTC
	up, down market.Number
}

// mfrrBody answers /api/mfrr-energy: the latest delivery date, by quarter hour and by direction.
func mfrrBody(window store.Window[market.MFRRStep]) []byte {
	var up, down market.Mean
	var quarters []mfrrQuarter
	for _, row := range window.Rows {
		if len(quarters) == 0 || quarters[len(quarters)-1].start != row.Start {
			quarters = append(quarters, mfrrQuarter{start: row.Start})
		}
		quarter := &quarters[len(quarters)-1]
		if row.Direction == market.Upward {
			up.Add(row.ClearingPrice)
			quarter.up = row.ClearingPrice
		} else {
			down.Add(row.ClearingPrice)
			quarter.down = row.ClearingPrice
		}
	}
	var newest int64
	if len(quarters) > 0 {
		newest = quarters[len(quarters)-1].start
	}
	var w jsonWriter
	w.open('{')
	w.energyHead(window.Last, window.FetchedAt, energyHead{rows: len(window.Rows), stepSeconds: market.QuarterSeconds, up: up, down: down, newest: newest})
	writeNewest(w.key("latestUpwardRow"), window.Rows, market.Upward)
	writeNewest(w.key("latestDownwardRow"), window.Rows, market.Downward)
	w.key("recentRows").open('[')
	for i := len(quarters) - 1; i >= max(0, len(quarters)-recentSteps); i-- {
		writeQuarter(&w, quarters[i])
	}
	w.close(']')
	w.key("chartRows").open('[')
	for _, quarter := range quarters {
		writeQuarter(&w, quarter)
	}
	w.close(']')
	w.close('}')
	return w.bytes
}

// writeNewest writes the direction's newest row that carries a value, else its newest, else null.
func writeNewest(w *jsonWriter, rows []market.MFRRStep, direction market.Direction) {
	var newest *market.MFRRStep
	for i := range rows {
		if rows[i].Direction == direction && (newest == nil || market.MFRR.HasValue(&rows[i]) || !market.MFRR.HasValue(newest)) {
			newest = &rows[i]
		}
	}
	if newest == nil {
		w.null()
		return
	}
	w.open('{')
	w.key("period_start_utc").instant(newest.Start)
	w.key("period_end_utc").instant(newest.Start + market.QuarterSeconds)
	w.key("direction").text(string(newest.Direction))
	w.key("clearing_price_eur_mwh").number(newest.ClearingPrice)
	w.key("settlement_price_current_eur_mwh").number(newest.SettlementPriceCurrent)
	w.key("settlement_price_previous_eur_mwh").number(newest.SettlementPricePrevious)
	w.key("total_requested_volume_sa_mw").number(newest.RequestedVolumeSAMW)
	w.key("total_requested_volume_da_mw").number(newest.RequestedVolumeDAMW)
	w.key("total_satisfied_need_sa_mw").number(newest.SatisfiedNeedSAMW)
	w.key("total_satisfied_need_da_mw").number(newest.SatisfiedNeedDAMW)
	w.key("total_activated_volume_sa_mw").number(newest.ActivatedVolumeSAMW)
	w.key("total_activated_volume_da_mw").number(newest.ActivatedVolumeDAMW)
	w.key("total_volume_submitted_offers_mw").number(newest.SubmittedOffersMW)
	w.key("total_volume_filtered_offers_mw").number(newest.FilteredOffersMW)
	w.close('}')
}

func writeQuarter(w *jsonWriter, quarter mfrrQuarter) {
	w.open('{')
	w.key("period_start_utc").instant(quarter.start)
	w.key("period_end_utc").instant(quarter.start + market.QuarterSeconds)
	w.key("upward_price_eur_mwh").number(quarter.up)
	w.key("downward_price_eur_mwh").number(quarter.down)
	w.close('}')
}
