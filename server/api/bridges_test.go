package api_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/entsoe"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// pricedDay is a delivery date with its prices, as decimal texts in EUR/MWh.
type pricedDay struct {
	date   market.DeliveryDate
	prices []string // of the quarter hours; "": not known
}

// priced invents the prices of a date: runs of equal ones, negative ones, some of exactly 0 and a run at the end.
func priced(date market.DeliveryDate) pricedDay {
	day := pricedDay{date: date}
	quarters := date.Steps(market.QuarterSeconds)
	for i := range quarters {
		price := strconv.FormatFloat(float64(i/3*317%260)-20.5+float64(i%3/2)/100, 'f', -1, 64)
		switch {
		case i >= 20 && i < 26, i == 31:
			price = "0"
		case i == 40:
			price = "-0.01"
		case i == 41:
			price = "3999.99"
		case i >= quarters-5:
			price = "92.11"
		}
		day.prices = append(day.prices, price)
	}
	return day
}

// without returns the day without the prices from and up to those places.
func (d pricedDay) without(from, to int) pricedDay {
	d.prices = slices.Clone(d.prices)
	for i := from; i < to; i++ {
		d.prices[i] = ""
	}
	return d
}

func (d pricedDay) batch(t *testing.T) market.Batch {
	t.Helper()
	var batch market.Batch
	for i, text := range d.prices {
		if text == "" {
			continue
		}
		amount, err := strconv.ParseFloat(text, 64)
		must(t, err)
		start := d.date.Start().Unix() + int64(i)*market.QuarterSeconds
		market.Prices.Put(&batch, append(market.Prices.In(batch), market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(amount)}))
	}
	return batch
}

// known returns the prices of the days by their starts, as texts.
func known(days []pricedDay) map[int64]string {
	all := map[int64]string{}
	for _, day := range days {
		for i, text := range day.prices {
			if text != "" {
				all[day.date.Start().Unix()+int64(i)*market.QuarterSeconds] = text
			}
		}
	}
	return all
}

// perKWh divides a decimal text by 1000, independently of the server: in whole millionths, which hold any price by cents.
func perKWh(t *testing.T, text string) string {
	t.Helper()
	whole, decimals, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	units, err := strconv.ParseInt(whole+(decimals + "000")[:3], 10, 64)
	must(t, err)
	made := fmt.Sprintf("%d.%06d", units/1_000_000, units%1_000_000)
	made = strings.TrimRight(strings.TrimRight(made, "0"), ".")
	if strings.HasPrefix(text, "-") && units != 0 {
		made = "-" + made
	}
	return made
}

// markets are what may be known of the prices of today and tomorrow at noon of a date.
var markets = map[string]func() (today market.DeliveryDate, days []pricedDay){
	"ordinary": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 7, 15)
		return date, []pricedDay{priced(date), priced(date.Add(1))}
	},
	"no tomorrow": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 7, 15)
		return date, []pricedDay{priced(date)}
	},
	"no today": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 7, 15)
		return date, []pricedDay{priced(date.Add(1))}
	},
	"nothing": func() (market.DeliveryDate, []pricedDay) { return market.NewDeliveryDate(2026, 7, 15), nil },
	"the clock goes forward": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 3, 29)
		return date, []pricedDay{priced(date), priced(date.Add(1))}
	},
	"the clock goes forward tomorrow": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 3, 28)
		return date, []pricedDay{priced(date), priced(date.Add(1))}
	},
	"the clock goes back": func() (market.DeliveryDate, []pricedDay) {
		return turnBack, []pricedDay{priced(turnBack), priced(turnBack.Add(1))}
	},
	"the clock goes back tomorrow": func() (market.DeliveryDate, []pricedDay) {
		return turnBack.Add(-1), []pricedDay{priced(turnBack.Add(-1)), priced(turnBack)}
	},
	"unknown quarters": func() (market.DeliveryDate, []pricedDay) {
		date := market.NewDeliveryDate(2026, 7, 15)
		return date, []pricedDay{priced(date).without(3, 9).without(56, 60), priced(date.Add(1)).without(90, 96)}
	},
}

// atNoon is a server at noon of the date that has the days, and what makes a request that of a feeds token.
func atNoon(t *testing.T, today market.DeliveryDate, days []pricedDay, changes ...func(*api.Options)) (*fixture, string) {
	t.Helper()
	f := open(t, changes...)
	f.clock.Advance(today.Add(-2).Start().Sub(f.clock.Now()))
	for _, day := range append([]pricedDay{priced(today.Add(-1))}, days...) {
		f.commit(t, day.batch(t))
	}
	f.clock.Advance(today.At(12, 7).Sub(f.clock.Now()))
	f.refresh(t)
	token, err := f.auth.CreateFeedsToken(t.Context(), f.account(t, "anne@example.org", store.Member).Email, "evcc", market.DeliveryDate{})
	must(t, err)
	return f, token
}

