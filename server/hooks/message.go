package hooks

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"courant/ingest/report"
	"courant/server/events"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// mostPeriods is how many periods a message has at most, and mostRevisions how many revisions.
	mostPeriods   = 1000
	mostRevisions = 100
)

// message is the body of a delivery.
type message struct {
	Type      Type           `json:"type"`
	Timestamp report.Instant `json:"timestamp"` // of the event
	Data      any            `json:"data"`
}

// common is what the data of every message have.
type common struct {
	Dataset   market.Dataset `json:"dataset"`
	Simulated bool           `json:"simulated,omitempty"`
}

// priceData are the data of a price condition. Column, Unit, Keys, Count and Position are given beside what the contract has.
type priceData struct {
	common
	Date      market.DeliveryDate `json:"date"`
	Column    string              `json:"column"`
	Unit      market.Unit         `json:"unit"`
	Keys      map[string]Values   `json:"keys"`
	Threshold number              `json:"threshold"`
	Count     int                 `json:"count"` // of the periods that fulfil the condition
	Periods   []pricePeriod       `json:"periods"`
	Position  store.Position      `json:"position"`
}

// pricePeriod is a period that fulfils a condition.
type pricePeriod struct {
	Start report.Instant    `json:"start"`
	End   report.Instant    `json:"end"`
	Value number            `json:"value"`
	Keys  map[string]string `json:"keys,omitempty"`
}

// dateData are the data of DateComplete.
type dateData struct {
	common
	Date     market.DeliveryDate `json:"date"`
	Position store.Position      `json:"position"`
}

// revisedData are the data of RowsRevised.
type revisedData struct {
	common
	Position  store.Position `json:"position"`
	From      report.Instant `json:"from"` // of the periods that the commit changed
	To        report.Instant `json:"to"`
	Revisions []revision     `json:"revisions"`
	More      bool           `json:"more"` // there are others; href has all
	Href      string         `json:"href"`
}

type revision struct {
	Start  report.Instant    `json:"period_start_utc"`
	Keys   map[string]string `json:"keys"`
	Column string            `json:"column"`
	Old    any               `json:"old"`
	New    any               `json:"new"`
	Seen   report.Instant    `json:"seen_at"`
}

// stateData are the data of FeedLate and FeedRecovered.
type stateData struct {
	common
	State  report.State   `json:"state"`
	Reason *report.Reason `json:"reason"`
}

// testData are the data of Test.
type testData struct {
	Webhook   int64 `json:"webhook"`
	Simulated bool  `json:"simulated,omitempty"`
}

// number is a number that JSON has in its shortest decimal form.
type number float64

// MarshalText would quote it.
func (n number) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n)+0, 'f', -1, 64), nil // +0: no -0
}

// A body of more than packedFrom bytes is stored packed: one with a thousand periods takes a tenth of the memory and the disk.
const packedFrom = 1 << 10

var (
	// With one decoder and one encoder there are no goroutines. The options are good, so there are no errors.
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	packedStart = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// packed returns a body as it is stored.
func packed(body []byte) []byte {
	if len(body) < packedFrom {
		return body
	}
	return bytes.Clone(packer.EncodeAll(body, nil)) // without the room that it was given
}

// unpacked returns a stored body as it is sent.
func unpacked(stored []byte) ([]byte, error) {
	if !bytes.HasPrefix(stored, packedStart) {
		return stored, nil
	}
	return unpacker.DecodeAll(stored, nil)
}

// delivery makes what is sent to a hook.
func (s *Service) delivery(hookID int64, kind Type, dataset market.Dataset, at time.Time, data any) (store.Delivery, error) {
	body, err := json.Marshal(message{kind, report.Instant(at), data})
	now := s.Clock.Now()
	return store.Delivery{
		ID: "msg_" + rand.Text(), HookID: hookID, Type: string(kind), Dataset: dataset, Body: packed(body), Created: now, Next: now,
	}, err
}

// keysOf names the values of keys.
func keysOf(names, values []string) map[string]string {
	keys := map[string]string{}
	for i, name := range names {
		keys[name] = values[i]
	}
	return keys
}

// keyNames returns the names of the keys of a dataset.
func keyNames(dataset market.Dataset) []string {
	var names []string
	for _, key := range dataset.Series().ServedKeys() {
		names = append(names, key.Name)
	}
	return names
}

// revisedData returns what a commit revised, as far as the event asks for it; false if that is nothing. The change has all of
// its revisions.
func (s *Service) revisedData(e Event, c events.Change, position store.Position) (revisedData, bool) {
	data := revisedData{
		common: s.common(c.Dataset), Position: position, Revisions: []revision{},
		From: report.Instant(c.Period.From()), To: report.Instant(c.Period.To()),
		Href: fmt.Sprintf("%s?from=%s&to=%s", web.RevisionsPath(c.Dataset),
			market.DeliveryDateOf(c.Period.From()), market.DeliveryDateOf(c.Period.To().Add(-time.Second))),
	}
	columns := map[string]market.ServedColumn{}
	for _, column := range c.Dataset.Series().ServedColumns() {
		columns[column.Stored] = column
	}
	names := keyNames(c.Dataset)
	for _, r := range c.Revisions {
		column, isServed := columns[r.Column]
		values := c.Dataset.Series().KeysOf(r.Series)
		if !isServed || e.Column != "" && column.Name != e.Column || !e.covers(names, values) {
			continue
		}
		if data.More = len(data.Revisions) == mostRevisions; data.More {
			break
		}
		data.Revisions = append(data.Revisions, revision{
			Start: report.Instant(time.Unix(r.Start, 0)), Keys: keysOf(names, values), Column: column.Name,
			Old: served(column, r.Old), New: served(column, r.New), Seen: report.Instant(r.Seen),
		})
	}
	return data, len(data.Revisions) > 0
}

// served returns a value as it is served.
func served(column market.ServedColumn, v market.Value) any {
	switch {
	case v.IsNull():
		return nil
	case column.Kind == market.KindNumber:
		return number(column.Scale(v.Number).V)
	case column.Kind == market.KindBoolean:
		return v.Number.V != 0
	}
	return v.Text.V
}

func (s *Service) common(dataset market.Dataset) common { return common{dataset, s.Simulated} }
