package rte_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/rte"
	"courant/store/market"
)

var imbalanceFields = []field{
	{"start_date", `"2026-07-15T12:00:00+02:00"`}, {"end_date", `"2026-07-15T12:15:00+02:00"`}, {"imbalance", "-100.98"}, {"system_trend", `"HAUSSE"`},
	{"positive_imbalance_settlement_price", "48.08"}, {"negative_imbalance_settlement_price", "53.28"},
	{"missing_data_list", `"N/A"`}, {"updated_date", `"2026-07-15T12:17:41+02:00"`},
}

var (
	nothing = market.String{Withdrawn: true} // a text for which the source wrote that there is none

	imbalanceRow = market.ImbalanceStep{Start: at("2026-07-15T10:00:00Z"), PositivePrice: num(48.08), NegativePrice: num(53.28), ImbalanceMWh: num(-100.98),
		SystemTrend: market.Str("UPWARD"), MissingData: nothing, Updated: at("2026-07-15T10:17:41Z") * 1000}
)

// settlement is a value of imbalance_data, with changes.
func settlement(changes ...string) string { return object(imbalanceFields, changes...) }

// settlements is a document of values.
func settlements(values ...string) string {
	return `{"imbalance_data":[{"start_date":"2026-07-15T00:00:00+02:00","end_date":"2026-07-15T12:15:00+02:00","resolution":"PT15M","values":[` + strings.Join(values, ",") + `]}]}`
}

// lasting are the changes for a step from one Paris clock time to another one.
func lasting(start, end string) []string {
	return []string{"start_date", strconv.Quote(start), "end_date", strconv.Quote(end)}
}

// imbalance is a row like imbalanceRow with changes.
func imbalance(change func(*market.ImbalanceStep)) market.ImbalanceStep {
	row := imbalanceRow
	change(&row)
	return row
}

// imbalanceAt is a row like imbalanceRow at another instant.
func imbalanceAt(start string) market.ImbalanceStep {
	return imbalance(func(r *market.ImbalanceStep) { r.Start = at(start) })
}