// entries returns the expected entries of known prices, in the time zone.
func entries(t *testing.T, prices map[int64]string, zone *time.Location) []string {
	t.Helper()
	var all []string
	for _, start := range slices.Sorted(maps.Keys(prices)) {
		from := time.Unix(start, 0).In(zone)
		all = append(all, fmt.Sprintf("%s %s %s", from.Format(time.RFC3339), from.Add(15*time.Minute).Format(time.RFC3339), perKWh(t, prices[start])))
	}
	return all
}

// shownEntries returns the entries of a feed as entries does, with the offset that is written.
func shownEntries(t *testing.T, list feedList) []string {
	t.Helper()
	var all []string
	for _, entry := range list {
		if entry.Value == nil {
			t.Errorf("%s has no value", entry.Start)
			continue
		}
		all = append(all, entry.Start+" "+entry.End+" "+entry.Value.String())
	}
	return all
}

type feedList = []struct {
	Start, End string
	Value      *json.Number
}

func decodeFeed(t *testing.T, body []byte, into any) {
	t.Helper()
	if strings.Contains(string(body), "null") {
		t.Errorf("a null stands in %.300s", body)
	}
	must(t, json.Unmarshal(body, into))
}

func TestFeedsHaveEveryKnownQuarterOfTodayAndTomorrow(t *testing.T) {
	t.Parallel()
	for name, of := range markets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			today, days := of()
			f, token := atNoon(t, today, days)
			prices, now := known(days), f.clock.Now().Unix()
			ask := func(path string) []byte {
				t.Helper()
				w := f.ask(t, "GET", path+"token="+token)
				if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
					t.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
				}
				return w.Body.Bytes()
			}

			var evcc feedList
			decodeFeed(t, ask("/api/feeds/evcc?"), &evcc)
			if diff := cmp.Diff(entries(t, prices, time.UTC), shownEntries(t, evcc)); diff != "" {
				t.Errorf("evcc (-want +got):\n%s", diff)
			}
			var rates []struct { // the types that evcc reads
				Start, End time.Time
				Value      float64
			}
			must(t, json.Unmarshal(ask("/api/feeds/evcc?"), &rates))

			todays, tomorrows, wantState := map[int64]string{}, map[int64]string{}, ""
			for start, price := range prices {
				if start < today.End().Unix() {
					todays[start] = price
				} else {
					tomorrows[start] = price
				}
				if start <= now && now < start+900 {
					wantState = perKWh(t, price)
				}
			}
			isWhole := len(tomorrows) == today.Add(1).Steps(market.QuarterSeconds)
			var home struct {
				State           *json.Number
				Unit            string
				Today, Tomorrow feedList
				TomorrowValid   bool     `json:"tomorrow_valid"`
				RawToday        feedList `json:"raw_today"`
				RawTomorrow     feedList `json:"raw_tomorrow"`
			}
			decodeFeed(t, ask("/api/feeds/home-assistant?"), &home)
			state := ""
			if home.State != nil {
				state = home.State.String()
			}
			if state != wantState || home.Unit != "EUR/kWh" || home.TomorrowValid != isWhole {
				t.Errorf("state %q, unit %q, tomorrow valid %t; want %q, EUR/kWh, %t", state, home.Unit, home.TomorrowValid, wantState, isWhole)
			}
			for list, want := range map[string][]string{
				"today": entries(t, todays, market.Paris), "tomorrow": entries(t, tomorrows, market.Paris),
			} {
				got, raw := home.Today, home.RawToday
				if list == "tomorrow" {
					got, raw = home.Tomorrow, home.RawTomorrow
				}
				if diff := cmp.Diff(want, shownEntries(t, got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", list, diff)
				}
				if diff := cmp.Diff(got, raw); diff != "" {
					t.Errorf("raw_%s differs:\n%s", list, diff)
				}
			}

			var emhass map[string]json.Number
			decodeFeed(t, ask("/api/feeds/emhass?"), &emhass)
			want := map[string]json.Number{}
			for start, price := range prices {
				if start+900 > now {
					want[time.Unix(start, 0).UTC().Format("2006-01-02 15:04:05")+"+00:00"] = json.Number(perKWh(t, price))
				}
			}
			if diff := cmp.Diff(want, emhass); diff != "" {
				t.Errorf("emhass (-want +got):\n%s", diff)
			}

			var charts struct {
				LicenseInfo string        `json:"license_info"`
				UnixSeconds []int64       `json:"unix_seconds"`
				Price       []json.Number `json:"price"`
				Unit        string        `json:"unit"`
				Deprecated  *bool         `json:"deprecated"`
			}
			decodeFeed(t, ask("/price?bzn=FR&"), &charts)
			starts := slices.Sorted(maps.Keys(prices))
			var amounts []json.Number
			for _, start := range starts {
				amounts = append(amounts, json.Number(prices[start]))
			}
			if !slices.Equal(charts.UnixSeconds, starts) || !slices.Equal(charts.Price, amounts) {
				t.Errorf("/price has %d starts and %d prices:\n%s", len(charts.UnixSeconds), len(charts.Price), cmp.Diff(amounts, charts.Price))
			}
			if charts.Unit != "EUR / MWh" || charts.Deprecated == nil || *charts.Deprecated || charts.LicenseInfo != "Source: ENTSO-E Transparency Platform" {
				t.Errorf("/price says %q, %v, %q", charts.Unit, charts.Deprecated, charts.LicenseInfo)
			}
		})
	}
}

