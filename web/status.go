package web

import (
	"slices"
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

// Status is the page of the state of the feeds.
type Status struct {
	Feeds    Feeds
	Dates    []market.DeliveryDate // of the calendar, ascending
	Waiting  []Waiting             // for a person's decision, the oldest first
	Proposal *Proposal             // of one of them, for administrators; nil: none is shown
}

// Waiting is a delivery date that waits for a person's decision.
type Waiting struct {
	ID      int64
	Dataset market.Dataset
	Date    market.DeliveryDate
	Kind    market.WaitKind
	Reason  string // what is odd about it, or why it was refused
	Seen    time.Time
}

// Refused reports whether the date was refused: the reason is then a source's own text.
func (w Waiting) Refused() bool { return w.Kind == market.WaitsRefused }

// Proposal is a delivery date that waits, and what would be stored if it were accepted now.
type Proposal struct {
	Waiting
	Rows, NewRows int
	First, Last   time.Time // starts of the first and of the last row
	Values        []ProposedColumn
}

// ProposedColumn is one column of what waits. Its counts are of values.
type ProposedColumn struct {
	Name      string // as the API names it
	Given     int
	Min, Max  market.Number // of the values given; null if there are none
	Arrived   int           // where nothing is stored
	Changed   int           // that differ from the stored ones
	Withdrawn int           // that are stored and would become null
}

// CalendarMonth is a month of the calendar and the number of its dates that are shown.
type CalendarMonth struct {
	First market.DeliveryDate
	Dates int
}

// Months returns the months of the calendar, ascending.
func (s Status) Months() []CalendarMonth {
	var months []CalendarMonth
	for _, date := range s.Dates {
		if len(months) == 0 || dayOf(date) == 1 {
			months = append(months, CalendarMonth{First: date})
		}
		months[len(months)-1].Dates++
	}
	return months
}

// Days returns the cell of each date of the calendar.
func (s Status) Days(feed Feed) []CalendarDay {
	var days []CalendarDay
	for _, date := range s.Dates {
		days = append(days, feed.on(date))
	}
	return days
}

// DayState is how complete a delivery date is in the calendar.
type DayState string

const (
	DayWhole   DayState = "whole"
	DayPartial DayState = "partial"
	DayMissing DayState = "missing"
	DayRunning DayState = "running" // its end is still ahead
	DayNone    DayState = "none"    // not collected, or not due yet
)

// dayStates returns all states, in the order of the legend.
func dayStates() []DayState { return []DayState{DayWhole, DayPartial, DayMissing, DayRunning, DayNone} }

var dayTexts = map[DayState]Text{
	DayWhole:   {"complète", "complete"},
	DayPartial: {"partielle", "partial"},
	DayMissing: {"absente", "missing"},
	DayRunning: {"en cours", "in progress"},
	DayNone:    {"non collectée", "not collected"},
}

// CalendarDay is one dataset's delivery date in the calendar.
type CalendarDay struct {
	report.Missing
	State DayState
}

// IsGap reports whether the date is not whole, so that its periods and the reason are shown.
func (d CalendarDay) IsGap() bool { return d.State == DayPartial || d.State == DayMissing }

func (f Feed) on(date market.DeliveryDate) CalendarDay {
	at := slices.IndexFunc(f.Gaps, func(g report.Missing) bool { return g.Date == date })
	switch {
	case at >= 0 && f.Gaps[at].Received > 0:
		return CalendarDay{f.Gaps[at], DayPartial}
	case at >= 0:
		return CalendarDay{f.Gaps[at], DayMissing}
	case f.First.IsZero() || date.Before(f.First) || date.After(f.Last):
		return CalendarDay{report.Missing{Date: date}, DayNone}
	case f.NewestEnd.Before(date.End()):
		return CalendarDay{report.Missing{Date: date}, DayRunning}
	}
	return CalendarDay{report.Missing{Date: date}, DayWhole}
}

// DatasetGap is a delivery date of a dataset that is not whole.
type DatasetGap struct {
	Dataset market.Dataset
	report.Missing
}

// Gaps returns the dates of the calendar that are not whole, the newest first.
func (s Status) Gaps() []DatasetGap {
	var gaps []DatasetGap
	for _, feed := range s.Feeds.All {
		for _, gap := range feed.Gaps {
			if slices.Contains(s.Dates, gap.Date) {
				gaps = append(gaps, DatasetGap{feed.Dataset, gap})
			}
		}
	}
	slices.SortStableFunc(gaps, func(a, b DatasetGap) int { return a.Date.DaysUntil(b.Date) })
	return gaps
}

// NothingRead reports whether no feed has ever read its source.
func (s Status) NothingRead() bool {
	return !slices.ContainsFunc(s.Feeds.All, func(feed Feed) bool { return !feed.ReadAt.IsZero() })
}

// Status renders the page of the state of the feeds.
func (p *Pages) Status(visit Visit, view Status) ([]byte, error) {
	return p.render("status", visit, view)
}

// dayOf returns the day of the month of a date.
func dayOf(d market.DeliveryDate) int { return d.Start().In(market.Paris).Day() }

func monthOf(l Language, d market.DeliveryDate) string {
	return months[l][d.Start().In(market.Paris).Month()-time.January]
}
