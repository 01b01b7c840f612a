package simulator

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const exchangesPath = "/open_api/wholesale_market/v3/france_power_exchanges"

type exchangesWire struct {
	Dates []struct {
		Start   string             `json:"start_date"`
		End     string             `json:"end_date"`
		Updated string             `json:"updated_date"`
		Values  []exchangeWireStep `json:"values"`
	} `json:"france_power_exchanges"`
}

type exchangeWireStep struct {
	Start string  `json:"start_date"`
	End   string  `json:"end_date"`
	Value float64 `json:"value"`
	Price float64 `json:"price"`
}

// getExchanges asks for the exchanges' results as they are at an instant.
func getExchanges(t *testing.T, now time.Time) exchangesWire {
	t.Helper()
	var got exchangesWire
	newRTEClient(t, now).get(exchangesPath, window{}, &got)
	return got
}

func TestExchangesReplyHoldsTheMarketQuarterByQuarter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		day                 Day
		start, end, updated string
		count               int
	}{
		{ordinaryDay, "2026-06-03T00:00:00+02:00", "2026-06-04T00:00:00+02:00", "2026-06-02T13:31:00+02:00", 96},
		{springDay, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-28T13:31:00+01:00", 92},
		{autumnDay, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "2026-10-24T13:31:00+02:00", 100},
		{Day{2025, time.September, 30}, "2025-09-30T00:00:00+02:00", "2025-10-01T00:00:00+02:00", "2025-09-29T13:31:00+02:00", 96},
	} {
		t.Run(tt.day.String(), func(t *testing.T) {
			got := getExchanges(t, tt.day.at(9, 0)).Dates
			if len(got) != 1 || got[0].Start != tt.start || got[0].End != tt.end || got[0].Updated != tt.updated || len(got[0].Values) != tt.count {
				t.Fatalf("%d delivery dates, %+.300v", len(got), got)
			}
			prices := Prices(tt.day)
			for i, v := range got[0].Values {
				start := tt.day.Start().Add(time.Duration(i) * quarter)
				want := exchangeWireStep{start.In(paris).Format(time.RFC3339), start.Add(quarter).In(paris).Format(time.RFC3339), v.Value, priceAt(prices, start)}
				if v != want || v.Value <= 0 || v.Value != round(v.Value, 1) {
					t.Fatalf("step %d: %+v, want %+v", i, v, want)
				}
			}
		})
	}
}

func TestExchangesTurnToTheNextDeliveryDateEarlyInTheAfternoon(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{ordinaryDay.Start(), "2026-06-03"},
		{ordinaryDay.at(13, 30), "2026-06-03"},
		{ordinaryDay.at(13, 31), "2026-06-04"},
		{ordinaryDay.at(23, 59), "2026-06-04"},
	} {
		if got := getExchanges(t, tt.now).Dates[0].Start; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.now.In(paris), got, tt.want)
		}
	}
}

func TestExchangesNeedATokenAndNoParameter(t *testing.T) {
	t.Parallel()
	c := newRTEClient(t, longAfter)
	if w := c.ask(exchangesPath, nil); w.Code != 200 {
		t.Errorf("no parameter: %d %s", w.Code, w.Body)
	}
	c.token = "none"
	if w := c.ask(exchangesPath, nil); w.Code != 401 {
		t.Errorf("no token: %d", w.Code)
	}
}

// The captured document is RTE's and no part of Courant: COURANT_SAMPLES names
// the folder that holds it.
func TestExchangesReplyHasTheFormOfTheCapturedOne(t *testing.T) {
	folder := os.Getenv("COURANT_SAMPLES")
	if folder == "" {
		t.Skip("COURANT_SAMPLES names no folder with captured documents")
	}
	captured, err := os.ReadFile(filepath.Join(folder, "rte", "france_power_exchanges_v3_2026-10-11.json"))
	if err != nil {
		t.Fatal(err)
	}
	ours := francePowerExchanges(market{now: Day{2026, time.October, 11}.at(12, 0)})
	if got, want := formOf(t, ours), formOf(t, captured); !reflect.DeepEqual(got, want) {
		t.Errorf("ours\n%.600v\ncaptured\n%.600v", got, want)
	}
}

// formOf returns a document with its keys in their order, and what is invented
// taken out: of a number it leaves the kind, of the date of the update the day.
func formOf(t *testing.T, document []byte) []any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(document)))
	d.UseNumber()
	var form []any
	updated := false
	for {
		token, err := d.Token()
		if err != nil {
			return form
		}
		switch v := token.(type) {
		case json.Number:
			f, err := v.Float64()
			if err != nil || f == math.Trunc(f) && !strings.HasSuffix(v.String(), ".0") {
				t.Errorf("%s is not written as a float", v)
			}
			token = "a float"
		case string:
			if updated {
				token = v[:len("2026-10-10T13:31")] + v[len("2026-10-10T13:31:17"):]
			}
			updated = v == "updated_date"
		}
		form = append(form, token)
	}
}
