package format

import "courant/store/market"

// Columns of the period. Their names say the time zone only where it is UTC.
var (
	periodStart = market.Text{FR: "Début de la période", EN: "Start of the period"}
	periodEnd   = market.Text{FR: "Fin de la période", EN: "End of the period"}

	startUTCColumn = market.ServedColumn{Name: "period_start_utc", Kind: market.KindInstant, Text: market.Text{
		FR: "Début de la période, UTC", EN: "Start of the period, UTC"}}
	endUTCColumn = market.ServedColumn{Name: "period_end_utc", Kind: market.KindInstant, Text: market.Text{
		FR: "Fin de la période, UTC", EN: "End of the period, UTC"}}

	startColumn = market.ServedColumn{Name: "period_start", Kind: market.KindInstant, Text: periodStart}
	endColumn   = market.ServedColumn{Name: "period_end", Kind: market.KindInstant, Text: periodEnd}

	localStartColumn = market.ServedColumn{Name: "period_start", Kind: market.KindInstant, Text: market.Text{
		FR: "Début de la période, heure de Paris", EN: "Start of the period, time in Paris"}}
	localEndColumn = market.ServedColumn{Name: "period_end", Kind: market.KindInstant, Text: market.Text{
		FR: "Fin de la période, heure de Paris", EN: "End of the period, time in Paris"}}
	offsetColumn = market.ServedColumn{Name: "utc_offset", Kind: market.KindString, Text: market.Text{
		FR: "Décalage de period_start par rapport à UTC", EN: "Offset of period_start from UTC"}}
)

// periodColumns returns the columns of the period in one time zone.
func periodColumns(zone Zone) []market.ServedColumn {
	if zone == Paris {
		return []market.ServedColumn{startColumn, endColumn}
	}
	return []market.ServedColumn{startUTCColumn, endUTCColumn}
}

// spreadsheetColumns are the columns of the period in the forms for spreadsheets.
var spreadsheetColumns = []market.ServedColumn{startUTCColumn, localStartColumn, localEndColumn, offsetColumn}

// columns returns all columns of a row: those of its period, then keys, then values.
func (h Head) columns(period []market.ServedColumn) []market.ServedColumn {
	all := make([]market.ServedColumn, 0, len(period)+len(h.Keys)+len(h.Columns))
	all = append(all, period...)
	for _, key := range h.Keys {
		all = append(all, market.ServedColumn{Name: key.Name, Kind: market.KindString, Text: key.Text, Values: key.Values})
	}
	return append(all, h.Columns...)
}

// kind is a market.Kind that can be compared quickly.
type kind uint8

const (
	numberKind kind = iota
	integerKind
	booleanKind
	textKind
	instantKind
)

var kinds = map[market.Kind]kind{
	market.KindNumber: numberKind, market.KindInteger: integerKind, market.KindBoolean: booleanKind, market.KindString: textKind,
	market.KindInstant: instantKind,
}

// cell is one column while its rows are written.
type cell struct {
	before []byte // what is written before each of its values
	kind   kind
	clock  *clock // of an instant

	last  float64 // the number written last, and its text
	shown []byte
}

// cells returns a cell for each column, with before(i) before the values of the i-th.
func cells(columns []market.ServedColumn, zone Zone, before func(i int) string) []cell {
	cells := make([]cell, len(columns))
	for i, column := range columns {
		cells[i] = cell{before: []byte(before(i)), kind: kinds[column.Kind]}
		if column.Kind == market.KindInstant {
			cells[i].clock = &clock{zone: zone.location()}
		}
	}
	return cells
}

// appendNumber appends a finite number. Values often stay the same from row to row, so the last one's text is kept.
func (c *cell) appendNumber(b []byte, v float64, point byte) []byte {
	if v != c.last || c.shown == nil {
		c.last, c.shown = v, appendNumber(c.shown[:0], v, point)
	}
	return append(b, c.shown...)
}
