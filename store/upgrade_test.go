package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/storetest"
)

const schemaOf = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY name"

func TestADatabaseOfEveryEarlierSchemaIsSavedAndBroughtUpToDate(t *testing.T) {
	t.Parallel()
	fresh := openNew(t)
	want := ask(t, fresh.ReaderPool(), schemaOf)
	schemas, err := store.Schemas(fresh.WriterPool())
	if err != nil {
		t.Fatal(err)
	}
	earlier := schemas[:len(schemas)-1]
	slices.Reverse(earlier)
	tried := storetest.Some(8, earlier)
	slices.Sort(tried)
	old := filepath.Join(storetest.Folder(t), "courant.db") // of one schema after the other, and empty
	for _, schema := range tried {
		if err := store.MakeOld(t.Context(), old, schema, ""); err != nil {
			t.Fatal(err)
		}
		folder := storetest.Folder(t)
		path := filepath.Join(folder, "courant.db")
		if err := os.WriteFile(path, content(t, old), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.MakeOld(t.Context(), path, schema, "INSERT INTO coverage VALUES ('afrr-energy', '2026-10-26', '', 1, 1792965600)"); err != nil {
			t.Fatal(err)
		}
		if made, err := store.Verify(t.Context(), path); err != nil {
			t.Fatal(err)
		} else if made != schema {
			continue // no migration has this number
		}
		if err := os.WriteFile(path+".schema-0.zst", []byte("of the upgrade before"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		if diff := cmp.Diff(want, ask(t, s.ReaderPool(), schemaOf)); diff != "" {
			t.Errorf("from schema %d (-new +brought up to date):\n%s", schema, diff)
		}
		if got := ask(t, s.ReaderPool(), "SELECT rows FROM coverage"); got != "1" {
			t.Errorf("from schema %d: coverage %q", schema, got)
		}
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
		s.Close()
		saved := fmt.Sprintf("courant.db.schema-%d.zst", schema)
		if got, want := names(t, folder), []string{"courant.db", "courant.db.schema-0.zst", saved, saved + store.ChecksumSuffix}; !slices.Equal(got, want) {
			t.Errorf("the folder holds %q, want %q", got, want)
		}
		// The way back.
		back := filepath.Join(storetest.Folder(t), "courant.db")
		if _, err := store.Restore(t.Context(), fmt.Sprintf("%s.schema-%d.zst", path, schema), back, dawn, noBound); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Verify(t.Context(), back); err != nil || got != schema {
			t.Errorf("the saved database has schema %d, %v; want %d", got, err, schema)
		}
	}
}

func TestAnUpgradeThatFailsLeavesTheDatabaseAsItWas(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"asked_date", "feed_state"} { // of the fifth and of the sixth migration
		path := filepath.Join(storetest.Folder(t), "courant.db")
		if err := store.MakeOld(t.Context(), path, 4, "CREATE TABLE "+table+" (in_the_way INTEGER) STRICT"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s, err := store.Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), "is as it was, with schema 4, also in "+path+".schema-4.zst: use the courant before this one") {
				t.Errorf("Open = %v", err)
			}
			if schema, err := store.Verify(t.Context(), path); err != nil || schema != 4 {
				t.Errorf("schema %d, %v", schema, err)
			}
		}
	}
}

func TestADatabaseIsNotBroughtUpToDateUnderAnEarlierCourant(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 4, ""); err != nil {
		t.Fatal(err)
	}
	release, err := store.Use(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := store.OpenOnce(t.Context(), path); err == nil || !strings.Contains(err.Error(), "another courant has it open: stop that one first") {
		t.Errorf("Open = %v", err)
	}
	if schema, err := store.Verify(t.Context(), path); err != nil || schema != 4 {
		t.Errorf("schema %d, %v", schema, err)
	}
}

func TestManyOpenAnOldFileAtOnce(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 3, thirdSchema); err != nil {
		t.Fatal(err)
	}
	var opening sync.WaitGroup
	for range 5 {
		opening.Go(func() {
			s, err := store.Open(t.Context(), path, store.BusyTimeout(time.Minute))
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	opening.Wait()
	if got := ask(t, open(t, path).ReaderPool(), "SELECT count(*) FROM day_ahead_price"); got != "1" {
		t.Errorf("%s prices", got)
	}
}

// An upgrade over several schemas may be killed before and after each migration, and again when it is begun anew.
func TestTheFirstCopyThatAnUpgradeSavedOutlivesEveryKill(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	const first = 3
	schemas, err := store.Schemas(openNew(t).WriterPool())
	if err != nil {
		t.Fatal(err)
	}
	latest := schemas[len(schemas)-1]
	old := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), old, first, thirdSchema); err != nil {
		t.Fatal(err)
	}
	for i, kill := range schemas {
		if kill < first {
			continue
		}
		path := filepath.Join(storetest.Folder(t), "courant.db")
		if err := os.WriteFile(path, content(t, old), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.StartUpgrade(t.Context(), path, true, kill); err != nil {
			t.Fatal(err)
		}
		if again := schemas[min(i+1, len(schemas)-1)]; again < latest {
			if err := store.StartUpgrade(t.Context(), path, true, again); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, path)
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
		check := func(when string) {
			t.Helper()
			back := filepath.Join(storetest.Folder(t), "courant.db")
			if _, err := store.Restore(t.Context(), fmt.Sprintf("%s.schema-%d.zst", path, first), back, dawn, noBound); err != nil {
				t.Fatalf("killed at schema %d, %s: %v", kill, when, err)
			}
			if schema, err := store.Verify(t.Context(), back); err != nil || schema != first {
				t.Errorf("killed at schema %d, %s: the copy has schema %d, %v", kill, when, schema, err)
			}
		}
		check("after the start that ended the upgrade")
		if err := s.Backup(t.Context(), filepath.Join(storetest.Folder(t), "backup.db")); err != nil {
			t.Fatal(err)
		}
		check("after a backup") // the way back lasts until the next upgrade has been backed up
		saved, err := filepath.Glob(path + ".schema-*")
		if err != nil || len(saved) != 2 {
			t.Errorf("killed at schema %d, after a backup there are %q, %v; want the first and its checksum", kill, saved, err)
		}
		s.Close()
	}
}

func TestTheCopiesOfEarlierUpgradesGoWithABackupAfterTheNext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	backUp := func() {
		t.Helper()
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Backup(t.Context(), filepath.Join(storetest.Folder(t), "backup.db")); err != nil {
			t.Fatal(err)
		}
	}
	// Two upgrades: one that was backed up at schema 6, and one to the newest.
	if err := store.MakeOld(t.Context(), path, 6, "PRAGMA user_version = 6"); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []int{4, 5} {
		if err := os.WriteFile(fmt.Sprintf("%s.schema-%d.zst", path, schema), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		backUp()
		if got, want := names(t, filepath.Dir(path)), []string{"courant.db", "courant.db.schema-6.zst", "courant.db.schema-6.zst.sha256"}; !slices.Equal(got, want) {
			t.Errorf("the folder holds %q, want %q", got, want)
		}
	}
}
