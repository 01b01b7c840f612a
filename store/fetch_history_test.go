package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// asking is one run of aFRR and mFRR energy over some dates, for tests of the fetch history of dates.
type asking struct {
	minute      int
	first, last string
	tail        bool // only the last half hour of the last date
	outcome     store.Outcome
	refused     []string // dates, of aFRR energy
	lost        string   // date
	omitted     int      // steps of aFRR energy of the last date
	brings      string   // the date of a step of aFRR energy, each time with another price
	rejected    bool     // by a person, aFRR energy of the last date
}

func (a asking) run(t *testing.T, s *store.Store) {
	t.Helper()
	run := runAt(a.minute, market.AFRREnergy, market.MFRREnergy)
	run.Window, run.Outcome = market.NewPeriod(date(a.first).Start(), date(a.last).End()), a.outcome
	if a.tail {
		run.Window.Start = run.Window.End - 1800
	}
	if a.outcome == store.OutcomeFailed {
		run.Error = "down"
	}
	if a.lost != "" {
		run.Lost, run.Error = []market.DeliveryDate{date(a.lost)}, "down"
	}
	if a.omitted > 0 {
		run.Omissions = []market.Omission{{Dataset: market.AFRREnergy, Date: date(a.last), Steps: a.omitted, Reason: "off the grid"}}
	}
	for _, day := range a.refused {
		run.Refusals = append(run.Refusals, market.Refusal{Dataset: market.AFRREnergy, Date: date(day), Reason: "bad"})
	}
	if a.rejected {
		run.Rejected = []market.Refusal{{Dataset: market.AFRREnergy, Date: date(a.last), Reason: "flat"}}
	}
	var batch market.Batch
	if a.brings != "" {
		market.AFRR.Put(&batch, []market.AFRRStep{{Start: date(a.brings).Period().Start, UpwardPrice: market.Num(float64(a.minute))}})
	}
	if a.outcome == store.OutcomeFailed || a.outcome == store.OutcomeInterrupted {
		if err := s.RecordRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		return
	}
	commit(t, s, run, batch)
}

