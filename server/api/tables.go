package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// Labels of what is shown on pages.
var (
	labelPrice    = web.Text{FR: "Prix", EN: "Price"}
	labelUpward   = web.Text{FR: "Hausse", EN: "Upward"}
	labelDownward = web.Text{FR: "Baisse", EN: "Downward"}
	labelDemand   = web.Text{FR: "Besoin du système", EN: "System demand"}
)

const (
	unitEnergy   = "€/MWh"
	unitCapacity = "€/MW/h"
	unitPower    = "MW"

	priceDecimals = 2
	meanDecimals  = 2
)

// table reads what the pages and the CSV show of a dataset; the 4 s steps are shown as means of 5 min.
func (s *Server) table(ctx context.Context, dataset market.Dataset, dates span) (web.Table, error) {
	table := web.Table{ID: string(dataset), Source: fromRTE, Long: dates.days() > 1}
	switch dataset {
	case market.DayAheadPrices:
		prices, err := store.Within(ctx, s.store, market.Prices, market.DayAheadPrices, dates.period())
		table.Source = sourceOf(prices)
		fillPrices(&table, market.Quarters(prices))
		return table, err
	case market.AFRREnergy:
		buckets, thinned, err := s.fiveMinutes(ctx, dates)
		fillAFRR(&table, buckets)
		if thinned {
			table.Note = thinnedNote
		}
		return table, err
	case market.MFRREnergy:
		rows, err := store.Within(ctx, s.store, market.MFRR, market.MFRREnergy, dates.period())
		fillMFRR(&table, rows)
		return table, err
	}
	steps, err := store.Within(ctx, s.store, market.Capacity, dataset, dates.period())
	fillCapacity(&table, capacityRows(steps))
	return table, err
}

// thinnedNote is the notice beside dates whose 4 s steps were removed.
var thinnedNote = web.Text{
	FR: "De cette date, Courant ne garde plus que ces moyennes de 5 minutes : les pas de 4 secondes ont été retirés.",
	EN: "Of this date Courant keeps these 5 minute means only: the 4 second steps were removed.",
}

// fiveMinutes takes the latest date from what was made of it when it was stored. thinned says that its 4 s steps are no
// longer kept.
func (s *Server) fiveMinutes(ctx context.Context, dates span) (buckets []market.AFRRBucket, thinned bool, err error) {
	if buckets, last := s.bodies.fiveMinutes(); dates.first == last && dates.last == last {
		return buckets, false, nil
	}
	return s.store.AFRRBucketsWithin(ctx, dates.period())
}

func fillPrices(table *web.Table, quarters []market.Quarter) {
	table.Caption = web.Text{FR: "Prix day-ahead, zone France", EN: "Day-ahead prices, French zone"}
	table.Columns = []web.Column{{Name: "price_eur_mwh", Label: labelPrice, Unit: unitEnergy, Decimals: priceDecimals}}
	for _, q := range quarters {
		table.Rows = append(table.Rows, web.Row{
			Period: market.Period{Start: q.Start, End: q.Start + market.QuarterSeconds}, Numbers: []market.Number{q.Price},
		})
	}
}

func fillCapacity(table *web.Table, rows []capacityRow) {
	table.Caption = web.Text{FR: "Capacité contractée, prix par MW et heure", EN: "Procured capacity, price per MW and hour"}
	table.Words = []web.Column{
		{Name: "direction", Label: web.Text{FR: "Sens", EN: "Direction"}}, {Name: "time_horizon", Label: web.Text{FR: "Horizon", EN: "Horizon"}},
	}
	table.Columns = []web.Column{
		{Name: "price", Label: labelPrice, Unit: unitCapacity, Decimals: priceDecimals},
		{Name: "contracted_volume_mw", Label: web.Text{FR: "Contracté", EN: "Procured"}, Unit: unitPower},
		{Name: "offered_volume_mw", Label: web.Text{FR: "Offert", EN: "Offered"}, Unit: unitPower},
	}
	for _, row := range rows {
		table.Rows = append(table.Rows, web.Row{
			Period:  market.Period{Start: row.step.Start, End: row.step.Start + row.seconds},
			Series:  seriesKey(row.step),
			Words:   []string{string(row.step.Direction), row.step.TimeHorizon},
			Numbers: []market.Number{row.perMWAndH, row.step.ContractedMW, row.step.OfferedMW},
		})
	}
}

