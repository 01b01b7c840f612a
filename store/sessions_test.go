package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

// put stores sessions with these hashes, which expire in an hour.
func put(t *testing.T, s *store.Store, hashes ...string) {
	t.Helper()
	for _, hash := range hashes {
		session := store.Session{Hash: hash, AccountID: accountOf(t, s, "anne@example.org").ID, Data: []byte("data of " + hash), Seen: accountsMorning, Expires: accountsMorning.Add(time.Hour)}
		if err := s.PutSession(t.Context(), store.Note{}, session); err != nil {
			t.Fatal(err)
		}
	}
}

// sessionsOf returns the hashes of the stored sessions.
func sessionsOf(t *testing.T, s *store.Store) map[string]store.Session {
	t.Helper()
	sessions, err := s.SessionsOf(t.Context(), accountOf(t, s, "anne@example.org").ID)
	if err != nil {
		t.Fatal(err)
	}
	byHash := map[string]store.Session{}
	for _, session := range sessions {
		byHash[session.Hash] = session
	}
	return byHash
}

func hashesOf(t *testing.T, s *store.Store) string {
	t.Helper()
	var hashes []string
	for hash := range sessionsOf(t, s) {
		hashes = append(hashes, hash)
	}
	slices.Sort(hashes)
	return strings.Join(hashes, " ")
}

func TestASessionComesBackAsItWasPutLast(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	put(t, s, "one")
	want := store.Session{Hash: "one", AccountID: accountOf(t, s, "anne@example.org").ID, Data: []byte("other"), Seen: accountsMorning.Add(time.Minute), Expires: accountsMorning.Add(2 * time.Hour)}
	if err := s.PutSession(t.Context(), store.Note{}, want); err != nil {
		t.Fatal(err)
	}
	got := sessionsOf(t, s)["one"]
	if string(got.Data) != "other" || !got.Seen.Equal(want.Seen) || !got.Expires.Equal(want.Expires) {
		t.Errorf("SessionsOf has %+v, want %+v", got, want)
	}
}

func TestDeletedSessionsAreGone(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	put(t, s, "one", "two", "three")
	for range 2 { // the second time they are not there
		if err := s.DeleteSessions(t.Context(), store.Note{}, "one", "three"); err != nil {
			t.Fatal(err)
		}
	}
	if got := hashesOf(t, s); got != "two" {
		t.Errorf("%q are kept, want two", got)
	}
}

func TestUsesAreAddedUp(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	ctx, anne := t.Context(), accountOf(t, s, "anne@example.org")
	put(t, s, "one")
	if err := s.AddToken(ctx, store.Note{}, store.Token{Name: "script", Prefix: "crt_00000000", Hash: []byte("hash"), Created: accountsMorning, Account: anne}); err != nil {
		t.Fatal(err)
	}
	id, day := onlyToken(t, s).ID, market.DeliveryDateOf(accountsMorning)
	add := func(day market.DeliveryDate, requests int64, at time.Time) {
		t.Helper()
		uses := store.Uses{
			Tokens:   []store.TokenUse{{TokenID: id, Day: day, Requests: requests, Rows: 10 * requests, Bytes: 100 * requests, Last: at}, {TokenID: id + 1, Day: day, Requests: 1, Last: at}},
			Sessions: map[string]time.Time{"one": at, "gone": at},
		}
		if err := s.AddUses(ctx, uses); err != nil {
			t.Fatal(err)
		}
	}
	add(day, 3, accountsMorning.Add(2*time.Minute))
	add(day, 4, accountsMorning.Add(time.Minute)) // told late
	add(day.Add(-1), 5, accountsMorning)
	used, err := s.TokenUses(ctx, []int64{id, id + 1}, day)
	if want := (store.TokenUse{TokenID: id, Day: day, Requests: 7, Rows: 70, Bytes: 700}); err != nil || len(used) != 1 || used[0] != want {
		t.Errorf("TokenUses = %+v, %v; want %+v", used, err, want)
	}
	if got := onlyToken(t, s).LastUsed; !got.Equal(accountsMorning.Add(2 * time.Minute)) {
		t.Errorf("last used at %v", got)
	}
	if got := sessionsOf(t, s); len(got) != 1 || !got["one"].Seen.Equal(accountsMorning.Add(2*time.Minute)) {
		t.Errorf("SessionsOf = %+v, want one, seen last", got)
	}
}
