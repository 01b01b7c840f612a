package rte_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"courant/ingest/rte"
	"courant/store/market"
)

// fuzzWindows are the windows that a fuzzer picks from: days of each length, the two parts of the autumn day, two days,
// and one that begins in the middle of a day.
var fuzzWindows = []market.Period{
	summerDay.Period(), springDay.Period(), autumnDay.Period(),
	{Start: autumnDay.Period().Start, End: change}, {Start: change, End: autumnDay.Period().End},
	{Start: autumnDay.Add(-1).Period().Start, End: autumnDay.Period().End},
	{Start: at("2026-07-15T09:00:00Z"), End: at("2026-07-15T11:00:00Z")},
}

// fuzzDecoder checks what holds of a decoder whatever it is given.
func fuzzDecoder[R any, K comparable](f *testing.F, decode decoder[R], seconds int64, key func(R) (market.Dataset, int64, K)) {
	f.Fuzz(func(t *testing.T, body []byte, pick uint8) {
		window := fuzzWindows[int(pick)%len(fuzzWindows)]
		reply, err := decode(bytes.NewReader(body), window)
		if err != nil {
			if !reflect.ValueOf(reply).IsZero() {
				t.Fatalf("something came beside the error %v: %+v", err, reply)
			}
			return
		}
		// Whatever is skipped or passed over has to be JSON as well: a reply is read whole or not at all. There is no
		// difference to encoding/json that would have to be allowed for.
		body = bytes.TrimPrefix(body, []byte("\ufeff")) // which may stand before it
		if !json.Valid(body) {
			t.Fatal("it is not JSON, and was read")
		}
		refused := map[string]bool{}
		for _, r := range reply.Refusals.List() {
			if period := r.Date.Period(); period.End <= window.Start || window.End <= period.Start {
				t.Fatalf("%s is refused, which was not asked for", r.Date)
			}
			if strings.Contains(r.Reason, "\n") || len(r.Reason) > 500 {
				t.Fatalf("a reason is no line: %q", r.Reason)
			}
			refused[string(r.Dataset)+r.Date.String()] = true
		}
		type unique struct {
			dataset market.Dataset
			start   int64
			key     K
		}
		seen := map[unique]bool{}
		for _, row := range reply.Rows {
			dataset, start, k := key(row)
			if !window.Holds(start) || start%seconds != 0 {
				t.Fatalf("%+v lies outside the window or off the grid", row)
			}
			if u := (unique{dataset, start, k}); seen[u] {
				t.Fatalf("%+v is there twice", row)
			} else {
				seen[u] = true
			}
			if refused[string(dataset)+market.DeliveryDateOf(time.Unix(start, 0)).String()] {
				t.Fatalf("%+v is of a refused date", row)
			}
			for column, n := range numbersOf(row) {
				if math.IsNaN(n.V) || math.IsInf(n.V, 0) || n.V == 0 && math.Signbit(n.V) || !n.Valid && n.V != 0 {
					t.Fatalf("%s is %+v", column, n)
				}
			}
		}
		for _, o := range reply.Omissions {
			if period := o.Date.Period(); period.End <= window.Start || window.End <= period.Start || len(o.Reason) > 500 || refused[string(o.Dataset)+o.Date.String()] {
				t.Fatalf("%+v is left out of what was not asked for or was refused", o)
			}
		}
		apart := map[unique]bool{}
		for _, row := range reply.Refused {
			dataset, start, k := key(row)
			u := unique{dataset, start, k}
			if !refused[string(dataset)+market.DeliveryDateOf(time.Unix(start, 0)).String()] || !window.Holds(start) || start%seconds != 0 || apart[u] {
				t.Fatalf("%+v is set apart twice, or is of no refused date", row)
			}
			apart[u] = true
		}
		bytewise, err := decode(iotest.OneByteReader(bytes.NewReader(body)), window)
		if err != nil || !reflect.DeepEqual(bytewise, reply) {
			t.Fatalf("byte by byte it reads otherwise: %+v, %v; want %+v", bytewise, err, reply)
		}
		if rewritten, is := rewrite(body); is {
			again, err := decode(bytes.NewReader(rewritten), window)
			if err != nil || !reflect.DeepEqual(again.Rows, reply.Rows) || len(again.Refusals.List()) != len(reply.Refusals.List()) {
				t.Fatalf("as encoding/json understands it, %s, it reads otherwise: %+v, %v; want %+v", rewritten, again, err, reply)
			}
		}
	})
}

// rewrite is the document as encoding/json has understood it; false if an object has a key twice, however it is written,
// for of those the two may take another.
func rewrite(body []byte) ([]byte, bool) {
	var understood any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&understood); err != nil || hasKeyTwice(body) {
		return nil, false
	}
	rewritten, err := json.Marshal(understood)
	return rewritten, err == nil
}

func hasKeyTwice(body []byte) bool {
	var open []map[string]bool // the keys of each object that is open; nil for an array
	keyNext := false
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, map[string]bool{})
		case json.Delim('['):
			open = append(open, nil)
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if keyNext {
				key, keys := strings.ToLower(token.(string)), open[len(open)-1]
				if keys[key] {
					return true
				}
				keys[key], keyNext = true, false
				continue
			}
		}
		keyNext = len(open) > 0 && open[len(open)-1] != nil
	}
}

