package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
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
	"time"

	"github.com/klauspost/compress/zstd"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// names are the files below a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(contents(t, folder)))
}

func TestABackupIsOfOneMomentWhileOthersWrite(t *testing.T) {
	folder := storetest.Folder(t)
	s := openEmpty(t, filepath.Join(folder, "courant.db"))
	write := func(s *store.Store, n int) error {
		return s.Commit(t.Context(), runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-01-01").Add(n), 1)[:1000]))
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
		elsewhere := filepath.Join(storetest.Folder(t), "courant.db")
		if kept, err := store.Restore(t.Context(), path, elsewhere, dawn, noBound); err != nil || kept != (store.Restored{Summed: true}) {
			t.Fatalf("%+v, %v", kept, err)
		}
		got := ask(t, open(t, elsewhere).ReaderPool(), `SELECT (SELECT sum(rows) FROM afrr_energy_hour) = (SELECT count(*) FROM feed_run) * 1000,
			(SELECT sum(rows) FROM coverage) = (SELECT sum(rows) FROM afrr_energy_hour), (SELECT count(*) FROM feed_run) >= 5`)
		if got != "1|1|1" {
			t.Errorf("%s: whole batches, all counted, those from before: %s", name, got)
		}
	}
	want := []string{"backup.db", "backup.db.sha256", "backup.db.zst", "backup.db.zst.sha256", "courant.db", "courant.db-shm", "courant.db-wal", "with space?.db", "with space?.db.sha256"}
	if got := names(t, folder); !slices.Equal(got, want) {
		t.Errorf("the folder holds %q", got)
	}
}

func TestABackupThatCannotBeMadeLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-01-01"), 1)))
	stopped, stop := context.WithCancel(t.Context())
	stop()
	folder := storetest.Folder(t)
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
	t.Parallel()
	path := aDamagedDatabase(t)
	to := filepath.Join(storetest.Folder(t), "backup.db")
	if err := open(t, path).Backup(t.Context(), to); !errors.Is(err, store.ErrNotDatabase) {
		t.Errorf("Backup = %v", err)
	}
	if left := names(t, filepath.Dir(to)); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// noBound accepts any size.
func noBound(uint64) error { return nil }

// restored creates a database with the price 1, and a backup of another one with the price 2.
func restored(t *testing.T, suffix string) (path, backup string) {
	t.Helper()
	folder := storetest.Folder(t)
	path, backup = filepath.Join(folder, "courant.db"), filepath.Join(folder, "backup.db"+suffix)
	pricedFiles.make.Do(func() {
		pricedFiles.database, pricedFiles.backup = priced(t)
	})
	files := map[string]string{path: pricedFiles.database}
	for name, content := range pricedFiles.backup {
		if strings.TrimSuffix(name, store.ChecksumSuffix) == filepath.Base(backup) {
			files[filepath.Join(folder, name)] = content
		}
	}
	if len(files) != 3 {
		t.Fatal("the files could not be made: see the first test that needed them")
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path, backup
}

// pricedFiles are what restored writes; they are made once.
var pricedFiles struct {
	make     sync.Once
	database string
	backup   map[string]string // by name: plain and compressed, with their checksums
}

func priced(t *testing.T) (database string, backup map[string]string) {
	t.Helper()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	makePriced(t, path, 1)
	database = string(content(t, path))
	makePriced(t, path, 2)
	s, backups := open(t, path), storetest.Folder(t)
	defer s.Close()
	backup = map[string]string{}
	for _, name := range []string{"backup.db", "backup.db.zst"} {
		if err := s.Backup(t.Context(), filepath.Join(backups, name)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{name, name + store.ChecksumSuffix} {
			backup[name] = string(content(t, filepath.Join(backups, name)))
		}
	}
	return database, backup
}

// content reads a file.
func content(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// makePriced commits two hours of one price to the database, which it makes if there is none.
func makePriced(t *testing.T, path string, price float64) {
	t.Helper()
	s := openEmpty(t, path)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14"), price)[:1800]))
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
	t.Parallel()
	for _, suffix := range []string{"", ".zst"} {
		path, backup := restored(t, suffix)
		done, err := store.Restore(t.Context(), backup, path, dawn, noBound)
		if err != nil {
			t.Fatal(err)
		}
		kept := done.Kept
		if want := path + ".before-restore-20260715T040000Z"; kept != want {
			t.Errorf("kept as %q, want %q", kept, want)
		}
		if now, was := priceIn(t, path), priceIn(t, kept); now != "2" || was != "1" {
			t.Errorf("restored %s, kept %s", now, was)
		}
		if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{filepath.Base(backup), filepath.Base(backup) + ".sha256", "courant.db", filepath.Base(kept)}) {
			t.Errorf("the folder holds %q", got)
		}
	}
}

func TestRestoreOverADamagedDatabase(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	for name, damaged := range map[string]string{path: string(content(t, path)[:100]) + strings.Repeat("x", 9000), path + "-wal": "a log of it"} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	done, err := store.Restore(t.Context(), backup, path, dawn, noBound)
	if err != nil {
		t.Fatal(err)
	}
	if got := priceIn(t, path); got != "2" {
		t.Errorf("restored %s", got)
	}
	files := contents(t, filepath.Dir(path))
	if !strings.HasSuffix(files[filepath.Base(done.Kept)], "xxxx") {
		t.Error("the damaged file was not kept as it was")
	}
}

// skippableFrame is an empty skippable frame of zstd.
var skippableFrame = []byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}

// altered changes a plain backup by statements, so that it stays one file.
func altered(statements ...string) func(t *testing.T, path, backup string) {
	return func(t *testing.T, _, backup string) {
		alter(t, backup, append(statements, "PRAGMA journal_mode = delete")...)
	}
}

func TestARestoreThatIsRefusedLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	change := func(change func([]byte) []byte) func(*testing.T, string, string) {
		return func(t *testing.T, _, backup string) {
			if err := os.WriteFile(backup, change(content(t, backup)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, suffix string
		prepare      func(t *testing.T, path, backup string)
		is           error // nil: any
		says         string
		summed       bool // there is a checksum beside the backup
	}{
		{name: "a byte has changed since the checksum", summed: true, prepare: change(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), says: "backup.db.sha256 tells"},
		{name: "a byte is more than the checksum knows, compressed", suffix: ".zst", summed: true, says: "backup.db.zst.sha256 tells",
			prepare: change(func(b []byte) []byte { return append(b, skippableFrame...) })},
		{name: "a checksum of something else", summed: true, says: "does not contain the SHA-256 of backup.db in the format of sha256sum: correct it, or remove it",
			prepare: func(t *testing.T, _, backup string) {
				if err := os.WriteFile(backup+store.ChecksumSuffix, []byte("d41d8cd98f00b204e9800998ecf8427e  backup.db\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "a damaged packed hour", prepare: altered("UPDATE afrr_energy_hour SET checksum = checksum + 1"), says: "of afrr_energy_hour is damaged"},
		{name: "a summary that is not of its hour", prepare: altered("UPDATE afrr_energy_summary SET steps = steps + 1"), says: "of afrr_energy_summary is damaged"},
		{name: "a table is missing", prepare: altered("DROP TABLE feed_state"), says: "is damaged: the table feed_state of schema"},
		{name: "a column is missing", prepare: altered("ALTER TABLE token DROP COLUMN last_used_ms"), says: "its column last_used_ms"},
		{name: "a packed hour that would take much memory", says: "is damaged: the table afrr_energy_hour holds a value of more than 32 MiB",
			prepare: altered("UPDATE afrr_energy_hour SET numbers = zeroblob(40000000) WHERE start = (SELECT min(start) FROM afrr_energy_hour)")},
		{name: "a session that would take much memory", says: "is damaged: the table session holds a value of more than 32 MiB",
			prepare: altered("INSERT INTO account (id, email, password_hash, role, epoch, created_ms) VALUES (7, 'a', '', 'member', 0, 0)",
				"INSERT INTO session (hash, account_id, data, seen_ms, expires_ms) VALUES ('a', 7, zeroblob(40000000), 0, 0)")},
		{name: "rows in a file that no service opens", prepare: altered("PRAGMA auto_vacuum = 0", "VACUUM"), says: "cannot give room back: run PRAGMA auto_vacuum"},
		{name: "a trigger", prepare: altered("CREATE TRIGGER t AFTER INSERT ON feed_run BEGIN DELETE FROM feed_run; END"), says: `not Courant's: trigger "t": drop it`},
		{name: "a view", prepare: altered("CREATE VIEW v AS SELECT 1"), says: `not Courant's: view "v"`},
		{name: "another view of Courant's name", prepare: altered("DROP VIEW afrr_energy", "CREATE VIEW afrr_energy AS SELECT 1 AS start"), says: `not Courant's: view "afrr_energy"`},
		{name: "a table", prepare: altered("CREATE TABLE litestream (a)"), says: `not Courant's: table "litestream"`},
		{name: "a virtual table", prepare: altered("CREATE VIRTUAL TABLE _litestream_v USING fts5(a)"), says: `not Courant's: table "_litestream_v"`},
		{name: "a trigger that is said to be a table", says: "malformed database schema (_litestream_t)",
			prepare: altered("CREATE TRIGGER _litestream_t AFTER INSERT ON feed_run BEGIN DELETE FROM feed_run; END",
				"PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET type = 'table' WHERE name = '_litestream_t'")},
		{name: "less room than its size", says: "no room for", prepare: func(*testing.T, string, string) {}},
		{name: "less room than its size, compressed", suffix: ".zst", says: "no room for", prepare: func(*testing.T, string, string) {}},
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
				commit(t, open(t, backup), runAt(1, market.MFRREnergy), one(market.Num(1), market.Number{}))
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
			name: "another program's database in its place", is: store.ErrPathTaken, says: "not a Courant database",
			prepare: func(t *testing.T, path, _ string) {
				alter(t, path, "PRAGMA application_id = 7", "PRAGMA journal_mode = delete")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, backup := restored(t, c.suffix)
			if !c.summed { // an attacker writes a matching checksum too
				if err := os.Remove(backup + store.ChecksumSuffix); err != nil {
					t.Fatal(err)
				}
			}
			c.prepare(t, path, backup)
			before := contents(t, filepath.Dir(path))
			room := noBound
			if c.says == "no room for" {
				room = func(bytes uint64) error { return fmt.Errorf("no room for %d bytes", bytes) }
			}
			_, err := store.Restore(t.Context(), backup, path, dawn, room)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), ".part") || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("Restore = %v, want %q", err, c.says)
			}
			if after := contents(t, filepath.Dir(path)); !maps.Equal(before, after) {
				t.Errorf("the folder held %q, now %q; or one of them has changed", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
}

func TestADatabaseThatAnotherProgramHasOpenIsNotReplaced(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "SELECT 1 FROM feed_run"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), backup, path, dawn, noBound); !errors.Is(err, store.ErrInUse) {
		t.Errorf("Restore = %v", err)
	}
}

func TestADatabaseIsNotRestoredFromItself(t *testing.T) {
	t.Parallel()
	path, _ := restored(t, "")
	if _, err := store.Restore(t.Context(), path, path, dawn, noBound); err == nil || !strings.Contains(err.Error(), "the database itself") {
		t.Errorf("Restore = %v", err)
	}
}

// restoreUntilKilled restores the first and the second backup in turn, and writes a line after each.
func restoreUntilKilled(path string) error {
	for n := 0; ; n++ {
		done, err := store.Restore(context.Background(), fmt.Sprintf("%s.backup%d", path, 1+n%2), path, minute(n), noBound)
		if err == nil && done.Kept != "" {
			err = os.Remove(done.Kept)
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
	storetest.Long(t)
	path := filepath.Join(storetest.Folder(t), "courant.db")
	for n := 1; n <= 2; n++ {
		makePriced(t, path, float64(n))
		s := open(t, path)
		if err := s.Backup(t.Context(), fmt.Sprintf("%s.backup%d", path, n)); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for kill := range *kills {
		cmd, _, out := child(t, "restore "+path)
		for line := 0; line < 1+kill%6 && out.Scan(); line++ {
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
	if _, err := store.Restore(t.Context(), path+".backup1", path, minute(9999), noBound); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, filepath.Dir(path)) {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("%s was left and not swept away", name)
		}
	}
}

func TestADamagedPackedHourIsNotBackedUp(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14"), 80)))
	alter(t, s.Path(), "UPDATE afrr_energy_hour SET checksum = checksum + 1 WHERE start = (SELECT min(start) FROM afrr_energy_hour)")
	for _, name := range []string{"backup.db", "backup.db.zst"} {
		to := filepath.Join(storetest.Folder(t), name)
		if err := s.Backup(t.Context(), to); !errors.Is(err, store.ErrNotDatabase) || !strings.Contains(err.Error(), "of afrr_energy_hour is damaged") {
			t.Errorf("Backup = %v", err)
		}
		if left := names(t, filepath.Dir(to)); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
}

func TestABackupWithWhatLitestreamAddsIsRestored(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	alter(t, backup, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)", "CREATE TABLE _litestream_lock (id INTEGER)", "ANALYZE", "PRAGMA journal_mode = delete")
	if err := os.Remove(backup + store.ChecksumSuffix); err != nil {
		t.Fatal(err)
	}
	done, err := store.Restore(t.Context(), backup, path, dawn, noBound)
	if err != nil || done.Summed {
		t.Errorf("%+v, %v; want one that was compared with no checksum", done, err)
	}
}

func TestObjectsThatARestoreRefusesAreListed(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	if added, err := s.Additions(t.Context()); err != nil || len(added) > 0 {
		t.Errorf("of a new database: %q, %v", added, err)
	}
	alter(t, s.Path(), "CREATE VIEW mine AS SELECT 1", "CREATE TABLE notes (a)", "CREATE INDEX faster ON feed_run (outcome)")
	if added, err := s.Additions(t.Context()); err != nil || !slices.Equal(added, []string{`table "notes"`, `view "mine"`}) {
		t.Errorf("%q, %v", added, err)
	}
	if err := s.Backup(t.Context(), filepath.Join(storetest.Folder(t), "backup.db")); err != nil {
		t.Errorf("Backup = %v", err)
	}
}

func TestTwoRestoresInOneSecondKeepBothDatabases(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	var kept []string
	for range 3 {
		done, err := store.Restore(t.Context(), backup, path, dawn, noBound)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, strings.TrimPrefix(done.Kept, path))
	}
	if want := []string{".before-restore-20260715T040000Z", ".before-restore-20260715T040000Z-2", ".before-restore-20260715T040000Z-3"}; !slices.Equal(kept, want) {
		t.Errorf("kept as %q, want %q", kept, want)
	}
}

func TestTheChecksumIsAsSha256sumWritesIt(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for name, line := range map[string]string{"backup.db": "%x  backup.db\n", `back\up.db`: `\%x  back\\up.db` + "\n"} {
		if runtime.GOOS == "windows" && strings.Contains(name, `\`) {
			continue
		}
		to := filepath.Join(storetest.Folder(t), name)
		if err := s.Backup(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(to)
		got, sumErr := os.ReadFile(to + ".sha256")
		if want := fmt.Sprintf(line, sha256.Sum256(content)); string(got) != want || errors.Join(err, sumErr) != nil {
			t.Errorf("%q, want %q; %v, %v", got, want, err, sumErr)
		}
	}
}

func TestTheChecksumOfSha256sumIsRead(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	for text, summed := range map[string]bool{
		fmt.Sprintf("%x *backup.db\n", sum):                      true,
		fmt.Sprintf("%X  /elsewhere/renamed.db\r\n", sum):        true,
		fmt.Sprintf("%064d  other.db\n%x  backup.db\n", 0, sum):  true,
		fmt.Sprintf("%x  other.db\n%064d  another.db\n", sum, 0): false,
		fmt.Sprintf("%x backup.db\n", sum[:20]):                  false,
		"":                                                       false,
	} {
		if err := os.WriteFile(backup+store.ChecksumSuffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := store.Restore(t.Context(), backup, path, dawn, noBound)
		if done.Summed != summed || (err == nil) != summed {
			t.Errorf("%q: %+v, %v", text, done, err)
		}
	}
}

func TestAChecksumOfABackupThatIsGoneIsReplacedAndAnotherFileIsNot(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	to := filepath.Join(storetest.Folder(t), "backup.db")
	for range 2 {
		if err := s.Backup(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(to); err != nil {
			t.Fatal(err)
		}
		commit(t, s, runAt(0, market.AFRREnergy), market.Batch{})
	}
	if err := os.WriteFile(to+store.ChecksumSuffix, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), to); !errors.Is(err, store.ErrExists) || !strings.HasSuffix(contents(t, filepath.Dir(to))["backup.db.sha256"], "mine") {
		t.Errorf("Backup = %v", err)
	}
}

// packed returns a file compressed with these options of the encoder.
func packed(t *testing.T, content []byte, options ...zstd.EOption) []byte {
	t.Helper()
	var file bytes.Buffer
	encoder, err := zstd.NewWriter(&file, options...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A small compressed file may require a lot of memory to decompress, or disk space for its content.
func TestACompressedFileThatAsksForTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	_, made := restored(t, ".zst")
	compressed, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	told, err := (&zstd.Header{HasFCS: true, FrameContentSize: 4 << 40, WindowSize: 1 << 20}).AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	var header zstd.Header
	if err := header.Decode(compressed); err != nil || header.FrameContentSize != uint64(len(content)) {
		t.Fatalf("a backup tells %+v, %v; want its %d bytes", header, err, len(content))
	}
	large := bytes.Clone(content)
	binary.BigEndian.PutUint32(large[28:], 1<<30) // pages of 4 KiB
	for name, test := range map[string]struct {
		file []byte
		says string
	}{
		"a window of 128 MiB":                  {packed(t, content, zstd.WithWindowSize(128<<20)), "it asks for more than 64 MiB of memory"},
		"more than the header of SQLite tells": {packed(t, append(bytes.Clone(content), make([]byte, 1<<20)...)), "it holds more than the"},
		"a second frame behind the first":      {slices.Concat(compressed, packed(t, make([]byte, 1<<20))), "it holds more than the"},
		"a header of SQLite that tells 4 TiB":  {packed(t, large), "no room for 4398046511104 bytes"},
		"a header of zstd that tells 4 TiB":    {slices.Concat(told, compressed[header.HeaderSize:]), "no room for 4398046511104 bytes"},
		"no database":                          {packed(t, make([]byte, 1<<20)), "not a Courant database: "},
		"a beginning of one":                   {packed(t, content[:99]), "not a Courant database: "},
		"nothing":                              {nil, "not a Courant database"},
	} {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(storetest.Folder(t), "backup.db.zst")
			if err := os.WriteFile(from, test.file, 0o600); err != nil {
				t.Fatal(err)
			}
			var asked uint64
			_, err := store.Restore(t.Context(), from, path, dawn, func(bytes uint64) error {
				if asked += bytes; asked > 1<<30 {
					return fmt.Errorf("no room for %d bytes", asked)
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Restore = %v, want %q", err, test.says)
			}
		})
	}
	if got := priceIn(t, path); got != "1" {
		t.Errorf("the database holds %s", got)
	}
}

func TestUnfinishedFilesOfKilledProgramsAreRemovedAndNoOthers(t *testing.T) {
	t.Parallel()
	folder := storetest.Folder(t)
	inUse, stop, err := store.NewPart(filepath.Join(folder, "in use.db.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stay := []string{"courant.db", "film.part", "film.123.part", "x.courant-1a.part", "x.courant-12.part.txt", filepath.Base(inUse)}
	for _, name := range append([]string{"old.db.courant-42.part"}, stay[:5]...) {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS == "windows" { // where age alone tells
		if err := os.Chtimes(filepath.Join(folder, "old.db.courant-42.part"), time.Time{}, time.Now().Add(-25*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := openNew(t).Backup(t.Context(), filepath.Join(folder, "backup.db")); err != nil {
		t.Fatal(err)
	}
	slices.Sort(stay)
	if got := slices.DeleteFunc(names(t, folder), func(name string) bool { return strings.HasPrefix(name, "backup.db") }); !slices.Equal(got, stay) {
		t.Errorf("left: %q, want %q", got, stay)
	}
}
