package server_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/simulator"
)

// load is what a service takes of its machine.
type load struct {
	goroutines, handles int
	resident            int // MiB
}

// most is each of two loads where it is larger.
func (l load) most(other load) load {
	return load{max(l.goroutines, other.goroutines), max(l.handles, other.handles), max(l.resident, other.resident)}
}

// loaded is a service with simulated sources, in a process of its own, that is measured while others press on it.
type loaded struct {
	*process
	address, token string
}

// underLoad starts a service as on a machine with one core and 1 GB, unless the environment says otherwise, in a folder of its own. Its
// log tells which runs of feeds end.
func underLoad(t *testing.T, sources *simulator.Servers, environ ...string) *loaded {
	t.Helper()
	moveInto(t, sources)
	h := &house{t: t, clock: clockwork.NewRealClock()}
	h.addToken()
	environ = append([]string{"GOMEMLIMIT=800MiB", "GOMAXPROCS=1", "COURANT_API_RATE_LIMIT_PER_MINUTE=1000000", "COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}, environ...)
	l := &loaded{process: startProgram(t, "courant-hasty", environ, true, "serve"), token: h.token}
	l.address = l.await(`"msg":"serving","address":"([^"]+)"`)[1]
	return l
}

// drain reads the log, so that the service is not held up by a full pipe, and counts the runs of feeds by their outcome.
func (l *loaded) drain() (outcomes func() map[string]int) {
	var mu sync.Mutex
	counted := map[string]int{}
	go func() {
		for l.lines.Scan() {
			if groups := outcomeField.FindStringSubmatch(l.lines.Text()); groups != nil {
				mu.Lock()
				counted[groups[1]]++
				mu.Unlock()
			}
		}
	}()
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(counted)
	}
}

// get asks for a path by a connection of its own and tells the status.
func (l *loaded) get(ctx context.Context, path string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.address+path, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Close = true
	request.Header.Set("Authorization", "Bearer "+l.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

var (
	outcomeField  = regexp.MustCompile(`"msg":"feed run".*"outcome":"(\w+)"`)
	goroutineLine = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)
)

// measure reads the load from /proc and /metrics.
func (l *loaded) measure() load {
	l.t.Helper()
	handles, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.cmd.Process.Pid))
	if err != nil {
		l.t.Fatal(err)
	}
	_, metrics, err := l.get(l.t.Context(), "/metrics")
	if err != nil {
		l.t.Fatal(err)
	}
	groups := goroutineLine.FindSubmatch(metrics)
	if groups == nil {
		l.t.Fatalf("no %s", goroutineLine)
	}
	goroutines := must(strconv.Atoi(string(groups[1])))(l.t)
	return load{goroutines, len(handles), memoryOf(l.t, l.cmd.Process.Pid, "VmRSS") / 1024}
}

// times are how long things took.
type times []time.Duration

// quantile is the time within which this part of them was done; 0 of none.
func (t times) quantile(part float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[max(0, int(math.Ceil(part*float64(len(t))))-1)]
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/1e6) }
