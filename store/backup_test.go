package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"courant/store"
)

// names are the files below a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(contents(t, folder)))
}

func TestABackupIsOfOneMomentWhileOthersWrite(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "courant.db"))
	write := func(s *store.Store, n int) error {
		return s.Commit(t.Context(), runAt(n, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-01-01").Add(n), 1)[:1000]})
	}
	for n := range 5 {
		if err := write(s, n); err != nil {
			t.Fatal(err)
		}
	}
	beside := open(t, s.Path()) // as another command is
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 5; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := write(beside, n); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, name := range []string{"backup.db", "with space?.db", "backup.db.zst"} {
		if err := s.Backup(t.Context(), filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writing.Wait()
	for _, name := range []string{"backup.db", "with space?.db", "backup.db.zst"} {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		elsewhere := filepath.Join(t.TempDir(), "courant.db")
		if kept, err := store.Restore(t.Context(), path, elsewhere, dawn); err != nil || kept != "" {
			t.Fatalf("kept %q, %v", kept, err)
		}
		got := ask(t, open(t, elsewhere).ReaderPool(), `SELECT (SELECT count(*) FROM afrr_energy) = (SELECT count(*) FROM feed_run) * 1000,
			(SELECT sum(rows) FROM coverage) = (SELECT count(*) FROM afrr_energy), (SELECT count(*) FROM feed_run) >= 5`)
		if got != "1|1|1" {
			t.Errorf("%s: whole batches, all counted, those from before: %s", name, got)
		}
	}
	want := []string{"backup.db", "backup.db.zst", "courant.db", "courant.db-shm", "courant.db-wal", "with space?.db"}
	if got := names(t, folder); !slices.Equal(got, want) {
		t.Errorf("the folder holds %q", got)
	}
}

func TestABackupThatCannotBeMadeLeavesEverythingAsItWas(t *testing.T) {
	s := openNew(t)
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-01-01"), 1)})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	folder := t.TempDir()
	there := filepath.Join(folder, "there.db")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := contents(t, folder)
	for _, c := range []struct {
		ctx      context.Context
		to, says string
		is       error
	}{
		{t.Context(), there, "write the backup to a new file", store.ErrExists},
		{t.Context(), folder, "write the backup to a new file", store.ErrExists},
		{t.Context(), s.Path(), "write the backup to a new file", store.ErrExists},
		{t.Context(), filepath.Join(folder, "no", "backup.db"), "does not exist: make it first", nil},
		{stopped, filepath.Join(folder, "backup.db"), "", context.Canceled},
		{stopped, filepath.Join(folder, "backup.db.zst"), "", context.Canceled},
	} {
		err := s.Backup(c.ctx, c.to)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if after := contents(t, folder); !maps.Equal(before, after) {
		t.Errorf("the folder holds %q", slices.Collect(maps.Keys(after)))
	}
}

func TestADamagedDatabaseIsNotBackedUp(t *testing.T) {
	path := aDamagedDatabase(t)
	to := filepath.Join(t.TempDir(), "backup.db")
	if err := open(t, path).Backup(t.Context(), to); !errors.Is(err, store.ErrNotDatabase) {
		t.Errorf("Backup = %v", err)
	}
	if left := names(t, filepath.Dir(to)); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// restored is a database with one price, and a backup of one with another price.
func restored(t *testing.T, suffix string) (path, backup string) {
	t.Helper()
	folder := t.TempDir()
	path, backup = filepath.Join(folder, "courant.db"), filepath.Join(folder, "backup.db"+suffix)
	makePriced(t, path, 1)
	other := filepath.Join(t.TempDir(), "other.db")
	makePriced(t, other, 2)
	s := open(t, other)
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	return path, backup
}

func makePriced(t *testing.T, path string, price float64) {
	t.Helper()
	s := open(t, path)
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-07-14"), price)})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func priceIn(t *testing.T, path string) string {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	return ask(t, s.ReaderPool(), "SELECT DISTINCT upward_price FROM afrr_energy")
}

func TestRestorePutsABackInPlaceAndKeepsWhatWasThere(t *testing.T) {
	for _, suffix := range []string{"", ".zst"} {
		path, backup := restored(t, suffix)
		kept, err := store.Restore(t.Context(), backup, path, dawn)
		if err != nil {
			t.Fatal(err)
		}
		if want := path + ".before-restore-20260715T040000Z"; kept != want {
			t.Errorf("kept as %q, want %q", kept, want)
		}
		if now, was := priceIn(t, path), priceIn(t, kept); now != "2" || was != "1" {
			t.Errorf("restored %s, kept %s", now, was)
		}
		if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{filepath.Base(backup), "courant.db", filepath.Base(kept)}) {
			t.Errorf("the folder holds %q", got)
		}
	}
}

func TestRestoreOverADamagedDatabase(t *testing.T) {
	path, backup := restored(t, "")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{path: string(content[:100]) + strings.Repeat("x", 9000), path + "-wal": "a log of it"} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := store.Restore(t.Context(), backup, path, dawn)
	if err != nil {
		t.Fatal(err)
	}
	if got := priceIn(t, path); got != "2" {
		t.Errorf("restored %s", got)
	}
	files := contents(t, filepath.Dir(path))
	if !strings.HasSuffix(files[filepath.Base(kept)], "xxxx") {
		t.Error("the damaged file was not kept as it was")
	}
}

func TestARestoreThatIsRefusedLeavesEverythingAsItWas(t *testing.T) {
	change := func(change func([]byte) []byte) func(*testing.T, string, string) {
		return func(t *testing.T, _, backup string) {
			content, err := os.ReadFile(backup)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(backup, change(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, suffix string
		prepare      func(t *testing.T, path, backup string)
		says         string
	}{
		{name: "no such file", prepare: func(t *testing.T, _, backup string) { os.Remove(backup) }, says: "no such file"},
		{name: "a text", prepare: change(func([]byte) []byte { return []byte("mine") }), says: "not a Courant database"},
		{name: "an empty file", prepare: change(func([]byte) []byte { return nil }), says: "not a Courant database"},
		{name: "cut off", prepare: change(func(b []byte) []byte { return b[:len(b)/8192*4096] }), says: "damaged"},
		{name: "a byte has changed in a page", prepare: change(func(b []byte) []byte { b[3*4096] ^= 0xff; return b }), says: "damaged"},
		{name: "cut off, compressed", suffix: ".zst", prepare: change(func(b []byte) []byte { return b[:len(b)-9] }), says: "EOF"},
		{name: "a byte has changed, compressed", suffix: ".zst", prepare: change(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), says: "backup.db.zst"},
		{
			name: "of a later courant", says: "has schema 9001 and this courant knows up to",
			prepare: func(t *testing.T, _, backup string) {
				alter(t, backup, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9001, 1)", "PRAGMA journal_mode = delete")
			},
		},
		{
			name: "of another program", says: "not a Courant database",
			prepare: func(t *testing.T, _, backup string) {
				alter(t, backup, "PRAGMA application_id = 7", "PRAGMA journal_mode = delete")
			},
		},
		{
			name: "a database that is open", says: "courant backup makes one",
			prepare: func(t *testing.T, _, backup string) {
				commit(t, open(t, backup), runAt(1, store.MFRREnergy), one(store.Num(1), store.Number{}))
			},
		},
		{
			name: "the database is open in a command", says: "stop courant serve, and wait for other commands to end",
			prepare: func(t *testing.T, path, _ string) { open(t, path) },
		},
		{
			name: "the database is open in a service", says: "stop courant serve, and wait for other commands to end",
			prepare: func(t *testing.T, path, _ string) {
				s, err := store.OpenAlone(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
			},
		},
		{
			name: "another program's database in its place", says: "move it away",
			prepare: func(t *testing.T, path, _ string) {
				alter(t, path, "PRAGMA application_id = 7", "PRAGMA journal_mode = delete")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, backup := restored(t, c.suffix)
			c.prepare(t, path, backup)
			before := contents(t, filepath.Dir(path))
			_, err := store.Restore(t.Context(), backup, path, dawn)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), ".part") {
				t.Errorf("Restore = %v, want %q", err, c.says)
			}
			if after := contents(t, filepath.Dir(path)); !maps.Equal(before, after) {
				t.Errorf("the folder held %q, now %q; or one of them has changed", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
}

func TestADatabaseThatAnotherProgramHasOpenIsNotReplaced(t *testing.T) {
	path, backup := restored(t, "")
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "SELECT 1 FROM feed_run"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), backup, path, dawn); !errors.Is(err, store.ErrInUse) {
		t.Errorf("Restore = %v", err)
	}
}

func TestADatabaseIsNotRestoredFromItself(t *testing.T) {
	path, _ := restored(t, "")
	if _, err := store.Restore(t.Context(), path, path, dawn); err == nil || !strings.Contains(err.Error(), "the database itself") {
		t.Errorf("Restore = %v", err)
	}
}

// restoreUntilKilled puts back the first and the second backup in turn, and says so after each.
func restoreUntilKilled(path string) error {
	for n := 0; ; n++ {
		kept, err := store.Restore(context.Background(), fmt.Sprintf("%s.backup%d", path, 1+n%2), path, minute(n))
		if err == nil && kept != "" {
			err = os.Remove(kept)
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

func TestAKillLeavesTheOldDatabaseOrTheRestoredOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "courant.db")
	for n := 1; n <= 2; n++ {
		makePriced(t, path, float64(n))
		s := open(t, path)
		if err := s.Backup(t.Context(), fmt.Sprintf("%s.backup%d", path, n)); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for kill := range 6 {
		cmd, _, out := child(t, "restore "+path)
		for line := 0; line < 1+kill && out.Scan(); line++ {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for out.Scan() {
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		if got := priceIn(t, path); got != "1" && got != "2" {
			t.Errorf("the database holds %q", got)
		}
	}
	if _, err := store.Restore(t.Context(), path+".backup1", path, minute(9999)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, filepath.Dir(path)) {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("%s was left and not swept away", name)
		}
	}
}
