package ingest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// failuresToOpen is how many failed runs in a row open a circuit.
const failuresToOpen = 5

// openFor is how long a circuit stays open before a run tries again, the first time, the second time and so on.
var openFor = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

// circuit keeps a resource that fails, or that asks to be left alone, from being asked again and again. Its zero value is
// closed.
type circuit struct {
	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

// openUntil is when a run may try again, and false if the circuit is closed.
func (c *circuit) openUntil() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until, c.failures >= failuresToOpen
}

// fail notes a failed run. One that ends while the circuit is open was begun before, and says nothing new.
func (c *circuit) fail(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) {
		return
	}
	c.failures++
	if again := c.failures - failuresToOpen; again >= 0 {
		c.until = now.Add(openFor[min(again, len(openFor)-1)])
	}
}

// rest opens the circuit until an instant, because the source asked for it.
func (c *circuit) rest(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = max(c.failures, failuresToOpen)
	if until.After(c.until) {
		c.until = until
	}
}

// isLong says whether each of the waits, the longest too, has been followed by another failed run.
func (c *circuit) isLong() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures >= failuresToOpen+len(openFor)
}

// succeed closes the circuit.
func (c *circuit) succeed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures, c.until = 0, time.Time{}
}

// judge tells a feed's circuits how a run went. The source's own circuit, which its feeds share, is for faults of the
// connection only; what is not the source's fault concerns neither.
func (f *Feeds) judge(feed *feed, run store.Run, err error) {
	var fault *source.Fault
	switch now := f.clock.Now(); {
	case err == nil, concernsWindow(run, err):
		// That an older window is answered does not mend what newer ones meet.
		if !lastDate(run.Window).Before(feed.failing) {
			feed.circuit.succeed()
			feed.failing = market.DeliveryDate{}
		}
		feed.host.succeed()
	case errors.As(err, &fault):
		feed.circuit.fail(now)
		if last := lastDate(run.Window); feed.failing.Before(last) {
			feed.failing = last
		}
		if fault.RetryAfter > 0 {
			feed.circuit.rest(now.Add(fault.RetryAfter))
		}
		if fault.Connection {
			feed.host.fail(now)
		}
	}
}

// concernsWindow reports whether a fault lies in what was asked for: the source answered, and may well give other windows. It
// refused this one, or gave a document of a single date that cannot be read.
func concernsWindow(run store.Run, err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && fault.RetryAfter == 0 && (fault.Status == http.StatusBadRequest ||
		fault.Unreadable && (run.Outcome == store.OutcomePartial || len(run.Window.Dates()) == 1))
}

// blockedUntil is when the feed may run again, and false if none of its circuits is open.
func (feed *feed) blockedUntil() (time.Time, bool) {
	own, ownOpen := feed.circuit.openUntil()
	host, hostOpen := feed.host.openUntil()
	if hostOpen && host.After(own) {
		return host, true
	}
	return own, ownOpen || hostOpen
}

// lastDate is the newest delivery date of a window.
func lastDate(window market.Period) market.DeliveryDate {
	return market.DeliveryDateOf(window.To().Add(-time.Second))
}
