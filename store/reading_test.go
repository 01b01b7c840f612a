package store_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// storedNow is a row as it is stored now, by the code that reads rows of one type.
type storedNow struct {
	start, lasts int64
	precedes     int // of two that cover a quarter hour the lower one is served
	keys, values []string
	source       string
	// undated are values, by their place, that are given as they are now.
	undated map[int]string
}

func (r storedNow) id() string { return fmt.Sprint(r.start, r.lasts, r.precedes, r.keys) }

func numberTexts(numbers ...market.Number) []string {
	var texts []string
	for _, n := range numbers {
		if !n.Valid {
			texts = append(texts, "null")
			continue
		}
		texts = append(texts, fmt.Sprint(n.V+0)) // -0 is kept as 0
	}
	return texts
}

func stringText(v market.String) string {
	if !v.Valid {
		return "null"
	}
	return v.V
}

func flagText(f market.Flag) string {
	if !f.Valid {
		return "null"
	}
	return fmt.Sprint(f.V)
}

// readNow reads the stored rows of each dataset.
func readNow(t rapid.TB, s *store.Store, period market.Period) map[market.Dataset][]storedNow {
	t.Helper()
	ctx, now := context.Background(), map[market.Dataset][]storedNow{}
	prices, err := store.Within(ctx, s, market.Prices, market.DayAheadPrices, period)
	for _, r := range prices {
		now[market.DayAheadPrices] = append(now[market.DayAheadPrices], storedNow{start: r.Start, lasts: r.Resolution.Seconds(),
			precedes: int(r.Source)*10_000 + int(r.Resolution.Seconds()), values: numberTexts(r.Price), source: r.Source.String()})
	}
	for _, dataset := range []market.Dataset{market.AFRRCapacity, market.MFRRCapacity} {
		rows, again := store.Within(ctx, s, market.Capacity, dataset, period)
		err = errors.Join(err, again)
		for _, r := range rows {
			r.Price.V *= 4
			now[dataset] = append(now[dataset], storedNow{start: r.Start, lasts: 900, keys: []string{string(r.Direction), r.TimeHorizon, r.Product},
				values: numberTexts(r.OfferedMW, r.ContractedMW, r.Price), source: "RTE"})
		}
	}
	steps, again := store.Within(ctx, s, market.AFRR, market.AFRREnergy, period)
	err = errors.Join(err, again)
	for _, r := range steps {
		now[market.AFRREnergy] = append(now[market.AFRREnergy], storedNow{start: r.Start, lasts: 4, source: "RTE",
			values: append(numberTexts(r.UpwardPrice, r.DownwardPrice, r.DemandMW, r.ForFranceMW, r.InFranceMW),
				flagText(r.PicassoConnection), flagText(r.ProrataMode))})
	}
	imbalance, again := store.Within(ctx, s, market.Imbalance, market.ImbalancePrices, period)
	err = errors.Join(err, again)
	for _, r := range imbalance {
		written := "null"
		if r.Updated != 0 {
			written = fmt.Sprint(r.Updated)
		}
		now[market.ImbalancePrices] = append(now[market.ImbalancePrices], storedNow{start: r.Start, lasts: 900, source: "RTE",
			values:  append(numberTexts(r.PositivePrice, r.NegativePrice, r.ImbalanceMWh), stringText(r.SystemTrend), "", "", stringText(r.MissingData)),
			undated: map[int]string{4: stringText(r.Status), 5: written}})
	}
	mfrr, again := store.Within(ctx, s, market.MFRR, market.MFRREnergy, period)
	if err = errors.Join(err, again); err != nil {
		t.Fatal(err)
	}
	for _, r := range mfrr {
		now[market.MFRREnergy] = append(now[market.MFRREnergy], storedNow{start: r.Start, lasts: 900, keys: []string{string(r.Direction)}, source: "RTE",
			values: numberTexts(r.ClearingPrice, r.SettlementPriceCurrent, r.SettlementPricePrevious, r.RequestedVolumeSAMW, r.RequestedVolumeDAMW,
				r.SatisfiedNeedSAMW, r.SatisfiedNeedDAMW, r.ActivatedVolumeSAMW, r.ActivatedVolumeDAMW, r.SubmittedOffersMW, r.FilteredOffersMW)})
	}
	return now
}

