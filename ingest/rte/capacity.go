package rte

import (
	"fmt"
	"io"

	"courant/ingest/source"
	"courant/store"
)

// reserves says which dataset a block of result_procured_reserves belongs to. RR is a reserve of its own and left out.
var reserves = map[string]store.Dataset{"FCR": store.FCRCapacity, "AFRR": store.AFRRCapacity, "MFRR": store.MFRRCapacity}

const leftOut = "RR"

// capacityDirections are RTE's words for the ways in which capacity is procured.
var capacityDirections = map[string]store.Direction{"UP": store.Upward, "DOWN": store.Downward, "UP_DOWN": store.Symmetric}

// capacityValue is one element of a block's values. Its block's reserve may stand behind it in the reply.
type capacityValue struct {
	step       store.CapacityStep
	end        int64
	start, due bool // whether the start and the end were there
	bad        string
}

// DecodeProcuredReserves reads a reply of result_procured_reserves v5: blocks of quarter hours by reserve and product,
// in any order. A reserve that is not published yet is simply not there. Prices are EUR/MW for the 15 min.
func DecodeProcuredReserves(body io.Reader, window store.Period) (source.Reply[store.CapacityStep], error) {
	var reply source.Reply[store.CapacityStep]
	steps := newSteps[store.CapacityStep, capacityKey](&reply)
	d := newDocument(body, reply.UnknownKey)
	err := d.root("result_procured_reserves", func() error {
		return d.array(func() error { return decodeBlock(d, window, &reply, steps) })
	})
	if err != nil {
		return source.Reply[store.CapacityStep]{}, err
	}
	steps.finish()
	return reply, nil
}

type capacityKey struct {
	dataset              store.Dataset
	start                int64
	direction            store.Direction
	timeHorizon, product string
}

func decodeBlock(d *document, window store.Period, reply *source.Reply[store.CapacityStep], steps *steps[store.CapacityStep, capacityKey]) error {
	var reserve, product, bad string
	var values []capacityValue
	err := d.object(func(key string) (known bool, err error) {
		switch key {
		case "reserve":
			var text []byte
			text, err = d.text(&bad)
			reserve = string(text)
		case "product_type":
			product, err = d.word(&bad)
		case "values":
			err = d.array(func() error {
				value, err := decodeCapacityValue(d)
				values = append(values, value)
				return err
			})
		case "start_date", "end_date":
			err = d.json.Skip()
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return err
	}
	dataset, known := reserves[reserve]
	if !known {
		if reserve != leftOut {
			reply.Note("reserve %.40q is not known and was left out", reserve)
		}
		return nil
	}
	if bad != "" {
		reply.Refusals.RefuseAll(dataset, window, "product_type: %s", bad)
	}
	for _, value := range values {
		value.step.Dataset, value.step.Product = dataset, product
		switch {
		case !value.start:
			reply.Refusals.RefuseAll(dataset, window, "a value has no start: %s", orMissing(value.bad))
			continue
		case !window.Holds(value.step.Start):
			continue
		case value.bad == "" && value.step.Direction == "":
			value.bad = "the direction is missing"
		case value.bad == "" && (value.step.Start%store.QuarterSeconds != 0 || value.due && value.end != value.step.Start+store.QuarterSeconds):
			value.bad = "it is not a quarter hour"
		}
		key := capacityKey{dataset, value.step.Start, value.step.Direction, value.step.TimeHorizon, product}
		steps.add(dataset, value.step.Start, key, value.step, value.bad)
	}
	return nil
}

func decodeCapacityValue(d *document) (capacityValue, error) {
	var v capacityValue
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "start_date":
			return true, d.instant(&v.step.Start, &v.start, &v.bad)
		case "end_date":
			return true, d.instant(&v.end, &v.due, &v.bad)
		case "direction":
			text, err := d.text(&v.bad)
			direction, known := capacityDirections[string(text)]
			if !known && len(text) > 0 {
				v.bad = fmt.Sprintf("direction %.40q is not known", text)
			}
			v.step.Direction = direction
			return true, err
		case "offered_volume":
			return true, d.number(&v.step.OfferedMW, &v.bad)
		case "contracted_volume":
			return true, d.number(&v.step.ContractedMW, &v.bad)
		case "price":
			return true, d.number(&v.step.Price, &v.bad)
		case "time_horizon":
			horizon, err := d.word(&v.bad)
			v.step.TimeHorizon = horizon
			return true, err
		case "update_date":
			return true, d.json.Skip()
		}
		return false, nil
	})
	return v, err
}

func orMissing(bad string) string {
	if bad == "" {
		return "it is missing"
	}
	return bad
}
