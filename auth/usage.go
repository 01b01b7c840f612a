package auth

import (
	"context"
	"maps"
	"sync"
	"time"

	"courant/store"
	"courant/store/market"
)

const (
	writeUsesEvery = time.Minute
	lastWrite      = 5 * time.Second // how long Close may take to write down what is left
	// CountedDays is for how many days, today included, the requests of a token are counted.
	CountedDays = 30
)

// uses is what was used and not written down yet. It holds no more than there are tokens and sessions.
type uses struct {
	mu       sync.Mutex
	tokens   map[tokenDay]store.TokenUse
	sessions map[string]time.Time // by the hash of the id
}

type tokenDay struct {
	id  int64
	day market.DeliveryDate
}

func newUses() *uses {
	return &uses{tokens: map[tokenDay]store.TokenUse{}, sessions: map[string]time.Time{}}
}

// token counts a request.
func (u *uses) token(id int64, now time.Time) {
	key := tokenDay{id, market.DeliveryDateOf(now)}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tokens[key] = store.TokenUse{TokenID: id, Day: key.day, Requests: u.tokens[key].Requests + 1, Last: now}
}

// session notes a request of a session that was seen last at a time, if that is good until now; it tells if it is.
func (u *uses) session(hash string, seen, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.isUsed(hash, seen, now) {
		return false
	}
	u.sessions[hash] = now
	return true
}

// isUsed says whether a session that was seen last at a time was used recently enough to be good. The lock is held.
func (u *uses) isUsed(hash string, seen, now time.Time) bool {
	return now.Before(u.lastSeen(hash, seen).Add(sessionIdle))
}

// lastSeen is the later of when a session was seen and what was written down of it. The lock is held.
func (u *uses) lastSeen(hash string, written time.Time) time.Time {
	if seen := u.sessions[hash]; seen.After(written) {
		return seen
	}
	return written
}

// Start begins to write down what is used, once a minute, until Close.
func (a *Auth) Start() {
	a.working.Go(func() {
		ticker := a.clock.NewTicker(writeUsesEvery)
		defer ticker.Stop()
		for {
			select {
			case <-a.stopped.Done():
				return
			case <-ticker.Chan():
			}
			if err := a.keepBooks(a.stopped); err != nil && a.stopped.Err() == nil {
				a.log.Error("uses of tokens and sessions not written", "error", err.Error())
			}
		}
	})
}

// Close ends what Start began and writes down what is left.
func (a *Auth) Close() error {
	a.stop()
	a.working.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), lastWrite)
	defer cancel()
	return a.writeUses(ctx)
}

func (a *Auth) keepBooks(ctx context.Context) error {
	if err := a.writeUses(ctx); err != nil {
		return err
	}
	for _, tried := range []interface{ dropOld(now time.Time) }{
		a.signInsFromOne, a.signInsTo, a.failures, a.requestsOfOrigin, a.linksOfAccount, a.strangers.recent, a.known.recent,
	} {
		tried.dropOld(a.clock.Now())
	}
	return nil
}

// writeUses writes down what was used. What could not be written stays for the next time.
func (a *Auth) writeUses(ctx context.Context) error {
	a.uses.mu.Lock()
	tokens, sessions := a.uses.tokens, maps.Clone(a.uses.sessions)
	a.uses.tokens = map[tokenDay]store.TokenUse{}
	a.uses.mu.Unlock()
	if len(tokens)+len(sessions) == 0 {
		return nil
	}
	written := store.Uses{Sessions: sessions}
	for _, use := range tokens {
		written.Tokens = append(written.Tokens, use)
	}
	err := a.store.AddUses(ctx, written)
	if err == nil {
		// Until the directory tells it, what was used is known from here alone.
		err = a.Refresh(ctx)
		tokens = nil
	}
	a.uses.mu.Lock()
	defer a.uses.mu.Unlock()
	if err == nil {
		maps.DeleteFunc(a.uses.sessions, func(hash string, seen time.Time) bool { return seen.Equal(sessions[hash]) })
	}
	for key, use := range tokens {
		since := a.uses.tokens[key]
		use.Requests += since.Requests
		if since.Last.After(use.Last) {
			use.Last = since.Last
		}
		a.uses.tokens[key] = use
	}
	return err
}

// TokenUsed is how a token was used.
type TokenUsed struct {
	Last        time.Time // zero: never
	Today       int64     // requests on this day in Paris
	CountedDays int64     // requests on the last CountedDays days, today included
}

// TokensUsed tells how tokens were used, by the ID of the token.
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
	a.uses.mu.Lock()
	for _, token := range tokens {
		unwritten := a.uses.tokens[tokenDay{token.ID, today}]
		if unwritten.Last.Before(token.LastUsed) {
			unwritten.Last = token.LastUsed
		}
		counted = append(counted, store.TokenUse{TokenID: token.ID, Day: today, Requests: unwritten.Requests, Last: unwritten.Last})
	}
	a.uses.mu.Unlock()
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
