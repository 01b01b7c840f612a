package market

import (
	"slices"
	"time"
)

// Batch is the rows that one run of a feed fetched, of any datasets and in any order. The zero Batch is empty.
type Batch struct {
	all []rows // at most one of each series, none of them empty
}

// rows is the rows of one series in a batch. Its methods are those of Batch for one series.
type rows interface {
	of() AnySeries
	len() int
	with(rows) rows
	filter(keep func(Dataset, DeliveryDate) bool) rows
	count(into Coverage, dataset Dataset)
	withdraws() bool
	before(second int64) rows
	withoutFaults(matches func(Dataset, DeliveryDate) bool) rows
	forgetUpdates(latestMs int64)
	settle(readAt time.Time)
	faults(each func(dataset Dataset, start int64, fault string))
}

// typedRows implements rows.
type typedRows[R comparable] struct {
	series *Series[R]
	list   []R
}

// Batch returns a batch of these rows.
func (s *Series[R]) Batch(list []R) Batch {
	var b Batch
	s.Put(&b, list)
	return b
}

// In returns the series' rows in a batch.
func (s *Series[R]) In(b Batch) []R {
	if found := b.of(s); found != nil {
		return found.(*typedRows[R]).list
	}
	return nil
}

// Put replaces the series' rows in a batch.
func (s *Series[R]) Put(b *Batch, list []R) {
	b.all = slices.DeleteFunc(slices.Clone(b.all), func(r rows) bool { return r.of() == AnySeries(s) })
	if len(list) > 0 {
		b.all = append(b.all, &typedRows[R]{series: s, list: list})
	}
}

// of returns the rows of a series; nil if there are none.
func (b Batch) of(series AnySeries) rows {
	for _, r := range b.all {
		if r.of() == series {
			return r
		}
	}
	return nil
}

// With returns the batch with the rows of another one appended to its own.
func (b Batch) With(other Batch) Batch {
	all := slices.Clone(b.all)
	for _, more := range other.all {
		at := slices.IndexFunc(all, func(r rows) bool { return r.of() == more.of() })
		if at < 0 {
			all = append(all, more)
		} else {
			all[at] = all[at].with(more)
		}
	}
	return Batch{all}
}

// IsEmpty reports whether the batch has no row.
func (b Batch) IsEmpty() bool { return b.Len() == 0 }

// Len returns the number of rows.
func (b Batch) Len() int {
	sum := 0
	for _, r := range b.all {
		sum += r.len()
	}
	return sum
}

// Dates returns the delivery dates for which the batch has rows of the dataset, in the order of the batch.
func (b Batch) Dates(dataset Dataset) []DeliveryDate {
	var dates []DeliveryDate
	b.filter(func(d Dataset, date DeliveryDate) bool {
		if d == dataset && (len(dates) == 0 || dates[len(dates)-1] != date) && !slices.Contains(dates, date) {
			dates = append(dates, date)
		}
		return false
	})
	return dates
}

// Of returns the rows of one delivery date of a dataset.
func (b Batch) Of(dataset Dataset, date DeliveryDate) Batch {
	return b.filter(func(d Dataset, on DeliveryDate) bool { return d == dataset && on == date })
}

// Without returns the batch without the rows of one delivery date of a dataset.
func (b Batch) Without(dataset Dataset, date DeliveryDate) Batch {
	return b.filter(func(d Dataset, on DeliveryDate) bool { return d != dataset || on != date })
}

// Split returns the rows of the delivery dates that match, and those of the others.
func (b Batch) Split(matches func(Dataset, DeliveryDate) bool) (matching, others Batch) {
	return b.filter(matches), b.filter(func(d Dataset, date DeliveryDate) bool { return !matches(d, date) })
}

// Dated is a delivery date of a dataset.
type Dated struct {
	Dataset Dataset
	Date    DeliveryDate
}

// RowsOn returns the number of rows of each delivery date.
func (b Batch) RowsOn() map[Dated]int {
	counted := map[Dated]int{}
	b.filter(func(d Dataset, date DeliveryDate) bool {
		counted[Dated{d, date}]++
		return false
	})
	return counted
}

// filter returns the rows for which keep returns true.
func (b Batch) filter(keep func(Dataset, DeliveryDate) bool) Batch {
	return b.each(func(r rows) rows { return r.filter(keep) })
}

// Withdraws reports whether the batch has a null that its source wrote itself, see Optional.Withdrawn.
func (b Batch) Withdraws() bool { return slices.ContainsFunc(b.all, rows.withdraws) }

