package api

import (
	"context"
	"iter"
	"runtime"
	"slices"

	"courant/store"
	"courant/store/market"
)

// rowsSource reads the rows of a query, native or resampled, in the order and from the place at which the answer begins.
type rowsSource struct {
	store   *store.Store
	query   rowsQuery
	reading *store.Reading // of the whole range
	since   store.Position
	newest  store.Position // of all commits, when the answer began
}

// newRowsSource finds the moment of a query.
func (s *Server) newRowsSource(ctx context.Context, q rowsQuery) (*rowsSource, error) {
	source := &rowsSource{store: s.store, query: q}
	at := store.Newest
	var err error
	switch {
	case q.page != nil:
		at = max(store.Position(q.page.position), 1)
	case !q.asOf.IsZero():
		if at, err = s.store.PositionAt(ctx, q.asOf); err != nil {
			return nil, err
		}
	}
	if q.since.given {
		source.since = store.Position(q.since.position)
		if !q.since.instant.IsZero() {
			if source.since, err = s.store.PositionBefore(ctx, q.since.instant); err != nil {
				return nil, err
			}
		}
	}
	if source.newest, err = s.store.NewestPosition(ctx); err != nil {
		return nil, err
	}
	source.since = min(source.since, source.newest) // nothing has changed after a position that is yet to come
	source.reading, err = s.store.Read(ctx, source.readQuery(source.period(), at, false))
	return source, err
}

// period is the range of the native rows that are read.
func (r *rowsSource) period() market.Period {
	period := r.query.period
	if r.query.resolution != "" {
		period = r.query.resolution.Whole(period)
	}
	return period
}

// readQuery asks the store for a part of the range.
func (r *rowsSource) readQuery(period market.Period, at store.Position, counting bool) store.ReadQuery {
	q := store.ReadQuery{Dataset: r.query.dataset, Period: period, At: at, UpdatedSince: max(r.since, 0), Columns: []string{}}
	if !counting || r.query.resolution != "" {
		q.Columns = columnNames(r.query.columns)
	}
	for i, key := range r.query.dataset.Series().ServedKeys() {
		if r.query.keys[i] != nil {
			if q.Keys == nil {
				q.Keys = map[string][]string{}
			}
			q.Keys[key.Name] = r.query.keys[i]
		}
	}
	return q
}

// columns are those of the answer.
func (r *rowsSource) columns() []market.ServedColumn {
	if r.query.resolution == "" {
		return r.query.columns
	}
	return market.NewResampler(r.query.dataset.Series(), r.query.columns, r.query.resolution, r.query.stats...).Columns()
}

// held is the part of the range for which the dataset has delivery dates.
func (r *rowsSource) held() market.Period {
	if r.reading.First.IsZero() {
		return market.Period{}
	}
	held := r.period().Intersect(market.NewPeriod(r.reading.First.Start(), r.reading.Last.End()))
	if held.End < held.Start {
		return market.Period{}
	}
	return held
}

// mostRows is how many rows the answer has at most, if each key that accepts any text has no more than a few values; open is
// how many those are.
func (r *rowsSource) mostRows(open int) int {
	const day = 23 * market.HourSeconds // the shortest
	switch seconds := r.query.resolution.Seconds(); {
	case r.query.resolution == "":
		return r.mostRead(open)
	case seconds > 0:
		return r.mostOf(seconds, open)
	}
	return r.mostOf(day, open)
}

// mostRead is how many stored rows are read for the whole range at most.
func (r *rowsSource) mostRead(open int) int {
	return r.mostOf(r.query.dataset.Series().StepSeconds(), open)
}

// mostUnsummarised is how many stored rows are read at most for buckets of whole hours.
func (r *rowsSource) mostUnsummarised(ctx context.Context) (int, error) {
	hours, err := r.reading.CountHours(ctx)
	return r.mostRead(1) - hours*int(market.HourSeconds/r.query.dataset.Series().StepSeconds()), err
}

// mostOf is how many rows of that many seconds the range has at most.
func (r *rowsSource) mostOf(seconds int64, open int) int {
	rows := int((r.held().Seconds() + seconds - 1) / seconds)
	for _, key := range r.query.dataset.Series().ServedKeys() {
		if key.Values == nil {
			rows *= open
		} else {
			rows *= len(key.Values)
		}
	}
	return rows
}

