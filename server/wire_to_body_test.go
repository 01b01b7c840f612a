package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
	"courant/server"
	"courant/server/command"
	"courant/server/config"
	"courant/store/market"
	"courant/store/storetest"
)

// house is a Courant that reads from simulated sources, with a clock that stands.
type house struct {
	t     *testing.T
	clock clockwork.Clock
	token string
}

// newHouse has the environment name the sources and a new database.
func newHouse(t *testing.T, now time.Time) *house {
	t.Helper()
	h := &house{t: t, clock: clockwork.NewFakeClockAt(now)}
	moveIn(t, h.clock.Now)
	storetest.Write(t, "courant.db")
	h.addToken()
	return h
}

// addToken makes an administrator and a token.
func (h *house) addToken() {
	h.t.Helper()
	h.do("a phrase of four words", "user", "add", "anne@example.org", "--admin", "--password-stdin")
	h.token = strings.TrimSpace(h.do("", "token", "create", "anne@example.org", "--name", "test"))
}

// moveIn makes a new folder the working one, and simulated sources those of the programs that are started.
func moveIn(t testing.TB, now func() time.Time) {
	t.Helper()
	sources, err := simulator.Start(simulator.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sources.Close() })
	moveInto(t, sources)
}

// moveInto is moveIn with sources that are there.
func moveInto(t testing.TB, sources *simulator.Servers) {
	t.Helper()
	t.Chdir(storetest.Folder(t))
	for name, value := range simulatedSources(sources) {
		t.Setenv(name, value)
	}
}

// endpoints are the paths below /api/ that serve data.
var endpoints = []string{"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy",
	"imbalance-prices", "balancing-capacity", "balancing-energy"}

// simulatedSources is the environment of a Courant that reads from simulated sources.
func simulatedSources(sources *simulator.Servers) map[string]string {
	return map[string]string{
		"COURANT_RTE_BASE_URL": sources.RTEURL, "COURANT_RTE_CLIENT_ID": simulator.ClientID, "COURANT_RTE_CLIENT_SECRET": simulator.ClientSecret,
		"COURANT_ENTSOE_BASE_URL": sources.ENTSOEURL, "COURANT_ENTSOE_SECURITY_TOKEN": simulator.SecurityToken,
		"COURANT_LOG_LEVEL": "error", "COURANT_SERVER_ADDR": "127.0.0.1:0",
	}
}

// do runs a command that has to succeed and returns what it prints.
func (h *house) do(stdin string, args ...string) string {
	h.t.Helper()
	var out, problems bytes.Buffer
	p := &command.Program{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &problems, Clock: h.clock}
	if code := p.Execute(h.t.Context(), args); code != command.ExitDone {
		h.t.Fatalf("courant %s: exit %d: %s", strings.Join(args, " "), code, problems.String())
	}
	return out.String()
}

// bodies asks a service of the house for the paths below /api/.
func (h *house) bodies(paths ...string) map[string]json.RawMessage {
	h.t.Helper()
	cfg, _, err := config.Load("", os.Environ())
	if err != nil {
		h.t.Fatal(err)
	}
	cfg.Ingest.Enabled, cfg.API.RateLimitPerMinute = false, 1_000_000 // the clock stands, so it would not refill
	s, err := server.Open(h.t.Context(), cfg, server.Options{Clock: h.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]json.RawMessage{}
	ctx, stop := context.WithCancel(h.t.Context())
	err = s.Run(ctx, func() {
		defer stop()
		for _, path := range paths {
			all[path] = h.body("http://" + s.Addr() + "/api/" + path)
		}
	})
	if err := errors.Join(err, s.Close()); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// body asks with the house's token.
func (h *house) body(url string) []byte {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s %s, %v", url, answer.Status, body, err)
	}
	return body
}

func decode[T any](t *testing.T, body json.RawMessage) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %.200s", err, body)
	}
	return v
}

// number is a JSON number as it stands, or null.
type number = *json.Number

func same(n number, v *float64) bool {
	if n == nil || v == nil {
		return n == nil && v == nil
	}
	return n.String() == strconv.FormatFloat(*v, 'f', -1, 64)
}

const utc = "2006-01-02T15:04:05.000Z"

