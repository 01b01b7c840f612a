package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store/market"
)

func request(t *testing.T, dataset market.Dataset, first, last string) FetchRequest {
	return FetchRequest{Dataset: dataset, First: date(t, first), Last: date(t, last), Progress: func(Progress) {}}
}

func TestFetchAsksForEveryDateEachTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	for range 2 {
		if err := b.Fetch(t.Context(), request(t, market.AFRREnergy, "2026-11-01", "2026-11-03")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"2026-11-01", "2026-11-02", "2026-11-03"}, b.market.dates(market.FeedAFRREnergy)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFetchOfTodayEndsNow(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	if err := b.Fetch(t.Context(), request(t, market.AFRREnergy, "2026-11-20", "2026-11-20")); err != nil {
		t.Fatal(err)
	}
	if asked := b.market.asked[market.FeedAFRREnergy]; len(asked) != 1 || !asked[0].To().Equal(b.clock.Now()) {
		t.Errorf("asked for %v", asked)
	}
}

// interrupt lets the fetch's n-th call be the last one.
func (b *bench) interrupt(n int) context.Context {
	ctx, cancel := context.WithCancel(b.t.Context())
	whole, calls := b.market.afrr, 0
	b.market.afrr = func(window market.Period) (source.Reply[market.AFRRStep], error) {
		if calls++; calls == n {
			b.market.afrr = whole
			cancel()
			return source.Reply[market.AFRRStep]{}, ctx.Err()
		}
		return whole(window)
	}
	return ctx
}

func TestAnInterruptedFetchGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		again FetchRequest
		want  []string
	}{
		{"the same range skips what is done", request(t, market.AFRREnergy, "2026-11-01", "2026-11-03"), []string{"2026-11-03"}},
		{"another range skips nothing", request(t, market.AFRREnergy, "2026-11-01", "2026-11-02"), []string{"2026-11-01", "2026-11-02"}},
		{"force skips nothing", FetchRequest{Dataset: market.AFRREnergy, First: date(t, "2026-11-01"), Last: date(t, "2026-11-03"), Force: true,
			Progress: func(Progress) {}}, []string{"2026-11-01", "2026-11-02", "2026-11-03"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			if err := b.Fetch(b.interrupt(3), request(t, market.AFRREnergy, "2026-11-01", "2026-11-03")); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			b.market.dates(market.FeedAFRREnergy)
			if err := b.Fetch(t.Context(), row.again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, b.market.dates(market.FeedAFRREnergy)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAfterAFetchThatEndedNothingIsSkipped(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	if err := b.Fetch(b.interrupt(2), request(t, market.AFRREnergy, "2026-11-01", "2026-11-02")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	for range 2 {
		b.market.dates(market.FeedAFRREnergy)
		if err := b.Fetch(t.Context(), request(t, market.AFRREnergy, "2026-11-01", "2026-11-02")); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.market.dates(market.FeedAFRREnergy); len(got) != 2 {
		t.Errorf("asked for %v", got)
	}
}

func TestFetchReportsWhatItCouldNotGet(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.afrr
	b.market.afrr = func(window market.Period) (source.Reply[market.AFRRStep], error) {
		if window.Holds(date(t, "2026-11-02").Start().Unix()) {
			return source.Reply[market.AFRRStep]{}, &source.Fault{Source: "RTE", Call: "afrr_marginal_price", Message: "the reply is an HTML page, not JSON: maintenance"}
		}
		return whole(window)
	}
	err := b.Fetch(t.Context(), request(t, market.AFRREnergy, "2026-11-01", "2026-11-03"))
	if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "maintenance") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q", err)
	}
	if b.rows(market.AFRREnergy, "2026-11-01") != 21_600 || b.rows(market.AFRREnergy, "2026-11-03") != 21_600 {
		t.Error("the other dates are not there")
	}
}

func TestFetchOfAFeedThatIsOffNamesItsSource(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	options := b.options()
	delete(options.Readers, market.FeedDayAheadPrices)
	b.Feeds = New(options)
	err := b.Fetch(t.Context(), request(t, market.DayAheadPrices, "2026-11-01", "2026-11-01"))
	var off OffError
	if !errors.As(err, &off) || off != (OffError{market.DayAheadPrices, "ENTSO-E"}) {
		t.Errorf("error %v", err)
	}
}

func TestProgressReportsDatesAndRows(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	r := request(t, market.MFRRCapacity, "2026-11-01", "2026-11-15")
	var steps []string
	r.Progress = func(now Progress) {
		steps = append(steps, fmt.Sprintf("%d/%d %s %d", now.Done, now.Total, now.Date, now.Rows))
	}
	if err := b.Fetch(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0/15 1970-01-01 0", "7/15 2026-11-07 3360", "14/15 2026-11-14 6720", "15/15 2026-11-15 7200"}, steps); diff != "" {
		t.Error(diff)
	}
}

func TestAWindowThatIsSilentlyTruncatedIsRequestedInParts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		most int64 // seconds that the source answers, whatever it is asked for
		want []string
	}{
		{"whole", 7 * 86_400, []string{"01 02 03 04 05 06 07"}},
		{"three dates", 3 * 86_400, []string{"01 02 03 04 05 06 07", "04 05 06 07", "07"}},
		{"two dates and a half", 5 * 43_200, []string{"01 02 03 04 05 06 07", "03 04 05 06 07", "05 06 07", "07"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			whole := b.market.capacity
			b.market.capacity = func(window market.Period) (replyOfCapacity, error) {
				window.End = min(window.End, window.Start+row.most)
				return whole(window)
			}
			if err := b.Fetch(t.Context(), request(t, market.FCRCapacity, "2026-11-01", "2026-11-07")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, b.callsOf(market.FeedCapacity)); diff != "" {
				t.Error(diff)
			}
			for _, d := range market.Dates(date(t, "2026-11-01"), date(t, "2026-11-07")) {
				if got := b.rows(market.MFRRCapacity, d.String()); got != 192 {
					t.Errorf("%s has %d rows of mFRR", d, got)
				}
			}
		})
	}
}

func TestASourceThatAsksToBeLeftAloneIsNotAskedForTheOtherParts(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole := b.market.prices
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		if len(window.Dates()) == 1 {
			return replyOfPrices{}, &source.Fault{Source: "ENTSO-E", Status: 429, Message: "closed", Retryable: true, RetryAfter: 3 * time.Hour}
		}
		reply, err := whole(window)
		reply.Rows = slices.DeleteFunc(reply.Rows, func(p market.Price) bool {
			return date(t, "2026-11-02").Period().Holds(p.Start) || date(t, "2026-11-04").Period().Holds(p.Start)
		})
		return reply, err
	}
	run, err := b.runDates(market.FeedDayAheadPrices, "2026-11-01", "2026-11-05")
	if err == nil || b.rows(market.DayAheadPrices, "2026-11-05") != 96 {
		t.Errorf("error %v, run %+v", err, run)
	}
	if diff := cmp.Diff([]string{"01 02 03 04 05", "02"}, b.callsOf(market.FeedDayAheadPrices)); diff != "" {
		t.Error(diff)
	}
	for _, day := range []string{"2026-11-02", "2026-11-04"} {
		if got := b.reasonOf(market.DayAheadPrices, day); got != report.ReasonSourceError {
			t.Errorf("%s is missing for %q", day, got)
		}
	}
}

func TestADateThatTheSourceDoesNotHaveIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole, hole := b.market.prices, date(t, "2026-11-03").Period()
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		reply, err := whole(window)
		reply.Rows = slices.DeleteFunc(reply.Rows, func(p market.Price) bool { return hole.Holds(p.Start) })
		return reply, err
	}
	if err := b.Fetch(t.Context(), request(t, market.DayAheadPrices, "2026-11-01", "2026-11-05")); err != nil {
		t.Fatal(err)
	}
	if asked := b.market.asked[market.FeedDayAheadPrices]; len(asked) != 2 || asked[1] != hole {
		t.Errorf("asked for %v", asked)
	}
}

