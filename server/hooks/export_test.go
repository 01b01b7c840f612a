package hooks

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"time"

	"courant/store"
)

// Step judges the commits that are new, and makes the attempts that are due.
func (s *Service) Step(ctx context.Context) error {
	err := errors.Join(s.judgeCommits(ctx), s.sendDue(ctx, s.Clock.Now()))
	s.working.Wait()
	return err
}

// Send makes the next attempt of each hook, of as many as may be served at once.
func (s *Service) Send(ctx context.Context, hooks []store.DueHook) {
	s.send(ctx, hooks)
	s.working.Wait()
}

// DueAt is what is due at an instant.
func DueAt(now time.Time) store.Due { return due(now) }

// Judge judges the commits that are new, without sending anything.
func (s *Service) Judge(ctx context.Context) error { return s.judgeCommits(ctx) }

// JudgeStates judges the states of the datasets.
func (s *Service) JudgeStates(ctx context.Context) error { return s.judgeStates(ctx) }

// SetAttemptTime sets how long a receiver may take.
func (s *Service) SetAttemptTime(d time.Duration) {
	s.attemptTime = d
	s.connect()
}

var errWouldConnect = errors.New("the address was accepted, and nothing is connected")

// Dial checks the addresses of connections as always, reports those that are accepted, and connects to none of these.
func (s *Service) Dial(accepted func(address string)) {
	s.control = func(allowPrivate, isPlain bool) controller {
		check := control(allowPrivate, isPlain)
		return func(network, address string, conn syscall.RawConn) error {
			if err := check(network, address, conn); err != nil {
				return err
			}
			accepted(address)
			return errWouldConnect
		}
	}
	s.connect()
}

// IsGlobal reports whether an address is globally reachable.
func IsGlobal(addr netip.Addr) bool { return isGlobal(addr) }
