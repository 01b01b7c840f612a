package server_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/server/command"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// exportedRows makes a database at path with rows of three months: enough 4 s steps that an export takes a while.
func exportedRows(t *testing.T, path string) {
	t.Helper()
	db := storetest.Open(t, path)
	for month := time.September; month <= time.November; month++ {
		var steps []market.AFRRStep
		var prices []market.Price
		for _, date := range market.Dates(market.NewDeliveryDate(2026, month, 1), market.NewDeliveryDate(2026, month, 3)) {
			for start := date.Period().Start; start < date.Period().End; start += market.AFRRSeconds {
				steps = append(steps, market.AFRRStep{Start: start, UpwardPrice: market.Num(float64(start % 4001)), DemandMW: market.Num(float64(start % 997))})
			}
			prices = append(prices, market.Price{Start: date.Period().Start, Resolution: market.PT15M, Price: market.Num(1)})
		}
		run := &store.Run{Feed: "test", Datasets: []market.Dataset{market.AFRREnergy, market.DayAheadPrices}, Ended: time.Now(), Outcome: store.OutcomeOK}
		if err := db.Commit(t.Context(), run, market.AFRR.Batch(steps).With(market.Prices.Batch(prices))); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// filesUnder are the files of an exported folder with their content, and apart from them the names in its _courant.
func filesUnder(t *testing.T, folder string) (files map[string]string, state []string) {
	t.Helper()
	files = map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "_courant" {
			state = append(state, entry.Name())
			return nil
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, state
}

// An export is killed when it has written some of its datasets. What has its final name then is whole, and the next export writes the
// rest and removes what was left.
func TestAKilledExportLeavesOnlyWholeFilesAndTheNextGoesOn(t *testing.T) {
	storetest.Long(t)
	t.Chdir(storetest.Folder(t))
	exportedRows(t, "courant.db")
	export := func(folder string) []string {
		return []string{"export", "all", "--from", "2026-09-01", "--to", "2026-11-30", "--format", "ndjson", "--out", folder}
	}
	if code := start(t, nil, true, export("whole")...).finish(); code != command.ExitDone {
		t.Fatalf("exit %d", code)
	}
	want, state := filesUnder(t, "whole")
	if len(want) != 6 {
		t.Fatalf("files %q", slices.Collect(maps.Keys(want)))
	}
	lines := []string{"day-ahead-prices", "fcr-capacity", "afrr-capacity", "mfrr-capacity", "afrr-energy"}
	for kill := range *kills {
		folder := "killed"
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		p := start(t, nil, false, export(folder)...)
		p.await("^" + lines[len(lines)-1-kill%len(lines)] + ": ")
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait()
		got, _ := filesUnder(t, folder)
		for name, content := range got {
			if content != want[name] {
				t.Fatalf("kill %d: %s has %d bytes, want %d", kill+1, name, len(content), len(want[name]))
			}
		}
		if code := start(t, nil, true, export(folder)...).finish(); code != command.ExitDone {
			t.Fatalf("kill %d: the export after it exits with %d", kill+1, code)
		}
		after, left := filesUnder(t, folder)
		if !maps.Equal(after, want) || !slices.Equal(left, state) {
			t.Fatalf("kill %d: after the next export there are %d files and %q", kill+1, len(after), left)
		}
	}
}

// exportCommand exports everything to a folder in this process, and returns the exit code and what was printed.
func exportCommand(t *testing.T, folder string) (code int, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = command.Run(t.Context(), []string{"export", "all", "--from", "2026-09-01", "--to", "2026-11-30", "--format", "ndjson", "--out", folder},
		strings.NewReader(""), &stdout, &stderr, "")
	return code, stdout.String() + stderr.String()
}

// writerFunc is a function as an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestAnInterruptedExportToStandardOutputIsReportedAsNotWhole(t *testing.T) {
	t.Chdir(storetest.Folder(t))
	exportedRows(t, "courant.db")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	stdout := writerFunc(func(p []byte) (int, error) {
		interrupt()
		return len(p), nil
	})
	var stderr bytes.Buffer
	code := command.Run(ctx, []string{"export", "afrr-energy", "--from", "2026-09-01", "--to", "2026-11-30", "--format", "ndjson", "-"},
		strings.NewReader(""), stdout, &stderr, "")
	if want := "courant: interrupted: the output is incomplete\n"; code == command.ExitDone || stderr.String() != want {
		t.Errorf("exit %d, %q, want %q", code, stderr.String(), want)
	}
}
