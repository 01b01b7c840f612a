package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// thirdSchema is the content of a database of the third schema.
const thirdSchema = `
	INSERT INTO day_ahead_price VALUES (1792965600, 'PT15M', 41.5, 1, 2);
	INSERT INTO coverage VALUES ('day-ahead-prices', '2026-10-26', 'PT15M', 1, 1792965600);
	INSERT INTO feed_run (id, feed, dataset, window_start, window_end, started_ms, ended_ms, outcome, rows_seen, rows_changed, bytes, error) VALUES
		(1, 'day_ahead_prices', 'day-ahead-prices', unixepoch('2026-10-23 22:00'), unixepoch('2026-10-26 23:00'), 1, 2, 'ok', 1, 1, 1, ''),
		(2, 'day_ahead_prices', 'day-ahead-prices', unixepoch('2026-10-24 22:00'), unixepoch('2026-10-25 23:00'), 3, 4, 'partial', 0, 0, 1, 'refused'),
		(3, 'afrr_energy', 'afrr-energy', unixepoch('2026-10-26 10:00'), unixepoch('2026-10-26 10:15'), 3, 4, 'failed', 0, 0, 1, 'down');
	INSERT INTO refusal VALUES (2, '2026-10-25', 'two series differ');
	INSERT INTO quarantine (id, dataset, delivery_date, reason, prices, seen_ms) VALUES (7, 'day-ahead-prices', '2026-10-26', 'flat', '[[1792965600,"PT15M",0]]', 5)`

func TestADatabaseOfTheThirdSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 3, thirdSchema); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	for query, want := range map[string]string{
		"SELECT start, resolution, source, price, first_seen_ms, changed_ms FROM day_ahead_price": "1792965600|PT15M|ENTSO-E|41.5|1|2",
		"SELECT feed, dataset, delivery_date, fault, fault_reason, answered_ms FROM asked_date ORDER BY feed DESC, delivery_date": "day_ahead_prices|day-ahead-prices|2026-10-24|<nil>||<nil>\n" +
			"day_ahead_prices|day-ahead-prices|2026-10-25|refused|refused|<nil>\n" +
			"day_ahead_prices|day-ahead-prices|2026-10-26|<nil>||<nil>\n" +
			"afrr_energy|afrr-energy|2026-10-26|failed|down|<nil>",
		"SELECT id, reason, seen_ms FROM quarantine": "7|flat|5",
		"SELECT * FROM newest_run ORDER BY dataset":  "afrr-energy|afrr_energy|<nil>|<nil>\nday-ahead-prices|day_ahead_prices|1|1",
	} {
		if diff := cmp.Diff(want, ask(t, s.ReaderPool(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if decision := arrive(t, s, 1, "2026-10-27", 0); decision != store.Undecided {
		t.Errorf("decided %q", decision)
	}
	if got := ask(t, s.ReaderPool(), "SELECT max(id) FROM quarantine"); got != "8" {
		t.Errorf("the next id is %s", got)
	}
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

// rowsOfBefore is the content of a database with each 4 s step in a row of its own: two dates, a gap, a value that was revised,
// numbers that are no short decimals, and a row without flags.
const rowsOfBefore = `
	WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
	INSERT INTO afrr_energy SELECT unixepoch('2026-10-25 00:00') + 4 * i + iif(i < 1000, 0, 7200), iif(i % 3, NULL, i / 100.0), i / -8.0, i * 0.1, 1e300 * i, NULL,
		i % 2, iif(i = 77, NULL, 0), 1000 + i / 225, 1000 + i / 225 FROM n;
	INSERT INTO afrr_energy VALUES (unixepoch('2026-10-26 10:00') + 1, 1, 2, 3, 4, 5, NULL, 1, 6, 9);
	INSERT INTO revision (dataset, start, series, column_name, old, new, since_ms, seen_ms)
		VALUES ('afrr-energy', unixepoch('2026-10-26 10:00') + 1, '', 'upward_price', 0, 1, 6, 9);
	INSERT INTO coverage VALUES ('afrr-energy', '2026-10-25', '', 2000, 0), ('afrr-energy', '2026-10-26', '', 1, 0)`

func TestStepsInRowsAreMovedIntoTheirHours(t *testing.T) {
	t.Parallel()
	for _, version := range storetest.Some(3, []int64{1, 3, 4, 8}) {
		t.Run(fmt.Sprintf("from schema %d", version), func(t *testing.T) {
			path := filepath.Join(storetest.Folder(t), "courant.db")
			if err := store.MakeOld(t.Context(), path, version, rowsOfBefore); err != nil {
				t.Fatal(err)
			}
			const rows = `SELECT start, upward_price, downward_price, demand_mw, for_france_mw, in_france_mw, picasso_connection, prorata_mode,
				first_seen_ms, changed_ms FROM afrr_energy ORDER BY start`
			raw, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			before := ask(t, raw, rows)
			s := open(t, path)
			if diff := cmp.Diff(before, ask(t, s.ReaderPool(), rows)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			window, err := store.Latest(t.Context(), s, market.AFRR, market.AFRREnergy, 1)
			want := market.AFRRStep{Start: date("2026-10-26").At(11, 0).Unix() + 1, UpwardPrice: market.Num(1), DownwardPrice: market.Num(2), DemandMW: market.Num(3),
				ForFranceMW: market.Num(4), InFranceMW: market.Num(5), ProrataMode: market.Flag{V: true, Valid: true}}
			if err != nil || len(window.Rows) != 1 || window.Rows[0] != want {
				t.Errorf("latest %+v, %v", window.Rows, err)
			}
			if got := ask(t, s.ReaderPool(), "SELECT name FROM sqlite_schema WHERE name = 'afrr_energy_row'"); got != "" {
				t.Errorf("the rows of before are still there")
			}
			if got := ask(t, s.ReaderPool(), "PRAGMA freelist_count"); got != "0" {
				t.Errorf("%s pages of the file hold nothing", got)
			}
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Error(err)
			}
			// A migrated value that changes has been current since it was first seen.
			commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: want.Start, DemandMW: market.Num(7)}}))
			var got []string
			for _, r := range revisionsOf(t, s, market.AFRREnergy, date("2026-10-26"), date("2026-10-26")) {
				got = append(got, revisionLine(r))
			}
			revisions := []string{fmt.Sprintf("%d||demand_mw|3|7|6|%d", want.Start, minute(0).UnixMilli()), fmt.Sprintf("%d||upward_price|0|1|6|9", want.Start)}
			if diff := cmp.Diff(revisions, got); diff != "" {
				t.Errorf("revisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMoveIntoHoursThatIsCutShortIsMadeAgain(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 8, rowsOfBefore); err != nil {
		t.Fatal(err)
	}
	for looks := int64(1); ; looks += *cutEvery {
		ctx := burning(t.Context(), looks)
		s, err := store.Open(ctx, path)
		ctx.cancel()
		if err != nil {
			continue
		}
		defer s.Close()
		if got := ask(t, s.ReaderPool(), "SELECT sum(rows) FROM afrr_energy_hour"); got != "2001" {
			t.Errorf("%s rows, want 2001", got)
		}
		return
	}
}

func TestQuarantinedPricesAndDecisionsOfAnEarlierSchemaAreMigrated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	const statements = `INSERT INTO quarantine (id, dataset, delivery_date, reason, prices, seen_ms, decision, decided_ms) VALUES
		(3, 'day-ahead-prices', '2026-07-13', 'all prices are 7 EUR/MWh', '[[1783893600,"PT15M",7]]', 5, 'rejected', 6),
		(4, 'day-ahead-prices', '2026-07-14', 'all prices are 0 EUR/MWh', '[[1783980000,"PT15M",0],[1783980900,"PT15M",-0.09211]]', 5, NULL, NULL),
		(5, 'day-ahead-prices', '2026-07-15', '40 of the 96 prices change', '[[1784066400,"PT60M",1]]', 8, NULL, NULL),
		(6, 'day-ahead-prices', '2026-07-15', '50 of the 96 prices change', '[[1784066400,"PT60M",2]]', 9, 'superseded', 10)`
	if err := store.MakeOld(t.Context(), path, 13, statements); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	const want = "3|flat|all prices are 7 EUR/MWh|rejected\n4|flat|all prices are 0 EUR/MWh|<nil>\n5|changed|40 of the 96 prices change|<nil>"
	if diff := cmp.Diff(want, ask(t, s.ReaderPool(), "SELECT id, kind, reason, decision FROM quarantine ORDER BY id")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	prices := []market.Price{
		{Start: 1783980000, Resolution: market.PT15M, Price: market.Num(0)}, {Start: 1783980900, Resolution: market.PT15M, Price: market.Num(-0.09211)},
	}
	if diff := cmp.Diff(prices, market.Prices.In(whatWaits(t, s, 4).Batch)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rejected := market.Prices.Batch([]market.Price{{Start: 1783893600, Resolution: market.PT15M, Price: market.Num(7)}})
	if decision := quarantine(t, s, 0, market.DayAheadPrices, "2026-07-13", market.WaitsFlat, rejected); decision != store.Rejected {
		t.Errorf("what was rejected is %q", decision)
	}
	arrive(t, s, 0, "2026-07-20", 7)
	if got := ask(t, s.ReaderPool(), "SELECT max(id) FROM quarantine"); got != "7" {
		t.Errorf("the next id is %s", got)
	}
}

// revisionsOfBefore is the content of a database with each changed 4 s value in a row of revision: a value that changed twice,
// others that changed with it, one that changed twice at one instant, a flag, nulls, the ends of an hour, and changes of another
// dataset.
const revisionsOfBefore = `
	INSERT INTO revision (id, dataset, start, series, column_name, old, new, since_ms, seen_ms) VALUES
		(1, 'afrr-energy', 1792922400, '', 'upward_price', 0.25, -1.5, 6, 9),
		(2, 'mfrr-energy', 1792922400, 'UPWARD', 'clearing_price', 1, 2, 6, 9),
		(3, 'afrr-energy', 1792922404, '', 'upward_price', NULL, 1e300, 6, 9),
		(4, 'afrr-energy', 1792922404, '', 'prorata_mode', 0, 1, 5, 9),
		(5, 'afrr-energy', 1792925996, '', 'demand_mw', 0.1, NULL, 7, 9),
		(6, 'afrr-energy', 1792926000, '', 'in_france_mw', 3, 4, 6, 9),
		(7, 'afrr-energy', 1792922400, '', 'upward_price', -1.5, 2, 9, 12),
		(8, 'afrr-energy', 1792922400, '', 'upward_price', 2, 3, 12, 12),
		(9, 'afrr-energy', 1792922401, '', 'for_france_mw', 1, 2, 3, 12)`

func TestRevisionsOf4SecondStepsArePackedAsTheyWere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 13, revisionsOfBefore); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	var got []string
	for _, r := range revisionsOf(t, s, market.AFRREnergy, date("2026-10-25"), date("2026-10-25")) {
		got = append(got, revisionLine(r))
	}
	want := []string{
		"1792922400||upward_price|0.25|-1.5|6|9",
		"1792922400||upward_price|-1.5|2|9|12",
		"1792922400||upward_price|2|3|12|12",
		"1792922401||for_france_mw|1|2|3|12",
		"1792922404||prorata_mode|0|1|5|9",
		"1792922404||upward_price|null|1e+300|6|9",
		"1792925996||demand_mw|0.1|null|7|9",
		"1792926000||in_france_mw|3|4|6|9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
	if got := ask(t, s.ReaderPool(), "SELECT id, dataset FROM revision"); got != "2|mfrr-energy" {
		t.Errorf("rows of revision: %q", got)
	}
	if got := ask(t, s.ReaderPool(), "SELECT hour, seen_ms, steps FROM afrr_energy_revision ORDER BY id"); got != "1792922400|9|3\n1792922400|12|1\n1792922400|12|2\n1792926000|9|1" {
		t.Errorf("packed are\n%s", got)
	}
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}
