package ingest

import (
	"slices"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
)

// paris is the instant at which a clock in Paris shows the text.
func paris(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, market.Paris)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

var (
	pricesHours   = Schedule{Every: 10 * time.Minute, FromMinute: 12*60 + 40, ToMinute: 18 * 60, LookbackDays: 35, LateMinute: 14*60 + 30}
	capacityHours = Schedule{Every: 10 * time.Minute, FromMinute: 8*60 + 10, ToMinute: 11*60 + 30, LookbackDays: 35, LateMinute: 11 * 60}
	energyHours   = Schedule{Every: 15 * time.Minute, FromMinute: 0, ToMinute: 24 * 60, LookbackDays: 35, LateMinute: 6 * 60}
	// imbalanceHours are those of the registry: at :03, :18, :33 and :48.
	imbalanceHours = Schedule{Every: 15 * time.Minute, FromMinute: 3, ToMinute: 24 * 60, LookbackDays: 35, LateMinute: 6 * 60, LagAt: 25 * time.Minute}
	restlessHours  = Schedule{Every: 10 * time.Minute, Idle: 2 * time.Minute, FromMinute: 12*60 + 40, ToMinute: 18 * 60, LookbackDays: 35, LateMinute: 14*60 + 30}
)

func TestWhenAFeedRunsNext(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		schedule Schedule
		now      string
		eager    bool
		next     string
	}{
		{"hourly before its hours", pricesHours, "2026-11-20 03:00", true, "2026-11-20 04:00"},
		{"its hours are not overslept", pricesHours, "2026-11-20 12:00", true, "2026-11-20 12:40"},
		{"its hours begin for one that has all of the day before", pricesHours, "2026-11-20 12:00", false, "2026-11-20 12:40"},
		{"often while tomorrow is missing", pricesHours, "2026-11-20 12:40", true, "2026-11-20 12:50"},
		{"hourly once tomorrow is whole", pricesHours, "2026-11-20 12:50", false, "2026-11-20 13:50"},
		{"hourly after its hours", pricesHours, "2026-11-20 18:00", true, "2026-11-20 19:00"},
		{"the last of its hours", pricesHours, "2026-11-20 17:59", true, "2026-11-20 18:09"},
		{"as its idle interval says once tomorrow is whole", restlessHours, "2026-11-20 12:50", false, "2026-11-20 12:52"},
		{"as its idle interval says before its hours", restlessHours, "2026-11-20 03:00", true, "2026-11-20 03:02"},
		{"capacity in the morning", capacityHours, "2026-11-20 07:30", true, "2026-11-20 08:10"},
		{"energy all day", energyHours, "2026-11-20 23:55", true, "2026-11-21 00:10"},
		{"by the clock in Paris on the day it goes forward", pricesHours, "2026-03-29 12:00", true, "2026-03-29 12:40"},
		{"by the clock in Paris on the day it goes back", pricesHours, "2026-10-25 12:00", true, "2026-10-25 12:40"},
		{"every quarter through the hour that comes twice", energyHours, "2026-10-25 02:50", true, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := paris(t, row.now)
			want := now.Add(row.schedule.Every)
			if row.next != "" {
				want = paris(t, row.next)
			}
			if got := row.schedule.next(now, row.eager); !got.Equal(want) {
				t.Errorf("next after %s is %s, want %s", row.now, got.In(market.Paris), want.In(market.Paris))
			}
		})
	}
}

