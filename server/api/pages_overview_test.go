package api_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// wordsOf returns the text of the main part of a page without the rows of datasets, with one space between the texts of elements.
func wordsOf(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	page, _, _ = strings.Cut(page, "</main>")
	page = regexp.MustCompile(`(?s)<tr data-from.*?</tr>`).ReplaceAllString(page, "") // the rows behind charts
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString("<main"+page, " ")
	page = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(html.UnescapeString(page))
	return strings.Join(strings.Fields(page), " ")
}

// holds fails the test for each text that the page does not have, and for each one of those that it must not have.
func holds(t *testing.T, what, page string, want, not []string) {
	t.Helper()
	words := wordsOf(page)
	for _, text := range want {
		if !strings.Contains(words, text) {
			t.Errorf("%s: the page does not have %q:\n%s", what, text, words)
		}
	}
	for _, text := range not {
		if strings.Contains(words, text) {
			t.Errorf("%s: the page has %q:\n%s", what, text, words)
		}
	}
}

// dayPrices is the prices of a date, each that of the function; those that are null are left out.
func dayPrices(date market.DeliveryDate, price func(quarter int) market.Number) market.Batch {
	var prices []market.Price
	for i := range date.Steps(market.QuarterSeconds) {
		if p := price(i); p.Valid {
			start := date.Start().Unix() + int64(i)*market.QuarterSeconds
			prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: p})
		}
	}
	return market.Prices.Batch(prices)
}

// overviewAt is a server at an hour of a date, and what makes a request an administrator's in English.
func overviewAt(t *testing.T, date market.DeliveryDate, hour int) (*fixture, []func(*http.Request)) {
	t.Helper()
	f := open(t)
	f.clock.Advance(date.At(hour, 5).Sub(noon))
	return f, []func(*http.Request){carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator))), header("Accept-Language", "en")}
}

// hourly is a price that rises by 10 each hour from a first one.
func hourly(first float64) func(int) market.Number {
	return func(quarter int) market.Number { return market.Num(first + float64(quarter/4)*10) }
}

// without returns the prices of a date without those of some quarter hours.
func without(price func(int) market.Number, quarters ...int) func(int) market.Number {
	return func(quarter int) market.Number {
		if slices.Contains(quarters, quarter) {
			return market.Number{}
		}
		return price(quarter)
	}
}

