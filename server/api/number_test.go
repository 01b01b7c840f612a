package api_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestNumbersComeBackInTheirShortestDecimalForm(t *testing.T) {
	t.Parallel()
	storetest.Check(t, func(t *rapid.T) {
		// What a source may publish: 200 000 MW either way, six decimals.
		n := rapid.Int64Range(-200_000_000_000, 200_000_000_000).Draw(t, "millionths")
		published := strconv.FormatInt(n, 10) + "e-6"
		price, err := strconv.ParseFloat(published, 64)
		if err != nil {
			t.Fatal(err)
		}
		row := market.Price{Start: noon.Unix(), Resolution: market.PT15M, Price: market.Num(price)}
		body := api.BodyOf(market.DayAheadPrices, store.Window{Rows: market.Prices.Serve([]market.Price{row})})
		equal(t, body, pricesAnswer{[]priceRow{quarterOf(row.Start, millionths(n))}, "", "2026-07-15"})
	})
}

func TestNumbersHaveNoExponentAndNoNoiseAfterTheDatabase(t *testing.T) {
	t.Parallel()
	for published, want := range map[string]value{
		"0": "0", "-0.0": "0", "11.0": "11", "3.10": "3.1", "0.000001": "0.000001", "-0.000001": "-0.000001", "1e-6": "0.000001",
		"1E5": "100000", "100000": "100000", "-99999.999999": "-99999.999999", "0.1": "0.1", "0.30": "0.3", "2.675": "2.675",
		"999999999.999999": "999999999.999999", "1e21": "1000000000000000000000", "-500": "-500", "0.000": "0",
	} {
		t.Run(published, func(t *testing.T) {
			f := open(t)
			price, err := strconv.ParseFloat(published, 64)
			must(t, err)
			f.commit(t, market.Prices.Batch([]market.Price{{Start: at("2026-07-15T10:00:00Z"), Resolution: market.PT15M, Price: market.Num(price)}}))
			same(t, f.body(t, "day-ahead-prices"), pricesAnswer{[]priceRow{quarterOf(at("2026-07-15T10:00:00Z"), want)}, "2026-07-15", "2026-07-15"})
		})
	}
}

func TestWordsOfASourceAreEscaped(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"DAILY": "DAILY", `a"b\c/d`: `a"b\c/d`, "a\x00\x1f\r\n\tb": "a\x00\x1f\r\n\tb", "été \u2028 😀": "été \u2028 😀",
		"</script>": "</script>", "\xff\xfe": "\ufffd\ufffd",
	} {
		step := market.CapacityStep{Dataset: market.MFRRCapacity, Direction: market.Upward, TimeHorizon: said}
		var got struct {
			Rows []struct {
				Horizon string `json:"time_horizon"`
			}
		}
		body := api.BodyOf(step.Dataset, store.Window{Rows: market.Capacity.Serve([]market.CapacityStep{step})})
		if err := json.Unmarshal(body, &got); err != nil || !utf8.Valid(body) {
			t.Errorf("%q makes %q: %v", said, body, err)
		} else if got.Rows[0].Horizon != want {
			t.Errorf("%q is served as %q", said, got.Rows[0].Horizon)
		}
	}
}
