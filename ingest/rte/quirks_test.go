package rte_test

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/store/market"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Delivery dates with 24, 23 and 25 hours.
var (
	summerDay = market.NewDeliveryDate(2026, time.July, 15)
	springDay = market.NewDeliveryDate(2026, time.March, 29)
	autumnDay = market.NewDeliveryDate(2026, time.October, 25)
)

// at is an instant in seconds.
func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func num(v float64) market.Number { return market.Num(v) }

// withdrawn is a null that the source wrote.
var withdrawn = market.Number{Withdrawn: true}

func flag(v bool) market.Flag { return market.Flag{V: v, Valid: true} }

// field is a key of an object and its value as JSON.
type field struct{ key, value string }

// object writes fields with changes, which are keys and values in turn: a known key gets the value, or goes if that is
// "", and a new one is added.
func object(fields []field, changes ...string) string {
	fields = append([]field(nil), fields...)
	for i := 0; i < len(changes); i += 2 {
		change := field{changes[i], changes[i+1]}
		known := false
		for j := range fields {
			if fields[j].key == change.key {
				fields[j], known = change, true
			}
		}
		if !known {
			fields = append(fields, change)
		}
	}
	var parts []string
	for _, f := range fields {
		if f.value != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", f.key, f.value))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

type decoder[R any] func(io.Reader, market.Period) (source.Reply[R], error)

// quirk is a document and what is made of it.
type quirk[R any] struct {
	name    string
	body    string
	window  market.Period // zero: 2026-07-15
	rows    []R
	refused []string // dataset, date and reason; "final" in front where a person cannot accept
	apart   []R      // readable rows of refused dates
	omitted []string // dataset, date, steps and reason
	notes   []string
	unknown []string
	err     string // part of the error; then there is nothing else
}

func refusalsOf[R any](reply source.Reply[R]) []string {
	var refused []string
	for _, r := range reply.Refusals.List() {
		final := ""
		if r.Final {
			final = "final "
		}
		refused = append(refused, fmt.Sprintf("%s%s %s: %s", final, r.Dataset, r.Date, r.Reason))
	}
	return refused
}

func omissionsOf[R any](reply source.Reply[R]) []string {
	var omitted []string
	for _, o := range reply.Omissions {
		omitted = append(omitted, fmt.Sprintf("%s %s %d: %s", o.Dataset, o.Date, o.Steps, o.Reason))
	}
	return omitted
}

func testQuirks[R any](t *testing.T, decode decoder[R], quirks []quirk[R]) {
	for _, q := range quirks {
		t.Run(q.name, func(t *testing.T) {
			window := q.window
			if window == (market.Period{}) {
				window = summerDay.Period()
			}
			reply, err := decode(strings.NewReader(q.body), window)
			if q.err != "" {
				if err == nil || !strings.Contains(err.Error(), q.err) {
					t.Errorf("error %v, want one that says %q", err, q.err)
				}
				if !reflect.ValueOf(reply).IsZero() {
					t.Errorf("something came beside the error: %+v", reply)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rows := reply.Rows
			if len(rows) == 0 {
				rows = nil
			}
			for _, d := range []struct {
				what string
				diff string
			}{
				{"rows", cmp.Diff(q.rows, rows)},
				{"refusals", cmp.Diff(q.refused, refusalsOf(reply))},
				{"rows of refused dates", cmp.Diff(q.apart, reply.Refused)},
				{"omissions", cmp.Diff(q.omitted, omissionsOf(reply))},
				{"notes", cmp.Diff(q.notes, reply.Notes)},
				{"unknown keys", cmp.Diff(q.unknown, reply.UnknownKeys)},
			} {
				if d.diff != "" {
					t.Errorf("%s (-want +got):\n%s", d.what, d.diff)
				}
			}
			bytewise, err := decode(iotest.OneByteReader(strings.NewReader(q.body)), window)
			if err != nil || !reflect.DeepEqual(bytewise, reply) {
				t.Errorf("byte by byte it reads otherwise: %+v, %v", bytewise, err)
			}
		})
	}
}

// numbersOf are the numbers of a row by the names of their columns.
func numbersOf(row any) map[string]market.Number {
	numbers := map[string]market.Number{}
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		if n, is := v.Field(i).Interface().(market.Number); is {
			numbers[v.Type().Field(i).Name] = n
		}
	}
	return numbers
}

var capacityFields = []field{
	{"start_date", `"2026-07-15T10:00:00+00:00"`}, {"end_date", `"2026-07-15T10:15:00+00:00"`}, {"direction", `"UP"`},
	{"offered_volume", "2155"}, {"contracted_volume", "578"}, {"price", "6.925"},
	{"update_date", `"2026-07-14T07:08:10.511Z"`}, {"time_horizon", `"DAILY"`},
}

var capacityRow = market.CapacityStep{Dataset: market.AFRRCapacity, Start: at("2026-07-15T10:00:00Z"), Direction: market.Upward,
	TimeHorizon: "DAILY", Product: "STD", OfferedMW: num(2155), ContractedMW: num(578), Price: num(6.925), Updated: 1_784_012_890_511}

// value is one element of a block's values; see object.
func value(changes ...string) string { return object(capacityFields, changes...) }

func block(reserve, product string, values ...string) string {
	return fmt.Sprintf(`{"start_date":"2026-07-14T22:00:00+00:00","end_date":"2026-07-15T22:00:00+00:00","reserve":%q,"product_type":%q,"values":[%s]}`,
		reserve, product, strings.Join(values, ","))
}

func reserves(blocks ...string) string {
	return `{"result_procured_reserves":[` + strings.Join(blocks, ",") + `]}`
}

// capacity is a row like capacityRow with changes.
func capacity(change func(*market.CapacityStep)) market.CapacityStep {
	row := capacityRow
	change(&row)
	return row
}

// afrrAnd is a document with a good value of aFRR, and more.
func afrrAnd(more ...string) string { return reserves(block("AFRR", "STD", append(more, value())...)) }

func afrr(changes ...string) string { return reserves(block("AFRR", "STD", value(changes...))) }

func TestProcuredReservesWithTheirQuirks(t *testing.T) {
	t.Parallel()
	one := []market.CapacityStep{capacityRow}
	undated := []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Updated = 0 })}
	lacking := func(word string, reserves ...string) (omitted []string) {
		for _, reserve := range reserves {
			omitted = append(omitted, fmt.Sprintf("%s-capacity 2026-07-15 0: the reply does not have it, and has reserve %s, which is not known", reserve, word))
		}
		return omitted
	}
	atQuarter := func(i int64) func(*market.CapacityStep) {
		return func(r *market.CapacityStep) { r.Start += i * 900 }
	}
	quarter := func(i int) []string {
		start := time.Unix(capacityRow.Start+int64(i)*900, 0).UTC()
		return []string{"start_date", start.Format(`"2006-01-02T15:04:05Z"`), "end_date", start.Add(15 * time.Minute).Format(`"2006-01-02T15:04:05Z"`)}
	}
	twoDays := market.Period{Start: summerDay.Period().Start, End: summerDay.Add(1).Period().End}
	testQuirks(t, rte.DecodeProcuredReserves, []quirk[market.CapacityStep]{
		{name: "one value", body: afrr(), rows: one},
		{name: "three reserves in one reply", body: reserves(block("MFRR", "SPE0", value()), block("AFRR", "STD", value()), block("FCR", "STD", value("direction", `"UP_DOWN"`))),
			rows: []market.CapacityStep{
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE0" }), capacityRow,
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Direction = market.FCRCapacity, market.Symmetric })}},
		{name: "downward", body: afrr("direction", `"DOWN"`), rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Direction = market.Downward })}},
		{name: "no block yet", body: reserves()},
		{name: "blocks without values", body: reserves(block("AFRR", "STD"), block("FCR", "STD"))},
		{name: "null for blocks", body: `{"result_procured_reserves":null}`},
		{name: "null for values", body: `{"result_procured_reserves":[{"reserve":"AFRR","product_type":"STD","values":null}]}`},
		{name: "values absent", body: `{"result_procured_reserves":[{"reserve":"AFRR","product_type":"STD"}]}`},
		{name: "reserve behind the values", body: `{"result_procured_reserves":[{"values":[` + value() + `],"product_type":"STD","reserve":"AFRR"}]}`, rows: one},
		{name: "several blocks of one reserve and product",
			body: reserves(block("MFRR", "SPE0", value()), block("MFRR", "SPE0", value("time_horizon", `"PERIODIC"`, "price", "1"))),
			rows: []market.CapacityStep{
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE0" }),
				capacity(func(r *market.CapacityStep) {
					r.Dataset, r.Product, r.TimeHorizon, r.Price = market.MFRRCapacity, "SPE0", "PERIODIC", num(1)
				})}},
		{name: "one step in two products", body: reserves(block("MFRR", "SPE", value()), block("MFRR", "SPE0", value())),
			rows: []market.CapacityStep{
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE" }),
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE0" })}},
		{name: "newest first and directions mixed",
			body: reserves(block("AFRR", "STD", value(quarter(2)...), value(append(quarter(1), "direction", `"DOWN"`)...), value(quarter(0)...))),
			rows: []market.CapacityStep{capacity(atQuarter(2)),
				capacity(func(r *market.CapacityStep) { r.Start, r.Direction = r.Start+900, market.Downward }), capacityRow}},
		{name: "RR is left out without a word", body: reserves(block("RR", "SPE0", value()), block("AFRR", "STD", value())), rows: one},
		{name: "RR is left out whatever it holds", body: reserves(block("RR", "SPE0", value("direction", `"SIDEWAYS"`, "start_date", "")))},
		{name: "an unknown reserve is left out with a note", body: reserves(block("KRR", "STD", value()), block("KRR", "STD"), block("AFRR", "STD", value())), rows: one,
			notes: []string{`reserve "KRR" is not known and was left out`}, omitted: lacking(`"KRR"`, "fcr", "mfrr")},
		{name: "an unknown reserve is only noted where no known one is lacking", notes: []string{`reserve "KRR" is not known and was left out`},
			body: reserves(block("KRR", "STD", value()), block("AFRR", "STD", value()), block("FCR", "STD", value("direction", `"UP_DOWN"`)), block("MFRR", "SPE", value())),
			rows: []market.CapacityStep{capacityRow, capacity(func(r *market.CapacityStep) { r.Dataset, r.Direction = market.FCRCapacity, market.Symmetric }),
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE" })}},
		{name: "an unknown reserve may be one that is lacking on every date of the window", window: twoDays, body: reserves(block("AFFR", "STD", value())),
			notes: []string{`reserve "AFFR" is not known and was left out`},
			omitted: slices.Concat(
				[]string{`fcr-capacity 2026-07-15 0: the reply does not have it, and has reserve "AFFR", which is not known`, `fcr-capacity 2026-07-16 0: the reply does not have it, and has reserve "AFFR", which is not known`},
				[]string{`afrr-capacity 2026-07-15 0: the reply does not have it, and has reserve "AFFR", which is not known`, `afrr-capacity 2026-07-16 0: the reply does not have it, and has reserve "AFFR", which is not known`},
				[]string{`mfrr-capacity 2026-07-15 0: the reply does not have it, and has reserve "AFFR", which is not known`, `mfrr-capacity 2026-07-16 0: the reply does not have it, and has reserve "AFFR", which is not known`})},
		{name: "a reserve that is lacking is not looked for in RR", body: reserves(block("rr", "STD", value()), block("AFRR", "STD", value())), rows: one},
		{name: "reserve, product, horizon and direction in another case", body: reserves(block("aFRR", "std", value("time_horizon", `"Daily"`, "direction", `"up"`)),
			block("afrr", "Std", value("direction", `"Down"`)), block(" fcr ", "STD", value("direction", `"up_down"`))),
			rows: []market.CapacityStep{capacityRow, capacity(func(r *market.CapacityStep) { r.Direction = market.Downward }),
				capacity(func(r *market.CapacityStep) { r.Dataset, r.Direction = market.FCRCapacity, market.Symmetric })}},
		{name: "a step of one product in two spellings is one step", body: reserves(block("AFRR", "STD", value()), block("AFRR", "std", value("time_horizon", `"daily"`))), rows: one},
		{name: "an unknown product and horizon in capitals", body: reserves(block("AFRR", "new", value("time_horizon", `"Weekly"`))),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Product, r.TimeHorizon = "NEW", "WEEKLY" })}},
		{name: "FCR has no single direction", body: reserves(block("FCR", "STD", value(), value("direction", `"DOWN"`)), block("AFRR", "STD", value())), rows: one,
			refused: []string{`fcr-capacity 2026-07-15: 2026-07-15T10:00:00Z: FCR has no direction "UP"`}},
		{name: "aFRR is not symmetric", body: reserves(block("AFRR", "STD", value("direction", `"UP_DOWN"`))),
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: aFRR has no direction "UP_DOWN"`}},
		{name: "mFRR is not symmetric, and the rest of its date is set apart", body: reserves(block("MFRR", "SPE", value("direction", `"UP_DOWN"`), value())),
			apart:   []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE" })},
			refused: []string{`mfrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: mFRR has no direction "UP_DOWN"`}},
		{name: "a long unknown reserve is noted in short", body: reserves(block(strings.Repeat("K", 1000), "STD")),
			notes: []string{`reserve "` + strings.Repeat("K", 40) + `" is not known and was left out`}, omitted: lacking(`"`+strings.Repeat("K", 40)+`"`, "fcr", "afrr", "mfrr")},
		{name: "a missing reserve is noted", body: `{"result_procured_reserves":[{"product_type":"STD","values":[` + value() + `]}]}`,
			notes: []string{`reserve "" is not known and was left out`}, omitted: lacking(`""`, "fcr", "afrr", "mfrr")},
		{name: "a product of a wrong type refuses the dates of its values", window: twoDays,
			body:    `{"result_procured_reserves":[{"reserve":"AFRR","product_type":7,"values":[` + value() + `]},` + block("FCR", "STD", value("direction", `"UP_DOWN"`)) + `]}`,
			rows:    []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Dataset, r.Direction = market.FCRCapacity, market.Symmetric })},
			refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: product_type: number stands where text belongs"}},
		{name: "words of 40 bytes are taken, of 41 not", body: reserves(block("AFRR", strings.Repeat("P", 40), value("time_horizon", `"`+strings.Repeat("H", 40)+`"`))),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) {
				r.Product, r.TimeHorizon = strings.Repeat("P", 40), strings.Repeat("H", 40)
			})}},
		{name: "a product of 41 bytes", body: reserves(block("AFRR", strings.Repeat("P", 41), value())),
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: product_type: "` + strings.Repeat("P", 40) + `"… is longer than 40 bytes`}},
		{name: "a horizon of 41 bytes", body: afrr("time_horizon", `"`+strings.Repeat("H", 41)+`"`),
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: "` + strings.Repeat("H", 40) + `"… is longer than 40 bytes`}},

		{name: "keys in another case", rows: one,
			body: `{"RESULT_Procured_Reserves":[{"Reserve":"AFRR","PRODUCT_TYPE":"STD","Values":[` +
				strings.NewReplacer("start_date", "Start_Date", "offered", "OFFERED", "price", "PRICE").Replace(value()) + `]}]}`},
		{name: "an unknown key is told once", rows: []market.CapacityStep{capacityRow, capacity(atQuarter(1))}, unknown: []string{"version", "colour"},
			body: `{"version":5,` + reserves(block("AFRR", "STD", value("Colour", `{"a":[1,"b"]}`), value(append(quarter(1), "colour", "null")...)))[1:]},

		{name: "end absent", body: afrr("end_date", ""), rows: one},
		{name: "end null", body: afrr("end_date", "null"), rows: one},
		{name: "horizon absent", body: afrr("time_horizon", ""), rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.TimeHorizon = "" })}},
		{name: "another horizon", body: afrr("time_horizon", `"WEEKLY"`), rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.TimeHorizon = "WEEKLY" })}},
		{name: "update absent", body: afrr("update_date", ""), rows: undated},
		{name: "update null", body: afrr("update_date", "null"), rows: undated},
		{name: "update under its other name", body: afrr("update_date", "", "updated_date", `"2026-07-14T09:08:10.511+02:00"`), rows: one},
		{name: "update of a wrong type", body: afrr("update_date", `[{}]`), rows: undated,
			notes: []string{"the date of an update is not an instant and was passed over: array stands where text belongs"}},
		{name: "updates that are no instants are told once", body: reserves(block("AFRR", "STD", value("update_date", `"soon"`), value(append(quarter(1), "update_date", `"later"`)...))),
			rows:  []market.CapacityStep{undated[0], capacity(func(r *market.CapacityStep) { r.Start, r.Updated = r.Start+900, 0 })},
			notes: []string{`the date of an update is not an instant and was passed over: "soon"`}},
		{name: "nulls that are written, and one that is left out", body: afrr("price", `"Invalid"`, "offered_volume", "null", "contracted_volume", ""),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) {
				r.Price, r.OfferedMW, r.ContractedMW = withdrawn, withdrawn, market.Number{}
			})}},
		{name: "start without seconds", body: afrr("start_date", `"2026-07-15T10:00+00:00"`), rows: one},
		{name: "start with a space and short offsets", body: afrr("start_date", `"2026-07-15 12:00:00+02"`, "end_date", `"2026-07-15T12:15+0200"`), rows: one},
		{name: "a byte order mark", body: "\ufeff" + afrr(), rows: one},
		{name: "start with Paris's offset", body: afrr("start_date", `"2026-07-15T12:00:00+02:00"`), rows: one},
		{name: "start with Z and milliseconds", body: afrr("start_date", `"2026-07-15T10:00:00.000Z"`), rows: one},
		{name: "escaped text", body: strings.ReplaceAll(afrr(), `"UP"`, `"\u0055\u0050"`), rows: one},

		{name: "a step listed twice: the later one stands", body: reserves(block("AFRR", "STD", value(), value("price", "7"))),
			rows:  []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Price = num(7) })},
			notes: []string{"afrr-capacity of 2026-07-15 lists a step twice with other values; the later one stands"}},
		{name: "a null takes the place of no value", body: reserves(block("AFRR", "STD", value()), block("AFRR", "STD", value("price", "null", "offered_volume", `""`))), rows: one},
		{name: "a value takes the place of a null that was written", body: reserves(block("AFRR", "STD", value("price", "null")), block("AFRR", "STD", value())), rows: one},
		{name: "a null that one row writes and another leaves out is written", body: reserves(block("AFRR", "STD", value("price", "")), block("AFRR", "STD", value("price", "null"))),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Price = withdrawn })}},
		{name: "a step listed twice: the one that was updated later stands, field by field",
			body: reserves(block("AFRR", "STD", value("price", "7", "offered_volume", "null", "update_date", `"2026-07-14T08:00:00Z"`), value("price", "8", "offered_volume", "9"))),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) {
				r.Price, r.OfferedMW, r.Updated = num(7), num(9), at("2026-07-14T08:00:00Z")*1000
			})},
			notes: []string{"afrr-capacity of 2026-07-15 lists a step twice with other values; the one that was updated later stands"}},
		{name: "a step listed three times: each value by its own date",
			body: reserves(block("AFRR", "STD", value("price", "7", "update_date", `"2026-07-14T08:00:00Z"`), value("price", "null", "offered_volume", "9", "update_date", `"2026-07-14T10:00:00Z"`),
				value("price", "8", "offered_volume", "10", "update_date", `"2026-07-14T09:00:00Z"`))),
			rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) {
				r.Price, r.OfferedMW, r.Updated = num(8), num(9), at("2026-07-14T10:00:00Z")*1000
			})},
			notes: []string{"afrr-capacity of 2026-07-15 lists a step twice with other values; the one that was updated later stands"}},
		{name: "where one row has no date of update, the later one stands",
			body: reserves(block("AFRR", "STD", value(), value("price", "8", "update_date", ""))), rows: []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Price = num(8) })},
			notes: []string{"afrr-capacity of 2026-07-15 lists a step twice with other values; the later one stands"}},
		{name: "a step listed twice with the same values", body: reserves(block("AFRR", "STD", value(), value("price", `"6.9250"`))), rows: one},

		{name: "outside the window", body: reserves(block("AFRR", "STD",
			value("start_date", `"2026-07-14T21:45:00Z"`, "end_date", `"2026-07-14T22:00:00Z"`), value(),
			value("start_date", `"2026-07-15T22:00:00Z"`, "end_date", `"2026-07-15T22:15:00Z"`))), rows: one},
		{name: "bad outside the window", body: reserves(block("AFRR", "STD", value(), value("start_date", `"2026-07-15T22:00:00Z"`, "direction", `"SIDEWAYS"`))), rows: one},

		{name: "an unknown direction refuses only its dataset and date", window: twoDays,
			body: reserves(block("AFRR", "STD", value("direction", `"SIDEWAYS"`), value(quarter(1)...), value(quarter(96)...)),
				block("FCR", "STD", value("direction", `"UP_DOWN"`))),
			rows:    []market.CapacityStep{capacity(atQuarter(96)), capacity(func(r *market.CapacityStep) { r.Dataset, r.Direction = market.FCRCapacity, market.Symmetric })},
			apart:   []market.CapacityStep{capacity(atQuarter(1))},
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: aFRR has no direction "SIDEWAYS"`}},
		{name: "the energies' direction is unknown here", body: afrr("direction", `"UPWARD"`),
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: aFRR has no direction "UPWARD"`}},
		{name: "direction missing", body: afrr("direction", ""), refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: the direction is missing"}},
		{name: "direction null", body: afrr("direction", "null"), refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: the direction is missing"}},
		{name: "direction of a wrong type", body: afrr("direction", `{"up":true}`),
			refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: object stands where text belongs"}},
		{name: "where the start is missing, the end names the date", window: twoDays, apart: one,
			body:    reserves(block("AFRR", "STD", value("start_date", ""), value(), value(quarter(96)...)), block("MFRR", "SPE", value())),
			rows:    []market.CapacityStep{capacity(atQuarter(96)), capacity(func(r *market.CapacityStep) { r.Dataset, r.Product = market.MFRRCapacity, "SPE" })},
			refused: []string{"final afrr-capacity 2026-07-15: a value has no start: it is missing"}},
		{name: "a start with a bad time names its date", window: twoDays, rows: []market.CapacityStep{capacity(atQuarter(96))}, apart: one,
			body:    reserves(block("AFRR", "STD", value("start_date", `"2026-07-15T25:00:00Z"`, "end_date", ""), value(), value(quarter(96)...))),
			refused: []string{`final afrr-capacity 2026-07-15: a value has no start: "2026-07-15T25:00:00Z" is not an instant in whole seconds with an offset`}},
		{name: "a start that names a date outside the window", body: reserves(block("AFRR", "STD", value("start_date", `"2026-07-17T25:00:00Z"`, "end_date", ""), value())), rows: one,
			notes: []string{`afrr-capacity: a value has no start: "2026-07-17T25:00:00Z" is not an instant in whole seconds with an offset; it names 2026-07-17, which was not asked for`}},
		{name: "a value that names no date refuses a window of one date", body: reserves(block("AFRR", "STD", value("start_date", "", "end_date", ""), value())), apart: one,
			refused: []string{"final afrr-capacity 2026-07-15: a value has no start: it is missing"}},
		{name: "a value that names no date has a window of several asked for in parts", window: twoDays, err: "a value has no start: it is missing",
			body: reserves(block("AFRR", "STD", value("start_date", "", "end_date", ""), value()), block("MFRR", "SPE", value()))},
		{name: "a value that names no date is of no date that is whole without it", window: market.Period{Start: capacityRow.Start, End: capacityRow.Start + 900}, rows: one,
			body: afrrAnd(value("start_date", "", "end_date", "")), notes: []string{"afrr-capacity: a value has no start: it is missing; every date is whole without it"}},
		{name: "an odd end that only repeats a good row is noted", body: reserves(block("AFRR", "STD", value("end_date", `"2026-07-15T07:00:00Z"`), value())), rows: one,
			notes: []string{"afrr-capacity: a row that only repeats another was left out: 2026-07-15T10:00:00Z: it is not a quarter hour"}},
		{name: "an odd end beside another price refuses its date, and the good row is set apart", apart: one,
			body:    reserves(block("AFRR", "STD", value(), value("price", "7", "end_date", `"soon"`))),
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: "soon" is not an instant in whole seconds with an offset`}},
		{name: "a number that cannot be read refuses its date, and the rest of the row is set apart", body: afrr("price", `"dear"`),
			apart:   []market.CapacityStep{capacity(func(r *market.CapacityStep) { r.Price = market.Number{} })},
			refused: []string{`afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: "dear" is not a number`}},
		{name: "start without an offset", body: afrr("start_date", `"2026-07-15T10:00:00"`),
			refused: []string{`final afrr-capacity 2026-07-15: a value has no start: "2026-07-15T10:00:00" is not an instant in whole seconds with an offset`}},
		{name: "start within a second", body: afrr("start_date", `"2026-07-15T10:00:00.5Z"`),
			refused: []string{`final afrr-capacity 2026-07-15: a value has no start: "2026-07-15T10:00:00.5Z" is not an instant in whole seconds with an offset`}},
		{name: "start of a wrong type", body: afrr("start_date", "1784109600"),
			refused: []string{"final afrr-capacity 2026-07-15: a value has no start: number stands where text belongs"}},
		{name: "start off the quarter hour", body: afrr("start_date", `"2026-07-15T10:05:00Z"`, "end_date", ""),
			refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:05:00Z: it is not a quarter hour"}},
		{name: "half an hour long", body: afrr("end_date", `"2026-07-15T10:30:00Z"`),
			apart: one, refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: it is not a quarter hour"}},
		{name: "end before start", body: afrr("end_date", `"2026-07-15T09:45:00Z"`),
			apart: one, refused: []string{"afrr-capacity 2026-07-15: 2026-07-15T10:00:00Z: it is not a quarter hour"}},

		{name: "key absent", body: `{"procured_reserves":[]}`, err: "the reply holds no result_procured_reserves"},
		{name: "an empty object", body: `{}`, err: "the reply holds no result_procured_reserves"},
		{name: "an array", body: `[` + afrr() + `]`, err: "cannot be read"},
		{name: "null", body: `null`, err: "cannot be read"},
		{name: "blocks in an object", body: `{"result_procured_reserves":{}}`, err: "cannot be read"},
		{name: "a block that is text", body: `{"result_procured_reserves":["AFRR"]}`, err: "cannot be read"},
		{name: "values that are text", body: `{"result_procured_reserves":[{"reserve":"AFRR","values":"none"}]}`, err: "cannot be read"},
		{name: "a comma too many", body: `{"result_procured_reserves":[` + block("AFRR", "STD") + `,]}`, err: "cannot be read"},
	})
}