func TestTheOverviewAnswersWhatThePriceIsNow(t *testing.T) {
	t.Parallel()
	short, long, plain := market.NewDeliveryDate(2026, time.March, 29), turnBack, market.DeliveryDateOf(noon)
	for _, row := range []struct {
		name      string
		date      market.DeliveryDate
		hour      int
		query     string
		stored    map[int]func(int) market.Number // by days from the date
		want, not []string
	}{
		{
			"the long day, tomorrow not published", long, 12, "", map[int]func(int) market.Number{-7: hourly(-100), -1: hourly(0), 0: hourly(-20)},
			[]string{
				"Sunday 25 October 2026 110.00 €/MWh Valid until 13:00 since 12:00 Next 120.00 €/MWh, +10.00 at 13:00",
				"Compared with the last 2 days above 66% of the quarter hours, median 65.00",
				"week before Today 25 October 2026 Mean 100.00 day before −15.00 week before +85.00 Minimum",
				"Tomorrow’s prices are not published yet: they usually are around 13:00.",
				"Upcoming from 12:15 127.50 12:15–16:15 205.00 20:00–00:00 Today −5.00 00:00–03:00 205.00 20:00–00:00 Balancing",
			}, nil,
		},
		{
			"both days once tomorrow is published", long, 13, "",
			map[int]func(int) market.Number{-7: hourly(-100), -1: hourly(0), 0: hourly(-20), 1: hourly(-15)},
			[]string{
				"Sunday 25 October 2026 120.00 €/MWh Valid until 14:00 since 13:00 Next 130.00 €/MWh, +10.00 at 14:00",
				"Today 25 October 2026 Tomorrow 26 October 2026 Mean 100.00 day before −15.00 week before +85.00 100.00 day before 0.00 week before –",
				"Minimum −20.00 at 00:00 day before −20.00 week before +80.00 −15.00 at 00:00 day before +5.00",
				"Maximum 220.00 at 23:00 day before −10.00 week before +90.00 215.00 at 23:00 day before −5.00",
				"Spread max − min 240.00 day before +10.00 week before +10.00 230.00 day before −10.00",
				"Negative quarter hours 8 of 100 00:00–02A:00 8 of 96 00:00–02:00",
				"Upcoming from 13:15 0.00 26 Oct 00:00–04:00 205.00 25 Oct 20:00–00:00",
				"Today −5.00 00:00–03:00 205.00 20:00–00:00 Tomorrow 0.00 00:00–04:00 200.00 20:00–00:00",
			}, []string{"prices are not published yet"},
		},
		{
			"the short day in hours that are spread out", short, 1, "?hours=1&apart=yes",
			map[int]func(int) market.Number{0: func(quarter int) market.Number { return market.Num(float64(quarter % 16)) }},
			[]string{
				"4.00 €/MWh Valid until 01:15 since 01:00 Next 5.00 €/MWh, +1.00 at 01:15",
				"Today 0.00 00:00–00:15 05:00–05:15 09:00–09:15 13:00–13:15 15.00 04:45–05:00 08:45–09:00 12:45–13:00 16:45–17:00",
			}, nil,
		},
		{
			"a date with unknown quarter hours", plain, 14, "?hours=8",
			map[int]func(int) market.Number{-1: hourly(0), 0: without(hourly(0), 20, 57)},
			[]string{
				"140.00 €/MWh Valid until 14:15 since 14:00 Next not published yet Compared with the one earlier day stored above",
				"Today 15 July 2026 94 quarter hours of 96 Mean 115.43 day before – week before –",
				"Today 94 quarter hours of 96 87.50 05:15–13:15 195.00 16:00–00:00",
			}, nil,
		},
		{
			"blocks that hold an unknown quarter hour", plain, 14, "?hours=8",
			map[int]func(int) market.Number{0: without(hourly(0), 30, 60, 90)},
			[]string{"Upcoming from 14:15 37 quarter hours of 39 – – Today 93 quarter hours of 96 – –"}, nil,
		},
		{
			"the quarter hour itself is unknown", plain, 14, "", map[int]func(int) market.Number{0: without(hourly(0), 56)},
			[]string{"The price of this quarter hour is not available."}, []string{"Valid until"},
		},
		{
			"only an earlier date is stored", plain, 14, "", map[int]func(int) market.Number{-2: hourly(10)},
			[]string{"Monday 13 July 2026 Day-ahead", "Monday 13 July 2026 In €/MWh", "week before 13 July 2026 Mean 125.00", "13 July 2026 25.00 00:00–04:00 225.00 20:00–00:00"},
			[]string{"Valid until", "Upcoming", "Today 25", "prices are not published yet"},
		},
		{"nothing is stored", plain, 14, "", nil, []string{"Wednesday 15 July 2026 No data yet."}, []string{"Valid until", "Mean", "Cheapest"}},
	} {
		f, english := overviewAt(t, row.date, row.hour)
		for days, price := range row.stored {
			f.commit(t, dayPrices(row.date.Add(days), price))
		}
		f.refresh(t)
		page := f.ask(t, "GET", "/"+row.query, english...).Body.String()
		holds(t, row.name, page, row.want, row.not)
		if until := fmt.Sprintf(`data-until="%d"`, row.date.At(row.hour, 15).Unix()); !strings.Contains(page, until) {
			t.Errorf("%s: the page does not have %s, when it is out of date", row.name, until)
		}
	}
}

func TestTheChoiceOfBlocksIsKeptInTheAddress(t *testing.T) {
	t.Parallel()
	f, english := overviewAt(t, turnBack, 12)
	f.commit(t, dayPrices(turnBack, hourly(0)))
	f.refresh(t)
	for query, want := range map[string][]string{
		"":                               {`"/"`, `href="/#blocks" aria-current="true">4`, `href="/?apart=yes#blocks"`},
		"?hours=4":                       {`"/"`, `href="/#blocks" aria-current="true">4`},
		"?hours=8&apart=yes":             {`"/?apart=yes&amp;hours=8"`, `href="/?apart=yes&amp;hours=8#blocks" aria-current="true">8`, `href="/?hours=8#blocks">consecutive`},
		"?hours=3&apart=%3Cscript%3E&x=": {`"/"`, `href="/#blocks" aria-current="true">4`},
	} {
		page := f.ask(t, "GET", "/"+query, english...).Body.String()
		for i, text := range want {
			if i == 0 {
				text = `name="next" value=` + text
			}
			if !strings.Contains(page, text) {
				t.Errorf("%q: the page does not have %s", query, text)
			}
		}
	}
}

