package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/ingest/source"
	"courant/store/storetest/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret needs percent-encoding, so that its two forms differ.
const secret = "s3cr+t/1234-5678-90ab-cdef-1234567890"

const (
	limitBytes = 64 << 20
	tooLarge   = "the reply is larger than 64 MiB, far larger than a real one"
)

var noon = time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)

// hastyClock goes on by itself when somebody waits for it, and remembers how long each wait was.
type hastyClock struct {
	*clockwork.FakeClock
	pauses []time.Duration
}

func newHastyClock() *hastyClock { return &hastyClock{FakeClock: clockwork.NewFakeClockAt(noon)} }

func (c *hastyClock) After(d time.Duration) <-chan time.Time {
	c.pauses = append(c.pauses, d)
	after := c.FakeClock.After(d)
	c.Advance(d)
	return after
}

func newCaller(t *testing.T, clock clockwork.Clock) *source.Caller {
	t.Helper()
	client := source.NewHTTPClient()
	client.Transport.(*http.Transport).Proxy = nil
	t.Cleanup(client.CloseIdleConnections)
	return &source.Caller{Source: "ENTSO-E", HTTP: client, Clock: clock, Secrets: []string{"", secret}, UserAgent: "courant/test"}
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func get(address string) func(context.Context) (*http.Request, error) {
	return func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	}
}

// withSecret is how the address of ENTSO-E holds its token.
func withSecret(address string) string {
	return address + "/api?securityToken=" + url.QueryEscape(secret)
}

func readAll(into *string) func(*source.Answer) error {
	return func(a *source.Answer) error {
		body, err := io.ReadAll(a.Body)
		*into = string(body)
		return err
	}
}

func discard(a *source.Answer) error {
	_, err := io.Copy(io.Discard, a.Body)
	return err
}

func faultOf(t *testing.T, err error) *source.Fault {
	t.Helper()
	var fault *source.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("error %v (%T) is no Fault", err, err)
	}
	return fault
}

// wantNoSecret fails if the text holds the secret in any form, or a recognisable part of it.
func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, form := range []string{secret, url.QueryEscape(secret), secret[:8], url.QueryEscape(secret)[:8], secret[8:]} {
		if strings.Contains(text, form) {
			t.Errorf("the secret shows as %q in: %s", form, text)
		}
	}
}

func TestACallIsTriedAgainWhereThatMayHelp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		statuses  []int // of the tries; the last one stays
		wantTries int
		want      *source.Fault
	}{
		{"a good answer", []int{200}, 1, nil},
		{"an empty answer", []int{204}, 1, nil},
		{"400 is left to the reader", []int{400}, 1, nil},
		{"401 is final", []int{401}, 1, &source.Fault{Status: 401, Message: "Unauthorized", Said: "the body"}},
		{"403 is final", []int{403}, 1, &source.Fault{Status: 403, Message: "Forbidden", Said: "the body"}},
		{"404 is final", []int{404}, 1, &source.Fault{Status: 404, Message: "Not Found", Said: "the body"}},
		{"413 is final", []int{413}, 1, &source.Fault{Status: 413, Message: "Request Entity Too Large", Said: "the body"}},
		{"an odd success is final", []int{206}, 1, &source.Fault{Status: 206, Message: "Partial Content", Said: "the body"}},
		{"a redirect to nowhere is final", []int{304}, 1, &source.Fault{Status: 304, Message: "Not Modified"}},
		{"408 is tried five times", []int{408}, 5, &source.Fault{Status: 408, Message: "Request Timeout", Said: "the body", Retryable: true}},
		{"429 is tried five times", []int{429}, 5, &source.Fault{Status: 429, Message: "Too Many Requests", Said: "the body", Retryable: true}},
		{"500 is tried five times", []int{500}, 5, &source.Fault{Status: 500, Message: "Internal Server Error", Said: "the body", Retryable: true}},
		{"503 is tried five times", []int{503}, 5, &source.Fault{Status: 503, Message: "Service Unavailable", Said: "the body", Retryable: true}},
		{"509 is tried five times", []int{509}, 5, &source.Fault{Status: 509, Message: "no success", Said: "the body", Retryable: true}},
		{"the fifth try may succeed", []int{503, 429, 408, 500, 200}, 5, nil},
		{"a final status ends the tries", []int{503, 404}, 2, &source.Fault{Status: 404, Message: "Not Found", Said: "the body"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries, built atomic.Int32
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				try := int(tries.Add(1))
				status := tt.statuses[min(try, len(tt.statuses))-1]
				w.WriteHeader(status)
				if status != 204 && status != 304 {
					io.WriteString(w, "the body")
				}
			})
			clock := newHastyClock()
			traffic, err := newCaller(t, clock).Call(t.Context(), "A44", func(ctx context.Context) (*http.Request, error) {
				built.Add(1)
				return get(address)(ctx)
			}, discard)
			if n := int(tries.Load()); n != tt.wantTries || int(built.Load()) != n || len(clock.pauses) != n-1 {
				t.Errorf("%d tries, %d requests built, %d pauses; want %d tries", n, built.Load(), len(clock.pauses), tt.wantTries)
			}
			if tt.want == nil {
				if err != nil {
					t.Fatal(err)
				}
			} else {
				tt.want.Source, tt.want.Call = "ENTSO-E", "A44"
				if diff := cmp.Diff(tt.want, faultOf(t, err)); diff != "" {
					t.Errorf("fault (-want +got):\n%s", diff)
				}
			}
			if traffic.Tries != tt.wantTries {
				t.Errorf("%d tries were counted, want %d", traffic.Tries, tt.wantTries)
			}
			if last := tt.statuses[len(tt.statuses)-1]; last != 204 && last != 304 && traffic.Bytes != int64(len("the body")*tt.wantTries) {
				t.Errorf("%d bytes were counted in %d tries", traffic.Bytes, tt.wantTries)
			}
		})
	}
}

