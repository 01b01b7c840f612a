package ingest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courant/ingest/report"
	"courant/ingest/source"
	"courant/store/market"
	"courant/store/storetest"
)

// event is what one run made of one delivery date, for a model of the status.
type event struct {
	date   market.DeliveryDate
	window market.Period // within the date
	says   string        // good, refused or failed
	ended  time.Time
}

// open looks through all events of a date: the kind of what is still wrong, "" if nothing is, and how many runs in a row have
// met something wrong.
func open(events []event) (says string, runs int) {
	var missed []market.Period
	for _, e := range events {
		if e.says != "good" {
			says, runs, missed = e.says, runs+1, append(missed, e.window)
			continue
		}
		covers := func(w market.Period) bool { return e.window.Start <= w.Start && w.End <= e.window.End }
		if !slices.ContainsFunc(missed, func(w market.Period) bool { return !covers(w) }) {
			says, runs, missed = "", 0, nil
		}
	}
	return says, runs
}

// model says what the status of a dataset should be, from its rows, all events so far and the clock.
type model struct {
	ahead       bool
	lateMinute  int
	held        map[market.DeliveryDate]int // periods
	periods     func(market.DeliveryDate) int
	events      map[market.DeliveryDate][]event
	lastSuccess time.Time
}

func (m *model) status(now time.Time) (state report.State, missing map[market.DeliveryDate]report.Reason) {
	missing = map[market.DeliveryDate]report.Reason{}
	today := market.DeliveryDateOf(now)
	isLate := !now.Before(minutesLater(today, m.lateMinute))
	var dates []market.DeliveryDate // that have rows or were asked for
	for date, held := range m.held {
		if held > 0 {
			dates = append(dates, date)
		}
	}
	if m.ahead || len(dates) == 0 { // energy is due from its first row on
		for date := range m.events {
			dates = append(dates, date)
		}
	}
	state = report.StateLate // nothing was ever stored
	if len(m.held) > 0 {
		state = report.StateOK
	}
	if len(dates) == 0 {
		return state, missing
	}
	first := slices.MinFunc(dates, func(a, b market.DeliveryDate) int { return b.DaysUntil(a) })
	last := today
	if m.ahead {
		last = today.Add(1)
	}
	for date := first; !date.After(last); date = date.Add(1) {
		says, runs := open(m.events[date])
		due, overdue := date.Before(today), date.Before(today.Add(-1)) || date.Before(today) && isLate
		if m.ahead {
			due, overdue = !date.After(today) || isLate, !date.After(today) || isLate
		}
		wrong := says == "refused" || says == "failed" && (due || runs >= 2)
		whole := m.held[date] >= m.periods(date)
		switch {
		case wrong:
			state = report.StateError
		case overdue && !whole && state != report.StateError:
			state = report.StateLate
		}
		if due && whole || !due && !wrong {
			continue
		}
		switch {
		case len(m.events[date]) == 0 && m.held[date] == 0:
			missing[date] = report.ReasonNotAsked
		case says == "refused":
			missing[date] = report.ReasonRejected
		case says == "failed":
			missing[date] = report.ReasonSourceError
		case m.held[date] > 0:
			missing[date] = report.ReasonPartial
		default:
			missing[date] = report.ReasonNotPublished
		}
	}
	return state, missing
}

// noteSuccess moves the last success where a run read the newest delivery date well.
func (m *model) noteSuccess(run []event) {
	var newest market.DeliveryDate
	for date, held := range m.held {
		if held > 0 && date.After(newest) {
			newest = date
		}
	}
	for date, events := range m.events {
		if says, _ := open(events); says != "" && date.After(newest) {
			newest = date
		}
	}
	for _, e := range run {
		if says, _ := open(m.events[e.date]); e.says == "good" && says == "" && !e.date.Before(newest) {
			m.lastSuccess = e.ended
		}
	}
}