func TestImbalanceDataWithItsQuirks(t *testing.T) {
	one := []market.ImbalanceStep{imbalanceRow}
	later := imbalanceAt("2026-07-15T10:15:00Z")
	laterFields := lasting("2026-07-15T12:15:00+02:00", "2026-07-15T12:30:00+02:00")
	nextDay := lasting("2026-07-16T12:00:00+02:00", "2026-07-16T12:15:00+02:00")
	onNextDay := []market.ImbalanceStep{imbalanceAt("2026-07-16T10:00:00Z")}
	twoDays := market.Period{Start: summerDay.Period().Start, End: summerDay.Add(1).Period().End}
	newYear := market.NewDeliveryDate(2025, time.January, 1)
	trend := func(s market.String) []market.ImbalanceStep {
		return []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.SystemTrend = s })}
	}
	missing := func(s market.String) []market.ImbalanceStep {
		return []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.MissingData = s })}
	}
	refused := func(reason string) []string {
		return []string{"imbalance-prices 2026-07-15: 2026-07-15T10:00:00Z: " + reason}
	}
	withoutTrend := trend(market.String{})
	testQuirks(t, rte.DecodeImbalanceData, []quirk[market.ImbalanceStep]{
		{name: "one step", body: settlements(settlement()), rows: one},
		{name: "no block", body: `{"imbalance_data":[]}`},
		{name: "no step", body: settlements()},
		{name: "null for blocks", body: `{"imbalance_data":null}`},
		{name: "null for steps", body: `{"imbalance_data":[{"values":null}]}`},
		{name: "steps absent", body: `{"imbalance_data":[{"resolution":"PT15M"}]}`},
		{name: "several blocks", body: `{"imbalance_data":[{"values":[` + settlement(laterFields...) + `]},{"values":[` + settlement() + `]}]}`, rows: []market.ImbalanceStep{imbalanceRow, later}},
		{name: "newest first is put in order", body: settlements(settlement(laterFields...), settlement()), rows: []market.ImbalanceStep{imbalanceRow, later}},
		{name: "what the block says of itself is ignored", rows: one,
			body: `{"imbalance_data":[{"start_date":7,"end_date":"never","resolution":"PT30M","values":[` + settlement() + `]}]}`},
		{name: "integers among decimals", body: settlements(settlement("imbalance", "-320", "positive_imbalance_settlement_price", "86", "negative_imbalance_settlement_price", "95.0")),
			rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) {
				r.ImbalanceMWh, r.PositivePrice, r.NegativePrice = num(-320), num(86), num(95)
			})}},
		{name: "prices below zero", body: settlements(settlement("positive_imbalance_settlement_price", "-31.19", "negative_imbalance_settlement_price", "-28.15")),
			rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.PositivePrice, r.NegativePrice = num(-31.19), num(-28.15) })}},
		{name: "prices that are not computed yet", body: settlements(settlement("positive_imbalance_settlement_price", "null", "negative_imbalance_settlement_price", "", "missing_data_list", `"aFRR"`)),
			rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) {
				r.PositivePrice, r.NegativePrice, r.MissingData = withdrawn, market.Number{}, market.Str("aFRR")
			})}},

		{name: "the system is long", body: settlements(settlement("imbalance", "215.62", "system_trend", `"BAISSE"`)),
			rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.ImbalanceMWh, r.SystemTrend = num(215.62), market.Str("DOWNWARD") })}},
		{name: "a trend in another case", body: settlements(settlement("system_trend", `" Baisse "`)), rows: trend(market.Str("DOWNWARD"))},
		{name: "a trend in the energies' words", body: settlements(settlement("system_trend", `"downward"`)), rows: trend(market.Str("DOWNWARD"))},
		{name: "a trend of null", body: settlements(settlement("system_trend", "null")), rows: trend(nothing)},
		{name: "a trend without a text", body: settlements(settlement("system_trend", `""`)), rows: trend(nothing)},
		{name: "a trend that is not there", body: settlements(settlement("system_trend", `"n/a"`)), rows: trend(nothing)},
		{name: "a trend that is absent", body: settlements(settlement("system_trend", "")), rows: withoutTrend},
		{name: "an unknown trend refuses its date only", window: twoDays, body: settlements(settlement(nextDay...), settlement("system_trend", `"STABLE"`)),
			rows: onNextDay, apart: withoutTrend, refused: refused(`system_trend "STABLE" is not known`)},
		{name: "a trend of a wrong type", body: settlements(settlement("system_trend", "1")), apart: withoutTrend, refused: refused("system_trend: number stands where text belongs")},
		{name: "a long trend", body: settlements(settlement("system_trend", `"`+strings.Repeat("H", 41)+`"`)), apart: withoutTrend,
			refused: refused(`system_trend: "` + strings.Repeat("H", 40) + `"… is longer than 40 bytes`)},

		{name: "nothing is missing: n/a", body: settlements(settlement("missing_data_list", `" n/a "`)), rows: missing(nothing)},
		{name: "nothing is missing: none", body: settlements(settlement("missing_data_list", `"None"`)), rows: missing(nothing)},
		{name: "nothing is missing: null", body: settlements(settlement("missing_data_list", "null")), rows: missing(nothing)},
		{name: "nothing is missing: no text", body: settlements(settlement("missing_data_list", `" "`)), rows: missing(nothing)},
		{name: "nothing is said of what is missing", body: settlements(settlement("missing_data_list", "")), rows: missing(market.String{})},
		{name: "what is missing, as published", body: settlements(settlement("missing_data_list", `" aFRR: énergie, mFRR "`)), rows: missing(market.Str("aFRR: énergie, mFRR"))},
		{name: "what is missing, in one line", body: settlements(settlement("missing_data_list", `"\tprix\u0000\naFRR  mFRR\u0085"`)), rows: missing(market.Str("prix aFRR mFRR"))},
		{name: "what is missing, in bytes that are no text", body: settlements(settlement("missing_data_list", "\"a\xff\xfeb\"")), rows: missing(market.Str("a\uFFFD\uFFFDb"))},
		{name: "a text of 200 bytes is taken whole", body: settlements(settlement("missing_data_list", `"`+strings.Repeat("é", 100)+`"`)), rows: missing(market.Str(strings.Repeat("é", 100)))},
		{name: "a longer one is cut between two characters", body: settlements(settlement("missing_data_list", `"x`+strings.Repeat("é", 100)+`"`)), rows: missing(market.Str("x" + strings.Repeat("é", 99) + "…"))},
		{name: "what is missing is not worth the prices", body: settlements(settlement("missing_data_list", `["aFRR"]`)), rows: missing(market.String{}),
			notes: []string{"missing_data_list: array stands where text belongs; it was taken as null"}},

		{name: "update under its other name", body: settlements(settlement("updated_date", "", "update_date", `"2026-07-15T10:17:41Z"`)), rows: one},
		{name: "update absent", body: settlements(settlement("updated_date", "")), rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.Updated = 0 })}},
		{name: "update that is no instant", body: settlements(settlement("updated_date", `"soon"`)), rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.Updated = 0 })},
			notes: []string{`the date of an update is not an instant and was passed over: "soon"`}},
		{name: "keys in another case", rows: one,
			body: strings.NewReplacer("imbalance_data", "Imbalance_Data", "values", "VALUES", "system_trend", "System_Trend").Replace(settlements(settlement()))},
		{name: "an unknown key is told once", body: settlements(settlement("Colour", "[]"), settlement(append(laterFields, "colour", "1")...)),
			rows: []market.ImbalanceStep{imbalanceRow, later}, unknown: []string{"colour"}},

		{name: "a negative price below the positive one is served, with a remark a date", window: twoDays,
			body: settlements(settlement(append(nextDay, "negative_imbalance_settlement_price", "48.07")...), settlement(append(laterFields, "negative_imbalance_settlement_price", "48.08")...),
				settlement("negative_imbalance_settlement_price", "-53.28")),
			rows: []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.NegativePrice = num(-53.28) }),
				imbalance(func(r *market.ImbalanceStep) { r.Start, r.NegativePrice = later.Start, num(48.08) }),
				imbalance(func(r *market.ImbalanceStep) { r.Start, r.NegativePrice = onNextDay[0].Start, num(48.07) })},
			notes: []string{
				"imbalance-prices of 2026-07-15: steps with a negative price below the positive one, served as published: 1, the first at 2026-07-15T10:00:00Z",
				"imbalance-prices of 2026-07-16: steps with a negative price below the positive one, served as published: 1, the first at 2026-07-16T10:00:00Z"}},

		{name: "end absent", body: settlements(settlement("end_date", "")), rows: one},
		{name: "start in UTC", body: settlements(settlement("start_date", `"2026-07-15T10:00:00Z"`)), rows: one},
		{name: "the quarter hour before the clock goes forward", window: springDay.Period(), body: settlements(settlement(lasting("2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00")...)),
			rows: []market.ImbalanceStep{imbalanceAt("2026-03-29T00:45:00Z")}},
		{name: "the two offsets of the repeated hour", window: autumnDay.Period(),
			body: settlements(settlement(lasting("2026-10-25T02:45:00+01:00", "2026-10-25T03:00:00+01:00")...), settlement(lasting("2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00")...)),
			rows: []market.ImbalanceStep{imbalanceAt("2026-10-25T00:45:00Z"), imbalanceAt("2026-10-25T01:45:00Z")}},
		{name: "half an hour long", body: settlements(settlement("end_date", `"2026-07-15T12:30:00+02:00"`)), apart: one, refused: refused("it is not a quarter hour")},
		{name: "half an hour long on the first date with quarter hours: each lasts until the next", window: newYear.Period(),
			body: settlements(settlement(lasting("2025-01-01T01:00:00+01:00", "2025-01-01T01:15:00+01:00")...), settlement(lasting("2025-01-01T00:45:00+01:00", "2025-01-01T01:15:00+01:00")...),
				settlement(lasting("2025-01-01T00:30:00+01:00", "2025-01-01T01:00:00+01:00")...)),
			rows: []market.ImbalanceStep{imbalanceAt("2024-12-31T23:30:00Z"), imbalanceAt("2024-12-31T23:45:00Z"), imbalanceAt("2025-01-01T00:00:00Z")}},
		{name: "three quarters long on that date", window: newYear.Period(), body: settlements(settlement(lasting("2025-01-01T00:30:00+01:00", "2025-01-01T01:15:00+01:00")...)),
			apart: []market.ImbalanceStep{imbalanceAt("2024-12-31T23:30:00Z")}, refused: []string{"imbalance-prices 2025-01-01: 2024-12-31T23:30:00Z: it is not a quarter hour"}},
		{name: "half an hour long a day later", window: newYear.Add(1).Period(), body: settlements(settlement(lasting("2025-01-02T00:30:00+01:00", "2025-01-02T01:00:00+01:00")...)),
			apart: []market.ImbalanceStep{imbalanceAt("2025-01-01T23:30:00Z")}, refused: []string{"imbalance-prices 2025-01-02: 2025-01-01T23:30:00Z: it is not a quarter hour"}},
		{name: "half hours before that date are refused", window: market.Period{Start: newYear.Add(-1).Period().Start, End: newYear.Period().End},
			body:    settlements(settlement(lasting("2025-01-01T00:00:00+01:00", "2025-01-01T00:30:00+01:00")...), settlement(lasting("2024-12-31T23:30:00+01:00", "2025-01-01T00:00:00+01:00")...)),
			rows:    []market.ImbalanceStep{imbalanceAt("2024-12-31T23:00:00Z")},
			refused: []string{"final imbalance-prices 2024-12-31: steps before 2025-01-01 last half an hour, and an energy of half an hour cannot be split into quarter hours"}},
		{name: "half hours before that date that were not asked for are left out", window: newYear.Period(),
			body: settlements(settlement(lasting("2025-01-01T00:00:00+01:00", "2025-01-01T00:30:00+01:00")...), settlement(lasting("2024-12-31T23:30:00+01:00", "2025-01-01T00:00:00+01:00")...)),
			rows: []market.ImbalanceStep{imbalanceAt("2024-12-31T23:00:00Z")}},
		{name: "off the quarter hour", body: settlements(settlement(lasting("2026-07-15T12:05:00+02:00", "2026-07-15T12:20:00+02:00")...)),
			refused: []string{"imbalance-prices 2026-07-15: 2026-07-15T10:05:00Z: it is not a quarter hour"}},
		{name: "an end that cannot be read refuses its date", body: settlements(settlement("end_date", `"soon"`)), apart: one,
			refused: refused(`"soon" is not an instant in whole seconds with an offset`)},
		{name: "an odd end that only repeats a good row is noted", body: settlements(settlement("end_date", `"2026-07-15T13:00:00+02:00"`), settlement()), rows: one,
			notes: []string{"imbalance-prices: a row that only repeats another was left out: 2026-07-15T10:00:00Z: it is not a quarter hour"}},
		{name: "an odd end beside another trend refuses its date", body: settlements(settlement("end_date", `"2026-07-15T13:00:00+02:00"`, "system_trend", `"BAISSE"`), settlement()), apart: one,
			refused: refused("it is not a quarter hour")},
		{name: "a bad value refuses its date, and the rest of the row is set apart", body: settlements(settlement(laterFields...), settlement("imbalance", `"much"`)),
			apart:   []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.ImbalanceMWh = market.Number{} }), later},
			refused: refused(`"much" is not a number`)},
		{name: "a bad value beside a good row of its step leaves that one's texts", body: settlements(settlement("imbalance", `"much"`, "missing_data_list", `"aFRR"`), settlement("missing_data_list", "")),
			apart: missing(market.Str("aFRR")), refused: refused(`"much" is not a number`)},
		{name: "where the start is missing, the end names the date", window: twoDays, body: settlements(settlement(nextDay...), settlement("start_date", "")), rows: onNextDay,
			refused: []string{"final imbalance-prices 2026-07-15: a row has no start: it is missing"}},
		{name: "a start without an offset names its date", body: settlements(settlement("start_date", `"2026-07-15T12:00:00"`)),
			refused: []string{`final imbalance-prices 2026-07-15: a row has no start: "2026-07-15T12:00:00" is not an instant in whole seconds with an offset`}},
		{name: "a row that names no date has a window of several asked for in parts", window: twoDays, body: settlements(settlement(), settlement("start_date", "", "end_date", "")), err: "a row has no start: it is missing"},
		{name: "outside the window", window: market.Period{Start: imbalanceRow.Start, End: imbalanceRow.Start + 900}, rows: one,
			body: settlements(settlement(append(laterFields, "imbalance", `"much"`)...), settlement(), settlement(lasting("2026-07-15T11:45:00+02:00", "2026-07-15T12:00:00+02:00")...))},

		{name: "a step listed twice with the same values", body: settlements(settlement(), settlement()), rows: one},
		{name: "a step listed twice: the one that was updated later stands, texts too",
			body: settlements(settlement(), settlement("imbalance", "5", "system_trend", `"BAISSE"`, "updated_date", `"2026-07-15T12:17:40+02:00"`)), rows: one,
			notes: []string{"imbalance-prices of 2026-07-15 lists a step twice with other values; the one that was updated later stands"}},
		{name: "a step listed twice without dates: the later one stands, texts too",
			body:  settlements(settlement("updated_date", ""), settlement("system_trend", `"BAISSE"`, "updated_date", "", "positive_imbalance_settlement_price", "null")),
			rows:  []market.ImbalanceStep{imbalance(func(r *market.ImbalanceStep) { r.SystemTrend, r.Updated = market.Str("DOWNWARD"), 0 })},
			notes: []string{"imbalance-prices of 2026-07-15 lists a step twice with other values; the later one stands"}},

		{name: "key absent", body: `{"standard_rr_data":[]}`, err: "the reply holds no imbalance_data"},
		{name: "blocks in an object", body: `{"imbalance_data":{}}`, err: "cannot be read"},
		{name: "a block that is text", body: `{"imbalance_data":["N/A"]}`, err: "cannot be read"},
		{name: "a step that is a number", body: settlements("1"), err: "cannot be read"},
		{name: "cut short", body: settlements(settlement())[:250], err: "cannot be read"},
	})
}

