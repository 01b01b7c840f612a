package market_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"courant/store/market"
)

var (
	firstTested = market.NewDeliveryDate(2020, time.January, 1)
	lastTested  = market.NewDeliveryDate(2040, time.December, 31)
)

func anyDate() *rapid.Generator[market.DeliveryDate] {
	return rapid.Map(rapid.IntRange(0, firstTested.DaysUntil(lastTested)), firstTested.Add)
}

// hoursByLaw is how long a date is by Directive 2000/84/EC: the clock changes on the last Sundays of March and October.
func hoursByLaw(d market.DeliveryDate) int {
	day := d.Start().Add(12 * time.Hour) // noon or so, UTC
	lastSunday := day.Weekday() == time.Sunday && day.AddDate(0, 0, 7).Month() != day.Month()
	switch {
	case lastSunday && day.Month() == time.March:
		return 23
	case lastSunday && day.Month() == time.October:
		return 25
	}
	return 24
}

func TestEveryDeliveryDate(t *testing.T) {
	t.Parallel()
	days := 0
	for d := firstTested; !d.After(lastTested); d = d.Add(1) {
		days++
		if got, want := d.End().Sub(d.Start()), time.Duration(hoursByLaw(d))*time.Hour; got != want {
			t.Errorf("%s lasts %s, want %s", d, got, want)
		}
		if next := d.Add(1); !d.End().Equal(next.Start()) {
			t.Errorf("%s ends at %s and %s starts at %s", d, d.End(), next, next.Start())
		}
		if zone := d.Start().Location(); zone != time.UTC {
			t.Errorf("%s starts in %s", d, zone)
		}
		if got := d.Start().In(market.Paris).Format("2006-01-02 15:04:05"); got != d.String()+" 00:00:00" {
			t.Errorf("%s starts when a clock in Paris shows %s", d, got)
		}
		for _, t0 := range []time.Time{d.Start(), d.End().Add(-time.Second), d.End().Add(-1), d.At(12, 0)} {
			if got := market.DeliveryDateOf(t0); got != d {
				t.Errorf("%s lies in %s, want %s", t0, got, d)
			}
		}
		for seconds, want := range map[int64]map[int]int{
			market.QuarterSeconds: {23: 92, 24: 96, 25: 100},
			market.AFRRSeconds:    {23: 20_700, 24: 21_600, 25: 22_500},
		} {
			if got := d.Steps(seconds); got != want[hoursByLaw(d)] {
				t.Errorf("%s has %d steps of %d s, want %d", d, got, seconds, want[hoursByLaw(d)])
			}
		}
		change, turns := d.TurnBack()
		if turns != (hoursByLaw(d) == 25) {
			t.Errorf("the clock goes back on %s: %t", d, turns)
		}
		if want := d.String() + "T01:00:00Z"; turns && change.Format(time.RFC3339) != want {
			t.Errorf("the clock goes back at %s, want %s", change.Format(time.RFC3339), want)
		}
		if !turns && !change.IsZero() {
			t.Errorf("the clock does not go back on %s, and yet at %s", d, change)
		}
		parsed, err := market.ParseDeliveryDate(d.String())
		if err != nil || parsed != d {
			t.Errorf("%s reads as %s, %v", d, parsed, err)
		}
	}
	if days != 7671 {
		t.Errorf("%d days between 2020 and 2040, want 7671", days)
	}
}

func TestAnInstantLiesInOneDeliveryDate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := anyDate().Draw(t, "date")
		period := d.Period()
		second := rapid.Int64Range(period.Start, period.End-1).Draw(t, "second")
		instant := time.Unix(second, rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond"))
		if got := market.DeliveryDateOf(instant); got != d {
			t.Fatalf("%s lies in %s, want %s", instant, got, d)
		}
		if !period.Holds(second) || period.Holds(period.End) || period.Holds(period.Start-1) {
			t.Fatalf("%v does not hold its own seconds alone", period)
		}
		if dates := market.NewPeriod(instant, instant.Add(time.Second)).Dates(); len(dates) != 1 || dates[0] != d {
			t.Fatalf("the second from %s on touches %v", instant, dates)
		}
	})
}

func TestAtIsWhatAClockInParisShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := anyDate().Draw(t, "date")
		// Half of the draws fall on a change of the clock.
		if rapid.Bool().Draw(t, "change") {
			for hoursByLaw(d) == 24 {
				d = d.Add(1)
			}
		}
		hour, minutes := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		if hoursByLaw(d) != 24 && rapid.Bool().Draw(t, "in the hour of the change") {
			hour = 2
		}
		at := d.At(hour, minutes)
		year, month, day := d.Start().In(market.Paris).Date()
		if hoursByLaw(d) == 23 && hour == 2 {
			if want := time.Date(year, month, day, 1, minutes, 0, 0, time.UTC); !at.Equal(want) {
				t.Fatalf("%s %02d:%02d, which no clock shows, is %s, want %s", d, hour, minutes, at, want)
			}
			return
		}
		shown := time.Date(year, month, day, hour, minutes, 0, 0, time.UTC).Format("2006-01-02 15:04:05")
		if got := at.In(market.Paris).Format("2006-01-02 15:04:05"); got != shown {
			t.Fatalf("at %s a clock in Paris shows %s, want %s", at, got, shown)
		}
		if at.Add(-time.Hour).In(market.Paris).Format("2006-01-02 15:04:05") == shown {
			t.Fatalf("%s is the second time that a clock in Paris shows %s", at, shown)
		}
		if at.Location() != time.UTC {
			t.Fatalf("%s is in %s", at, at.Location())
		}
	})
}

func TestDeliveryDatesCountDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, n := anyDate().Draw(t, "date"), rapid.IntRange(0, 400).Draw(t, "days")
		later := d.Add(n)
		if later.Add(-n) != d || d.DaysUntil(later) != n || later.DaysUntil(d) != -n {
			t.Fatalf("%s and %d days is %s, %d days later", d, n, later, d.DaysUntil(later))
		}
		if d.Before(later) != (n > 0) || later.After(d) != (n > 0) || d.After(later) || later.Before(d) {
			t.Fatalf("%s and %s are out of order", d, later)
		}
		dates := market.Dates(d, later)
		if len(dates) != n+1 || dates[0] != d || dates[n] != later {
			t.Fatalf("from %s to %s: %v", d, later, dates)
		}
		if got := market.NewPeriod(d.Start(), later.End()).Dates(); len(got) != n+1 || got[0] != d || got[n] != later {
			t.Fatalf("the period from %s to %s touches %v", d, later, got)
		}
	})
}

func TestNothingElseReadsAsADeliveryDate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " ", "2026", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "2026/01/01", "01-02-2026",
		"2026-01-01T00:00:00Z", "2026-01-01 ", " 2026-01-01", "2026-01-32", "+2026-01-01", "２０２６-01-01", "tomorrow"} {
		if d, err := market.ParseDeliveryDate(text); err == nil {
			t.Errorf("%q reads as %s", text, d)
		} else if !d.IsZero() {
			t.Errorf("%q is refused and gives %s", text, d)
		}
	}
}

func TestADeliveryDateGoesThroughSQLAsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := anyDate().Draw(t, "date")
		value, err := d.Value()
		if err != nil || value != d.String() {
			t.Fatalf("%s is stored as %v, %v", d, value, err)
		}
		scanned := d.Add(1)
		if err := scanned.Scan(value); err != nil || scanned != d {
			t.Fatalf("%v is read as %s, %v", value, scanned, err)
		}
		text, err := d.MarshalText()
		if err != nil || string(text) != d.String() {
			t.Fatalf("%s is marshalled as %s, %v", d, text, err)
		}
	})
	d := market.NewDeliveryDate(2026, time.October, 25)
	if err := d.Scan(nil); err != nil || !d.IsZero() {
		t.Errorf("NULL is read as %s, %v; want no date", d, err)
	}
	for _, src := range []any{"", "25 October", int64(20_000), 1.5, []byte("2026-10-25"), time.Now(), true} {
		if err := d.Scan(src); err == nil {
			t.Errorf("%T %v is read as %s", src, src, d)
		}
	}
}