// seriesKey tells what is sold for one period apart, such as upward-daily-std.
func seriesKey(step market.CapacityStep) string {
	return strings.ToLower(strings.Join([]string{string(step.Direction), step.TimeHorizon, step.Product}, "-"))
}

func fillAFRR(table *web.Table, buckets []market.AFRRBucket) {
	table.Caption = web.Text{FR: "Énergie aFRR, moyennes de 5 minutes des pas de 4 secondes", EN: "aFRR energy, 5 minute means of the 4 second steps"}
	table.Columns = []web.Column{
		{Name: "upward_price_eur_mwh", Label: labelUpward, Unit: unitEnergy, Decimals: priceDecimals},
		{Name: "downward_price_eur_mwh", Label: labelDownward, Unit: unitEnergy, Decimals: priceDecimals},
		{Name: "pdemand_mw", Label: labelDemand, Unit: unitPower, Decimals: meanDecimals},
	}
	for _, b := range buckets {
		table.Rows = append(table.Rows, web.Row{
			Period:  market.Period{Start: b.Start, End: b.Start + market.BucketSeconds},
			Numbers: []market.Number{b.UpwardPrice.Mean, b.DownwardPrice.Mean, b.DemandMW.Mean},
		})
	}
}

func fillMFRR(table *web.Table, rows []market.MFRRStep) {
	table.Caption = web.Text{FR: "Énergie mFRR : prix marginaux, et volumes activés (programmés, directs)", EN: "mFRR energy: clearing prices, and activated volumes (scheduled, direct)"}
	table.Columns = []web.Column{
		{Name: "upward_price_eur_mwh", Label: labelUpward, Unit: unitEnergy, Decimals: priceDecimals},
		{Name: "downward_price_eur_mwh", Label: labelDownward, Unit: unitEnergy, Decimals: priceDecimals},
		{Name: "upward_activated_volume_sa_mw", Label: web.Text{FR: "Hausse programmée", EN: "Upward scheduled"}, Unit: unitPower},
		{Name: "downward_activated_volume_sa_mw", Label: web.Text{FR: "Baisse programmée", EN: "Downward scheduled"}, Unit: unitPower},
		{Name: "upward_activated_volume_da_mw", Label: web.Text{FR: "Hausse directe", EN: "Upward direct"}, Unit: unitPower},
		{Name: "downward_activated_volume_da_mw", Label: web.Text{FR: "Baisse directe", EN: "Downward direct"}, Unit: unitPower},
	}
	for _, row := range rows {
		period := market.Period{Start: row.Start, End: row.Start + market.QuarterSeconds}
		if len(table.Rows) == 0 || table.Rows[len(table.Rows)-1].Period != period {
			table.Rows = append(table.Rows, web.Row{Period: period, Numbers: make([]market.Number, len(table.Columns))})
		}
		numbers := table.Rows[len(table.Rows)-1].Numbers
		side := 0
		if row.Direction == market.Downward {
			side = 1
		}
		numbers[side], numbers[2+side], numbers[4+side] = row.ClearingPrice, row.ActivatedVolumeSAMW, row.ActivatedVolumeDAMW
	}
}

