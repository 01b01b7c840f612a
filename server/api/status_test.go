package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// reporting sets the function that reports the state of the datasets.
func reporting(found func(context.Context) (report.Report, error)) func(*api.Options) {
	return func(o *api.Options) {
		o.Report = func(ctx context.Context, _ bool) (report.Report, error) { return found(ctx) }
	}
}

func TestTheStatusIsForAnyAccount(t *testing.T) {
	f := open(t, reporting(inState(report.StateOK)))
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	if w := f.ask(t, "GET", "/api/status", member); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"state":"ok"`) {
		t.Errorf("a member without subscription reads %d %s", w.Code, w.Body)
	}
	if w := f.ask(t, "GET", "/api/status"); w.Code != http.StatusUnauthorized {
		t.Errorf("a guest reads %d", w.Code)
	}
}

func TestOnlyAdministratorsSeeTextsOfASource(t *testing.T) {
	f := open(t, func(o *api.Options) {
		o.Report = func(_ context.Context, full bool) (report.Report, error) {
			says := "RTE refused"
			if full {
				says += ": in its own words"
			}
			return report.Report{Datasets: []report.Status{{Dataset: market.AFRREnergy, LastError: &says}}}, nil
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
	limited := f.token(t, f.account(t, "boris@example.org", store.Administrator), func(token *store.Token) { token.Datasets = "afrr-energy" })
	if w := f.ask(t, "GET", "/api/status", bearer(limited)); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "in its own words") {
		t.Errorf("by an administrator's token that is limited to a dataset: %d %s", w.Code, w.Body)
	}
}

func TestAStatusThatCannotBeReadIsAnInternalProblem(t *testing.T) {
	t.Parallel()
	f := open(t, reporting(func(context.Context) (report.Report, error) { return report.Report{}, errors.New("SELECT failed") }))
	w := f.ask(t, "GET", "/api/status", f.admin(t))
	if p := problemOf(t, w); p.Code != "internal" || strings.Contains(w.Body.String(), "SELECT") {
		t.Errorf("%+v", p)
	}
}
