package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/disk"
	"courant/store/market"
)

// scrapeTimeout is how long the report for a scrape may take.
const scrapeTimeout = 10 * time.Second

// metrics are the metrics for Prometheus. Runs are counted as they end; all others are looked up at each scrape.
type metrics struct {
	registry *prometheus.Registry
	backup   *prometheus.GaugeVec
	export   *prometheus.GaugeVec
	runs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	rows     *prometheus.CounterVec
	attempts *prometheus.CounterVec
	lookup   lookup
}

func newMetrics(
	databasePath string, report func(context.Context) (report.Report, error), stream func() api.StreamFigures,
	undelivered func(context.Context) (int, error), log *slog.Logger,
) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		backup: newPlaceGauge("courant_last_backup_timestamp_seconds",
			"When the newest scheduled backup of each kind of place (folder, bucket) was begun; 0 if none is known of."),
		export: newPlaceGauge("courant_last_export_timestamp_seconds",
			"When the newest scheduled export to each kind of place (folder, bucket) was begun that ended well; 0 if there was none since the start."),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "courant_feed_runs_total", Help: "Runs that ended, by dataset and outcome: ok, partial, failed, interrupted.",
		}, []string{"dataset", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "courant_feed_run_duration_seconds", Help: "How long runs took, from the first call to the commit.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}, []string{"feed"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "courant_rows_written_total", Help: "Rows that were new or had changed.",
		}, []string{"dataset"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "courant_webhook_attempts_total", Help: "Attempts to deliver to webhooks and by mail, by result: ok, or why it failed.",
		}, []string{"result"}),
		lookup: lookup{
			databasePath: databasePath, report: report, stream: stream, undelivered: undelivered, log: log,
			lastSuccess:  describe("courant_last_success_timestamp_seconds", "End of the newest run that read the dataset's newest delivery date without refusing any of it.", "dataset"),
			newestPeriod: describe("courant_newest_period_timestamp_seconds", "End of the newest period that is held.", "dataset"),
			missing:      describe("courant_missing_periods", "Periods that are due and not held.", "dataset"),
			circuit:      describe("courant_circuit_open", "1 while the dataset's source is asked only now and then, because it fails.", "dataset"),
			state:        describe("courant_dataset_state", "1 for the state that the dataset is in, 0 for the others: off, down, error, late, stale, ok.", "dataset", "state"),
			waiting:      describe("courant_quarantine_waiting", "Delivery dates of a dataset that wait for a person's decision."),
			differences:  describe("courant_price_difference_dates", "Recent delivery dates on which two publications of prices differ by more than a cent: ENTSO-E and RTE, or hours and quarters."),
			clock:        describe("courant_clock_ahead_seconds", "How far this machine's clock is ahead of a source's, by the Date headers of its answers; negative: behind; 0 below 2 minutes."),
			databaseSize: describe("courant_database_size_bytes", "Size of the database file and of its write-ahead log."),
			diskFree:     describe("courant_disk_free_bytes", "Free room on the disk that holds the database."),
			listeners:    describe("courant_stream_listeners", "Clients that listen to /api/stream."),
			events:       describe("courant_stream_events_total", "Events sent to listeners of /api/stream, to each of them."),
			dropped:      describe("courant_stream_dropped_total", "Listeners of /api/stream that were let go because they read too slowly."),
			unsent:       describe("courant_webhook_waiting", "Deliveries to webhooks and by mail that wait for an attempt."),
			diskFull:     describe("courant_disk_reserve_reached", "1 while nothing is taken in, because the disk of the database is nearly full."),
		},
	}
	m.registry.MustRegister(m.backup, m.export, m.runs, m.duration, m.rows, m.attempts, &m.lookup, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// newPlaceGauge returns a gauge without values; it has one per kind of place once something is scheduled for it.
func newPlaceGauge(name, help string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"place"})
}

// backedUp sets when the newest backup at a kind of place was begun.
func (m *metrics) backedUp(kind string, begun time.Time) { setInstant(m.backup, kind, begun) }

// exported sets when the newest export to a kind of place was begun.
func (m *metrics) exported(kind string, begun time.Time) { setInstant(m.export, kind, begun) }

