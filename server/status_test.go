package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"courant/server"
	"courant/store"
)

// reporting has the server report what the function says.
func reporting(report func(context.Context) (any, error)) func(*server.Options) {
	return func(o *server.Options) {
		o.Report = func(ctx context.Context, _ bool) (any, error) { return report(ctx) }
	}
}

func TestTheStatusIsForAnyAccount(t *testing.T) {
	f := open(t, reporting(func(context.Context) (any, error) { return map[string]string{"state": "ok"}, nil }))
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	if w := f.ask(t, "GET", "/api/status", member); w.Code != http.StatusOK || w.Body.String() != `{"state":"ok"}` {
		t.Errorf("a member without subscription reads %d %s", w.Code, w.Body)
	}
	if w := f.ask(t, "GET", "/api/status"); w.Code != http.StatusUnauthorized {
		t.Errorf("a guest reads %d", w.Code)
	}
}

func TestOnlyAdministratorsAreToldWhatASourceWrote(t *testing.T) {
	f := open(t, func(o *server.Options) {
		o.Report = func(_ context.Context, full bool) (any, error) {
			says := "RTE refused"
			if full {
				says += ": in its own words"
			}
			return map[string]any{"datasets": []map[string]any{{"dataset": store.AFRREnergy, "last_error": says}}}, nil
		}
	})
	f.refresh(t)
	for role, isTold := range map[store.Role]bool{store.Administrator: true, store.Member: false} {
		session := carrying(f.session(t, f.account(t, "anne"+string(role)+"@example.org", role)))
		for _, path := range []string{"/api/status", "/etat", "/", "/energie"} {
			body := f.ask(t, "GET", path, session).Body.String()
			if strings.Contains(body, "in its own words") != (isTold && (path == "/api/status" || path == "/etat")) {
				t.Errorf("%s, asked for by a %s: %s", path, role, body)
			}
		}
	}
}

func TestAStatusThatCannotBeToldIsAnInternalProblem(t *testing.T) {
	f := open(t, reporting(func(context.Context) (any, error) { return nil, errors.New("SELECT failed") }))
	w := f.ask(t, "GET", "/api/status", f.admin(t))
	if p := problemOf(t, w); p.Code != "internal" || strings.Contains(w.Body.String(), "SELECT") {
		t.Errorf("%+v", p)
	}
}

func TestRevisionsAreNamedAndScaledAsTheirEndpointDoes(t *testing.T) {
	f := open(t)
	admin := f.admin(t)
	start := store.NewDeliveryDate(2026, time.July, 14).Start().Unix()
	batch := func(v float64, flag bool) store.Batch {
		return store.Batch{
			Prices: []store.Price{{Start: start, Resolution: store.PT15M, Price: store.Num(v)}},
			Capacity: []store.CapacityStep{{Dataset: store.AFRRCapacity, Start: start, Direction: store.Upward, TimeHorizon: "DAILY", Product: "STD",
				OfferedMW: store.Num(200), ContractedMW: store.Num(100), Price: store.Num(v / 4)}},
			AFRR: []store.AFRRStep{{Start: start, DemandMW: store.Num(v), ProrataMode: store.Flag{V: flag, Valid: true}}},
			MFRR: []store.MFRRStep{{Start: start, Direction: store.Downward, ActivatedVolumeSAMW: store.Num(v)}},
		}
	}
	f.commit(t, batch(1.5, false))
	f.clock.Advance(time.Hour)
	f.commit(t, batch(2.25, true))
	for path, want := range map[string]string{
		"day-ahead-prices": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"PT15M","column":"price_eur_mwh","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}]}`,
		"afrr-capacity":    `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"UPWARD/DAILY/STD","column":"price","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}]}`,
		"fcr-capacity":     `{"revisions":[]}`,
		"afrr-energy": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"","column":"pdemand_mw","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"},` +
			`{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"","column":"prorata_mode","old":false,"new":true,"seen_at":"2026-07-15T13:00:00.000Z"}]}`,
		"mfrr-energy": `{"revisions":[{"period_start_utc":"2026-07-13T22:00:00.000Z","series":"DOWNWARD","column":"total_activated_volume_sa_mw","old":1.5,"new":2.25,"seen_at":"2026-07-15T13:00:00.000Z"}]}`,
	} {
		if w := f.ask(t, "GET", "/api/revisions/"+path+"?from=2026-07-14&to=2026-07-14", admin); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", path, w.Code, w.Body, want)
		}
	}
	if w := f.ask(t, "GET", "/api/revisions/day-ahead-prices?from=2026-07-15&to=2026-07-16", admin); w.Body.String() != `{"revisions":[]}` {
		t.Errorf("of other dates: %s", w.Body)
	}
}

func TestRevisionsThatAreRefused(t *testing.T) {
	f := open(t)
	admin := f.admin(t)
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	for name, row := range map[string]struct {
		path   string
		who    func(*http.Request)
		status int
		code   string
	}{
		"no dates":                      {"day-ahead-prices", admin, 400, "invalid_parameter"},
		"one date":                      {"day-ahead-prices?from=2026-07-14", admin, 400, "invalid_parameter"},
		"a date that is none":           {"day-ahead-prices?from=2026-02-30&to=2026-07-14", admin, 400, "invalid_parameter"},
		"dates out of order":            {"day-ahead-prices?from=2026-07-15&to=2026-07-14", admin, 400, "invalid_parameter"},
		"more than a year":              {"day-ahead-prices?from=2025-01-01&to=2026-07-14", admin, 400, "invalid_parameter"},
		"no such dataset":               {"weather?from=2026-07-14&to=2026-07-14", admin, 404, "not_found"},
		"a member without subscription": {"afrr-energy?from=2026-07-14&to=2026-07-14", member, 401, "subscription_required"},
		"a guest":                       {"afrr-energy?from=2026-07-14&to=2026-07-14", func(*http.Request) {}, 401, "unauthenticated"},
	} {
		if p := problemOf(t, f.ask(t, "GET", "/api/revisions/"+row.path, row.who)); p.Status != row.status || p.Code != row.code {
			t.Errorf("%s: %+v, want %d %s", name, p, row.status, row.code)
		}
	}
}
