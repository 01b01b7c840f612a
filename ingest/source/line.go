package source

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Line is the queue in which calls to a host wait: one is under way at a time, and none starts sooner than an interval
// after the one before. They are let through in the order in which they came. A nil Line makes nobody wait.
type Line struct {
	clock    clockwork.Clock
	interval time.Duration
	turn     chan struct{} // holds what is under way
	started  time.Time     // of the newest call; belongs to whoever has the turn
}

// NewLine makes a line in which nobody waits yet.
func NewLine(clock clockwork.Clock, interval time.Duration) *Line {
	return &Line{clock: clock, interval: interval, turn: make(chan struct{}, 1)}
}

// enter waits for a turn, which ends with leave. The error is the context's.
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

// start says that the call whose turn it is goes out now: making it ready may have taken a while.
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

// Lines gives each resource the line in which its calls wait; it is asked once for each, with the source's address.
type Lines func(address string) *Line

// To is the line of a resource of the source at the address; nil Lines give none.
func (l Lines) To(address string) *Line {
	if l == nil {
		return nil
	}
	return l(address)
}

// OneLineEachHost lets all resources of a host wait in the same line.
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

// OneLineEachResource lets each resource wait for itself only, so that one that hangs holds up no other.
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
