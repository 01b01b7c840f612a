package store_test

import (
	"math"
	"strings"
	"testing"

	"courant/store"
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
	for _, damage := range []string{
		"numbers = zeroblob(length(numbers))", "numbers = substr(numbers, 2)", "checksum = checksum + 1", "rows = rows - 1", "start = start + 3600",
		"runs = replace(runs, 'true', 'false')", "decimals = '[1,1,1,1,1]'",
	} {
		t.Run(damage, func(t *testing.T) {
			s := openNew(t)
			day := date("2026-07-14")
			commit(t, s, runAt(0, store.AFRREnergy), store.Batch{AFRR: afrrDay(day, 80)[:900]})
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
			if steps, err := s.AFRRWithin(t.Context(), day.Period()); err == nil || steps != nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%d steps, %v", len(steps), err)
			}
		})
	}
}