func TestTodayAndTomorrowAreSplitAtMidnightInParis(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		today, tomorrow          int
		firstToday, lastTomorrow string
	}{
		"ordinary":                        {96, 96, "2026-07-15T00:00:00+02:00", "2026-07-17T00:00:00+02:00"},
		"the clock goes forward":          {92, 96, "2026-03-29T00:00:00+01:00", "2026-03-31T00:00:00+02:00"},
		"the clock goes forward tomorrow": {96, 92, "2026-03-28T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		"the clock goes back":             {100, 96, "2026-10-25T00:00:00+02:00", "2026-10-27T00:00:00+01:00"},
		"the clock goes back tomorrow":    {96, 100, "2026-10-24T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
	} {
		today, days := markets[name]()
		f, token := atNoon(t, today, days)
		for resolution, quarters := range map[string]int{"": 1, "&resolution=PT15M": 1, "&resolution=PT30M": 2, "&resolution=PT1H": 4} {
			w := f.ask(t, "GET", "/api/feeds/home-assistant?token="+token+resolution)
			var home struct {
				Today, Tomorrow feedList
				Valid           bool `json:"tomorrow_valid"`
			}
			decodeFeed(t, w.Body.Bytes(), &home)
			if len(home.Today) != want.today/quarters || len(home.Tomorrow) != want.tomorrow/quarters || !home.Valid {
				t.Errorf("%s%s: %d and %d entries, valid %t", name, resolution, len(home.Today), len(home.Tomorrow), home.Valid)
				continue
			}
			if home.Today[0].Start != want.firstToday || home.Tomorrow[len(home.Tomorrow)-1].End != want.lastTomorrow {
				t.Errorf("%s%s: from %s to %s", name, resolution, home.Today[0].Start, home.Tomorrow[len(home.Tomorrow)-1].End)
			}
			if quarters == 4 && w.Body.Len() >= 16_000 {
				t.Errorf("%s: %d bytes, which Home Assistant does not record", name, w.Body.Len())
			}
		}
	}
}

func TestALongerStepIsTheExactMeanOfItsKnownQuarters(t *testing.T) {
	t.Parallel()
	today := market.NewDeliveryDate(2026, 7, 15)
	day := priced(today)
	copy(day.prices, []string{"0.01", "0", "0", "0", "-0.01", "-0.01", "0", "0", "100", "", "100", "100", "0.01", "0.02", "0.03", "0.05"})
	f, token := atNoon(t, today, []pricedDay{day})
	var home struct{ Today feedList }
	decodeFeed(t, f.ask(t, "GET", "/api/feeds/home-assistant?resolution=PT1H&token="+token).Body.Bytes(), &home)
	want := []string{
		"2026-07-15T00:00:00+02:00 2026-07-15T01:00:00+02:00 0.0000025", "2026-07-15T01:00:00+02:00 2026-07-15T02:00:00+02:00 -0.000005",
		"2026-07-15T03:00:00+02:00 2026-07-15T04:00:00+02:00 0.0000275",
	}
	if diff := cmp.Diff(want, shownEntries(t, home.Today)[:3]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each price by cents is the text of its thousandth, whatever its binary fraction.
func TestPricesPerKWhAreCutFromTheDecimalText(t *testing.T) {
	t.Parallel()
	for price, want := range map[float64]string{
		0: "0", 0.01: "0.00001", -0.01: "-0.00001", 0.5: "0.0005", 5: "0.005", 10: "0.01", 92.11: "0.09211", 128.48: "0.12848", 1000: "1", 1234.5: "1.2345",
		-500: "-0.5", 4000: "4", 100_000: "100", 0.000001: "0.000000001",
	} {
		if got := api.PerKWh(price); got != want {
			t.Errorf("%v EUR/MWh is %s, want %s", price, got, want)
		}
	}
	for cents := -50_000; cents <= 400_000; cents += 7 {
		text := strconv.FormatFloat(float64(cents)/100, 'f', -1, 64)
		if got, want := api.PerKWh(float64(cents)/100), perKWh(t, text); got != want {
			t.Fatalf("%s EUR/MWh is %s, want %s", text, got, want)
		}
	}
}

func TestEnergyChartsRangesIncludeBothBounds(t *testing.T) {
	t.Parallel()
	today := turnBack
	f, token := atNoon(t, today, []pricedDay{priced(today), priced(today.Add(1))}) // beside the day before
	for query, want := range map[string]struct {
		quarters int
		first    string
	}{
		"":                                {196, "2026-10-24T22:00:00Z"},
		"start=2026-10-25":                {196, "2026-10-24T22:00:00Z"},
		"start=2026-10-25&end=2026-10-25": {100, "2026-10-24T22:00:00Z"},
		"start=2026-10-24&end=2026-10-26": {292, "2026-10-23T22:00:00Z"},
		"start=2026-10-25T02:30%2B01:00&end=2026-10-25": {86, "2026-10-25T01:30:00Z"},
		"start=2026-10-25T02:30+01:00&end=2026-10-25":   {86, "2026-10-25T01:30:00Z"},
		"start=2026-10-25T00:00Z&end=2026-10-25T01:00Z": {5, "2026-10-25T00:00:00Z"},
		"start=2026-10-25T00:00:00Z&end=1792888200":     {3, "2026-10-25T00:00:00Z"},
		"start=2001-01-01&end=2001-12-31":               {0, ""},
		"start=2001-01-01":                              {292, "2026-10-23T22:00:00Z"},
	} {
		w := f.ask(t, "GET", "/price?bzn=FR&"+query+"&token="+token)
		var got struct {
			Starts []int64   `json:"unix_seconds"`
			Price  []float64 `json:"price"`
		}
		if w.Code != 200 {
			t.Errorf("%s answers %d: %s", query, w.Code, w.Body)
			continue
		}
		decodeFeed(t, w.Body.Bytes(), &got)
		if len(got.Starts) != want.quarters || len(got.Price) != want.quarters || got.Starts == nil {
			t.Errorf("%s: %d starts and %d prices, want %d", query, len(got.Starts), len(got.Price), want.quarters)
		} else if want.quarters > 0 && time.Unix(got.Starts[0], 0).UTC().Format(time.RFC3339) != want.first {
			t.Errorf("%s begins at %d, want %s", query, got.Starts[0], want.first)
		}
	}
}

func TestFeedsRefuseParametersThatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, nil)
	for path, want := range map[string]string{
		"/api/feeds/evcc?resolution=PT1H":                    "“resolution” is not a parameter",
		"/api/feeds/emhass?Token=x":                          "“Token” is not a parameter",
		"/api/feeds/home-assistant?resolution=PT5M":          "it accepts: one of PT15M, PT30M, PT1H",
		"/api/feeds/home-assistant?resolution=":              "“resolution” is empty",
		"/price?start=2026-10-25":                            "“bzn” is missing; it accepts: one of FR",
		"/price?bzn=DE-LU":                                   "“bzn” does not accept “DE-LU”",
		"/price?bzn=FR&end=2026-10-25":                       "“end” is given without “start”",
		"/price?bzn=FR&start=2026-10-26&end=2026-10-25":      "“start” is after “end”",
		"/price?bzn=FR&start=now":                            "“start” does not accept “now”",
		"/price?bzn=FR&start=2026-10-25&end=0001-01-01":      "“end” does not accept",
		"/price?bzn=FR&start=2026-10-25&start=2026-10-26":    "“start” is given twice",
		"/price?bzn=FR&start=99999999999&end=2026-10-25":     "“start” does not accept",
		"/price?bzn=FR&start=2026-10-25T00:00&end=tomorrow":  "“start” does not accept",
		"/price?bzn=FR&start=2026-10-25&end=2026-10-25T0:0Z": "“end” does not accept",
	} {
		w := f.ask(t, "GET", path, bearer(token), header("Accept-Language", "en"))
		if p := problemOf(t, w); w.Code != 400 || p.Code != "invalid_parameter" || !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %d %s %q, want %q", path, w.Code, p.Code, p.Detail, want)
		}
	}
}

