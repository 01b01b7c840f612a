package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// The most listeners of the stream: with one token, or one account's sessions, and in all. A listener takes some 30 kB.
	listenersOfReader = 1500
	mostListeners     = 4000
	// streamComment is how long a listener hears nothing before it is sent a comment.
	streamComment = 15 * time.Second
	// longestStream is after how long a stream ends: its bytes and rows are counted for the day on which it began.
	longestStream = 24 * time.Hour
	// streamFarewell is how long a listener that is let go may take for what is being sent to it.
	streamFarewell = 500 * time.Millisecond
	// replayedDates is how many changed delivery dates are read at once of commits that are no longer in memory.
	replayedDates = 64
	// replaysAtOnce is how many listeners read such commits at a time.
	replaysAtOnce = 2
)

var problemTooManyListeners = problemRateLimited.retriedAfter(inFlightRetry).withDetail(
	"Trop d’auditeurs du flux : "+strconv.Itoa(listenersOfReader)+" par jeton, "+strconv.Itoa(mostListeners)+" en tout ; fermez ceux qui ne servent plus.",
	"Too many listeners of the stream: "+strconv.Itoa(listenersOfReader)+" with a token, "+strconv.Itoa(mostListeners)+" in all; close those that are not needed.")

// streamQuery is what a listener asks for.
type streamQuery struct {
	datasets []market.Dataset // nil: all that the caller may read
	after    store.Position
	isReplay bool // the listener asks for what came after the position; else for what comes from now on
}

func streamParameters() []queryParameter {
	return []queryParameter{
		choices("datasets", words(market.Datasets()), acceptedList),
		{name: "after", accepts: web.Text{
			FR: "une position, telle que dans « id » ou X-Courant-Position", EN: "a position, as in “id” or X-Courant-Position",
		}},
	}
}

// lastEventID is the header with the id of the last event that a client had before it connected again.
const lastEventID = "Last-Event-ID"

var problemInvalidEventID = problemInvalidParameter.withDetail(
	"L’en-tête Last-Event-ID accepte une position, telle que dans « id ».", "The header Last-Event-ID accepts a position, as in “id”.")

// parseStreamQuery reads the query of an address and the values of Last-Event-ID, which comes before the parameter after: clients that
// connect again send it to the address at which they began.
func parseStreamQuery(raw string, lastIDs []string) (streamQuery, error) {
	p := queryParser{parameters: streamParameters()}
	if err := p.split(raw); err != nil {
		return streamQuery{}, err
	}
	var q streamQuery
	names, err := p.list("datasets", isOneOf(words(market.Datasets())))
	if err != nil {
		return q, err
	}
	for _, name := range names {
		q.datasets = append(q.datasets, market.Dataset(name))
	}
	if text := p.given.Get("after"); text != "" {
		if q.after, q.isReplay = parsePosition(text); !q.isReplay {
			return q, p.refuseValue("after", text)
		}
	}
	if len(lastIDs) > 0 && lastIDs[0] != "" {
		if q.after, q.isReplay = parsePosition(lastIDs[0]); !q.isReplay {
			return q, problemInvalidEventID
		}
	}
	return q, nil
}

func parsePosition(text string) (position store.Position, valid bool) {
	const most = 18 // digits
	if !isDigits(text) || len(text) > most {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return store.Position(n), err == nil
}

// allowed returns the datasets that the listener is sent. The error is why the caller may not read all that it asks for, or none.
func (q *streamQuery) allowed(identity auth.Identity) ([]market.Dataset, error) {
	if q.datasets != nil {
		return q.datasets, mayRead(identity, q.datasets)
	}
	readable := slices.DeleteFunc(market.Datasets(), func(dataset market.Dataset) bool { return identity.May(dataset) != nil })
	if len(readable) == 0 {
		return nil, mayRead(identity, market.Datasets())
	}
	return readable, nil
}

// stream sends what changes, as server-sent events, until the client leaves, may no longer read it, falls behind or the service stops.
func (s *Server) stream(c echo.Context) error {
	identity, err := s.reader(c)
	if err != nil {
		return err
	}
	request := c.Request()
	query, err := parseStreamQuery(request.URL.RawQuery, request.Header[http.CanonicalHeaderKey(lastEventID)])
	if err != nil {
		return err
	}
	datasets, err := query.allowed(identity)
	if err != nil {
		return err
	}
	reader := cmp.Or(identity.TokenID, -identity.AccountID)
	if !s.listenersInFlight.add(reader, 1) {
		return problemTooManyListeners
	}
	defer s.listenersInFlight.remove(reader, 1)
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	l := &listener{
		identity: identity, began: s.clock.Now(), query: query, mask: maskOf(datasets), end: cancel,
		out: c.Response(), controller: http.NewResponseController(c.Response()),
	}
	position, err := s.hub.join(ctx, l)
	if err != nil {
		// Without an answer clients connect again; after 500 or 503 they do not.
		if ctx.Err() == nil {
			s.log.Error("stream not begun", "request", requestID(c), "error", err.Error())
		}
		panic(http.ErrAbortHandler)
	}
	defer s.hub.leave(l)
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("Vary", "Authorization, Cookie")
	header.Set("X-Accel-Buffering", "no") // nginx
	header.Set("X-Courant-Position", strconv.FormatInt(int64(position), 10))
	c.Response().WriteHeader(http.StatusOK)
	if request.Method == http.MethodHead {
		return nil
	}
	defer l.hurry(ctx)()
	if err := s.listen(ctx, l, position); err != nil && ctx.Err() == nil {
		s.log.Error("stream ended", "request", requestID(c), "error", err.Error())
	}
	return nil // the client connects again
}

// listener is a client of the stream.
type listener struct {
	identity auth.Identity
	began    time.Time
	query    streamQuery
	mask     mask
	end      context.CancelFunc

	out        http.ResponseWriter
	controller *http.ResponseController

	// The hub's lock guards these.
	next       int64 // number of the next commit to send; -1: not all commits before it have been read
	seenStates int   // number of the last change of a state that was sent
	from       store.Position

	sent, passed store.Position // the last id that was sent, and the last position whose events were all sent
}

// hurry makes what is being sent fail soon after ctx has ended, if the client does not take it. The function that it returns has to be
// called before the handler returns.
func (l *listener) hurry(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	cancelled := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = l.controller.SetWriteDeadline(time.Now().Add(streamFarewell))
	})
	return func() {
		if !cancelled() {
			<-done
		}
	}
}