func TestTheDaysOnWhichTheClockChangesFromWireToBody(t *testing.T) {
	for _, row := range storetest.Some(2, []struct {
		date                     simulator.Day
		quarters, steps, mfrrRow int
	}{
		{simulator.Day{Year: 2026, Month: time.October, Day: 25}, 100, 22_500, 200},
		{simulator.Day{Year: 2026, Month: time.March, Day: 29}, 92, 20_700, 184},
	}) {
		t.Run(row.date.String(), func(t *testing.T) {
			h := newHouse(t, row.date.Add(3).Start())
			printed := h.do("", "fetch", "all", "--from", row.date.String(), "--to", row.date.String())
			capacity := 0
			for _, step := range simulator.CapacitySteps(row.date) {
				if step.Reserve == "MFRR" {
					capacity++
				}
			}
			want := fmt.Sprintf("day-ahead-prices: %d rows stored\nfcr-capacity: %d rows stored\nafrr-capacity: %d rows stored\n"+
				"mfrr-capacity: %d rows stored\nafrr-energy: %d rows stored\nmfrr-energy: %d rows stored\nimbalance-prices: %d rows stored\n",
				row.quarters, row.quarters, 2*row.quarters, capacity, row.steps, row.mfrrRow, row.quarters)
			if printed != want {
				t.Errorf("fetch prints\n%swant\n%s", printed, want)
			}
			bodies := h.bodies("day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy", "mfrr-energy", "imbalance-prices")
			checkPrices(t, row.date, bodies["day-ahead-prices"])
			checkCapacity(t, row.date, "FCR", bodies["fcr-capacity"])
			checkCapacity(t, row.date, "AFRR", bodies["afrr-capacity"])
			checkCapacity(t, row.date, "MFRR", bodies["mfrr-capacity"])
			checkAFRR(t, row.date, bodies["afrr-energy"])
			checkMFRR(t, row.date, bodies["mfrr-energy"])
			checkImbalance(t, row.date, bodies["imbalance-prices"])
		})
	}
}

func checkPrices(t *testing.T, date simulator.Day, body json.RawMessage) {
	t.Helper()
	got := decode[struct {
		Rows []struct {
			Start string `json:"hour_start_utc"`
			End   string `json:"hour_end_utc"`
			Price number `json:"price_eur_mwh"`
		} `json:"rows"`
		LatestDate   string `json:"latestDate"`
		EarliestDate string `json:"earliestDate"`
	}](t, body)
	truth := simulator.Prices(date)
	if len(got.Rows) != len(truth) || got.LatestDate != date.String() || got.EarliestDate != date.String() {
		t.Fatalf("%d prices from %s to %s, want %d", len(got.Rows), got.EarliestDate, got.LatestDate, len(truth))
	}
	for i, p := range truth {
		row := got.Rows[i]
		if row.Start != p.Start.Format(utc) || row.End != p.Start.Add(p.Step).Format(utc) || !same(row.Price, &p.EURPerMWh) {
			t.Fatalf("price %d is %+v, want %+v", i, row, p)
		}
	}
}

func checkCapacity(t *testing.T, date simulator.Day, reserve string, body json.RawMessage) {
	t.Helper()
	got := decode[struct {
		Rows []struct {
			Start       string `json:"period_start_utc"`
			End         string `json:"period_end_utc"`
			Volume      number `json:"volume_mw"`
			Contracted  number `json:"contracted_volume_mw"`
			Offered     number `json:"offered_volume_mw"`
			Price       number `json:"price"`
			Direction   string `json:"direction"`
			ProductType string `json:"product_type"`
			TimeHorizon string `json:"time_horizon"`
		} `json:"rows"`
		LatestFetchedAtUTC string `json:"latestFetchedAtUtc"`
	}](t, body)
	// The simulated market is constant within an hour, so every four steps are one row, priced at their sum.
	type key struct{ start, direction, horizon string }
	want := map[key]simulator.Capacity{}
	directions := map[string]string{"UP": "UPWARD", "DOWN": "DOWNWARD", "UP_DOWN": "SYMMETRIC"}
	for _, step := range simulator.CapacitySteps(date) {
		if step.Reserve == reserve && step.Start.Minute() == 0 {
			want[key{step.Start.Format(utc), directions[step.Direction], step.Horizon}] = step
		}
	}
	if len(got.Rows) != len(want) {
		t.Fatalf("%s: %d rows, want %d", reserve, len(got.Rows), len(want))
	}
	for _, row := range got.Rows {
		step, is := want[key{row.Start, row.Direction, row.TimeHorizon}]
		price, _ := new(big.Rat).SetString(strconv.FormatFloat(step.PricePerStep, 'f', -1, 64))
		perHour, _ := price.Mul(price, big.NewRat(4, 1)).Float64()
		if !is || row.End != step.Start.Add(time.Hour).Format(utc) || !same(row.Price, &perHour) ||
			!same(row.Offered, &step.Offered) || !same(row.Contracted, &step.Contracted) || (reserve == "FCR") != (row.Volume != nil) {
			t.Fatalf("%s: row %+v, want %+v", reserve, row, step)
		}
	}
}

