package command

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/rogpeppe/go-internal/testscript"

	"courant/ingest/simulator"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// exampleVariable has the programs of a test know the example of a configuration, wherever they are started.
const exampleVariable = "EXAMPLE_OF_A_CONFIGURATION"

func TestMain(m *testing.M) {
	if example, err := os.ReadFile("../../config.example.yaml"); err == nil {
		os.Setenv(exampleVariable, string(example))
	}
	testscript.Main(m, map[string]func(){"courant": courant})
}

// courant is the whole program, without the pause between two calls to a source.
func courant() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Clock: clockwork.NewRealClock(), example: os.Getenv(exampleVariable)}
	os.Exit(p.Execute(ctx, os.Args[1:]))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:         "testdata/script",
		WorkdirRoot: storetest.Folder(t),
		Cmds:        map[string]func(*testscript.TestScript, bool, []string){"waits": putApart},
		Setup: func(env *testscript.Env) error {
			sources, err := simulator.Start(simulator.Options{Now: time.Now})
			if err != nil {
				return err
			}
			env.Defer(func() { sources.Close() })
			env.Setenv(exampleVariable, os.Getenv(exampleVariable))
			for name, value := range sourcesOf(sources) {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}

// putApart has a refused date of mFRR energy wait in the script's database: waits DATE.
func putApart(ts *testscript.TestScript, _ bool, args []string) {
	date, err := market.ParseDeliveryDate(args[0])
	ts.Check(err)
	db, err := store.Open(context.Background(), ts.MkAbs("courant.db"))
	ts.Check(err)
	defer db.Close()
	start := date.Period().Start
	_, err = db.Quarantine(context.Background(), store.Quarantined{
		Dataset: market.MFRREnergy, Date: date, Kind: market.WaitsRefused, Reason: "a price of 200000 EUR/MWh is out of bounds", Seen: date.End(),
		Batch: market.MFRR.Batch([]market.MFRRStep{
			{Start: start, Direction: market.Upward, ClearingPrice: market.Num(200_000), SubmittedOffersMW: market.Num(12.5)},
			{Start: start + market.QuarterSeconds, Direction: market.Upward, ClearingPrice: market.Num(-3.25)},
		}),
	})
	ts.Check(err)
}

// sourcesOf is the environment of a Courant that reads from simulated sources.
func sourcesOf(sources *simulator.Servers) map[string]string {
	return map[string]string{
		"COURANT_RTE_BASE_URL": sources.RTEURL, "COURANT_RTE_CLIENT_ID": simulator.ClientID, "COURANT_RTE_CLIENT_SECRET": simulator.ClientSecret,
		"COURANT_ENTSOE_BASE_URL": sources.ENTSOEURL, "COURANT_ENTSOE_SECURITY_TOKEN": simulator.SecurityToken,
		"COURANT_LOG_LEVEL": "error", "COURANT_SERVER_ADDR": "127.0.0.1:0",
	}
}

// desk is where commands are given, in a folder of its own, with simulated sources and a clock that stands.
type desk struct {
	t     *testing.T
	clock clockwork.Clock
}

func newDesk(t *testing.T, now time.Time) *desk {
	t.Helper()
	d := &desk{t: t, clock: clockwork.NewFakeClockAt(now)}
	sources, err := simulator.Start(simulator.Options{Now: d.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sources.Close() })
	t.Chdir(t.TempDir())
	for name, value := range sourcesOf(sources) {
		t.Setenv(name, value)
	}
	return d
}

// do runs a command that has to succeed and returns what it prints.
func (d *desk) do(stdin string, args ...string) string {
	d.t.Helper()
	var out, problems bytes.Buffer
	p := &Program{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &problems, Clock: d.clock}
	if code := p.Execute(d.t.Context(), args); code != ExitDone {
		d.t.Fatalf("courant %s: exit %d: %s", strings.Join(args, " "), code, problems.String())
	}
	return out.String()
}

func valueOf[V any](value V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
