package rte_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"courant/ingest/rte"
	"courant/store/market"
)

var exchangeFields = []field{
	{"start_date", `"2026-07-15T12:00:00+02:00"`}, {"end_date", `"2026-07-15T12:15:00+02:00"`}, {"value", "12422.3"}, {"price", "148.2"},
}

// exchange is a value of france_power_exchanges, with changes.
func exchange(changes ...string) string { return object(exchangeFields, changes...) }

// exchanges is a document of values.
func exchanges(values ...string) string {
	return `{"france_power_exchanges":[{"start_date":"2026-07-15T00:00:00+02:00","end_date":"2026-07-16T00:00:00+02:00",` +
		`"updated_date":"2026-07-14T13:31:17+02:00","values":[` + strings.Join(values, ",") + `]}]}`
}

func TestQuirksOfPowerExchanges(t *testing.T) {
	t.Parallel()
	noon := at("2026-07-15T10:00:00Z")
	price := func(start int64, resolution market.Resolution, v float64) market.Price {
		return market.Price{Start: start, Resolution: resolution, Source: market.FromRTE, Price: num(v)}
	}
	refusal := func(reason string) []string {
		return []string{"day-ahead-prices 2026-07-15: 2026-07-15T10:00:00Z: " + reason}
	}
	testQuirks(t, rte.DecodePowerExchanges, []quirk[market.Price]{
		{name: "a quarter", body: exchanges(exchange()), rows: []market.Price{price(noon, market.PT15M, 148.2)}},
		{name: "an hour", body: exchanges(exchange("end_date", `"2026-07-15T13:00:00+02:00"`)), rows: []market.Price{price(noon, market.PT60M, 148.2)}},
		{name: "a price in quotes, below zero", body: exchanges(exchange("price", `"-31.5"`)), rows: []market.Price{price(noon, market.PT15M, -31.5)}},
		{name: "no price yet", body: exchanges(exchange("price", "null"), exchange("start_date", `"2026-07-15T12:15:00+02:00"`, "end_date", `"2026-07-15T12:30:00+02:00"`)),
			rows: []market.Price{price(noon+900, market.PT15M, 148.2)}},
		{name: "another delivery date", body: exchanges(exchange("start_date", `"2026-07-16T00:00:00+02:00"`, "end_date", `"2026-07-16T00:15:00+02:00"`))},
		{name: "twice, with another price", body: exchanges(exchange(), exchange("price", "7")), rows: []market.Price{price(noon, market.PT15M, 7)},
			notes: []string{"day-ahead-prices of 2026-07-15 lists a step twice with other values; the later one stands"}},
		{name: "no values", body: `{"france_power_exchanges":[{"values":null}]}`},
		{name: "nothing", body: `{"france_power_exchanges":[]}`},
		{name: "a key that is not known", body: exchanges(exchange("Currency", `"EUR"`)), rows: []market.Price{price(noon, market.PT15M, 148.2)}, unknown: []string{"currency"}},
		{name: "a price that is none", body: exchanges(exchange("price", `"dear"`)), refused: refusal(`"dear" is not a number`)},
		{name: "no end", body: exchanges(exchange("end_date", "")), refused: refusal("the end is missing")},
		{name: "a length that is not known", body: exchanges(exchange("end_date", `"2026-07-15T12:05:00+02:00"`)), refused: refusal("it is neither a quarter, nor half, nor a whole hour")},
		{name: "off the grid", body: exchanges(exchange("start_date", `"2026-07-15T12:00:01+02:00"`, "end_date", `"2026-07-15T12:15:01+02:00"`)),
			refused: []string{"day-ahead-prices 2026-07-15: 2026-07-15T10:00:01Z: it is neither a quarter, nor half, nor a whole hour"}},
		{name: "no start", body: exchanges(exchange("start_date", "")), refused: []string{"final day-ahead-prices 2026-07-15: a value has no start: it is missing"}},
		{name: "another document", body: `{"days":[]}`, err: "the reply holds no france_power_exchanges"},
		{name: "cut short", body: exchanges(exchange())[:200], err: "the reply cannot be read"},
	})
}

func TestTheExchangesOfADayOfEachLength(t *testing.T) {
	t.Parallel()
	for _, day := range []market.DeliveryDate{summerDay, springDay, autumnDay} {
		var values []string
		for start := day.Start(); start.Before(day.End()); start = start.Add(15 * time.Minute) {
			values = append(values, exchange("start_date", `"`+start.In(market.Paris).Format(time.RFC3339)+`"`, "end_date", `"`+start.Add(15*time.Minute).In(market.Paris).Format(time.RFC3339)+`"`))
		}
		reply, err := rte.DecodePowerExchanges(strings.NewReader(exchanges(values...)), day.Period())
		if err != nil || len(reply.Rows) != day.Steps(market.QuarterSeconds) || len(market.Quarters(reply.Rows)) != len(reply.Rows) || len(refusalsOf(reply)) > 0 {
			t.Errorf("%s: %d rows, %v, %v", day, len(reply.Rows), refusalsOf(reply), err)
		}
	}
}

func TestACapturedDayOfPowerExchanges(t *testing.T) {
	t.Parallel()
	body := captured(t, "france_power_exchanges_v3_2026-10-11.json")
	date := market.NewDeliveryDate(2026, time.October, 11)
	reply, err := rte.DecodePowerExchanges(strings.NewReader(body), market.NewPeriod(date.Add(-1).Start(), date.End()))
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 || len(reply.Rows) != 96 {
		t.Errorf("%d rows, refusals %q, notes %q, unknown keys %q", len(reply.Rows), refusalsOf(reply), reply.Notes, reply.UnknownKeys)
	}
	// The sum was taken with Python's json module, the prices read in the file by eye.
	sum, byStart := 0., map[int64]float64{}
	for _, row := range reply.Rows {
		sum += row.Price.V
		byStart[row.Start] = row.Price.V
	}
	if math.Abs(sum-12_228.33) > 1e-6 {
		t.Errorf("prices add up to %v", sum)
	}
	for start, want := range map[string]float64{
		"2026-10-10T22:00:00Z": 148.2, "2026-10-10T22:15:00Z": 123.35, "2026-10-11T09:45:00Z": 40.09, "2026-10-11T11:30:00Z": 13.43, "2026-10-11T21:45:00Z": 167.15,
	} {
		if got := byStart[at(start)]; got != want {
			t.Errorf("the price at %s is %v, want %v", start, got, want)
		}
	}
}
