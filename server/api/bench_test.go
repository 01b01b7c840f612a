package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

const (
	// windowStart is the first instant of the 29 dates that end with 2026-07-15.
	windowStart = "2026-06-16T22:00:00Z"
	dayStart    = "2026-07-14T22:00:00Z"
	windowEnd   = "2026-07-15T22:00:00Z"
)

// fullWindow is all that the bodies are made of when nothing is missing.
func fullWindow() market.Batch {
	m := newMarket()
	number := func() market.Number { return m.between(-900, 900, 2, 0).number() }
	var batch market.Batch
	for _, start := range starts(windowStart, windowEnd, 900) {
		market.Prices.Put(&batch, append(market.Prices.In(batch), market.Price{Start: start, Resolution: market.PT15M, Price: number()}))
		sell := func(dataset market.Dataset, direction market.Direction, horizon string) {
			market.Capacity.Put(&batch, append(market.Capacity.In(batch), market.CapacityStep{
				Dataset: dataset, Start: start, Direction: direction, TimeHorizon: horizon, Product: "STD",
				OfferedMW: market.Num(900.5), ContractedMW: market.Num(450), Price: m.between(0, 20, 6, 0).number(),
			}))
		}
		sell(market.FCRCapacity, market.Symmetric, "DAILY")
		market.Imbalance.Put(&batch, append(market.Imbalance.In(batch), market.ImbalanceStep{
			Start: start, PositivePrice: number(), NegativePrice: number(), ImbalanceMWh: number(), SystemTrend: market.Str("UPWARD"), Status: market.Str("settled"),
			Updated: 1000 * (start + 1061),
		}))
		for _, direction := range []market.Direction{market.Upward, market.Downward} {
			sell(market.AFRRCapacity, direction, "DAILY")
			sell(market.MFRRCapacity, direction, "DAILY")
			sell(market.MFRRCapacity, direction, "PERIODIC")
		}
	}
	for _, start := range starts(dayStart, windowEnd, 900) {
		for _, direction := range []market.Direction{market.Upward, market.Downward} {
			market.MFRR.Put(&batch, append(market.MFRR.In(batch), market.MFRRStep{Start: start, Direction: direction, ClearingPrice: number(), ActivatedVolumeSAMW: number()}))
		}
	}
	for _, start := range starts(dayStart, windowEnd, 4) {
		market.AFRR.Put(&batch, append(market.AFRR.In(batch), market.AFRRStep{
			Start: start, UpwardPrice: number(), DownwardPrice: number(), DemandMW: number(), ForFranceMW: number(), InFranceMW: number(),
			PicassoConnection: market.Flag{V: true, Valid: true}, ProrataMode: market.Flag{Valid: true},
		}))
	}
	return batch
}

func soldOf(batch market.Batch, dataset market.Dataset) []market.CapacityStep {
	var steps []market.CapacityStep
	for _, step := range market.Capacity.In(batch) {
		if step.Dataset == dataset {
			steps = append(steps, step)
		}
	}
	return steps
}

func BenchmarkBuildBody(b *testing.B) {
	batch := fullWindow()
	capacity := func(dataset market.Dataset) market.Chunk { return market.Capacity.Serve(soldOf(batch, dataset)) }
	for _, bench := range []struct {
		dataset market.Dataset
		rows    market.Chunk
	}{
		{market.DayAheadPrices, market.Prices.Serve(market.Prices.In(batch))},
		{market.FCRCapacity, capacity(market.FCRCapacity)},
		{market.AFRRCapacity, capacity(market.AFRRCapacity)},
		{market.MFRRCapacity, capacity(market.MFRRCapacity)},
		{market.AFRREnergy, market.AFRR.Serve(market.AFRR.In(batch))},
		{market.MFRREnergy, market.MFRR.Serve(market.MFRR.In(batch))},
	} {
		b.Run(string(bench.dataset), func(b *testing.B) {
			window := store.Window{Rows: bench.rows, Last: market.DeliveryDateOf(noon), FetchedAt: noon, Version: 1}
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = len(api.BodyOf(bench.dataset, window))
			}
			b.ReportMetric(float64(size), "body-bytes")
		})
	}
}

