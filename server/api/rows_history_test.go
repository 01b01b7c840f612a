package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store/market"
	"courant/store/storetest"
)

// published draws what the sources publish in one fetch: some rows of a few series of two delivery dates, many of them again with
// other values, without some, or with some withdrawn.
func published(random *rand.Rand, day market.DeliveryDate) market.Batch {
	whole := marketOn(day.Add(-random.IntN(2)))
	oneIn := func(n int) bool { return random.IntN(n) == 0 }
	number := func(n market.Number) market.Number {
		switch random.IntN(6) {
		case 0:
			return market.Num(float64(random.IntN(4000)-1000) / 8)
		case 1:
			return market.Number{}
		case 2:
			return market.Number{Withdrawn: true}
		}
		return n
	}
	var batch market.Batch
	if oneIn(2) {
		prices := drawn(random, market.Prices.In(whole))
		for i := range prices {
			if price := number(prices[i].Price); price.Valid { // a price is never null
				prices[i].Price = price
			}
			if oneIn(4) {
				prices[i].Source = market.FromRTE
			}
		}
		market.Prices.Put(&batch, prices)
	}
	if oneIn(2) {
		steps := drawn(random, market.Capacity.In(whole))
		for i := range steps {
			steps[i].Price, steps[i].ContractedMW = number(steps[i].Price), number(steps[i].ContractedMW)
		}
		market.Capacity.Put(&batch, steps)
	}
	if oneIn(2) {
		steps := drawn(random, market.AFRR.In(whole))
		for i := range steps {
			steps[i].UpwardPrice, steps[i].DemandMW = number(steps[i].UpwardPrice), number(steps[i].DemandMW)
			steps[i].ProrataMode = market.Flag{V: oneIn(2), Valid: oneIn(2)}
		}
		market.AFRR.Put(&batch, steps)
	}
	if oneIn(2) {
		steps := drawn(random, market.MFRR.In(whole))
		for i := range steps {
			steps[i].ClearingPrice, steps[i].FilteredOffersMW = number(steps[i].ClearingPrice), number(steps[i].FilteredOffersMW)
		}
		market.MFRR.Put(&batch, steps)
	}
	if oneIn(2) || batch.IsEmpty() {
		steps := drawn(random, market.Imbalance.In(whole))
		for i := range steps {
			steps[i].PositivePrice, steps[i].ImbalanceMWh = number(steps[i].PositivePrice), number(steps[i].ImbalanceMWh)
			if oneIn(3) {
				steps[i].SystemTrend = market.Str("UPWARD")
			}
		}
		market.Imbalance.Put(&batch, steps)
	}
	return batch
}

// drawn returns a part of the rows, in their order: those of a range, or some here and there.
func drawn[R any](random *rand.Rand, rows []R) []R {
	from := random.IntN(len(rows) / 2)
	rows = slices.Clone(rows[from : from+1+random.IntN(len(rows)/2)])
	if random.IntN(2) == 0 {
		kept := rows[:0]
		for _, row := range rows {
			if len(kept) == 0 || random.IntN(3) == 0 {
				kept = append(kept, row)
			}
		}
		rows = kept
	}
	return rows
}

// moment is what the rows of each dataset were after a commit.
type moment struct {
	at        time.Time
	positions map[market.Dataset]string
	rows      map[market.Dataset][]string
}

// allColumns asks for each column that a dataset has.
func allColumns(dataset market.Dataset) string {
	query := "&columns=updated_at,source"
	for _, column := range dataset.Series().ServedColumns() {
		query += "," + column.Name
	}
	return query
}

// momentOf reads the rows of each dataset as they are now.
func (f *fixture) momentOf(t *testing.T, span string, admin func(*http.Request)) moment {
	t.Helper()
	now := moment{f.clock.Now(), map[market.Dataset]string{}, map[market.Dataset][]string{}}
	for _, dataset := range market.Datasets() {
		w := f.rows(t, rowsPath(dataset, span+allColumns(dataset)+"&format=ndjson"), admin)
		now.rows[dataset], now.positions[dataset] = trimmed(linesOf(w)), w.Header().Get("X-Courant-Position")
	}
	return now
}

