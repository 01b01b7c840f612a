package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store/market"
)

// callsOf are the days of each of the feed's calls, such as "04 05".
func (b *bench) callsOf(name FeedName) []string {
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
			if diff := cmp.Diff(row.want, b.callsOf(Capacity)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got := b.rows(market.MFRRCapacity, "2026-11-07"); got != row.rows {
				t.Errorf("%d rows, want %d", got, row.rows)
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
	if calls := b.callsOf(Capacity); len(calls) != 1 {
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
		steps, err := b.db.CapacityWithin(t.Context(), market.FCRCapacity, date(t, "2026-11-19").Period())
		if err != nil || len(steps) != 96 || steps[0].Price != market.Num(row.want) {
			t.Errorf("after a row of %v: %v, %v; want %v", row.price, steps[0].Price, err, row.want)
		}
	}
}
