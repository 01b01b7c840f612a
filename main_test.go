package main

import (
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"courant/ingest/simulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"courant": main, "courant-hasty": hasty})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
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