// added returns the lines that were not among the earlier ones.
func added(earlier, later []string) []string {
	was := map[string]bool{}
	for _, line := range earlier {
		was[line] = true
	}
	return slices.DeleteFunc(slices.Clone(later), func(line string) bool { return was[line] })
}

// After any history of commits, what was served after each of them is served again by as_of; updated_since gives exactly the rows that
// have changed since; and pages are of one moment though a commit lands between them.
func TestAnyHistoryOfCommitsReadsBackAsItWasServed(t *testing.T) {
	t.Parallel()
	for _, day := range storetest.Some(2, clockChanges) {
		for _, seed := range storetest.Some(2, []uint64{0, 1}) {
			t.Run(fmt.Sprint(day, " ", seed), func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(seed, uint64(day.Period().Start)))
				f, admin := withRows(t)
				f.clock.Advance(day.Add(1).Start().Sub(f.clock.Now()))
				span := "from=" + day.Add(-1).String() + "&to=" + day.Add(1).String()
				history := []moment{f.momentOf(t, span, admin)}
				f.clock.Advance(time.Second)
				f.commit(t, marketOn(day))
				history = append(history, f.momentOf(t, span, admin))
				for range 5 {
					dataset := market.Datasets()[random.IntN(len(market.Datasets()))]
					resolutions := resolutionsOf(dataset)
					query := span + "&resolution=" + resolutions[random.IntN(len(resolutions))] + "&order=" + []string{"asc", "desc"}[random.IntN(2)] + "&format=ndjson"
					whole := trimmed(linesOf(f.rows(t, rowsPath(dataset, query), admin)))
					limit := len(whole)/4 + 1
					w := f.rows(t, rowsPath(dataset, query+"&limit="+strconv.Itoa(limit)), admin)
					pages := trimmed(linesOf(w))

					f.clock.Advance(time.Duration(1+random.IntN(3)) * time.Second)
					f.commit(t, published(random, day))
					history = append(history, f.momentOf(t, span, admin))

					if next := nextLink.FindStringSubmatch(w.Header().Get("Link")); next != nil {
						pages = append(pages, f.pages(t, next[1], limit, admin)...)
					}
					if diff := differing(whole, pages); diff != "" {
						t.Errorf("%s?%s in pages (-at once before the commit +in pages):\n%s", dataset, query, diff)
					}
				}
				last := history[len(history)-1]
				for _, dataset := range market.Datasets() {
					query := span + allColumns(dataset)
					for i, then := range history {
						asOf := "&as_of=" + then.at.Format(time.RFC3339Nano)
						if diff := differing(then.rows[dataset], trimmed(f.lines(t, dataset, query+asOf, admin))); diff != "" {
							t.Errorf("%s as of commit %d (-then +now):\n%s", dataset, i, diff)
						}
						if diff := cmp.Diff(f.totals(t, dataset, span+asOf, "P1D", admin), f.totals(t, dataset, span+asOf, "PT1H", admin)); diff != "" {
							t.Errorf("%s as of commit %d (-days +hours):\n%s", dataset, i, diff)
						}
						changed := added(then.rows[dataset], last.rows[dataset])
						since := []string{then.positions[dataset]}
						if i+1 < len(history) { // the next commit's instant is included
							since = append(since, history[i+1].at.Format(time.RFC3339Nano))
						}
						for _, since := range since {
							if diff := differing(changed, trimmed(f.lines(t, dataset, query+"&updated_since="+since, admin))); diff != "" {
								t.Errorf("%s since %s, commit %d (-changed +given):\n%s", dataset, since, i, diff)
							}
						}
					}
				}
			})
		}
	}
}