func TestThePausesBetweenTriesGrow(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	clock := newHastyClock()
	if _, err := newCaller(t, clock).Call(t.Context(), "A44", get(address), discard); err == nil {
		t.Fatal("no error")
	}
	middles := []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
	if len(clock.pauses) != len(middles) {
		t.Fatalf("pauses %v", clock.pauses)
	}
	for i, middle := range middles {
		if pause := clock.pauses[i]; pause < middle/2 || pause > middle*3/2 {
			t.Errorf("pause %d is %v, not around %v", i+1, pause, middle)
		}
	}
}

func TestTheSourceSaysHowLongToPause(t *testing.T) {
	t.Parallel()
	jittered := func(pause time.Duration) bool { return pause >= time.Second && pause <= 3*time.Second }
	exactly := func(want time.Duration) func(time.Duration) bool {
		return func(pause time.Duration) bool { return pause == want }
	}
	const pause429 = 10 * time.Minute
	for _, tt := range []struct {
		name   string
		status int
		header string
		good   func(time.Duration) bool // nil: no second try
		asked  time.Duration            // that is told then
	}{
		{"seconds", 503, "7", exactly(7 * time.Second), 0},
		{"the longest that is obeyed", 503, "900", exactly(15 * time.Minute), 0},
		{"longer than is obeyed", 503, "901", nil, 901 * time.Second},
		{"longer than a day", 503, "86401", nil, 24 * time.Hour},
		{"absurdly long", 503, "99999999999", jittered, 0},
		{"beyond every integer", 503, strings.Repeat("9", 40), jittered, 0},
		{"a date", 503, noon.Add(42 * time.Second).Format(http.TimeFormat), exactly(42 * time.Second), 0},
		{"a date of tomorrow", 503, noon.AddDate(0, 0, 1).Format(http.TimeFormat), nil, 24 * time.Hour},
		{"a date of next week", 503, noon.AddDate(0, 0, 7).Format(http.TimeFormat), nil, 24 * time.Hour},
		{"a date that is over", 503, noon.Add(-time.Hour).Format(http.TimeFormat), jittered, 0},
		{"none", 503, "", jittered, 0},
		{"zero", 503, "0", jittered, 0},
		{"below zero", 503, "-5", jittered, 0},
		{"words", 503, "soon", jittered, 0},
		{"429 without a header", 429, "", exactly(pause429), 0},
		{"429 with a header", 429, "30", exactly(30 * time.Second), 0},
		{"429 with a useless header", 429, "soon", exactly(pause429), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1) == 1 {
					w.Header().Set("Retry-After", tt.header)
					w.WriteHeader(tt.status)
				}
			})
			clock := newHastyClock()
			caller := newCaller(t, clock)
			caller.Pause429 = pause429
			_, err := caller.Call(t.Context(), "A44", get(address), discard)
			if tt.good == nil {
				fault := faultOf(t, err)
				until := "; it wants to be left alone until " + clock.Now().Add(fault.RetryAfter).UTC().Format(time.RFC3339)
				if len(clock.pauses) != 0 || !fault.Retryable || fault.RetryAfter != tt.asked || !strings.HasSuffix(fault.Message, until) {
					t.Errorf("after pauses %v: %+v", clock.pauses, fault)
				}
				return
			}
			if err != nil || len(clock.pauses) != 1 || !tt.good(clock.pauses[0]) {
				t.Errorf("pauses %v, error %v", clock.pauses, err)
			}
		})
	}
}