var afrrFields = []field{
	{"step", `"12:00:00"`}, {"prorata_mode", `"false"`}, {"picasso_connection", `"true"`},
	{"upward_afrr_marginal_price", `"Invalid"`}, {"downward_afrr_marginal_price", "-401.5"},
	{"pdemand", "-1398.2601"}, {"afrr_for_france", "-824.9579"}, {"afrr_in_france", "-824.9719"},
}

var afrrRow = market.AFRRStep{Start: at("2026-07-15T10:00:00Z"), UpwardPrice: withdrawn, DownwardPrice: num(-401.5), DemandMW: num(-1398.2601),
	ForFranceMW: num(-824.9579), InFranceMW: num(-824.9719), PicassoConnection: flag(true), ProrataMode: flag(false)}

func step(changes ...string) string { return object(afrrFields, changes...) }

func day(date string, steps ...string) string {
	return fmt.Sprintf(`{"start_date":%q,"datas":[%s]}`, date, strings.Join(steps, ","))
}

func days(days ...string) string { return `{"days":[` + strings.Join(days, ",") + `]}` }

func oneStep(changes ...string) string { return days(day("2026-07-15", step(changes...))) }

func energy(change func(*market.AFRRStep)) market.AFRRStep {
	row := afrrRow
	change(&row)
	return row
}

