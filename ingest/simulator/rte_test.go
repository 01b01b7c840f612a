package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	capacityPath = "/open_api/balancing_capacity/v5/result_procured_reserves"
	afrrPath     = "/open_api/balancing_energy/v5/afrr_marginal_price"
	mfrrPath     = "/open_api/balancing_energy/v5/standard_mfrr_data"
)

// rteClient is a client that has a token.
type rteClient struct {
	t     *testing.T
	h     http.Handler
	token string
}

func newRTEClient(t *testing.T, now time.Time) *rteClient {
	t.Helper()
	c := &rteClient{t: t, h: RTE(Options{Now: func() time.Time { return now }})}
	c.login()
	return c
}

func (c *rteClient) login() {
	c.t.Helper()
	req := httptest.NewRequest("POST", "/token/oauth/", strings.NewReader("grant_type=client_credentials"))
	req.SetBasicAuth(ClientID, ClientSecret)
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, req)
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.TokenType != "Bearer" {
		c.t.Fatalf("token: %d %s", w.Code, w.Body)
	}
	c.token = answer.AccessToken
}

func (c *rteClient) ask(path string, q url.Values) *httptest.ResponseRecorder {
	req := httptest.NewRequest("GET", path+"?"+q.Encode(), nil)
	req.Header.Set("Authorization", "Bearer "+c.token)
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, req)
	return w
}

// get asks for a window and decodes the answer into v.
func (c *rteClient) get(path string, w window, v any) (body string) {
	c.t.Helper()
	answer := c.ask(path, askFor(w))
	if answer.Code != 200 || answer.Header().Get("Content-Type") != "application/json" {
		c.t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), v); err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	return answer.Body.String()
}

func askFor(w window) url.Values {
	return url.Values{
		"start_date": {w.start.In(paris).Format(time.RFC3339)},
		"end_date":   {w.end.In(paris).Format(time.RFC3339)},
	}
}

func whole(d Day) window { return window{d.Start(), d.End()} }

func TestRTETokenIsGivenForTheRightCredentialsAndExpires(t *testing.T) {
	t.Parallel()
	now := longAfter
	c := &rteClient{t: t, h: RTE(Options{Now: func() time.Time { return now }, TokenLifetime: time.Hour})}
	req := httptest.NewRequest("POST", "/token/oauth/", nil)
	req.SetBasicAuth(ClientID, "wrong")
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, req)
	if w.Code != 401 || !strings.Contains(w.Body.String(), `"error":"invalid_client"`) {
		t.Errorf("wrong secret: %d %s", w.Code, w.Body)
	}
	if w := c.ask(mfrrPath, askFor(whole(ordinaryDay))); w.Code != 401 {
		t.Errorf("no token: %d", w.Code)
	}
	c.login()
	now = now.Add(time.Hour - time.Second)
	if w := c.ask(mfrrPath, askFor(whole(ordinaryDay))); w.Code != 200 {
		t.Errorf("a second before expiry: %d %s", w.Code, w.Body)
	}
	now = now.Add(time.Second)
	w = c.ask(mfrrPath, askFor(whole(ordinaryDay)))
	if w.Code != 401 || !strings.Contains(w.Body.String(), `"error":"invalid_token"`) {
		t.Errorf("at expiry: %d %s", w.Code, w.Body)
	}
	c.login()
	if w := c.ask(mfrrPath, askFor(whole(ordinaryDay))); w.Code != 200 {
		t.Errorf("with a new token: %d", w.Code)
	}
}

