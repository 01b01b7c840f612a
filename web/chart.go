package web

import (
	"fmt"
	"strings"

	"courant/store/market"
)

// Chart is a chart of numbers. The script reads them from a table on the same page, so that the chart and the table cannot
// differ, or from Runs where TableID is empty.
type Chart struct {
	Name    Text
	TableID string
	Period  market.Period // the time axis
	Now     int64         // seconds UTC; the current period is marked
	Unit    string
	Series  []Series
	Large   bool // the main chart of a page
	Axis    Axis
	Saves   bool // it can be saved as an image, which names the Source
	Source  Text
	Summary Text // in words; empty: that of the figures of the series
}

// Axis is what the horizontal axis of a chart is, if not time.
type Axis string

// The values of Axis.
const (
	AxisTime  Axis = ""
	AxisHour  Axis = "hour"  // the hour of the day: the period is that of a day in seconds
	AxisShare Axis = "share" // a share of the values: the period is the number of points
)

// Series is a line of a chart.
type Series struct {
	Key     string // the row's series and the column's name, joined by a dash; the name alone where a period is one row
	Label   Text
	Figures Figures

	// A series without a table has its values as Runs returns them, and where finer rows are: the address without the range, and
	// the step of the dataset in seconds.
	Runs string
	Rows string
	Step int64
	// Before is by how many days the values were moved to be compared; 0: they are where they belong.
	Before int
	Style  string // s0 to s7, with " before" for one of an earlier range; empty: by its place in the chart
}

// Figures are the summary of a series.
type Figures struct {
	Values, Periods int           // periods with a value, and all
	Mean            market.Number // over time, two decimals
	Least, Most     market.Number
	LeastAt, MostAt market.Period // the first of them
	Newest          market.Number // the last that is not null
	NewestAt        market.Period
	Negative        int             // values below zero
	Dated           bool            // the series spans several delivery dates
	Days            []DayMean       // of each delivery date that the series spans
	Missing         []market.Period // without a value, if that is not known yet
}

// DayMean is the mean of a series over a delivery date, and its extremes.
type DayMean struct {
	Date         market.DeliveryDate
	Mean         market.Number // two decimals
	Least, Most  market.Number
	Negative     int   // values below zero
	Known, Whole int64 // seconds that are known, and all of the date
}

// IsComplete reports whether the whole date is known.
func (d DayMean) IsComplete() bool { return d.Known == d.Whole }

// mostMissing is how many periods without a value are named.
const mostMissing = 3

// FirstMissing returns the periods without a value that are named.
func (f Figures) FirstMissing() []market.Period { return f.Missing[:min(mostMissing, len(f.Missing))] }

// MoreMissing returns the number of periods without a value that are not named.
func (f Figures) MoreMissing() int { return len(f.Missing) - len(f.FirstMissing()) }

// summary describes a chart in words, for screen readers.
func (c Chart) summary(l Language) string {
	if c.Summary.FR != "" {
		return c.Summary.typeset(l)
	}
	var sentences []string
	for _, s := range c.Series {
		f, name := s.Figures, s.Label.In(l)
		if f.Values == 0 {
			sentences = append(sentences, fmt.Sprintf(Text{"%s : aucune valeur.", "%s: no value."}.typeset(l), name))
			continue
		}
		unit, extremes := "\u00a0"+c.Unit, ""
		if f.Least.Valid && f.Most.Valid { // they are unknown where only means are stored
			extremes = fmt.Sprintf(
				Text{"de %s (%s) à %s (%s), ", "from %s (%s) to %s (%s), "}.typeset(l),
				formatNumber(l, f.Least, 0)+unit, slot(l, f.LeastAt, f.Dated), formatNumber(l, f.Most, 0)+unit, slot(l, f.MostAt, f.Dated),
			)
		}
		sentences = append(sentences, fmt.Sprintf(
			Text{"%s : périodes renseignées : %d sur %d ; %smoyenne %s.", "%s: periods with a value: %d of %d; %smean %s."}.typeset(l),
			name, f.Values, f.Periods, extremes, formatNumber(l, f.Mean, 0)+unit,
		))
	}
	return strings.Join(sentences, " ")
}

const (
	sparkWidth  = 100
	sparkHeight = 24
)

// spark returns the SVG path of a sparkline: one step of equal width for each number, a gap for a null.
func spark(numbers []market.Number) string {
	least, most := 0.0, 0.0
	for _, n := range numbers {
		if n.Valid {
			least, most = min(least, n.V), max(most, n.V)
		}
	}
	var path strings.Builder
	pen := false
	for i, n := range numbers {
		if !n.Valid {
			pen = false
			continue
		}
		height := 0.0
		if most > least {
			height = (n.V - least) / (most - least)
		}
		y := 1 + (1-height)*(sparkHeight-2)
		from, to := float64(i)*sparkWidth/float64(len(numbers)), float64(i+1)*sparkWidth/float64(len(numbers))
		if pen {
			fmt.Fprintf(&path, "V%.1f", y)
		} else {
			fmt.Fprintf(&path, "M%.1f %.1f", from, y)
		}
		fmt.Fprintf(&path, "H%.1f", to)
		pen = true
	}
	return path.String()
}
