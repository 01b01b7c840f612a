package web_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/store/market"
	"courant/store/market/analysis"
	"courant/web"
)

// day is the delivery date of what the pages show: the clock goes back on it.
var day = market.NewDeliveryDate(2026, 10, 25)

// sheet is what a page shows of a dataset: two periods in two series, one of them without a value.
func sheet(dataset market.Dataset, word string) web.Sheet {
	start := day.Start().Unix()
	first, second := market.Period{Start: start, End: start + 900}, market.Period{Start: start + 900, End: start + 1800}
	figures := web.Figures{Values: 1, Periods: 2, Mean: market.Num(-1234.5), Least: market.Num(-1234.5), Most: market.Num(-1234.5), LeastAt: first, MostAt: first, Negative: 1}
	return web.Sheet{
		Dataset: dataset, First: day, Last: day, Feed: feed(dataset, "late"), Absence: web.AbsenceStale, OneDateOnly: true, Folded: true,
		CSV: web.Text{FR: "/csv/fr/x?from=2026-10-25&to=2026-10-25", EN: "/csv/en/x?from=2026-10-25&to=2026-10-25"},
		Table: web.Table{
			ID: string(dataset), Caption: web.Text{FR: "Légende", EN: "Caption"},
			Words:   []web.Column{{Name: "direction", Label: web.Text{FR: "Sens", EN: "Direction"}}},
			Columns: []web.Column{{Name: "price", Label: web.Text{FR: "Prix", EN: "Price"}, Unit: "€/MWh", Decimals: 2}},
			Rows: []web.Row{
				{Period: first, Series: word, Words: []string{word}, Numbers: []market.Number{market.Num(-1234.5)}},
				{Period: second, Series: word, Words: []string{word}, Numbers: []market.Number{{}}},
			},
		},
		Charts: []web.Chart{{
			Name: web.Text{FR: "Prix", EN: "Prices"}, TableID: string(dataset), Period: day.Period(), Now: start, Unit: "€/MWh", Large: true,
			Series: []web.Series{
				{Key: word + "-price", Label: web.Text{FR: "Hausse", EN: "Upward"}, Figures: figures},
				{Key: "none", Label: web.Text{FR: "Baisse", EN: "Downward"}, Figures: web.Figures{Periods: 2}},
			},
		}},
	}
}

func feed(dataset market.Dataset, state report.State) web.Feed {
	at := day.Start().Add(90 * time.Minute)
	return web.Feed{
		Dataset: dataset, Source: "RTE", State: state, First: day.Add(-3), Last: day, NewestEnd: day.End(), ReadAt: at, ChangedAt: at, NextRunAt: at,
		Gaps: []report.Missing{{Date: day.Add(-1), Expected: 96, Received: 4, Reason: "partial"}, {Date: day.Add(-2), Expected: 96, Reason: "not_published"}},
	}
}

func feeds(word string) web.Feeds {
	all := web.Feeds{At: day.Start()}
	for i, state := range []report.State{"ok", "late", "stale", "down", "off", "ok"} {
		all.All = append(all.All, feed(market.Datasets()[i], state))
	}
	all.All[1].Error = word
	all.Corrections = []report.Correction{{Dataset: market.DayAheadPrices, Date: day, Values: 3, SeenAt: report.Instant(day.Start())}}
	all.Clock = &report.Clock{AheadSeconds: -7200, Host: word, Wrong: true}
	return all
}

// status is the page of the feeds' state with one date that waits, and what would be stored of it.
func status(word string) web.Status {
	waiting := web.Waiting{ID: 7, Dataset: market.DayAheadPrices, Date: day, Kind: market.WaitsRefused, Reason: word, Seen: day.Start()}
	return web.Status{
		Feeds: feeds(word), Dates: market.Dates(day.Add(-30), day.Add(5)), Waiting: []web.Waiting{waiting},
		Proposal: &web.Proposal{Waiting: waiting, Rows: 2, First: day.Start(), Last: day.Start(), Values: []web.ProposedColumn{{Name: word, Min: market.Num(-1), Max: market.Num(1)}}},
	}
}

