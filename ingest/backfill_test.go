package ingest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
	"courant/store/market"
)

// hastyClock goes on by itself when somebody waits for it.
type hastyClock struct{ *clockwork.FakeClock }

func (c hastyClock) After(d time.Duration) <-chan time.Time {
	after := c.FakeClock.After(d)
	c.Advance(d)
	return after
}

// broken has aFRR energy give one step a window, or fail after half a minute, as fails says of the window and of the time
// since now.
func (b *bench) broken(fails func(window market.Period, since time.Duration) error) {
	b.Feeds.clock = hastyClock{b.clock}
	began := b.clock.Now()
	b.market.afrr = func(window market.Period) (replyOfAFRR, error) {
		if err := fails(window, b.clock.Now().Sub(began)); err != nil {
			b.clock.Advance(30 * time.Second)
			return replyOfAFRR{}, err
		}
		return replyOfAFRR{Rows: []market.AFRRStep{{Start: window.Start, DemandMW: market.Num(1)}}}, nil
	}
}

func TestAFetchOutlivesItsSource(t *testing.T) {
	t.Parallel()
	busy := &source.Fault{Source: "RTE", Status: 503, Message: "Service Unavailable", Retryable: true}
	refused := &source.Fault{Source: "RTE", Status: 403, Message: "not subscribed"}
	maintenance := &source.Fault{Source: "RTE", Status: 200, Message: "the reply is an HTML page, not JSON: maintenance"}
	third, fifth, seventh := date(t, "2026-11-03").Period(), date(t, "2026-11-05").Period(), date(t, "2026-11-07").Period()
	for _, row := range []struct {
		name   string
		fails  func(window market.Period, since time.Duration) error
		stored int // dates of ten
		calls  int
		says   string
	}{
		{"a moment's fault is asked again at the end", func(_ market.Period, since time.Duration) error {
			if since == 0 {
				return unreached
			}
			return nil
		}, 10, 11, ""},
		{"an outage of ten minutes is waited out", func(_ market.Period, since time.Duration) error {
			if since < 10*time.Minute {
				return unreached
			}
			return nil
		}, 10, 17, ""},
		{"one window that is never given costs no other", func(window market.Period, _ time.Duration) error {
			if window == third {
				return busy
			}
			return nil
		}, 9, 11, "Service Unavailable"},
		{"a page in place of the answer is asked again at the end", func(_ market.Period, since time.Duration) error {
			if since == 0 {
				return maintenance
			}
			return nil
		}, 10, 11, ""},
		{"an outage without end ends the fetch", func(market.Period, time.Duration) error { return unreached }, 0, 9, "no answer in time; and 4 more; 10 delivery dates are left: the same command continues there"},
		{"an outage that begins in one round is waited out in the next", func(window market.Period, since time.Duration) error {
			if window.Start >= seventh.Start && since < 10*time.Minute {
				return unreached
			}
			return nil
		}, 10, 17, ""},
		{"an outage without end is counted over all rounds", func(window market.Period, _ time.Duration) error {
			if window.Start >= fifth.Start {
				return unreached
			}
			return nil
		}, 4, 13, "no answer in time; 6 delivery dates are left: the same command continues there"},
		{"a source that asks for half an hour is left alone for it", func(_ market.Period, since time.Duration) error {
			if since < 30*time.Minute {
				return &source.Fault{Source: "RTE", Status: 429, Message: "closed", Retryable: true, RetryAfter: 30 * time.Minute}
			}
			return nil
		}, 10, 11, ""},
		{"one that asks for hours ends the fetch", func(market.Period, time.Duration) error {
			return &source.Fault{Source: "RTE", Status: 429, Message: "closed", Retryable: true, RetryAfter: 2 * time.Hour}
		}, 0, 1, "closed; 10 delivery dates are left: the same command continues there"},
		{"what is refused is not asked for again", func(window market.Period, _ time.Duration) error {
			if window == third {
				return refused
			}
			return nil
		}, 2, 3, "not subscribed; 8 delivery dates are left: the same command continues there"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, "2026-11-20 12:00")
			b.broken(row.fails)
			err := b.Fetch(t.Context(), request(t, market.AFRREnergy, "2026-11-01", "2026-11-10"))
			if row.says == "" && err != nil || row.says != "" && (!errors.Is(err, ErrIncomplete) || !strings.HasSuffix(err.Error(), row.says)) {
				t.Errorf("error %v, want %q", err, row.says)
			}
			stored := 0
			for _, d := range market.Dates(date(t, "2026-11-01"), date(t, "2026-11-10")) {
				stored += b.rows(market.AFRREnergy, d.String())
			}
			if diff := cmp.Diff([]int{row.stored, row.calls}, []int{stored, len(b.market.asked[market.FeedAFRREnergy])}); diff != "" {
				t.Errorf("dates stored and calls made (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFetchThatAnOutageEndedGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t, "2026-11-20 12:00")
	down := true
	third := date(t, "2026-11-03").Start()
	b.broken(func(window market.Period, _ time.Duration) error {
		if down && window.Start >= third.Unix() {
			return unreached
		}
		return nil
	})
	r := request(t, market.AFRREnergy, "2026-11-01", "2026-11-20")
	if err := b.Fetch(t.Context(), r); !errors.Is(err, ErrIncomplete) {
		t.Fatalf("error %v", err)
	}
	down = false
	b.market.dates(market.FeedAFRREnergy)
	if err := b.Fetch(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if asked := b.market.dates(market.FeedAFRREnergy); len(asked) != 18 || asked[0] != "2026-11-03" {
		t.Errorf("then it asks for %v", asked)
	}
}
