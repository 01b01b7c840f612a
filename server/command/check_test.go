package command

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestAnApplicationWithoutTheExchangesIsWarnedOf(t *testing.T) {
	for _, row := range []struct {
		name  string
		err   error
		warns bool
		says  string
	}{
		{"they answer", nil, false, "ok the credentials are good, Wholesale Market answers"},
		{"there is no subscription", &source.Fault{Source: "RTE", Call: "france_power_exchanges", Status: 403, Message: "subscribe it on RTE's data portal"}, true,
			"ok RTE: france_power_exchanges: status 403: subscribe it on RTE's data portal, or nothing stands in for ENTSO-E's prices"},
		{"the credentials are refused", &source.Fault{Source: "RTE", Call: "token", Status: 401, Message: "they are refused", Cause: source.ErrCredentials}, false,
			"FAIL RTE: token: status 401: they are refused: check rte.client_id and rte.client_secret"},
		{"nobody answers", errors.New("no answer in time"), false, "FAIL no answer in time"},
	} {
		if v := exchangeResult(row.err); v.warns != row.warns || textOf(v) != row.says {
			t.Errorf("%s: %q, warns %t", row.name, textOf(v), v.warns)
		}
	}
}

func TestAddressesOfOneFormAreListed(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "courant.db")
	for _, step := range []struct {
		add   string // as an earlier version stored it
		warns bool
		want  string
	}{
		{"anne@m\u00fcnchen.example", false, "no two have the same address"},
		{"anne@xn--mnchen-3ya.example", true, "anne@m\u00fcnchen.example and anne@xn--mnchen-3ya.example: end all but one of them with courant user disable EMAIL"},
	} {
		db, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(db.AddAccount(t.Context(), store.Note{}, store.Account{Email: step.add, Role: store.Member, Created: time.UnixMilli(1)}), db.Close())
		if err != nil {
			t.Fatal(err)
		}
		v := checkAddresses(t.Context(), path, clockwork.NewFakeClock())
		if v.err != nil || v.warns != step.warns || !strings.HasSuffix(v.found, step.want) {
			t.Errorf("%+v, want %q", v, step.want)
		}
	}
}

func TestCheckWaitsOnlyShortlyForASilentSource(t *testing.T) {
	d := newDesk(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	defer silent.Close()
	defer close(ended)
	t.Setenv("COURANT_RTE_BASE_URL", silent.URL)
	t.Setenv("COURANT_ENTSOE_BASE_URL", silent.URL)
	var out bytes.Buffer
	p := &Program{Stdout: &out, Stderr: io.Discard, Clock: d.clock, checkTimeout: 50 * time.Millisecond}
	if code := p.Execute(t.Context(), []string{"check"}); code != ExitFailed {
		t.Errorf("exit %d", code)
	}
	for _, what := range []string{"RTE capacity", "ENTSO-E"} {
		if !regexp.MustCompile(`(?m)^FAIL +` + what + ` .*no answer in time$`).Match(out.Bytes()) {
			t.Errorf("no failure of %s in\n%s", what, &out)
		}
	}
}

func TestALagIsWrittenInTwoUnits(t *testing.T) {
	for want, lag := range map[string]time.Duration{
		"0s": 0, "12m40s": 12*time.Minute + 40*time.Second, "3h5m": 3*time.Hour + 5*time.Minute + time.Second, "25d15h": 615*time.Hour + 57*time.Minute,
	} {
		if got := lagText(lag); got != want {
			t.Errorf("%s is written %s, want %s", lag, got, want)
		}
	}
}
