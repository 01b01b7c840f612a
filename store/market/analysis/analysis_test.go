package analysis_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store/market"
	"courant/store/market/analysis"
)

var (
	turnForward = market.NewDeliveryDate(2026, time.March, 29)
	turnBack    = market.NewDeliveryDate(2026, time.October, 25)
)

// quarters returns the quarter hours of dates with a value each; the value of a quarter is null if value returns false.
func quarters(first, last market.DeliveryDate, value func(date market.DeliveryDate, quarter int) (float64, bool)) []analysis.Step {
	var steps []analysis.Step
	for _, date := range market.Dates(first, last) {
		for q := range date.Steps(market.QuarterSeconds) {
			start := date.Start().Unix() + int64(q)*market.QuarterSeconds
			v, is := value(date, q)
			steps = append(steps, analysis.StepOf(market.Period{Start: start, End: start + market.QuarterSeconds}, market.Number{V: v, Valid: is}))
		}
	}
	return steps
}

// byHour is the hour of the day in the order of time: 0 to 22, 23 or 24.
func byHour(_ market.DeliveryDate, q int) (float64, bool) { return float64(q / 4), true }

func TestDaysAndMonthsAreExactAndSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	first, last := market.NewDeliveryDate(2026, time.March, 28), market.NewDeliveryDate(2026, time.April, 1)
	steps := quarters(first, last, func(date market.DeliveryDate, q int) (float64, bool) {
		switch {
		case date == first.Add(2):
			return 0, false // a day of nulls
		case date == first.Add(3):
			return -0.1, q != 5
		}
		return float64(q) - 3, true
	})
	steps = slices.DeleteFunc(steps, func(s analysis.Step) bool { return s.Start >= last.Start().Unix() }) // a day without rows
	days := analysis.Days(steps, market.QuarterSeconds, first, last)
	type row struct {
		Date             string
		Values, Expected int64
		IsWhole          bool
		Mean             market.Number
		Least, Most      market.Number
		LeastAt, MostAt  string
		Negative         market.Number
	}
	rowOf := func(name string, total analysis.Total) row {
		at := func(p market.Period) string {
			if total.Values() == 0 {
				return ""
			}
			return p.From().In(market.Paris).Format("02 15:04")
		}
		return row{name, total.Values(), total.Expected, total.IsWhole(), total.Mean(), total.Least(), total.Most(),
			at(total.LeastAt), at(total.MostAt), total.NegativeHours()}
	}
	var got []row
	for _, day := range days {
		got = append(got, rowOf(day.Date.String(), day.Total))
	}
	for _, month := range analysis.Months(days) {
		got = append(got, rowOf(month.String(), month.Total))
	}
	num := market.Num
	// 96 x 44.5 + 92 x 42.5 - 95 x 0.1 = 8172.5, of 283 values
	march := row{"2026-03", 96 + 92 + 95, 96 + 92 + 96 + 96, false, num(28.88), num(-3), num(92), "28 00:00", "28 23:45", num(0.75 + 0.75 + 23.75)}
	want := []row{
		{"2026-03-28", 96, 96, true, num(44.5), num(-3), num(92), "28 00:00", "28 23:45", num(0.75)},
		{"2026-03-29", 92, 92, true, num(42.5), num(-3), num(88), "29 00:00", "29 23:45", num(0.75)},
		{Date: "2026-03-30", Expected: 96},
		{"2026-03-31", 95, 96, false, num(-0.1), num(-0.1), num(-0.1), "31 00:00", "31 00:00", num(23.75)},
		{Date: "2026-04-01", Expected: 96},
		march,
		{Date: "2026-04", Expected: 96},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	whole := analysis.All(days)
	if whole.Values() != 283 || whole.Expected != 476 || whole.Mean() != num(28.88) {
		t.Errorf("in all %d of %d, mean %v", whole.Values(), whole.Expected, whole.Mean())
	}
}

func TestAnUnknownLeastValueOfASteppedMeanStaysUnknown(t *testing.T) {
	t.Parallel()
	date := turnBack
	hour := func(i int64) market.Period {
		return market.Period{Start: date.Start().Unix() + i*market.HourSeconds, End: date.Start().Unix() + (i+1)*market.HourSeconds}
	}
	thinned := analysis.Step{Period: hour(1), Sum: market.MicroOf(30), Count: 3}
	known := analysis.Step{Period: hour(0), Sum: market.MicroOf(5), Count: 2, Least: market.Num(1), Most: market.Num(4)}
	total := analysis.All(analysis.Days([]analysis.Step{known, thinned}, 4, date, date))
	if total.Least().Valid || total.Most().Valid || total.Mean() != market.Num(7) {
		t.Errorf("least %v, most %v, mean %v", total.Least(), total.Most(), total.Mean())
	}
}

func TestTheMeanDayPutsBothHoursOfOneNameTogether(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		date market.DeliveryDate
		two  market.Number // 02:00
		last market.Number // 23:00
	}{
		"24 hours": {turnBack.Add(1), market.Num(2), market.Num(23)},
		"25 hours": {turnBack, market.Num(2.5), market.Num(24)}, // the hours 2 and 3 of that day have the same name
		"23 hours": {turnForward, market.Number{}, market.Num(22)},
	}
	for name, test := range tests {
		day := analysis.MeanDayOf(quarters(test.date, test.date, byHour))
		if day.All[2] != test.two || day.All[23] != test.last {
			t.Errorf("%s: 02:00 is %v and 23:00 is %v", name, day.All[2], day.All[23])
		}
	}
	week := analysis.MeanDayOf(quarters(turnBack.Add(1), turnBack.Add(7), func(date market.DeliveryDate, _ int) (float64, bool) {
		return float64(turnBack.DaysUntil(date)), true // Monday 1 to Sunday 7
	}))
	if week.All[12] != market.Num(4) || week.Weekdays[12] != market.Num(3) || week.Weekends[12] != market.Num(6.5) {
		t.Errorf("all %v, weekdays %v, weekends %v", week.All[12], week.Weekdays[12], week.Weekends[12])
	}
}

