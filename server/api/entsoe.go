package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	franceEIC   = "10YFR-RTE------C"
	platformEIC = "10X1001A1001A450" // ENTSO-E's platform, which is both parties of its documents
	// entsoePage is how many TimeSeries a document has at most, and the step of offset.
	entsoePage = 100
	// mostOffset is the largest offset that ENTSO-E takes.
	mostOffset = 4800
	xmlType    = "application/xml"
)

var (
	entsoeDocuments = []string{"A44"}
	entsoeZones     = []string{franceEIC}
	entsoeContracts = []string{"A01"}
	entsoeSequences = []string{"1"}

	acceptedPeriods = web.Text{FR: "un instant UTC, AAAAMMJJhhmm", EN: "an instant UTC, YYYYMMDDhhmm"}
)

// entsoeBridge answers as ENTSO-E's API does to a query for the day-ahead prices of France: a Publication_MarketDocument with
// one TimeSeries for each delivery date that the period touches, or an Acknowledgement.
var entsoeBridge = bridge{
	path:    web.PathENTSOE,
	anyCase: true,
	parameters: []queryParameter{
		tokenParameter("securityToken"),
		required(choice("documentType", entsoeDocuments)), required(choice("in_Domain", entsoeZones)), required(choice("out_Domain", entsoeZones)),
		{name: "periodStart", accepts: acceptedPeriods}, {name: "periodEnd", accepts: acceptedPeriods},
		{name: "timeInterval", accepts: web.Text{
			FR: "deux instants ISO 8601 séparés par une barre oblique, au lieu de periodStart et periodEnd",
			EN: "two ISO 8601 instants with a slash between them, instead of periodStart and periodEnd",
		}},
		choice("contract_MarketAgreement.type", entsoeContracts),
		choice("classificationSequence_AttributeInstanceComponent.position", entsoeSequences),
		{name: "offset", accepts: web.Text{
			FR: fmt.Sprintf("un nombre entier de 0 à %d : les dates de livraison qui sont sautées", mostOffset),
			EN: fmt.Sprintf("a whole number from 0 to %d: the delivery dates that are skipped", mostOffset),
		}},
	},
	plan: func(query *queryParser) (pricesPlan, error) {
		asked, offset, err := entsoeQuery(query)
		if err != nil {
			return pricesPlan{}, err
		}
		first, last := market.DeliveryDateOf(asked.From()), market.DeliveryDateOf(asked.To().Add(-time.Second))
		const mostQuarters = 100 // of a delivery date
		return pricesPlan{
			period: market.NewPeriod(first.Start(), last.End()), most: (offset + entsoePage) * mostQuarters, contentType: xmlType,
			write: func(prices iter.Seq2[knownPrice, error], reading *store.Reading) ([]byte, error) {
				page, err := datesOf(prices, offset)
				if err != nil {
					return nil, err
				}
				if len(page) == 0 {
					return acknowledgement(noMatchingData(asked), query.now), nil
				}
				return publication(page, reading.ChangedAt), nil
			},
		}, nil
	},
}

// entsoeQuery reads the period that is asked for, and how many delivery dates with prices are skipped.
func entsoeQuery(query *queryParser) (asked market.Period, offset int, err error) {
	for _, p := range query.parameters {
		if p.values == nil {
			continue
		}
		if _, err := query.choice(p.name, p.values, ""); err != nil {
			return asked, 0, err
		}
	}
	if text := query.given.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 || offset > mostOffset {
			return asked, 0, query.refuseValue("offset", text)
		}
	}
	asked, err = entsoePeriod(query)
	return asked, offset, err
}

// entsoePeriod reads the period that is asked for, in either of the two ways.
func entsoePeriod(query *queryParser) (market.Period, error) {
	has := query.given.Has
	parse := func(name, text string, layouts ...string) (time.Time, error) {
		for _, layout := range layouts {
			if t, err := time.Parse(layout, text); err == nil && isInYears(t) {
				return t, nil
			}
		}
		return time.Time{}, query.refuseValue(name, query.given.Get(name))
	}
	var from, to time.Time
	var err error
	last := "periodEnd"
	switch {
	case has("timeInterval") && (has("periodStart") || has("periodEnd")):
		return market.Period{}, query.refuse("timeInterval", "est donné avec periodStart ou periodEnd", "is given with periodStart or periodEnd")
	case has("timeInterval"):
		last = "timeInterval"
		const toTheMinute = "2006-01-02T15:04Z07:00"
		start, end, _ := strings.Cut(strings.ReplaceAll(query.given.Get(last), " ", "+"), "/")
		if from, err = parse(last, start, toTheMinute, time.RFC3339); err == nil {
			to, err = parse(last, end, toTheMinute, time.RFC3339)
		}
	case !has("periodStart"):
		err = query.refuse("periodStart", "manque", "is missing")
	case !has("periodEnd"):
		err = query.refuse("periodEnd", "manque", "is missing")
	default:
		const layout = "200601021504"
		if from, err = parse("periodStart", query.given.Get("periodStart"), layout); err == nil {
			to, err = parse("periodEnd", query.given.Get("periodEnd"), layout)
		}
	}
	if err == nil && !from.Before(to) {
		err = query.refuse(last, "n’est pas après le début", "is not after the start")
	}
	return market.NewPeriod(from, to), err
}

// datesOf returns the prices of the delivery dates that have any, a page of them after the first skip ones.
func datesOf(prices iter.Seq2[knownPrice, error], skip int) ([][]knownPrice, error) {
	var page [][]knownPrice
	var calendar market.Calendar
	var date market.DeliveryDate
	seen := 0
	for p, err := range prices {
		if err != nil {
			return nil, err
		}
		if d := calendar.DateOf(p.Start); d != date {
			date = d
			if seen++; seen > skip+entsoePage {
				break
			}
			if seen > skip {
				page = append(page, nil)
			}
		}
		if last := len(page) - 1; last >= 0 {
			page[last] = append(page[last], p)
		}
	}
	return page, nil
}

