package simulator

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func TestMarketIsTheSameWhateverIsAskedBefore(t *testing.T) {
	t.Parallel()
	first := []any{Prices(ordinaryDay), CapacitySteps(ordinaryDay), newAFRRDay(ordinaryDay), MFRRSteps(ordinaryDay), newImbalanceDay(ordinaryDay)}
	for n := range 6 { // more days than are kept
		AFRRSteps(ordinaryDay.Add(n + 1))
		MFRRSteps(ordinaryDay.Add(n + 1))
	}
	again := []any{Prices(ordinaryDay), CapacitySteps(ordinaryDay), AFRRSteps(ordinaryDay), MFRRSteps(ordinaryDay), recentImbalances.day(ordinaryDay)}
	if !reflect.DeepEqual(first, again) {
		t.Error("a second look at a delivery date shows other values")
	}
	if reflect.DeepEqual(Prices(ordinaryDay)[0].EURPerMWh, Prices(ordinaryDay.Add(1))[0].EURPerMWh) {
		t.Error("two delivery dates begin with one price")
	}
}

func TestPricesBeginOnTheirFirstDeliveryDateAndTurnQuarterHourly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		day   Day
		count int
		step  time.Duration
	}{
		{Day{2015, time.January, 4}, 0, 0},
		{Day{2015, time.January, 5}, 24, time.Hour},
		{Day{2025, time.September, 30}, 24, time.Hour},
		{Day{2025, time.October, 1}, 96, quarter},
		{Day{2025, time.October, 26}, 100, quarter},
		{Day{2025, time.March, 30}, 23, time.Hour},
	} {
		prices := Prices(tt.day)
		if len(prices) != tt.count {
			t.Errorf("%s: %d prices, want %d", tt.day, len(prices), tt.count)
			continue
		}
		for i, p := range prices {
			if p.Step != tt.step || p.Start != tt.day.Start().Add(time.Duration(i)*tt.step) {
				t.Errorf("%s: price %d starts at %s and lasts %s", tt.day, i, p.Start, p.Step)
			}
		}
	}
}

func TestPricesLookLikeAYear(t *testing.T) {
	t.Parallel()
	var count, negative, repeats, sunny, sunnyNegative, tails int
	var winter, summer, night, evening, noon float64
	for d := (Day{2026, time.January, 1}); d.Year == 2026; d = d.Add(1) {
		prices := Prices(d)
		dips := false
		for i, p := range prices {
			if p.EURPerMWh != round(p.EURPerMWh, 2) || math.Abs(p.EURPerMWh) > 500 {
				t.Fatalf("%s: price %v", p.Start, p.EURPerMWh)
			}
			count++
			if p.EURPerMWh < 0 {
				negative++
				dips = true
			}
			if i > 0 && p.EURPerMWh == prices[i-1].EURPerMWh {
				repeats++
			}
		}
		if last := len(prices) - 1; prices[last].EURPerMWh == prices[last-1].EURPerMWh {
			tails++
		}
		night += priceAt(prices, d.at(4, 0))
		noon += priceAt(prices, d.at(13, 30))
		evening += priceAt(prices, d.at(19, 30))
		switch d.Month {
		case time.December, time.January, time.February:
			winter += priceAt(prices, d.at(10, 0))
		case time.June, time.July, time.August:
			summer += priceAt(prices, d.at(10, 0))
		}
		if d.Month >= time.March && d.Month <= time.September {
			sunny++
			if dips {
				sunnyNegative++
			}
		}
	}
	if share := float64(negative) / float64(count); share < 0.005 || share > 0.1 {
		t.Errorf("%.1f %% of the prices are negative", 100*share)
	}
	if share := float64(sunnyNegative) / float64(sunny); share < 0.15 || share > 0.4 {
		t.Errorf("%.0f %% of the days from March to September have a negative price", 100*share)
	}
	if repeats < 100 || tails < 50 {
		t.Errorf("%d repeated prices and %d equal tails leave A03 little to omit", repeats, tails)
	}
	if winter <= summer || evening <= night || evening <= noon {
		t.Errorf("winter %.0f, summer %.0f; evening %.0f, night %.0f, noon %.0f", winter, summer, evening, night, noon)
	}
}