func TestARefusedConnectionIsTriedAgainAndNamesNoAddress(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close()
	clock := newHastyClock()
	traffic, err := newCaller(t, clock).Call(t.Context(), "A44", get(withSecret(address)), discard)
	fault := faultOf(t, err)
	if !fault.Connection || !fault.Retryable || fault.Status != 0 || len(clock.pauses) != 4 || traffic != (source.Traffic{Tries: 5}) {
		t.Errorf("%+v after %d pauses, %+v", fault, len(clock.pauses), traffic)
	}
	if !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "/api") {
		t.Errorf("error: %v", err)
	}
	wantNoSecret(t, err.Error())
}

// transport answers without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAConnectionErrorIsExplained(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown name", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "web-api.tp.entsoe.eu"}},
			"the name web-api.tp.entsoe.eu is not found"},
		{"a name server that is busy", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "web-api.tp.entsoe.eu", IsTemporary: true}},
			"the name web-api.tp.entsoe.eu cannot be looked up: server misbehaving"},
		{"no answer", context.DeadlineExceeded, "no answer in time"},
		{"a network's time-out", &net.OpError{Op: "read", Err: &timeoutError{}}, "no answer in time"},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "the connection was reset"},
		{"cut", io.ErrUnexpectedEOF, "the connection ended in the middle of the reply"},
		{"closed", io.EOF, "the connection ended without a reply"},
		{"anything else", errors.New("tls: bad\ncertificate"), "tls: bad certificate"},
		{"the address again", fmt.Errorf("cannot reach ?securityToken=%s", url.QueryEscape(secret)), "cannot reach ?securityToken=[hidden]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			caller := newCaller(t, newHastyClock())
			caller.HTTP = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, tt.err })}
			_, err := caller.Call(t.Context(), "A44", get(withSecret("http://source.invalid")), discard)
			if fault := faultOf(t, err); fault.Message != tt.want || !fault.Connection || !fault.Retryable || !errors.Is(err, tt.err) {
				t.Errorf("%+v, want message %q", fault, tt.want)
			}
			wantNoSecret(t, err.Error())
		})
	}
}

type timeoutError struct{}

func (*timeoutError) Error() string   { return "i/o timeout" }
func (*timeoutError) Timeout() bool   { return true }
func (*timeoutError) Temporary() bool { return true }

func TestABodyThatIsCutIsAConnectionFaultAndTriedAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		first http.HandlerFunc
	}{
		{"before its length", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, strings.Repeat("x", 1000))
		}},
		{"before the first bytes that are looked at", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, "x")
		}},
		{"between chunks", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 1000))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"inside a compressed stream", func(w http.ResponseWriter, r *http.Request) {
			packed := pack(strings.Repeat("x", 1000))
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed[:len(packed)-6])
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1) == 1 {
					tt.first(w, r)
					return
				}
				io.WriteString(w, "whole")
			})
			var body string
			var faults []error
			traffic, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), func(a *source.Answer) error {
				err := readAll(&body)(a)
				faults = append(faults, err)
				return err
			})
			if err != nil || body != "whole" || tries.Load() != 2 || traffic.Bytes < int64(len("whole")) {
				t.Errorf("%q after %d tries, %d bytes, error %v; read errors %v", body, tries.Load(), traffic.Bytes, err, faults)
			}
		})
	}
	t.Run("every time", func(t *testing.T) {
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			io.WriteString(w, strings.Repeat("x", 1000))
		})
		// The reader's own words for the missing rest are not told.
		_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), func(a *source.Answer) error {
			discard(a)
			return errors.New("the document is no good")
		})
		fault := faultOf(t, err)
		if !fault.Connection || fault.Message != "the connection ended in the middle of the reply" {
			t.Errorf("%+v", fault)
		}
	})
}

