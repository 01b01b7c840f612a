package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/server/config"
	"courant/store"
	"courant/store/backup"
	"courant/store/disk"
	"courant/store/market"
)

const (
	// upkeepTime is when the database is kept in order, after the sources' nightly reading.
	upkeepTime config.ClockTime = 4*60 + 20
	// diskLooks is how often the free room on the disk is looked at.
	diskLooks = time.Hour
)

// upkeep is what a service does for its database beside collecting and serving.
type upkeep struct {
	cfg        config.Config
	store      *store.Store
	auth       *auth.Auth
	clock      clockwork.Clock
	log        *slog.Logger
	backups    *backup.Schedule
	clockWrong func() bool // the clock is known to be wrong, so nothing may be deleted for its age; nil: nobody knows
}

// start begins the work, which ends with ctx.
func (u *upkeep) start(ctx context.Context, parts *sync.WaitGroup) {
	parts.Go(func() { u.watchDisk(ctx) })
	parts.Go(func() { u.maintain(ctx) })
	if u.cfg.Backup.Schedule != config.NoClockTime {
		parts.Go(func() { u.backups.Run(ctx) })
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

// watchDisk warns when the disk begins to be full.
func (u *upkeep) watchDisk(ctx context.Context) {
	warned := false
	for {
		free, size, err := disk.Free(filepath.Dir(u.cfg.Database.Path))
		scarce := err == nil && disk.IsScarce(free, size)
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
	for u.sleep(ctx, market.NextAt(u.clock.Now(), int(upkeepTime))) {
		for _, work := range []func(context.Context) error{u.removeOldSteps, u.sweep, u.sweepQuarantine, u.store.Maintain} {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				u.log.Error("database not kept in order", "error", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		}
	}
}

// sweepQuarantine drops what has waited for a decision too long.
func (u *upkeep) sweepQuarantine(ctx context.Context) error {
	if u.clockWrong != nil && u.clockWrong() {
		return nil
	}
	return u.store.PruneQuarantine(ctx, u.clock.Now())
}

// sweep deletes old rows of accounts.
func (u *upkeep) sweep(ctx context.Context) error {
	skipped, err := u.auth.Prune(ctx, u.clockWrong != nil && u.clockWrong())
	if skipped && err == nil {
		u.log.Info("nothing of accounts is deleted by age: the clock is wrong, or has not been steady for 7 days yet", "now", u.clock.Now())
	}
	return err
}

// removeOldSteps removes the 4 s steps of the delivery dates that are older than they are to be kept. The newest date that is stored is
// always among those that are kept, also where the clock is wrong or nothing new came for long.
func (u *upkeep) removeOldSteps(ctx context.Context) error {
	days := u.cfg.Retention.AFRREnergyDays
	if days == 0 || u.clockWrong != nil && u.clockWrong() {
		return nil
	}
	extent, err := u.store.Extent(ctx, market.AFRREnergy)
	if err != nil || extent.Last.IsZero() {
		return err
	}
	last := market.DeliveryDateOf(u.clock.Now())
	if extent.Last.Before(last) {
		last = extent.Last
	}
	first := last.Add(1 - days)
	thinned, err := u.store.ThinAFRR(ctx, first)
	if thinned > 0 {
		u.log.Info("4 s steps removed, their 5 min kept", "dates", thinned, "before", first.String())
	}
	return err
}
