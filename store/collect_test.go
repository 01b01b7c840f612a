package store_test

import (
	"strings"
	"testing"

	"courant/store"
)

func TestAFailedReadNamesItsOperationWhereverItFails(t *testing.T) {
	for name, statements := range map[string]string{
		"the query": "DROP TABLE feed_state",
		"a scan": `DROP TABLE feed_state; CREATE TABLE feed_state (feed, next_run_ms, open_until_ms);
			INSERT INTO feed_state VALUES ('prices', 'tomorrow', NULL)`,
		"a row after the first": `DROP TABLE feed_state; CREATE VIEW feed_state AS
			SELECT value AS feed, 0 AS next_run_ms, iif(value = 2, json('no' || value), 0) AS open_until_ms FROM json_each('[1, 2]')`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t)
			if _, err := s.WriterPool().ExecContext(t.Context(), statements); err != nil {
				t.Fatal(err)
			}
			if _, err := s.FeedStates(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "store: feed states: ") {
				t.Errorf("FeedStates = %v", err)
			}
		})
	}
}

func TestAFailedChangeNamesItsOperation(t *testing.T) {
	s := openWithAccounts(t)
	ctx, note, now := t.Context(), store.Note{}, accountsMorning
	for _, table := range []string{"account", "session", "token", "link", "subscription", "fetch", "feed_state", "feed_under_way"} {
		if _, err := s.WriterPool().ExecContext(ctx, "ALTER TABLE "+table+" RENAME TO former_"+table); err != nil {
			t.Fatal(err)
		}
	}
	_, beginErr := s.BeginFetch(ctx, "prices", date("2026-07-14"), date("2026-07-14"), now)
	_, killsErr := s.CountKills(ctx)
	for operation, err := range map[string]error{
		"add account":          s.AddAccount(ctx, note, store.Account{Email: "mik@example.org", Role: store.Member, Created: now}),
		"set password":         s.SetPassword(ctx, note, "anne@example.org", "hash"),
		"disable account":      s.DisableAccount(ctx, note, "anne@example.org", now),
		"enable account":       s.EnableAccount(ctx, note, "anne@example.org"),
		"set subscription":     s.SetSubscription(ctx, note, "anne@example.org", store.Subscription{Offer: "all", Start: now}),
		"end subscription":     s.EndSubscription(ctx, note, "anne@example.org"),
		"add token":            s.AddToken(ctx, note, store.Token{Created: now}),
		"revoke token":         s.RevokeToken(ctx, note, "crt_00000000", now),
		"add link":             s.AddLink(ctx, note, store.Link{Email: "anne@example.org", Expires: now}),
		"use link":             s.UseLink(ctx, note, []byte("hash"), "anne@example.org", "hash", now),
		"put session":          s.PutSession(ctx, note, store.Session{Hash: "hash", Seen: now, Expires: now}),
		"delete sessions":      s.DeleteSessions(ctx, note, "hash"),
		"add uses":             s.AddUses(ctx, store.Uses{Tokens: []store.TokenUse{{TokenID: 1, Day: date("2026-07-14")}}}),
		"delete expired":       s.PruneExpired(ctx, store.PruneCutoffs{}),
		"delete surplus":       s.PruneToLimits(ctx),
		"begin fetch":          beginErr,
		"end fetch":            s.EndFetch(ctx, 1),
		"state of feed prices": s.PutFeedState(ctx, "prices", store.FeedState{}),
		"clear feed states":    s.ClearFeedStates(ctx),
		"runs under way":       s.EndAllRuns(ctx),
		"killed runs":          killsErr,
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "store: "+operation+": ") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}
