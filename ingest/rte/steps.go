package rte

import (
	"errors"
	"fmt"
	"time"

	"courant/ingest/source"
	"courant/store/market"
)

// shape describes the rows of a resource.
type shape[R any] struct {
	numbers func(*R) []*market.Number
	flags   func(*R) []*market.Flag   // nil: there are none
	texts   func(*R) []*market.String // nil: there are none
	updated func(*R) *int64           // when the row was last written, ms UTC; nil: the source does not publish that
	// series returns the series of a row and the length of its steps. A complete delivery date has a row of it for each step.
	series func(*R) (name string, seconds int64)
	// tooMany reports whether that number of odd steps refuses their date; fewer are left out of it. nil: one refuses it.
	tooMany func(int, market.DeliveryDate) bool
	// oneDate is set if a reply is about one delivery date, whatever the window.
	oneDate bool
	// every is the number of seconds between two rows, for allocating all rows at once; 0 if replies are small.
	every int64
}

// steps collects the rows of a reply. Rows of the same key are merged field by field. An odd row refuses its dataset's
// delivery date, or is left out of it. A row without a date is judged once all rows are known.
type steps[R comparable, K comparable] struct {
	shape[R]
	reply  *source.Reply[R]
	window market.Period
	at     map[K]int // index into reply.Rows
	origin []origin  // of each row

	updates      []int64             // of each row that was added, ms UTC, once one has said so
	fieldUpdates map[int][]int64     // of each field of a row that is listed twice
	odd          []oddRow[R, K]      // with their readable fields: their dates may be refused
	tolerated    []market.Omission   // odd steps so far
	unplaced     []market.Refusal    // of rows without a date
	date         market.DeliveryDate // of the row that was added last
	period       market.Period       // of that date
	atEnd        func()              // called once all rows are known, before they are judged; may be nil
}

type origin struct {
	dataset market.Dataset
	date    market.DeliveryDate
}

// oddRow is a row in which something is wrong. Its key is known.
type oddRow[R comparable, K comparable] struct {
	origin
	key     K
	row     R
	updated int64
	// reason is why the date is refused, unless the row only repeats another one; "" if it is refused in any case.
	reason string
}

func newSteps[R comparable, K comparable](reply *source.Reply[R], window market.Period, shape shape[R]) steps[R, K] {
	return steps[R, K]{
		shape: shape, reply: reply, window: window,
		at: make(map[K]int, cap(reply.Rows)), origin: make([]origin, 0, cap(reply.Rows)),
	}
}

// add adds a good row that is in the window; updated is when the source last wrote it, ms UTC, 0 if that is not known.
func (s *steps[R, K]) add(dataset market.Dataset, start int64, key K, row R, updated int64) {
	date := s.dateOf(start)
	i, twice := s.at[key]
	if twice {
		s.merge(i, row, updated)
		return
	}
	s.at[key] = len(s.reply.Rows)
	if updated != 0 && s.updates == nil {
		s.updates = make([]int64, len(s.reply.Rows), cap(s.reply.Rows))
	}
	if s.updates != nil {
		s.updates = append(s.updates, updated)
	}
	s.reply.Rows = append(s.reply.Rows, row)
	s.origin = append(s.origin, origin{dataset, date})
}

// addOdd adds a row in which something is wrong, but not its key.
func (s *steps[R, K]) addOdd(dataset market.Dataset, start int64, key K, row R, updated int64, reason string) {
	date := s.dateOf(start)
	s.odd = append(s.odd, oddRow[R, K]{origin: origin{dataset, date}, key: key, row: row, updated: updated})
	s.spoil(dataset, date, "%s: %s", source.InstantText(start), reason)
}

// addRepetition is addOdd for a row that is ignored if it only repeats a good row of the same key.
func (s *steps[R, K]) addRepetition(dataset market.Dataset, start int64, key K, row R, updated int64, reason string) {
	s.odd = append(s.odd, oddRow[R, K]{origin: origin{dataset, s.dateOf(start)}, key: key, row: row, updated: updated,
		reason: source.InstantText(start) + ": " + reason})
}

// spoil notes that a step of the date cannot be taken.
func (s *steps[R, K]) spoil(dataset market.Dataset, date market.DeliveryDate, format string, args ...any) {
	if s.tooMany == nil {
		s.reply.Refusals.Refuse(dataset, date, format, args...)
		return
	}
	for i := range s.tolerated {
		if t := &s.tolerated[i]; t.Dataset == dataset && t.Date == date {
			t.Steps++
			return
		}
	}
	s.tolerated = append(s.tolerated, market.Omission{Dataset: dataset, Date: date, Steps: 1, Reason: fmt.Sprintf(format, args...)})
}