// count counts rows from the beginning of the answer on, up to most. next is the place of the last one that was counted.
func (r *rowsSource) count(ctx context.Context, most int) (rows int, next rowsPlace, err error) {
	if page := r.query.page; page != nil {
		next = rowsPlace{page.place.start, page.place.row - 1}
	}
	for chunk, err := range r.read(ctx, most, true) {
		if err != nil {
			return rows, next, err
		}
		for _, start := range chunk.Starts {
			if start != next.start || rows == 0 && r.query.page == nil {
				next = rowsPlace{start: start, row: -1}
			}
			next.row++
			rows++
		}
	}
	return rows, next, nil
}

// rows reads the rows of the answer; limit 0: all of them. Each chunk is valid until the next one.
func (r *rowsSource) rows(ctx context.Context, limit int) iter.Seq2[market.Chunk, error] {
	return r.read(ctx, limit, false)
}

func (r *rowsSource) read(ctx context.Context, limit int, counting bool) iter.Seq2[market.Chunk, error] {
	if r.query.resolution != "" {
		return cutRows(r.resampled(ctx), r.skip(), limit)
	}
	return r.native(ctx, limit, counting)
}

// skip is how many rows of the first period come before the page.
func (r *rowsSource) skip() int {
	if r.query.page == nil {
		return 0
	}
	return r.query.page.place.row
}

// fromPlace is the part of a period from the place of the page on.
func (r *rowsSource) fromPlace(period market.Period) market.Period {
	page := r.query.page
	switch {
	case page == nil:
	case r.query.descending:
		end := page.place.start + 1
		if r.query.resolution != "" {
			end = r.query.resolution.Bucket(page.place.start).End
		}
		period.End = min(period.End, end)
	default:
		period.Start = max(period.Start, page.place.start)
	}
	return period
}

// native reads the rows as they are stored.
func (r *rowsSource) native(ctx context.Context, limit int, counting bool) iter.Seq2[market.Chunk, error] {
	q := r.readQuery(r.fromPlace(r.period()), r.at(), counting)
	q.Descending, q.Skip, q.Limit = r.query.descending, r.skip(), limit
	return r.chunks(ctx, q)
}

// at is the position of the answer.
func (r *rowsSource) at() store.Position {
	if r.reading.Position == 0 {
		return store.BeforeAll
	}
	return r.reading.Position
}

