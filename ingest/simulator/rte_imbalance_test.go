package simulator

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

const imbalancePath = "/open_api/balancing_energy/v5/imbalance_data"

type imbalanceWire struct {
	Blocks []struct {
		Start      string             `json:"start_date"`
		End        string             `json:"end_date"`
		Resolution string             `json:"resolution"`
		Values     []imbalanceWireRow `json:"values"`
	} `json:"imbalance_data"`
}

type imbalanceWireRow struct {
	Start    string   `json:"start_date"`
	End      string   `json:"end_date"`
	MWh      float64  `json:"imbalance"`
	Trend    string   `json:"system_trend"`
	Positive *float64 `json:"positive_imbalance_settlement_price"`
	Negative *float64 `json:"negative_imbalance_settlement_price"`
	Missing  string   `json:"missing_data_list"`
	Updated  string   `json:"updated_date"`
}

// wire is a step as the servers write it.
func (s Imbalance) wire() imbalanceWireRow {
	text := func(t time.Time) string { return t.In(paris).Format(time.RFC3339) }
	return imbalanceWireRow{text(s.Start), text(s.End), s.MWh, s.Trend, s.Positive, s.Negative, s.Missing, text(s.Updated)}
}

func TestImbalanceReplyHoldsTheMarketNewestFirst(t *testing.T) {
	for _, tt := range []struct {
		day        Day
		start, end string
		count      int
		second     string // the end of the step that is eighth in time
	}{
		{ordinaryDay, "2026-06-03T00:00:00+02:00", "2026-06-04T00:00:00+02:00", 96, "2026-06-03T02:00:00+02:00"},
		{springDay, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 92, "2026-03-29T03:00:00+02:00"},
		{autumnDay, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 100, "2026-10-25T02:00:00+02:00"},
	} {
		t.Run(tt.day.String(), func(t *testing.T) {
			var got imbalanceWire
			newRTEClient(t, tt.day.Add(60).Start()).get(imbalancePath, whole(tt.day), &got)
			if len(got.Blocks) != 1 || len(got.Blocks[0].Values) != tt.count {
				t.Fatalf("%+.300v", got)
			}
			b := got.Blocks[0]
			if b.Start != tt.start || b.End != tt.end || b.Resolution != "PT15M" || b.Values[tt.count-8].End != tt.second {
				t.Errorf("from %s to %s by %s, the eighth step ends at %s", b.Start, b.End, b.Resolution, b.Values[tt.count-8].End)
			}
			for i, s := range ImbalanceSteps(tt.day) {
				if row := b.Values[tt.count-1-i]; !reflect.DeepEqual(row, s.wire()) || s.Start != tt.day.Start().Add(time.Duration(i)*quarter) || s.End != s.Start.Add(quarter) {
					t.Fatalf("step %d: %+v, want %+v", i, row, s)
				}
			}
		})
	}
}

func TestImbalanceOfAStepAppearsWithinThreeMinutesOfItsEnd(t *testing.T) {
	noon := ordinaryDay.at(12, 0)
	for _, tt := range []struct {
		now  time.Time
		want int
	}{
		{ordinaryDay.Start(), 0}, {ordinaryDay.at(0, 17), 0}, {ordinaryDay.at(0, 18), 1},
		{noon.Add(2*time.Minute + 36*time.Second), 47}, {noon.Add(2*time.Minute + 51*time.Second), 48}, {noon.Add(17 * time.Minute), 48},
	} {
		var got imbalanceWire
		body := newRTEClient(t, tt.now).get(imbalancePath, whole(ordinaryDay), &got)
		if tt.want == 0 {
			if body != `{"imbalance_data":[]}` {
				t.Errorf("%s: %s", tt.now.In(paris), body)
			}
			continue
		}
		if b := got.Blocks[0]; len(b.Values) != tt.want || b.End != b.Values[0].End {
			t.Errorf("%s: %d rows up to %s, want %d", tt.now.In(paris), len(b.Values), b.End, tt.want)
		}
		for i, s := range ImbalanceStepsAt(ordinaryDay, tt.now) {
			if row := got.Blocks[0].Values[tt.want-1-i]; !reflect.DeepEqual(row, s.wire()) {
				t.Fatalf("%s: %+v, want %+v", tt.now.In(paris), row, s)
			}
		}
	}
}