func TestMarginalPriceWithItsQuirks(t *testing.T) {
	t.Parallel()
	one := []market.AFRRStep{afrrRow}
	later := func(seconds int64) market.AFRRStep {
		return energy(func(r *market.AFRRStep) { r.Start += seconds })
	}
	noValues := []string{"prorata_mode", "", "picasso_connection", "", "upward_afrr_marginal_price", "", "downward_afrr_marginal_price", "",
		"pdemand", "", "afrr_for_france", "", "afrr_in_france", ""}
	omitted := func(reason string) []string { return []string{"afrr-energy 2026-07-15 1: " + reason} }
	finally := func(reason string) []string { return []string{"final afrr-energy 2026-07-15: " + reason} }
	testQuirks(t, rte.DecodeMarginalPrice, []quirk[market.AFRRStep]{
		{name: "one step", body: oneStep(), rows: one},
		{name: "no day", body: days()},
		{name: "a day without steps", body: days(day("2026-07-15"))},
		{name: "null for days", body: `{"days":null}`},
		{name: "null for steps", body: `{"days":[{"start_date":"2026-07-15","datas":null}]}`},
		{name: "steps absent", body: `{"days":[{"start_date":"2026-07-15"}]}`},
		{name: "a day without a date and without steps", body: `{"days":[{}]}`},
		{name: "a step without values", body: oneStep(noValues...), rows: []market.AFRRStep{{Start: afrrRow.Start}}},
		{name: "date behind the steps", body: `{"days":[{"datas":[` + step() + `],"start_date":"2026-07-15"}]}`, rows: one},
		{name: "newest first", body: days(day("2026-07-15", step("step", `"12:00:08"`), step("step", `"12:00:04"`), step())),
			rows: []market.AFRRStep{later(8), later(4), afrrRow}},
		{name: "oldest first", body: days(day("2026-07-15", step(), step("step", `"12:00:04"`))), rows: []market.AFRRStep{afrrRow, later(4)}},
		{name: "two days, newest first", window: market.Period{Start: at("2026-07-14T00:00:00Z"), End: at("2026-07-15T00:00:00Z")},
			body: days(day("2026-07-15", step("step", `"01:59:56"`), step("step", `"02:00:00"`)), day("2026-07-14", step("step", `"02:00:00"`), step("step", `"01:59:56"`))),
			rows: []market.AFRRStep{
				energy(func(r *market.AFRRStep) { r.Start = at("2026-07-14T23:59:56Z") }),
				energy(func(r *market.AFRRStep) { r.Start = at("2026-07-14T00:00:00Z") })}},
		{name: "a day in two parts", body: days(day("2026-07-15", step("step", `"12:00:04"`)), day("2026-07-15", step())), rows: []market.AFRRStep{later(4), afrrRow}},
		{name: "keys in another case", body: strings.NewReplacer("days", "Days", "datas", "DATAS", "start_date", "START_date", "step", "Step", "pdemand", "PDemand").Replace(oneStep()), rows: one},
		{name: "an unknown key is told once", body: `{"unit":{"price":"EUR"},` + days(`{"resolution":"PT4S",` + day("2026-07-15", step("Note", `"x"`), step("step", `"12:00:04"`, "note", `[]`))[1:])[1:],
			rows: []market.AFRRStep{afrrRow, later(4)}, unknown: []string{"unit", "resolution", "note"}},
		{name: "a step listed twice: the later one stands", body: days(day("2026-07-15", step(), step("pdemand", "1"))),
			rows:  []market.AFRRStep{energy(func(r *market.AFRRStep) { r.DemandMW = num(1) })},
			notes: []string{"afrr-energy of 2026-07-15 lists a step twice with other values; the later one stands"}},
		{name: "a step listed twice with the same values", body: days(day("2026-07-15", step(), step())), rows: one},
		{name: "outside the window", window: market.Period{Start: afrrRow.Start, End: afrrRow.Start + 4},
			body: days(day("2026-07-15", step("step", `"12:00:04"`), step(), step("step", `"11:59:56"`)), day("2026-07-14", step())), rows: one},
		{name: "a bad value outside the window", window: market.Period{Start: afrrRow.Start, End: afrrRow.Start + 4},
			body: days(day("2026-07-15", step(), step("step", `"12:00:04"`, "pdemand", `"much"`))), rows: one},
		{name: "another day, whatever it holds", body: days(day("2026-07-16", step("step", `"noon"`)), day("2026-07-15", step()), day("2026-07-14", step("pdemand", `"x"`))), rows: one},
		{name: "an autumn day far from the window", body: days(day("2025-10-26", step("step", `"02:00:00"`), step("step", `"02:00:00"`)), day("2026-07-15", step())), rows: one},

		{name: "a bad value leaves its step out", window: market.Period{Start: at("2026-07-14T00:00:00Z"), End: at("2026-07-15T12:00:00Z")},
			body: days(day("2026-07-15", step(), step("step", `"12:00:04"`, "afrr_in_france", `"much"`)), day("2026-07-14", step())),
			rows: []market.AFRRStep{afrrRow, later(-86400)}, omitted: omitted(`2026-07-15T10:00:04Z: "much" is not a number`)},
		{name: "odd steps are counted together", body: days(day("2026-07-15", step(), step("step", `"12:00:02"`), step("step", `"noon"`), step("step", `"12:00:08"`, "pdemand", "[]"))), rows: one,
			omitted: []string{"afrr-energy 2026-07-15 3: 2026-07-15T10:00:02Z: it is not on the grid of 4 s"}},
		{name: "off the grid of 4 s", body: days(day("2026-07-15", step(), step("step", `"12:00:02"`))), rows: one, omitted: omitted("2026-07-15T10:00:02Z: it is not on the grid of 4 s")},
		{name: "no time", body: oneStep("step", ""), omitted: omitted("a step has no time")},
		{name: "null for the time", body: oneStep("step", "null"), omitted: omitted(`step "" is not a clock time`)},
		{name: "a number for the time", body: oneStep("step", "120000"), omitted: omitted(`step "" is not a clock time`)},
		{name: "hour 24", body: oneStep("step", `"24:00:00"`), omitted: omitted(`step "24:00:00" is not a clock time`)},
		{name: "minute 60", body: oneStep("step", `"12:60:00"`), omitted: omitted(`step "12:60:00" is not a clock time`)},
		{name: "second 60", body: oneStep("step", `"12:00:60"`), omitted: omitted(`step "12:00:60" is not a clock time`)},
		{name: "a sign in the time", body: oneStep("step", `"-1:00:00"`), omitted: omitted(`step "-1:00:00" is not a clock time`)},
		{name: "a time without seconds", body: oneStep("step", `"12:00"`), omitted: omitted(`step "12:00" is not a clock time`)},
		{name: "a whole instant for the time", body: oneStep("step", `"2026-07-15T12:00:00+02:00"`), omitted: omitted(`step "2026-07-15T12:00:00+02:00" is not a clock time`)},
		{name: "no date", body: `{"days":[{"datas":[` + step() + `]}]}`, refused: finally("a day has no date: it is missing")},
		{name: "a date with a time", body: days(day("2026-07-15T00:00:00+02:00", step())), refused: finally(`a day has no date: "2026-07-15T00:00:00+02:00" is not a date`)},
		{name: "a date that is none", body: days(day("2026-02-30", step())), refused: finally(`a day has no date: "2026-02-30" is not a date`)},
		{name: "a long text for the date", body: days(day(strings.Repeat("2", 10_000), step())), refused: finally(`a day has no date: "` + strings.Repeat("2", 40) + `" is not a date`)},
		{name: "the first date of all", body: days(day("1970-01-01", step())), refused: finally("a day has no date: it is missing")},
		{name: "a day that names another date by its text", body: days(day("2026-07-14T24:00", step()), day("2026-07-15", step())), rows: one,
			notes: []string{`afrr-energy: a day has no date: "2026-07-14T24:00" is not a date; it names 2026-07-14, which was not asked for`}},
		{name: "a day without a date, where the window is whole without it", window: market.Period{Start: afrrRow.Start, End: afrrRow.Start + 4},
			body: `{"days":[{"datas":[` + step() + `]},` + day("2026-07-15", step()) + `]}`, rows: one,
			notes: []string{"afrr-energy: a day has no date: it is missing; every date is whole without it"}},
		{name: "a day without a date has a window of two dates asked for in parts", window: market.Period{Start: at("2026-07-14T00:00:00Z"), End: at("2026-07-15T12:00:00Z")},
			body: `{"days":[{"datas":[` + step() + `]},` + day("2026-07-15", step()) + `]}`, err: "a day has no date: it is missing"},
		{name: "flags that are neither true nor false are null", body: days(day("2026-07-15", step("picasso_connection", `"N/A"`), step("step", `"12:00:04"`, "prorata_mode", "1"))),
			rows:  []market.AFRRStep{energy(func(r *market.AFRRStep) { r.PicassoConnection = market.Flag{} }), energy(func(r *market.AFRRStep) { r.Start, r.ProrataMode = r.Start+4, market.Flag{} })},
			notes: []string{`picasso_connection "N/A" is neither true nor false and was taken as null`, "prorata_mode: number stands where true or false belongs; it was taken as null"}},
		{name: "a null takes the place of no value", body: days(day("2026-07-15", step(), step("upward_afrr_marginal_price", "9", "downward_afrr_marginal_price", `"Invalid"`, "picasso_connection", "null", "pdemand", ""))),
			rows: []market.AFRRStep{energy(func(r *market.AFRRStep) { r.UpwardPrice = num(9) })}},
		{name: "a step listed twice: the one that was updated later stands", rows: one,
			body:  days(day("2026-07-15", step("update_date", `"2026-07-15T10:05:00Z"`), step("pdemand", "1", "updated_date", `"2026-07-15T10:04:00Z"`, "update_date", ""))),
			notes: []string{"afrr-energy of 2026-07-15 lists a step twice with other values; the one that was updated later stands"}},
		{name: "a day that was updated later stands", rows: one,
			body:  `{"days":[{"updated_date":"2026-07-16T00:00Z",` + day("2026-07-15", step())[1:] + `,{"updated_date":"2026-07-15T23:00Z",` + day("2026-07-15", step("pdemand", "1"))[1:] + `]}`,
			notes: []string{"afrr-energy of 2026-07-15 lists a step twice with other values; the one that was updated later stands"}},

		{name: "in the hour that spring leaves out", window: springDay.Period(), body: days(day("2026-03-29", step("step", `"01:59:56"`), step("step", `"02:30:00"`))),
			rows:    []market.AFRRStep{energy(func(r *market.AFRRStep) { r.Start = at("2026-03-29T00:59:56Z") })},
			omitted: []string{"afrr-energy 2026-03-29 1: step 02:30:00 does not exist on that day"}},
		{name: "around the hour that spring leaves out", window: springDay.Period(), body: days(day("2026-03-29", step("step", `"03:00:00"`), step("step", `"01:59:56"`))),
			rows: []market.AFRRStep{
				energy(func(r *market.AFRRStep) { r.Start = at("2026-03-29T01:00:00Z") }),
				energy(func(r *market.AFRRStep) { r.Start = at("2026-03-29T00:59:56Z") })}},

		{name: "key absent", body: `{"afrr_marginal_price":[]}`, err: "the reply holds no days"},
		{name: "an array", body: `[]`, err: "cannot be read"},
		{name: "a day that is text", body: `{"days":["2026-07-15"]}`, err: "cannot be read"},
		{name: "a step that is null", body: days(day("2026-07-15", "null")), err: "cannot be read"},
		{name: "steps in an object", body: `{"days":[{"start_date":"2026-07-15","datas":{}}]}`, err: "cannot be read"},
		{name: "a comma too many", body: days(day("2026-07-15", step()+",")), err: "cannot be read"},
	})
}

