package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

const revisionsOfAll = `SELECT dataset, start, series, column_name, ifnull(old, 'null'), ifnull(new, 'null'), since_ms, seen_ms FROM revision ORDER BY id`

func TestNewRowsAreStoredWithTheTimeOfTheirCommit(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14").Period()
	run := commit(t, s, runAt(0, market.Datasets()...), market.Prices.Batch([]market.Price{{Start: day.Start, Resolution: market.PT15M, Price: market.Num(41.07)}}).With(market.Capacity.Batch([]market.CapacityStep{{Dataset: market.FCRCapacity, Start: day.Start, Direction: market.Symmetric, TimeHorizon: "DAILY", Product: "STD", Price: market.Num(2.5)}})).With(market.AFRR.Batch([]market.AFRRStep{{Start: day.Start, UpwardPrice: market.Num(99)}, {Start: day.Start + 4}})).With(market.MFRR.Batch([]market.MFRRStep{{Start: day.Start, Direction: market.Upward}})).
		With(market.Imbalance.Batch([]market.ImbalanceStep{{Start: day.Start, SystemTrend: market.Str("UPWARD")}})))
	want := map[market.Dataset]store.Tally{
		market.DayAheadPrices: {Seen: 1, Changed: 1}, market.FCRCapacity: {Seen: 1, Changed: 1}, market.AFRRCapacity: {}, market.MFRRCapacity: {},
		market.AFRREnergy: {Seen: 2, Changed: 2}, market.MFRREnergy: {Seen: 1, Changed: 1}, market.ImbalancePrices: {Seen: 1, Changed: 1},
	}
	if diff := cmp.Diff(want, run.Tallies); diff != "" {
		t.Errorf("tallies (-want +got):\n%s", diff)
	}
	for _, table := range []string{"day_ahead_price", "capacity", "afrr_energy", "mfrr_energy", "imbalance_price"} {
		got := ask(t, s.ReaderPool(), "SELECT DISTINCT first_seen_ms, changed_ms FROM "+table)
		if want := fmt.Sprintf("%d|%[1]d", minute(0).UnixMilli()); got != want {
			t.Errorf("%s was first seen and last changed at %s, want %s", table, got, want)
		}
	}
	if got := ask(t, s.ReaderPool(), revisionsOfAll); got != "" {
		t.Errorf("what arrived first has revisions:\n%s", got)
	}
}

func TestTheSameAgainWritesNothingButTheRun(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	batch := market.AFRR.Batch(afrrDay(day, 80)[:1000]).With(market.MFRR.Batch([]market.MFRRStep{{Start: day.Period().Start, Direction: market.Upward}, {Start: day.Period().Start, Direction: market.Downward, ClearingPrice: market.Num(-1)}})).With(market.Prices.Batch([]market.Price{{Start: day.Period().Start, Resolution: market.PT60M, Price: market.Num(0)}}))
	asked := []market.Dataset{market.AFRREnergy, market.MFRREnergy, market.DayAheadPrices}
	commit(t, s, runAt(0, asked...), batch)
	before := kept(t, s)
	for again := 1; again <= 3; again++ {
		written := ask(t, s.WriterPool(), "SELECT total_changes()")
		run := commit(t, s, runAt(again, asked...), batch)
		if got, want := ask(t, s.WriterPool(), "SELECT total_changes() - ?", written), "9"; got != want {
			t.Errorf("time %d wrote %s rows, want %s: for each dataset an account, that it is the newest, and what it says of the date", again, got, want)
		}
		want := map[market.Dataset]store.Tally{market.AFRREnergy: {Seen: 1000}, market.MFRREnergy: {Seen: 2}, market.DayAheadPrices: {Seen: 1}}
		if diff := cmp.Diff(want, run.Tallies); diff != "" {
			t.Errorf("time %d: tallies (-want +got):\n%s", again, diff)
		}
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("what is kept has changed (-before +after):\n%s", diff)
	}
	summary, err := s.RunSummary(t.Context(), market.AFRREnergy)
	if err != nil || !summary.LastSuccess.Equal(minute(3)) || !summary.LastChange.Equal(minute(0)) {
		t.Errorf("summary %+v, %v; want success at %s and change at %s", summary, err, minute(3), minute(0))
	}
}