// a44 is a document as it is in XML, read independently of Courant's decoder.
type a44 struct {
	XMLName xml.Name
	MRID    string `xml:"mRID"`
	Type    string `xml:"type"`
	Created string `xml:"createdDateTime"`
	Start   string `xml:"period.timeInterval>start"`
	End     string `xml:"period.timeInterval>end"`
	Series  []struct {
		Currency string `xml:"currency_Unit.name"`
		Curve    string `xml:"curveType"`
		Periods  []struct {
			Start      string `xml:"timeInterval>start"`
			End        string `xml:"timeInterval>end"`
			Resolution string `xml:"resolution"`
			Points     []struct {
				Position int64  `xml:"position"`
				Amount   string `xml:"price.amount"`
			} `xml:"Point"`
		} `xml:"Period"`
	} `xml:"TimeSeries"`
	Reason struct {
		Code string `xml:"code"`
		Text string `xml:"text"`
	} `xml:"Reason"`
}

func readA44(t *testing.T, body []byte) a44 {
	t.Helper()
	var doc a44
	must(t, xml.Unmarshal(body, &doc))
	return doc
}

// quarters fills the positions that are left out, and returns the text of the price of each quarter hour.
func (doc a44) quarters(t *testing.T) map[int64]string {
	t.Helper()
	all := map[int64]string{}
	for _, series := range doc.Series {
		if series.Currency != "EUR" || series.Curve != "A03" || len(series.Periods) == 0 {
			t.Errorf("a series in %q of curve %q with %d periods", series.Currency, series.Curve, len(series.Periods))
		}
		for _, period := range series.Periods {
			start, err := time.Parse("2006-01-02T15:04Z", period.Start)
			must(t, err)
			end, err := time.Parse("2006-01-02T15:04Z", period.End)
			must(t, err)
			if period.Resolution != "PT15M" || period.Points[0].Position != 1 {
				t.Errorf("a period of %s begins with position %d", period.Resolution, period.Points[0].Position)
			}
			next := 0
			amount := ""
			for at := start.Unix(); at < end.Unix(); at += 900 {
				if next < len(period.Points) && period.Points[next].Position == (at-start.Unix())/900+1 {
					amount = period.Points[next].Amount
					next++
				}
				if _, twice := all[at]; twice {
					t.Errorf("%d is listed twice", at)
				}
				all[at] = amount
			}
			if next != len(period.Points) {
				t.Errorf("%d points are out of order or beyond the period", len(period.Points)-next)
			}
		}
	}
	return all
}