// The captured documents were read by eye.
func TestCapturedImbalanceData(t *testing.T) {
	row := func(start string, mwh float64, trend string, positive, negative float64, updated string) market.ImbalanceStep {
		return market.ImbalanceStep{Start: at(start), ImbalanceMWh: num(mwh), SystemTrend: market.Str(trend), PositivePrice: num(positive),
			NegativePrice: num(negative), MissingData: nothing, Updated: at(updated) * 1000}
	}
	for _, tt := range []struct {
		file string
		date market.DeliveryDate
		want []market.ImbalanceStep // the first and the last ones
		rows int
	}{
		{"imbalance_data_v5_2026-10-11_first-hour.raw.json", market.NewDeliveryDate(2026, time.October, 11), []market.ImbalanceStep{
			row("2026-10-10T22:00:00Z", -282.06, "UPWARD", 108.86, 120.64, "2026-10-10T22:17:51Z"),
			row("2026-10-10T22:45:00Z", -100.98, "UPWARD", 48.08, 53.28, "2026-10-10T23:02:41Z")}, 4},
		{"imbalance_data_v5_2026-10-10_excerpt.json", market.NewDeliveryDate(2026, time.October, 10), []market.ImbalanceStep{
			row("2026-10-09T22:45:00Z", -264.08, "UPWARD", 86, 95.3, "2026-10-09T23:02:38Z"),
			row("2026-10-10T10:15:00Z", 215.62, "DOWNWARD", -31.19, -28.15, "2026-10-10T10:32:43Z")}, 6},
		{"imbalance_data_v5_2026-09-23_excerpt-late-updates.json", market.NewDeliveryDate(2026, time.September, 23), []market.ImbalanceStep{
			row("2026-09-23T09:30:00Z", -156.99, "UPWARD", 118.18, 131.86, "2026-09-24T07:42:28Z"),
			row("2026-09-23T21:45:00Z", 12.81, "DOWNWARD", 145.38, 162.2, "2026-09-23T22:02:46Z")}, 6},
	} {
		t.Run(tt.file, func(t *testing.T) {
			reply, err := rte.DecodeImbalanceData(strings.NewReader(captured(t, tt.file)), tt.date.Period())
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 || len(reply.Rows) != tt.rows {
				t.Fatalf("%d rows, refusals %q, notes %q, unknown keys %q", len(reply.Rows), refusalsOf(reply), reply.Notes, reply.UnknownKeys)
			}
			if diff := cmp.Diff(tt.want, []market.ImbalanceStep{reply.Rows[0], reply.Rows[tt.rows-1]}); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// The captured tables are RTE's values without their envelope: start, end, imbalance, trend, the positive and the negative
// price, and in one of them what is missing and when the row was written. Here they go back into their envelope.
func TestCapturedTablesOfImbalanceData(t *testing.T) {
	for _, tt := range []struct {
		file    string
		date    market.DeliveryDate
		starts  []string // UTC
		refused []string
	}{
		{"imbalance_data_2025-01-01_step-change.csv", market.NewDeliveryDate(2025, time.January, 1), []string{"2024-12-31T23:00:00Z", "2024-12-31T23:15:00Z", "2024-12-31T23:30:00Z",
			"2024-12-31T23:45:00Z", "2025-01-01T00:00:00Z", "2025-01-01T00:15:00Z", "2025-01-01T00:30:00Z", "2025-01-01T00:45:00Z", "2025-01-01T01:00:00Z"},
			[]string{"final imbalance-prices 2024-12-31: steps before 2025-01-01 last half an hour, and an energy of half an hour cannot be split into quarter hours"}},
		{"imbalance_data_2026-03-29_spring-change.csv", springDay, []string{"2026-03-28T23:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z",
			"2026-03-29T01:15:00Z", "2026-03-29T03:00:00Z", "2026-03-29T04:15:00Z"}, nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var values []string
			for i, text := range strings.Split(strings.TrimSpace(captured(t, tt.file)), "\n") {
				c := strings.Split(strings.TrimSpace(text), ",")
				if i == 0 {
					continue
				}
				changes := append(lasting(c[0], c[1]), "imbalance", c[2], "system_trend", strconv.Quote(c[3]),
					"positive_imbalance_settlement_price", c[4], "negative_imbalance_settlement_price", c[5])
				values = append(values, settlement(changes...))
			}
			reply, err := rte.DecodeImbalanceData(strings.NewReader(settlements(values...)), market.Period{Start: tt.date.Add(-1).Period().Start, End: tt.date.Period().End})
			if err != nil {
				t.Fatal(err)
			}
			var starts []string
			for _, row := range reply.Rows {
				starts = append(starts, time.Unix(row.Start, 0).UTC().Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.starts, starts); diff != "" {
				t.Errorf("starts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.refused, refusalsOf(reply)); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
			if len(reply.Notes) != 0 {
				t.Errorf("notes %q", reply.Notes)
			}
		})
	}
}

func TestTheImbalanceOfADayOfEachLength(t *testing.T) {
	for _, day := range []market.DeliveryDate{summerDay, springDay, autumnDay} {
		var values []string
		for start := day.End().Add(-15 * time.Minute); !start.Before(day.Start()); start = start.Add(-15 * time.Minute) {
			values = append(values, settlement(lasting(start.In(market.Paris).Format(time.RFC3339), start.Add(15*time.Minute).In(market.Paris).Format(time.RFC3339))...))
		}
		reply, err := rte.DecodeImbalanceData(strings.NewReader(settlements(values...)), day.Period())
		if err != nil || len(reply.Rows) != day.Steps(market.QuarterSeconds) || len(reply.Refusals.List()) != 0 {
			t.Fatalf("%s: %d rows, refusals %q, error %v", day, len(reply.Rows), refusalsOf(reply), err)
		}
		for i, row := range reply.Rows {
			if row.Start != day.Start().Unix()+int64(i)*market.QuarterSeconds {
				t.Fatalf("%s: row %d is of %s", day, i, fmt.Sprint(time.Unix(row.Start, 0).UTC()))
			}
		}
	}
}
