package ingest

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
)

func TestALockOfAnotherProcessIsSaidAndOutlived(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00", store.BusyTimeout(10*time.Millisecond))
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	before := b.held()
	other, err := sql.Open("sqlite", "file:"+b.db.Path()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const says = "another program has held its write lock for 10ms"
	run, err := b.runDates(market.FeedMFRREnergy, "2026-11-10", "2026-11-12")
	if err == nil || run.Outcome != store.OutcomeFailed || !strings.Contains(run.Error, says) {
		t.Errorf("outcome %s, error %v", run.Outcome, err)
	}
	if strings.Contains(run.Error, b.db.Path()) {
		t.Errorf("the run names the path of the database: %s", run.Error)
	}
	lastError := func() string {
		report, err := b.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range report.Datasets {
			if status.Dataset == market.MFRREnergy && status.LastError != nil {
				return *status.LastError
			}
		}
		return ""
	}
	if got := lastError(); !strings.Contains(got, says) {
		t.Errorf("the status tells %q", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if after := b.held(); after[market.MFRREnergy] != before[market.MFRREnergy] {
		t.Errorf("%d rows, before %d", after[market.MFRREnergy], before[market.MFRREnergy])
	}
	if _, err := b.runDates(market.FeedMFRREnergy, "2026-11-10", "2026-11-12"); err != nil || b.rows(market.MFRREnergy, "2026-11-11") != 192 {
		t.Errorf("after it %d rows, error %v", b.rows(market.MFRREnergy, "2026-11-11"), err)
	}
	if got := lastError(); got != "" {
		t.Errorf("after it the status tells %q", got)
	}
}

func TestAWriteBlockedByALockIsReportedUntilAWriteSucceeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00", store.BusyTimeout(10*time.Millisecond))
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	other, err := sql.Open("sqlite", "file:"+b.db.Path()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func() error { return b.db.BeginRuns(t.Context(), "any", b.clock.Now()) } // of whatever part of the program
	if err := write(); !errors.Is(err, store.ErrBusy) {
		t.Fatal(err)
	}
	if got := b.status(market.MFRREnergy).LastError; got == nil || !strings.Contains(*got, "another program has held its write lock for 10ms") {
		t.Errorf("the status tells %v", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if got := b.status(market.MFRREnergy).LastError; got != nil {
		t.Errorf("after it the status tells %q", *got)
	}
}

func TestARunBlockedByALockIsRepeatedSoon(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 19:00", store.BusyTimeout(10*time.Millisecond))
	other, err := sql.Open("sqlite", "file:"+b.db.Path()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	next := b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if wait := next.Sub(b.clock.Now()); wait > lockPause+mostJitter {
		t.Errorf("it runs again after %s", wait)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(next.Sub(b.clock.Now()))
	next = b.job(t.Context(), b.feed(market.FeedDayAheadPrices))
	if wait := next.Sub(b.clock.Now()); wait < idleInterval || b.status(market.DayAheadPrices).State != report.StateOK {
		t.Errorf("after the lock it runs again after %s, status %+v", wait, b.status(market.DayAheadPrices))
	}
}