// was is a row as it was at a moment.
type was struct {
	storedNow
	changed store.Position // the commit that stored or changed it last
	stamp   int64          // of that commit, ms
}

// readModel is all rows as they were after each commit.
type readModel struct {
	s         *store.Store
	period    market.Period
	positions []store.Position
	at        map[store.Position]map[market.Dataset]map[string]was
}

func newReadModel(t rapid.TB, s *store.Store, period market.Period) *readModel {
	m := &readModel{s: s, period: period, at: map[store.Position]map[market.Dataset]map[string]was{}}
	m.see(t)
	return m
}

// see takes in what the commit has changed that was made since.
func (m *readModel) see(t rapid.TB) {
	t.Helper()
	head, err := m.s.Read(context.Background(), store.ReadQuery{Dataset: market.MFRREnergy})
	if err != nil {
		t.Fatal(err)
	}
	position := head.Position
	if position == 0 {
		position = store.BeforeAll
	}
	var before map[market.Dataset]map[string]was
	if n := len(m.positions); n > 0 {
		before = m.at[m.positions[n-1]]
	}
	rows := map[market.Dataset]map[string]was{}
	isChanged := false
	for dataset, stored := range readNow(t, m.s, m.period) {
		rows[dataset] = map[string]was{}
		for _, r := range stored {
			now := was{r, position, head.Stamp.UnixMilli()}
			if old, known := before[dataset][r.id()]; known && slices.Equal(old.values, r.values) {
				now.changed, now.stamp = old.changed, old.stamp
				isChanged = isChanged || !maps.Equal(old.undated, r.undated)
			} else {
				isChanged = true
			}
			rows[dataset][r.id()] = now
		}
	}
	_, isKnown := m.at[position]
	if len(m.positions) > 0 && isChanged == isKnown {
		t.Fatalf("position %d after a commit that has changed something: %t", head.Position, isChanged)
	}
	if !isKnown {
		m.positions = append(m.positions, position)
		m.at[position] = rows
	}
}

// lines are the rows that a query reads, a line each.
func (m *readModel) lines(q store.ReadQuery) []string {
	served := map[int64][]was{}
	for _, r := range m.at[q.At][q.Dataset] {
		step := q.Dataset.Series().StepSeconds()
		for start := r.start; start < r.start+r.lasts; start += step {
			part := r
			part.start, part.lasts = start, step
			if others := served[start]; len(r.keys) > 0 || len(others) == 0 {
				served[start] = append(others, part)
			} else if others[0].precedes > part.precedes {
				served[start] = []was{part}
			}
		}
	}
	columns := q.Dataset.Series().ServedColumns()
	names := q.Columns
	if names == nil {
		for _, c := range columns {
			names = append(names, c.Name)
		}
	}
	starts := slices.Sorted(maps.Keys(served))
	if q.Descending {
		slices.Reverse(starts)
	}
	var lines []string
	for _, start := range starts {
		rows := served[start]
		slices.SortFunc(rows, func(a, b was) int { // UPWARD before DOWNWARD, then by the alphabet
			return cmp.Or(-cmp.Compare(fmt.Sprint(a.keys[:min(1, len(a.keys))]), fmt.Sprint(b.keys[:min(1, len(b.keys))])), slices.Compare(a.keys, b.keys))
		})
		for _, r := range rows {
			isRead := q.Period.Holds(r.start) && (q.UpdatedSince <= 0 || r.changed > q.UpdatedSince)
			for k, key := range q.Dataset.Series().ServedKeys() {
				if wanted, isNamed := q.Keys[key.Name]; isNamed && !slices.Contains(wanted, r.keys[k]) {
					isRead = false
				}
			}
			if !isRead {
				continue
			}
			cells := append([]string{fmt.Sprint(r.start), fmt.Sprint(r.start + r.lasts)}, r.keys...)
			for _, name := range names {
				switch name {
				case market.ColumnUpdatedAt:
					cells = append(cells, fmt.Sprint(r.stamp))
				case market.ColumnSource:
					cells = append(cells, r.source)
				case market.ColumnPeriodStartUnix:
					cells = append(cells, fmt.Sprint(r.start))
				case "status", "source_updated_at":
					newest := m.at[m.positions[len(m.positions)-1]][q.Dataset][r.id()]
					cells = append(cells, newest.undated[slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })])
				default:
					cells = append(cells, r.values[slices.IndexFunc(columns, func(c market.ServedColumn) bool { return c.Name == name })])
				}
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
	}
	return lines
}