var mfrrFields = []field{
	{"start_date", `"2026-07-15T12:00:00+02:00"`}, {"end_date", `"2026-07-15T12:15:00+02:00"`}, {"direction", `"DOWNWARD"`},
	{"total_requested_volume_SA", "301.0"}, {"total_requested_volume_DA", "null"}, {"total_activated_volume_SA", "151.01"},
	{"clearing_price", "null"}, {"total_volume_submitted_offers", "301"},
}

var mfrrRow = market.MFRRStep{Start: at("2026-07-15T10:00:00Z"), Direction: market.Downward, ClearingPrice: withdrawn, RequestedVolumeDAMW: withdrawn,
	RequestedVolumeSAMW: num(301), ActivatedVolumeSAMW: num(151.01), SubmittedOffersMW: num(301)}

func measure(changes ...string) string { return object(mfrrFields, changes...) }

func mari(rows ...string) string {
	return `{"mari":{"start_date":"2026-07-15T00:00:00+02:00","end_date":"2026-07-16T00:00:00+02:00","resolution":"PT15M","mari_mesures":[` + strings.Join(rows, ",") + `]}}`
}

func activation(change func(*market.MFRRStep)) market.MFRRStep {
	row := mfrrRow
	change(&row)
	return row
}

func TestStandardMFRRWithItsQuirks(t *testing.T) {
	t.Parallel()
	one := []market.MFRRStep{mfrrRow}
	upward := activation(func(r *market.MFRRStep) { r.Direction = market.Upward })
	later := activation(func(r *market.MFRRStep) { r.Start += 900 })
	laterFields := []string{"start_date", `"2026-07-15T12:15:00+02:00"`, "end_date", `"2026-07-15T12:30:00+02:00"`}
	twoDays := market.Period{Start: summerDay.Period().Start, End: summerDay.Add(1).Period().End}
	refused := func(reason string) []string { return []string{"mfrr-energy 2026-07-15: " + reason} }
	testQuirks(t, rte.DecodeStandardMFRR, []quirk[market.MFRRStep]{
		{name: "one row", body: mari(measure()), rows: one},
		{name: "no row", body: mari()},
		{name: "null for all", body: `{"mari":null}`},
		{name: "null for rows", body: `{"mari":{"mari_mesures":null}}`},
		{name: "rows absent", body: `{"mari":{"resolution":"PT15M"}}`},
		{name: "an empty row", body: mari(measure("total_requested_volume_SA", "null", "total_requested_volume_DA", "", "total_activated_volume_SA", "", "total_volume_submitted_offers", "")),
			rows: []market.MFRRStep{{Start: mfrrRow.Start, Direction: market.Downward, ClearingPrice: withdrawn, RequestedVolumeSAMW: withdrawn}}},
		{name: "scheduled and direct activation in rows of their own", body: mari(measure(), measure("total_requested_volume_SA", "null", "total_requested_volume_DA", "9", "total_activated_volume_SA", "null",
			"total_activated_volume_DA", "7", "total_volume_submitted_offers", "")),
			rows: []market.MFRRStep{activation(func(r *market.MFRRStep) { r.RequestedVolumeDAMW, r.ActivatedVolumeDAMW = num(9), num(7) })}},
		{name: "settlement prices are no clearing price", body: mari(measure("settlement_price_current", "8", "settlement_price_previous", "7")),
			rows: []market.MFRRStep{activation(func(r *market.MFRRStep) { r.SettlementPriceCurrent, r.SettlementPricePrevious = num(8), num(7) })}},
		{name: "directions in other words and another case", body: mari(measure("direction", `"down"`), measure("direction", `"Up"`), measure(append(laterFields, "direction", `"Downward"`)...)),
			rows: []market.MFRRStep{mfrrRow, upward, later}},
		{name: "a row that says when it was written", body: mari(measure("updated_date", `"2026-07-15T12:20:00.250+02:00"`)),
			rows: []market.MFRRStep{activation(func(r *market.MFRRStep) { r.Updated = at("2026-07-15T10:20:00Z")*1000 + 250 })}},
		{name: "two directions a step in any order", body: mari(measure(), measure("direction", `"UPWARD"`), measure(append(laterFields, "direction", `"UPWARD"`)...), measure(laterFields...)),
			rows: []market.MFRRStep{mfrrRow, upward, activation(func(r *market.MFRRStep) { r.Start, r.Direction = r.Start+900, market.Upward }), later}},
		{name: "newest first", body: mari(measure(laterFields...), measure()), rows: []market.MFRRStep{later, mfrrRow}},
		{name: "keys in another case", body: strings.NewReplacer("_SA", "_sa", "mari", "MARI", "clearing_price", "Clearing_Price").Replace(mari(measure())), rows: one},
		{name: "an unknown key is told once", body: `{"id":1,` + mari(measure("Colour", `"x"`), measure(append(laterFields, "colour", `{}`)...))[1:],
			rows: []market.MFRRStep{mfrrRow, later}, unknown: []string{"id", "colour"}},
		{name: "end absent", body: mari(measure("end_date", "")), rows: one},
		{name: "start in UTC", body: mari(measure("start_date", `"2026-07-15T10:00:00Z"`)), rows: one},
		{name: "the two offsets of the repeated hour", window: autumnDay.Period(),
			body: mari(measure("start_date", `"2026-10-25T02:30:00+02:00"`, "end_date", `"2026-10-25T02:45:00+02:00"`), measure("start_date", `"2026-10-25T02:30:00+01:00"`, "end_date", `"2026-10-25T02:45:00+01:00"`)),
			rows: []market.MFRRStep{
				activation(func(r *market.MFRRStep) { r.Start = at("2026-10-25T00:30:00Z") }),
				activation(func(r *market.MFRRStep) { r.Start = at("2026-10-25T01:30:00Z") })}},
		{name: "a step listed twice: the later one stands", body: mari(measure(), measure("total_activated_volume_SA", "150")),
			rows:  []market.MFRRStep{activation(func(r *market.MFRRStep) { r.ActivatedVolumeSAMW = num(150) })},
			notes: []string{"mfrr-energy of 2026-07-15 lists a step twice with other values; the later one stands"}},
		{name: "a step listed twice with the same values", body: mari(measure(), measure()), rows: one},
		{name: "outside the window", window: market.Period{Start: mfrrRow.Start, End: mfrrRow.Start + 900},
			body: mari(measure("start_date", `"2026-07-15T11:45:00+02:00"`, "end_date", `"2026-07-15T12:00:00+02:00"`), measure(), measure(laterFields...)), rows: one},
		{name: "bad outside the window", window: market.Period{Start: mfrrRow.Start, End: mfrrRow.Start + 900},
			body: mari(measure(), measure(append(laterFields, "direction", `"SIDEWAYS"`)...)), rows: one},

		{name: "an unknown direction refuses its date only", window: twoDays, apart: []market.MFRRStep{upward},
			body:    mari(measure("direction", `"UP_DOWN"`), measure("direction", `"UPWARD"`), measure("start_date", `"2026-07-16T12:00:00+02:00"`, "end_date", "")),
			rows:    []market.MFRRStep{activation(func(r *market.MFRRStep) { r.Start += 86400 })},
			refused: refused(`2026-07-15T10:00:00Z: direction "UP_DOWN" is not known`)},
		{name: "direction missing", body: mari(measure("direction", "")), refused: refused("2026-07-15T10:00:00Z: the direction is missing")},
		{name: "where the start is missing, the end names the date", window: twoDays, body: mari(measure(), measure("start_date", ""), measure("start_date", `"2026-07-16T12:00:00+02:00"`, "end_date", "")),
			rows: []market.MFRRStep{activation(func(r *market.MFRRStep) { r.Start += 86400 })}, apart: one,
			refused: []string{"final mfrr-energy 2026-07-15: a row has no start: it is missing"}},
		{name: "a start without an offset names its date", body: mari(measure("start_date", `"2026-07-15T12:00:00"`)),
			refused: []string{`final mfrr-energy 2026-07-15: a row has no start: "2026-07-15T12:00:00" is not an instant in whole seconds with an offset`}},
		{name: "a row that names no date has a window of several asked for in parts", window: twoDays, body: mari(measure(), measure("start_date", "", "end_date", `"never"`)), err: "a row has no start"},
		{name: "a row that names no date may be any that lacks up to the running quarter", window: market.Period{Start: mfrrRow.Start, End: mfrrRow.Start + 1000},
			body: mari(measure(), measure("start_date", "", "end_date", `"never"`)), apart: one,
			refused: []string{"final mfrr-energy 2026-07-15: a row has no start: it is missing"}},
		{name: "a row that names no date lacks nowhere where the running quarter is there", window: market.Period{Start: mfrrRow.Start, End: mfrrRow.Start + 1000},
			body: mari(measure(), measure(laterFields...), measure("start_date", "", "end_date", `"never"`)), rows: []market.MFRRStep{mfrrRow, later},
			notes: []string{"mfrr-energy: a row has no start: it is missing; every date is whole without it"}},
		{name: "off the quarter hour", body: mari(measure("start_date", `"2026-07-15T12:01:00+02:00"`, "end_date", "")), refused: refused("2026-07-15T10:01:00Z: it is not a quarter hour")},
		{name: "an hour long", body: mari(measure("end_date", `"2026-07-15T13:00:00+02:00"`)), apart: one, refused: refused("2026-07-15T10:00:00Z: it is not a quarter hour")},
		{name: "a bad value refuses its date", body: mari(measure("total_volume_submitted_offers", "[]"), measure(laterFields...)),
			apart:   []market.MFRRStep{later, activation(func(r *market.MFRRStep) { r.SubmittedOffersMW = market.Number{} })},
			refused: refused("2026-07-15T10:00:00Z: array stands where a number belongs")},

		{name: "key absent", body: `{"picasso":{"picasso_mesures":[]}}`, err: "the reply holds no mari"},
		{name: "mari in an array", body: `{"mari":[]}`, err: "cannot be read"},
		{name: "a row that is a number", body: mari("1"), err: "cannot be read"},
		{name: "rows in text", body: `{"mari":{"mari_mesures":"none"}}`, err: "cannot be read"},
	})
}

