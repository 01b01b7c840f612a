package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/server/api"
	"courant/store/market"
	"courant/store/storetest"
)

// turnForward is the delivery date on which the clock goes forward: 92 quarter hours.
var turnForward = market.NewDeliveryDate(2026, 3, 29)

// withRows is a fixture that holds delivery dates, and what makes a request an administrator's.
func withRows(t testing.TB, dates ...market.DeliveryDate) (*fixture, func(*http.Request)) {
	t.Helper()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 1_000_000 })
	for _, date := range dates {
		f.commit(t, marketOn(date))
		f.clock.Advance(time.Minute)
	}
	f.refresh(t)
	return f, f.admin(t)
}

// clockChanges are the dates of a year on which the clock changes.
var clockChanges = []market.DeliveryDate{turnBack, turnForward}

// rowsPath is the address of rows.
func rowsPath(dataset market.Dataset, query string) string {
	return "/api/datasets/" + string(dataset) + "/rows?" + query
}

// rows asks for rows, which have to be answered.
func (f *fixture) rows(t testing.TB, path string, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	w := f.ask(t, "GET", path, changes...)
	if w.Code != 200 {
		t.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
	}
	return w
}

// lines asks for rows as NDJSON, and returns them.
func (f *fixture) lines(t testing.TB, dataset market.Dataset, query string, changes ...func(*http.Request)) []string {
	t.Helper()
	return linesOf(f.rows(t, rowsPath(dataset, query+"&format=ndjson"), changes...))
}

func linesOf(w *httptest.ResponseRecorder) []string {
	return strings.SplitAfter(strings.TrimSuffix(w.Body.String(), "\n"), "\n")[:strings.Count(w.Body.String(), "\n")]
}

var nextLink = regexp.MustCompile(`^<(/api/datasets/[^>]+)>; rel="next"$`)

// pages follows the links from a page to the last one, and returns the rows of all.
func (f *fixture) pages(t testing.TB, path string, limit int, changes ...func(*http.Request)) []string {
	t.Helper()
	var all []string
	for path != "" {
		w := f.rows(t, path, changes...)
		page := linesOf(w)
		all = append(all, page...)
		link := w.Header().Get("Link")
		path = ""
		if groups := nextLink.FindStringSubmatch(link); groups != nil {
			path = groups[1]
		} else if link != "" {
			t.Fatalf("Link is %q", link)
		}
		if len(page) > limit || path != "" && len(page) < limit {
			t.Fatalf("a page of %d has %d rows, and the next one is %q", limit, len(page), path)
		}
	}
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], "\n")
	}
	return all
}

func trimmed(lines []string) []string {
	var all []string
	for _, line := range lines {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}

// startOf is when the period of a row starts, seconds UTC.
func startOf(t testing.TB, line string) int64 {
	t.Helper()
	start, err := time.Parse(time.RFC3339, startText(line))
	must(t, err)
	return start.Unix()
}

// startText is the start of the period of a row as it is written.
func startText(line string) string {
	const before = `{"period_start_utc":"`
	return line[len(before) : len(before)+len("2026-10-25T00:00:00.000Z")]
}

// latestFirst puts the last period first; rows of one period stay in their order.
func latestFirst(lines []string) []string {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(startText(b), startText(a)) })
	return lines
}

// resolutionsOf are the values of resolution that a dataset accepts.
func resolutionsOf(dataset market.Dataset) []string {
	accepted := []string{"native"}
	for _, length := range market.BucketLengths() {
		if !length.IsFinerThan(dataset.Series().StepSeconds()) {
			accepted = append(accepted, string(length))
		}
	}
	return accepted
}