// one is a row of mFRR energy at one fixed start.
func one(clearing, current market.Number) market.Batch {
	return market.MFRR.Batch([]market.MFRRStep{{Start: date("2026-07-14").Period().Start, Direction: market.Upward,
		ClearingPrice: clearing, SettlementPriceCurrent: current}})
}

func TestAValueThatChanges(t *testing.T) {
	t.Parallel()
	var null market.Number
	num := market.Num
	start := date("2026-07-14").Period().Start
	revision := func(column, old, new string, since, seen int) string {
		return fmt.Sprintf("mfrr-energy|%d|UPWARD|%s|%s|%s|%d|%d", start, column, old, new, minute(since).UnixMilli(), minute(seen).UnixMilli())
	}
	const clearing, current = "clearing_price", "settlement_price_current"
	for _, c := range []struct {
		name      string
		batches   []market.Batch // committed a minute apart
		clearing  market.Number
		current   market.Number
		revisions []string
		changed   int // the minute of the last change
	}{
		{
			name:    "is served, and the old one kept",
			batches: []market.Batch{one(num(1), null), one(num(2), null)}, clearing: num(2), changed: 1,
			revisions: []string{revision(clearing, "1", "2", 0, 1)},
		},
		{
			name:     "twice has intervals that adjoin",
			batches:  []market.Batch{one(num(1), null), one(num(1), null), one(num(2), null), one(num(2), null), one(num(3.25), null)},
			clearing: num(3.25), changed: 4,
			revisions: []string{revision(clearing, "1", "2", 0, 2), revision(clearing, "2", "3.25", 2, 4)},
		},
		{
			name:    "and changes back is three values",
			batches: []market.Batch{one(num(1), null), one(num(2), null), one(num(1), null)}, clearing: num(1), changed: 2,
			revisions: []string{revision(clearing, "1", "2", 0, 1), revision(clearing, "2", "1", 1, 2)},
		},
		{
			name:     "leaves the intervals of the other column alone",
			batches:  []market.Batch{one(num(1), num(10)), one(num(2), num(10)), one(num(2), num(20)), one(num(3), num(30))},
			clearing: num(3), current: num(30), changed: 3,
			revisions: []string{revision(clearing, "1", "2", 0, 1), revision(current, "10", "20", 0, 2), revision(clearing, "2", "3", 1, 3), revision(current, "20", "30", 2, 3)},
		},
		{
			name:    "to null stays what it was",
			batches: []market.Batch{one(num(1), num(5)), one(null, null)}, clearing: num(1), current: num(5),
		},
		{
			name:    "to null beside one that changes stays what it was",
			batches: []market.Batch{one(num(1), num(5)), one(null, num(6))}, clearing: num(1), current: num(6), changed: 1,
			revisions: []string{revision(current, "5", "6", 0, 1)},
		},
		{
			name:    "from null has a revision that says so",
			batches: []market.Batch{one(null, num(5)), one(num(0), num(5))}, clearing: num(0), current: num(5), changed: 1,
			revisions: []string{revision(clearing, "null", "0", 0, 1)},
		},
		{
			name:    "in a row that had none at all",
			batches: []market.Batch{one(null, null), one(null, null), one(null, num(-7)), one(null, num(-8))}, current: num(-8), changed: 3,
			revisions: []string{revision(current, "null", "-7", 0, 2), revision(current, "-7", "-8", 2, 3)},
		},
		{
			name:    "in its last digit has changed",
			batches: []market.Batch{one(num(0.3), null), one(num(0.30000000000000004), null)}, clearing: num(0.30000000000000004), changed: 1,
			revisions: []string{revision(clearing, "0.3", "0.30000000000000004", 0, 1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			for i, batch := range c.batches {
				commit(t, s, runAt(i, market.MFRREnergy), batch)
			}
			window, err := store.Latest(t.Context(), s, market.MFRR, market.MFRREnergy, 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(market.MFRR.In(one(c.clearing, c.current)), window.Rows); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(strings.Join(c.revisions, "\n"), ask(t, s.ReaderPool(), revisionsOfAll)); diff != "" {
				t.Errorf("revisions (-want +got):\n%s", diff)
			}
			got := ask(t, s.ReaderPool(), "SELECT first_seen_ms, changed_ms FROM mfrr_energy")
			if want := fmt.Sprintf("%d|%d", minute(0).UnixMilli(), minute(c.changed).UnixMilli()); got != want {
				t.Errorf("first seen and last changed at %s, want %s", got, want)
			}
		})
	}
}

func TestWhatARowSaysOfItselfIsNoRevision(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	row := market.ImbalanceStep{Start: date("2026-07-14").Period().Start, PositivePrice: market.Num(1), SystemTrend: market.Str("UPWARD")}
	for n, step := range []struct {
		status  string
		updated int64 // by the source, ms
		stored  string
		tally   store.Tally
		changed int // the minute of the last change
	}{
		{"provisional", 10, "provisional|10", store.Tally{Seen: 1, Changed: 1}, 0},
		{"validated", 10, "validated|10", store.Tally{Seen: 1, Changed: 1}, 1},
		{"validated", 10, "validated|10", store.Tally{Seen: 1}, 1},
		{"validated", 20, "validated|20", store.Tally{Seen: 1, Changed: 1}, 1}, // served at once, and not asked for as a change
		{"provisional", 20, "validated|20", store.Tally{Seen: 1}, 1},           // it never goes back
		{"settled", 20, "settled|20", store.Tally{Seen: 1, Changed: 1}, 5},
	} {
		row.Status, row.Updated = market.Str(step.status), step.updated
		run := commit(t, s, runAt(n, market.ImbalancePrices), market.Imbalance.Batch([]market.ImbalanceStep{row}))
		got := ask(t, s.ReaderPool(), "SELECT status, updated_ms, changed_ms FROM imbalance_price")
		if want := fmt.Sprintf("%s|%d", step.stored, minute(step.changed).UnixMilli()); got != want || run.Tallies[market.ImbalancePrices] != step.tally {
			t.Errorf("minute %d: %s, %+v; want %s, %+v", n, got, run.Tallies[market.ImbalancePrices], want, step.tally)
		}
	}
	if got := ask(t, s.ReaderPool(), revisionsOfAll); got != "" {
		t.Errorf("revisions:\n%s", got)
	}
}

func TestARemarkThatIsTakenBackIsAChangeAndNotAWithdrawal(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	row := market.ImbalanceStep{Start: day.Period().Start, PositivePrice: market.Num(1), MissingData: market.Str("afrr")}
	commit(t, s, runAt(0, market.ImbalancePrices), market.Imbalance.Batch([]market.ImbalanceStep{row}))
	row.MissingData = market.String{Withdrawn: true}
	better := market.Imbalance.Batch([]market.ImbalanceStep{row})
	effect, err := s.Preview(t.Context(), market.ImbalancePrices, day, better)
	if want := (store.ColumnEffect{Held: 1, Changed: 1}); err != nil || effect.Columns["missing_data"] != want || better.Withdraws() {
		t.Errorf("%+v, %v; it withdraws: %t", effect, err, better.Withdraws())
	}
	run := commit(t, s, runAt(1, market.ImbalancePrices), better)
	if want := (store.Tally{Seen: 1, Changed: 1}); run.Tallies[market.ImbalancePrices] != want {
		t.Errorf("%+v, want %+v", run.Tallies[market.ImbalancePrices], want)
	}
	if got := ask(t, s.ReaderPool(), "SELECT column_name, old_text, ifnull(new_text, 'null') FROM revision"); got != "missing_data|afrr|null" {
		t.Errorf("revisions: %s", got)
	}
}

func TestAFlagThatChangesHasARevisionOfZeroAndOne(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	start := date("2026-07-14").Period().Start
	for i, flag := range []market.Flag{{}, {Valid: true}, {V: true, Valid: true}, {}} {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: start, ProrataMode: flag}}))
	}
	var got []string
	for _, r := range revisionsOf(t, s, market.AFRREnergy, date("2026-07-14"), date("2026-07-14")) {
		got = append(got, revisionLine(r))
	}
	want := []string{
		fmt.Sprintf("%d||prorata_mode|null|0|%d|%d", start, minute(0).UnixMilli(), minute(1).UnixMilli()),
		fmt.Sprintf("%d||prorata_mode|0|1|%d|%d", start, minute(1).UnixMilli(), minute(2).UnixMilli()),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
	if window, err := store.Latest(t.Context(), s, market.AFRR, market.AFRREnergy, 1); err != nil || !window.Rows[0].ProrataMode.V || !window.Rows[0].ProrataMode.Valid {
		t.Errorf("served %+v, %v; want the flag set", window.Rows, err)
	}
}

