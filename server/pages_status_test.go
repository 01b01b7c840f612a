package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"courant/store"
)

// inState makes a report in which every dataset is in the state.
func inState(state string) func(context.Context) (any, error) {
	return func(context.Context) (any, error) {
		var datasets []string
		for _, dataset := range store.Datasets() {
			datasets = append(datasets, fmt.Sprintf(`{"dataset":%q,"source":"RTE","state":%q,"first_date":null,"last_date":null,"newest_period_end":null,`+
				`"lag_seconds":null,"last_success_at":null,"last_change_at":null,"last_error":null,"next_run_at":null,"missing":[]}`, dataset, state))
		}
		return json.RawMessage(`{"generated_at":"2026-07-15T12:00:00.000Z","datasets":[` + strings.Join(datasets, ",") + `],"quarantine":[]}`), nil
	}
}

func TestTheStatusPageSaysWhatIsNotWholeAndWhy(t *testing.T) {
	report := `{"datasets":[{"dataset":"day-ahead-prices","source":"ENTSO-E","state":"late","first_date":"2026-06-20","last_date":"2026-07-15",
		"newest_period_end":"2026-07-15T22:00:00.000Z","last_success_at":"2026-07-15T11:00:00.000Z","last_change_at":"2026-07-14T11:00:00.000Z",
		"last_error":"entsoe: status 503","next_run_at":"2026-07-15T12:10:00.000Z","missing":[
		{"date":"2026-07-10","expected":96,"received":40,"reason":"partial"},{"date":"2026-07-12","expected":96,"received":0,"reason":"not_published"},
		{"date":"2026-07-13","expected":96,"received":0,"reason":"something_new"},{"date":"2025-01-01","expected":96,"received":0,"reason":"rejected"}]}],
		"quarantine":[{"id":7,"dataset":"day-ahead-prices","date":"2026-07-11","reason":"flat at 0","seen_at":"2026-07-11T12:00:00.000Z"}]}`
	f := open(t, reporting(func(context.Context) (any, error) { return json.RawMessage(report), nil }))
	f.commit(t, marketOn(store.DeliveryDateOf(noon)))
	f.refresh(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	page := f.ask(t, "GET", "/status", session, header("Accept-Language", "en")).Body.String()
	for _, want := range []string{
		`<td class="state late">late</td>`, "20/06/2026 – 15/07/2026", "14/07/2026 13:00", "15/07/2026 14:10", "entsoe: status 503",
		`<td class="number">40 of 96</td><td>published in part</td>`, `<td class="number">0 of 96</td><td>not published yet</td>`, "<td>something_new</td>",
		`<th scope="row">7</th><td>Day-ahead prices</td><td>11/07/2026</td><td lang="en">flat at 0</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %s: %s", want, page)
		}
	}
	if strings.Contains(page, "01/01/2025") {
		t.Error("a date before the calendar is listed")
	}
	calendar := regexp.MustCompile(`<th scope="row">Day-ahead prices</th>(<td>.*</td>)</tr>`).FindStringSubmatch(page)[1]
	var states []string
	for _, match := range regexp.MustCompile(`class="cell (\w+)"`).FindAllStringSubmatch(calendar, -1) {
		states = append(states, match[1])
	}
	// From 11 June to 16 July: the first date is the 20th, 10 July lacks a part, 12 and 13 July all.
	want := strings.Fields(strings.Repeat("none ", 9) + strings.Repeat("whole ", 20) + "partial whole missing missing whole whole none")
	if strings.Join(states, " ") != strings.Join(want, " ") {
		t.Errorf("the calendar is %v, want %v", states, want)
	}
}

func TestPagesAreToldOfTheFeedsAnewWhenDataChangeOrTimePasses(t *testing.T) {
	reports := 0
	f := open(t, reporting(func(ctx context.Context) (any, error) {
		reports++
		return inState("ok")(ctx)
	}))
	f.refresh(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	look := func(when string, want int) {
		t.Helper()
		for _, path := range []string{"/", "/prix", "/etat"} {
			f.ask(t, "GET", path, session)
		}
		if reports != want {
			t.Errorf("%s there were %d reports, want %d", when, reports, want)
		}
	}
	look("at first", 1)
	f.clock.Advance(9 * time.Second)
	look("soon after", 1)
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	look("after a commit", 2)
	f.clock.Advance(10 * time.Second)
	look("after ten seconds", 3)
}