// subject is a decoder and a document with one number in it.
type subject struct {
	name     string
	document func(number string) string
	// decode gives the number, false if its date was refused.
	decode func(t *testing.T, body io.Reader) (market.Number, bool, error)
}

func newSubject[R any](name string, decode decoder[R], document func(string) string, number func(R) market.Number) subject {
	return subject{name, document, func(t *testing.T, body io.Reader) (market.Number, bool, error) {
		reply, err := decode(body, market.Period{Start: at("2026-07-15T10:00:00Z"), End: at("2026-07-15T10:15:00Z")})
		switch {
		case err != nil:
			if !reflect.ValueOf(reply).IsZero() {
				t.Errorf("something came beside the error: %+v", reply)
			}
			return market.Number{}, false, err
		case len(reply.Rows) == 1 && len(reply.Refusals.List()) == 0:
			return number(reply.Rows[0]), true, nil
		case len(reply.Rows) != 0 || len(reply.Refusals.List())+len(reply.Omissions) != 1:
			t.Errorf("neither one row nor one that is refused or left out: %+v", reply)
		}
		return market.Number{}, false, nil
	}}
}

var subjects = []subject{
	newSubject("capacity", rte.DecodeProcuredReserves, func(n string) string { return afrr("price", n) },
		func(r market.CapacityStep) market.Number { return r.Price }),
	newSubject("aFRR energy", rte.DecodeMarginalPrice, func(n string) string { return oneStep("upward_afrr_marginal_price", n) },
		func(r market.AFRRStep) market.Number { return r.UpwardPrice }),
	newSubject("mFRR energy", rte.DecodeStandardMFRR, func(n string) string { return mari(measure("clearing_price", n)) },
		func(r market.MFRRStep) market.Number { return r.ClearingPrice }),
	newSubject("imbalance", rte.DecodeImbalanceData, func(n string) string { return settlements(settlement("positive_imbalance_settlement_price", n)) },
		func(r market.ImbalanceStep) market.Number { return r.PositivePrice }),
}

