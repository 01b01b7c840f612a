package rte

import (
	"fmt"
	"io"

	"courant/ingest/source"
	"courant/store"
)

// energyDirections are RTE's words for the ways in which energy is activated.
var energyDirections = map[string]store.Direction{"UPWARD": store.Upward, "DOWNWARD": store.Downward}

type mfrrKey struct {
	start     int64
	direction store.Direction
}

// DecodeStandardMFRR reads a reply of standard_mfrr_data v5: two rows a quarter hour, one a direction, in any order,
// most of whose values are null or absent.
func DecodeStandardMFRR(body io.Reader, window store.Period) (source.Reply[store.MFRRStep], error) {
	var reply source.Reply[store.MFRRStep]
	steps := newSteps[store.MFRRStep, mfrrKey](&reply)
	d := newDocument(body, reply.UnknownKey)
	err := d.root("mari", func() error {
		if d.isNull() {
			return d.json.Null()
		}
		return d.object(func(key string) (bool, error) {
			switch key {
			case "mari_mesures":
				return true, d.array(func() error { return decodeMFRR(d, window, &reply, steps) })
			case "start_date", "end_date", "resolution":
				return true, d.json.Skip()
			}
			return false, nil
		})
	})
	if err != nil {
		return source.Reply[store.MFRRStep]{}, err
	}
	steps.finish()
	return reply, nil
}

func decodeMFRR(d *document, window store.Period, reply *source.Reply[store.MFRRStep], steps *steps[store.MFRRStep, mfrrKey]) error {
	var row store.MFRRStep
	var end int64
	var hasStart, hasEnd bool
	var bad string
	values := map[string]*store.Number{
		"clearing_price":                &row.ClearingPrice,
		"settlement_price_current":      &row.SettlementPriceCurrent,
		"settlement_price_previous":     &row.SettlementPricePrevious,
		"total_requested_volume_sa":     &row.RequestedVolumeSAMW,
		"total_requested_volume_da":     &row.RequestedVolumeDAMW,
		"total_satisfied_need_sa":       &row.SatisfiedNeedSAMW,
		"total_satisfied_need_da":       &row.SatisfiedNeedDAMW,
		"total_activated_volume_sa":     &row.ActivatedVolumeSAMW,
		"total_activated_volume_da":     &row.ActivatedVolumeDAMW,
		"total_volume_submitted_offers": &row.SubmittedOffersMW,
		"total_volume_filtered_offers":  &row.FilteredOffersMW,
	}
	err := d.object(func(key string) (bool, error) {
		if value, is := values[key]; is {
			return true, d.number(value, &bad)
		}
		switch key {
		case "start_date":
			return true, d.instant(&row.Start, &hasStart, &bad)
		case "end_date":
			return true, d.instant(&end, &hasEnd, &bad)
		case "direction":
			text, err := d.text(&bad)
			direction, known := energyDirections[string(text)]
			if !known && len(text) > 0 {
				bad = fmt.Sprintf("direction %.40q is not known", text)
			}
			row.Direction = direction
			return true, err
		}
		return false, nil
	})
	switch {
	case err != nil:
		return err
	case !hasStart:
		reply.Refusals.RefuseAll(store.MFRREnergy, window, "a row has no start: %s", orMissing(bad))
		return nil
	case !window.Holds(row.Start):
		return nil
	case bad == "" && row.Direction == "":
		bad = "the direction is missing"
	case bad == "" && (row.Start%store.QuarterSeconds != 0 || hasEnd && end != row.Start+store.QuarterSeconds):
		bad = "it is not a quarter hour"
	}
	steps.add(store.MFRREnergy, row.Start, mfrrKey{row.Start, row.Direction}, row, bad)
	return nil
}
