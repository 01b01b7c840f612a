package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store/storetest/await"
)

func TestCallsStartAnIntervalApart(t *testing.T) {
	t.Parallel()
	clock := newHastyClock()
	var starts []time.Duration // since noon
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		starts = append(starts, clock.Since(noon))
		switch len(starts) {
		case 1:
			clock.Advance(400 * time.Millisecond) // counts as waited
		case 3:
			clock.Advance(time.Hour) // then nobody waits
		}
	})
	caller := newCaller(t, clock)
	caller.Line = source.NewLine(clock, time.Second)
	for range 4 {
		if _, err := caller.Call(t.Context(), "A44", get(address), discard); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{0, time.Second, 2 * time.Second, time.Hour + 2*time.Second}, starts); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{600 * time.Millisecond, time.Second}, clock.pauses); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestTheIntervalCountsFromWhenTheRequestGoesOut(t *testing.T) {
	t.Parallel()
	clock := newHastyClock()
	address := serve(t, func(http.ResponseWriter, *http.Request) {})
	caller := newCaller(t, clock)
	caller.Line = source.NewLine(clock, time.Second)
	for range 2 {
		if _, err := caller.Call(t.Context(), "A44", func(ctx context.Context) (*http.Request, error) {
			clock.Advance(700 * time.Millisecond) // as long as a token may take
			return get(address)(ctx)
		}, discard); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second}, clock.pauses); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestAnotherTryWaitsForItsTurnToo(t *testing.T) {
	t.Parallel()
	clock := newHastyClock()
	var starts []time.Time
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if starts = append(starts, clock.Now()); len(starts) == 1 {
			w.WriteHeader(503)
		}
	})
	caller := newCaller(t, clock)
	caller.Line = source.NewLine(clock, time.Minute)
	if _, err := caller.Call(t.Context(), "A44", get(address), discard); err != nil {
		t.Fatal(err)
	}
	// The pause after the fault is shorter than the interval; the line adds the rest.
	if len(clock.pauses) != 2 || len(starts) != 2 || starts[1].Sub(starts[0]) != time.Minute {
		t.Errorf("starts %v, waits %v", starts, clock.pauses)
	}
}

func TestOneCallOfALineIsUnderWayUntilItsAnswerIsRead(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "body") })
	caller := newCaller(t, clockwork.NewFakeClockAt(noon))
	caller.Line = source.NewLine(caller.Clock, 0)
	var underWay, most atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := caller.Call(t.Context(), "A44", func(ctx context.Context) (*http.Request, error) {
				if n := underWay.Add(1); n > most.Load() {
					most.Store(n)
				}
				runtime.Gosched()
				return get(address)(ctx)
			}, func(a *source.Answer) error {
				runtime.Gosched()
				defer underWay.Add(-1)
				return discard(a)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d calls were under way at once", most.Load())
	}
}