// a44Query asks for the prices that touch a period.
func a44Query(token string, from, to time.Time, more ...string) string {
	values := url.Values{
		"securityToken": {token}, "documentType": {"A44"}, "in_Domain": {"10YFR-RTE------C"}, "out_Domain": {"10YFR-RTE------C"},
		"periodStart": {from.UTC().Format("200601021504")}, "periodEnd": {to.UTC().Format("200601021504")},
	}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return "/entsoe/api?" + values.Encode()
}

func TestA44HasTheKnownPricesAndIsReadByTheDecoderOfENTSOE(t *testing.T) {
	t.Parallel()
	for name, of := range markets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			today, days := of()
			f, token := atNoon(t, today, days)
			prices := known(days)
			w := f.ask(t, "GET", a44Query(token, today.Start(), today.Add(1).End()))
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/xml" {
				t.Fatalf("%d, %v: %s", w.Code, w.Header(), w.Body)
			}
			doc := readA44(t, w.Body.Bytes())
			if len(days) == 0 {
				if doc.XMLName.Local != "Acknowledgement_MarketDocument" || doc.Reason.Code != "999" || !strings.HasPrefix(doc.Reason.Text, "No matching data found") {
					t.Errorf("%s", w.Body)
				}
				return
			}
			if doc.XMLName.Space != "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3" || doc.Type != "A44" || len(doc.MRID) != 32 || len(doc.Series) != len(days) {
				t.Errorf("%d series in a %s of type %s", len(doc.Series), doc.XMLName, doc.Type)
			}
			if diff := cmp.Diff(prices, doc.quarters(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, series := range doc.Series {
				for _, period := range series.Periods {
					for i, point := range period.Points {
						if i > 0 && point.Amount == period.Points[i-1].Amount && point.Amount != "0" {
							t.Errorf("position %d repeats %s", point.Position, point.Amount)
						}
						if i > 0 && period.Points[i-1].Amount == "0" && point.Position != period.Points[i-1].Position+1 {
							t.Errorf("the position after one of 0, before %d, is left out", point.Position)
						}
					}
				}
			}
			reply, err := entsoe.Decode(strings.NewReader(w.Body.String()), entsoe.France, market.NewPeriod(today.Start(), today.Add(1).End()))
			if err != nil || len(reply.Refusals.List()) > 0 || len(reply.Notes) > 0 {
				t.Errorf("%v, refusals %v, notes %v", err, reply.Refusals.List(), reply.Notes)
			}
			decoded := map[int64]string{}
			for _, row := range reply.Rows {
				decoded[row.Start] = strconv.FormatFloat(row.Price.V, 'f', -1, 64)
			}
			if diff := cmp.Diff(prices, decoded); diff != "" {
				t.Errorf("the decoder of ENTSO-E (-want +got):\n%s", diff)
			}
		})
	}
}

func TestA44LeavesOutRepeatedPositionsAndTheTailButNeverAZero(t *testing.T) {
	t.Parallel()
	today := turnBack
	day := priced(today)
	f, token := atNoon(t, today, []pricedDay{day})
	doc := readA44(t, f.ask(t, "GET", a44Query(token, today.Start(), today.End())).Body.Bytes())
	points := doc.Series[0].Periods[0].Points
	if last := points[len(points)-1]; last.Position != 96 || last.Amount != "92.11" {
		t.Errorf("the last point is position %d, %s: the tail is not left out", last.Position, last.Amount)
	}
	zeros := 0
	for _, point := range points {
		if point.Amount == "0" {
			zeros++
		}
	}
	if zeros != 7 || len(points) >= 96 {
		t.Errorf("%d points, %d of them 0", len(points), zeros)
	}
}

func TestA44HasWholeDatesAndPagesByOffset(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, nil)
	first := turnBack.Add(-1) // atNoon stores it
	for i := 1; i < 130; i++ {
		if i != 50 {
			f.commit(t, pricedDay{first.Add(i), []string{"1", "2", "2"}}.batch(t))
		}
	}
	count := func(from, to time.Time, offset string) (int, string) {
		t.Helper()
		w := f.ask(t, "GET", a44Query(token, from, to, "offset", offset))
		doc := readA44(t, w.Body.Bytes())
		if w.Code != 200 {
			t.Errorf("offset %s answers %d: %s", offset, w.Code, w.Body)
		}
		return len(doc.Series), doc.Start + " " + doc.Reason.Text
	}
	from, to := first.Start(), first.Add(200).End()
	for offset, want := range map[string]int{"0": 100, "100": 29, "120": 9, "129": 0, "200": 0, "4800": 0} {
		got, text := count(from, to, offset)
		if got != want || (want == 0) != strings.Contains(text, "No matching data found") {
			t.Errorf("offset %s: %d series, %s", offset, got, text)
		}
	}
	if got, start := count(first.Start().Add(23*time.Hour), first.Start().Add(25*time.Hour), "0"); got != 2 || !strings.HasPrefix(start, "2026-10-23T22:00Z") {
		t.Errorf("two hours about midnight have %d series from %s", got, start)
	}
	if got, _ := count(first.Add(1).Start(), first.Add(2).Start(), "0"); got != 1 {
		t.Errorf("one date has %d series", got)
	}
}

