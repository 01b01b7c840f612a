package simulator

import (
	"strconv"
	"time"
)

// capacityBlocks is the blocks in the order of RTE, which follows no rule.
var capacityBlocks = []struct{ reserve, product, horizon string }{
	{"AFRR", "STD", "DAILY"},
	{"MFRR", "SPE", "DAILY"},
	{"FCR", "STD", "DAILY"},
	{"MFRR", "SPE0", "DAILY"},
	{"RR", "SPE0", "DAILY"},
	{"MFRR", "SPE0", "PERIODIC"},
}

// procuredReserves is the body of result_procured_reserves. A block whose
// results are not out is left out.
func procuredReserves(asked window, m market) []byte {
	b := []byte(`{"result_procured_reserves":[`)
	for _, block := range capacityBlocks {
		var products []capacityProduct
		for _, p := range capacityProducts {
			if p.reserve == block.reserve && p.product == block.product && p.horizon == block.horizon {
				products = append(products, p)
			}
		}
		before := len(b)
		b = append(b, `{"start_date":`...)
		b = appendTime(b, asked.start)
		b = append(b, `,"end_date":`...)
		b = appendTime(b, asked.end)
		b = append(b, `,"reserve":"`...)
		b = append(b, block.reserve...)
		b = append(b, `","product_type":"`...)
		b = append(b, block.product...)
		b = append(b, `","values":[`...)
		empty := len(b)
		for d := range asked.days() {
			b = appendCapacityDay(b, d, products, asked, m)
		}
		if len(b) == empty {
			b = b[:before]
			continue
		}
		b = append(endList(b), "},"...)
	}
	return append(endList(b), '}')
}

// appendCapacityDay writes the rows of one delivery date: hour by hour, four
// quarters of one direction before four of the other, whichever comes first
// that day.
func appendCapacityDay(b []byte, d Day, products []capacityProduct, asked window, m market) []byte {
	if len(products) == 2 && d.number()%2 == 0 {
		products = []capacityProduct{products[1], products[0]}
	}
	type result struct {
		steps     []Capacity
		published time.Time
	}
	var results []result
	for _, p := range products {
		if r := (result{m.capacity(p, d), p.published(d)}); r.steps != nil && !m.now.Before(r.published) {
			results = append(results, r)
		}
	}
	for hour := 0; hour < d.steps(quarter); hour += 4 {
		for _, r := range results {
			for _, c := range r.steps[hour : hour+4] {
				if asked.holds(c.Start) {
					b = appendCapacity(b, c, r.published)
				}
			}
		}
	}
	return b
}

func appendCapacity(b []byte, c Capacity, published time.Time) []byte {
	b = append(b, `{"start_date":`...)
	b = appendTime(b, c.Start)
	b = append(b, `,"end_date":`...)
	b = appendTime(b, c.Start.Add(quarter))
	b = append(b, `,"direction":"`...)
	b = append(b, c.Direction...)
	b = append(b, `","offered_volume":`...)
	b = strconv.AppendInt(b, int64(c.Offered), 10)
	b = append(b, `,"contracted_volume":`...)
	b = strconv.AppendInt(b, int64(c.Contracted), 10)
	b = append(b, `,"price":`...)
	b = appendFloat(b, c.PricePerStep)
	b = append(b, `,"update_date":"`...)
	b = published.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","time_horizon":"`...)
	b = append(b, c.Horizon...)
	return append(b, `"},`...)
}
