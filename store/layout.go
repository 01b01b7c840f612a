package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// layout says how one row type lies in its table. fields points at a row's columns: start, then the other columns
// of the key (all of them stored as texts), then the values (each a Number or a Flag), then updated_ms where updated is set.
type layout[R comparable] struct {
	table   string
	key     []string
	values  []string
	fields  func(*R) []any
	dataset func(*R) Dataset
	start   func(*R) int64
	series  func(*R) string
	updated func(*R) *int64 // when the source last wrote the row, ms UTC, 0: not known; nil: the source never says
	standIn func(R) R       // the row that serves until this one is there; nil: none does
}

var priceLayout = layout[Price]{
	table:   "day_ahead_price",
	key:     []string{"start", "resolution", "source"},
	values:  []string{"price"},
	fields:  func(r *Price) []any { return []any{&r.Start, &r.Resolution, &r.Source, &r.Price} },
	dataset: func(*Price) Dataset { return DayAheadPrices },
	start:   func(r *Price) int64 { return r.Start },
	series:  func(r *Price) string { return PriceSeries(r.Resolution, r.Source) },
	standIn: func(r Price) Price { return Price{Start: r.Start, Resolution: r.Resolution, Source: FromRTE} },
}

var capacityLayout = layout[CapacityStep]{
	table:  "capacity",
	key:    []string{"start", "dataset", "direction", "time_horizon", "product"},
	values: []string{"offered_mw", "contracted_mw", "price"},
	fields: func(r *CapacityStep) []any {
		return []any{&r.Start, &r.Dataset, &r.Direction, &r.TimeHorizon, &r.Product, &r.OfferedMW, &r.ContractedMW, &r.Price,
			(*updatedMs)(&r.Updated)}
	},
	updated: func(r *CapacityStep) *int64 { return &r.Updated },
	dataset: func(r *CapacityStep) Dataset { return r.Dataset },
	start:   func(r *CapacityStep) int64 { return r.Start },
	series:  func(r *CapacityStep) string { return CapacitySeries(r.Direction, r.TimeHorizon, r.Product) },
}

var afrrLayout = layout[AFRRStep]{
	table: "afrr_energy",
	key:   []string{"start"},
	values: []string{"upward_price", "downward_price", "demand_mw", "for_france_mw", "in_france_mw",
		"picasso_connection", "prorata_mode"},
	fields: func(r *AFRRStep) []any {
		return []any{&r.Start, &r.UpwardPrice, &r.DownwardPrice, &r.DemandMW, &r.ForFranceMW, &r.InFranceMW,
			&r.PicassoConnection, &r.ProrataMode}
	},
	dataset: func(*AFRRStep) Dataset { return AFRREnergy },
	start:   func(r *AFRRStep) int64 { return r.Start },
	series:  func(*AFRRStep) string { return "" },
}

