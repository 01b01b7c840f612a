// Package backup makes copies of the database on a schedule, stores them in a folder and a bucket, prunes old ones, and restores one from
// a bucket. It decides when a copy is made, where it is stored and for how long; package store writes and checks it.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/store"
	"courant/store/disk"
	"courant/store/market"
)

const (
	// retryInterval is how long after a failed backup the next one is tried.
	retryInterval = time.Hour

	// namePrefix begins the name of each scheduled backup; nameLayout is the whole name, with its instant in UTC.
	namePrefix = "courant-"
	nameLayout = namePrefix + "20060102T150405Z.db.zst"

	// uploadSuffix follows the name of the database in the name of a backup that is made only to be uploaded.
	uploadSuffix = ".upload.zst"
)

// Keep is for how many days, weeks and months with backups the newest backup is kept.
type Keep struct {
	Days, Weeks, Months int
}

// Options is what a Schedule works with.
type Options struct {
	Store        *store.Store
	Clock        clockwork.Clock
	Log          *slog.Logger
	At           int // when a backup is made each day: minutes after midnight in Paris
	Keep         Keep
	Destinations []*Destination
	// OnNewest is called with the instant of the newest backup at a kind of destination; the zero time if none is known.
	OnNewest func(kind string, begun time.Time)
	// ClockWrong reports whether the clock is known to be wrong, so that nothing may be deleted for its age; nil: it is not known to be.
	ClockWrong func() bool
	// Explain adds to an error what a person can do about it, for the log; nil: errors are logged as they are.
	Explain func(error) error
}

// Schedule makes backups.
type Schedule struct{ Options }

