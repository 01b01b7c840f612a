package entsoe_test

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"courant/ingest/entsoe"
	"courant/ingest/source"
	"courant/store/market"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Delivery dates with 24, 23 and 25 hours.
var (
	summerDay = market.NewDeliveryDate(2026, time.July, 15)
	springDay = market.NewDeliveryDate(2026, time.March, 29)
	autumnDay = market.NewDeliveryDate(2026, time.October, 25)
)

// at is an instant in seconds.
func at(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04Z07:00", text)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func minute(second int64) string { return time.Unix(second, 0).UTC().Format("2006-01-02T15:04Z") }

func document(series ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"><mRID>1</mRID><revisionNumber>1</revisionNumber><type>A44</type>` +
		`<createdDateTime>2026-07-14T11:00:00Z</createdDateTime><period.timeInterval><start>2026-07-14T22:00Z</start><end>2026-07-15T22:00Z</end></period.timeInterval>` +
		strings.Join(series, "") + `</Publication_MarketDocument>`
}

// changed are elements of a series that are not the usual ones: names and values in turn. The value none takes the
// element out.
type changed []string

const none = "(none)"

func series(changes changed, periods ...string) string {
	fields := [][2]string{
		{"mRID", "1"}, {"auction.type", "A01"}, {"businessType", "A62"}, {"in_Domain.mRID", entsoe.France}, {"out_Domain.mRID", entsoe.France},
		{"contract_MarketAgreement.type", "A01"}, {"currency_Unit.name", "EUR"}, {"price_Measure_Unit.name", "MWH"},
		{"classificationSequence_AttributeInstanceComponent.position", none}, {"curveType", "A03"},
	}
	var b strings.Builder
	b.WriteString("<TimeSeries>")
	for _, field := range fields {
		for i := 0; i < len(changes); i += 2 {
			if changes[i] == field[0] {
				field[1] = changes[i+1]
			}
		}
		if field[1] != none {
			fmt.Fprintf(&b, "<%s>%s</%s>", field[0], field[1], field[0])
		}
	}
	return b.String() + strings.Join(periods, "") + "</TimeSeries>"
}

// period is a Period of points written position=price.
func period(start, end, resolution string, points ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<Period><timeInterval><start>%s</start><end>%s</end></timeInterval><resolution>%s</resolution>", start, end, resolution)
	for _, point := range points {
		position, amount, _ := strings.Cut(point, "=")
		fmt.Fprintf(&b, "<Point><position>%s</position><price.amount>%s</price.amount></Point>", position, amount)
	}
	return b.String() + "</Period>"
}

// threeHours is a Period from 00:00 to 03:00 in Paris on 2026-07-15.
func threeHours(points ...string) string {
	return period("2026-07-14T22:00Z", "2026-07-15T01:00Z", "PT60M", points...)
}

func acknowledgement(texts ...string) string {
	b := `<?xml version="1.0" encoding="UTF-8"?><Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"><mRID>1</mRID>`
	for _, text := range texts {
		b += "<Reason><code>999</code><text>" + text + "</text></Reason>"
	}
	return b + "</Acknowledgement_MarketDocument>"
}

// told writes rows as a person reads them.
func told(rows []market.Price) []string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%s %s %v", minute(r.Start), r.Resolution, r.Price.V))
	}
	return lines
}

func refusalsOf(reply source.Reply[market.Price]) []string {
	var refused []string
	for _, r := range reply.Refusals.List() {
		final := ""
		if r.Final {
			final = "final "
		}
		refused = append(refused, fmt.Sprintf("%s%s %s: %s", final, r.Dataset, r.Date, r.Reason))
	}
	return refused
}

