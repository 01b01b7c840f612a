package api

import (
	"iter"
	"strconv"
	"strings"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

// energyChartsZone is the name of the French bidding zone in Energy-Charts.
const energyChartsZone = "FR"

// energyChartsBridge answers as /price of api.energy-charts.info does: two lists of the same length, EUR/MWh.
var energyChartsBridge = bridge{
	path: web.PathEnergyCharts,
	parameters: []queryParameter{
		tokenParameter("token"), required(choice("bzn", []string{energyChartsZone})),
		{name: "start", accepts: acceptedBounds}, {name: "end", accepts: acceptedBounds},
	},
	plan: func(query *queryParser) (pricesPlan, error) {
		period, err := energyChartsPeriod(query)
		return pricesPlan{period: period, write: energyChartsBody, contentType: "application/json"}, err
	},
}

// acceptedBounds describes what parseBound reads.
var acceptedBounds = web.Text{
	FR: "une date (2026-10-25), un instant RFC 3339 avec Z ou un décalage, avec ou sans secondes, ou des secondes Unix (9 ou 10 chiffres)",
	EN: "a date (2026-10-25), an RFC 3339 instant with Z or an offset, with or without seconds, or Unix seconds (9 or 10 digits)",
}

// energyChartsPeriod reads the range that is asked for; both bounds are included. Without a start it is today, without an end
// all that follows.
func energyChartsPeriod(query *queryParser) (market.Period, error) {
	if _, err := query.choice("bzn", []string{energyChartsZone}, ""); err != nil {
		return market.Period{}, err
	}
	if query.given.Has("end") && !query.given.Has("start") {
		return market.Period{}, query.refuse("end", "est donné sans « start »", "is given without “start”")
	}
	period := market.Period{Start: twoDays(query.now).Start, End: market.NewDeliveryDate(lastYear, time.December, 31).Period().End}
	if text := query.given.Get("start"); text != "" {
		first, valid := parseBound(text)
		if !valid {
			return market.Period{}, query.refuseValue("start", text)
		}
		period.Start = first.Start
	}
	if text := query.given.Get("end"); text != "" {
		last, valid := parseBound(text)
		if !valid {
			return market.Period{}, query.refuseValue("end", text)
		}
		period.End = last.End
	}
	if period.End <= period.Start {
		return market.Period{}, query.refuse("start", "est après « end »", "is after “end”")
	}
	return period, nil
}

// parseBound reads a date, which stands for all of it, or an instant, which stands for its second. It returns false if the
// text is neither.
func parseBound(text string) (market.Period, bool) {
	text = strings.ReplaceAll(text, " ", "+") // the plus sign of an offset that was not escaped
	if date, err := market.ParseDeliveryDate(text); err == nil {
		return date.Period(), isInYears(date.Start())
	}
	t, err := time.Parse("2006-01-02T15:04Z07:00", text)
	valid := err == nil && isInYears(t)
	if !valid && text != "" && isDigits(text[:1]) { // an instant, and no word such as now
		t, valid = parseInstant(text, time.Time{})
	}
	return market.Period{Start: t.Unix(), End: t.Unix() + 1}, valid
}

// energyChartsBody writes the answer. Energy-Charts writes its licence where Courant writes the source: Courant knows of no
// licence of its sources.
func energyChartsBody(prices iter.Seq2[knownPrice, error], _ *store.Reading) ([]byte, error) {
	var starts, amounts jsonWriter
	starts.open('[')
	amounts.open('[')
	for p, err := range prices {
		if err != nil {
			return nil, err
		}
		starts.separate()
		starts.bytes = strconv.AppendInt(starts.bytes, p.Start, 10)
		amounts.number(market.Num(p.price))
	}
	starts.close(']')
	amounts.close(']')
	var w jsonWriter
	w.open('{')
	w.key("license_info").text(market.Attribution(market.Bridged.About().Source))
	w.key("unix_seconds").raw(starts.bytes)
	w.key("price").raw(amounts.bytes)
	w.key("unit").text("EUR / MWh")
	w.key("deprecated").flag(flag(false))
	w.close('}')
	return w.bytes, nil
}
