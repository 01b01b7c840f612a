package rte

import (
	"io"

	"courant/ingest/source"
	"courant/store"
)

// exchangeResolutions are the lengths of the steps for which the exchange may have a price, in seconds.
var exchangeResolutions = map[int64]store.Resolution{900: store.PT15M, 1800: store.PT30M, 3600: store.PT60M}

type exchangeKey struct {
	start      int64
	resolution store.Resolution
}

// DecodePowerExchanges reads a reply of france_power_exchanges v3: the day-ahead prices of one delivery date, EUR/MWh,
// and the volumes exchanged, which are left out. A step whose price is null is not published yet.
func DecodePowerExchanges(body io.Reader, window store.Period) (source.Reply[store.Price], error) {
	var reply source.Reply[store.Price]
	steps := newSteps[store.Price, exchangeKey](&reply)
	d := newDocument(body, reply.UnknownKey)
	err := d.root("france_power_exchanges", func() error {
		return d.array(func() error {
			return d.object(func(key string) (bool, error) {
				switch key {
				case "values":
					return true, d.array(func() error { return decodeExchange(d, window, &reply, steps) })
				case "start_date", "end_date", "updated_date":
					return true, d.json.Skip()
				}
				return false, nil
			})
		})
	})
	if err != nil {
		return source.Reply[store.Price]{}, err
	}
	steps.finish()
	return reply, nil
}

func decodeExchange(d *document, window store.Period, reply *source.Reply[store.Price], steps *steps[store.Price, exchangeKey]) error {
	row := store.Price{Source: store.FromRTE}
	var end int64
	var hasStart, hasEnd bool
	var bad string
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "start_date":
			return true, d.instant(&row.Start, &hasStart, &bad)
		case "end_date":
			return true, d.instant(&end, &hasEnd, &bad)
		case "price":
			return true, d.number(&row.Price, &bad)
		case "value":
			return true, d.json.Skip()
		}
		return false, nil
	})
	switch {
	case err != nil:
		return err
	case !hasStart:
		reply.Refusals.RefuseAll(store.DayAheadPrices, window, "a value has no start: %s", orMissing(bad))
		return nil
	case !window.Holds(row.Start):
		return nil
	case !hasEnd && bad == "":
		bad = "the end is missing"
	case bad == "":
		var known bool
		row.Resolution, known = exchangeResolutions[end-row.Start]
		if !known || row.Start%row.Resolution.Seconds() != 0 {
			bad = "it is neither a quarter, nor half, nor a whole hour"
		}
	}
	if bad == "" && !row.Price.Valid {
		return nil
	}
	steps.add(store.DayAheadPrices, row.Start, exchangeKey{row.Start, row.Resolution}, row, bad)
	return nil
}