// misplaced notes a row without an instant. It refuses, for good, the date that the row names, because it is not known where
// in it the row belongs.
func (s *steps[R, K]) misplaced(dataset market.Dataset, start, end source.Stamp, what string) {
	date, named := source.DateNamed(start, end)
	switch {
	case !named:
		s.unplaced = append(s.unplaced, market.Refusal{Dataset: dataset, Reason: what + ": " + start.OrMissing()})
	case date.Period().Overlaps(s.window):
		s.reply.Refusals.RefuseFinally(dataset, date, "%s: %s", what, start.OrMissing())
	default:
		s.reply.Note("%s: %s: %s; it names %s, which was not asked for", dataset, what, start.OrMissing(), date)
	}
}

func (s *steps[R, K]) dateOf(start int64) market.DeliveryDate {
	if !s.period.Holds(start) {
		s.date = market.DeliveryDateOf(time.Unix(start, 0))
		s.period = s.date.Period()
	}
	return s.date
}

// merge puts a row that is listed again into the one that is there, field by field: of two values the one that was updated
// later stands, and the one that is listed later where that is not said. A null takes the place of no value.
func (s *steps[R, K]) merge(i int, row R, updated int64) {
	held := &s.reply.Rows[i]
	var heldUpdated int64
	if s.updates != nil {
		heldUpdated = s.updates[i]
	}
	if *held == row && heldUpdated == updated {
		return
	}
	var differ, decided bool
	at := s.fieldUpdates[i]
	if at == nil {
		at = make([]int64, len(s.numbers(held))+len(fieldsOf(s.flags, held))+len(fieldsOf(s.texts, held)))
		for f := range at {
			at[f] = heldUpdated
		}
		if s.fieldUpdates == nil {
			s.fieldUpdates = map[int][]int64{}
		}
		s.fieldUpdates[i] = at
	}
	at = mergeFields(s.numbers(held), s.numbers(&row), at, updated, &differ, &decided)
	at = mergeFields(fieldsOf(s.flags, held), fieldsOf(s.flags, &row), at, updated, &differ, &decided)
	mergeFields(fieldsOf(s.texts, held), fieldsOf(s.texts, &row), at, updated, &differ, &decided)
	if s.updated != nil {
		*s.updated(held) = max(*s.updated(held), updated)
	}
	if decided {
		s.noteTwice(i, "the one that was updated later stands")
	}
	if differ {
		s.noteTwice(i, "the later one stands")
	}
}

func (s *steps[R, K]) noteTwice(i int, stands string) {
	s.reply.Note("%s of %s lists a step twice with other values; %s", s.origin[i].dataset, s.origin[i].date, stands)
}

// fill puts the values of an odd row where a good one has none.
func (s *steps[R, K]) fill(good, odd *R) {
	fillFields(s.numbers(good), s.numbers(odd))
	fillFields(fieldsOf(s.flags, good), fieldsOf(s.flags, odd))
	fillFields(fieldsOf(s.texts, good), fieldsOf(s.texts, odd))
}

// fieldsOf returns a row's fields of a kind; of is nil if rows have none.
func fieldsOf[R, T any](of func(*R) []T, row *R) []T {
	if of == nil {
		return nil
	}
	return of(row)
}

func fillFields[T float64 | bool | string](into, from []*market.Optional[T]) {
	for f := range into {
		if !into[f].Valid && from[f].Valid {
			*into[f] = *from[f]
		}
	}
}

// mergeFields is mergeField for all fields of a kind. It returns the instants of the fields behind them.
func mergeFields[T float64 | bool | string](into, from []*market.Optional[T], at []int64, fromAt int64, differ, decided *bool) []int64 {
	for f := range into {
		mergeField(into[f], *from[f], &at[f], fromAt, differ, decided)
	}
	return at[len(into):]
}

// mergeField merges a field into another. at and fromAt are when each was last written, in ms; 0: unknown. It sets differ if the
// values differ and neither is known to be newer, and decided if the newer one was chosen.
func mergeField[T float64 | bool | string](
	into *market.Optional[T], from market.Optional[T], at *int64, fromAt int64, differ, decided *bool,
) {
	switch {
	case !from.Valid:
		into.Withdrawn = into.Withdrawn || from.Withdrawn && !into.Valid
		return
	case into.Valid && into.V == from.V:
		*at = max(*at, fromAt)
		return
	case into.Valid:
		if known := *at != 0 && fromAt != 0 && *at != fromAt; known {
			*decided = true
			if fromAt < *at {
				return
			}
		} else {
			*differ = true
		}
	}
	*into, *at = from, fromAt
}

// isRepetition reports whether a row has no value that differs from the other's.
func (s *steps[R, K]) isRepetition(row, of *R) bool {
	return repeatFields(s.numbers(row), s.numbers(of)) &&
		repeatFields(fieldsOf(s.flags, row), fieldsOf(s.flags, of)) &&
		repeatFields(fieldsOf(s.texts, row), fieldsOf(s.texts, of))
}