func TestCapacityIsConstantInsideItsBlockAndExactInCents(t *testing.T) {
	t.Parallel()
	type key struct{ reserve, product, horizon, direction string }
	blockHours := map[key]int{
		{"AFRR", "STD", "DAILY", "UP"}:     1,
		{"AFRR", "STD", "DAILY", "DOWN"}:   1,
		{"FCR", "STD", "DAILY", "UP_DOWN"}: 4,
		{"MFRR", "SPE", "DAILY", "DOWN"}:   1,
		{"MFRR", "SPE0", "DAILY", "UP"}:    24,
		{"MFRR", "SPE0", "PERIODIC", "UP"}: 24,
		{"RR", "SPE0", "DAILY", "UP"}:      24,
	}
	for _, d := range []Day{ordinaryDay, autumnDay, {2027, time.March, 28}} {
		type block struct {
			key
			n int
		}
		seen := make(map[block]Capacity)
		rows := make(map[key]int)
		for _, c := range CapacitySteps(d) {
			k := key{c.Reserve, c.Product, c.Horizon, c.Direction}
			hours, known := blockHours[k]
			if !known {
				t.Fatalf("unknown product %v", k)
			}
			rows[k]++
			_, offset := c.Start.In(paris).Zone()
			n := c.Start.In(paris).Hour() / hours
			if hours == 1 {
				n += offset // the two hours from 02:00 on the autumn day are two blocks
			}
			b := c
			b.Start = time.Time{}
			if first, ok := seen[block{k, n}]; ok && first != b {
				t.Errorf("%s %v: two results in one block", c.Start, k)
			}
			seen[block{k, n}] = b
			if c.Contracted > c.Offered || c.Contracted != math.Trunc(c.Contracted) || c.Offered != math.Trunc(c.Offered) {
				t.Errorf("%s %v: %v MW contracted of %v offered", c.Start, k, c.Contracted, c.Offered)
			}
			cents := c.PricePerStep * float64(400*hours)
			if c.PricePerStep < 0 || math.Abs(cents-math.Round(cents)) > 0.005 {
				t.Errorf("%s %v: %v EUR/MW a step is %v cents a block", c.Start, k, c.PricePerStep, cents)
			}
		}
		for k := range blockHours {
			if rows[k] != d.steps(quarter) {
				t.Errorf("%s %v: %d rows, want %d", d, k, rows[k], d.steps(quarter))
			}
		}
	}
}

func TestCapacityBeginsOnTheFirstDeliveryDateOfEachProduct(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		day  Day
		want map[string]bool
	}{
		{Day{2024, time.December, 31}, map[string]bool{}},
		{Day{2025, time.January, 1}, map[string]bool{"AFRR UP": true, "AFRR DOWN": true, "FCR UP_DOWN": true}},
		{Day{2025, time.October, 20}, map[string]bool{
			"AFRR UP": true, "AFRR DOWN": true, "FCR UP_DOWN": true, "MFRR UP": true, "RR UP": true}},
		{Day{2026, time.May, 1}, map[string]bool{
			"AFRR UP": true, "AFRR DOWN": true, "FCR UP_DOWN": true, "MFRR UP": true, "RR UP": true, "MFRR DOWN": true}},
	} {
		got := make(map[string]bool)
		for _, c := range CapacitySteps(tt.day) {
			got[c.Reserve+" "+c.Direction] = true
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.day, got, tt.want)
		}
	}
}

