package web

import (
	"slices"

	"courant/store/market"
)

// Overview is the start page: the price now, the prices of today and tomorrow, and the newest of all other datasets.
type Overview struct {
	Date           market.DeliveryDate // today, or the last date with prices if that is before today
	IsToday        bool
	Until          int64         // seconds UTC of the end of the current quarter hour: what the page shows of the present holds until then
	Price, Next    market.Hold   // the price now and the one that follows it; zero where they are not known
	Rank           market.Rank   // of the price now among those of the 30 delivery dates before
	RankDates      int           // how many of these have a price
	Median         market.Number // of the same prices
	Days           []PriceDay    // Date and, once it has a price, tomorrow
	Prices         Sheet
	Blocks         Blocks
	Energies       []Recent
	Capacity       []CapacityLine
	CapacityDates  []market.DeliveryDate // those whose means are shown
	CapacityNow    market.Period         // the hour whose prices are shown; zero if it is of none of the dates
	CapacityNotice Sheet                 // of the first reserve that the visitor may see and that has an absence
	Feeds          Feeds
}

// Change is the difference between the price now and the next one.
func (o Overview) Change() market.Number { return market.Difference(o.Next.Price, o.Price.Price) }

// HasCapacity reports whether any reserve can be shown.
func (o Overview) HasCapacity() bool {
	return len(o.CapacityDates) > 0 && (o.HasResults(0) || o.HasResults(len(o.CapacityDates)-1))
}

// HasResults reports whether any reserve has a result for the date with this index.
func (o Overview) HasResults(date int) bool {
	return slices.ContainsFunc(o.Capacity, func(line CapacityLine) bool {
		return date < len(line.Days) && len(line.Days[date].Prices) > 0
	})
}

// DaysOf returns the results of a line for the dates shown.
func (o Overview) DaysOf(line CapacityLine) []CapacityDay { return line.Days[:len(o.CapacityDates)] }

// CapacityColumns returns the number of columns with values in the table of reserves.
func (o Overview) CapacityColumns() int {
	if o.CapacityNow.Start == 0 {
		return len(o.CapacityDates)
	}
	return len(o.CapacityDates) + 1
}

// PriceDay is the figures of a delivery date's prices, beside those of two earlier dates.
type PriceDay struct {
	Date market.DeliveryDate
	market.DayFigures
	DayBefore, WeekBefore market.DayFigures
}

// mostNegative is how many periods with prices below zero are named.
const mostNegative = 3

// FirstNegative returns the periods with prices below zero that are named.
func (d PriceDay) FirstNegative() []market.Period {
	return d.NegativeAt[:min(mostNegative, len(d.NegativeAt))]
}

// MoreNegative returns the number of those that are not named.
func (d PriceDay) MoreNegative() int { return len(d.NegativeAt) - len(d.FirstNegative()) }

// Measure is a figure of each delivery date.
type Measure struct {
	Name  Text
	Cells []MeasureCell
}

// MeasureCell is a figure of a delivery date, EUR/MWh, and how far it is above those of the day before and of the same weekday
// of the week before; these are null unless both dates are complete.
type MeasureCell struct {
	Value                 market.Number
	At                    market.Period // the quarter hour that it is about; zero: the whole date
	DayBefore, WeekBefore market.Number
}

// Measures returns the figures of all dates, each in a line.
func (o Overview) Measures() []Measure {
	measures := []Measure{
		{Name: Text{"Moyenne", "Mean"}},
		{Name: Text{"Minimum", "Minimum"}},
		{Name: Text{"Maximum", "Maximum"}},
		{Name: Text{"Écart max − min", "Spread max − min"}},
	}
	for _, day := range o.Days {
		for i, of := range []func(market.DayFigures) (market.Number, market.Period){
			func(f market.DayFigures) (market.Number, market.Period) { return f.Mean, market.Period{} },
			func(f market.DayFigures) (market.Number, market.Period) { return f.Least, f.LeastAt },
			func(f market.DayFigures) (market.Number, market.Period) { return f.Most, f.MostAt },
			func(f market.DayFigures) (market.Number, market.Period) { return f.Spread, market.Period{} },
		} {
			var cell MeasureCell
			cell.Value, cell.At = of(day.DayFigures)
			since := func(before market.DayFigures) market.Number {
				if !day.IsComplete() || !before.IsComplete() {
					return market.Number{}
				}
				value, _ := of(before)
				return market.Difference(cell.Value, value)
			}
			cell.DayBefore, cell.WeekBefore = since(day.DayBefore), since(day.WeekBefore)
			measures[i].Cells = append(measures[i].Cells, cell)
		}
	}
	return measures
}

// Blocks is the cheapest and the dearest hours of some periods.
type Blocks struct {
	Hours   int
	Apart   bool // the hours need not follow each other
	Lengths []Choice
	Kinds   []Choice
	Lines   []BlockLine
}

// BlockLine is the blocks of a delivery date, or of the time from an instant on.
type BlockLine struct {
	Date              market.DeliveryDate // zero: from From on, until the end of the dates shown
	From              market.Period       // the first quarter hour
	Dated             bool                // the line spans two dates
	Known, Expected   int                 // quarter hours with a price, and all
	Cheapest, Dearest market.Block        // without periods if too few quarter hours are known
}

// IsComplete reports whether all quarter hours of the line are known.
func (l BlockLine) IsComplete() bool { return l.Known == l.Expected }

// shownBlock is a block as a template shows it.
type shownBlock struct {
	market.Block
	Slots []string // its periods in local time
}

// newShownBlock returns a block with its periods in local time, with their dates if dated.
func newShownBlock(l Language, block market.Block, dated bool) shownBlock {
	shown := shownBlock{Block: block}
	for _, period := range block.Periods {
		shown.Slots = append(shown.Slots, slot(l, period, dated))
	}
	return shown
}

// CapacityLine is one reserve in one direction, as it is procured each day for the next.
type CapacityLine struct {
	Reserve   string        // FCR, aFRR, mFRR
	Direction string        // as in the API
	Product   string        // RTE's, where there are several in the direction; else empty
	Locked    bool          // no subscription covers it
	Price     market.Number // of the hour that is shown, EUR per MW and hour
	Volume    market.Number // of the hour that is shown, MW
	Days      []CapacityDay // one for each of the dates shown
}

// CapacityDay is the results of one reserve in one direction for a delivery date.
type CapacityDay struct {
	DayMean
	Prices []market.Number // EUR per MW and hour, in the order of time
}

// Recent is the newest hours of a dataset.
type Recent struct {
	Sheet
	All []SheetSeries // also those that are not drawn
}

// Overview renders the start page.
func (p *Pages) Overview(visit Visit, view Overview) ([]byte, error) {
	return p.render("overview", visit, view)
}
