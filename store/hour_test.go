package store_test

import (
	"math"
	"strings"
	"testing"

	"courant/store"
	"courant/store/market"
)

const (
	oneRun   = `[{"row":0,"second":0,"picasso_connection":true,"prorata_mode":null,"first_seen_ms":1}]`
	decimals = `[2,2,4,4,4]`
)

// FuzzUnpackHour gives hostile hours a checksum that is right: what is read of them is either an error or steps that ascend.
func FuzzUnpackHour(f *testing.F) {
	bits := "\x80\x80\x80\x80\x80\x80\x80\xfc?" // of 1.5 and one more, but for the last bit
	for _, c := range []struct{ runs, decimals, numbers string }{
		{oneRun, decimals, "\x00\x01\x02\x03\x04"},
		{oneRun, `[null,null,null,null,null]`, strings.Repeat(bits, 5)},
		{strings.Replace(oneRun, `"second":0`, `"second":3599`, 1), decimals, "\x00\x01\x02\x03\x04"},
		{strings.Replace(oneRun, `"row":0`, `"row":1`, 1), decimals, "\x00\x01\x02\x03\x04"},
		{oneRun, `[99,-1,4,4,4]`, "\x00\x01\x02\x03\x04"},
		{"null", "null", ""},
		{oneRun, decimals, strings.Repeat("\xff", 60)},
	} {
		f.Add(int64(1784066400), 1, []byte(c.runs), []byte(c.decimals), []byte(c.numbers))
	}
	f.Add(int64(0), math.MaxInt, []byte(oneRun), []byte(decimals), []byte(nil))
	f.Add(int64(math.MaxInt64), 3600, []byte(oneRun), []byte(decimals), make([]byte, 18_000))
	f.Fuzz(func(t *testing.T, start int64, rows int, runs, decimals, numbers []byte) {
		steps, err := store.PackedHour(start, rows, runs, decimals, numbers)()
		if err != nil {
			if steps != nil || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%d steps and the error %q", len(steps), err)
			}
			return
		}
		if len(steps) != rows {
			t.Fatalf("%d steps, want %d", len(steps), rows)
		}
		for i, step := range steps {
			if second := step.Start - start; second < 0 || second >= 3600 || i > 0 && step.Start <= steps[i-1].Start {
				t.Fatalf("step %d begins at second %d of its hour", i, second)
			}
			for column, n := range afrrValues(&step) {
				if math.IsNaN(n.V) || !n.Valid && n.V != 0 {
					t.Fatalf("%s is %v", column, n)
				}
			}
		}
	})
}

func TestADamagedHourIsFound(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"numbers = zeroblob(length(numbers))", "numbers = substr(numbers, 2)", "checksum = checksum + 1", "rows = rows - 1", "start = start + 3600",
		"runs = replace(runs, 'true', 'false')", "decimals = '[1,1,1,1,1]'",
	} {
		t.Run(damage, func(t *testing.T) {
			s := openNew(t)
			day := date("2026-07-14")
			commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(day, 80)[:900]))
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.WriterPool().ExecContext(t.Context(), "UPDATE afrr_energy_hour SET "+damage); err != nil {
				t.Fatal(err)
			}
			const says = "of afrr_energy_hour is damaged"
			if err := s.IntegrityCheck(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("IntegrityCheck = %v", err)
			}
			if steps, err := store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, day.Period()); err == nil || steps != nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%d steps, %v", len(steps), err)
			}
		})
	}
}

