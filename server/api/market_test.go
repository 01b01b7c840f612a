package api_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// turnBack is the delivery date on which the clock goes back: 100 quarter hours.
var turnBack = market.NewDeliveryDate(2026, 10, 25)

// marketOn invents all that is published of a delivery date. Some values are null, some prices negative; of the 4 s
// steps there is one a minute.
func marketOn(date market.DeliveryDate) market.Batch {
	var batch market.Batch
	for i := range int64(date.Steps(market.QuarterSeconds)) {
		start := date.Start().Unix() + i*market.QuarterSeconds
		price := market.Num(float64(i*137%260) - 20 + float64(i%4)/8)
		market.Prices.Put(&batch, append(market.Prices.In(batch), market.Price{Start: start, Resolution: market.PT15M, Price: price}))
		if i == 40 {
			price = market.Number{} // mFRR was not activated
		}
		for _, sold := range []struct {
			dataset   market.Dataset
			direction market.Direction
			horizon   string
		}{
			{market.FCRCapacity, market.Symmetric, "DAILY"}, {market.AFRRCapacity, market.Upward, "DAILY"}, {market.AFRRCapacity, market.Downward, "DAILY"},
			{market.MFRRCapacity, market.Upward, "DAILY"}, {market.MFRRCapacity, market.Downward, "DAILY"}, {market.MFRRCapacity, market.Upward, "PERIODIC"},
		} {
			step := market.CapacityStep{
				Dataset: sold.dataset, Start: start, Direction: sold.direction, TimeHorizon: sold.horizon, Product: "STD",
				OfferedMW: market.Num(1200), ContractedMW: market.Num(float64(500 + i/4)), Price: market.Num(float64(i/4) / 8),
			}
			if i == 9 {
				step.Price = market.Number{} // its hour stays in quarters
			}
			market.Capacity.Put(&batch, append(market.Capacity.In(batch), step))
		}
		market.MFRR.Put(&batch, append(market.MFRR.In(batch),
			market.MFRRStep{Start: start, Direction: market.Upward, ClearingPrice: price, ActivatedVolumeSAMW: market.Num(float64(i))},
			market.MFRRStep{Start: start, Direction: market.Downward, ActivatedVolumeDAMW: market.Num(-float64(i))}))
		market.Imbalance.Put(&batch, append(market.Imbalance.In(batch), market.ImbalanceStep{
			Start: start, PositivePrice: price, NegativePrice: market.Num(float64(i) + 0.25), ImbalanceMWh: market.Num(float64(i%60) - 30),
			SystemTrend: market.Str([]string{"UPWARD", "DOWNWARD"}[i%2]), Status: market.Str("provisional"), Updated: 1000 * (start + 1061),
		}))
	}
	for i := range int64(date.Steps(60)) {
		market.AFRR.Put(&batch, append(market.AFRR.In(batch), market.AFRRStep{
			Start: date.Start().Unix() + i*60, UpwardPrice: market.Num(float64(i%300) / 3), DemandMW: market.Num(float64(i%700) - 350),
		}))
	}
	return batch
}

// withMarket is a fixture that holds the date on which the clock goes back, and what makes a request an administrator's.
func withMarket(t *testing.T, changes ...func(*api.Options)) (*fixture, func(*http.Request)) {
	t.Helper()
	f := open(t, changes...)
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	return f, carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
}

var (
	tableRow  = regexp.MustCompile(`<tr data-from="(\d+)" data-to="(\d+)"[^>]*>(.*)</tr>`)
	tableCell = regexp.MustCompile(`<td class="number"(?: data-value="([^"]*)")?>([^<]*)</td>`)
)

