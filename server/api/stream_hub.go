package api

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/events"
	"courant/store"
)

const (
	// streamPoll is how often the hub looks for commits of other processes, while there are listeners.
	streamPoll = 100 * time.Millisecond
	// streamRights is how often it checks whether listeners may still read what they are sent.
	streamRights = 200 * time.Millisecond
	// streamStates is how often it looks for datasets whose state has changed.
	streamStates = 5 * time.Second
	// preloaded is how many commits the hub reads when it begins: those that listeners have missed while the service was restarted.
	preloaded = 256
	// streamBytes and streamCommits are how much of the newest commits is in memory. A listener that falls behind more is let go.
	streamBytes   = 16 << 20
	streamCommits = 4096
	// takenAtOnce is how many commits a listener is given at once.
	takenAtOnce = 16
)

// streamHub reads each new commit once and gives its events to all listeners. It reads nothing while there are none.
type streamHub struct {
	store   *store.Store
	clock   clockwork.Clock
	log     *slog.Logger
	report  func(ctx context.Context, full bool) (report.Report, error)
	current func(context.Context, auth.Identity) (auth.Identity, error) // what a caller may read now
	events  eventWriter

	mostCommits, mostBytes int // in memory

	started  sync.Once
	run      func(func(ctx context.Context)) // runs a part of the hub until the server is closed
	wake     chan struct{}                   // has a value if there may be a new commit
	replays  chan struct{}                   // has a value for each listener that reads old commits
	opened   atomic.Uint64                   // listeners since the hub was made
	sent     atomic.Uint64                   // events
	dropped  atomic.Uint64                   // listeners that fell behind
	catching sync.Mutex                      // one reads new commits at a time

	mu        sync.Mutex
	ended     bool
	listeners map[*listener]struct{}
	commits   []*streamCommit
	first     int64 // number of the first of them; the others follow
	bytes     int
	after     store.Position // commits are all that came after it
	newest    store.Position // of the last of them; that of after if there is none
	begun     bool
	news      chan struct{} // closed when there is something new for listeners
	states    []stateEvent  // of each dataset the newest
	stateNo   int           // number of the newest change of a state
	reported  report.Report
}

// stateEvent is the newest change of the state of a dataset.
type stateEvent struct {
	streamEvent
	number int            // of the change; 0: it was so when the hub began
	at     store.Position // the newest commit then
}

func newStreamHub(o Options, run func(func(ctx context.Context))) *streamHub {
	return &streamHub{
		store: o.Store, clock: o.Clock, log: o.Log, report: o.Report, current: o.Auth.Current, events: eventWriter{o.Simulated}, run: run,
		mostCommits: streamCommits, mostBytes: streamBytes,
		wake: make(chan struct{}, 1), replays: make(chan struct{}, replaysAtOnce), listeners: map[*listener]struct{}{}, news: make(chan struct{}),
	}
}

// committed makes the hub look for new commits soon.
func (h *streamHub) committed() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// join adds a listener, and returns the position of the newest commit. What comes after it is sent to the listener, unless the listener
// asks for earlier commits too: then attach is called before.
func (h *streamHub) join(ctx context.Context, l *listener) (store.Position, error) {
	h.started.Do(func() {
		h.run(h.follow)
		h.run(h.watchStates)
	})
	if err := h.catchUp(ctx); err != nil {
		return 0, err
	}
	h.mu.Lock()
	isFirst := h.reported.Datasets == nil
	h.mu.Unlock()
	if isFirst {
		h.lookAtStates(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		l.end()
	}
	h.listeners[l] = struct{}{}
	l.next, l.seenStates = h.first+int64(len(h.commits)), h.stateNo
	if l.query.isReplay {
		l.next, l.seenStates, l.from = -1, -1, l.query.after
	}
	return h.newest, nil
}

func (h *streamHub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// attach lets a listener go on with the commits in memory, if these are all after a position. It returns a reset if the commits after
// it are not known.
func (h *streamHub) attach(l *listener, position store.Position) (isAttached bool, reset *streamCommit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if position > h.newest {
		l.next, l.from = h.first+int64(len(h.commits)), h.newest
		return true, h.events.reset(h.newest)
	}
	if position < h.after {
		return false, nil
	}
	n := len(h.commits)
	for n > 0 && h.commits[n-1].position > position {
		n--
	}
	l.next = h.first + int64(n)
	return true, nil
}

// read reads commits after a position from the database. If they are no longer listed, it returns a reset.
func (h *streamHub) read(ctx context.Context, after store.Position) ([]*streamCommit, error) {
	select {
	case h.replays <- struct{}{}:
		defer func() { <-h.replays }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	commits, err := h.readCommits(ctx, after, replayedDates)
	if errors.Is(err, store.ErrChangesPruned) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return []*streamCommit{h.events.reset(h.newest)}, nil
	}
	return commits, err
}

func (h *streamHub) readCommits(ctx context.Context, after store.Position, most int) ([]*streamCommit, error) {
	found, err := events.After(ctx, h.store, after, most)
	if err != nil {
		return nil, err
	}
	commits := make([]*streamCommit, len(found))
	for i, commit := range found {
		if commits[i], err = h.events.commit(commit); err != nil {
			return nil, err
		}
	}
	return commits, nil
}

// taken is what there is for a listener.
type taken struct {
	commits  []*streamCommit
	states   []streamEvent
	news     <-chan struct{} // closed when there is more
	isBehind bool            // commits that the listener was not sent are no longer in memory
}

// take returns what there is for a listener.
func (h *streamHub) take(l *listener) taken {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := taken{news: h.news, isBehind: l.next < h.first}
	if t.isBehind {
		return t
	}
	from := int(l.next - h.first)
	t.commits = h.commits[from:min(len(h.commits), from+takenAtOnce)]
	l.next += int64(len(t.commits))
	for _, state := range h.states {
		if state.number > l.seenStates && state.at >= l.from {
			t.states = append(t.states, state.streamEvent)
		}
	}
	l.seenStates = h.stateNo
	return t
}

// follow reads new commits and ends listeners that may no longer read, until ctx ends.
func (h *streamHub) follow(ctx context.Context) {
	poll := h.clock.NewTicker(streamPoll)
	defer poll.Stop()
	defer h.stop()
	checked := h.clock.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.Chan():
		case <-h.wake:
		}
		if h.count() == 0 {
			continue
		}
		if err := h.catchUp(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("commits not read for the stream", "error", err.Error())
		}
		if now := h.clock.Now(); now.Sub(checked).Abs() >= streamRights {
			checked = now
			h.checkRights(ctx)
		}
	}
}

