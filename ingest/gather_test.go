package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/source"
	"courant/store"
	"courant/store/market"
)

// callsOf are the days of each of the feed's calls, such as "04 05".
func (b *bench) callsOf(name market.FeedName) []string {
	var calls []string
	for _, call := range b.market.asked[name] {
		var days []string
		for _, d := range call.Dates() {
			days = append(days, d.String()[8:])
		}
		calls = append(calls, strings.Join(days, " "))
	}
	return calls
}

func TestAReplyThatIsCutShortIsFoundByCountingEachSeries(t *testing.T) {
	t.Parallel()
	isMFRRDown := func(r market.CapacityStep) bool {
		return r.Dataset == market.MFRRCapacity && r.Direction == market.Downward
	}
	for _, row := range []struct {
		name string
		cut  func(window market.Period, rows []market.CapacityStep) []market.CapacityStep
		want []string
		rows int // of mFRR capacity on the last date
	}{
		{
			"at its end, in one series of one reserve", func(window market.Period, rows []market.CapacityStep) []market.CapacityStep {
				return slices.DeleteFunc(rows, func(r market.CapacityStep) bool { return isMFRRDown(r) && r.Start >= window.Start+5*86_400 })
			},
			[]string{"01 02 03 04 05 06 07", "06 07"}, 192,
		},
		{
			"on every date, after so many rows reserve by reserve", func(_ market.Period, rows []market.CapacityStep) []market.CapacityStep {
				slices.SortStableFunc(rows, func(a, b market.CapacityStep) int { return strings.Compare(string(a.Dataset), string(b.Dataset)) })
				return rows[:min(len(rows), 1000)]
			},
			[]string{"01 02 03 04 05 06 07", "01 02 03", "01", "02 03", "04 05 06 07", "04 05", "06 07"}, 192,
		},
		{
			"by rows that the source does not have", func(_ market.Period, rows []market.CapacityStep) []market.CapacityStep {
				return slices.DeleteFunc(rows, isMFRRDown)
			},
			[]string{"01 02 03 04 05 06 07", "01 02 03", "04 05 06 07"}, 96,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			whole := b.market.capacity
			b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
				reply, err := whole(window)
				reply.Rows = row.cut(window, reply.Rows)
				return reply, err
			}
			if err := b.Fetch(t.Context(), request(t, market.MFRRCapacity, "2026-11-01", "2026-11-07")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, b.callsOf(market.FeedCapacity)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got := b.rows(market.MFRRCapacity, "2026-11-07"); got != row.rows {
				t.Errorf("%d rows, want %d", got, row.rows)
			}
		})
	}
}

// tooWide are the errors of a source to which a window is too wide, by status 400 and by status 200.
var tooWide = []*source.Fault{
	{Source: "ENTSO-E", Call: "A44", Status: 400, Message: "the window is too wide for the source", Cause: source.ErrTooWide},
	{Source: "ENTSO-E", Call: "A44", Unreadable: true, Message: "the window is too wide for the source", Cause: source.ErrTooWide},
}

func TestAWindowThatIsTooWideIsAskedForInHalves(t *testing.T) {
	for _, fault := range tooWide {
		b := newBench(t, "2026-11-20 12:00")
		whole, refused := b.market.prices, date(t, "2026-10-27")
		b.market.prices = func(window market.Period) (replyOfPrices, error) {
			if len(window.Dates()) > 2 {
				return replyOfPrices{}, fault
			}
			reply, err := whole(window)
			if window.Holds(refused.Start().Unix()) {
				reply.Rows = slices.DeleteFunc(reply.Rows, func(row market.Price) bool { return refused.Period().Holds(row.Start) })
				reply.Refusals.RefuseFinally(market.DayAheadPrices, refused, "position 0 is odd")
			}
			reply.Note("a series was skipped")
			return reply, err
		}
		run, err := b.runDates(market.FeedDayAheadPrices, "2026-10-22", "2026-10-28")
		if err != nil || run.Error != "day-ahead-prices 2026-10-27 refused: position 0 is odd" {
			t.Errorf("error %v, run %+v", err, run)
		}
		want := []string{"22 23 24 25 26 27 28", "22 23 24", "22", "23 24", "25 26 27 28", "25 26", "27 28"}
		if diff := cmp.Diff(want, b.callsOf(market.FeedDayAheadPrices)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if run.Bytes != int64(100*len(want)) {
			t.Errorf("%d bytes", run.Bytes)
		}
		for day, rows := range map[string]int{"2026-10-22": 96, "2026-10-25": 100, "2026-10-26": 96, "2026-10-27": 0, "2026-10-28": 96} {
			if got := b.rows(market.DayAheadPrices, day); got != rows {
				t.Errorf("%s: %d rows, want %d", day, got, rows)
			}
		}
	}
}

func TestAnUnreadableWindowNamesItsWidestUnreadableDocument(t *testing.T) {
	t.Parallel()
	document := func(days int) *source.Fault {
		return &source.Fault{Source: "RTE", Call: "reserves", Message: fmt.Sprintf("a document of %d dates", days), Unreadable: true}
	}
	for _, row := range []struct {
		name   string
		widest error
		want   string
	}{
		{"unreadable", document(4), "RTE: reserves: a document of 4 dates"},
		{"too wide", tooWide[0], "RTE: reserves: a document of 2 dates"},
	} {
		b := newBench(t, "2026-11-20 12:00")
		b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
			if days := len(window.Dates()); days < 4 {
				return replyOfCapacity{}, document(days)
			}
			return replyOfCapacity{}, row.widest
		}
		if run, err := b.runDates(market.FeedCapacity, "2026-11-01", "2026-11-04"); err == nil || err.Error() != row.want || run.Outcome != store.OutcomeFailed {
			t.Errorf("%s: outcome %s, error %v, want %s", row.name, run.Outcome, err, row.want)
		}
	}
}

