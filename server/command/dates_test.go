package command

import (
	"errors"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

func TestDatesOfTheCommandLine(t *testing.T) {
	// In Paris this is half past midnight on the 26th, the day after the clock went back.
	p := &Program{Clock: clockwork.NewFakeClockAt(time.Date(2026, 10, 25, 23, 30, 0, 0, time.UTC))}
	for text, want := range map[string]string{
		"today": "2026-10-26", "yesterday": "2026-10-25", "tomorrow": "2026-10-27", "2024-02-29": "2024-02-29",
	} {
		if got, err := p.parseDate(text); err != nil || got.String() != want {
			t.Errorf("parseDate(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "Today", "now", "2026-02-29", "2026-1-5", "20260105", "05/01/2026", "2026-01-05T00:00", " 2026-01-05", "1970-01-01"} {
		if got, err := p.parseDate(text); !errors.As(err, new(usageError)) || !got.IsZero() {
			t.Errorf("parseDate(%q) = %s, %v; want a usage error", text, got, err)
		}
	}
}