func checkAFRR(t *testing.T, date simulator.Day, body json.RawMessage) {
	t.Helper()
	type step struct {
		Start     string `json:"period_start_utc"`
		End       string `json:"period_end_utc"`
		Upward    number `json:"upward_price_eur_mwh"`
		Downward  number `json:"downward_price_eur_mwh"`
		Demand    number `json:"pdemand_mw"`
		ForFrance number `json:"afrr_for_france_mw"`
		InFrance  number `json:"afrr_in_france_mw"`
		Picasso   *bool  `json:"picasso_connection"`
		Prorata   *bool  `json:"prorata_mode"`
	}
	got := decode[struct {
		Date               string `json:"latestDeliveryDateParis"`
		LatestFetchedAtUTC string `json:"latestFetchedAtUtc"`
		LatestPeriodStart  string `json:"latestPeriodStartUtc"`
		LatestPeriodEnd    string `json:"latestPeriodEndUtc"`
		ResolutionSeconds  int    `json:"resolutionSeconds"`
		RowCount           int    `json:"rowCount"`
		AverageUpward      number `json:"averageUpwardPrice"`
		AverageDownward    number `json:"averageDownwardPrice"`
		LatestRow          step   `json:"latestRow"`
		RecentRows         []step `json:"recentRows"`
		ChartRows          []struct {
			Start    string `json:"bucket_start_utc"`
			End      string `json:"bucket_end_utc"`
			Upward   number `json:"upward_price_eur_mwh"`
			Downward number `json:"downward_price_eur_mwh"`
		} `json:"chartRows"`
	}](t, body)
	truth := simulator.AFRRSteps(date)
	if got.Date != date.String() || got.RowCount != len(truth) || got.LatestPeriodEnd != date.End().Format(utc) || len(got.RecentRows) != 50 {
		t.Fatalf("%s: %d rows up to %s", got.Date, got.RowCount, got.LatestPeriodEnd)
	}
	for i, row := range got.RecentRows {
		s := truth[len(truth)-1-i]
		if row.Start != s.Start.Format(utc) || !same(row.Upward, s.Upward) || !same(row.Downward, s.Downward) || !same(row.Demand, &s.Demand) ||
			!same(row.ForFrance, &s.ForFrance) || !same(row.InFrance, &s.InFrance) || *row.Picasso != s.Picasso || *row.Prorata != s.Prorata {
			t.Fatalf("recent row %d is %+v, want %+v", i, row, s)
		}
	}
	if len(got.ChartRows) != len(truth)/75 {
		t.Fatalf("%d buckets, want %d", len(got.ChartRows), len(truth)/75)
	}
	for i, bucket := range got.ChartRows {
		var up, down []*float64
		for _, s := range truth[i*75 : (i+1)*75] {
			up, down = append(up, s.Upward), append(down, s.Downward)
		}
		if bucket.Start != truth[i*75].Start.Format(utc) || !isMean(bucket.Upward, up) || !isMean(bucket.Downward, down) {
			t.Fatalf("bucket %d is %+v", i, bucket)
		}
	}
	var up, down []*float64
	for _, s := range truth {
		up, down = append(up, s.Upward), append(down, s.Downward)
	}
	if !isMean(got.AverageUpward, up) || !isMean(got.AverageDownward, down) {
		t.Errorf("averages %v and %v", *got.AverageUpward, *got.AverageDownward)
	}
}

