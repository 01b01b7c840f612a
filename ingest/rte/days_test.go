package rte_test

import (
	"cmp"
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"courant/ingest/rte"
	"courant/ingest/simulator"
	"courant/store/market"
)

var change = at("2026-10-25T01:00:00Z") // the clock goes back from 03:00 to 02:00

// stepsOf are the instants of a period's steps, ascending.
func stepsOf(period market.Period) []int64 {
	var instants []int64
	for at := period.Start; at < period.End; at += market.AFRRSeconds {
		instants = append(instants, at)
	}
	return instants
}

func newestFirst(instants []int64) []int64 {
	instants = slices.Clone(instants)
	slices.Reverse(instants)
	return instants
}

// withoutWords are rows without whether a null was written or left out.
func withoutWords[R any](rows []R) []R {
	for i := range rows {
		row := reflect.ValueOf(&rows[i]).Elem()
		for f := range row.NumField() {
			switch v := row.Field(f).Addr().Interface().(type) {
			case *market.Number:
				v.Withdrawn = false
			case *market.Flag:
				v.Withdrawn = false
			case *market.String:
				v.Withdrawn = false
			}
		}
	}
	return rows
}

// interleaved takes one of each in turn.
func interleaved(a, b []int64) []int64 {
	var both []int64
	for i := range a {
		both = append(both, a[i], b[i])
	}
	return both
}

// without takes the n-th of the instants out.
func without(instants []int64, n int) []int64 { return slices.Delete(slices.Clone(instants), n, n+1) }

