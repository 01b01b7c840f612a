package api

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/api/format"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// shortAnswer is the most rows of an answer that does not count as a long one.
	shortAnswer = 100_000
	// shortReading is the most rows from which the resampled rows of an answer are made that does not count as a long one.
	shortReading = 1_000_000
	// The most long answers at a time: with one token, or one account's sessions, and in all.
	longAnswersOfReader = 2
	longAnswers         = 8
	// rowsPiece is how many bytes of an answer are sent at once: the entrance gives a client 12 s for each write, which is
	// 16 KiB/s.
	rowsPiece = 192 << 10
)

var (
	problemTooManyLongAnswers = problemRateLimited.retriedAfter(inFlightRetry).withDetail(
		"Deux longues réponses par jeton, et huit en tout, sont déjà en cours ; lisez-les jusqu’au bout, ou demandez moins de lignes avec « limit ».",
		"Two long answers of this token, or eight in all, are under way; read them to the end, or ask for fewer rows with “limit”.")
	problemThinnedThen = problemInvalidParameter.withDetail(
		"« as_of » est antérieur à la suppression des pas de 4 secondes d’une date demandée : ce qui était connu alors n’est plus conservé.",
		"“as_of” is before the 4 second steps of a requested date were removed: what was known then is no longer kept.")
	problemThinnedBetween = problemInvalidParameter.withDetail(
		"Les pas de 4 secondes d’une date demandée ont été supprimés après la première page ; recommencez sans « cursor ».",
		"The 4 second steps of a date that is asked for were removed after the first page; begin again without “cursor”.")
	problemInvalidRowsCursor = problemInvalidParameter.withDetail(
		"« cursor » ne vient pas d’une réponse aux mêmes autres paramètres ; suivez « next », ou recommencez sans « cursor ».",
		"“cursor” does not come from an answer to the same other parameters; follow “next”, or begin again without “cursor”.")
)

// problemTooManyRows is the problem that a form cannot take as many rows.
func problemTooManyRows(form format.Form) *problem {
	most := strconv.Itoa(form.MostRows())
	return problemInvalidParameter.withDetail(
		"« format="+string(form)+" » ne peut avoir que "+most+" lignes ; demandez une période plus courte, « limit », une « resolution » ou un autre « format ».",
		"“format="+string(form)+"” can have "+most+" rows only; ask for a shorter range, a “limit”, a “resolution” or another “format”.")
}

// rows answers the rows of a dataset for any range, in any form. It streams them: an answer is of one moment, and its
// memory does not grow with its length.
func (s *Server) rows(c echo.Context) error {
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
	request, memo := c.Request(), s.memo()
	latest, _ := s.bodies.latest(dataset)
	asked := s.rowsRequest(c, dataset, latest, identity)
	if known := memo.validator(asked, s.clock.Now()); known != nil && matchesAny(request.Header["If-None-Match"], known.tag[0]) {
		known.setHeaders(c.Response().Header())
		c.Response().WriteHeader(http.StatusNotModified)
		return nil
	}
	query, err := parseRowsQuery(dataset, request.URL.RawQuery, request.Header["Accept"], s.clock.Now(), latest)
	if err != nil {
		return err
	}
	answer, release, err := s.openRows(request.Context(), memo, identity, query)
	if err != nil {
		return err
	}
	defer release()
	return s.sendRows(c, answer, func(v *rowsValidator) { memo.remember(asked, v) })
}

// openRows finds all of an answer but its rows. A long answer is counted until release is called.
func (s *Server) openRows(ctx context.Context, memo *rowsMemo, identity auth.Identity, q rowsQuery) (answer *rowsAnswer, release func(), err error) {
	if answer, err = s.beginRows(ctx, q); err != nil {
		return nil, nil, err
	}
	answer.use = identity.Use()
	isLong, err := answer.isLong(ctx)
	if err != nil {
		return nil, nil, err
	}
	if release, err = s.admitLong(identity, isLong); err != nil {
		return nil, nil, err
	}
	if err = answer.countRows(ctx); err == nil && (q.format == format.JSON || q.format == format.Columns) {
		answer.missing, err = s.missingDates(ctx, memo, identity, answer)
	}
	if err != nil {
		release()
	}
	return answer, release, err
}

// rowsAnswer is an answer of rows before the first of them is read.
type rowsAnswer struct {
	query    rowsQuery
	source   *rowsSource
	reading  *store.Reading
	columns  []market.ServedColumn
	missing  []format.Missing
	nextPage *rowsPlace // nil: there is no further page
	use      *auth.Use  // counts the rows; may be nil
}

// beginRows finds the moment of an answer.
func (s *Server) beginRows(ctx context.Context, q rowsQuery) (*rowsAnswer, error) {
	source, err := s.newRowsSource(ctx, q)
	if err != nil {
		return nil, q.explain(err)
	}
	return &rowsAnswer{query: q, source: source, reading: source.reading, columns: source.columns()}, nil
}