func TestENTSOEQueriesAreReadInAnyCaseAndRefusedByAnAcknowledgement(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, []pricedDay{priced(turnBack)})
	plain := a44Query(token, turnBack.Start(), turnBack.End())
	want := f.ask(t, "GET", plain).Body.String()
	interval := "&TimeInterval=" + url.QueryEscape(turnBack.Start().Format("2006-01-02T15:04:05.000Z")+"/"+turnBack.End().Format("2006-01-02T15:04:05.000Z"))
	domains := "documentType=A44&in_Domain=10YFR-RTE------C&out_Domain=10YFR-RTE------C"
	for name, query := range map[string]string{
		"capitals":        "SECURITYTOKEN=" + token + "&DocumentType=A44&In_Domain=10YFR-RTE------C&Out_Domain=10YFR-RTE------C" + interval,
		"lower case":      "securitytoken=" + token + "&documenttype=A44&in_domain=10YFR-RTE------C&out_domain=10YFR-RTE------C&periodstart=202610242200&periodend=202610252300",
		"as entsoe-py":    domains + "&contract_MarketAgreement.type=A01&offset=0&periodStart=202610242200&periodEnd=202610252300&securityToken=" + token,
		"sequence":        domains + "&ClassificationSequence_AttributeInstanceComponent.Position=1&Contract_MarketAgreement.Type=A01" + interval + "&securityToken=" + token,
		"interval, plain": domains + "&timeInterval=2026-10-24T22:00Z/2026-10-25T23:00Z&securityToken=" + token,
	} {
		if w := f.ask(t, "GET", "/entsoe/api?"+query); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %.400s", name, w.Code, w.Body)
		}
	}
	const period = "&periodStart=202610242200&periodEnd=202610252300"
	for query, text := range map[string]string{
		"documentType=A65&in_Domain=10YFR-RTE------C&out_Domain=10YFR-RTE------C" + period: "invalid_parameter: “documentType” does not accept “A65”",
		"documentType=A44&in_Domain=10YBE----------2&out_Domain=10YFR-RTE------C" + period: "invalid_parameter: “in_Domain” does not accept “10YBE----------2”",
		"documentType=A44&out_Domain=10YFR-RTE------C" + period:                            "invalid_parameter: “in_Domain” is missing",
		domains:                               "invalid_parameter: “periodStart” is missing",
		domains + "&periodStart=202610242200": "invalid_parameter: “periodEnd” is missing",
		domains + "&periodStart=202610242200&periodEnd=202610242200":           "invalid_parameter: “periodEnd” is not after the start",
		domains + "&periodStart=2026-10-24&periodEnd=202610242200":             "invalid_parameter: “periodStart” does not accept",
		domains + period + "&timeInterval=2026-10-24T22:00Z/2026-10-25T23:00Z": "invalid_parameter: “timeInterval” is given with periodStart",
		domains + "&timeInterval=2026-10-24T22:00Z":                            "invalid_parameter: “timeInterval” does not accept",
		domains + period + "&contract_MarketAgreement.type=A07":                "does not accept “A07”",
		domains + period + "&offset=-100":                                      "invalid_parameter: “offset” does not accept “-100”",
		domains + period + "&offset=4900":                                      "invalid_parameter: “offset” does not accept “4900”",
		domains + period + "&psrType=B01":                                      "invalid_parameter: “psrType” is not a parameter",
		domains + period + "&DOCUMENTTYPE=A44":                                 "invalid_parameter: “documentType” is given twice",
		domains + period + "&x=%3Ca%3E%26":                                     "is not a parameter",
	} {
		w := f.ask(t, "GET", "/entsoe/api?"+query, bearer(token))
		doc := readA44(t, w.Body.Bytes())
		if w.Code != 400 || doc.XMLName.Local != "Acknowledgement_MarketDocument" || doc.Reason.Code != "999" || !strings.Contains(doc.Reason.Text, text) {
			t.Errorf("%s: %d %s, want %s", query, w.Code, w.Body, text)
		}
	}
}

