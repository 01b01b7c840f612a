package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

func TestAReaderSeesADayWholeWhileItIsBeingWritten(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	const rows, commits = 300, 10
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(day, 0)[:rows]))
	written := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for last := 0; last < commits; {
				window, err := s.LatestRows(t.Context(), market.AFRREnergy, 1)
				if err != nil {
					t.Error(err)
					return
				}
				upward := window.Rows.Columns[0].Numbers
				n := int(upward[0])
				if len(upward) != rows || !window.FetchedAt.Equal(minute(n)) || window.Version != int64(n+1) {
					t.Errorf("%d rows of commit %d, fetched at %s, version %d", len(upward), n, window.FetchedAt, window.Version)
					return
				}
				for _, price := range upward {
					if int(price) != n {
						t.Errorf("rows of commits %d and %v at one moment", n, price)
						return
					}
				}
				if n < last {
					t.Errorf("commit %d after commit %d", n, last)
					return
				}
				last = n
				select {
				case <-written:
					if n < commits {
						// All is written: the next look sees the last commit.
						window, err := s.LatestRows(t.Context(), market.AFRREnergy, 1)
						if err != nil || window.Rows.Columns[0].Numbers[0] != commits {
							t.Errorf("after commit %d a reader sees commit %v, %v", commits, window.Rows.Columns[0].Numbers[0], err)
						}
						return
					}
				default:
				}
			}
		})
	}
	for n := 1; n <= commits; n++ {
		commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(day, float64(n))[:rows]))
	}
	close(written)
	readers.Wait()
}

// lock holds the write lock of the file as another program does, until it is released.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "DELETE FROM afrr_energy_hour"); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestReadersDoNotWaitForAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14"), 0)[:100]))
	defer lock(t, path)()
	window, err := s.LatestRows(t.Context(), market.AFRREnergy, 1)
	if err != nil || window.Rows.Len() != 100 {
		t.Errorf("%d rows, %v; want 100", window.Rows.Len(), err)
	}
	// A second one also opens beside a writer.
	if _, err := open(t, path).LatestRows(t.Context(), market.AFRREnergy, 1); err != nil {
		t.Error(err)
	}
}

func TestWritersWaitForTheLock(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	release := lock(t, path)
	begun := make(chan struct{})
	var writers sync.WaitGroup
	for n, other := range []*store.Store{s, s, open(t, path), open(t, path)} {
		writers.Go(func() {
			begun <- struct{}{}
			if err := other.Commit(t.Context(), runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14").Add(n), 0)[:500])); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		await.Value(t, begun)
	}
	release()
	writers.Wait()
	if got := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy"); got != "2000" {
		t.Errorf("%s rows, want 2000", got)
	}
}

func TestALockThatIsNeverReleasedIsReported(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path, store.BusyTimeout(10*time.Millisecond))
	defer lock(t, path)()
	err := s.Commit(t.Context(), runAt(0, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{}}))
	if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "write lock") || !strings.Contains(err.Error(), path) {
		t.Errorf("Commit = %v", err)
	}
}

func TestTheReadersCannotWrite(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, statement := range []string{"DELETE FROM feed_run", "INSERT INTO afrr_energy_hour VALUES (0, 1, 0, '', '', '')",
		"CREATE TABLE t (x)", "DROP TABLE revision", "VACUUM", "PRAGMA application_id = 1", "BEGIN IMMEDIATE; DELETE FROM feed_run; COMMIT"} {
		if _, err := s.ReaderPool().ExecContext(t.Context(), statement); err == nil {
			t.Errorf("a reader did: %s", statement)
		}
	}
	// A read transaction ends as it began.
	if _, err := s.LatestRows(t.Context(), market.AFRREnergy, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReaderPool().ExecContext(t.Context(), "DELETE FROM feed_run"); err == nil {
		t.Error("a reader writes after it has read")
	}
}
