package ingest_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/report"
	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// wire is feeds whose sources answer every call with what reply makes of the window that is asked for.
type wire struct {
	t     *testing.T
	db    *store.Store
	feeds *ingest.Feeds
	reply func(window market.Period) string
	calls int
	runs  []store.Run
}

func newWire(t *testing.T, reply func(market.Period) string) *wire {
	t.Helper()
	db := storetest.New(t)
	w := &wire{t: t, db: db, reply: reply}
	server := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(server.Close)
	clock := clockwork.NewFakeClockAt(now)
	client := source.NewHTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	fromENTSOE := entsoe.NewClient(entsoe.Options{BaseURL: server.URL + "/api", SecurityToken: "entsoe-token-of-the-test", HTTP: client, Clock: clock})
	fromRTE := rte.NewClient(rte.Options{BaseURL: server.URL, ClientID: "client-of-the-test", ClientSecret: "secret-of-the-test", HTTP: client, Clock: clock})
	w.feeds = ingest.New(ingest.Options{
		Store: db, Clock: clock, Log: slog.New(slog.DiscardHandler), Ran: func(run store.Run) { w.runs = append(w.runs, run) },
		Readers: ingest.ReadersOf(fromENTSOE, fromRTE),
	})
	return w
}

func (w *wire) answer(out http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var from, to time.Time
	switch r.URL.Path {
	case "/token/oauth/":
		out.Header().Set("Content-Type", "application/json")
		io.WriteString(out, `{"access_token":"access-token-of-the-test","token_type":"Bearer","expires_in":7200}`)
		return
	case "/api":
		from, _ = time.Parse("200601021504", query.Get("periodStart"))
		to, _ = time.Parse("200601021504", query.Get("periodEnd"))
	default:
		from, _ = time.Parse(time.RFC3339, query.Get("start_date"))
		to, _ = time.Parse(time.RFC3339, query.Get("end_date"))
	}
	w.calls++
	io.WriteString(out, w.reply(market.NewPeriod(from, to)))
}

// fetch asks for delivery dates of a dataset, as a person would.
func (w *wire) fetch(dataset market.Dataset, first, last market.DeliveryDate) error {
	w.t.Helper()
	return w.feeds.Fetch(w.t.Context(), ingest.FetchRequest{Dataset: dataset, First: first, Last: last, Progress: func(ingest.Progress) {}})
}

// rows is how many rows of each of the dates are held.
func (w *wire) rows(dataset market.Dataset, first, last market.DeliveryDate) []int {
	w.t.Helper()
	var rows []int
	for _, date := range market.Dates(first, last) {
		coverage, err := w.db.Coverage(w.t.Context(), dataset, date, date)
		if err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, coverage.Rows())
	}
	return rows
}

// refused are the dates that the runs refused, "final" in front where a person cannot accept.
func (w *wire) refused() []string {
	var refused []string
	for _, run := range w.runs {
		for _, r := range run.Refusals {
			final := ""
			if r.Final {
				final = "final "
			}
			refused = append(refused, fmt.Sprintf("%s%s %s", final, r.Dataset, r.Date))
		}
	}
	return refused
}

// priceDocument is a document of A44 with a series of the Periods.
func priceDocument(periods ...string) string {
	return `<Publication_MarketDocument><type>A44</type><TimeSeries><in_Domain.mRID>` + entsoe.France + `</in_Domain.mRID><out_Domain.mRID>` + entsoe.France +
		`</out_Domain.mRID><currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType>` +
		strings.Join(periods, "") + `</TimeSeries></Publication_MarketDocument>`
}

// period is a Period of a price for each step of the resolution.
func period(from, to string, resolution market.Resolution, price func(step int) float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<Period><timeInterval><start>%s</start><end>%s</end></timeInterval><resolution>%s</resolution>", from, to, resolution)
	for step := range 86_400 / int(resolution.Seconds()) {
		fmt.Fprintf(&b, "<Point><position>%d</position><price.amount>%v</price.amount></Point>", step+1, price(step))
	}
	return b.String() + "</Period>"
}

