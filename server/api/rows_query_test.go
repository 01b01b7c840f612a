package api

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/server/api/format"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/web"
)

// The clock and the newest stored date of the tests of queries.
var (
	queryNow    = time.Date(2026, time.July, 15, 12, 0, 0, 250_000_000, time.UTC)
	queryLatest = market.NewDeliveryDate(2026, time.July, 16)
)

func queryOf(dataset market.Dataset, raw string, accept ...string) (rowsQuery, error) {
	return parseRowsQuery(dataset, raw, accept, queryNow, queryLatest)
}

// mustQuery is a query without fault.
func mustQuery(t *testing.T, dataset market.Dataset, raw string, accept ...string) rowsQuery {
	t.Helper()
	q, err := queryOf(dataset, raw, accept...)
	if err != nil {
		t.Fatalf("%s: %s", raw, detailOf(err).EN)
	}
	return q
}

// detailOf is what a problem tells its client in both languages.
func detailOf(err error) web.Text {
	var p *problem
	if !errors.As(err, &p) || p.Code != web.ProblemInvalidParameter || p.Status != http.StatusBadRequest {
		return web.Text{FR: fmt.Sprint("another error: ", err), EN: fmt.Sprint("another error: ", err)}
	}
	return p.Detail
}

func rangeOf(p market.Period) string {
	return p.From().Format(time.RFC3339) + "/" + p.To().Format(time.RFC3339)
}

