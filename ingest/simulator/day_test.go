package simulator

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"
)

var (
	ordinaryDay = Day{2026, time.June, 3}
	springDay   = Day{2026, time.March, 29}
	autumnDay   = Day{2026, time.October, 25}

	longAfter = time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC)
)

func TestDayHasTheLengthOfItsCivilDay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		day            Day
		quarters, four int
	}{
		{ordinaryDay, 96, 21_600},
		{springDay, 92, 20_700},
		{autumnDay, 100, 22_500},
	} {
		if got := len(Prices(tt.day)); got != tt.quarters {
			t.Errorf("%s: %d prices, want %d", tt.day, got, tt.quarters)
		}
		if got := len(AFRRSteps(tt.day)); got != tt.four {
			t.Errorf("%s: %d aFRR steps, want %d", tt.day, got, tt.four)
		}
		if got := len(MFRRSteps(tt.day)); got != 2*tt.quarters {
			t.Errorf("%s: %d mFRR steps, want %d", tt.day, got, 2*tt.quarters)
		}
		var fcr int
		for _, c := range CapacitySteps(tt.day) {
			if c.Reserve == "FCR" {
				fcr++
			}
		}
		if fcr != tt.quarters {
			t.Errorf("%s: %d FCR steps, want %d", tt.day, fcr, tt.quarters)
		}
	}
}

func TestDaysFollowEachOtherWithoutGap(t *testing.T) {
	t.Parallel()
	for d := (Day{2019, time.December, 30}); d.Year < 2029; d = d.Add(1) {
		if d.End() != d.Add(1).Start() || DayOf(d.Start()) != d || DayOf(d.End().Add(-1)) != d || DayOf(d.End()) != d.Add(1) {
			t.Fatalf("%s does not hold its own bounds %s and %s", d, d.Start(), d.End())
		}
	}
	if got := (Day{2024, time.March, 1}).Add(-1).String(); got != "2024-02-29" {
		t.Errorf("the day before 2024-03-01 is %s", got)
	}
}

func TestWindowTouchesEveryDayItHoldsAPartOf(t *testing.T) {
	t.Parallel()
	asked := window{ordinaryDay.End().Add(-time.Second), ordinaryDay.Add(2).Start()}
	if got := slices.Collect(asked.days()); !slices.Equal(got, []Day{ordinaryDay, ordinaryDay.Add(1)}) {
		t.Errorf("days of %v: %v", asked, got)
	}
}
