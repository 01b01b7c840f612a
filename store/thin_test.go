package store_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// variedDay returns the 4 s steps of a delivery date: prices of two decimals, some of them null, flags that change or are
// missing, a gap of 10 min, and 5 min without any number.
func variedDay(d market.DeliveryDate) []market.AFRRStep {
	var rows []market.AFRRStep
	for i, row := range afrrDay(d, 80) {
		switch i := int64(i); {
		case 3000 <= i && i < 3150:
			continue
		case 4500 <= i && i < 4575:
			row = market.AFRRStep{Start: row.Start}
		default:
			row.UpwardPrice = market.Num(float64(i*7919%20011)/100 - 100)
			row.DownwardPrice.Valid = i%3 > 0
			row.DemandMW.Valid = i%75 == 0
			row.PicassoConnection = market.Flag{V: i%2 == 0, Valid: true}
			row.ProrataMode.Valid = i%5 == 0
		}
		rows = append(rows, row)
	}
	return rows
}

// bucketsOf returns the means of 5 min of a delivery date.
func bucketsOf(t testing.TB, s *store.Store, d market.DeliveryDate) (buckets []market.AFRRBucket, thinned bool) {
	t.Helper()
	buckets, thinned, err := s.AFRRBucketsWithin(t.Context(), d.Period())
	if err != nil {
		t.Fatal(err)
	}
	return buckets, thinned
}

// thinBefore thins the dates before the given one, and returns their number.
func thinBefore(t testing.TB, s *store.Store, before market.DeliveryDate) int {
	t.Helper()
	thinned, err := s.ThinAFRR(t.Context(), before, minute(100))
	if err != nil {
		t.Fatal(err)
	}
	return thinned
}

func TestABucketSumsUpItsSteps(t *testing.T) {
	t.Parallel()
	null := market.Number{}
	yes, no := market.Flag{V: true, Valid: true}, market.Flag{Valid: true}
	got := market.AFRRBuckets([]market.AFRRStep{
		{Start: 296, UpwardPrice: market.Num(1)},
		{Start: 300, UpwardPrice: market.Num(0.01), DownwardPrice: market.Num(-7.005), PicassoConnection: yes, ProrataMode: no},
		{Start: 304, UpwardPrice: market.Num(0.02), InFranceMW: market.Num(0), PicassoConnection: no},
		{Start: 596, UpwardPrice: null, PicassoConnection: yes},
	})
	mean := func(v float64, values int) market.BucketMean {
		return market.BucketMean{Mean: market.Num(v), Values: values}
	}
	want := []market.AFRRBucket{
		{Start: 0, Steps: 1, UpwardPrice: mean(1, 1)},
		{Start: 300, Steps: 3, UpwardPrice: mean(0.02, 2), DownwardPrice: mean(-7.01, 1), InFranceMW: mean(0, 1),
			PicassoConnection: market.BucketFlag{Yes: 2, No: 1}, ProrataMode: market.BucketFlag{No: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("buckets (-want +got):\n%s", diff)
	}
}

func TestAThinnedDateReadsInFiveMinutesAsBefore(t *testing.T) {
	t.Parallel()
	for _, day := range []string{"2026-03-29", "2026-07-14", "2026-10-25"} {
		s, d := openNew(t), date(day)
		rows := variedDay(d)
		commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(rows))
		rows[7].UpwardPrice.V++
		commit(t, s, runAt(1, market.AFRREnergy), market.AFRR.Batch(rows[7:8]))
		commit(t, s, runAt(2, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(1), 1)))
		before, thinned := bucketsOf(t, s, d)
		if want := d.Steps(market.BucketSeconds) - 2; len(before) != want || thinned {
			t.Fatalf("%s: %d buckets, want %d; thinned %t", day, len(before), want, thinned)
		}
		extent, err := s.Extent(t.Context(), market.AFRREnergy)
		if err != nil {
			t.Fatal(err)
		}
		if got := thinBefore(t, s, d.Add(1)); got != 1 {
			t.Errorf("%s: %d dates thinned", day, got)
		}
		after, thinned := bucketsOf(t, s, d)
		if diff := cmp.Diff(before, after); diff != "" || !thinned {
			t.Errorf("%s: thinned %t, buckets (-before +after):\n%s", day, thinned, diff)
		}
		if again := thinBefore(t, s, d.Add(1)); again != 0 {
			t.Errorf("%s: %d dates thinned again", day, again)
		}
		steps, err := store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, d.Period())
		if err != nil || len(steps) != 0 {
			t.Errorf("%s: %d steps left, %v", day, len(steps), err)
		}
		if steps, err = store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, d.Add(1).Period()); err != nil || len(steps) != d.Add(1).Steps(market.AFRRSeconds) {
			t.Errorf("%s: %d steps of the date after, %v", day, len(steps), err)
		}
		coverage, err := s.Coverage(t.Context(), market.AFRREnergy, d, d.Add(1))
		if err != nil || !coverage.IsThinned(d) || coverage.IsThinned(d.Add(1)) || coverage.Rows() != d.Add(1).Steps(market.AFRRSeconds) {
			t.Errorf("%s: coverage %v, %v", day, coverage, err)
		}
		if now, err := s.Extent(t.Context(), market.AFRREnergy); err != nil || now != extent {
			t.Errorf("%s: extent %+v, before %+v, %v", day, now, extent, err)
		}
		if revisions := revisionsOf(t, s, market.AFRREnergy, d, d); len(revisions) != 1 {
			t.Errorf("%s: revisions %v", day, revisions)
		}
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestBothHoursOfTwoOClockAreThinnedApart(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-10-25")
	change, _ := d.TurnBack()
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{
		{Start: change.Unix() - 3600, UpwardPrice: market.Num(1)}, {Start: change.Unix(), UpwardPrice: market.Num(2)},
	}))
	thinBefore(t, s, d.Add(1))
	want := fmt.Sprintf("%d|1|1\n%d|1|2", change.Unix()-3600, change.Unix())
	if got := ask(t, s.ReaderPool(), "SELECT start, steps, upward_price FROM afrr_energy_bucket ORDER BY start"); got != want {
		t.Errorf("buckets\n%s\nwant\n%s", got, want)
	}
}

