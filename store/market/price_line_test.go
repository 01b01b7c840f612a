package market

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	shortDay = NewDeliveryDate(2026, time.March, 29)
	plainDay = NewDeliveryDate(2026, time.July, 15)
	longDay  = NewDeliveryDate(2026, time.October, 25)
)

// lineOf is the line of a date whose price in each quarter hour is that of the function.
func lineOf(date DeliveryDate, price func(i int) Number) PriceLine {
	line := NewPriceLine(date.Period())
	for i := range line.Prices {
		line.Prices[i] = price(i)
	}
	return line
}

// except makes the quarter hours unknown.
func except(line PriceLine, unknown ...int) PriceLine {
	for _, i := range unknown {
		line.Prices[i] = Number{}
	}
	return line
}

func rising(i int) Number { return Num(float64(i)) }

// valley is a price that falls to its lowest at a quarter hour and rises after it.
func valley(at int) func(int) Number {
	return func(i int) Number { return Num(float64(max(i-at, at-i)) - 0.125) }
}

// words writes a block as its hours in UTC and its mean.
func (b Block) words() string {
	var hours []string
	for _, p := range b.Periods {
		hours = append(hours, p.From().Format("02 15:04")+"-"+p.To().Format("15:04"))
	}
	return fmt.Sprintf("%s: %v", strings.Join(hours, " "), b.Mean.V)
}

