package web

import (
	"slices"

	"courant/store/market"
)

// Overview is the start page: all datasets at a glance.
type Overview struct {
	Date           market.DeliveryDate // of the prices shown
	Other          market.DeliveryDate // the other date with prices, today or tomorrow; zero if there is none
	OtherAddress   string
	Tomorrow       bool // Date is tomorrow
	Prices         Sheet
	Energies       []Sheet
	Capacity       []CapacityLine
	CapacityDate   market.DeliveryDate
	CapacityNow    market.Period // the hour whose prices are shown; zero: the means of the date are shown
	CapacityNotice Sheet         // of the first reserve that the visitor may see and that has an absence
	Feeds          Feeds
}

// HasCapacity reports whether any reserve can be shown.
func (o Overview) HasCapacity() bool {
	return slices.ContainsFunc(o.Capacity, func(line CapacityLine) bool { return len(line.Day) > 0 })
}

// CapacityLine is one reserve in one direction, as it is procured each day for the next.
type CapacityLine struct {
	Reserve   string          // FCR, aFRR, mFRR
	Direction string          // as in the API
	Locked    bool            // no subscription covers it
	Price     market.Number   // EUR per MW and hour
	Volume    market.Number   // MW
	Day       []market.Number // the prices of the date, EUR per MW and hour, in the order of time
}

// Overview renders the start page.
func (p *Pages) Overview(visit Visit, view Overview) ([]byte, error) {
	return p.render("overview", visit, view)
}
