package ingest

import (
	"database/sql"
	"flag"
	"strings"
	"testing"

	"courant/store"
)

// Another process holds the write lock for longer than a writer waits, ten seconds for each of the three things that
// such a job wants to write: so it is asked for with -simulate.
func TestALockOfAnotherProcessIsSaidAndOutlived(t *testing.T) {
	if flag.Lookup("simulate").Value.String() != "true" {
		t.Skip("a lock is waited for with -simulate")
	}
	b := newBench(t, "2026-11-20 12:00")
	b.job(t.Context(), b.feed(MFRREnergy))
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
	run, err := b.runDates(MFRREnergy, "2026-11-10", "2026-11-12")
	if err == nil || run.Outcome != store.OutcomeFailed || !strings.Contains(run.Error, "another program has held its write lock for 10 s") {
		t.Errorf("outcome %s, error %v", run.Outcome, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if after := b.held(); after[store.MFRREnergy] != before[store.MFRREnergy] {
		t.Errorf("%d rows, before %d", after[store.MFRREnergy], before[store.MFRREnergy])
	}
	if _, err := b.runDates(MFRREnergy, "2026-11-10", "2026-11-12"); err != nil || b.rows(store.MFRREnergy, "2026-11-11") != 192 {
		t.Errorf("after it %d rows, error %v", b.rows(store.MFRREnergy, "2026-11-11"), err)
	}
}