// What ENTSO-E published, stored and served again, is read as what it published.
func TestCapturedDocumentsComeBackFromTheMirror(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("COURANT_SAMPLES")
	if folder == "" {
		t.Skip("COURANT_SAMPLES names no folder with captured documents")
	}
	for name, of := range map[string]struct {
		zone string
		date market.DeliveryDate
		days int
	}{
		"FR_A44_2023-05-07_2d_PT60M_A01_ns70.xml":                  {"10YFR-RTE------C", market.NewDeliveryDate(2023, 5, 7), 2},
		"BE_A44_2024-10-06_mixed-PT15M-PT60M_A03_tail-omitted.xml": {"10YBE----------2", market.NewDeliveryDate(2024, 10, 6), 3},
		"ES_A44_2025-09-29_4d_PT60M-to-PT15M_A03_switch.xml":       {"10YES-REE------0", market.NewDeliveryDate(2025, 9, 29), 4},
		"FI_A44_2025-10-12_2d_PT15M_A03_long-gaps.xml":             {"10YFI-1--------U", market.NewDeliveryDate(2025, 10, 12), 2},
	} {
		body, err := os.Open(filepath.Join(folder, "entsoe", name))
		must(t, err)
		defer body.Close()
		window := market.NewPeriod(of.date.Start(), of.date.Add(of.days).Start())
		reply, err := entsoe.Decode(body, of.zone, window)
		must(t, err)
		var batch market.Batch
		market.Prices.Put(&batch, reply.Rows)
		f, token := atNoon(t, of.date.Add(10), nil)
		f.commit(t, batch)
		want := map[int64]string{}
		for _, quarter := range market.Quarters(reply.Rows) {
			want[quarter.Start] = strconv.FormatFloat(quarter.Price.V, 'f', -1, 64)
		}
		served := f.ask(t, "GET", a44Query(token, window.From(), window.To()))
		if diff := cmp.Diff(want, readA44(t, served.Body.Bytes()).quarters(t)); diff != "" {
			t.Errorf("%s (-published +served):\n%s", name, diff)
		}
		again, err := entsoe.Decode(served.Body, entsoe.France, window)
		must(t, err)
		if len(again.Rows) != len(want) || len(again.Notes) > 0 || len(again.Refusals.List()) > 0 {
			t.Errorf("%s: %d rows, want %d; notes %v, refusals %v", name, len(again.Rows), len(want), again.Notes, again.Refusals.List())
		}
	}
}

// feedPaths are the paths that a feeds token opens, with a query that each answers, up to the token.
var feedPaths = map[string]string{
	"/api/feeds/evcc": "?token=", "/api/feeds/home-assistant": "?token=", "/api/feeds/emhass": "?token=", "/price": "?bzn=FR&token=",
	"/entsoe/api": "?documentType=A44&in_Domain=10YFR-RTE------C&out_Domain=10YFR-RTE------C&periodStart=202610242200&periodEnd=202610252300&securityToken=",
}

func TestAFeedsTokenOpensTheFivePathsAndNothingElse(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, []pricedDay{priced(turnBack)})
	account := f.account(t, "boris@example.org", store.Administrator)
	admins, err := f.auth.CreateFeedsToken(t.Context(), account.Email, "Home Assistant", market.DeliveryDate{})
	must(t, err)
	full := f.token(t, account, nil)
	prices := f.token(t, account, func(token *store.Token) { token.Datasets = "day-ahead-prices" })
	afrr := f.token(t, account, func(token *store.Token) { token.Datasets = "afrr-energy" })
	over := f.token(t, account, func(token *store.Token) { token.Scope, token.Expires = store.ScopeFeeds, f.clock.Now() })
	session := carrying(f.session(t, account))
	code := func(w interface{ Result() *http.Response }, body string) string {
		if w.Result().StatusCode == 200 {
			return ""
		}
		if strings.HasPrefix(body, "<?xml") {
			text, _, _ := strings.Cut(readA44(t, []byte(body)).Reason.Text, ":")
			return text
		}
		var p struct{ Code string }
		must(t, json.Unmarshal([]byte(body), &p))
		return p.Code
	}
	for path, query := range feedPaths {
		without, _, _ := strings.Cut(query, "token=")
		without, _, _ = strings.Cut(without, "securityToken=")
		for name, test := range map[string]struct {
			query string
			dress []func(*http.Request)
			want  string
		}{
			"in the address":                     {query + token, nil, ""},
			"an administrator's":                 {query + admins, nil, ""},
			"in the header":                      {without, []func(*http.Request){bearer(token)}, ""},
			"a token of the API in the header":   {without, []func(*http.Request){bearer(full)}, ""},
			"one limited to prices":              {without, []func(*http.Request){bearer(prices)}, ""},
			"one limited to others":              {without, []func(*http.Request){bearer(afrr)}, "forbidden"},
			"a session":                          {without, []func(*http.Request){session}, ""},
			"nothing":                            {without, nil, "unauthenticated"},
			"a token of the API in the address":  {query + full, nil, "token_invalid"},
			"one limited to prices, there":       {query + prices, nil, "token_invalid"},
			"an unknown one":                     {query + "crt_" + strings.Repeat("z", 52), nil, "token_invalid"},
			"an empty one":                       {query, nil, "token_invalid"},
			"an expired one":                     {query + over, nil, "token_expired"},
			"the header comes first":             {query + token, []func(*http.Request){bearer("crt_none")}, "token_invalid"},
			"the header comes first, good":       {query + "crt_none", []func(*http.Request){bearer(token)}, ""},
			"Basic comes first":                  {query + token, []func(*http.Request){header("Authorization", "Basic YTpi")}, "unauthenticated"},
			"the address comes before a session": {query + "crt_none", []func(*http.Request){session}, "token_invalid"},
			"given twice":                        {query + token + "&" + query[strings.LastIndexAny(query, "?&")+1:] + token, nil, "unauthenticated"},
		} {
			w := f.ask(t, "GET", path+test.query, append(test.dress, header("Accept-Language", "en"))...)
			if got := code(w, w.Body.String()); got != test.want {
				t.Errorf("%s, %s: %d %q, want %q", path, name, w.Code, got, test.want)
			}
			if w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s, %s: Referrer-Policy %q", path, name, w.Header().Get("Referrer-Policy"))
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") == "Bearer") {
				t.Errorf("%s, %s: %d with WWW-Authenticate %q", path, name, w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if name == "a token of the API in the address" && !strings.Contains(w.Body.String(), "An address takes only a token for the price feeds") {
				t.Errorf("%s: %s", path, w.Body)
			}
		}
		head := f.ask(t, "HEAD", path+query+token)
		if head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("Content-Length") == "" {
			t.Errorf("HEAD %s: %d, %d bytes", path, head.Code, head.Body.Len())
		}
	}
	for _, route := range routes {
		if !slices.Contains(route.allow, "GET") {
			continue
		}
		for _, carried := range []string{token, admins} {
			isData := strings.HasPrefix(route.path, "/api/") || strings.HasPrefix(route.path, "/csv/")
			if w := f.ask(t, "GET", route.path, bearer(carried)); isData && (w.Code != 403 || problemOf(t, w).Code != "forbidden") {
				t.Errorf("%s with a feeds token: %d", route.path, w.Code)
			}
			if w := f.ask(t, "GET", route.path+"?token="+carried); isData && w.Code != 401 {
				t.Errorf("%s with a feeds token in the address: %d", route.path, w.Code)
			}
		}
	}
	for _, path := range []string{"/metrics", "/api/status", "/api/datasets", "/api/datasets/day-ahead-prices/rows", "/api/revisions/day-ahead-prices?from=2026-10-25&to=2026-10-25"} {
		if w := f.ask(t, "GET", path, bearer(admins)); w.Code != 403 {
			t.Errorf("%s with an administrator's feeds token: %d", path, w.Code)
		}
	}
	if log := f.log.String(); strings.Contains(log, "crt_") {
		t.Errorf("the log holds a token: %s", log)
	}
}

