package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// acknowledgement is the document that answers without data. Its code is 999
// whatever the reason: only the text tells them apart.
func acknowledgement(reason string, now time.Time) []byte {
	created := now.UTC().Format(time.RFC3339)
	b := []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">`)
	b = element(b, "mRID", documentID()[:14])
	b = element(b, "createdDateTime", created)
	b = parties(b, "A39")
	b = element(b, "received_MarketDocument.createdDateTime", created)
	b = append(b, "<Reason>"...)
	b = element(b, "code", "999")
	b = element(b, "text", reason)
	return append(b, "</Reason></Acknowledgement_MarketDocument>\n"...)
}

// publication is the document that holds the prices of some delivery dates, a
// list each. As on the platform, its series come in any order and its own interval
// may be narrower than what it holds: here it is the first of the dates.
func publication(days [][]Price, now time.Time, dayAheadOnly bool) []byte {
	first := DayOf(days[0][0].Start)
	b := []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">`)
	b = element(b, "mRID", documentID())
	b = element(b, "revisionNumber", "1")
	b = element(b, "type", "A44")
	b = parties(b, "A33")
	b = element(b, "createdDateTime", now.UTC().Format(time.RFC3339))
	b = append(b, "<period.timeInterval>"...)
	b = interval(b, first.Start(), first.End())
	b = append(b, "</period.timeInterval>"...)
	var all []priceSeries
	for _, prices := range days {
		for _, s := range seriesOf(prices) {
			if s.isDayAhead() || !dayAheadOnly {
				all = append(all, s)
			}
		}
	}
	random("order of series", first).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// Chance can leave a few in time order.
	if slices.IsSortedFunc(all, func(x, y priceSeries) int { return x.prices[0].Start.Compare(y.prices[0].Start) }) {
		slices.Reverse(all)
	}
	for i, s := range all {
		b = s.append(b, i+1)
	}
	return append(b, "</Publication_MarketDocument>\n"...)
}

// priceSeries is one TimeSeries.
type priceSeries struct {
	out      string // EIC of the out domain
	contract string // A01 day-ahead, A07 intraday
	sequence int    // of the auction, 0 for none
	curve    string // A01 every position, A03 changes only
	prices   []Price
}

// seriesOf returns the series of the delivery date of prices. The first one holds
// them. Another one is not the French day-ahead price, each date having one of
// three kinds, and every fourth date from 2025-10-01 has the hourly means as
// well.
func seriesOf(prices []Price) []priceSeries {
	d := DayOf(prices[0].Start)
	day := priceSeries{out: franceEIC, contract: "A01", curve: "A03", prices: prices}
	hourly := prices[0].Step == time.Hour
	if hourly && d.number()%2 == 0 {
		day.curve = "A01"
	}
	other := priceSeries{out: franceEIC, contract: "A01", curve: "A03", prices: slices.Clone(prices)}
	r := random("other series", d)
	for i := range other.prices {
		other.prices[i].EURPerMWh = round(prices[i].EURPerMWh+12+8*r.NormFloat64(), 2)
	}
	switch d.number() % 3 {
	case 0:
		other.sequence = 2
	case 1:
		other.contract = "A07"
	case 2:
		other.out = spainEIC
	}
	all := []priceSeries{day, other}
	if !hourly && d.number()%4 == 0 {
		day.prices = hourlyMeans(prices)
		all = append(all, day)
	}
	return all
}

// isDayAhead reports whether the series is of French day-ahead prices.
func (s priceSeries) isDayAhead() bool {
	return s.out == franceEIC && s.contract == "A01" && s.sequence == 0
}

// hourlyMeans turns quarter-hourly prices into hourly ones.
func hourlyMeans(quarters []Price) []Price {
	var hours []Price
	for four := range slices.Chunk(quarters, 4) {
		sum := 0.0
		for _, p := range four {
			sum += p.EURPerMWh
		}
		hours = append(hours, Price{four[0].Start, time.Hour, round(sum/4, 2)})
	}
	return hours
}

func (s priceSeries) append(b []byte, number int) []byte {
	b = append(b, "<TimeSeries>"...)
	b = element(b, "mRID", strconv.Itoa(number))
	b = element(b, "auction.type", "A01")
	b = element(b, "businessType", "A62")
	b = coded(b, "in_Domain.mRID", franceEIC)
	b = coded(b, "out_Domain.mRID", s.out)
	b = element(b, "contract_MarketAgreement.type", s.contract)
	b = element(b, "currency_Unit.name", "EUR")
	b = element(b, "price_Measure_Unit.name", "MWH")
	if s.sequence != 0 {
		b = element(b, "classificationSequence_AttributeInstanceComponent.position", strconv.Itoa(s.sequence))
	}
	b = element(b, "curveType", s.curve)
	b = append(b, "<Period><timeInterval>"...)
	first, last := s.prices[0], s.prices[len(s.prices)-1]
	b = interval(b, first.Start, last.Start.Add(last.Step))
	b = append(b, "</timeInterval>"...)
	b = element(b, "resolution", fmt.Sprintf("PT%dM", int(first.Step.Minutes())))
	for i, p := range s.prices {
		if s.curve == "A03" && i > 0 && p.EURPerMWh == s.prices[i-1].EURPerMWh {
			continue
		}
		b = append(b, "<Point><position>"...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, "</position><price.amount>"...)
		b = appendNumber(b, p.EURPerMWh)
		b = append(b, "</price.amount></Point>"...)
	}
	return append(b, "</Period></TimeSeries>"...)
}

// element writes a name and its text. The texts are ours, but for the domains a
// client asked for.
func element(b []byte, name, text string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, '>')
	b = append(b, escaped.Replace(text)...)
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, '>')
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// coded writes a name and an EIC.
func coded(b []byte, name, eic string) []byte {
	return fmt.Appendf(b, `<%s codingScheme="A01">%s</%s>`, name, eic, name)
}

// parties writes who sent a document and who receives it.
func parties(b []byte, receiverRole string) []byte {
	const platform = "10X1001A1001A450"
	b = coded(b, "sender_MarketParticipant.mRID", platform)
	b = element(b, "sender_MarketParticipant.marketRole.type", "A32")
	b = coded(b, "receiver_MarketParticipant.mRID", platform)
	return element(b, "receiver_MarketParticipant.marketRole.type", receiverRole)
}

// interval writes two instants to the minute.
func interval(b []byte, start, end time.Time) []byte {
	const layout = "2006-01-02T15:04Z"
	b = element(b, "start", start.Format(layout))
	return element(b, "end", end.Format(layout))
}

// documentID returns a fresh mRID: it names the reply, not what is in it.
func documentID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
