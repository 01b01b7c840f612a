package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/prometheus/client_golang/prometheus"

	"courant/store"
)

const (
	// upkeepTime is when the database is kept in order, after the sources' nightly reading.
	upkeepTime ClockTime = 4*60 + 20
	// diskLooks is how often the free room on the disk is looked at.
	diskLooks = time.Hour
)

// upkeep is what a service does for its database beside collecting and serving.
type upkeep struct {
	cfg        Config
	store      *store.Store
	clock      clockwork.Clock
	log        *slog.Logger
	places     []*place             // of backups
	lastBackup *prometheus.GaugeVec // seconds UTC, by kind of place
}

// start begins the work, which ends with ctx.
func (u *upkeep) start(ctx context.Context, parts *sync.WaitGroup) {
	parts.Go(func() { u.watchDisk(ctx) })
	parts.Go(func() { u.maintain(ctx) })
	if u.cfg.Backup.Schedule != noClockTime {
		parts.Go(func() { u.backUp(ctx) })
	}
}

// pause says whether it was not cut short by the end of ctx.
func pause(ctx context.Context, clock clockwork.Clock, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-clock.After(d):
		return true
	}
}

// sleep waits until then and says whether that came before the end of ctx.
func (u *upkeep) sleep(ctx context.Context, then time.Time) bool {
	return pause(ctx, u.clock, then.Sub(u.clock.Now()))
}

// next is the first instant after that one at which a clock in Paris shows the time of day.
func next(after time.Time, at ClockTime) time.Time {
	for date := store.DeliveryDateOf(after); ; date = date.Add(1) {
		if then := date.At(int(at)/60, int(at)%60); then.After(after) {
			return then
		}
	}
}

// watchDisk warns when the disk begins to be full.
func (u *upkeep) watchDisk(ctx context.Context) {
	warned := false
	for {
		free, size, err := diskRoom(filepath.Dir(u.cfg.Database.Path))
		scarce := err == nil && isScarce(free, size)
		if scarce && !warned {
			u.log.Warn("less than 10 % of the disk is free: make room", "free_bytes", free, "database", u.cfg.Database.Path)
		}
		warned = scarce
		if !pause(ctx, u.clock, diskLooks) {
			return
		}
	}
}

// maintain keeps the database in order each night.
func (u *upkeep) maintain(ctx context.Context) {
	for u.sleep(ctx, next(u.clock.Now(), upkeepTime)) {
		if err := u.store.Maintain(ctx); err != nil && ctx.Err() == nil {
			u.log.Error("database not kept in order", "error", err.Error())
		}
	}
}