func TestPagesOfAnyRangeTogetherAreTheRangeAtOnce(t *testing.T) {
	t.Parallel()
	for _, day := range storetest.Some(2, clockChanges) {
		f, admin := withRows(t, day.Add(-1), day)
		whole := map[string][]string{}
		storetest.Check(t, func(r *rapid.T) {
			dataset := rapid.SampledFrom(market.Datasets()).Draw(r, "dataset")
			resolution := rapid.SampledFrom(resolutionsOf(dataset)).Draw(r, "resolution")
			asked := "resolution=" + resolution
			if resolution != "native" && rapid.Bool().Draw(r, "stats") {
				asked += "&stat=mean,max,count,share"
			}
			if keys := dataset.Series().ServedKeys(); len(keys) > 0 && rapid.Bool().Draw(r, "keys") {
				direction := market.Upward
				if dataset == market.FCRCapacity {
					direction = market.Symmetric
				}
				asked += "&direction=" + string(direction)
			}
			all, known := whole[string(dataset)+asked]
			if !known {
				all = trimmed(f.lines(t, dataset, asked+"&from="+day.Add(-40).String()+"&to="+day.Add(40).String(), admin))
				if len(all) == 0 {
					t.Fatalf("%s has no rows", dataset)
				}
				whole[string(dataset)+asked] = all
			}
			near := rapid.SampledFrom([]int64{day.Add(-1).Start().Unix(), day.Start().Unix(), day.Start().Unix() + 3600*2, day.End().Unix()})
			off := rapid.OneOf(rapid.Int64Range(-90000, 90000), rapid.SampledFrom([]int64{0, -4, 4, -1, 1, 900, 3600}))
			from, to := near.Draw(r, "from")+off.Draw(r, "off"), near.Draw(r, "to")+off.Draw(r, "off")
			from, to = min(from, to), max(from, to)
			var want []string
			for _, line := range all {
				if start := startOf(t, line); from <= start && start < to {
					want = append(want, line)
				}
			}
			asked += fmt.Sprintf("&from=%d&to=%d", from, to)
			if rapid.Bool().Draw(r, "descending") {
				asked += "&order=desc"
				want = latestFirst(want)
			}
			if diff := differing(want, trimmed(f.lines(t, dataset, asked, admin))); diff != "" {
				r.Fatalf("%s?%s at once (-want +got):\n%s", dataset, asked, diff)
			}
			limit := max(1, (len(want)+1)/rapid.IntRange(1, 12).Draw(r, "pages"))
			path := rowsPath(dataset, asked+"&format=ndjson&limit="+strconv.Itoa(limit))
			if diff := differing(want, f.pages(t, path, limit, admin)); diff != "" {
				r.Fatalf("%s?%s in pages of %d (-want +got):\n%s", dataset, asked, limit, diff)
			}
		})
	}
}