func TestATokenInAnAddressReachesNoLogOfAFailure(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, []pricedDay{priced(turnBack)})
	f.ask(t, "GET", "/api/feeds/evcc?token="+token) // the directory of tokens is read
	must(t, f.store.Close())
	for path, query := range feedPaths {
		w := f.ask(t, "GET", path+query+token)
		if w.Code != 500 || strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		for name, values := range w.Header() {
			if strings.Contains(strings.Join(values, " "), token) {
				t.Errorf("%s: the header %s holds the token", path, name)
			}
		}
	}
	if log := f.log.String(); !strings.Contains(log, "request failed") || strings.Contains(log, token) {
		t.Errorf("the log: %s", log)
	}
}

func TestFeedsAreNotSentAgainUntilTheyChange(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, []pricedDay{priced(turnBack)})
	for path, query := range feedPaths {
		before := f.ask(t, "GET", path+query+token)
		tag := before.Header().Get("Etag")
		if before.Header().Get("Cache-Control") != "private, no-cache" || before.Header().Get("X-Courant-Attribution") != "Source: ENTSO-E Transparency Platform" ||
			before.Header().Get("X-Courant-Position") == "" || !strings.HasPrefix(tag, `"`) {
			t.Errorf("%s: %v", path, before.Header())
		}
		if w := f.ask(t, "GET", path+query+token, header("If-None-Match", tag)); w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("%s with its tag: %d", path, w.Code)
		}
	}
	tags := map[string]string{}
	for path, query := range feedPaths {
		tags[path] = f.ask(t, "GET", path+query+token).Header().Get("Etag")
	}
	changed := priced(turnBack)
	changed.prices[90] = "77.77"
	f.clock.Advance(time.Minute)
	f.commit(t, changed.batch(t))
	for path, query := range feedPaths {
		if w := f.ask(t, "GET", path+query+token, header("If-None-Match", tags[path])); w.Code != 200 || !strings.Contains(w.Body.String(), "77") {
			t.Errorf("%s after a change: %d", path, w.Code)
		}
	}
}

// A price that only RTE has published is served until ENTSO-E has it, as everywhere.
func TestFeedsHaveThePricesThatStandIn(t *testing.T) {
	t.Parallel()
	f, token := atNoon(t, turnBack, nil)
	batch := priced(turnBack).batch(t)
	rows := market.Prices.In(batch)
	for i := range rows {
		rows[i].Source = market.FromRTE
	}
	f.commit(t, batch)
	var evcc feedList
	decodeFeed(t, f.ask(t, "GET", "/api/feeds/evcc?token="+token).Body.Bytes(), &evcc)
	if len(evcc) != 100 {
		t.Errorf("%d entries", len(evcc))
	}
}
