package market

import "math"

// Micro is a value in millionths. Published values have at most six decimals, so that sums of Micro are exact, unlike sums of
// floats.
type Micro int64

const MicrosPerUnit = 1_000_000

// MicroOf returns the value in millionths, rounded.
func MicroOf(v float64) Micro { return Micro(math.Round(v * MicrosPerUnit)) }

// Number returns the value in its own unit.
func (m Micro) Number() Number { return Num(float64(m) / MicrosPerUnit) }

// Round returns a number with so many decimals, at most six, halves rounded away from zero; null stays null.
func Round(n Number, decimals int) Number {
	if !n.Valid {
		return n
	}
	unit := int64(MicrosPerUnit)
	for range decimals {
		unit /= 10
	}
	return Micro(roundedQuotient(int64(MicroOf(n.V)), unit) * unit).Number()
}

// Mean computes the mean of the numbers that are not null; its zero value is ready for use.
type Mean struct {
	sum   Micro
	count int64
}

// Add adds a number, unless it is null.
func (m *Mean) Add(n Number) { m.AddTimes(n, 1) }

// AddTimes adds a number so many times, unless it is null: the seconds of its period, where periods differ in length.
func (m *Mean) AddTimes(n Number, times int64) {
	if n.Valid {
		m.sum += MicroOf(n.V) * Micro(times)
		m.count += times
	}
}

// MeanOf returns the mean of count values with this sum, as Mean.Number does.
func MeanOf(sum Number, count int64) Number {
	mean := Mean{MicroOf(sum.V), count}
	return mean.Number()
}

// Number returns the mean with two decimals, halves rounded away from zero; null if no number was added.
func (m *Mean) Number() Number {
	if m.count == 0 {
		return Number{}
	}
	const microsPerCent = MicrosPerUnit / 100
	return Num(float64(roundedQuotient(int64(m.sum), m.count*microsPerCent)) / 100)
}

// InMicros returns the mean with six decimals, halves rounded away from zero; 0 if no number was added.
func (m *Mean) InMicros() Micro {
	if m.count == 0 {
		return 0
	}
	return Micro(roundedQuotient(int64(m.sum), m.count))
}

// roundedQuotient returns n/d as a whole number, halves rounded away from zero; d is above 0.
func roundedQuotient(n, d int64) int64 {
	if n < 0 {
		return -((-2*n + d) / (2 * d))
	}
	return (2*n + d) / (2 * d)
}
