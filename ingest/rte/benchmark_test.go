package rte

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// simulatedReply is what the simulated RTE answers for the window, after its own clock has passed it.
func simulatedReply(b *testing.B, from resource, window market.Period) []byte {
	b.Helper()
	now := func() time.Time { return window.To().Add(24 * time.Hour) }
	handler := simulator.RTE(simulator.Options{Now: now})
	server := httptest.NewServer(handler)
	defer server.Close()
	client := NewClient(Options{BaseURL: server.URL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret,
		HTTP: source.NewHTTPClient(), Clock: clockwork.NewRealClock()})
	token, err := client.accessToken(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	query := url.Values{"start_date": {window.From().Format(time.RFC3339)}, "end_date": {window.To().Format(time.RFC3339)}}
	request := httptest.NewRequest(http.MethodGet, "/open_api/"+from.folder+"/"+from.name+"?"+query.Encode(), nil)
	token.SetAuthHeader(request)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		b.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// BenchmarkDecodeMarginalPrice reads a whole delivery date of 4 s steps.
func BenchmarkDecodeMarginalPrice(b *testing.B) {
	date := market.NewDeliveryDate(2026, time.November, 20)
	document := simulatedReply(b, marginalPrice, date.Period())
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		reply, err := DecodeMarginalPrice(bytes.NewReader(document), date.Period())
		if err != nil || len(reply.Rows) != date.Steps(market.AFRRSeconds) {
			b.Fatalf("%d rows, error %v", len(reply.Rows), err)
		}
	}
}

// BenchmarkMarginalPriceIntoHistory takes in a delivery date that is new, from the bytes of the reply to the rows committed,
// where a number of dates is stored already; it tells how long that takes and reading the latest date, and what a row takes
// on the disk once the write-ahead log is in the file.
func BenchmarkMarginalPriceIntoHistory(b *testing.B) {
	date := market.NewDeliveryDate(2026, time.July, 14)
	document := simulatedReply(b, marginalPrice, date.Period())
	path := filepath.Join(b.TempDir(), "courant.db")
	db, err := store.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { db.Close() }()
	stored := 0
	// take commits the document's rows as those of one more date, and tells how long that took.
	take := func() time.Duration {
		begun := time.Now()
		reply, err := DecodeMarginalPrice(bytes.NewReader(document), date.Period())
		if err != nil {
			b.Fatal(err)
		}
		for i := range reply.Rows {
			reply.Rows[i].Start += int64(stored) * 86_400
		}
		stored++
		run := &store.Run{Feed: "afrr_energy", Datasets: []market.Dataset{market.AFRREnergy}, Started: begun, Ended: begun, Outcome: store.OutcomeOK,
			Window: market.Period{Start: reply.Rows[0].Start, End: reply.Rows[0].Start + 1}}
		if err := db.Commit(b.Context(), run, market.AFRR.Batch(reply.Rows)); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	for _, before := range []int{0, 1, 30, 365, 3650} {
		if testing.Short() && before > 30 {
			break
		}
		b.Run(fmt.Sprintf("%d-dates-stored", before), func(b *testing.B) {
			for stored < before {
				take()
			}
			b.ReportAllocs()
			var took, read []time.Duration
			for b.Loop() {
				took = append(took, take())
				b.StopTimer()
				begun := time.Now()
				if window, err := db.LatestRows(b.Context(), market.AFRREnergy, 1); err != nil || window.Rows.Len() == 0 {
					b.Fatalf("%d rows, error %v", window.Rows.Len(), err)
				}
				read = append(read, time.Since(begun))
				b.StartTimer()
			}
			slices.Sort(took)
			slices.Sort(read)
			for name, d := range map[string]time.Duration{"min-ms": took[0], "median-ms": took[len(took)/2], "max-ms": took[len(took)-1], "read-ms": read[len(read)/2]} {
				b.ReportMetric(float64(d.Microseconds())/1000, name)
			}
			// Closing the last connection brings the log into the file.
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			file, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(file.Size())/float64(stored*date.Steps(market.AFRRSeconds)), "file-B/row")
			if db, err = store.Open(context.WithoutCancel(b.Context()), path); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkDecodeProcuredReserves reads a week of the three reserves.
func BenchmarkDecodeProcuredReserves(b *testing.B) {
	first := market.NewDeliveryDate(2026, time.November, 10)
	window := market.NewPeriod(first.Start(), first.Add(7).Start())
	document := simulatedReply(b, procuredReserves, window)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if reply, err := DecodeProcuredReserves(bytes.NewReader(document), window); err != nil || len(reply.Rows) == 0 {
			b.Fatalf("%d rows, error %v", len(reply.Rows), err)
		}
	}
}