// text returns an error as it is logged.
func (s *Schedule) text(err error) string {
	if s.Explain != nil {
		err = s.Explain(err)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// pendingBackup is a backup that is made once for all destinations that are due.
type pendingBackup struct {
	store    *store.Store
	begun    time.Time
	tempPath string // where it is written for a destination that is no folder
	path     string // where it is; empty until it is made
}

func (b *pendingBackup) name() string { return b.begun.UTC().Format(nameLayout) }

func (b *pendingBackup) writeTo(ctx context.Context, path string) error {
	if err := disk.RoomForBackup(b.store.Path(), path); err != nil {
		return err
	}
	if err := b.store.Backup(ctx, path); err != nil {
		return err
	}
	b.path = path
	return nil
}

// localFile returns a file with the backup, and writes one if there is none yet.
func (b *pendingBackup) localFile(ctx context.Context) (string, error) {
	if b.path != "" {
		return b.path, nil
	}
	if err := removeIfPresent(b.tempPath); err != nil { // a killed process may have left it
		return "", err
	}
	return b.tempPath, b.writeTo(ctx, b.tempPath)
}

// close removes the temporary file.
func (b *pendingBackup) close() error { return removeIfPresent(b.tempPath) }

// removeIfPresent removes a backup; it is no error if there is none.
func removeIfPresent(path string) error {
	if err := store.RemoveBackup(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close closes the connections to the destinations.
func (s *Schedule) Close() {
	for _, d := range s.Destinations {
		d.close()
	}
}

// Run makes a backup each day for each destination, and one at once where the last one was missed, until ctx ends.
func (s *Schedule) Run(ctx context.Context) {
	for _, d := range s.Destinations {
		d.notBefore = s.Clock.Now()
		s.OnNewest(d.kind, time.Time{})
	}
	for ctx.Err() == nil {
		for _, d := range s.Destinations {
			d.due = s.nextDue(ctx, d)
		}
		first := slices.MinFunc(s.Destinations, func(a, b *Destination) int { return a.due.Compare(b.due) })
		if s.sleep(ctx, first.due) {
			s.backUpDue(ctx)
		}
	}
}

// sleep waits until then and reports false if ctx ended first.
func (s *Schedule) sleep(ctx context.Context, then time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.Clock.After(then.Sub(s.Clock.Now())):
		return true
	}
}

// nextDue returns when a destination is due. It is due at once if it has no backup or cannot be read.
func (s *Schedule) nextDue(ctx context.Context, d *Destination) time.Time {
	made, err := d.backups(ctx, s.Clock.Now())
	if err != nil {
		return d.notBefore
	}
	if len(made) == 0 {
		s.OnNewest(d.kind, time.Time{})
		return d.notBefore
	}
	newest := made[len(made)-1]
	s.OnNewest(d.kind, newest)
	if due := market.NextAt(newest, s.At); due.After(d.notBefore) {
		return due
	}
	return d.notBefore
}

// backUpDue makes a backup for the destinations that are due, and then prunes their old ones. Where the backup fails, nothing is pruned.
func (s *Schedule) backUpDue(ctx context.Context) {
	pending := &pendingBackup{store: s.Store, begun: s.Clock.Now(), tempPath: s.Store.Path() + uploadSuffix}
	defer func() {
		if err := pending.close(); err != nil {
			s.Log.Error("backup beside the database not removed", "error", err.Error())
		}
	}()
	for _, d := range s.Destinations {
		if d.due.After(pending.begun) {
			continue
		}
		switch err := d.add(ctx, pending); {
		case err == nil:
			d.notBefore = market.NextAt(pending.begun, s.At)
			s.OnNewest(d.kind, pending.begun)
			s.Log.Info("backup", "to", d.name, "file", pending.name(), "bytes", disk.FileSize(pending.path),
				"duration", s.Clock.Since(pending.begun))
			if err := s.prune(ctx, d, pending.begun); err != nil && ctx.Err() == nil {
				s.Log.Error("old backups not removed", "to", d.name, "error", s.text(err))
			}
		case ctx.Err() == nil:
			d.notBefore = s.Clock.Now().Add(retryInterval)
			s.Log.Error("backup failed", "to", d.name, "error", s.text(err))
		}
	}
}

// maxGap is the longest time between the newest two backups after which old ones are pruned. Backups are made each day: after a longer
// gap either the service was off or the clock is ahead, and the next backup will show which.
const maxGap = 48 * time.Hour

// prune removes the backups of a destination that need not be kept, and what interrupted ones have left. While the time is in doubt
// it removes none: a clock that is far ahead makes one backup that would outlive all others.
func (s *Schedule) prune(ctx context.Context, d *Destination, now time.Time) error {
	if s.ClockWrong != nil && s.ClockWrong() {
		s.Log.Warn("old backups are kept while the clock is wrong", "to", d.name)
		return nil
	}
	made, err := d.all(ctx)
	if err != nil || len(made) < 2 {
		return errors.Join(err, d.cleanUp(ctx))
	}
	newest, before := made[len(made)-1], made[len(made)-2]
	switch {
	case newest.After(now):
		s.Log.Warn("old backups are kept: one is dated later than now, remove it if the clock is right",
			"to", d.name, "file", newest.Format(nameLayout))
	case newest.Sub(before) > maxGap:
		s.Log.Info("old backups are kept until the next one: none was made for two days", "to", d.name)
	default:
		keep := toKeep(made, s.Keep)
		for _, instant := range made {
			if !slices.Contains(keep, instant) {
				err = errors.Join(err, d.remove(ctx, instant.Format(nameLayout)))
			}
		}
	}
	return errors.Join(err, d.cleanUp(ctx))
}

// toKeep returns the newest backup of each of the newest days, weeks (from Monday) and months in Paris that have one, as many as keep
// says, and always the newest of all. made is ascending.
func toKeep(made []time.Time, keep Keep) []time.Time {
	var chosen []time.Time
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
			if name := span.name(made[i].In(market.Paris)); name != last {
				chosen, last = append(chosen, made[i]), name
				count++
			}
		}
	}
	return chosen
}
