package web

import (
	"fmt"
	"strings"

	"courant/store/market"
)

// Chart is one drawing of a table's numbers over time. The script reads them from the table on the same page: they are
// there without a second request, and a chart cannot show other numbers than its table.
type Chart struct {
	Name    Text // what it draws
	TableID string
	Period  market.Period // of its time axis
	Now     int64         // seconds UTC: the period that is under way is marked
	Unit    string
	Series  []Series
	Large   bool // the one that a page opens with
}

// Series is a line of a chart.
type Series struct {
	Key     string // the row's series and the column's name, joined by a dash; the name alone where a period is one row
	Label   Text
	Figures Figures
}

// Figures sum a series up.
type Figures struct {
	Values, Periods int           // periods with a value, and all
	Mean            market.Number // two decimals
	Least, Most     market.Number
	LeastAt, MostAt market.Period // the first of them
	Negative        int           // values below zero
	Dated           bool          // the series spans several delivery dates
}

// summary is what a chart shows, for those who do not see it.
func (c Chart) summary(l Language) string {
	var sentences []string
	for _, s := range c.Series {
		f, name := s.Figures, s.Label.In(l)
		if f.Values == 0 {
			sentences = append(sentences, fmt.Sprintf(Text{"%s : aucune valeur.", "%s: no value."}.typeset(l), name))
			continue
		}
		unit := "\u00a0" + c.Unit
		sentences = append(sentences, fmt.Sprintf(
			Text{"%s : valeurs de %d périodes sur %d, de %s (%s) à %s (%s), moyenne %s.", "%s: values of %d periods in %d, from %s (%s) to %s (%s), mean %s."}.typeset(l),
			name, f.Values, f.Periods, formatNumber(l, f.Least, 0)+unit, slot(f.LeastAt, f.Dated),
			formatNumber(l, f.Most, 0)+unit, slot(f.MostAt, f.Dated), formatNumber(l, f.Mean, 0)+unit,
		))
	}
	return strings.Join(sentences, " ")
}

const (
	sparkWidth  = 100
	sparkHeight = 24
)

// spark is the path of a small drawing of numbers, each as wide as the others; a null is a gap.
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