func TestARowTwiceInABatch(t *testing.T) {
	t.Parallel()
	var null market.Number
	num := market.Num
	for _, c := range []struct {
		name      string
		stored    []market.Number
		batch     []market.Number
		want      market.Number
		tally     store.Tally
		revisions string
	}{
		{name: "the later one stands", batch: []market.Number{num(1), num(2)}, want: num(2), tally: store.Tally{Seen: 2, Changed: 1}},
		{name: "a null takes nothing away", batch: []market.Number{num(1), null}, want: num(1), tally: store.Tally{Seen: 2, Changed: 1}},
		{name: "three times", batch: []market.Number{num(1), num(2), num(3)}, want: num(3), tally: store.Tally{Seen: 3, Changed: 1}},
		{
			name: "and before", stored: []market.Number{num(9)}, batch: []market.Number{num(1), num(2)}, want: num(2),
			tally: store.Tally{Seen: 2, Changed: 1}, revisions: "9|2",
		},
		{
			name: "the later one as stored", stored: []market.Number{num(9)}, batch: []market.Number{num(1), num(9)}, want: num(9),
			tally: store.Tally{Seen: 2},
		},
		{name: "both as stored", stored: []market.Number{num(9)}, batch: []market.Number{num(9), num(9)}, want: num(9), tally: store.Tally{Seen: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			for i, clearing := range c.stored {
				commit(t, s, runAt(i, market.MFRREnergy), one(clearing, null))
			}
			var batch market.Batch
			for _, clearing := range c.batch {
				market.MFRR.Put(&batch, append(market.MFRR.In(batch), market.MFRR.In(one(clearing, null))...))
			}
			given := slices.Clone(market.MFRR.In(batch))
			run := commit(t, s, runAt(60, market.MFRREnergy), batch)
			if got := run.Tallies[market.MFRREnergy]; got != c.tally {
				t.Errorf("tally %+v, want %+v", got, c.tally)
			}
			window, err := store.Latest(t.Context(), s, market.MFRR, market.MFRREnergy, 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(market.MFRR.In(one(c.want, null)), window.Rows); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
			if got := ask(t, s.ReaderPool(), "SELECT old, new FROM revision ORDER BY id"); got != c.revisions {
				t.Errorf("revisions %q, want %q", got, c.revisions)
			}
			coverage, err := s.Coverage(t.Context(), market.MFRREnergy, date("2026-07-14"), date("2026-07-14"))
			if err != nil || coverage.Rows() != 1 {
				t.Errorf("coverage %v, %v; want one row", coverage, err)
			}
			if diff := cmp.Diff(given, market.MFRR.In(batch)); diff != "" {
				t.Errorf("the batch itself has changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestACommitThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	day := date("2026-07-14")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	good := market.Prices.Batch([]market.Price{{Start: day.Period().Start, Resolution: market.PT15M, Price: market.Num(3)}}).With(market.AFRR.Batch(afrrDay(day, 55)[:500]))
	with := func(change func(*market.Batch)) market.Batch {
		batch := good
		change(&batch)
		return batch
	}
	asked := []market.Dataset{market.DayAheadPrices, market.AFRREnergy}
	for _, c := range []struct {
		name  string
		ctx   context.Context
		run   *store.Run
		batch market.Batch
		is    error
		says  string
	}{
		{name: "cancelled before it began", ctx: ended, run: runAt(1, asked...), batch: good, is: context.Canceled},
		{
			name: "a price that is null", run: runAt(1, asked...), says: "NOT NULL",
			batch: with(func(b *market.Batch) {
				market.Prices.Put(b, append(slices.Clone(market.Prices.In(*b)), market.Price{Start: day.Period().Start + 900, Resolution: market.PT15M}))
			}),
		},
		{
			name: "rows of a dataset that was not asked for", run: runAt(1, market.DayAheadPrices), batch: good, says: "a row of afrr-energy",
		},
		{
			name: "rows of one of three that was not asked for", run: runAt(1, append(asked, market.FCRCapacity)...), says: "a row of mfrr-capacity",
			batch: with(func(b *market.Batch) {
				market.Capacity.Put(b, []market.CapacityStep{{Dataset: market.FCRCapacity, Start: 900}, {Dataset: market.MFRRCapacity, Start: 900}})
			}),
		},
		{
			name: "rows of no dataset", run: runAt(1, append(asked, market.FCRCapacity)...), says: "a row of ",
			batch: with(func(b *market.Batch) { market.Capacity.Put(b, []market.CapacityStep{{Start: 900}}) }),
		},
		{
			name: "an account that the schema refuses, which is written last", batch: good, says: "CHECK",
			run: func() *store.Run { run := runAt(1, asked...); run.Outcome = "splendid"; return run }(),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			commit(t, s, runAt(0, market.DayAheadPrices), market.Prices.Batch([]market.Price{{Start: day.Period().Start, Resolution: market.PT15M, Price: market.Num(1)}}))
			before, runs := kept(t, s), ask(t, s.ReaderPool(), "SELECT * FROM feed_run")
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			err := s.Commit(ctx, c.run, c.batch)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Commit = %v, want %v %q", err, c.is, c.says)
			}
			if c.run.Tallies != nil {
				t.Errorf("the run has tallies %v of what was not stored", c.run.Tallies)
			}
			if diff := cmp.Diff(before, kept(t, s)); diff != "" {
				t.Errorf("something stayed (-before +after):\n%s", diff)
			}
			if got := ask(t, s.ReaderPool(), "SELECT * FROM feed_run"); got != runs {
				t.Errorf("accounts of runs %q, want %q", got, runs)
			}
			// The store goes on.
			commit(t, s, runAt(2, asked...), good)
		})
	}
}

// fuse is a context that ends after its error was checked a number of times.
type fuse struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func burning(parent context.Context, looks int64) *fuse {
	f := &fuse{}
	f.Context, f.cancel = context.WithCancel(parent)
	f.left.Store(looks)
	return f
}

func (f *fuse) Done() <-chan struct{} {
	if f.left.Add(-1) == 0 {
		f.cancel()
	}
	return f.Context.Done()
}

func TestACommitCutShortAnywhereIsAllOrNothing(t *testing.T) {
	s := openNew(t)
	const rows = 200
	day := date("2026-07-14")
	for looks := int64(1); ; looks++ {
		ctx := burning(t.Context(), looks)
		run := runAt(int(looks), market.AFRREnergy)
		err := s.Commit(ctx, run, market.AFRR.Batch(afrrDay(day, 60)[:rows]))
		unburnt := ctx.left.Load() > 0
		ctx.cancel()
		got := ask(t, s.ReaderPool(), "SELECT (SELECT count(*) FROM afrr_energy), (SELECT ifnull(sum(rows), 0) FROM coverage), (SELECT count(*) FROM feed_run)")
		switch {
		case err == nil && got != fmt.Sprintf("%d|%[1]d|1", rows):
			t.Fatalf("cut short at look %d: no error, and kept are %s", looks, got)
		case err != nil && got != "0|0|0":
			t.Fatalf("cut short at look %d: %v, and kept are %s", looks, err, got)
		case err != nil && run.Tallies != nil:
			t.Fatalf("cut short at look %d: %v, and tallies %v", looks, err, run.Tallies)
		}
		if unburnt {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if err == nil {
			if _, err := s.WriterPool().ExecContext(t.Context(), "DELETE FROM afrr_energy_hour; DELETE FROM coverage; DELETE FROM feed_run"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCoverageCountsTheRowsOfADeliveryDate(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	first, last := date("2026-03-28"), date("2026-10-26")
	want := market.Coverage{}
	var mfrr []market.MFRRStep
	var capacity []market.CapacityStep
	for _, c := range []struct {
		date  market.DeliveryDate
		steps int
	}{
		{date("2026-03-28"), 96}, {date("2026-03-29"), 92}, {date("2026-03-30"), 96}, {date("2026-10-24"), 96}, {date("2026-10-25"), 100}, {date("2026-10-26"), 96},
	} {
		want[c.date] = map[string]int{"UPWARD": c.steps, "DOWNWARD": c.steps}
		for start := c.date.Period().Start; start < c.date.Period().End; start += market.QuarterSeconds {
			mfrr = append(mfrr, market.MFRRStep{Start: start, Direction: market.Upward}, market.MFRRStep{Start: start, Direction: market.Downward})
			capacity = append(capacity,
				market.CapacityStep{Dataset: market.FCRCapacity, Start: start, Direction: market.Symmetric, TimeHorizon: "DAILY", Product: "STD"},
				market.CapacityStep{Dataset: market.MFRRCapacity, Start: start, Direction: market.Upward, TimeHorizon: "DAILY", Product: "STD"},
				market.CapacityStep{Dataset: market.MFRRCapacity, Start: start, Direction: market.Upward, TimeHorizon: "PERIODIC", Product: "STD"})
		}
	}
	asked := []market.Dataset{market.MFRREnergy, market.FCRCapacity, market.AFRRCapacity, market.MFRRCapacity}
	// Twice, the second time in halves that overlap.
	commit(t, s, runAt(0, asked...), market.MFRR.Batch(mfrr[:300]).With(market.Capacity.Batch(capacity[:500])))
	commit(t, s, runAt(1, asked...), market.MFRR.Batch(mfrr[100:]).With(market.Capacity.Batch(capacity[499:])))
	commit(t, s, runAt(2, asked...), market.MFRR.Batch(mfrr).With(market.Capacity.Batch(capacity)))
	for _, c := range []struct {
		dataset market.Dataset
		series  map[string]string // as counted for mFRR energy: by what name
	}{
		{market.MFRREnergy, map[string]string{"UPWARD": "UPWARD", "DOWNWARD": "DOWNWARD"}},
		{market.FCRCapacity, map[string]string{"SYMMETRIC/DAILY/STD": "UPWARD"}},
		{market.MFRRCapacity, map[string]string{"UPWARD/DAILY/STD": "UPWARD", "UPWARD/PERIODIC/STD": "UPWARD"}},
		{market.AFRRCapacity, nil},
	} {
		wanted := market.Coverage{}
		for d, counts := range want {
			for series, like := range c.series {
				if wanted[d] == nil {
					wanted[d] = map[string]int{}
				}
				wanted[d][series] = counts[like]
			}
		}
		got, err := s.Coverage(t.Context(), c.dataset, first, last)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.dataset, diff)
		}
		extent, err := s.Extent(t.Context(), c.dataset)
		if err != nil {
			t.Fatal(err)
		}
		wantExtent := store.Extent{}
		if c.series != nil {
			wantExtent = store.Extent{First: first, Last: last, NewestStart: last.Period().End - market.QuarterSeconds, NewestEnd: last.Period().End}
		}
		if extent != wantExtent {
			t.Errorf("%s extends over %+v, want %+v", c.dataset, extent, wantExtent)
		}
	}
	part, err := s.Coverage(t.Context(), market.MFRREnergy, date("2026-03-29"), date("2026-10-24"))
	if err != nil || part.Rows() != 2*(92+96+96) || len(part) != 3 {
		t.Errorf("coverage of the middle %v, %v", part, err)
	}
}

func TestCoverageOfThe4SecondStepsWhenTheClockChanges(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for i, c := range []struct {
		date market.DeliveryDate
		rows int
	}{{date("2026-03-29"), 20_700}, {date("2026-07-14"), 21_600}, {date("2026-10-25"), 22_500}} {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(c.date, 70)))
		coverage, err := s.Coverage(t.Context(), market.AFRREnergy, c.date.Add(-1), c.date.Add(1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(market.Coverage{c.date: {"": c.rows}}, coverage, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.date, diff)
		}
		window, err := store.Latest(t.Context(), s, market.AFRR, market.AFRREnergy, 1)
		if err != nil || len(window.Rows) != c.rows || window.Last != c.date {
			t.Errorf("latest is %s with %d rows, %v; want %s with %d", window.Last, len(window.Rows), err, c.date, c.rows)
		}
	}
}

// A map models what the store must contain after any sequence of batches.
func TestAnySequenceOfBatchesIsKeptAsTheModelSays(t *testing.T) {
	t.Parallel()
	type revised struct {
		column    string
		old, new  market.Number
		since, at int64
	}
	type cell struct {
		value market.Number
		since int64
	}
	columns := []string{"offered_mw", "contracted_mw", "price"}
	numbers := func(r market.CapacityStep) []market.Number {
		return []market.Number{r.OfferedMW, r.ContractedMW, r.Price}
	}

	s := openNew(t)
	d, minutes := date("2020-01-01"), 0
	storetest.Check(t, func(t *rapid.T) {
		d = d.Add(2) // each try has dates of its own, and each commit an instant
		value := rapid.SampledFrom([]market.Number{{}, market.Num(0), market.Num(1), market.Num(-2.5)})
		anyRow := rapid.Custom(func(t *rapid.T) market.CapacityStep {
			return market.CapacityStep{
				Dataset:     rapid.SampledFrom([]market.Dataset{market.AFRRCapacity, market.MFRRCapacity}).Draw(t, "dataset"),
				Start:       d.End().Unix() + rapid.SampledFrom([]int64{-900, 0, 900}).Draw(t, "start"),
				Direction:   rapid.SampledFrom([]market.Direction{market.Upward, market.Downward}).Draw(t, "direction"),
				TimeHorizon: "DAILY", Product: "STD",
				OfferedMW: value.Draw(t, "offered"), ContractedMW: value.Draw(t, "contracted"), Price: value.Draw(t, "price"),
			}
		})
		keyOf := func(r market.CapacityStep) market.CapacityStep {
			r.OfferedMW, r.ContractedMW, r.Price = market.Number{}, market.Number{}, market.Number{}
			return r
		}
		cells := map[market.CapacityStep][]cell{}
		revisions := map[market.CapacityStep][]revised{}
		for i, rows := range rapid.SliceOfN(rapid.SliceOfN(anyRow, 0, 12), 1, 6).Draw(t, "batches") {
			minutes++
			run := runAt(minutes, market.AFRRCapacity, market.MFRRCapacity)
			now := run.Ended.UnixMilli()
			if err := s.Commit(context.Background(), run, market.Capacity.Batch(rows)); err != nil {
				t.Fatal(err)
			}
			came := map[market.CapacityStep][]market.Number{}
			seen, changed := map[market.Dataset]int{}, map[market.Dataset]int{}
			for _, r := range rows {
				seen[r.Dataset]++
				key := keyOf(r)
				if came[key] == nil {
					came[key] = make([]market.Number, len(columns))
				}
				for c, n := range numbers(r) {
					if n.Valid {
						came[key][c] = n
					}
				}
			}
			for key, values := range came {
				before, known := cells[key]
				differs := !known
				if !known {
					cells[key] = make([]cell, len(columns))
				}
				for c, n := range values {
					switch {
					case !known:
						cells[key][c] = cell{n, now}
					case n.Valid && n != before[c].value:
						revisions[key] = append(revisions[key], revised{columns[c], before[c].value, n, before[c].since, now})
						cells[key][c] = cell{n, now}
						differs = true
					}
				}
				if differs {
					changed[key.Dataset]++
				}
			}
			for _, dataset := range run.Datasets {
				if want := (store.Tally{Seen: seen[dataset], Changed: changed[dataset]}); run.Tallies[dataset] != want {
					t.Fatalf("batch %d, %s: tally %+v, want %+v", i, dataset, run.Tallies[dataset], want)
				}
			}
		}
		counted := map[market.Dataset]map[market.DeliveryDate]map[string]int{market.AFRRCapacity: {}, market.MFRRCapacity: {}}
		for key, want := range cells {
			series := market.CapacitySeries(key.Direction, key.TimeHorizon, key.Product)
			on := market.DeliveryDateOf(market.Period{Start: key.Start}.From())
			if counted[key.Dataset][on] == nil {
				counted[key.Dataset][on] = map[string]int{}
			}
			counted[key.Dataset][on][series]++
			var got market.CapacityStep
			err := s.ReaderPool().QueryRow("SELECT offered_mw, contracted_mw, price FROM capacity WHERE start = ? AND dataset = ? AND direction = ?",
				key.Start, key.Dataset, key.Direction).Scan(&got.OfferedMW, &got.ContractedMW, &got.Price)
			if err != nil {
				t.Fatal(err)
			}
			for c, n := range numbers(got) {
				if n != want[c].value {
					t.Fatalf("%+v: %s is %v, want %v", key, columns[c], n, want[c].value)
				}
			}
			rows, err := s.ReaderPool().Query("SELECT column_name, old, new, since_ms, seen_ms FROM revision WHERE dataset = ? AND start = ? AND series = ? ORDER BY id",
				key.Dataset, key.Start, series)
			if err != nil {
				t.Fatal(err)
			}
			var told []revised
			for rows.Next() {
				var r revised
				if err := rows.Scan(&r.column, &r.old, &r.new, &r.since, &r.at); err != nil {
					t.Fatal(err)
				}
				told = append(told, r)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, revisions[key]) {
				t.Fatalf("%+v: revisions %v, want %v", key, told, revisions[key])
			}
		}
		for dataset, want := range counted {
			got, err := s.Coverage(context.Background(), dataset, d, d.Add(1))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(market.Coverage(want), got, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
				t.Fatalf("coverage of %s (-want +got):\n%s", dataset, diff)
			}
		}
	})
}
