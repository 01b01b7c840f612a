package server

import (
	"encoding/json"

	"github.com/labstack/echo/v4"

	"courant/store"
)

// status tells any account how the datasets are doing.
func (s *Server) status(c echo.Context) error {
	if _, err := s.reader(c); err != nil {
		return err
	}
	report, err := s.report(c.Request().Context())
	if err != nil {
		return err
	}
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return s.sendData(c, body)
}

// mostRevisionDates is how many delivery dates one answer of revisions may span.
const mostRevisionDates = 366

// revisions lists what changed of a dataset's values between two delivery dates, both included.
func (s *Server) revisions(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	dataset, known := store.ParseDataset(c.Param("dataset"))
	if !known {
		return problemNotFound
	}
	if err := identity.May(dataset); err != nil {
		return err
	}
	first, firstErr := store.ParseDeliveryDate(c.QueryParam("from"))
	last, lastErr := store.ParseDeliveryDate(c.QueryParam("to"))
	if firstErr != nil || lastErr != nil || last.Before(first) || first.DaysUntil(last) >= mostRevisionDates {
		return problemInvalidDates
	}
	revisions, err := s.store.Revisions(c.Request().Context(), dataset, first, last)
	if err != nil {
		return err
	}
	return s.sendData(c, revisionsBody(dataset, revisions))
}

// servedColumn is how a column of the store is served: under which name, and times what.
type servedColumn struct {
	name   string
	factor store.Micro
	flag   bool
}

var (
	priceColumns    = map[string]servedColumn{"price": {name: "price_eur_mwh"}}
	capacityColumns = map[string]servedColumn{
		"offered_mw":    {name: "offered_volume_mw"},
		"contracted_mw": {name: "contracted_volume_mw"},
		"price":         {name: "price", factor: quartersPerHour},
	}
	afrrColumns = map[string]servedColumn{
		"upward_price":       {name: "upward_price_eur_mwh"},
		"downward_price":     {name: "downward_price_eur_mwh"},
		"demand_mw":          {name: "pdemand_mw"},
		"for_france_mw":      {name: "afrr_for_france_mw"},
		"in_france_mw":       {name: "afrr_in_france_mw"},
		"picasso_connection": {name: "picasso_connection", flag: true},
		"prorata_mode":       {name: "prorata_mode", flag: true},
	}
	mfrrColumns = map[string]servedColumn{
		"clearing_price":            {name: "clearing_price_eur_mwh"},
		"settlement_price_current":  {name: "settlement_price_current_eur_mwh"},
		"settlement_price_previous": {name: "settlement_price_previous_eur_mwh"},
		"requested_volume_sa_mw":    {name: "total_requested_volume_sa_mw"},
		"requested_volume_da_mw":    {name: "total_requested_volume_da_mw"},
		"satisfied_need_sa_mw":      {name: "total_satisfied_need_sa_mw"},
		"satisfied_need_da_mw":      {name: "total_satisfied_need_da_mw"},
		"activated_volume_sa_mw":    {name: "total_activated_volume_sa_mw"},
		"activated_volume_da_mw":    {name: "total_activated_volume_da_mw"},
		"submitted_offers_mw":       {name: "total_volume_submitted_offers_mw"},
		"filtered_offers_mw":        {name: "total_volume_filtered_offers_mw"},
	}
)

func servedColumns(dataset store.Dataset) map[string]servedColumn {
	switch dataset {
	case store.DayAheadPrices:
		return priceColumns
	case store.AFRREnergy:
		return afrrColumns
	case store.MFRREnergy:
		return mfrrColumns
	}
	return capacityColumns
}

// revisionsBody names and scales values as the dataset's own endpoint does.
func revisionsBody(dataset store.Dataset, revisions []store.Revision) []byte {
	columns := servedColumns(dataset)
	var w jsonWriter
	w.open('{')
	w.key("revisions").open('[')
	for _, r := range revisions {
		column := columns[r.Column]
		w.open('{')
		w.key("period_start_utc").instant(r.Start)
		w.key("series").text(r.Series)
		w.key("column").text(column.name)
		column.write(w.key("old"), r.Old)
		column.write(w.key("new"), r.New)
		w.key("seen_at").fetched(r.Seen)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.bytes
}

func (c servedColumn) write(w *jsonWriter, n store.Number) {
	switch {
	case c.flag:
		w.flag(store.Flag{V: n.V != 0, Valid: n.Valid})
	default:
		w.number(c.scale(n))
	}
}

// scale is a stored number as it is served.
func (c servedColumn) scale(n store.Number) store.Number {
	if c.factor == 0 || !n.Valid {
		return n
	}
	return (c.factor * store.MicroOf(n.V)).Number()
}