// count returns how many listeners there are.
func (h *streamHub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}

// stop ends all listeners, those that come later too.
func (h *streamHub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for l := range h.listeners {
		l.end()
	}
}

// catchUp reads the commits that are new.
func (h *streamHub) catchUp(ctx context.Context) error {
	h.catching.Lock()
	defer h.catching.Unlock()
	newest, err := h.store.NewestPosition(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	known, isFar := h.newest, !h.begun || len(h.listeners) == 0 && newest-h.newest > preloaded
	h.mu.Unlock()
	if isFar {
		if known, err = h.begin(ctx, newest); err != nil {
			return err
		}
	}
	for known < newest {
		commits, err := h.readCommits(ctx, known, replayedDates)
		if errors.Is(err, store.ErrChangesPruned) {
			if known, err = h.begin(ctx, newest); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if len(commits) == 0 {
			return nil
		}
		known = commits[len(commits)-1].position
		h.publish(commits)
	}
	return nil
}

// begin forgets the commits in memory, and returns the position after which they are read again.
func (h *streamHub) begin(ctx context.Context, newest store.Position) (store.Position, error) {
	listed, err := h.store.FirstListed(ctx)
	if err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.first += int64(len(h.commits)) + 1 // the listeners that there are have missed commits
	h.commits, h.bytes, h.begun = nil, 0, true
	h.after = max(listed, newest-preloaded)
	h.newest = h.after
	return h.after, nil
}

// publish adds commits for the listeners, and forgets the oldest if there are too many.
func (h *streamHub) publish(commits []*streamCommit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, commit := range commits {
		h.commits = append(h.commits, commit)
		h.bytes += commit.size
		h.newest = commit.position
	}
	forgotten := 0
	for len(h.commits)-forgotten > 1 && (h.bytes > h.mostBytes || len(h.commits)-forgotten > h.mostCommits) {
		h.bytes -= h.commits[forgotten].size
		h.after = h.commits[forgotten].position
		forgotten++
	}
	h.commits, h.first = h.commits[forgotten:], h.first+int64(forgotten)
	h.announce()
}

// announce wakes the listeners. The caller holds the lock.
func (h *streamHub) announce() {
	close(h.news)
	h.news = make(chan struct{})
}

// checkRights ends the listeners that may no longer read all of their datasets, or that may read others if they listen to all that they
// may read, and those that have listened for longestStream.
func (h *streamHub) checkRights(ctx context.Context) {
	h.mu.Lock()
	listeners := slices.Collect(maps.Keys(h.listeners))
	h.mu.Unlock()
	type caller struct {
		token   int64
		session string
	}
	known := map[caller]auth.Identity{}
	for _, l := range listeners {
		key := caller{l.identity.TokenID, l.identity.Session()}
		identity, isKnown := known[key]
		if !isKnown {
			var err error
			if identity, err = h.current(ctx, l.identity); err != nil {
				l.end()
				continue
			}
			known[key] = identity
		}
		allowed, err := l.query.allowed(identity)
		if err != nil || maskOf(allowed) != l.mask || h.clock.Now().Sub(l.began) >= longestStream {
			l.end()
		}
	}
}

// watchStates looks for datasets whose state has changed, until ctx ends.
func (h *streamHub) watchStates(ctx context.Context) {
	ticker := h.clock.NewTicker(streamStates)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.Chan():
		}
		if h.count() > 0 {
			h.lookAtStates(ctx)
		}
	}
}

// lookAtStates compares the states of the datasets with what they were.
func (h *streamHub) lookAtStates(ctx context.Context) {
	found, err := h.report(ctx, false)
	if err != nil {
		if ctx.Err() == nil {
			h.log.Error("states not read for the stream", "error", err.Error())
		}
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	changes := events.StateChanges(h.reported, found)
	isFirst := h.reported.Datasets == nil
	h.reported = found
	if len(changes) == 0 {
		return
	}
	if !isFirst {
		h.stateNo++
	}
	for _, change := range changes {
		event := h.events.status(change)
		h.states = slices.DeleteFunc(h.states, func(s stateEvent) bool { return s.dataset == event.dataset })
		h.states = append(h.states, stateEvent{event, h.stateNo, h.newest})
	}
	h.announce()
}
