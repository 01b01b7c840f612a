package api_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest/await"
)

const (
	exploredPrices = "day-ahead-prices:price_eur_mwh"
	exploredDemand = "afrr-energy:pdemand_mw"
	exploredUp     = "mfrr-energy:UPWARD:clearing_price_eur_mwh"
)

// attributeOf returns the values of an attribute in a page, in order.
func attributeOf(page, name string) []string {
	var values []string
	for _, match := range regexp.MustCompile(name+`="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		values = append(values, strings.ReplaceAll(match[1], "&amp;", "&"))
	}
	return values
}

// textOf returns a page without its markup, with single spaces.
func textOf(page string) string {
	plain := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(strings.ReplaceAll(plain, "\u00a0", " ")), " ")
}

// withTwoMarkets is withMarket with the days on which the clock goes forward and back, and the day after each.
func withTwoMarkets(t *testing.T) (*fixture, func(*http.Request)) {
	t.Helper()
	f, admin := withMarket(t)
	for _, date := range []market.DeliveryDate{turnForward, turnForward.Add(1), turnBack.Add(1)} {
		f.commit(t, marketOn(date))
	}
	f.refresh(t)
	return f, admin
}

func TestExploringShowsEachHourThatADayHas(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	for date, hours := range map[market.DeliveryDate]int{turnBack: 25, turnForward: 23} {
		page := f.ask(t, "GET", fmt.Sprintf("/explorer?from=%s&to=%s", date, date.Add(1)), admin).Body.String()
		columns := strings.Split(attributeOf(page, "data-columns")[0], ";")
		if len(columns) != 2 {
			t.Fatalf("%s: %d columns", date, len(columns))
		}
		for i, want := range []int{hours, 24} {
			if got := strings.Count(columns[i], ","); got != want {
				t.Errorf("%s: day %d has %d hours, want %d", date, i, got, want)
			}
		}
		runs := attributeOf(page, "data-runs")[0]
		if start := fmt.Sprintf("%d,900,-20,117.125,", date.Start().Unix()); !strings.HasPrefix(runs, start) || strings.Count(runs, ",") != 1+(hours+24)*4 {
			t.Errorf("%s: the line is %.60s…, %d values", date, runs, strings.Count(runs, ",")-1)
		}
		for _, text := range []string{
			fmt.Sprintf("%d sur %d", hours*4, hours*4), "96 sur 96", "Lignes : 2 ",
		} {
			if !strings.Contains(textOf(page), text) {
				t.Errorf("%s: the table lacks %q", date, text)
			}
		}
	}
}

func TestExploringComputesTheFiguresOfTheRange(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	page := textOf(f.ask(t, "GET", "/explore?from=2026-10-25&to=2026-10-26&s="+exploredPrices, admin, header("Accept-Language", "en")).Body.String())
	sum, negative, least, most := 0.0, 0, 1e9, -1e9
	for _, date := range []market.DeliveryDate{turnBack, turnBack.Add(1)} {
		for _, p := range market.Prices.In(marketOn(date)) {
			sum += p.Price.V
			least, most = min(least, p.Price.V), max(most, p.Price.V)
			if p.Price.V < 0 {
				negative++
			}
		}
	}
	want := fmt.Sprintf("Mean %.2f €/MWh Minimum −%.2f on 25 Oct 2026 00:00 Maximum %.2f on", sum/196, -least, most)
	if !strings.Contains(page, want) || !strings.Contains(page, fmt.Sprintf("Negative hours %g h Values 196 of 196", float64(negative)/4)) {
		t.Errorf("want %q and %d negative quarters in\n%s", want, negative, page)
	}
}

func TestExploringShowsMissingQuartersAsGapsAndCountsThem(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	page := f.ask(t, "GET", "/explore?from=2026-10-25&to=2026-10-25&s="+exploredUp, admin, header("Accept-Language", "en")).Body.String()
	values := strings.Split(attributeOf(page, "data-runs")[0], ",")
	if len(values) != 2+100 || values[2+40] != "" || values[2+41] == "" {
		t.Errorf("the quarter without a value is %q, the next %q, of %d", values[42], values[43], len(values)-2)
	}
	if !strings.Contains(textOf(page), "Values 99 of 100") {
		t.Error("the missing value is not counted")
	}
}

func TestExploringLaysAnEarlierRangeOverTheSameTimeOfDay(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	for query, want := range map[string]string{
		// The day of 24 hours is compared with that of 25, whose second 02:00 is left out.
		"from=2026-10-26&to=2026-10-26&before=day":  fmt.Sprintf("%d,900,", turnBack.Add(1).Start().Unix()),
		"from=2026-11-01&to=2026-11-01&before=week": "", // nothing is stored of the range itself: its dates are not shown
	} {
		page := f.ask(t, "GET", "/explorer?"+query, admin).Body.String()
		runs := attributeOf(page, "data-runs")
		if want == "" {
			if len(attributeOf(page, "data-before")) != 0 {
				t.Errorf("%s: there is a line of nothing", query)
			}
			continue
		}
		values := strings.Split(runs[1], ",")
		if !strings.HasPrefix(runs[1], want) || len(values) != 2+96 || strings.Contains(runs[1], ";") {
			t.Errorf("%s: the line of before is %.80s…, %d values", query, runs[1], len(values)-2)
		}
		prices := market.Prices.In(marketOn(turnBack))
		for later, earlier := range map[int]int{0: 0, 11: 11, 12: 16, 95: 99} {
			if got := values[2+later]; got != fmt.Sprint(prices[earlier].Price.V) {
				t.Errorf("%s: quarter %d is compared with %s, want %v", query, later, got, prices[earlier].Price.V)
			}
		}
		if got := attributeOf(page, "data-before"); !slices.Equal(got, []string{"1"}) {
			t.Errorf("%s: data-before is %q", query, got)
		}
	}
}

func TestTheFiguresOfAnEarlierRangeAreThoseOfItsOwnDates(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	f.commit(t, dayPrices(market.NewDeliveryDate(2024, 2, 1), func(quarter int) market.Number { return market.Num(float64(quarter) - 20) }))
	for query, want := range map[string]string{
		// The overlaid day has 25 hours, and 24 of them are drawn.
		"from=2026-10-26&to=2026-10-26&before=day": "day before: periods with a value: 100 of 100; from −20 €/MWh (25 Oct 00:00–00:15)",
		"from=2026-03-30&to=2026-03-30&before=day": "day before: periods with a value: 92 of 92; from −20 €/MWh (29 Mar 00:00–00:15)",
		"from=2026-10-25&to=2026-10-26&before=day": "day before: periods with a value: 100 of 196; from −20 €/MWh (25 Oct 00:00–00:15)",
		// Days are drawn; the extremes are those of hours.
		"from=2020-01-01&to=2030-01-01":             "Day-ahead prices: periods with a value: 480 of 95904; from −20 €/MWh (1 Feb 00:00–01:00)",
		"from=2026-10-25&to=2026-10-25&before=week": "Day-ahead prices: periods with a value: 100 of 100; from −20 €/MWh (25 Oct 00:00–00:15)",
	} {
		page := textOf(f.ask(t, "GET", "/explore?"+query, admin, header("Accept-Language", "en")).Body.String())
		if !strings.Contains(page, want) {
			t.Errorf("%s: the page does not have %q:\n%s", query, want, page)
		}
	}
}

func TestExtremesThatAreNoLongerStoredAreUnknown(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	show := func() string {
		return textOf(f.ask(t, "GET", "/explore?from=2026-10-25&to=2026-10-26&s="+exploredDemand, admin, header("Accept-Language", "en")).Body.String())
	}
	const unknown = "The minimum and the maximum are unknown where only means are stored."
	if page := show(); !strings.Contains(page, "from −350 MW (25 Oct 00:00–00:05)") || strings.Contains(page, unknown) {
		t.Errorf("before the steps are thinned:\n%s", page)
	}
	if _, err := f.store.ThinAFRR(t.Context(), turnBack.Add(1), turnBack.Add(2).Start()); err != nil {
		t.Fatal(err)
	}
	f.refresh(t)
	page := show()
	for _, want := range []string{"periods with a value: 2940 of 44100; mean −15.19 MW.", "Minimum – Maximum – Values", unknown} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q:\n%s", want, page)
		}
	}
}

func TestThisYearBeforeItHasDataIsShownAsEmpty(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, marketOn(market.NewDeliveryDate(2026, 12, 30)))
	f.refresh(t)
	f.clock.Advance(market.NewDeliveryDate(2027, 1, 2).At(9, 0).Sub(noon))
	admin := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	page := f.ask(t, "GET", "/explore?range=year", admin, header("Accept-Language", "en")).Body.String()
	for _, text := range []string{`name="from" type="date" required value="2027-01-01"`, `name="to" type="date" required value="2027-01-02"`, "No data for these dates"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not have %q:\n%s", text, textOf(page))
		}
	}
}

func TestExploringTakesTheRangeFromTheAddressAndCutsItToWhatIsStored(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t) // stored: 29 and 30 March, 25 and 26 October
	for query, want := range map[string][]string{
		"":                              {"2026-09-27", "2026-10-26"},
		"range=7d":                      {"2026-10-20", "2026-10-26"},
		"range=90d":                     {"2026-07-29", "2026-10-26"},
		"range=year":                    {"2026-03-29", "2026-10-26"},
		"range=all":                     {"2026-03-29", "2026-10-26"},
		"range=month":                   {"2026-06-01", "2026-06-30"}, // the clock of the test stands in July
		"from=2020-01-01&to=2030-01-01": {"2026-03-29", "2026-10-26"},
		"from=2026-03-30":               {"2026-03-30", "2026-03-30"},
		"from=2020-01-01&to=2020-01-02": {"2020-01-01", "2020-01-02"},
		"range=7d&from=2026-03-29":      {"2026-10-20", "2026-10-26"},
		"from=2026-03-29&to=2026-03-29&before=never": {"2026-03-29", "2026-03-29", "invalid"},
		"range=decade":                                {"2026-09-27", "2026-10-26", "invalid"},
		"from=2026-03-30&to=2026-03-29":               {"2026-09-27", "2026-10-26", "invalid"},
		"from=yesterday":                              {"2026-09-27", "2026-10-26", "invalid"},
		"s=day-ahead-prices:volume":                   {"2026-09-27", "2026-10-26", "invalid"},
		"s=" + strings.Repeat("x", 2000):              {"2026-09-27", "2026-10-26", "invalid"},
		"range=7d&s=" + exploredPrices + "&s=nothing": {"2026-10-20", "2026-10-26", "invalid"},
	} {
		w := f.ask(t, "GET", "/explore?"+query, admin, header("Accept-Language", "en"))
		page := w.Body.String()
		dates := regexp.MustCompile(`<input[^>]*type="date" required value="([^"]*)"`).FindAllStringSubmatch(page, -1)
		if w.Code != 200 || len(dates) != 2 || dates[0][1] != want[0] || dates[1][1] != want[1] {
			t.Errorf("%.80s: %d, %v, want %v", query, w.Code, dates, want)
		}
		if invalid := strings.Contains(page, "cannot be shown"); invalid != (len(want) == 3) {
			t.Errorf("%.80s: the page says that the address is not valid: %t", query, invalid)
		}
		if strings.Contains(page, strings.Repeat("x", 100)) {
			t.Errorf("%.80s: the page repeats what it does not know", query)
		}
	}
}

