package main

import (
	"context"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"courant/ingest/simulator"
	"courant/store"
	"courant/store/market"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"courant": main, "courant-hasty": hasty})
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
