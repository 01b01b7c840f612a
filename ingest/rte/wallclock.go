package rte

import (
	"errors"
	"time"

	"courant/store"
)

// wallClock tells the instants of a delivery date's clock times. Two instants bear each time of the hour that the
// clock goes through twice; firstIsLater says which is meant when a time comes up the first time, and again is set
// when it may come up a second time.
type wallClock struct {
	year  int
	month time.Month
	day   int
	plain bool  // the clock does not change on the date
	start int64 // of the date, seconds UTC

	repeated     store.Period // the clock times, in seconds after midnight, that two instants bear
	change       int64        // the instant at which the clock goes back, seconds UTC
	again        bool
	firstIsLater bool
	met          map[int64]bool
}

const repeatedSeconds = 3600 // the clock goes back by an hour

var errTwoHours = errors.New("of the two hours from 02:00 to 03:00 it cannot be told which is which")

// newWallClock looks at the steps that a reply lists for the date, to know how to read the repeated hour.
func newWallClock(date store.DeliveryDate, listed []wallStep, window store.Period) (*wallClock, error) {
	c := &wallClock{met: map[int64]bool{}, plain: date.Steps(3600) == 24, start: date.Start().Unix()}
	c.year, c.month, c.day = date.Start().In(store.Paris).Date()
	change, turns := date.TurnBack()
	if !turns {
		return c, nil
	}
	// At the change the clock in Paris shows the beginning of the repeated hour for the second time.
	local := change.In(store.Paris)
	first := int64(local.Hour()*3600 + local.Minute()*60)
	c.repeated = store.Period{Start: first, End: first + repeatedSeconds}
	c.change = change.Unix()

	times := map[int64]int{}
	firstListed, lastListed := int64(-1), int64(-1)
	for _, step := range listed {
		if start := step.row.Start; start >= 0 {
			if firstListed < 0 {
				firstListed = start
			}
			lastListed = start
			if c.repeated.Holds(start) {
				times[start]++
			}
		}
	}
	if len(times) == 0 {
		return c, nil
	}
	twice := 0
	for _, n := range times {
		if n == 2 {
			twice++
		}
	}
	if twice > 0 {
		if twice != repeatedSeconds/store.AFRRSeconds || len(times) != twice {
			return nil, errTwoHours
		}
		c.again, c.firstIsLater = true, firstListed > lastListed // listed newest first
		return c, nil
	}
	earlier := store.NewPeriod(change.Add(-repeatedSeconds*time.Second), change)
	later := store.NewPeriod(change, change.Add(repeatedSeconds*time.Second))
	inEarlier, inLater := overlap(window, earlier), overlap(window, later)
	if inEarlier && inLater {
		return nil, errTwoHours
	}
	c.firstIsLater = inLater
	return c, nil
}

func overlap(a, b store.Period) bool { return a.Start < b.End && b.Start < a.End }

// instant is the time's instant in seconds UTC; false for a time that the clock leaves out.
func (c *wallClock) instant(seconds int64) (int64, bool) {
	if c.plain {
		return c.start + seconds, true
	}
	if c.repeated.Holds(seconds) {
		later := c.firstIsLater
		if c.again && c.met[seconds] {
			later = !later
		}
		c.met[seconds] = true
		start := c.change + seconds - c.repeated.Start
		if !later {
			start -= repeatedSeconds
		}
		return start, true
	}
	hour, minute, second := int(seconds/3600), int(seconds/60%60), int(seconds%60)
	t := time.Date(c.year, c.month, c.day, hour, minute, second, 0, store.Paris)
	return t.Unix(), t.Hour() == hour
}