func TestAnInstantOfAQueryHasManyForms(t *testing.T) {
	// At the first 02:30 of the day on which the clock goes back, and at 12:00 after it went forward.
	const back, forward = "2026-10-25T00:30:00Z", "2026-03-29T10:00:00Z"
	for _, row := range []struct{ now, text, want string }{
		{back, "2026-10-25", "2026-10-24T22:00:00Z"},
		{back, "2026-03-30", "2026-03-29T22:00:00Z"},
		{back, "1970-01-01", "1969-12-31T23:00:00Z"},
		{back, "2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"},
		{back, "2026-10-25T02:30:00 02:00", "2026-10-25T00:30:00Z"},
		{back, "2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"},
		{back, "2026-10-25T02:30:00.5Z", "2026-10-25T02:30:00.5Z"},
		{back, "2026-10-24T20:00:00-04:30", "2026-10-25T00:30:00Z"},
		{back, "1767222000", "2025-12-31T23:00:00Z"},
		{back, "999999999", "2001-09-09T01:46:39Z"},
		{back, "now", back},
		{back, "today", "2026-10-24T22:00:00Z"},
		{back, "yesterday", "2026-10-23T22:00:00Z"},
		{back, "tomorrow", "2026-10-25T23:00:00Z"},
		{"2026-10-24T22:00:00Z", "today", "2026-10-24T22:00:00Z"},
		{"2026-10-24T21:59:59Z", "today", "2026-10-23T22:00:00Z"},
		// Days keep the time of day in Paris; hours pass.
		{back, "now-P1D", "2026-10-24T00:30:00Z"},
		{back, "now+P1D", "2026-10-26T01:30:00Z"},
		{back, "now P1D", "2026-10-26T01:30:00Z"},
		{back, "now-PT24H", "2026-10-24T00:30:00Z"},
		{back, "now+PT24H", "2026-10-26T00:30:00Z"},
		{back, "now+PT1H", "2026-10-25T01:30:00Z"},
		{back, "now+P0D", "2026-10-25T00:30:00Z"},
		{"2026-10-25T01:30:00Z", "now-PT0S", "2026-10-25T01:30:00Z"},
		{"2026-10-26T01:30:00Z", "now-P1D", "2026-10-25T00:30:00Z"}, // the first of the two 02:30
		{"2026-03-28T01:30:00Z", "now+P1D", "2026-03-29T01:30:00Z"}, // there is no 02:30
		{forward, "now-P1D", "2026-03-28T11:00:00Z"},
		{forward, "now-PT24H", "2026-03-28T10:00:00Z"},
		{forward, "today-P1D", "2026-03-27T23:00:00Z"},
		{forward, "tomorrow", "2026-03-29T22:00:00Z"},
		{forward, "today+PT6H", "2026-03-29T05:00:00Z"},
		{forward, "today-P29D", "2026-02-27T23:00:00Z"},
		{forward, "today-P1W", "2026-03-21T23:00:00Z"},
		{forward, "now-P1M", "2026-02-28T11:00:00Z"}, // February has no 29th
		{forward, "today-P1Y", "2025-03-28T23:00:00Z"},
		{forward, "today-P1Y1M1W1DT1H1M1S", "2025-02-19T21:58:59Z"},
		{"2026-12-31T12:00:00.25Z", "now+P2M", "2027-02-28T12:00:00.25Z"},
		{forward, "now-P13M", "2025-02-28T11:00:00Z"},
		{forward, "now-PT90S", "2026-03-29T09:58:30Z"},
		{forward, "tomorrow+P1D", "2026-03-30T22:00:00Z"},
		{forward, "9999-12-31", "9999-12-30T23:00:00Z"},
		{forward, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
		{forward, "1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"},
		{forward, "now+P7000Y", "9026-03-29T10:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, row.now)
		if err != nil {
			t.Fatal(err)
		}
		got, valid := parseInstant(row.text, now)
		if want, _ := time.Parse(time.RFC3339, row.want); !valid || !got.Equal(want) {
			t.Errorf("%s at %s is %s, %t, want %s", row.text, row.now, got.Format(time.RFC3339Nano), valid, row.want)
		}
		if got.Location() != time.UTC {
			t.Errorf("%s is in %s", row.text, got.Location())
		}
	}
}

// notInstants are texts that no parameter takes for an instant.
var notInstants = []string{
	"x", "2026", "2026-10", "2026-10-32", "2026-02-29", "2026-10-25T00:00:00", "2026-10-25 00:00:00", "2026-10-25 00:00:00Z", "2026-10-25T00:00Z",
	"2026-10-25T24:00:00Z", "2026-10-25T00:00:60Z", "2026-10-25T0:00:00Z", "2026-10-25T00:00:00,5Z", "2026-10-25T00:00:00+25:00",
	"2026-10-25t00:00:00z", "2026-298", "2026-W43-7", "20261025", "1767222000000", "12345678901", "-1767222000", "+1767222000", "1767222000.5", "1e9", "٢٠٢٦-١٠-٢٥",
	"Now", "NOW", "now-", "now+", "nowP1D", "now-1D", "now-P", "now-PT", "now-P1DT", "now-P1", "now-P1H", "now-PT1D", "now-p1d", "now-P-1D", "now--P1D", "now+-P1D",
	"now-P1D-P1D", "now-P1.5D", "now-PT0,5H", "now-P1D1M", "now-PT1S1H", "now-P9999999M", "now+PT9e99H", "now-P99999999999999999999D", "now+P8000Y",
	"now-P999999999Y", "now+PT999999999H", "now-P999999999W", "-P1D", "P1D", "2026-10-25+P1D", "today/tomorrow", "yesterday tomorrow", "hier",
	"1899-12-31", "0001-01-01", "0000-00-00", "10000-01-01", "1899-12-31T23:00:00Z", "9999-12-31T23:00:00-12:00", " now", "now ", "2026-10-25\x00", "2026-10-25'--",
	strings.Repeat("9", 10_000), "now-P" + strings.Repeat("1D", 5_000),
}

func TestATextOfAQueryThatIsNoInstantIsRefused(t *testing.T) {
	for _, text := range notInstants {
		if got, valid := parseInstant(text, queryNow); valid {
			t.Errorf("%.40q is %s", text, got)
		}
		if got, valid := parseDate(text, queryNow); valid {
			t.Errorf("%.40q is the date %s", text, got)
		}
	}
}

func TestTheRangeOfAQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                 "2026-07-15T22:00:00Z/2026-07-16T22:00:00Z",
		"&&":                               "2026-07-15T22:00:00Z/2026-07-16T22:00:00Z",
		"from=2026-07-01":                  "2026-06-30T22:00:00Z/2026-07-16T22:00:00Z",
		"from=2027-01-01":                  "2026-12-31T23:00:00Z/2026-12-31T23:00:00Z",
		"from=2026-07-01&to=2026-07-02":    "2026-06-30T22:00:00Z/2026-07-01T22:00:00Z",
		"to=2026-07-02&from=2026-07-01":    "2026-06-30T22:00:00Z/2026-07-01T22:00:00Z",
		"from=2026-07-01&to=2026-07-01":    "2026-06-30T22:00:00Z/2026-06-30T22:00:00Z",
		"from=1970-01-01&to=1970-01-02":    "1969-12-31T23:00:00Z/1970-01-01T23:00:00Z",
		"from=1900-01-01&to=9999-12-31":    "1899-12-31T23:50:39Z/9999-12-30T23:00:00Z",
		"from=now&to=now%2BPT1H":           "2026-07-15T12:00:01Z/2026-07-15T13:00:01Z", // after a quarter of a second
		"from=now-PT1H&to=now":             "2026-07-15T11:00:01Z/2026-07-15T12:00:01Z",
		"from=today-P29D&to=tomorrow+P1D":  "2026-06-15T22:00:00Z/2026-07-16T22:00:00Z",
		"from=2026-07-01T00:00:00+02:00":   "2026-06-30T22:00:00Z/2026-07-16T22:00:00Z",
		"from=2026-07-01T00:00:00%2b02:00": "2026-06-30T22:00:00Z/2026-07-16T22:00:00Z",
		"%66rom=2026%2D07-01":              "2026-06-30T22:00:00Z/2026-07-16T22:00:00Z",
		"date=2026-10-25":                  "2026-10-24T22:00:00Z/2026-10-25T23:00:00Z",
		"date=2026-03-29":                  "2026-03-28T23:00:00Z/2026-03-29T22:00:00Z",
		"date=1970-01-01":                  "1969-12-31T23:00:00Z/1970-01-01T23:00:00Z",
		"date=9999-12-31":                  "9999-12-30T23:00:00Z/9999-12-31T23:00:00Z",
		"date=yesterday":                   "2026-07-13T22:00:00Z/2026-07-14T22:00:00Z",
		"date=tomorrow-P7D":                "2026-07-08T22:00:00Z/2026-07-09T22:00:00Z",
		"date=now+PT12H":                   "2026-07-15T22:00:00Z/2026-07-16T22:00:00Z",
	} {
		if got := rangeOf(mustQuery(t, market.DayAheadPrices, raw).period); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	q, err := parseRowsQuery(market.DayAheadPrices, "", nil, queryNow, market.DeliveryDate{})
	if got, want := rangeOf(q.period), "2026-07-14T22:00:00Z/2026-07-15T22:00:00Z"; err != nil || got != want {
		t.Errorf("nothing is stored: %s, %v, want %s", got, err, want)
	}
}

func TestAQueryWithoutParametersHasTheDefaults(t *testing.T) {
	for _, dataset := range market.Datasets() {
		q := mustQuery(t, dataset, "")
		if !slices.Equal(columnNames(q.columns), columnNames(dataset.Series().ServedColumns())) {
			t.Errorf("%s: columns %v", dataset, columnNames(q.columns))
		}
		q.columns, q.repeated = nil, nil
		want := rowsQuery{dataset: dataset, period: queryLatest.Period(), format: format.JSON, keys: make([][]string, len(dataset.Series().ServedKeys()))}
		if len(want.keys) == 0 {
			want.keys = nil
		}
		if diff := cmp.Diff(want, q, cmp.AllowUnexported(rowsQuery{}, changedSince{}, rowsPage{}, rowsPlace{})); diff != "" {
			t.Errorf("%s: %s", dataset, diff)
		}
	}
}

func TestTheParametersOfAQuery(t *testing.T) {
	for _, row := range []struct {
		dataset market.Dataset
		raw     string
		got     func(rowsQuery) any
		want    any
	}{
		{"mfrr-energy", "columns=updated_at,clearing_price_eur_mwh,source,period_start_unix", func(q rowsQuery) any { return columnNames(q.columns) },
			[]string{"updated_at", "clearing_price_eur_mwh", "source", "period_start_unix"}},
		{"mfrr-energy", "direction=DOWNWARD,UPWARD", func(q rowsQuery) any { return q.keys }, [][]string{{"DOWNWARD", "UPWARD"}}},
		{"mfrr-capacity", "product=STD&time_horizon=DAILY,PERIODIC", func(q rowsQuery) any { return q.keys }, [][]string{nil, {"DAILY", "PERIODIC"}, {"STD"}}},
		{"day-ahead-prices", "resolution=native", func(q rowsQuery) any { return q.resolution }, market.BucketLength("")},
		{"day-ahead-prices", "resolution=PT15M", func(q rowsQuery) any { return q.resolution }, market.Buckets15Minutes},
		{"afrr-energy", "resolution=PT5M", func(q rowsQuery) any { return q.stats }, []market.Stat{"mean"}},
		{"afrr-energy", "resolution=P1M&stat=share,min", func(q rowsQuery) any { return q.stats }, []market.Stat{"share", "min"}},
		{"afrr-energy", "resolution=P1D&columns=period_start_unix,prorata_mode", func(q rowsQuery) any { return columnNames(q.columns) },
			[]string{"period_start_unix", "prorata_mode"}},
		{"afrr-energy", "tz=Europe/Paris", func(q rowsQuery) any { return q.inParis }, true},
		{"afrr-energy", "tz=Europe%2FParis&format=csv-fr", func(q rowsQuery) any { return q.inParis }, true},
		{"afrr-energy", "tz=UTC", func(q rowsQuery) any { return q.inParis }, false},
		{"afrr-energy", "order=desc", func(q rowsQuery) any { return q.descending }, true},
		{"afrr-energy", "order=asc", func(q rowsQuery) any { return q.descending }, false},
		{"afrr-energy", "limit=1", func(q rowsQuery) any { return q.limit }, 1},
		{"afrr-energy", "limit=100000", func(q rowsQuery) any { return q.limit }, 100_000},
		{"afrr-energy", "as_of=2026-07-14", func(q rowsQuery) any { return q.asOf.Format(time.RFC3339Nano) }, "2026-07-13T22:00:00Z"},
		{"afrr-energy", "as_of=2026-07-14T00:00:00.1239Z", func(q rowsQuery) any { return q.asOf.Format(time.RFC3339Nano) }, "2026-07-14T00:00:00.123Z"},
		{"afrr-energy", "as_of=now", func(q rowsQuery) any { return q.asOf }, queryNow},
		{"afrr-energy", "updated_since=now-PT1H", func(q rowsQuery) any { return q.since.instant }, queryNow.Add(-time.Hour)},
		{"afrr-energy", "updated_since=2026-07-14T00:00:00.1231Z", func(q rowsQuery) any { return q.since.instant.Format(time.RFC3339Nano) }, "2026-07-14T00:00:00.124Z"},
		{"afrr-energy", "updated_since=0&resolution=native", func(q rowsQuery) any { return q.since }, changedSince{given: true}},
		{"afrr-energy", "updated_since=12345678", func(q rowsQuery) any { return q.since }, changedSince{given: true, position: 12_345_678}},
		{"afrr-energy", "updated_since=1767222000", func(q rowsQuery) any { return q.since },
			changedSince{given: true, instant: time.Unix(1767222000, 0).UTC()}},
		{"afrr-energy", "format=csv-fr", func(q rowsQuery) any { return q.format }, format.FrenchCSV},
		{"afrr-energy", "format=parquet&numbers=double", func(q rowsQuery) any { return q.doubles }, true},
		{"afrr-energy", `format=csv&nulls=\N`, func(q rowsQuery) any { return q.nulls }, `\N`},
		{"afrr-energy", "format=csv-fr&nulls=n/%C3%A9t%C3%A9abc", func(q rowsQuery) any { return q.nulls }, "n/étéabc"},
		{"afrr-energy", "format=csv&nulls=-", func(q rowsQuery) any { return q.nulls }, "-"},
	} {
		if diff := cmp.Diff(row.want, row.got(mustQuery(t, row.dataset, row.raw)), cmp.AllowUnexported(changedSince{})); diff != "" {
			t.Errorf("%s?%s: %s", row.dataset, row.raw, diff)
		}
	}
}

func TestTheFormatOfAQueryFollowsAcceptUnlessItIsAParameter(t *testing.T) {
	const xlsx, parquet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.apache.parquet"
	for _, row := range []struct {
		raw    string
		accept []string
		want   format.Form
	}{
		{"", nil, format.JSON},
		{"", []string{""}, format.JSON},
		{"", []string{"application/json"}, format.JSON},
		{"", []string{"application/x-ndjson"}, format.NDJSON},
		{"", []string{"text/csv"}, format.CSV},
		{"", []string{"TEXT/CSV; charset=utf-8; header=present"}, format.CSV},
		{"", []string{xlsx}, format.XLSX},
		{"", []string{parquet}, format.Parquet},
		{"", []string{"text/*"}, format.CSV},
		{"", []string{"application/*"}, format.JSON},
		{"", []string{"*/*"}, format.JSON},
		{"", []string{"text/csv, */*"}, format.CSV},
		{"", []string{"text/csv;q=0.5, */*"}, format.JSON},
		{"", []string{"text/csv, application/json"}, format.CSV},
		{"", []string{"application/json, text/csv"}, format.JSON},
		{"", []string{"application/json;q=0.5", "text/csv;q=0.9"}, format.CSV},
		{"", []string{"text/csv;q=0, application/json;q=0.1"}, format.JSON},
		{"", []string{"application/json;q=0, " + parquet + ";q=0.001"}, format.Parquet},
		{"", []string{"*/*, application/json;q=0"}, format.NDJSON},
		{"", []string{"text/csv;q=2"}, format.JSON},
		{"", []string{"Text/CSV ; charset=utf-8; Q=0.5"}, format.CSV},
		{"", []string{"application/*;q=0.2, text/csv"}, format.CSV},
		{"", []string{"text/html,*/*;q=0.8"}, format.JSON},
		{"", []string{"text/csv;q=x, application/json;q"}, format.JSON},
		{"", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, format.JSON},
		{"", []string{"image/png"}, format.JSON},
		{"", []string{";;,,q=1;/"}, format.JSON},
		{"format=json", []string{"text/csv"}, format.JSON},
		{"format=columns", nil, format.Columns},
		{"format=csv-fr", []string{"application/json"}, format.FrenchCSV},
		{"numbers=double", []string{parquet}, format.Parquet},
		{"nulls=NA", []string{"text/csv"}, format.CSV},
	} {
		if got := mustQuery(t, market.AFRREnergy, row.raw, row.accept...).format; got != row.want {
			t.Errorf("%s with Accept %q: %s, want %s", row.raw, row.accept, got, row.want)
		}
	}
}

func TestAQueryThatIsRefusedNamesTheParameterAndWhatItAccepts(t *testing.T) {
	for _, row := range []struct {
		dataset market.Dataset
		raw     string
		says    []string
	}{
		{"afrr-energy", "form=csv", []string{"“form” is not a parameter", "from, to, date, columns, resolution, stat, tz, order, limit, as_of, updated_since, format, numbers, nulls, cursor."}},
		{"afrr-energy", "From=2026-07-14", []string{"“From” is not a parameter"}},
		{"afrr-energy", "direction=UPWARD", []string{"“direction” is not a parameter of this address"}},
		{"mfrr-energy", "product=STD", []string{"“product” is not a parameter of this address", "direction"}},
		{"afrr-energy", "%zz=1", []string{"“%zz” is not a parameter"}},
		{"afrr-energy", "limit=%zz", []string{"“limit”", "two hexadecimal digits", "1 to 100000"}},
		{"afrr-energy", "limit=1&limit=1", []string{"“limit” is given twice", "1 to 100000"}},
		{"afrr-energy", "cursor=a&cursor=a", []string{"“cursor” is given twice"}},
		{"afrr-energy", "from=", []string{"“from” is empty", "2026-10-25"}},
		{"afrr-energy", "tz", []string{"“tz” is empty", "UTC, Europe/Paris"}},
		{"afrr-energy", "tz=&tz=UTC", []string{"“tz” is empty"}},
		{"afrr-energy", "nulls=", []string{"“nulls” is empty"}},
		{"afrr-energy", "from=14/07/2026", []string{"“from” does not accept “14/07/2026”", "RFC 3339", "Unix seconds", "yesterday", "ISO 8601", "1900 to 9999"}},
		{"afrr-energy", "from=2026-07-14&to=x", []string{"“to” does not accept “x”", "RFC 3339"}},
		{"afrr-energy", "from=now-P9999999M", []string{"“from” does not accept", "1900 to 9999"}},
		{"afrr-energy", "from=2026-07-01&to=9999-12-31T23:59:59.5Z", []string{"“to” does not accept"}},
		{"afrr-energy", "to=2026-07-14", []string{"“to” is given without “from”"}},
		{"afrr-energy", "from=2026-07-14&to=2026-07-13", []string{"“from” is after “to”"}},
		{"afrr-energy", "from=now&to=yesterday", []string{"“from” is after “to”"}},
		{"afrr-energy", "date=2026-07-14&from=2026-07-14", []string{"either “date” or “from” and “to”"}},
		{"afrr-energy", "date=2026-07-14&to=2026-07-14", []string{"either “date” or “from” and “to”"}},
		{"afrr-energy", "date=2026-02-30", []string{"“date” does not accept “2026-02-30”", "delivery date"}},
		{"afrr-energy", "date=2026-07-14T00:00:00Z", []string{"“date” does not accept", "delivery date"}},
		{"afrr-energy", "date=1767222000", []string{"“date” does not accept"}},
		{"afrr-energy", "columns=price", []string{"“columns” does not accept “price”", "upward_price_eur_mwh, downward_price_eur_mwh,", "updated_at, source, period_start_unix"}},
		{"afrr-energy", "columns=pdemand_mw,pdemand_mw", []string{"“columns” has “pdemand_mw” twice", "upward_price_eur_mwh"}},
		{"afrr-energy", "columns=pdemand_mw,", []string{"“columns” does not accept “”"}},
		{"afrr-energy", "columns=pdemand_mw,+prorata_mode", []string{"“columns” does not accept “ prorata_mode”"}},
		{"mfrr-energy", "columns=direction", []string{"“columns” does not accept “direction”", "beside the period and the keys, which are always there"}},
		{"mfrr-energy", "columns=updated_ms", []string{"“columns” does not accept “updated_ms”"}},
		{"mfrr-energy", "resolution=PT1H&columns=updated_at", []string{"“columns” accepts “updated_at” only with “resolution=native”"}},
		{"mfrr-energy", "direction=upward", []string{"“direction” does not accept “upward”", "UPWARD, DOWNWARD."}},
		{"mfrr-energy", "direction=UPWARD,UPWARD", []string{"“direction” has “UPWARD” twice"}},
		{"fcr-capacity", "product=" + strings.Repeat("A", 65), []string{"“product” does not accept “AAAA", "A…”", "at most 64 characters"}},
		{"fcr-capacity", "product=a%00b", []string{"“product” does not accept “a\uFFFDb”"}},
		{"fcr-capacity", "time_horizon=" + strings.Repeat("A,", 3000) + "A", []string{"“time_horizon” has too many values", "up to 50 values"}},
		{"mfrr-energy", "resolution=PT5M", []string{"“resolution” does not accept “PT5M”", "native, PT15M, PT30M, PT1H, P1D, P1M."}},
		{"afrr-energy", "resolution=PT60M", []string{"“resolution” does not accept “PT60M”", "native, PT5M, PT15M, PT30M, PT1H, P1D, P1M."}},
		{"afrr-energy", "resolution=PT1H&stat=median", []string{"“stat” does not accept “median”", "mean, min, max, sum, count, share."}},
		{"afrr-energy", "resolution=PT1H&stat=min,min", []string{"“stat” has “min” twice"}},
		{"afrr-energy", "stat=min", []string{"“stat” is given without a “resolution” other than native"}},
		{"afrr-energy", "stat=min&resolution=native", []string{"“stat” is given without a “resolution” other than native"}},
		{"afrr-energy", "updated_since=1&resolution=PT1H", []string{"“updated_since” accepts only “resolution=native”"}},
		{"afrr-energy", "updated_since=123456789012", []string{"“updated_since” does not accept", "a position"}},
		{"afrr-energy", "as_of=12", []string{"“as_of” does not accept “12”", "RFC 3339"}},
		{"afrr-energy", "tz=Europe/Berlin", []string{"“tz” does not accept “Europe/Berlin”", "UTC, Europe/Paris."}},
		{"afrr-energy", "tz=utc", []string{"“tz” does not accept “utc”"}},
		{"afrr-energy", "order=DESC", []string{"“order” does not accept “DESC”", "asc, desc."}},
		{"afrr-energy", "limit=0", []string{"“limit” does not accept “0”", "1 to 100000"}},
		{"afrr-energy", "limit=-1", []string{"“limit” does not accept “-1”"}},
		{"afrr-energy", "limit=100001", []string{"“limit” does not accept"}},
		{"afrr-energy", "limit=1e3", []string{"“limit” does not accept"}},
		{"afrr-energy", "limit=1;order=asc", []string{"“limit” does not accept “1;order=asc”"}},
		{"afrr-energy", "format=xml", []string{"“format” does not accept “xml”", "json, columns, ndjson, csv, csv-fr, xlsx, parquet."}},
		{"afrr-energy", "numbers=float&format=parquet", []string{"“numbers” does not accept “float”", "double."}},
		{"afrr-energy", "numbers=double", []string{"“numbers” is given without “format=parquet”"}},
		{"afrr-energy", "numbers=double&format=csv", []string{"“numbers” is given without “format=parquet”"}},
		{"afrr-energy", "nulls=NA", []string{"“nulls” is given without “format=csv” or “format=csv-fr”"}},
		{"afrr-energy", "nulls=NA&format=ndjson", []string{"“nulls” is given without"}},
		{"afrr-energy", "nulls=123456789&format=csv", []string{"“nulls” does not accept", "1 to 8"}},
		{"afrr-energy", "nulls=%22&format=csv", []string{"“nulls” does not accept “\"”", "quote"}},
		{"afrr-energy", "nulls=a,b&format=csv", []string{"“nulls” does not accept"}},
		{"afrr-energy", "nulls=%0A&format=csv", []string{"“nulls” does not accept"}},
		{"afrr-energy", "nulls=+&format=csv", []string{"“nulls” does not accept"}},
		{"afrr-energy", "nulls=%3D1%2B1&format=csv", []string{"“nulls” does not accept"}},
		{"afrr-energy", "nulls=%FF&format=csv", []string{"“nulls” is not text in UTF-8"}},
		{"afrr-energy", "cursor=AAAA", []string{"“cursor” is given without “limit”"}},
		{"afrr-energy", "cursor=AAAA&limit=10", []string{"“cursor” does not come from an answer to the same other parameters", "follow “next”"}},
		{"afrr-energy", strings.Repeat("&", 8193), []string{"more than 8192 bytes"}},
		{"afrr-energy", strings.Repeat("é", 2000) + "=1", []string{"“" + strings.Repeat("é", 40) + "…” is not a parameter"}},
	} {
		_, err := queryOf(row.dataset, row.raw)
		detail := detailOf(err)
		for _, want := range row.says {
			if !strings.Contains(detail.EN, want) {
				t.Errorf("%s?%.80s: %s\nwant %q", row.dataset, row.raw, detail.EN, want)
			}
		}
		if detail.FR == "" || detail.FR == detail.EN || strings.ContainsAny(detail.FR, "\n\x00") || len(detail.FR) > 1500 {
			t.Errorf("%s?%.80s in French: %.2000q", row.dataset, row.raw, detail.FR)
		}
		for _, parameter := range rowsParameters(row.dataset) {
			if strings.Contains(detail.EN, "“"+parameter.name+"”") != strings.Contains(detail.FR, "« "+parameter.name+" »") {
				t.Errorf("%s?%.80s: only one language names %s:\n%s\n%s", row.dataset, row.raw, parameter.name, detail.FR, detail.EN)
			}
		}
	}
}

func TestAllThatAQueryIsSaidToAcceptIsAccepted(t *testing.T) {
	for _, dataset := range market.Datasets() {
		for _, parameter := range rowsParameters(dataset) {
			if parameter.accepts.FR == "" || parameter.accepts.EN == "" {
				t.Errorf("%s: %s: %+v", dataset, parameter.name, parameter.accepts)
			}
		}
		for _, name := range columnNames(rowsColumns(dataset)) {
			mustQuery(t, dataset, "columns="+name)
		}
		for _, key := range dataset.Series().ServedKeys() {
			for _, value := range key.Values {
				mustQuery(t, dataset, key.Name+"="+value)
			}
		}
		for _, resolution := range resolutions(dataset.Series()) {
			mustQuery(t, dataset, "resolution="+resolution)
		}
		for _, format := range words(format.All()) {
			mustQuery(t, dataset, "format="+format)
		}
	}
}

func TestAQueryHasOneCanonicalFormHoweverItIsWritten(t *testing.T) {
	same := func(dataset market.Dataset, raws ...string) {
		t.Helper()
		first := mustQuery(t, dataset, raws[0])
		for _, raw := range raws[1:] {
			if q := mustQuery(t, dataset, raw); q.canonical() != first.canonical() {
				t.Errorf("%s and %s:\n%s\n%s", raws[0], raw, first.canonical(), q.canonical())
			}
		}
	}
	same("day-ahead-prices", "", "date=tomorrow", "date=2026-07-16", "from=2026-07-16", "from=2026-07-16&to=2026-07-17", "from=tomorrow&to=tomorrow+P1D",
		"from=1784152800", "order=asc&format=json&tz=UTC&resolution=native&columns=price_eur_mwh", "to=2026-07-17&from=2026-07-15T22:00:00Z")
	same("mfrr-energy", "direction=UPWARD,DOWNWARD", "direction=DOWNWARD,UPWARD")
	same("afrr-energy", "resolution=PT1H", "resolution=PT1H&stat=mean")
	same("afrr-energy", "updated_since=12", "updated_since=0012")

	different := []string{
		"", "from=2026-07-15", "from=2026-07-16T00:00:04%2B02:00", "order=desc", "tz=Europe/Paris", "limit=10", "limit=100", "format=csv", "format=csv&nulls=NA", "format=csv&nulls=N",
		"format=csv-fr", "format=parquet", "format=parquet&numbers=double", "columns=pdemand_mw", "columns=prorata_mode,pdemand_mw", "columns=pdemand_mw,prorata_mode", "as_of=now", "as_of=yesterday",
		"updated_since=0", "updated_since=1", "updated_since=now", "updated_since=today", "resolution=PT5M", "resolution=PT1H", "resolution=PT1H&stat=min",
		"resolution=PT1H&stat=mean,min", "resolution=PT1H&stat=min,mean",
	}
	seen := map[string]string{}
	for _, raw := range different {
		q := mustQuery(t, market.AFRREnergy, raw)
		canonical := q.canonical()
		if other, taken := seen[canonical]; taken {
			t.Errorf("%q and %q are both %s", other, raw, canonical)
		}
		seen[canonical] = raw
	}
	for _, dataset := range market.Datasets() {
		q := mustQuery(t, dataset, "")
		if _, taken := seen[q.canonical()]; taken && dataset != market.AFRREnergy {
			t.Errorf("%s is %s", dataset, q.canonical())
		}
	}
}

func TestAFileOfAQueryNamesItsDatasetRangeAndResolution(t *testing.T) {
	for raw, want := range map[string]string{
		"":                              "",
		"format=columns":                "",
		"format=csv":                    "afrr-energy_2026-07-16_native.csv",
		"format=csv-fr&date=2026-10-25": "afrr-energy_2026-10-25_native.csv",
		"format=ndjson&from=2026-07-14": "",
		"format=csv&from=2026-07-14":    "afrr-energy_2026-07-14_to_2026-07-17_native.csv",
		"format=xlsx&from=now-PT1H&to=today%2BP1D&resolution=PT1H": "afrr-energy_20260715T110001Z_to_2026-07-16_PT1H.xlsx",
		"format=parquet&from=2026-01-01&to=2027-01-01":             "afrr-energy_2026-01-01_to_2027-01-01_native.parquet",
	} {
		if want != "" {
			want = `attachment; filename="` + want + `"`
		}
		q := mustQuery(t, market.AFRREnergy, raw)
		if got := q.contentDisposition(false); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestACursorOfAQueryKeepsWhatWordsStoodFor(t *testing.T) {
	const raw = "from=now-PT1H&to=tomorrow&as_of=now&updated_since=yesterday&limit=100&order=desc&format=csv"
	first := mustQuery(t, market.AFRREnergy, raw)
	place := rowsPlace{first.period.Start + 8, 3}
	next := first.nextQuery(4711, place)
	if cursor := next[strings.Index(next, "&cursor="):]; len(cursor) > 60 {
		t.Errorf("%s is long", cursor)
	}
	later := queryNow.Add(26 * time.Hour)
	for _, query := range []string{next, raw + next[strings.Index(next, "&cursor="):], next[strings.Index(next, "cursor="):] + "&" + raw} {
		q, err := parseRowsQuery(market.AFRREnergy, query, nil, later, queryLatest.Add(1))
		if err != nil {
			t.Fatalf("%s: %s", query, detailOf(err).EN)
		}
		want := first
		want.page = &rowsPage{4711, place}
		if diff := cmp.Diff(want, q, cmp.AllowUnexported(rowsQuery{}, changedSince{}, rowsPage{}, rowsPlace{}, market.ServedColumn{})); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		if q.canonical() == first.canonical() {
			t.Error("both pages have one canonical form")
		}
		if again := q.nextQuery(4711, rowsPlace{first.period.Start + 12, 0}); again == next || strings.Count(again, "cursor=") != 1 {
			t.Errorf("the page after the next: %s", again)
		}
	}
	// The default range is part of it too.
	first = mustQuery(t, market.DayAheadPrices, "limit=1")
	q, err := parseRowsQuery(market.DayAheadPrices, first.nextQuery(1, rowsPlace{first.period.Start + 900, 0}), nil, later, queryLatest.Add(1))
	if err != nil || q.period != first.period {
		t.Errorf("%s, %v, want %s", rangeOf(q.period), err, rangeOf(first.period))
	}
}

func TestACursorOfAnotherQueryIsRefused(t *testing.T) {
	const raw = "from=2026-07-14&to=2026-07-16&limit=100"
	first := mustQuery(t, market.FCRCapacity, raw)
	next := first.nextQuery(12, rowsPlace{first.period.Start + 900, 2})
	cursor := next[strings.Index(next, "&cursor="):]
	mustQuery(t, market.FCRCapacity, raw+cursor)
	ofRevisions := revisionQuery{dataset: market.FCRCapacity, first: queryLatest, last: queryLatest}.cursor(store.RevisionAt{Start: first.period.Start, ID: 1})
	for name, row := range map[string]struct {
		dataset market.Dataset
		raw     string
	}{
		"another dataset":   {"afrr-capacity", raw + cursor},
		"another range":     {"fcr-capacity", "from=2026-07-14&to=2026-07-15&limit=100" + cursor},
		"another limit":     {"fcr-capacity", "from=2026-07-14&to=2026-07-16&limit=101" + cursor},
		"another parameter": {"fcr-capacity", raw + "&order=desc" + cursor},
		"a key":             {"fcr-capacity", raw + "&direction=UPWARD" + cursor},
		"no range":          {"fcr-capacity", "limit=100" + cursor},
		"cut short":         {"fcr-capacity", raw + cursor[:len(cursor)-1]},
		"with more":         {"fcr-capacity", raw + cursor + "A"},
		"of revisions":      {"fcr-capacity", raw + "&cursor=" + ofRevisions},
		"overlong":          {"fcr-capacity", raw + "&cursor=" + strings.Repeat("A", 5_000)},
	} {
		_, err := queryOf(row.dataset, row.raw)
		if detail := detailOf(err); !strings.Contains(detail.EN, "“cursor” does not come from an answer to the same other parameters") {
			t.Errorf("%s: %s", name, detail.EN)
		}
	}
	altered := []byte(cursor)
	for i := len("&cursor="); i < len(altered); i++ {
		for _, letter := range []byte("AZaz09-_") {
			if was := altered[i]; letter != was {
				altered[i] = letter
				if _, err := queryOf(market.FCRCapacity, raw+string(altered)); err == nil {
					t.Errorf("%s is good, and so is %s", cursor, altered)
				}
				altered[i] = was
			}
		}
	}
}

// A client can compute the checksum of a cursor, so its numbers are checked too.
func TestAForgedCursorIsRefusedUnlessItsNumbersCouldBeThoseOfAPage(t *testing.T) {
	const raw = "date=2026-07-16&limit=1&as_of=now&updated_since=now"
	q := mustQuery(t, market.FCRCapacity, raw)
	start, ms, last := q.period.Start, queryNow.UnixMilli(), time.Date(9999, time.December, 31, 22, 59, 59, 0, time.UTC).Unix()
	numbers := func(change func(n []int64)) []int64 {
		n := []int64{3, start, 900, ms, ms, 899, 2} // position, start and length of the range, as_of, updated_since, place: period and row
		if change != nil {
			change(n)
		}
		return n
	}
	for name, row := range map[string]struct {
		numbers []int64
		more    string
		isGood  bool
	}{
		"as it is made":                 {numbers: numbers(nil), isGood: true},
		"the first second":              {numbers: numbers(func(n []int64) { n[5], n[6] = 0, 0 }), isGood: true},
		"the largest position":          {numbers: numbers(func(n []int64) { n[0] = 1 << 53 }), isGood: true},
		"a larger position":             {numbers: numbers(func(n []int64) { n[0] = 1<<53 + 1 })},
		"the last year":                 {numbers: numbers(func(n []int64) { n[1] = last - 900 }), isGood: true},
		"a range that ends too late":    {numbers: numbers(func(n []int64) { n[1] = last + 3600 })},
		"a range that begins too early": {numbers: numbers(func(n []int64) { n[1] = -2_300_000_000 })},
		"a large number":                {numbers: numbers(func(n []int64) { n[6] = 1<<53 + 1 })},
		"a small number":                {numbers: numbers(func(n []int64) { n[3] = -1<<53 - 1 })},
		"a negative length":             {numbers: numbers(func(n []int64) { n[2], n[5] = -900, -901 })},
		"an empty range":                {numbers: numbers(func(n []int64) { n[2], n[5] = 0, 0 })},
		"before the range":              {numbers: numbers(func(n []int64) { n[5] = -1 })},
		"after the range":               {numbers: numbers(func(n []int64) { n[5] = 900 })},
		"a negative row":                {numbers: numbers(func(n []int64) { n[6] = -1 })},
		"as_of after the last year":     {numbers: numbers(func(n []int64) { n[3] = 1000 * (last + 7200) })},
		"since after the last year":     {numbers: numbers(func(n []int64) { n[4] = 1000 * (last + 7200) })},
		"a number too few":              {numbers: numbers(nil)[:6]},
		"a number too many":             {numbers: append(numbers(nil), 0)},
		"a number that does not end":    {numbers: numbers(nil)[:6], more: "\x80"},
	} {
		cursor := forgedRowsCursor(q.dataset, q.repeated, row.numbers, row.more)
		got, err := queryOf(market.FCRCapacity, raw+"&cursor="+cursor)
		if isGood := err == nil; isGood != row.isGood {
			t.Errorf("%s: %s is accepted %t: %+v", name, cursor, isGood, got.page)
		}
		if err != nil && !strings.Contains(detailOf(err).EN, "“cursor” does not come from an answer to the same other parameters") {
			t.Errorf("%s: %s", name, detailOf(err).EN)
		}
	}
}

func TestACursorOfAQueryComesBackAsItWas(t *testing.T) {
	storetest.Check(t, func(t *rapid.T) {
		day := rapid.IntRange(-20_000, 60_000).Draw(t, "day")
		date := market.NewDeliveryDate(2000, time.January, 1).Add(day)
		first, err := queryOf(market.MFRREnergy, "date="+date.String()+"&limit=7&columns=updated_at")
		if err != nil {
			t.Fatal(detailOf(err).EN)
		}
		place := rowsPlace{rapid.Int64Range(first.period.Start, first.period.End-1).Draw(t, "start"), rapid.IntRange(0, 1<<40).Draw(t, "row")}
		position := rapid.Int64Range(0, 1<<50).Draw(t, "position")
		q, err := queryOf(market.MFRREnergy, first.nextQuery(position, place))
		if err != nil || q.period != first.period || *q.page != (rowsPage{position, place}) {
			t.Fatalf("%+v, %v", q.page, err)
		}
	})
}

// checkQuery fails if the query is read to something that no handler expects, or is refused with anything but a sentence.
// It returns whether the query is read.
func checkQuery(t *testing.T, dataset market.Dataset, raw, accept string) bool {
	t.Helper()
	q, err := queryOf(dataset, raw, accept)
	if err != nil {
		detail := detailOf(err)
		for _, text := range []string{detail.FR, detail.EN} {
			if strings.HasPrefix(text, "another error") || text == "" || len(text) > 2500 || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00") {
				t.Errorf("%s?%.200q: %.300q", dataset, raw, text)
			}
		}
		return false
	}
	isBad := q.period.End < q.period.Start || !isInYears(q.period.From()) || !isInYears(q.period.To()) || q.limit < 0 || q.limit > mostPageRows ||
		len(q.columns) == 0 || len(q.keys) != len(dataset.Series().ServedKeys()) || (q.resolution == "") != (len(q.stats) == 0) || q.canonical() == "" ||
		q.page != nil && !q.period.Holds(q.page.place.start) || strings.ContainsFunc(q.contentDisposition(false), func(r rune) bool { return r < ' ' || r > '~' })
	if isBad {
		t.Errorf("%s?%.200q: %+v", dataset, raw, q)
	}
	return true
}

func FuzzRowsQuery(f *testing.F) {
	for _, raw := range []string{
		"", "from=2026-10-25&to=2026-10-26&columns=pdemand_mw,updated_at&order=desc&limit=10", "date=yesterday-P1M&resolution=PT1H&stat=mean,share&tz=Europe/Paris",
		"from=now-P1DT6H&as_of=2026-07-14T00:00:00 02:00&format=parquet&numbers=double", "updated_since=17&format=csv&nulls=%5CN&cursor=AAAA&limit=1", "direction=UPWARD&product=STD",
	} {
		f.Add(raw, "text/csv;q=0.5, */*", uint8(0))
	}
	f.Fuzz(func(t *testing.T, raw, accept string, of uint8) {
		datasets := market.Datasets()
		checkQuery(t, datasets[int(of)%len(datasets)], raw, accept)
	})
}

func TestTenThousandTimesAHostileQueryIsReadOrRefused(t *testing.T) {
	storetest.Long(t)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	var cursors []string
	for _, dataset := range market.Datasets() {
		q := mustQuery(t, dataset, "limit=5&from=yesterday")
		cursors = append(cursors, q.cursorAt(random.Int64N(1000), rowsPlace{q.period.Start, random.IntN(3)}))
	}
	values := slices.Concat(notInstants, cursors, words(format.All()), words(market.Stats()), words(market.BucketLengths()), words(market.Datasets()), rowsZones, rowsOrders, []string{
		"", "1", "-1", "0", "10", "100000", "99999999999999999999", "-9223372036854775808", "NaN", "Infinity", "0x10", "1_000", "1,2", "double", "native", "UPWARD", "STD", "DAILY",
		"' OR 1=1 --", "1; DROP TABLE afrr_energy_hour; --", "') UNION SELECT secret FROM token --", "%' AND pg_sleep(9) --", "../../../../etc/passwd", `..\..\courant.db`, "/dev/zero",
		"file:///etc/passwd", "<script>alert(1)</script>", "{{.}}", "${jndi:x}", "%00", "\r\nSet-Cookie: a=b", "\x00", "\xff\xfe", "\u202e\u0000", "😀😀😀😀😀😀😀😀", "e\u0301", "ＵＰＷＡＲＤ",
		"2026-07-14", "now", "today-P1D", "tomorrow+P1D", "now-P9999999M", "now+PT9e99H", "now-P999999999D", "1784152800", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1900-01-01", "9999-12-31",
		strings.Repeat("A", 9_000), strings.Repeat("pdemand_mw,", 500), strings.Repeat(",", 4_000), strings.Repeat("%41", 2_500), "pdemand_mw", "updated_at", "price", "price_eur_mwh",
		"Infinity,NaN", "csv,json", "mean,min,max,sum,count,share", `\N`, "=1+1", "@SUM(A1)",
	})
	var names []string
	for _, dataset := range market.Datasets() {
		for _, parameter := range rowsParameters(dataset) {
			names = append(names, parameter.name)
		}
	}
	names = append(names, "FROM", "from[]", "from ", "", "__proto__", "limit\x00", "q", strings.Repeat("x", 300))
	accepts := []string{"", "*/*", "text/csv", strings.Repeat("text/csv;q=0.1,", 2_000), strings.Repeat(";", 9_000), "a/b;q=\x00"}
	read := 0
	for range 10_000 {
		var pairs []string
		for range 1 + random.IntN(4) {
			name, value := pick(names), pick(values)
			if random.IntN(4) > 0 {
				name, value = url.QueryEscape(name), url.QueryEscape(value)
			}
			pairs = append(pairs, name+"="+value)
		}
		raw := strings.Join(pairs, pick([]string{"&", "&", "&", "&&", ";"}))
		dataset := market.Dataset(pick(words(market.Datasets())))
		if checkQuery(t, dataset, raw, pick(accepts)) {
			read++
		}
	}
	if read < 50 {
		t.Errorf("only %d queries were read: the others prove little of it", read)
	}
}
