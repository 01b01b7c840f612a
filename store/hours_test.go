package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// stepModel is what must be stored of a 4 s step.
type stepModel struct {
	row       market.AFRRStep
	firstSeen int64
	changed   int64
}

// stepRevision is an expected revision of a value.
type stepRevision struct {
	column    string
	old, new  market.Number
	since, at int64
}

// afrrValues are a step's values by column; a flag is 0 or 1.
func afrrValues(r *market.AFRRStep) map[string]market.Number {
	flag := func(f market.Flag) market.Number {
		n := market.Number{Valid: f.Valid}
		if f.V {
			n.V = 1
		}
		return n
	}
	return map[string]market.Number{"upward_price": r.UpwardPrice, "downward_price": r.DownwardPrice, "demand_mw": r.DemandMW,
		"for_france_mw": r.ForFranceMW, "in_france_mw": r.InFranceMW,
		"picasso_connection": flag(r.PicassoConnection), "prorata_mode": flag(r.ProrataMode)}
}

// takes returns the model of a step after it has arrived where before was stored: only values that are not null replace others.
func takes(before, arrives market.AFRRStep) market.AFRRStep {
	for _, c := range []struct{ into, from *market.Number }{
		{&before.UpwardPrice, &arrives.UpwardPrice}, {&before.DownwardPrice, &arrives.DownwardPrice}, {&before.DemandMW, &arrives.DemandMW},
		{&before.ForFranceMW, &arrives.ForFranceMW}, {&before.InFranceMW, &arrives.InFranceMW},
	} {
		if c.from.Valid {
			*c.into = *c.from
		}
	}
	for _, c := range []struct{ into, from *market.Flag }{
		{&before.PicassoConnection, &arrives.PicassoConnection}, {&before.ProrataMode, &arrives.ProrataMode},
	} {
		if c.from.Valid {
			*c.into = *c.from
		}
	}
	return before
}

// viewOf returns the rows of the view for a period, one in a line.
func viewOf(t testing.TB, s *store.Store, period market.Period) string {
	return ask(t, s.ReaderPool(), `SELECT start, upward_price, downward_price, demand_mw, for_france_mw, in_france_mw, picasso_connection,
		prorata_mode, first_seen_ms, changed_ms FROM afrr_energy WHERE hour >= ? AND hour < ? ORDER BY start`, period.Start, period.End)
}

// viewLine returns the expected line of a step in the view.
func viewLine(m stepModel) string {
	text := func(n market.Number) string {
		if !n.Valid {
			return "<nil>"
		}
		return fmt.Sprint(n.V + 0) // -0 is kept as 0
	}
	values := afrrValues(&m.row)
	return fmt.Sprintf("%d|%s|%s|%s|%s|%s|%s|%s|%d|%d", m.row.Start, text(values["upward_price"]), text(values["downward_price"]), text(values["demand_mw"]),
		text(values["for_france_mw"]), text(values["in_france_mw"]), text(values["picasso_connection"]), text(values["prorata_mode"]), m.firstSeen, m.changed)
}

