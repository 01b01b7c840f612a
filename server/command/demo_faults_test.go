package command

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/report"
	"courant/ingest/simulator"
	"courant/store/market"
	"courant/store/storetest/await"
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
	script := NewDemoScript(switches, clock, slog.New(slog.NewJSONHandler(&log, nil)), func(context.Context) (report.Report, error) {
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
	go func() { script.Play(ctx); close(ended) }()
	pass := func(d time.Duration) {
		t.Helper()
		if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(d)
		if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
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
		if line["msg"] != "simulated fault" || line["resource"] != fault.resource || line["fault"] != fault.fault || line["what"] != describeFault(fault.fault) || describeFault(fault.fault) == "" || line["for"] != fault.lasts.String() {
			t.Errorf("line %v", line)
		}
		log.Reset()
		pass(fault.lasts)
	}
	end()
	await.Value(t, ended)
}