func setInstant(gauge *prometheus.GaugeVec, kind string, at time.Time) {
	seconds := int64(0)
	if !at.IsZero() {
		seconds = at.Unix()
	}
	gauge.WithLabelValues(kind).Set(float64(seconds))
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// ran counts a run that ended.
func (m *metrics) ran(run store.Run) {
	m.duration.WithLabelValues(run.Feed).Observe(run.Ended.Sub(run.Started).Seconds())
	for _, dataset := range run.Datasets {
		m.runs.WithLabelValues(string(dataset), string(run.Outcome)).Inc()
		m.rows.WithLabelValues(string(dataset)).Add(float64(run.Tallies[dataset].Changed))
	}
}

// notified counts an attempt to deliver; an empty fault means that it succeeded.
func (m *metrics) notified(fault string) { m.attempts.WithLabelValues(cmp.Or(fault, "ok")).Inc() }

// handler returns the handler of GET /metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// lookup collects the metrics that are looked up at each scrape.
type lookup struct {
	databasePath string
	report       func(context.Context) (report.Report, error)
	stream       func() api.StreamFigures
	undelivered  func(context.Context) (int, error)
	log          *slog.Logger

	lastSuccess, newestPeriod, missing, circuit, state, waiting, differences, clock, databaseSize, diskFree, diskFull *prometheus.Desc
	listeners, events, dropped, unsent                                                                                *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (l *lookup) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		l.lastSuccess, l.newestPeriod, l.missing, l.circuit, l.state, l.waiting, l.differences, l.clock, l.databaseSize, l.diskFree, l.diskFull,
		l.listeners, l.events, l.dropped, l.unsent,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector. Metrics that cannot be looked up are left out, and the error is logged.
func (l *lookup) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	stream := l.stream()
	gauge(l.listeners, float64(stream.Listeners))
	to <- prometheus.MustNewConstMetric(l.events, prometheus.CounterValue, float64(stream.Events))
	to <- prometheus.MustNewConstMetric(l.dropped, prometheus.CounterValue, float64(stream.Dropped))
	gauge(l.databaseSize, float64(disk.FileSize(l.databasePath)+disk.FileSize(l.databasePath+"-wal")))
	if free, _, err := disk.Free(filepath.Dir(l.databasePath)); err != nil {
		l.log.Error("metrics not looked up", "error", err.Error())
	} else {
		gauge(l.diskFree, float64(free))
		gauge(l.diskFull, oneIf(free < disk.ReserveBytes))
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if waiting, err := l.undelivered(ctx); err != nil {
		l.log.Error("metrics not looked up", "error", err.Error())
	} else {
		gauge(l.unsent, float64(waiting))
	}
	current, err := l.report(ctx)
	if err != nil {
		l.log.Error("metrics not looked up", "error", err.Error())
		return
	}
	for _, s := range current.Datasets {
		dataset := string(s.Dataset)
		if s.LastSuccessAt != nil {
			gauge(l.lastSuccess, unixSeconds(*s.LastSuccessAt), dataset)
		}
		if s.NewestPeriodEnd != nil {
			gauge(l.newestPeriod, unixSeconds(*s.NewestPeriodEnd), dataset)
		}
		missing := 0
		for _, m := range s.Missing {
			missing += m.Expected - m.Received
		}
		gauge(l.missing, float64(missing), dataset)
		gauge(l.circuit, oneIf(s.State == report.StateDown), dataset)
		for _, state := range report.States() {
			gauge(l.state, oneIf(s.State == state), dataset, string(state))
		}
	}
	gauge(l.waiting, float64(len(current.Quarantine)))
	differing := map[market.DeliveryDate]bool{}
	for _, d := range current.PriceDifferences {
		differing[d.Date] = true
	}
	gauge(l.differences, float64(len(differing)))
	ahead := 0.0
	if current.Clock != nil {
		ahead = float64(current.Clock.AheadSeconds)
	}
	gauge(l.clock, ahead)
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func unixSeconds(i report.Instant) float64 { return float64(time.Time(i).UnixMilli()) / 1000 }
