package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// given is one publication of a row in a history: three of its values, and when the source says that it wrote the row.
type given struct {
	start   int64
	updated int64
	values  [3]market.Number
}

// historic is a kind of row whose histories are tested.
type historic struct {
	dataset market.Dataset
	step    int64
	dated   bool // the source says when it wrote a row
	columns [3]string
	flag    int // which of the columns is a flag; -1: none
	batch   func([]given) market.Batch
	held    func(testing.TB, *store.Store, market.Period) map[int64][3]market.Number
}

func flagOf(n market.Number) market.Flag {
	return market.Flag{V: n.V != 0, Valid: n.Valid, Withdrawn: n.Withdrawn}
}

// within reads rows by their start.
func within[R any](t testing.TB, rows []R, err error, row func(R) (int64, [3]market.Number)) map[int64][3]market.Number {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	held := map[int64][3]market.Number{}
	for _, r := range rows {
		start, values := row(r)
		held[start] = values
	}
	return held
}

var histories = []historic{
	{
		dataset: market.AFRRCapacity, step: market.QuarterSeconds, dated: true, columns: [3]string{"offered_mw", "contracted_mw", "price"}, flag: -1,
		batch: func(rows []given) (b market.Batch) {
			for _, r := range rows {
				market.Capacity.Put(&b, append(market.Capacity.In(b), market.CapacityStep{Dataset: market.AFRRCapacity, Start: r.start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD",
					OfferedMW: r.values[0], ContractedMW: r.values[1], Price: r.values[2], Updated: r.updated}))
			}
			return b
		},
		held: func(t testing.TB, s *store.Store, _ market.Period) map[int64][3]market.Number {
			window, err := store.Latest(context.Background(), s, market.Capacity, market.AFRRCapacity, 1)
			return within(t, window.Rows, err, func(r market.CapacityStep) (int64, [3]market.Number) {
				return r.Start, [3]market.Number{r.OfferedMW, r.ContractedMW, r.Price}
			})
		},
	},
	{
		dataset: market.MFRREnergy, step: market.QuarterSeconds, dated: true,
		columns: [3]string{"clearing_price", "settlement_price_current", "filtered_offers_mw"}, flag: -1,
		batch: func(rows []given) (b market.Batch) {
			for _, r := range rows {
				market.MFRR.Put(&b, append(market.MFRR.In(b), market.MFRRStep{Start: r.start, Direction: market.Downward,
					ClearingPrice: r.values[0], SettlementPriceCurrent: r.values[1], FilteredOffersMW: r.values[2], Updated: r.updated}))
			}
			return b
		},
		held: func(t testing.TB, s *store.Store, _ market.Period) map[int64][3]market.Number {
			window, err := store.Latest(context.Background(), s, market.MFRR, market.MFRREnergy, 1)
			return within(t, window.Rows, err, func(r market.MFRRStep) (int64, [3]market.Number) {
				return r.Start, [3]market.Number{r.ClearingPrice, r.SettlementPriceCurrent, r.FilteredOffersMW}
			})
		},
	},
	{
		dataset: market.AFRREnergy, step: market.AFRRSeconds, columns: [3]string{"upward_price", "in_france_mw", "prorata_mode"}, flag: 2,
		batch: func(rows []given) (b market.Batch) {
			for _, r := range rows {
				market.AFRR.Put(&b, append(market.AFRR.In(b), market.AFRRStep{Start: r.start, UpwardPrice: r.values[0], InFranceMW: r.values[1], ProrataMode: flagOf(r.values[2])}))
			}
			return b
		},
		held: func(t testing.TB, s *store.Store, period market.Period) map[int64][3]market.Number {
			rows, err := store.Within(context.Background(), s, market.AFRR, market.AFRREnergy, period)
			return within(t, rows, err, func(r market.AFRRStep) (int64, [3]market.Number) {
				mode := market.Number{Valid: r.ProrataMode.Valid, Withdrawn: r.ProrataMode.Withdrawn}
				if r.ProrataMode.V {
					mode.V = 1
				}
				return r.Start, [3]market.Number{r.UpwardPrice, r.InFranceMW, mode}
			})
		},
	},
}

// historyModel is what must be stored of a row.
type historyModel struct {
	updated int64
	values  [3]market.Number
}