// FuzzUnpackRevisedHour gives hostile revisions a checksum that is right: what is read of them is either an error or steps.
func FuzzUnpackRevisedHour(f *testing.F) {
	const one = "\x02\x03\x02\x05\x01" // 0.01, 0.02, since 1 ms before it was seen
	for _, c := range []struct {
		steps         int
		runs, changes string
	}{
		{1, "[[0,1,1]]", one},
		{2, "[[0,2,1]]", "\x02\x03\x03\x02\x05\x05\x01\x00"},
		{1, "[[3596,2,1]]", one}, {1, "[[0,1,0]]", ""}, {1, "[[0,1,128]]", one}, {1, "[[-4,1,1]]", one}, {2, "[[4,1,1],[4,1,1]]", one},
		{1, "[[0,1000000000,1]]", one}, {2, "[[9223372036854775807,2,1]]", one}, {1, "[]", one}, {1, "null", ""}, {0, "[]", ""}, {math.MaxInt, "[[0,1,1]]", one}, {1, "[[0,1,1]]", "\x11" + one[1:]},
		{1, "[[0,1,127]]", strings.Repeat("\xff", 80)},
	} {
		f.Add(int64(1784066400), int64(1784100000000), c.steps, []byte(c.runs), []byte(c.changes))
	}
	f.Fuzz(func(t *testing.T, hour, seen int64, steps int, runs, changes []byte) {
		revised, values, err := store.RevisedHour(hour, seen, steps, runs, changes)
		if err != nil {
			if revised > 0 || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%d steps and the error %q", revised, err)
			}
			return
		}
		// A value takes a byte each for what it was, what it is and since when.
		if revised != steps || values < steps || len(changes) < 3*values {
			t.Fatalf("%d steps and %d values of %d bytes for %d steps", revised, values, len(changes), steps)
		}
	})
}

func TestADamagedRevisionOfStepsIsFound(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"changes = zeroblob(length(changes))", "changes = substr(changes, 2)", "checksum = checksum + 1", "steps = steps - 1", "hour = hour + 3600", "seen_ms = seen_ms + 1",
		"runs = '[[0,900,2]]'", "runs = '[]'",
	} {
		t.Run(damage, func(t *testing.T) {
			s := openNew(t)
			day := date("2026-07-14")
			for n := range 2 {
				commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(day, float64(80+n))[:900]))
			}
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.WriterPool().ExecContext(t.Context(), "UPDATE afrr_energy_revision SET "+damage); err != nil {
				t.Fatal(err)
			}
			const says = "in afrr_energy_revision is damaged"
			if err := s.IntegrityCheck(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("IntegrityCheck = %v", err)
			}
			listed := 0
			var found error
			for _, err := range s.Revisions(t.Context(), market.AFRREnergy, day, day, store.RevisionAt{}) {
				if err != nil {
					found = err
					continue
				}
				listed++
			}
			if found == nil || listed > 0 || !strings.Contains(found.Error(), says) {
				t.Errorf("%d revisions, %v", listed, found)
			}
		})
	}
}

// A column of SQLite's own has no -0: neither has a packed one, whether it holds decimals or, beside a number that is none,
// the bits of each float64.
func TestMinusZeroIsKeptAsZero(t *testing.T) {
	t.Parallel()
	minusZero := math.Copysign(0, -1)
	for name, beside := range map[string]float64{"decimals": 1.5, "bits": 1e300} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t)
			day := date("2026-07-14")
			start := day.Period().Start
			for n, first := range []float64{7, minusZero} {
				commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{
					{Start: start, UpwardPrice: market.Num(first)}, {Start: start + 4, UpwardPrice: market.Num(beside + first)}, {Start: start + 8, UpwardPrice: market.Num(minusZero)}}))
			}
			steps, err := store.Within(t.Context(), s, market.AFRR, market.AFRREnergy, day.Period())
			if err != nil || len(steps) != 3 {
				t.Fatal(steps, err)
			}
			for _, step := range []market.AFRRStep{steps[0], steps[2]} {
				if math.Signbit(step.UpwardPrice.V) || step.UpwardPrice != market.Num(0) {
					t.Errorf("the price of %d is %v", step.Start, step.UpwardPrice)
				}
			}
			if got := ask(t, s.ReaderPool(), "SELECT upward_price FROM afrr_energy WHERE hour = ? ORDER BY start", start); !strings.HasPrefix(got, "0\n") || !strings.HasSuffix(got, "\n0") {
				t.Errorf("the view says %q", got)
			}
			for _, r := range revisionsOf(t, s, market.AFRREnergy, day, day) {
				if math.Signbit(r.New.Number.V) {
					t.Errorf("the revision %s became -0", revisionLine(r))
				}
			}
		})
	}
}