func TestAThinnedDateTakesStepsBackOnlyWhereNothingIsLost(t *testing.T) {
	d := date("2026-07-14")
	all := variedDay(d)
	without := func(change func(*market.AFRRStep)) []market.AFRRStep {
		rows := slices.Clone(all)
		change(&rows[100])
		return rows
	}
	for _, test := range []struct {
		name    string
		arrives []market.AFRRStep
		kept    int // buckets that stay
	}{
		{"the whole date", all, 0},
		{"the whole date, corrected", without(func(r *market.AFRRStep) { r.UpwardPrice.V += 100 }), 0},
		{"a hole filled", afrrDay(d, 3), 0},
		{"one hour", all[:900], 276 - 2},
		{"a part of 5 min", all[:70], 288 - 2},
		{"less than 5 min in many", all[10:1000], 288 - 2 - 12},
		{"a value lost", without(func(r *market.AFRRStep) { r.UpwardPrice = market.Number{} }), 1},
		{"a flag lost", without(func(r *market.AFRRStep) { r.PicassoConnection = market.Flag{} }), 1},
		{"nulls", []market.AFRRStep{{Start: all[0].Start}}, 288 - 2},
	} {
		s := openNew(t)
		commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(all))
		thinBefore(t, s, d.Add(1))
		before, _ := bucketsOf(t, s, d)
		commit(t, s, runAt(1, market.AFRREnergy), market.AFRR.Batch(test.arrives))
		after, thinned := bucketsOf(t, s, d)
		if got := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_bucket"); got != strconv.Itoa(test.kept) || thinned != (test.kept > 0) {
			t.Errorf("%s: %s buckets stay, want %d; thinned %t", test.name, got, test.kept, thinned)
		}
		held := map[int64]int{}
		for i, b := range after {
			if i > 0 && b.Start <= after[i-1].Start {
				t.Errorf("%s: bucket %d follows %d", test.name, b.Start, after[i-1].Start)
			}
			held[b.Start] = b.Steps
		}
		for _, b := range before {
			if held[b.Start] < b.Steps {
				t.Errorf("%s: of %d steps of the 5 min from %d there are %d", test.name, b.Steps, b.Start, held[b.Start])
			}
		}
		checkThinnedCoverage(t, s, test.name)
		// The next night.
		thinBefore(t, s, d.Add(1))
		if again, _ := bucketsOf(t, s, d); !slices.Equal(again, after) {
			t.Errorf("%s: thinned again, the 5 min differ", test.name)
		}
		checkThinnedCoverage(t, s, test.name)
	}
}