// TestStatusMatchesAFreshComputation compares, after each of many random runs, the status with what the rows, all that runs have met and
// the clock say.
func TestStatusMatchesAFreshComputation(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    market.FeedName
		dataset market.Dataset
		hours   Schedule
	}{{market.FeedDayAheadPrices, market.DayAheadPrices, pricesHours}, {market.FeedMFRREnergy, market.MFRREnergy, energyHours}} {
		t.Run(string(row.name), func(t *testing.T) {
			storetest.Check(t, func(r *rapid.T) {
				b := newBench(t, "2026-11-18 00:05")
				feed := b.feed(row.name)
				fate := map[market.DeliveryDate]string{}
				b.market.prices = fated(b.market.prices, fate, market.DayAheadPrices, priceDate)
				b.market.mfrr = fated(b.market.mfrr, fate, market.MFRREnergy, mfrrDate)
				m := &model{ahead: feed.IsSoldAhead(), lateMinute: row.hours.LateMinute, held: map[market.DeliveryDate]int{}, events: map[market.DeliveryDate][]event{},
					periods: func(d market.DeliveryDate) int {
						if feed.IsSoldAhead() {
							return d.Steps(market.QuarterSeconds)
						}
						return 2 * d.Steps(market.QuarterSeconds)
					}}
				for step := range rapid.IntRange(1, 12).Draw(r, "runs") {
					b.clock.Advance(time.Duration(rapid.IntRange(1, 500).Draw(r, "minutes")) * time.Minute)
					now := b.clock.Now()
					last := LastDate(row.dataset, now)
					from := last.Add(-rapid.IntRange(0, 2).Draw(r, "first"))
					to := min(rapid.IntRange(0, from.DaysUntil(last)).Draw(r, "dates"), from.DaysUntil(last))
					w := windowsOf(feed.Feed, from, from.Add(to))[0]
					if !feed.IsSoldAhead() {
						var begun bool
						if w, begun = w.upTo(now); !begun {
							continue
						}
						if rapid.Bool().Draw(r, "tail") {
							w = w.since(w.To().Add(-overlap))
						}
					}
					run := draw(r, fate, w)
					if _, err := b.run(t.Context(), feed, w, 1); err != nil && run[0].says != "failed" {
						r.Fatal(err)
					}
					for _, e := range run {
						e.ended = now
						m.events[e.date] = append(m.events[e.date], e)
					}
					stored, err := b.completenessOf(t.Context(), row.dataset, from.Add(-10), last)
					if err != nil {
						r.Fatal(err)
					}
					for date, h := range stored {
						if h.received > 0 {
							m.held[date] = h.received
						}
					}
					for i := range run {
						run[i].ended = now
					}
					m.noteSuccess(run)
					b.compare(r, fmt.Sprintf("run %d", step), row.dataset, m)
					b.clock.Advance(time.Duration(rapid.IntRange(0, 200).Draw(r, "minutes later")) * time.Minute)
					b.compare(r, fmt.Sprintf("after run %d", step), row.dataset, m)
				}
			})
		})
	}
}

// draw decides what a run meets: a failure of the whole window, or for each date rows, a refusal or nothing.
func draw(r *rapid.T, fate map[market.DeliveryDate]string, w window) []event {
	clear(fate)
	var run []event
	fails := rapid.IntRange(0, 3).Draw(r, "fails") == 0
	for _, date := range w.Dates() {
		within := date.Period()
		within.Start, within.End = max(within.Start, w.Start), min(within.End, w.End)
		fate[date] = rapid.SampledFrom([]string{"rows", "rows", "some", "nothing", "refused"}).Draw(r, "fate")
		says := "good"
		switch {
		case fails:
			fate[date], says = "failed", "failed"
		case fate[date] == "refused":
			says = "refused"
		}
		run = append(run, event{date: date, window: within, says: says})
	}
	return run
}

// fated is a source that does with each delivery date what its fate says.
func fated[R any](well func(market.Period) (source.Reply[R], error), fate map[market.DeliveryDate]string, dataset market.Dataset, dateOf func(R) market.DeliveryDate) func(market.Period) (source.Reply[R], error) {
	return func(window market.Period) (source.Reply[R], error) {
		reply, err := well(window)
		var kept []R
		for i, row := range reply.Rows {
			if says := fate[dateOf(row)]; says == "rows" || says == "some" && i%2 == 0 {
				kept = append(kept, row)
			}
		}
		reply.Rows = kept
		for _, date := range window.Dates() {
			switch fate[date] {
			case "refused":
				reply.Refusals.Refuse(dataset, date, "an odd value")
			case "failed":
				return source.Reply[R]{}, unreached
			}
		}
		return reply, err
	}
}

func (b *bench) compare(r *rapid.T, when string, dataset market.Dataset, m *model) {
	state, missing := m.status(b.clock.Now())
	got := b.status(dataset)
	if len(m.held) > 0 && b.clock.Since(time.Time(*got.LastChangeAt)) > staleAfter && state == report.StateOK && !m.ahead {
		state = report.StateStale
	}
	if got.State != state {
		r.Errorf("%s, %s: state %s, want %s: %+v", when, b.clock.Now().In(market.Paris), got.State, state, got)
	}
	reasons := map[market.DeliveryDate]report.Reason{}
	for _, m := range got.Missing {
		reasons[m.Date] = m.Reason
	}
	if fmt.Sprint(reasons) != fmt.Sprint(missing) {
		r.Errorf("%s, %s: missing %v, want %v", when, b.clock.Now().In(market.Paris), reasons, missing)
	}
	success := time.Time{}
	if got.LastSuccessAt != nil {
		success = time.Time(*got.LastSuccessAt)
	}
	if !success.Equal(m.lastSuccess) {
		r.Errorf("%s: last success %s, want %s", when, success, m.lastSuccess)
	}
	if r.Failed() {
		r.FailNow()
	}
}
