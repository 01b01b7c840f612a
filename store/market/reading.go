package market

import "time"

// Refusal is a delivery date of a dataset of which nothing was taken, and why.
type Refusal struct {
	Dataset Dataset
	Date    DeliveryDate
	Reason  string
	Final   bool // a person cannot accept the date either: it could not be read, or two series of it differ
}

// Omission is a part of a delivery date that was left out of a reply while the rest of the date was taken.
type Omission struct {
	Dataset Dataset
	Date    DeliveryDate
	Steps   int // periods left out; 0 if that is not known
	Reason  string
}

// ClockReading is how far this machine's clock is ahead of that of a source, by the Date header of an answer.
type ClockReading struct {
	Host  string
	Ahead time.Duration // negative: behind
	// Agreeing is how many runs in a row have read about the same; filled in by the store.
	Agreeing int
	Read     time.Time // by this machine's clock; filled in by the store
}

// ClockTolerance is by how much two readings of the same fault of a clock may differ.
const ClockTolerance = 2 * time.Minute

// AgreesWith reports whether both readings find the same fault of this machine's clock.
func (r ClockReading) AgreesWith(other ClockReading) bool {
	return (r.Ahead - other.Ahead).Abs() <= ClockTolerance
}