// overview is the start page of a day with an unknown quarter hour and negative prices, and of the next one, which is unknown.
func overview(word string) web.Overview {
	first := market.Period{Start: day.Start().Unix(), End: day.Start().Unix() + 900}
	hour := market.Period{Start: first.Start, End: first.Start + 3600}
	line := market.NewPriceLine(day.Period())
	line.Set(first, market.Num(-1234.5))
	line.Set(market.Period{Start: hour.End, End: day.End().Unix()}, market.Num(7))
	block, _ := line.Quarters(4, false)
	now, next := line.HoldAt(first.Start)
	return web.Overview{
		Date: day, IsToday: true, Price: now, Next: next, Rank: line.RankOf(now.Price), RankDates: 30, Median: line.Median(),
		Days: []web.PriceDay{{Date: day, DayFigures: line.Figures()}, {Date: day.Add(1), DayFigures: market.DayFigures{Expected: 96}, DayBefore: line.Figures()}},
		Blocks: web.Blocks{
			Hours: 1, Apart: true, Lengths: []web.Choice{{Label: web.Text{FR: "1 h", EN: "1 h"}, Address: "/?hours=1&apart=yes", Chosen: true}},
			Lines: []web.BlockLine{{From: first, Known: 96, Expected: 100, Cheapest: block, Dearest: block}, {Date: day, Known: 96, Expected: 100, Cheapest: block}},
		},
		Prices: sheet(market.DayAheadPrices, word),
		Energies: []web.Recent{
			{Sheet: sheet(market.AFRREnergy, word), All: sheet(market.AFRREnergy, word).Series()},
			{Sheet: sheet(market.MFRREnergy, word)},
		},
		Capacity: []web.CapacityLine{
			{Reserve: "FCR", Direction: word, Price: market.Num(7.14), Days: []web.CapacityDay{{DayMean: web.DayMean{Mean: market.Num(1.5), Known: 23 * 3600, Whole: 25 * 3600}, Prices: []market.Number{market.Num(1), {}, market.Num(2)}}, {}}},
			{Reserve: "aFRR", Locked: true},
		},
		CapacityDates: []market.DeliveryDate{day, day.Add(1)}, CapacityNow: hour, Feeds: feeds(word),
	}
}

// marketPages renders the pages of the market in each of their states.
func marketPages(r rendering, p *web.Pages, language web.Language) {
	member := web.Visit{Language: language, Path: "/", Email: "anne@example.org"}
	attacked := web.Visit{Language: language, Path: "/?" + hostile, Email: hostile, Admin: true}
	r.keep("overview without data")(p.Overview(member, web.Overview{Date: day, CapacityNotice: web.Sheet{Absence: web.AbsenceNothing}}))
	for name, visit := range map[string]web.Visit{"overview": member, "overview under attack": attacked} {
		word := "UPWARD"
		if visit == attacked {
			word = hostile
		}
		r.keep(name)(p.Overview(visit, overview(word)))
		r.keep("market, " + name)(p.Market(visit, web.Market{
			Title: web.Text{FR: "Prix", EN: "Prices"}, Path: web.Text{FR: "/prix", EN: "/prices"}, First: day, Last: day, Before: "?from=2026-10-24", After: "?from=2026-10-26",
			InvalidDates: true, MostDates: 31, Sheets: []web.Sheet{sheet(market.AFRREnergy, word), sheet(market.MFRREnergy, word)},
		}))
		r.keep("explore, " + name)(p.Explore(visit, explored(word)))
		r.keep("status, " + name)(p.Status(visit, status(word)))
		documented := []web.Documented{{Route: web.Reference()[0], Example: "{\n}", Live: true, Address: "/api/datasets"}}
		for _, route := range web.Reference() {
			if route.Body != nil && route.Path != documented[0].Path {
				documented = append(documented, web.Documented{Route: route, Example: word})
			}
		}
		r.keep("docs, " + name)(p.Docs(visit, web.Docs{Site: web.Site{PublicURL: word, Contact: word}, Endpoints: documented, Described: []web.Documented{{Route: web.WebhookRoutes(nil, nil, nil)[1]}}, Rows: web.Documented{Route: web.RowsRoute(market.DayAheadPrices, nil, nil), Example: word, Live: true, Address: "/api/datasets"}}))
		r.keep("problem, " + name)(p.Problem(visit, web.Problems()[0]))
		r.keep("failure, " + name)(p.Failure(visit, web.Failure{Problem: web.Problems()[0], RequestID: word}))
	}
	r.keep("status of nothing")(p.Status(member, web.Status{Dates: []market.DeliveryDate{day}}))
	for _, absence := range []web.Absence{web.AbsenceLocked, web.AbsenceOff, web.AbsenceNothing, web.AbsenceDates, web.AbsenceStale} {
		for _, state := range []report.State{"late", "stale", "error", "down", "off"} {
			bare := web.Sheet{Dataset: market.DayAheadPrices, First: day, Last: day.Add(1), Absence: absence, Feed: feed(market.DayAheadPrices, state)}
			r.keep("market, " + string(absence) + ", " + string(state))(p.Market(member, web.Market{Title: web.Text{FR: "Prix", EN: "Prices"}, Path: web.Text{FR: "/prix", EN: "/prices"}, First: day, Last: day.Add(1), Sheets: []web.Sheet{bare}}))
		}
	}
}

