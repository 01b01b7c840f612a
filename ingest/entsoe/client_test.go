package entsoe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/entsoe"
	"courant/ingest/simulator"
	"courant/ingest/source"
	"courant/store/market"
)

const token = "1234abcd-5678-4def-9012-3456789abcde"

// hastyClock goes on by itself when somebody waits for it, and remembers how long each wait was.
type hastyClock struct {
	*clockwork.FakeClock
	pauses []time.Duration
}

func newHastyClock() *hastyClock {
	return &hastyClock{FakeClock: clockwork.NewFakeClockAt(time.Date(2026, 7, 14, 11, 0, 0, 0, time.UTC))}
}

func (c *hastyClock) After(d time.Duration) <-chan time.Time {
	c.pauses = append(c.pauses, d)
	after := c.FakeClock.After(d)
	c.Advance(d)
	return after
}

func newClient(t *testing.T, base, token string, clock clockwork.Clock) *entsoe.Client {
	t.Helper()
	http := source.NewHTTPClient()
	t.Cleanup(http.CloseIdleConnections)
	return entsoe.NewClient(entsoe.Options{BaseURL: base, SecurityToken: token, HTTP: http, Clock: clock, UserAgent: "courant/test"})
}

// serve answers as the handler says, and counts the requests.
func serve(t *testing.T, handler http.HandlerFunc) (base string, requests *[]url.Values) {
	t.Helper()
	requests = new([]url.Values)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests = append(*requests, r.URL.Query())
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api", requests
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func faultOf(t *testing.T, err error) *source.Fault {
	t.Helper()
	var fault *source.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("error %v (%T) is no Fault", err, err)
	}
	return fault
}

func days(first market.DeliveryDate, n int) market.Period {
	return market.Period{Start: first.Period().Start, End: first.Add(n - 1).Period().End}
}

func TestThePricesOfFranceAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		window     market.Period
		start, end string
	}{
		{"a day in summer", summerDay.Period(), "202607142200", "202607152200"},
		{"the day the clock goes back", autumnDay.Period(), "202610242200", "202610252300"},
		{"the day the clock goes forward", springDay.Period(), "202603282300", "202603292200"},
		{"90 days over a change of the clock", days(springDay.Add(-45), 90), "202602112300", "202605122200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/api" || r.Header.Get("User-Agent") != "courant/test" {
					t.Errorf("%s %s by %s", r.Method, r.URL.Path, r.Header.Get("User-Agent"))
				}
				io.WriteString(w, document())
			})
			if _, traffic, err := newClient(t, base, token, newHastyClock()).DayAheadPrices(t.Context(), tt.window); err != nil || traffic.Bytes != int64(len(document())) {
				t.Fatalf("%d bytes, %v", traffic.Bytes, err)
			}
			want := []url.Values{{"documentType": {"A44"}, "contract_MarketAgreement.type": {"A01"}, "in_Domain": {"10YFR-RTE------C"}, "out_Domain": {"10YFR-RTE------C"},
				"periodStart": {tt.start}, "periodEnd": {tt.end}, "securityToken": {token}}}
			if diff := cmp.Diff(want, *requests); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoErrorContainsTheToken(t *testing.T) {
	t.Parallel()
	echo := func(code int, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			fmt.Fprintf(w, format, r.URL.RequestURI())
		}
	}
	acknowledged := strings.ReplaceAll(acknowledgement("no way: %s"), "%s", "securityToken="+token)
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // part of the error
	}{
		{"400 with a page", echo(400, "<html>bad request %s</html>"), "status 400: the reply is an HTML page, not XML: bad request /api?contract"},
		{"400 with words", echo(400, "bad request %s"), "status 400: the reply is plain text, not XML: bad request"},
		{"400 with an acknowledgement", status(400, acknowledged), "status 400: the request was refused: no way: securityToken=[hidden]"},
		{"200 with an acknowledgement", status(200, acknowledged), "the request was refused: no way: securityToken=[hidden]"},
		{"200 with a page", echo(200, "<html>%s</html>"), "the reply is an HTML page, not XML: /api?contract"},
		{"401", echo(401, "<html>Unauthorized: %s"), "status 401: the security token is refused"},
		{"403", echo(403, "%s"), "status 403: Forbidden: /api?contract"},
		{"404", echo(404, "404 page not found: %s"), "status 404: Not Found: 404 page not found: /api?"},
		{"429", echo(429, "%s"), "status 429: Too Many Requests: /api?contract"},
		{"503", echo(503, "<html><h1>Service Temporarily Unavailable</h1>%s"), "status 503: Service Unavailable: Service Temporarily Unavailable"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.invalid"+r.URL.RequestURI(), http.StatusFound)
		}, "it redirects elsewhere"},
		{"a redirect that cannot be read", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://a b/?"+r.URL.RawQuery)
			w.WriteHeader(302)
		}, "Location"},
		{"a cut connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "the connection ended without a reply"},
		{"a cut reply", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "<a>")
		}, "the connection ended in the middle of the reply"},
		{"another document", echo(200, "<a>%s</a>"), "the reply is a \"a\", not a Publication_MarketDocument"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, _ := serve(t, tt.handler)
			_, _, err := newClient(t, base, token, newHastyClock()).DayAheadPrices(t.Context(), summerDay.Period())
			text := faultOf(t, err).Error()
			// A part that is long enough to be known again counts as well.
			if !strings.Contains(strings.NewReplacer("“", "", "”", "").Replace(text), tt.want) || strings.Contains(text, token[:6]) || strings.Contains(text, token[30:]) {
				t.Errorf("error %q, want one that says %q", text, tt.want)
			}
		})
	}
	t.Run("a refused connection", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		_, _, err = newClient(t, "http://"+listener.Addr().String()+"/api", token, newHastyClock()).DayAheadPrices(t.Context(), summerDay.Period())
		if fault := faultOf(t, err); !fault.Connection || strings.Contains(err.Error(), token[:6]) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("an address that is none", func(t *testing.T) {
		_, _, err := newClient(t, "http://a b/api", token, newHastyClock()).DayAheadPrices(t.Context(), summerDay.Period())
		if strings.Contains(faultOf(t, err).Error(), token[:6]) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAfterTooManyRequestsTheBanIsWaitedOut(t *testing.T) {
	t.Parallel()
	clock := newHastyClock()
	base, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(clock.pauses) < 2 {
			w.WriteHeader(429)
			io.WriteString(w, "Max allowed requests per minute from each unique IP is max up to 400 only")
			return
		}
		io.WriteString(w, document(series(nil, threeHours("1=10"))))
	})
	reply, _, err := newClient(t, base, token, clock).DayAheadPrices(t.Context(), summerDay.Period())
	if err != nil || len(reply.Rows) != 3 || len(*requests) != 3 {
		t.Errorf("%d rows after %d requests, %v", len(reply.Rows), len(*requests), err)
	}
	if diff := cmp.Diff([]time.Duration{10 * time.Minute, 10 * time.Minute}, clock.pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestCallsWaitInALineAndABanIsReported(t *testing.T) {
	clock, line := newHastyClock(), newHastyClock()
	base, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(clock.pauses) == 0 {
			w.WriteHeader(429)
			return
		}
		io.WriteString(w, document())
	})
	var log bytes.Buffer
	client := entsoe.NewClient(entsoe.Options{BaseURL: base, SecurityToken: token, HTTP: http.DefaultClient, Clock: clock,
		Lines: source.OneLineEachHost(line, time.Second), Log: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for range 2 {
		if _, _, err := client.DayAheadPrices(t.Context(), summerDay.Period()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second, time.Second}, line.pauses); diff != "" || len(*requests) != 3 {
		t.Errorf("%d requests, waits (-want +got):\n%s", len(*requests), diff)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `"source called again" source=ENTSO-E call=A44 try=2 pause=10m0s`) || strings.Contains(text, token[:6]) {
		t.Errorf("log: %s", text)
	}
}

func TestRepliesWithoutPrices(t *testing.T) {
	t.Parallel()
	nothing := acknowledgement("No matching data found")
	for _, tt := range []struct {
		name   string
		status int
		body   string
		tries  int
		want   string // the message of the fault, "" for none
	}{
		{"no data", 200, nothing, 1, ""},
		{"no data with status 400", 400, nothing, 1, ""},
		{"no content", 204, "", 1, ""},
		{"a part of a document", 206, document(series(nil, threeHours("1=10"))), 1, "Partial Content: 1 1 A44 2026-07-14T11:00:00Z 2026-07-14T22:00Z 2026-07-15T22:00Z 1 A01 A62 10YFR-RTE------C 10YFR-RTE------C A01 EUR MWH A03 2026-07-14T22:00Z 2026-07-15T01:00Z…"},
		{"UTF-16", 200, "\xfe\xff\x00<", 1, "the reply is written in UTF-16: Courant reads UTF-8 only"},
		{"refused", 400, acknowledgement("Delivered time interval is not valid for this Data item."), 1, "the request was refused: Delivered time interval is not valid for this Data item."},
		{"no data with status 500", 500, nothing, 5, "Internal Server Error: 1 999 No matching data found"},
		{"nothing", 200, "", 1, "the reply is empty"},
		{"nothing with status 400", 400, "", 1, "the reply is empty"},
		{"a page", 200, "<!DOCTYPE html><title>Maintenance</title>", 1, "the reply is an HTML page, not XML: Maintenance"},
		{"JSON", 200, `{"error":"x"}`, 1, `the reply is JSON, not XML: {"error":"x"}`},
		{"an archive", 200, "PK\x03\x04", 1, "the reply is a ZIP archive, not XML: PK"},
		{"a document that is cut", 200, document()[:100], 1, "the reply cannot be read: XML syntax error on line 2: unexpected EOF"},
		{"a page with status 503", 503, "<html><h1>Down</h1>for maintenance", 5, "Service Unavailable: Down for maintenance"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, requests := serve(t, status(tt.status, tt.body))
			reply, _, err := newClient(t, base, token, newHastyClock()).DayAheadPrices(t.Context(), summerDay.Period())
			if len(reply.Rows) != 0 || len(*requests) != tt.tries {
				t.Errorf("%d rows after %d requests", len(reply.Rows), len(*requests))
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if fault := faultOf(t, err); strings.TrimSuffix(fault.Message+": "+fault.Said, ": ") != tt.want || fault.Connection {
				t.Errorf("%+v, want message %q", fault, tt.want)
			}
		})
	}
}

func TestAWindowThatIsTooWideIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 400} {
		t.Run(fmt.Sprintf("by status %d", code), func(t *testing.T) {
			base, requests := serve(t, status(code, acknowledgement("The amount of requested data exceeds allowed limit.")))
			reply, _, err := newClient(t, base, token, newHastyClock()).DayAheadPrices(t.Context(), days(summerDay, 90))
			if faultOf(t, err); !errors.Is(err, source.ErrTooWide) || len(reply.Rows) != 0 {
				t.Errorf("error %v, %d rows", err, len(reply.Rows))
			}
			if len(*requests) != 1 {
				t.Errorf("%d requests", len(*requests))
			}
		})
	}
}

func TestWholeDaysComeAsPublished(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC) }
	server := httptest.NewServer(simulator.ENTSOE(simulator.Options{Now: now}))
	t.Cleanup(server.Close)
	client := newClient(t, server.URL+"/api", simulator.SecurityToken, newHastyClock())
	for _, tt := range []struct {
		name  string
		first market.DeliveryDate
		days  int
		rows  int
	}{
		{"the clock goes forward", springDay, 1, 92},
		{"the clock goes back", autumnDay, 1, 100},
		{"the clock goes forward, in hours", market.NewDeliveryDate(2025, time.March, 30), 1, 23},
		{"the clock goes back, in hours", market.NewDeliveryDate(2024, time.October, 27), 1, 25},
		{"from hours to quarters", market.NewDeliveryDate(2025, time.September, 29), 4, 2*24 + 2*96},
		{"90 days around a change of the clock", autumnDay.Add(-45), 90, 89*96 + 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []market.Price
			for i := range tt.days {
				for _, p := range simulator.Prices(simulator.DayOf(tt.first.Add(i).Start())) {
					want = append(want, market.Price{Start: p.Start.Unix(), Resolution: market.Resolution(fmt.Sprintf("PT%dM", int(p.Step.Minutes()))), Price: market.Num(p.EURPerMWh)})
				}
			}
			if len(want) != tt.rows {
				t.Fatalf("%d prices were published, want %d", len(want), tt.rows)
			}
			reply, _, err := client.DayAheadPrices(t.Context(), days(tt.first, tt.days))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want, reply.Rows) {
				t.Errorf("rows (-want +got):\n%s", cmp.Diff(want, reply.Rows))
			}
			if len(reply.Refusals.List()) != 0 || len(reply.Notes) == 0 {
				t.Errorf("refusals %q, notes %q", refusalsOf(reply), reply.Notes)
			}
		})
	}
}
