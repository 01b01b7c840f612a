package store_test

import (
	"os"
	"testing"

	"courant/store/market"
)

func TestMaintenanceReturnsFreePagesAndEmptiesTheLog(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)[:1000]))
	for _, statement := range []string{"CREATE TABLE filler (bytes BLOB) STRICT", "INSERT INTO filler VALUES (zeroblob(1000000))", "DROP TABLE filler"} {
		if _, err := s.WriterPool().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	before := kept(t, s)
	if free := ask(t, s.WriterPool(), "PRAGMA freelist_count"); free == "0" {
		t.Fatal("nothing is free that could be given back")
	}
	if err := s.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if free := ask(t, s.WriterPool(), "PRAGMA freelist_count"); free != "0" {
		t.Errorf("%s pages are still free", free)
	}
	if info, err := os.Stat(s.Path() + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log: %v, %v", info, err)
	}
	if kept(t, s) != before {
		t.Error("what is kept has changed")
	}
}

func TestMaintenanceSkipsALogThatAnotherProgramReads(t *testing.T) {
	s := openNew(t)
	reading, err := s.ReaderPool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback()
	var runs int
	if err := reading.QueryRowContext(t.Context(), "SELECT count(*) FROM feed_run").Scan(&runs); err != nil {
		t.Fatal(err)
	}
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)))
	logIsEmpty := func() bool {
		t.Helper()
		if err := s.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(s.Path() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size() == 0
	}
	if logIsEmpty() {
		t.Error("the log is emptied under its reader")
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if !logIsEmpty() {
		t.Error("the log is not emptied once nobody reads it")
	}
	if patience := ask(t, s.WriterPool(), "PRAGMA busy_timeout"); patience != "10000" {
		t.Errorf("the connection that writes waits for %s ms after it", patience)
	}
}