// differing compares two lists of lines; comparing is slow, so that it is only done where they differ.
func differing(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

// recordsOf writes each record as one line.
func recordsOf(records [][]string) []string {
	var lines []string
	for _, record := range records {
		lines = append(lines, fmt.Sprintf("%q", record))
	}
	return lines
}

// cellsOf reads rows of JSON: their cells by name, as they are written.
func cellsOf(t testing.TB, lines []string) []map[string]json.RawMessage {
	t.Helper()
	var rows []map[string]json.RawMessage
	for _, line := range lines {
		var row map[string]json.RawMessage
		must(t, json.Unmarshal([]byte(line), &row))
		rows = append(rows, row)
	}
	return rows
}

// totals adds up the counts and the sums of all rows of a resolution, by keys and column.
func (f *fixture) totals(t testing.TB, dataset market.Dataset, query, resolution string, admin func(*http.Request)) map[string]string {
	t.Helper()
	exact := map[string]*big.Rat{}
	for _, row := range cellsOf(t, f.lines(t, dataset, query+"&stat=count,sum&resolution="+resolution, admin)) {
		key := ""
		for _, k := range dataset.Series().ServedKeys() {
			key += string(row[k.Name])
		}
		for name, cell := range row {
			is := strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum")
			if !is || string(cell) == "null" {
				continue
			}
			at := key + name
			if exact[at] == nil {
				exact[at] = new(big.Rat)
			}
			exact[at].Add(exact[at], value(cell).rat())
		}
	}
	texts := map[string]string{}
	for at, sum := range exact {
		texts[at] = sum.RatString()
	}
	return texts
}

func TestCountsAndSumsOfHoursAddUpToTheDays(t *testing.T) {
	t.Parallel()
	for _, day := range storetest.Some(2, clockChanges) {
		f, admin := withRows(t, day)
		span := "from=" + day.Add(-40).String() + "&to=" + day.Add(40).String() // with the start of its month
		for _, dataset := range market.Datasets() {
			sums := func(resolution string) map[string]string { return f.totals(t, dataset, span, resolution, admin) }
			want := sums("P1D")
			if len(want) == 0 {
				t.Fatalf("%s has no sums", dataset)
			}
			for _, resolution := range resolutionsOf(dataset)[1:] {
				if diff := cmp.Diff(want, sums(resolution)); diff != "" {
					t.Errorf("%s on %s by %s (-day +sum of parts):\n%s", dataset, day, resolution, diff)
				}
			}
		}
	}
}

// plain is a cell of JSON as CSV has it.
func plain(t testing.TB, cell json.RawMessage) string {
	t.Helper()
	if string(cell) == "null" {
		return ""
	}
	if cell[0] != '"' {
		return string(cell)
	}
	var text string
	must(t, json.Unmarshal(cell, &text))
	return text
}

func TestEveryFormatHasTheSameValues(t *testing.T) {
	t.Parallel()
	for _, day := range storetest.Some(2, clockChanges) {
		f, admin := withRows(t, day)
		for _, dataset := range market.Datasets() {
			for _, query := range []string{"", "&tz=Europe/Paris", "&resolution=PT1H&stat=mean,min,sum,count,share", "&order=desc"} {
				path := rowsPath(dataset, "date="+day.String()+query)
				var object struct {
					Columns []struct{ Name string }
					Rows    []map[string]json.RawMessage
				}
				must(t, json.Unmarshal(f.rows(t, path, admin).Body.Bytes(), &object))
				var names []string
				for _, c := range object.Columns {
					names = append(names, c.Name)
				}
				want := [][]string{names}
				for _, row := range object.Rows {
					if len(row) != len(names) {
						t.Fatalf("%s: a row has %d members, want %q", path, len(row), names)
					}
					var cells []string
					for _, name := range names {
						cells = append(cells, plain(t, row[name]))
					}
					want = append(want, cells)
				}
				if len(want) < 23 {
					t.Fatalf("%s has %d rows", path, len(want)-1)
				}
				same := func(form string, got [][]string) {
					t.Helper()
					if diff := differing(recordsOf(want), recordsOf(got)); diff != "" {
						t.Errorf("%s as %s (-json +%s):\n%s", path, form, form, diff)
					}
				}
				records, err := csv.NewReader(f.rows(t, path+"&format=csv", admin).Body).ReadAll()
				must(t, err)
				same("csv", records)

				lines := [][]string{names}
				for _, row := range cellsOf(t, linesOf(f.rows(t, path+"&format=ndjson", admin))) {
					var cells []string
					for _, name := range names {
						cells = append(cells, plain(t, row[name]))
					}
					lines = append(lines, cells)
				}
				same("ndjson", lines)

				var columns struct{ Data map[string][]json.RawMessage }
				must(t, json.Unmarshal(f.rows(t, path+"&format=columns", admin).Body.Bytes(), &columns))
				turned := [][]string{names}
				for i := range columns.Data[names[0]] {
					var cells []string
					for _, name := range names {
						cells = append(cells, plain(t, columns.Data[name][i]))
					}
					turned = append(turned, cells)
				}
				same("columns", turned)
			}
		}
	}
}

func TestRowsHaveTheirPeriodAndKeysAndTheColumnsInTheOrderAskedFor(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, row := range []struct {
		dataset market.Dataset
		query   string
		header  string
		first   string // row, as CSV
		rows    int
	}{
		{market.DayAheadPrices, "", "period_start_utc,period_end_utc,price_eur_mwh", "2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,-20", 100},
		{market.DayAheadPrices, "&tz=Europe/Paris", "period_start,period_end,price_eur_mwh",
			"2026-10-25T00:00:00.000+02:00,2026-10-25T00:15:00.000+02:00,-20", 100},
		{market.DayAheadPrices, "&columns=source,price_eur_mwh,period_start_unix", "period_start_utc,period_end_utc,source,price_eur_mwh,period_start_unix",
			"2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,ENTSO-E,-20,1792879200", 100},
		{market.MFRRCapacity, "", "period_start_utc,period_end_utc,direction,time_horizon,product,offered_volume_mw,contracted_volume_mw,price",
			"2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,UPWARD,DAILY,STD,1200,500,0", 300},
		{market.MFRRCapacity, "&direction=DOWNWARD&columns=price", "period_start_utc,period_end_utc,direction,time_horizon,product,price",
			"2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,DOWNWARD,DAILY,STD,0", 100},
		{market.MFRRCapacity, "&time_horizon=PERIODIC,DAILY&direction=UPWARD,DOWNWARD&columns=price&product=STD",
			"period_start_utc,period_end_utc,direction,time_horizon,product,price",
			"2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,UPWARD,DAILY,STD,0", 300},
		{market.MFRRCapacity, "&product=SPE", "period_start_utc,period_end_utc,direction,time_horizon,product,offered_volume_mw,contracted_volume_mw,price", "", 0},
		{market.MFRRCapacity, "&time_horizon=PERIODIC&direction=DOWNWARD&columns=price", "period_start_utc,period_end_utc,direction,time_horizon,product,price", "", 0},
		{market.MFRREnergy, "&direction=DOWNWARD&columns=total_activated_volume_da_mw", "period_start_utc,period_end_utc,direction,total_activated_volume_da_mw",
			"2026-10-24T22:00:00.000Z,2026-10-24T22:15:00.000Z,DOWNWARD,0", 100},
	} {
		path := rowsPath(row.dataset, "date=2026-10-25&format=csv"+row.query)
		header, rest, _ := strings.Cut(f.rows(t, path, admin).Body.String(), "\r\n")
		first, _, _ := strings.Cut(rest, "\r\n")
		if rows := strings.Count(rest, "\r\n"); header != row.header || first != row.first || rows != row.rows {
			t.Errorf("%s has %d rows:\n%s\n%s\nwant %d:\n%s\n%s", path, rows, header, first, row.rows, row.header, row.first)
		}
	}
	seen := map[string]bool{}
	for _, line := range f.lines(t, market.DayAheadPrices, "date=2026-10-25&tz=Europe/Paris&columns=price_eur_mwh", admin) {
		seen[line[:48]] = true
	}
	if len(seen) != 100 || !seen[`{"period_start":"2026-10-25T02:00:00.000+02:00",`] || !seen[`{"period_start":"2026-10-25T02:00:00.000+01:00",`] {
		t.Errorf("the local times of a day of 25 hours are not 100: %d", len(seen))
	}
}

func TestARangeWithoutDataHasNoRows(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, dataset := range market.Datasets() {
		for _, query := range []string{
			"from=1900-01-01&to=2026-10-01", "from=2026-10-26&to=9999-12-31", "date=2030-01-01", "from=2026-10-25&to=2026-10-25",
			"from=2026-10-25T10:00:01Z&to=2026-10-25T10:00:02Z", "from=2026-10-27", "from=2026-10-25&as_of=2020-01-01", "updated_since=99999999",
		} {
			for _, more := range []string{"", "&order=desc", "&limit=1", "&resolution=PT1H", "&resolution=P1M&limit=7&order=desc"} {
				if strings.Contains(more, "resolution") && strings.Contains(query, "updated_since") {
					continue
				}
				path := rowsPath(dataset, query+more)
				var object struct {
					Rows []any
					Next *string
				}
				w := f.rows(t, path, admin)
				must(t, json.Unmarshal(w.Body.Bytes(), &object))
				if object.Rows == nil || len(object.Rows) > 0 || object.Next != nil || w.Header().Get("Link") != "" {
					t.Errorf("%s: %s", path, w.Body)
				}
				for _, form := range []string{"columns", "ndjson", "csv", "csv-fr", "xlsx", "parquet"} {
					if more == "" {
						f.rows(t, path+"&format="+form, admin)
					}
				}
			}
		}
	}
}

func TestRowsBeforeAnythingIsStoredAreNone(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	for _, dataset := range market.Datasets() {
		w := f.rows(t, rowsPath(dataset, ""), admin)
		if got := w.Header().Get("X-Courant-Position"); got != "0" || !bytes.Contains(w.Body.Bytes(), []byte(`"rows":[],`)) {
			t.Errorf("%s at position %s: %s", dataset, got, w.Body)
		}
	}
}

func TestAThinnedDateHasNoRowsOf4sAndMeansInTheirPlaceAndItsHoursStayExact(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack, turnBack.Add(1))
	both := "from=2026-10-25&to=2026-10-27"
	stats := "&stat=mean,count,share,min,max&columns=upward_price_eur_mwh,pdemand_mw&resolution="
	before := map[string][]map[string]json.RawMessage{}
	for _, resolution := range resolutionsOf(market.AFRREnergy)[1:] {
		before[resolution] = cellsOf(t, f.lines(t, market.AFRREnergy, both+stats+resolution, admin))
	}
	known := f.clock.Now()
	f.clock.Advance(time.Minute)
	if thinned, err := f.store.ThinAFRR(t.Context(), turnBack.Add(1), f.clock.Now()); err != nil || thinned != 1 {
		t.Fatalf("%d dates thinned, %v", thinned, err)
	}
	var object struct {
		Rows []struct {
			Start time.Time `json:"period_start_utc"`
		}
		Missing []struct {
			Date, Reason       string
			Expected, Received int
		}
	}
	must(t, json.Unmarshal(f.rows(t, rowsPath(market.AFRREnergy, both), admin).Body.Bytes(), &object))
	if len(object.Rows) != 24*60 || !object.Rows[0].Start.Equal(turnBack.Add(1).Start()) {
		t.Errorf("%d rows from %v on", len(object.Rows), object.Rows[0])
	}
	if len(object.Missing) != 1 || object.Missing[0].Date != "2026-10-25" || object.Missing[0].Reason != "thinned" || object.Missing[0].Expected != 25*900 {
		t.Errorf("missing is %+v", object.Missing)
	}
	for resolution, rows := range before {
		got := cellsOf(t, f.lines(t, market.AFRREnergy, both+stats+resolution, admin))
		if len(got) != len(rows) {
			t.Fatalf("%s has %d rows, and had %d", resolution, len(got), len(rows))
		}
		for i, row := range got {
			isThinned := plain(t, row["period_start_utc"]) < "2026-10-25T23:00:00.000Z" && slices.Contains([]string{"PT5M", "PT15M", "PT30M"}, resolution)
			for name, cell := range row {
				was := string(rows[i][name])
				switch isExtreme := strings.HasSuffix(name, "_min") || strings.HasSuffix(name, "_max"); {
				case isThinned && isExtreme:
					was = "null"
				case isThinned && (name == "upward_price_eur_mwh" || name == "pdemand_mw"):
					difference := new(big.Rat).Sub(value(cell).rat(), value(was).rat())
					if difference.Abs(difference).Cmp(big.NewRat(1, 100)) > 0 {
						t.Errorf("%s, row %d: the mean %s was %s", resolution, i, cell, was)
					}
					continue
				}
				if string(cell) != was {
					t.Errorf("%s, row %d: %s is %s, want %s", resolution, i, name, cell, was)
				}
			}
		}
	}
	asOf := "&as_of=" + known.Format(time.RFC3339)
	for _, query := range []string{both + asOf, both + asOf + "&resolution=P1D", both + asOf + "&format=parquet"} {
		if w := f.ask(t, "GET", rowsPath(market.AFRREnergy, query), admin, english); w.Code != 400 || !strings.Contains(problemOf(t, w).Detail, "as_of") {
			t.Errorf("%s answers %d: %s", query, w.Code, w.Body)
		}
	}
	if got := f.lines(t, market.AFRREnergy, "date=2026-10-26"+asOf, admin); len(got) != 24*60 {
		t.Errorf("a date that is not thinned has %d rows as of then", len(got))
	}
}

