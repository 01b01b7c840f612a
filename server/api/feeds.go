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

// The price feeds of programs at home, in EUR/kWh.
var (
	evccBridge = bridge{
		path:       web.PathEVCC,
		parameters: []queryParameter{tokenParameter("token")},
		plan: func(query *queryParser) (pricesPlan, error) {
			return jsonPlan(twoDays(query.now), evccFeed), nil
		},
	}
	homeAssistantBridge = bridge{
		path:       web.PathHomeAssistant,
		parameters: []queryParameter{tokenParameter("token"), choice("resolution", words(feedResolutions))},
		plan: func(query *queryParser) (pricesPlan, error) {
			length, err := query.choice("resolution", words(feedResolutions), string(market.Buckets15Minutes))
			return jsonPlan(twoDays(query.now), func(prices []knownPrice) []byte {
				return homeAssistantFeed(wholeMeans(prices, market.BucketLength(length)), query.now)
			}), err
		},
	}
	emhassBridge = bridge{
		path:       web.PathEMHASS,
		parameters: []queryParameter{tokenParameter("token")},
		plan: func(query *queryParser) (pricesPlan, error) {
			// The quarter hour that has begun gives EMHASS the price of the first step.
			first := market.Buckets15Minutes.Bucket(query.now.Unix())
			return jsonPlan(market.Period{Start: first.Start, End: twoDays(query.now).End}, emhassFeed), nil
		},
	}
	feedResolutions = []market.BucketLength{market.Buckets15Minutes, market.Buckets30Minutes, market.BucketsHour}
)

// twoDays returns the delivery date of an instant and the next one.
func twoDays(now time.Time) market.Period {
	today := market.DeliveryDateOf(now)
	return market.NewPeriod(today.Start(), today.Add(1).End())
}

// jsonPlan is the plan of an answer in JSON that is made of all prices of a period.
func jsonPlan(period market.Period, write func([]knownPrice) []byte) pricesPlan {
	return pricesPlan{
		period: period, contentType: "application/json",
		write: func(prices iter.Seq2[knownPrice, error], _ *store.Reading) ([]byte, error) {
			known, err := allOf(prices)
			return write(known), err
		},
	}
}

// wholeMeans returns the means of the prices over longer periods, exact to 6 decimals. A period whose quarter hours are not
// all known is left out.
func wholeMeans(quarters []knownPrice, length market.BucketLength) []knownPrice {
	if length.Seconds() == market.QuarterSeconds {
		return quarters
	}
	var means []knownPrice
	for len(quarters) > 0 {
		bucket := length.Bucket(quarters[0].Start)
		n := 0
		var mean market.Mean
		for n < len(quarters) && bucket.Holds(quarters[n].Start) {
			mean.Add(market.Num(quarters[n].price))
			n++
		}
		if int64(n) == bucket.Seconds()/market.QuarterSeconds {
			means = append(means, knownPrice{bucket, mean.InMicros().Number().V})
		}
		quarters = quarters[n:]
	}
	return means
}

// evccFeed writes what evcc reads as the forecast of a tariff: a list in UTC. evcc takes an object, or an instant without
// seconds, for an error.
func evccFeed(prices []knownPrice) []byte {
	var w jsonWriter
	w.feedEntries(prices, time.UTC)
	return w.bytes
}

// homeAssistantFeed writes an object whose members a REST sensor takes for its state and its attributes. The prices are
// there under the names that Nord Pool's integration gives them, and under those that Node-RED's power saver reads. The state
// is the price of the period that holds now; it is absent if that is not known.
func homeAssistantFeed(prices []knownPrice, now time.Time) []byte {
	today := market.DeliveryDateOf(now)
	split := 0
	var w jsonWriter
	w.open('{')
	for i, p := range prices {
		if p.Holds(now.Unix()) {
			w.key("state").perKWh(p.price)
		}
		if p.Start < today.Period().End {
			split = i + 1
		}
	}
	tomorrow := prices[split:]
	known := int64(0)
	for _, p := range tomorrow {
		known += p.Seconds()
	}
	w.key("unit").text("EUR/kWh")
	w.key("today").feedEntries(prices[:split], market.Paris)
	w.key("tomorrow").feedEntries(tomorrow, market.Paris)
	w.key("tomorrow_valid").flag(flag(known == today.Add(1).Period().Seconds()))
	w.key("raw_today").feedEntries(prices[:split], market.Paris)
	w.key("raw_tomorrow").feedEntries(tomorrow, market.Paris)
	w.close('}')
	return w.bytes
}

// emhassFeed writes the prices by their starts in UTC, as EMHASS reads a forecast at run time.
func emhassFeed(prices []knownPrice) []byte {
	var w jsonWriter
	w.open('{')
	for _, p := range prices {
		w.key(p.From().Format("2006-01-02 15:04:05-07:00")).perKWh(p.price)
	}
	w.close('}')
	return w.bytes
}

// feedEntries writes a list of periods and prices, with instants in a time zone.
func (w *jsonWriter) feedEntries(prices []knownPrice, zone *time.Location) {
	w.open('[')
	for _, p := range prices {
		w.open('{')
		w.key("start").text(p.From().In(zone).Format(time.RFC3339))
		w.key("end").text(p.To().In(zone).Format(time.RFC3339))
		w.key("value").perKWh(p.price)
		w.close('}')
	}
	w.close(']')
}

// perKWh writes a price in EUR/MWh as EUR/kWh. It moves the decimal point of the shortest decimal text, so that the value is
// exact.
func (w *jsonWriter) perKWh(price float64) {
	const places = 3
	text := strconv.FormatFloat(price, 'f', -1, 64)
	digits, isNegative := strings.CutPrefix(text, "-")
	whole, decimals, _ := strings.Cut(digits, ".")
	if missing := places + 1 - len(whole); missing > 0 {
		whole = strings.Repeat("0", missing) + whole
	}
	point := len(whole) - places
	whole, decimals = whole[:point], strings.TrimRight(whole[point:]+decimals, "0")
	w.separate()
	if isNegative && strings.Trim(whole+decimals, "0") != "" {
		w.bytes = append(w.bytes, '-')
	}
	w.bytes = append(w.bytes, whole...)
	if decimals != "" {
		w.bytes = append(append(w.bytes, '.'), decimals...)
	}
}
