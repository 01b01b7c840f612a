package rte

import (
	"fmt"
	"io"
	"strings"

	"courant/ingest/source"
	"courant/store/market"
)

// reserve is one that RTE procures, and the ways in which it is procured, in RTE's words.
type reserve struct {
	name       string
	dataset    market.Dataset
	directions map[string]market.Direction
}

// reserves are the known ones by RTE's name. RR is a reserve of its own and left out.
var reserves = map[string]reserve{
	"FCR":  {"FCR", market.FCRCapacity, map[string]market.Direction{"UP_DOWN": market.Symmetric}},
	"AFRR": {"aFRR", market.AFRRCapacity, upAndDown},
	"MFRR": {"mFRR", market.MFRRCapacity, upAndDown},
}

var upAndDown = map[string]market.Direction{"UP": market.Upward, "DOWN": market.Downward}

const leftOut = "RR"

// mostUnknown is how many reserves that are not known are named.
const mostUnknown = 5

// capacityDatasets are those of the known reserves.
var capacityDatasets = []market.Dataset{market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity}

var capacityShape = shape[market.CapacityStep]{
	numbers: func(r *market.CapacityStep) []*market.Number {
		return []*market.Number{&r.OfferedMW, &r.ContractedMW, &r.Price}
	},
	updated: func(r *market.CapacityStep) *int64 { return &r.Updated },
	series: func(r *market.CapacityStep) (string, int64) {
		return market.CapacitySeries(r.Direction, r.TimeHorizon, r.Product), market.QuarterSeconds
	},
}

// capacityValue is one element of a block's values. Its block's reserve may stand behind it in the reply.
type capacityValue struct {
	step       market.CapacityStep
	start, end source.Stamp
	direction  string // RTE's word, in capitals
	bad        string // what is wrong with a value
	noKey      string // what is wrong with a word that tells the row from others
}

// DecodeProcuredReserves reads a reply of result_procured_reserves v5: blocks of quarter hours by reserve and product,
// in any order. A reserve that is not published yet is simply not there. Prices are EUR/MW for the 15 min.
func DecodeProcuredReserves(body io.Reader, window market.Period) (source.Reply[market.CapacityStep], error) {
	var reply source.Reply[market.CapacityStep]
	r := reservesReply{steps: newSteps[market.CapacityStep, capacityKey](&reply, window, capacityShape), given: map[market.Dataset]bool{}}
	d := newDocument(body, reply.UnknownKey, reply.Note)
	err := d.root("result_procured_reserves", func() error {
		return d.array(func() error { return r.decodeBlock(d) })
	})
	if err == nil {
		r.judgeUnknown()
		err = r.steps.finish()
	}
	if err != nil {
		return source.Reply[market.CapacityStep]{}, err
	}
	return reply, nil
}

type capacityKey struct {
	dataset              market.Dataset
	start                int64
	direction            market.Direction
	timeHorizon, product string
}

// reservesReply is a reply of which the blocks are being read.
type reservesReply struct {
	steps   *steps[market.CapacityStep, capacityKey]
	given   map[market.Dataset]bool // of which the reply has a value
	unknown []string                // reserves that are not known
}

func (r *reservesReply) decodeBlock(d *document) error {
	var name, noReserve string
	var product, noProduct string
	var values []capacityValue
	err := d.object(func(key string) (known bool, err error) {
		switch key {
		case "reserve":
			var text []byte
			text, err = d.text(&noReserve)
			name = strings.ToUpper(strings.TrimSpace(string(text)))
		case "product_type":
			product, err = d.upperWord(&noProduct)
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
	of, known := reserves[name]
	if !known {
		if name != leftOut && len(r.unknown) < mostUnknown {
			r.unknown = source.AddOnce(r.unknown, fmt.Sprintf("%.40q", name))
		}
		return nil
	}
	if noProduct != "" {
		noProduct = "product_type: " + noProduct
	}
	for i := range values {
		r.addValue(&values[i], of, product, noProduct)
	}
	return nil
}

// addValue takes a value of a block of the reserve's.
func (r *reservesReply) addValue(v *capacityValue, of reserve, product, noProduct string) {
	steps, dataset, start := r.steps, of.dataset, v.start.At
	r.given[dataset] = true
	if !v.start.Good {
		steps.misplaced(dataset, v.start, v.end, "a value has no start")
		return
	}
	if !steps.window.Holds(start) {
		return
	}
	direction, known := of.directions[v.direction]
	noKey := v.noKey
	switch {
	case noKey != "":
	case noProduct != "":
		noKey = noProduct
	case v.direction == "":
		noKey = "the direction is missing"
	case !known:
		noKey = fmt.Sprintf("%s has no direction %.40q", of.name, v.direction)
	case start%market.QuarterSeconds != 0:
		noKey = notAQuarter
	}
	if noKey != "" {
		steps.spoil(dataset, steps.dateOf(start), "%s: %s", instantText(start), noKey)
		return
	}
	step := v.step
	step.Dataset, step.Start, step.Direction, step.Product = dataset, start, direction, product
	key := capacityKey{dataset, start, direction, step.TimeHorizon, product}
	switch {
	case v.bad != "":
		steps.addOdd(dataset, start, key, step, step.Updated, v.bad)
	case v.end.Fault != "":
		steps.addRepetition(dataset, start, key, step, step.Updated, v.end.Fault)
	case v.end.Good && v.end.At != start+market.QuarterSeconds:
		steps.addRepetition(dataset, start, key, step, step.Updated, notAQuarter)
	default:
		steps.add(dataset, start, key, step, step.Updated)
	}
}

const notAQuarter = "it is not a quarter hour"

// judgeUnknown tells of reserves that are not known. One of them may be a known one under another name: where the reply lacks a
// known one, that one's dates are not taken for unpublished.
func (r *reservesReply) judgeUnknown() {
	if len(r.unknown) == 0 {
		return
	}
	reply, words := r.steps.reply, strings.Join(r.unknown, ", ")
	reply.Note("reserve %s is not known and was left out", words)
	for _, dataset := range capacityDatasets {
		if r.given[dataset] {
			continue
		}
		for _, date := range r.steps.window.Dates() {
			reply.Omissions = append(reply.Omissions, market.Omission{Dataset: dataset, Date: date,
				Reason: fmt.Sprintf("the reply lacks it, and has reserve %s, which is not known", words)})
		}
	}
}

func decodeCapacityValue(d *document) (capacityValue, error) {
	var v capacityValue
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "start_date":
			return true, d.stamp(&v.start)
		case "end_date":
			return true, d.stamp(&v.end)
		case "direction":
			direction, err := d.upperWord(&v.noKey)
			v.direction = direction
			return true, err
		case "offered_volume":
			return true, d.number(&v.step.OfferedMW, &v.bad)
		case "contracted_volume":
			return true, d.number(&v.step.ContractedMW, &v.bad)
		case "price":
			return true, d.number(&v.step.Price, &v.bad)
		case "time_horizon":
			horizon, err := d.upperWord(&v.noKey)
			v.step.TimeHorizon = horizon
			return true, err
		case "update_date", "updated_date":
			return true, d.update(&v.step.Updated)
		}
		return false, nil
	})
	return v, err
}
