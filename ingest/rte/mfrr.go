package rte

import (
	"fmt"
	"io"

	"courant/ingest/source"
	"courant/store/market"
)

// energyDirections are RTE's words for the directions in which energy is activated.
var energyDirections = map[string]market.Direction{
	"UPWARD": market.Upward, "DOWNWARD": market.Downward, "UP": market.Upward, "DOWN": market.Downward,
}

var mfrrShape = shape[market.MFRRStep]{
	numbers: mfrrNumbers,
	updated: func(r *market.MFRRStep) *int64 { return &r.Updated },
	series:  func(r *market.MFRRStep) (string, int64) { return string(r.Direction), market.QuarterSeconds },
}

// mfrrColumns are RTE's names of a row's numbers, in lower case, with their index in mfrrNumbers.
var mfrrColumns = map[string]int{
	"clearing_price": 0, "settlement_price_current": 1, "settlement_price_previous": 2,
	"total_requested_volume_sa": 3, "total_requested_volume_da": 4, "total_satisfied_need_sa": 5, "total_satisfied_need_da": 6,
	"total_activated_volume_sa": 7, "total_activated_volume_da": 8, "total_volume_submitted_offers": 9, "total_volume_filtered_offers": 10,
}

func mfrrNumbers(r *market.MFRRStep) []*market.Number {
	return []*market.Number{
		&r.ClearingPrice, &r.SettlementPriceCurrent, &r.SettlementPricePrevious,
		&r.RequestedVolumeSAMW, &r.RequestedVolumeDAMW, &r.SatisfiedNeedSAMW, &r.SatisfiedNeedDAMW,
		&r.ActivatedVolumeSAMW, &r.ActivatedVolumeDAMW, &r.SubmittedOffersMW, &r.FilteredOffersMW,
	}
}

type mfrrKey struct {
	start     int64
	direction market.Direction
}

// DecodeStandardMFRR reads a reply of standard_mfrr_data v5: rows of a quarter hour and a direction, in any order, most of
// whose values are null or absent. Scheduled and direct activation may come in rows of their own.
func DecodeStandardMFRR(body io.Reader, window market.Period) (source.Reply[market.MFRRStep], error) {
	return decode(body, window, mfrrShape, "mari", func(d *document, steps *steps[market.MFRRStep, mfrrKey]) error {
		if d.isNull() {
			return d.json.Null()
		}
		return d.object(func(key string) (bool, error) {
			switch key {
			case "mari_mesures":
				return true, d.array(func() error { return decodeMFRR(d, steps) })
			case "start_date", "end_date", "resolution":
				return true, d.json.Skip()
			}
			return false, nil
		})
	})
}

func decodeMFRR(d *document, steps *steps[market.MFRRStep, mfrrKey]) error {
	var row market.MFRRStep
	var period rowPeriod
	var badKey, badValue, direction string
	values := mfrrNumbers(&row)
	err := d.object(func(key string) (_ bool, err error) {
		if column, is := mfrrColumns[key]; is {
			return true, d.number(values[column], &badValue)
		}
		switch key {
		case "update_date", "updated_date":
			return true, d.update(&row.Updated)
		case "direction":
			direction, err = d.upperWord(&badKey)
			return true, err
		}
		return period.field(d, key)
	})
	if err != nil {
		return err
	}
	start, taken := steps.startOf(market.MFRREnergy, period, "a row")
	if !taken {
		return nil
	}
	way, known := energyDirections[direction]
	row.Start, row.Direction = start, way
	switch {
	case badKey != "":
	case direction == "":
		badKey = "the direction is missing"
	case !known:
		badKey = fmt.Sprintf("direction %.40q is not known", direction)
	}
	steps.addQuarter(market.MFRREnergy, period, mfrrKey{start, way}, row, row.Updated, badKey, badValue)
	return nil
}