func TestTheCheapestAndDearestBlockOfADate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		line     PriceLine
		quarters int
		apart    bool
		dearest  bool
		want     string
	}{
		{"an hour of a plain day", lineOf(plainDay, rising), 4, false, false, "14 22:00-23:00: 1.5"},
		{"its dearest hour", lineOf(plainDay, rising), 4, false, true, "15 21:00-22:00: 93.5"},
		{"a valley", lineOf(plainDay, valley(40)), 4, false, false, "15 07:30-08:30: 0.88"},
		{"four hours over the skipped hour", lineOf(shortDay, valley(7)), 16, false, false, "28 23:00-03:00: 3.88"},
		{"eight hours at the end of the short day", lineOf(shortDay, rising), 32, false, true, "29 14:00-22:00: 75.5"},
		{"four hours over the repeated hour", lineOf(longDay, valley(12)), 16, false, false, "24 23:00-03:00: 3.88"},
		{"the whole long day", lineOf(longDay, rising), 100, false, true, "24 22:00-23:00: 49.5"},
		{"more than the short day", lineOf(shortDay, rising), 93, false, false, "none"},
		{"the earliest of equal ones", lineOf(plainDay, func(int) Number { return Num(-3) }), 8, false, true, "14 22:00-00:00: -3"},
		{"a block of no quarter hour", lineOf(plainDay, rising), 0, false, false, "none"},
		{"around an unknown quarter hour", except(lineOf(plainDay, rising), 2), 4, false, false, "14 22:45-23:45: 4.5"},
		{"none without an unknown one", except(lineOf(plainDay, rising), 15, 31, 47, 63, 79), 17, false, false, "none"},
		{"nothing known", NewPriceLine(plainDay.Period()), 4, false, false, "none"},

		{"quarter hours anywhere", lineOf(plainDay, func(i int) Number { return Num(float64(i % 48)) }), 4, true, false,
			"14 22:00-22:30 15 10:00-10:30: 0.5"},
		{"dearest anywhere", lineOf(plainDay, func(i int) Number { return Num(float64(i % 48)) }), 4, true, true,
			"15 09:30-10:00 15 21:30-22:00: 46.5"},
		{"the earliest of equal ones anywhere", lineOf(plainDay, func(i int) Number { return Num(1) }), 8, true, true, "14 22:00-00:00: 1"},
		{"anywhere but the unknown one", except(lineOf(plainDay, rising), 1), 4, true, false, "14 22:00-22:15 14 22:30-23:15: 2.25"},
		{"in both repeated hours", lineOf(longDay, func(i int) Number { return Num(float64(-(i / 8) % 2)) }), 4, true, false,
			"25 00:00-01:00: -1"},
		{"more than are known", except(lineOf(shortDay, rising), 0), 92, true, false, "none"},
	} {
		find := row.line.Block
		if row.apart {
			find = row.line.Quarters
		}
		got := "none"
		if block, found := find(row.quarters, row.dearest); found {
			got = block.words()
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestABlockIsTheBestOfAllThatThereAre(t *testing.T) {
	t.Parallel()
	line := except(lineOf(longDay, func(i int) Number { return Num(float64(i*7919%211) - 60.37) }), 17, 18, 61)
	for _, quarters := range []int{4, 8, 16, 32} {
		best := Number{}
		for from := 0; from+quarters <= len(line.Prices); from++ {
			part := PriceLine{line.Start, line.Prices[from : from+quarters]}
			if f := part.Figures(); f.IsComplete() && (!best.Valid || f.Mean.V < best.V) {
				best = f.Mean
			}
		}
		if got, _ := line.Block(quarters, false); got.Mean != best {
			t.Errorf("%d quarter hours: %v, want %v", quarters, got.Mean, best)
		}
	}
}

func TestTheFiguresOfADate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		line PriceLine
		want string
	}{
		{"short", lineOf(shortDay, rising), "92/92 mean 45.5 least 0 at 23:00 most 91 at 21:45 spread 91 negative 0"},
		{"long, a price below zero", lineOf(longDay, valley(12)), "100/100 mean 38.94 least -0.125 at 01:00 most 86.875 at 22:45 spread 87 negative 1 01:00-01:15"},
		{"four negative spells", lineOf(shortDay, func(i int) Number { return Num(float64(i/10%3) - 1) }), "92/92 mean -0.02 least -1 at 23:00 most 1 at 04:00 spread 2 negative 32 23:00-01:30 06:30-09:00 14:00-16:30 21:30-22:00"},
		{"one unknown", except(lineOf(plainDay, rising), 0), "95/96 mean 48 least 1 at 22:15 most 95 at 21:45 spread 94 negative 0"},
		{"nothing known", NewPriceLine(plainDay.Period()), "0/96 none"},
	} {
		f := row.line.Figures()
		got := fmt.Sprintf("%d/%d none", f.Known, f.Expected)
		if f.Mean.Valid {
			got = fmt.Sprintf("%d/%d mean %v least %v at %s most %v at %s spread %v negative %d", f.Known, f.Expected, f.Mean.V,
				f.Least.V, f.LeastAt.From().Format("15:04"), f.Most.V, f.MostAt.From().Format("15:04"), f.Spread.V, f.Negative)
			for _, p := range f.NegativeAt {
				got += p.From().Format(" 15:04") + p.To().Format("-15:04")
			}
		}
		if got != row.want || f.IsComplete() != (row.line.Known() == len(row.line.Prices)) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	if d := Difference(Num(0.3), Num(0.1)); d != Num(0.2) {
		t.Errorf("0.3 less 0.1 is %v", d.V)
	}
	if d := Difference(Num(0.3), Number{}); d.Valid {
		t.Errorf("0.3 less null is %v", d.V)
	}
}

func TestAPriceHoldsUntilItChanges(t *testing.T) {
	t.Parallel()
	hourly := lineOf(longDay, func(i int) Number { return Num(float64(i / 4)) })
	start := longDay.Start().Unix()
	for _, row := range []struct {
		name      string
		line      PriceLine
		second    int64
		now, next string
	}{
		{"a quarter hour", lineOf(longDay, rising), start + 950, "22:15-22:30 1", "22:30-22:45 2"},
		{"an hour that began before", hourly, start + 3*3600 + 2700, "01:00-02:00 3", "02:00-03:00 4"},
		{"the last one", hourly, start + 25*3600 - 1, "22:00-23:00 24", "-"},
		{"before an unknown one", except(lineOf(longDay, rising), 3, 4), start + 1800, "22:30-22:45 2", "22:45-23:15 null"},
		{"an unknown one", except(lineOf(longDay, rising), 3, 4), start + 2700, "22:45-23:15 null", "23:15-23:30 5"},
		{"before the line", hourly, start - 1, "-", "-"},
		{"after the line", hourly, start + 25*3600, "-", "-"},
	} {
		words := func(h Hold) string {
			switch {
			case h.Period == Period{}:
				return "-"
			case !h.Price.Valid:
				return h.From().Format("15:04") + "-" + h.To().Format("15:04") + " null"
			}
			return fmt.Sprintf("%s-%s %v", h.From().Format("15:04"), h.To().Format("15:04"), h.Price.V)
		}
		now, next := row.line.HoldAt(row.second)
		if words(now) != row.now || words(next) != row.next {
			t.Errorf("%s: %s, then %s, want %s, then %s", row.name, words(now), words(next), row.now, row.next)
		}
	}
}

func TestTheRankOfAPriceIsTheShareOfThoseBelowIt(t *testing.T) {
	t.Parallel()
	line := except(lineOf(plainDay, rising), 95) // 0 to 94
	for _, row := range []struct {
		price   float64
		want    Rank
		percent int
	}{
		{-1, Rank{0, 95}, 0}, {0, Rank{0, 95}, 0}, {47, Rank{47, 95}, 49}, {94, Rank{94, 95}, 98}, {200, Rank{95, 95}, 100},
	} {
		if got := line.RankOf(Num(row.price)); got != row.want || got.Percent() != row.percent {
			t.Errorf("%v: %v, %d %%, want %v, %d %%", row.price, got, got.Percent(), row.want, row.percent)
		}
	}
	if got := line.Median(); got != Num(47) {
		t.Errorf("the median is %v", got.V)
	}
	if got := lineOf(plainDay, rising).Median(); got != Num(47.5) {
		t.Errorf("the median of an even number is %v", got.V)
	}
	if got := (PriceLine{}).Median(); got.Valid || (Rank{}).Percent() != 0 {
		t.Errorf("the median of nothing is %v", got.V)
	}
}

func TestALineIsSetAndCutByPeriods(t *testing.T) {
	t.Parallel()
	line := NewPriceLine(longDay.Period())
	start := longDay.Start().Unix()
	line.Set(Period{start - 3600, start + 1800}, Num(7))
	line.Set(Period{start + 3600, start + 7200}, Num(8))
	if line.Known() != 6 {
		t.Errorf("%d are known", line.Known())
	}
	part := line.Part(Period{start + 900, start + 4500})
	if part.Start != start+900 || len(part.Prices) != 4 || part.Known() != 2 {
		t.Errorf("the part is %v", part)
	}
	if outside := line.Part(Period{start - 7200, start - 3600}); len(outside.Prices) != 0 {
		t.Errorf("a part outside is %v", outside)
	}
}
