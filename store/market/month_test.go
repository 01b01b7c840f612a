package market

import (
	"testing"
	"time"
)

func TestAMonthIsItsDeliveryDatesInParis(t *testing.T) {
	for _, test := range []struct {
		month, first, last string
		hours              int64
	}{
		{"2026-10", "2026-10-01", "2026-10-31", 31*24 + 1},
		{"2026-03", "2026-03-01", "2026-03-31", 31*24 - 1},
		{"2024-02", "2024-02-01", "2024-02-29", 29 * 24},
		{"2026-12", "2026-12-01", "2026-12-31", 31 * 24},
	} {
		month, err := ParseMonth(test.month)
		if err != nil {
			t.Fatal(err)
		}
		if got := month.Period().Seconds() / HourSeconds; got != test.hours || month.String() != test.month ||
			month.First().String() != test.first || month.Last().String() != test.last || MonthOf(month.Last()) != month || MonthOf(month.Last().Add(1)) != month.Next() {
			t.Errorf("%s is %s, from %s to %s, %d hours", test.month, month, month.First(), month.Last(), got)
		}
	}
	if month := MonthOf(NewDeliveryDate(1970, time.January, 5)); month.String() != "1970-01" || !month.Before(month.Next()) {
		t.Errorf("the month of the day that is no date is %s", month)
	}
	for _, text := range []string{"", "2026", "2026-13", "2026-1", "2026-10-01", "2026-10.parquet"} {
		if month, err := ParseMonth(text); err == nil {
			t.Errorf("%q is read as %s", text, month)
		}
	}
}