// seriesOf is a line of a chart over the table: a column, of those rows that are of the series.
func seriesOf(table web.Table, rows, column string, label web.Text) web.Series {
	at := slices.IndexFunc(table.Columns, func(c web.Column) bool { return c.Name == column })
	key := column
	if rows != "" {
		key = rows + "-" + column
	}
	figures := web.Figures{Dated: table.Long}
	var all market.Mean
	for _, row := range table.Rows {
		if row.Series != rows {
			continue
		}
		figures.Periods++
		n := row.Numbers[at]
		if !n.Valid {
			continue
		}
		if figures.Values == 0 || n.V < figures.Least.V {
			figures.Least, figures.LeastAt = n, row.Period
		}
		if figures.Values == 0 || n.V > figures.Most.V {
			figures.Most, figures.MostAt = n, row.Period
		}
		figures.Values++
		if n.V < 0 {
			figures.Negative++
		}
		all.Add(n)
	}
	figures.Mean = all.Number()
	return web.Series{Key: key, Label: label, Figures: figures}
}

// chartsOf are the drawings of a dataset's table.
func (s *Server) chartsOf(table web.Table, dataset market.Dataset, dates span) []web.Chart {
	chart := func(name web.Text, unit string, series ...web.Series) web.Chart {
		return web.Chart{Name: name, TableID: table.ID, Period: dates.period(), Now: s.clock.Now().Unix(), Unit: unit, Series: series}
	}
	prices := web.Text{FR: "Prix", EN: "Prices"}
	switch dataset {
	case market.DayAheadPrices:
		c := chart(table.Caption, unitEnergy, seriesOf(table, "", "price_eur_mwh", labelPrice))
		c.Large = true
		return []web.Chart{c}
	case market.AFRREnergy:
		return []web.Chart{
			chart(prices, unitEnergy, seriesOf(table, "", "upward_price_eur_mwh", labelUpward), seriesOf(table, "", "downward_price_eur_mwh", labelDownward)),
			chart(labelDemand, unitPower, seriesOf(table, "", "pdemand_mw", labelDemand)),
		}
	case market.MFRREnergy:
		return []web.Chart{
			chart(prices, unitEnergy, seriesOf(table, "", "upward_price_eur_mwh", labelUpward), seriesOf(table, "", "downward_price_eur_mwh", labelDownward)),
			chart(web.Text{FR: "Volumes activés, programmés", EN: "Activated volumes, scheduled"}, unitPower,
				seriesOf(table, "", "upward_activated_volume_sa_mw", labelUpward), seriesOf(table, "", "downward_activated_volume_sa_mw", labelDownward)),
		}
	}
	price, volume := chart(prices, unitCapacity), chart(web.Text{FR: "Volume contracté", EN: "Procured volume"}, unitPower)
	for _, sold := range soldIn(table) {
		price.Series = append(price.Series, seriesOf(table, sold.key, "price", sold.label))
		volume.Series = append(volume.Series, seriesOf(table, sold.key, "contracted_volume_mw", sold.label))
	}
	return []web.Chart{price, volume}
}

// sold is a series of a table of capacity.
type sold struct {
	key   string
	label web.Text
}

// soldIn lists the series of a table of capacity, as they are ordered in a period.
func soldIn(table web.Table) []sold {
	var all []sold
	for _, row := range table.Rows {
		if slices.ContainsFunc(all, func(s sold) bool { return s.key == row.Series }) {
			continue
		}
		label := map[string]web.Text{
			string(market.Upward): labelUpward, string(market.Downward): labelDownward, string(market.Symmetric): {FR: "Symétrique", EN: "Symmetric"},
		}[row.Words[0]]
		if horizon := row.Words[1]; horizon != dailyHorizon {
			of := web.Published(horizon)
			label = web.Text{FR: label.FR + ", " + of.FR, EN: label.EN + ", " + of.EN}
		}
		all = append(all, sold{row.Series, label})
	}
	slices.SortStableFunc(all, func(a, b sold) int { return cmp.Compare(rank(a.key), rank(b.key)) })
	return all
}

// dailyHorizon is the time horizon of what is sold each day for the next.
const dailyHorizon = "DAILY"

// rank puts what is sold each day first.
func rank(key string) int {
	if strings.Contains(key, "-"+strings.ToLower(dailyHorizon)+"-") {
		return 0
	}
	return 1
}
