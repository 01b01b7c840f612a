package simulator

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// random returns the stream of chance that belongs to one series and one
// delivery date: the same whenever, and in whatever order, it is asked for.
func random(series string, d Day) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(series))
	h.Write([]byte(d.String()))
	return rand.New(rand.NewPCG(h.Sum64(), 0))
}

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// between returns an integer from low to high, both included.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

// round rounds to a number of decimals and never returns a negative zero, which
// would reach the wire as "-0".
func round(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	if v = math.Round(v*scale) / scale; v == 0 {
		return 0
	}
	return v
}