func TestADateThatIsTooWideFailsItsWindowAtOnce(t *testing.T) {
	for _, fault := range tooWide {
		b := newBench(t, "2026-11-20 12:00")
		b.market.prices = func(market.Period) (replyOfPrices, error) { return replyOfPrices{}, fault }
		run, err := b.runDates(market.FeedDayAheadPrices, "2026-08-01", "2026-10-29")
		// 90, 45, 22, 11, 5, 2 dates and one.
		if calls := len(b.market.asked[market.FeedDayAheadPrices]); !errors.Is(err, source.ErrTooWide) || run.Outcome != store.OutcomeFailed || calls != 7 {
			t.Errorf("%d calls, error %v, run %+v", calls, err, run)
		}
	}
}

func TestAHalfThatFailsFailsTheWholeWindow(t *testing.T) {
	unread, missing := *tooWide[1], &source.Fault{Source: "ENTSO-E", Call: "A44", Status: 404, Message: "Not Found"}
	unread.Cause, unread.Message = nil, "the reply cannot be read"
	for _, row := range []struct {
		name   string
		halves [2]error
		want   error
		rows   int // of the first date
	}{
		{"the second half is not there", [2]error{nil, missing}, missing, 0},
		{"neither half can be read", [2]error{&unread, &unread}, &unread, 0},
		{"the second half cannot be read", [2]error{nil, &unread}, &unread, 96}, // the rest is stored
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			whole := b.market.prices
			b.market.prices = func(window market.Period) (replyOfPrices, error) {
				switch {
				case len(window.Dates()) > 1:
					return replyOfPrices{}, tooWide[0]
				case window.Holds(date(t, "2026-11-01").Start().Unix()) && row.halves[0] == nil:
					return whole(window)
				case window.Holds(date(t, "2026-11-01").Start().Unix()):
					return replyOfPrices{}, row.halves[0]
				}
				return replyOfPrices{}, row.halves[1]
			}
			_, err := b.runDates(market.FeedDayAheadPrices, "2026-11-01", "2026-11-02")
			if got := b.rows(market.DayAheadPrices, "2026-11-01"); !errors.Is(err, row.want) || got != row.rows {
				t.Errorf("error %v, %d rows", err, got)
			}
		})
	}
}

func TestAnEmptyReplyIsNotCutShort(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	b.market.capacity = func(market.Period) (replyOfCapacity, error) { return replyOfCapacity{}, nil }
	if err := b.Fetch(t.Context(), request(t, market.MFRRCapacity, "2026-11-01", "2026-11-07")); err != nil {
		t.Fatal(err)
	}
	if calls := b.callsOf(market.FeedCapacity); len(calls) != 1 {
		t.Errorf("calls %q", calls)
	}
}

func TestADateOfAChangeThatLiesAheadShutsNoLaterRowOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole, price, updated := b.market.capacity, 1.0, b.clock.Now().AddDate(1, 0, 0).UnixMilli()
	b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
		reply, err := whole(window)
		for i := range reply.Rows {
			reply.Rows[i].Price, reply.Rows[i].Updated = market.Num(price), updated
		}
		return reply, err
	}
	for _, row := range []struct {
		price   float64
		updated time.Duration // after now
		want    float64
	}{{1, 365 * 24 * time.Hour, 1}, {2, -2 * time.Hour, 2}, {3, -3 * time.Hour, 2}, {4, -time.Hour, 4}} {
		price, updated = row.price, b.clock.Now().Add(row.updated).UnixMilli()
		if err := b.Fetch(t.Context(), request(t, market.FCRCapacity, "2026-11-19", "2026-11-19")); err != nil {
			t.Fatal(err)
		}
		steps, err := store.Within(t.Context(), b.db, market.Capacity, market.FCRCapacity, date(t, "2026-11-19").Period())
		if err != nil || len(steps) != 96 || steps[0].Price != market.Num(row.want) {
			t.Errorf("after a row of %v: %v, %v; want %v", row.price, steps[0].Price, err, row.want)
		}
	}
}
