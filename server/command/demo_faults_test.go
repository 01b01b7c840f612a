package command

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/report"
	"courant/ingest/simulator"
	"courant/store/market"
)

// switched is what the switches' page says of each resource that is not well.
func switched(t *testing.T, switches *simulator.Switches) map[string]string {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "http://localhost/switches", nil)
	answer := httptest.NewRecorder()
	simulator.RTE(simulator.Options{Switches: switches}).ServeHTTP(answer, request)
	set, _, found := strings.Cut(answer.Body.String(), "\n\n")
	if !found {
		t.Fatal(answer.Body)
	}
	faults := map[string]string{}
	for line := range strings.Lines(set) {
		if words := regexp.MustCompile(`^  (\S+) +(.+?)(, answers so far: 0)?\n?$`).FindStringSubmatch(line); words != nil && words[2] != "well" {
			faults[words[1]] = words[2]
		}
	}
	return faults
}

func TestDemoFaultsGoRoundByTheClock(t *testing.T) {
	const heldBack = "missing-date of 2026-11-21"
	clock := clockwork.NewFakeClockAt(market.NewDeliveryDate(2026, time.November, 20).At(15, 0))
	switches := new(simulator.Switches)
	var log bytes.Buffer
	reports := 0
	script := newDemoScript(switches, clock, slog.New(slog.NewJSONHandler(&log, nil)), func(context.Context) (report.Report, error) {
		var current report.Report
		for range market.Datasets() {
			current.Datasets = append(current.Datasets, report.Status{NextRunAt: new(report.Instant)})
		}
		if reports++; reports <= 2 { // the last dataset is not there yet
			current.Datasets[len(current.Datasets)-1].NextRunAt = nil
		}
		return current, nil
	})
	if diff := cmp.Diff(map[string]string{"A44": heldBack, "result_procured_reserves": heldBack}, switched(t, switches)); diff != "" {
		t.Error("at the start", diff)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { script.play(ctx); close(ended) }()
	pass := func(d time.Duration) {
		t.Helper()
		if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(d)
		if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Second)
	pass(time.Second)
	if reports != 3 || log.Len() > 0 {
		t.Errorf("%d reports, log %s", reports, log.String())
	}
	pass(settling)

	const corrections = "well; corrections of 2026-11-20"
	first := []map[string]string{
		{"A44": "status-503", "result_procured_reserves": heldBack},
		{"A44": heldBack, "result_procured_reserves": heldBack}, // and the tokens have expired
		{"A44": heldBack, "result_procured_reserves": heldBack, "afrr_marginal_price": "hang-before-headers"},
		{"A44": heldBack, "result_procured_reserves": heldBack, "standard_mfrr_data": "html-page"},
		{"A44": heldBack, "result_procured_reserves": "truncated-body"},
		{"A44": heldBack, "result_procured_reserves": heldBack, "standard_mfrr_data": "status-429-retry-after"},
		{"A44": heldBack, "result_procured_reserves": heldBack, "afrr_marginal_price": corrections},
		{"A44": "flat-prices of 2026-11-21", "result_procured_reserves": heldBack, "afrr_marginal_price": corrections},
		{"afrr_marginal_price": corrections},
		{"A44": "status-503", "result_procured_reserves": heldBack, "afrr_marginal_price": corrections},
	}
	for i, want := range first {
		fault := demoFaults[i%len(demoFaults)]
		if diff := cmp.Diff(want, switched(t, switches)); diff != "" {
			t.Errorf("with %s: %s", fault.fault, diff)
		}
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("not one line: %s", log.String())
		}
		if line["msg"] != "simulated fault" || line["resource"] != fault.resource || line["fault"] != fault.fault || line["what"] != whatIs(fault.fault) || whatIs(fault.fault) == "" || line["for"] != fault.lasts.String() {
			t.Errorf("line %v", line)
		}
		log.Reset()
		pass(fault.lasts)
	}
	end()
	<-ended
}

func TestDemoWithFaultsTellsOfThemAndEndsWhileASourceHangs(t *testing.T) {
	temporary := t.TempDir()
	p := start(t, []string{"TMPDIR=" + temporary}, false, "demo", "--faults")
	switches := p.await(`^  RTE +(http://127\.0\.0\.1:\d+/switches)$`)[1]
	p.await(`^  ENTSO-E +http://127\.0\.0\.1:\d+/switches$`)
	p.await(`^  curl -d resource=\w+ -d fault=[\w-]+ .*/switches$`)
	status := p.await(`^  curl -H 'Authorization: Bearer (crt_\w+)' (http://127\.0\.0\.1:\d+/api/status)$`)
	token, url := status[1], status[2]
	set(t, switches, simulator.StandardMFRR, "html-page")
	set(t, switches, simulator.MarginalPrice, "hang-in-body")
	get(t, url, token, func(_ *http.Response, body []byte) bool {
		type dataset struct {
			Dataset   market.Dataset
			LastError string `json:"last_error"`
		}
		var report struct{ Datasets []dataset }
		return json.Unmarshal(body, &report) == nil && slices.ContainsFunc(report.Datasets, func(d dataset) bool {
			return d.Dataset == market.MFRREnergy && strings.Contains(d.LastError, "the reply is an HTML page, not JSON")
		})
	})
	get(t, switches, "", func(_ *http.Response, body []byte) bool {
		return strings.Contains(string(body), "hang-in-body, answers so far: 1")
	})
	if code := p.end(os.Interrupt); code != exitDone {
		t.Errorf("exit %d", code)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// set posts to the switches.
func set(t *testing.T, switches, resource, fault string) {
	t.Helper()
	response, err := http.PostForm(switches, url.Values{"resource": {resource}, "fault": {fault}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, error %v", response.StatusCode, body, err)
	}
}
