package ingest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// failuresToOpen is how many failed runs in a row open a circuit.
const failuresToOpen = 5

// openFor is how long a circuit stays open before a run tries again, the first time, the second time and so on.
var openFor = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

// circuit is a circuit breaker: it stops the calls to a resource that keeps failing, or that asked for a pause. Its zero
// value is closed, and lets all calls pass.
type circuit struct {
	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

// openUntil returns when a run may try again, and false if the circuit is closed.
func (c *circuit) openUntil() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until, c.failures >= failuresToOpen
}

// fail counts a failed run. One that ends while the circuit is open had begun before, and is not counted.
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

// open opens the circuit until an instant, because the source asked for a pause.
func (c *circuit) open(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = max(c.failures, failuresToOpen)
	if until.After(c.until) {
		c.until = until
	}
}

// isLong reports whether a run has failed after each of the waits, including the longest.
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

// judge updates a feed's circuits after a run. The circuit that the feeds of a source share counts faults of the
// connection only; an error that is not the source's fault changes neither.
func (f *Feeds) judge(feed *feed, run store.Run, err error) {
	var fault *source.Fault
	feed.setTrouble(err)
	switch now := f.clock.Now(); {
	case err == nil, concernsWindow(run, err):
		// An older window that is answered does not show that newer ones would be.
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
			feed.circuit.open(now.Add(fault.RetryAfter))
		}
		if fault.Connection {
			feed.host.fail(now)
		}
	}
}

// setTrouble records what a person can mend of the fault of a run. An error that is not the source's fault changes nothing.
func (feed *feed) setTrouble(err error) {
	var fault *source.Fault
	if err != nil && !errors.As(err, &fault) {
		return
	}
	feed.mu.Lock()
	defer feed.mu.Unlock()
	switch {
	case errors.Is(err, source.ErrCredentials):
		feed.trouble = report.TroubleCredentials
	case fault != nil && fault.Connection:
		feed.trouble = report.TroubleConnection
	default:
		feed.trouble = ""
	}
}

// concernsWindow reports whether an error is about this window only, so that other windows may succeed: the source refused
// it, or its document of a single date cannot be read.
func concernsWindow(run store.Run, err error) bool {
	var fault *source.Fault
	return errors.As(err, &fault) && fault.RetryAfter == 0 && (fault.Status == http.StatusBadRequest ||
		fault.Unreadable && (run.Outcome == store.OutcomePartial || len(run.Window.Dates()) == 1))
}

// blockedUntil returns when the feed may run again, and false if none of its circuits is open.
func (feed *feed) blockedUntil() (time.Time, bool) {
	own, ownOpen := feed.circuit.openUntil()
	host, hostOpen := feed.host.openUntil()
	if hostOpen && host.After(own) {
		return host, true
	}
	return own, ownOpen || hostOpen
}

// lastDate returns the newest delivery date of a window.
func lastDate(window market.Period) market.DeliveryDate {
	return market.DeliveryDateOf(window.To().Add(-time.Second))
}