func TestAnAnswerThatTheReaderRefusesIsFinal(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	for _, tt := range []struct {
		name string
		err  error
		want source.Fault
	}{
		{"in the reader's words", source.ErrTooWide, source.Fault{Message: source.ErrTooWide.Error()}},
		{"as a fault", &source.Fault{Source: "RTE", Call: "x", Status: 400, Message: "no"}, source.Fault{Source: "RTE", Call: "x", Status: 400, Message: "no"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := newHastyClock()
			traffic, err := newCaller(t, clock).Call(t.Context(), "A44", get(address), func(a *source.Answer) error { return tt.err })
			fault := faultOf(t, err)
			if len(clock.pauses) != 0 || traffic.Bytes != 2 || fault.Retryable || fault.Connection || fault.Message != tt.want.Message || fault.Status != tt.want.Status {
				t.Errorf("%+v after %d pauses, %d bytes", fault, len(clock.pauses), traffic.Bytes)
			}
			if errors.Is(tt.err, source.ErrTooWide) && !errors.Is(err, source.ErrTooWide) {
				t.Errorf("%v lost its cause", err)
			}
		})
	}
}

func TestACancelledCallEndsAtOnce(t *testing.T) {
	t.Parallel()
	failing := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }
	for _, tt := range []struct {
		name      string
		run       func(t *testing.T, ctx context.Context, cancel func()) error
		wantTries int32
	}{
		{"before it begins", func(t *testing.T, ctx context.Context, cancel func()) error {
			address := serve(t, failing)
			cancel()
			_, err := newCaller(t, newHastyClock()).Call(ctx, "A44", get(withSecret(address)), discard)
			return err
		}, 0},
		{"while it pauses", func(t *testing.T, ctx context.Context, cancel func()) error {
			address := serve(t, failing)
			clock := clockwork.NewFakeClockAt(noon)
			done := make(chan error)
			go func() {
				_, err := newCaller(t, clock).Call(ctx, "A44", get(withSecret(address)), discard)
				done <- err
			}()
			if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
				t.Fatal(err)
			}
			cancel()
			return await.Value(t, done)
		}, 1},
		{"while it waits for an answer", func(t *testing.T, ctx context.Context, cancel func()) error {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			})
			_, err := newCaller(t, newHastyClock()).Call(ctx, "A44", get(withSecret(address)), discard)
			return err
		}, 1},
		{"while it reads", func(t *testing.T, ctx context.Context, cancel func()) error {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, strings.Repeat("x", 1000))
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
			_, err := newCaller(t, newHastyClock()).Call(ctx, "A44", get(withSecret(address)), func(a *source.Answer) error {
				cancel()
				return discard(a)
			})
			return err
		}, 1},
		{"when no request can be made", func(t *testing.T, ctx context.Context, cancel func()) error {
			cancel()
			_, err := newCaller(t, newHastyClock()).Call(ctx, "A44", get(withSecret("http://a b")), discard)
			return err
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := tt.run(t, ctx, cancel)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			wantNoSecret(t, err.Error())
		})
	}
}

// endless is a body of spaces.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = ' '
	}
	e.left -= n
	return int(n), nil
}

func TestASourceThatSwitchesProtocolsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
		_ = buffered.Flush()
		_, _ = io.Copy(io.Discard, conn) // until the caller closes it
	})
	caller := newCaller(t, newHastyClock())
	_, err := caller.Call(t.Context(), "A44", get(address), discard)
	if fault := faultOf(t, err); fault.Status != http.StatusSwitchingProtocols {
		t.Errorf("%+v", fault)
	}
	response, err := source.ForTokens(caller.HTTP).Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || len(body) > 0 {
		t.Errorf("%q, %v", body, err)
	}
}

func TestAReplyIsReadUpToItsLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		bytes int64
		good  bool
	}{
		{"as large as may be", limitBytes, true},
		{"one byte larger", limitBytes + 1, false},
		{"without end", 1 << 50, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := newHastyClock()
			caller := newCaller(t, clock)
			caller.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: io.NopCloser(&endless{tt.bytes}), Request: r}, nil
			})}
			traffic, err := caller.Call(t.Context(), "A44", get("http://source.invalid"), discard)
			if tt.good {
				if err != nil || traffic.Bytes != tt.bytes {
					t.Errorf("%d bytes, error %v", traffic.Bytes, err)
				}
				return
			}
			fault := faultOf(t, err)
			if fault.Message != tooLarge || !fault.Unreadable || fault.Retryable || fault.Connection || len(clock.pauses) != 0 || traffic.Bytes > limitBytes+1<<20 {
				t.Errorf("%d bytes, %+v", traffic.Bytes, fault)
			}
		})
	}
}

func pack(text string) []byte {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	io.WriteString(w, text)
	w.Close()
	return packed.Bytes()
}

func TestACompressedReplyIsReadPlain(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip was not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(pack(`{"days":[]}`))
	})
	var body string
	var kind source.Kind
	traffic, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), func(a *source.Answer) error {
		kind = a.Kind
		return readAll(&body)(a)
	})
	if err != nil || kind != source.KindJSON || body != `{"days":[]}` || traffic.Bytes != int64(len(body)) {
		t.Errorf("%s %q, %d bytes, error %v", kind, body, traffic.Bytes, err)
	}
}

func TestAReplyThatSwellsWhenUnpackedIsLimitedToo(t *testing.T) {
	t.Parallel()
	swelling := pack(strings.Repeat(" ", limitBytes+1))
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(swelling)
	})
	_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), discard)
	if fault := faultOf(t, err); fault.Message != tooLarge || !fault.Unreadable {
		t.Errorf("%+v", fault)
	}
}

func TestARedirectIsFollowedToTheSameSchemeHostAndPortOnly(t *testing.T) {
	t.Parallel()
	const asked = "https://source.example/api"
	for _, tt := range []struct {
		name, to string
		followed bool
	}{
		{"another path", "/other", true},
		{"the whole address", "https://source.example/other", true},
		{"the port written out", "https://source.example:443/other", true},
		{"in capitals", "HTTPS://Source.Example/other", true},
		{"another host", "https://other.example/api", false},
		{"a host below it", "https://a.source.example/api", false},
		{"another port", "https://source.example:8443/api", false},
		{"the port of no TLS", "https://source.example:80/api", false},
		{"out of TLS", "http://source.example/api", false},
		{"out of TLS, same port", "http://source.example:443/api", false},
		{"no web address", "ftp://source.example/api", false},
		{"in a circle", asked, false},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%s by %d", tt.name, status), func(t *testing.T) {
				caller := newCaller(t, newHastyClock())
				var asks []string
				caller.HTTP.Transport = transport(func(r *http.Request) (*http.Response, error) {
					asks = append(asks, r.URL.String())
					answer := httptest.NewRecorder()
					if strings.HasSuffix(r.URL.Path, "/api") {
						answer.Header().Set("Location", tt.to)
						answer.WriteHeader(status)
					}
					response := answer.Result()
					response.Request = r
					return response, nil
				})
				_, err := caller.Call(t.Context(), "A44", get(asked+"?securityToken="+url.QueryEscape(secret)), discard)
				if tt.followed {
					if err != nil || len(asks) != 2 {
						t.Errorf("asked for %q, error %v", asks, err)
					}
					return
				}
				if fault := faultOf(t, err); fault.Message != "it redirects elsewhere" || fault.Connection || fault.Retryable {
					t.Errorf("%+v", fault)
				}
				wantNoSecret(t, err.Error())
				if tt.to != asked && len(asks) != 1 {
					t.Errorf("asked for %q", asks)
				}
			})
		}
	}
}

