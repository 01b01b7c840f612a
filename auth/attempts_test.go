package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

// from returns the context of a caller from an address who is not signed in.
func from(t *testing.T, origin string) context.Context {
	return auth.WithActor(t.Context(), auth.Actor{Origin: origin})
}

// waits tries to sign in and returns how long the caller has to wait for the next attempt; 0 if this one was allowed.
func (f *fixture) waits(t *testing.T, email, password, origin string) time.Duration {
	t.Helper()
	_, err := f.SignIn(from(t, origin), email, password)
	var limited *auth.LimitedError
	switch {
	case errors.As(err, &limited):
		return limited.Wait
	case err != nil && !errors.Is(err, auth.ErrBadCredentials):
		t.Fatal(err)
	}
	return 0
}

func TestTenAttemptsPerQuarterHourWithOrWithoutAnAccount(t *testing.T) {
	t.Parallel()
	for _, email := range []string{member, "nobody@example.org", "no address"} {
		t.Run(email, func(t *testing.T) {
			f := open(t)
			const wrong = "not the password"
			for i := range 10 {
				if wait := f.waits(t, email, wrong, "192.0.2.1"); wait != 0 {
					t.Fatalf("attempt %d has to wait for %s", i+1, wait)
				}
				f.clock.Advance(time.Minute)
			}
			for _, password := range []string{wrong, password} {
				if wait := f.waits(t, " "+email, password, "192.0.2.1"); wait != 5*time.Minute {
					t.Errorf("one more has to wait for %s, want 5m", wait)
				}
			}
			if wait := f.waits(t, email, wrong, "192.0.2.2"); wait != 0 {
				t.Errorf("from elsewhere: %s", wait)
			}
			if wait := f.waits(t, admin, wrong, "192.0.2.1"); wait != 0 {
				t.Errorf("for another account: %s", wait)
			}
			f.clock.Advance(5 * time.Minute)
			if wait := f.waits(t, email, wrong, "192.0.2.1"); wait != 0 {
				t.Errorf("5 minutes later: %s", wait)
			}
			if wait := f.waits(t, email, wrong, "192.0.2.1"); wait != time.Minute {
				t.Errorf("and once more: %s, want 1m", wait)
			}
		})
	}
}

func TestAHundredAttemptsAnHourOnOneAccountFromAnywhere(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i := range 100 {
		if wait := f.waits(t, "nobody@example.org", "not the password", fmt.Sprintf("192.0.2.%d", i)); wait != 0 {
			t.Fatalf("attempt %d has to wait for %s", i+1, wait)
		}
	}
	if wait := f.waits(t, "nobody@example.org", "not the password", "198.51.100.1"); wait != time.Hour {
		t.Errorf("one more has to wait for %s, want 1h", wait)
	}
}

func TestSignInsWithTheRightPasswordAreNotLimited(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i := range 30 {
		for range 3 {
			if wait := f.waits(t, member, "not the password", "192.0.2.1"); wait != 0 {
				t.Fatalf("round %d has to wait for %s", i+1, wait)
			}
		}
		if wait := f.waits(t, member, password, "192.0.2.1"); wait != 0 {
			t.Fatalf("round %d has to wait for %s", i+1, wait)
		}
	}
}

func TestAnIPv6NetworkIsOneOrigin(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i := range 10 {
		f.waits(t, member, "not the password", fmt.Sprintf("2001:db8::%d", i))
	}
	for origin, want := range map[string]time.Duration{"2001:db8::ffff:1": 15 * time.Minute, "2001:db8:0:1::1": 0, "::ffff:192.0.2.1": 0} {
		if wait := f.waits(t, member, "not the password", origin); wait != want {
			t.Errorf("from %s: %s, want %s", origin, wait, want)
		}
	}
}

