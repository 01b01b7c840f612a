package entsoe_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"courant/ingest/entsoe"
	"courant/store/market"
)

func FuzzDecode(f *testing.F) {
	windows := []market.Period{
		summerDay.Period(), springDay.Period(), autumnDay.Period(), {Start: summerDay.Period().Start, End: summerDay.Add(1).Period().End},
		{Start: at("2026-07-14T22:30Z"), End: at("2026-07-15T00:15Z")},
	}
	half := period("2026-07-14T22:00Z", "2026-07-15T01:00Z", "PT30M", "1=-0", "3=2e1", "6=7")
	for pick := range windows {
		for _, body := range []string{
			document(series(nil, threeHours("1=10", "3=30.5"), half)),
			document(series(changed{"curveType", "A01"}, threeHours("1=1", "2=2", "3=3")), series(nil, period("2026-07-14T22:00Z", "2026-07-14T23:00Z", "PT15M", "1=1"))),
			document(series(nil, threeHours("1=1")), series(nil, threeHours("1=2"))),
			document(series(nil, period("2026-10-24T22:00Z", "2026-10-25T23:00Z", "PT60M", "1=1", "25=2"))),
			document(series(nil, threeHours("0=1"))), document(series(changed{"currency_Unit.name", "GBP"}, half)),
			acknowledgement("No matching data found"), acknowledgement("exceeds"),
		} {
			f.Add([]byte(body), uint8(pick))
		}
	}
	for _, body := range []string{"", "<html>", "PK\x03\x04", "{}", "<Publication_MarketDocument><type>A44</type></Publication_MarketDocument>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"} {
		f.Add([]byte(body), uint8(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, pick uint8) {
		window := windows[int(pick)%len(windows)]
		reply, err := entsoe.Decode(bytes.NewReader(body), entsoe.France, window)
		if err != nil {
			if !reflect.ValueOf(reply).IsZero() {
				t.Fatalf("something came beside the error %v: %+v", err, reply)
			}
			return
		}
		refused := map[market.DeliveryDate]bool{}
		for _, r := range reply.Refusals.List() {
			if p := r.Date.Period(); p.End <= window.Start || window.End <= p.Start || refused[r.Date] || r.Dataset != market.DayAheadPrices {
				t.Fatalf("%s %s is refused, again or without having been asked for", r.Dataset, r.Date)
			}
			if strings.Contains(r.Reason, "\n") || len(r.Reason) > 500 {
				t.Fatalf("a reason is no line: %q", r.Reason)
			}
			refused[r.Date] = true
		}
		type slot struct {
			start      int64
			resolution market.Resolution
		}
		seen := map[slot]bool{}
		for i, row := range reply.Rows {
			length := row.Resolution.Seconds()
			if length == 0 || !window.Holds(row.Start) || row.Start%length != 0 {
				t.Fatalf("%+v lies outside the window or off its grid", row)
			}
			if v := row.Price.V; !row.Price.Valid || math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && math.Signbit(v) {
				t.Fatalf("%+v has no price", row)
			}
			if refused[market.DeliveryDateOf(time.Unix(row.Start, 0))] {
				t.Fatalf("%+v is of a refused date", row)
			}
			if seen[slot{row.Start, row.Resolution}] {
				t.Fatalf("%+v is there twice", row)
			}
			seen[slot{row.Start, row.Resolution}] = true
			if i > 0 && row.Start < reply.Rows[i-1].Start {
				t.Fatalf("%+v comes after a later one", row)
			}
		}
		// What finer prices say of every quarter of a period, a coarser one repeats only if it says something else.
		for i, repeats := range market.RepeatedByFiner(reply.Rows) {
			if repeats {
				t.Fatalf("%+v repeats finer prices", reply.Rows[i])
			}
		}
		for _, row := range reply.Refused {
			if !refused[market.DeliveryDateOf(time.Unix(row.Start, 0))] || !window.Holds(row.Start) || !row.Price.Valid {
				t.Fatalf("%+v is set apart, and its date is not refused", row)
			}
		}
		bytewise, err := entsoe.Decode(iotest.OneByteReader(bytes.NewReader(body)), entsoe.France, window)
		if err != nil || !reflect.DeepEqual(bytewise, reply) {
			t.Fatalf("byte by byte it reads otherwise: %+v, %v; want %+v", bytewise, err, reply)
		}
	})
}
