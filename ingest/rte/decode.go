package rte

import (
	"io"

	"courant/ingest/source"
	"courant/store/market"
)

// decode reads a reply whose content is under the key root: content reads that and adds its rows to the steps.
func decode[R, K comparable](
	body io.Reader, window market.Period, shape shape[R], root string, content func(*document, *steps[R, K]) error,
) (source.Reply[R], error) {
	var read struct { // both are on the heap: one allocation
		reply source.Reply[R]
		steps steps[R, K]
	}
	reply, steps := &read.reply, &read.steps
	if shape.every > 0 {
		reply.Rows = make([]R, 0, window.Seconds()/shape.every)
	}
	*steps = newSteps[R, K](reply, window, shape)
	d := newDocument(body, reply.UnknownKey, reply.Note)
	err := d.root(root, func() error { return content(d, steps) })
	if err == nil {
		err = steps.finish()
	}
	if err != nil {
		return source.Reply[R]{}, err
	}
	return *reply, nil
}

// rowPeriod is when a row begins and ends, as its reply writes it.
type rowPeriod struct{ start, end source.Stamp }

// field reads the value of a key of a row, if that is one of its period.
func (p *rowPeriod) field(d *document, key string) (known bool, err error) {
	switch key {
	case "start_date":
		return true, d.stamp(&p.start)
	case "end_date":
		return true, d.stamp(&p.end)
	}
	return false, nil
}

// startOf returns the instant at which a row begins, in seconds UTC, and false if the row cannot be taken because it begins
// outside the window, or does not say when. what is what the reply calls a row.
func (s *steps[R, K]) startOf(dataset market.Dataset, p rowPeriod, what string) (int64, bool) {
	if !p.start.Good {
		s.misplaced(dataset, p.start, p.end, what+" has no start")
		return 0, false
	}
	return p.start.At, s.window.Holds(p.start.At)
}

const notAQuarter = "it is not a quarter hour"

// addQuarter takes a row of a quarter hour whose start is in the window. badKey and badValue are what is wrong with what
// tells the row from others, and with a value of it; empty if nothing is. updated is as in add.
func (s *steps[R, K]) addQuarter(dataset market.Dataset, p rowPeriod, key K, row R, updated int64, badKey, badValue string) {
	start := p.start.At
	if badKey == "" && start%market.QuarterSeconds != 0 {
		badKey = notAQuarter
	}
	switch {
	case badKey != "":
		s.spoil(dataset, s.dateOf(start), "%s: %s", source.InstantText(start), badKey)
	case badValue != "":
		s.addOdd(dataset, start, key, row, updated, badValue)
	case p.end.Fault != "":
		s.addRepetition(dataset, start, key, row, updated, p.end.Fault)
	case p.end.Good && p.end.At != start+market.QuarterSeconds:
		s.addRepetition(dataset, start, key, row, updated, notAQuarter)
	default:
		s.add(dataset, start, key, row, updated)
	}
}
