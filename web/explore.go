package web

import (
	"fmt"
	"strconv"
	"strings"

	"courant/store/market"
	"courant/store/market/analysis"
)

// Explore is the page that shows any series over any range.
type Explore struct {
	Path             Text // of the page
	First, Last      market.DeliveryDate
	InvalidAddress   bool // part of the address cannot be shown, and was left out
	Groups           []SeriesGroup
	Presets, Befores []Choice
	Notices          []Sheet
	NothingBefore    bool // nothing is stored of the range to compare with
	Charts           []Chart
	Files            []SeriesFiles
	Analysis         *Analysis // nil: there is nothing to analyse
	MostSeries       int
}

// SeriesGroup is the series of a dataset that can be chosen.
type SeriesGroup struct {
	Dataset market.Dataset
	Locked  bool // no subscription covers it
	Series  []SeriesChoice
}

// SeriesChoice is a series that can be chosen.
type SeriesChoice struct {
	ID     string
	Label  Text
	Chosen bool
}

// Choice is a link to a variant of the page.
type Choice struct {
	Value   string
	Label   Text
	Address string
	Chosen  bool
}

// SeriesFiles are the addresses of the shown rows of a dataset as files.
type SeriesFiles struct {
	Dataset            market.Dataset
	Length             market.BucketLength // of the periods of their means, as drawn; empty: the published values
	CSV, XLSX, Parquet string
}

// Analysis is what is computed of one series over the range.
type Analysis struct {
	Name     Text
	Unit     string
	Decimals int
	Choices  []Choice            // of the series
	Step     market.BucketLength // of the means that it is computed from; empty: the published values
	Whole    analysis.Total
	Months   []analysis.Month
	Days     []analysis.Day
	Charts   []Chart // the mean day and the distribution
	Heat     *HeatMap
}

// totalRow is a row of a table of totals.
type totalRow struct {
	analysis.Total
	Decimals int
	IsPrice  bool
}

// IsPrice reports whether the values are prices, so that negative ones matter.
func (a Analysis) IsPrice() bool { return strings.HasPrefix(a.Unit, "€") }

// HeatMap is the hours of days, or of weeks, side by side.
type HeatMap struct {
	Days    int // in a column
	Unit    string
	Columns []analysis.Column
}

// Text returns the columns as the script reads them: the start of each and its values, separated by commas; an empty value is a null.
func (h HeatMap) Text() string {
	var b strings.Builder
	for i, column := range h.Columns {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(strconv.FormatInt(column.First.Start().Unix(), 10))
		for _, n := range column.Hours {
			b.WriteByte(',')
			writeValue(&b, n)
		}
	}
	return b.String()
}

// Runs writes steps as the script reads them: runs of periods of one length that follow each other, each with its start, the length in
// seconds and the values; an empty value is a null.
func Runs(steps []analysis.Step) string {
	var b strings.Builder
	var end, length int64
	for _, s := range steps {
		if b.Len() == 0 || s.Start != end || s.Seconds() != length {
			if b.Len() > 0 {
				b.WriteByte(';')
			}
			length = s.Seconds()
			fmt.Fprintf(&b, "%d,%d", s.Start, length)
		}
		b.WriteByte(',')
		writeValue(&b, s.Mean())
		end = s.End
	}
	return b.String()
}

// Run writes values of equal periods as Runs does.
func Run(start, length int64, values []market.Number) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d,%d", start, length)
	for _, n := range values {
		b.WriteByte(',')
		writeValue(&b, n)
	}
	return b.String()
}

func writeValue(b *strings.Builder, n market.Number) {
	if n.Valid {
		b.WriteString(strconv.FormatFloat(n.V, 'f', -1, 64))
	}
}

// lengthTexts name the length of the periods of means.
var lengthTexts = map[market.BucketLength]Text{
	market.Buckets5Minutes:  {"moyennes de 5 min", "5 min means"},
	market.Buckets15Minutes: {"moyennes de 15 min", "15 min means"},
	market.Buckets30Minutes: {"moyennes de 30 min", "30 min means"},
	market.BucketsHour:      {"moyennes horaires", "hourly means"},
	market.BucketsDay:       {"moyennes journalières", "daily means"},
	market.BucketsMonth:     {"moyennes mensuelles", "monthly means"},
	"":                      {"valeurs publiées", "published values"},
}

// Explore renders the page.
func (p *Pages) Explore(visit Visit, view Explore) ([]byte, error) {
	return p.render("explore", visit, view)
}
