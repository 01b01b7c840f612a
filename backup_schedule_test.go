package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"courant/store"
)

func TestTheScheduledBackupIsMadeOnceADayAndLeavesOtherFilesAlone(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	folder := t.TempDir()
	for _, name := range []string{"courant-20250101T000000Z.db", "courant-20250101T000000Z.db.zst.bak", "courant-2025.db.zst", "notes.txt", "courant-20260101T013000Z.db.zst"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clock := clockwork.NewFakeClockAt(time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)) // the night after, the clock goes back
	made := make(chan struct{}, 10)
	cfg := Config{Backup: BackupConfig{Schedule: 3*60 + 30, To: folder, Keep: KeepConfig{Days: 2}}}
	u := &upkeep{cfg: cfg, store: db, clock: clock, log: slog.New(onMessage{"backup", made}), lastBackup: prometheus.NewGauge(prometheus.GaugeOpts{})}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { u.backUp(ctx) })
	<-made // the one that was missed
	for _, hours := range []time.Duration{14*time.Hour + 30*time.Minute, 24 * time.Hour} {
		if err := clock.BlockUntilContext(ctx, 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(hours)
		<-made
	}
	if err := clock.BlockUntilContext(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if got, want := testutil.ToFloat64(u.lastBackup), float64(time.Date(2026, 10, 26, 2, 30, 0, 0, time.UTC).Unix()); got != want {
		t.Errorf("the metric is %f, want %f", got, want)
	}
	stop()
	running.Wait()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	want := []string{"courant-2025.db.zst", "courant-20250101T000000Z.db", "courant-20250101T000000Z.db.zst.bak",
		"courant-20261025T023000Z.db.zst", "courant-20261026T023000Z.db.zst", "notes.txt"}
	if !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
}

// onMessage is a log that tells of one message.
type onMessage struct {
	message string
	told    chan<- struct{}
}

func (onMessage) Enabled(context.Context, slog.Level) bool { return true }
func (h onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.told <- struct{}{}
	}
	return nil
}
func (h onMessage) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h onMessage) WithGroup(string) slog.Handler      { return h }

func TestABackupThatFailedIsTriedAgainAnHourLater(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	folder := filepath.Join(t.TempDir(), "not mounted")
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	failed := make(chan struct{}, 10)
	cfg := Config{Backup: BackupConfig{Schedule: 3*60 + 30, To: folder, Keep: KeepConfig{Days: 2}}}
	u := &upkeep{cfg: cfg, store: db, clock: clock, log: slog.New(onMessage{"backup failed", failed}), lastBackup: prometheus.NewGauge(prometheus.GaugeOpts{})}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { u.backUp(ctx) })
	<-failed
	for range 2 {
		if err := clock.BlockUntilContext(ctx, 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
		<-failed
	}
	stop()
	running.Wait()
	if got := testutil.ToFloat64(u.lastBackup); got != 0 {
		t.Errorf("the metric is %f", got)
	}
}

func TestWhichBackupsAreKept(t *testing.T) {
	var made []time.Time
	for date := store.NewDeliveryDate(2026, time.January, 1); !date.After(store.NewDeliveryDate(2026, time.November, 24)); date = date.Add(1) {
		made = append(made, date.At(3, 30))
	}
	stay := map[string]bool{}
	for _, instant := range kept(made, KeepConfig{Days: 2, Weeks: 3, Months: 3}) {
		stay[store.DeliveryDateOf(instant).String()] = true
	}
	want := []string{"2026-11-24", "2026-11-23", "2026-11-22", "2026-11-15", "2026-10-31", "2026-09-30"}
	for _, date := range want {
		if !stay[date] {
			t.Errorf("%s is not kept", date)
		}
	}
	if len(stay) != len(want) {
		t.Errorf("kept: %v", stay)
	}
}

// Serving, fetching and writing go on while a backup is made; restored elsewhere it answers as the first one does.
func TestARestoredBackupAnswersToTheByteAsWhatWasBackedUp(t *testing.T) {
	h := newHouse(t, store.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	h.do("", "fetch", "all", "--from", "yesterday", "--to", "yesterday")
	paths := []string{"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy",
		"balancing-capacity", "balancing-energy"}
	want := h.bodies(paths...)
	served, err := store.OpenAlone(t.Context(), "courant.db")
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			run := store.Run{Feed: "beside", Datasets: []store.Dataset{store.AFRREnergy}, Started: h.clock.Now(), Ended: h.clock.Now(), Outcome: store.OutcomeFailed}
			if err := served.RecordRun(t.Context(), &run); err != nil {
				t.Error(err)
				return
			}
		}
	})
	h.do("", "backup", "drill.db.zst")
	close(stop)
	writing.Wait()
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COURANT_DATABASE_PATH", filepath.Join(t.TempDir(), "elsewhere.db"))
	h.do("", "restore", "drill.db.zst")
	for path, body := range h.bodies(paths...) {
		if string(body) != string(want[path]) {
			t.Errorf("%s differs", path)
		}
	}
}
