package rte

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/ingest/source"
	"courant/store"
)

// simulatedReply is what the simulated RTE answers for the window, after its own clock has passed it.
func simulatedReply(b *testing.B, from resource, window store.Period) []byte {
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
	date := store.NewDeliveryDate(2026, time.November, 20)
	document := simulatedReply(b, marginalPrice, date.Period())
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		reply, err := DecodeMarginalPrice(bytes.NewReader(document), date.Period())
		if err != nil || len(reply.Rows) != date.Steps(store.AFRRSeconds) {
			b.Fatalf("%d rows, error %v", len(reply.Rows), err)
		}
	}
}

// BenchmarkDecodeProcuredReserves reads a week of the three reserves.
func BenchmarkDecodeProcuredReserves(b *testing.B) {
	first := store.NewDeliveryDate(2026, time.November, 10)
	window := store.NewPeriod(first.Start(), first.Add(7).Start())
	document := simulatedReply(b, procuredReserves, window)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if reply, err := DecodeProcuredReserves(bytes.NewReader(document), window); err != nil || len(reply.Rows) == 0 {
			b.Fatalf("%d rows, error %v", len(reply.Rows), err)
		}
	}
}
