package market_test

import (
	"testing"
	"time"

	"courant/store/market"
)

func TestTheStatusOfAnImbalanceFollowsFromWhenItWasRead(t *testing.T) {
	t.Parallel()
	date := market.NewDeliveryDate(2026, 8, 31)
	validated, settled := market.NewDeliveryDate(2026, 9, 2).At(0, 5), market.NewDeliveryDate(2026, 10, 20).At(0, 0)
	for _, row := range []struct {
		readAt time.Time
		want   string
	}{
		{date.Start(), "provisional"},
		{validated.Add(-time.Millisecond), "provisional"},
		{validated, "validated"},
		{settled.Add(-time.Millisecond), "validated"},
		{settled, "settled"},
	} {
		for _, start := range []int64{date.Period().Start, date.Period().End - market.QuarterSeconds} {
			batch := market.Imbalance.Batch([]market.ImbalanceStep{{Start: start}})
			batch.Settle(row.readAt)
			if got := market.Imbalance.In(batch)[0].Status; got != market.Str(row.want) {
				t.Errorf("read at %s it is %v, want %s", row.readAt, got, row.want)
			}
		}
	}
}

func TestTheStatusOfAnImbalanceOnlyRises(t *testing.T) {
	t.Parallel()
	row := func(status string) market.ImbalanceStep {
		return market.ImbalanceStep{Start: 900, PositivePrice: market.Num(1), Status: market.Str(status)}
	}
	for _, test := range []struct{ before, after, want string }{
		{"provisional", "settled", "settled"}, {"settled", "provisional", "settled"}, {"validated", "validated", "validated"},
	} {
		merged, older := market.Imbalance.Merge(row(test.before), row(test.after))
		if merged != row(test.want) || older {
			t.Errorf("%s after %s is %v", test.after, test.before, merged)
		}
	}
	if settled, provisional := row("settled"), row("provisional"); !market.Imbalance.SameValues(settled, provisional) || market.Imbalance.IsServedAlike(&settled, &provisional) {
		t.Error("another status alone is no new value, but is served")
	}
}