func TestTheOverviewShowsTomorrowsCapacityBesideTodays(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) {
		o.Auth = auth.New(auth.Options{Store: o.Store, Clock: o.Clock, Offers: []auth.Offer{{ID: "reserve", Datasets: []market.Dataset{market.AFRRCapacity, market.MFRRCapacity}}}, Hashing: cheap})
	})
	account := f.account(t, "anne@example.org", store.Member)
	must(t, f.store.SetSubscription(t.Context(), store.Note{}, account.Email, store.Subscription{Offer: "reserve", Start: noon}))
	session := carrying(f.session(t, account))
	today := market.DeliveryDateOf(noon)
	only := func(date market.DeliveryDate, keep func(market.CapacityStep) bool) market.Batch {
		return market.Capacity.Batch(slices.DeleteFunc(market.Capacity.In(marketOn(date)), func(step market.CapacityStep) bool { return !keep(step) }))
	}
	check := func(when string, want, not []string) {
		t.Helper()
		f.refresh(t)
		page := f.ask(t, "GET", "/", session, header("Accept-Language", "en")).Body.String()
		_, page, _ = strings.Cut(page, "<h2>Balancing capacity")
		holds(t, when, "<main>"+page, want, not)
	}
	f.commit(t, marketOn(today))
	// At 14:00 the quarters are priced 14/8, and four of them make an hour. One quarter of the day has no price.
	today14 := []string{
		"Reserve 14:00–15:00 Today mean", "FCR symmetric subscription required",
		"aFRR upward 7.00 514 MW 5.80 23.75 h of 24 aFRR downward 7.00 514 MW 5.80", "mFRR downward 7.00 514 MW 5.80",
	}
	check("before tomorrow's results", append(today14, "results are not published yet"), []string{"Tomorrow mean"})
	f.commit(t, only(today.Add(1), func(step market.CapacityStep) bool { return step.TimeHorizon != market.DailyHorizon }))
	check("with what is sold weeks ahead", append(today14, "results are not published yet"), []string{"Tomorrow mean"})
	f.commit(t, only(today.Add(1), func(step market.CapacityStep) bool { return step.Dataset == market.AFRRCapacity }))
	check("with one of tomorrow's results", []string{
		"Reserve 14:00–15:00 Today mean Tomorrow mean", "aFRR upward 7.00 514 MW 5.80 23.75 h of 24 5.80 23.75 h of 24", "mFRR upward 7.00 514 MW 5.80 23.75 h of 24 – mFRR",
	}, []string{"not published yet"})
}

func TestTheOverviewTellsTheProductsOfAReserveApart(t *testing.T) {
	t.Parallel()
	f, english := overviewAt(t, turnBack, 14)
	steps := market.Capacity.In(marketOn(turnBack))
	for i := range steps {
		steps[i].Product = "SPE0"
		steps[i].Price = market.Num(2)
	}
	f.commit(t, market.Capacity.Batch(steps))
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	holds(t, "two products", f.ask(t, "GET", "/", english...).Body.String(), []string{
		"mFRR upward SPE0 8.00 515 MW 8.00 mFRR upward STD 7.50 515 MW 6.05 24.75 h of 25 mFRR downward SPE0",
	}, nil)
}

func TestTheOverviewShowsTheLastHoursOfTheEnergies(t *testing.T) {
	t.Parallel()
	newest := turnBack.At(5, 38) // 6 h 38 min into the long day
	f := open(t, reporting(func(ctx context.Context) (report.Report, error) {
		found, err := inState("ok")(ctx)
		for i := range found.Datasets {
			found.Datasets[i].NewestPeriodEnd = report.InstantOf(newest)
		}
		return found, err
	}))
	f.clock.Advance(newest.Sub(noon))
	f.commit(t, marketOn(turnBack.Add(-1)))
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	page := f.ask(t, "GET", "/", carrying(f.session(t, f.account(t, "boris@example.org", store.Administrator))), header("Accept-Language", "en")).Body.String()
	holds(t, "the last hours", page, []string{
		"mFRR energy 25 October 2026, last 12 hours, clearing prices by quarter hour", "Upward Prices, €/MWh 05:30–05:45 162.25 96.69 Downward Prices, €/MWh – –",
		"aFRR energy 25 October 2026, last 12 hours, 5 min means", "System demand MW 05:40–05:45 52.00 −20.64",
		"Positive imbalance Prices, €/MWh 05:30–05:45 162.25 96.69 Negative imbalance Prices, €/MWh 05:30–05:45 26.25 44.75", "System imbalance MWh 05:30–05:45 −4.00 −11.75",
		"Negative quarter hours 9 of 100 00:00–00:15 00:30–00:45 03:45–04:00 and 6 more",
	}, nil)
	for dataset, want := range map[string]int{"afrr-energy": 144, "mfrr-energy": 48, "imbalance-prices": 48} {
		rows := shownRows(t, page, dataset)
		if got := len(rows); got != want || rows[0][0] != fmt.Sprint(turnBack.At(5, 45).Add(-12*time.Hour).Unix()) {
			t.Errorf("%s: %d rows from %s on, want %d", dataset, got, rows[0][0], want)
		}
	}
}

