package server_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/report"
	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store/market"
)

var soak = flag.Duration("soak", 0, "have a service work for so long, and look whether it grows")

const (
	soakRate  = 50 // requests a second
	soakParts = 10 // of the time, each a row of the table; the first four are for warming up
)

// soakPages are asked for in turn, and answered with 200 but where another status is named.
var soakPages = []struct {
	path   string
	status int
}{
	{"/api/day-ahead-prices", 0}, {"/api/fcr-capacity", 0}, {"/api/afrr-capacity", 0}, {"/api/mfrr-capacity", 0},
	{"/api/afrr-energy", 0}, {"/api/mfrr-energy", 0}, {"/api/balancing-capacity", 0}, {"/api/balancing-energy", 0},
	{"/api/status", 0}, {"/api/openapi.json", 0}, {"/healthz", 0}, {"/readyz", 0}, {"/metrics", 0}, {"/api/nothing", http.StatusNotFound},
	{"/", 0}, {"/prix", 0}, {"/capacite", 0}, {"/energie", 0}, {"/etat", 0}, {"/status", 0}, {"/docs", 0}, {"/docs/jetons", 0}, {"/offres", 0}, {"/compte", 0},
	{"/administration", 0}, {"/administration/journal", 0}, {"/csv/fr/day-ahead-prices", 0}, {"/csv/en/afrr-energy", 0},
}

// A service on one core and 1 GB collects all feeds, whose sources fail in many ways, makes backups and answers soakRate requests a
// second. No answer may have another status than it should, and once it is warm the service must not grow.
//
// go test ./server -run Soak -soak 2h -timeout 3h -v
func TestASoakedServiceAnswersAndDoesNotGrow(t *testing.T) {
	if *soak == 0 {
		t.Skip("a service is soaked with -soak 2h")
	}
	switches := new(simulator.Switches)
	sources, err := simulator.Start(simulator.Options{Now: time.Now, Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	faults := command.NewDemoScript(switches, clockwork.NewRealClock(), slog.New(slog.DiscardHandler), func(context.Context) (report.Report, error) { return report.Report{}, nil })
	soon := time.Now().In(market.Paris).Add(2 * time.Minute)
	backups := t.TempDir()
	environ := []string{"COURANT_BACKUP_TO=" + backups, "COURANT_BACKUP_SCHEDULE=" + soon.Format("15:04")}
	for _, feed := range []string{"DAY_AHEAD_PRICES", "CAPACITY", "AFRR_ENERGY", "MFRR_ENERGY"} {
		environ = append(environ, "COURANT_INGEST_"+feed+"_EVERY=1m", "COURANT_INGEST_"+feed+"_FROM=00:00", "COURANT_INGEST_"+feed+"_TO=24:00")
	}
	l := underLoad(t, sources, environ...)
	outcomes := l.drain()
	get(t, l.address+"/api/balancing-capacity", l.token, func(_ *http.Response, body []byte) bool { return len(body) > 900_000 })
	ctx, stop := context.WithTimeout(t.Context(), *soak)
	defer stop()
	var beside sync.WaitGroup
	beside.Go(func() { faults.Play(ctx) })
	beside.Go(func() { l.backUp(ctx, t) })

	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "minutes\trequests\tmedian ms\t99 % ms\tlongest ms\tMiB\tgoroutines\thandles\truns of feeds")
	var parts []load
	client := l.signedIn(t)
	for part := range soakParts {
		took, most := l.press(ctx, t, client, *soak/soakParts)
		parts = append(parts, most)
		fmt.Fprintf(table, "%.1f\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%v\n", (*soak / soakParts * time.Duration(part+1)).Minutes(), len(took), milliseconds(took.quantile(.5)),
			milliseconds(took.quantile(.99)), milliseconds(took.quantile(1)), most.resident, most.goroutines, most.handles, outcomes())
	}
	stop()
	beside.Wait()
	table.Flush()
	// A scrape begins up to a hundred goroutines itself.
	warm, late := load{}.most(parts[4]).most(parts[5]).most(parts[6]), load{}.most(parts[7]).most(parts[8]).most(parts[9])
	if late.goroutines > warm.goroutines+150 || late.handles > warm.handles+20 || late.resident > warm.resident*5/4 {
		t.Errorf("it grows: from %+v to %+v", warm, late)
	}
	if late.resident > 1024 {
		t.Errorf("%d MiB are more than the machine has", late.resident)
	}
	newest := time.Time{}
	for _, file := range must(os.ReadDir(backups))(t) {
		newest = must(file.Info())(t).ModTime()
	}
	if *soak > 3*time.Minute && newest.Before(soon.Truncate(time.Minute)) {
		t.Errorf("no backup was made at %s: the newest is of %s", soon.Format("15:04"), newest)
	}
	if code := l.end(os.Interrupt); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
}

// backUp makes a backup every three minutes, by a command beside the service.
func (l *loaded) backUp(ctx context.Context, t *testing.T) {
	tick := time.NewTicker(3 * time.Minute)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		file := fmt.Sprintf("soak-%d.zst", n)
		if code := startProgram(t, "courant", nil, false, "backup", file).finish(); code != command.ExitDone {
			t.Errorf("backup: exit %d", code)
		}
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
}

// signedIn is a client with a session in the pages.
func (l *loaded) signedIn(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: letGo}
	response, err := client.PostForm(l.address+"/login", url.Values{"email": {"anne@example.org"}, "password": {"a phrase of four words"}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Request.URL.Path != "/" {
		t.Fatalf("signed in: %s at %s", response.Status, response.Request.URL)
	}
	return client
}

// press asks for all pages, one after the other and again, soakRate times a second, until the time is over.
func (l *loaded) press(ctx context.Context, t *testing.T, client *http.Client, span time.Duration) (took times, most load) {
	t.Helper()
	due := make(chan int)
	var mu sync.Mutex
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for n := range due {
				begun := time.Now()
				l.ask(ctx, t, client, n)
				mu.Lock()
				took = append(took, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	requests := int(span.Seconds() * soakRate)
	tick := time.NewTicker(time.Second / soakRate)
	defer tick.Stop()
	for n := range requests {
		<-tick.C
		due <- n
		if n%(5*soakRate) == 0 {
			most = most.most(l.measure())
		}
	}
	close(due)
	asking.Wait()
	return took, most
}

// ask asks for one page, those of the API by a token.
func (l *loaded) ask(ctx context.Context, t *testing.T, client *http.Client, n int) {
	page := soakPages[n%len(soakPages)]
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, l.address+page.path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	if strings.HasPrefix(page.path, "/api/") {
		request.Header.Set("Authorization", "Bearer "+l.token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("%s: %v", page.path, err)
	}
	if want := max(page.status, http.StatusOK); response.StatusCode != want {
		t.Errorf("%s: %s, want %d", page.path, response.Status, want)
	}
}
