package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// price is a quarter hour's price of ENTSO-E on 14 July 2026.
func price(quarter int, v float64) market.Batch {
	return market.Prices.Batch([]market.Price{{Start: date("2026-07-14").Start().Unix() + int64(quarter)*market.QuarterSeconds,
		Resolution: market.PT15M, Price: market.Num(v)}})
}

// positions are all commits with their stamps, in ms after dawn.
func positions(t testing.TB, s *store.Store) string {
	t.Helper()
	return ask(t, s.ReaderPool(), "SELECT position, stamp_ms - ? FROM market_commit ORDER BY position", dawn.UnixMilli())
}

func TestEachCommitThatChangesSomethingHasAPositionAndAStampOfItsOwn(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commit(t, s, runAt(0, market.DayAheadPrices), price(0, 1))
	commit(t, s, runAt(0, market.DayAheadPrices), price(1, 1))
	commit(t, s, runAt(0, market.DayAheadPrices), price(1, 1)) // changes nothing
	commit(t, s, runAt(0, market.DayAheadPrices), price(1, 2))
	if err := s.RecordRun(t.Context(), runAt(1, market.DayAheadPrices)); err != nil {
		t.Fatal(err)
	}
	quarantine(t, s, 2, market.DayAheadPrices, "2026-07-14", market.WaitsFlat, price(3, 7))
	if _, err := s.Accept(t.Context(), store.Note{}, 1, runAt(2)); err != nil {
		t.Fatal(err)
	}
	commit(t, s, runAt(3, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-13"), 1)))
	thinBefore(t, s, date("2026-07-14")) // at minute 100
	if diff := cmp.Diff("1|0\n2|1\n3|2\n4|120000\n5|180000\n6|6000000", positions(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := fmt.Sprintf("0|0\n1|2\n%d|%[1]d", 120000)
	if diff := cmp.Diff(want, ask(t, s.ReaderPool(), "SELECT first_seen_ms - ?1, changed_ms - ?1 FROM day_ahead_price", dawn.UnixMilli())); diff != "" {
		t.Errorf("prices (-want +got):\n%s", diff)
	}
	changes, err := s.Changes(t.Context(), store.BeforeAll, 100)
	if err != nil {
		t.Fatal(err)
	}
	day, before := date("2026-07-14"), date("2026-07-13")
	quarter := func(n int) int64 { return day.Start().Unix() + int64(n)*market.QuarterSeconds }
	steps := store.Change{Position: 5, Stamp: minute(3), Dataset: market.AFRREnergy, Date: before, First: before.Start().Unix(),
		Last: before.End().Unix() - market.AFRRSeconds, Rows: 21_600}
	thinned := steps
	thinned.Position, thinned.Stamp = 6, minute(100)
	steps.Completed = true
	wanted := []store.Change{
		{Position: 1, Stamp: minute(0), Dataset: market.DayAheadPrices, Date: day, First: quarter(0), Last: quarter(0), Rows: 1},
		{Position: 2, Stamp: minute(0).Add(time.Millisecond), Dataset: market.DayAheadPrices, Date: day, First: quarter(1), Last: quarter(1), Rows: 1},
		{Position: 3, Stamp: minute(0).Add(2 * time.Millisecond), Dataset: market.DayAheadPrices, Date: day, First: quarter(1), Last: quarter(1), Rows: 1},
		{Position: 4, Stamp: minute(2), Dataset: market.DayAheadPrices, Date: day, First: quarter(3), Last: quarter(3), Rows: 1},
		steps, thinned,
	}
	if diff := cmp.Diff(wanted, changes, cmp.AllowUnexported(market.DeliveryDate{})); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestChangesAreListedForAWeekWholeCommitByWholeCommit(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	const day = 24 * 60
	two := price(0, 1).With(market.MFRR.Batch([]market.MFRRStep{{Start: date("2026-07-14").Start().Unix(), Direction: market.Upward}}))
	commit(t, s, runAt(0, market.DayAheadPrices, market.MFRREnergy), two)
	hour := market.Prices.Batch([]market.Price{{Start: date("2026-07-14").At(10, 0).Unix(), Resolution: market.PT60M, Price: market.Num(1)}})
	commit(t, s, runAt(1, market.DayAheadPrices), hour)
	listed := func(after store.Position, most int) string {
		t.Helper()
		changes, err := s.Changes(t.Context(), after, most)
		if err != nil {
			if errors.Is(err, store.ErrChangesPruned) {
				return "pruned"
			}
			t.Fatal(err)
		}
		text := ""
		for _, c := range changes {
			text += fmt.Sprintf("%d %s %d+%d %d;", c.Position, c.Dataset, (c.First-date("2026-07-14").Start().Unix())/market.QuarterSeconds,
				(c.Last-c.First)/market.QuarterSeconds, c.Rows)
		}
		return text
	}
	const first, second = "1 day-ahead-prices 0+0 1;1 mfrr-energy 0+0 1;", "2 day-ahead-prices 40+3 4;"
	for _, row := range []struct {
		after store.Position
		most  int
		want  string
	}{{store.BeforeAll, 1, first}, {0, 2, first}, {0, 3, first + second}, {1, 100, second}, {2, 100, ""}} {
		if got := listed(row.after, row.most); got != row.want {
			t.Errorf("%d after %d: %q, want %q", row.most, row.after, got, row.want)
		}
	}
	commit(t, s, runAt(7*day+1, market.DayAheadPrices), price(5, 1)) // a minute more than a week after the first
	const third = "3 day-ahead-prices 5+0 1;"
	for after, want := range map[store.Position]string{0: "pruned", 1: second + third, 2: third, 3: ""} {
		if got := listed(after, 100); got != want {
			t.Errorf("a week later, after %d: %q, want %q", after, got, want)
		}
	}
}

// The clock is a day ahead at the second commit, which it is not known to be; at the fourth it is known to be an hour ahead, at
// the fifth it is behind.
func TestPositionsOrderCommitsWhereClocksDoNot(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	if at, err := s.PositionAt(t.Context(), minute(0)); err != nil || at != store.BeforeAll {
		t.Errorf("in an empty database %d, %v", at, err)
	}
	for n, ended := range []int{10, 10 + 24*60, 12, 60 + 13, 3} {
		run := runAt(ended, market.DayAheadPrices)
		if n == 3 {
			run.ClockAhead = time.Hour
		}
		commit(t, s, run, price(n, 1))
	}
	if diff := cmp.Diff("1|600000\n2|87000000\n3|720000\n4|780000\n5|180000", positions(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, row := range []struct {
		minute     int
		at, before store.Position
	}{
		{2, store.BeforeAll, store.BeforeAll},
		{3, 5, store.BeforeAll},
		{11, 5, 1},
		{12, 5, 1},
		{14, 5, 1},
		{11 + 24*60, 5, 5},
	} {
		at, err := s.PositionAt(t.Context(), minute(row.minute))
		before, err2 := s.PositionBefore(t.Context(), minute(row.minute))
		if at != row.at || before != row.before || errors.Join(err, err2) != nil {
			t.Errorf("minute %d is at %d and changes after %d, %v; want %d and %d", row.minute, at, before, errors.Join(err, err2), row.at, row.before)
		}
	}
}

// oldCommits is what a courant without positions had stored: stamps of rows, of packed hours and of revisions, one of them
// several times, and a thinned date.
const oldCommits = `
	INSERT INTO day_ahead_price (start, resolution, source, price, first_seen_ms, changed_ms) VALUES (1792969200, 'PT15M', 'ENTSO-E', 41.5, 1000, 3000);
	INSERT INTO capacity (dataset, start, direction, time_horizon, product, first_seen_ms, changed_ms)
		VALUES ('fcr-capacity', 1792969200, 'SYMMETRIC', 'DAILY', 'STD', 3000, 3000);
	INSERT INTO revision (dataset, start, series, column_name, old, new, since_ms, seen_ms) VALUES
		('day-ahead-prices', 1792969200, 'PT15M', 'price', 1, 2, 1000, 2000), ('day-ahead-prices', 1792969200, 'PT15M', 'price', 2, 41.5, 2000, 3000);
	INSERT INTO afrr_energy (start, upward_price, first_seen_ms, changed_ms) VALUES (1793008800, 1, 500, 700), (1793008804, 1, 600, 600);
	INSERT INTO revision (dataset, start, series, column_name, old, new, since_ms, seen_ms) VALUES ('afrr-energy', 1793008800, '', 'upward_price', 0, 1, 500, 700);
	INSERT INTO coverage VALUES ('afrr-energy', '2026-10-25', 'PT5M', 3, 1792969200), ('afrr-energy', '2026-10-26', '', 3, 1792969200),
		('day-ahead-prices', '2026-10-26', 'PT15M', 1, 1792969200)`

func TestWhatWasStoredBeforeThereWerePositionsHasThemInTheOrderOfItsStamps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 8, oldCommits); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	for query, want := range map[string]string{
		"SELECT position, stamp_ms, latest_ms FROM market_commit":                          "1|500|500\n2|600|600\n3|700|700\n4|1000|1000\n5|2000|2000\n6|3000|3000",
		"SELECT dataset, position FROM dataset_commit ORDER BY dataset":                    "afrr-energy|6\nday-ahead-prices|6",
		"SELECT delivery_date, position FROM thinned_date":                                 "2026-10-25|6",
		"SELECT count(*) FROM change":                                                      "0",
		"SELECT group_concat(name) FROM pragma_index_info('afrr_energy_revision_of_hour')": "hour,seen_ms",
	} {
		if diff := cmp.Diff(want, ask(t, s.ReaderPool(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for _, row := range []struct {
		dataset market.Dataset
		column  string
		at      store.Position
		want    []string // value and when it was stored or changed
	}{
		{market.AFRREnergy, "upward_price_eur_mwh", 1, []string{"0|500"}},
		{market.AFRREnergy, "upward_price_eur_mwh", 2, []string{"0|500", "1|600"}},
		{market.AFRREnergy, "upward_price_eur_mwh", 3, []string{"1|700", "1|600"}},
		{market.DayAheadPrices, "price_eur_mwh", 3, nil},
		{market.DayAheadPrices, "price_eur_mwh", 4, []string{"1|1000"}},
		{market.DayAheadPrices, "price_eur_mwh", 5, []string{"2|2000"}},
		{market.DayAheadPrices, "price_eur_mwh", 6, []string{"41.5|3000"}},
	} {
		var got []string
		for _, line := range linesRead(t, s, store.ReadQuery{Dataset: row.dataset, Period: date("2026-10-26").Period(), At: row.at,
			Columns: []string{row.column, market.ColumnUpdatedAt}}, func() {}) {
			got = append(got, strings.Join(strings.Split(line, "|")[2:], "|"))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s at %d (-want +got):\n%s", row.dataset, row.at, diff)
		}
	}
	if at, err := s.PositionAt(t.Context(), time.UnixMilli(2999)); err != nil || at != 5 {
		t.Errorf("at %d, %v", at, err)
	}
	if _, err := s.Changes(t.Context(), 5, 100); !errors.Is(err, store.ErrChangesPruned) {
		t.Errorf("changes of before: %v", err)
	}
	if changes, err := s.Changes(t.Context(), 6, 100); err != nil || len(changes) > 0 {
		t.Errorf("changes since: %v, %v", changes, err)
	}
}
