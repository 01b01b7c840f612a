package api

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"time"

	"courant/store/market"
)

// rowsPage is where a page begins that is not the first one.
type rowsPage struct {
	position int64 // of the first page, which all pages show
	place    rowsPlace
}

// rowsPlace is a place between two rows in the order of an answer.
type rowsPlace struct {
	start int64 // of the period of the row after the place, seconds UTC
	row   int   // how many rows of that period come before the place
}

// cursorAt names the place where the page after this one begins. position is that of the first page. A cursor is good only
// for the same dataset and parameters. It carries the instants for which words such as now stood on the first page.
func (q *rowsQuery) cursorAt(position int64, place rowsPlace) string {
	content := binary.AppendUvarint(nil, uint64(position))
	for _, n := range []int64{
		q.period.Start, q.period.Seconds(), q.asOf.UnixMilli(), q.since.instant.UnixMilli(), place.start - q.period.Start, int64(place.row),
	} {
		content = binary.AppendVarint(content, n)
	}
	return q.encodeCursor(content)
}

// encodeCursor returns the text of a cursor with its checksum.
func (q *rowsQuery) encodeCursor(content []byte) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(content, q.seal(content)))
}

// seal ties the content of a cursor to the dataset and the other parameters.
func (q *rowsQuery) seal(content []byte) uint32 {
	return crc32.ChecksumIEEE([]byte(string(q.dataset) + "?" + q.repeated.Encode() + " " + string(content)))
}

// readCursor reads what cursorAt wrote; false if it did not write it.
func (q *rowsQuery) readCursor(text string) bool {
	content, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(content) < 4 {
		return false
	}
	content, seal := content[:len(content)-4], content[len(content)-4:]
	if binary.BigEndian.Uint32(seal) != q.seal(content) {
		return false
	}
	position, size := binary.Uvarint(content)
	if size <= 0 || position > 1<<53 {
		return false
	}
	content = content[size:]
	var numbers [6]int64
	for i := range numbers {
		n, size := binary.Varint(content)
		if size <= 0 || n > 1<<53 || n < -1<<53 {
			return false
		}
		numbers[i], content = n, content[size:]
	}
	if len(content) > 0 || numbers[1] < 0 || numbers[4] < 0 || numbers[4] >= numbers[1] || numbers[5] < 0 {
		return false
	}
	q.period = market.Period{Start: numbers[0], End: numbers[0] + numbers[1]}
	instants := []time.Time{q.period.From(), q.period.To()}
	if !q.asOf.IsZero() {
		q.asOf = time.UnixMilli(numbers[2]).UTC()
		instants = append(instants, q.asOf)
	}
	if !q.since.instant.IsZero() {
		q.since.instant = time.UnixMilli(numbers[3]).UTC()
		instants = append(instants, q.since.instant)
	}
	if slices.ContainsFunc(instants, func(t time.Time) bool { return !isInYears(t) }) {
		return false
	}
	q.page = &rowsPage{int64(position), rowsPlace{q.period.Start + numbers[4], int(numbers[5])}}
	return true
}

// nextQuery is the query of the address of the page after this one.
func (q *rowsQuery) nextQuery(position int64, place rowsPlace) string {
	return q.repeated.Encode() + "&cursor=" + q.cursorAt(position, place)
}
