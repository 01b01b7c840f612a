package api_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// inState makes a report in which every dataset is in the state.
func inState(state report.State) func(context.Context) (report.Report, error) {
	return func(context.Context) (report.Report, error) {
		found := report.Report{GeneratedAt: report.Instant(noon), Quarantine: []report.Waiting{}, PriceDifferences: []report.Difference{}, Corrections: []report.Correction{}}
		for _, dataset := range market.Datasets() {
			found.Datasets = append(found.Datasets, report.Status{Dataset: dataset, Source: "RTE", State: state, Missing: []report.Missing{}, Remarks: []report.Remark{}})
		}
		return found, nil
	}
}

func TestTheStatusPageListsIncompleteDatesAndTheReasons(t *testing.T) {
	first, last, says := market.NewDeliveryDate(2026, 6, 20), market.NewDeliveryDate(2026, 7, 15), "entsoe: status 503"
	on := func(day, hour, minute int) time.Time { return time.Date(2026, 7, day, hour, minute, 0, 0, time.UTC) }
	july := func(day int) market.DeliveryDate { return market.NewDeliveryDate(2026, 7, day) }
	found := report.Report{
		Datasets: []report.Status{{
			Dataset: market.DayAheadPrices, Source: "ENTSO-E", State: report.StateLate, FirstDate: &first, LastDate: &last,
			NewestPeriodEnd: report.InstantOf(on(15, 22, 0)), LastSuccessAt: report.InstantOf(on(15, 11, 0)), LastChangeAt: report.InstantOf(on(14, 11, 0)),
			LastError: &says, NextRunAt: report.InstantOf(on(15, 12, 10)), Missing: []report.Missing{
				{Date: july(10), Expected: 96, Received: 40, Reason: "partial"}, {Date: july(12), Expected: 96, Reason: "not_published"},
				{Date: july(13), Expected: 96, Reason: "something_new"}, {Date: market.NewDeliveryDate(2025, 1, 1), Expected: 96, Reason: "rejected"},
			},
		}},
		PriceDifferences: []report.Difference{{Date: july(9), Between: "PT15M/PT60M", Quarters: 14, LargestEURMWh: 0.37, SeenAt: report.Instant(on(11, 12, 0))}},
	}
	f := open(t, reporting(func(context.Context) (report.Report, error) { return found, nil }))
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	session := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	page := f.ask(t, "GET", "/status", session, header("Accept-Language", "en")).Body.String()
	for _, want := range []string{
		`<td class="state late">late</td>`, "20\u00a0Jun\u00a02026 – 15\u00a0Jul\u00a02026", "14\u00a0Jul\u00a02026 13:00", "15\u00a0Jul\u00a02026 14:10", "entsoe: status 503",
		`<td class="number">40 of 96</td><td>partly published</td>`, `<td class="number">0 of 96</td><td>not published yet</td>`, "<td>something_new</td>",
		"<th scope=\"row\">9\u00a0Jul\u00a02026</th>" + `<td>PT15M/PT60M</td><td class="number">14</td><td class="number">0.37</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %s: %s", want, page)
		}
	}
	if strings.Contains(page, "1\u00a0Jan\u00a02025") {
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

// waits puts a quarter of a date's prices into quarantine and returns the ID.
func (f *fixture) waits(t *testing.T, date market.DeliveryDate, kind market.WaitKind, reason string) int64 {
	t.Helper()
	prices := []market.Price{{Start: date.Period().Start, Resolution: market.PT15M, Price: market.Num(5)}}
	_, err := f.store.Quarantine(t.Context(), store.Quarantined{Dataset: market.DayAheadPrices, Date: date, Kind: kind, Reason: reason, Seen: noon, Batch: market.Prices.Batch(prices)})
	must(t, err)
	waiting, err := f.store.InQuarantine(t.Context())
	must(t, err)
	return waiting[len(waiting)-1].ID
}

func TestTheStatusPageShowsQuarantinedDatesAndTheirEffect(t *testing.T) {
	f := open(t)
	today := market.DeliveryDateOf(noon)
	stored := func(date market.DeliveryDate, mw float64) market.Batch {
		return market.Capacity.Batch([]market.CapacityStep{{
			Dataset: market.FCRCapacity, Start: date.Period().Start, Direction: market.Symmetric, TimeHorizon: "DAILY", Product: "STD", OfferedMW: market.Num(mw), Price: market.Num(1.25),
		}})
	}
	f.commit(t, stored(today, 100))
	f.refresh(t)
	f.waits(t, today, market.WaitsFlat, "all prices are 5 EUR/MWh")
	came := stored(today, -1234.5)
	market.Capacity.In(came)[0].Price = market.Number{Withdrawn: true}
	_, err := f.store.Quarantine(t.Context(), store.Quarantined{Dataset: market.FCRCapacity, Date: today, Kind: market.WaitsRefused, Reason: "a power is <out> of bounds", Seen: noon, Batch: came})
	must(t, err)
	admin := carrying(f.session(t, f.account(t, "anne@example.org", store.Administrator)))
	member := carrying(f.session(t, f.account(t, "boris@example.org", store.Member)))
	for _, row := range []struct {
		name, path string
		who        func(*http.Request)
		want, not  []string
	}{
		{"to an administrator in French, the oldest first", "/etat", admin, []string{
			`<td class="wrap">un seul prix pour toute la date (<span lang="en">all prices are 5 EUR/MWh</span>)</td>`,
			`date refusée`, `(<span lang="en">a power is &lt;out&gt; of bounds</span>)`, `<a href="?waiting=2#proposal">Voir</a>`, `action="/admin/quarantine/1"`,
			`<code>price_eur_mwh</code></th><td class="number">1</td><td class="number">5</td><td class="number">5</td><td class="number">1</td><td class="number">0</td><td class="number">0</td>`,
		}, []string{`action="/admin/quarantine/2"`, "offered_volume_mw"}},
		{"in English, the one that is asked for", "/status?waiting=2", admin, []string{
			"one price for the whole date", "date refused", `action="/admin/quarantine/2"`, "Rows: 1; new: 0.",
			`<code>offered_volume_mw</code></th><td class="number">1</td><td class="number">−1,234.5</td><td class="number">−1,234.5</td><td class="number">0</td><td class="number">1</td><td class="number">0</td>`,
			`<code>price</code></th><td class="number">0</td><td class="number">–</td><td class="number">–</td><td class="number">0</td><td class="number">0</td><td class="number">1</td>`,
		}, []string{`action="/admin/quarantine/1"`}},
		{"one that does not wait is no fault", "/etat?waiting=99", admin, []string{`action="/admin/quarantine/1"`}, nil},
		{"to a member, without a decision", "/etat", member, []string{"un seul prix pour toute la date", "date refusée"}, []string{"/admin/quarantine", "Voir", "price_eur_mwh", "of bounds"}},
	} {
		language := "fr"
		if strings.HasPrefix(row.path, "/status") {
			language = "en"
		}
		page := f.ask(t, "GET", row.path, row.who, header("Accept-Language", language)).Body.String()
		for _, want := range row.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not hold %s: %s", row.name, want, page)
			}
		}
		for _, not := range row.not {
			if strings.Contains(page, not) {
				t.Errorf("%s: the page holds %s", row.name, not)
			}
		}
	}
}

func TestAdministratorsDecideOnQuarantinedDates(t *testing.T) {
	var f *fixture
	f = open(t, func(o *api.Options) {
		o.Decide = func(ctx context.Context, note store.Note, id int64, accept bool) error {
			if !accept {
				_, err := f.store.Reject(ctx, note, id, noon)
				return err
			}
			_, err := f.store.Accept(ctx, note, id, &store.Run{Feed: "quarantine", Started: noon, Ended: noon, Outcome: store.OutcomeOK})
			return err
		}
	})
	f.refresh(t)
	today := market.DeliveryDateOf(noon)
	for n := range 2 {
		f.waits(t, today.Add(n), market.WaitsFlat, "flat")
	}
	admin := carrying(f.session(t, f.account(t, "anne@example.org", store.Administrator)))
	member := carrying(f.session(t, f.account(t, "boris@example.org", store.Member)))
	const form = `action="/admin/quarantine/1"`
	if !strings.Contains(f.ask(t, "GET", "/etat", admin).Body.String(), form) || strings.Contains(f.ask(t, "GET", "/etat", member).Body.String(), form) {
		t.Error("administrators, and nobody else, are shown the form")
	}
	for _, row := range []struct {
		path, decision string
		who            func(*http.Request)
		status         int
		waiting        int
	}{
		{"/admin/quarantine/1", "accept", member, 403, 2},
		{"/admin/quarantine/1", "perhaps", admin, 400, 2},
		{"/admin/quarantine/x", "accept", admin, 404, 2},
		{"/admin/quarantine/1", "accept", admin, 303, 1},
		{"/admin/quarantine/1", "reject", admin, 303, 1}, // decided already
		{"/admin/quarantine/2", "reject", admin, 303, 0},
	} {
		if status := f.submit(t, "POST", row.path, url.Values{"decision": {row.decision}}, row.who).Code; status != row.status {
			t.Errorf("%s of %s: status %d, want %d", row.decision, row.path, status, row.status)
		}
		if waiting, err := f.store.InQuarantine(t.Context()); err != nil || len(waiting) != row.waiting {
			t.Errorf("after %s of %s %d wait, want %d (%v)", row.decision, row.path, len(waiting), row.waiting, err)
		}
	}
	notes, _, err := f.auth.Notes(t.Context(), 0)
	must(t, err)
	var told []string
	for _, note := range notes {
		if strings.HasPrefix(note.Event, "quarantine") {
			told = append(told, note.Event+" "+note.Subject+" ("+note.Detail+") by "+note.Actor)
		}
	}
	if want := []string{"quarantine_rejected 2 (day-ahead-prices 2026-07-16) by anne@example.org", "quarantine_accepted 1 (day-ahead-prices 2026-07-15) by anne@example.org"}; !slices.Equal(told, want) {
		t.Errorf("the audit log tells %q, want %q", told, want)
	}
	if prices, err := store.Within(t.Context(), f.store, market.Prices, market.DayAheadPrices, today.Period()); err != nil || len(prices) != 1 {
		t.Errorf("%d prices are stored, %v", len(prices), err)
	}
}