// chunkLines are the rows of a chunk, a line each.
func chunkLines(chunk market.Chunk) []string {
	var lines []string
	for i := range chunk.Len() {
		cells := []string{fmt.Sprint(chunk.Starts[i]), fmt.Sprint(chunk.Ends[i])}
		for _, key := range chunk.Keys {
			cells = append(cells, key[i])
		}
		for _, v := range chunk.Columns {
			text := "null"
			if v.Valid[i] {
				switch v.Kind {
				case market.KindNumber:
					text = fmt.Sprint(v.Numbers[i] + 0)
				case market.KindInteger:
					text = fmt.Sprint(v.Integers[i])
				case market.KindBoolean:
					text = fmt.Sprint(v.Flags[i])
				case market.KindString:
					text = v.Texts[i]
				case market.KindInstant:
					text = fmt.Sprint(v.Instants[i])
				}
			}
			cells = append(cells, text)
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return lines
}

// linesRead reads all rows of a query, a line each; between is called after each chunk.
func linesRead(t rapid.TB, s *store.Store, q store.ReadQuery, between func()) []string {
	t.Helper()
	reading, err := s.Read(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for chunk, err := range reading.Chunks(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, chunkLines(chunk)...)
		between()
	}
	return lines
}

var readDatasets = []market.Dataset{
	market.DayAheadPrices, market.AFRRCapacity, market.MFRRCapacity, market.AFRREnergy, market.MFRREnergy, market.ImbalancePrices,
}

// edgesOf are ends of dates and hours, seconds UTC.
func edgesOf(first market.DeliveryDate) []int64 {
	return []int64{first.At(3, 0).Unix(), first.Add(1).Start().Unix(), first.Add(5).Start().Unix()}
}

// anyHistoryBatch draws rows of all types around the ends of hours and of the dates from first on.
func anyHistoryBatch(t *rapid.T, first market.DeliveryDate) market.Batch {
	number := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1), market.Num(-2.25)})
	near := rapid.SampledFrom(edgesOf(first))
	quarter := func() int64 {
		return near.Draw(t, "near") + market.QuarterSeconds*rapid.Int64Range(-1, 0).Draw(t, "quarter")
	}
	direction := rapid.SampledFrom([]market.Direction{market.Upward, market.Downward})
	mode := rapid.SampledFrom([]market.Number{{}, {Withdrawn: true}, market.Num(0), market.Num(1)})
	updated := rapid.SampledFrom([]int64{0, 1000, 2000})
	var b market.Batch
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		switch rapid.IntRange(0, 4).Draw(t, "type") {
		case 0:
			p := market.Price{Start: quarter(), Resolution: market.PT15M, Price: market.Num(rapid.SampledFrom([]float64{1, 2, -3}).Draw(t, "price"))}
			if rapid.Bool().Draw(t, "hour") {
				p.Start, p.Resolution = near.Draw(t, "near"), market.PT60M
			}
			if rapid.Bool().Draw(t, "stand-in") {
				p.Source = market.FromRTE
			}
			market.Prices.Put(&b, append(market.Prices.In(b), p))
		case 1:
			market.Capacity.Put(&b, append(market.Capacity.In(b), market.CapacityStep{
				Dataset: rapid.SampledFrom(readDatasets[1:3]).Draw(t, "dataset"), Start: quarter(), Direction: direction.Draw(t, "direction"),
				TimeHorizon: rapid.SampledFrom([]string{"DAILY", "PERIODIC"}).Draw(t, "horizon"), Product: rapid.SampledFrom([]string{"STD", "SPE"}).Draw(t, "product"),
				OfferedMW: number.Draw(t, "offered"), Price: number.Draw(t, "price"), Updated: updated.Draw(t, "updated"),
			}))
		case 2:
			start := near.Draw(t, "near") + market.AFRRSeconds*rapid.Int64Range(-1, 1).Draw(t, "step")
			for i := range rapid.Int64Range(1, 3).Draw(t, "steps") {
				market.AFRR.Put(&b, append(market.AFRR.In(b), market.AFRRStep{Start: start + i*market.AFRRSeconds, UpwardPrice: number.Draw(t, "upward"),
					InFranceMW: number.Draw(t, "in France"), ProrataMode: flagOf(mode.Draw(t, "mode"))}))
			}
		case 3:
			trend := rapid.SampledFrom([]market.String{{}, {Withdrawn: true}, market.Str("UPWARD"), market.Str("DOWNWARD")})
			market.Imbalance.Put(&b, append(market.Imbalance.In(b), market.ImbalanceStep{Start: quarter(), Updated: updated.Draw(t, "updated"),
				PositivePrice: number.Draw(t, "positive"), SystemTrend: trend.Draw(t, "trend"), Status: market.Str("provisional")}))
		case 4:
			market.MFRR.Put(&b, append(market.MFRR.In(b), market.MFRRStep{Start: quarter(), Direction: direction.Draw(t, "direction"),
				ClearingPrice: number.Draw(t, "clearing"), FilteredOffersMW: number.Draw(t, "filtered")}))
		}
	}
	return b
}

