package auth

import (
	"context"
	"time"

	"courant/store"
	"courant/store/market"
)

const (
	noteRetentionDays  = 400
	tokenRetentionDays = 90

	// maxGap is the longest time between two prunings over which the clock is trusted, and how long expired rows are retained:
	// a clock that jumps ahead by less deletes nothing that is still valid.
	maxGap = 7 * 24 * time.Hour
	// minSteady is how long the clock must have been trusted before rows are deleted by age.
	minSteady = 7 * 24 * time.Hour
)

// Prune deletes old rows of accounts: sessions, links, tokens, audit entries and counts of requests. Rows above a limit of their
// number are always deleted, expired rows only while the clock can be trusted. It cannot be trusted while clockWrong is true, nor
// for a week of regular prunings after it was set back or jumped ahead by more than a week between two of them. skipped reports
// that nothing was deleted by age for that reason.
func (a *Auth) Prune(ctx context.Context, clockWrong bool) (skipped bool, err error) {
	if err := a.store.PruneToLimits(ctx); err != nil || clockWrong {
		return clockWrong, err
	}
	now := a.clock.Now()
	since, err := a.store.RecordPruning(ctx, now, maxGap)
	if err != nil || now.Sub(since) < minSteady {
		return true, err
	}
	return false, a.store.PruneExpired(ctx, store.PruneCutoffs{
		SessionsExpired:    now.Add(-maxGap),
		SessionsIdle:       now.Add(-maxGap - sessionIdle),
		LinksExpired:       now.Add(-maxGap),
		TokensEnded:        now.AddDate(0, 0, -tokenRetentionDays),
		SurplusTokensEnded: now.Add(-maxGap),
		AuditBefore:        now.AddDate(0, 0, -noteRetentionDays),
		UsesBefore:         market.DeliveryDateOf(now).Add(1 - UsageDays),
	})
}
