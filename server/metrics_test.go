package server

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestMetricsReportRunsAndStoredData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := os.WriteFile(path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 12, 0, 0, 500_000_000, time.UTC)
	instant := report.Instant(at)
	var differences []report.Difference // of three delivery dates, one of them between two pairs of publications
	for i, date := range market.Dates(market.NewDeliveryDate(2026, 11, 1), market.NewDeliveryDate(2026, 11, 3)) {
		differences = append(differences, report.Difference{Date: date, Between: "ENTSO-E/RTE"})
		if i == 0 {
			differences = append(differences, report.Difference{Date: date, Between: "PT15M/PT60M"})
		}
	}
	m := newMetrics(path, func(context.Context) (report.Report, error) {
		return report.Report{Datasets: []report.Status{
			{Dataset: market.DayAheadPrices, State: report.StateDown, LastSuccessAt: &instant, NewestPeriodEnd: &instant,
				Missing: []report.Missing{{Expected: 96, Received: 40}, {Expected: 100}}},
			{Dataset: market.AFRREnergy, State: report.StateOK},
		}, Quarantine: make([]report.Waiting, 2), PriceDifferences: differences}, nil
	}, func() api.StreamFigures { return api.StreamFigures{Listeners: 3, Events: 500, Dropped: 1} }, func(context.Context) (int, error) { return 7, nil }, slog.New(slog.DiscardHandler))
	m.ran(store.Run{Feed: "capacity", Datasets: []market.Dataset{market.FCRCapacity, market.AFRRCapacity}, Outcome: store.OutcomePartial,
		Started: at, Ended: at.Add(2 * time.Second), Tallies: map[market.Dataset]store.Tally{market.FCRCapacity: {Seen: 96, Changed: 90}}})
	for _, fault := range []string{"", "timeout", ""} {
		m.notified(fault)
	}
	want := `
# HELP courant_circuit_open 1 while the dataset's source is asked only now and then, because it fails.
# TYPE courant_circuit_open gauge
courant_circuit_open{dataset="afrr-energy"} 0
courant_circuit_open{dataset="day-ahead-prices"} 1
# HELP courant_database_size_bytes Size of the database file and of its write-ahead log.
# TYPE courant_database_size_bytes gauge
courant_database_size_bytes 4096
# HELP courant_clock_ahead_seconds How far this machine's clock is ahead of a source's, by the Date headers of its answers; negative: behind; 0 below 2 minutes.
# TYPE courant_clock_ahead_seconds gauge
courant_clock_ahead_seconds 0
# HELP courant_dataset_state 1 for the state that the dataset is in, 0 for the others: off, down, error, late, stale, ok.
# TYPE courant_dataset_state gauge
courant_dataset_state{dataset="afrr-energy",state="down"} 0
courant_dataset_state{dataset="afrr-energy",state="error"} 0
courant_dataset_state{dataset="afrr-energy",state="late"} 0
courant_dataset_state{dataset="afrr-energy",state="off"} 0
courant_dataset_state{dataset="afrr-energy",state="ok"} 1
courant_dataset_state{dataset="afrr-energy",state="stale"} 0
courant_dataset_state{dataset="day-ahead-prices",state="down"} 1
courant_dataset_state{dataset="day-ahead-prices",state="error"} 0
courant_dataset_state{dataset="day-ahead-prices",state="late"} 0
courant_dataset_state{dataset="day-ahead-prices",state="off"} 0
courant_dataset_state{dataset="day-ahead-prices",state="ok"} 0
courant_dataset_state{dataset="day-ahead-prices",state="stale"} 0
# HELP courant_feed_runs_total Runs that ended, by dataset and outcome: ok, partial, failed, interrupted.
# TYPE courant_feed_runs_total counter
courant_feed_runs_total{dataset="afrr-capacity",outcome="partial"} 1
courant_feed_runs_total{dataset="fcr-capacity",outcome="partial"} 1
# HELP courant_last_success_timestamp_seconds End of the newest run that read the dataset's newest delivery date without refusing any of it.
# TYPE courant_last_success_timestamp_seconds gauge
courant_last_success_timestamp_seconds{dataset="day-ahead-prices"} 1.7951760005e+09
# HELP courant_missing_periods Periods that are due and not held.
# TYPE courant_missing_periods gauge
courant_missing_periods{dataset="afrr-energy"} 0
courant_missing_periods{dataset="day-ahead-prices"} 156
# HELP courant_newest_period_timestamp_seconds End of the newest period that is held.
# TYPE courant_newest_period_timestamp_seconds gauge
courant_newest_period_timestamp_seconds{dataset="day-ahead-prices"} 1.7951760005e+09
# HELP courant_price_difference_dates Recent delivery dates on which two publications of prices differ by more than a cent: ENTSO-E and RTE, or hours and quarters.
# TYPE courant_price_difference_dates gauge
courant_price_difference_dates 3
# HELP courant_quarantine_waiting Delivery dates of a dataset that wait for a person's decision.
# TYPE courant_quarantine_waiting gauge
courant_quarantine_waiting 2
# HELP courant_rows_written_total Rows that were new or had changed.
# TYPE courant_rows_written_total counter
courant_rows_written_total{dataset="afrr-capacity"} 0
courant_rows_written_total{dataset="fcr-capacity"} 90
# HELP courant_stream_dropped_total Listeners of /api/stream that were let go because they read too slowly.
# TYPE courant_stream_dropped_total counter
courant_stream_dropped_total 1
# HELP courant_stream_events_total Events sent to listeners of /api/stream, to each of them.
# TYPE courant_stream_events_total counter
courant_stream_events_total 500
# HELP courant_stream_listeners Clients that listen to /api/stream.
# TYPE courant_stream_listeners gauge
courant_stream_listeners 3
# HELP courant_webhook_attempts_total Attempts to deliver to webhooks and by mail, by result: ok, or why it failed.
# TYPE courant_webhook_attempts_total counter
courant_webhook_attempts_total{result="ok"} 2
courant_webhook_attempts_total{result="timeout"} 1
# HELP courant_webhook_waiting Deliveries to webhooks and by mail that wait for an attempt.
# TYPE courant_webhook_waiting gauge
courant_webhook_waiting 7
`
	err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "courant_circuit_open", "courant_database_size_bytes", "courant_dataset_state",
		"courant_price_difference_dates", "courant_quarantine_waiting", "courant_feed_runs_total", "courant_last_success_timestamp_seconds", "courant_missing_periods",
		"courant_newest_period_timestamp_seconds", "courant_rows_written_total", "courant_stream_dropped_total",
		"courant_stream_events_total", "courant_stream_listeners", "courant_webhook_attempts_total", "courant_webhook_waiting")
	if err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %v, error %v", problems, err)
	}
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if body, _ := io.ReadAll(w.Body); !strings.Contains(string(body), `courant_feed_run_duration_seconds_bucket{feed="capacity",le="2.5"} 1`) {
		t.Errorf("%s", body)
	}
}