// Rows that come again, change, are withdrawn or take the place of a stand-in, while the clock stands still and goes back: each
// range of each dataset reads as it was after each commit, in any order, columns, keys and pages, also while others write.
func TestAnyRangeReadsAsItWasAfterAnyCommit(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	first, n := date("2015-03-24"), 0 // with the Sunday on which the clock goes forward
	storetest.Check(t, func(t *rapid.T) {
		first = first.Add(7) // each try has dates of its own
		model := newReadModel(t, s, market.NewPeriod(first.Start(), first.Add(6).End()))
		write := func() {
			n += rapid.SampledFrom([]int{1, 1, 0, 100, -50}).Draw(t, "minutes")
			if err := s.Commit(context.Background(), runAt(n, readDatasets...), anyHistoryBatch(t, first.Add(1))); err != nil {
				t.Fatal(err)
			}
			model.see(t)
		}
		for range rapid.IntRange(1, 9).Draw(t, "commits") {
			write()
		}
		for range rapid.IntRange(1, 12).Draw(t, "readings") {
			dataset := rapid.SampledFrom(readDatasets).Draw(t, "of")
			q := store.ReadQuery{Dataset: dataset, Period: model.period, Descending: rapid.Bool().Draw(t, "descending")}
			q.At = rapid.SampledFrom(model.positions).Draw(t, "at")
			if rapid.Bool().Draw(t, "sifted") {
				q.UpdatedSince = rapid.SampledFrom(model.positions).Draw(t, "since")
			}
			if rapid.Bool().Draw(t, "in part") {
				near := rapid.SampledFrom([]int64{-900, -4, 0, 1, 4, 900, 2700})
				edges := rapid.SampledFrom(edgesOf(first.Add(1)))
				q.Period = market.Period{Start: edges.Draw(t, "from") + near.Draw(t, "off"), End: edges.Draw(t, "to") + near.Draw(t, "off")}
			}
			var names []string
			for _, c := range append(dataset.Series().ServedColumns(), market.ExtraColumns()...) {
				names = append(names, c.Name)
			}
			switch rapid.IntRange(0, 2).Draw(t, "columns") {
			case 1:
				q.Columns = names
			case 2:
				q.Columns = rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "names")
				if q.Columns == nil {
					q.Columns = []string{}
				}
			}
			if keys := dataset.Series().ServedKeys(); len(keys) > 0 && rapid.Bool().Draw(t, "keys") {
				q.Keys = map[string][]string{"direction": {"DOWNWARD"}}
				if len(keys) > 1 {
					q.Keys["product"] = rapid.SampledFrom([][]string{{"STD"}, {"STD", "SPE"}, {}}).Draw(t, "products")
				}
			}
			isBusy := rapid.Bool().Draw(t, "while others write")
			if isBusy { // what is given as it is now may change between two chunks
				q.Columns = slices.DeleteFunc(slices.Concat(q.Columns, names), func(name string) bool { return name == "status" || name == "source_updated_at" })
			}
			want := model.lines(q)
			got := linesRead(t, s, q, func() {
				if isBusy {
					write()
				}
			})
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%+v reads (-want +got):\n%s", q, diff)
			}
			if q.Limit = rapid.IntRange(0, 5).Draw(t, "page"); q.Limit == 0 {
				continue
			}
			var paged []string
			for {
				page := linesRead(t, s, q, func() {})
				paged = append(paged, page...)
				if q.Skip += len(page); len(page) < q.Limit {
					break
				}
			}
			if diff := gocmp.Diff(want, paged); diff != "" {
				t.Fatalf("in pages, %+v reads (-at once +in pages):\n%s", q, diff)
			}
		}
	})
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

