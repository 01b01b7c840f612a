package ingest

import (
	"cmp"
	"time"

	"courant/store/market"
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
	// LagAt is how old the newest period of energy may be before the dataset is late; 0: its age is not judged.
	LagAt time.Duration
}

// idleInterval is how often a feed runs outside its hours, or when it has what its hours are for, unless its schedule
// says otherwise.
const idleInterval = time.Hour

// scheduleOf is a timetable as a schedule.
func scheduleOf(t market.Timetable) Schedule {
	return Schedule{Every: t.Every, FromMinute: t.From, ToMinute: t.To, LookbackDays: t.LookbackDays, LateMinute: t.LateAt}
}

// RTE rewrites energies for about seven weeks: on this day of the month, at this clock time, the whole month before last is
// due to be read again. A service that was stopped makes up for that for some months.
const (
	settlementDay    = 20
	settlementMinute = 5*60 + 20
	settlementDates  = 183 // how many delivery dates back
)

// settlementAt is when a delivery date of energy is due to be read for the last time.
func settlementAt(date market.DeliveryDate) time.Time {
	at := date.Start().In(market.Paris)
	return minutesLater(market.NewDeliveryDate(at.Year(), at.Month()+2, settlementDay), settlementMinute)
}

// minutesLater is the instant that many minutes after midnight by the clock in Paris.
func minutesLater(date market.DeliveryDate, minutes int) time.Time {
	return date.At(minutes/60, minutes%60)
}

// next is when a feed runs again after now. eager says that what its hours are for is still missing.
func (s Schedule) next(now time.Time, eager bool) time.Time {
	today := market.DeliveryDateOf(now)
	from, to := minutesLater(today, s.FromMinute), minutesLater(today, s.ToMinute)
	if eager && !now.Before(from) && now.Before(to) {
		return now.Add(s.Every)
	}
	return earliest(now.Add(cmp.Or(s.Idle, idleInterval)), nextMinute(now, s.FromMinute))
}

// nextMinute is when a clock in Paris next shows, after now, that many minutes after midnight.
func nextMinute(now time.Time, minutes int) time.Time {
	today := market.DeliveryDateOf(now)
	if at := minutesLater(today, minutes); at.After(now) {
		return at
	}
	return minutesLater(today.Add(1), minutes)
}

// nextReread is when the first of the rereads after now comes.
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

// rereadAt is when the newest of the rereads up to now came that concern a delivery date; zero if none has.
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