func TestColumnsHaveTheHoursThatADayHas(t *testing.T) {
	t.Parallel()
	for date, hours := range map[market.DeliveryDate]int{turnBack: 25, turnForward: 23, turnBack.Add(1): 24} {
		columns := analysis.Columns(quarters(date, date, byHour), date, date.Add(1), 1)
		if len(columns) != 2 || len(columns[0].Hours) != hours || columns[0].Hours[hours-1] != market.Num(float64(hours-1)) {
			t.Errorf("%s: %v", date, columns)
		}
		if slices.ContainsFunc(columns[1].Hours, func(n market.Number) bool { return n.Valid }) {
			t.Errorf("the date without rows has %v", columns[1].Hours)
		}
	}
	// Of a week each hour is the mean of those of the same name.
	weeks := analysis.Columns(quarters(turnBack.Add(-6), turnBack.Add(1), byHour), turnBack.Add(-6), turnBack.Add(1), 7)
	if len(weeks) != 2 || len(weeks[0].Hours) != 24 || weeks[1].First != turnBack.Add(1) {
		t.Fatalf("%v", weeks)
	}
	if got := weeks[0].Hours[2]; got != market.Num(2.13) { // six times 2, then 2 and 3
		t.Errorf("02:00 of the week is %v", got)
	}
}

func TestDurationsFallFromTheGreatestToTheLeast(t *testing.T) {
	t.Parallel()
	steps := quarters(turnBack, turnBack, func(_ market.DeliveryDate, q int) (float64, bool) {
		return float64((q * 37) % 100), q != 0
	})
	curve := analysis.Durations(steps, 5)
	want := []market.Number{market.Num(99), market.Num(74), market.Num(50), market.Num(25), market.Num(1)}
	if diff := cmp.Diff(want, curve); diff != "" {
		t.Error(diff)
	}
	if all := analysis.Durations(steps, 1000); len(all) != 99 || all[0] != market.Num(99) || all[98] != market.Num(1) {
		t.Errorf("%d values, %v to %v", len(all), all[0], all[len(all)-1])
	}
	if none := analysis.Durations(nil, 5); len(none) != 0 {
		t.Errorf("of nothing: %v", none)
	}
	if one := analysis.Durations(steps[1:2], 5); len(one) != 1 {
		t.Errorf("of one value: %v", one)
	}
}

func TestShiftedStepsKeepTheirTimeOfDay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from  market.DeliveryDate
		days  int
		steps int
		hours map[int]int // the hour in the order of time on the later day, and that on the earlier one
	}{
		"onto a day of 24 hours": {turnBack.Add(1), 1, 96, map[int]int{0: 0, 2: 2, 23: 23}},
		"onto a day of 25 hours": {turnBack.Add(-7), 7, 96, map[int]int{1: 1, 2: 2, 4: 3, 24: 23}}, // the second 02:00 has none
		"from a day of 25 hours": {turnBack, 7, 96, map[int]int{2: 2, 3: 4, 23: 24}},
		"onto a day of 23 hours": {turnForward.Add(-1), 1, 92, map[int]int{1: 1, 2: 3, 22: 23}},
		"from a day of 23 hours": {turnForward, 1, 92, map[int]int{1: 1, 3: 2, 23: 22}},
	}
	for name, test := range tests {
		shifted := analysis.Shift(quarters(test.from, test.from, byHour), test.days)
		if len(shifted) != test.steps {
			t.Errorf("%s: %d steps", name, len(shifted))
		}
		start := test.from.Add(test.days).Start().Unix()
		at := map[int64]market.Number{}
		for _, s := range shifted {
			at[s.Start] = s.Mean()
		}
		for later, earlier := range test.hours {
			if got := at[start+int64(later)*market.HourSeconds+2700]; got != market.Num(float64(earlier)) {
				t.Errorf("%s: hour %d is %v, want %d", name, later, got, earlier)
			}
		}
	}
	// A whole day stays a whole day.
	day := analysis.Fold(quarters(turnBack, turnBack, byHour), market.BucketsDay)
	if shifted := analysis.Shift(day, 1); len(shifted) != 1 || shifted[0].Period != turnBack.Add(1).Period() {
		t.Errorf("a day becomes %v", shifted)
	}
}

func TestFoldedStepsAreMeansOfAllTheirValues(t *testing.T) {
	t.Parallel()
	steps := quarters(turnBack, turnBack, func(_ market.DeliveryDate, q int) (float64, bool) { return float64(q % 4), q != 3 })
	hours := analysis.Fold(steps, market.BucketsHour)
	if len(hours) != 25 || hours[0].Mean() != market.Num(1) || hours[0].Count != 3 || hours[1].Mean() != market.Num(1.5) {
		t.Errorf("%d hours, %+v, %+v", len(hours), hours[0], hours[1])
	}
	if hours[1].Least != market.Num(0) || hours[1].Most != market.Num(3) {
		t.Errorf("least and greatest of an hour are %v and %v", hours[1].Least, hours[1].Most)
	}
}