// outcome is the expected effect of a batch.
type outcome struct {
	tally                    store.Tally
	fresh, changed, withdrew int // rows that are new, values that changed to another or to null
	filled                   int // nulls that changed to a value
}

// foretell applies the rows of a batch to a model and returns their expected effect.
func foretell(held map[int64]historyModel, rows []given) (o outcome) {
	known := func(date int64) bool { return date != 0 }
	joined := map[int64]*given{}
	dated := map[int64]*[3]int64{}
	for _, r := range rows {
		o.tally.Seen++
		into := joined[r.start]
		if into == nil {
			into = &given{start: r.start}
			joined[r.start], dated[r.start] = into, &[3]int64{}
		}
		into.updated = max(into.updated, r.updated)
		for c, v := range r.values {
			was := &dated[r.start][c]
			switch {
			case v.Valid && into.values[c].Valid && known(r.updated) && known(*was) && r.updated < *was:
			case v.Valid:
				into.values[c], *was = v, max(*was, r.updated)
			case v.Withdrawn && !into.values[c].Valid:
				into.values[c] = v
			}
		}
	}
	for start, r := range joined {
		before, is := held[start]
		if known(r.updated) && known(before.updated) && r.updated < before.updated {
			o.tally.Older++
			continue
		}
		after := before
		after.updated = max(before.updated, r.updated)
		for c, v := range r.values {
			if v.Valid || v.Withdrawn {
				after.values[c] = market.Number{V: v.V, Valid: v.Valid}
			}
			switch {
			case !is || after.values[c] == before.values[c]:
			case !after.values[c].Valid:
				o.withdrew++
			case !before.values[c].Valid:
				o.filled++
			default:
				o.changed++
			}
		}
		if !is {
			o.fresh++
		}
		if !is || after.values != before.values {
			o.tally.Changed++
		}
		held[start] = after
	}
	o.tally.Withdrawn = o.withdrew
	return o
}

// For any history of rows that are published again, with values that are present, left out or withdrawn, dated or not: the store
// has what the model has; a preview predicts the effect of a batch; and undoing the revisions one by one restores what was stored
// before.
func TestAnyHistoryIsKeptAsTheModelSaysAndCanBeReplayedBackwards(t *testing.T) {
	t.Parallel()
	for _, kind := range histories {
		t.Run(string(kind.dataset), func(t *testing.T) {
			s := openNew(t)
			date := date("2024-01-01")
			n := 0
			storetest.Check(t, func(rt *rapid.T) {
				date = date.Add(1) // each try has a date of its own
				number := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1), market.Num(-2.25), market.Num(1e300)})
				flag := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1)})
				anyRow := rapid.Custom(func(rt *rapid.T) given {
					r := given{start: date.Start().Unix() + kind.step*rapid.Int64Range(0, 2).Draw(rt, "step")}
					if kind.dated {
						r.updated = rapid.SampledFrom([]int64{0, 1000, 2000, 3000}).Draw(rt, "updated")
					}
					for c := range r.values {
						r.values[c] = number.Draw(rt, "value")
						if c == kind.flag {
							r.values[c] = flag.Draw(rt, "flag")
						}
					}
					return r
				})
				model := map[int64]historyModel{}
				var snapshots []map[int64][3]market.Number
				var seen []int64 // ms; of each batch
				for _, rows := range rapid.SliceOfN(rapid.SliceOfN(anyRow, 0, 5), 1, 8).Draw(rt, "batches") {
					n++
					batch := kind.batch(rows)
					effect, err := s.Preview(context.Background(), kind.dataset, date, batch)
					if err != nil {
						rt.Fatal(err)
					}
					filled, known := 0, maps.Clone(model)
					for _, m := range model {
						for _, v := range m.values {
							if v.Valid {
								filled++
							}
						}
					}
					run := runAt(n, kind.dataset)
					if err := s.Commit(context.Background(), run, batch); err != nil {
						rt.Fatal(err)
					}
					want := foretell(model, rows)
					if got := run.Tallies[kind.dataset]; got != want.tally {
						rt.Fatalf("tally %+v, want %+v", got, want.tally)
					}
					sum := store.ColumnEffect{Held: filled, Changed: want.changed, Withdrawn: want.withdrew, Filled: want.filled}
					for start, m := range model {
						if _, was := known[start]; was {
							continue
						}
						for _, v := range m.values {
							if v.Valid {
								sum.New++
							}
						}
					}
					if effect.NewRows != want.fresh || effect.Older != want.tally.Older || effect.Sum() != sum {
						rt.Fatalf("the preview was %+v, want %d new rows, %d older and %+v", effect, want.fresh, want.tally.Older, sum)
					}
					held := map[int64][3]market.Number{}
					for start, m := range model {
						held[start] = m.values
					}
					if diff := cmp.Diff(held, kind.held(t, s, date.Period())); diff != "" && len(held) > 0 {
						rt.Fatalf("held (-want +got):\n%s", diff)
					}
					snapshots, seen = append(snapshots, held), append(seen, run.Ended.UnixMilli())
				}
				if len(model) == 0 {
					return
				}
				state := maps.Clone(snapshots[len(snapshots)-1])
				revisions := revisionsOf(rt, s, kind.dataset, date, date)
				slices.Reverse(revisions)
				slices.SortStableFunc(revisions, func(a, b store.Revision) int { return b.Seen.Compare(a.Seen) })
				for k := len(snapshots) - 1; k >= 0; k-- {
					for start, values := range snapshots[k] {
						if state[start] != values {
							rt.Fatalf("replayed back to batch %d, the row %d is %v, want %v", k, start, state[start], values)
						}
					}
					for len(revisions) > 0 && revisions[0].Seen.UnixMilli() == seen[k] {
						r := revisions[0]
						revisions = revisions[1:]
						c := slices.Index(kind.columns[:], r.Column)
						values := state[r.Start]
						if values[c] != r.New.Number || r.Old == r.New || !r.Since.Before(r.Seen) {
							rt.Fatalf("batch %d: the revision %s of a value that is %v", k, revisionLine(r), values[c])
						}
						values[c] = r.Old.Number
						state[r.Start] = values
					}
				}
				if len(revisions) > 0 {
					rt.Fatalf("%d revisions that no batch made, the first %s", len(revisions), revisionLine(revisions[0]))
				}
			})
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// dated is a row of mFRR energy at one fixed start, dated in minutes; 0: not dated.
func dated(updated int, clearing, current market.Number) market.Batch {
	batch := one(clearing, current)
	if updated > 0 {
		market.MFRR.In(batch)[0].Updated = minute(updated).UnixMilli()
	}
	return batch
}