// explored is a view of the page for exploring with a word of the source in its series.
func explored(word string) web.Explore {
	steps := []analysis.Step{analysis.StepOf(day.Period(), market.Num(-1234.5))}
	days := analysis.Days(steps, market.QuarterSeconds, day, day)
	label := web.Text{FR: "Prix, " + word, EN: "Price, " + word}
	rows := web.RowsPath(market.FCRCapacity) + "?format="
	chart := web.Chart{
		Name: label, Period: day.Period(), Unit: "€/MWh", Saves: true, Source: web.Text{FR: "Source : " + word, EN: "Source: " + word},
		Series: []web.Series{
			{Key: word, Label: label, Runs: web.Runs(steps), Rows: "/api/datasets/fcr-capacity/rows?product=" + url.QueryEscape(word), Step: 900, Style: "s0"},
			{Key: word + ":before", Label: label, Runs: web.Runs(steps), Style: "s0 before", Before: 7},
		},
	}
	return web.Explore{
		Path: web.PageExplore.Path, First: day, Last: day, InvalidAddress: true, MostSeries: 8, NothingBefore: true,
		Groups: []web.SeriesGroup{
			{Dataset: market.FCRCapacity, Series: []web.SeriesChoice{{ID: "fcr-capacity:" + word, Label: label, Chosen: true}}},
			{Dataset: market.AFRREnergy, Locked: true}, {Dataset: market.MFRREnergy},
		},
		Presets: []web.Choice{{Value: "7d", Label: web.Text{FR: "7 jours", EN: "7 days"}, Address: "?range=7d&s=" + url.QueryEscape(word), Chosen: true}},
		Befores: []web.Choice{{Value: "day", Label: web.Text{FR: "veille", EN: "day before"}, Chosen: true}},
		Notices: []web.Sheet{{Dataset: market.AFRREnergy, Absence: web.AbsenceLocked}},
		Charts:  []web.Chart{chart},
		Files:   []web.SeriesFiles{{Dataset: market.FCRCapacity, CSV: rows + "csv", XLSX: rows + "xlsx", Parquet: rows + "parquet"}},
		Analysis: &web.Analysis{
			Name: label, Unit: "€/MWh", Decimals: 2, Choices: []web.Choice{{Label: label, Address: "?of=a"}, {Label: label, Address: "?of=b", Chosen: true}},
			Step: market.BucketsHour, Whole: analysis.All(days), Days: days, Months: append(analysis.Months(days), analysis.Months(days)...), Charts: []web.Chart{chart},
			Heat: &web.HeatMap{Days: 1, Unit: "€/MWh", Columns: analysis.Columns(steps, day, day, 1)},
		},
	}
}

func TestValuesForTheScriptAreRunsWithoutGaps(t *testing.T) {
	t.Parallel()
	quarter := func(start int64, n market.Number) analysis.Step {
		return analysis.StepOf(market.Period{Start: start, End: start + 900}, n)
	}
	hour := analysis.Step{Period: market.Period{Start: 5400, End: 9000}, Sum: market.MicroOf(10), Count: 3}
	got := web.Runs([]analysis.Step{
		quarter(0, market.Num(-1.5)), quarter(900, market.Number{}), quarter(1800, market.Num(0.000001)), quarter(4500, market.Num(7)), hour,
	})
	if want := "0,900,-1.5,,0.000001;4500,900,7;5400,3600,3.33"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if none := web.Runs(nil); none != "" {
		t.Errorf("of nothing: %q", none)
	}
	heat := web.HeatMap{Columns: []analysis.Column{{First: day, Hours: []market.Number{market.Num(1), {}}}, {First: day.Add(1), Hours: []market.Number{market.Num(-2)}}}}
	if want := fmt.Sprintf("%d,1,;%d,-2", day.Start().Unix(), day.Add(1).Start().Unix()); heat.Text() != want {
		t.Errorf("%s, want %s", heat.Text(), want)
	}
}