func TestACursorFromBeforeStepsWereThinnedBeginsAgain(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack, turnBack.Add(1))
	next := nextLink.FindStringSubmatch(f.rows(t, rowsPath(market.AFRREnergy, "from=2026-10-25&to=2026-10-27&limit=100"), admin).Header().Get("Link"))[1]
	if _, err := f.store.ThinAFRR(t.Context(), turnBack.Add(1), f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if w := f.ask(t, "GET", next, admin, english); w.Code != 400 || !strings.Contains(problemOf(t, w).Detail, "begin again without “cursor”") {
		t.Errorf("the next page answers %d: %s", w.Code, w.Body)
	}
}

// revised is what a source gives of a delivery date when it comes again for the nth time: some values change.
func revised(date market.DeliveryDate, n int) market.Batch {
	batch := marketOn(date)
	prices, steps, energy := market.Prices.In(batch), market.AFRR.In(batch), market.MFRR.In(batch)
	for i := range prices {
		if i%7 == n%7 {
			prices[i].Price = market.Num(float64(100 + n))
		}
	}
	for i := range steps {
		if i%11 == n%11 {
			steps[i].UpwardPrice = market.Num(float64(200 + n))
		}
	}
	for i := range energy {
		if i%5 == n%5 {
			energy[i].ActivatedVolumeSAMW = market.Num(float64(300 + n))
		}
	}
	return batch
}

