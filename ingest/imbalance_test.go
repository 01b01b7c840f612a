package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
)

func TestImbalancePricesAreAskedForThreeMinutesAfterEachQuarterHour(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2026-11-20", "2026-03-29", "2026-10-25"} {
		day := date(t, text)
		now, runs := day.Start(), 0
		for end := day.End(); ; runs++ {
			last, next := imbalanceHours.times(now)
			if last.After(now) || !next.After(now) {
				t.Fatalf("at %s the last run is at %s, the next at %s", now, last, next)
			}
			if !next.Before(end) {
				break
			}
			if want := day.Start().Add(time.Duration(runs)*15*time.Minute + 3*time.Minute); !next.Equal(want) {
				t.Fatalf("run %d of %s is at %s, want %s", runs, day, next, want)
			}
			now = next
		}
		if runs != day.Steps(market.QuarterSeconds) {
			t.Errorf("%d runs on %s", runs, day)
		}
	}
}

// isSoonAfter reports whether a feed runs at a clock time, or within the minute of its random delay.
func isSoonAfter(t *testing.T, next time.Time, at string) bool {
	t.Helper()
	return !next.Before(paris(t, at)) && next.Before(paris(t, at).Add(mostJitter+time.Second))
}

func TestAMissingQuarterHourIsAskedForAgainTwoAndFiveMinutesLater(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:03")
	feed, whole := b.feed(market.FeedImbalance), b.market.imbalance
	published := paris(t, "2026-11-20 11:45").Unix()
	b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
		window.End = min(window.End, published)
		return whole(window)
	}
	for _, row := range []struct{ now, next string }{
		{"2026-11-20 12:03", "2026-11-20 12:05"}, {"2026-11-20 12:05", "2026-11-20 12:08"},
		{"2026-11-20 12:08", "2026-11-20 12:18"}, {"2026-11-20 12:18", "2026-11-20 12:20"},
	} {
		b.clock.Advance(paris(t, row.now).Sub(b.clock.Now()))
		if next := b.job(t.Context(), feed); !isSoonAfter(t, next, row.next) {
			t.Errorf("at %s it runs again at %s, want %s", row.now, next.In(market.Paris), row.next)
		}
	}
	published = paris(t, "2026-11-20 12:15").Unix()
	b.clock.Advance(2 * time.Minute)
	if next := b.job(t.Context(), feed); !isSoonAfter(t, next, "2026-11-20 12:33") || b.rows(market.ImbalancePrices, "2026-11-20") != 12*4+1 {
		t.Errorf("with the newest quarter hour it runs again at %s, and has %d rows", next.In(market.Paris), b.rows(market.ImbalancePrices, "2026-11-20"))
	}
}

func TestImbalancePricesAreLateTenMinutesAfterTheEndOfAMissingQuarterHour(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:03")
	b.job(t.Context(), b.feed(market.FeedImbalance))
	for _, row := range []struct {
		at      string
		want    report.State
		missing int
	}{
		{"2026-11-20 12:24", report.StateOK, 0},   // the quarter hour up to 12:15 is missing
		{"2026-11-20 12:25", report.StateOK, 0},   // for ten minutes
		{"2026-11-20 12:26", report.StateLate, 1}, // and for more
	} {
		b.clock.Advance(paris(t, row.at).Sub(b.clock.Now()))
		if got := b.status(market.ImbalancePrices); got.State != row.want || len(got.Missing) != row.missing {
			t.Errorf("at %s it is %s, missing %+v", row.at, got.State, got.Missing)
		}
	}
}

func TestWhenImbalancePricesAreReadAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-09-30 12:00")
	if err := b.Fetch(t.Context(), request(t, market.ImbalancePrices, "2026-07-28", "2026-09-30")); err != nil {
		t.Fatal(err)
	}
	dates := func(first, last string) []string {
		var all []string
		for _, d := range market.Dates(date(t, first), date(t, last)) {
			all = append(all, d.String())
		}
		return all
	}
	for _, row := range []struct {
		at   string
		want []string // the date under way is always among them
	}{
		{"2026-09-30 18:03", nil},
		{"2026-10-01 00:18", []string{"2026-09-30"}}, // over midnight
		{"2026-10-01 00:20", []string{"2026-09-30"}},
		{"2026-10-01 00:48", []string{"2026-09-30"}}, // the half hour before the newest quarter hour
		{"2026-10-01 01:18", nil},
		{"2026-10-01 03:00", dates("2026-09-24", "2026-09-30")},
		{"2026-10-01 11:48", nil},
		{"2026-10-01 12:00", []string{"2026-09-30"}},
		{"2026-10-01 12:03", nil},
		{"2026-10-04 04:33", dates("2026-09-25", "2026-10-03")},
		{"2026-10-04 04:40", dates("2026-09-20", "2026-09-26")}, // a Sunday
		{"2026-10-04 05:03", nil},
		{"2026-10-20 05:18", dates("2026-09-27", "2026-10-19")},
		{"2026-10-20 05:20", dates("2026-08-01", "2026-08-31")},
		{"2026-10-20 05:33", nil},
	} {
		got := slices.DeleteFunc(b.askedBy(market.FeedImbalance, row.at), func(d string) bool { return d == row.at[:10] })
		if !slices.Equal(got, row.want) {
			t.Errorf("at %s it asks for %v, want %v", row.at, got, row.want)
		}
	}
}