func checkMFRR(t *testing.T, date simulator.Day, body json.RawMessage) {
	t.Helper()
	type quarter struct {
		Start    string `json:"period_start_utc"`
		End      string `json:"period_end_utc"`
		Upward   number `json:"upward_price_eur_mwh"`
		Downward number `json:"downward_price_eur_mwh"`
	}
	got := decode[struct {
		Date               string          `json:"latestDeliveryDateParis"`
		LatestFetchedAtUTC string          `json:"latestFetchedAtUtc"`
		LatestPeriodStart  string          `json:"latestPeriodStartUtc"`
		LatestPeriodEnd    string          `json:"latestPeriodEndUtc"`
		ResolutionSeconds  int             `json:"resolutionSeconds"`
		RowCount           int             `json:"rowCount"`
		AverageUpward      number          `json:"averageUpwardPrice"`
		AverageDownward    number          `json:"averageDownwardPrice"`
		LatestUpwardRow    json.RawMessage `json:"latestUpwardRow"`
		LatestDownwardRow  json.RawMessage `json:"latestDownwardRow"`
		RecentRows         []quarter       `json:"recentRows"`
		ChartRows          []quarter       `json:"chartRows"`
	}](t, body)
	truth := simulator.MFRRSteps(date)
	if got.Date != date.String() || got.RowCount != len(truth) || len(got.ChartRows) != len(truth)/2 || got.LatestPeriodEnd != date.End().Format(utc) {
		t.Fatalf("%s: %d rows, %d quarters up to %s", got.Date, got.RowCount, len(got.ChartRows), got.LatestPeriodEnd)
	}
	var up, down []*float64
	for i, row := range got.ChartRows {
		upward, downward := truth[2*i], truth[2*i+1]
		if row.Start != upward.Start.Format(utc) || !same(row.Upward, upward.Values.ClearingPrice) || !same(row.Downward, downward.Values.ClearingPrice) {
			t.Fatalf("quarter %d is %+v, want %+v", i, row, upward)
		}
		up, down = append(up, upward.Values.ClearingPrice), append(down, downward.Values.ClearingPrice)
	}
	if !isMean(got.AverageUpward, up) || !isMean(got.AverageDownward, down) {
		t.Errorf("averages %v and %v", got.AverageUpward, got.AverageDownward)
	}
}

func checkImbalance(t *testing.T, date simulator.Day, body json.RawMessage) {
	t.Helper()
	got := decode[struct {
		Rows []struct {
			Start       string  `json:"period_start_utc"`
			End         string  `json:"period_end_utc"`
			Positive    number  `json:"positive_price_eur_mwh"`
			Negative    number  `json:"negative_price_eur_mwh"`
			MWh         number  `json:"imbalance_mwh"`
			Trend       string  `json:"system_trend"`
			Status      string  `json:"status"`
			UpdatedAt   string  `json:"source_updated_at"`
			MissingData *string `json:"missing_data"`
		} `json:"rows"`
		Date               string `json:"latestDeliveryDateParis"`
		LatestFetchedAtUTC string `json:"latestFetchedAtUtc"`
		LatestPeriodEnd    string `json:"latestPeriodEndUtc"`
		ResolutionSeconds  int    `json:"resolutionSeconds"`
		RowCount           int    `json:"rowCount"`
	}](t, body)
	truth := simulator.ImbalanceStepsAt(date, date.Add(3).Start())
	if got.Date != date.String() || got.RowCount != len(truth) || len(got.Rows) != len(truth) || got.LatestPeriodEnd != date.End().Format(utc) ||
		got.ResolutionSeconds != 900 {
		t.Fatalf("%s: %d rows up to %s", got.Date, got.RowCount, got.LatestPeriodEnd)
	}
	trends := map[string]string{"HAUSSE": "UPWARD", "BAISSE": "DOWNWARD"}
	for i, row := range got.Rows {
		step, missing := truth[i], "N/A"
		if row.MissingData != nil {
			missing = *row.MissingData
		}
		if row.Start != step.Start.Format(utc) || row.End != step.Start.Add(15*time.Minute).Format(utc) || !same(row.Positive, step.Positive) ||
			!same(row.Negative, step.Negative) || !same(row.MWh, &step.MWh) || row.Trend != trends[step.Trend] || row.Status != "validated" ||
			row.UpdatedAt != step.Updated.Format(utc) || missing != step.Missing {
			t.Fatalf("row %d is %+v, want %+v", i, row, step)
		}
	}
}

// isMean computes the mean in fractions: two decimals, halves away from zero.
func isMean(got number, values []*float64) bool {
	sum, count := new(big.Rat), int64(0)
	for _, v := range values {
		if v != nil {
			exact, _ := new(big.Rat).SetString(strconv.FormatFloat(*v, 'f', -1, 64))
			sum.Add(sum, exact)
			count++
		}
	}
	if count == 0 || got == nil {
		return count == 0 && got == nil
	}
	mean := sum.Quo(sum, big.NewRat(count, 1))
	is, _ := new(big.Rat).SetString(got.String())
	want, _ := new(big.Rat).SetString(mean.FloatString(2)) // rounds halves away from zero
	return is.Cmp(want) == 0
}

func TestFetchIntoTheDatabaseThatIsNamed(t *testing.T) {
	h := newHouse(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	path := filepath.Join(t.TempDir(), "élec market #1.db")
	t.Setenv("COURANT_DATABASE_PATH", path)
	if got := h.do("", "fetch", "day-ahead-prices", "--from", "yesterday", "--to", "today"); got != "day-ahead-prices: 192 rows stored\n" {
		t.Errorf("prints %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, error %v", info, err)
	}
}
