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

func TestAFullDiskAtTheStartIsSaidAndMended(t *testing.T) {
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
	commit(t, s, runAt(0, store.MFRREnergy), one(store.Num(1), store.Number{}))
}

func TestAFullDiskKeepsWhatWasThere(t *testing.T) {
	folder, resize := smallDisk(t, 1024)
	path := filepath.Join(folder, "courant.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for n := 0; ; n++ {
		before = kept(t, s)
		err := s.Commit(t.Context(), runAt(n, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-01-01").Add(n), 1)[:1000]})
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
	commit(t, s, runAt(99, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-07-15"), 1)})
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
	s := openNew(t)
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: afrrDay(date("2026-07-15"), 1)})
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