func TestNoMessageContainsASecret(t *testing.T) {
	t.Parallel()
	echo := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, text)
		}
	}
	encoded := url.QueryEscape(secret)
	refuse := func(a *source.Answer) error {
		return &source.Fault{Source: "ENTSO-E", Call: "A44", Status: a.Status, Message: "the reply is no good: " + a.Excerpt()}
	}
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		read   func(*source.Answer) error
	}{
		{"a page of a status", echo(404, "not found: "+secret), discard},
		{"a page of a status, encoded", echo(404, "not found: /api?securityToken="+encoded), discard},
		{"a page that is refused by the reader", echo(200, "<html><p>bad request "+secret+" "+encoded), refuse},
		{"words of the reader", echo(200, ""), func(*source.Answer) error { return errors.New("refused: " + encoded + " " + secret) }},
		{"words of the reader, in a fault", echo(400, ""), func(*source.Answer) error {
			return &source.Fault{Status: 400, Message: "refused: " + encoded + " " + secret}
		}},
		{"an excerpt cut inside the secret", echo(404, strings.Repeat("x ", 70)+"token="+secret+" and more"), discard},
		{"an excerpt cut inside the encoded secret", echo(400, strings.Repeat("x ", 70)+"token="+encoded+" and more"), refuse},
		{"a redirect that cannot be read", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://a b/?"+r.URL.RawQuery)
			w.WriteHeader(302)
		}, discard},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(withSecret(serve(t, tt.handle))), tt.read)
			wantNoSecret(t, faultOf(t, err).Error())
		})
	}
	t.Run("a request that cannot be made", func(t *testing.T) {
		_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(withSecret("http://a b")), discard)
		wantNoSecret(t, faultOf(t, err).Error())
	})
}

func TestAMessageIsOneLineThatCanBePrinted(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), func(*source.Answer) error {
		return &source.Fault{Message: "first\r\nsecond\x1b[31m \u009b2J \u202ethird  prix élevé €"}
	})
	if got, want := faultOf(t, err).Message, "first second [31m 2J third prix élevé €"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestTheProgramNamesItself(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "courant/test" {
			t.Errorf("User-Agent %q", got)
		}
	})
	if _, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), discard); err != nil {
		t.Error(err)
	}
}

func TestTheFormatOfAReplyIsRecognisedFromItsFirstBytes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		body string
		want source.Kind
	}{
		{"nothing", "", source.KindEmpty},
		{"white space", " \r\n\t", source.KindEmpty},
		{"a byte order mark alone", "\ufeff", source.KindEmpty},
		{"an object", `{"days":[]}`, source.KindJSON},
		{"an array after white space", "\n\n []", source.KindJSON},
		{"an object after a byte order mark", "\ufeff{}", source.KindJSON},
		{"an object that holds markup", `{"error":"<html>"}`, source.KindJSON},
		{"XML with a declaration", `<?xml version="1.0"?><a/>`, source.KindXML},
		{"XML without one", "<Publication_MarketDocument/>", source.KindXML},
		{"XML after a byte order mark", "\ufeff<?xml version=\"1.0\"?><a/>", source.KindXML},
		{"a page with a document type", "<!DOCTYPE html PUBLIC>", source.KindHTML},
		{"a page in capitals", "<HTML><BODY>", source.KindHTML},
		{"a page after a comment", "<!-- maintenance --><html>", source.KindHTML},
		{"a page that calls itself XML", `<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">`, source.KindHTML},
		{"an archive", "PK\x03\x04\x14\x00", source.KindZIP},
		{"words", "404 page not found", source.KindText},
		{"a number", "12", source.KindText},
		{"CSV", "start_date;end_date", source.KindText},
		{"long JSON", `{"days":[` + strings.Repeat(" ", 10_000) + `]}`, source.KindJSON},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/octet-stream") // is not believed
				io.WriteString(w, tt.body)
			})
			var kind source.Kind
			var body string
			_, err := newCaller(t, newHastyClock()).Call(t.Context(), "A44", get(address), func(a *source.Answer) error {
				kind = a.Kind
				return readAll(&body)(a)
			})
			if err != nil || kind != tt.want || strings.Join(strings.Fields(body), " ") != strings.Join(strings.Fields(tt.body), " ") {
				t.Errorf("%s with %q left to read, error %v; want %s of %d bytes", kind, body, err, tt.want, len(tt.body))
			}
		})
	}
}