func TestRTERefusesWhatItsInterfaceDoesNotAllow(t *testing.T) {
	t.Parallel()
	c := newRTEClient(t, longAfter)
	start := ordinaryDay.Start()
	lasting := func(d time.Duration) url.Values { return askFor(window{start, start.Add(d)}) }
	const day = 24 * time.Hour
	noOffset := lasting(time.Hour)
	noOffset.Set("start_date", "2026-06-03T00:00:00")
	for _, tt := range []struct {
		name   string
		path   string
		query  url.Values
		status int
	}{
		{"capacity of 20 days and an hour", capacityPath, lasting(20*day + time.Hour), 200},
		{"wider capacity", capacityPath, lasting(20*day + time.Hour + time.Second), 400},
		{"aFRR of 24 hours", afrrPath, lasting(day), 200},
		{"wider aFRR", afrrPath, lasting(day + time.Second), 400},
		{"aFRR of the autumn day", afrrPath, askFor(whole(autumnDay)), 400},
		{"mFRR of 7 days and an hour", mfrrPath, lasting(7*day + time.Hour), 200},
		{"wider mFRR", mfrrPath, lasting(7*day + time.Hour + time.Second), 400},
		{"imbalance of 7 days and an hour", imbalancePath, lasting(7*day + time.Hour), 200},
		{"wider imbalance", imbalancePath, lasting(7*day + time.Hour + time.Second), 400},
		{"no parameters", mfrrPath, nil, 400},
		{"no offset", mfrrPath, noOffset, 400},
		{"empty window", mfrrPath, lasting(0), 400},
		{"end before start", mfrrPath, lasting(-time.Hour), 400},
		{"unknown resource", "/open_api/balancing_energy/v5/nothing", lasting(day), 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := c.ask(tt.path, tt.query)
			if w.Code != tt.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var problem map[string]string
			if tt.status != 200 && (json.Unmarshal(w.Body.Bytes(), &problem) != nil || problem["error"] == "" || problem["error_description"] == "") {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

type capacityWire struct {
	Blocks []struct {
		Start   string `json:"start_date"`
		End     string `json:"end_date"`
		Reserve string `json:"reserve"`
		Product string `json:"product_type"`
		Values  []struct {
			Start      string  `json:"start_date"`
			End        string  `json:"end_date"`
			Direction  string  `json:"direction"`
			Offered    int     `json:"offered_volume"`
			Contracted int     `json:"contracted_volume"`
			Price      float64 `json:"price"`
			Update     string  `json:"update_date"`
			Horizon    string  `json:"time_horizon"`
		} `json:"values"`
	} `json:"result_procured_reserves"`
}

func TestCapacityReplyHoldsTheMarketOutOfOrder(t *testing.T) {
	t.Parallel()
	c := newRTEClient(t, longAfter)
	days := []Day{autumnDay.Add(-1), autumnDay}
	want := make(map[Capacity]bool)
	for _, d := range days {
		for _, s := range CapacitySteps(d) {
			want[s] = true
		}
	}
	var got capacityWire
	c.get(capacityPath, window{days[0].Start(), days[1].End()}, &got)
	var order []string
	for _, b := range got.Blocks {
		order = append(order, b.Reserve)
		if b.Start != "2026-10-23T22:00:00+00:00" || b.End != "2026-10-25T23:00:00+00:00" {
			t.Errorf("block from %s to %s", b.Start, b.End)
		}
		for _, v := range b.Values {
			start, err := time.Parse(time.RFC3339, v.Start)
			if err != nil || !strings.HasSuffix(v.Start, "+00:00") {
				t.Fatalf("start_date %q", v.Start)
			}
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", v.Update); err != nil {
				t.Fatalf("update_date %q", v.Update)
			}
			s := Capacity{start.UTC(), b.Reserve, b.Product, v.Horizon, v.Direction, float64(v.Offered), float64(v.Contracted), v.Price}
			if !want[s] {
				t.Fatalf("not in the market: %+v", s)
			}
			delete(want, s)
		}
	}
	if len(want) != 0 {
		t.Errorf("%d steps are missing", len(want))
	}
	if got := strings.Join(order, " "); got != "AFRR MFRR FCR MFRR RR MFRR" {
		t.Errorf("blocks in the order %s", got)
	}
	if first, fifth := got.Blocks[0].Values[0], got.Blocks[0].Values[4]; first.Start != fifth.Start || first.Direction == fifth.Direction {
		t.Errorf("the directions of an hour do not follow each other: %+v, %+v", first, fifth)
	}
}

func TestCapacityIsPublishedTenderByTender(t *testing.T) {
	t.Parallel()
	d := ordinaryDay
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{d.Add(-14).at(10, 7), ""},
		{d.Add(-14).at(10, 8), "MFRR/SPE0/PERIODIC"},
		{d.Add(-1).at(8, 15), "MFRR/SPE0/PERIODIC"},
		{d.Add(-1).at(8, 16), "FCR/STD/DAILY MFRR/SPE0/PERIODIC"},
		{d.Add(-1).at(9, 8), "AFRR/STD/DAILY FCR/STD/DAILY MFRR/SPE0/PERIODIC"},
		{d.Add(-1).at(10, 7), "AFRR/STD/DAILY MFRR/SPE/DAILY FCR/STD/DAILY MFRR/SPE0/PERIODIC"},
		{d.Add(-1).at(10, 8), "AFRR/STD/DAILY MFRR/SPE/DAILY FCR/STD/DAILY MFRR/SPE0/DAILY RR/SPE0/DAILY MFRR/SPE0/PERIODIC"},
	} {
		var reply capacityWire
		newRTEClient(t, tt.now).get(capacityPath, whole(d), &reply)
		var got []string
		for _, b := range reply.Blocks {
			got = append(got, b.Reserve+"/"+b.Product+"/"+b.Values[0].Horizon)
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s: %s, want %s", tt.now.In(paris), g, tt.want)
		}
	}
}

type afrrWire struct {
	Days []struct {
		Start string           `json:"start_date"`
		Datas []map[string]any `json:"datas"`
	} `json:"days"`
}

func TestAFRRReplyHoldsTheMarketNewestFirst(t *testing.T) {
	t.Parallel()
	c := newRTEClient(t, longAfter)
	// Not aligned to a delivery date, as a window in UTC is not.
	asked := window{ordinaryDay.Start().Add(2 * time.Hour), ordinaryDay.End().Add(2 * time.Hour)}
	var got afrrWire
	c.get(afrrPath, asked, &got)
	if len(got.Days) != 2 || got.Days[0].Start != "2026-06-04" || got.Days[1].Start != "2026-06-03" {
		t.Fatalf("%d days, want two, newest first", len(got.Days))
	}
	at := asked.end
	for _, day := range got.Days {
		for _, row := range day.Datas {
			at = at.Add(-afrrStep)
			steps := AFRRSteps(DayOf(at))
			want := steps[int(at.Sub(steps[0].Start)/afrrStep)]
			if local := want.Start.In(paris); row["step"] != local.Format(time.TimeOnly) || day.Start != DayOf(at).String() {
				t.Fatalf("step %v on %s, want %s", row["step"], day.Start, local)
			}
			if !samePrice(row["upward_afrr_marginal_price"], want.Upward) || !samePrice(row["downward_afrr_marginal_price"], want.Downward) ||
				!samePrice(row["pdemand"], &want.Demand) || !samePrice(row["afrr_for_france"], &want.ForFrance) || !samePrice(row["afrr_in_france"], &want.InFrance) ||
				!sameFlag(row["picasso_connection"], want.Picasso) || !sameFlag(row["prorata_mode"], want.Prorata) {
				t.Fatalf("%v, want %+v", row, want)
			}
		}
	}
	if at != asked.start {
		t.Errorf("the oldest step is %s, want %s", at, asked.start)
	}
}

// samePrice compares what the wire says with a value of the market.
func samePrice(wire any, want *float64) bool {
	switch v := wire.(type) {
	case nil:
		return want == nil
	case float64:
		return want != nil && v == *want
	case string:
		if v == "Invalid" || v == "" {
			return want == nil
		}
		f, err := strconv.ParseFloat(v, 64)
		return err == nil && want != nil && f == *want
	}
	return false
}

func sameFlag(wire any, want bool) bool {
	if s, ok := wire.(string); ok {
		return strings.EqualFold(s, strconv.FormatBool(want))
	}
	return wire == want
}

func TestAFRRReplyHasEverySpellingOfTheRealOne(t *testing.T) {
	t.Parallel()
	var reply afrrWire
	body := newRTEClient(t, longAfter).get(afrrPath, whole(ordinaryDay), &reply)
	for _, want := range []string{
		`"upward_afrr_marginal_price":"Invalid"`, `"downward_afrr_marginal_price":"Invalid"`,
		`"upward_afrr_marginal_price":""`, `"downward_afrr_marginal_price":null`,
		`"picasso_connection":"true"`, `"picasso_connection":"True"`, `"picasso_connection":true`,
		`"prorata_mode":"false"`, `"prorata_mode":"False"`, `"prorata_mode":false`,
		`"pdemand":"`, `"downward_afrr_marginal_price":"-`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	absent := 0
	for _, row := range reply.Days[0].Datas {
		if _, ok := row["upward_afrr_marginal_price"]; !ok {
			absent++
		}
	}
	if absent == 0 {
		t.Error("every row has an upward price key")
	}
}

func TestAFRRReplyListsTheRepeatedHourTwiceWithoutAnOffset(t *testing.T) {
	t.Parallel()
	start := autumnDay.Start().Add(time.Hour)
	var reply afrrWire
	newRTEClient(t, longAfter).get(afrrPath, window{start, start.Add(24 * time.Hour)}, &reply)
	if len(reply.Days) != 1 {
		t.Fatalf("%d days", len(reply.Days))
	}
	var at []int
	for i, row := range reply.Days[0].Datas {
		if row["step"] == "02:00:00" {
			at = append(at, i)
		}
	}
	if len(at) != 2 || at[1]-at[0] != 900 {
		t.Errorf("02:00:00 at %v, want twice and an hour apart", at)
	}
}

func TestAFRRStepIsPublishedThreeMinutesAfterItsEnd(t *testing.T) {
	t.Parallel()
	noon := ordinaryDay.at(12, 0)
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{noon.Add(3 * time.Minute), "11:59:56"},
		{noon.Add(3*time.Minute + 3*time.Second), "11:59:56"},
		{noon.Add(3*time.Minute + 4*time.Second), "12:00:00"},
	} {
		var reply afrrWire
		newRTEClient(t, tt.now).get(afrrPath, whole(ordinaryDay), &reply)
		if got := reply.Days[0].Datas[0]["step"]; got != tt.want {
			t.Errorf("%s: newest step %v, want %s", tt.now.In(paris), got, tt.want)
		}
	}
	var reply afrrWire
	if body := newRTEClient(t, noon).get(afrrPath, whole(ordinaryDay.Add(1)), &reply); body != `{"days":[]}` {
		t.Errorf("tomorrow: %s", body)
	}
}

type mfrrWire struct {
	Mari struct {
		Start      string           `json:"start_date"`
		End        string           `json:"end_date"`
		Resolution string           `json:"resolution"`
		Rows       []map[string]any `json:"mari_mesures"`
	} `json:"mari"`
}

var mfrrMeasures = map[string]func(MFRRValues) *float64{
	"total_requested_volume_SA":     func(v MFRRValues) *float64 { return v.TotalRequestedVolumeSA },
	"total_requested_volume_DA":     func(v MFRRValues) *float64 { return v.TotalRequestedVolumeDA },
	"total_satisfied_need_SA":       func(v MFRRValues) *float64 { return v.TotalSatisfiedNeedSA },
	"total_satisfied_need_DA":       func(v MFRRValues) *float64 { return v.TotalSatisfiedNeedDA },
	"total_activated_volume_SA":     func(v MFRRValues) *float64 { return v.TotalActivatedVolumeSA },
	"total_activated_volume_DA":     func(v MFRRValues) *float64 { return v.TotalActivatedVolumeDA },
	"clearing_price":                func(v MFRRValues) *float64 { return v.ClearingPrice },
	"settlement_price_current":      func(v MFRRValues) *float64 { return v.SettlementPriceCurrent },
	"settlement_price_previous":     func(v MFRRValues) *float64 { return v.SettlementPricePrevious },
	"total_volume_submitted_offers": func(v MFRRValues) *float64 { return v.TotalVolumeSubmitted },
	"total_volume_filtered_offers":  func(v MFRRValues) *float64 { return v.TotalVolumeFiltered },
}

func TestMFRRReplyHoldsTheMarketWithEmptyRowsForWhatIsNotMeasured(t *testing.T) {
	t.Parallel()
	now := autumnDay.at(12, 18)
	asked := window{autumnDay.Add(-1).Start(), autumnDay.Add(1).End()}
	var got mfrrWire
	body := newRTEClient(t, now).get(mfrrPath, asked, &got)
	if m := got.Mari; m.Start != "2026-10-24T00:00:00+02:00" || m.End != "2026-10-27T00:00:00+01:00" || m.Resolution != "PT15M" {
		t.Errorf("from %s to %s by %s", m.Start, m.End, m.Resolution)
	}
	want := make(map[string]MFRRValues)
	for d := range asked.days() {
		for _, m := range MFRRSteps(d) {
			if !m.Start.Before(autumnDay.at(12, 15)) {
				m.Values = MFRRValues{}
			}
			want[m.Start.In(paris).Format(time.RFC3339)+m.Direction] = m.Values
		}
	}
	var previous time.Time
	var absent, swapped int
	for i, row := range got.Mari.Rows {
		start := row["start_date"].(string)
		values, ok := want[start+row["direction"].(string)]
		if !ok {
			t.Fatalf("row %v is not in the market, or twice in the reply", row)
		}
		delete(want, start+row["direction"].(string))
		for key, of := range mfrrMeasures {
			wire, present := row[key]
			if !present {
				absent++
			}
			if !samePrice(wire, of(values)) {
				t.Fatalf("row %v: %s", row, key)
			}
		}
		at, err := time.Parse(time.RFC3339, start)
		if err != nil || at.Before(previous) {
			t.Fatalf("%s after %s", start, previous)
		}
		if i%2 == 0 && row["direction"] == "DOWNWARD" {
			swapped++
		}
		previous = at
	}
	if len(want) != 0 {
		t.Errorf("%d rows are missing", len(want))
	}
	if absent == 0 || !strings.Contains(body, ":null") {
		t.Error("what is missing is not both null and absent")
	}
	if swapped == 0 || swapped == len(got.Mari.Rows)/2 {
		t.Errorf("downward comes first in %d of %d steps", swapped, len(got.Mari.Rows)/2)
	}
}

func BenchmarkAFRRDayReply(b *testing.B) {
	AFRRSteps(ordinaryDay)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			b.SetBytes(int64(len(afrrMarginalPrice(whole(ordinaryDay), market{now: longAfter}))))
		}
	})
	b.Run("make the day", func(b *testing.B) {
		for b.Loop() {
			newAFRRDay(ordinaryDay)
		}
	})
}