// autumnDocument lists the instants as clock times of the autumn day, in their order; the demand of each is its distance
// from the day's start, so that a row tells which instant it was written for.
func autumnDocument(t *testing.T, instants []int64) string {
	t.Helper()
	type step struct {
		Step   string `json:"step"`
		Demand int64  `json:"pdemand"`
	}
	steps := make([]step, len(instants))
	for i, at := range instants {
		steps[i] = step{time.Unix(at, 0).In(market.Paris).Format(time.TimeOnly), at - autumnDay.Period().Start}
	}
	body, err := json.Marshal(map[string]any{"days": []any{map[string]any{"start_date": "2026-10-25", "datas": steps}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestTheRepeatedHourIsResolvedOrRefused(t *testing.T) {
	t.Parallel()
	all := autumnDay.Period()
	before, after := market.Period{Start: all.Start, End: change}, market.Period{Start: change, End: all.End}
	whole, first, second := stepsOf(all), stepsOf(market.Period{Start: change - 3600, End: change}), stepsOf(market.Period{Start: change, End: change + 3600})
	twoHours := slices.Concat(first, second)
	around := slices.Concat(stepsOf(market.Period{Start: all.Start, End: change - 3600}), stepsOf(market.Period{Start: change + 3600, End: all.End}))
	index := func(at int64) int { return slices.Index(whole, at) }
	for _, tt := range []struct {
		name     string
		window   market.Period
		instants []int64 // as the reply lists them
		want     int     // rows
		refused  bool
	}{
		{"the window ends at the change", before, stepsOf(before), 2700, false},
		{"the window ends at the change, newest first", before, newestFirst(stepsOf(before)), 2700, false},
		{"the window begins at the change", after, stepsOf(after), 19_800, false},
		{"the window begins at the change, newest first", after, newestFirst(stepsOf(after)), 19_800, false},
		{"the window ends at the change, the reply does not", before, newestFirst(whole), 2700, false},
		{"the window begins at the change, the reply does not", after, whole, 19_800, false},
		{"the window lies in the first hour", market.Period{Start: change - 1800, End: change - 900}, stepsOf(market.Period{Start: change - 1800, End: change - 900}), 225, false},
		{"the window lies in the second hour", market.Period{Start: change + 900, End: change + 1800}, stepsOf(market.Period{Start: change + 900, End: change + 1800}), 225, false},
		{"the window holds the hour before", market.Period{Start: change - 7200, End: change - 3600}, whole, 900, false},
		{"the window holds the hour after", market.Period{Start: change + 3600, End: change + 7200}, newestFirst(whole), 900, false},
		{"the window is cut, the reply says a step again", before, append(stepsOf(before), first[7]), 2700, false},
		{"the window is cut, the reply gives a step of the other hour too", before, append(stepsOf(before), second[7]), 0, true},
		{"the window is cut, the reply says everything again", before, append(stepsOf(before), stepsOf(before)...), 2700, false},
		{"the window is cut, the reply says the second hour again", after, slices.Concat(second, stepsOf(after)), 19_800, false},
		{"the window is cut and steps are missing", before, without(stepsOf(before), 2000), 2699, false},

		{"both hours whole, newest first", all, newestFirst(whole), 22_500, false},
		{"both hours whole, oldest first", all, whole, 22_500, false},
		{"nothing but both hours, newest first", all, newestFirst(twoHours), 1800, false},
		{"nothing but both hours, oldest first", all, twoHours, 1800, false},
		{"both hours whole, steps missing elsewhere", all, without(newestFirst(whole), 0), 22_499, false},
		{"neither hour", all, around, 20_700, false},
		{"the first hour only", all, slices.Concat(around, first), 0, true},
		{"the second hour only", all, slices.Concat(second, around), 0, true},
		{"the first hour lacks a step", all, newestFirst(without(whole, index(first[450]))), 0, true},
		{"the second hour lacks a step", all, without(whole, index(second[450])), 0, true},
		{"both hours lack the same step", all, without(without(whole, index(second[450])), index(first[450])), 0, true},
		{"each hour lacks another step", all, without(without(whole, index(second[450])), index(first[451])), 0, true},
		{"a step of the first hour comes again at the end", all, append(slices.Clone(whole), first[3]), 22_500, false},
		{"a step of the second hour comes again at once", all, slices.Insert(slices.Clone(whole), index(second[3]), second[3]), 22_500, false},
		{"everything comes again", all, append(slices.Clone(whole), whole...), 22_500, false},
		{"everything comes again, newest first", all, append(newestFirst(whole), newestFirst(whole)...), 22_500, false},
		{"the two hours are listed step by step", all, slices.Concat(around, interleaved(first, second)), 0, true},
		{"half of each hour", market.Period{Start: change - 1800, End: change + 1800}, stepsOf(market.Period{Start: change - 1800, End: change + 1800}), 0, true},
		{"a single step of the hour", all, append(slices.Clone(around), first[0]), 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply, err := rte.DecodeMarginalPrice(strings.NewReader(autumnDocument(t, tt.instants)), tt.window)
			if err != nil {
				t.Fatal(err)
			}
			var refused []string
			if tt.refused {
				refused = []string{"final afrr-energy 2026-10-25: of the two hours from 02:00 to 03:00 it cannot be told which is which"}
			}
			if diff := gocmp.Diff(refused, refusalsOf(reply)); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
			if len(reply.Rows) != tt.want || len(reply.Notes) != 0 {
				t.Errorf("%d rows, want %d; notes %q", len(reply.Rows), tt.want, reply.Notes)
			}
			seen := map[int64]bool{}
			for _, row := range reply.Rows {
				if row.Start != all.Start+int64(row.DemandMW.V) || seen[row.Start] || !tt.window.Holds(row.Start) {
					t.Fatalf("%v was written for %v", time.Unix(row.Start, 0).UTC(), time.Unix(all.Start+int64(row.DemandMW.V), 0).UTC())
				}
				seen[row.Start] = true
			}
		})
	}
}

func TestTheRepeatedHourIsTwoHoursAlsoIfTheyAreAlike(t *testing.T) {
	t.Parallel()
	var steps []string
	for range 2 {
		for _, at := range stepsOf(market.Period{Start: change, End: change + 3600}) {
			steps = append(steps, step("step", time.Unix(at, 0).In(market.Paris).Format(`"15:04:05"`)))
		}
	}
	reply, err := rte.DecodeMarginalPrice(strings.NewReader(days(day("2026-10-25", steps...))), autumnDay.Period())
	if err != nil || len(reply.Rows) != 1800 || len(reply.Refusals.List()) != 0 {
		t.Errorf("%d rows, refusals %q, error %v", len(reply.Rows), refusalsOf(reply), err)
	}
}

func TestTheRepeatedHourInTwoPartsOfADayIsRefusedUnlessTheWindowDecides(t *testing.T) {
	t.Parallel()
	const date = "2026-10-25"
	body := days(day(date, step("step", `"02:00:00"`)), day(date, step("step", `"02:00:00"`, "pdemand", "1")))
	reply, err := rte.DecodeMarginalPrice(strings.NewReader(body), autumnDay.Period())
	if err != nil || len(reply.Rows) != 0 || len(reply.Refusals.List()) != 1 {
		t.Errorf("%+v, %v", reply, err)
	}
}

// simulated is a client of the simulator on a day when everything is published.
func simulated(t *testing.T) *rte.Client {
	t.Helper()
	return simulatedAt(t, time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC))
}

// simulatedAt is a client of the simulator at an instant.
func simulatedAt(t *testing.T, now time.Time) *rte.Client {
	t.Helper()
	server := httptest.NewServer(simulator.RTE(simulator.Options{Now: func() time.Time { return now }}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL, newHastyClock(), simulator.ClientID, simulator.ClientSecret)
}

// dayKinds are a day of 23, 24 and 25 hours, and the windows in which its 4 s steps are asked for.
var dayKinds = []struct {
	name                 string
	date                 market.DeliveryDate
	cuts                 []market.Period
	quarters, afrr, mfrr int
}{
	{"the clock goes forward", springDay, []market.Period{springDay.Period()}, 92, 20_700, 184},
	{"an ordinary day", summerDay, []market.Period{summerDay.Period()}, 96, 21_600, 192},
	{"the clock goes back", autumnDay, []market.Period{{Start: autumnDay.Period().Start, End: change}, {Start: change, End: autumnDay.Period().End}}, 100, 22_500, 200},
}

func simulatorDay(t *testing.T, date market.DeliveryDate) simulator.Day {
	t.Helper()
	return simulator.DayOf(date.Start())
}

func optional(v *float64) market.Number {
	if v == nil {
		return market.Number{}
	}
	return num(*v)
}

func TestWholeDaysOfCapacityComeAsPublished(t *testing.T) {
	t.Parallel()
	datasets := map[string]market.Dataset{"FCR": market.FCRCapacity, "AFRR": market.AFRRCapacity, "MFRR": market.MFRRCapacity}
	directions := map[string]market.Direction{"UP": market.Upward, "DOWN": market.Downward, "UP_DOWN": market.Symmetric}
	client := simulated(t)
	byKey := func(a, b market.CapacityStep) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Product, b.Product), cmp.Compare(a.TimeHorizon, b.TimeHorizon),
			cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Start, b.Start))
	}
	for _, tt := range dayKinds {
		t.Run(tt.name, func(t *testing.T) {
			var want []market.CapacityStep
			series := map[market.CapacityStep]int{}
			for _, c := range simulator.CapacitySteps(simulatorDay(t, tt.date)) {
				if c.Reserve == "RR" {
					continue
				}
				row := market.CapacityStep{Dataset: datasets[c.Reserve], Start: c.Start.Unix(), Direction: directions[c.Direction],
					TimeHorizon: c.Horizon, Product: c.Product, OfferedMW: num(c.Offered), ContractedMW: num(c.Contracted), Price: num(c.PricePerStep)}
				want = append(want, row)
				series[market.CapacityStep{Dataset: row.Dataset, Direction: row.Direction, TimeHorizon: row.TimeHorizon, Product: row.Product}]++
			}
			for s, n := range series {
				if n != tt.quarters {
					t.Errorf("%d steps of %+v were published, want %d", n, s, tt.quarters)
				}
			}
			reply, _, err := client.ProcuredReserves(t.Context(), tt.date.Period())
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(want, byKey)
			slices.SortFunc(reply.Rows, byKey)
			for i := range reply.Rows {
				if updated := time.UnixMilli(reply.Rows[i].Updated); !updated.Before(tt.date.Start()) {
					t.Fatalf("%+v was last written at %s", reply.Rows[i], updated)
				}
				reply.Rows[i].Updated = 0
			}
			if diff := gocmp.Diff(want, reply.Rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 {
				t.Errorf("refusals %q, notes %q, unknown keys %q", refusalsOf(reply), reply.Notes, reply.UnknownKeys)
			}
		})
	}
}

