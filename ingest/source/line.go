package source

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Line is a queue of calls to a host: one call runs at a time, and none starts sooner than an interval after the one
// before. Calls run in the order in which they arrived. With a nil Line no call waits.
type Line struct {
	clock    clockwork.Clock
	interval time.Duration
	turn     chan struct{} // has an element while a call runs
	started  time.Time     // of the newest call; guarded by turn
}

// NewLine makes an empty line.
func NewLine(clock clockwork.Clock, interval time.Duration) *Line {
	return &Line{clock: clock, interval: interval, turn: make(chan struct{}, 1)}
}

// enter waits until the call may run. leave ends its turn. The error is the context's.
func (l *Line) enter(ctx context.Context) error {
	if l == nil {
		return nil
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	wait := l.interval - l.clock.Since(l.started)
	if wait <= 0 {
		return nil
	}
	select {
	case <-l.clock.After(wait):
		return nil
	case <-ctx.Done():
		l.leave()
		return ctx.Err()
	}
}

// start notes that the request is sent now: preparing it may have taken a while.
func (l *Line) start() {
	if l != nil {
		l.started = l.clock.Now()
	}
}

func (l *Line) leave() {
	if l != nil {
		<-l.turn
	}
}

// Lines returns the line for the calls of a resource, given the address of its source. It is called once for each resource.
type Lines func(address string) *Line

// To returns the line of a resource of the source at the address; nil Lines return nil.
func (l Lines) To(address string) *Line {
	if l == nil {
		return nil
	}
	return l(address)
}

// OneLineEachHost makes all resources of a host share a line.
func OneLineEachHost(clock clockwork.Clock, interval time.Duration) Lines {
	var mu sync.Mutex
	lines := map[string]*Line{}
	return func(address string) *Line {
		mu.Lock()
		defer mu.Unlock()
		host := hostOf(address)
		if lines[host] == nil {
			lines[host] = NewLine(clock, interval)
		}
		return lines[host]
	}
}

// OneLineEachResource gives each resource a line of its own, so that one that hangs does not delay the others.
func OneLineEachResource(clock clockwork.Clock, interval time.Duration) Lines {
	return func(string) *Line { return NewLine(clock, interval) }
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Host)
}