func TestANumberIsReadInEachWayItIsWritten(t *testing.T) {
	t.Parallel()
	null := market.Number{} // absent or odd
	for _, tt := range []struct {
		name, written string // "" is an absent key
		want          market.Number
		refused       bool
	}{
		{"integer", "462", num(462), false},
		{"float of a whole number", "462.0", num(462), false},
		{"decimals", "-401.5", num(-401.5), false},
		{"exponent", "1.5e2", num(150), false},
		{"too small to tell from 0", "1e-400", num(0), false},
		{"zero", "0", num(0), false},
		{"zero below zero", "-0", num(0), false},
		{"zero below zero with decimals", "-0.00", num(0), false},
		{"zero below zero as text", `"-0.0"`, num(0), false},
		{"numeric text", `"12.25"`, num(12.25), false},
		{"numeric text with spaces", `" 12.25 "`, num(12.25), false},
		{"escaped numeric text", `"\u0031\u0032"`, num(12), false},
		{"many digits", "0." + strings.Repeat("3", 500), num(1.0 / 3), false},
		{"Invalid", `"Invalid"`, withdrawn, false},
		{"INVALID", `"INVALID"`, withdrawn, false},
		{"empty text", `""`, withdrawn, false},
		{"blank text", `"  "`, withdrawn, false},
		{"null", "null", withdrawn, false},
		{"absent", "", null, false},
		{"beyond every float", "1e400", null, true},
		{"beyond every float below zero", "-1e400", null, true},
		{"beyond every float as text", `"1e400"`, null, true},
		{"NaN", `"NaN"`, null, true},
		{"infinity", `"Infinity"`, null, true},
		{"a short infinity", `"-inf"`, null, true},
		{"hexadecimal", `"0x10"`, null, true},
		{"hexadecimal with an exponent", `"0x1p4"`, null, true},
		{"underscore", `"1_0"`, null, true},
		{"decimal comma", `"1,5"`, null, true},
		{"two numbers", `"1 2"`, null, true},
		{"a unit", `"12 MW"`, null, true},
		{"digits of another script", `"١٢"`, null, true},
		{"another word", `"n/a"`, null, true},
		{"true", "true", null, true},
		{"object", `{"value":1}`, null, true},
		{"array", `[1]`, null, true},
	} {
		for _, s := range subjects {
			t.Run(s.name+"/"+tt.name, func(t *testing.T) {
				got, taken, err := s.decode(t, strings.NewReader(s.document(tt.written)))
				if err != nil {
					t.Fatal(err)
				}
				if taken == tt.refused || got != tt.want || math.Signbit(got.V) && got.V == 0 {
					t.Errorf("%s is %+v, refused %t; want %+v, refused %t", tt.written, got, !taken, tt.want, tt.refused)
				}
			})
		}
	}
}