// noMatchingData is the text of ENTSO-E's answer where there is nothing to answer. Programs look for its first three words.
func noMatchingData(asked market.Period) string {
	return fmt.Sprintf("No matching data found for Data item ENERGY_PRICES [12.1.D] (%s, %s) and interval %s/%s.",
		franceEIC, franceEIC, asked.From().Format(time.RFC3339), asked.To().Format(time.RFC3339))
}

// publication returns the document of delivery dates. It is the same as long as the prices are, so that its entity tag is.
func publication(dates [][]knownPrice, changed time.Time) []byte {
	var series bytes.Buffer
	for i, prices := range dates {
		writeTimeSeries(&series, i+1, prices)
	}
	sum := sha256.Sum256(series.Bytes())
	last := dates[len(dates)-1]
	var b bytes.Buffer
	b.WriteString(xml.Header + `<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">` + "\n")
	writeElement(&b, "mRID", hex.EncodeToString(sum[:16]))
	writeElement(&b, "revisionNumber", "1")
	writeElement(&b, "type", "A44")
	writeParties(&b, "A33")
	writeElement(&b, "createdDateTime", changed.UTC().Format(time.RFC3339))
	b.WriteString("<period.timeInterval>")
	writeInterval(&b, market.Period{Start: dates[0][0].Start, End: last[len(last)-1].End})
	b.WriteString("</period.timeInterval>\n")
	b.Write(series.Bytes())
	b.WriteString("</Publication_MarketDocument>\n")
	return b.Bytes()
}

// writeTimeSeries writes the prices of a delivery date: a Period for each run of quarter hours without a gap, because curve
// type A03 repeats a price where a position is missing.
func writeTimeSeries(b *bytes.Buffer, number int, prices []knownPrice) {
	b.WriteString("<TimeSeries>")
	writeElement(b, "mRID", strconv.Itoa(number))
	writeElement(b, "auction.type", "A01")
	writeElement(b, "businessType", "A62")
	writeCode(b, "in_Domain.mRID", franceEIC)
	writeCode(b, "out_Domain.mRID", franceEIC)
	writeElement(b, "contract_MarketAgreement.type", "A01")
	writeElement(b, "currency_Unit.name", "EUR")
	writeElement(b, "price_Measure_Unit.name", "MWH")
	writeElement(b, "curveType", "A03")
	for len(prices) > 0 {
		n := 1
		for n < len(prices) && prices[n].Start == prices[n-1].End {
			n++
		}
		writePeriod(b, prices[:n])
		prices = prices[n:]
	}
	b.WriteString("</TimeSeries>\n")
}

// writePeriod writes consecutive prices. A position whose price is that of the one before is left out, as ENTSO-E does, but
// never where the price is 0: npm's entsoe-api-client 1.0.3 takes a price of 0 for none and repeats the one before it.
func writePeriod(b *bytes.Buffer, prices []knownPrice) {
	b.WriteString("<Period><timeInterval>")
	writeInterval(b, market.Period{Start: prices[0].Start, End: prices[len(prices)-1].End})
	b.WriteString("</timeInterval>")
	writeElement(b, "resolution", string(market.PT15M))
	for i, p := range prices {
		if i > 0 && p.price == prices[i-1].price && p.price != 0 {
			continue
		}
		b.WriteString("<Point>")
		writeElement(b, "position", strconv.Itoa(i+1))
		writeElement(b, "price.amount", strconv.FormatFloat(p.price, 'f', -1, 64))
		b.WriteString("</Point>")
	}
	b.WriteString("</Period>\n")
}

// acknowledgement returns the document that ENTSO-E answers where it has no data. Its code is 999 whatever the reason.
func acknowledgement(text string, now time.Time) []byte {
	created := now.UTC().Format(time.RFC3339)
	id := sha256.Sum256([]byte(created + text))
	var b bytes.Buffer
	b.WriteString(xml.Header + `<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">` + "\n")
	writeElement(&b, "mRID", hex.EncodeToString(id[:16]))
	writeElement(&b, "createdDateTime", created)
	writeParties(&b, "A39")
	writeElement(&b, "received_MarketDocument.createdDateTime", created)
	b.WriteString("<Reason>")
	writeElement(&b, "code", "999")
	writeElement(&b, "text", text)
	b.WriteString("</Reason>\n</Acknowledgement_MarketDocument>\n")
	return b.Bytes()
}

// writeParties writes who sends a document and who receives it.
func writeParties(b *bytes.Buffer, receiverRole string) {
	writeCode(b, "sender_MarketParticipant.mRID", platformEIC)
	writeElement(b, "sender_MarketParticipant.marketRole.type", "A32")
	writeCode(b, "receiver_MarketParticipant.mRID", platformEIC)
	writeElement(b, "receiver_MarketParticipant.marketRole.type", receiverRole)
}

func writeInterval(b *bytes.Buffer, p market.Period) {
	const layout = "2006-01-02T15:04Z"
	writeElement(b, "start", p.From().Format(layout))
	writeElement(b, "end", p.To().Format(layout))
}

// writeCode writes an element with an EIC.
func writeCode(b *bytes.Buffer, name, eic string) {
	fmt.Fprintf(b, `<%s codingScheme="A01">%s</%s>`, name, eic, name)
}

func writeElement(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // to memory, which does not fail
	b.WriteString("</" + name + ">")
}