func TestExploringShowsLockedDatasetsAsLocked(t *testing.T) {
	t.Parallel()
	f, _ := withTwoMarkets(t)
	member := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	page := f.ask(t, "GET", "/explore?range=all&s="+exploredPrices+"&s="+exploredDemand, member, header("Accept-Language", "en")).Body.String()
	if len(attributeOf(page, "data-runs")) == 0 || strings.Contains(page, `value="`+exploredDemand+`"`) || strings.Contains(page, "data-rows=\"/api/datasets/afrr") {
		t.Error("the page shows series of a dataset that is not subscribed, or does not show those that are open")
	}
	if text := textOf(page); strings.Count(text, "This data requires a") < 2 {
		t.Errorf("the page does not say that aFRR energy is locked:\n%s", text)
	}
}

func TestExploringOffersTheShownRowsAsFiles(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	for query, rows := range map[string]int{
		"from=2026-10-25&to=2026-10-26&s=" + exploredPrices:                              196,
		"from=2026-10-25&to=2026-10-25&s=" + exploredUp:                                  100,
		"from=2026-10-25&to=2026-10-25&s=" + exploredDemand:                              300, // 5 min
		"range=all&s=" + exploredPrices:                                                  96,  // hours: 25 + 24 + 23 + 24
		"from=2026-10-25&to=2026-10-25&s=mfrr-capacity:UPWARD:PERIODIC:STD:price":        100,
		"from=2026-10-25&to=2026-10-25&s=imbalance-prices:imbalance_mwh&s=" + exploredUp: 100,
	} {
		page := f.ask(t, "GET", "/explore?"+query, admin, header("Accept-Language", "en")).Body.String()
		links := regexp.MustCompile(`href="(/api/datasets/[^"]*format=([a-z-]*)[^"]*)"`).FindAllStringSubmatch(page, -1)
		if len(links)%3 != 0 || len(links) == 0 {
			t.Fatalf("%s: %d links", query, len(links))
		}
		for _, link := range links {
			w := f.ask(t, "GET", strings.ReplaceAll(link[1], "&amp;", "&"), admin)
			if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
				t.Fatalf("%s: %d", link[1], w.Code)
			}
			if link[2] != "csv" {
				continue
			}
			records, err := csv.NewReader(w.Body).ReadAll()
			must(t, err)
			if len(records)-1 != rows {
				t.Errorf("%s: %d rows, want %d", link[1], len(records)-1, rows)
			}
		}
	}
}