func rising(step int) float64 { return float64(step) }

// datePeriod is the Period of a whole date.
func datePeriod(date market.DeliveryDate, resolution market.Resolution, price func(int) float64) string {
	return period(date.Start().Format("2006-01-02T15:04Z"), date.End().Format("2006-01-02T15:04Z"), resolution, price)
}

// pricesOf is a document of the window's dates but those left out.
func pricesOf(window market.Period, more string, without ...market.DeliveryDate) string {
	periods := []string{more}
	for _, date := range window.Dates() {
		if !slices.Contains(without, date) {
			periods = append(periods, datePeriod(date, market.PT15M, rising))
		}
	}
	return priceDocument(periods...)
}

func TestOnePeriodCostsNoOtherDate(t *testing.T) {
	t.Parallel()
	last := asked.Add(9) // of ten dates, which lie before now
	bad := asked.Add(4)
	start, end := bad.Start().Format("2006-01-02T15:04Z"), bad.End().Format("2006-01-02T15:04Z")
	empty := func(from, to string) string {
		return fmt.Sprintf("<Period><timeInterval><start>%s</start><end>%s</end></timeInterval><resolution>PT15M</resolution></Period>", from, to)
	}
	for _, row := range []struct {
		name    string
		period  string // in the place of that of the fifth date, or beside the others
		spoils  bool   // the fifth date
		refused []string
		calls   int
	}{
		{"of no length", empty(start, start), false, nil, 1},
		{"without a point", empty(start, end), false, nil, 1},
		{"without a point, alone", empty(start, end), true, []string{"day-ahead-prices 2026-07-05"}, 1},
		{"without bounds", empty("", ""), false, nil, 1},
		{"without bounds, alone", empty("", ""), true, []string{"final day-ahead-prices 2026-07-05"}, 1},
		{"with a bad start, alone", empty(bad.Add(-1).String()+"T22:61Z", end), true, []string{"final day-ahead-prices 2026-07-05"}, 1},
		{"with a bad end, alone", empty(start, "soon"), true, []string{"final day-ahead-prices 2026-07-05"}, 1},
		{"of a resolution that nobody knows, over all dates", strings.Replace(period("2020-01-01T00:00Z", "2026-12-31T00:00Z", "PT15M", rising), "PT15M", "P1D", 1), true,
			[]string{"final day-ahead-prices 2026-07-05"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWire(t, func(window market.Period) string {
				if row.spoils {
					return pricesOf(window, row.period, bad)
				}
				return pricesOf(window, row.period)
			})
			err := w.fetch(market.DayAheadPrices, asked, last)
			if row.spoils != (err != nil) {
				t.Errorf("error %v", err)
			}
			want := slices.Repeat([]int{96}, 10)
			if row.spoils {
				want[4] = 0
			}
			if diff := cmp.Diff(want, w.rows(market.DayAheadPrices, asked, last)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.refused, w.refused()); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			if w.calls != row.calls {
				t.Errorf("%d calls, want %d", w.calls, row.calls)
			}
		})
	}
}

