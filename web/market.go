package web

import (
	"courant/store/market"
)

// Absence is why a page shows no chart, or what has to be known of the one that it shows.
type Absence string

// The zero Absence is none.
const (
	AbsenceLocked  Absence = "locked"  // no subscription covers the dataset
	AbsenceOff     Absence = "off"     // nothing is stored, and its feed is off
	AbsenceNothing Absence = "nothing" // nothing is stored at all
	AbsenceDates   Absence = "dates"   // nothing is stored for these dates
	AbsenceStale   Absence = "stale"   // what is shown is old: the state of the feed says why
)

// Sheet is what a page shows of one dataset.
type Sheet struct {
	Dataset     market.Dataset
	First, Last market.DeliveryDate // delivery dates shown
	Absence     Absence
	Feed        Feed
	Charts      []Chart
	Table       Table
	CSV         Text // addresses, in the form of each language
	Kicker      Text // what the first chart shows
	OneDateOnly bool // of the dates asked for, the last alone is shown
	Folded      bool // where there are charts, the table is shown when it is asked for
}

// Market is a page that shows datasets for any delivery dates.
type Market struct {
	Title         Text
	Path          Text // of the page
	First, Last   market.DeliveryDate
	Before, After string // addresses of the dates before and after; empty: there are none
	InvalidDates  bool   // what was asked for cannot be shown
	MostDates     int
	Sheets        []Sheet
}

// Days is how many delivery dates are shown.
func (m Market) Days() int { return m.First.DaysUntil(m.Last) + 1 }

// Market renders a page that shows datasets for any delivery dates.
func (p *Pages) Market(visit Visit, view Market) ([]byte, error) {
	return p.render("market", visit, view)
}
