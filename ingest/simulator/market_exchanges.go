package simulator

import (
	"math"
	"time"
)

// Exchange is what the power exchanges of France cleared for one quarter hour,
// day-ahead.
type Exchange struct {
	Start     time.Time // UTC
	MW        float64   // bought and sold, one decimal
	EURPerMWh float64   // as [Prices] has it
}

// Exchanges returns what the exchanges cleared for a delivery date in time order,
// by the quarter hour also where the price is hourly. There is nothing before
// 2015-01-05.
func Exchanges(d Day) []Exchange {
	r := random("power exchanges", d)
	level := 11_500 + 2500*r.Float64()
	var steps []Exchange
	for _, p := range Prices(d) {
		for start := p.Start; start.Before(p.Start.Add(p.Step)); start = start.Add(quarter) {
			local := start.In(paris)
			hour := float64(local.Hour()) + float64(local.Minute())/60
			sun := bell(hour, 13.5, 3)
			steps = append(steps, Exchange{start, round(math.Abs(level+3500*sun+400*r.NormFloat64()), 1), p.EURPerMWh})
		}
	}
	return steps
}
