package api

import (
	"bytes"
	"slices"
	"strconv"
	"sync"

	"courant/server/api/format"
	"courant/server/events"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// The types of events.
const (
	eventRows     = "rows"
	eventChanged  = "changed"
	eventRevision = "revision"
	eventComplete = "complete"
	eventStatus   = "status"
	eventReset    = "reset"
)

// mask is a set of datasets: the bits of their places in market.Datasets.
type mask uint64

func maskOf(datasets []market.Dataset) mask {
	var m mask
	for _, dataset := range datasets {
		m |= 1 << slices.Index(market.Datasets(), dataset)
	}
	return m
}

func (m mask) has(other mask) bool { return m&other != 0 }

// allDatasets is the mask of what is about no dataset.
const allDatasets = ^mask(0)

// streamEvent is an event as it is sent, without its id and the empty line at its end.
type streamEvent struct {
	dataset mask
	bytes   []byte
	rows    int
}

// streamPart is the events of a commit that one listener is sent.
type streamPart struct {
	bytes        []byte
	events, rows int
}

// streamCommit is the events of a commit. What is sent is made once for all listeners with the same datasets.
type streamCommit struct {
	position store.Position
	events   []streamEvent
	size     int // bytes

	mu    sync.Mutex
	parts map[mask]streamPart
}

// mostParts is how many parts of a commit are kept.
const mostParts = 8

// of returns the events of some datasets. Only the last one has an id: a client that was cut off after another one asks again for all
// of them.
func (c *streamCommit) of(m mask) streamPart {
	c.mu.Lock()
	defer c.mu.Unlock()
	if part, is := c.parts[m]; is {
		return part
	}
	var part streamPart
	for _, event := range c.events {
		if !m.has(event.dataset) {
			continue
		}
		if part.events > 0 {
			part.bytes = append(part.bytes, '\n')
		}
		part.bytes = append(part.bytes, event.bytes...)
		part.events++
		part.rows += event.rows
	}
	if part.events > 0 {
		part.bytes = append(appendID(part.bytes, c.position), '\n')
	}
	if len(c.parts) < mostParts {
		c.parts[m] = part
	}
	return part
}

// appendID appends the line with the id of an event.
func appendID(b []byte, position store.Position) []byte {
	return append(strconv.AppendInt(append(b, "id: "...), int64(position), 10), '\n')
}

// opening returns what a listener is sent first. A listener that asks for what comes from now on gets the position as the id with which
// it connects again, even if it has had no event until then. The n-th listener connects again at another time than the next one.
func opening(n uint64, position store.Position, isReplay bool) []byte {
	const least, spread, step = 1000, 2000, 677 // ms
	b := append([]byte(":\nretry: "), strconv.FormatUint(least+n*step%spread, 10)...)
	b = append(b, '\n')
	if !isReplay {
		b = appendID(b, position)
	}
	return append(b, '\n')
}

// eventWriter makes events.
type eventWriter struct{ simulated bool }

// begin begins an event whose data are an object.
func (e eventWriter) begin(kind string) *jsonWriter {
	w := &jsonWriter{bytes: []byte("event: " + kind + "\ndata: ")}
	w.open('{')
	return w
}

// finish ends the event.
func (e eventWriter) finish(w *jsonWriter, dataset mask) streamEvent {
	if e.simulated {
		w.key("simulated").flag(market.Flag{V: true, Valid: true})
	}
	w.close('}')
	return streamEvent{dataset: dataset, bytes: append(w.bytes, '\n')}
}

func newStreamCommit(position store.Position, all []streamEvent) *streamCommit {
	c := &streamCommit{position: position, events: all, parts: map[mask]streamPart{}}
	for _, event := range all {
		c.size += len(event.bytes)
	}
	return c
}

// commit makes the events of a commit.
func (e eventWriter) commit(commit events.Commit) (*streamCommit, error) {
	var all []streamEvent
	for i := range commit.Changes {
		made, err := e.change(&commit.Changes[i], commit.Position)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return newStreamCommit(commit.Position, all), nil
}

func (e eventWriter) change(c *events.Change, position store.Position) ([]streamEvent, error) {
	dataset := maskOf([]market.Dataset{c.Dataset})
	about := func(kind string) *jsonWriter {
		w := e.begin(kind)
		w.key("dataset").text(string(c.Dataset))
		return w
	}
	var all []streamEvent
	if c.Rows.Len() > 0 {
		rows, err := rowsArray(c.Dataset, c.Rows)
		if err != nil {
			return nil, err
		}
		w := about(eventRows)
		w.key("rows").raw(rows)
		w.key("position").integer(int(position))
		event := e.finish(w, dataset)
		event.rows = c.Rows.Len()
		all = append(all, event)
	}
	if c.IsCut || c.HasMoreRevisions {
		w := about(eventChanged)
		w.key("from").instant(c.Period.Start)
		w.key("to").instant(c.Period.End)
		w.key("rows").integer(c.Count)
		w.key("position").integer(int(position))
		w.key("href").text(web.RowsPath(c.Dataset) + "?from=" + c.Period.From().Format(addressInstant) + "&to=" + c.Period.To().Format(addressInstant))
		all = append(all, e.finish(w, dataset))
	}
	columns, keys := servedColumns(c.Dataset), c.Dataset.Series().ServedKeys()
	for _, r := range c.Revisions {
		column, isServed := columns[r.Column]
		if !isServed {
			continue
		}
		w := about(eventRevision)
		w.key("period_start_utc").instant(r.Start)
		w.key("keys").open('{')
		for i, value := range c.Dataset.Series().KeysOf(r.Series) {
			w.key(keys[i].Name).text(value)
		}
		w.close('}')
		w.key("column").text(column.Name)
		w.key("old").value(column, r.Old)
		w.key("new").value(column, r.New)
		w.key("seen_at").timestamp(r.Seen)
		w.key("position").integer(int(position))
		all = append(all, e.finish(w, dataset))
	}
	for _, date := range c.Completed {
		w := about(eventComplete)
		w.key("date").date(date)
		w.key("position").integer(int(position))
		all = append(all, e.finish(w, dataset))
	}
	return all, nil
}

// addressInstant is how an instant in UTC is written in an address.
const addressInstant = "2006-01-02T15:04:05Z"

// rowsArray returns rows as a JSON array of what they are in NDJSON.
func rowsArray(dataset market.Dataset, rows market.Chunk) ([]byte, error) {
	var lines bytes.Buffer
	w := format.New(format.NDJSON, &lines, format.HeadOf(dataset), format.Options{})
	if err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(format.Tail{}); err != nil {
		return nil, err
	}
	array := append([]byte{'['}, bytes.ReplaceAll(bytes.TrimSuffix(lines.Bytes(), []byte("\n")), []byte("\n"), []byte(","))...)
	return append(array, ']'), nil
}

// status makes the event of a state, which has no id.
func (e eventWriter) status(change events.StateChange) streamEvent {
	w := e.begin(eventStatus)
	w.key("dataset").text(string(change.Dataset))
	w.key("state").text(string(change.State))
	w.key("reason").textOrNull(string(change.Reason))
	event := e.finish(w, maskOf([]market.Dataset{change.Dataset}))
	event.bytes = append(event.bytes, '\n')
	return event
}

// reset makes the event for a listener that has missed commits that are no longer known.
func (e eventWriter) reset(position store.Position) *streamCommit {
	w := e.begin(eventReset)
	w.key("position").integer(int(position))
	return newStreamCommit(position, []streamEvent{e.finish(w, allDatasets)})
}
