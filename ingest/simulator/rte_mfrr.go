package simulator

// standardMFRRData is the body of standard_mfrr_data. Steps that are not
// measured yet, the future among them, are rows without a value, up to the end
// of the asked window.
func standardMFRRData(asked window, m market) []byte {
	b := appendParisBounds([]byte(`{"mari":{`), asked.start, asked.end)
	b = append(b, `,"resolution":"PT15M","mari_mesures":[`...)
	for d := range asked.days() {
		steps := m.mfrr(d)
		for i := 0; i < len(steps); i += 2 {
			first, second := steps[i], steps[i+1]
			if !asked.holds(first.Start) {
				continue
			}
			if m.now.Sub(first.Start) < quarter+measuring {
				first.Values, second.Values = MFRRValues{}, MFRRValues{}
			}
			spelling := int(first.Start.Unix() / 900)
			if spelling%3 == 1 {
				first, second = second, first
			}
			b = appendMFRR(b, first, spelling)
			b = appendMFRR(b, second, spelling+1)
		}
	}
	return append(endList(b), "}}"...)
}

func appendMFRR(b []byte, m MFRR, spelling int) []byte {
	b = appendParisBounds(append(b, '{'), m.Start, m.Start.Add(quarter))
	b = append(b, `,"direction":"`...)
	b = append(b, m.Direction...)
	b = append(b, '"')
	v := m.Values
	for i, measure := range [...]struct {
		key   string
		value *float64
	}{
		{"total_requested_volume_SA", v.TotalRequestedVolumeSA},
		{"total_requested_volume_DA", v.TotalRequestedVolumeDA},
		{"total_satisfied_need_SA", v.TotalSatisfiedNeedSA},
		{"total_satisfied_need_DA", v.TotalSatisfiedNeedDA},
		{"total_activated_volume_SA", v.TotalActivatedVolumeSA},
		{"total_activated_volume_DA", v.TotalActivatedVolumeDA},
		{"clearing_price", v.ClearingPrice},
		{"settlement_price_current", v.SettlementPriceCurrent},
		{"settlement_price_previous", v.SettlementPricePrevious},
		{"total_volume_submitted_offers", v.TotalVolumeSubmitted},
		{"total_volume_filtered_offers", v.TotalVolumeFiltered},
	} {
		if measure.value == nil && (spelling+i)%4 == 0 {
			continue
		}
		b = append(b, `,"`...)
		b = append(b, measure.key...)
		b = append(b, `":`...)
		switch {
		case measure.value == nil:
			b = append(b, "null"...)
		// RTE has written whole numbers in both ways.
		case spelling%2 == 0:
			b = appendFloat(b, *measure.value)
		default:
			b = appendNumber(b, *measure.value)
		}
	}
	return append(b, "},"...)
}
