package market

// WaitKind is the reason why a delivery date is held back until a person accepts or refuses it.
type WaitKind string

const (
	WaitsFlat      WaitKind = "flat"      // all of its prices are the same
	WaitsChanged   WaitKind = "changed"   // the date is past, and many of its prices would change
	WaitsWithdrawn WaitKind = "withdrawn" // the date is past, and many values of one column would be withdrawn
	WaitsRefused   WaitKind = "refused"   // the reply was refused; what could be read of it may be accepted by hand
)
