package auth_test

import (
	"fmt"
	"testing"
	"time"

	"courant/auth"
	"courant/store/market"
)

const day = 24 * time.Hour

// prune prunes, and fails the test unless deleting by age is skipped as expected.
func (f *fixture) prune(t *testing.T, clockWrong, skipped bool) {
	t.Helper()
	got, err := f.Prune(t.Context(), clockWrong)
	must(t, err)
	if got != skipped {
		t.Errorf("at %v deleting by age is skipped: %t", f.clock.Now(), got)
	}
}

// steady prunes for a week, after which the clock is trusted.
func (f *fixture) steady(t *testing.T) {
	t.Helper()
	for range 7 {
		f.prune(t, false, true)
		f.clock.Advance(day)
	}
	f.prune(t, false, false)
}

func TestTheAuditLogKeepsFourHundredDays(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.clock.Advance(393 * day)
	f.steady(t)
	if got := len(f.events(t)); got != 2 {
		t.Errorf("after 400 days %d are kept, want 2", got)
	}
	f.clock.Advance(time.Millisecond)
	f.prune(t, false, false)
	if got := len(f.events(t)); got != 0 {
		t.Errorf("after that %d are kept", got)
	}
}

func TestAWrongClockDeletesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		ahead time.Duration
		known bool
	}{
		"far ahead":                        {500 * day, false},
		"known to be wrong":                {500 * day, true},
		"a little ahead, and no one knows": {6 * day, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.steady(t)
			cookie, token := begin(t, f.Auth, f.account(t, member), nil), f.token(t, member)
			secret, err := f.PasswordLink(t.Context(), member)
			must(t, err)
			notes := len(f.events(t))
			for range 3 {
				f.clock.Advance(test.ahead)
				f.prune(t, test.known, test.known || test.ahead > 7*day)
				f.clock.Advance(-test.ahead)
			}
			if got := len(f.events(t)); got != notes {
				t.Errorf("of %d entries of the audit log %d are left", notes, got)
			}
			f.checkSession(t, cookie, nil)
			if _, err := f.CheckToken(t.Context(), token); err != nil {
				t.Errorf("CheckToken = %v", err)
			}
			if email, err := f.Link(t.Context(), secret); err != nil || email != member {
				t.Errorf("Link = %q, %v", email, err)
			}
		})
	}
}

func TestNothingIsDeletedByAgeForAWeekAfterTheClockJumps(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.steady(t)
	f.clock.Advance(500 * day)
	f.steady(t)
	if got := len(f.events(t)); got != 0 {
		t.Errorf("%d lines are kept", got)
	}
}

func TestEndedTokensAreRetainedForNinetyDays(t *testing.T) {
	t.Parallel()
	f := open(t)
	over, err := f.CreateToken(t.Context(), member, "over", date(t, "2026-07-15"))
	must(t, err)
	revoked, good := f.token(t, member), f.token(t, member)
	f.clock.Advance(10 * time.Hour) // the end of the day in Paris
	must(t, f.RevokeToken(t.Context(), revoked[:12]))
	f.clock.Advance(83*day - time.Millisecond)
	f.steady(t)
	for token, want := range map[string]error{over: auth.ErrTokenExpired, revoked: auth.ErrTokenRevoked, good: nil} {
		if _, err := f.CheckToken(t.Context(), token); err != want {
			t.Errorf("before 90 days: %v, want %v", err, want)
		}
	}
	f.clock.Advance(time.Millisecond)
	f.prune(t, false, false)
	for token, want := range map[string]error{over: auth.ErrTokenInvalid, revoked: auth.ErrTokenInvalid, good: nil} {
		if _, err := f.CheckToken(t.Context(), token); err != want {
			t.Errorf("after 90 days: %v, want %v", err, want)
		}
	}
}

func TestAnAccountCannotFillTheAuditLog(t *testing.T) {
	f := open(t)
	ctx := auth.WithActor(t.Context(), auth.Actor{Email: member, Origin: "192.0.2.1"})
	identity := auth.Identity{AccountID: f.account(t, member).ID, Email: member}
	for i := range 130 {
		_, err := f.CreateToken(ctx, member, fmt.Sprint(i), market.DeliveryDate{})
		must(t, err)
		tokens, _, err := f.OwnTokens(t.Context(), identity, whole)
		must(t, err)
		must(t, f.RevokeOwnToken(ctx, identity, tokens[0].ID))
	}
	byEvent, more := map[string]int{}, map[string]int64{}
	notes, err := f.store.Notes(t.Context(), 0, 1000)
	must(t, err)
	for _, note := range notes {
		byEvent[note.Event]++
		more[note.Event] += note.More
	}
	for _, event := range []string{"token_created", "token_revoked"} {
		if byEvent[event] != 100 || more[event] != 30 {
			t.Errorf("%s: %d lines and %d more, want 100 and 30", event, byEvent[event], more[event])
		}
	}
	// Every change by an administrator to others is logged.
	ctx = auth.WithActor(t.Context(), auth.Actor{Email: admin})
	for range 101 {
		must(t, f.Enable(ctx, member))
	}
	notes, err = f.store.Notes(t.Context(), 0, 101)
	must(t, err)
	for _, note := range notes {
		if note.Event != "user_enabled" || note.More != 0 {
			t.Errorf("the line %+v", note)
		}
	}
}
