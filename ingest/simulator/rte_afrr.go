package simulator

import (
	"slices"
	"sort"
	"time"
)

// afrrRowBytes is room for one row of afrr_marginal_price.
const afrrRowBytes = 256

// afrrMarginalPrice is the body of afrr_marginal_price: newest first, the dates
// and the steps in them. A step has no offset, so the hour that the autumn day
// has twice is told apart by its order alone.
func afrrMarginalPrice(asked window, m market) []byte {
	b := []byte(`{"days":[`)
	for _, d := range slices.Backward(slices.Collect(asked.days())) {
		steps := afrrPublished(d, asked, m)
		if len(steps) == 0 {
			continue
		}
		b = append(b, `{"start_date":"`...)
		b = append(b, d.String()...)
		b = append(b, `","datas":[`...)
		b = slices.Grow(b, len(steps)*afrrRowBytes)
		for _, s := range slices.Backward(steps) {
			b = appendAFRR(b, s)
		}
		b = append(endList(b), "},"...)
	}
	return append(endList(b), '}')
}

// afrrPublished returns the steps of d that were asked for and are out.
func afrrPublished(d Day, asked window, m market) []AFRR {
	if m.now.Sub(d.Start()) < afrrStep+measuring {
		return nil
	}
	steps := m.afrr(d)
	from := sort.Search(len(steps), func(i int) bool { return !steps[i].Start.Before(asked.start) })
	to := sort.Search(len(steps), func(i int) bool {
		start := steps[i].Start
		return !start.Before(asked.end) || m.now.Sub(start) < afrrStep+measuring
	})
	return steps[min(from, to):to]
}

func appendAFRR(b []byte, s AFRR) []byte {
	spelling := int(s.Start.Unix() / 4)
	b = append(b, `{"step":"`...)
	b = s.Start.In(paris).AppendFormat(b, time.TimeOnly)
	b = append(b, `","prorata_mode":`...)
	b = appendFlag(b, s.Prorata, spelling)
	b = append(b, `,"picasso_connection":`...)
	b = appendFlag(b, s.Picasso, spelling)
	b = appendMarginal(b, `,"upward_afrr_marginal_price":`, s.Upward, spelling)
	b = appendMarginal(b, `,"downward_afrr_marginal_price":`, s.Downward, spelling)
	b = append(b, `,"pdemand":`...)
	if spelling%11 == 0 {
		b = append(b, '"')
		b = appendNumber(b, s.Demand)
		b = append(b, '"')
	} else {
		b = appendNumber(b, s.Demand)
	}
	b = append(b, `,"afrr_for_france":`...)
	b = appendNumber(b, s.ForFrance)
	b = append(b, `,"afrr_in_france":`...)
	b = appendNumber(b, s.InFrance)
	return append(b, "},"...)
}

// appendFlag writes a boolean in one of the ways met on the wire.
func appendFlag(b []byte, v bool, spelling int) []byte {
	words := [...]string{`"false"`, `"False"`, `false`}
	if v {
		words = [...]string{`"true"`, `"True"`, `true`}
	}
	return append(b, words[spelling%len(words)]...)
}

// appendMarginal writes a key and its price: a number, at times in quotes. A
// missing price is the word "Invalid", at times an empty string, a null or no
// key at all.
func appendMarginal(b []byte, key string, price *float64, spelling int) []byte {
	if price == nil && spelling%13 == 0 {
		return b
	}
	b = append(b, key...)
	switch {
	case price == nil && spelling%17 == 0:
		return append(b, `""`...)
	case price == nil && spelling%19 == 0:
		return append(b, `null`...)
	case price == nil:
		return append(b, `"Invalid"`...)
	case spelling%7 == 0:
		b = append(b, '"')
		b = appendFloat(b, *price)
		return append(b, '"')
	}
	return appendFloat(b, *price)
}
