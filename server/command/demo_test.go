package command

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/ingest/report"
	"courant/store/market"
	"courant/store/storetest/await"
)

// interruptingClock is a clock that ends a command when it is first asked for the time after the database in the folder was opened.
type interruptingClock struct {
	clockwork.Clock
	folder    string
	interrupt func()
}

func (c interruptingClock) Now() time.Time {
	if opened, _ := filepath.Glob(filepath.Join(c.folder, "*", "courant.db.lock")); len(opened) > 0 {
		c.interrupt()
	}
	return c.Clock.Now()
}

func TestDemoPrintsEachDatasetOnceItsFeedHasRun(t *testing.T) {
	clock := clockwork.NewFakeClockAt(market.NewDeliveryDate(2026, time.November, 20).At(15, 0))
	var printed strings.Builder
	p := &Program{Stderr: &printed, Clock: clock}
	first, last := market.NewDeliveryDate(2026, time.October, 18), market.NewDeliveryDate(2026, time.November, 21)
	reports := 0
	ended := make(chan struct{})
	go func() {
		p.printProgress(t.Context(), func(context.Context) (report.Report, error) {
			reports++
			prices := report.Status{Dataset: market.DayAheadPrices, NextRunAt: new(report.Instant), FirstDate: &first, LastDate: &last}
			energy := report.Status{Dataset: market.AFRREnergy}
			if reports > 1 {
				energy.NextRunAt = new(report.Instant)
			}
			return report.Report{Datasets: []report.Status{energy, prices}}, nil
		})
		close(ended)
	}()
	for range 2 {
		if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(progressInterval)
	}
	await.Value(t, ended)
	want := "Collecting from the simulated sources; the pages can be used meanwhile.\n" +
		"  day-ahead-prices  2026-10-18 to 2026-11-21\n  afrr-energy       nothing stored\nAll datasets are collected.\n"
	if printed.String() != want {
		t.Errorf("printed %q", printed.String())
	}
}

func TestADemoWhoseAccountCannotBeMadeLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	running := goleak.IgnoreCurrent()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	p := &Program{Stdout: io.Discard, Stderr: io.Discard, Clock: interruptingClock{clockwork.NewRealClock(), folder, interrupt}}
	if err := p.demo(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("demo = %v", err)
	}
	if left := fileNames(t, folder); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	goleak.VerifyNone(t, running)
}
