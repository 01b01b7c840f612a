package market

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// Columns says of what columns a row type is made. Fields points at a row's columns: start, then the other columns
// of the key (all of them stored as texts), then the values (each a Number or a Flag), then updated_ms where Updated is set.
type Columns[R comparable] struct {
	Key     []string
	Values  []string
	Fields  func(*R) []any
	Dataset func(*R) Dataset
	Start   func(*R) int64
	Series  func(*R) string
	Updated func(*R) *int64 // when the source last wrote the row, ms UTC, 0: not known; nil: the source never says
	StandIn func(R) R       // the row that serves until this one is there; nil: none does
}

// PriceColumns are those of Price.
var PriceColumns = Columns[Price]{
	Key:     []string{"start", "resolution", "source"},
	Values:  []string{"price"},
	Fields:  func(r *Price) []any { return []any{&r.Start, &r.Resolution, &r.Source, &r.Price} },
	Dataset: func(*Price) Dataset { return DayAheadPrices },
	Start:   func(r *Price) int64 { return r.Start },
	Series:  func(r *Price) string { return PriceSeries(r.Resolution, r.Source) },
	StandIn: func(r Price) Price { return Price{Start: r.Start, Resolution: r.Resolution, Source: FromRTE} },
}

// CapacityColumns are those of CapacityStep.
var CapacityColumns = Columns[CapacityStep]{
	Key:    []string{"start", "dataset", "direction", "time_horizon", "product"},
	Values: []string{"offered_mw", "contracted_mw", "price"},
	Fields: func(r *CapacityStep) []any {
		return []any{&r.Start, &r.Dataset, &r.Direction, &r.TimeHorizon, &r.Product, &r.OfferedMW, &r.ContractedMW, &r.Price,
			(*updatedMs)(&r.Updated)}
	},
	Updated: func(r *CapacityStep) *int64 { return &r.Updated },
	Dataset: func(r *CapacityStep) Dataset { return r.Dataset },
	Start:   func(r *CapacityStep) int64 { return r.Start },
	Series:  func(r *CapacityStep) string { return CapacitySeries(r.Direction, r.TimeHorizon, r.Product) },
}

// AFRRColumns are those of AFRRStep.
var AFRRColumns = Columns[AFRRStep]{
	Key: []string{"start"},
	Values: []string{"upward_price", "downward_price", "demand_mw", "for_france_mw", "in_france_mw",
		"picasso_connection", "prorata_mode"},
	Fields: func(r *AFRRStep) []any {
		return []any{&r.Start, &r.UpwardPrice, &r.DownwardPrice, &r.DemandMW, &r.ForFranceMW, &r.InFranceMW,
			&r.PicassoConnection, &r.ProrataMode}
	},
	Dataset: func(*AFRRStep) Dataset { return AFRREnergy },
	Start:   func(r *AFRRStep) int64 { return r.Start },
	Series:  func(*AFRRStep) string { return "" },
}

// MFRRColumns are those of MFRRStep.
var MFRRColumns = Columns[MFRRStep]{
	Key: []string{"start", "direction"},
	Values: []string{"clearing_price", "settlement_price_current", "settlement_price_previous",
		"requested_volume_sa_mw", "requested_volume_da_mw", "satisfied_need_sa_mw", "satisfied_need_da_mw",
		"activated_volume_sa_mw", "activated_volume_da_mw", "submitted_offers_mw", "filtered_offers_mw"},
	Fields: func(r *MFRRStep) []any {
		return []any{&r.Start, &r.Direction, &r.ClearingPrice, &r.SettlementPriceCurrent, &r.SettlementPricePrevious,
			&r.RequestedVolumeSAMW, &r.RequestedVolumeDAMW, &r.SatisfiedNeedSAMW, &r.SatisfiedNeedDAMW,
			&r.ActivatedVolumeSAMW, &r.ActivatedVolumeDAMW, &r.SubmittedOffersMW, &r.FilteredOffersMW, (*updatedMs)(&r.Updated)}
	},
	Updated: func(r *MFRRStep) *int64 { return &r.Updated },
	Dataset: func(*MFRRStep) Dataset { return MFRREnergy },
	Start:   func(r *MFRRStep) int64 { return r.Start },
	Series:  func(r *MFRRStep) string { return string(r.Direction) },
}

