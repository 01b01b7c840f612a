package market

import "time"

// Refusal is a delivery date of a dataset that was refused as a whole, and why.
type Refusal struct {
	Dataset Dataset
	Date    DeliveryDate
	Reason  string
	Final   bool // a person cannot accept the date either: it could not be read, or two of its series contradict each other
}

// Omission is a part of a delivery date that was left out while the rest of the date was accepted.
type Omission struct {
	Dataset Dataset
	Date    DeliveryDate
	Steps   int // number of periods left out; 0 if that is not known
	Reason  string
}

// ClockReading is the difference between this machine's clock and that of a source, from the Date header of a reply.
type ClockReading struct {
	Host  string
	Ahead time.Duration // by how much this machine's clock is ahead; negative: behind
	// Agreeing is the number of runs in a row with about the same reading; set by the store.
	Agreeing int
	Read     time.Time // by this machine's clock; set by the store
}

// ClockTolerance is the greatest difference between two readings that are taken for the same error of a clock.
const ClockTolerance = 2 * time.Minute

// AgreesWith reports whether both readings are of the same error of this machine's clock.
func (r ClockReading) AgreesWith(other ClockReading) bool {
	return (r.Ahead - other.Ahead).Abs() <= ClockTolerance
}