// steps reads 4 s steps of some dates.
func stepsQuery(first, last market.DeliveryDate) store.ReadQuery {
	return store.ReadQuery{Dataset: market.AFRREnergy, Period: market.NewPeriod(first.Start(), last.End())}
}

func TestAThinnedDateHasNoRowsAndItsPastIsLost(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-03-29")
	for i := range 3 {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(variedDay(d.Add(i))))
	}
	before, _ := bucketsOf(t, s, d)
	q := stepsQuery(d, d.Add(2))
	whole := linesRead(t, s, q, func() {})
	thinBefore(t, s, d.Add(2)) // two dates, at the positions 4 and 5

	reading, err := s.Read(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(reading.Thinned, []market.DeliveryDate{d, d.Add(1)}) || reading.Position != 5 || !reading.Stamp.Equal(minute(100).Add(time.Millisecond)) {
		t.Errorf("thinned are %v, at %d of %s", reading.Thinned, reading.Position, reading.Stamp)
	}
	var rows int
	for chunk, err := range reading.Chunks(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rows += chunk.Len()
	}
	if want := len(variedDay(d.Add(2))); rows != want {
		t.Errorf("%d rows, want those of the last date, %d", rows, want)
	}
	q.Period.Start += 3600
	for _, descending := range []bool{false, true} {
		q.Descending = descending
		if reading, err = s.Read(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		var buckets []market.AFRRBucket
		for some, err := range reading.Buckets(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			buckets = append(buckets, some...)
		}
		if descending {
			slices.Reverse(buckets)
		}
		if diff := gocmp.Diff(before[12:], buckets[:len(before)-12]); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
	}
	for _, row := range []struct {
		at    store.Position
		first int
		err   error
	}{
		{store.BeforeAll, 0, store.ErrThinned}, {3, 0, store.ErrThinned}, {4, 0, store.ErrThinned}, {5, 0, nil},
		{3, 1, store.ErrThinned}, {4, 1, store.ErrThinned}, {3, 2, nil}, {99, 2, store.ErrNotFound},
	} {
		q := stepsQuery(d.Add(row.first), d.Add(2))
		q.At = row.at
		if _, err := s.Read(t.Context(), q); !errors.Is(err, row.err) || row.err != nil && err == nil {
			t.Errorf("at %d, from %s: %v, want %v", row.at, d.Add(row.first), err, row.err)
		}
	}

	// Steps that come again take the place of the 5 min; what was known before stays lost.
	commit(t, s, runAt(200, market.AFRREnergy), market.AFRR.Batch(variedDay(d)))
	q = stepsQuery(d, d)
	if got := linesRead(t, s, q, func() {}); !slices.Equal(got, whole[:len(got)]) || len(got) != len(variedDay(d)) {
		t.Errorf("%d steps came again", len(got))
	}
	q.At = 5
	if _, err := s.Read(t.Context(), q); !errors.Is(err, store.ErrThinned) {
		t.Errorf("before the steps came again: %v", err)
	}
}

func TestAReadingThatIsUnderWayFailsWhereStepsAreThinned(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-07-13")
	for i := range 2 {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(i), 1)))
	}
	reading, err := s.Read(t.Context(), stepsQuery(d, d.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for chunk, err := range reading.Chunks(t.Context()) {
		if err != nil {
			if !errors.Is(err, store.ErrThinned) || !strings.Contains(err.Error(), "2026-07-14") {
				t.Errorf("%v", err)
			}
			break
		}
		if rows == 0 {
			thinBefore(t, s, d.Add(2))
		}
		rows += chunk.Len()
	}
	if rows != 21_600 { // of the date that was read before
		t.Errorf("%d rows", rows)
	}
}

func TestALongReadingIsOfOneMomentAndHoldsNothingWhileItWaits(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-10-24") // the clock goes back on the second date
	const dates = 3
	for i := range dates {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(i), 1)))
	}
	q := stepsQuery(d, d.Add(dates))
	q.Columns = []string{"upward_price_eur_mwh", "prorata_mode", market.ColumnUpdatedAt}
	want := linesRead(t, s, q, func() {})
	n, chunks := 10, 0
	got := linesRead(t, s, q, func() {
		if chunks++; chunks%8 != 0 {
			return
		}
		// Everything is revised, and a date more is stored.
		n++
		commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(chunks/8%(dates+1)), float64(n))))
		if busy := s.ReaderPool().Stats().InUse; busy != 0 {
			t.Errorf("%d connections are in use between two chunks", busy)
		}
	})
	if chunks != 24+25+24 {
		t.Errorf("%d chunks, want one an hour", chunks)
	}
	if !slices.Equal(want, got) {
		t.Errorf("%d rows read while others write differ from the %d before", len(got), len(want))
	}
}