func TestImbalanceFollowsFromTheEnergies(t *testing.T) {
	activated := map[time.Time]bool{} // by mFRR
	for _, m := range MFRRSteps(ordinaryDay) {
		activated[m.Start] = activated[m.Start] || m.Values.ClearingPrice != nil
	}
	const perQuarter = int(quarter / afrrStep)
	energy := AFRRSteps(ordinaryDay)
	k := imbalanceCoefficient(ordinaryDay)
	recomputed := 0
	for i, s := range ImbalanceSteps(ordinaryDay) {
		if (s.Trend == "HAUSSE") != (s.MWh <= 0) || s.Trend != "HAUSSE" && s.Trend != "BAISSE" || *s.Positive > *s.Negative || s.MWh != round(s.MWh, 2) {
			t.Fatalf("%s: %v MWh, %s, %v and %v", s.Start, s.MWh, s.Trend, *s.Positive, *s.Negative)
		}
		if activated[s.Start] {
			continue
		}
		recomputed++
		var mw, cost, volume float64
		for _, a := range energy[i*perQuarter : (i+1)*perQuarter] {
			mw += a.ForFrance / float64(perQuarter)
			price := a.Upward
			if s.Trend == "BAISSE" && a.Downward != nil || price == nil {
				price = a.Downward
			}
			if (a.ForFrance > 0) == (s.Trend == "HAUSSE") {
				cost += math.Abs(a.ForFrance) * *price
				volume += math.Abs(a.ForFrance)
			}
		}
		price := cost / volume
		if math.Abs(s.MWh+mw/4) > 0.006 {
			t.Errorf("%s: %v MWh, from a mean of %v MW", s.Start, s.MWh, mw)
		}
		if less, more := price*(1-k), price*(1+k); math.Abs(*s.Positive-min(less, more)) > 0.006 || math.Abs(*s.Negative-max(less, more)) > 0.006 {
			t.Errorf("%s: %v and %v, from %v and k of %v", s.Start, *s.Positive, *s.Negative, price, k)
		}
	}
	if recomputed < 50 {
		t.Errorf("only %d steps are without mFRR", recomputed)
	}
	if first, last, next := imbalanceCoefficient(Day{2026, time.June, 1}), imbalanceCoefficient(Day{2026, time.June, 30}), imbalanceCoefficient(Day{2026, time.July, 1}); first != last || last == next {
		t.Errorf("the coefficient is %v and %v in June, %v in July", first, last, next)
	}
}

func TestImbalanceIsWrittenAgainForWeeks(t *testing.T) {
	rewritten := map[string]int{} // by when
	var rows, without, lacking, moved, turned int
	for n := range 4 {
		d := ordinaryDay.Add(n)
		for i, versions := range newImbalanceDay(d) {
			first, settled := versions[0], versions[len(versions)-1]
			rows++
			if first.Updated.Before(first.End.Add(157*time.Second)) || first.Updated.After(first.End.Add(171*time.Second)) {
				t.Fatalf("%s: first written at %s", first.Start, first.Updated)
			}
			if first.Missing != nothingMissing {
				lacking++
			}
			if first.Positive == nil {
				without++
			}
			if first.MWh != settled.MWh {
				moved++
			}
			if first.Trend != settled.Trend {
				turned++
			}
			for v := 1; v < len(versions); v++ {
				s := versions[v]
				if !s.Updated.After(versions[v-1].Updated) || s.Updated.Nanosecond() != 0 || s.Start != first.Start || s.Positive == nil || s.Missing != nothingMissing ||
					(s.Trend == "HAUSSE") != (s.MWh <= 0) || math.Abs(s.MWh-settled.MWh) > 40 {
					t.Fatalf("version %d of step %d: %+v", v, i, s)
				}
				switch local := s.Updated.In(paris); {
				case s.Updated.Before(d.Add(1).at(9, 30)):
					rewritten["same day"]++
				case s.Updated.Before(d.Add(2).Start()):
					rewritten["D+1"]++
				case DayOf(s.Updated) == d.Add(2), DayOf(s.Updated) == d.Add(3), DayOf(s.Updated) == d.Add(7):
					rewritten[local.Format("15:04")]++
				case s.Updated.After(d.Add(43).Start()) && s.Updated.Before(d.Add(48).Start()):
					rewritten["six weeks"]++
				default:
					t.Errorf("written again at %s", local)
				}
			}
			for v, s := range versions {
				if got := ImbalanceStepsAt(d, s.Updated)[i]; !reflect.DeepEqual(got, s) {
					t.Fatalf("at %s: %+v, want %+v", s.Updated, got, s)
				}
				if v > 0 {
					if got := ImbalanceStepsAt(d, s.Updated.Add(-time.Second))[i]; !reflect.DeepEqual(got, versions[v-1]) {
						t.Fatalf("before %s: %+v, want %+v", s.Updated, got, versions[v-1])
					}
				}
			}
		}
	}
	for _, when := range []string{"same day", "D+1", "00:10", "13:02", "02:02", "six weeks"} {
		if rewritten[when] == 0 || rewritten[when] == rows {
			t.Errorf("%d of %d rows are written again: %s", rewritten[when], rows, when)
		}
	}
	if len(rewritten) != 6 {
		t.Errorf("written again: %v", rewritten)
	}
	if lacking == 0 || without == 0 || without >= lacking || moved < rows/10 || moved > rows/2 || turned == 0 || turned > rows/20 {
		t.Errorf("of %d rows %d first lack something, %d lack prices, %d move, %d turn", rows, lacking, without, moved, turned)
	}
}