// PriceSeries names a series of prices, such as PT15M, or PT15M/RTE for what stands in for it.
func PriceSeries(resolution Resolution, source PriceSource) string {
	if source == FromENTSOE {
		return string(resolution)
	}
	return string(resolution) + "/" + source.String()
}

// isStandIn says whether the series of that name only stands in for a source.
func isStandIn(series string) bool { return strings.HasSuffix(series, "/"+FromRTE.String()) }

// CapacitySeries names a series of a capacity dataset, such as UPWARD/DAILY/STD.
func CapacitySeries(direction Direction, timeHorizon, product string) string {
	return string(direction) + "/" + timeHorizon + "/" + product
}

// Merge is what is kept when after arrives where before is stored, which is the zero row where nothing is; Optional.Over
// says what becomes of each value. A row that the source dates before the stored one changes nothing: then older is true.
//
// The newest date that the source has given stays also when a row without one takes the place of what was dated: what is
// older than that date is old news all the same.
func (l Columns[R]) Merge(before, after R) (kept R, older bool) {
	if l.Updated != nil {
		was, is := l.Updated(&before), l.Updated(&after)
		if isOlder(*is, *was) {
			return before, true
		}
		*is = max(*is, *was)
	}
	old, new := l.Fields(&before), l.Fields(&after)
	for i := len(l.Key); i < len(new); i++ {
		switch n := new[i].(type) {
		case *Number:
			*n = n.Over(*old[i].(*Number))
		case *Flag:
			*n = n.Over(*old[i].(*Flag))
		}
	}
	return after, false
}

// Join makes one row of those of a batch that have the same key, in the order in which they came; Optional.join says which
// value stands. The row bears the newest of their dates.
func (l Columns[R]) Join(rows ...R) R {
	joined := rows[0]
	into := l.Fields(&joined)
	dated := make([]int64, len(into)) // of each value
	for i := range rows {
		var date int64
		if l.Updated != nil {
			date = *l.Updated(&rows[i])
			*l.Updated(&joined) = max(*l.Updated(&joined), date)
		}
		from := l.Fields(&rows[i])
		for f := len(l.Key); f < len(into); f++ {
			switch v := into[f].(type) {
			case *Number:
				v.join(&dated[f], *from[f].(*Number), date)
			case *Flag:
				v.join(&dated[f], *from[f].(*Flag), date)
			}
		}
	}
	return joined
}

// SameValues says whether two rows of one key differ in nothing but their dates.
func (l Columns[R]) SameValues(a, b R) bool {
	if l.Updated != nil {
		*l.Updated(&a) = *l.Updated(&b)
	}
	return a == b
}

// Numbers are the row's values in the order of Values; a flag is 0 or 1.
func (l Columns[R]) Numbers(r *R) []Number {
	var numbers []Number
	for _, field := range l.Fields(r)[len(l.Key):] {
		switch v := field.(type) {
		case *Number:
			numbers = append(numbers, *v)
		case *Flag:
			numbers = append(numbers, NumberOf(*v))
		}
	}
	return numbers
}

// NumberOf is a flag as 0 or 1.
func NumberOf(flag Flag) Number {
	n := Number{Valid: flag.Valid}
	if flag.V {
		n.V = 1
	}
	return n
}

// updatedMs is when a source last wrote a row, ms UTC; 0, stored as NULL, if it does not say.
type updatedMs int64

// Scan reads a column of SQLite.
func (u *updatedMs) Scan(src any) error {
	switch ms := src.(type) {
	case nil:
		*u = 0
	case int64:
		*u = updatedMs(ms)
	default:
		return fmt.Errorf("store: an instant cannot be read from %T %v", src, src)
	}
	return nil
}

// Value is the instant, or NULL.
func (u updatedMs) Value() (driver.Value, error) {
	if u == 0 {
		return nil, nil
	}
	return int64(u), nil
}
