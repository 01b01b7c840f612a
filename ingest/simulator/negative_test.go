package simulator

import (
	"testing"
	"time"
)

func TestEveryFiveWeeksHoldANegativePrice(t *testing.T) {
	t.Parallel()
	const window = 35
	since := 0
	for day := (Day{2026, time.January, 1}); day.before(Day{2029, time.January, 1}); day = day.Add(1) {
		since++
		for _, p := range Prices(day) {
			if p.EURPerMWh < 0 {
				since = 0
				break
			}
		}
		if since == window {
			t.Errorf("no negative price in the %d days up to %s", window, day)
		}
	}
}
