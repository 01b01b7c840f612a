package server

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

func TestTheNightlyMaintenanceThinsStepsBeyondTheirRetention(t *testing.T) {
	t.Parallel()
	at := func(day int) market.DeliveryDate { return market.NewDeliveryDate(2026, time.October, day) }
	for _, test := range []struct {
		name  string
		days  int
		now   time.Time // in the morning of
		first int       // date of October that is kept in 4 s steps
	}{
		{"off", 0, at(25).At(4, 0), 1},
		{"the clock goes back", 14, at(25).At(4, 0), 12},
		{"a day later", 14, at(26).At(4, 0), 12}, // nothing new came since the 25th
		{"a clock that is wrong", 14, at(25).Add(3650).At(4, 0), 12},
		{"a clock that is behind", 14, at(20).At(4, 0), 7},
		{"more than there is", 40, at(25).At(4, 0), 1},
	} {
		db := storetest.New(t)
		run := store.Run{Feed: "afrr_energy", Datasets: []market.Dataset{market.AFRREnergy}, Outcome: store.OutcomeOK, Ended: test.now}
		var rows []market.AFRRStep
		for _, date := range market.Dates(at(1), at(25)) {
			rows = append(rows, market.AFRRStep{Start: date.Start().Unix(), UpwardPrice: market.Num(1)})
		}
		if err := db.Commit(t.Context(), &run, market.AFRR.Batch(rows)); err != nil {
			t.Fatal(err)
		}
		clock := clockwork.NewFakeClockAt(test.now)
		u := &upkeep{
			store: db, auth: auth.New(auth.Options{Store: db, Clock: clock}), clock: clock, log: slog.New(slog.DiscardHandler), stepDays: test.days,
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { u.maintain(ctx) })
		for range 2 { // it waits for the night after only when it is done with this one
			if err := clock.BlockUntilContext(await.Context(t), 1); err != nil {
				t.Fatal(err)
			}
			if clock.Now().Equal(test.now) {
				clock.Advance(20 * time.Minute)
			}
		}
		stop()
		running.Wait()
		coverage, err := db.Coverage(t.Context(), market.AFRREnergy, at(1), at(25))
		if err != nil {
			t.Fatal(err)
		}
		for _, date := range market.Dates(at(1), at(25)) {
			if thinned := coverage.IsThinned(date); thinned != date.Before(at(test.first)) {
				t.Errorf("%s: %s is thinned: %t", test.name, date, thinned)
			}
		}
	}
}

func TestTheNightlyUpkeepDeletesNothingOfAccountsWhileTheClockIsKnownToBeWrong(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	clock := clockwork.NewFakeClock()
	if err := db.AddNote(t.Context(), store.Note{At: clock.Now(), Event: "signed_in"}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(500 * 24 * time.Hour)
	wrong := true
	u := &upkeep{
		store: db, auth: auth.New(auth.Options{Store: db, Clock: clock}), clock: clock, log: slog.New(slog.DiscardHandler),
		clockWrong: func() bool { return wrong },
	}
	for _, step := range []struct {
		wrong bool
		kept  int
	}{{true, 1}, {false, 0}} {
		wrong = step.wrong
		for range 10 {
			if err := u.pruneAccounts(t.Context()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(24 * time.Hour)
		}
		notes, err := db.Notes(t.Context(), 0, 10)
		if err != nil || len(notes) != step.kept {
			t.Errorf("clock wrong: %t: %d lines are kept, %v", step.wrong, len(notes), err)
		}
	}
}

func TestTheNightlyUpkeepDropsARefusedDateThatHasWaitedFor30Days(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	date := market.NewDeliveryDate(2026, time.October, 1)
	now := date.At(4, 20)
	_, err := db.Quarantine(t.Context(), store.Quarantined{
		Dataset: market.DayAheadPrices, Date: date, Kind: market.WaitsRefused, Seen: now,
		Batch: market.Prices.Batch([]market.Price{{Start: date.Start().Unix(), Resolution: market.PT15M, Price: market.Num(1)}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		days  int
		wrong bool // the clock
		left  int
	}{{29, false, 1}, {3000, true, 1}, {30, false, 0}} {
		u := &upkeep{store: db, clock: clockwork.NewFakeClockAt(now.AddDate(0, 0, row.days)), clockWrong: func() bool { return row.wrong }}
		if err := u.pruneQuarantine(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiting, err := db.InQuarantine(t.Context())
		if err != nil || len(waiting) != row.left {
			t.Errorf("after %d days %d wait, %v", row.days, len(waiting), err)
		}
	}
}

func TestHoursOfAnEarlierVersionAreSummarisedAtTheStart(t *testing.T) {
	t.Parallel()
	now := market.NewDeliveryDate(2026, time.July, 26).At(4, 0)
	db := storetest.New(t)
	run := store.Run{Feed: "afrr_energy", Datasets: []market.Dataset{market.AFRREnergy}, Outcome: store.OutcomeOK, Ended: now}
	var steps []market.AFRRStep
	for hour := range int64(100) {
		steps = append(steps, market.AFRRStep{Start: market.HourOf(now.Unix()) - hour*market.HourSeconds, UpwardPrice: market.Num(1)})
	}
	if err := db.Commit(t.Context(), &run, market.AFRR.Batch(steps)); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.ToSlash(db.Path()))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "DELETE FROM afrr_energy_summary"); err != nil {
		t.Fatal(err)
	}
	clock := clockwork.NewFakeClockAt(now)
	var log bytes.Buffer
	u := &upkeep{store: db, auth: auth.New(auth.Options{Store: db, Clock: clock}), clock: clock, log: slog.New(slog.NewTextHandler(&log, nil))}
	ctx, stop := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	u.start(ctx, &parts)
	reading, err := db.Read(t.Context(), store.ReadQuery{Dataset: market.AFRREnergy, Period: market.Period{End: now.Unix() + market.HourSeconds}})
	if err != nil {
		t.Fatal(err)
	}
	await.True(t, func() bool {
		hours, err := reading.CountHours(t.Context())
		return err != nil || hours == 100
	})
	stop()
	parts.Wait()
	if !strings.Contains(log.String(), `msg="hours of 4 s steps summarised" hours=100`) {
		t.Error(log.String())
	}
}