func TestTimesOfAFixedTimetable(t *testing.T) {
	t.Parallel()
	morning := Schedule{Every: 15 * time.Minute, FromMinute: 8*60 + 3, ToMinute: 12*60 + 3}
	uneven := Schedule{Every: 89*time.Second + 750*time.Millisecond, FromMinute: 8 * 60, ToMinute: 8*60 + 3}
	for _, row := range []struct {
		name            string
		schedule        Schedule
		now, last, next string
	}{
		{"at a time", imbalanceHours, "2026-11-20 12:03", "2026-11-20 12:03", "2026-11-20 12:18"},
		{"between two", imbalanceHours, "2026-11-20 12:17", "2026-11-20 12:03", "2026-11-20 12:18"},
		{"after midnight", imbalanceHours, "2026-11-20 00:02", "2026-11-19 23:48", "2026-11-20 00:03"},
		{"the last of the day", imbalanceHours, "2026-11-20 23:48", "2026-11-20 23:48", "2026-11-21 00:03"},
		{"the last of the 25 hours", imbalanceHours, "2026-10-25 23:59", "2026-10-25 23:48", "2026-10-26 00:03"},
		{"the last of the 23 hours", imbalanceHours, "2026-03-29 23:59", "2026-03-29 23:48", "2026-03-30 00:03"},
		{"none at the end of its hours", morning, "2026-11-20 12:03", "2026-11-20 11:48", "2026-11-21 08:03"},
		{"long after its hours", morning, "2026-11-20 18:00", "2026-11-20 11:48", "2026-11-21 08:03"},
		{"before its hours", morning, "2026-11-20 08:02", "2026-11-19 11:48", "2026-11-20 08:03"},
		{"less than a second before the end", uneven, "2026-11-20 09:00", "2026-11-20 08:02:59.5", "2026-11-21 08:00"},
	} {
		last, next := row.schedule.times(paris(t, row.now))
		const layout = "2006-01-02 15:04:05.999"
		want := [2]string{row.last, row.next}
		for i, at := range []time.Time{last, next} {
			got := at.In(market.Paris).Format(layout)
			if got != want[i] && got != want[i]+":00" {
				t.Errorf("%s: %s, want %s", row.name, got, want[i])
			}
		}
	}
}

func TestAFixedFeedIsRepeatedWhileTheNewestPeriodIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 13:03")
	feed := b.feed(market.FeedImbalance)
	commit := func(start string) {
		run := &store.Run{Feed: string(feed.Name), Datasets: feed.Datasets, Started: b.clock.Now(), Ended: b.clock.Now(), Outcome: store.OutcomeOK}
		if err := b.db.Commit(t.Context(), run, market.Imbalance.Batch([]market.ImbalanceStep{imbalanceStep(paris(t, start).Unix())})); err != nil {
			t.Fatal(err)
		}
	}
	check := func(stored, now, want string) {
		if got := feed.nextAfter(t.Context(), paris(t, now), true); !got.Equal(paris(t, want)) {
			t.Errorf("with %s stored, the next run after %s is at %s, want %s", stored, now, got.In(market.Paris), want)
		}
	}
	commit("2026-11-20 12:30")
	for now, want := range map[string]string{"13:03": "13:05", "13:04": "13:05", "13:05": "13:08", "13:08": "13:18", "13:17": "13:18"} {
		check("12:30", "2026-11-20 "+now, "2026-11-20 "+want)
	}
	commit("2026-11-20 12:45")
	check("12:45", "2026-11-20 13:03", "2026-11-20 13:18")
	check("12:45", "2026-11-20 11:58", "2026-11-20 12:00") // a reread comes first
}

// rereadsOf are the rereads of a feed.
func rereadsOf(name market.FeedName) []market.Reread {
	feeds := market.Feeds()
	return feeds[slices.IndexFunc(feeds, func(feed market.Feed) bool { return feed.Name == name })].Rereads
}

func TestWhenDatesAreReadAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		now     string
		rereads []market.Reread
		next    string
	}{
		{"2026-11-20 23:00", rereadsOf(market.FeedAFRREnergy), "2026-11-21 00:20"},
		{"2026-11-21 00:20", rereadsOf(market.FeedAFRREnergy), "2026-11-21 03:00"},
		{"2026-11-21 03:00", rereadsOf(market.FeedAFRREnergy), "2026-11-22 00:20"},
		{"2026-11-22 03:00", rereadsOf(market.FeedAFRREnergy), "2026-11-22 04:40"}, // a Sunday
		{"2026-11-20 12:50", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 14:30"},
		{"2026-11-20 14:30", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 18:00"},
		{"2026-11-20 18:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 22:00"},
		{"2026-11-20 22:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-21 03:00"},
		{"2026-11-21 03:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-21 06:00"},
		{"2026-11-20 09:00", rereadsOf(market.FeedCapacity), "2026-11-20 11:30"},
		{"2026-11-20 11:30", rereadsOf(market.FeedCapacity), "2026-11-20 18:00"},
		{"2026-11-20 18:00", rereadsOf(market.FeedCapacity), "2026-11-21 03:00"},
		{"2026-03-29 00:30", rereadsOf(market.FeedAFRREnergy), "2026-03-29 03:00"}, // the first minute after the hour that is left out
		{"2026-10-25 00:30", rereadsOf(market.FeedDayAheadPrices), "2026-10-25 03:00"},
	} {
		if got, want := nextReread(paris(t, row.now), row.rereads), paris(t, row.next); !got.Equal(want) {
			t.Errorf("after %s at %s, want %s", row.now, got.In(market.Paris), want.In(market.Paris))
		}
	}
}

func TestSinceWhenADateIsDueToBeReadAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		date, now string
		rereads   []market.Reread
		since     string // "" if it is not due
	}{
		{"2026-11-20", "2026-11-20 23:59", rereadsOf(market.FeedAFRREnergy), ""},
		{"2026-11-20", "2026-11-21 00:19", rereadsOf(market.FeedAFRREnergy), ""},
		{"2026-11-20", "2026-11-21 00:20", rereadsOf(market.FeedAFRREnergy), "2026-11-21 00:20"},
		{"2026-11-20", "2026-11-25 12:00", rereadsOf(market.FeedAFRREnergy), "2026-11-25 03:00"},
		{"2026-11-20", "2026-11-27 12:00", rereadsOf(market.FeedAFRREnergy), "2026-11-27 03:00"},
		{"2026-11-20", "2026-11-28 12:00", rereadsOf(market.FeedAFRREnergy), "2026-11-27 03:00"},
		{"2026-11-20", "2026-11-29 04:40", rereadsOf(market.FeedAFRREnergy), "2026-11-29 04:40"}, // the Sunday after the eighth day
		{"2026-11-20", "2027-01-01 12:00", rereadsOf(market.FeedAFRREnergy), "2026-11-29 04:40"}, // made up for, however late
		{"2026-10-24", "2026-10-25 12:00", rereadsOf(market.FeedAFRREnergy), "2026-10-25 03:00"},
		{"2026-11-21", "2026-11-20 14:29", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 06:00"},
		{"2026-11-21", "2026-11-20 14:30", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 14:30"},
		{"2026-11-21", "2026-11-20 23:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 22:00"},
		{"2026-11-21", "2026-11-21 05:59", rereadsOf(market.FeedDayAheadPrices), "2026-11-20 22:00"},
		{"2026-11-21", "2026-11-21 06:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-21 06:00"},
		{"2026-11-21", "2026-11-22 02:59", rereadsOf(market.FeedDayAheadPrices), "2026-11-21 22:00"},
		{"2026-11-21", "2026-11-22 03:00", rereadsOf(market.FeedDayAheadPrices), "2026-11-22 03:00"},
		{"2026-11-21", "2026-11-20 12:00", rereadsOf(market.FeedCapacity), "2026-11-20 11:30"},
		{"2026-11-21", "2026-11-21 18:00", rereadsOf(market.FeedCapacity), "2026-11-21 18:00"},
	} {
		var want time.Time
		if row.since != "" {
			want = paris(t, row.since)
		}
		if got := rereadAt(date(t, row.date), paris(t, row.now), row.rereads); !got.Equal(want) {
			t.Errorf("%s at %s is due since %s, want %s", row.date, row.now, got.In(market.Paris), want.In(market.Paris))
		}
	}
}

func TestEachDateIsReadAgainInItsSecondWeekAndOnceForItsSettlement(t *testing.T) {
	t.Parallel()
	for d := date(t, "2026-01-01"); d.Before(date(t, "2027-01-01")); d = d.Add(1) {
		weekly := rereadAt(d, d.At(12, 0).AddDate(0, 0, 20), rereadsOf(market.FeedAFRREnergy))
		if days := d.DaysUntil(market.DeliveryDateOf(weekly)); days < 8 || days > 14 {
			t.Errorf("%s is read again %d days later", d, days)
		}
		at := settlementAt(d).In(market.Paris)
		begun := d.Start().In(market.Paris)
		if months := (at.Year()-begun.Year())*12 + int(at.Month()-begun.Month()); at.Day() != 20 || months != 2 {
			t.Errorf("%s is settled on %s", d, at)
		}
	}
}

func TestAPauseGrowsToADay(t *testing.T) {
	t.Parallel()
	now := paris(t, "2026-11-20 12:00")
	var p pause
	for _, want := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		if p = p.longer(now); p.length != want || !p.until.Equal(now.Add(want)) {
			t.Fatalf("pause of %s until %s, want %s", p.length, p.until, want)
		}
	}
}
