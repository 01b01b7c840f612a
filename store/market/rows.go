package market

import (
	"database/sql/driver"
	"fmt"
	"slices"
)

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

// ImbalanceStep is the imbalance settlement of a quarter hour, as RTE publishes it (imbalance_data).
type ImbalanceStep struct {
	Start         int64  // seconds UTC
	PositivePrice Number // EUR/MWh, paid to a party in surplus
	NegativePrice Number // EUR/MWh, paid by a party in deficit
	ImbalanceMWh  Number // of the French system over the quarter hour; below 0 the system is short
	SystemTrend   String // UPWARD or DOWNWARD: the direction of the balancing energy that was needed
	MissingData   String // which of its inputs RTE lacks; null once it has all of them
	Updated       int64  // when RTE last wrote the row (updated_date), ms UTC; 0 if it does not say
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
