package store_test

import (
	"bytes"
	"database/sql"
	"encoding/gob"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// do runs statements on the database of a store.
func do(t *testing.T, s *store.Store, statement string, args ...any) {
	t.Helper()
	if _, err := s.WriterPool().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

const (
	manySessions = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO session SELECT printf('%05d', i), account.id, x'00', 1000 * i, 9e15 FROM n, account WHERE email = 'anne@example.org'`
	manyRevoked = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		INSERT INTO token (account_id, name, prefix, hash, datasets, created_ms, revoked_ms)
		SELECT account.id, 'script', printf('crt_%08d', i), CAST(printf('%d', i) AS BLOB), '', i, 1 FROM n, account WHERE email = 'anne@example.org'`
	manyLinks = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		INSERT INTO link SELECT CAST(printf('%d', i) AS BLOB), account.id, 9e12 + i FROM n, account WHERE email = 'anne@example.org'`
)

func TestWhatExceedsTheLimitsOfAnAccountIsDeleted(t *testing.T) {
	s := openWithAccounts(t)
	do(t, s, manySessions)
	do(t, s, manyRevoked)
	do(t, s, manyLinks)
	do(t, s, "INSERT INTO token_use (token_id, day, requests) SELECT id, '2026-07-15', 1 FROM token")
	do(t, s, "INSERT INTO session SELECT 'boris', id, x'00', 0, 1 FROM account WHERE email = 'boris@example.org'")
	do(t, s, "INSERT INTO link VALUES (x'00', NULL, 1)")
	do(t, s, "INSERT INTO token (account_id, name, prefix, hash, datasets, created_ms, expires_ms) SELECT id, 'over', 'crt_over0000', CAST(email AS BLOB), '', 1, 1 FROM account")
	if err := s.PruneToLimits(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT count(*), min(hash) FROM session WHERE hash <> 'boris'":                           "100|19901",
		"SELECT count(*) FROM session WHERE hash = 'boris'":                                       "1",
		"SELECT count(*), min(prefix) FROM token WHERE revoked_ms IS NOT NULL":                    "1000|crt_00004001",
		"SELECT count(*) FROM token WHERE prefix = 'crt_over0000'":                                "2",
		"SELECT count(*) FROM token_use":                                                          "1000",
		"SELECT count(*), min(expires_ms) - 9000000000000 FROM link WHERE account_id IS NOT NULL": "5|4996",
		"SELECT count(*) FROM link WHERE account_id IS NULL":                                      "1",
	} {
		if got := ask(t, s.ReaderPool(), query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestExpiredRowsAreDeleted(t *testing.T) {
	s := openWithAccounts(t)
	ctx, now := t.Context(), accountsMorning.Add(48*time.Hour)
	anne := accountOf(t, s, "anne@example.org")
	for hash, session := range map[string]store.Session{
		"over":  {Seen: now, Expires: now},
		"idle":  {Seen: now.Add(-12 * time.Hour), Expires: now.Add(time.Hour)},
		"alive": {Seen: now.Add(time.Millisecond - 12*time.Hour), Expires: now.Add(time.Millisecond)},
	} {
		session.Hash, session.AccountID, session.Data = hash, anne.ID, []byte("data")
		if err := s.PutSession(ctx, store.Note{}, session); err != nil {
			t.Fatal(err)
		}
	}
	for hash, expires := range map[string]time.Time{"over": now, "good": now.Add(time.Millisecond)} {
		if err := s.AddLink(ctx, store.Note{}, store.Link{Hash: []byte(hash), Email: "anne@example.org", Expires: expires}); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, expires := range map[string]time.Time{"crt_over": now, "crt_good": now.Add(time.Millisecond), "crt_ever": {}, "crt_revoked": {}} {
		token := store.Token{Name: "script", Prefix: prefix, Hash: []byte(prefix), Created: accountsMorning, Expires: expires, Account: anne}
		if err := s.AddToken(ctx, store.Note{}, token); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RevokeToken(ctx, store.Note{}, "crt_revoked", now); err != nil {
		t.Fatal(err)
	}
	do(t, s, "INSERT INTO token_use (token_id, day, requests) SELECT id, '2026-07-16', 1 FROM token")
	do(t, s, "INSERT INTO token_use (token_id, day, requests) SELECT id, '2026-07-17', 1 FROM token")
	for subject, at := range map[string]time.Time{"old": now.Add(-time.Millisecond), "new": now} {
		if err := s.AddNote(ctx, store.Note{At: at, Event: "test", Subject: subject}); err != nil {
			t.Fatal(err)
		}
	}
	stale := store.PruneCutoffs{SessionsExpired: now, SessionsIdle: now.Add(-12 * time.Hour), LinksExpired: now, TokensEnded: now, SurplusTokensEnded: now, AuditBefore: now,
		UsesBefore: market.DeliveryDateOf(now)}
	if err := s.PruneExpired(ctx, stale); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT hash FROM session":                 "alive",
		"SELECT CAST(hash AS TEXT) FROM link":      "good",
		"SELECT prefix FROM token ORDER BY prefix": "crt_ever\ncrt_good",
		"SELECT count(*), min(day) FROM token_use": "2|2026-07-17",
		"SELECT subject FROM audit":                "new",
	} {
		if got := ask(t, s.ReaderPool(), query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestOfTokensThatHaveEndedTheNewestThousandAreKept(t *testing.T) {
	s := openWithAccounts(t)
	do(t, s, manyRevoked)
	do(t, s, "UPDATE token SET revoked_ms = NULL, expires_ms = 1 WHERE id % 2")
	if err := s.PruneExpired(t.Context(), store.PruneCutoffs{TokensEnded: time.UnixMilli(0), SurplusTokensEnded: time.UnixMilli(1), AuditBefore: time.UnixMilli(0), UsesBefore: date("2026-01-01")}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*), min(prefix) FROM token"); got != "1000|crt_00004001" {
		t.Errorf("%s are kept", got)
	}
}

func TestALimitHoldsUnderConcurrentAdds(t *testing.T) {
	s := openWithAccounts(t)
	anne := accountOf(t, s, "anne@example.org")
	var adding sync.WaitGroup
	var mu sync.Mutex
	added, refused := 0, 0
	for worker := range 8 {
		adding.Go(func() {
			for i := range 15 {
				name := fmt.Sprintf("%d.%d", worker, i)
				err := s.AddToken(t.Context(), store.Note{}, store.Token{Name: name, Prefix: name, Hash: []byte(name), Created: accountsMorning, Account: anne})
				mu.Lock()
				switch {
				case err == nil:
					added++
				case errors.Is(err, store.ErrFull):
					refused++
				default:
					t.Error(err)
				}
				mu.Unlock()
				session := store.Session{Hash: name, AccountID: anne.ID, Data: []byte("data"), Seen: accountsMorning, Expires: accountsMorning.Add(time.Hour)}
				if err := s.PutSession(t.Context(), store.Note{}, session); err != nil {
					t.Error(err)
				}
				if err := s.AddLink(t.Context(), store.Note{}, store.Link{Hash: []byte(name), Email: anne.Email, Expires: accountsMorning}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	adding.Wait()
	if added != store.MostTokens || refused != 120-store.MostTokens {
		t.Errorf("%d tokens are added and %d refused", added, refused)
	}
	want := fmt.Sprintf("%d|%d|%d", store.MostTokens, store.MostSessions, store.MostLinks)
	if got := ask(t, s.ReaderPool(), "SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM session), (SELECT count(*) FROM link)"); got != want {
		t.Errorf("there are %s tokens, sessions and links, want %s", got, want)
	}
}

func TestTheSessionThatWasNotUsedForLongestGivesWayToANewOne(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	anne := accountOf(t, s, "anne@example.org")
	for i := range store.MostSessions {
		seen := accountsMorning.Add(time.Duration(i) * time.Minute)
		if i == 0 {
			seen = accountsMorning.Add(24 * time.Hour)
		}
		session := store.Session{Hash: fmt.Sprintf("%03d", i), AccountID: anne.ID, Data: []byte("data"), Seen: seen, Expires: accountsMorning.Add(48 * time.Hour)}
		if err := s.PutSession(t.Context(), store.Note{}, session); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, "new") // by a clock that was set back
	kept := sessionsOf(t, s)
	for hash, want := range map[string]bool{"000": true, "001": false, "002": true, "new": true} {
		if _, is := kept[hash]; is != want {
			t.Errorf("session %s is kept: %t", hash, is)
		}
	}
}

func TestRevokedTokensOfAnAccountDoNotPileUp(t *testing.T) {
	s := openWithAccounts(t)
	do(t, s, manyRevoked)
	anne := accountOf(t, s, "anne@example.org")
	for i := range 3 { // each change takes a part away
		name := fmt.Sprintf("crt_new%05d", i)
		if err := s.AddToken(t.Context(), store.Note{}, store.Token{Name: name, Prefix: name, Hash: []byte(name), Created: accountsMorning, Account: anne}); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*), count(revoked_ms) FROM token"); got != "1003|1000" {
		t.Errorf("%s tokens", got)
	}
}

func TestTheNotesOfOneEventByOneActorOnOneDayAreLimited(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	note := func(at time.Time, event, actor string) {
		t.Helper()
		if err := s.AddNote(t.Context(), store.Note{At: at, Event: event, Actor: actor, Subject: actor, MostADay: 3}); err != nil {
			t.Fatal(err)
		}
	}
	end := market.DeliveryDateOf(accountsMorning).End()
	for i := range 10 {
		note(accountsMorning.Add(time.Duration(i)*time.Second), "signed_in", "anne")
	}
	note(accountsMorning, "signed_out", "anne")
	note(accountsMorning, "signed_in", "boris")
	note(end.Add(-time.Millisecond), "signed_in", "anne")
	note(end, "signed_in", "anne")
	notes, err := s.Notes(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range notes {
		got = append(got, fmt.Sprintf("%s %s %d", n.Actor, n.Event, n.More))
	}
	want := "anne signed_in 0, boris signed_in 0, anne signed_out 0, anne signed_in 8, anne signed_in 0, anne signed_in 0"
	if strings.Join(got, ", ") != want {
		t.Errorf("the notes are %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestPruningWithoutAGapIsRecorded(t *testing.T) {
	t.Parallel()
	s := openWithAccounts(t)
	const day = 24 * time.Hour
	at := accountsMorning
	for _, step := range []struct {
		later, unbroken time.Duration
	}{
		{0, 0}, {day, day}, {7 * day, 8 * day},
		{7*day + 1e6, 0}, // a gap
		{day, day},
		{-1e6, 0}, // set back
		{0, 0}, {day, day},
	} {
		at = at.Add(step.later)
		since, err := s.RecordPruning(t.Context(), at, 7*day)
		if err != nil || at.Sub(since) != step.unbroken {
			t.Errorf("%v later: unbroken for %v, %v; want %v", step.later, at.Sub(since), err, step.unbroken)
		}
	}
}

// sessionData are those of a session as scs encodes them.
func sessionData(t *testing.T, values map[string]any) []byte {
	t.Helper()
	var buffer bytes.Buffer
	err := gob.NewEncoder(&buffer).Encode(struct {
		Deadline time.Time
		Values   map[string]any
	}{accountsMorning, values})
	if err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestSessionsOfAnEarlierSchemaStayOpenWithTheirAccount(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 13, "INSERT INTO account VALUES (7, 'anne@example.org', '', 'member', 0, 1, NULL)"); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	add := func(hash string, data []byte, seen int) {
		t.Helper()
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO session VALUES (?, ?, ?, 9000)", hash, data, seen); err != nil {
			t.Fatal(err)
		}
	}
	annes := sessionData(t, map[string]any{"account": int64(7), "epoch": int64(3), "browser": "Firefox"})
	for i := range store.MostSessions + 1 {
		add(fmt.Sprintf("%03d", i), annes, i)
	}
	add("of nobody", sessionData(t, map[string]any{"account": int64(8)}), 1)
	add("without account", sessionData(t, nil), 1)
	add("unreadable", []byte("no gob"), 1)
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	sessions, err := s.SessionsOf(t.Context(), 7)
	if err != nil || len(sessions) != store.MostSessions || !bytes.Equal(sessions[0].Data, annes) || sessions[0].Expires.UnixMilli() != 9000 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
	if got := ask(t, s.ReaderPool(), "SELECT count(*), min(hash), max(seen_ms) FROM session"); got != "100|001|100" {
		t.Errorf("%s sessions in all", got)
	}
}
