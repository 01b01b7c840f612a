package simulator

import (
	"encoding/xml"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

type publicationWire struct {
	XMLName  xml.Name
	Interval intervalWire `xml:"period.timeInterval"`
	Series   []seriesWire `xml:"TimeSeries"`
	Reason   struct {
		Code string `xml:"code"`
		Text string `xml:"text"`
	} `xml:"Reason"`
}

type intervalWire struct {
	Start string `xml:"start"`
	End   string `xml:"end"`
}

type seriesWire struct {
	Out      string `xml:"out_Domain.mRID"`
	Contract string `xml:"contract_MarketAgreement.type"`
	Sequence string `xml:"classificationSequence_AttributeInstanceComponent.position"`
	Curve    string `xml:"curveType"`
	Period   struct {
		Interval   intervalWire `xml:"timeInterval"`
		Resolution string       `xml:"resolution"`
		Points     []struct {
			Position int     `xml:"position"`
			Amount   float64 `xml:"price.amount"`
		} `xml:"Point"`
	}
}

func (s seriesWire) french() bool {
	return s.Out == franceEIC && s.Contract == "A01" && s.Sequence == ""
}

// prices fills in the omitted positions.
func (s seriesWire) prices(t *testing.T) []Price {
	t.Helper()
	const layout = "2006-01-02T15:04Z07:00"
	start, err := time.Parse(layout, s.Period.Interval.Start)
	if err != nil {
		t.Fatal(err)
	}
	end, err := time.Parse(layout, s.Period.Interval.End)
	if err != nil {
		t.Fatal(err)
	}
	step := quarter
	if s.Period.Resolution == "PT60M" {
		step = time.Hour
	}
	prices := make([]Price, end.Sub(start)/step)
	next := 0
	for i := range prices {
		if next < len(s.Period.Points) && s.Period.Points[next].Position == i+1 {
			next++
		}
		prices[i] = Price{start.Add(time.Duration(i) * step), step, s.Period.Points[next-1].Amount}
	}
	if next != len(s.Period.Points) {
		t.Fatalf("position %d is out of order or beyond the end", s.Period.Points[next].Position)
	}
	return prices
}

func askPrices(w window) url.Values {
	const layout = "200601021504"
	return url.Values{
		"documentType": {"A44"}, "in_Domain": {franceEIC}, "out_Domain": {franceEIC}, "securityToken": {SecurityToken},
		"contract_MarketAgreement.type": {"A01"},
		"periodStart":                   {w.start.Format(layout)}, "periodEnd": {w.end.Format(layout)},
	}
}

func getPrices(t *testing.T, now time.Time, q url.Values, status int) (publicationWire, string) {
	t.Helper()
	w := httptest.NewRecorder()
	ENTSOE(Options{Now: func() time.Time { return now }}).ServeHTTP(w, httptest.NewRequest("GET", "/api?"+q.Encode(), nil))
	if w.Code != status {
		t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
	var p publicationWire
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") {
		if err := xml.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
	}
	return p, w.Body.String()
}

func TestPublicationHoldsThePricesOfEveryDay(t *testing.T) {
	t.Parallel()
	for _, asked := range []window{
		{Day{2025, time.September, 1}.Start(), Day{2025, time.December, 1}.Start()}, // from hourly to quarter-hourly, and a 25 h day
		{Day{2026, time.March, 20}.Start(), Day{2026, time.April, 10}.Start()},      // and a 23 h day
		{Day{2015, time.January, 1}.Start(), Day{2015, time.December, 31}.Start()},
	} {
		p, _ := getPrices(t, longAfter, askPrices(asked), 200)
		if p.XMLName.Space != "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3" {
			t.Errorf("namespace %s", p.XMLName.Space)
		}
		got := make(map[Day][]Price)
		for _, s := range p.Series {
			prices := s.prices(t)
			if d := DayOf(prices[0].Start); s.french() && len(prices) > len(got[d]) {
				got[d] = prices
			}
		}
		for d := range asked.days() {
			if !slices.Equal(got[d], Prices(d)) {
				t.Errorf("%s: %d prices on the wire differ from the %d of the market", d, len(got[d]), len(Prices(d)))
			}
		}
	}
}

func TestPublicationHasTheTrapsOfTheRealOne(t *testing.T) {
	t.Parallel()
	asked := window{Day{2025, time.September, 20}.Start(), Day{2025, time.October, 20}.Start()}
	p, body := getPrices(t, longAfter, askPrices(asked), 200)
	var hourlyBeside, omitted, tails, wholeCurves int
	resolutions := make(map[string]string)
	var starts []string
	for _, s := range p.Series {
		starts = append(starts, s.Period.Interval.Start)
		prices := s.prices(t)
		last := s.Period.Points[len(s.Period.Points)-1]
		switch {
		case s.Curve == "A01" && len(s.Period.Points) == len(prices):
			wholeCurves++
		case s.Curve == "A03" && last.Position < len(prices):
			tails++
		}
		if len(s.Period.Points) < len(prices) {
			omitted++
		}
		if !s.french() {
			continue
		}
		if other, ok := resolutions[s.Period.Interval.Start]; ok && other != s.Period.Resolution {
			hourlyBeside++
		}
		resolutions[s.Period.Interval.Start] = s.Period.Resolution
	}
	if hourlyBeside == 0 || omitted == 0 || tails == 0 || wholeCurves == 0 {
		t.Errorf("%d hourly series beside quarters, %d with omitted positions, %d without their tail, %d A01",
			hourlyBeside, omitted, tails, wholeCurves)
	}
	if slices.IsSorted(starts) {
		t.Error("the series are in time order")
	}
	for _, want := range []string{
		"<classificationSequence_AttributeInstanceComponent.position>2<",
		"<contract_MarketAgreement.type>A07<",
		`<out_Domain.mRID codingScheme="A01">` + spainEIC + "<",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if p.Interval.Start != "2025-09-19T22:00Z" || p.Interval.End != "2025-09-20T22:00Z" {
		t.Errorf("document interval %+v", p.Interval)
	}
}

func TestDayAheadOnlyLeavesOutOtherSeries(t *testing.T) {
	t.Parallel()
	q := askPrices(window{Day{2026, time.March, 20}.Start(), Day{2026, time.April, 10}.Start()})
	w := httptest.NewRecorder()
	ENTSOE(Options{Now: func() time.Time { return longAfter }, DayAheadOnly: true}).ServeHTTP(w, httptest.NewRequest("GET", "/api?"+q.Encode(), nil))
	var p publicationWire
	if err := xml.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if others := slices.DeleteFunc(slices.Clone(p.Series), seriesWire.french); len(others) > 0 || len(p.Series) < 21 {
		t.Errorf("%d series, %d of them not day-ahead prices", len(p.Series), len(others))
	}
}

func TestPublicationAnswersWholeDaysForAPartialWindow(t *testing.T) {
	t.Parallel()
	asked := window{ordinaryDay.at(23, 30), ordinaryDay.Add(1).at(0, 30)}
	p, _ := getPrices(t, longAfter, askPrices(asked), 200)
	days := make(map[Day]int)
	for _, s := range p.Series {
		if prices := s.prices(t); s.french() {
			days[DayOf(prices[0].Start)] = max(days[DayOf(prices[0].Start)], len(prices))
		}
	}
	if len(days) != 2 || days[ordinaryDay] != 96 || days[ordinaryDay.Add(1)] != 96 {
		t.Errorf("days and their lengths: %v", days)
	}
}

func TestPricesArePublishedTheDayBefore(t *testing.T) {
	t.Parallel()
	q := askPrices(whole(ordinaryDay))
	p, _ := getPrices(t, ordinaryDay.Add(-1).at(12, 57), q, 200)
	const want = "No matching data found for Data item ENERGY_PRICES [12.1.D] (10YFR-RTE------C, 10YFR-RTE------C) and interval 2026-06-02T22:00:00Z/2026-06-03T22:00:00Z."
	if p.XMLName.Local != "Acknowledgement_MarketDocument" || p.Reason.Code != "999" || p.Reason.Text != want {
		t.Errorf("%s %+v", p.XMLName.Local, p.Reason)
	}
	p, _ = getPrices(t, ordinaryDay.Add(-1).at(12, 58), q, 200)
	if p.XMLName.Local != "Publication_MarketDocument" {
		t.Errorf("%s %+v", p.XMLName.Local, p.Reason)
	}
}

func TestENTSOERefusesWhatItsInterfaceDoesNotAllow(t *testing.T) {
	t.Parallel()
	start := ordinaryDay.Start()
	for _, tt := range []struct {
		name   string
		key    string
		value  string
		status int
		reason string
	}{
		{"wrong token", "securityToken", "11111111-1111-4111-8111-111111111111", 401, "security token"},
		{"no token", "securityToken", "", 401, "security token"},
		{"other document", "documentType", "A65", 400, "Invalid query attributes or parameters."},
		{"no domain", "in_Domain", "", 400, "Invalid query attributes or parameters."},
		{"unreadable start", "periodStart", "2026-06-02", 400, "Invalid query attributes or parameters."},
		{"end before start", "periodEnd", "202606012200", 400, "Invalid query attributes or parameters."},
		{"366 days", "periodEnd", "202706032200", 200, "TimeSeries"},
		{"367 days", "periodEnd", "202706042200", 400, "amount of requested data exceeds allowed limit"},
		{"other zone", "in_Domain", "10YBE----------2", 200, "No matching data found"},
		{"second page", "offset", "100", 200, "No matching data found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := askPrices(window{start, ordinaryDay.End()})
			q.Set(tt.key, tt.value)
			if _, body := getPrices(t, longAfter, q, tt.status); !strings.Contains(body, tt.reason) {
				t.Errorf("%s", body)
			}
		})
	}
	q := askPrices(window{Day{2014, time.May, 1}.Start(), Day{2014, time.May, 2}.Start()})
	if p, _ := getPrices(t, longAfter, q, 200); !strings.HasPrefix(p.Reason.Text, "No matching data") {
		t.Errorf("before the first delivery date: %+v", p)
	}
}
