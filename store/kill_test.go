package store_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// rowsPerBatch is how many steps the child of the kill test commits at a time.
const rowsPerBatch = 300

// firstStep is the start of the first step of batch 0.
var firstStep = date("2026-01-01").Period().Start

// commitUntilKilled commits batch after batch and writes a line after each; batch n begins n*rowsPerBatch steps after the
// first one.
func commitUntilKilled(path string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	extent, err := s.Extent(ctx, market.AFRREnergy)
	if err != nil {
		return err
	}
	next := int64(0)
	if !extent.Last.IsZero() {
		next = (extent.NewestStart-firstStep)/market.AFRRSeconds/rowsPerBatch + 1
	}
	for ; ; next++ {
		rows := make([]market.AFRRStep, rowsPerBatch)
		for i := range rows {
			rows[i] = market.AFRRStep{Start: firstStep + (next*rowsPerBatch+int64(i))*market.AFRRSeconds, UpwardPrice: market.Num(float64(next))}
		}
		if err := s.Commit(ctx, runAt(int(next), market.AFRREnergy), market.AFRR.Batch(rows)); err != nil {
			return err
		}
		if _, err := fmt.Println(next); err != nil {
			return err
		}
	}
}

func TestAKillLosesNothingThatWasCommitted(t *testing.T) {
	storetest.Long(t)
	path := filepath.Join(t.TempDir(), "courant.db")
	told := int64(-1)
	for kill := range *kills {
		cmd, _, out := child(t, "commit "+path)
		for line := 0; line < 7+5*(kill%5) && out.Scan(); line++ {
			batch, err := strconv.ParseInt(out.Text(), 10, 64)
			if err != nil || batch <= told {
				t.Fatalf("the child says %q after %d", out.Text(), told)
			}
			told = batch
		}
		// The child may write faster than its output is read.
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		// Batches that it reported before it was killed were committed too.
		for out.Scan() {
			if batch, err := strconv.ParseInt(out.Text(), 10, 64); err == nil {
				told = batch
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}

		s := open(t, path)
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The child may have been killed before it reported its last batch.
		batches, err := strconv.ParseInt(ask(t, s.ReaderPool(), "SELECT count(*) FROM feed_run"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if batches != told+1 && batches != told+2 {
			t.Fatalf("kill %d: the child had committed %d batches, there are %d", kill, told+1, batches)
		}
		rows := batches * rowsPerBatch
		if got := ask(t, s.ReaderPool(), "SELECT sum(rows), (SELECT sum(rows) FROM afrr_energy_hour) FROM coverage"); got != fmt.Sprintf("%d|%[1]d", rows) {
			t.Fatalf("kill %d: the rows in coverage and in the hours are %s, want %d", kill, got, rows)
		}
		steps, err := store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, market.Period{Start: 0, End: math.MaxInt64})
		if err != nil || int64(len(steps)) != rows {
			t.Fatalf("kill %d: %d steps, %v; want %d", kill, len(steps), err, rows)
		}
		for i, step := range steps {
			if want := (market.AFRRStep{Start: firstStep + int64(i)*market.AFRRSeconds, UpwardPrice: market.Num(float64(i / rowsPerBatch))}); step != want {
				t.Fatalf("kill %d: step %d is %+v, want %+v", kill, i, step, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		told = batches - 1
	}
}