func TestInABrowserTheOverviewFitsBothWidthsOnTheLongAndTheShortDay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		date           market.DeliveryDate
		periods, hours string
	}{
		{turnBack, "196", "02A 02B"},
		{market.NewDeliveryDate(2026, time.March, 29), "188", "29 mars 12 30 mars"},
	} {
		f := open(t)
		f.clock.Advance(row.date.At(13, 5).Sub(noon))
		f.commit(t, marketOn(row.date))
		f.commit(t, marketOn(row.date.Add(1)))
		f.refresh(t)
		b := openAs(t, f, store.Administrator, "fr")
		b.do(chromedp.EmulateViewport(390, 900))
		b.open("/?hours=8")
		const width = `document.documentElement.scrollWidth`
		b.is(width, "390")
		b.is(`document.querySelector('.price').getBoundingClientRect().bottom < 450`, "true")
		b.is(plot+`.getAttribute('aria-valuemax')`, row.periods)
		hours := b.text(`[...document.querySelector('.plot').querySelectorAll('.time')].map(label => label.textContent).join(' ')`)
		if !strings.Contains(hours, row.hours) || strings.Contains(hours, "02 ") {
			t.Errorf("%s: the hours are %s", row.date, hours)
		}
		b.is(`[...document.querySelectorAll('.choices [aria-current]')].map(a => a.textContent).join(' ')`, "8\u00a0h consécutives")
		b.follow(chromedp.Click(chromedp.CSS(`.choices a[href="/?apart=yes&hours=8#blocks"]`)))
		b.is(`location.search + location.hash`, "?apart=yes&hours=8#blocks")
		b.do(chromedp.EmulateViewport(1440, 900))
		b.is(width, "1440")

		// Once the quarter hour is over, the page shows the next one.
		next := b.text(`document.querySelector('.date').dataset.until`)
		f.clock.Advance(15 * time.Minute)
		b.text(`(() => { document.querySelector('.date').dataset.until = 0; document.dispatchEvent(new Event('visibilitychange')); })()`)
		run(b, chromedp.Poll[bool](`document.querySelector('.date').dataset.until == `+next+` + 900`))
		b.calm("/")
	}
}

func TestInABrowserTablesFitAPhoneAndUseTheWidth(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	b := openAs(t, f, store.Administrator, "en")
	b.do(chromedp.EmulateViewport(390, 900))
	b.open("/capacity?from=2026-10-25")
	b.is(`document.documentElement.scrollWidth`, "390")
	// The menu shows that it goes on, until it is at its end.
	const goesOn = `getComputedStyle(document.querySelector('nav'), '::after').opacity`
	b.is(goesOn, "1")
	b.text(`document.querySelector('nav ul').scrollLeft = 10000`)
	run(b, chromedp.Poll[bool](goesOn+` === '0'`))
	// The price of each reserve is beside its period, and the date controls are in one row.
	b.is(`[...document.querySelectorAll('.tall')].map(box => box.querySelector('td.number').getBoundingClientRect().right <= 390).join(' ')`, "true true true")
	b.is(`new Set([...document.querySelectorAll('.dates input, .dates button')].map(e => e.getBoundingClientRect().bottom)).size`, "1")

	const box = `document.querySelector('#afrr-capacity').closest('.tall')`
	const inSight = box + `.classList.contains('cut') + ' ' + ` + box + `.nextElementSibling.textContent.replace(/to \d+/, 'to N')`
	b.is(inSight, "true Rows 1 to N of 56")
	run(b, chromedp.Evaluate[float64](box+`.scrollTop = 10000`))
	run(b, chromedp.Poll[bool](`!`+box+`.classList.contains('cut')`))
	b.is(box+`.nextElementSibling.textContent.endsWith(' to 56 of 56')`, "true")

	b.do(chromedp.EmulateViewport(1440, 900))
	b.is(`document.querySelector('#afrr-capacity').offsetWidth > 1200`, "true")
	b.calm("/capacity")
}