func TestATableShowsNumbersAsTheLanguageWritesThem(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[web.Language][]string{
		web.French:  {`<td class="number" data-value="-1234.5">` + "−1\u202f234,50</td>", `<td class="number">–</td>`, "<br>Sens\u00a0: hausse</caption>"},
		web.English: {`<td class="number" data-value="-1234.5">−1,234.50</td>`, `<td class="number">–</td>`, "<br>Direction: upward</caption>"},
	} {
		page, err := p.Market(web.Visit{Language: language, Path: "/prix", Email: "a@example.org"}, web.Market{First: day, Last: day, Sheets: []web.Sheet{sheet(market.DayAheadPrices, "UPWARD")}})
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range want {
			if !strings.Contains(string(page), cell) {
				t.Errorf("in %s the table does not hold %q", language, cell)
			}
		}
	}
}

func TestATableAlignsItsNumbersAndLeavesOutWhatIsTheSameInAllRows(t *testing.T) {
	t.Parallel()
	start := day.Start().Unix()
	row := func(series string, words []string, numbers ...market.Number) web.Row {
		return web.Row{Period: market.Period{Start: start, End: start + 900}, Series: series, Words: words, Numbers: numbers}
	}
	column := func(name string, decimals int) web.Column {
		return web.Column{Name: name, Label: web.Text{FR: name, EN: name}, Decimals: decimals}
	}
	words := []web.Column{column("direction", 0), column("horizon", 0), column("remark", 0)}
	cells := regexp.MustCompile(`<t[dh][^>]*>(?:<time[^>]*>)?([^<]*)`)
	for _, test := range []struct {
		name    string
		rows    []web.Row
		caption string
		want    []string // the header, then the rows
	}{
		{
			"several rows a period",
			[]web.Row{
				row("up", []string{"UPWARD", "DAILY", ""}, market.Num(9.4696), market.Num(182.2), market.Num(5)),
				row("down", []string{"DOWNWARD", "DAILY", ""}, market.Num(-0.004), market.Num(1143.57), market.Number{}),
			},
			"Prices<br>horizon: daily",
			[]string{"Period direction a b c", "00:00–00:15 upward 9.47 182.20 5", "00:00–00:15 downward 0.00 1,143.57 –"},
		},
		{
			"one row a period",
			[]web.Row{
				row("", []string{"UPWARD", "DAILY", "x"}, market.Num(1), market.Num(0.5), market.Num(-2.125)),
				row("", []string{"DOWNWARD", "DAILY", ""}, market.Num(2.5), market.Num(3), market.Num(4)),
			},
			"Prices<br>horizon: daily",
			[]string{"Period a b c direction remark", "00:00–00:15 1.00 0.5 −2.13 upward x", "00:00–00:15 2.50 3.0 4.00 downward"},
		},
	} {
		table := web.Table{
			ID: "x", Caption: web.Text{FR: "Prix", EN: "Prices"}, Words: words, Columns: []web.Column{column("a", 2), column("b", 0), column("c", 0)}, Rows: test.rows,
		}
		p, err := web.New(false)
		if err != nil {
			t.Fatal(err)
		}
		page, err := p.Market(web.Visit{Language: web.English, Path: "/prices"}, web.Market{First: day, Last: day, Sheets: []web.Sheet{{Dataset: market.DayAheadPrices, Table: table}}})
		if err != nil {
			t.Fatal(err)
		}
		_, shown, _ := strings.Cut(string(page), `<table id="x">`)
		shown, _, _ = strings.Cut(shown, "</table>")
		if !strings.Contains(shown, "<caption>"+test.caption+"</caption>") {
			t.Errorf("%s: the caption is not %q: %s", test.name, test.caption, shown)
		}
		for i, line := range strings.Split(shown, "<tr")[1:] {
			var texts []string
			for _, cell := range cells.FindAllStringSubmatch(line, -1) {
				texts = append(texts, cell[1])
			}
			if got := strings.TrimSpace(strings.Join(texts, " ")); got != test.want[i] {
				t.Errorf("%s: line %d is %q, want %q", test.name, i, got, test.want[i])
			}
		}
	}
}

