package ingest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/store/market"
	"courant/store/storetest"
)

// withHole makes a bench whose mFRR energy lacks a quarter of an hour until mend is called. Its feed runs once every four hours, because
// the tests follow it for weeks.
func withHole(t *testing.T, now, day string) (b *bench, mend func()) {
	b = newBench(t, now)
	options, slow := b.options(), energyHours
	slow.Every = 4 * time.Hour
	options.Schedules[market.FeedMFRREnergy] = slow
	b.Feeds = New(options)
	whole, hole := b.market.mfrr, date(t, day).At(12, 0).Unix()
	b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
		reply, err := whole(window)
		reply.Rows = slices.DeleteFunc(reply.Rows, func(r market.MFRRStep) bool { return r.Start == hole })
		return reply, err
	}
	return b, func() { b.market.mfrr = whole }
}

// jobsUntil runs the feed's jobs, each at the time that the former one set.
func (b *bench) jobsUntil(name market.FeedName, text string) {
	b.t.Helper()
	for end := paris(b.t, text); b.clock.Now().Before(end); {
		next := b.job(b.t.Context(), b.feed(name))
		b.clock.Advance(min(next.Sub(b.clock.Now()), end.Sub(b.clock.Now())))
	}
}

// reasonOf is why the dataset's delivery date is missing, "" if it is not.
func (b *bench) reasonOf(dataset market.Dataset, day string) report.Reason {
	b.t.Helper()
	for _, m := range b.status(dataset).Missing {
		if m.Date == date(b.t, day) {
			return m.Reason
		}
	}
	return ""
}

