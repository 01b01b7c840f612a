package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

// unfailing is told of no error.
func unfailing(t *testing.T) func(error) {
	return func(err error) { t.Errorf("reported: %v", err) }
}

func TestWatchNoticesACommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	other := open(t, path)
	seen := make(chan int64)
	s.Watch(time.Millisecond, func() error {
		versions, err := s.Versions(t.Context())
		await.Send(t, seen, versions[market.AFRREnergy])
		return err
	}, func(error) {})
	waitFor := func(version int64) {
		t.Helper()
		for await.Value(t, seen) != version {
		}
	}
	waitFor(0)
	for n, writer := range []*store.Store{s, other, other, s} {
		commit(t, writer, runAt(n, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: int64(n)}}))
		waitFor(int64(n + 1))
	}
	// Also one that closes.
	commit(t, other, runAt(9, market.AFRREnergy), market.Batch{})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(5)
}

func TestWatchCallsAgainAfterAnErrorAndReportsTheFirst(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	calls, reports := make(chan int), make(chan error, 10)
	n := 0
	s.Watch(time.Millisecond, func() error {
		n++
		await.Send(t, calls, n)
		if n < 4 {
			return errors.New("not now")
		}
		return nil
	}, func(err error) { reports <- err })
	for want := 1; want <= 4; want++ {
		if got := await.Value(t, calls); got != want {
			t.Errorf("call %d, want %d", got, want)
		}
	}
	// Only the next commit makes another one.
	commit(t, s, runAt(0, market.AFRREnergy), market.Batch{})
	if got := await.Value(t, calls); got != 5 {
		t.Errorf("call %d, want 5", got)
	}
	if err := await.Value(t, reports); err.Error() != "not now" {
		t.Errorf("reported: %v", err)
	}
	if more := len(reports); more > 0 {
		t.Errorf("%d more reports within a minute", more)
	}
}

func TestWatchReportsThatItCannotRead(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	reports := make(chan error, 10)
	s.Watch(time.Millisecond, func() error { return nil }, func(err error) { reports <- err })
	if err := s.BreakWatch(); err != nil {
		t.Fatal(err)
	}
	if err := await.Value(t, reports); !strings.HasPrefix(err.Error(), "store: watch: ") {
		t.Errorf("reported: %v", err)
	}
}

func TestWatchIsQuietWhenNothingIsCommitted(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	var calls atomic.Int64
	s.Watch(time.Nanosecond, func() error { calls.Add(1); return nil }, unfailing(t))
	// The other watcher fails for ever: its calls are the clock.
	ticks := make(chan struct{})
	s.Watch(time.Nanosecond, func() error {
		await.Send(t, ticks, struct{}{})
		return errors.New("again")
	}, func(error) {})
	for calls.Load() == 0 {
		await.Value(t, ticks)
	}
	for range 200 {
		await.Value(t, ticks)
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
	t.Parallel()
	s := openNew(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	var left atomic.Bool
	s.Watch(time.Millisecond, func() error {
		close(entered)
		<-leave
		left.Store(true)
		return nil
	}, unfailing(t))
	await.Value(t, entered)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	close(leave)
	if err := await.Value(t, closed); err != nil {
		t.Error(err)
	}
	if !left.Load() {
		t.Error("the store was closed while its watcher was still at work")
	}
	s.Watch(time.Millisecond, func() error { t.Error("called after the end"); return nil }, unfailing(t))
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