func TestATableOfSeveralDatesShowsTheDateOfEachPeriod(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	for long, want := range map[bool]string{false: ">00:00–00:15</time>", true: ">25/10\u00a000:00–00:15</time>"} {
		shown := sheet(market.DayAheadPrices, "UPWARD")
		shown.Table.Long = long
		page, err := p.Market(web.Visit{Language: web.French}, web.Market{First: day, Last: day.Add(1), Sheets: []web.Sheet{shown}})
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("over several dates %t: error %v; no %q", long, err, want)
		}
	}
}

func TestAChartIsSummedUpInWords(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[web.Language]string{
		web.French:  "Hausse\u00a0: périodes renseignées\u00a0: 1 sur 2\u202f; de −1\u202f234,5\u00a0€/MWh (00:00–00:15) à −1\u202f234,5\u00a0€/MWh (00:00–00:15), moyenne −1\u202f234,5\u00a0€/MWh. Baisse\u00a0: aucune valeur.",
		web.English: "Upward: periods with a value: 1 of 2; from −1,234.5\u00a0€/MWh (00:00–00:15) to −1,234.5\u00a0€/MWh (00:00–00:15), mean −1,234.5\u00a0€/MWh. Downward: no value.",
	} {
		page, err := p.Market(web.Visit{Language: language}, web.Market{First: day, Last: day, Sheets: []web.Sheet{sheet(market.DayAheadPrices, "UPWARD")}})
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("in %s, error %v; no %q", language, err, want)
		}
	}
}

func TestCSVHasTheFormOfItsLanguage(t *testing.T) {
	t.Parallel()
	table := sheet(market.DayAheadPrices, "UPWARD").Table
	for language, want := range map[web.Language]string{
		web.French: "delivery_date;start_paris;period_start_utc;period_end_utc;direction;price\r\n" +
			"2026-10-25;00:00;2026-10-24T22:00:00Z;2026-10-24T22:15:00Z;UPWARD;-1234,5\r\n2026-10-25;00:15;2026-10-24T22:15:00Z;2026-10-24T22:30:00Z;UPWARD;\r\n",
		web.English: "delivery_date,start_paris,period_start_utc,period_end_utc,direction,price\r\n" +
			"2026-10-25,00:00,2026-10-24T22:00:00Z,2026-10-24T22:15:00Z,UPWARD,-1234.5\r\n2026-10-25,00:15,2026-10-24T22:15:00Z,2026-10-24T22:30:00Z,UPWARD,\r\n",
	} {
		if got := string(table.CSV(language)); got != want {
			t.Errorf("in %s the CSV is %q, want %q", language, got, want)
		}
	}
}

func TestATextOfASourceIsNotAFormulaInCSV(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"DAILY": "DAILY", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "": ""} {
		table := sheet(market.DayAheadPrices, word).Table
		if got := strings.Split(strings.Split(string(table.CSV(web.English)), "\r\n")[1], ",")[4]; got != want {
			t.Errorf("%q is written as %q, want %q", word, got, want)
		}
	}
}

func TestClockTimesDistinguishTheRepeatedHours(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ at, want string }{
		{"2026-10-24T22:00:00Z", "00:00"}, {"2026-10-24T23:45:00Z", "01:45"}, {"2026-10-25T00:00:00Z", "02A:00"}, {"2026-10-25T00:59:56Z", "02A:59"},
		{"2026-10-25T01:00:00Z", "02B:00"}, {"2026-10-25T02:00:00Z", "03:00"}, {"2026-03-29T00:59:00Z", "01:59"}, {"2026-03-29T01:00:00Z", "03:00"},
		{"2026-07-15T22:30:00Z", "00:30"},
	} {
		instant, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := web.Clock(instant.Unix()); got != test.want {
			t.Errorf("%s is shown as %s, want %s", test.at, got, test.want)
		}
	}
}
