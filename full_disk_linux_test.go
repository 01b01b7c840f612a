package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"courant/ingest/simulator"
	"courant/store"
)

// A service whose disk is full says so, keeps what it has, goes on serving, and takes in the rest when there is room.
func TestAServiceOutlivesAFullDisk(t *testing.T) {
	folder := t.TempDir()
	mount := func(kib int, flags uintptr) error {
		return syscall.Mount("tmpfs", folder, "tmpfs", flags, fmt.Sprintf("size=%dk", kib))
	}
	if err := mount(2048, 0); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	sources, err := simulator.Start(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	t.Chdir(t.TempDir())
	environ := []string{"COURANT_DATABASE_PATH=" + filepath.Join(folder, "courant.db")}
	for name, value := range simulatedSources(sources) {
		environ = append(environ, name+"="+value)
	}
	environ = append(environ, "COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json")
	fetch := []string{"fetch", "all", "--from", "yesterday", "--to", "yesterday"}

	service := startProgram(t, "courant-hasty", environ, true, "serve")
	address := service.await(`"msg":"serving","address":"([^"]+)"`)[1]
	service.await(`"outcome":"failed".*the disk is full: make room and try again`)
	get(t, address+"/healthz", "", func(response *http.Response, _ []byte) bool { return response.StatusCode == http.StatusOK })
	if err := mount(256<<10, syscall.MS_REMOUNT); err != nil {
		t.Fatal(err)
	}
	if code := startProgram(t, "courant-hasty", environ, false, fetch...).finish(); code != exitDone {
		t.Errorf("with room again the fetch exits with %d", code)
	}
	if code := service.end(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit %d", code)
	}
	db, err := store.Open(t.Context(), filepath.Join(folder, "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	yesterday := store.DeliveryDateOf(time.Now()).Add(-1)
	coverage, err := db.Coverage(t.Context(), store.AFRREnergy, yesterday, yesterday)
	if err != nil || coverage.Rows() != yesterday.Steps(store.AFRRSeconds) {
		t.Errorf("%d steps of yesterday, %v", coverage.Rows(), err)
	}
}
