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
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// summariseAll stores the summaries that are missing, and returns how many those are.
func summariseAll(t rapid.TB, s *store.Store) (made int) {
	t.Helper()
	for n, err := range s.SummariseHours(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		made += n
	}
	return made
}

// hourLines resamples a reading to hours, with all statistics, from its summaries or from its rows; a line for each hour.
func hourLines(t rapid.TB, reading *store.Reading, fromSummaries bool) []string {
	t.Helper()
	resampler := market.NewResampler(market.AFRR, market.AFRR.ServedColumns(), market.BucketsHour, market.Stats()...)
	var lines []string
	if fromSummaries {
		hours, err := reading.Hours(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, chunkLines(resampler.AddSummaries(hours))...)
	} else {
		for chunk, err := range reading.Chunks(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, chunkLines(resampler.Add(chunk))...)
		}
	}
	return append(lines, chunkLines(resampler.End())...)
}

const allSummaries = "SELECT * FROM afrr_energy_summary ORDER BY start"

// Steps are added, changed and withdrawn while the clock stands still and goes back. At each moment the summaries are those of
// the steps then, the newest are all there, and those that are lost are made again as they were.
func TestSummariesOfHoursAreThoseOfTheirStepsAtAnyMoment(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	first, n := date("2015-03-24"), 0 // with the Sunday on which the clock goes forward
	stored := func() string { return ask(t, s.ReaderPool(), allSummaries) }
	storetest.Check(t, func(t *rapid.T) {
		first = first.Add(7)
		period := market.NewPeriod(first.Start(), first.Add(6).End())
		number := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1.000001), market.Num(-2.25), market.Num(math.NaN()), market.Num(1e9 + .25)})
		mode := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1)})
		positions, tooLarge := []store.Position{store.Newest}, false
		for range rapid.IntRange(1, 9).Draw(t, "commits") {
			n += rapid.SampledFrom([]int{1, 1, 0, 100, -50}).Draw(t, "minutes")
			var steps []market.AFRRStep
			for range rapid.IntRange(1, 6).Draw(t, "steps") {
				steps = append(steps, market.AFRRStep{
					Start:       rapid.SampledFrom(edgesOf(first.Add(1))).Draw(t, "near") + market.AFRRSeconds*rapid.Int64Range(-2, 1).Draw(t, "step"),
					UpwardPrice: number.Draw(t, "upward"), InFranceMW: number.Draw(t, "in France"), ProrataMode: flagOf(mode.Draw(t, "mode")),
				})
			}
			if rapid.IntRange(0, 20).Draw(t, "size") == 0 {
				steps[0].DemandMW = market.Num(1e15)
				tooLarge = true
			}
			if err := s.Commit(context.Background(), runAt(n, market.AFRREnergy), market.AFRR.Batch(steps)); err != nil {
				t.Fatal(err)
			}
			newest, err := s.NewestPosition(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			positions = append(positions, newest)
		}
		q := store.ReadQuery{Dataset: market.AFRREnergy, Period: period}
		for _, q.At = range positions {
			reading, err := s.Read(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			want, got := hourLines(t, reading, false), hourLines(t, reading, true)
			if q.At == store.Newest && !tooLarge && len(got) != len(want) {
				t.Errorf("%d hours have a summary of the newest steps, %d have steps", len(got), len(want))
			}
			for _, line := range got {
				if !slices.Contains(want, line) {
					t.Errorf("at %d, %q is summarised; of the steps it is\n%s", q.At, line, strings.Join(want, "\n"))
				}
			}
		}
		before := stored()
		if _, err := s.WriterPool().ExecContext(context.Background(), "DELETE FROM afrr_energy_summary WHERE start % 3 = ?", n%3); err != nil {
			t.Fatal(err)
		}
		summariseAll(t, s)
		if diff := cmp.Diff(before, stored()); diff != "" {
			t.Errorf("made again (-stored +made):\n%s", diff)
		}
		if err := s.IntegrityCheck(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestSummariesStayWhenStepsAreThinned(t *testing.T) {
	t.Parallel()
	for _, day := range []string{"2026-03-29", "2026-10-25"} {
		s, d := openNew(t), date(day)
		commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(variedDay(d)))
		want := hourLines(t, readOf(t, s, stepsQuery(d, d)), false)
		if _, err := s.WriterPool().ExecContext(t.Context(), "DELETE FROM afrr_energy_summary WHERE start % 7 = 0"); err != nil { // as of an earlier version
			t.Fatal(err)
		}
		thinBefore(t, s, d.Add(1))
		if diff := cmp.Diff(want, hourLines(t, readOf(t, s, stepsQuery(d, d)), true)); diff != "" {
			t.Errorf("%s (-steps +summaries):\n%s", day, diff)
		}
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAnHourOfWhichAPartIsThinnedHasNoSummary(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-07-14")
	all := variedDay(d)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(all))
	whole := ask(t, s.ReaderPool(), "SELECT * FROM afrr_energy_summary WHERE start = ?", d.Start().Unix())
	thinBefore(t, s, d.Add(1))
	for i, row := range []struct {
		arrive []market.AFRRStep
		hours  string // that have a summary then
	}{{all[:500], "0"}, {all[450:900], "1"}} {
		commit(t, s, runAt(200+i, market.AFRREnergy), market.AFRR.Batch(row.arrive))
		for range 2 {
			if hours := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_summary WHERE start = ?", d.Start().Unix()); hours != row.hours {
				t.Errorf("after %d steps the hour has %s summaries", len(row.arrive), hours)
			}
			summariseAll(t, s) // there is nothing to make
		}
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Error(err)
		}
	}
	again := strings.Split(ask(t, s.ReaderPool(), "SELECT * FROM afrr_energy_summary WHERE start = ?", d.Start().Unix()), "|")
	before := strings.Split(whole, "|")
	const changed = 2 // the column
	if before[changed] = again[changed]; !slices.Equal(before, again) {
		t.Errorf("the hour that came again is summarised as %v, was %v", again, before)
	}
	// Thinned again while a part of an hour is in 5 min.
	thinBefore(t, s, d.Add(1))
	commit(t, s, runAt(300, market.AFRREnergy), market.AFRR.Batch(all[:75]))
	thinBefore(t, s, d.Add(1))
	if hours := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_summary"); hours != "23" {
		t.Errorf("%s hours have a summary, want 23", hours)
	}
}

