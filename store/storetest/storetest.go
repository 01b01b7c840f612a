// Package storetest gives tests databases of their own. Tests alone import it.
//
// A new database takes many small transactions, so it is made once for each test program and copied.
package storetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"courant/store"
)

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
	return Open(t, filepath.Join(t.TempDir(), "courant.db"), options...)
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