func TestPublicationsWithTheirQuirks(t *testing.T) {
	t.Parallel()
	refused := func(reason string) []string { return []string{"day-ahead-prices 2026-07-15: " + reason} }
	hours := []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT60M 20.5", "2026-07-15T00:00Z PT60M 30"}
	tens := []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT60M 10", "2026-07-15T00:00Z PT60M 10"}
	whole := threeHours("1=10", "2=20.5", "3=30")
	quarters := func(start, end string, points ...string) string { return period(start, end, "PT15M", points...) }
	twoDays := market.Period{Start: summerDay.Period().Start, End: summerDay.Add(1).Period().End}
	nextDay := period("2026-07-15T22:00Z", "2026-07-15T23:00Z", "PT60M", "1=99")
	finally := func(reason string) []string { return []string{"final day-ahead-prices 2026-07-15: " + reason} }
	var fullDay []string
	for start := summerDay.Period().Start; start < summerDay.Period().End; start += 3600 {
		fullDay = append(fullDay, minute(start)+" PT60M 10")
	}
	A01 := changed{"curveType", "A01"}
	noCurve := changed{"curveType", none}

	for _, tt := range []struct {
		name    string
		body    string
		window  market.Period // zero: 2026-07-15
		rows    []string
		refused []string // "final" in front where a person cannot accept
		apart   []string // readable prices of refused dates
		notes   []string
	}{
		{name: "A03 with every position", body: document(series(nil, whole)), rows: hours},
		{name: "A01 with every position", body: document(series(A01, whole)), rows: hours},
		{name: "A03 with a gap", body: document(series(nil, threeHours("1=10", "3=30"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT60M 10", "2026-07-15T00:00Z PT60M 30"}},
		{name: "A03 without its tail", body: document(series(nil, threeHours("1=10", "2=20.5"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT60M 20.5", "2026-07-15T00:00Z PT60M 20.5"}},
		{name: "A03 with one point", body: document(series(nil, threeHours("1=10"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT60M 10", "2026-07-15T00:00Z PT60M 10"}},
		{name: "points out of order", body: document(series(nil, threeHours("3=30", "1=10", "2=20.5"))), rows: hours},
		{name: "the form of 2023: no auction, no contract, another namespace, A01, zeros at the end",
			body: strings.Replace(document(series(changed{"auction.type", none, "contract_MarketAgreement.type", none, "curveType", "A01"}, threeHours("1=10.00", "2=20.50", "3=30.00"))), "7:3", "7:0", 1), rows: hours},
		{name: "no curve type is A01", body: document(series(noCurve, whole)), rows: hours},
		{name: "sequence 1", body: document(series(changed{"classificationSequence_AttributeInstanceComponent.position", "1"}, whole)), rows: hours},
		{name: "prices below zero and zero", body: document(series(nil, threeHours("1=-500.00", "2=0", "3=-0.01"))),
			rows: []string{"2026-07-14T22:00Z PT60M -500", "2026-07-14T23:00Z PT60M 0", "2026-07-15T00:00Z PT60M -0.01"}},
		{name: "white space around the values", rows: hours,
			body: document(strings.NewReplacer(">A01<", ">\n A01\t<", ">EUR<", "> EUR <", ">1<", "> 1 <", ">10<", ">\r\n10 <", "PT60M", " PT60M ", "2026-07-14T22:00Z", " 2026-07-14T22:00Z ").Replace(series(nil, whole)))},
		{name: "bounds with an offset", body: document(series(nil, period("2026-07-15T00:00+02:00", "2026-07-15T03:00+02:00", "PT60M", "1=10", "2=20.5", "3=30"))), rows: hours},
		{name: "30 min", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-14T23:00Z", "PT30M", "1=1", "2=2"))),
			rows: []string{"2026-07-14T22:00Z PT30M 1", "2026-07-14T22:30Z PT30M 2"}},
		{name: "several Periods in a series, of several resolutions",
			body: document(series(nil, quarters("2026-07-15T01:00Z", "2026-07-15T01:30Z", "1=1", "2=2"), whole)),
			rows: append(append([]string(nil), hours...), "2026-07-15T01:00Z PT15M 1", "2026-07-15T01:15Z PT15M 2")},
		{name: "several series, the later one first", window: twoDays, body: document(series(nil, nextDay), series(nil, whole)),
			rows: append(append([]string(nil), hours...), "2026-07-15T22:00Z PT60M 99")},
		{name: "a document's own interval is not believed", window: twoDays, body: document(series(nil, nextDay)), rows: []string{"2026-07-15T22:00Z PT60M 99"}},
		{name: "no series", body: document()},
		{name: "a series without a Period", body: document(series(nil))},

		{name: "an hour that is the mean of finer prices, to a cent, is dropped", body: document(series(nil, whole), series(nil, quarters("2026-07-14T23:00Z", "2026-07-15T00:00Z", "1=10", "2=20", "3=30", "4=22.04"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT15M 10", "2026-07-14T23:15Z PT15M 20", "2026-07-14T23:30Z PT15M 30", "2026-07-14T23:45Z PT15M 22.04", "2026-07-15T00:00Z PT60M 30"}},
		{name: "an hour that is not the mean of finer prices is told beside them", body: document(series(nil, whole), series(nil, quarters("2026-07-14T23:00Z", "2026-07-15T00:00Z", "1=1", "2=2", "3=3", "4=4"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT15M 1", "2026-07-14T23:00Z PT60M 20.5", "2026-07-14T23:15Z PT15M 2", "2026-07-14T23:30Z PT15M 3", "2026-07-14T23:45Z PT15M 4", "2026-07-15T00:00Z PT60M 30"}},
		{name: "finer prices win also when they come first", body: document(series(nil, quarters("2026-07-14T22:00Z", "2026-07-15T01:00Z", "1=1")), series(nil, threeHours("1=1"))),
			rows: []string{"2026-07-14T22:00Z PT15M 1", "2026-07-14T22:15Z PT15M 1", "2026-07-14T22:30Z PT15M 1", "2026-07-14T22:45Z PT15M 1",
				"2026-07-14T23:00Z PT15M 1", "2026-07-14T23:15Z PT15M 1", "2026-07-14T23:30Z PT15M 1", "2026-07-14T23:45Z PT15M 1",
				"2026-07-15T00:00Z PT15M 1", "2026-07-15T00:15Z PT15M 1", "2026-07-15T00:30Z PT15M 1", "2026-07-15T00:45Z PT15M 1"}},
		{name: "an hour that finer prices cover in part stays", body: document(series(nil, whole), series(nil, quarters("2026-07-14T23:00Z", "2026-07-14T23:45Z", "1=1", "2=2", "3=3"))),
			rows: []string{"2026-07-14T22:00Z PT60M 10", "2026-07-14T23:00Z PT15M 1", "2026-07-14T23:00Z PT60M 20.5", "2026-07-14T23:15Z PT15M 2", "2026-07-14T23:30Z PT15M 3", "2026-07-15T00:00Z PT60M 30"}},
		{name: "an hour is covered by quarters and a half", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-14T23:00Z", "PT60M", "1=10")),
			series(nil, quarters("2026-07-14T22:00Z", "2026-07-14T22:30Z", "1=1", "2=2")), series(nil, period("2026-07-14T22:30Z", "2026-07-14T23:00Z", "PT30M", "1=3"))),
			rows: []string{"2026-07-14T22:00Z PT15M 1", "2026-07-14T22:00Z PT60M 10", "2026-07-14T22:15Z PT15M 2", "2026-07-14T22:30Z PT30M 3"}},
		{name: "two series that agree", body: document(series(nil, whole), series(A01, whole)), rows: hours},
		{name: "two series that agree in other digits", body: document(series(nil, whole), series(nil, threeHours("1=10.00", "2=20.50", "3=3e1"))), rows: hours},
		{name: "two series that differ refuse their date only", window: twoDays, body: document(series(nil, whole), series(nil, nextDay), series(nil, threeHours("1=10", "2=21", "3=30"))),
			rows: []string{"2026-07-15T22:00Z PT60M 99"}, apart: hours, refused: finally("two series differ at 2026-07-14T23:00:00Z: 20.5 and 21 EUR/MWh")},
		{name: "two Periods of a series that differ", body: document(series(nil, whole, period("2026-07-15T00:00Z", "2026-07-15T01:00Z", "PT60M", "1=31"))),
			apart: hours, refused: finally("two series differ at 2026-07-15T00:00:00Z: 30 and 31 EUR/MWh")},
		{name: "two series that differ outside the window", window: market.Period{Start: at("2026-07-14T22:00Z"), End: at("2026-07-14T23:00Z")},
			body: document(series(nil, whole), series(nil, threeHours("1=10", "2=21", "3=30"))), rows: hours[:1]},

		{name: "sequence 2 is skipped", body: document(series(changed{"classificationSequence_AttributeInstanceComponent.position", "2"}, threeHours("1=1")), series(nil, whole)), rows: hours,
			notes: []string{`a series with classificationSequence "2" was skipped`}},
		{name: "sequence 2 alone is not taken for the auction", body: document(series(changed{"classificationSequence_AttributeInstanceComponent.position", "2"}, whole)),
			notes: []string{`a series with classificationSequence "2" was skipped`}},
		{name: "an intraday contract is skipped", body: document(series(changed{"contract_MarketAgreement.type", "A07"}, threeHours("1=1")), series(nil, whole)), rows: hours,
			notes: []string{`a series with contract_MarketAgreement.type "A07" was skipped`}},
		{name: "another auction is skipped", body: document(series(changed{"auction.type", "A02"}, whole)), notes: []string{`a series with auction.type "A02" was skipped`}},
		{name: "another zone's prices are skipped", body: document(series(changed{"in_Domain.mRID", "10YBE----------2"}, whole)), notes: []string{`a series with in_Domain "10YBE----------2" was skipped`}},
		{name: "a border's prices are skipped", body: document(series(changed{"out_Domain.mRID", "10YES-REE------0"}, whole)), notes: []string{`a series with out_Domain "10YES-REE------0" was skipped`}},
		{name: "a series without a zone is skipped", body: document(series(changed{"in_Domain.mRID", none}, whole)), notes: []string{`a series with in_Domain "" was skipped`}},
		{name: "another currency is skipped", body: document(series(changed{"currency_Unit.name", "CHF"}, whole)), notes: []string{`a series with currency_Unit.name "CHF" was skipped`}},
		{name: "another unit is skipped", body: document(series(changed{"price_Measure_Unit.name", "MAW"}, whole)), notes: []string{`a series with price_Measure_Unit.name "MAW" was skipped`}},
		{name: "a skipped series is told once, and its faults are none", body: document(series(changed{"contract_MarketAgreement.type", "A07"}, threeHours("9=x")), series(changed{"contract_MarketAgreement.type", "A07"}, threeHours("0=1"))),
			notes: []string{`a series with contract_MarketAgreement.type "A07" was skipped`}},
		{name: "a long text in a note is cut", body: document(series(changed{"currency_Unit.name", strings.Repeat("E", 1000)}, whole)),
			notes: []string{`a series with currency_Unit.name "` + strings.Repeat("E", 40) + `" was skipped`}},

		{name: "position 0", body: document(series(nil, threeHours("0=5", "1=10"))), apart: tens, refused: finally(`position "0" lies outside a Period of 3`)},
		{name: "position below 0", body: document(series(nil, threeHours("-1=5", "1=10"))), apart: tens, refused: finally(`position "-1" lies outside a Period of 3`)},
		{name: "position beyond the Period", body: document(series(nil, threeHours("1=10", "4=5"))), apart: tens, refused: finally(`position "4" lies outside a Period of 3`)},
		{name: "position beyond every integer", body: document(series(nil, threeHours("1=10", "99999999999999999999=5"))), apart: tens, refused: finally(`position "99999999999999999999" lies outside a Period of 3`)},
		{name: "position that is no number", body: document(series(nil, threeHours("first=10"))), refused: finally(`position "first" lies outside a Period of 3`)},
		{name: "position missing", body: document(series(nil, strings.Replace(threeHours("1=10"), "<position>1</position>", "", 1))), refused: finally(`position "" lies outside a Period of 3`)},
		{name: "position twice: the later one stands", body: document(series(nil, threeHours("1=10", "2=5", "3=30", "2=20.5"))), rows: hours,
			notes: []string{"position 2 of the Period from 2026-07-14T22:00Z is listed twice with other values; the later one stands"}},
		{name: "position twice with the same price", body: document(series(nil, threeHours("1=10", "2=20.5", "2=20.50", "3=30"))), rows: hours},
		{name: "no position 1", body: document(series(nil, threeHours("2=20.5", "3=30"))), apart: hours[1:], refused: refused("the Period from 2026-07-14T22:00Z has no position 1")},
		{name: "no point", body: document(series(nil, threeHours())), refused: refused("the Period from 2026-07-14T22:00Z has no position 1")},
		{name: "A01 with a gap", body: document(series(A01, threeHours("1=10", "3=30"))), apart: []string{hours[0], hours[2]}, refused: refused("the Period from 2026-07-14T22:00Z has no position 2, which curve type A01 must have")},
		{name: "A01 without its tail", body: document(series(A01, threeHours("1=10", "2=20.5"))), apart: hours[:2], refused: refused("the Period from 2026-07-14T22:00Z has no position 3, which curve type A01 must have")},
		{name: "no curve type with a gap", body: document(series(noCurve, threeHours("1=10", "3=30"))), apart: []string{hours[0], hours[2]}, refused: refused("the Period from 2026-07-14T22:00Z has no position 2, which curve type A01 must have")},
		{name: "another curve type", body: document(series(changed{"curveType", "A02"}, whole)), refused: finally(`curve type "A02" is not known`)},
		{name: "a price missing", body: document(series(nil, strings.Replace(whole, "<price.amount>10</price.amount>", "", 1))), apart: hours[1:], refused: refused(`price "" at position 1 is not a number`)},
		{name: "a price in words", body: document(series(nil, threeHours("1=n/a"))), refused: refused(`price "n/a" at position 1 is not a number`)},
		{name: "a price with a comma for thousands", body: document(series(nil, threeHours("1=1,234.50"))), refused: refused(`price "1,234.50" at position 1 is not a number`)},
		{name: "a price that is NaN", body: document(series(nil, threeHours("1=NaN"))), refused: refused(`price "NaN" at position 1 is not a number`)},
		{name: "an infinite price", body: document(series(nil, threeHours("1=-Inf"))), refused: refused(`price "-Inf" at position 1 is not a number`)},
		{name: "a price beyond every float", body: document(series(nil, threeHours("1=1e400"))), refused: refused(`price "1e400" at position 1 is not a number`)},
		{name: "a hexadecimal price", body: document(series(nil, threeHours("1=0x10p0"))), refused: refused(`price "0x10p0" at position 1 is not a number`)},
		{name: "a price with an underscore", body: document(series(nil, threeHours("1=1_0"))), refused: refused(`price "1_0" at position 1 is not a number`)},
		{name: "unknown resolution", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-15T22:00Z", "P1D", "1=10"))), refused: finally(`resolution "P1D" is not known`)},
		{name: "no resolution", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-15T22:00Z", "", "1=10"))), refused: finally(`resolution "" is not known`)},
		{name: "an interval that holds no whole number of steps", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-15T00:30Z", "PT60M", "1=10"))),
			refused: finally("a Period from 2026-07-14T22:00Z to 2026-07-15T00:30Z has no whole number of PT60M")},
		{name: "an interval off the grid", body: document(series(nil, period("2026-07-14T22:07Z", "2026-07-14T23:07Z", "PT15M", "1=10"))),
			refused: finally("a Period from 2026-07-14T22:07Z to 2026-07-14T23:07Z has no whole number of PT15M")},
		{name: "a huge Period", body: document(series(nil, period("0001-01-01T00:00Z", "9999-12-31T00:00Z", "PT15M", "1=10"))),
			refused: finally("a Period from 0001-01-01T00:00Z to 9999-12-31T00:00Z has no whole number of PT15M")},
		{name: "a bad Period refuses the dates that it touches only", window: twoDays, body: document(series(nil, threeHours("4=1")), series(nil, nextDay)),
			rows: []string{"2026-07-15T22:00Z PT60M 99"}, refused: finally(`position "4" lies outside a Period of 3`)},
		{name: "a bad Period outside the window", window: summerDay.Add(1).Period(), body: document(series(nil, threeHours("4=1")), series(nil, nextDay)), rows: []string{"2026-07-15T22:00Z PT60M 99"}},
		{name: "a date is refused once, whatever else is good or bad", body: document(series(nil, whole), series(nil, threeHours("4=1")), series(nil, threeHours("x=1"))),
			apart: hours, refused: finally(`position "4" lies outside a Period of 3`)},
		{name: "an interval that ends before it begins names the date between", window: twoDays, rows: []string{"2026-07-15T22:00Z PT60M 99"}, body: document(series(nil, period("2026-07-15T22:00Z", "2026-07-14T22:00Z", "PT60M", "1=1")), series(nil, nextDay)),
			refused: finally(`a Period from "2026-07-15T22:00Z" to "2026-07-14T22:00Z" is not a valid interval`)},
		{name: "an interval that ends long before it begins names both dates", window: twoDays, body: document(series(nil, period("2026-07-16T22:00Z", "2026-07-14T22:00Z", "PT60M", "1=1"))),
			refused: []string{`final day-ahead-prices 2026-07-15: a Period from "2026-07-16T22:00Z" to "2026-07-14T22:00Z" is not a valid interval`, `final day-ahead-prices 2026-07-16: a Period from "2026-07-16T22:00Z" to "2026-07-14T22:00Z" is not a valid interval`}},
		{name: "an interval of no length is skipped", body: document(series(nil, period("2026-07-14T22:00Z", "2026-07-14T22:00Z", "PT60M", "1=1")), series(nil, whole)), rows: hours,
			notes: []string{`a Period of no length at "2026-07-14T22:00Z" was skipped`}},
		{name: "a Period without a point is skipped where another covers it", body: document(series(nil, threeHours()), series(nil, whole)), rows: hours,
			notes: []string{"the Period from 2026-07-14T22:00Z has no position 1 and was skipped; another one covers it"}},
		{name: "a Period without a point refuses its own date", window: twoDays, body: document(series(nil, threeHours()), series(nil, nextDay)), rows: []string{"2026-07-15T22:00Z PT60M 99"},
			refused: refused("the Period from 2026-07-14T22:00Z has no position 1")},
		{name: "no interval", body: document(series(nil, period("", "", "PT60M", "1=1"))), refused: finally(`a Period from "" to "" is not a valid interval`)},
		{name: "an interval in words", body: document(series(nil, period("today", "tomorrow", "PT60M", "1=1"))), refused: finally(`a Period from "today" to "tomorrow" is not a valid interval`)},
		{name: "an interval in words is of no date that is whole without it", window: market.Period{Start: at("2026-07-14T22:00Z"), End: at("2026-07-15T01:00Z")},
			body: document(series(nil, period("today", "tomorrow", "PT60M", "1=1")), series(nil, whole)), rows: hours,
			notes: []string{`a Period from "today" to "tomorrow" is not a valid interval and was skipped; every date is whole without it`}},
		{name: "an interval in words is of the one date that is not whole", window: market.Period{Start: at("2026-07-14T22:00Z"), End: at("2026-07-15T23:00Z")}, rows: fullDay,
			body:    document(series(nil, period("today", "tomorrow", "PT60M", "1=1")), series(nil, period("2026-07-14T22:00Z", "2026-07-15T22:00Z", "PT60M", "1=10"))),
			refused: []string{`final day-ahead-prices 2026-07-16: a Period from "today" to "tomorrow" is not a valid interval`}},
		{name: "a bad start beside a good end", window: twoDays, body: document(series(nil, period("2026-07-14T22:75Z", "2026-07-15T22:00Z", "PT60M", "1=1")), series(nil, nextDay)), rows: []string{"2026-07-15T22:00Z PT60M 99"},
			refused: finally(`a Period from "2026-07-14T22:75Z" to "2026-07-15T22:00Z" is not a valid interval`)},
		{name: "a good start beside a bad end", window: twoDays, body: document(series(nil, period("2026-07-14T22:00Z", "", "PT60M", "1=1")), series(nil, nextDay)), rows: []string{"2026-07-15T22:00Z PT60M 99"},
			refused: finally(`a Period from "2026-07-14T22:00Z" to "" is not a valid interval`)},
		{name: "a bad interval of a date that was not asked for", body: document(series(nil, period("2026-07-20T99:00Z", "", "PT60M", "1=1")), series(nil, whole)), rows: hours,
			notes: []string{`a Period from "2026-07-20T99:00Z" to "" is not a valid interval; it names 2026-07-20, which was not asked for`}},
		{name: "bounds with seconds, a fraction of zero, short offsets and a space", rows: hours,
			body: document(series(nil, period("2026-07-14T22:00:00.000Z", "2026-07-15T01:00+02", "PT60M", "1=10")), series(nil, period("2026-07-15 01:00:00+0200", "2026-07-15T01:00:00Z", "PT60M", "1=20.5", "2=30")))},
		{name: "a start within a second is odd", body: document(series(nil, period("2026-07-14T22:00:00.5Z", "2026-07-15T01:00Z", "PT60M", "1=10"))),
			refused: finally(`a Period from "2026-07-14T22:00:00.5Z" to "2026-07-15T01:00Z" is not a valid interval`)},
		{name: "a bad Period of many dates says nothing of those that are whole without it", window: twoDays, rows: fullDay, apart: []string{"2026-07-15T22:00Z PT60M 99"},
			body:    document(series(nil, period("2020-01-01T00:00Z", "2026-12-31T00:00Z", "PT15M", "1=10")), series(nil, period("2026-07-14T22:00Z", "2026-07-15T22:00Z", "PT60M", "1=10")), series(nil, nextDay)),
			refused: []string{"final day-ahead-prices 2026-07-16: a Period from 2020-01-01T00:00Z to 2026-12-31T00:00Z has no whole number of PT15M"}},
		{name: "a bad price refuses the dates for which it would stand", window: twoDays, rows: fullDay, apart: []string{"2026-07-16T00:00Z PT60M 30"},
			body:    document(series(nil, period("2026-07-14T22:00Z", "2026-07-16T01:00Z", "PT60M", "1=10", "25=n/a", "27=30"))),
			refused: []string{`day-ahead-prices 2026-07-16: price "n/a" at position 25 is not a number`}},

		{name: "clipped to the window", window: market.Period{Start: at("2026-07-14T23:00Z"), End: at("2026-07-15T00:00Z")}, body: document(series(nil, whole)), rows: hours[1:2]},
		{name: "an hour that began before the window", window: market.Period{Start: at("2026-07-14T22:30Z"), End: at("2026-07-15T00:00Z")}, body: document(series(nil, whole)), rows: hours[1:2]},
		{name: "nothing in the window", window: summerDay.Add(30).Period(), body: document(series(nil, whole))},

		{name: "an unknown namespace", body: strings.Replace(document(series(nil, whole)), "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3", "https://example.org/prices/9", 1), rows: hours},
		{name: "no namespace", body: regexp.MustCompile(` xmlns="[^"]*"`).ReplaceAllString(document(series(nil, whole)), ""), rows: hours},
		{name: "prefixed elements", body: regexp.MustCompile(`(</?)([A-Za-z])`).ReplaceAllString(strings.Replace(document(series(nil, whole)), `xmlns="`, `xmlns:ns0="`, 1), "${1}ns0:${2}"), rows: hours},
		{name: "elements with a prefix that is not declared", body: regexp.MustCompile(`(</?)([A-Za-z])`).ReplaceAllString(document(series(nil, whole)), "${1}x:${2}"), rows: hours},
		{name: "attributes and unknown elements", body: strings.NewReplacer("<Point>", `<Point a="1">`, "<position>", "<quality><position>7</position></quality><position>",
			"<TimeSeries>", `<Reason><text>note</text></Reason><TimeSeries><type>A99</type>`).Replace(document(series(nil, whole))), rows: hours},
		{name: "comments and character data", body: strings.NewReplacer("<price.amount>10<", "<price.amount>1<!-- ten -->0<", ">EUR<", "><![CDATA[EUR]]><").Replace(document(series(nil, whole))) + "<!-- end -->\n", rows: hours},
		{name: "a byte order mark", body: "\ufeff" + document(series(nil, whole)), rows: hours},
		{name: "no declaration", body: strings.TrimPrefix(document(series(nil, whole)), `<?xml version="1.0" encoding="UTF-8"?>`), rows: hours},
		{name: "a document type with entities that nobody uses", body: strings.Replace(document(series(nil, whole)), "\n", `<!DOCTYPE p [<!ENTITY a "x"><!ENTITY b SYSTEM "file:///etc/passwd">]>`, 1), rows: hours},
		{name: "deep nesting in what is skipped", body: document(strings.Repeat("<a>", 100_000)+strings.Repeat("</a>", 100_000), series(nil, whole)), rows: hours},

		{name: "no data", body: acknowledgement("No matching data found for Data item ENERGY_PRICES [12.1.D] (10YFR-RTE------C, 10YFR-RTE------C) and interval 2026-07-14T22:00:00Z/2026-07-15T22:00:00Z.")},
		{name: "no data, in capitals and over two lines", body: acknowledgement("NO  MATCHING\n DATA FOUND")},
		{name: "no data, as a second reason", body: acknowledgement("See below.", "No matching data found")},
		{name: "no data, in another version of the acknowledgement", body: strings.Replace(acknowledgement("No matching data found"), "7:0", "8:1", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			window := tt.window
			if window == (market.Period{}) {
				window = summerDay.Period()
			}
			reply, err := entsoe.Decode(strings.NewReader(tt.body), entsoe.France, window)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []struct{ what, diff string }{
				{"rows", cmp.Diff(tt.rows, told(reply.Rows))},
				{"refusals", cmp.Diff(tt.refused, refusalsOf(reply))},
				{"prices of refused dates", cmp.Diff(tt.apart, told(reply.Refused))},
				{"notes", cmp.Diff(tt.notes, reply.Notes)},
			} {
				if d.diff != "" {
					t.Errorf("%s (-want +got):\n%s", d.what, d.diff)
				}
			}
			for _, row := range reply.Rows {
				if !row.Price.Valid {
					t.Errorf("%+v has no price", row)
				}
			}
		})
	}
}

func TestADocumentThatIsNoPublicationIsAnError(t *testing.T) {
	t.Parallel()
	good := document(series(nil, threeHours("1=10")))
	for _, tt := range []struct {
		name, body, want string
		tooWide          bool
	}{
		{name: "another type of document", body: strings.Replace(good, "A44", "A65", 1), want: `the document's type is "A65", not A44`},
		{name: "no type", body: strings.Replace(good, "<type>A44</type>", "", 1), want: "the document has no type"},
		{name: "an empty type", body: strings.Replace(good, "A44", "", 1), want: `the document's type is "", not A44`},
		{name: "another document", body: "<Balancing_MarketDocument/>", want: `the reply is a "Balancing_MarketDocument", not a Publication_MarketDocument`},
		{name: "a page", body: "<html><body>Service Temporarily Unavailable</body></html>", want: `the reply is a "html", not a Publication_MarketDocument`},
		{name: "a page that is no XML", body: "<!DOCTYPE html><html><p>Sorry<br></html>", want: `the reply is a "html", not a Publication_MarketDocument`},
		{name: "words", body: "404 page not found", want: "cannot be read"},
		{name: "JSON", body: `{"error":"x"}`, want: "cannot be read"},
		{name: "an archive", body: "PK\x03\x04\x14\x00\x08", want: "cannot be read"},
		{name: "nothing", body: "", want: "cannot be read: unexpected EOF"},
		{name: "white space", body: " \n", want: "cannot be read: unexpected EOF"},
		{name: "a declaration alone", body: `<?xml version="1.0"?>`, want: "cannot be read: unexpected EOF"},
		{name: "another encoding", body: strings.Replace(good, "UTF-8", "ISO-8859-1", 1), want: "it says that it is written in ISO-8859-1: Courant reads UTF-8 only"},
		{name: "UTF-16", body: "\xfe\xff\x00<\x00a", want: "the reply is written in UTF-16: Courant reads UTF-8 only"},
		{name: "UTF-16 without a byte order mark", body: "<\x00?\x00", want: "the reply is written in UTF-16: Courant reads UTF-8 only"},
		{name: "bytes that are no UTF-8", body: strings.Replace(good, "A62", "\xff\xfe", 1), want: "cannot be read"},
		{name: "an entity of its own", body: strings.NewReplacer("\n", `<!DOCTYPE p [<!ENTITY ten "10">]>`, ">10<", ">&ten;<").Replace(good), want: "cannot be read"},
		{name: "an entity from a file", body: strings.NewReplacer("\n", `<!DOCTYPE p [<!ENTITY ten SYSTEM "file:///etc/hostname">]>`, ">10<", ">&ten;<").Replace(good), want: "cannot be read"},
		{name: "entities within entities", body: `<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><Publication_MarketDocument><type>&c;</type></Publication_MarketDocument>`, want: "cannot be read"},
		{name: "a mismatched end", body: strings.Replace(good, "</Point>", "</Pointe>", 1), want: "cannot be read"},
		{name: "deep nesting in a series", body: document("<TimeSeries>" + strings.Repeat("<Period>", 100_000)), want: "cannot be read"},
		{name: "deep nesting without end", body: document()[:200] + strings.Repeat("<a>", 100_000), want: "cannot be read"},

		{name: "too much", body: acknowledgement("The amount of requested data exceeds allowed limit. allowed: 100 requested: 120"),
			want: "the window is too wide for the source: The amount of requested data exceeds allowed limit. allowed: 100 requested: 120", tooWide: true},
		{name: "too much, in capitals", body: acknowledgement("REQUEST EXCEEDS LIMIT"), want: "too wide", tooWide: true},
		{name: "a fault in the request", body: acknowledgement("Invalid query attributes  or\nparameters"), want: "the request was refused: Invalid query attributes or parameters"},
		{name: "two reasons", body: acknowledgement("one", "two"), want: "the request was refused: one; two"},
		{name: "no reason", body: acknowledgement(), want: "the request was refused without a reason"},
		{name: "a reason without text", body: acknowledgement(""), want: "the request was refused without a reason"},
		{name: "a long reason", body: acknowledgement(strings.Repeat("é", 1000)), want: "the request was refused: " + strings.Repeat("é", 1000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply, err := entsoe.Decode(strings.NewReader(tt.body), entsoe.France, summerDay.Period())
			switch {
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("error %v, want one that says %q", err, tt.want)
			case strings.Contains(err.Error(), tt.want+"é"):
				t.Errorf("the reason is not cut: %v", err)
			case strings.Contains(err.Error(), source.ErrTooWide.Error()) != tt.tooWide:
				t.Errorf("error %v, too wide %t", err, tt.tooWide)
			}
			if !reflect.ValueOf(reply).IsZero() {
				t.Errorf("something came beside the error: %+v", reply)
			}
		})
	}
}

func TestADocumentCutAnywhereIsAnError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a publication":      document(series(nil, threeHours("1=10", "2=20.5"))),
		"an acknowledgement": acknowledgement("No matching data found"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := entsoe.Decode(strings.NewReader(body), entsoe.France, summerDay.Period()); err != nil {
				t.Fatal(err)
			}
			for length := range len(body) {
				reply, err := entsoe.Decode(strings.NewReader(body[:length]), entsoe.France, summerDay.Period())
				if err == nil || !reflect.ValueOf(reply).IsZero() {
					t.Errorf("%+v, error %v after %q", reply, err, body[:length])
				}
			}
		})
	}
}

func TestOnlyWhiteSpaceAndCommentsMayFollowADocument(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a publication":      document(series(nil, threeHours("1=10", "2=20.5"))),
		"an acknowledgement": acknowledgement("No matching data found"),
	} {
		for _, tail := range []string{"x", "<", "<a/>", "</a>", "&", "\x00", "]]>", body} {
			if _, err := entsoe.Decode(strings.NewReader(body+tail), entsoe.France, summerDay.Period()); err == nil {
				t.Errorf("%s: %.20q may follow", name, tail)
			}
		}
		for _, tail := range []string{"\r\n\t ", "<!-- end -->", "\n<!-- a --> <!-- b -->\n"} {
			if _, err := entsoe.Decode(strings.NewReader(body+tail), entsoe.France, summerDay.Period()); err != nil {
				t.Errorf("%s: %q may not follow: %v", name, tail, err)
			}
		}
		broken := io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := entsoe.Decode(broken, entsoe.France, summerDay.Period()); err == nil {
			t.Errorf("%s: a broken connection may follow", name)
		}
	}
}

func TestZeroBelowZeroIsZero(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"-0", "-0.00", "-1e-400"} {
		reply, err := entsoe.Decode(strings.NewReader(document(series(nil, threeHours("1="+written)))), entsoe.France, summerDay.Period())
		if err != nil || len(reply.Rows) != 3 {
			t.Fatalf("%s: %+v, %v", written, reply, err)
		}
		if v := reply.Rows[0].Price.V; v != 0 || math.Signbit(v) {
			t.Errorf("%s is read as %v", written, v)
		}
	}
}

func TestADayIsAsLongAsItsClockSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		date            market.DeliveryDate
		hours, quarters int
	}{
		{"the clock goes forward", springDay, 23, 92}, {"an ordinary day", summerDay, 24, 96}, {"the clock goes back", autumnDay, 25, 100},
	} {
		for _, resolution := range []market.Resolution{market.PT15M, market.PT60M} {
			for _, curve := range []string{"A01", "A03"} {
				t.Run(fmt.Sprintf("%s/%s/%s", tt.name, resolution, curve), func(t *testing.T) {
					day, count := tt.date.Period(), tt.quarters
					if resolution == market.PT60M {
						count = tt.hours
					}
					var points []string
					for position := 1; position <= count; position++ {
						// Every third position is left out of A03, and so is its tail.
						if curve == "A01" || position%3 == 1 && position < count-3 {
							points = append(points, fmt.Sprintf("%d=%d", position, position))
						}
					}
					body := document(series(changed{"curveType", curve}, period(minute(day.Start), minute(day.End), string(resolution), points...)))
					reply, err := entsoe.Decode(strings.NewReader(body), entsoe.France, day)
					if err != nil || len(reply.Refusals.List()) != 0 || len(reply.Rows) != count {
						t.Fatalf("%d rows, refusals %q, error %v; want %d", len(reply.Rows), refusalsOf(reply), err, count)
					}
					last := 0
					for i, row := range reply.Rows {
						position := i + 1
						if curve == "A01" || position%3 == 1 && position < count-3 {
							last = position
						}
						want := market.Price{Start: day.Start + int64(i)*resolution.Seconds(), Resolution: resolution, Price: market.Num(float64(last))}
						if row != want {
							t.Errorf("position %d is %+v, want %+v", position, row, want)
						}
					}
				})
			}
		}
	}
}

// What a reply costs grows with what it holds, and not with the product of two of its parts.
func TestPointsOutsideOfTheirPeriodRefuseItsDatesOnceForAll(t *testing.T) {
	window := market.NewPeriod(market.NewDeliveryDate(2026, time.May, 1).Start(), market.NewDeliveryDate(2026, time.July, 29).End())
	cost := func(points int) float64 {
		body := document(series(nil, period("2026-04-30T22:00Z", "2026-07-29T22:00Z", "PT60M", slices.Repeat([]string{"<Point/>"}, points)...)))
		return testing.AllocsPerRun(1, func() {
			if _, err := entsoe.Decode(strings.NewReader(body), entsoe.France, window); err != nil {
				t.Fatal(err)
			}
		})
	}
	if each := (cost(2000) - cost(1000)) / 1000; each > 60 {
		t.Errorf("a point outside of its Period takes %.1f allocations", each)
	}
}