func TestWhoIsCancelledLeavesTheLine(t *testing.T) {
	t.Parallel()
	address := serve(t, func(http.ResponseWriter, *http.Request) {})
	clock := clockwork.NewFakeClockAt(noon)
	caller := newCaller(t, clock)
	caller.Line = source.NewLine(clock, time.Second)
	call := func(ctx context.Context) error {
		_, err := caller.Call(ctx, "A44", get(address), discard)
		return err
	}
	if err := call(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	for range 2 { // one waits for the interval to end, one behind it
		go func() { ended <- call(ctx) }()
	}
	if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 2 {
		if err := await.Value(t, ended); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	clock.Advance(time.Second)
	if err := call(t.Context()); err != nil {
		t.Errorf("the turn was not given back: %v", err)
	}
}

func TestWhoFailsLeavesTheLine(t *testing.T) {
	t.Parallel()
	caller := newCaller(t, newHastyClock())
	caller.Line = source.NewLine(caller.Clock, 0)
	for range 2 {
		if _, err := caller.Call(t.Context(), "A44", func(context.Context) (*http.Request, error) {
			return nil, &source.Fault{Message: "no token"}
		}, discard); faultOf(t, err).Message != "no token" {
			t.Error(err)
		}
	}
}

func TestLinesAreForAHostOrForAResource(t *testing.T) {
	t.Parallel()
	clock := clockwork.NewFakeClockAt(noon)
	shared := source.OneLineEachHost(clock, time.Second)
	one := shared.To("https://web-api.tp.entsoe.eu/api")
	if one == nil || one != shared.To("https://WEB-API.tp.entsoe.eu/other") {
		t.Error("a host has two lines")
	}
	if one == shared.To("https://digital.iservices.rte-france.com") || one == shared.To("https://web-api.tp.entsoe.eu:8443/api") {
		t.Error("two hosts share a line")
	}
	if shared.To("http://a b") == nil {
		t.Error("an address that is none has no line")
	}
	own := source.OneLineEachResource(clock, time.Second)
	if first := own.To("http://a"); first == nil || first == own.To("http://a") {
		t.Error("two resources share a line")
	}
	if source.Lines(nil).To("http://a") != nil {
		t.Error("there is a line where there are none")
	}
}

func TestAPauseBeforeARetryIsReported(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(503)
		io.WriteString(w, "busy: "+r.URL.RequestURI())
	})
	clock := newHastyClock()
	caller := newCaller(t, clock)
	var tries []int
	var pauses []time.Duration
	var text bytes.Buffer
	logged := source.LogRetries(slog.New(slog.NewTextHandler(&text, nil)))
	caller.Retrying = func(fault *source.Fault, try int, pause time.Duration) {
		if len(clock.pauses) != len(pauses) {
			t.Error("it is told after the pause")
		}
		tries, pauses = append(tries, try), append(pauses, pause)
		logged(fault, try, pause)
	}
	if _, err := caller.Call(t.Context(), "A44", get(withSecret(address)), discard); faultOf(t, err).Status != 503 {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5}, tries); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(clock.pauses, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if strings.Count(text.String(), "\n") != 4 || !strings.Contains(text.String(),
		`level=WARN msg="source called again" source=ENTSO-E call=A44 try=2 pause=`) {
		t.Errorf("log:\n%s", text.String())
	}
	wantNoSecret(t, text.String())
}

func TestALogReadsThePauseInWords(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	fault := &source.Fault{Source: "ENTSO-E", Call: "A44", Status: 429, Message: "too many"}
	source.LogRetries(slog.New(slog.NewTextHandler(&text, nil)))(fault, 2, 10*time.Minute)
	if !strings.HasSuffix(text.String(), `pause=10m0s error="ENTSO-E: A44: status 429: too many"`+"\n") {
		t.Errorf("log: %s", text.String())
	}
	if source.LogRetries(nil) != nil {
		t.Error("no log is written to")
	}
}

func TestARepairedRequestIsRetriedWithoutAPause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		mends  int // how often
		tries  int32
		pauses int
	}{
		{"never", 0, 1, 0},
		{"once", 1, 2, 0},
		{"always", 100, 5, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				w.WriteHeader(401)
			})
			clock := newHastyClock()
			caller := newCaller(t, clock)
			mends := tt.mends
			caller.Mended = func(fault *source.Fault) bool {
				mends--
				return fault.Status == 401 && mends >= 0
			}
			_, err := caller.Call(t.Context(), "A44", get(address), discard)
			if fault := faultOf(t, err); fault.Status != 401 || tries.Load() != tt.tries || len(clock.pauses) != tt.pauses {
				t.Errorf("%+v after %d tries and pauses %v", fault, tries.Load(), clock.pauses)
			}
		})
	}
}

func TestAReplyThatCannotBeUnpackedIsNoFaultOfTheConnection(t *testing.T) {
	t.Parallel()
	damaged := pack(strings.Repeat("courant ", 1000))
	checksum := bytes.Clone(damaged)
	checksum[len(checksum)-6] ^= 0xff
	stream := bytes.Clone(damaged)
	copy(stream[12:], "\xff\xff\xff\xff\xff\xff")
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"words", []byte("maintenance, come back soon"), "the reply cannot be unpacked: " + gzip.ErrHeader.Error()},
		{"a checksum that is wrong", checksum, "the reply cannot be unpacked: " + gzip.ErrChecksum.Error()},
		{"a stream that is damaged", stream, "the reply cannot be unpacked: flate: corrupt input before offset "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Write(tt.body)
			})
			clock := newHastyClock()
			_, err := newCaller(t, clock).Call(t.Context(), "A44", get(address), discard)
			if fault := faultOf(t, err); fault.Connection || fault.Retryable || len(clock.pauses) != 0 || !strings.HasPrefix(fault.Message, tt.want) {
				t.Errorf("%+v after pauses %v", fault, clock.pauses)
			}
		})
	}
}
