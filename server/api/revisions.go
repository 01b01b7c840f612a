package api

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// mostRevisionDates is the greatest number of delivery dates that one request for revisions may span.
	mostRevisionDates = 366
	// mostRevisions is the greatest number of revisions on a page: some 2 MB.
	mostRevisions = 10_000
	// revisionChunk is the size in bytes of the parts in which an answer without a limit is sent. It is more than the
	// bytes for which the entrance sets one deadline.
	revisionChunk = 1 << 20
)

// revisionQuery is the parsed query of a request for revisions.
type revisionQuery struct {
	dataset     market.Dataset
	first, last market.DeliveryDate
	limit       int // 0: all
	after       store.RevisionAt
}

// revisions answers the changes of a dataset's values on the delivery dates from first to last, both included: one page if
// the query has a limit, else all of them, sent while they are read.
func (s *Server) revisions(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	dataset, known := market.ParseDataset(c.Param("dataset"))
	if !known {
		return problemNotFound
	}
	if err := identity.May(dataset); err != nil {
		return err
	}
	q, err := readRevisionQuery(dataset, c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	if !s.revisionsInFlight.add(identity.AccountID, 1) {
		return problemTooManyAnswers
	}
	defer s.revisionsInFlight.remove(identity.AccountID, 1)
	columns := servedColumns(dataset)
	var w jsonWriter
	w.open('{')
	w.key("revisions").open('[')
	listed := 0
	var last store.Revision
	var next string
	for revision, err := range s.store.Revisions(c.Request().Context(), dataset, q.first, q.last, q.after) {
		switch {
		case errors.Is(err, store.ErrNotFound):
			return problemInvalidCursor
		case err != nil:
			return s.abort(c, err)
		}
		if q.limit > 0 && listed == q.limit {
			next = q.next(last.At())
			break
		}
		w.revision(columns, revision)
		listed++
		last = revision
		if q.limit == 0 && len(w.bytes) >= revisionChunk {
			if err := sendPart(c, &w); err != nil || c.Request().Method == http.MethodHead {
				return err
			}
		}
	}
	w.close(']')
	countRows(c, listed)
	w.key("next").textOrNull(next)
	w.close('}')
	if c.Response().Committed {
		return sendPart(c, &w)
	}
	if next != "" {
		c.Response().Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	return s.sendData(c, w.bytes)
}

// sendPart sends the bytes written so far of an answer whose length is not known; to HEAD only the header.
func sendPart(c echo.Context, w *jsonWriter) error {
	if !c.Response().Committed {
		setDataHeaders(c)
		c.Response().Header().Set("Content-Type", "application/json")
		c.Response().WriteHeader(http.StatusOK)
	}
	if c.Request().Method == http.MethodHead {
		return nil
	}
	_, err := c.Response().Write(w.bytes)
	w.bytes = w.bytes[:0]
	return err
}

// abort ends an answer that failed half way. If part of it was sent, it closes the connection, so that the client does not
// take that part for the whole answer; else it returns the error.
func (s *Server) abort(c echo.Context, err error) error {
	if !c.Response().Committed {
		return err
	}
	if c.Request().Context().Err() == nil {
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "answer cut short",
			slog.String("request", requestID(c)), slog.String("path", c.Request().URL.Path), slog.String("error", err.Error()))
	}
	panic(http.ErrAbortHandler)
}

// readRevisionQuery parses the query of an address.
func readRevisionQuery(dataset market.Dataset, raw string) (revisionQuery, error) {
	q := revisionQuery{dataset: dataset}
	given, err := url.ParseQuery(raw)
	if err != nil {
		return q, problemRevisionParameters
	}
	for name, values := range given {
		if !slices.Contains([]string{"from", "to", "limit", "cursor"}, name) || len(values) > 1 || values[0] == "" {
			return q, problemRevisionParameters
		}
	}
	var firstErr, lastErr error
	q.first, firstErr = market.ParseDeliveryDate(given.Get("from"))
	q.last, lastErr = market.ParseDeliveryDate(given.Get("to"))
	if firstErr != nil || lastErr != nil || q.last.Before(q.first) || q.first.DaysUntil(q.last) >= mostRevisionDates {
		return q, problemInvalidDates
	}
	if given.Has("limit") {
		limit, err := strconv.ParseUint(given.Get("limit"), 10, 32)
		if err != nil || limit < 1 || limit > mostRevisions {
			return q, problemInvalidLimit
		}
		q.limit = int(limit)
	}
	if given.Has("cursor") {
		var valid bool
		if q.after, valid = q.readCursor(given.Get("cursor")); !valid {
			return q, problemInvalidCursor
		}
	}
	return q, nil
}

// next returns the address of the page that begins after a revision.
func (q revisionQuery) next(at store.RevisionAt) string {
	return web.RevisionsPath(q.dataset) + "?from=" + q.first.String() + "&to=" + q.last.String() +
		"&limit=" + strconv.Itoa(q.limit) + "&cursor=" + q.cursor(at)
}

// cursor encodes the position of a revision. It is valid for the same dataset and dates only.
func (q revisionQuery) cursor(at store.RevisionAt) string {
	position := binary.AppendUvarint(nil, uint64(at.Start-q.first.Period().Start))
	position = binary.AppendUvarint(position, uint64(at.Rank))
	position = binary.AppendUvarint(position, uint64(at.ID))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(position, q.checksum(position)))
}