func TestAFRRDemandIsBoundedAndMovesLikeASignal(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		steps := AFRRSteps(ordinaryDay.Add(n))
		var mean, variance, covariance float64
		for _, s := range steps {
			if math.Abs(s.Demand) > afrrReachMW {
				t.Fatalf("%s: demand %v MW", s.Start, s.Demand)
			}
			mean += s.Demand / float64(len(steps))
		}
		for i := 1; i < len(steps); i++ {
			variance += (steps[i].Demand - mean) * (steps[i].Demand - mean)
			covariance += (steps[i].Demand - mean) * (steps[i-1].Demand - mean)
		}
		if r := covariance / variance; r < 0.95 {
			t.Errorf("%s: autocorrelation %.3f", ordinaryDay.Add(n), r)
		}
		last, first := steps[len(steps)-1], AFRRSteps(ordinaryDay.Add(n + 1))[0]
		if jump := math.Abs(first.Demand - last.Demand); jump > 60 {
			t.Errorf("%s: demand jumps by %.0f MW at midnight", first.Start, jump)
		}
	}
}

func TestAFRRPriceIsInTheDirectionOfTheDemand(t *testing.T) {
	t.Parallel()
	var falling, fallingUpward, both, negative, prorata, offline, steps int
	for n := range 10 {
		for _, s := range AFRRSteps(ordinaryDay.Add(n)) {
			steps++
			switch {
			case s.Demand >= afrrBalanceMW:
				if s.Upward == nil || s.Downward != nil {
					t.Fatalf("%s: demand %v MW, upward %v, downward %v", s.Start, s.Demand, s.Upward, s.Downward)
				}
			case s.Demand <= -afrrBalanceMW:
				falling++
				if s.Downward == nil {
					t.Fatalf("%s: demand %v MW without a downward price", s.Start, s.Demand)
				}
				if s.Upward != nil {
					fallingUpward++
				}
			default:
				both++
				if s.Upward == nil || s.Downward == nil || *s.Upward != *s.Downward {
					t.Fatalf("%s: demand %v MW does not clear at one price", s.Start, s.Demand)
				}
			}
			for _, p := range []*float64{s.Upward, s.Downward} {
				if p != nil && (*p != round(*p, 2) || math.Abs(*p) > 2000) {
					t.Fatalf("%s: price %v", s.Start, *p)
				}
				if p != nil && *p < 0 {
					negative++
				}
			}
			if s.Prorata {
				prorata++
			}
			if !s.Picasso {
				offline++
			}
		}
	}
	if fallingUpward == 0 || fallingUpward > falling/20 {
		t.Errorf("%d of %d steps with a downward need have an upward price", fallingUpward, falling)
	}
	if both == 0 || negative == 0 || negative > steps/2 {
		t.Errorf("of %d steps %d are in balance, %d prices are negative", steps, both, negative)
	}
	if prorata == 0 || offline <= prorata || offline > steps/20 {
		t.Errorf("of %d steps %d are off the platform, %d pro rata", steps, offline, prorata)
	}
}

func TestMFRRIsMostlySilent(t *testing.T) {
	t.Parallel()
	var rows, empty, activated, values int
	for n := range 10 {
		for _, m := range MFRRSteps(ordinaryDay.Add(n)) {
			rows++
			if m.Values == (MFRRValues{}) {
				empty++
			}
			v := reflect.ValueOf(m.Values)
			for i := range v.NumField() {
				if !v.Field(i).IsNil() {
					values++
				}
			}
			if m.Values.ClearingPrice != nil {
				activated++
				if m.Values.TotalActivatedVolumeSA == nil && m.Values.TotalActivatedVolumeDA == nil {
					t.Errorf("%s %s: cleared without activation", m.Start, m.Direction)
				}
			}
			if a, r := m.Values.TotalActivatedVolumeSA, m.Values.TotalRequestedVolumeSA; a != nil && *a > *r {
				t.Errorf("%s %s: %v MW activated of %v requested", m.Start, m.Direction, *a, *r)
			}
		}
	}
	if empty == 0 || activated == 0 || activated > rows/4 || values > rows*11/2 {
		t.Errorf("of %d rows %d are empty, %d activated; %d values", rows, empty, activated, values)
	}
}
