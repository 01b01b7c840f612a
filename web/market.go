package web

import (
	"courant/ingest/report"
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
	AbsenceStale   Absence = "stale"   // data are shown, but old or incomplete: the state of the feed and Gaps are the reason
)

// Sheet is the part of a page about one dataset.
type Sheet struct {
	Dataset     market.Dataset
	First, Last market.DeliveryDate // delivery dates shown
	Absence     Absence
	Feed        Feed
	Gaps        []report.Missing // incomplete dates that the absence is about
	Charts      []Chart
	Table       Table
	CSV         Text // its address, for each language
	Explore     Text // the address of the page for exploring these data, for each language; may be empty
	Kicker      Text // the line above the first chart: what the chart shows
	OneDateOnly bool // only the last of the requested dates is shown
	Folded      bool // if there are charts, the table is collapsed
}

// SheetSeries is a series of a sheet, with the chart that it is drawn in.
type SheetSeries struct {
	Series
	Chart Text // its name; empty if the series is the only one of its chart
	Unit  string
}

// Series returns the series of all charts.
func (s Sheet) Series() []SheetSeries {
	var all []SheetSeries
	for _, chart := range s.Charts {
		for _, series := range chart.Series {
			one := SheetSeries{Series: series, Unit: chart.Unit}
			if len(chart.Series) > 1 {
				one.Chart = chart.Name
			}
			all = append(all, one)
		}
	}
	return all
}

// DayRow is the means of all series over a delivery date.
type DayRow struct {
	Date  market.DeliveryDate
	Means []DayMean // in the order of Series
}

// DayRows returns a row for each delivery date that has a value, the newest first; nothing if the sheet is about one date.
func (s Sheet) DayRows() []DayRow {
	var rows []DayRow
	all := s.Series()
	if len(all) == 0 || !all[0].Figures.Dated {
		return nil
	}
	for i := len(all[0].Figures.Days) - 1; i >= 0; i-- {
		row := DayRow{Date: all[0].Figures.Days[i].Date}
		hasValue := false
		for _, series := range all {
			row.Means = append(row.Means, series.Figures.Days[i])
			hasValue = hasValue || series.Figures.Days[i].Mean.Valid
		}
		if hasValue {
			rows = append(rows, row)
		}
	}
	return rows
}

// HourRow is the mean of a series over a clock hour.
type HourRow struct {
	market.Period
	Mean        market.Number // two decimals
	Least, Most market.Number
	Known       int64 // seconds that have a value
}

// IsComplete reports whether the whole hour has a value.
func (h HourRow) IsComplete() bool { return h.Known == h.Seconds() }

// HourRows returns a row for each hour of the first column of the table; nothing if the sheet is about several dates, or has
// several series.
func (s Sheet) HourRows() []HourRow {
	if !s.IsLarge() || s.Table.Long {
		return nil
	}
	var rows []HourRow
	var mean market.Mean
	for i, row := range s.Table.Rows {
		hour := market.BucketsHour.Bucket(row.Period.Start)
		if i == 0 || rows[len(rows)-1].Period != hour {
			rows, mean = append(rows, HourRow{Period: hour}), market.Mean{}
		}
		last, n := &rows[len(rows)-1], row.Numbers[0]
		if !n.Valid {
			continue
		}
		mean.AddTimes(n, row.Period.Seconds())
		last.Mean, last.Known = mean.Number(), last.Known+row.Period.Seconds()
		if !last.Least.Valid || n.V < last.Least.V {
			last.Least = n
		}
		if !last.Most.Valid || n.V > last.Most.V {
			last.Most = n
		}
	}
	return rows
}

// IsLarge reports whether the figures of the sheet's one series are above its chart.
func (s Sheet) IsLarge() bool { return len(s.Charts) == 1 && s.Charts[0].Large }

// Incomplete returns the first incomplete dates that a notice names.
func (s Sheet) Incomplete() []report.Missing {
	const named = 3
	return s.Gaps[:min(named, len(s.Gaps))]
}

// Unnamed returns the number of incomplete dates that a notice does not name.
func (s Sheet) Unnamed() int { return len(s.Gaps) - len(s.Incomplete()) }

// Dates returns the number of delivery dates shown.
func (s Sheet) Dates() int { return s.First.DaysUntil(s.Last) + 1 }

// IsOneDate reports whether the sheet is about a single delivery date.
func (s Sheet) IsOneDate() bool { return s.First == s.Last }

// BeforeFirst reports whether the dates are before the first stored one.
func (s Sheet) BeforeFirst() bool { return !s.Feed.First.IsZero() && s.Last.Before(s.Feed.First) }

// Market is a page that shows datasets for delivery dates of the visitor's choice.
type Market struct {
	Title         Text
	Path          Text                // of the page
	First, Last   market.DeliveryDate // the dates shown
	Before, After string              // addresses of the dates before and after them; empty if there are none
	Presets       []Choice            // ranges that fit on the page
	From, To      string              // of the form: the dates shown, or those that cannot be
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
