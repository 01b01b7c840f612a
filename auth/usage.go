package auth

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"courant/store"
	"courant/store/market"
)

const (
	// CountedDays is the number of days, today included, over which the page of tokens adds up their usage.
	CountedDays = 30
	// UsageDays is the number of days, today included, for which the usage of a token is stored.
	UsageDays = 400
	// openDays is for how many days, today included, answers that began on a day still count for it.
	openDays = 7
)

// usage is the usage of tokens and sessions that is not stored yet. It has at most one entry per token and day, and per session.
type usage struct {
	mu       sync.Mutex
	tokens   map[tokenDay]*Use
	sessions map[string]time.Time // last request, by the hash of the session id
}

type tokenDay struct {
	id  int64
	day market.DeliveryDate
}

// Use counts what a token has been used for on a day and is not stored yet. A nil Use, that of a session, counts nothing.
type Use struct {
	requests, rows, bytes atomic.Int64
	last                  atomic.Int64 // the last request, Unix ms
}

// AddRows counts rows of answers.
func (u *Use) AddRows(n int) {
	if u != nil {
		u.rows.Add(int64(n))
	}
}

// AddBytes counts bytes of the bodies of answers, as they are sent.
func (u *Use) AddBytes(n int) {
	if u != nil {
		u.bytes.Add(int64(n))
	}
}

func newUsage() *usage {
	return &usage{tokens: map[tokenDay]*Use{}, sessions: map[string]time.Time{}}
}

// countToken counts a request with a token, and returns what counts its answer.
func (u *usage) countToken(id int64, now time.Time) *Use {
	key := tokenDay{id, market.DeliveryDateOf(now)}
	u.mu.Lock()
	use := u.tokens[key]
	if use == nil {
		use = &Use{}
		u.tokens[key] = use
	}
	u.mu.Unlock()
	use.requests.Add(1)
	use.last.Store(now.UnixMilli())
	return use
}

// takeTokens returns the usage of tokens since the last call, and forgets days whose answers have ended.
func (u *usage) takeTokens(today market.DeliveryDate) []store.TokenUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	var taken []store.TokenUse
	for key, use := range u.tokens {
		part := store.TokenUse{
			TokenID: key.id, Day: key.day, Requests: use.requests.Swap(0), Rows: use.rows.Swap(0), Bytes: use.bytes.Swap(0),
			Last: time.UnixMilli(use.last.Load()),
		}
		if part.Requests != 0 || part.Rows != 0 || part.Bytes != 0 {
			taken = append(taken, part)
		} else if key.day.Before(today.Add(1 - openDays)) {
			delete(u.tokens, key)
		}
	}
	return taken
}

// putBack counts again what could not be stored.
func (u *usage) putBack(taken []store.TokenUse) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, part := range taken {
		key := tokenDay{part.TokenID, part.Day}
		use := u.tokens[key]
		if use == nil {
			use = &Use{}
			u.tokens[key] = use
			use.last.Store(part.Last.UnixMilli())
		}
		use.requests.Add(part.Requests)
		use.rows.Add(part.Rows)
		use.bytes.Add(part.Bytes)
	}
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
	tokens := a.usage.takeTokens(market.DeliveryDateOf(a.clock.Now()))
	a.usage.mu.Lock()
	sessions := maps.Clone(a.usage.sessions)
	a.usage.mu.Unlock()
	if len(tokens)+len(sessions) == 0 {
		return nil
	}
	err := a.store.AddUses(ctx, store.Uses{Tokens: tokens, Sessions: sessions})
	if err != nil {
		a.usage.putBack(tokens)
		return err
	}
	// The sessions stay in memory until a directory has read their new times.
	if err := a.Refresh(ctx); err != nil {
		return err
	}
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	maps.DeleteFunc(a.usage.sessions, func(hash string, seen time.Time) bool { return seen.Equal(sessions[hash]) })
	return nil
}

// TokenUsed is the usage of a token.
type TokenUsed struct {
	Last        time.Time        // the last request; zero: never used
	Today       int64            // requests today, in Paris
	CountedDays int64            // requests in the last CountedDays days, today included
	Days        []store.TokenUse // days with any use of the last CountedDays, the newest first
}

// TokensUsed returns the usage of tokens by their ID.
func (a *Auth) TokensUsed(ctx context.Context, tokens []store.Token) (map[int64]TokenUsed, error) {
	today := market.DeliveryDateOf(a.clock.Now())
	var ids []int64
	for _, token := range tokens {
		ids = append(ids, token.ID)
	}
	days, err := a.daysUsed(ctx, ids, today.Add(1-CountedDays))
	if err != nil {
		return nil, err
	}
	used := map[int64]TokenUsed{}
	for _, token := range tokens {
		sum := TokenUsed{Last: token.LastUsed, Days: days[token.ID]}
		for _, use := range sum.Days {
			sum.CountedDays += use.Requests
			if use.Day == today {
				sum.Today = use.Requests
			}
			if use.Last.After(sum.Last) {
				sum.Last = use.Last
			}
		}
		used[token.ID] = sum
	}
	return used, nil
}

// TokenDays returns the days with any use of a token of the last UsageDays, the newest first.
func (a *Auth) TokenDays(ctx context.Context, id int64) ([]store.TokenUse, error) {
	days, err := a.daysUsed(ctx, []int64{id}, market.DeliveryDateOf(a.clock.Now()).Add(1-UsageDays))
	return days[id], err
}

// daysUsed returns the days from a date on with any use of the tokens with the IDs, the newest first, stored or not. Last is set
// where the use is not stored.
func (a *Auth) daysUsed(ctx context.Context, ids []int64, from market.DeliveryDate) (map[int64][]store.TokenUse, error) {
	stored, err := a.store.TokenUses(ctx, ids, from)
	if err != nil {
		return nil, err
	}
	byDay := map[tokenDay]store.TokenUse{}
	for _, use := range stored {
		byDay[tokenDay{use.TokenID, use.Day}] = use
	}
	a.usage.mu.Lock()
	for key, use := range a.usage.tokens {
		if !slices.Contains(ids, key.id) || key.day.Before(from) {
			continue
		}
		sum := byDay[key]
		sum.TokenID, sum.Day = key.id, key.day
		sum.Requests += use.requests.Load()
		sum.Rows += use.rows.Load()
		sum.Bytes += use.bytes.Load()
		sum.Last = time.UnixMilli(use.last.Load()).UTC()
		byDay[key] = sum
	}
	a.usage.mu.Unlock()
	days := map[int64][]store.TokenUse{}
	for key, use := range byDay {
		days[key.id] = append(days[key.id], use)
	}
	for _, uses := range days {
		slices.SortFunc(uses, func(a, b store.TokenUse) int { return a.Day.DaysUntil(b.Day) })
	}
	return days, nil
}