func TestARereadOfImbalancePricesIsRunOnTime(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ now, next string }{
		{"2026-11-20 00:18", "2026-11-20 00:20"}, {"2026-11-20 02:48", "2026-11-20 03:00"}, {"2026-11-20 11:48", "2026-11-20 12:00"},
		{"2026-11-22 04:33", "2026-11-22 04:40"}, {"2026-11-20 18:03", "2026-11-20 18:18"}, {"2026-11-20 23:48", "2026-11-21 00:03"},
	} {
		b := newBench(t, row.now)
		if next := b.job(t.Context(), b.feed(market.FeedImbalance)); !isSoonAfter(t, next, row.next) {
			t.Errorf("at %s it runs again at %s, want %s", row.now, next.In(market.Paris), row.next)
		}
	}
}

// imbalances are the stored rows of a delivery date.
func (b *bench) imbalances(text string) []market.ImbalanceStep {
	b.t.Helper()
	rows, err := store.Within(b.t.Context(), b.db, market.Imbalance, market.ImbalancePrices, date(b.t, text).Period())
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

func TestTheStatusOfImbalancePricesMovesOnWithTheirRereads(t *testing.T) {
	t.Parallel()
	const day = "2026-08-29"
	b := newBench(t, "2026-08-31 00:04")
	for _, row := range []struct {
		at, status string
		missing    string // of the first quarter hour
		first      string // its status
		changed    int
	}{
		{"2026-08-31 00:04", "provisional", "afrr", "provisional", 96},
		{"2026-08-31 00:05", "validated", "afrr", "validated", 96},
		{"2026-10-19 23:59", "validated", "afrr", "validated", 0},
		{"2026-10-20 00:00", "settled", "afrr", "validated", 95}, // RTE lacks an input of the first
		{"2026-10-21 03:00", "settled", "", "settled", 1},
		{"2026-10-22 03:00", "settled", "afrr", "settled", 1}, // it never goes back
	} {
		b.clock.Advance(paris(t, row.at).Sub(b.clock.Now()))
		whole := b.market.imbalance
		b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
			reply, err := whole(window)
			reply.Rows[0].MissingData = market.String{Withdrawn: true}
			if row.missing != "" {
				reply.Rows[0].MissingData = market.Str(row.missing)
			}
			return reply, err
		}
		run, err := b.runDates(market.FeedImbalance, day, day)
		b.market.imbalance = whole
		if err != nil || run.Tallies[market.ImbalancePrices].Changed != row.changed {
			t.Errorf("at %s %d rows change, want %d; %v", row.at, run.Tallies[market.ImbalancePrices].Changed, row.changed, err)
		}
		rows := b.imbalances(day)
		if rows[0].Status.V != row.first || rows[1].Status.V != row.status || rows[95].Status.V != row.status {
			t.Errorf("at %s the rows are %s, %s, … %s, want %s, %s", row.at, rows[0].Status.V, rows[1].Status.V, rows[95].Status.V, row.first, row.status)
		}
	}
	var revised []string
	for r, err := range b.db.Revisions(t.Context(), market.ImbalancePrices, date(t, day), date(t, day), store.RevisionAt{}) {
		if err != nil {
			t.Fatal(err)
		}
		revised = append(revised, r.Column)
	}
	if !slices.Equal(revised, []string{"missing_data", "missing_data"}) {
		t.Errorf("revisions of %v", revised)
	}
}

