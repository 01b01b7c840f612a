package ingest

import (
	"testing"
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

func TestAThinnedDateIsNeitherMissedNorAskedForButByForce(t *testing.T) {
	t.Parallel()
	const hole, day = "2026-09-02", "2026-09-03"
	b := newBench(t, "2026-10-25 23:00")
	whole := b.market.afrr
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		reply, err := whole(window)
		if window.Start == date(t, hole).Start().Unix() {
			reply.Rows = reply.Rows[:100]
		}
		return reply, err
	}
	fetch := request(t, market.AFRREnergy, "2026-09-01", day)
	if err := b.Fetch(t.Context(), fetch); err != nil {
		t.Fatal(err)
	}
	if got := b.reasonOf(market.AFRREnergy, hole); got != report.ReasonPartial {
		t.Fatalf("before it is thinned, %s is missing for %q", hole, got)
	}
	if thinned, err := b.db.ThinAFRR(t.Context(), date(t, "2026-09-04"), b.clock.Now()); err != nil || thinned != 3 {
		t.Fatalf("%d thinned, %v", thinned, err)
	}
	for _, missing := range b.status(market.AFRREnergy).Missing {
		if missing.Date.Before(date(t, "2026-09-04")) {
			t.Errorf("a thinned date is missing: %+v", missing)
		}
	}
	b.market.dates(market.FeedAFRREnergy)
	for range 3 {
		b.job(t.Context(), b.feed(market.FeedAFRREnergy))
		b.clock.Advance(24 * time.Hour)
	}
	for _, asked := range b.market.dates(market.FeedAFRREnergy) {
		if asked < "2026-09-04" {
			t.Errorf("%s is asked for", asked)
		}
	}
	if err := b.Fetch(t.Context(), fetch); err != nil || b.market.dates(market.FeedAFRREnergy) != nil {
		t.Errorf("without force it is asked for, %v", err)
	}
	fetch.Force = true
	b.market.afrr = whole
	if err := b.Fetch(t.Context(), fetch); err != nil {
		t.Error(err)
	}
	for _, day := range []string{"2026-09-01", hole, day} {
		if got := b.rows(market.AFRREnergy, day); got != 21_600 {
			t.Errorf("of %s there are %d steps", day, got)
		}
	}
}