func TestPagesOfDatasetsLeadToExploringThem(t *testing.T) {
	t.Parallel()
	f, admin := withTwoMarkets(t)
	for path, want := range map[string]string{
		"/prix?from=2026-10-25":                    "range=30d&s=day-ahead-prices:price_eur_mwh",
		"/prix?from=2026-10-25&to=2026-10-26":      "from=2026-10-25&s=day-ahead-prices:price_eur_mwh&to=2026-10-26",
		"/capacite?from=2026-10-25":                "range=30d&s=mfrr-capacity:UPWARD:DAILY:STD:price&s=mfrr-capacity:UPWARD:PERIODIC:STD:price&s=mfrr-capacity:DOWNWARD:DAILY:STD:price",
		"/energie?from=2026-10-25&to=2026-10-25":   "range=30d&s=afrr-energy:upward_price_eur_mwh&s=afrr-energy:downward_price_eur_mwh",
		"/energie?from=2026-10-25&to=2026-10-25&x": "range=30d&s=mfrr-energy:UPWARD:clearing_price_eur_mwh&s=mfrr-energy:DOWNWARD:clearing_price_eur_mwh",
	} {
		page := f.ask(t, "GET", path, admin).Body.String()
		var found []string
		for _, link := range attributeOf(page, "href") {
			if query, is := strings.CutPrefix(link, "/explorer?"); is {
				query, err := url.QueryUnescape(query)
				must(t, err)
				found = append(found, query)
			}
		}
		if !slices.Contains(found, want) {
			t.Errorf("%s: %q, want %q", path, found, want)
		}
		for _, query := range found {
			if answer := f.ask(t, "GET", "/explorer?"+query, admin).Body.String(); !strings.Contains(answer, "data-runs") || strings.Contains(answer, "notice fault") {
				t.Errorf("%s leads to %s, which does not show the series", path, query)
			}
		}
	}
}