func TestAReadingEndsWithItsContextAndWithItsReader(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-07-13")
	for i := range 2 {
		commit(t, s, runAt(i, market.AFRREnergy), market.AFRR.Batch(afrrDay(d.Add(i), 1)))
	}
	reading, err := s.Read(t.Context(), stepsQuery(d, d.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	for range reading.Chunks(t.Context()) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	chunks := 0
	for _, err := range reading.Chunks(ctx) {
		if chunks++; err != nil {
			if !errors.Is(err, context.Canceled) || chunks != 2 {
				t.Errorf("chunk %d: %v", chunks, err)
			}
			break
		}
		cancel()
	}
	cancel()
	if chunks != 2 {
		t.Errorf("%d chunks", chunks)
	}
	if busy := s.ReaderPool().Stats().InUse; busy != 0 {
		t.Errorf("%d connections are still in use", busy)
	}
}

func TestTheHeadOfAReading(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	head := func(q store.ReadQuery) string {
		t.Helper()
		reading, err := s.Read(t.Context(), q)
		if err != nil {
			return err.Error()
		}
		for range reading.Chunks(t.Context()) {
		}
		return fmt.Sprintf("%d %d %v %v %v", reading.Position, reading.Changed, reading.Stamp.Sub(dawn).Minutes(), reading.First, reading.Last)
	}
	prices := store.ReadQuery{Dataset: market.DayAheadPrices, Period: market.Period{Start: -1 << 62, End: 1 << 62}}
	if reading, err := s.Read(t.Context(), prices); err != nil || reading.Position != 0 || !reading.Stamp.IsZero() || !reading.First.IsZero() {
		t.Errorf("in an empty database %+v, %v", reading, err)
	}
	commit(t, s, runAt(1, market.DayAheadPrices), price(0, 1))
	commit(t, s, runAt(2, market.DayAheadPrices), price(100, 1))
	commit(t, s, runAt(3, market.MFRREnergy), one(market.Num(1), market.Num(2)))
	mfrr, past := store.ReadQuery{Dataset: market.MFRREnergy}, prices
	past.At = 1
	unknown, column, key := prices, prices, mfrr
	unknown.At, column.Columns, key.Keys = 4, []string{"price"}, map[string][]string{"side": nil}
	for _, row := range []struct {
		query store.ReadQuery
		want  string
	}{
		{prices, "3 2 3 2026-07-14 2026-07-15"},
		{mfrr, "3 3 3 2026-07-14 2026-07-14"},
		{past, "1 1 1 2026-07-14 2026-07-15"},
		{unknown, "store: read day-ahead-prices: no commit has position 4: not found"},
		{column, `store: read day-ahead-prices: there is no column "price"`},
		{key, `store: read mfrr-energy: there is no key "side"`},
	} {
		if got := head(row.query); got != row.want {
			t.Errorf("%+v: %s, want %s", row.query, got, row.want)
		}
	}
}

func TestADamagedHourEndsAReading(t *testing.T) {
	t.Parallel()
	for table, damage := range map[string]string{"afrr_energy_hour": "numbers = substr(numbers, 2)", "afrr_energy_revision": "changes = substr(changes, 2)"} {
		s, d := openNew(t), date("2026-07-14")
		commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(d, 1)[:900]))
		commit(t, s, runAt(1, market.AFRREnergy), market.AFRR.Batch(afrrDay(d, 2)[:900]))
		if _, err := s.WriterPool().ExecContext(t.Context(), "UPDATE "+table+" SET "+damage); err != nil {
			t.Fatal(err)
		}
		q := stepsQuery(d, d)
		q.At = 1
		reading, err := s.Read(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for chunk, err := range reading.Chunks(t.Context()) {
			if err == nil || chunk.Len() > 0 || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: %d rows, %v", table, chunk.Len(), err)
			}
		}
	}
}