func TestPricesThatRTEHasNotComputedYetAreFilledInLater(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.imbalance
	b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			reply.Rows[i].PositivePrice, reply.Rows[i].NegativePrice = market.Number{Withdrawn: true}, market.Number{Withdrawn: true}
			reply.Rows[i].MissingData = market.Str("afrr_activated_energy")
		}
		return reply, err
	}
	if _, err := b.runDates(market.FeedImbalance, day, day); err != nil || b.imbalances(day)[0].PositivePrice.Valid {
		t.Fatalf("%+v, %v", b.imbalances(day)[0], err)
	}
	b.clock.Advance(time.Hour)
	b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			reply.Rows[i].MissingData = market.String{Withdrawn: true}
		}
		return reply, err
	}
	run, err := b.runDates(market.FeedImbalance, day, day)
	if tally := run.Tallies[market.ImbalancePrices]; err != nil || tally.Changed != 96 || tally.Withdrawn != 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	// That nothing is missing any more is good news: the date does not wait for a person.
	if waiting, err := b.db.InQuarantine(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("%v waits, %v", waiting, err)
	}
	for _, row := range b.imbalances(day) {
		if row.PositivePrice != market.Num(48.08) || row.NegativePrice != market.Num(53.28) || row.MissingData.Valid {
			t.Fatalf("row %+v", row)
		}
	}
}

func TestImbalancePricesOfHalfHoursAreNotAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	if err := b.Fetch(t.Context(), request(t, market.ImbalancePrices, "2024-12-25", "2025-01-02")); err != nil {
		t.Fatal(err)
	}
	if got := b.market.dates(market.FeedImbalance); !slices.Equal(got, []string{"2025-01-01", "2025-01-02"}) {
		t.Errorf("a fetch asks for %v", got)
	}
	if calls, err := b.Plan(t.Context(), request(t, market.ImbalancePrices, "2024-12-01", "2024-12-31")); err != nil || len(calls) > 0 {
		t.Errorf("a fetch of earlier dates plans %v, %v", calls, err)
	}
	for now, want := range map[string][]string{
		"2025-01-02 12:00": {"2025-01-01", "2025-01-02"}, "2024-12-31 23:50": nil, // a clock that is wrong
	} {
		b := newBench(t, now)
		if got := b.askedBy(market.FeedImbalance, now); !slices.Equal(got, want) {
			t.Errorf("a new database asks at %s for %v, want %v", now, got, want)
		}
	}
}

func TestRefusedImbalancePricesMayBeAccepted(t *testing.T) {
	t.Parallel()
	const day = "2026-11-18"
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.imbalance
	b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			reply.Rows[i].MissingData, reply.Rows[i].Updated = market.Str("mfrr"), 1000*(reply.Rows[i].Start+1061)
		}
		reply.Rows[7].NegativePrice = market.Num(200_000)
		return reply, err
	}
	run, err := b.runDates(market.FeedImbalance, day, day)
	if err != nil || !strings.HasSuffix(run.Error, "a price of 200000 EUR/MWh is out of bounds") || b.rows(market.ImbalancePrices, day) != 0 {
		t.Fatalf("the run says %q, %v", run.Error, err)
	}
	waiting, err := b.db.InQuarantine(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0].Kind != market.WaitsRefused {
		t.Fatalf("%+v waits, %v", waiting, err)
	}
	b.clock.Advance(48 * time.Hour)
	if _, err := b.Accept(t.Context(), store.Note{}, waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	rows := b.imbalances(day)
	if len(rows) != 96 {
		t.Fatalf("%d rows once it is accepted", len(rows))
	}
	for i, row := range rows {
		want := imbalanceStep(row.Start)
		want.MissingData, want.Updated = market.Str("mfrr"), 1000*(row.Start+1061)
		want.Status = market.Str("validated") // it was read on the second day after delivery, not when it was accepted
		if i == 7 {
			want.NegativePrice = market.Num(200_000)
		}
		if row != want {
			t.Fatalf("row %d is %+v, want %+v", i, row, want)
		}
	}
}

func TestPricesInTheWrongOrderAreServedAndRemarkedInTheStatus(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.imbalance
	b.market.imbalance = func(window market.Period) (replyOfImbalance, error) {
		reply, err := whole(window)
		for i := range min(2, len(reply.Rows)) {
			reply.Rows[i].PositivePrice, reply.Rows[i].NegativePrice = market.Num(50), market.Num(49.99)
		}
		return reply, err
	}
	if _, err := b.runDates(market.FeedImbalance, "2026-11-19", "2026-11-19"); err != nil {
		t.Fatal(err)
	}
	if rows := b.imbalances("2026-11-19"); len(rows) != 96 || rows[0].NegativePrice != market.Num(49.99) {
		t.Fatalf("%d rows, the first %+v", len(rows), rows[0])
	}
	current, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range current.Datasets {
		want := []report.Remark{}
		if status.Dataset == market.ImbalancePrices {
			want = []report.Remark{{Date: date(t, "2026-11-19"), Rows: 2, Text: "the negative price is below the positive one"}}
		}
		if !slices.Equal(status.Remarks, want) {
			t.Errorf("%s: remarks %+v, want %+v", status.Dataset, status.Remarks, want)
		}
	}
}