func TestANumberThatJSONDoesNotKnowIsNoDocument(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"NaN", "Infinity", "-", "01", "1.", ".5", "+1", "0x10", "1_0", "1e", "--1", "'1'", "nul", "nulls", "Null", "tru", "True", "1 2"} {
		for _, s := range subjects {
			t.Run(s.name+"/"+written, func(t *testing.T) {
				if _, _, err := s.decode(t, strings.NewReader(s.document(written))); err == nil {
					t.Error("no error")
				}
			})
		}
	}
}

func TestAFlagIsReadInEachWayItIsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		written string
		want    market.Flag
	}{
		{"true", flag(true)}, {"false", flag(false)}, {`"true"`, flag(true)}, {`"false"`, flag(false)},
		{`"True"`, flag(true)}, {`"False"`, flag(false)}, {`"TRUE"`, flag(true)}, {`"FALSE"`, flag(false)}, {`" true "`, flag(true)},
		{"null", market.Flag{Withdrawn: true}}, {`""`, market.Flag{Withdrawn: true}}, {`"Invalid"`, market.Flag{Withdrawn: true}},
		{"", market.Flag{}}, {`"yes"`, market.Flag{}}, {"1", market.Flag{}}, {"{}", market.Flag{}},
	} {
		t.Run(tt.written, func(t *testing.T) {
			body := oneStep("picasso_connection", tt.written, "prorata_mode", tt.written)
			reply, err := rte.DecodeMarginalPrice(strings.NewReader(body), summerDay.Period())
			if err != nil || len(reply.Rows) != 1 {
				t.Fatalf("%+v, %v", reply, err)
			}
			if row := reply.Rows[0]; row.PicassoConnection != tt.want || row.ProrataMode != tt.want {
				t.Errorf("%+v and %+v, want %+v", row.PicassoConnection, row.ProrataMode, tt.want)
			}
		})
	}
}