func TestAnHourWithANumberTooLargeForExactSumsHasNoSummary(t *testing.T) {
	t.Parallel()
	s, start := openNew(t), date("2026-07-14").Start().Unix()
	for n, row := range []struct {
		price float64
		hours string
	}{{1e9, "1"}, {-2e9, "0"}, {5, "1"}, {math.Inf(1), "0"}} {
		commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{{Start: start, DownwardPrice: market.Num(row.price)}}))
		if hours := ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_summary"); hours != row.hours {
			t.Errorf("with %g there are %s summaries, want %s", row.price, hours, row.hours)
		}
	}
}

func TestHoursOfAnEarlierVersionAreSummarisedAndReadMeanwhile(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-10-25")
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(variedDay(d)))
	commit(t, s, runAt(1, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(1), 7)))
	want := ask(t, s.ReaderPool(), allSummaries)
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := store.MakeOld(t.Context(), path, 27, fmt.Sprintf(`ATTACH '%s' AS new;
		INSERT INTO afrr_energy_hour SELECT * FROM new.afrr_energy_hour;
		INSERT INTO coverage SELECT * FROM new.coverage;
		INSERT INTO market_commit SELECT * FROM new.market_commit;
		INSERT INTO dataset_commit SELECT * FROM new.dataset_commit`, s.Path())); err != nil {
		t.Fatal(err)
	}
	old := open(t, path)
	reading := readOf(t, old, stepsQuery(d, d.Add(1)))
	if hours, err := reading.Hours(t.Context()); err != nil || hours.Len() != 0 {
		t.Errorf("%d hours are summarised before, %v", hours.Len(), err)
	}
	steps := hourLines(t, reading, false)
	if made := summariseAll(t, old); made != 25+24 {
		t.Errorf("%d hours are summarised, want 49", made)
	}
	if diff := cmp.Diff(want, ask(t, old.ReaderPool(), allSummaries)); diff != "" {
		t.Errorf("(-new +upgraded):\n%s", diff)
	}
	if diff := cmp.Diff(steps, hourLines(t, reading, true)); diff != "" { // of a reading that began before
		t.Errorf("(-steps +summaries):\n%s", diff)
	}
	if again := summariseAll(t, old); again != 0 {
		t.Errorf("%d hours are summarised again", again)
	}
}

