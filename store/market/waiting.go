package market

// WaitKind is why a delivery date waits for a person's decision.
type WaitKind string

const (
	WaitsFlat      WaitKind = "flat"      // all of its prices are the same
	WaitsChanged   WaitKind = "changed"   // it is over, and many of its prices would change
	WaitsWithdrawn WaitKind = "withdrawn" // it is over, and many values of one column would be withdrawn
	WaitsRefused   WaitKind = "refused"   // it was refused, and this is what could be read of it
)
