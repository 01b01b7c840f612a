package server_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store"
	"courant/store/disk"
	"courant/store/market"
	"courant/store/storetest"
)

// A service whose disk is nearly full takes nothing in and says why, goes on serving and signing in, and takes in the rest
// when there is room.
func TestAServiceLeavesTheReserveOfItsDiskAndOutlivesIt(t *testing.T) {
	storetest.Long(t)
	folder := t.TempDir()
	mount := func(mb int, flags uintptr) error {
		return syscall.Mount("tmpfs", folder, "tmpfs", flags, fmt.Sprintf("size=%d", mb*disk.Megabyte))
	}
	if err := mount(60, 0); err != nil {
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
	for name, value := range simulatedSources(sources) {
		t.Setenv(name, value)
	}
	path := filepath.Join(folder, "courant.db")
	t.Setenv("COURANT_DATABASE_PATH", path)
	const full = "the disk is nearly full: "
	ended := func(stdin string, args ...string) (code int, said string) {
		var stdout, stderr bytes.Buffer
		p := &command.Program{Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr, Clock: clockwork.NewRealClock()}
		code = p.Execute(context.Background(), args)
		return code, stdout.String() + stderr.String()
	}

	service := startProgram(t, "courant-hasty", []string{"COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}, true, "serve")
	address := service.await(`"msg":"serving","address":"([^"]+)"`)[1]
	service.await(`"msg":"feed paused","feed":"afrr_energy","error":"` + full)
	if code, said := ended("a password of four words", "user", "add", "anna@example.org", "--admin", "--password-stdin"); code != command.ExitDone {
		t.Fatalf("no account can be made: %s", said)
	}
	code, token := ended("", "token", "create", "anna@example.org", "--name", "test")
	if code != command.ExitDone {
		t.Fatalf("no token can be made: %s", token)
	}
	token = strings.TrimSpace(token)
	for wanted, at := range map[string]string{"": "/healthz", `"rowCount":0`: "/api/afrr-energy", full: "/api/status", "courant_disk_reserve_reached 1": "/metrics"} {
		get(t, address+at, token, func(response *http.Response, body []byte) bool {
			return response.StatusCode == http.StatusOK && bytes.Contains(body, []byte(wanted))
		})
	}
	for _, args := range [][]string{
		{"backup", filepath.Join(folder, "backup.db")},
		{"fetch", "mfrr-energy", "--from", "yesterday", "--to", "yesterday"},
		{"check"},
	} {
		if code, said := ended("", args...); code != command.ExitFailed || !strings.Contains(said, "free some space") {
			t.Errorf("%v exits with %d and says %s", args, code, said)
		}
	}
	if code, said := ended("", "feeds"); code != command.ExitDone || !strings.Contains(said, full) {
		t.Errorf("feeds exits with %d and says %s", code, said)
	}
	if code, said := ended("", "backup", filepath.Join(t.TempDir(), "backup.db")); code != command.ExitDone {
		t.Errorf("a backup to another disk exits with %d and says %s", code, said)
	}

	if err := mount(256, syscall.MS_REMOUNT); err != nil {
		t.Fatal(err)
	}
	service.await(`"msg":"feed run","feed":"afrr_energy".*"outcome":"ok"`)
	filler := filepath.Join(folder, "filler")
	if err := os.WriteFile(filler, make([]byte, 190*disk.Megabyte), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch := []string{"fetch", "all", "--from", "yesterday", "--to", "yesterday"}
	if code, said := ended("", fetch...); code != command.ExitFailed || !strings.Contains(said, full) {
		t.Errorf("with the disk filled the fetch exits with %d and says %s", code, said)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if code, said := ended("", fetch...); code != command.ExitDone {
		t.Errorf("with room again the fetch exits with %d and says %s", code, said)
	}
	if code := service.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
	yesterday := market.DeliveryDateOf(time.Now()).Add(-1)
	coverage, err := db.Coverage(t.Context(), market.AFRREnergy, yesterday, yesterday)
	if err != nil || coverage.Rows() != yesterday.Steps(market.AFRRSeconds) {
		t.Errorf("%d steps of yesterday, %v", coverage.Rows(), err)
	}
}

// An export to a disk that fills up says so, leaves whole files only, and goes on when there is room.
func TestAnExportToAFullDiskLeavesOnlyWholeFilesAndGoesOn(t *testing.T) {
	storetest.Long(t)
	t.Chdir(t.TempDir())
	exportedRows(t, "courant.db")
	if code, said := exportCommand(t, "whole"); code != command.ExitDone {
		t.Fatal(said)
	}
	want, _ := filesUnder(t, "whole")
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	code, said := exportCommand(t, folder)
	if code != command.ExitFailed || !strings.Contains(said, "courant: export to "+folder) || !strings.HasSuffix(said, "the disk is full: free some space and try again\n") {
		t.Errorf("exit %d: %s", code, said)
	}
	got, left := filesUnder(t, folder)
	for name, content := range got {
		if content != want[name] {
			t.Errorf("%s has %d bytes, want %d", name, len(content), len(want[name]))
		}
	}
	if len(got) == 0 || len(got) == len(want) || slices.ContainsFunc(left, func(name string) bool { return strings.HasSuffix(name, ".part") }) {
		t.Errorf("%d files of %d, and %q", len(got), len(want), left)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, "size=256m"); err != nil {
		t.Fatal(err)
	}
	if code, said := exportCommand(t, folder); code != command.ExitDone {
		t.Errorf("with room, exit %d: %s", code, said)
	}
	if got, _ := filesUnder(t, folder); !maps.Equal(got, want) {
		t.Errorf("with room there are %d files, want %d", len(got), len(want))
	}
}