// chunks reads a part of the range at the moment of the answer.
func (r *rowsSource) chunks(ctx context.Context, q store.ReadQuery) iter.Seq2[market.Chunk, error] {
	return func(yield func(market.Chunk, error) bool) {
		reading, err := r.store.Read(ctx, q)
		if err != nil {
			yield(market.Chunk{}, err)
			return
		}
		for chunk, err := range yielding(reading.Chunks(ctx)) {
			if !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// yielding lets short answers go first after each chunk; otherwise they wait until the scheduler interrupts a long one, 10 ms each time.
func yielding(chunks iter.Seq2[market.Chunk, error]) iter.Seq2[market.Chunk, error] {
	return func(yield func(market.Chunk, error) bool) {
		for chunk, err := range chunks {
			if !yield(chunk, err) {
				return
			}
			runtime.Gosched()
		}
	}
}

// resampled folds the rows into buckets, part by part: months, or delivery dates.
func (r *rowsSource) resampled(ctx context.Context) iter.Seq2[market.Chunk, error] {
	parts := r.parts()
	return func(yield func(market.Chunk, error) bool) {
		for _, part := range parts {
			var folded market.Chunk
			if err := r.fold(ctx, part, func(chunk market.Chunk) { folded.Append(chunk) }); err != nil {
				yield(market.Chunk{}, err)
				return
			}
			if r.query.descending {
				folded = reversed(folded)
			}
			if folded.Len() > 0 && !yield(folded, nil) {
				return
			}
		}
	}
}

// parts cuts the range where buckets begin, in the order of the answer: into delivery dates or, if buckets last an hour or more,
// months. The first month begins with a delivery date of its own, so that a short answer does not read all of it.
func (r *rowsSource) parts() []market.Period {
	whole := r.fromPlace(r.held())
	length := market.BucketsDay
	if r.ofHours() {
		length = market.BucketsMonth
	}
	var parts []market.Period
	for start := whole.Start; start < whole.End; {
		end := min(length.Bucket(start).End, whole.End)
		parts = append(parts, market.Period{Start: start, End: end})
		start = end
	}
	if r.query.descending {
		slices.Reverse(parts)
	}
	if length == market.BucketsDay || r.query.resolution == market.BucketsMonth || len(parts) == 0 {
		return parts
	}
	first, rest := parts[0], parts[0]
	if r.query.descending {
		first.Start = max(first.Start, market.BucketsDay.Bucket(first.End-1).Start)
		rest.End = first.Start
	} else {
		first.End = min(first.End, market.BucketsDay.Bucket(first.Start).End)
		rest.Start = first.End
	}
	parts[0] = rest
	return slices.Insert(parts, 0, first)
}

// ofHours reports whether buckets are made of whole hours.
func (r *rowsSource) ofHours() bool {
	seconds := r.query.resolution.Seconds()
	return r.query.resolution != "" && (seconds == 0 || seconds >= market.HourSeconds)
}

// fold folds a part of the range: the summaries of its hours where they are stored, and the rows or 5 min of the rest.
func (r *rowsSource) fold(ctx context.Context, part market.Period, each func(market.Chunk)) error {
	resampler := market.NewResampler(r.query.dataset.Series(), r.query.columns, r.query.resolution, r.query.stats...)
	reading := r.reading.Part(part)
	var hours market.Summaries
	if r.ofHours() {
		var err error
		if hours, err = reading.Hours(ctx); err != nil {
			return err
		}
	}
	from := part.Start
	for hours.Len() > 0 {
		if next := hours.Starts[0]; from < next {
			if err := foldRows(ctx, reading.Part(market.Period{Start: from, End: next}), r.query.columns, resampler, each); err != nil {
				return err
			}
		}
		n := 1
		for n < hours.Len() && hours.Starts[n] == hours.Starts[n-1]+market.HourSeconds {
			n++
		}
		each(resampler.AddSummaries(hours.Slice(0, n)))
		from = hours.Starts[n-1] + market.HourSeconds
		hours = hours.Slice(n, hours.Len())
	}
	if from < part.End {
		if err := foldRows(ctx, reading.Part(market.Period{Start: from, End: part.End}), r.query.columns, resampler, each); err != nil {
			return err
		}
	}
	each(resampler.End())
	return nil
}

// foldRows resamples rows of these columns. Thinned delivery dates enter with their stored 5 min values.
func foldRows(
	ctx context.Context, reading *store.Reading, columns []market.ServedColumn, resampler *market.Resampler, each func(market.Chunk),
) error {
	var means []market.AFRRBucket
	for buckets, err := range reading.Buckets(ctx) {
		if err != nil {
			return err
		}
		means = append(means, buckets...)
	}
	// addMeans folds the first 5 min.
	addMeans := func(n int) {
		if n > 0 {
			each(resampler.AddSummaries(market.AFRRMeans(means[:n], columns)))
			means = means[n:]
		}
	}
	for chunk, err := range yielding(reading.Chunks(ctx)) {
		if err != nil {
			return err
		}
		for len(means) > 0 && chunk.Len() > 0 { // the steps of a date came again, here and there
			n := 0
			for n < len(means) && means[n].Start <= chunk.Starts[0] {
				n++
			}
			addMeans(n)
			if len(means) == 0 {
				break
			}
			n = firstFrom(chunk.Starts, means[0].Start)
			each(resampler.Add(chunk.Slice(0, n)))
			chunk = chunk.Slice(n, chunk.Len())
		}
		each(resampler.Add(chunk))
	}
	addMeans(len(means))
	return nil
}

// firstFrom is how many starts come before an instant.
func firstFrom(starts []int64, instant int64) int {
	n, _ := slices.BinarySearch(starts, instant)
	return n
}

// reversed puts the last period first; the rows of one period stay in their order.
func reversed(chunk market.Chunk) market.Chunk {
	var made market.Chunk
	for to := chunk.Len(); to > 0; {
		from := to - 1
		for from > 0 && chunk.Starts[from-1] == chunk.Starts[to-1] {
			from--
		}
		made.Append(chunk.Slice(from, to))
		to = from
	}
	return made
}

// cutRows leaves rows out at the beginning, and ends after a limit; 0: there is none.
func cutRows(chunks iter.Seq2[market.Chunk, error], skip, limit int) iter.Seq2[market.Chunk, error] {
	return func(yield func(market.Chunk, error) bool) {
		left := limit
		for chunk, err := range chunks {
			if err != nil {
				yield(chunk, err)
				return
			}
			if n := min(skip, chunk.Len()); n > 0 {
				skip -= n
				chunk = chunk.Slice(n, chunk.Len())
			}
			if limit > 0 && chunk.Len() > left {
				chunk = chunk.Slice(0, left)
			}
			left -= chunk.Len()
			if chunk.Len() > 0 && !yield(chunk, nil) {
				return
			}
			if limit > 0 && left == 0 {
				return
			}
		}
	}
}