// A map models what the store must contain after any sequence of batches of 4 s steps: rows, when they were seen, revisions,
// coverage and tallies, across the ends of hours and dates and both changes of the clock.
func TestAnySequenceOfStepsIsKeptAsTheModelSays(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	view := func(period market.Period) string { return viewOf(t, s, period) }
	revisedView := func(period market.Period) string {
		return ask(t, s.ReaderPool(), `SELECT start, '', column_name, ifnull(old, 'null'), ifnull(new, 'null'), since_ms, seen_ms
			FROM afrr_energy_revised WHERE hour >= ? AND hour < ? ORDER BY start, column_name, id`, period.Start, period.End)
	}
	year, n := 2020, 0
	storetest.Check(t, func(t *rapid.T) {
		year++ // each try has dates of its own, and each commit an instant
		day := rapid.SampledFrom([]string{"07-14", "10-31", "03-31"}).Draw(t, "day")
		d := date(fmt.Sprintf("%04d-%s", year, day))
		for day != "07-14" && d.Steps(market.QuarterSeconds) == 96 {
			d = d.Add(-1) // the Sunday on which the clock changes
		}
		instants := []int64{d.Start().Unix(), d.At(1, 0).Unix(), d.At(2, 0).Unix(), d.At(2, 0).Unix() + 3600, d.End().Unix()}
		value := rapid.OneOf(rapid.SampledFrom([]market.Number{{}, market.Num(0), market.Num(-401.5), market.Num(-1398.2601), market.Num(112.56)}), anyValue())
		anyBatch := rapid.Custom(func(t *rapid.T) []market.AFRRStep {
			start := rapid.SampledFrom(instants).Draw(t, "near") + 4*rapid.Int64Range(-6, 3).Draw(t, "from")
			step := rapid.SampledFrom([]int64{4, 4, -4, 8, 1, 0}).Draw(t, "step")
			rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) market.AFRRStep {
				return market.AFRRStep{UpwardPrice: value.Draw(t, "upward"), DownwardPrice: value.Draw(t, "downward"), DemandMW: value.Draw(t, "demand"),
					ForFranceMW: value.Draw(t, "for"), InFranceMW: value.Draw(t, "in"),
					PicassoConnection: anyFlag().Draw(t, "picasso"), ProrataMode: anyFlag().Draw(t, "prorata")}
			}), 0, 12).Draw(t, "rows")
			for i := range rows {
				rows[i].Start = start + int64(i)*step
			}
			return rows
		})
		held := map[int64]*stepModel{}
		since := map[int64]map[string]int64{}
		revisions := map[int64][]stepRevision{}
		for i, rows := range rapid.SliceOfN(anyBatch, 1, 6).Draw(t, "batches") {
			n++
			run := runAt(n, market.AFRREnergy)
			now := run.Ended.UnixMilli()
			if err := s.Commit(context.Background(), run, market.AFRR.Batch(rows)); err != nil {
				t.Fatal(err)
			}
			came := map[int64]market.AFRRStep{}
			for _, row := range rows {
				before, twice := came[row.Start]
				if !twice {
					before = market.AFRRStep{Start: row.Start}
				}
				came[row.Start] = takes(before, row)
			}
			changed := 0
			for start, row := range came {
				before, known := held[start]
				if !known {
					held[start] = &stepModel{row, now, now}
					since[start] = map[string]int64{}
					changed++
					continue
				}
				after := takes(before.row, row)
				if after == before.row {
					continue
				}
				changed++
				old, new := afrrValues(&before.row), afrrValues(&after)
				for column := range new {
					if old[column] == new[column] {
						continue
					}
					from, revised := since[start][column]
					if !revised {
						from = before.firstSeen
					}
					revisions[start] = append(revisions[start], stepRevision{column, old[column], new[column], from, now})
					since[start][column] = now
				}
				before.row, before.changed = after, now
			}
			if want := (store.Tally{Seen: len(rows), Changed: changed}); run.Tallies[market.AFRREnergy] != want {
				t.Fatalf("batch %d: tally %+v, want %+v", i, run.Tallies[market.AFRREnergy], want)
			}
		}
		around := market.Period{Start: d.Add(-1).Start().Unix(), End: d.Add(1).End().Unix()}
		var rows []market.AFRRStep
		var lines []string
		counted := market.Coverage{}
		for _, start := range slices.Sorted(maps.Keys(held)) {
			m := held[start]
			rows = append(rows, m.row)
			lines = append(lines, viewLine(*m))
			on := market.DeliveryDateOf(market.Period{Start: start}.From())
			if counted[on] == nil {
				counted[on] = map[string]int{}
			}
			counted[on][""]++
		}
		got, err := store.Within(context.Background(), s, market.AFRR, market.AFRREnergy, around)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(rows, got); diff != "" {
			t.Fatalf("rows (-want +got):\n%s", diff)
		}
		if diff := gocmp.Diff(strings.Join(lines, "\n"), view(around)); diff != "" {
			t.Fatalf("the view (-want +got):\n%s", diff)
		}
		coverage, err := s.Coverage(context.Background(), market.AFRREnergy, d.Add(-1), d.Add(1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(counted, coverage, gocmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
			t.Fatalf("coverage (-want +got):\n%s", diff)
		}
		told := map[int64][]stepRevision{}
		var listed []string
		for _, r := range revisionsOf(t, s, market.AFRREnergy, d.Add(-1), d.Add(1)) {
			listed = append(listed, revisionLine(r))
			told[r.Start] = append(told[r.Start], stepRevision{r.Column, r.Old.Number, r.New.Number, r.Since.UnixMilli(), r.Seen.UnixMilli()})
		}
		if diff := gocmp.Diff(strings.Join(listed, "\n"), revisedView(around)); diff != "" {
			t.Fatalf("the view of what was revised (-want +got):\n%s", diff)
		}
		byTime := func(a, b stepRevision) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.column, b.column))
		}
		for _, all := range []map[int64][]stepRevision{revisions, told} {
			for start := range all {
				slices.SortFunc(all[start], byTime)
			}
		}
		if diff := gocmp.Diff(revisions, told, gocmp.AllowUnexported(stepRevision{})); diff != "" {
			t.Fatalf("revisions (-want +got):\n%s", diff)
		}
	})
}
