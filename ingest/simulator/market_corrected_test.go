package simulator

import (
	"reflect"
	"testing"
	"time"
)

func TestCorrectionsTouchAboutEverySeventhStepALittle(t *testing.T) {
	t.Parallel()
	hourlyDay := Day{2025, time.September, 30}
	for _, d := range []Day{ordinaryDay, springDay, autumnDay, hourlyDay} {
		for _, tt := range []struct {
			series         string
			steps, changed int
		}{
			{"prices", len(Prices(d)), changed(Prices(d), Price.Corrected)},
			{"exchanges", len(Exchanges(d)), changed(Exchanges(d), Exchange.Corrected)},
			{"capacity", len(CapacitySteps(d)), changed(CapacitySteps(d), Capacity.Corrected)},
			{"aFRR", len(AFRRSteps(d)), changed(AFRRSteps(d), AFRR.Corrected)},
			{"mFRR", len(MFRRSteps(d)), changed(MFRRSteps(d), MFRR.Corrected)},
			{"imbalance", len(ImbalanceSteps(d)), changed(ImbalanceSteps(d), Imbalance.Corrected)},
		} {
			if share := float64(tt.changed) / float64(tt.steps); share < 0.1 || share > 0.19 {
				t.Errorf("%s of %s: %d of %d steps are corrected", tt.series, d, tt.changed, tt.steps)
			}
		}
	}
}

// changed counts the steps that a correction makes another.
func changed[S any](steps []S, correct func(S) S) int {
	n := 0
	for _, s := range steps {
		if !reflect.DeepEqual(correct(s), s) {
			n++
		}
	}
	return n
}

func TestCorrectionLeavesTheMarketAsItIs(t *testing.T) {
	t.Parallel()
	before := newAFRRDay(ordinaryDay)
	for _, s := range AFRRSteps(ordinaryDay) {
		s.Corrected()
	}
	market{corrected: []Day{ordinaryDay}}.afrr(ordinaryDay)
	if !reflect.DeepEqual(AFRRSteps(ordinaryDay), before) {
		t.Error("the published steps have changed")
	}
}

func TestBothSourcesCorrectAPriceAlike(t *testing.T) {
	t.Parallel()
	for _, d := range []Day{ordinaryDay, {2025, time.September, 30}} {
		var prices []Price
		for _, p := range Prices(d) {
			prices = append(prices, p.Corrected())
		}
		for _, e := range Exchanges(d) {
			if got, want := e.Corrected().EURPerMWh, priceAt(prices, e.Start); got != want {
				t.Errorf("%s: %v at the exchanges, %v at ENTSO-E", e.Start, got, want)
			}
		}
	}
}

func TestCorrectedImbalanceKeepsItsTrendAndTheOrderOfItsPrices(t *testing.T) {
	for _, s := range ImbalanceSteps(ordinaryDay) {
		if c := s.Corrected(); (c.Trend == "HAUSSE") != (c.MWh <= 0) || *c.Positive > *c.Negative {
			t.Errorf("%s: %v MWh, %s, %v and %v", c.Start, c.MWh, c.Trend, *c.Positive, *c.Negative)
		}
		s.Positive, s.Negative = nil, nil
		if c := s.Corrected(); c.Positive != nil || c.Negative != nil {
			t.Errorf("%s: a correction brings prices", c.Start)
		}
	}
}

func TestCapacityIsCorrectedByTheHour(t *testing.T) {
	t.Parallel()
	steps := CapacitySteps(ordinaryDay)
	for i := 0; i < len(steps); i += 4 {
		for _, c := range steps[i : i+4] {
			if c.Corrected().PricePerStep != steps[i].Corrected().PricePerStep {
				t.Fatalf("%s %s: an hour has two prices", c.Start, c.Reserve)
			}
		}
	}
}