func TestAWeekOfCapacityComesInOneCall(t *testing.T) {
	t.Parallel()
	week := market.Period{Start: autumnDay.Add(-3).Period().Start, End: autumnDay.Add(3).Period().End}
	reply, _, err := simulated(t).ProcuredReserves(t.Context(), week)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, row := range reply.Rows {
		if row.Dataset == market.FCRCapacity {
			counts[market.DeliveryDateOf(time.Unix(row.Start, 0)).String()]++
		}
	}
	want := map[string]int{"2026-10-22": 96, "2026-10-23": 96, "2026-10-24": 96, "2026-10-25": 100, "2026-10-26": 96, "2026-10-27": 96, "2026-10-28": 96}
	if diff := gocmp.Diff(want, counts); diff != "" {
		t.Errorf("quarter hours of FCR (-want +got):\n%s", diff)
	}
}

func TestWholeDaysOfAFRREnergyComeAsPublished(t *testing.T) {
	t.Parallel()
	client := simulated(t)
	for _, tt := range dayKinds {
		t.Run(tt.name, func(t *testing.T) {
			var want, got []market.AFRRStep
			for _, s := range simulator.AFRRSteps(simulatorDay(t, tt.date)) {
				want = append(want, market.AFRRStep{Start: s.Start.Unix(), UpwardPrice: optional(s.Upward), DownwardPrice: optional(s.Downward),
					DemandMW: num(s.Demand), ForFranceMW: num(s.ForFrance), InFranceMW: num(s.InFrance),
					PicassoConnection: flag(s.Picasso), ProrataMode: flag(s.Prorata)})
			}
			for _, window := range tt.cuts {
				reply, _, err := client.MarginalPrice(t.Context(), window)
				if err != nil {
					t.Fatal(err)
				}
				if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 {
					t.Errorf("refusals %q, notes %q, unknown keys %q", refusalsOf(reply), reply.Notes, reply.UnknownKeys)
				}
				got = append(got, reply.Rows...)
			}
			if len(got) != tt.afrr {
				t.Errorf("%d steps, want %d", len(got), tt.afrr)
			}
			slices.SortFunc(got, func(a, b market.AFRRStep) int { return cmp.Compare(a.Start, b.Start) })
			if got = withoutWords(got); !slices.Equal(want, got) {
				t.Errorf("rows (-want +got):\n%s", gocmp.Diff(want, got))
			}
		})
	}
}

