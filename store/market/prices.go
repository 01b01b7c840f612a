package market

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DayAheadPrices is the day-ahead prices of the French bidding zone, EUR/MWh, from ENTSO-E and, until that has them, RTE.
const DayAheadPrices Dataset = "day-ahead-prices"

// Price is a day-ahead price of the French bidding zone, as its source publishes it.
type Price struct {
	Start      int64      // seconds UTC
	Resolution Resolution // the length of its period
	Source     PriceSource
	Price      Number // EUR/MWh
}

// Prices is the series of the day-ahead prices (ENTSO-E document A44; RTE france_power_exchanges).
var Prices = newSeries(Series[Price]{
	Table: "day_ahead_price",
	Step:  QuarterSeconds,
	Datasets: []About{{
		ID:        DayAheadPrices,
		Title:     Text{"Prix day-ahead", "Day-ahead prices"},
		Summary:   Text{"Prix day-ahead de la zone France, par quart d’heure", "Day-ahead prices of the French zone, by quarter hour"},
		Group:     GroupPrices,
		Source:    SourceENTSOE,
		Product:   "ENTSO-E, document A44",
		Ahead:     true,
		Open:      true,
		First:     NewDeliveryDate(2015, time.January, 5),
		YearBytes: 3_600_000,
	}},
	Start: func(r *Price) *int64 { return &r.Start },
	Lasts: func(r *Price) int64 { return r.Resolution.Seconds() },
	Keys: []Key[Price]{
		{Name: "resolution", Field: func(r *Price) any { return &r.Resolution }, Of: func(r *Price) string { return string(r.Resolution) }},
		{Name: "source", Field: func(r *Price) any { return &r.Source }, Of: func(r *Price) string { return r.Source.String() }},
	},
	Columns: []Column[Price]{{
		Name: "price", Served: "price_eur_mwh", Unit: EURPerMWh, Text: Text{"Prix", "Price"},
		Number: func(r *Price) *Number { return &r.Price },
	}},
	SeriesOf: func(r *Price) string { return PriceSeries(r.Resolution, r.Source) },
	StandIn:  func(r Price) Price { return Price{Start: r.Start, Resolution: r.Resolution, Source: FromRTE} },
})

// Resolution is the length of a price's period as ENTSO-E writes it.
type Resolution string

// The resolutions in which France's day-ahead prices have been or may be published.
const (
	PT15M Resolution = "PT15M"
	PT30M Resolution = "PT30M"
	PT60M Resolution = "PT60M"
)

// Seconds returns the length of the resolution; 0 if it is unknown.
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

// PriceSource is the publisher of a day-ahead price. ENTSO-E's prices are served; RTE's where ENTSO-E has none.
type PriceSource uint8

const (
	FromENTSOE PriceSource = iota // A44
	FromRTE                       // france_power_exchanges
)

var priceSources = []string{SourceENTSOE, SourceRTE}

func (s PriceSource) String() string { return priceSources[s] }

// Value returns the name of the source, for SQL.
func (s PriceSource) Value() (driver.Value, error) { return s.String(), nil }

// Scan sets the source from its name in SQL.
func (s *PriceSource) Scan(src any) error {
	i := slices.Index(priceSources, fmt.Sprint(src))
	if i < 0 {
		return fmt.Errorf("store: no source of prices is named %v", src)
	}
	*s = PriceSource(i)
	return nil
}

// PriceSeries returns the name of a series of prices, such as PT15M, or PT15M/RTE for those of RTE.
func PriceSeries(resolution Resolution, source PriceSource) string {
	if source == FromENTSOE {
		return string(resolution)
	}
	return string(resolution) + "/" + source.String()
}

// SecondsOfPrices returns how long the prices of a series last.
func SecondsOfPrices(series string) int64 {
	resolution, _, _ := strings.Cut(series, "/")
	return Resolution(resolution).Seconds()
}

// isStandIn reports whether a series is of the second source, RTE.
func isStandIn(series string) bool { return strings.HasSuffix(series, "/"+FromRTE.String()) }
