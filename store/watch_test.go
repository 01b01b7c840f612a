package store_test

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"courant/store"
)

func TestWatchNoticesACommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "courant.db")
	s := open(t, path)
	other := open(t, path)
	seen := make(chan int64)
	s.Watch(time.Millisecond, func() error {
		versions, err := s.Versions(t.Context())
		select {
		case seen <- versions[store.AFRREnergy]:
		case <-t.Context().Done():
		}
		return err
	})
	defer s.Close()
	waitFor := func(version int64) {
		t.Helper()
		for got := range seen {
			if got == version {
				return
			}
		}
	}
	waitFor(0)
	for n, writer := range []*store.Store{s, other, other, s} {
		commit(t, writer, runAt(n, store.AFRREnergy), store.Batch{AFRR: []store.AFRRStep{{Start: int64(n)}}})
		waitFor(int64(n + 1))
	}
	// Also one that closes.
	commit(t, other, runAt(9, store.AFRREnergy), store.Batch{})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(5)
}

func TestWatchCallsAgainAfterAnError(t *testing.T) {
	s := openNew(t)
	calls := make(chan int)
	n := 0
	s.Watch(time.Millisecond, func() error {
		n++
		calls <- n
		if n < 4 {
			return errors.New("not now")
		}
		return nil
	})
	for want := 1; want <= 4; want++ {
		if got := <-calls; got != want {
			t.Errorf("call %d, want %d", got, want)
		}
	}
	// Only the next commit makes another one.
	commit(t, s, runAt(0, store.AFRREnergy), store.Batch{})
	if got := <-calls; got != 5 {
		t.Errorf("call %d, want 5", got)
	}
}

func TestWatchIsQuietWhenNothingIsCommitted(t *testing.T) {
	s := openNew(t)
	var calls atomic.Int64
	s.Watch(time.Nanosecond, func() error { calls.Add(1); return nil })
	// The other watcher fails for ever: its calls are the clock.
	ticks := make(chan struct{})
	s.Watch(time.Nanosecond, func() error {
		select {
		case ticks <- struct{}{}:
		case <-t.Context().Done():
		}
		return errors.New("again")
	})
	for calls.Load() == 0 {
		<-ticks
	}
	for range 200 {
		<-ticks
	}
	go func() {
		for range ticks {
		}
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	close(ticks)
	if got := calls.Load(); got != 1 {
		t.Errorf("%d calls though nothing was committed, want the first alone", got)
	}
}

func TestCloseWaitsForTheWatchers(t *testing.T) {
	s := openNew(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	var left atomic.Bool
	s.Watch(time.Millisecond, func() error {
		close(entered)
		<-leave
		left.Store(true)
		return nil
	})
	<-entered
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	close(leave)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if !left.Load() {
		t.Error("the store was closed while its watcher was still at work")
	}
	s.Watch(time.Millisecond, func() error { t.Error("called after the end"); return nil })
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
