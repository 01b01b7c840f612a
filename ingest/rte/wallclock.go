package rte

import (
	"errors"
	"time"

	"courant/store/market"
)

// wallClock converts the clock times of a delivery date into instants.
type wallClock struct {
	year  int
	month time.Month
	day   int
	plain bool  // the clock does not change on the date
	start int64 // of the date, seconds UTC

	repeated market.Period // the clock times, in seconds after midnight, that occur twice
	change   int64         // the instant at which the clock goes back, seconds UTC
	later    []bool        // of each step that is listed: whether it is of the later of the two hours; nil: all or none are
	allLater bool
}

const repeatedSeconds = 3600 // the clock goes back by an hour

var errTwoHours = errors.New("of the two hours from 02:00 to 03:00 it cannot be told which is which")

// newWallClock examines the steps that a reply lists for the date, to know how to read the hour that occurs twice. The reply
// lists both hours if it lists each step of that hour twice, all steps once before any of them again, and does not list the
// rest of the day twice as well; then the order shows which hour is the later one. Otherwise a step that is listed more than
// once with the same values is one step, and the window decides if only one of the hours is in it.
func newWallClock(date market.DeliveryDate, listed []wallStep, window market.Period) (*wallClock, error) {
	c := &wallClock{plain: date.Steps(3600) == 24, start: date.Start().Unix()}
	c.year, c.month, c.day = date.Start().In(market.Paris).Date()
	change, turns := date.TurnBack()
	if !turns {
		return c, nil
	}
	// At the change the clock in Paris shows the beginning of the repeated hour for the second time.
	local := change.In(market.Paris)
	first := int64(local.Hour()*3600 + local.Minute()*60)
	c.repeated = market.Period{Start: first, End: first + repeatedSeconds}
	c.change = change.Unix()

	times := map[int64][]int{} // where each step of the repeated hour is listed
	around := map[int64]int{}  // how often each other step is
	firstListed, lastListed := int64(-1), int64(-1)
	for i, step := range listed {
		start := step.row.Start
		switch {
		case start < 0:
			continue
		case c.repeated.Holds(start):
			times[start] = append(times[start], i)
		default:
			around[start]++
		}
		if firstListed < 0 {
			firstListed = start
		}
		lastListed = start
	}
	if len(times) == 0 {
		return c, nil
	}
	least := 2
	if areAllTwice(around) { // the reply lists everything twice
		least = 4
	}
	if later, both := splitHours(listed, times, least); both {
		if firstListed > lastListed { // listed newest first
			for i := range later {
				later[i] = !later[i]
			}
		}
		c.later = later
		return c, nil
	}
	for _, places := range times {
		for i := range places {
			for _, earlier := range places[:i] {
				if contradict(&listed[places[i]].row, &listed[earlier].row) {
					return nil, errTwoHours
				}
			}
		}
	}
	inEarlier := window.Overlaps(market.NewPeriod(change.Add(-repeatedSeconds*time.Second), change))
	inLater := window.Overlaps(market.NewPeriod(change, change.Add(repeatedSeconds*time.Second)))
	if inEarlier && inLater {
		return nil, errTwoHours
	}
	c.allLater = inLater
	return c, nil
}

func areAllTwice(counts map[int64]int) bool {
	for _, n := range counts {
		if n < 2 {
			return false
		}
	}
	return len(counts) > 0
}

// splitHours returns for each listed step whether it belongs to the hour that is listed second; false if the reply does not
// list two whole hours one after the other, with each step at least so many times in all.
func splitHours(listed []wallStep, times map[int64][]int, least int) ([]bool, bool) {
	if len(times) != repeatedSeconds/market.AFRRSeconds {
		return nil, false
	}
	second := make([]bool, len(listed))
	firstEnds, secondBegins := 0, len(listed)
	for _, places := range times {
		if len(places) < least {
			return nil, false
		}
		one, other := places[0], -1
		for _, place := range places[1:] {
			switch {
			case !contradict(&listed[place].row, &listed[one].row):
			case other < 0:
				other = place
			case contradict(&listed[place].row, &listed[other].row):
				return nil, false
			}
		}
		if other < 0 { // the hours are alike
			other = places[len(places)-1]
		}
		for _, place := range places[1:] {
			second[place] = place == other || contradict(&listed[place].row, &listed[one].row)
		}
		firstEnds, secondBegins = max(firstEnds, one), min(secondBegins, other)
	}
	return second, firstEnds < secondBegins
}

// contradict reports whether two rows have different values.
func contradict(a, b *market.AFRRStep) bool {
	for i, n := range afrrNumbers(a) {
		if other := afrrNumbers(b)[i]; n.Valid && other.Valid && n.V != other.V {
			return true
		}
	}
	for i, f := range afrrFlags(a) {
		if other := afrrFlags(b)[i]; f.Valid && other.Valid && f.V != other.V {
			return true
		}
	}
	return false
}

// instant returns the instant, in seconds UTC, of the i-th listed step with that clock time; false for a time that does not
// occur on the date.
func (c *wallClock) instant(i int, seconds int64) (int64, bool) {
	if c.plain {
		return c.start + seconds, true
	}
	if c.repeated.Holds(seconds) {
		start := c.change + seconds - c.repeated.Start
		if later := c.allLater || c.later != nil && c.later[i]; !later {
			start -= repeatedSeconds
		}
		return start, true
	}
	hour, minute, second := int(seconds/3600), int(seconds/60%60), int(seconds%60)
	t := time.Date(c.year, c.month, c.day, hour, minute, second, 0, market.Paris)
	return t.Unix(), t.Hour() == hour
}
