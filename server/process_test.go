package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"courant/ingest/simulator"
	"courant/server"
	"courant/server/command"
	"courant/server/config"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest/await"
)

// process is a courant in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner // of standard output or of the log
}

// start runs courant; its log is read where it is asked for, else its standard output.
func start(t *testing.T, environ []string, readLog bool, args ...string) *process {
	t.Helper()
	return startProgram(t, "courant", environ, readLog, args...)
}

// startProgram is start of one of the programs that TestMain knows.
func startProgram(t *testing.T, name string, environ []string, readLog bool, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), environ...)
	pipe := cmd.StdoutPipe
	if readLog {
		pipe = cmd.StderrPipe
	}
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{t, cmd, bufio.NewScanner(out)}
}

// patience is how long a process may take to write a line that is waited for, or to end.
const patience = 2 * time.Minute

// await reads lines until one matches and returns its groups.
func (p *process) await(pattern string) []string {
	p.t.Helper()
	limit := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer limit.Stop()
	wanted, last := regexp.MustCompile(pattern), ""
	for p.lines.Scan() {
		last = p.lines.Text()
		if groups := wanted.FindStringSubmatch(last); groups != nil {
			return groups
		}
	}
	p.t.Fatalf("courant ended without a line like %s; its last one is %s", pattern, last)
	return nil
}

// end sends a signal and tells the exit code.
func (p *process) end(signal os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return p.finish()
}

// finish waits for the end and tells the exit code.
func (p *process) finish() int {
	p.t.Helper()
	limit := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer limit.Stop()
	for p.lines.Scan() { // so that the process is not held up by a full pipe
	}
	var failed *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &failed) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// pollPause lets the service work between two requests that wait for its state to change.
const pollPause = 20 * time.Millisecond

// get asks until the answer is what is waited for.
func get(t *testing.T, url, token string, wanted func(*http.Response, []byte) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if wanted(response, body) {
			return
		}
		time.Sleep(pollPause)
	}
}

func TestDemoServesSimulatedDataAndLeavesNothingBehind(t *testing.T) {
	temporary := t.TempDir()
	p := start(t, []string{"TMPDIR=" + temporary, "COURANT_SERVER_ADDR=ignored", "COURANT_NONSENSE=1"}, false, "demo")
	link := p.await(`open +(http://127\.0\.0\.1:\d+/login\?key=\w+)$`)[1]
	address := p.await(`address +(http://127\.0\.0\.1:\d+)$`)[1]
	p.await(`password +[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}$`)
	token := p.await(`token +(crt_\w+)$`)[1]
	p.await(`^  curl .*` + token)
	for _, status := range []int{http.StatusSeeOther, http.StatusOK} { // it signs in once; then it shows the form
		response, err := http.DefaultTransport.RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, link, nil))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("the link answers %d, want %d", response.StatusCode, status)
		}
	}
	for _, path := range []string{"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity"} {
		get(t, address+"/api/"+path, token, func(response *http.Response, body []byte) bool {
			if response.Header.Get("X-Courant-Data") != "simulated" {
				t.Errorf("%s does not say that it is simulated", path)
			}
			var answer struct{ Rows []json.RawMessage }
			return json.Unmarshal(body, &answer) == nil && len(answer.Rows) >= 28*24
		})
	}
	for _, path := range []string{"afrr-energy", "mfrr-energy"} {
		get(t, address+"/api/"+path, token, func(_ *http.Response, body []byte) bool {
			var answer struct{ RowCount int }
			return json.Unmarshal(body, &answer) == nil && answer.RowCount > 0
		})
	}
	if code := p.end(os.Interrupt); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// hangingRTE is an RTE of which the aFRR resource never answers; asked is closed when it is called.
func hangingRTE(t *testing.T) (url string, asked <-chan struct{}) {
	t.Helper()
	called := make(chan struct{}, 10)
	answers := simulator.RTE(simulator.Options{Now: time.Now})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "afrr_marginal_price") {
			w.WriteHeader(http.StatusOK)
			io.WriteString(w, `{"days":[`)
			w.(http.Flusher).Flush()
			called <- struct{}{}
			<-r.Context().Done()
			return
		}
		answers.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, called
}

func TestServeEndsWellInTheMiddleOfAFetch(t *testing.T) {
	t.Chdir(t.TempDir())
	url, asked := hangingRTE(t)
	environ := []string{"COURANT_RTE_BASE_URL=" + url, "COURANT_RTE_CLIENT_ID=" + simulator.ClientID,
		"COURANT_RTE_CLIENT_SECRET=" + simulator.ClientSecret, "COURANT_SERVER_ADDR=127.0.0.1:0", "COURANT_LOG_FORMAT=json"}
	for range 2 { // the second start goes on after the first
		p := start(t, environ, true, "serve")
		await.Value(t, asked)
		p.await(`"feed":"capacity".*"outcome":"ok"`)
		if code := p.end(syscall.SIGTERM); code != command.ExitDone {
			t.Errorf("exit %d", code)
		}
		db, err := store.Open(t.Context(), "courant.db")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.IntegrityCheck(t.Context()), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestASecondServeIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	environ := []string{"COURANT_SERVER_ADDR=127.0.0.1:0", "COURANT_LOG_FORMAT=json"}
	p := start(t, environ, true, "serve")
	p.await(`"msg":"serving"`)
	second := start(t, environ, true, "serve")
	second.await(`^courant: courant\.db: another courant serve uses it$`)
	for second.lines.Scan() {
	}
	if second.cmd.Wait(); second.cmd.ProcessState.ExitCode() != command.ExitFailed {
		t.Errorf("exit %d", second.cmd.ProcessState.ExitCode())
	}
	if code := p.end(syscall.SIGTERM); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
}

func TestWhatAnotherProcessFetchesIsServed(t *testing.T) {
	h := newHouse(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	t.Setenv("COURANT_INGEST_ENABLED", "false")
	t.Setenv("COURANT_API_RATE_LIMIT_PER_MINUTE", "1000000") // the clock stands, so it would not refill
	cfg, _, err := config.Load("", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), cfg, server.Options{Clock: h.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
	await.Value(t, ready)
	rows := func(wanted int) func(*http.Response, []byte) bool {
		return func(_ *http.Response, body []byte) bool {
			var answer struct{ Rows []json.RawMessage }
			return json.Unmarshal(body, &answer) == nil && len(answer.Rows) == wanted
		}
	}
	url := "http://" + s.Addr() + "/api/day-ahead-prices"
	get(t, url, h.token, rows(0))
	h.do("", "fetch", "day-ahead-prices", "--from", "yesterday", "--to", "today")
	get(t, url, h.token, rows(192))
	h.do("", "token", "revoke", h.token[:12])
	get(t, url, h.token, func(response *http.Response, _ []byte) bool { return response.StatusCode == http.StatusUnauthorized })
	stop()
	if err := errors.Join(await.Value(t, ended), s.Close()); err != nil {
		t.Error(err)
	}
}