// WithoutFuture returns the batch without the rows that begin after now, of datasets that are not published ahead: a source may
// list them nevertheless, without values.
func (b Batch) WithoutFuture(now time.Time) Batch {
	return b.each(func(r rows) rows {
		if r.of().About()[0].Ahead {
			return r
		}
		return r.before(now.Unix() + 1)
	})
}

// WithoutFaults returns the batch without the rows that have a value out of bounds, of the delivery dates that match.
func (b Batch) WithoutFaults(matches func(Dataset, DeliveryDate) bool) Batch {
	return b.each(func(r rows) rows { return r.withoutFaults(matches) })
}

func (b Batch) each(change func(rows) rows) Batch {
	var changed Batch
	for _, r := range b.all {
		if r = change(r); r.len() > 0 {
			changed.all = append(changed.all, r)
		}
	}
	return changed
}

// ForgetUpdates sets Updated to 0, unknown, in rows that were written after latest by the source's clock.
func (b *Batch) ForgetUpdates(latest time.Time) {
	for _, r := range b.all {
		r.forgetUpdates(latest.UnixMilli())
	}
}

// Settle sets in the rows what follows from the time at which they were fetched, see Series.Settle.
func (b *Batch) Settle(readAt time.Time) {
	for _, r := range b.all {
		r.settle(readAt)
	}
}

// Faults calls each for every row with a value out of bounds, with the start of the row in seconds UTC and a description.
func (b Batch) Faults(each func(dataset Dataset, start int64, fault string)) {
	for _, r := range b.all {
		r.faults(each)
	}
}

func (r *typedRows[R]) of() AnySeries { return r.series }
func (r *typedRows[R]) len() int      { return len(r.list) }

func (r *typedRows[R]) with(other rows) rows {
	return &typedRows[R]{r.series, slices.Concat(r.list, other.(*typedRows[R]).list)}
}

func (r *typedRows[R]) filter(keep func(Dataset, DeliveryDate) bool) rows {
	kept := &typedRows[R]{series: r.series}
	var calendar Calendar
	for i := range r.list {
		row := &r.list[i]
		if keep(r.series.DatasetOf(row), calendar.DateOf(*r.series.Start(row))) {
			kept.list = append(kept.list, *row)
		}
	}
	return kept
}

func (r *typedRows[R]) count(into Coverage, dataset Dataset) {
	var calendar Calendar
	for i := range r.list {
		row := &r.list[i]
		if r.series.DatasetOf(row) != dataset {
			continue
		}
		date := calendar.DateOf(*r.series.Start(row))
		if into[date] == nil {
			into[date] = map[string]int{}
		}
		into[date][r.series.NameOf(row)]++
	}
}

func (r *typedRows[R]) withdraws() bool {
	for i := range r.list {
		for c := range r.series.Columns {
			if r.series.Columns[c].isWithdrawn(&r.list[i]) {
				return true
			}
		}
	}
	return false
}

func (r *typedRows[R]) before(second int64) rows {
	begins := func(row R) bool { return *r.series.Start(&row) >= second }
	if !slices.ContainsFunc(r.list, begins) {
		return r
	}
	return &typedRows[R]{r.series, slices.DeleteFunc(slices.Clone(r.list), begins)}
}

func (r *typedRows[R]) withoutFaults(matches func(Dataset, DeliveryDate) bool) rows {
	var calendar Calendar
	return &typedRows[R]{r.series, slices.DeleteFunc(slices.Clone(r.list), func(row R) bool {
		return r.series.Fault(&row) != "" && matches(r.series.DatasetOf(&row), calendar.DateOf(*r.series.Start(&row)))
	})}
}

func (r *typedRows[R]) forgetUpdates(latestMs int64) {
	if !r.series.IsDated() {
		return
	}
	for i := range r.list {
		if r.series.Updated(&r.list[i]) > latestMs {
			r.series.SetUpdated(&r.list[i], 0)
		}
	}
}

func (r *typedRows[R]) settle(readAt time.Time) {
	if r.series.Settle == nil {
		return
	}
	for i := range r.list {
		r.series.Settle(&r.list[i], readAt)
	}
}

func (r *typedRows[R]) faults(each func(dataset Dataset, start int64, fault string)) {
	for i := range r.list {
		if fault := r.series.Fault(&r.list[i]); fault != "" {
			each(r.series.DatasetOf(&r.list[i]), *r.series.Start(&r.list[i]), fault)
		}
	}
}
