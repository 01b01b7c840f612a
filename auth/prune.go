package auth

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
)

const (
	keepNotesDays  = 400
	keepTokensDays = 90

	// longestGap is how far apart two sweeps may be for the time between them to be believed, and for how long what has
	// ended stays: a clock that jumps less than that ahead deletes nothing that is still good.
	longestGap = 7 * 24 * time.Hour
	// steadyFor is for how long sweeps must have followed each other like that before one deletes by age.
	steadyFor = 7 * 24 * time.Hour
)

// Sweep deletes what accounts leave behind: what is beyond its number always, what is old only while the clock can be
// believed. It cannot be while clockWrong is true, nor after it has jumped by more than a week between two sweeps, or was
// set back, until the sweeps of a week have followed each other. held says that nothing was deleted by age for that.
func (a *Auth) Sweep(ctx context.Context, clockWrong bool) (held bool, err error) {
	if err := a.store.Trim(ctx); err != nil || clockWrong {
		return clockWrong, err
	}
	now := a.clock.Now()
	since, err := a.store.Sweeping(ctx, now, longestGap)
	if err != nil || now.Sub(since) < steadyFor {
		return true, err
	}
	return false, a.store.Forget(ctx, store.Stale{
		SessionsOver: now.Add(-longestGap),
		SessionsIdle: now.Add(-longestGap - sessionIdle),
		LinksOver:    now.Add(-longestGap),
		TokensOver:   now.AddDate(0, 0, -keepTokensDays),
		TokensEnded:  now.Add(-longestGap),
		NotesBefore:  now.AddDate(0, 0, -keepNotesDays),
		UsesBefore:   market.DeliveryDateOf(now).Add(1 - CountedDays),
	})
}