func TestWholeDaysOfMFRREnergyComeAsPublished(t *testing.T) {
	t.Parallel()
	client := simulated(t)
	byKey := func(a, b market.MFRRStep) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Direction, b.Direction))
	}
	for _, tt := range dayKinds {
		t.Run(tt.name, func(t *testing.T) {
			var want []market.MFRRStep
			for _, s := range simulator.MFRRSteps(simulatorDay(t, tt.date)) {
				v := s.Values
				want = append(want, market.MFRRStep{Start: s.Start.Unix(), Direction: market.Direction(s.Direction), ClearingPrice: optional(v.ClearingPrice),
					SettlementPriceCurrent: optional(v.SettlementPriceCurrent), SettlementPricePrevious: optional(v.SettlementPricePrevious),
					RequestedVolumeSAMW: optional(v.TotalRequestedVolumeSA), RequestedVolumeDAMW: optional(v.TotalRequestedVolumeDA),
					SatisfiedNeedSAMW: optional(v.TotalSatisfiedNeedSA), SatisfiedNeedDAMW: optional(v.TotalSatisfiedNeedDA),
					ActivatedVolumeSAMW: optional(v.TotalActivatedVolumeSA), ActivatedVolumeDAMW: optional(v.TotalActivatedVolumeDA),
					SubmittedOffersMW: optional(v.TotalVolumeSubmitted), FilteredOffersMW: optional(v.TotalVolumeFiltered)})
			}
			reply, _, err := client.StandardMFRR(t.Context(), tt.date.Period())
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Rows) != tt.mfrr {
				t.Errorf("%d rows, want %d", len(reply.Rows), tt.mfrr)
			}
			slices.SortFunc(want, byKey)
			slices.SortFunc(reply.Rows, byKey)
			if diff := gocmp.Diff(want, withoutWords(reply.Rows)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 {
				t.Errorf("refusals %q, notes %q, unknown keys %q", refusalsOf(reply), reply.Notes, reply.UnknownKeys)
			}
		})
	}
}