// listen sends events until ctx ends or the listener has fallen behind. Errors are those of the database.
func (s *Server) listen(ctx context.Context, l *listener, position store.Position) error {
	if err := l.write(opening(s.hub.opened.Add(1), position, l.query.isReplay)); err != nil {
		return nil
	}
	if l.query.isReplay {
		l.sent, l.passed = l.query.after, l.query.after
		if err := s.replay(ctx, l); err != nil {
			return err
		}
	} else {
		l.sent, l.passed = position, position
	}
	quiet := s.clock.NewTimer(streamComment)
	defer quiet.Stop()
	isQuiet := false
	for ctx.Err() == nil {
		taken := s.hub.take(l)
		if taken.isBehind {
			s.hub.dropped.Add(1)
			return nil
		}
		wrote, err := s.sendEvents(ctx, l, taken)
		if err != nil {
			return nil
		}
		if isQuiet && !wrote {
			wrote = true
			if err := l.write(l.comment()); err != nil {
				return nil
			}
		}
		isQuiet = false
		if wrote {
			quiet.Reset(streamComment)
		}
		if len(taken.commits) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-taken.news:
		case <-quiet.Chan():
			isQuiet = true
		}
	}
	return nil
}

// sendEvents sends commits and changes of states. It reports whether there was anything to send to the listener.
func (s *Server) sendEvents(ctx context.Context, l *listener, taken taken) (wrote bool, err error) {
	put := func(part streamPart) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wrote = true
		s.hub.sent.Add(uint64(part.events))
		l.identity.Use().AddRows(part.rows)
		_, err := l.out.Write(part.bytes)
		return err
	}
	for _, commit := range taken.commits {
		part := commit.of(l.mask)
		l.passed = commit.position
		if part.events == 0 {
			continue
		}
		if err := put(part); err != nil {
			return wrote, err
		}
		l.sent = commit.position
	}
	for _, state := range taken.states {
		if !l.mask.has(state.dataset) {
			continue
		}
		if err := put(streamPart{bytes: state.bytes, events: 1}); err != nil {
			return wrote, err
		}
	}
	if !wrote {
		return false, nil
	}
	return true, l.controller.Flush()
}

// replay sends the commits after the position that the listener asks for, up to those that are in memory.
func (s *Server) replay(ctx context.Context, l *listener) error {
	for ctx.Err() == nil {
		if err := s.hub.catchUp(ctx); err != nil {
			return err
		}
		isAttached, reset := s.hub.attach(l, l.passed)
		commits := []*streamCommit{reset}
		if reset == nil {
			if isAttached {
				return nil
			}
			var err error
			if commits, err = s.hub.read(ctx, l.passed); err != nil {
				return err
			}
		}
		if _, err := s.sendEvents(ctx, l, taken{commits: commits}); err != nil || isAttached {
			return nil
		}
	}
	return nil
}

// write writes a part and sends it.
func (l *listener) write(part []byte) error {
	if _, err := l.out.Write(part); err != nil {
		return err
	}
	return l.controller.Flush()
}

// comment returns a comment. If commits have passed without an event for the listener, it has the id of the last one, so that the
// listener is sent nothing of them when it connects again.
func (l *listener) comment() []byte {
	comment := []byte(":\n")
	if l.passed > l.sent {
		l.sent = l.passed
		comment = appendID(comment, l.sent)
	}
	return append(comment, '\n')
}