func TestEachKeyHasItsColumn(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, row any, want map[string]float64) {
		t.Helper()
		got := map[string]float64{}
		for column, n := range numbersOf(row) {
			got[column] = n.V
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("numbers (-want +got):\n%s", diff)
		}
	}
	t.Run("capacity", func(t *testing.T) {
		reply, err := rte.DecodeProcuredReserves(strings.NewReader(afrr("offered_volume", "1", "contracted_volume", "2", "price", "3")), summerDay.Period())
		if err != nil {
			t.Fatal(err)
		}
		check(t, reply.Rows[0], map[string]float64{"OfferedMW": 1, "ContractedMW": 2, "Price": 3})
	})
	t.Run("aFRR energy", func(t *testing.T) {
		reply, err := rte.DecodeMarginalPrice(strings.NewReader(oneStep("upward_afrr_marginal_price", "1", "downward_afrr_marginal_price", "2",
			"pdemand", "3", "afrr_for_france", "4", "afrr_in_france", "5", "prorata_mode", "true", "picasso_connection", "false")), summerDay.Period())
		if err != nil {
			t.Fatal(err)
		}
		row := reply.Rows[0]
		check(t, row, map[string]float64{"UpwardPrice": 1, "DownwardPrice": 2, "DemandMW": 3, "ForFranceMW": 4, "InFranceMW": 5})
		if row.ProrataMode != flag(true) || row.PicassoConnection != flag(false) {
			t.Errorf("flags %+v and %+v", row.ProrataMode, row.PicassoConnection)
		}
	})
	t.Run("mFRR energy", func(t *testing.T) {
		reply, err := rte.DecodeStandardMFRR(strings.NewReader(mari(measure("clearing_price", "1", "settlement_price_current", "2", "settlement_price_previous", "3",
			"total_requested_volume_SA", "4", "total_requested_volume_DA", "5", "total_satisfied_need_SA", "6", "total_satisfied_need_DA", "7",
			"total_activated_volume_SA", "8", "total_activated_volume_DA", "9", "total_volume_submitted_offers", "10", "total_volume_filtered_offers", "11"))), summerDay.Period())
		if err != nil {
			t.Fatal(err)
		}
		check(t, reply.Rows[0], map[string]float64{"ClearingPrice": 1, "SettlementPriceCurrent": 2, "SettlementPricePrevious": 3,
			"RequestedVolumeSAMW": 4, "RequestedVolumeDAMW": 5, "SatisfiedNeedSAMW": 6, "SatisfiedNeedDAMW": 7,
			"ActivatedVolumeSAMW": 8, "ActivatedVolumeDAMW": 9, "SubmittedOffersMW": 10, "FilteredOffersMW": 11})
	})
	t.Run("imbalance", func(t *testing.T) {
		reply, err := rte.DecodeImbalanceData(strings.NewReader(settlements(settlement("imbalance", "1", "positive_imbalance_settlement_price", "2",
			"negative_imbalance_settlement_price", "3"))), summerDay.Period())
		if err != nil {
			t.Fatal(err)
		}
		check(t, reply.Rows[0], map[string]float64{"ImbalanceMWh": 1, "PositivePrice": 2, "NegativePrice": 3})
	})
}

func TestADocumentCutAnywhereIsAnError(t *testing.T) {
	t.Parallel()
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			document := s.document("12.5")
			for length := range len(document) {
				if _, _, err := s.decode(t, strings.NewReader(document[:length])); err == nil {
					t.Errorf("no error after %q", document[:length])
				}
			}
		})
	}
}

func TestOnlyWhiteSpaceMayFollowADocument(t *testing.T) {
	t.Parallel()
	for _, s := range subjects {
		for _, tail := range []string{"x", "}", "]", ",", ":", "{}", "[]", "[", "null", "nul", "0", "-", `""`, `"`, "\x00", "\ufeff", "<html>", "// end", " \n x"} {
			t.Run(fmt.Sprintf("%s/%q", s.name, tail), func(t *testing.T) {
				if _, _, err := s.decode(t, strings.NewReader(s.document("12.5")+tail)); err == nil {
					t.Error("no error")
				}
			})
		}
		t.Run(s.name+"/white space", func(t *testing.T) {
			if _, _, err := s.decode(t, strings.NewReader("\n "+s.document("12.5")+" \r\n\t")); err != nil {
				t.Error(err)
			}
		})
		t.Run(s.name+"/a broken connection", func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(s.document("12.5")), iotest.ErrReader(io.ErrUnexpectedEOF))
			if _, _, err := s.decode(t, body); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	t.Parallel()
	const deep = 200_000
	open, closed := strings.Repeat("[", deep), strings.Repeat("[", deep)+strings.Repeat("]", deep)
	objects := strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep)
	for _, s := range subjects {
		for name, body := range map[string]string{
			"arrays without end":          open,
			"objects without end":         strings.Repeat(`{"a":`, deep),
			"arrays for a number":         s.document(closed),
			"objects for a number":        s.document(objects),
			"arrays under an unknown key": `{"bomb":` + closed + "," + s.document("1")[1:],
		} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				if _, _, err := s.decode(t, strings.NewReader(body)); err == nil {
					t.Error("no error")
				}
			})
		}
	}
}

// What a reply costs grows with what it holds, and not with the product of two of its parts.
func TestRowsThatCannotBePlacedAreJudgedOnceForAll(t *testing.T) {
	cost := func(unplaced int) float64 {
		body := days(append(slices.Repeat([]string{`{"datas":[{"step":"10:00:00"}]}`}, unplaced), day("2026-07-15", step()))...)
		return testing.AllocsPerRun(1, func() {
			if _, err := rte.DecodeMarginalPrice(strings.NewReader(body), summerDay.Period()); err != nil {
				t.Fatal(err)
			}
		})
	}
	if each := (cost(2000) - cost(1000)) / 1000; each > 6 {
		t.Errorf("a row that cannot be placed takes %.1f allocations", each)
	}
}
