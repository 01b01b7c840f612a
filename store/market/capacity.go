package market

import "time"

// The procured reserves, by quarter hour, from RTE Balancing Capacity, result_procured_reserves.
const (
	FCRCapacity  Dataset = "fcr-capacity"
	AFRRCapacity Dataset = "afrr-capacity"
	MFRRCapacity Dataset = "mfrr-capacity"
)

// CapacityStep is a quarter hour of procured reserve, as RTE publishes it.
type CapacityStep struct {
	Dataset      Dataset // fcr-, afrr- or mfrr-capacity
	Start        int64   // seconds UTC
	Direction    Direction
	TimeHorizon  string // as published: DAILY, PERIODIC
	Product      string // RTE's product_type: STD, SPE, SPE0
	OfferedMW    Number
	ContractedMW Number
	Price        Number // EUR/MW for the 15 min, as published
	Updated      int64  // when RTE last wrote the row (update_date), ms UTC; 0: unknown
}

// DailyHorizon is the time horizon of reserve that is procured each day for the next. Other horizons are published weeks ahead
// or not at all.
const DailyHorizon = "DAILY"

// quartersPerHour is the factor from a price per MW for 15 min to one for an hour.
const quartersPerHour = HourSeconds / QuarterSeconds

var (
	capacityFirst     = NewDeliveryDate(2025, time.January, 1)
	mfrrUpwardFirst   = NewDeliveryDate(2025, time.October, 20)
	mfrrDownwardFirst = NewDeliveryDate(2026, time.May, 1)
)

// Capacity is the series of the three capacity datasets.
var Capacity = newSeries(Series[CapacityStep]{
	Table: "capacity",
	Step:  QuarterSeconds,
	Datasets: []About{{
		ID: FCRCapacity, Title: Text{"Capacité FCR", "FCR capacity"}, Summary: Text{"Capacité FCR contractée", "FCR capacity procured"},
		Group: GroupCapacity, Reserve: "FCR", Source: SourceRTE, Product: capacityProduct, Ahead: true,
		First: capacityFirst, Due: []Due{{string(Symmetric), capacityFirst}},
		MostRows: capacityMostRows, YearBytes: 2_800_000,
	}, {
		ID: AFRRCapacity, Title: Text{"Capacité aFRR", "aFRR capacity"}, Summary: Text{"Capacité aFRR contractée", "aFRR capacity procured"},
		Group: GroupCapacity, Reserve: "aFRR", Source: SourceRTE, Product: capacityProduct, Ahead: true,
		First: capacityFirst, Due: []Due{{string(Upward), capacityFirst}, {string(Downward), capacityFirst}},
		MostRows: capacityMostRows, YearBytes: 5_600_000,
	}, {
		ID: MFRRCapacity, Title: Text{"Capacité mFRR", "mFRR capacity"}, Summary: Text{"Capacité mFRR contractée", "mFRR capacity procured"},
		Group: GroupCapacity, Reserve: "mFRR", Source: SourceRTE, Product: capacityProduct, Ahead: true,
		First: mfrrUpwardFirst, Due: []Due{
			{CapacitySeries(Upward, DailyHorizon, ""), mfrrUpwardFirst}, {CapacitySeries(Downward, DailyHorizon, ""), mfrrDownwardFirst},
		},
		MostRows: capacityMostRows, YearBytes: 8_400_000,
	}},
	Start:   func(r *CapacityStep) *int64 { return &r.Start },
	Dataset: func(r *CapacityStep) *Dataset { return &r.Dataset },
	Keys: []Key[CapacityStep]{{
		Name: "direction", Served: "direction", Text: textDirection, Words: []Word{wordUpward, wordDownward, wordSymmetric},
		Field: func(r *CapacityStep) any { return &r.Direction }, Of: func(r *CapacityStep) string { return string(r.Direction) },
	}, {
		Name: "time_horizon", Served: "time_horizon", Text: Text{"Horizon tel que publié : DAILY ou PERIODIC", "Horizon as published: DAILY or PERIODIC"},
		Words: []Word{{DailyHorizon, Text{"journalier", "daily"}}, {"PERIODIC", Text{"périodique", "periodic"}}}, Any: true,
		Field: func(r *CapacityStep) any { return &r.TimeHorizon }, Of: func(r *CapacityStep) string { return r.TimeHorizon },
	}, {
		Name: "product", Served: "product", Text: Text{"Produit de RTE : STD, SPE ou SPE0", "RTE’s product: STD, SPE or SPE0"}, Any: true,
		Field: func(r *CapacityStep) any { return &r.Product }, Of: func(r *CapacityStep) string { return r.Product },
	}},
	Columns: []Column[CapacityStep]{{
		Name: "offered_mw", Served: "offered_volume_mw", Unit: MW, Text: Text{"Volume offert", "Volume offered"}, Label: Text{"Offert", "Offered"},
		Number: func(r *CapacityStep) *Number { return &r.OfferedMW },
	}, {
		Name: "contracted_mw", Served: "contracted_volume_mw", Unit: MW, Text: Text{"Volume contracté", "Volume procured"}, Label: Text{"Contracté", "Procured"},
		Number: func(r *CapacityStep) *Number { return &r.ContractedMW },
	}, {
		Name: "price", Served: "price", Unit: EURPerMW, Text: Text{"Prix par MW et heure", "Price per MW and hour"}, Label: Text{"Prix", "Price"},
		Factor: quartersPerHour, StoredUnit: "EUR/MW for 15 min",
		Number: func(r *CapacityStep) *Number { return &r.Price },
	}, {
		Name: "updated_ms", Instant: func(r *CapacityStep) *int64 { return &r.Updated },
	}},
})

const capacityProduct = "RTE Balancing Capacity v5, result_procured_reserves"

// capacityMostRows is four times the rows of mFRR on the longest date: 100 quarter hours of two products and a second horizon.
const capacityMostRows = 4 * 3 * 100

// CapacitySeries returns the name of a series of a capacity dataset, such as UPWARD/DAILY/STD.
func CapacitySeries(direction Direction, timeHorizon, product string) string {
	return string(direction) + "/" + timeHorizon + "/" + product
}