func TestExploringAnEmptyStoreSaysSo(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	w := f.ask(t, "GET", "/explore", carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator))), header("Accept-Language", "en"))
	if text := textOf(w.Body.String()); w.Code != 200 || !strings.Contains(text, "No data yet") {
		t.Errorf("%d\n%s", w.Code, text)
	}
}

func TestViewsAreMadeInTurnAndAnAccountHasFewAtATime(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	anne, carl := f.account(t, "anne@example.org", store.Member), f.account(t, "carl@example.org", store.Member)
	sessions := map[int64]func(*http.Request){anne.ID: carrying(f.session(t, anne)), carl.ID: carrying(f.session(t, carl))}
	view := func(account store.Account, changes ...func(*http.Request)) *httptest.ResponseRecorder {
		return f.ask(t, "GET", "/explore", append(changes, sessions[account.ID])...)
	}
	release := f.FillViewTurns()
	answers := make(chan int)
	const most = 6
	for range most {
		go func() { answers <- view(anne).Code }()
	}
	await.True(t, func() bool { return f.ViewsOf(anne.ID) == most })
	if w := view(anne); w.Code != 429 || w.Header().Get("Retry-After") != "5" {
		t.Errorf("one view more is answered with %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	view(carl, func(r *http.Request) { *r = *r.WithContext(gone) })
	if n := f.ViewsOf(carl.ID); n != 0 {
		t.Errorf("%d views wait for a client that has gone", n)
	}
	release()
	for range most {
		if code := await.Value(t, answers); code != 200 {
			t.Errorf("a view that waited for its turn is answered with %d", code)
		}
	}
	if n := f.ViewsOf(anne.ID); n != 0 || view(carl).Code != 200 {
		t.Errorf("%d views are counted after their answers", n)
	}
}