// checkThinnedCoverage compares the coverage with the stored rows.
func checkThinnedCoverage(t testing.TB, s *store.Store, name string) {
	t.Helper()
	got := ask(t, s.ReaderPool(), `SELECT ifnull((SELECT sum(rows) FROM coverage WHERE series = ''), 0), ifnull((SELECT sum(rows) FROM coverage WHERE series = 'PT5M'), 0)`)
	want := ask(t, s.ReaderPool(), `SELECT ifnull((SELECT sum(rows) FROM afrr_energy_hour), 0), ifnull((SELECT sum(steps) FROM afrr_energy_bucket), 0)`)
	if got != want {
		t.Errorf("%s: coverage counts %s, held are %s", name, got, want)
	}
}

// thinnedTables are the tables that thinning changes.
const thinnedTables = "SELECT (SELECT group_concat(start || '-' || checksum) FROM afrr_energy_hour), (SELECT count(*) FROM afrr_energy_bucket), (SELECT group_concat(series || rows) FROM coverage)"

func TestADateThatCannotBeThinnedStaysWhole(t *testing.T) {
	t.Parallel()
	for _, inTheWay := range []string{
		"CREATE TRIGGER stop BEFORE DELETE ON coverage BEGIN SELECT RAISE(ABORT, 'stop'); END",
		"CREATE TRIGGER stop BEFORE DELETE ON afrr_energy_hour BEGIN SELECT RAISE(ABORT, 'stop'); END",
		"UPDATE afrr_energy_hour SET checksum = checksum + 1 WHERE start = (SELECT min(start) FROM afrr_energy_hour)",
	} {
		s, d := openNew(t), date("2026-07-14")
		commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(d, 1)))
		if _, err := s.WriterPool().ExecContext(t.Context(), inTheWay); err != nil {
			t.Fatal(err)
		}
		before := ask(t, s.ReaderPool(), thinnedTables)
		if thinned, err := s.ThinAFRR(t.Context(), d.Add(1), minute(100)); err == nil || !strings.Contains(err.Error(), "2026-07-14") || thinned != 0 {
			t.Errorf("%s: %d dates thinned, %v", inTheWay, thinned, err)
		}
		if after := ask(t, s.ReaderPool(), thinnedTables); after != before {
			t.Errorf("%s: %s, before %s", inTheWay, after, before)
		}
	}
}

// thinUntilKilled thins one delivery date after the other and writes a line after each.
func thinUntilKilled(path string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	for d := date("2026-01-01"); ; d = d.Add(1) {
		if _, err := s.ThinAFRR(ctx, d, minute(100)); err != nil {
			return err
		}
		if _, err := fmt.Println(d); err != nil {
			return err
		}
	}
}

func TestAKillLeavesADateInStepsOrInFiveMinutes(t *testing.T) {
	storetest.Long(t)
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	first := date("2026-01-01")
	const dates = 20
	for i := range dates {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(first.Add(i), float64(i))))
	}
	want, _, err := s.AFRRBucketsWithin(t.Context(), market.Period{End: math.MaxInt32})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for kill := range *kills {
		cmd, _, out := child(t, "thin "+path)
		for line := 0; line < 1+5*(kill%4) && out.Scan(); line++ {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for out.Scan() {
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		s := open(t, path)
		got, _, err := s.AFRRBucketsWithin(t.Context(), market.Period{End: math.MaxInt32})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("kill %d: the 5 min differ, %v", kill, err)
		}
		for i := range dates {
			d := first.Add(i)
			steps := ask(t, s.ReaderPool(), "SELECT ifnull(sum(rows), 0) FROM afrr_energy_hour WHERE start >= ? AND start < ?", d.Period().Start, d.Period().End)
			buckets := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_bucket WHERE start >= ? AND start < ?", d.Period().Start, d.Period().End)
			if held := steps + " " + buckets; held != "21600 0" && held != "0 288" {
				t.Errorf("kill %d: of %s there are steps and buckets %s", kill, d, held)
			}
		}
		checkThinnedCoverage(t, s, fmt.Sprintf("kill %d", kill))
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
