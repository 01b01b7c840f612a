package market_test

import (
	"testing"

	"courant/store/market"
)

func TestWhatTwoPeriodsHaveInCommon(t *testing.T) {
	period := market.Period{Start: 10, End: 20}
	for _, row := range []struct {
		other    market.Period
		overlaps bool
		common   market.Period
	}{
		{market.Period{Start: 0, End: 10}, false, market.Period{Start: 10, End: 10}},
		{market.Period{Start: 0, End: 11}, true, market.Period{Start: 10, End: 11}},
		{market.Period{Start: 12, End: 14}, true, market.Period{Start: 12, End: 14}},
		{market.Period{Start: 19, End: 30}, true, market.Period{Start: 19, End: 20}},
		{market.Period{Start: 20, End: 30}, false, market.Period{Start: 20, End: 20}},
	} {
		if got := period.Intersect(row.other); period.Overlaps(row.other) != row.overlaps || got != row.common {
			t.Errorf("%v: overlaps %t, common %v", row.other, !row.overlaps, got)
		}
	}
}
