// Package backup makes copies of the database on a schedule, keeps some of them in folders and buckets, and brings one back from a
// bucket. What may come in here is when a copy is made, where it is kept and for how long; how one is written and checked is the
// business of package store.
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
	// backupAgain is how long after a backup that failed the next one is tried.
	backupAgain = time.Hour

	// backupBegin begins the name of each scheduled backup, backupLayout is all of it with its instant in UTC.
	backupBegin  = "courant-"
	backupLayout = backupBegin + "20060102T150405Z.db.zst"

	// uploadSuffix is behind the name of the database where a backup is made that goes to a bucket only.
	uploadSuffix = ".upload.zst"
)

// Keep is how many backups stay: the newest of so many days, weeks and months.
type Keep struct {
	Days, Weeks, Months int
}

// Options says what a Schedule works with.
type Options struct {
	Store  *store.Store
	Clock  clockwork.Clock
	Log    *slog.Logger
	At     int // minute of the day, on a clock in Paris, at which a backup is made
	Keep   Keep
	Places []*Place
	Told   func(kind string, begun time.Time) // is called with when the newest backup of a kind of place was begun; the zero time: none is known
	// ClockWrong reports whether the clock is known to be wrong, so nothing may be deleted for its age; nil: it is not known to be.
	ClockWrong func() bool
	// Explain adds to an error what a person can do about it, for the log; nil: errors are logged as they are.
	Explain func(error) error
}

// Schedule makes backups.
type Schedule struct{ Options }

// text is an error as it is logged.
func (u *Schedule) text(err error) string {
	if u.Explain != nil {
		err = u.Explain(err)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// newBackup is a backup that is made once for all places that are due.
type newBackup struct {
	store  *store.Store
	begun  time.Time
	beside string // where it is made for a place that has no folder
	file   string // where it is; empty before it is made
}

func (b *newBackup) name() string { return b.begun.UTC().Format(backupLayout) }

func (b *newBackup) makeAt(ctx context.Context, path string) error {
	if err := disk.RoomForBackup(b.store.Path(), path); err != nil {
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

// Close lets go of the places.
func (u *Schedule) Close() {
	for _, p := range u.Places {
		p.close()
	}
}

// Run makes a backup each day for each place, and one at once where the last one was missed, until ctx ends.
func (u *Schedule) Run(ctx context.Context) {
	for _, p := range u.Places {
		p.again = u.Clock.Now()
		u.Told(p.kind, time.Time{})
	}
	for ctx.Err() == nil {
		for _, p := range u.Places {
			p.due = u.nextBackup(ctx, p)
		}
		first := slices.MinFunc(u.Places, func(a, b *Place) int { return a.due.Compare(b.due) })
		if u.sleep(ctx, first.due) {
			u.backUpOnce(ctx)
		}
	}
}

// sleep waits until then and says whether that came before the end of ctx.
func (u *Schedule) sleep(ctx context.Context, then time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-u.Clock.After(then.Sub(u.Clock.Now())):
		return true
	}
}

// nextBackup is when a place is due, which is at once if it has no backup or does not say.
func (u *Schedule) nextBackup(ctx context.Context, p *Place) time.Time {
	made, err := p.backups(ctx, u.Clock.Now())
	if err != nil {
		return p.again
	}
	if len(made) == 0 {
		u.Told(p.kind, time.Time{})
		return p.again
	}
	newest := made[len(made)-1]
	u.Told(p.kind, newest)
	if due := market.NextAt(newest, u.At); due.After(p.again) {
		return due
	}
	return p.again
}

// backUpOnce makes a backup for the places that are due, and then removes those of theirs that are not to be kept. A place that
// fails keeps what it has.
func (u *Schedule) backUpOnce(ctx context.Context) {
	made := &newBackup{store: u.Store, begun: u.Clock.Now(), beside: u.Store.Path() + uploadSuffix}
	defer func() {
		if err := made.close(); err != nil {
			u.Log.Error("backup beside the database not removed", "error", err.Error())
		}
	}()
	for _, p := range u.Places {
		if p.due.After(made.begun) {
			continue
		}
		switch err := p.add(ctx, made); {
		case err == nil:
			p.again = market.NextAt(made.begun, u.At)
			u.Told(p.kind, made.begun)
			u.Log.Info("backup", "to", p.name, "file", made.name(), "bytes", disk.FileSize(made.file), "duration", u.Clock.Since(made.begun))
			if err := u.thin(ctx, p, made.begun); err != nil && ctx.Err() == nil {
				u.Log.Error("old backups not removed", "to", p.name, "error", u.text(err))
			}
		case ctx.Err() == nil:
			p.again = u.Clock.Now().Add(backupAgain)
			u.Log.Error("backup failed", "to", p.name, "error", u.text(err))
		}
	}
}

// longestGap is how long after the backup before a new one makes others go. Backups are made each day: after a longer time either the
// service was off or the clock is ahead, and the next one will tell.
const longestGap = 48 * time.Hour

// thin removes the backups of a place that are not to be kept, and what those that were cut short have left. While the time is in doubt
// all stay: a clock that is far ahead makes one backup that outlives the others.
func (u *Schedule) thin(ctx context.Context, p *Place, now time.Time) error {
	if u.ClockWrong != nil && u.ClockWrong() {
		u.Log.Warn("old backups stay while the clock is wrong", "to", p.name)
		return nil
	}
	made, err := p.all(ctx)
	if err != nil || len(made) < 2 {
		return errors.Join(err, p.sweep(ctx))
	}
	newest, before := made[len(made)-1], made[len(made)-2]
	switch {
	case newest.After(now):
		u.Log.Warn("old backups stay: one is dated later than now, remove it if the clock is right",
			"to", p.name, "file", newest.Format(backupLayout))
	case newest.Sub(before) > longestGap:
		u.Log.Info("old backups stay until the next one: none was made for long", "to", p.name)
	default:
		stay := kept(made, u.Keep)
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
func kept(made []time.Time, keep Keep) []time.Time {
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
