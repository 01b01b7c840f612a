package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courant/store/market"
	"courant/store/storetest"
)

// Steps are added, changed and withdrawn around the ends of hours, days and months and both changes of the clock, and some summaries are
// missing. Means of hours, days and months are the same to the byte as those of the steps, in any order and page, and as of any moment.
func TestHoursDaysAndMonthsAreThoseOfTheirStepsWhereverSummariesAre(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t)
	var known []time.Time
	storetest.Check(t, func(r *rapid.T) {
		day := rapid.SampledFrom([]market.DeliveryDate{turnForward, turnBack}).Draw(r, "day")
		first, month := day.Add(-1), market.BucketsMonth.Bucket(day.Start().Unix())
		edges := []int64{month.Start, month.End}
		for _, at := range []time.Time{first.Start(), day.Start(), day.Start().Add(time.Hour), day.Start().Add(2 * time.Hour), day.Add(1).Start()} {
			edges = append(edges, at.Unix())
		}
		number := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1.000001), market.Num(-2.25), market.Num(700)})
		for range rapid.IntRange(1, 4).Draw(r, "commits") {
			var steps []market.AFRRStep
			for range rapid.IntRange(1, 12).Draw(r, "steps") {
				steps = append(steps, market.AFRRStep{
					Start: rapid.SampledFrom(edges).Draw(r, "near") + market.AFRRSeconds*rapid.Int64Range(-2, 1).Draw(r, "step"), UpwardPrice: number.Draw(r, "upward"),
					DownwardPrice: number.Draw(r, "downward"), PicassoConnection: market.Flag{V: rapid.Bool().Draw(r, "is"), Valid: rapid.Bool().Draw(r, "has")},
				})
			}
			f.clock.Advance(time.Minute)
			known = append(known, f.clock.Now())
			f.commit(t, market.AFRR.Batch(steps))
		}
		query := fmt.Sprintf("from=%s&to=%s&stat=mean,min,max,sum,count,share&resolution=%s&order=%s", rapid.SampledFrom([]market.DeliveryDate{first.Add(-60), day}).Draw(r, "from"),
			rapid.SampledFrom([]market.DeliveryDate{day.Add(1), day.Add(60)}).Draw(r, "to"), rapid.SampledFrom([]string{"PT1H", "P1D", "P1M"}).Draw(r, "resolution"),
			rapid.SampledFrom([]string{"asc", "desc"}).Draw(r, "order"))
		if rapid.Bool().Draw(r, "columns") {
			query += "&columns=upward_price_eur_mwh,picasso_connection,period_start_unix"
		}
		if rapid.Bool().Draw(r, "as of") {
			query += "&as_of=" + rapid.SampledFrom(known).Draw(r, "moment").Format(time.RFC3339)
		}
		limit := rapid.SampledFrom([]int{0, 0, 3, 7}).Draw(r, "limit")
		read := func() string {
			if limit == 0 {
				return strings.Join(f.lines(t, market.AFRREnergy, query, admin), "")
			}
			return strings.Join(f.pages(t, rowsPath(market.AFRREnergy, query+"&format=ndjson&limit="+fmt.Sprint(limit)), limit, admin), "")
		}
		got := []string{read()}
		change(t, f, fmt.Sprintf("CREATE TABLE aside AS SELECT * FROM afrr_energy_summary; DELETE FROM afrr_energy_summary WHERE start / 3600 %% 3 = %d", len(known)%3))
		got = append(got, read())
		change(t, f, "DELETE FROM afrr_energy_summary")
		want := read()
		change(t, f, "INSERT INTO afrr_energy_summary SELECT * FROM aside; DROP TABLE aside")
		for i := range got {
			if got[i] != want {
				r.Errorf("%s with %s:\n%s\nof the steps:\n%s", query, []string{"all summaries", "some summaries"}[i], got[i], want)
			}
		}
	})
}

// Steps of a thinned date come again in part: the hour has no extremes then, and once they all came, it has.
func TestAnHourThatIsPartlyThinnedHasNoExtremes(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack, turnBack.Add(1))
	query := "date=2026-10-25&resolution=PT1H&stat=min,mean,max,count&columns=upward_price_eur_mwh"
	before := f.lines(t, market.AFRREnergy, query, admin)
	if _, err := f.store.ThinAFRR(t.Context(), turnBack.Add(1), f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	steps := market.AFRR.In(marketOn(turnBack))
	hour := slices.IndexFunc(steps, func(s market.AFRRStep) bool { return s.Start >= turnBack.Start().Unix()+2*market.HourSeconds })
	end := slices.IndexFunc(steps, func(s market.AFRRStep) bool { return s.Start >= turnBack.Start().Unix()+3*market.HourSeconds })
	middle := slices.IndexFunc(steps, func(s market.AFRRStep) bool {
		return s.Start >= turnBack.Start().Unix()+2*market.HourSeconds+market.HourSeconds/2
	})
	for _, row := range []struct {
		steps []market.AFRRStep
		isSo  func(line string) bool
	}{
		{nil, func(line string) bool { return line == before[2] }},
		{steps[hour:middle], func(line string) bool {
			return strings.Contains(line, `_min":null`) && strings.Contains(line, `_max":null`)
		}},
		{steps[middle:end], func(line string) bool { return line == before[2] }},
	} {
		f.clock.Advance(time.Minute)
		f.commit(t, market.AFRR.Batch(row.steps), market.AFRREnergy)
		got := f.lines(t, market.AFRREnergy, query, admin)
		if len(got) != 25 || !row.isSo(got[2]) {
			t.Errorf("after %d steps: %s", len(row.steps), got[2])
		}
		for i := range got {
			if i != 2 && got[i] != before[i] {
				t.Errorf("after %d steps hour %d is %s, was %s", len(row.steps), i, got[i], before[i])
			}
		}
	}
}
