package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
)

// Number is a published value, or null.
type Number = Optional[float64]

// Flag is a published yes or no, or null.
type Flag = Optional[bool]

// Optional is a value as a source gave it. The zero Optional is a null about which the source said nothing.
type Optional[T float64 | bool] struct {
	V     T
	Valid bool // V was published
	// Withdrawn marks a null that the source wrote itself: null, "" or "Invalid". A null that is merely left out
	// never replaces a value that is stored; one that is written withdraws it. Rows that are read from the store
	// never bear it.
	Withdrawn bool
}

// Num is a number that was published.
func Num(v float64) Number { return Number{V: v, Valid: true} }

// over is what is stored when the value arrives where stored is: a value takes its place, a null that the source wrote
// itself withdraws it, and a null that was left out changes nothing.
func (o Optional[T]) over(stored Optional[T]) Optional[T] {
	switch {
	case o.Valid:
		return Optional[T]{V: o.V, Valid: true}
	case o.Withdrawn:
		return Optional[T]{}
	}
	return stored
}

// join takes in another value that the same reply or batch gives for the same key, dated in ms (0: not dated): of two
// values the one of the newer date stands, else the later one. A null never stands against a value.
func (o *Optional[T]) join(dated *int64, other Optional[T], otherDated int64) {
	switch {
	case other.Valid && !(o.Valid && isOlder(otherDated, *dated)):
		*o, *dated = other, max(*dated, otherDated)
	case !o.Valid && other.Withdrawn:
		o.Withdrawn = true
	}
}

// isOlder says whether a row of that date (ms, 0: not dated) is older than one of the other date. Without both dates it
// is not.
func isOlder(dated, than int64) bool { return dated != 0 && than != 0 && dated < than }

// Scan reads a column of SQLite.
func (o *Optional[T]) Scan(src any) error {
	var null sql.Null[T]
	err := null.Scan(src)
	*o = Optional[T]{V: null.V, Valid: null.Valid}
	return err
}

// Value is the value, or NULL.
func (o Optional[T]) Value() (driver.Value, error) {
	return sql.Null[T]{V: o.V, Valid: o.Valid}.Value()
}

// updatedMs is when a source last wrote a row, ms UTC; 0, stored as NULL, if it does not say.
type updatedMs int64

// Scan reads a column of SQLite.
func (u *updatedMs) Scan(src any) error {
	var ms sql.Null[int64]
	err := ms.Scan(src)
	*u = updatedMs(ms.V)
	return err
}

// Value is the instant, or NULL.
func (u updatedMs) Value() (driver.Value, error) {
	return sql.Null[int64]{V: int64(u), Valid: u != 0}.Value()
}

// Resolution is the length of a price's period as ENTSO-E writes it.
type Resolution string

// The resolutions in which France's day-ahead prices have been or may be published.
const (
	PT15M Resolution = "PT15M"
	PT30M Resolution = "PT30M"
	PT60M Resolution = "PT60M"
)

// Seconds is the resolution's length, 0 for one that Courant does not know.
func (r Resolution) Seconds() int64 {
	switch r {
	case PT15M:
		return 900
	case PT30M:
		return 1800
	case PT60M:
		return 3600
	}
	return 0
}

// PriceSource is who published a day-ahead price. ENTSO-E is the source; RTE stands in where it has given nothing.
type PriceSource uint8

const (
	FromENTSOE PriceSource = iota // A44
	FromRTE                       // france_power_exchanges
)

var priceSources = []string{"ENTSO-E", "RTE"}

func (s PriceSource) String() string { return priceSources[s] }

// Value stores a source as its name.
func (s PriceSource) Value() (driver.Value, error) { return s.String(), nil }

// Scan reads a source from its name.
func (s *PriceSource) Scan(src any) error {
	i := slices.Index(priceSources, fmt.Sprint(src))
	if i < 0 {
		return fmt.Errorf("store: no source of prices is named %v", src)
	}
	*s = PriceSource(i)
	return nil
}

// Price is a day-ahead price of the French zone, as its source publishes it.
type Price struct {
	Start      int64      // seconds UTC
	Resolution Resolution // how long the price holds
	Source     PriceSource
	Price      Number // EUR/MWh
}

// CapacityStep is a quarter hour of procured reserve, as RTE publishes it (result_procured_reserves).
type CapacityStep struct {
	Dataset      Dataset // fcr-, afrr- or mfrr-capacity
	Start        int64   // seconds UTC
	Direction    Direction
	TimeHorizon  string // as published: DAILY, PERIODIC
	Product      string // RTE's product_type: STD, SPE, SPE0
	OfferedMW    Number
	ContractedMW Number
	Price        Number // EUR/MW for the 15 min, as published
	Updated      int64  // when RTE last wrote the row (update_date), ms UTC; 0 if it does not say
}

// AFRRStep is a 4 s step of the aFRR marginal price, as RTE publishes it (afrr_marginal_price).
type AFRRStep struct {
	Start             int64  // seconds UTC
	UpwardPrice       Number // EUR/MWh
	DownwardPrice     Number // EUR/MWh
	DemandMW          Number
	ForFranceMW       Number
	InFranceMW        Number
	PicassoConnection Flag
	ProrataMode       Flag
}

// MFRRStep is a quarter hour of mFRR in one direction, as RTE publishes it (standard_mfrr_data). SA is scheduled
// activation, DA direct activation; prices are EUR/MWh.
type MFRRStep struct {
	Start                   int64 // seconds UTC
	Direction               Direction
	ClearingPrice           Number
	SettlementPriceCurrent  Number
	SettlementPricePrevious Number
	RequestedVolumeSAMW     Number
	RequestedVolumeDAMW     Number
	SatisfiedNeedSAMW       Number
	SatisfiedNeedDAMW       Number
	ActivatedVolumeSAMW     Number
	ActivatedVolumeDAMW     Number
	SubmittedOffersMW       Number
	FilteredOffersMW        Number
	Updated                 int64 // when RTE last wrote the row, ms UTC; 0 if it does not say
}

// HasValue says whether the row, read from the store, carries any value at all.
func (r MFRRStep) HasValue() bool {
	return r != MFRRStep{Start: r.Start, Direction: r.Direction, Updated: r.Updated}
}

// Batch is what one run of a feed brings: rows of any datasets, in any order.
type Batch struct {
	Prices   []Price
	Capacity []CapacityStep
	AFRR     []AFRRStep
	MFRR     []MFRRStep
}

// Add takes the rows of another batch in.
func (b *Batch) Add(other Batch) {
	b.Prices = append(b.Prices, other.Prices...)
	b.Capacity = append(b.Capacity, other.Capacity...)
	b.AFRR = append(b.AFRR, other.AFRR...)
	b.MFRR = append(b.MFRR, other.MFRR...)
}