func TestDatesAreRequestedInPartsWhereAPeriodHasNoDateAndSeveralAreIncomplete(t *testing.T) {
	t.Parallel()
	last, bad, unpublished := asked.Add(9), asked.Add(4), asked.Add(8)
	w := newWire(t, func(window market.Period) string {
		if bad.Period().Start < window.Start || window.End < bad.Period().End {
			return pricesOf(window, "", unpublished)
		}
		return pricesOf(window, "<Period><resolution>PT15M</resolution></Period>", bad, unpublished)
	})
	if err := w.fetch(market.DayAheadPrices, asked, last); err == nil {
		t.Error("no error")
	}
	want := slices.Repeat([]int{96}, 10)
	want[4], want[8] = 0, 0
	if diff := cmp.Diff(want, w.rows(market.DayAheadPrices, asked, last)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"final day-ahead-prices 2026-07-05"}, w.refused()); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestAnHourlyPriceForQuartersIsReportedAndNotServed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		first string // of two replies
		then  string
	}{
		{"in a later reply", priceDocument(datePeriod(asked, market.PT15M, rising)), priceDocument(datePeriod(asked, market.PT60M, func(hour int) float64 { return 300 }))},
		{"in the same reply", priceDocument(datePeriod(asked, market.PT15M, rising), datePeriod(asked, market.PT60M, func(int) float64 { return 300 })), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var body string
			w := newWire(t, func(market.Period) string { return body })
			for _, body = range []string{row.first, row.then} {
				if body == "" {
					continue
				}
				if err := w.fetch(market.DayAheadPrices, asked, asked); err != nil {
					t.Fatal(err)
				}
			}
			prices, err := store.Within(t.Context(), w.db, market.Prices, market.DayAheadPrices, asked.Period())
			if err != nil {
				t.Fatal(err)
			}
			quarters := market.Quarters(prices)
			if len(quarters) != 96 || quarters[95].Price.V != 95 {
				t.Errorf("%d quarters are served: %v", len(quarters), quarters)
			}
			current, err := w.feeds.Report(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range current.PriceDifferences { // of two commits at one instant, the second is stamped a millisecond later
				of := &current.PriceDifferences[i]
				of.SeenAt = report.Instant(of.SeenAt.Time().Truncate(time.Second))
			}
			// The first hour is the mean of 0, 1, 2 and 3.
			want := []report.Difference{{Date: asked, Between: "PT15M/PT60M", Quarters: 96, LargestEURMWh: 298.5, SeenAt: report.Instant(now)}}
			if !slices.Equal(want, current.PriceDifferences) {
				t.Errorf("differences %+v, want %+v", current.PriceDifferences, want)
			}
		})
	}
}

// capacityDay is a block of a reserve, with a value for each quarter of the window and direction.
func capacityDay(window market.Period, reserve string, directions ...string) string {
	var values []string
	for start := window.Start; start < window.End; start += market.QuarterSeconds {
		for _, direction := range directions {
			values = append(values, fmt.Sprintf(`{"start_date":%q,"direction":%q,"offered_volume":200,"contracted_volume":100,"price":1.25,"time_horizon":"DAILY"}`,
				time.Unix(start, 0).UTC().Format("2006-01-02T15:04Z"), direction))
		}
	}
	return fmt.Sprintf(`{"reserve":%q,"product_type":"std","values":[%s]}`, reserve, strings.Join(values, ","))
}

func reserves(blocks ...string) string {
	return `{"result_procured_reserves":[` + strings.Join(blocks, ",") + `]}`
}