func TestAnInterruptedFetchRequestsTheRunningDateAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 10:00")
	both := []FetchRequest{request(t, market.MFRREnergy, "2026-11-20", "2026-11-20"), request(t, market.AFRREnergy, "2026-11-20", "2026-11-20")}
	if err := b.Fetch(b.interrupt(1), both...); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	b.clock.Advance(10 * time.Hour)
	if err := b.Fetch(t.Context(), both...); err != nil {
		t.Fatal(err)
	}
	if got, want := b.rows(market.MFRREnergy, "2026-11-20"), 2*(20*4); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
}

func TestARefusedPartDoesNotTakeTheRestWithIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	whole, hole := b.market.prices, date(t, "2026-11-03").Period()
	b.market.prices = func(window market.Period) (replyOfPrices, error) {
		if window == hole {
			return replyOfPrices{}, &source.Fault{Source: "ENTSO-E", Status: 400, Message: "refused"}
		}
		reply, err := whole(window)
		reply.Rows = slices.DeleteFunc(reply.Rows, func(p market.Price) bool { return hole.Holds(p.Start) })
		return reply, err
	}
	err := b.Fetch(t.Context(), request(t, market.DayAheadPrices, "2026-11-01", "2026-11-05"))
	if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "2026-11-03 to 2026-11-03: ENTSO-E") {
		t.Errorf("error %v", err)
	}
	if got := b.rows(market.DayAheadPrices, "2026-11-05"); got != 96 {
		t.Errorf("%d rows of another date", got)
	}
	if got := b.reasonOf(market.DayAheadPrices, "2026-11-03"); got != report.ReasonSourceError {
		t.Errorf("it is missing for %q", got)
	}
}
