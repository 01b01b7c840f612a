package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"courant/server/config"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

// A folder that is not there at first, as a disk that is not mounted, gets its files an hour later, and then each day at five.
func TestScheduledExportsFollowTheDataAndAreTriedAgain(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	commitPrice := func(day string) {
		t.Helper()
		date, err := market.ParseDeliveryDate(day)
		if err != nil {
			t.Fatal(err)
		}
		run := store.Run{Feed: "test", Datasets: []market.Dataset{market.DayAheadPrices}, Ended: date.Start(), Outcome: store.OutcomeOK}
		err = db.Commit(t.Context(), &run, market.Prices.Batch([]market.Price{{Start: date.Start().Unix(), Resolution: market.PT15M, Price: market.Num(1)}}))
		if err != nil {
			t.Fatal(err)
		}
	}
	commitPrice("2026-10-01")
	folder := filepath.Join(storetest.Folder(t), "lake")
	clock := clockwork.NewFakeClockAt(market.NewDeliveryDate(2026, time.October, 24).At(4, 30)) // the clock goes back the night after
	log := &syncBuffer{}
	m := newMetrics("", nil, nil, nil, slog.New(slog.DiscardHandler))
	e := newExports(config.Export{Schedule: 5 * 60, To: folder, Datasets: []market.Dataset{market.DayAheadPrices}}, db, Options{
		Clock: clock, Log: slog.New(slog.NewTextHandler(log, nil)), Explain: func(err error) error { return errors.Join(err, errors.New("what to do")) },
	}, m.exported)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.run(ctx) })
	// waits until the export is done with what is due.
	waits := func(want time.Time, says ...string) {
		t.Helper()
		if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
			t.Fatal(err)
		}
		seconds := float64(0)
		if !want.IsZero() {
			seconds = float64(want.Unix())
		}
		if got := testutil.ToFloat64(m.export.WithLabelValues("folder")); got != seconds {
			t.Errorf("at %s the newest export began at %v, want %v", clock.Now(), got, seconds)
		}
		for _, text := range says {
			if said := log.take(); !strings.Contains(said, text) || strings.Count(said, "\n") != 1 {
				t.Errorf("the log has\n%s\nwant one line with %s", said, text)
			}
		}
	}
	waits(time.Time{}, `level=ERROR msg="export failed" to=`+folder+` error="export to `+folder+`: the folder does not exist: make it first; what to do"`)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	first := clock.Now()
	waits(first, "msg=export to="+folder+" written=1 files=1")
	commitPrice("2026-11-01")
	clock.Advance(market.NewDeliveryDate(2026, time.October, 25).At(5, 0).Sub(clock.Now()))
	waits(clock.Now(), "written=1 files=2")
	clock.Advance(24 * time.Hour)
	waits(clock.Now(), "written=0 files=2")
	stop()
	running.Wait()
	if _, err := os.Stat(filepath.Join(folder, "dataset=day-ahead-prices/year=2026/month=11/part.parquet")); err != nil {
		t.Error(err)
	}
}

func TestWithoutAScheduleNothingIsExported(t *testing.T) {
	t.Parallel()
	if e := newExports(config.Default().Export, nil, Options{}, nil); e != nil {
		t.Errorf("exports %+v", e)
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// take returns the text since the last call.
func (b *syncBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}