// addSeeds gives the fuzzer documents for each window, and what is in them in other places.
func addSeeds(f *testing.F, bodies ...string) {
	f.Helper()
	for pick := range fuzzWindows {
		for _, body := range bodies {
			f.Add([]byte(body), uint8(pick))
		}
	}
	for _, body := range []string{"", "null", "{}", "[", `{"days":null,"mari":null,"result_procured_reserves":null,"imbalance_data":null,"france_power_exchanges":null}`, "{}x", `{"a":"\ud800\u0061"}`, "<html>", "\ufeff{}",
		`{"days":[` + strings.Repeat("[", 100), `{"a":1e5,"b":-0.0,"c":[true,false,null,"\n"]}`, `{"a":01}`, "{\"a\":\"\x01\"}"} {
		f.Add([]byte(body), uint8(0))
	}
}

func FuzzDecodeProcuredReserves(f *testing.F) {
	autumn := value("start_date", `"2026-10-25T01:00:00+00:00"`, "end_date", `"2026-10-25T02:15:00+01:00"`)
	addSeeds(f, afrr(), reserves(block("FCR", "STD", value("direction", `"UP_DOWN"`)), block("RR", "SPE0", value()), block("MFRR", "SPE", value("price", `"Invalid"`), value())),
		reserves(block("MFRR", "SPE0", autumn, value("time_horizon", `"PERIODIC"`))), afrr("direction", `"SIDEWAYS"`), afrr("price", "-0"), afrr("start_date", ""),
		reserves(block("KRR", "STD", value()), block("fcr", "std", value("start_date", "", "end_date", ""), value("update_date", "1"))), "\ufeff"+afrr("end_date", `"x"`))
	fuzzDecoder(f, rte.DecodeProcuredReserves, market.QuarterSeconds, func(r market.CapacityStep) (market.Dataset, int64, [3]string) {
		return r.Dataset, r.Start, [3]string{string(r.Direction), r.TimeHorizon, r.Product}
	})
}

func FuzzDecodeMarginalPrice(f *testing.F) {
	addSeeds(f, oneStep(), days(day("2026-10-25", step("step", `"02:00:00"`), step("step", `"01:59:56"`)), day("2026-10-24", step())),
		days(day("2026-03-29", step("step", `"02:30:00"`), step("step", `"03:00:00"`))), oneStep("pdemand", `"1.5"`, "prorata_mode", "true"), oneStep("pdemand", "-0.0"), oneStep("step", ""))
	fuzzDecoder(f, rte.DecodeMarginalPrice, market.AFRRSeconds, func(r market.AFRRStep) (market.Dataset, int64, struct{}) {
		return market.AFRREnergy, r.Start, struct{}{}
	})
}

func FuzzDecodeStandardMFRR(f *testing.F) {
	addSeeds(f, mari(measure()), mari(measure(), measure("direction", `"UPWARD"`)), mari(measure("start_date", `"2026-10-25T02:30:00+01:00"`, "end_date", "")),
		mari(measure("clearing_price", "-0"), measure("direction", `"UP"`)), mari(measure("start_date", "")))
	fuzzDecoder(f, rte.DecodeStandardMFRR, market.QuarterSeconds, func(r market.MFRRStep) (market.Dataset, int64, market.Direction) {
		return market.MFRREnergy, r.Start, r.Direction
	})
}

func FuzzDecodeImbalanceData(f *testing.F) {
	addSeeds(f, settlements(settlement()), settlements(settlement("imbalance", "-0"), settlement("system_trend", `"BAISSE"`, "updated_date", "")), settlements(settlement("end_date", "")),
		settlements(settlement("start_date", `"2026-10-25T02:30:00+01:00"`, "end_date", `"2026-10-25T02:45:00+01:00"`), settlement("start_date", "")),
		settlements(settlement("missing_data_list", `"`+strings.Repeat("é", 101)+`"`)), settlements(settlement("missing_data_list", "[1]", "negative_imbalance_settlement_price", "-1")))
	fuzzDecoder(f, rte.DecodeImbalanceData, market.QuarterSeconds, func(r market.ImbalanceStep) (market.Dataset, int64, struct{}) {
		return market.ImbalancePrices, r.Start, struct{}{}
	})
}

func FuzzDecodePowerExchanges(f *testing.F) {
	addSeeds(f, exchanges(exchange()), exchanges(exchange("price", "null"), exchange("price", `"-0"`)), exchanges(exchange("end_date", "")),
		exchanges(exchange("start_date", `"2026-10-25T02:30:00+01:00"`, "end_date", `"2026-10-25T02:45:00+01:00"`), exchange("start_date", "")))
	fuzzDecoder(f, rte.DecodePowerExchanges, market.QuarterSeconds, func(r market.Price) (market.Dataset, int64, market.Resolution) {
		return market.DayAheadPrices, r.Start, r.Resolution
	})
}
