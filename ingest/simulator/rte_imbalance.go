package simulator

import "slices"

// imbalanceData is the body of imbalance_data: one block from the start that was
// asked for to the end of the last step there is, newest first.
func imbalanceData(asked window, m market) []byte {
	var steps []Imbalance
	for d := range asked.days() {
		for _, s := range m.imbalance(d) {
			if asked.holds(s.Start) {
				steps = append(steps, s)
			}
		}
	}
	b := []byte(`{"imbalance_data":[`)
	if len(steps) == 0 {
		return append(b, "]}"...)
	}
	last := steps[len(steps)-1]
	b = appendParisBounds(append(b, '{'), asked.start, last.End)
	resolution := `,"resolution":"PT15M","values":[`
	if DayOf(last.Start).before(firstQuarterImbalances) {
		resolution = `,"resolution":"PT30M","values":[`
	}
	b = append(b, resolution...)
	for _, s := range slices.Backward(steps) {
		b = appendImbalance(b, s)
	}
	return append(endList(b), "}]}"...)
}

// appendImbalance writes whole numbers without a decimal point, as RTE does here.
func appendImbalance(b []byte, s Imbalance) []byte {
	b = appendParisBounds(append(b, '{'), s.Start, s.End)
	b = append(b, `,"imbalance":`...)
	b = appendNumber(b, s.MWh)
	b = append(b, `,"system_trend":"`...)
	b = append(b, s.Trend...)
	b = append(b, `","positive_imbalance_settlement_price":`...)
	b = appendOptional(b, s.Positive)
	b = append(b, `,"negative_imbalance_settlement_price":`...)
	b = appendOptional(b, s.Negative)
	b = append(b, `,"missing_data_list":"`...)
	b = append(b, s.Missing...)
	b = append(b, `","updated_date":`...)
	b = appendTime(b, s.Updated.In(paris))
	return append(b, "},"...)
}

// appendOptional is appendNumber, or null.
func appendOptional(b []byte, v *float64) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return appendNumber(b, *v)
}
