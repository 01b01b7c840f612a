package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
)

// asking is one run of aFRR and mFRR energy over some dates, for a test of what runs say of dates.
type asking struct {
	minute      int
	first, last string
	outcome     store.Outcome
	refused     []string // dates, of aFRR energy
	brings      string   // the date of a step of aFRR energy, each time with another price
	rejected    bool     // by a person, aFRR energy of the last date
}

func (a asking) run(t *testing.T, s *store.Store) {
	t.Helper()
	run := runAt(a.minute, store.AFRREnergy, store.MFRREnergy)
	run.Window, run.Outcome = store.NewPeriod(date(a.first).Start(), date(a.last).End()), a.outcome
	for _, day := range a.refused {
		run.Refusals = append(run.Refusals, store.Refusal{Dataset: store.AFRREnergy, Date: date(day), Reason: "bad"})
	}
	if a.rejected {
		run.Rejected = []store.Refusal{{Dataset: store.AFRREnergy, Date: date(a.last), Reason: "flat"}}
	}
	var batch store.Batch
	if a.brings != "" {
		batch.AFRR = []store.AFRRStep{{Start: date(a.brings).Period().Start, UpwardPrice: store.Num(float64(a.minute))}}
	}
	if a.outcome == store.OutcomeFailed {
		if err := s.RecordRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		return
	}
	commit(t, s, run, batch)
}

func TestWhatRunsSayOfADate(t *testing.T) {
	const day = "2026-07-14" // over at minute 0, unlike 2026-07-15
	begin := func(n int) time.Time { return minute(n).Add(-time.Second) }
	for _, c := range []struct {
		name string
		date string
		runs []asking
		want *store.Asked // nil: none asked
	}{
		{name: "none asked", date: day, runs: []asking{{0, "2026-07-13", "2026-07-13", store.OutcomeOK, nil, "", false}}},
		{name: "an answer", date: day, runs: []asking{{3, "2026-07-13", "2026-07-14", store.OutcomeOK, nil, "", false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(3), SameSince: minute(3), Whole: begin(3)}},
		{name: "a date that is not over is not read whole", date: "2026-07-15", runs: []asking{{3, "2026-07-15", "2026-07-15", store.OutcomeOK, nil, "", false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(3), SameSince: minute(3)}},
		{name: "the same again", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, day, false}, {2, day, day, store.OutcomeOK, nil, "", false}, {5, day, day, store.OutcomeOK, nil, "", false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(5), SameSince: minute(1), Whole: begin(5)}},
		{name: "something else", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, day, false}, {2, day, day, store.OutcomeOK, nil, day, false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "something else of another date", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, "", false}, {2, "2026-07-13", day, store.OutcomeOK, nil, "2026-07-13", false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(2), SameSince: minute(1), Whole: begin(2)}},
		{name: "a failure is no answer", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, "", false}, {2, day, day, store.OutcomeFailed, nil, "", false}},
			want: &store.Asked{Outcome: store.OutcomeFailed, Answered: minute(1), SameSince: minute(1), Whole: begin(1)}},
		{name: "a refusal is none", date: day, runs: []asking{{1, day, day, store.OutcomePartial, []string{day}, "", false}},
			want: &store.Asked{Outcome: store.OutcomePartial, Refused: true}},
		{name: "what a person rejected is an answer", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, day, false}, {2, "2026-07-13", day, store.OutcomeOK, nil, "", true}},
			want: &store.Asked{Outcome: store.OutcomeOK, Refused: true, Answered: minute(2), SameSince: minute(1), Whole: begin(2)}},
		{name: "something else after it", date: day, runs: []asking{{1, day, day, store.OutcomeOK, nil, "", true}, {2, day, day, store.OutcomeOK, nil, day, false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
		{name: "the refusal of another date", date: day, runs: []asking{{1, "2026-07-13", day, store.OutcomePartial, []string{"2026-07-13"}, "", false}},
			want: &store.Asked{Outcome: store.OutcomePartial, Answered: minute(1), SameSince: minute(1), Whole: begin(1)}},
		{name: "an answer after a refusal", date: day, runs: []asking{{1, day, day, store.OutcomePartial, []string{day}, "", false}, {2, day, day, store.OutcomeOK, nil, "", false}},
			want: &store.Asked{Outcome: store.OutcomeOK, Answered: minute(2), SameSince: minute(2), Whole: begin(2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			for _, run := range c.runs {
				run.run(t, s)
			}
			asked, err := s.Asked(t.Context(), "test", store.AFRREnergy, date(c.date), date(c.date))
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
			other, err := s.Asked(t.Context(), "test", store.MFRREnergy, date(c.date), date(c.date))
			if err != nil || other[date(c.date)].Refused {
				t.Errorf("mFRR energy has the refusals of aFRR energy: %v, %v", other, err)
			}
			if another, err := s.Asked(t.Context(), "another feed", store.AFRREnergy, date(c.date), date(c.date)); err != nil || len(another) > 0 {
				t.Errorf("another feed has asked %v, %v", another, err)
			}
		})
	}
}

func TestHowFeedsStandIsToldToOtherProcesses(t *testing.T) {
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