func TestAnHourThatCannotBeReadStaysWithoutSummary(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-07-14")
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(d, 7)))
	damaged := d.At(3, 0).Unix()
	for _, statement := range []string{"DELETE FROM afrr_energy_summary", fmt.Sprintf("UPDATE afrr_energy_hour SET checksum = checksum + 1 WHERE start = %d", damaged)} {
		if _, err := s.WriterPool().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	made, faults := 0, 0
	for n, err := range s.SummariseHours(t.Context()) {
		made += n
		if err != nil {
			faults++
			if !strings.Contains(err.Error(), "the hour 2026-07-14T01:00Z of afrr_energy_hour is damaged") {
				t.Error(err)
			}
		}
	}
	if hours := ask(t, s.ReaderPool(), "SELECT count(*), sum(start = ?) FROM afrr_energy_summary", damaged); made != 23 || faults != 1 || hours != "23|0" {
		t.Errorf("%d hours are summarised and %d not; stored are %s", made, faults, hours)
	}
}

func TestASummaryThatIsNotOfItsHourIsFoundByTheCheck(t *testing.T) {
	t.Parallel()
	d := date("2026-07-14")
	for _, row := range []struct{ damage, finds string }{
		{"UPDATE afrr_energy_summary SET upward_price_max = upward_price_max + 1 WHERE start % 7200 = 0", "it is not that of its steps"},
		{"UPDATE afrr_energy_summary SET prorata_mode_yes = prorata_mode_yes + 1", "it is not that of its steps"},
		{"UPDATE afrr_energy_summary SET steps = steps - 1 WHERE start < " + fmt.Sprint(d.Start().Unix()), "it does not count the values that its 5 min have"},
		{"UPDATE afrr_energy_summary SET demand_mw_values = 0 WHERE start < " + fmt.Sprint(d.Start().Unix()), "it does not count the values that its 5 min have"},
		{"INSERT INTO afrr_energy_summary SELECT 3600, steps, changed_ms, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 0, 0, 0, 0 FROM afrr_energy_summary LIMIT 1",
			"it does not count the values that its 5 min have"},
	} {
		s := openNew(t)
		for i := range 2 {
			commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(variedDay(d.Add(i - 1))[:1800]))
		}
		thinBefore(t, s, d)
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriterPool().ExecContext(t.Context(), row.damage); err != nil {
			t.Fatal(err)
		}
		if err := s.IntegrityCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "of afrr_energy_summary is damaged") || !strings.Contains(err.Error(), row.finds) {
			t.Errorf("%s: the check finds %v", row.damage, err)
		}
	}
}

// summariseUntilKilled stores the summaries that are missing, and writes a line after each transaction; then it waits.
func summariseUntilKilled(path string) error {
	s, err := store.Open(context.Background(), path)
	if err != nil {
		return err
	}
	for n, err := range s.SummariseHours(context.Background()) {
		if err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
	fmt.Println("all")
	select {}
}

// A kill amid the summarising of hours loses none that were stored; the next start goes on with the others, and means read
// meanwhile are the same.
func TestAKillAmidTheSummarisingOfHoursLosesNothing(t *testing.T) {
	storetest.Long(t)
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	first := date("2026-01-01")
	const dates = 40
	for i := range dates {
		if err := s.StoreSteps(t.Context(), minute(i), likelySteps(first.Add(i))); err != nil {
			t.Fatal(err)
		}
	}
	want := ask(t, s.ReaderPool(), allSummaries)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for kill := range *kills {
		s := open(t, path)
		if _, err := s.WriterPool().ExecContext(t.Context(), "DELETE FROM afrr_energy_summary"); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		told := 0
		for round := range 2 { // killed twice on its way
			cmd, _, out := child(t, "summarise "+path)
			for line := 0; line < 1+(kill+5*round)%9 && out.Scan() && out.Text() != "all"; line++ {
				told += number(t, out.Text())
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for out.Scan() {
				if out.Text() != "all" {
					told += number(t, out.Text())
				}
			}
			if err := cmd.Wait(); err == nil {
				t.Fatal("the child was not killed")
			}
			s := open(t, path)
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			stored := number(t, ask(t, s.ReaderPool(), "SELECT count(*) FROM afrr_energy_summary"))
			if stored < told || stored > told+store.HoursPerSummary { // it may be killed before it reports
				t.Fatalf("kill %d: %d hours are summarised, %d were reported", kill, stored, told)
			}
			told = stored
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, path)
		if made := summariseAll(t, s); told+made != dates*24 {
			t.Errorf("kill %d: %d hours were summarised and %d then", kill, told, made)
		}
		if diff := cmp.Diff(want, ask(t, s.ReaderPool(), allSummaries)); diff != "" {
			t.Errorf("kill %d (-stored +made):\n%s", kill, diff)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// readOf begins to read.
func readOf(t testing.TB, s *store.Store, q store.ReadQuery) *store.Reading {
	t.Helper()
	reading, err := s.Read(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return reading
}
