package store_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

// thirdSchema is what a courant of the third schema had stored.
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
	path := filepath.Join(t.TempDir(), "courant.db")
	if err := store.MakeOld(t.Context(), path, 3, thirdSchema); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	for query, want := range map[string]string{
		"SELECT start, resolution, source, price, first_seen_ms, changed_ms FROM day_ahead_price": "1792965600|PT15M|ENTSO-E|41.5|1|2",
		"SELECT feed, dataset, delivery_date, outcome, refused, answered_ms FROM asked_date ORDER BY feed DESC, delivery_date": "day_ahead_prices|day-ahead-prices|2026-10-24|ok|0|<nil>\n" +
			"day_ahead_prices|day-ahead-prices|2026-10-25|partial|1|<nil>\n" +
			"day_ahead_prices|day-ahead-prices|2026-10-26|ok|0|<nil>\n" +
			"afrr_energy|afrr-energy|2026-10-26|failed|0|<nil>",
		"SELECT id, reason, seen_ms FROM quarantine": "7|flat|5",
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