// imbalanceRows are the simulated steps as rows of the store.
func imbalanceRows(steps []simulator.Imbalance) []market.ImbalanceStep {
	trends := map[string]string{"HAUSSE": "UPWARD", "BAISSE": "DOWNWARD"}
	rows := make([]market.ImbalanceStep, 0, len(steps))
	for _, s := range steps {
		row := market.ImbalanceStep{Start: s.Start.Unix(), PositivePrice: optional(s.Positive), NegativePrice: optional(s.Negative), ImbalanceMWh: num(s.MWh),
			SystemTrend: market.Str(trends[s.Trend]), Updated: s.Updated.UnixMilli()}
		if s.Missing != "N/A" {
			row.MissingData = market.Str(s.Missing)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestWholeDaysOfImbalanceComeAsPublished(t *testing.T) {
	client := simulated(t)
	kinds := slices.Clone(dayKinds)
	first := dayKinds[1]
	first.name, first.date = "the first date with quarter hours", market.NewDeliveryDate(2025, time.January, 1)
	for _, tt := range append(kinds, first) {
		t.Run(tt.name, func(t *testing.T) {
			reply, _, err := client.ImbalanceData(t.Context(), tt.date.Period())
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Rows) != tt.quarters {
				t.Errorf("%d rows, want %d", len(reply.Rows), tt.quarters)
			}
			want := imbalanceRows(simulator.ImbalanceSteps(simulatorDay(t, tt.date)))
			if diff := gocmp.Diff(want, withoutWords(reply.Rows)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if len(reply.Refusals.List()) != 0 || len(reply.Notes) != 0 || len(reply.UnknownKeys) != 0 {
				t.Errorf("refusals %q, notes %q, unknown keys %q", refusalsOf(reply), reply.Notes, reply.UnknownKeys)
			}
		})
	}
}

func TestAWeekOfImbalanceComesInOneCallAsItIsAtTheTime(t *testing.T) {
	week := market.Period{Start: autumnDay.Add(-6).Period().Start, End: autumnDay.Period().End}
	now := autumnDay.Start().Add(13*time.Hour + 4*time.Minute)
	reply, _, err := simulatedAt(t, now).ImbalanceData(t.Context(), week)
	if err != nil {
		t.Fatal(err)
	}
	var steps []simulator.Imbalance
	for date := autumnDay.Add(-6); date != autumnDay.Add(1); date = date.Add(1) {
		steps = append(steps, simulator.ImbalanceStepsAt(simulatorDay(t, date), now)...)
	}
	if len(steps) != 6*96+13*4 || len(reply.Notes) != 0 {
		t.Errorf("%d steps, notes %q", len(steps), reply.Notes)
	}
	if diff := gocmp.Diff(imbalanceRows(steps), withoutWords(reply.Rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestAnImbalanceWithoutPricesComesWithWhatIsMissing(t *testing.T) {
	day := simulatorDay(t, summerDay)
	for now := summerDay.Start(); now.Before(summerDay.End()); now = now.Add(15 * time.Minute) {
		at := now.Add(3 * time.Minute)
		steps := simulator.ImbalanceStepsAt(day, at)
		if len(steps) == 0 || steps[len(steps)-1].Positive != nil {
			continue
		}
		reply, _, err := simulatedAt(t, at).ImbalanceData(t.Context(), market.Period{Start: summerDay.Period().Start, End: at.Unix()})
		if err != nil || len(reply.Rows) != len(steps) {
			t.Fatalf("%d rows, want %d, error %v", len(reply.Rows), len(steps), err)
		}
		if last := reply.Rows[len(steps)-1]; last.PositivePrice != withdrawn || last.NegativePrice != withdrawn || !last.ImbalanceMWh.Valid || !last.MissingData.Valid {
			t.Errorf("%+v", last)
		}
		return
	}
	t.Errorf("each step of %s came with prices", summerDay)
}