// shownRows reads the rows of the dataset's table on a page: start, end, and the numbers as they were published.
func shownRows(t *testing.T, page, dataset string) [][]string {
	t.Helper()
	_, table, found := strings.Cut(page, `<table id="`+dataset+`">`)
	if !found {
		t.Fatalf("the page has no table of %s", dataset)
	}
	table, _, _ = strings.Cut(table, "</table>")
	var rows [][]string
	for _, match := range tableRow.FindAllStringSubmatch(table, -1) {
		row := match[1:3:3]
		for _, cell := range tableCell.FindAllStringSubmatch(match[3], -1) {
			if (cell[1] == "") != (cell[2] == "–") {
				t.Fatalf("a cell of %s is %q and shows %q", dataset, cell[1], cell[2])
			}
			row = append(row, cell[1])
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCSVHasTheNumbersOfThePage(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	f.commit(t, marketOn(turnBack.Add(1)))
	f.refresh(t)
	for dataset, path := range map[market.Dataset]string{
		market.DayAheadPrices: "/prix", market.FCRCapacity: "/capacite", market.AFRRCapacity: "/capacity", market.MFRRCapacity: "/capacite",
		market.AFRREnergy: "/energie", market.MFRREnergy: "/energy", market.ImbalancePrices: "/energy",
	} {
		for _, query := range []string{"?from=2026-10-25&to=2026-10-25", "?from=2026-10-25&to=2026-10-26"} {
			page := f.ask(t, "GET", path+query, admin).Body.String()
			link := regexp.MustCompile(`href="(/csv/fr/` + string(dataset) + `\?[^"]*)"`).FindStringSubmatch(page)
			if link == nil {
				t.Fatalf("%s%s has no link to the CSV of %s", path, query, dataset)
			}
			want := shownRows(t, page, string(dataset))
			for form, separator := range map[string]rune{"fr": ';', "en": ','} {
				target := strings.Replace(strings.ReplaceAll(link[1], "&amp;", "&"), "/fr/", "/"+form+"/", 1)
				w := f.ask(t, "GET", target, admin)
				reader := csv.NewReader(w.Body)
				reader.Comma = separator
				records, err := reader.ReadAll()
				must(t, err)
				if len(records) != len(want)+1 || len(want) == 0 {
					t.Fatalf("%s has %d rows, the page %d", target, len(records)-1, len(want))
				}
				numbers := len(want[0]) - 2
				for i, record := range records[1:] {
					got := record[len(record)-numbers:]
					for j := range got {
						if form == "fr" {
							got[j] = strings.Replace(got[j], ",", ".", 1)
						}
					}
					if !slices.Equal(got, want[i][2:]) || instantOf(t, record[2]) != want[i][0] || instantOf(t, record[3]) != want[i][1] {
						t.Fatalf("%s: row %d is %q, the page shows %q", target, i, record, want[i])
					}
				}
			}
		}
	}
}

// instantOf is RFC 3339 as seconds.
func instantOf(t *testing.T, text string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	must(t, err)
	return strconv.FormatInt(at.Unix(), 10)
}

// A date of which the 4 s steps were removed shows what it showed before, and says so.
func TestADateWithoutIts4sStepsIsShownInFiveMinutes(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	f.commit(t, marketOn(turnBack.Add(1)))
	f.refresh(t)
	const query = "?from=2026-10-25&to=2026-10-25"
	targets := []string{"/csv/fr/afrr-energy" + query, "/csv/en/afrr-energy" + query, "/api/afrr-energy", "/api/balancing-energy"}
	answers := func() (all []string) {
		for _, target := range targets {
			all = append(all, f.ask(t, "GET", target, admin).Body.String())
		}
		return append(all, fmt.Sprint(shownRows(t, f.ask(t, "GET", "/energie"+query, admin).Body.String(), "afrr-energy")))
	}
	notes := map[string]string{"fr": "ont été supprimés", "en": "For this date, only the 5 minute means are kept"}
	says := func(when string, query string, want bool) {
		t.Helper()
		for language, note := range notes {
			page := f.ask(t, "GET", "/energie"+query, admin, header("Accept-Language", language)).Body.String()
			if strings.Contains(page, note) != want {
				t.Errorf("%s: %s says it in %s: %t", when, query, language, !want)
			}
		}
	}
	before := answers()
	says("before", query, false)
	if thinned, err := f.store.ThinAFRR(t.Context(), turnBack.Add(1), turnBack.Add(2).Start()); err != nil || thinned != 1 {
		t.Fatalf("%d dates thinned, %v", thinned, err)
	}
	f.refresh(t)
	for i, answer := range answers() {
		if answer != before[i] {
			t.Errorf("answer %d has changed", i)
		}
	}
	says("after", query, true)
	says("after, the date that is kept", "?from=2026-10-26&to=2026-10-26", false)
}

func TestCSVDistinguishesTheRepeatedHours(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	w := f.ask(t, "GET", "/csv/fr/day-ahead-prices?from=2026-10-25", admin)
	lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\r\n"), "\r\n")
	if len(lines) != 101 {
		t.Fatalf("%d lines", len(lines))
	}
	for at, want := range map[int]string{
		0:  "delivery_date;start_paris;period_start_utc;period_end_utc;price_eur_mwh",
		1:  "2026-10-25;00:00;2026-10-24T22:00:00Z;2026-10-24T22:15:00Z;-20",
		10: "2026-10-25;02A:15;2026-10-25T00:15:00Z;2026-10-25T00:30:00Z;173,125",
		14: "2026-10-25;02B:15;2026-10-25T01:15:00Z;2026-10-25T01:30:00Z;201,125",
	} {
		if lines[at] != want {
			t.Errorf("line %d is %q, want %q", at, lines[at], want)
		}
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="day-ahead-prices_2026-10-25.csv"` {
		t.Errorf("Content-Disposition %q", got)
	}
}

func TestDatesThatCannotBeShownAreRefused(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	for query, want := range map[string]int{
		"":                               200,
		"?from=2026-10-25":               200,
		"?to=2026-10-25":                 200,
		"?from=2026-10-25&to=2026-11-24": 200, // 31 dates
		"?from=2026-10-25&to=2026-11-25": 400,
		"?from=2026-10-26&to=2026-10-25": 400,
		"?from=yesterday":                400,
		"?from=2026-02-30":               400,
		"?from=%27%20OR%201=1":           400,
	} {
		w := f.ask(t, "GET", "/csv/fr/fcr-capacity"+query, admin)
		if w.Code != want || want == 400 && problemOf(t, w).Code != "invalid_parameter" {
			t.Errorf("the CSV of %q answers %d, want %d: %s", query, w.Code, want, w.Body)
		}
		w = f.ask(t, "GET", "/capacite"+query, admin)
		if said := strings.Contains(w.Body.String(), `role="alert"`); w.Code != 200 || said != (want == 400) {
			t.Errorf("the page of %q answers %d and complains: %t", query, w.Code, said)
		}
	}
	if w := f.ask(t, "GET", "/csv/fr/afrr-energy?from=2026-10-24&to=2026-10-25", admin); w.Code != 400 {
		t.Errorf("two dates of 4 s steps answer %d", w.Code)
	}
	for _, target := range []string{"/csv/de/fcr-capacity", "/csv/fr/nothing"} {
		if w := f.ask(t, "GET", target, admin); w.Code != 404 {
			t.Errorf("%s answers %d", target, w.Code)
		}
	}
}

func TestPreviousAndNextLeadFromDateToDate(t *testing.T) {
	f := open(t)
	f.clock.Advance(turnBack.Add(1).Start().Sub(noon))
	f.commit(t, marketOn(turnBack))
	f.commit(t, marketOn(turnBack.Add(1)))
	f.refresh(t)
	admin := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	link := regexp.MustCompile(`rel="(prev|next)" href="([^"]*)"`)
	for query, want := range map[string][]string{
		"":                               {"prev ?from=2026-10-25&to=2026-10-25"},
		"?from=2026-10-25":               {"prev ?from=2026-10-24&to=2026-10-24", "next ?from=2026-10-26&to=2026-10-26"},
		"?from=2026-10-20&to=2026-10-24": {"prev ?from=2026-10-15&to=2026-10-19", "next ?from=2026-10-25&to=2026-10-29"},
	} {
		var got []string
		for _, match := range link.FindAllStringSubmatch(f.ask(t, "GET", "/prix"+query, admin).Body.String(), -1) {
			got = append(got, match[1]+" "+strings.ReplaceAll(match[2], "&amp;", "&"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %q one goes to %q, want %q", query, got, want)
		}
	}
}

func TestAPageExplainsWhyDataAreMissing(t *testing.T) {
	const locked, nothing, off = "requires an active subscription", "No data yet", "this feed is off"
	english := header("Accept-Language", "en")
	for _, test := range []struct {
		name   string
		stored bool
		state  report.State
		member bool
		path   string
		want   []string
		not    []string
	}{
		{"nothing stored", false, "late", false, "/", []string{nothing}, []string{locked, off}},
		{"nothing stored", false, "late", false, "/prix", []string{nothing}, []string{locked, off}},
		{"nothing stored, feeds off", false, "off", false, "/energie", []string{off, "credentials"}, []string{nothing}},
		{"feeds off, other dates", true, "off", false, "/prix?from=2026-01-01", []string{"No data for this date"}, []string{"credentials"}},
		{"feeds off, data there", true, "off", false, "/prix", []string{"no new data will arrive", "Last fetched on"}, []string{nothing}},
		{"stale", true, "stale", false, "/energie", []string{"No new data for more than a day", "Last fetched on"}, []string{nothing}},
		{"down", true, "down", false, "/capacite", []string{"The source does not answer", "<table"}, []string{nothing}},
		{"error", true, "error", false, "/energie", []string{"The latest fetch failed"}, []string{nothing}},
		{"late", true, "late", false, "/energie", []string{"is still missing"}, []string{nothing}},
		{"well", true, "ok", false, "/energie", []string{"<table"}, []string{"class=\"notice"}},
		{"no subscription", true, "ok", true, "/", []string{locked, `id="day-ahead-prices"`}, []string{`id="afrr-energy"`, nothing}},
		{"no subscription", true, "ok", true, "/capacite", []string{locked}, []string{"<table", "data-value"}},
		{"no subscription", true, "ok", true, "/energie", []string{locked}, []string{"<table", "data-value"}},
		{"no subscription", true, "ok", true, "/prix", []string{"<table"}, []string{locked}},
		{"other dates", true, "ok", false, "/prix?from=2026-01-01", []string{"No data for this date", "15\u00a0July\u00a02026"}, []string{"<table"}},
	} {
		t.Run(fmt.Sprintf("%s, %s", test.name, test.path), func(t *testing.T) {
			f := open(t, reporting(inState(test.state)))
			if test.stored {
				f.commit(t, marketOn(market.DeliveryDateOf(noon)))
			}
			f.refresh(t)
			role := store.Administrator
			if test.member {
				role = store.Member
			}
			page := f.ask(t, "GET", test.path, carrying(f.session(t, f.account(t, "anne@example.org", role))), english).Body.String()
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page does not hold %q: %s", want, page)
				}
			}
			for _, not := range test.not {
				if strings.Contains(page, not) {
					t.Errorf("the page holds %q", not)
				}
			}
		})
	}
}

func TestBeforeAllIsBuiltAPageIsUnavailable(t *testing.T) {
	f := open(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	for _, path := range []string{"/", "/prix", "/energie", "/etat"} {
		if w := f.ask(t, "GET", path, session); w.Code != 503 {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

func TestMarketPagesShowTheMeansOfEachDate(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	short := market.NewDeliveryDate(2026, time.March, 29)
	f.commit(t, marketOn(turnBack.Add(1)))
	f.commit(t, dayPrices(short, without(hourly(0), 20, 21, 57)))
	f.refresh(t)
	for _, row := range []struct {
		path      string
		want, not []string
	}{
		{"/capacity?from=2026-10-25", []string{
			"25 October 2026 has 25 hours: 02A is",
			// Hours are priced 0, 1/2, 1 ... 12, and one of the quarters of the third has no price.
			"Upward Prices, €/MW/h 6.05 values: 27 of 28 0.00 00:00 12.00 23:00", "Upward Procured volume, MW 512.00 500.00 00:00 524.00 23:00",
		}, []string{"has 23 hours"}},
		{"/capacity?from=2026-10-25&to=2026-10-26", []string{
			"Means by day Delivery date Symmetric €/MW/h Symmetric MW All dates 5.93 511.76 26 Oct 2026 5.80 23.75 h of 24 511.50 25 Oct 2026 6.05 24.75 h of 25 512.00",
		}, nil},
		{"/energy?from=2026-10-25&to=2026-10-26", []string{
			"Upward Prices, €/MWh 48.17 0.67 00:00 99.00 04:55 Downward Prices, €/MWh – values: 0 of 288", "26 Oct 2026 107.98 – 47.50 –", "Imbalance prices Status: provisional Period",
		}, nil},
		{"/prices?from=2026-10-25&to=2026-10-26", []string{
			"By day, in €/MWh Delivery date Mean Minimum Maximum Below zero All dates 106.26 −20.00 238.25 18 26 Oct 2026 106.85 −20.00 238.25 9 25 Oct 2026 105.69 −20.00 238.25 9",
		}, []string{"Without a price"}},
		{"/prices?from=2026-10-20&to=2026-10-26", []string{"All dates 2 days of 7 106.26 −20.00"}, nil},
		{"/prices?from=2026-03-29", []string{
			"29 March 2026 has 23 hours: there is no hour from 02:00 to 03:00.", "Without a price: 06:00–06:30, 15:15–15:30.",
		}, []string{"Over the day", "By day"}},
		{"/prices?from=2026-10-26", []string{"Hourly means, in €/MWh Hour Mean Minimum Maximum 00:00–01:00"}, []string{"hours:"}},
	} {
		page := f.ask(t, "GET", row.path, admin, header("Accept-Language", "en")).Body.String()
		holds(t, row.path, page, row.want, row.not)
	}
}

func TestAPageBeginsWithADateThatAllItsDatasetsHave(t *testing.T) {
	t.Parallel()
	f := open(t)
	today := market.DeliveryDateOf(noon)
	admin := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	check := func(when, want string) {
		t.Helper()
		f.refresh(t)
		page := f.ask(t, "GET", "/capacity", admin, header("Accept-Language", "en")).Body.String()
		if _, got, _ := strings.Cut(page, "<h1>"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: the page is about %.40s, want %s", when, got, want)
		}
	}
	sold := func(days int, datasets ...market.Dataset) {
		steps := market.Capacity.In(marketOn(today.Add(days)))
		f.commit(t, market.Capacity.Batch(slices.DeleteFunc(steps, func(s market.CapacityStep) bool { return !slices.Contains(datasets, s.Dataset) })))
	}
	check("nothing is stored", "Wednesday 15\u00a0July")
	sold(-2, market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity)
	check("an earlier date is stored", "Monday 13\u00a0July")
	sold(20, market.MFRRCapacity)
	check("one reserve is procured weeks ahead", "Wednesday 15\u00a0July")
	sold(1, market.FCRCapacity, market.AFRRCapacity)
	check("all of tomorrow's results are out", "Thursday 16\u00a0July")
}

func TestMarketPagesOfferRangesAndLeaveWrongDatesInTheForm(t *testing.T) {
	t.Parallel()
	f := open(t)
	today := market.DeliveryDateOf(noon)
	f.commit(t, dayPrices(today.Add(-60), hourly(0)))
	f.commit(t, dayPrices(today, hourly(0)))
	f.refresh(t)
	admin := carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator)))
	preset := regexp.MustCompile(`<li><a href="(\?from=[^"]*)"( aria-current="true")?>([^<]*)</a>`)
	field := regexp.MustCompile(`name="(?:from|to)" type="date" required value="([^"]*)"`)
	for query, want := range map[string]string{
		"": "7 days ?from=2026-07-09&to=2026-07-15, 30 days ?from=2026-06-16&to=2026-07-15, last month ?from=2026-06-01&to=2026-06-30, " +
			"2026-07-15, 2026-07-15",
		"?from=2026-06-01&to=2026-06-30": "7 days ?from=2026-07-09&to=2026-07-15, 30 days ?from=2026-06-16&to=2026-07-15, " +
			"last month ?from=2026-06-01&to=2026-06-30 chosen, 2026-06-01, 2026-06-30",
		"?from=2026-07-14&to=2026-07-01": "7 days ?from=2026-07-09&to=2026-07-15, 30 days ?from=2026-06-16&to=2026-07-15, " +
			"last month ?from=2026-06-01&to=2026-06-30, 2026-07-14, 2026-07-01",
		"?from=2026-02-30&to=2026-07-01": "7 days ?from=2026-07-09&to=2026-07-15, 30 days ?from=2026-06-16&to=2026-07-15, " +
			"last month ?from=2026-06-01&to=2026-06-30, , 2026-07-01",
	} {
		page := f.ask(t, "GET", "/prices"+query, admin, header("Accept-Language", "en")).Body.String()
		var got []string
		for _, link := range preset.FindAllStringSubmatch(page, -1) {
			words := link[3] + " " + html.UnescapeString(link[1])
			if link[2] != "" {
				words += " chosen"
			}
			got = append(got, words)
		}
		for _, value := range field.FindAllStringSubmatch(page, -1) {
			got = append(got, value[1])
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%q: %s\nwant %s", query, got, want)
		}
	}
}

func TestOldDatesAreNotCalledStale(t *testing.T) {
	f := open(t, reporting(inState("late")))
	today := market.DeliveryDateOf(noon)
	f.commit(t, marketOn(today.Add(-1)))
	f.commit(t, marketOn(today))
	f.refresh(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Administrator)))
	for query, stale := range map[string]bool{"": true, "?from=" + today.Add(-1).String() + "&to=" + today.String(): true, "?from=" + today.Add(-1).String() + "&to=" + today.Add(-1).String(): false} {
		page := f.ask(t, "GET", "/prix"+query, session, header("Accept-Language", "en")).Body.String()
		if !strings.Contains(page, "<table") || strings.Contains(page, "is still missing") != stale {
			t.Errorf("%q is called stale: %v, want %v", query, !stale, stale)
		}
	}
}

func TestAPageThatIsAskedForAgainShowsWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	ask := func() (price, source string) {
		page := f.ask(t, "GET", "/prices?from=2026-10-25", admin, header("Accept-Language", "en")).Body.String()
		_, source, _ = strings.Cut(page, `<p class="source">`)
		source, _, _ = strings.Cut(source, ", fetched")
		return shownRows(t, page, "day-ahead-prices")[5][2], source
	}
	check := func(when, price, source string) {
		t.Helper()
		for range 2 {
			if gotPrice, gotSource := ask(); gotPrice != price || gotSource != source {
				t.Errorf("%s: the page shows %s of %s, want %s of %s", when, gotPrice, gotSource, price, source)
			}
		}
	}
	check("at first", "145.125", "ENTSO-E")
	prices := market.Prices.In(marketOn(turnBack))
	prices[5].Price = market.Num(77.5)
	f.commit(t, market.Prices.Batch(prices))
	check("after a change", "77.5", "ENTSO-E")
	for i := range prices {
		prices[i].Source = market.FromRTE
	}
	f.commit(t, market.Prices.Batch(prices))
	check("confirmed", "77.5", "ENTSO-E, confirmed by RTE")
}