var mfrrLayout = layout[MFRRStep]{
	table: "mfrr_energy",
	key:   []string{"start", "direction"},
	values: []string{"clearing_price", "settlement_price_current", "settlement_price_previous",
		"requested_volume_sa_mw", "requested_volume_da_mw", "satisfied_need_sa_mw", "satisfied_need_da_mw",
		"activated_volume_sa_mw", "activated_volume_da_mw", "submitted_offers_mw", "filtered_offers_mw"},
	fields: func(r *MFRRStep) []any {
		return []any{&r.Start, &r.Direction, &r.ClearingPrice, &r.SettlementPriceCurrent, &r.SettlementPricePrevious,
			&r.RequestedVolumeSAMW, &r.RequestedVolumeDAMW, &r.SatisfiedNeedSAMW, &r.SatisfiedNeedDAMW,
			&r.ActivatedVolumeSAMW, &r.ActivatedVolumeDAMW, &r.SubmittedOffersMW, &r.FilteredOffersMW, (*updatedMs)(&r.Updated)}
	},
	updated: func(r *MFRRStep) *int64 { return &r.Updated },
	dataset: func(*MFRRStep) Dataset { return MFRREnergy },
	start:   func(r *MFRRStep) int64 { return r.Start },
	series:  func(r *MFRRStep) string { return string(r.Direction) },
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

// rowKey tells one row from all others.
type rowKey struct {
	dataset Dataset
	start   int64 // seconds UTC
	series  string
}

func (l layout[R]) rowKey(r *R) rowKey { return rowKey{l.dataset(r), l.start(r), l.series(r)} }

// merge is what is kept when after arrives where before is stored, which is the zero row where nothing is; Optional.over
// says what becomes of each value. A row that the source dates before the stored one changes nothing: then older is true.
//
// The newest date that the source has given stays also when a row without one takes the place of what was dated: what is
// older than that date is old news all the same.
func (l layout[R]) merge(before, after R) (kept R, older bool) {
	if l.updated != nil {
		was, is := l.updated(&before), l.updated(&after)
		if isOlder(*is, *was) {
			return before, true
		}
		*is = max(*is, *was)
	}
	old, new := l.fields(&before), l.fields(&after)
	for i := len(l.key); i < len(new); i++ {
		switch n := new[i].(type) {
		case *Number:
			*n = n.over(*old[i].(*Number))
		case *Flag:
			*n = n.over(*old[i].(*Flag))
		}
	}
	return after, false
}

// join makes one row of those of a batch that have the same key, in the order in which they came; Optional.join says which
// value stands. The row bears the newest of their dates.
func (l layout[R]) join(rows ...R) R {
	joined := rows[0]
	into := l.fields(&joined)
	dated := make([]int64, len(into)) // of each value
	for i := range rows {
		var date int64
		if l.updated != nil {
			date = *l.updated(&rows[i])
			*l.updated(&joined) = max(*l.updated(&joined), date)
		}
		from := l.fields(&rows[i])
		for f := len(l.key); f < len(into); f++ {
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

// sameValues says whether two rows of one key differ in nothing but their dates.
func (l layout[R]) sameValues(a, b R) bool {
	if l.updated != nil {
		*l.updated(&a) = *l.updated(&b)
	}
	return a == b
}

// numbers are the row's values in the order of l.values; a flag is 0 or 1.
func (l layout[R]) numbers(r *R) []Number {
	var numbers []Number
	for _, field := range l.fields(r)[len(l.key):] {
		switch v := field.(type) {
		case *Number:
			numbers = append(numbers, *v)
		case *Flag:
			numbers = append(numbers, numberOf(*v))
		}
	}
	return numbers
}

// numberOf is a flag as 0 or 1.
func numberOf(flag Flag) Number {
	n := Number{Valid: flag.Valid}
	if flag.V {
		n.V = 1
	}
	return n
}

func (l layout[R]) columns() []string { return slices.Concat(l.key, l.data()) }

// data are the columns that are not of the key.
func (l layout[R]) data() []string {
	if l.updated == nil {
		return l.values
	}
	return append(slices.Clip(l.values), "updated_ms")
}

// upsert is a statement that writes n rows; first_seen_ms is kept where a row is there already.
func (l layout[R]) upsert(n int) string {
	columns := append(l.columns(), "first_seen_ms", "changed_ms")
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	var set []string
	for _, column := range append(slices.Clone(l.data()), "changed_ms") {
		set = append(set, column+"=excluded."+column)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", l.table, strings.Join(columns, ","),
		row+strings.Repeat(","+row, n-1), strings.Join(l.key, ","), strings.Join(set, ","))
}

// selectRows begins a query over the table; extra names more columns.
func (l layout[R]) selectRows(extra string) string {
	return "SELECT " + strings.Join(l.columns(), ",") + extra + " FROM " + l.table
}

// scan reads all rows of a query made by selectRows; more points at what extra columns are read into.
func (l layout[R]) scan(rows *sql.Rows, more []any, each func(R)) error {
	defer rows.Close()
	for rows.Next() {
		var r R
		if err := rows.Scan(append(l.fields(&r), more...)...); err != nil {
			return err
		}
		each(r)
	}
	return rows.Err()
}
