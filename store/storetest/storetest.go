// Package storetest gives tests databases of their own, and skips long tests unless they are asked for. Only tests import it.
//
// A new database takes many small transactions, so it is made once for each test program and copied.
package storetest

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"courant/store"
	"courant/store/disk"
)

var long = flag.Bool("long", false, "run the long tests too: kills, floods, whole services and simulated weeks")

// Long skips a test that kills or starts many processes, floods a service or simulates weeks, unless -long is set, as .ci/run does.
func Long(t testing.TB) {
	t.Helper()
	if !*long {
		t.Skip("it takes long: -long runs it")
	}
}

// Some returns every nth case, beginning with the first, and with -long all of them.
func Some[T any](n int, cases []T) []T {
	if *long {
		return cases
	}
	some := make([]T, 0, len(cases)/n+1)
	for i := 0; i < len(cases); i += n {
		some = append(some, cases[i])
	}
	return some
}

// Check is rapid.Check with 10 random cases, and with -long 30. The flag -rapid.checks sets another number.
func Check(t rapid.TB, property func(*rapid.T)) {
	t.Helper()
	setChecks()
	rapid.Check(t, property)
}

// setChecks sets the number of cases unless the command line does.
var setChecks = sync.OnceFunc(func() {
	const name = "rapid.checks"
	isSet := false
	flag.Visit(func(f *flag.Flag) { isSet = isSet || f.Name == name })
	if isSet {
		return
	}
	checks := "10"
	if *long {
		checks = "30"
	}
	if err := flag.Set(name, checks); err != nil {
		panic(err)
	}
})

// SaveTime lets the program collect garbage rarely, and so take more memory, which saves a tenth of the CPU time of tests.
func SaveTime() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(400 << 20)
}

const (
	// memoryFolder is in memory on Linux. There a commit does not wait for a disk.
	memoryFolder = "/dev/shm"
	// memoryBytes have to be free there for databases to be put into it: a container often has only 64 MB, which would fill up.
	memoryBytes = 1_000_000_000
)

// Folder returns a folder that is removed when the test ends: in memory if there is room, else on disk.
func Folder(t testing.TB) string {
	t.Helper()
	if free, _, err := disk.Free(memoryFolder); err != nil || free < memoryBytes {
		return t.TempDir()
	}
	path, err := os.MkdirTemp(memoryFolder, "courant-test") //nolint:usetesting // t.TempDir would be on disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(path); err != nil {
			t.Error(err)
		}
	})
	return path
}

var newDatabase = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "courant")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "courant.db")
	db, err := store.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// New opens an empty database in a folder of its own, until the test ends.
func New(t testing.TB, options ...store.Option) *store.Store {
	t.Helper()
	return Open(t, filepath.Join(Folder(t), "courant.db"), options...)
}

// Write makes an empty database at path, unless there is a file.
func Write(t testing.TB, path string) {
	t.Helper()
	content, err := newDatabase()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); errors.Join(err, file.Close()) != nil {
		t.Fatal(err)
	}
}

// Open opens the database at path until the test ends, and makes it first, empty, if there is no file.
func Open(t testing.TB, path string, options ...store.Option) *store.Store {
	t.Helper()
	Write(t, path)
	db, err := store.Open(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