// BenchmarkRefresh builds all bodies from the database, as at the start.
func BenchmarkRefresh(b *testing.B) {
	f := open(b)
	f.commit(b, fullWindow())
	b.ReportAllocs()
	for b.Loop() {
		fresh, err := api.New(f.options)
		must(b, err)
		must(b, fresh.Refresh(b.Context()))
		b.StopTimer()
		fresh.Close()
		b.StartTimer()
	}
}

// sink is an answer of which nothing is kept.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(p []byte) (int, error) { return len(p), nil }
func (s sink) WriteHeader(int)             {}

// BenchmarkServeBody answers with a finished body, without a network. The first row is a handler that writes the same
// bytes and does nothing else: what the others take beyond it is ours.
func BenchmarkServeBody(b *testing.B) {
	f := open(b, func(o *api.Options) { o.RateLimitPerMinute = 1 << 30 })
	f.commit(b, fullWindow())
	f.refresh(b)
	f.Settle()
	account := f.account(b, "boris@example.org", store.Administrator)
	token := bearer(f.token(b, account, nil))
	body := f.Snapshot()["balancing-capacity"]
	tag := f.ask(b, "GET", "/api/balancing-capacity", token).Header().Get("ETag")
	constant := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	for _, row := range []struct {
		name    string
		handler http.Handler
		dress   []func(*http.Request)
	}{
		{"constant", constant, nil},
		{"token", f, []func(*http.Request){token}},
		{"session", f, []func(*http.Request){carrying(f.session(b, account))}},
		{"gzip", f, []func(*http.Request){token, header("Accept-Encoding", "gzip")}},
		{"zstd", f, []func(*http.Request){token, header("Accept-Encoding", "zstd")}},
		{"304", f, []func(*http.Request){token, header("If-None-Match", tag)}},
		{"wrong-token", f, []func(*http.Request){bearer("crt_" + strings.Repeat("a", 48))}},
	} {
		b.Run(row.name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/balancing-capacity", nil)
			for _, change := range row.dress {
				change(r)
			}
			b.ReportAllocs()
			for b.Loop() {
				row.handler.ServeHTTP(sink{http.Header{}}, r)
			}
		})
	}
}

// BenchmarkPage renders pages and a CSV of a database that holds the whole window.
func BenchmarkPage(b *testing.B) {
	f := open(b)
	batch := fullWindow()
	f.commit(b, batch)
	steps := market.AFRR.In(batch)
	for i := range steps {
		steps[i].Start -= 24 * market.HourSeconds
	}
	f.commit(b, market.AFRR.Batch(steps))
	f.refresh(b)
	f.Settle()
	session := carrying(f.session(b, f.account(b, "boris@example.org", store.Administrator)))
	for _, row := range []struct{ name, path string }{
		{"overview", "/"}, {"energy", "/energie"}, {"energy-before", "/energie?from=2026-07-14"}, {"prices", "/prix"},
		{"prices-of-29", "/prix?from=2026-06-17&to=2026-07-15"}, {"capacity", "/capacite"}, {"csv-steps", "/csv/fr/afrr-energy"},
		{"csv-of-29", "/csv/fr/mfrr-capacity?from=2026-06-17&to=2026-07-15"},
	} {
		b.Run(row.name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, row.path, nil)
			session(r)
			b.ReportAllocs()
			for b.Loop() {
				f.ServeHTTP(sink{http.Header{}}, r)
			}
		})
	}
}

// BenchmarkExplore renders the page for exploring with a year of prices, alone and beside the year before.
func BenchmarkExplore(b *testing.B) {
	f := open(b)
	for date := turnBack.Add(-2 * 364); !date.After(turnBack); date = date.Add(52) {
		var prices []market.Price
		for start := date.Start().Unix(); start < date.Add(52).Start().Unix(); start += market.QuarterSeconds {
			price := market.Num(float64(start/market.QuarterSeconds*7919%20_000-3000) / 100)
			prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: price})
		}
		f.commit(b, market.Prices.Batch(prices))
	}
	f.refresh(b)
	session := carrying(f.session(b, f.account(b, "boris@example.org", store.Administrator)))
	for name, query := range map[string]string{"year": "", "compared": "&before=year"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/explorer?from=2025-10-26&to=2026-10-25"+query, nil)
			session(r)
			b.ReportAllocs()
			for b.Loop() {
				f.ServeHTTP(sink{http.Header{}}, r)
			}
		})
	}
}