func TestOneValueOfCapacityCostsNoOtherDate(t *testing.T) {
	t.Parallel()
	last := asked.Add(6)
	for _, row := range []struct {
		name, start, end string
		rows             []int
		refused          []string
	}{
		{"with a bad time", "2026-07-03T27:00+02:00", "", []int{192, 192, 0, 192, 192, 192, 192}, []string{"final afrr-capacity 2026-07-03"}},
		{"without a start", "", "2026-07-03T12:15+02:00", []int{192, 192, 0, 192, 192, 192, 192}, []string{"final afrr-capacity 2026-07-03"}},
		{"without a start and an end", "", "", []int{192, 192, 192, 192, 192, 192, 192}, nil},
		{"without seconds", "2026-07-03T12:00+02:00", "2026-07-03T12:15+02:00", []int{192, 192, 192, 192, 192, 192, 192}, nil},
		{"that only repeats another, with a bad end", "2026-07-03T12:00+02", "2026-07-03T09:15+02:00", []int{192, 192, 192, 192, 192, 192, 192}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWire(t, func(window market.Period) string {
				odd := fmt.Sprintf(`{"reserve":"aFRR","product_type":"STD","values":[{"start_date":%q,"end_date":%q,"direction":"UP","price":1.25,"time_horizon":"daily"}]}`, row.start, row.end)
				return reserves(odd, capacityDay(window, "aFRR", "UP", "DOWN"), capacityDay(window, "FCR", "UP_DOWN"))
			})
			if err := w.fetch(market.AFRRCapacity, asked, last); (err != nil) != (row.refused != nil) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(row.rows, w.rows(market.AFRRCapacity, asked, last)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(slices.Repeat([]int{96}, 7), w.rows(market.FCRCapacity, asked, last)); diff != "" {
				t.Errorf("rows of FCR (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.refused, w.refused()); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADirectionThatAReserveDoesNotHaveRefusesItsDate(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(window market.Period) string {
		return reserves(capacityDay(window, "FCR", "UP", "DOWN"), capacityDay(window, "AFRR", "UP", "DOWN"))
	})
	if err := w.fetch(market.FCRCapacity, asked, asked); err == nil || !strings.Contains(err.Error(), `FCR has no direction "UP"`) {
		t.Errorf("error %v", err)
	}
	if fcr, afrr := w.rows(market.FCRCapacity, asked, asked)[0], w.rows(market.AFRRCapacity, asked, asked)[0]; fcr != 0 || afrr != 192 {
		t.Errorf("%d rows of FCR, %d of aFRR", fcr, afrr)
	}
}

// stepsOf is a day of 4 s steps, newest first, with odd ones in the place of the first so many.
func stepsOf(date market.DeliveryDate, odd int, as string) string {
	var steps []string
	for second := 86_400 - market.AFRRSeconds; second >= 0; second -= market.AFRRSeconds {
		demand := "1.5"
		if second/market.AFRRSeconds < odd {
			demand = as
		}
		steps = append(steps, fmt.Sprintf(`{"step":%q,"pdemand":%s,"picasso_connection":"N/A"}`, time.Unix(int64(second), 0).UTC().Format(time.TimeOnly), demand))
	}
	return fmt.Sprintf(`{"days":[{"start_date":%q,"datas":[%s]}]}`, date, strings.Join(steps, ","))
}

func TestFewOddStepsCostThemselvesOnly(t *testing.T) {
	t.Parallel()
	for _, row := range storetest.Some(3, []struct {
		name, as string
		odd      int
		rows     int
	}{
		{"one that cannot be read", `"much"`, 1, 21_599},
		{"one out of bounds", "1e9", 1, 21_599},
		{"nearly a hundredth", `"much"`, 215, 21_385},
		{"a hundredth", `"much"`, 216, 0},
		{"nearly a hundredth out of bounds", "-200001", 215, 21_385},
		{"a hundredth out of bounds", "-200001", 216, 0},
	}) {
		t.Run(row.name, func(t *testing.T) {
			w := newWire(t, func(market.Period) string { return stepsOf(asked, row.odd, row.as) })
			if err := w.fetch(market.AFRREnergy, asked, asked); row.rows == 0 && err == nil {
				t.Error("no error")
			}
			if rows := w.rows(market.AFRREnergy, asked, asked); rows[0] != row.rows {
				t.Errorf("%d rows, want %d", rows[0], row.rows)
			}
		})
	}
}

func TestActivationsInRowsOfTheirOwnAreStoredAsOne(t *testing.T) {
	t.Parallel()
	const row = `{"start_date":"2026-07-01T12:00+02","direction":"up",%s}`
	w := newWire(t, func(market.Period) string {
		return `{"mari":{"mari_mesures":[` + fmt.Sprintf(row, `"clearing_price":80.5,"total_requested_volume_SA":120,"total_requested_volume_DA":null`) + "," +
			fmt.Sprintf(row, `"clearing_price":null,"total_requested_volume_SA":null,"total_requested_volume_DA":9,"settlement_price_current":7`) + `]}}`
	})
	if err := w.fetch(market.MFRREnergy, asked, asked); err != nil {
		t.Fatal(err)
	}
	rows, err := store.Within(t.Context(), w.db, market.MFRR, market.MFRREnergy, asked.Period())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	want := market.MFRRStep{Start: asked.At(12, 0).Unix(), Direction: market.Upward, ClearingPrice: market.Num(80.5), SettlementPriceCurrent: market.Num(7),
		RequestedVolumeSAMW: market.Num(120), RequestedVolumeDAMW: market.Num(9)}
	if diff := cmp.Diff(want, rows[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