// explain turns an error of the store into a problem, as long as nothing has been sent. Other errors are returned unchanged.
func (q *rowsQuery) explain(err error) error {
	isThinned := errors.Is(err, store.ErrThinned)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return problemInvalidRowsCursor
	case isThinned && q.page != nil:
		return problemThinnedBetween
	case isThinned && !q.asOf.IsZero():
		return problemThinnedThen
	}
	return explainReading(err)
}

// explainReading turns an error of reading the newest rows into a problem. Other errors are returned unchanged.
func explainReading(err error) error {
	if errors.Is(err, store.ErrThinned) { // just now: the next try finds the means
		return problemUnavailable
	}
	return err
}

// countRows refuses more rows than the form can take and finds, of a page, where the next one begins.
func (answer *rowsAnswer) countRows(ctx context.Context) error {
	q, source := &answer.query, answer.source
	const open = 4 // a capacity dataset has at most 12 rows a quarter hour
	if most := q.format.MostRows(); most > 0 && q.limit == 0 && source.mostRows(open) > most {
		n, _, err := source.count(ctx, most+1)
		if err != nil {
			return q.explain(err)
		}
		if n > most {
			return problemTooManyRows(q.format)
		}
	}
	if q.limit > 0 {
		n, next, err := source.count(ctx, q.limit+1)
		if err != nil {
			return q.explain(err)
		}
		if n > q.limit {
			answer.nextPage = &next
		}
	}
	return nil
}

// missingDates lists the delivery dates of an answer that are not complete.
func (s *Server) missingDates(ctx context.Context, memo *rowsMemo, identity auth.Identity, answer *rowsAnswer) ([]format.Missing, error) {
	found, err := memo.report(ctx, s, identity.Admin, answer.source.newest)
	if err != nil {
		return nil, err
	}
	var missing []format.Missing
	for _, status := range found.Datasets {
		if status.Dataset != answer.query.dataset {
			continue
		}
		for _, m := range status.Missing {
			if overlaps(m.Date.Period(), answer.query.period) {
				missing = append(missing, format.Missing{Date: m.Date, Expected: m.Expected, Received: m.Received, Reason: string(m.Reason)})
			}
		}
	}
	if answer.query.resolution == "" {
		step := answer.query.dataset.Series().StepSeconds()
		for _, date := range answer.reading.Thinned {
			missing = append(missing, format.Missing{Date: date, Expected: date.Steps(step), Reason: string(report.ReasonThinned)})
		}
	}
	slices.SortStableFunc(missing, func(a, b format.Missing) int { return b.Date.DaysUntil(a.Date) })
	return missing, nil
}

func overlaps(a, b market.Period) bool { return a.Start < b.End && b.Start < a.End }

// admitLong counts a long answer until release is called.
func (s *Server) admitLong(identity auth.Identity, isLong bool) (release func(), err error) {
	if !isLong {
		return func() {}, nil
	}
	reader := identity.TokenID
	if reader == 0 {
		reader = -identity.AccountID
	}
	if !s.longAnswers.add(reader, 1) {
		return nil, problemTooManyLongAnswers
	}
	return func() { s.longAnswers.remove(reader, 1) }, nil
}

// isLong reports whether the answer may have many rows, or be made from very many.
func (answer *rowsAnswer) isLong(ctx context.Context) (bool, error) {
	made := answer.source.mostRows(1)
	part := 1. // of the range that is read
	if limit := answer.query.limit; limit > 0 && limit < made {
		part = float64(limit) / float64(made)
		made = limit
	}
	if made > shortAnswer || answer.query.resolution == "" {
		return made > shortAnswer, nil
	}
	isLong := func(rows int) bool { return float64(rows)*part > shortReading }
	if read := answer.source.mostRead(1); !answer.source.ofHours() || !isLong(read) {
		return isLong(read), nil
	}
	rows, err := answer.source.mostUnsummarised(ctx)
	return isLong(rows), err
}