func TestImbalanceTurnsQuarterHourlyWithOverlappingEnds(t *testing.T) {
	first := Day{2025, time.January, 1}
	var got imbalanceWire
	newRTEClient(t, longAfter).get(imbalancePath, window{first.Add(-1).Start(), first.End()}, &got)
	values := got.Blocks[0].Values
	if len(values) != 48+96 {
		t.Fatalf("%d rows", len(values))
	}
	at := first.Add(-1).Start()
	for i := range values {
		row := values[len(values)-1-i]
		step, lasts := quarter, quarter
		if at.Before(first.Start()) {
			step, lasts = 2*quarter, 2*quarter
		} else if at.Before(first.Start().Add(time.Hour)) {
			lasts = 2 * quarter
		}
		if row.Start != at.In(paris).Format(time.RFC3339) || row.End != at.Add(lasts).In(paris).Format(time.RFC3339) {
			t.Fatalf("row %d is from %s to %s", i, row.Start, row.End)
		}
		at = at.Add(step)
	}
	newRTEClient(t, longAfter).get(imbalancePath, whole(first.Add(-1)), &got)
	if b := got.Blocks[0]; b.Resolution != "PT30M" || len(b.Values) != 48 {
		t.Errorf("%d rows by %s", len(b.Values), b.Resolution)
	}
}

func TestImbalanceReplyHasEverySpellingOfTheRealOne(t *testing.T) {
	var body strings.Builder
	for n := range 7 {
		d := ordinaryDay.Add(n)
		for _, s := range newImbalanceDay(d) {
			body.Write(appendImbalance(nil, s[0]))
		}
	}
	for _, want := range []string{
		`"imbalance":-?\d+\.\d+,`, `"imbalance":-?\d+,`, `_price":-?\d+\.\d\d?,`, `_price":-?\d+,`, `_price":-`, `_price":null`,
		`"system_trend":"HAUSSE"`, `"system_trend":"BAISSE"`, `"missing_data_list":"N/A"`, `"missing_data_list":"afrr`, `"updated_date":"2026-06-03T00:17:\d\d\+02:00"`,
	} {
		if !regexp.MustCompile(want).MatchString(body.String()) {
			t.Errorf("no %s", want)
		}
	}
}

// The captured document is RTE's and no part of Courant: COURANT_SAMPLES names
// the folder that holds it.
func TestImbalanceReplyHasTheFormOfTheCapturedOne(t *testing.T) {
	folder := os.Getenv("COURANT_SAMPLES")
	if folder == "" {
		t.Skip("COURANT_SAMPLES names no folder with captured documents")
	}
	captured, err := os.ReadFile(filepath.Join(folder, "rte", "imbalance_data_v5_2026-10-11_first-hour.raw.json"))
	if err != nil {
		t.Fatal(err)
	}
	day := Day{2026, time.October, 11}
	ours := imbalanceData(whole(day), market{now: day.at(1, 3)})
	if got, want := imbalanceForm(t, ours), imbalanceForm(t, captured); !reflect.DeepEqual(got, want) {
		t.Errorf("ours\n%v\ncaptured\n%v", got, want)
	}
}

// imbalanceForm returns a document with its keys in their order, without what is
// invented: of a number it leaves its place, of a trend too, of the date of an
// update all but the seconds.
func imbalanceForm(t *testing.T, document []byte) []any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(document)))
	var form []any
	updated := false
	for {
		token, err := d.Token()
		if err != nil {
			return form
		}
		switch v := token.(type) {
		case float64:
			token = "a number"
		case string:
			switch {
			case updated:
				token = v[:len("2026-10-11T01:02")] + v[len("2026-10-11T01:02:41"):]
			case v == "HAUSSE", v == "BAISSE":
				token = "a trend"
			}
			updated = v == "updated_date"
		}
		form = append(form, token)
	}
}
