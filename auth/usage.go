package auth

import (
	"context"
	"maps"
	"sync"
	"time"

	"courant/store"
	"courant/store/market"
)

// CountedDays is the number of days, today included, over which the requests of a token are counted.
const CountedDays = 30

// usage is the usage of tokens and sessions that is not stored yet. It has at most one entry per token and day, and per session.
type usage struct {
	mu       sync.Mutex
	tokens   map[tokenDay]store.TokenUse
	sessions map[string]time.Time // last request, by the hash of the session id
}

type tokenDay struct {
	id  int64
	day market.DeliveryDate
}

func newUsage() *usage {
	return &usage{tokens: map[tokenDay]store.TokenUse{}, sessions: map[string]time.Time{}}
}

// countToken counts a request with a token.
func (u *usage) countToken(id int64, now time.Time) {
	key := tokenDay{id, market.DeliveryDateOf(now)}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tokens[key] = store.TokenUse{TokenID: id, Day: key.day, Requests: u.tokens[key].Requests + 1, Last: now}
}

// touchSession records a request of a session unless the session has idled out, and reports whether it had not. stored is the
// last request in the database.
func (u *usage) touchSession(hash string, stored, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.isActive(hash, stored, now) {
		return false
	}
	u.sessions[hash] = now
	return true
}

// isActive reports whether a session has not idled out. The caller holds the lock.
func (u *usage) isActive(hash string, stored, now time.Time) bool {
	return now.Before(u.lastSeen(hash, stored).Add(sessionIdle))
}

// lastSeen returns the time of a session's last request. The caller holds the lock.
func (u *usage) lastSeen(hash string, stored time.Time) time.Time {
	if seen := u.sessions[hash]; seen.After(stored) {
		return seen
	}
	return stored
}

// storeUsage writes the usage to the database. If that fails, it is kept for the next time.
func (a *Auth) storeUsage(ctx context.Context) error {
	a.usage.mu.Lock()
	tokens, sessions := a.usage.tokens, maps.Clone(a.usage.sessions)
	a.usage.tokens = map[tokenDay]store.TokenUse{}
	a.usage.mu.Unlock()
	if len(tokens)+len(sessions) == 0 {
		return nil
	}
	uses := store.Uses{Sessions: sessions}
	for _, use := range tokens {
		uses.Tokens = append(uses.Tokens, use)
	}
	err := a.store.AddUses(ctx, uses)
	if err == nil {
		// The sessions stay in memory until a directory has read their new times.
		err = a.Refresh(ctx)
		tokens = nil
	}
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	if err == nil {
		maps.DeleteFunc(a.usage.sessions, func(hash string, seen time.Time) bool { return seen.Equal(sessions[hash]) })
	}
	for key, use := range tokens {
		later := a.usage.tokens[key]
		use.Requests += later.Requests
		if later.Last.After(use.Last) {
			use.Last = later.Last
		}
		a.usage.tokens[key] = use
	}
	return err
}

// TokenUsed is the usage of a token.
type TokenUsed struct {
	Last        time.Time // the last request; zero: never used
	Today       int64     // requests today, in Paris
	CountedDays int64     // requests in the last CountedDays days, today included
}

// TokensUsed returns the usage of tokens by their ID.
func (a *Auth) TokensUsed(ctx context.Context, tokens []store.Token) (map[int64]TokenUsed, error) {
	today := market.DeliveryDateOf(a.clock.Now())
	var ids []int64
	for _, token := range tokens {
		ids = append(ids, token.ID)
	}
	counted, err := a.store.TokenUses(ctx, ids, today.Add(1-CountedDays))
	if err != nil {
		return nil, err
	}
	a.usage.mu.Lock()
	for _, token := range tokens {
		unstored := a.usage.tokens[tokenDay{token.ID, today}]
		if unstored.Last.Before(token.LastUsed) {
			unstored.Last = token.LastUsed
		}
		counted = append(counted, store.TokenUse{TokenID: token.ID, Day: today, Requests: unstored.Requests, Last: unstored.Last})
	}
	a.usage.mu.Unlock()
	used := map[int64]TokenUsed{}
	for _, use := range counted {
		sum := used[use.TokenID]
		sum.CountedDays += use.Requests
		if use.Day == today {
			sum.Today += use.Requests
		}
		if use.Last.After(sum.Last) {
			sum.Last = use.Last
		}
		used[use.TokenID] = sum
	}
	return used, nil
}
