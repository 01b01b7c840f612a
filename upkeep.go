package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/prometheus/client_golang/prometheus"

	"courant/store"
)

const (
	// upkeepTime is when the database is kept in order, after the sources' nightly reading.
	upkeepTime ClockTime = 4*60 + 20
	// backupAgain is how long after a backup that failed the next one is tried.
	backupAgain = time.Hour
	// diskLooks is how often the free room on the disk is looked at.
	diskLooks = time.Hour

	// backupLayout is the name of a scheduled backup, with its instant in UTC.
	backupLayout = "courant-20060102T150405Z.db.zst"
)

// upkeep is what a service does for its database beside collecting and serving.
type upkeep struct {
	cfg        Config
	store      *store.Store
	clock      clockwork.Clock
	log        *slog.Logger
	lastBackup prometheus.Gauge // seconds UTC
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

// backUp makes a backup each day, and one at once where the last one was missed.
func (u *upkeep) backUp(ctx context.Context) {
	again := u.clock.Now()
	for ctx.Err() == nil {
		made, err := u.backups()
		if err == nil && len(made) > 0 {
			newest := made[len(made)-1]
			u.lastBackup.Set(float64(newest.Unix()))
			if due := next(newest, u.cfg.Backup.Schedule); due.After(again) {
				again = due
			}
		}
		if !u.sleep(ctx, again) {
			return
		}
		begun := u.clock.Now()
		if err := u.backUpOnce(ctx, begun); err != nil {
			if ctx.Err() == nil {
				u.log.Error("backup failed", "to", u.cfg.Backup.To, "error", err.Error())
			}
			again = u.clock.Now().Add(backupAgain)
		} else {
			again = u.clock.Now()
		}
	}
}

// backUpOnce makes a backup and then removes those that are not to be kept.
func (u *upkeep) backUpOnce(ctx context.Context, now time.Time) error {
	path := filepath.Join(u.cfg.Backup.To, now.UTC().Format(backupLayout))
	if err := u.store.Backup(ctx, path); err != nil {
		return err
	}
	u.log.Info("backup", "file", path, "bytes", fileSize(path), "duration", u.clock.Since(now))
	made, err := u.backups()
	if err != nil {
		return err
	}
	for _, instant := range made {
		if !slices.Contains(kept(made, u.cfg.Backup.Keep), instant) {
			err = errors.Join(err, os.Remove(filepath.Join(u.cfg.Backup.To, instant.Format(backupLayout))))
		}
	}
	return errors.Join(err, u.sweep(now))
}

// backups are the instants of the scheduled backups that are there, ascending.
func (u *upkeep) backups() ([]time.Time, error) {
	entries, err := os.ReadDir(u.cfg.Backup.To)
	if err != nil {
		return nil, fmt.Errorf("backup.to: %w", err)
	}
	var made []time.Time
	for _, entry := range entries {
		instant, err := time.Parse(backupLayout, entry.Name())
		if err == nil && entry.Type().IsRegular() && instant.Format(backupLayout) == entry.Name() {
			made = append(made, instant)
		}
	}
	return made, nil // the folder is in order of names
}

// sweep removes what a backup that was killed a day ago or earlier had begun.
func (u *upkeep) sweep(now time.Time) error {
	begun, err := filepath.Glob(filepath.Join(u.cfg.Backup.To, "courant-*Z.db.zst.*.part"))
	if err != nil {
		return err
	}
	for _, part := range begun {
		name, _, _ := strings.Cut(filepath.Base(part), ".zst.")
		instant, unreadable := time.Parse(backupLayout, name+".zst")
		if unreadable != nil || now.Sub(instant) < 24*time.Hour {
			continue
		}
		if gone := os.Remove(part); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// kept are the newest of each of the days, weeks (from Monday) and months in Paris that are the newest with a backup, and
// always the newest of all. made is ascending.
func kept(made []time.Time, keep KeepConfig) []time.Time {
	var stay []time.Time
	for _, span := range []struct {
		count int
		name  func(time.Time) string
	}{
		{keep.Days, func(t time.Time) string { return t.Format(time.DateOnly) }},
		{keep.Weeks, func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, week) }},
		{keep.Months, func(t time.Time) string { return t.Format("2006-01") }},
	} {
		last := ""
		for i, count := len(made)-1, 0; i >= 0 && count < span.count; i-- {
			if name := span.name(made[i].In(store.Paris)); name != last {
				stay, last = append(stay, made[i]), name
				count++
			}
		}
	}
	return stay
}
