package rte

import (
	"io"

	"courant/ingest/source"
	"courant/store/market"
)

// exchangeResolutions are the known lengths of the exchange's periods, in seconds.
var exchangeResolutions = map[int64]market.Resolution{900: market.PT15M, 1800: market.PT30M, 3600: market.PT60M}

var exchangeShape = shape[market.Price]{
	oneDate: true,
	numbers: func(r *market.Price) []*market.Number { return []*market.Number{&r.Price} },
	series:  func(r *market.Price) (string, int64) { return string(r.Resolution), r.Resolution.Seconds() },
}

type exchangeKey struct {
	start      int64
	resolution market.Resolution
}

// exchangeValue is one element of a block's values. The time of the block's last update may come after it in the reply.
type exchangeValue struct {
	row    market.Price
	period rowPeriod
	bad    string // what is wrong with the price
}

// DecodePowerExchanges reads a reply of france_power_exchanges v3: the day-ahead prices of one delivery date, EUR/MWh,
// and the volumes exchanged, which are left out. A period whose price is null is not published yet.
func DecodePowerExchanges(body io.Reader, window market.Period) (source.Reply[market.Price], error) {
	return decode(body, window, exchangeShape, "france_power_exchanges", func(d *document, steps *steps[market.Price, exchangeKey]) error {
		return d.array(func() error { return decodeExchanges(d, steps) })
	})
}

func decodeExchanges(d *document, steps *steps[market.Price, exchangeKey]) error {
	var values []exchangeValue
	var updated int64
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "values":
			return true, d.array(func() error {
				value, err := decodeExchange(d)
				values = append(values, value)
				return err
			})
		case "update_date", "updated_date":
			return true, d.update(&updated)
		case "start_date", "end_date":
			return true, d.json.Skip()
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	for i := range values {
		addExchange(&values[i], updated, steps)
	}
	return nil
}

func decodeExchange(d *document) (exchangeValue, error) {
	v := exchangeValue{row: market.Price{Source: market.FromRTE}}
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "price":
			return true, d.number(&v.row.Price, &v.bad)
		case "value":
			return true, d.json.Skip()
		}
		return v.period.field(d, key)
	})
	return v, err
}

func addExchange(v *exchangeValue, updated int64, steps *steps[market.Price, exchangeKey]) {
	start, taken := steps.startOf(market.DayAheadPrices, v.period, "a value")
	if !taken {
		return
	}
	bad, end := v.bad, v.period.end
	resolution, known := exchangeResolutions[end.At-start]
	switch {
	case bad != "":
	case end.Fault != "":
		bad = end.Fault
	case !end.Good:
		bad = "the end is missing"
	case !known || start%resolution.Seconds() != 0:
		bad = "it is neither a quarter, nor half, nor a whole hour"
	case !v.row.Price.Valid:
		return
	}
	if bad != "" {
		steps.spoil(market.DayAheadPrices, steps.dateOf(start), "%s: %s", source.InstantText(start), bad)
		return
	}
	v.row.Start, v.row.Resolution = start, resolution
	steps.add(market.DayAheadPrices, start, exchangeKey{start, resolution}, v.row, updated)
}
