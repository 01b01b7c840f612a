package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"courant/ingest/simulator"
	"courant/store"
	"courant/store/market"
)

// exampleVariable has the programs of a test know the example of a configuration, wherever they are started.
const exampleVariable = "EXAMPLE_OF_A_CONFIGURATION"

func TestMain(m *testing.M) {
	if example, err := os.ReadFile("../../config.example.yaml"); err == nil {
		os.Setenv(exampleVariable, string(example))
	}
	testscript.Main(m, map[string]func(){"courant": courant, "courant-hasty": hasty})
}

// courant is the whole program.
func courant() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv(exampleVariable)))
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"waits": putApart},
		Setup: func(env *testscript.Env) error {
			sources, err := simulator.Start(simulator.Options{Now: time.Now})
			if err != nil {
				return err
			}
			env.Defer(func() { sources.Close() })
			env.Setenv(exampleVariable, os.Getenv(exampleVariable))
			for name, value := range simulatedSources(sources) {
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
		Batch: market.Batch{MFRR: []market.MFRRStep{
			{Start: start, Direction: market.Upward, ClearingPrice: market.Num(200_000), SubmittedOffersMW: market.Num(12.5)},
			{Start: start + market.QuarterSeconds, Direction: market.Upward, ClearingPrice: market.Num(-3.25)},
		}},
	})
	ts.Check(err)
}
