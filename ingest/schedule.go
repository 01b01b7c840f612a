package ingest

import (
	"cmp"
	"time"

	"courant/store/market"
)

// Schedule is the timetable of a feed: it runs at the interval Every between two clock times in Paris, and at the interval
// Idle otherwise.
type Schedule struct {
	Every        time.Duration
	Idle         time.Duration // 0: an hour
	FromMinute   int           // minutes after midnight in Paris
	ToMinute     int           // minutes after midnight in Paris; 24 * 60 is the end of the day
	LookbackDays int           // how many delivery dates back, today included, the feed completes
	// LateMinute is when an incomplete delivery date becomes late, in minutes after midnight in Paris: tomorrow of what
	// is sold a day ahead, yesterday of energy.
	LateMinute int
	// LagAt is the age of the newest period of energy from which the dataset is late; 0: its age is not judged.
	LagAt time.Duration
}

// idleInterval is the default of Schedule.Idle: how often a feed runs outside its hours, or when what they are for is
// complete.
const idleInterval = time.Hour

// scheduleOf is a timetable as a schedule.
func scheduleOf(t market.Timetable) Schedule {
	return Schedule{Every: t.Every, FromMinute: t.From, ToMinute: t.To, LookbackDays: t.LookbackDays, LateMinute: t.LateAt, LagAt: t.LagAt}
}

// RTE changes energies for about seven weeks: on this day of the month, at this clock time, the whole month before last is
// due to be read again. A service that was stopped catches up on several months.
const (
	settlementMinute = 5*60 + 20
	settlementDates  = 183 // how many delivery dates back
)

// settlementAt returns when a delivery date of energy is due to be read for the last time.
func settlementAt(date market.DeliveryDate) time.Time {
	return date.Settlement().Add(settlementMinute * time.Minute)
}

// minutesLater returns the instant at which clocks in Paris show that many minutes after midnight.
func minutesLater(date market.DeliveryDate, minutes int) time.Time {
	return date.At(minutes/60, minutes%60)
}

// next returns when a feed runs again after now. urgent means that what its hours are for is still missing.
func (s Schedule) next(now time.Time, urgent bool) time.Time {
	today := market.DeliveryDateOf(now)
	from, to := minutesLater(today, s.FromMinute), minutesLater(today, s.ToMinute)
	if urgent && !now.Before(from) && now.Before(to) {
		return now.Add(s.Every)
	}
	return earliest(now.Add(cmp.Or(s.Idle, idleInterval)), nextMinute(now, s.FromMinute))
}

// times returns the last time up to now at which a feed with a fixed timetable runs, and the next one after it: FromMinute and
// whole multiples of Every later, up to ToMinute.
func (s Schedule) times(now time.Time) (last, next time.Time) {
	today := market.DeliveryDateOf(now)
	from, to := minutesLater(today, s.FromMinute), minutesLater(today, s.ToMinute)
	if now.Before(from) {
		yesterday := today.Add(-1)
		from, to = minutesLater(yesterday, s.FromMinute), minutesLater(yesterday, s.ToMinute)
	}
	end := earliest(now, to.Add(-1)) // no run begins at to
	last = from.Add(end.Sub(from).Truncate(s.Every))
	next = last.Add(s.Every)
	if !next.Before(to) {
		next = nextMinute(now, s.FromMinute)
	}
	return last, next
}

// nextMinute returns when clocks in Paris next show, after now, that many minutes after midnight.
func nextMinute(now time.Time, minutes int) time.Time {
	today := market.DeliveryDateOf(now)
	if at := minutesLater(today, minutes); at.After(now) {
		return at
	}
	return minutesLater(today.Add(1), minutes)
}

// nextReread returns when the first of the rereads after now takes place.
func nextReread(now time.Time, rereads []market.Reread) time.Time {
	for date := market.DeliveryDateOf(now); ; date = date.Add(1) {
		var next time.Time
		for _, r := range rereads {
			if at := minutesLater(date, r.At); isOn(r, date) && at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if !next.IsZero() {
			return next
		}
	}
}

// isOn reports whether a reread takes place on a day.
func isOn(r market.Reread, day market.DeliveryDate) bool {
	return !r.Weekly || day.At(12, 0).In(market.Paris).Weekday() == r.Weekday
}

// rereadAt returns when the newest reread of a delivery date took place, up to now; zero if there was none.
func rereadAt(date market.DeliveryDate, now time.Time, rereads []market.Reread) time.Time {
	var newest time.Time
	for _, r := range rereads {
		for n := r.FirstDay; n <= r.LastDay; n++ {
			day := date.Add(-n)
			if at := minutesLater(day, r.At); isOn(r, day) && !at.After(now) && at.After(newest) {
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

// pause is how long an incomplete delivery date is not asked for, so that a gap that the source never fills does not cause a
// call every quarter of an hour.
type pause struct {
	length time.Duration
	until  time.Time
}

const (
	firstDatePause   = 15 * time.Minute
	longestDatePause = 24 * time.Hour
)

// longer returns the pause after one more run that did not complete the date.
func (p pause) longer(now time.Time) pause {
	length := min(max(p.length*2, firstDatePause), longestDatePause)
	return pause{length, now.Add(length)}
}
