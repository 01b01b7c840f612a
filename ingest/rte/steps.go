package rte

import (
	"time"

	"courant/ingest/source"
	"courant/store"
)

// steps gathers the rows of a reply: of a step that is listed twice the later one stands, and a bad one refuses its
// dataset and delivery date.
type steps[R comparable, K comparable] struct {
	reply  *source.Reply[R]
	at     map[K]int // index into reply.Rows
	origin []origin  // of each row

	date   store.DeliveryDate // of the row that was added last
	period store.Period       // of that date
}

type origin struct {
	dataset store.Dataset
	date    store.DeliveryDate
}

func newSteps[R comparable, K comparable](reply *source.Reply[R]) *steps[R, K] {
	return &steps[R, K]{reply: reply, at: make(map[K]int, cap(reply.Rows)), origin: make([]origin, 0, cap(reply.Rows))}
}

// add takes a row that lies in the window; bad says what is wrong with it.
func (s *steps[R, K]) add(dataset store.Dataset, start int64, key K, row R, bad string) {
	if !s.period.Holds(start) {
		s.date = store.DeliveryDateOf(time.Unix(start, 0))
		s.period = s.date.Period()
	}
	date := s.date
	if bad != "" {
		s.reply.Refusals.Refuse(dataset, date, "%s: %s", time.Unix(start, 0).UTC().Format(time.RFC3339), bad)
		return
	}
	i, twice := s.at[key]
	if !twice {
		s.at[key] = len(s.reply.Rows)
		s.reply.Rows = append(s.reply.Rows, row)
		s.origin = append(s.origin, origin{dataset, date})
		return
	}
	if s.reply.Rows[i] != row {
		s.reply.Note("%s of %s lists a step twice with other values; the later one stands", dataset, date)
		s.reply.Rows[i] = row
	}
}

// finish takes out the rows whose delivery date was refused.
func (s *steps[R, K]) finish() {
	if len(s.reply.Refusals.List()) == 0 {
		return
	}
	kept := s.reply.Rows[:0]
	for i, row := range s.reply.Rows {
		if !s.reply.Refusals.Has(s.origin[i].dataset, s.origin[i].date) {
			kept = append(kept, row)
		}
	}
	s.reply.Rows = kept
}