func TestTheFetchHistoryOfADate(t *testing.T) {
	t.Parallel()
	const day = "2026-07-14" // over at minute 0, unlike 2026-07-15
	begin := func(n int) time.Time { return minute(n).Add(-time.Second) }
	whole := date(day).Period()
	fault := func(kind store.FaultKind, runs int) store.DateFault {
		reason := map[store.FaultKind]string{store.FaultRefused: "bad", store.FaultFailed: "down", store.FaultDeclined: "flat", store.FaultOmitted: "off the grid"}[kind]
		f := store.DateFault{Kind: kind, Window: whole, Reason: reason, Runs: runs}
		if kind == store.FaultOmitted {
			f.Steps = 2
		}
		return f
	}
	ok, partial, failed := store.OutcomeOK, store.OutcomePartial, store.OutcomeFailed
	for _, c := range []struct {
		name string
		date string
		runs []asking
		want *store.FetchHistory // nil: none asked
	}{
		{name: "none asked", date: day, runs: []asking{{first: "2026-07-13", last: "2026-07-13", outcome: ok}}},
		{name: "an answer", date: day, runs: []asking{{minute: 3, first: "2026-07-13", last: day, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(3), SameSince: minute(3), Whole: begin(3)}},
		{name: "an answer of a part of the date", date: day, runs: []asking{{minute: 3, first: day, last: day, tail: true, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(3), SameSince: minute(3)}},
		{name: "the same again", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok, brings: day}, {minute: 2, first: day, last: day, outcome: ok}, {minute: 5, first: day, last: day, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(5), SameSince: minute(1), Whole: begin(5)}},
		{name: "something else", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok, brings: day}, {minute: 2, first: day, last: day, outcome: ok, brings: day}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "something else of another date", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok}, {minute: 2, first: "2026-07-13", last: day, outcome: ok, brings: "2026-07-13"}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(1), Whole: begin(2)}},
		{name: "the same, by a clock that was ahead before", date: day, runs: []asking{{minute: 1000, first: day, last: day, outcome: ok}, {minute: 2, first: day, last: day, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "a failure is no answer", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok}, {minute: 2, first: day, last: day, outcome: failed}},
			want: &store.FetchHistory{Answered: minute(1), SameSince: minute(1), Whole: begin(1), Fault: fault(store.FaultFailed, 1)}},
		{name: "failures in a row", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: failed}, {minute: 2, first: day, last: day, outcome: failed}},
			want: &store.FetchHistory{Fault: fault(store.FaultFailed, 2)}},
		{name: "a date that was lost out of a window", date: day, runs: []asking{{minute: 1, first: "2026-07-13", last: day, outcome: partial, lost: day}},
			want: &store.FetchHistory{Fault: fault(store.FaultFailed, 1)}},
		{name: "a run that was told to stop", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: store.OutcomeInterrupted}}},
		{name: "a refusal is no answer", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, refused: []string{day}}},
			want: &store.FetchHistory{Fault: fault(store.FaultRefused, 1)}},
		{name: "a refusal of all that came", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: failed, refused: []string{day}}},
			want: &store.FetchHistory{Fault: fault(store.FaultRefused, 1)}},
		{name: "a refusal, then an answer of its last half hour", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, refused: []string{day}}, {minute: 2, first: day, last: day, tail: true, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Fault: fault(store.FaultRefused, 1)}},
		{name: "a refusal, one of its last half hour, then an answer of that", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, refused: []string{day}}, {minute: 2, first: day, last: day, tail: true, outcome: partial, refused: []string{day}}, {minute: 3, first: day, last: day, tail: true, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(3), SameSince: minute(3), Fault: fault(store.FaultRefused, 2)}},
		{name: "a refusal of its last half hour, then an answer of it", date: day, runs: []asking{{minute: 1, first: day, last: day, tail: true, outcome: partial, refused: []string{day}}, {minute: 2, first: day, last: day, tail: true, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2)}},
		{name: "what a person rejected is an answer", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok, brings: day}, {minute: 2, first: "2026-07-13", last: day, outcome: ok, rejected: true}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(1), Whole: begin(2), Fault: fault(store.FaultDeclined, 1)}},
		{name: "something else after it", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: ok, rejected: true}, {minute: 2, first: day, last: day, outcome: ok, brings: day}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "steps that were left out", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, omitted: 2}},
			want: &store.FetchHistory{Answered: minute(1), SameSince: minute(1), Whole: begin(1), Fault: fault(store.FaultOmitted, 1)}},
		{name: "steps that were left out and came", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, omitted: 2}, {minute: 2, first: day, last: day, outcome: ok, brings: day}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "the refusal of another date", date: day, runs: []asking{{minute: 1, first: "2026-07-13", last: day, outcome: partial, refused: []string{"2026-07-13"}}},
			want: &store.FetchHistory{Answered: minute(1), SameSince: minute(1), Whole: begin(1)}},
		{name: "an answer after a refusal", date: day, runs: []asking{{minute: 1, first: day, last: day, outcome: partial, refused: []string{day}}, {minute: 2, first: day, last: day, outcome: ok}},
			want: &store.FetchHistory{Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			for _, run := range c.runs {
				run.run(t, s)
			}
			asked, err := s.FetchHistory(t.Context(), "test", market.AFRREnergy, date(c.date), date(c.date))
			if err != nil {
				t.Fatal(err)
			}
			got, is := asked[date(c.date)]
			if is != (c.want != nil) {
				t.Fatalf("asked %v", asked)
			}
			if c.want != nil {
				if diff := cmp.Diff(*c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			other, err := s.FetchHistory(t.Context(), "test", market.MFRREnergy, date(c.date), date(c.date))
			if kind := other[date(c.date)].Fault.Kind; err != nil || kind == store.FaultRefused || kind == store.FaultOmitted {
				t.Errorf("mFRR energy has the faults of aFRR energy: %v, %v", other, err)
			}
			if another, err := s.FetchHistory(t.Context(), "another feed", market.AFRREnergy, date(c.date), date(c.date)); err != nil || len(another) > 0 {
				t.Errorf("another feed has asked %v, %v", another, err)
			}
		})
	}
}

func TestFeedStatesAreVisibleToOtherProcesses(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	want := map[string]store.FeedState{
		"capacity":    {NextRun: minute(5)},
		"afrr_energy": {NextRun: minute(7), OpenUntil: minute(6)},
	}
	for _, next := range []time.Time{minute(1), minute(5)} {
		if err := s.PutFeedState(t.Context(), "capacity", store.FeedState{NextRun: next}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutFeedState(t.Context(), "afrr_energy", want["afrr_energy"]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]store.FeedState{want, {}} {
		got, err := s.FeedStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := s.ClearFeedStates(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
