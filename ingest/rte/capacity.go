package rte

import (
	"fmt"
	"io"
	"strings"

	"courant/ingest/source"
	"courant/store/market"
)

// reserve is a reserve that RTE procures, and the directions in which it is procured, in RTE's words.
type reserve struct {
	name       string
	dataset    market.Dataset
	directions map[string]market.Direction
}

// reserves are the known reserves by RTE's names. RR is a different reserve and is left out.
var reserves = map[string]reserve{
	"FCR":  {"FCR", market.FCRCapacity, map[string]market.Direction{"UP_DOWN": market.Symmetric}},
	"AFRR": {"aFRR", market.AFRRCapacity, upAndDown},
	"MFRR": {"mFRR", market.MFRRCapacity, upAndDown},
}

var upAndDown = map[string]market.Direction{"UP": market.Upward, "DOWN": market.Downward}

const leftOut = "RR"

// mostUnknown is how many unknown reserves are named in a remark.
const mostUnknown = 5

// capacityDatasets are the datasets of the known reserves.
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

// capacityValue is one element of a block's values. The reserve of its block may come after it in the reply.
type capacityValue struct {
	step      market.CapacityStep
	period    rowPeriod
	direction string // RTE's word, in capitals
	badValue  string // what is wrong with a value
	badKey    string // what is wrong with a word that tells the row from others
}

// DecodeProcuredReserves reads a reply of result_procured_reserves v5: blocks of quarter hours by reserve and product,
// in any order. A reserve that is not published yet is simply not there. Prices are EUR/MW for the 15 min.
func DecodeProcuredReserves(body io.Reader, window market.Period) (source.Reply[market.CapacityStep], error) {
	r := reservesReply{given: map[market.Dataset]bool{}}
	blocks := func(d *document, steps *steps[market.CapacityStep, capacityKey]) error {
		r.steps, steps.atEnd = steps, r.judgeUnknown
		return d.array(func() error { return r.decodeBlock(d) })
	}
	return decode(body, window, capacityShape, "result_procured_reserves", blocks)
}

type capacityKey struct {
	dataset              market.Dataset
	start                int64
	direction            market.Direction
	timeHorizon, product string
}

// reservesReply is a reply while its blocks are read.
type reservesReply struct {
	steps   *steps[market.CapacityStep, capacityKey]
	given   map[market.Dataset]bool // the datasets with a value in the reply
	unknown []string                // names of reserves that are not known
}

func (r *reservesReply) decodeBlock(d *document) error {
	var name, noReserve string
	var product, badProduct string
	var values []capacityValue
	err := d.object(func(key string) (known bool, err error) {
		switch key {
		case "reserve":
			var text []byte
			text, err = d.text(&noReserve)
			name = strings.ToUpper(strings.TrimSpace(string(text)))
		case "product_type":
			product, err = d.upperWord(&badProduct)
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
	if badProduct != "" {
		badProduct = "product_type: " + badProduct
	}
	for i := range values {
		r.addValue(&values[i], of, product, badProduct)
	}
	return nil
}

// addValue adds a value of a block of a reserve.
func (r *reservesReply) addValue(v *capacityValue, of reserve, product, badProduct string) {
	r.given[of.dataset] = true
	start, taken := r.steps.startOf(of.dataset, v.period, "a value")
	if !taken {
		return
	}
	direction, known := of.directions[v.direction]
	badKey := v.badKey
	switch {
	case badKey != "":
	case badProduct != "":
		badKey = badProduct
	case v.direction == "":
		badKey = "the direction is missing"
	case !known:
		badKey = fmt.Sprintf("%s has no direction %.40q", of.name, v.direction)
	}
	step := v.step
	step.Dataset, step.Start, step.Direction, step.Product = of.dataset, start, direction, product
	key := capacityKey{of.dataset, start, direction, step.TimeHorizon, product}
	r.steps.addQuarter(of.dataset, v.period, key, step, step.Updated, badKey, v.badValue)
}

// judgeUnknown adds a remark about reserves that are not known. One of them may be a known reserve under another name: if a
// known reserve is missing from the reply, its dates are omissions, not unpublished.
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
				Reason: fmt.Sprintf("the reply does not have it, and has reserve %s, which is not known", words)})
		}
	}
}

func decodeCapacityValue(d *document) (capacityValue, error) {
	var v capacityValue
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "direction":
			direction, err := d.upperWord(&v.badKey)
			v.direction = direction
			return true, err
		case "offered_volume":
			return true, d.number(&v.step.OfferedMW, &v.badValue)
		case "contracted_volume":
			return true, d.number(&v.step.ContractedMW, &v.badValue)
		case "price":
			return true, d.number(&v.step.Price, &v.badValue)
		case "time_horizon":
			horizon, err := d.upperWord(&v.badKey)
			v.step.TimeHorizon = horizon
			return true, err
		case "update_date", "updated_date":
			return true, d.update(&v.step.Updated)
		}
		return v.period.field(d, key)
	})
	return v, err
}
