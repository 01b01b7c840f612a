package ingest

import (
	"time"

	"courant/store"
)

// Schedule says when a feed runs: every so often between two clock times in Paris, hourly otherwise.
type Schedule struct {
	Every        time.Duration
	FromMinute   int // minutes after midnight in Paris
	ToMinute     int // minutes after midnight in Paris; 24 * 60 is the end of the day
	LookbackDays int // how many delivery dates back, today included, the feed makes whole
}

// idleInterval is how often a feed runs outside its hours, or when it has what its hours are for.
const idleInterval = time.Hour

// rereads are the clock times in Paris at which the energy feeds ask for the whole of yesterday again.
var rereads = []struct{ hour, minute int }{{0, 20}, {3, 0}}

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
	if !now.Before(from) {
		from = minutesLater(today.Add(1), s.FromMinute)
	}
	return earliest(now.Add(idleInterval), from)
}

// nextReread is the first of the rereads' instants after now.
func nextReread(now time.Time) time.Time {
	today := store.DeliveryDateOf(now)
	for _, date := range []store.DeliveryDate{today, today.Add(1)} {
		for _, r := range rereads {
			if at := date.At(r.hour, r.minute); at.After(now) {
				return at
			}
		}
	}
	return today.Add(2).Start()
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