func TestACancelledAttemptIsNotCounted(t *testing.T) {
	t.Parallel()
	f := open(t)
	for range 20 {
		ctx, cancel := context.WithCancel(from(t, "192.0.2.1"))
		cancel()
		if _, err := f.SignIn(ctx, member, password); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if from, to := f.AttemptKeys(); from != 0 || to != 0 {
		t.Errorf("%d and %d keys are stored", from, to)
	}
}

func TestAttemptsAreForgottenInTheBackground(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.waits(t, member, "not the password", "192.0.2.1")
	for _, step := range []struct {
		advance  time.Duration
		from, to int
	}{{15*time.Minute - 1, 1, 1}, {1, 0, 1}, {45 * time.Minute, 0, 0}} {
		f.clock.Advance(step.advance)
		must(t, f.Maintain(t.Context()))
		if from, to := f.AttemptKeys(); from != step.from || to != step.to {
			t.Errorf("after %s %d and %d keys are stored, want %d and %d", f.clock.Since(noon), from, to, step.from, step.to)
		}
	}
}

func TestTheMemoryOfAttemptsIsBounded(t *testing.T) {
	t.Parallel()
	f := open(t)
	if kept := f.FillAttempts(auth.MaxAttemptKeys + 1000); kept != auth.MaxAttemptKeys {
		t.Errorf("%d keys are stored, want %d", kept, auth.MaxAttemptKeys)
	}
}

func TestAFloodOfInventedOriginsDoesNotMakeOthersForgotten(t *testing.T) {
	t.Parallel()
	if limited, counted := auth.KnownAfterFlood(); limited != 1000 || counted != 1000 {
		t.Errorf("of 1000 origins with two requests %d are limited and %d counted", limited, counted)
	}
}

// events returns the audit log, oldest entry first.
func (f *fixture) events(t *testing.T) []store.Note {
	t.Helper()
	notes, more, err := f.Notes(t.Context(), 0)
	if err != nil || more {
		t.Fatal(more, err)
	}
	var told []store.Note
	for i := len(notes) - 1; i >= 0; i-- {
		told = append(told, notes[i])
	}
	return told
}

func TestTheAuditLogRecordsActorEventSubjectAndOrigin(t *testing.T) {
	f := open(t)
	ctx := auth.WithActor(t.Context(), auth.Actor{Email: admin, Origin: "192.0.2.1"})
	token, err := f.CreateToken(ctx, member, "night script", market.DeliveryDate{})
	must(t, err)
	must(t, f.RevokeToken(ctx, token[:12]))
	must(t, f.Subscribe(ctx, member, "reserves", date(t, "2026-07-20")))
	must(t, f.Unsubscribe(ctx, member))
	_, err = f.Disable(ctx, member)
	must(t, err)
	must(t, f.Enable(ctx, member))
	_, err = f.Invite(ctx, "carl@example.org", false)
	must(t, err)
	for range 12 {
		f.waits(t, member, "not the password", "192.0.2.2")
	}
	f.waits(t, "my secret password", "typed in the wrong field", "192.0.2.2")
	r := request(t, nil).WithContext(from(t, "192.0.2.3"))
	must(t, f.BeginSession(httptest.NewRecorder(), r, f.account(t, member)))

	var got []string
	for _, note := range f.events(t) {
		if !note.At.Equal(noon) {
			t.Errorf("%s at %v", note.Event, note.At)
		}
		got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s", note.Event, note.Actor, note.Subject, note.Detail, note.Origin))
	}
	want := []string{
		"user_added|command line|anne@example.org|member|",
		"user_added|command line|boris@example.org|administrator|",
		"token_created|boris@example.org|anne@example.org|" + token[:12] + " night script|192.0.2.1",
		"token_revoked|boris@example.org|" + token[:12] + "||192.0.2.1",
		"subscription_set|boris@example.org|anne@example.org|reserves, 2026-07-20|192.0.2.1",
		"subscription_ended|boris@example.org|anne@example.org|reserves|192.0.2.1",
		"user_disabled|boris@example.org|anne@example.org||192.0.2.1",
		"user_enabled|boris@example.org|anne@example.org||192.0.2.1",
		"user_invited|boris@example.org|carl@example.org|member|192.0.2.1",
		"password_link_made|boris@example.org|carl@example.org||192.0.2.1",
	}
	for range 10 {
		want = append(want, "sign_in_refused||anne@example.org||192.0.2.2")
	}
	want = append(want,
		"sign_in_limited||anne@example.org||192.0.2.2", // once
		"sign_in_refused||||192.0.2.2",
		"signed_in|anne@example.org|anne@example.org||192.0.2.3",
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}
