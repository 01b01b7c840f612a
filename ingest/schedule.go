package ingest

import (
	"cmp"
	"slices"
	"time"

	"courant/store"
)

// Schedule says when a feed runs: every so often between two clock times in Paris, hourly or as Idle says otherwise.
type Schedule struct {
	Every        time.Duration
	Idle         time.Duration // 0: an hour
	FromMinute   int           // minutes after midnight in Paris
	ToMinute     int           // minutes after midnight in Paris; 24 * 60 is the end of the day
	LookbackDays int           // how many delivery dates back, today included, the feed makes whole
	// LateMinute is from when on, in minutes after midnight in Paris, a delivery date that is not whole is late:
	// tomorrow's for what is sold a day ahead, yesterday's for energy.
	LateMinute int
}

// idleInterval is how often a feed runs outside its hours, or when it has what its hours are for, unless its schedule
// says otherwise.
const idleInterval = time.Hour

// reread is a clock time in Paris at which delivery dates are asked for again though they are whole, because a source
// may have corrected them.
type reread struct {
	minute     int // after midnight
	days       int // how many dates, yesterday the last
	energyOnly bool
}

var rereads = []reread{{20, 1, true}, {3 * 60, 7, false}}

// minutesLater is the instant that many minutes after midnight by the clock in Paris.
func minutesLater(date store.DeliveryDate, minutes int) time.Time {
	return date.At(minutes/60, minutes%60)
}

// next is when a feed runs again after now. eager says that what its hours are for is still missing.
func (s Schedule) next(now time.Time, eager bool) time.Time {
	today := store.DeliveryDateOf(now)
	from, to := minutesLater(today, s.FromMinute), minutesLater(today, s.ToMinute)
	if eager && !now.Before(from) && now.Before(to) {
		return now.Add(s.Every)
	}
	return earliest(now.Add(cmp.Or(s.Idle, idleInterval)), nextMinute(now, s.FromMinute))
}

// nextMinute is when a clock in Paris next shows, after now, that many minutes after midnight.
func nextMinute(now time.Time, minutes int) time.Time {
	today := store.DeliveryDateOf(now)
	if at := minutesLater(today, minutes); at.After(now) {
		return at
	}
	return minutesLater(today.Add(1), minutes)
}

// rereadsOf are those of a feed.
func rereadsOf(ahead bool) []reread {
	return slices.DeleteFunc(slices.Clone(rereads), func(r reread) bool { return ahead && r.energyOnly })
}

// nextReread is when the first of a feed's rereads after now comes.
func nextReread(now time.Time, ahead bool) time.Time {
	for date := store.DeliveryDateOf(now); ; date = date.Add(1) {
		for _, r := range rereadsOf(ahead) {
			if at := minutesLater(date, r.minute); at.After(now) {
				return at
			}
		}
	}
}

// rereadAt is when the newest of the rereads up to now came that concern a delivery date; zero if none has.
func rereadAt(date store.DeliveryDate, now time.Time, ahead bool) time.Time {
	var newest time.Time
	for _, r := range rereadsOf(ahead) {
		for n := 1; n <= r.days; n++ {
			if at := minutesLater(date.Add(n), r.minute); !at.After(now) && at.After(newest) {
				newest = at
			}
		}
	}
	return newest
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// pause is how long an unfinished delivery date is left alone, so that a hole that the source never fills is not
// asked for every quarter of an hour.
type pause struct {
	length time.Duration
	until  time.Time
}

const (
	firstDatePause   = 15 * time.Minute
	longestDatePause = 24 * time.Hour
)

// longer is the pause after one more run that did not make the date whole.
func (p pause) longer(now time.Time) pause {
	length := min(max(p.length*2, firstDatePause), longestDatePause)
	return pause{length, now.Add(length)}
}
