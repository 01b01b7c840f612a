package store_test

import (
	"fmt"
	"strings"
	"testing"

	"courant/store"
	"courant/store/market"
)

// monthsOf describes the months of a dataset.
func monthsOf(t *testing.T, s *store.Store, dataset market.Dataset) string {
	t.Helper()
	months, err := s.Months(t.Context(), dataset)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range months {
		line := fmt.Sprintf("%s at %d: %s to %s", m.Month, m.Position, m.First, m.Last)
		if m.Thinned {
			line += ", thinned"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestAMonthHasThePositionOfTheLastCommitThatChangedIt(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	on := func(day string, v float64) market.Batch {
		return market.Prices.Batch([]market.Price{{Start: date(day).Start().Unix(), Resolution: market.PT15M, Price: market.Num(v)}})
	}
	for i, batch := range []market.Batch{
		on("2026-06-30", 1).With(on("2026-07-01", 1)),
		on("2026-07-31", 1),
		on("2026-08-01", 1),
		on("2026-07-02", 1),
		on("2026-07-02", 1), // changes nothing
		on("2026-06-30", 2), // a revision
	} {
		commit(t, s, runAt(i, market.DayAheadPrices), batch)
	}
	const want = "2026-06 at 5: 2026-06-30 to 2026-06-30\n2026-07 at 4: 2026-07-01 to 2026-07-31\n2026-08 at 3: 2026-08-01 to 2026-08-01"
	if got := monthsOf(t, s, market.DayAheadPrices); got != want {
		t.Errorf("months\n%s\nwant\n%s", got, want)
	}
	months, err := s.Months(t.Context(), market.DayAheadPrices)
	if err != nil || !months[0].Stamp.Equal(minute(5)) {
		t.Errorf("the revision was made at %s, %v", months[0].Stamp, err)
	}
	if got := monthsOf(t, s, market.MFRREnergy); got != "" {
		t.Errorf("a dataset without rows has %s", got)
	}
}

func TestAMonthIsThinnedWhileOneOfItsDatesIs(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for i, day := range []string{"2026-06-30", "2026-07-01"} {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(date(day), 1)))
	}
	thinBefore(t, s, date("2026-07-01"))
	const want = "2026-06 at 3: 2026-06-30 to 2026-06-30, thinned\n2026-07 at 2: 2026-07-01 to 2026-07-01"
	if got := monthsOf(t, s, market.AFRREnergy); got != want {
		t.Errorf("months\n%s\nwant\n%s", got, want)
	}
	commit(t, s, runAt(200, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-06-30"), 2)))
	const back = "2026-06 at 4: 2026-06-30 to 2026-06-30\n2026-07 at 2: 2026-07-01 to 2026-07-01"
	if got := monthsOf(t, s, market.AFRREnergy); got != back {
		t.Errorf("with its steps again, months\n%s\nwant\n%s", got, back)
	}
}
