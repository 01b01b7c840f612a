package web

import (
	"courant/store/market"
)

// Absence is the reason why a page shows no data of a dataset, or AbsenceStale; empty if it shows current data.
type Absence string

// The values of Absence.
const (
	AbsenceLocked  Absence = "locked"  // no subscription covers the dataset
	AbsenceOff     Absence = "off"     // nothing is stored, and its feed is off
	AbsenceNothing Absence = "nothing" // nothing is stored, and its feed is on
	AbsenceDates   Absence = "dates"   // nothing is stored for these dates
	AbsenceStale   Absence = "stale"   // data are shown, but old ones: the state of the feed is the reason
)

// Sheet is the part of a page about one dataset.
type Sheet struct {
	Dataset     market.Dataset
	First, Last market.DeliveryDate // delivery dates shown
	Absence     Absence
	Feed        Feed
	Charts      []Chart
	Table       Table
	CSV         Text // its address, for each language
	Kicker      Text // the line above the first chart: what the chart shows
	OneDateOnly bool // only the last of the requested dates is shown
	Folded      bool // if there are charts, the table is collapsed
}

// Market is a page that shows datasets for delivery dates of the visitor's choice.
type Market struct {
	Title         Text
	Path          Text                // of the page
	First, Last   market.DeliveryDate // the dates shown
	Before, After string              // addresses of the dates before and after them; empty if there are none
	InvalidDates  bool                // the requested dates cannot be shown
	MostDates     int                 // the greatest number of dates that can be shown at once
	Sheets        []Sheet
}

// Days returns the number of delivery dates shown.
func (m Market) Days() int { return m.First.DaysUntil(m.Last) + 1 }

// Market renders a page of the market.
func (p *Pages) Market(visit Visit, view Market) ([]byte, error) {
	return p.render("market", visit, view)
}
