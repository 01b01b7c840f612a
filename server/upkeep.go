package server

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/server/hooks"
	"courant/server/lake"
	"courant/store"
	"courant/store/backup"
	"courant/store/disk"
	"courant/store/market"
)

const (
	// upkeepTime is when the nightly upkeep runs, after the nightly reading of the sources: minutes after midnight in Paris.
	upkeepTime = 4*60 + 20
	// diskInterval is how often the free space on the disk is checked.
	diskInterval = time.Hour
)

// upkeep is what the process does for its database besides collecting and serving.
type upkeep struct {
	store      *store.Store
	auth       *auth.Auth
	clock      clockwork.Clock
	log        *slog.Logger
	stepDays   int              // delivery dates, today included, whose 4 s steps of aFRR are kept; 0: all
	backups    *backup.Schedule // nil: none are scheduled
	exports    *exports         // nil: none are scheduled
	archive    *lake.Archive
	hooks      *hooks.Service
	clockWrong func() bool // reports whether the clock is known to be wrong, so nothing may be deleted for its age; nil: it is not
}

// start starts the work in the background, until ctx ends.
func (u *upkeep) start(ctx context.Context, parts *sync.WaitGroup) {
	parts.Go(func() { u.watchDisk(ctx) })
	parts.Go(func() { u.summariseHours(ctx) })
	parts.Go(func() { u.maintain(ctx) })
	if u.backups != nil {
		parts.Go(func() { u.backups.Run(ctx) })
	}
	if u.exports != nil {
		parts.Go(func() { u.exports.run(ctx) })
	}
}

// pause waits for d and reports false if ctx ended first.
func pause(ctx context.Context, clock clockwork.Clock, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-clock.After(d):
		return true
	}
}

// sleep waits until then and reports false if ctx ended first.
func (u *upkeep) sleep(ctx context.Context, then time.Time) bool {
	return pause(ctx, u.clock, then.Sub(u.clock.Now()))
}

// watchDisk logs a warning when the disk becomes nearly full.
func (u *upkeep) watchDisk(ctx context.Context) {
	warned := false
	for {
		free, size, err := disk.Free(filepath.Dir(u.store.Path()))
		scarce := err == nil && disk.IsScarce(free, size)
		if scarce && !warned {
			u.log.Warn("less than 10 % of the disk is free: free some space", "free_bytes", free, "database", u.store.Path())
		}
		warned = scarce
		if !pause(ctx, u.clock, diskInterval) {
			return
		}
	}
}

// maintain runs the nightly upkeep until ctx ends.
func (u *upkeep) maintain(ctx context.Context) {
	for u.sleep(ctx, market.NextAt(u.clock.Now(), upkeepTime)) {
		for _, work := range []func(context.Context) error{u.removeOldSteps, u.pruneAccounts, u.pruneQuarantine, u.pruneHooks, u.store.Maintain, u.makeArchive} {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				u.log.Error("nightly upkeep failed", "error", oneLine(err))
			}
		}
	}
}

// summariseHours stores the summaries that hours of an earlier version lack. Until then answers are made from their steps.
func (u *upkeep) summariseHours(ctx context.Context) {
	begun, hours := u.clock.Now(), 0
	for summarised, err := range u.store.SummariseHours(ctx) {
		if err != nil && ctx.Err() == nil {
			u.log.Error("hours of 4 s steps not summarised", "error", oneLine(err))
		}
		hours += summarised
	}
	if hours > 0 {
		u.log.Info("hours of 4 s steps summarised", "hours", hours, "seconds", u.clock.Now().Sub(begun).Seconds())
	}
}

// pruneQuarantine drops what has waited too long for a decision.
func (u *upkeep) pruneQuarantine(ctx context.Context) error {
	if u.clockWrong != nil && u.clockWrong() {
		return nil
	}
	return u.store.PruneQuarantine(ctx, u.clock.Now())
}

// pruneHooks deletes old deliveries of webhooks and alerts.
func (u *upkeep) pruneHooks(ctx context.Context) error {
	if u.hooks == nil || u.clockWrong != nil && u.clockWrong() {
		return nil
	}
	return u.hooks.Prune(ctx)
}

// makeArchive makes the files of the months that are over, so that the first who asks for them does not wait.
func (u *upkeep) makeArchive(ctx context.Context) error {
	if u.archive == nil {
		return nil
	}
	current := market.MonthOf(market.DeliveryDateOf(u.clock.Now()))
	var errs []error
	for _, dataset := range market.Datasets() {
		errs = append(errs, u.archive.Make(ctx, dataset, func(month market.Month) bool { return month.Before(current) }))
	}
	return errors.Join(errs...)
}

// pruneAccounts deletes old sessions, links and audit notes.
func (u *upkeep) pruneAccounts(ctx context.Context) error {
	skipped, err := u.auth.Prune(ctx, u.clockWrong != nil && u.clockWrong())
	if skipped && err == nil {
		u.log.Info("old sessions, tokens and links not deleted: the clock is wrong, or has not been steady for 7 days yet", "now", u.clock.Now())
	}
	return err
}

// removeOldSteps removes the 4 s steps of delivery dates that are older than stepDays. The newest stored date always counts among those
// days, so that a wrong clock, or a long time without new data, removes no more.
func (u *upkeep) removeOldSteps(ctx context.Context) error {
	if u.stepDays == 0 || u.clockWrong != nil && u.clockWrong() {
		return nil
	}
	extent, err := u.store.Extent(ctx, market.AFRR.Datasets[0].ID)
	if err != nil || extent.Last.IsZero() {
		return err
	}
	last := market.DeliveryDateOf(u.clock.Now())
	if extent.Last.Before(last) {
		last = extent.Last
	}
	first := last.Add(1 - u.stepDays)
	dates, err := u.store.ThinAFRR(ctx, first, u.clock.Now())
	if dates > 0 {
		u.log.Info("4 s steps removed, 5 min means kept", "dates", dates, "before", first.String())
	}
	return err
}
