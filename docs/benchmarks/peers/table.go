package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// write writes the tables. Ratios are those of the same round.
func (all results) write(w io.Writer) {
	fmt.Fprint(w, `| server | asked for | coding | kB | documents a second | p99, ms | rate, Courant : it | p99, it : Courant |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
`)
	for _, r := range all {
		for i, l := range r.loads {
			courant := all[0].loads[i%2] // its loads: identity, then gzip
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.server.name, l.way.name, l.coding, short(float64(l.length)*1e-3),
				spread(l.rate, 1), spread(l.p99, 1e3), spread(ratios(courant.rate, l.rate), 1), spread(ratios(l.p99, courant.p99), 1))
		}
	}
	fmt.Fprint(w, `
| server | first document after the start, ms | memory then, MB | most memory, MB | installed, MB |
| --- | ---: | ---: | ---: | ---: |
`)
	for _, r := range all {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.server.name,
			spread(r.start, 1e3), spread(r.idle, 1e-6), spread(r.most, 1e-6), short(float64(r.server.bytes)*1e-6))
	}
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	quotients := make([]float64, len(a))
	for i := range a {
		quotients[i] = a[i] / b[i]
	}
	return quotients
}

// spread writes median and range of values in another unit.
func spread(values []float64, unit float64) string {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	median := (sorted[(n-1)/2] + sorted[n/2]) / 2
	return fmt.Sprintf("%s (%s to %s)", short(median*unit), short(sorted[0]*unit), short(sorted[n-1]*unit))
}

// short writes a number with three significant digits, and whole from 100 on.
func short(v float64) string {
	places := max(0, 2-int(math.Floor(math.Log10(v))))
	return strconv.FormatFloat(v, 'f', places, 64)
}
