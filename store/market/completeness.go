package market

import (
	"slices"
	"strings"
)

// DueSeries returns the series that a complete delivery date of a dataset has. A series that is covered from an earlier date on
// than it is published for is due from then on. There are none of day-ahead prices.
func (c Coverage) DueSeries(dataset Dataset) []Due {
	series := slices.Clone(dataset.About().Due)
	for i := range series {
		for date := range c {
			if date.Before(series[i].First) && c.rowsOf(date, series[i].Prefix) > 0 {
				series[i].First = date
			}
		}
	}
	return series
}

// DueSteps returns how many steps of some seconds the due series have on a delivery date, and how many of them are covered.
func (c Coverage) DueSteps(date DeliveryDate, due []Due, step int64) (expected, covered int) {
	for _, s := range due {
		if date.Before(s.First) {
			continue
		}
		steps := date.Steps(step)
		expected += steps
		covered += min(c.rowsOf(date, s.Prefix), steps)
	}
	return expected, covered
}

// rowsOf returns how many rows the fullest series of a date has whose name begins with the prefix.
func (c Coverage) rowsOf(date DeliveryDate, prefix string) int {
	most := 0
	for series, rows := range c[date] {
		if strings.HasPrefix(series, prefix) {
			most = max(most, rows)
		}
	}
	return most
}

// HasAllPrices reports whether ENTSO-E's prices of one resolution cover the whole delivery date. Where they do not, prices of
// several resolutions and sources together still may.
func (c Coverage) HasAllPrices(date DeliveryDate) bool {
	return slices.ContainsFunc([]Resolution{PT15M, PT60M}, func(resolution Resolution) bool {
		return c[date][PriceSeries(resolution, FromENTSOE)] >= date.Steps(resolution.Seconds())
	})
}
