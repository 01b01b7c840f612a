// Package storetest gives tests databases of their own. Tests alone import it.
//
// A new database takes many small transactions, so it is made once for each test program and copied.
package storetest

import (
	"context"
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
	content, err := newDatabase()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "courant.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
