package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"courant/store"
	"courant/store/market"
)

const (
	// backupAgain is how long after a backup that failed the next one is tried.
	backupAgain = time.Hour

	// backupBegin begins the name of each scheduled backup, backupLayout is all of it with its instant in UTC.
	backupBegin  = "courant-"
	backupLayout = backupBegin + "20060102T150405Z.db.zst"

	// uploadSuffix is behind the name of the database where a backup is made that goes to a bucket only.
	uploadSuffix = ".upload.zst"
)

// newBackup is a backup that is made once for all places that are due.
type newBackup struct {
	store  *store.Store
	begun  time.Time
	beside string // where it is made for a place that has no folder
	file   string // where it is; empty before it is made
}

func (b *newBackup) name() string { return b.begun.UTC().Format(backupLayout) }

func (b *newBackup) makeAt(ctx context.Context, path string) error {
	if err := roomForBackup(b.store.Path(), path); err != nil {
		return err
	}
	if err := b.store.Backup(ctx, path); err != nil {
		return err
	}
	b.file = path
	return nil
}

// somewhere is a file that holds it.
func (b *newBackup) somewhere(ctx context.Context) (string, error) {
	if b.file != "" {
		return b.file, nil
	}
	if err := removeMade(b.beside); err != nil { // by a service that was killed
		return "", err
	}
	return b.beside, b.makeAt(ctx, b.beside)
}

// close removes what was made for no folder.
func (b *newBackup) close() error { return removeMade(b.beside) }

// removeMade removes a backup that need not be there.
func removeMade(path string) error {
	if err := store.RemoveBackup(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// backUp makes a backup each day for each place, and one at once where the last one was missed.
func (u *upkeep) backUp(ctx context.Context) {
	for _, p := range u.places {
		defer p.close()
		p.again = u.clock.Now()
		u.lastBackup.WithLabelValues(p.kind).Set(0)
	}
	for ctx.Err() == nil {
		for _, p := range u.places {
			p.due = u.nextBackup(ctx, p)
		}
		first := slices.MinFunc(u.places, func(a, b *place) int { return a.due.Compare(b.due) })
		if u.sleep(ctx, first.due) {
			u.backUpOnce(ctx)
		}
	}
}

// nextBackup is when a place is due, which is at once if it has no backup or does not say.
func (u *upkeep) nextBackup(ctx context.Context, p *place) time.Time {
	made, err := p.backups(ctx, u.clock.Now())
	if err != nil {
		return p.again
	}
	if len(made) == 0 {
		u.lastBackup.WithLabelValues(p.kind).Set(0)
		return p.again
	}
	newest := made[len(made)-1]
	u.tell(p, newest)
	if due := next(newest, u.cfg.Backup.Schedule); due.After(p.again) {
		return due
	}
	return p.again
}

// tell has the metric say when the newest backup of a place was begun.
func (u *upkeep) tell(p *place, begun time.Time) {
	u.lastBackup.WithLabelValues(p.kind).Set(float64(begun.Unix()))
}

// backUpOnce makes a backup for the places that are due, and then removes those of theirs that are not to be kept. A place that
// fails keeps what it has.
func (u *upkeep) backUpOnce(ctx context.Context) {
	made := &newBackup{store: u.store, begun: u.clock.Now(), beside: u.cfg.Database.Path + uploadSuffix}
	defer func() {
		if err := made.close(); err != nil {
			u.log.Error("backup beside the database not removed", "error", err.Error())
		}
	}()
	for _, p := range u.places {
		if p.due.After(made.begun) {
			continue
		}
		switch err := p.add(ctx, made); {
		case err == nil:
			p.again = next(made.begun, u.cfg.Backup.Schedule)
			u.tell(p, made.begun)
			u.log.Info("backup", "to", p.name, "file", made.name(), "bytes", fileSize(made.file), "duration", u.clock.Since(made.begun))
			if err := u.thin(ctx, p, made.begun); err != nil && ctx.Err() == nil {
				u.log.Error("old backups not removed", "to", p.name, "error", err.Error())
			}
		case ctx.Err() == nil:
			p.again = u.clock.Now().Add(backupAgain)
			u.log.Error("backup failed", "to", p.name, "error", err.Error())
		}
	}
}

// longestGap is how long after the backup before a new one makes others go. Backups are made each day: after a longer time either the
// service was off or the clock is ahead, and the next one will tell.
const longestGap = 48 * time.Hour

// thin removes the backups of a place that are not to be kept, and what those that were cut short have left. While the time is in doubt
// all stay: a clock that is far ahead makes one backup that outlives the others.
func (u *upkeep) thin(ctx context.Context, p *place, now time.Time) error {
	if u.clockWrong != nil && u.clockWrong() {
		u.log.Warn("old backups stay while the clock is wrong", "to", p.name)
		return nil
	}
	made, err := p.all(ctx)
	if err != nil || len(made) < 2 {
		return errors.Join(err, p.sweep(ctx))
	}
	newest, before := made[len(made)-1], made[len(made)-2]
	switch {
	case newest.After(now):
		u.log.Warn("old backups stay: one is dated later than now, remove it if the clock is right",
			"to", p.name, "file", newest.Format(backupLayout))
	case newest.Sub(before) > longestGap:
		u.log.Info("old backups stay until the next one: none was made for long", "to", p.name)
	default:
		stay := kept(made, u.cfg.Backup.Keep)
		for _, instant := range made {
			if !slices.Contains(stay, instant) {
				err = errors.Join(err, p.remove(ctx, instant.Format(backupLayout)))
			}
		}
	}
	return errors.Join(err, p.sweep(ctx))
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
			if name := span.name(made[i].In(market.Paris)); name != last {
				stay, last = append(stay, made[i]), name
				count++
			}
		}
	}
	return stay
}