func TestADateWithTheSameReplyForAWeekIsAGapOfTheSource(t *testing.T) {
	t.Parallel()
	const day = "2026-11-10"
	b, mend := withHole(t, "2026-11-10 23:00", day)
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-17 00:00")
	if got := b.status(market.MFRREnergy); b.reasonOf(market.MFRREnergy, day) != report.ReasonPartial || got.State != report.StateLate {
		t.Fatalf("after six days: %+v", got)
	}
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-19 12:00")
	if got := b.status(market.MFRREnergy); b.reasonOf(market.MFRREnergy, day) != report.ReasonSourceGap || got.State != report.StateOK {
		t.Fatalf("after a week: %+v", got)
	}
	b.market.dates(market.FeedMFRREnergy)
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-21 12:00")
	if slices.Contains(b.market.dates(market.FeedMFRREnergy), day) {
		t.Error("it is asked for by itself")
	}

	for _, row := range []struct {
		name  string
		force bool
		want  []string
	}{
		{"a fetch leaves it out", false, []string{"09", "11"}},
		{"one that is forced asks for it", true, []string{"09 10 11"}},
	} {
		b.market.dates(market.FeedMFRREnergy)
		r := request(t, market.MFRREnergy, "2026-11-09", "2026-11-11")
		r.Force = row.force
		if err := b.Fetch(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		// What is short in a wide answer is asked for once more by itself.
		calls := slices.DeleteFunc(b.callsOf(market.FeedMFRREnergy), func(call string) bool { return call == "10" })
		if diff := cmp.Diff(row.want, calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}

	mend()
	r := request(t, market.MFRREnergy, day, day)
	r.Force = true
	if err := b.Fetch(t.Context(), r); err != nil || b.reasonOf(market.MFRREnergy, day) != "" {
		t.Errorf("what the source gives after all: %v, %+v", err, b.status(market.MFRREnergy))
	}
}

func TestAWeekOfFailuresIsNoGap(t *testing.T) {
	t.Parallel()
	storetest.Long(t)
	const day = "2026-11-10"
	b, _ := withHole(t, "2026-11-11 06:30", day)
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	b.market.mfrr = func(market.Period) (replyOfMFRR, error) { return replyOfMFRR{}, unreached }
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-20 12:00")
	// Whether it is told as partial or as the source's error goes by which date was asked for last.
	if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonPartial && got != report.ReasonSourceError {
		t.Errorf("the reason is %q", got)
	}
}

func TestARestartDoesNotLoseTheNightsReading(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 23:00")
	b.job(t.Context(), b.feed(market.FeedCapacity))
	b.market.dates(market.FeedCapacity)
	start := []string{"2026-11-21", "2026-11-22"} // what lies ahead, at each start
	night := []string{"2026-11-14", "2026-11-15", "2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"}
	for _, row := range []struct {
		at   string
		want []string
	}{
		{"2026-11-21 02:30", start},
		{"2026-11-21 03:05", append(slices.Clone(night), start...)},
		{"2026-11-21 03:10", start},
	} {
		b.clock.Advance(paris(t, row.at).Sub(b.clock.Now()))
		b.Feeds = New(b.options())
		b.job(t.Context(), b.feed(market.FeedCapacity))
		if got := slices.Sorted(slices.Values(b.market.dates(market.FeedCapacity))); !slices.Equal(got, row.want) {
			t.Errorf("after a start at %s it asks for %v, want %v", row.at, got, row.want)
		}
	}
}

func TestOnlyTheDateWhoseReadingFailedIsReadAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 23:00")
	feed, whole, bad := b.feed(market.FeedAFRREnergy), b.market.afrr, date(t, "2026-11-19").Period()
	b.job(t.Context(), feed)
	b.clock.Advance(paris(t, "2026-11-21 03:01").Sub(b.clock.Now()))
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		if window == bad {
			return replyOfAFRR{}, unreadable
		}
		return whole(window)
	}
	b.job(t.Context(), feed)
	b.market.afrr = whole
	b.market.dates(market.FeedAFRREnergy)
	b.clock.Advance(firstDatePause)
	b.job(t.Context(), feed)
	if diff := cmp.Diff([]string{"2026-11-21", "2026-11-19"}, b.market.dates(market.FeedAFRREnergy)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnotherProcessReportsTheStateOfTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	b.failing(unreached)
	b.until(market.FeedCapacity, failuresToOpen)
	other := &bench{Feeds: New(b.options()), t: t, db: b.db, clock: b.clock, market: b.market}
	told := func() report.Status {
		t.Helper()
		report, err := other.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return report.Datasets[slices.Index(market.Datasets(), market.FCRCapacity)]
	}
	own := b.status(market.FCRCapacity)
	if got := told(); got.State != report.StateDown || got.NextRunAt == nil || !time.Time(*got.NextRunAt).Equal(time.Time(*own.NextRunAt).Truncate(time.Millisecond)) {
		t.Errorf("another process tells %+v, want %+v", got, own)
	}
	b.clock.Advance(2 * idleInterval) // the service was killed: it would have run since
	if got := told(); got.State == report.StateDown || got.NextRunAt != nil {
		t.Errorf("of a service that is gone: %+v", got)
	}
}

func TestAnotherProcessReportsTheSameAsTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 09:00")
	elsewhere := b.options()
	elsewhere.Readers = nil // it has no credentials
	other := New(elsewhere)
	agree := func(when string, want report.State) {
		t.Helper()
		own, err := b.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told, err := other.Report(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, status := range own.Datasets {
			other := told.Datasets[i]
			next, tells := time.Time(*status.NextRunAt).Truncate(time.Millisecond), other.NextRunAt != nil
			if status.State != other.State || !tells || !next.Equal(time.Time(*other.NextRunAt)) {
				t.Errorf("%s: the service says %s of %s, next run %s; another process %s, %v", when, status.State, status.Dataset, next, other.State, other.NextRunAt)
			}
			if status.Source == "RTE" && status.State != want {
				t.Errorf("%s: %s is %s", when, status.Dataset, status.State)
			}
		}
	}
	b.everyJob()
	agree("at the start", report.StateOK)
	whole := b.market.mfrr
	b.market.mfrr = func(market.Period) (replyOfMFRR, error) { return replyOfMFRR{}, unreached }
	for range failuresToOpen {
		b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	}
	agree("when one feed does not reach the host", report.StateDown)
	b.market.mfrr = whole
	b.clock.Advance(time.Minute)
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	agree("when it does again", report.StateOK)
}

func TestWhatAnOldFetchMissedIsRequestedUntilItIsAGap(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	const day = "2026-06-02"
	b, _ := withHole(t, "2026-11-10 23:00", day)
	if err := b.Fetch(t.Context(), request(t, market.MFRREnergy, "2026-06-01", "2026-06-03")); err != nil {
		t.Fatal(err)
	}
	if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonPartial {
		t.Fatalf("it is missing for %q", got)
	}
	b.jobsUntil(market.FeedMFRREnergy, "2026-11-19 12:00")
	if got := b.reasonOf(market.MFRREnergy, day); got != report.ReasonSourceGap {
		t.Errorf("after a week it is missing for %q", got)
	}
	if got := b.reasonOf(market.MFRREnergy, "2026-06-04"); got != report.ReasonNotAsked {
		t.Errorf("what nobody has fetched is missing for %q", got)
	}
}

func TestEnergyIsNotMissingBeforeItsFirstDate(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-10 23:00")
	whole, first := b.market.mfrr, date(t, "2026-11-03").Start()
	b.market.mfrr = func(window market.Period) (replyOfMFRR, error) {
		reply, err := whole(window)
		reply.Rows = slices.DeleteFunc(reply.Rows, func(r market.MFRRStep) bool { return r.Start < first.Unix() })
		return reply, err
	}
	if err := b.Fetch(t.Context(), request(t, market.MFRREnergy, "2026-11-01", "2026-11-09")); err != nil {
		t.Fatal(err)
	}
	if missing := b.status(market.MFRREnergy).Missing; len(missing) > 0 {
		t.Errorf("missing %+v", missing)
	}
}

func TestYesterdayThatIsNotPublishedRestsBetweenItsRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-18 23:50")
	b.job(t.Context(), b.feed(market.FeedMFRREnergy))
	b.market.mfrr = func(market.Period) (replyOfMFRR, error) { return replyOfMFRR{}, nil }
	b.askedBy(market.FeedMFRREnergy, "2026-11-20 10:00")
	if got := b.askedBy(market.FeedMFRREnergy, "2026-11-20 10:05"); !slices.Equal(got, []string{"2026-11-20"}) {
		t.Errorf("five minutes later it asks for %v", got)
	}
	if got := b.askedBy(market.FeedMFRREnergy, "2026-11-20 10:20"); !slices.Contains(got, "2026-11-19") {
		t.Errorf("after its rest it asks for %v", got)
	}
}