// The status and the source's date have no revisions: the date is given as it is now, a status no higher than it can have been, and a row
// whose status rose counts as changed.
func TestWhatHasNoRevisionsAtAPastMoment(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-07-14")
	for n, row := range []market.ImbalanceStep{
		{PositivePrice: market.Num(1), Status: market.Str("provisional"), Updated: 1000},
		{PositivePrice: market.Num(2), Status: market.Str("provisional"), Updated: 2000},
		{PositivePrice: market.Num(2), Status: market.Str("validated"), Updated: 2000},
		{PositivePrice: market.Num(2), Status: market.Str("validated"), Updated: 3000}, // only the source's date is new
	} {
		row.Start = d.Start().Unix()
		commit(t, s, runAt(n, market.ImbalancePrices), market.Imbalance.Batch([]market.ImbalanceStep{row}))
	}
	for _, row := range []struct {
		at, since store.Position
		want      string // after the period
	}{
		{1, 0, "1|provisional|3000|0"}, {2, 0, "2|provisional|3000|60000"}, {3, 0, "2|validated|3000|120000"}, {4, 0, "2|validated|3000|120000"},
		{4, 2, "2|validated|3000|120000"}, {4, 3, ""},
	} {
		got := ""
		for _, line := range linesRead(t, s, store.ReadQuery{Dataset: market.ImbalancePrices, Period: d.Period(), At: row.at, UpdatedSince: row.since,
			Columns: []string{"positive_price_eur_mwh", "status", "source_updated_at", market.ColumnUpdatedAt}}, func() {}) {
			cells := strings.Split(line, "|")[2:]
			ms, err := strconv.ParseInt(cells[3], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			cells[3] = fmt.Sprint(ms - dawn.UnixMilli())
			got += strings.Join(cells, "|")
		}
		if got != row.want {
			t.Errorf("at %d, changed after %d: %s, want %s", row.at, row.since, got, row.want)
		}
	}
}

func TestARowOfThePastSaysWhenItHadLastChangedThen(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for n := range 3 {
		commit(t, s, runAt(n, market.MFRREnergy), one(market.Num(float64(n)), market.Num(7)))
	}
	for at, want := range map[store.Position]string{1: "0|7|0", 2: "1|7|60000", 3: "2|7|120000", store.Newest: "2|7|120000"} {
		lines := linesRead(t, s, store.ReadQuery{Dataset: market.MFRREnergy, Period: date("2026-07-14").Period(), At: at,
			Columns: []string{"clearing_price_eur_mwh", "settlement_price_current_eur_mwh", market.ColumnUpdatedAt}}, func() {})
		if len(lines) != 1 {
			t.Fatalf("%d rows", len(lines))
		}
		fields := strings.Split(lines[0], "|")
		ms, err := strconv.ParseInt(fields[5], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s|%s|%d", fields[3], fields[4], ms-dawn.UnixMilli()); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestA4sStepOfThePastSaysWhenItHadLastChangedThen(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for n := range 3 {
		commit(t, s, runAt(n, market.AFRREnergy), market.AFRR.Batch([]market.AFRRStep{
			{Start: date("2026-07-14").Start().Unix(), DemandMW: market.Num(float64(n))},
			{Start: date("2026-07-14").Start().Unix() + market.AFRRSeconds, DemandMW: market.Num(7)},
		}))
	}
	q := store.ReadQuery{Dataset: market.AFRREnergy, Period: date("2026-07-14").Period(), Columns: []string{market.ColumnUpdatedAt}}
	for at, want := range map[store.Position]string{1: "0 0", 2: "60000 0", 3: "120000 0", store.Newest: "120000 0"} {
		q.At = at
		var got []string
		for _, line := range linesRead(t, s, q, func() {}) {
			var ms int64
			fmt.Sscan(strings.Split(line, "|")[2], &ms)
			got = append(got, fmt.Sprint(ms-dawn.UnixMilli()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestAStatusThatRisesIsAChangeOfItsRow(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for n, status := range []string{"provisional", "provisional", "validated", "validated"} {
		commit(t, s, runAt(n, market.ImbalancePrices), market.Imbalance.Batch([]market.ImbalanceStep{
			{Start: date("2026-07-14").Start().Unix(), PositivePrice: market.Num(1), Status: market.Str(status)},
		}))
	}
	q := store.ReadQuery{Dataset: market.ImbalancePrices, Period: date("2026-07-14").Period(), Columns: []string{"status", market.ColumnUpdatedAt}}
	want := fmt.Sprintf("validated|%d", dawn.Add(2*time.Minute).UnixMilli())
	for q.UpdatedSince = range store.Position(2) {
		if lines := linesRead(t, s, q, func() {}); len(lines) != 1 || !strings.HasSuffix(lines[0], want) {
			t.Errorf("changed since %d: %q, want %s", q.UpdatedSince, lines, want)
		}
	}
}

// No row of a past moment is as final as only a later reading made it: one may otherwise look as if it had been known earlier.
func TestTheStatusOfAPastMomentIsNotOneThatOnlyCameLater(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	const day = 24 * 60 // minutes
	for _, read := range []struct {
		minute int
		price  float64
		status string
	}{{0, 1, "provisional"}, {day, 2, "validated"}, {60 * day, 2, "settled"}} {
		commit(t, s, runAt(read.minute, market.ImbalancePrices), market.Imbalance.Batch([]market.ImbalanceStep{
			{Start: date("2026-07-14").Start().Unix(), PositivePrice: market.Num(read.price), Status: market.Str(read.status)},
		}))
	}
	q := store.ReadQuery{Dataset: market.ImbalancePrices, Period: date("2026-07-14").Period(), Columns: []string{"positive_price_eur_mwh", "status"}}
	for at, want := range map[store.Position]string{1: "1|provisional", 2: "2|validated", 3: "2|settled", store.Newest: "2|settled"} {
		q.At = at
		if lines := linesRead(t, s, q, func() {}); len(lines) != 1 || !strings.HasSuffix(lines[0], want) {
			t.Errorf("at %d: %q, want %s", at, lines, want)
		}
	}
}

func TestAColumnAloneReadsAsAmongAll(t *testing.T) {
	t.Parallel()
	s, d := openNew(t), date("2026-10-25")
	rows := variedDay(d)
	for i := range rows[:2000] { // some hours are not made of short decimals
		rows[i].ForFranceMW = market.Num(float64(i) / 7)
	}
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(rows))
	q := stepsQuery(d, d)
	all := linesRead(t, s, q, func() {})
	now := readNow(t, s, q.Period)[market.AFRREnergy]
	if len(all) != len(rows) || len(now) != len(rows) {
		t.Fatalf("%d and %d rows, want %d", len(all), len(now), len(rows))
	}
	for i, line := range all {
		if want := fmt.Sprintf("%d|%d|%s", now[i].start, now[i].start+4, strings.Join(now[i].values, "|")); line != want {
			t.Fatalf("row %d is %s, want %s", i, line, want)
		}
	}
	for c, column := range market.AFRR.ServedColumns() {
		q.Columns = []string{column.Name}
		for i, line := range linesRead(t, s, q, func() {}) {
			if got := strings.Split(line, "|")[2]; got != now[i].values[c] {
				t.Fatalf("%s of row %d is %s, want %s", column.Name, i, got, now[i].values[c])
			}
		}
	}
}
