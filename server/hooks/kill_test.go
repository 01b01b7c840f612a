package hooks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// kills is how often the child is killed: -long -kills 100.
var kills = flag.Int("kills", 3, "how often the child of the crash test is killed")

// childVariable is the environment variable with the database in which a copy of this test program commits and notifies.
const childVariable = "COURANT_HOOKS_TEST_CHILD"

// notifyUntilKilled commits one delivery date after the other, writes a line after each, and notifies hooks beside that.
func notifyUntilKilled(path string) int {
	ctx := context.Background()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	db, err := store.Open(ctx, path)
	if err != nil {
		return fail(err)
	}
	clock := clockwork.NewRealClock()
	s := hooks.New(hooks.Options{
		Store: db, Auth: auth.New(auth.Options{Store: db, Clock: clock}), Clock: clock, Log: slog.New(slog.DiscardHandler), AllowPrivate: true,
		Report: func(context.Context, bool) (report.Report, error) { return report.Report{}, nil },
	})
	go s.Run(ctx)
	extent, err := db.Extent(ctx, market.DayAheadPrices)
	if err != nil {
		return fail(err)
	}
	for date := after(extent.Last, day); ; date = date.Add(1) {
		if err := commit(ctx, db, clock.Now(), prices(date, 1, nil)); err != nil {
			return fail(err)
		}
		s.Wake()
		if _, err := fmt.Println(date); err != nil {
			return fail(err)
		}
	}
}

// after returns the date after the last one, or the first one if there is none.
func after(last, first market.DeliveryDate) market.DeliveryDate {
	if last.IsZero() {
		return first
	}
	return last.Add(1)
}

func TestAKillLosesNoDelivery(t *testing.T) {
	storetest.Long(t)
	got := make(chan [2]string, 10_000)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Data struct{ Date string } }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		got <- [2]string{m.Data.Date, r.Header.Get("Webhook-Id")}
	}))
	defer receiver.Close()
	path := filepath.Join(t.TempDir(), "courant.db")
	db, err := store.Open(t.Context(), path)
	must(t, err)
	defer db.Close()
	clock := clockwork.NewRealClock()
	accounts := auth.New(auth.Options{Store: db, Clock: clock})
	must(t, db.AddAccount(t.Context(), store.Note{}, store.Account{Email: "anne@example.org", Role: store.Administrator, Created: clock.Now()}))
	caller, err := accounts.IdentityOf(t.Context(), 1)
	must(t, err)
	service := hooks.New(hooks.Options{
		Store: db, Auth: accounts, Clock: clock, Log: slog.New(slog.DiscardHandler), AllowPrivate: true,
		Report: func(context.Context, bool) (report.Report, error) { return report.Report{}, nil },
	})
	_, err = service.Add(t.Context(), caller, hooks.Request{URL: receiver.URL, Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}})
	must(t, err)
	for kill := range *kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for range 3 + 4*(kill%5) {
			if !lines.Scan() {
				t.Fatal("the child has ended")
			}
		}
		must(t, cmd.Process.Kill())
		for lines.Scan() {
		}
		_ = cmd.Wait()
	}
	for waiting := 1; waiting > 0; { // one delivery of a hook after the other
		must(t, service.Step(t.Context()))
		waiting, err = db.WaitingDeliveries(t.Context())
		must(t, err)
	}
	extent, err := db.Extent(t.Context(), market.DayAheadPrices)
	must(t, err)
	ids := map[string]string{} // by date
	for len(got) > 0 {
		found := <-got
		if id, known := ids[found[0]]; known && id != found[1] {
			t.Errorf("%s was queued twice: %s and %s", found[0], id, found[1])
		}
		ids[found[0]] = found[1]
	}
	if dates := len(market.Dates(day, extent.Last)); len(ids) != dates {
		t.Errorf("%d of %d dates were delivered", len(ids), dates)
	}
	t.Logf("%d kills, %d dates", *kills, len(ids))
}
