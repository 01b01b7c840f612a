package api

import (
	"cmp"
	"slices"

	"courant/store"
	"courant/store/market"
)

// productTypes are the names of the reserves in the API.
var productTypes = map[market.Dataset]string{market.FCRCapacity: "FCR", market.AFRRCapacity: "aFRR", market.MFRRCapacity: "mFRR"}

// capacityRow is one row of the API: an hour, or a quarter of one that could not be made an hour.
type capacityRow struct {
	step      market.CapacityStep // the first or only one
	seconds   int64
	perMWAndH market.Number
}

const (
	hourSeconds     = 3600
	quartersPerHour = hourSeconds / market.QuarterSeconds
)

// capacityBody answers one of the three capacity endpoints; prices are EUR per MW and hour.
func capacityBody(window store.Window[market.CapacityStep]) []byte {
	rows := capacityRows(window.Rows)
	const bytesPerRow = 320
	w := jsonWriter{bytes: make([]byte, 0, len(rows)*bytesPerRow+bytesPerRow)}
	w.open('{')
	w.key("rows").open('[')
	for _, row := range rows {
		writeCapacity(&w, row)
	}
	w.close(']')
	w.key(fetchedKey).fetched(window.FetchedAt)
	w.close('}')
	return w.bytes
}

func writeCapacity(w *jsonWriter, row capacityRow) {
	step := row.step
	w.open('{')
	w.key("period_start_utc").instant(step.Start)
	w.key("period_end_utc").instant(step.Start + row.seconds)
	if step.Dataset == market.FCRCapacity {
		w.key("volume_mw").number(step.ContractedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("price").number(row.perMWAndH)
		w.key("direction").text(string(step.Direction))
		w.key("product_type").text(productTypes[step.Dataset])
	} else {
		w.key("direction").text(string(step.Direction))
		w.key("price").number(row.perMWAndH)
		w.key("product_type").text(productTypes[step.Dataset])
		w.key("offered_volume_mw").number(step.OfferedMW)
		w.key("contracted_volume_mw").number(step.ContractedMW)
	}
	w.key("time_horizon").textOrNull(step.TimeHorizon)
	w.close('}')
}

// capacityRows makes one row of the four steps of a clock hour where all four are there, none lacks its price and both
// volumes are the same in all; the steps of another hour stay as they are, priced for an hour.
func capacityRows(steps []market.CapacityStep) []capacityRow {
	sorted := slices.Clone(steps)
	slices.SortFunc(sorted, func(a, b market.CapacityStep) int {
		return cmp.Or(
			cmp.Compare(hourOf(a), hourOf(b)), compareSeries(a, b), cmp.Compare(a.Start, b.Start),
		)
	})
	var rows []capacityRow
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && hourOf(sorted[n]) == hourOf(sorted[0]) && compareSeries(sorted[n], sorted[0]) == 0 {
			n++
		}
		rows = append(rows, foldHour(sorted[:n])...)
		sorted = sorted[n:]
	}
	slices.SortStableFunc(rows, func(a, b capacityRow) int {
		return cmp.Or(cmp.Compare(a.step.Start, b.step.Start), compareSeries(a.step, b.step))
	})
	return rows
}

func hourOf(step market.CapacityStep) int64 { return step.Start - step.Start%hourSeconds }

// compareSeries orders what is sold for one period: UPWARD before DOWNWARD, then by time horizon and RTE's product.
func compareSeries(a, b market.CapacityStep) int {
	return cmp.Or(
		-cmp.Compare(a.Direction, b.Direction), // the other way round from the alphabet
		cmp.Compare(a.TimeHorizon, b.TimeHorizon), cmp.Compare(a.Product, b.Product),
	)
}

// foldHour takes the steps of one series in one hour.
func foldHour(steps []market.CapacityStep) []capacityRow {
	first := steps[0]
	whole := len(steps) == quartersPerHour
	var sum market.Micro
	for _, step := range steps {
		whole = whole && step.Price.Valid && step.OfferedMW == first.OfferedMW && step.ContractedMW == first.ContractedMW
		sum += market.MicroOf(step.Price.V)
	}
	if whole {
		return []capacityRow{{step: first, seconds: hourSeconds, perMWAndH: sum.Number()}}
	}
	rows := make([]capacityRow, 0, len(steps))
	for _, step := range steps {
		row := capacityRow{step: step, seconds: market.QuarterSeconds}
		if step.Price.Valid {
			row.perMWAndH = (quartersPerHour * market.MicroOf(step.Price.V)).Number()
		}
		rows = append(rows, row)
	}
	return rows
}