func repeatFields[T float64 | bool | string](fields, others []*market.Optional[T]) bool {
	for f := range fields {
		if fields[f].Valid && *fields[f] != *others[f] {
			return false
		}
	}
	return true
}

// finish judges what is odd, and moves the rows of refused delivery dates to Refused. It returns an error if a row has no
// date and more than one delivery date is incomplete.
func (s *steps[R, K]) finish() error {
	if s.atEnd != nil {
		s.atEnd()
	}
	s.judgeRepetitions()
	s.judgeOddSteps()
	if err := s.judgeUnplaced(); err != nil {
		return err
	}
	refusals := &s.reply.Refusals
	if len(refusals.List()) == 0 {
		return nil
	}
	for _, odd := range s.odd { // they are needed only if their date is refused
		if !refusals.Has(odd.dataset, odd.date) {
			continue
		}
		if i, there := s.at[odd.key]; there {
			s.fill(&s.reply.Rows[i], &odd.row)
			continue
		}
		s.at[odd.key] = len(s.reply.Rows)
		s.reply.Rows = append(s.reply.Rows, odd.row)
		s.origin = append(s.origin, odd.origin)
		if s.updates != nil {
			s.updates = append(s.updates, odd.updated)
		}
	}
	kept := s.reply.Rows[:0]
	for i, row := range s.reply.Rows {
		if refusals.Has(s.origin[i].dataset, s.origin[i].date) {
			s.reply.Refused = append(s.reply.Refused, row)
		} else {
			kept = append(kept, row)
		}
	}
	s.reply.Rows = kept
	return nil
}

func (s *steps[R, K]) judgeRepetitions() {
	for _, odd := range s.odd {
		if odd.reason == "" {
			continue
		}
		if i, there := s.at[odd.key]; there && s.isRepetition(&odd.row, &s.reply.Rows[i]) {
			s.reply.Note("%s: a row that only repeats another was left out: %s", odd.dataset, odd.reason)
		} else {
			s.spoil(odd.dataset, odd.date, "%s", odd.reason)
		}
	}
}

// judgeOddSteps leaves the odd steps of a date out if they are few, and refuses the date otherwise.
func (s *steps[R, K]) judgeOddSteps() {
	for _, t := range s.tolerated {
		if s.tooMany(t.Steps, t.Date) {
			s.reply.Refusals.Refuse(t.Dataset, t.Date, "%s", t.Reason)
		} else {
			s.reply.Omissions = append(s.reply.Omissions, t)
		}
	}
}

// judgeUnplaced finds the delivery date of rows that name none: they are not part of a date that is complete without them.
// If more than one date is incomplete, the dates have to be asked for by themselves.
func (s *steps[R, K]) judgeUnplaced() error {
	incompleteOf := map[market.Dataset][]market.DeliveryDate{} // computed once: a reply may have many such rows
	for _, u := range s.unplaced {
		incomplete, known := incompleteOf[u.Dataset]
		if !known {
			incomplete = s.incompleteDates(u.Dataset)
			incompleteOf[u.Dataset] = incomplete
		}
		switch len(incomplete) {
		case 0:
			s.reply.Note("%s: %s; every date is whole without it", u.Dataset, u.Reason)
		case 1:
			s.reply.Refusals.RefuseFinally(u.Dataset, incomplete[0], "%s", u.Reason)
		default:
			return errors.New(u.Reason)
		}
	}
	return nil
}

// incompleteDates returns the delivery dates of the window on which a series of the reply is incomplete.
func (s *steps[R, K]) incompleteDates(dataset market.Dataset) []market.DeliveryDate {
	type series struct {
		name    string
		seconds int64
	}
	covered := map[series]map[market.DeliveryDate]int64{} // in seconds
	seen := map[market.DeliveryDate]bool{}
	for i := range s.reply.Rows {
		if from := s.origin[i]; from.dataset == dataset {
			name, seconds := s.series(&s.reply.Rows[i])
			of := series{name, seconds}
			if covered[of] == nil {
				covered[of] = map[market.DeliveryDate]int64{}
			}
			covered[of][from.date] += seconds
			seen[from.date] = true
		}
	}
	var incomplete []market.DeliveryDate
	for _, date := range s.window.Dates() {
		if s.oneDate && len(seen) > 0 && !seen[date] {
			continue
		}
		asked := date.Period().Intersect(s.window)
		isIncomplete := len(covered) == 0
		for of, held := range covered {
			isIncomplete = isIncomplete || held[date] < of.seconds*(begun(asked.End, of.seconds)-begun(asked.Start, of.seconds))
		}
		if isIncomplete {
			incomplete = append(incomplete, date)
		}
	}
	return incomplete
}

// begun returns how many steps of that length have begun before an instant, since the start of 1970.
func begun(second, length int64) int64 { return (second + length - 1) / length }
