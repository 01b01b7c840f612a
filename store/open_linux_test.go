package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// smallDisk mounts a disk of its own for the test, of that many KiB; resize gives it another size.
func smallDisk(t *testing.T, kib int) (folder string, resize func(kib int)) {
	t.Helper()
	folder = t.TempDir()
	mount := func(kib int, flags uintptr) error {
		return syscall.Mount("tmpfs", folder, "tmpfs", flags, fmt.Sprintf("size=%dk", kib))
	}
	if err := mount(kib, 0); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("only root may mount a small disk")
	} else if err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return folder, func(kib int) {
		if err := mount(kib, syscall.MS_REMOUNT); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskAtTheStartIsReportedUntilThereIsSpace(t *testing.T) {
	t.Parallel()
	folder, resize := smallDisk(t, 4)
	path := filepath.Join(folder, "courant.db")
	for _, kib := range []int{4, 8, 12, 16, 32, 64, 80, 100, 120, 140, 160} {
		resize(kib)
		s, err := store.Open(t.Context(), path)
		if err == nil {
			s.Close()
			t.Fatalf("opened with %d KiB: the sizes tried are too large", kib)
		}
		if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), path) {
			t.Errorf("with %d KiB: %v", kib, err)
		}
	}
	resize(4096)
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	commit(t, s, runAt(0, market.MFRREnergy), one(market.Num(1), market.Number{}))
}

func TestAFullDiskKeepsWhatWasThere(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	folder, resize := smallDisk(t, 1536)
	path := filepath.Join(folder, "courant.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for n := 0; ; n++ {
		before = kept(t, s)
		err := s.Commit(t.Context(), runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-01-01").Add(n), 1)[:1000]))
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), path) {
			t.Errorf("batch %d: %v", n, err)
		}
		if n == 0 {
			t.Error("nothing fitted")
		}
		break
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(t.Context(), path); err != nil {
		t.Fatalf("a full disk cannot be opened for reading what is there: %v", err)
	}
	defer s.Close()
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("opened again (-before +after):\n%s", diff)
	}
	resize(16 * 1024)
	commit(t, s, runAt(99, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)))
}

func TestADiskThatCanOnlyBeRead(t *testing.T) {
	folder, _ := smallDisk(t, 4096)
	path := filepath.Join(folder, "courant.db")
	if err := os.WriteFile(path, aDatabase(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("no remount: %v", err)
	}
	s, err := store.Open(t.Context(), path)
	if err == nil {
		s.Close()
		t.Fatal("opened")
	}
	if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "read-only file system") || !strings.Contains(err.Error(), path) {
		t.Errorf("Open = %v", err)
	}
}

func TestABackupForWhichThereIsNoRoomLeavesNothing(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)))
	for _, name := range []string{"backup.db", "backup.db.zst"} {
		for _, kib := range []int{4, 64, 128} {
			folder, _ := smallDisk(t, kib)
			err := s.Backup(t.Context(), filepath.Join(folder, name))
			if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("%s with %d KiB: %v", name, kib, err)
			}
			if left := names(t, folder); len(left) > 0 {
				t.Errorf("%s with %d KiB leaves %q", name, kib, left)
			}
		}
	}
}

// A pipe that nobody writes to would be waited for without end.
func TestAPipeIsNeverWaitedFor(t *testing.T) {
	t.Parallel()
	path, backup := restored(t, "")
	pipe := filepath.Join(t.TempDir(), "pipe.db")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(backup+store.ChecksumSuffix), syscall.Mkfifo(backup+store.ChecksumSuffix, 0o600)); err != nil {
		t.Fatal(err)
	}
	restore := func(backup, path string) error {
		_, err := store.Restore(t.Context(), backup, path, dawn, noBound)
		return err
	}
	open := func(path string) error {
		_, err := store.OpenAlone(t.Context(), path)
		return err
	}
	for name, err := range map[string]error{
		"a backup":           restore(pipe, path),
		"a device":           restore("/dev/zero", path),
		"a checksum":         restore(backup, path),
		"a database's place": restore(backup, pipe),
		"a database":         open(pipe),
	} {
		if err == nil || !strings.Contains(err.Error(), "is no regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADatabaseWithASecondNameIsNotOpened(t *testing.T) {
	t.Parallel()
	path, _ := restored(t, "")
	second := filepath.Join(filepath.Dir(path), "second.db")
	if err := os.Link(path, second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, second} {
		_, err := store.OpenAlone(t.Context(), name)
		if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), name+" has 2 names (hard links)") {
			t.Errorf("OpenAlone = %v", err)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if got := priceIn(t, path); got != "1" {
		t.Errorf("after it the database holds %s", got)
	}
}

func TestTheSecondNameThatAKilledRestoreLeftIsRemoved(t *testing.T) {
	t.Parallel()
	path, _ := restored(t, "")
	twin := path + ".before-restore-20260715T040000Z"
	if err := os.Link(path, twin); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenAlone(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Lstat(twin); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the second name is there: %v", err)
	}
}

func TestASymbolicLinkLeadsToTheSameDatabase(t *testing.T) {
	t.Parallel()
	path, _ := restored(t, "")
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if got := priceIn(t, link); got != "1" {
		t.Errorf("it holds %s", got)
	}
	s, err := store.OpenAlone(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := store.OpenAlone(t.Context(), path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("by its own name too: %v", err)
	}
}

func TestAServiceTakesADatabaseFromOtherUsersOfTheMachine(t *testing.T) {
	t.Parallel()
	path, _ := restored(t, "")
	for mode, want := range map[os.FileMode]os.FileMode{0o644: 0o600, 0o666: 0o600, 0o600: 0o600, 0o640: 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		s, err := store.OpenAlone(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s, from %o: %v, %v; want %o", name, mode, info.Mode().Perm(), err, want)
			}
		}
		s.Close()
	}
}
