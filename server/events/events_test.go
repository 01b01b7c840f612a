package events_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/server/events"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

var (
	day         = market.NewDeliveryDate(2026, time.July, 14)
	turnForward = market.NewDeliveryDate(2026, time.March, 29)
	turnBack    = market.NewDeliveryDate(2026, time.October, 25)
)

// history is a store to which a test commits.
type history struct {
	*store.Store
	t       *testing.T
	commits int
}

func newHistory(t *testing.T) *history { return &history{Store: storetest.New(t), t: t} }

// commit commits a batch, a minute after the one before.
func (h *history) commit(batch market.Batch) {
	h.t.Helper()
	at := day.Start().Add(time.Duration(h.commits) * time.Minute)
	h.commits++
	run := &store.Run{Feed: "test", Datasets: market.Datasets(), Started: at, Ended: at, Outcome: store.OutcomeOK, Window: day.Period()}
	if err := h.Commit(h.t.Context(), run, batch); err != nil {
		h.t.Fatal(err)
	}
}

// after describes the commits after a position, a change a line.
func (h *history) after(position store.Position) string {
	h.t.Helper()
	commits, err := events.After(h.t.Context(), h.Store, position, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for _, commit := range commits {
		for _, change := range commit.Changes {
			lines = append(lines, fmt.Sprintf("%d %s", commit.Position, describe(change)))
		}
	}
	return strings.Join(lines, "\n")
}

// describe describes a change: its first and last row, revisions, complete dates.
func describe(c events.Change) string {
	text := fmt.Sprintf("%s %d of %d", c.Dataset, c.Rows.Len(), c.Count)
	if n := c.Rows.Len(); n > 0 {
		text += fmt.Sprintf(" %s..%s", clock(c.Rows.Starts[0]), clock(c.Rows.Ends[n-1]))
	} else {
		text += fmt.Sprintf(" in %s..%s", clock(c.Period.Start), clock(c.Period.End))
	}
	if c.IsCut {
		text += " cut"
	}
	for _, r := range c.Revisions[:min(len(c.Revisions), 2)] {
		text += fmt.Sprintf(" %s%s %v>%v", clock(r.Start), r.Series, r.Old.Number.V, r.New.Number.V)
	}
	if n := len(c.Revisions); n > 2 {
		text += fmt.Sprintf(" of %d", n)
	}
	if c.HasMoreRevisions {
		text += " more revisions"
	}
	for _, date := range c.Completed {
		text += " complete " + date.String()
	}
	return text
}

func clock(second int64) string {
	return time.Unix(second, 0).In(market.Paris).Format("15:04")
}

// prices are prices of a date by quarter hours from one of them on.
func prices(date market.DeliveryDate, source market.PriceSource, from, n int, price float64) market.Batch {
	var rows []market.Price
	for i := range n {
		rows = append(rows, market.Price{Start: date.Start().Unix() + int64(from+i)*market.QuarterSeconds, Resolution: market.PT15M,
			Source: source, Price: market.Num(price)})
	}
	return market.Prices.Batch(rows)
}

// hours are prices of a date by hours.
func hours(date market.DeliveryDate, n int) market.Batch {
	var rows []market.Price
	for i := range n {
		rows = append(rows, market.Price{Start: date.Start().Unix() + int64(i)*market.HourSeconds, Resolution: market.PT60M, Price: market.Num(5)})
	}
	return market.Prices.Batch(rows)
}

// steps are 4 s steps of a date.
func steps(date market.DeliveryDate, from, n int, price float64) market.Batch {
	var rows []market.AFRRStep
	for i := range n {
		rows = append(rows, market.AFRRStep{Start: date.Start().Unix() + int64(from+i)*market.AFRRSeconds,
			UpwardPrice: market.Num(price), DownwardPrice: market.Num(-price)})
	}
	return market.AFRR.Batch(rows)
}

func energy(date market.DeliveryDate, from, n int, directions ...market.Direction) market.Batch {
	var rows []market.MFRRStep
	for i := range n {
		for _, direction := range directions {
			rows = append(rows, market.MFRRStep{Start: date.Start().Unix() + int64(from+i)*market.QuarterSeconds, Direction: direction})
		}
	}
	return market.MFRR.Batch(rows)
}

// early is before mFRR capacity downward is due, unless it came already.
var early = market.NewDeliveryDate(2026, time.April, 1)

// reserve are quarters of mFRR capacity of a date.
func reserve(date market.DeliveryDate, n int, direction market.Direction) market.Batch {
	var rows []market.CapacityStep
	for i := range n {
		rows = append(rows, market.CapacityStep{Dataset: market.MFRRCapacity, Start: date.Start().Unix() + int64(i)*market.QuarterSeconds,
			Direction: direction, TimeHorizon: market.DailyHorizon, Product: "STD", Price: market.Num(1)})
	}
	return market.Capacity.Batch(rows)
}

func TestWhatCommitsChangeIsToldTheSameAtOnceAndLater(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	entsoe, rte := market.FromENTSOE, market.FromRTE
	var told []string
	for _, step := range []struct {
		batch market.Batch
		want  string
	}{
		{prices(day, rte, 0, 2, 1).With(steps(day, 0, 75, 9)), "day-ahead-prices 2 of 2 00:00..00:30\n1 afrr-energy 75 of 75 00:00..00:05"},
		{prices(day, rte, 0, 1, 2), "day-ahead-prices 1 of 1 00:00..00:15 00:00PT15M/RTE 1>2"},
		{prices(day, entsoe, 0, 3, 2), "day-ahead-prices 3 of 3 00:00..00:45 00:15PT15M 1>2"},
		{prices(day, rte, 0, 3, 7), "day-ahead-prices 0 of 0 in 00:00..00:45"}, // ENTSO-E's are served
		{prices(day, entsoe, 2, 1, -4), "day-ahead-prices 1 of 1 00:30..00:45 00:30PT15M 2>-4"},
		{steps(day, 74, 2, 8), "afrr-energy 2 of 2 00:04..00:05 00:04 -9>-8 00:04 9>8"},
		{steps(day, 75, 500, 8), "afrr-energy 499 of 499 00:05..00:38"},
		{steps(day, 575, 501, 8), "afrr-energy 0 of 501 in 00:38..01:11 cut"},
		{steps(day, 0, 251, 3), "afrr-energy 251 of 251 00:00..00:16 more revisions"},
		{steps(day, 0, 250, 4), "afrr-energy 250 of 250 00:00..00:16 00:00 -3>-4 00:00 3>4 of 500"},
		{steps(day, 0, 1, 5).With(steps(day, 1076, 600, 5)), "afrr-energy 0 of 601 in 00:00..01:51 cut 00:00 -4>-5 00:00 4>5"},
	} {
		h.commit(step.batch)
		position := store.Position(h.commits)
		told = append(told, fmt.Sprintf("%d %s", position, step.want))
		if diff := cmp.Diff(told[len(told)-1], h.after(position-1)); diff != "" {
			t.Errorf("commit %d (-want +got):\n%s", position, diff)
		}
	}
	if diff := cmp.Diff(strings.Join(told, "\n"), h.after(0)); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
}

func TestADateIsCompleteOnceWithItsLastPeriod(t *testing.T) {
	t.Parallel()
	up, down := market.Upward, market.Downward
	for name, test := range map[string]struct {
		batches []market.Batch // the last but one completes the date
		want    market.Dataset
	}{
		"23 h of prices": {[]market.Batch{prices(turnForward, market.FromENTSOE, 0, 91, 1), prices(turnForward, market.FromENTSOE, 91, 1, 1),
			prices(turnForward, market.FromENTSOE, 91, 1, 2)}, market.DayAheadPrices},
		"25 h of prices": {[]market.Batch{prices(turnBack, market.FromENTSOE, 0, 99, 1), prices(turnBack, market.FromENTSOE, 99, 1, 1),
			prices(turnBack, market.FromENTSOE, 3, 1, 2)}, market.DayAheadPrices},
		"prices by hours": {[]market.Batch{hours(day, 23), hours(day, 24), prices(day, market.FromENTSOE, 0, 96, 2)}, market.DayAheadPrices},
		"prices of two sources": {[]market.Batch{prices(day, market.FromENTSOE, 0, 90, 1), prices(day, market.FromRTE, 40, 56, 1),
			prices(day, market.FromENTSOE, 90, 6, 1)}, market.DayAheadPrices},
		"24 h of 4 s steps": {[]market.Batch{steps(day, 0, 21_599, 1), steps(day, 21_599, 1, 1), steps(day, 5, 5, 2)}, market.AFRREnergy},
		"23 h of 4 s steps": {[]market.Batch{steps(turnForward, 0, 20_699, 1), steps(turnForward, 20_699, 1, 1), steps(turnForward, 5, 5, 2)},
			market.AFRREnergy},
		"25 h of 4 s steps": {[]market.Batch{steps(turnBack, 1, 22_499, 1), steps(turnBack, 0, 1, 1), steps(turnBack, 0, 1, 2)}, market.AFRREnergy},
		"both directions": {[]market.Batch{energy(day, 0, 96, up), energy(day, 0, 96, up, down), energy(day, 0, 96, up, down).With(
			prices(day, market.FromENTSOE, 0, 1, 1))}, market.MFRREnergy},
		"a series that came a day before it was due": {[]market.Batch{reserve(early.Add(-1), 1, down), reserve(early, 96, up), reserve(early, 96, down),
			reserve(early, 1, up)}, market.MFRRCapacity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(t)
			for _, batch := range test.batches {
				h.commit(batch)
			}
			commits, err := events.After(t.Context(), h.Store, 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			var complete []string
			for _, commit := range commits {
				for _, change := range commit.Changes {
					for _, date := range change.Completed {
						complete = append(complete, fmt.Sprintf("%d %s %s", commit.Position, change.Dataset, date))
						if !slices.Contains(change.Changed, date) {
							t.Errorf("%s is not among the dates that changed, %v", date, change.Changed)
						}
					}
				}
			}
			date := market.DeliveryDateOf(time.Unix(commits[len(test.batches)-2].Changes[0].Period.Start, 0))
			want := []string{fmt.Sprintf("%d %s %s", len(test.batches)-1, test.want, date)}
			if diff := cmp.Diff(want, complete); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStepsThatWereThinnedSinceAreToldAsAChangeWithoutRows(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit(steps(day, 0, 75, 9))
	if _, err := h.ThinAFRR(t.Context(), day.Add(1), day.End()); err != nil {
		t.Fatal(err)
	}
	want := "1 afrr-energy 0 of 75 in 00:00..00:05 cut\n2 afrr-energy 0 of 75 in 00:00..00:05 cut"
	if diff := cmp.Diff(want, h.after(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommitsComeWholeUpToTheLimitAndNotFromBeyondTheListed(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit(prices(day, market.FromENTSOE, 0, 1, 1).With(energy(day, 0, 1, market.Upward)))
	h.commit(prices(day, market.FromENTSOE, 1, 1, 1))
	for most, want := range map[int]int{1: 1, 2: 1, 3: 2} {
		if commits, err := events.After(t.Context(), h.Store, 0, most); err != nil || len(commits) != want || len(commits[0].Changes) != 2 {
			t.Errorf("up to %d: %d commits, %v", most, len(commits), err)
		}
	}
	h.commits += 8 * 24 * 60
	h.commit(prices(day, market.FromENTSOE, 2, 1, 1))
	first, err := h.FirstListed(t.Context())
	if err != nil || first != 2 {
		t.Fatalf("listed after %d, %v", first, err)
	}
	if _, err := events.After(t.Context(), h.Store, first-1, 10); !errors.Is(err, store.ErrChangesPruned) {
		t.Errorf("before: %v", err)
	}
	if got := h.after(first); got != "3 day-ahead-prices 1 of 1 00:30..00:45" {
		t.Errorf("after: %s", got)
	}
}

func TestStateChangesAreTheDatasetsInAnotherState(t *testing.T) {
	t.Parallel()
	of := func(state report.State, missing ...report.Reason) report.Report {
		status := report.Status{Dataset: market.FCRCapacity, State: state}
		for _, reason := range missing {
			status.Missing = append(status.Missing, report.Missing{Reason: reason})
		}
		return report.Report{Datasets: []report.Status{status}}
	}
	for _, row := range []struct {
		before, after report.Report
		want          []events.StateChange
	}{
		{of(report.StateOK), of(report.StateOK, report.ReasonPartial), nil},
		{report.Report{}, of(report.StateOK, report.ReasonSourceGap), []events.StateChange{{Dataset: market.FCRCapacity, State: report.StateOK}}},
		{of(report.StateOK), of(report.StateLate, report.ReasonSourceGap, report.ReasonNotPublished),
			[]events.StateChange{{Dataset: market.FCRCapacity, State: report.StateLate, Reason: report.ReasonNotPublished}}},
		{of(report.StateLate), of(report.StateDown), []events.StateChange{{Dataset: market.FCRCapacity, State: report.StateDown}}},
	} {
		if diff := cmp.Diff(row.want, events.StateChanges(row.before, row.after)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