func TestPagesShowTheMomentOfTheFirstWhileOthersWrite(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	for _, day := range storetest.Some(2, clockChanges) {
		f, admin := withRows(t, day)
		for n, asked := range storetest.Some(2, []struct {
			dataset market.Dataset
			query   string
		}{{market.DayAheadPrices, ""}, {market.MFRREnergy, "&order=desc"}, {market.AFRREnergy, "&order=desc"}, {market.AFRREnergy, "&resolution=PT1H&stat=mean,count"}}) {
			dataset := asked.dataset
			span := "from=" + day.Add(-3).String() + "&to=" + day.Add(4).String() + asked.query
			want := trimmed(f.lines(t, dataset, span, admin))
			limit := max(1, len(want)/4)
			path := rowsPath(dataset, span+"&format=ndjson&limit="+strconv.Itoa(limit))
			var got []string
			for page := 0; path != ""; page++ {
				w := f.rows(t, path, admin)
				got = append(got, trimmed(linesOf(w))...)
				path = ""
				if groups := nextLink.FindStringSubmatch(w.Header().Get("Link")); groups != nil {
					path = groups[1]
				}
				f.clock.Advance(time.Minute)
				f.commit(t, revised(day, 10*n+page))
				if page == 1 {
					f.commit(t, marketOn(day.Add(n+1)))
				}
			}
			if diff := differing(want, got); diff != "" {
				t.Fatalf("%s?%s (-at once +in pages):\n%s", dataset, span, diff)
			}
		}
	}
}
