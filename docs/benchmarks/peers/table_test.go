package main

import "testing"

func TestASpreadIsMedianAndRangeInThreeDigits(t *testing.T) {
	for _, c := range []struct {
		values []float64
		unit   float64
		want   string
	}{
		{[]float64{3, 1, 2}, 1, "2.00 (1.00 to 3.00)"},
		{[]float64{4, 1, 3, 2}, 1, "2.50 (1.00 to 4.00)"},
		{[]float64{0.0159, 1.2345}, 1e3, "625 (15.9 to 1234)"},
		{[]float64{0.5}, 1, "0.500 (0.500 to 0.500)"},
	} {
		if got := spread(c.values, c.unit); got != c.want {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
		}
	}
}

func TestRatiosAreThoseOfOneRound(t *testing.T) {
	got := ratios([]float64{10, 30}, []float64{5, 3})
	if len(got) != 2 || got[0] != 2 || got[1] != 10 {
		t.Error(got)
	}
}