func TestAPageOfMeansThatIsAskedForAgainShowsWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t)
	check := func(when, want string) {
		t.Helper()
		for range 2 {
			page := f.ask(t, "GET", "/energy?from=2026-10-25", admin).Body.String()
			if got := shownRows(t, page, "afrr-energy")[1][2]; got != want {
				t.Errorf("%s: the page shows %s, want %s", when, got, want)
			}
		}
	}
	check("at first", "2.33") // 5/3 to 9/3
	step := market.AFRR.In(marketOn(turnBack))[5]
	step.UpwardPrice = market.Num(100)
	f.commit(t, market.AFRR.Batch([]market.AFRRStep{step}))
	check("after a change", "22")
}

func TestANoticeNamesItsCauseAndStandsOnlyOverItsDates(t *testing.T) {
	t.Parallel()
	const refused, unreached, missing = "refuses Courant’s credentials", "cannot reach the source", "is still missing"
	today := market.DeliveryDateOf(noon)
	oldGap := []report.Missing{{Date: today.Add(-25), Expected: 96, Reason: report.ReasonSourceError}}
	part := []report.Missing{{Date: today, Expected: 96, Received: 40, Reason: report.ReasonPartial}}
	next := []report.Missing{{Date: today.Add(1), Expected: 96, Reason: report.ReasonNotPublished}}
	for _, row := range []struct {
		name      string
		stored    bool
		state     report.State
		trouble   report.Trouble
		gaps      []report.Missing
		query     string
		want, not []string
	}{
		{"late for an old date, over today", true, "late", "", oldGap, "", nil, []string{missing, "class=\"notice"}},
		{"in error for an old date, over today", true, "error", "", oldGap, "", nil, []string{"class=\"notice"}},
		{"the old date itself", true, "late", "", oldGap, "?from=" + oldGap[0].Date.String(),
			[]string{"No data for this date", "the request to the source failed", `href="/status"`}, []string{missing}},
		{"today in part", true, "late", "", part, "", []string{missing, "partly published (40 of 96 periods)"}, nil},
		{"today in part, which the source does not complete", true, "ok", "", part, "", []string{"is incomplete", "40 of 96"}, []string{missing}},
		{"tomorrow due, over today", true, "late", "", next, "", []string{missing, "not published yet"}, nil},
		{"credentials refused, nothing stored", false, "late", "credentials", nil, "", []string{refused, `href="/status"`}, []string{"once it is published"}},
		{"source not reached, nothing stored", false, "down", "connection", nil, "", []string{unreached, `href="/status"`}, []string{"once it is published", refused}},
		{"nothing stored, no fault", false, "late", "", next, "", []string{"once it is published"}, []string{refused, unreached}},
		{"credentials refused, data there", true, "error", "credentials", oldGap, "", []string{refused, "<table"}, nil},
	} {
		f := open(t, reporting(func(ctx context.Context) (report.Report, error) {
			found, err := inState(row.state)(ctx)
			for i := range found.Datasets {
				found.Datasets[i].Trouble, found.Datasets[i].Missing = row.trouble, row.gaps
			}
			return found, err
		}))
		if row.stored {
			f.commit(t, marketOn(today))
		}
		f.refresh(t)
		session := carrying(f.session(t, f.account(t, "anne@example.org", store.Administrator)))
		page := f.ask(t, "GET", "/prices"+row.query, session, header("Accept-Language", "en")).Body.String()
		for _, want := range row.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not hold %q: %s", row.name, want, page)
			}
		}
		for _, not := range row.not {
			if strings.Contains(page, not) {
				t.Errorf("%s: the page holds %q", row.name, not)
			}
		}
	}
}
