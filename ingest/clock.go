package ingest

import (
	"context"
	"fmt"
	"time"

	"courant/store/market"
)

const (
	// clockShown is the smallest difference between this machine's clock and a source's that is shown.
	clockShown = 2 * time.Minute
	// clockWrong is the smallest difference that makes this machine's clock wrong, if two hosts or several runs agree.
	clockWrong      = 10 * time.Minute
	clockWrongRuns  = 3
	clockReadingAge = 3 * time.Hour // older readings are ignored
)

// clockFinding is how this machine's clock compares with the Date headers of the sources.
type clockFinding struct {
	ahead time.Duration // of the reading with the largest difference; negative: behind
	host  string        // of that reading; empty if there is no recent reading
	read  time.Time
	wrong bool
}

// findClock judges the newest readings of the sources' clocks. A reading from the future was made while the clock was
// wrong, and is ignored.
func findClock(readings []market.ClockReading, now time.Time) clockFinding {
	var found clockFinding
	var far []market.ClockReading
	for _, r := range readings {
		if r.Read.After(now) || now.Sub(r.Read) > clockReadingAge {
			continue
		}
		if found.host == "" || r.Ahead.Abs() > found.ahead.Abs() {
			found.ahead, found.host, found.read = r.Ahead, r.Host, r.Read
		}
		if r.Ahead.Abs() < clockWrong {
			continue
		}
		found.wrong = found.wrong || r.Agreeing >= clockWrongRuns
		for _, other := range far {
			found.wrong = found.wrong || r.AgreesWith(other)
		}
		far = append(far, r)
	}
	return found
}

// isShown reports whether the difference is large enough to be shown.
func (c clockFinding) isShown() bool { return c.ahead.Abs() >= clockShown }

// latest returns the later of now by this machine's clock and by the source that it differs from, so that a wrong clock
// does not hide a lag.
func (c clockFinding) latest(now time.Time) time.Time {
	if byThem := now.Add(-c.ahead); c.isShown() && byThem.After(now) {
		return byThem
	}
	return now
}

// text is a sentence about what is wrong and what to do.
func (c clockFinding) text() string {
	way := "ahead of"
	if c.ahead < 0 {
		way = "behind"
	}
	return fmt.Sprintf("the clock of this machine is %s %s that of %s: set it, best by NTP", c.ahead.Abs().Round(time.Second), way, c.host)
}

func (f *Feeds) clockFinding(ctx context.Context) (clockFinding, error) {
	readings, err := f.store.ClockReadings(ctx)
	return findClock(readings, f.clock.Now()), err
}

// ClockAhead returns by how much this machine's clock is known to be ahead of the sources' (negative: behind); 0 unless it is known
// to be wrong.
func (f *Feeds) ClockAhead(ctx context.Context) time.Duration { return f.clockAhead(ctx, nil) }

// clockAhead returns by how much this machine's clock is known to be ahead of the sources' (negative: behind); 0 unless it is
// known to be wrong. readings are those of the run that asks: one that finds the clock right shows that it was set meanwhile.
func (f *Feeds) clockAhead(ctx context.Context, readings []market.ClockReading) time.Duration {
	found, err := f.clockFinding(ctx)
	if err != nil || !found.wrong {
		return 0 // whatever is wrong with the database, the commit reports
	}
	for _, r := range readings {
		if found.ahead = r.Ahead; found.ahead.Abs() < clockWrong {
			return 0
		}
	}
	return found.ahead
}

// ClockWrong reports whether this machine's clock is known to be wrong, by the sources' Date headers. While it is, nothing
// should be deleted because of its age.
func (f *Feeds) ClockWrong(ctx context.Context) bool {
	found, err := f.clockFinding(ctx)
	return err != nil || found.wrong
}
