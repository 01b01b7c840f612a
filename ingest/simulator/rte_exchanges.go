package simulator

import "time"

// exchangesPublished is when the exchanges' results for a delivery date are out,
// in UTC.
func exchangesPublished(d Day) time.Time { return d.Add(-1).at(13, 31) }

// francePowerExchanges is the body of france_power_exchanges: the newest delivery
// date that is out, the present one or the next.
func francePowerExchanges(m market) []byte {
	d := DayOf(m.now)
	if tomorrow := d.Add(1); !m.now.Before(exchangesPublished(tomorrow)) {
		d = tomorrow
	}
	b := []byte(`{"france_power_exchanges":[`)
	steps := m.exchanges(d)
	if len(steps) == 0 {
		return append(b, "]}"...)
	}
	b = appendParisBounds(append(b, '{'), d.Start(), d.End())
	b = append(b, `,"updated_date":`...)
	b = appendTime(b, exchangesPublished(d).In(paris))
	b = append(b, `,"values":[`...)
	for _, e := range steps {
		b = appendParisBounds(append(b, '{'), e.Start, e.Start.Add(quarter))
		b = append(b, `,"value":`...)
		b = appendFloat(b, e.MW)
		b = append(b, `,"price":`...)
		b = appendFloat(b, e.EURPerMWh)
		b = append(b, "},"...)
	}
	return append(endList(b), "}]}"...)
}

// appendParisBounds writes start_date and end_date with the offset of Paris.
func appendParisBounds(b []byte, start, end time.Time) []byte {
	b = append(b, `"start_date":`...)
	b = appendTime(b, start.In(paris))
	b = append(b, `,"end_date":`...)
	return appendTime(b, end.In(paris))
}