// sendRows sends the rows, or 304 if the client has them. remember is called with the headers that a 304 has.
func (s *Server) sendRows(c echo.Context, answer *rowsAnswer, remember func(*rowsValidator)) error {
	q, header := &answer.query, c.Response().Header()
	coding := ""
	if !q.format.IsCompressed() {
		coding = streamCoding(c.Request().Header["Accept-Encoding"])
	}
	next := answer.nextAddress()
	validator := &rowsValidator{
		made: s.clock.Now(), tag: []string{rowsTag(answer, language(c), coding, next)},
		position:    []string{strconv.FormatInt(int64(answer.reading.Changed), 10)},
		attribution: []string{market.Attribution(q.dataset.About().Source)},
	}
	if next != "" {
		validator.next = []string{"<" + next + `>; rel="next"`}
	}
	remember(validator)
	validator.setHeaders(header)
	if matchesAny(c.Request().Header["If-None-Match"], validator.tag[0]) {
		c.Response().WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set("Content-Type", q.format.ContentType())
	if disposition := q.contentDisposition(s.simulated); disposition != "" {
		header.Set("Content-Disposition", disposition)
	}
	if coding != "" {
		header.Set("Content-Encoding", coding)
	}
	if c.Request().Method == http.MethodHead {
		c.Response().WriteHeader(http.StatusOK)
		return nil
	}
	stream := newRowsStream(c, coding)
	err := answer.write(language(c), s.simulated, next, answer.source.rows(c.Request().Context(), q.limit), stream, stream.begin)
	if err == nil {
		err = stream.end()
	}
	if err != nil {
		if !c.Response().Committed {
			for _, name := range []string{
				"Content-Encoding", "Content-Disposition", "Etag", "Link", "X-Courant-Position", "X-Courant-Attribution",
			} {
				header.Del(name)
			}
		}
		return s.abort(c, answer.query.explain(err))
	}
	return nil
}

// nextAddress returns the address of the next page; it is empty on the last page.
func (a *rowsAnswer) nextAddress() string {
	if a.nextPage == nil {
		return ""
	}
	return web.RowsPath(a.query.dataset) + "?" + a.query.nextQuery(int64(a.reading.Changed), *a.nextPage)
}

// write writes the answer with these rows; written is called after each chunk.
func (answer *rowsAnswer) write(
	l web.Language, simulated bool, next string, rows iter.Seq2[market.Chunk, error], out io.Writer, written func() error,
) error {
	q := &answer.query
	head := format.HeadOf(q.dataset)
	head.Simulated, head.Period, head.AsOf, head.Columns = simulated, q.period, q.asOf, answer.columns
	head.Position, head.GeneratedAt = int64(answer.reading.Changed), answer.reading.ChangedAt
	if q.resolution != "" {
		head.Resolution = string(q.resolution)
	}
	options := format.Options{Zone: format.UTC, Null: q.nulls, Doubles: q.doubles, French: l == web.French}
	if q.inParis {
		options.Zone = format.Paris
	}
	w := format.New(q.format, out, head, options)
	for chunk, err := range rows {
		if err == nil {
			answer.use.AddRows(chunk.Len())
			err = w.Write(chunk)
		}
		if err == nil {
			err = written()
		}
		if err != nil {
			return err
		}
	}
	return w.Close(format.Tail{Missing: answer.missing, Next: next})
}

// rowsTag returns the entity tag of an answer. It follows from the query, the coding, the language and what is shown: rows of a past moment
// change with every commit if they have a column without revisions, which the store reads as it is now.
func rowsTag(answer *rowsAnswer, l web.Language, coding, next string) string {
	sum, shown := sha256.New(), answer.reading.Changed
	if slices.ContainsFunc(answer.columns, func(c market.ServedColumn) bool { return !c.Revised }) {
		shown = answer.reading.Latest
	}
	fmt.Fprintf(sum, "%s\n%s\n%d %d %d\n%v\n%s", answer.query.canonical(), l, answer.reading.Changed, shown, answer.reading.ChangedAt.UnixMilli(), answer.missing, next)
	tag := hex.EncodeToString(sum.Sum(nil)[:12])
	switch coding {
	case codingGzip:
		tag += ".gz"
	case codingZstd:
		tag += ".zst"
	}
	return `"` + tag + `"`
}

// streamCoding is the coding of a stream that Accept-Encoding prefers; empty for none.
func streamCoding(accept []string) string {
	if len(accept) == 0 {
		return ""
	}
	liked := parseAcceptEncoding(accept)
	switch {
	case liked.zstd > 0 && liked.zstd >= max(liked.plain, liked.gzip):
		return codingZstd
	case liked.prefersGzip():
		return codingGzip
	}
	return ""
}

// rowsStream sends an answer as it is made, in pieces. The first rows leave at once.
type rowsStream struct {
	response *echo.Response
	pieces   *bufio.Writer
	coder    interface {
		io.WriteCloser
		Flush() error
	} // nil: no coding
	begun bool
}

func newRowsStream(c echo.Context, coding string) *rowsStream {
	s := &rowsStream{response: c.Response(), pieces: bufio.NewWriterSize(c.Response(), rowsPiece)}
	switch coding {
	case codingGzip:
		s.coder, _ = gzip.NewWriterLevel(s.pieces, gzip.BestSpeed)
	case codingZstd:
		const window = 1 << 20
		s.coder, _ = zstd.NewWriter(s.pieces, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	}
	return s
}

func (s *rowsStream) Write(p []byte) (int, error) {
	if s.coder != nil {
		return s.coder.Write(p)
	}
	return s.pieces.Write(p)
}

// begin sends what there is after the first rows.
func (s *rowsStream) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	if err := s.flush(); err != nil {
		return err
	}
	return http.NewResponseController(s.response).Flush()
}

func (s *rowsStream) flush() error {
	if s.coder != nil {
		if err := s.coder.Flush(); err != nil {
			return err
		}
	}
	return s.pieces.Flush()
}

// end sends the rest.
func (s *rowsStream) end() error {
	if s.coder != nil {
		if err := s.coder.Close(); err != nil {
			return err
		}
	}
	return s.pieces.Flush()
}