// checksum returns the checksum of a position together with the dataset and the dates.
func (q revisionQuery) checksum(position []byte) uint32 {
	return crc32.ChecksumIEEE([]byte(string(q.dataset) + " " + q.first.String() + " " + q.last.String() + " " + string(position)))
}

// readCursor decodes a cursor; valid is false if it was not made by cursor for the same dataset and dates.
func (q revisionQuery) readCursor(text string) (at store.RevisionAt, valid bool) {
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(bytes) < 4 {
		return at, false
	}
	position, checksum := bytes[:len(bytes)-4], binary.BigEndian.Uint32(bytes[len(bytes)-4:])
	if checksum != q.checksum(position) {
		return at, false
	}
	var numbers [3]int64
	for i := range numbers {
		number, n := binary.Uvarint(position)
		if n <= 0 || number > 1<<53 {
			return at, false
		}
		numbers[i], position = int64(number), position[n:]
	}
	at = store.RevisionAt{Start: q.first.Period().Start + numbers[0], Rank: int(numbers[1]), ID: numbers[2]}
	return at, len(position) == 0 && at.ID > 0
}

var (
	problemRevisionParameters = problemInvalidParameter.withDetail(
		"Donnez « from », « to » et éventuellement « limit » et « cursor », chacun une fois et avec une valeur ; il n’y a pas d’autre paramètre.",
		"Give “from”, “to” and optionally “limit” and “cursor”, each once and with a value; there are no other parameters.")
	problemInvalidLimit = problemInvalidParameter.withDetail(
		"« limit » est un nombre entier de 1 à 10000.", "“limit” is a whole number from 1 to 10000.")
	problemInvalidCursor = problemInvalidParameter.withDetail(
		"« cursor » ne vient pas d’une réponse pour le même jeu de données et les mêmes dates ; suivez « next », ou recommencez sans « cursor ».",
		"“cursor” does not come from an answer for the same dataset and dates; follow “next”, or begin again without “cursor”.")
)

// servedColumns returns the served columns of a dataset by their names in the database, with which the store lists revisions.
func servedColumns(dataset market.Dataset) map[string]market.ServedColumn {
	columns := map[string]market.ServedColumn{}
	for _, column := range dataset.Series().ServedColumns() {
		columns[column.Stored] = column
	}
	return columns
}

// revision writes a revision, with the column name and the scale of the dataset's own endpoint.
func (w *jsonWriter) revision(columns map[string]market.ServedColumn, r store.Revision) {
	column := columns[r.Column]
	w.open('{')
	w.key("period_start_utc").instant(r.Start)
	w.key("series").text(r.Series)
	w.key("column").text(column.Name)
	w.key("old").value(column, r.Old)
	w.key("new").value(column, r.New)
	w.key("seen_at").timestamp(r.Seen)
	w.close('}')
}

// value writes a value of a column, in the unit in which it is served.
func (w *jsonWriter) value(column market.ServedColumn, v market.Value) {
	switch column.Kind {
	case market.KindNumber:
		w.number(column.Scale(v.Number))
	case market.KindBoolean:
		w.flag(market.Flag{V: v.Number.V != 0, Valid: v.Number.Valid})
	default:
		w.string(v.Text)
	}
}