func TestTheUpdateTimeOfTheSourceDecidesWhichRowIsStored(t *testing.T) {
	num, null, withdrawn := market.Num, market.Number{}, market.Number{Withdrawn: true}
	for _, c := range []struct {
		name      string
		batches   []market.Batch // a minute apart
		clearing  market.Number
		current   market.Number
		updated   int // minute that is kept as the date; 0: none
		changed   int // minute of the last change
		revisions int
		last      store.Tally // of the last batch
	}{
		{"a newer row replaces", []market.Batch{dated(1, num(1), null), dated(2, num(2), null)}, num(2), null, 2, 1, 1, store.Tally{Seen: 1, Changed: 1}},
		{"one of the same date replaces", []market.Batch{dated(1, num(1), null), dated(1, num(2), null)}, num(2), null, 1, 1, 1, store.Tally{Seen: 1, Changed: 1}},
		{"an older one changes nothing", []market.Batch{dated(2, num(2), null), dated(1, num(1), num(5))}, num(2), null, 2, 0, 0, store.Tally{Seen: 1, Older: 1}},
		{"an older one withdraws nothing", []market.Batch{dated(2, num(2), num(5)), dated(1, withdrawn, num(5))}, num(2), num(5), 2, 0, 0, store.Tally{Seen: 1, Older: 1}},
		{"one without a date replaces, and the date stays", []market.Batch{dated(2, num(2), null), dated(0, num(3), null)}, num(3), null, 2, 1, 1, store.Tally{Seen: 1, Changed: 1}},
		{"an older one changes nothing after one without a date", []market.Batch{dated(2, num(2), null), dated(0, num(3), null), dated(1, num(4), null)}, num(3), null, 2, 1, 1, store.Tally{Seen: 1, Older: 1}},
		{"what is stored without a date is older", []market.Batch{dated(0, num(2), null), dated(1, num(3), null)}, num(3), null, 1, 1, 1, store.Tally{Seen: 1, Changed: 1}},
		{"a newer date alone is no change", []market.Batch{dated(1, num(1), null), dated(5, num(1), null)}, num(1), null, 5, 0, 0, store.Tally{Seen: 1}},
		{"but it counts", []market.Batch{dated(1, num(1), null), dated(5, num(1), null), dated(4, num(4), null)}, num(1), null, 5, 0, 0, store.Tally{Seen: 1, Older: 1}},
		{"a written null withdraws", []market.Batch{dated(1, num(1), num(5)), dated(2, withdrawn, num(5))}, null, num(5), 2, 1, 1, store.Tally{Seen: 1, Changed: 1, Withdrawn: 1}},
		{"a null that is left out does not", []market.Batch{dated(1, num(1), num(5)), dated(2, null, num(6))}, num(1), num(6), 2, 1, 1, store.Tally{Seen: 1, Changed: 1}},
		{"what was withdrawn comes back", []market.Batch{one(num(1), null), one(withdrawn, null), one(num(1), null)}, num(1), null, 0, 2, 2, store.Tally{Seen: 1, Changed: 1}},
		{"what was withdrawn is withdrawn once", []market.Batch{one(num(1), null), one(withdrawn, null), one(withdrawn, null)}, null, null, 0, 1, 1, store.Tally{Seen: 1}},
		{"a null that comes first is no withdrawal", []market.Batch{one(withdrawn, withdrawn)}, null, null, 0, 0, 0, store.Tally{Seen: 1, Changed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			var run *store.Run
			for i, batch := range c.batches {
				run = commit(t, s, runAt(i, market.MFRREnergy), batch)
			}
			if got := run.Tallies[market.MFRREnergy]; got != c.last {
				t.Errorf("tally %+v, want %+v", got, c.last)
			}
			window, err := store.Latest(t.Context(), s, market.MFRR, market.MFRREnergy, 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(market.MFRR.In(dated(c.updated, c.clearing, c.current)), window.Rows); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
			if revisions := revisionsOf(t, s, market.MFRREnergy, date("2026-07-14"), date("2026-07-14")); len(revisions) != c.revisions {
				t.Errorf("revisions %v, want %d", revisions, c.revisions)
			}
			if got, want := ask(t, s.ReaderPool(), "SELECT changed_ms FROM mfrr_energy"), fmt.Sprint(minute(c.changed).UnixMilli()); got != want {
				t.Errorf("changed at %s, want %s", got, want)
			}
			if got := ask(t, s.ReaderPool(), "SELECT count(*) FROM mfrr_energy WHERE updated_ms IS NULL"); (got == "1") != (c.updated == 0) {
				t.Errorf("of rows without a date there are %s", got)
			}
		})
	}
}

func TestRowsOfOneKeyInABatch(t *testing.T) {
	t.Parallel()
	num, null, withdrawn := market.Num, market.Number{}, market.Number{Withdrawn: true}
	for _, c := range []struct {
		name    string
		rows    []market.Batch // of one batch, where 9 and 9 are stored
		values  [2]market.Number
		updated int
	}{
		{"the newer value stands, wherever it comes", []market.Batch{dated(2, num(2), null), dated(1, num(1), null)}, [2]market.Number{num(2), num(9)}, 2},
		{"each value by itself", []market.Batch{dated(2, num(2), null), dated(1, num(1), num(7))}, [2]market.Number{num(2), num(7)}, 2},
		{"each value by its own date, not its row's", []market.Batch{dated(1, num(1), num(7)), dated(3, null, num(8)), dated(2, num(2), null)}, [2]market.Number{num(2), num(8)}, 3},
		{"without a date the later", []market.Batch{dated(2, num(2), null), dated(0, num(1), null)}, [2]market.Number{num(1), num(9)}, 2},
		{"a written null does not stand against a value", []market.Batch{dated(2, num(2), withdrawn), dated(3, withdrawn, null)}, [2]market.Number{num(2), null}, 3},
		{"nor before it", []market.Batch{dated(3, withdrawn, null), dated(2, num(2), null)}, [2]market.Number{num(2), num(9)}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			commit(t, s, runAt(0, market.MFRREnergy), one(num(9), num(9)))
			var batch market.Batch
			for _, row := range c.rows {
				batch = batch.With(row)
			}
			commit(t, s, runAt(1, market.MFRREnergy), batch)
			window, err := store.Latest(t.Context(), s, market.MFRR, market.MFRREnergy, 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(market.MFRR.In(dated(c.updated, c.values[0], c.values[1])), window.Rows); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
		})
	}
}
