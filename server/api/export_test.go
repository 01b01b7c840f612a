package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"weak"

	"github.com/jonboulle/clockwork"
	"github.com/labstack/echo/v4"

	"courant/store"
	"courant/store/market"
)

// BodyOf returns the answer of a dataset's endpoint.
func BodyOf(dataset market.Dataset, window store.Window) []byte { return viewOf(dataset).body(window) }

// Shorten makes an example of an answer.
var Shorten = shorten

// Snapshot returns the bodies that are served now, by endpoint.
func (s *Server) Snapshot() map[string][]byte {
	served := map[string][]byte{}
	if all := s.bodies.current.Load(); all != nil {
		for name, body := range all.answers {
			served[name] = bytes.Clone(body.plain.bytes)
		}
	}
	return served
}

// Served returns the address of a body, which changes when the body is built again.
func (s *Server) Served(endpoint string) *byte {
	body, built := s.bodies.of(endpoint)
	if !built {
		return nil
	}
	return &body.plain.bytes[0]
}

// Handle adds a route.
func (s *Server) Handle(path string, handler http.HandlerFunc) {
	s.echo.GET(path, echo.WrapHandler(handler))
}

// Routes returns the routes of the server as the OpenAPI document writes them, without HEAD and OPTIONS.
func (s *Server) Routes() []string {
	parameter := regexp.MustCompile(`:(\w+)`)
	var all []string
	for _, route := range s.echo.Routes() {
		if route.Method == http.MethodHead || route.Method == echo.RouteNotFound {
			continue
		}
		path := strings.Replace(parameter.ReplaceAllString(route.Path, "{$1}"), "*", "{file}", 1)
		all = append(all, route.Method+" "+path)
	}
	return all
}

// PeerOf returns the client address that the server takes from r.
func (s *Server) PeerOf(r *http.Request) string { return s.echo.NewContext(r, nil).RealIP() }

// NewLimits returns a function that counts a request of a token against new limits.
func NewLimits(clock clockwork.Clock, perMinute int) func(tokenID int64) (time.Duration, bool) {
	limits := newLimits(clock, perMinute)
	return func(tokenID int64) (time.Duration, bool) {
		left, ok := limits.take(tokenID)
		return left.wait, ok
	}
}

// DoNotWaitForArchive makes requests answer at once when files have yet to be made.
func (s *Server) DoNotWaitForArchive() { s.archiveWait = 0 }

// Settle waits for the work that goes on after answers.
func (s *Server) Settle() { s.working.Wait() }

// Alive returns a function that returns which of the bodies served now are still in memory, by endpoint.
func (s *Server) Alive() func() []string {
	held := map[string]weak.Pointer[document]{}
	for name, served := range s.bodies.current.Load().answers {
		held[name] = weak.Make(served)
	}
	return func() []string {
		var names []string
		for name, served := range held {
			if served.Value() != nil {
				names = append(names, name)
			}
		}
		return names
	}
}

// Chooser returns a function that chooses among the codings of a compressed document.
func Chooser() func(accept []string) {
	d := large()
	d.compress()
	return func(accept []string) { d.choose(accept) }
}

// Chosen returns the coding of large content for an Accept-Encoding, once it is compressed; empty: identity.
func Chosen(accept ...string) string {
	d := large()
	d.compress()
	return strings.Join(d.choose(accept).coding, "")
}

// MatchesTag reports whether a value of If-None-Match matches a tag.
var MatchesTag = matchesTag

// large returns a document that is large enough to be compressed.
func large() *document {
	return newDocument("text/plain", bytes.Repeat([]byte("content "), leastCompressed))
}

// QuickAndBest returns the tags of a document in the quick and in the best gzip.
func QuickAndBest() (quick, packed string) {
	d := large()
	quick = d.choose([]string{codingGzip}).tag[0]
	d.compress()
	return quick, d.choose([]string{codingGzip}).tag[0]
}

// HeldAfterPacking returns the tag that matches a client's tag once a document is compressed well.
func HeldAfterPacking(tag string) string {
	d := large()
	d.compress()
	return strings.Join(d.matchingTag([]string{tag}, d.choose([]string{codingGzip})), "")
}

// TakeOf counts a request of a token, and returns how many tokens have limits.
func (s *Server) TakeOf(tokenID int64) (known int) {
	s.limits.take(tokenID)
	return len(s.limits.byToken)
}

// QueuedMails queues many mails that one origin asks for, and then one for each of a few persons. It returns the order
// in which they are sent, and how many are dropped.
func QueuedMails(ofOne, persons int) (sent []string, dropped int) {
	q := &mailQueue{sending: mostMailsAtOnce}
	add := func(name string, asked int) {
		_, one := q.add(queuedMail{asked: asked, send: func(context.Context) error { sent = append(sent, name); return nil }})
		if one {
			dropped++
		}
	}
	for i := range ofOne {
		add("flood", i+1)
	}
	for i := range persons {
		add("person "+strconv.Itoa(i), 0)
	}
	for {
		next, found := q.next()
		if !found {
			return sent, dropped
		}
		_ = next.send(context.Background())
	}
}

// LongAnswers returns how many long answers of rows are under way.
func (s *Server) LongAnswers() int {
	s.longAnswers.mu.Lock()
	defer s.longAnswers.mu.Unlock()
	return s.longAnswers.sum
}

// FillLongAnswers counts as many long answers as there may be, until release is called.
func (s *Server) FillLongAnswers() (release func()) {
	for account := range int64(longAnswers) {
		s.longAnswers.add(-1000-account, 1)
	}
	return func() {
		for account := range int64(longAnswers) {
			s.longAnswers.remove(-1000-account, 1)
		}
	}
}

// FillViewTurns makes as many views of the page for exploring as may be made at a time, until release is called.
func (s *Server) FillViewTurns() (release func()) {
	for range viewsMade {
		s.viewTurns <- struct{}{}
	}
	return func() {
		for range viewsMade {
			<-s.viewTurns
		}
	}
}

// ViewsOf returns how many views of an account are made or wait.
func (s *Server) ViewsOf(account int64) int {
	s.views.mu.Lock()
	defer s.views.mu.Unlock()
	return s.views.byAccount[account]
}

// ForgedRowsCursor returns a cursor of these numbers whose checksum is right for the dataset and the other parameters.
func ForgedRowsCursor(dataset market.Dataset, given url.Values, numbers []int64) string {
	return forgedRowsCursor(dataset, given, numbers, "")
}

func forgedRowsCursor(dataset market.Dataset, given url.Values, numbers []int64, more string) string {
	q := rowsQuery{dataset: dataset, repeated: given}
	content := binary.AppendUvarint(nil, uint64(numbers[0]))
	for _, n := range numbers[1:] {
		content = binary.AppendVarint(content, n)
	}
	return q.encodeCursor(append(content, more...))
}

// PerKWh returns a price in EUR/MWh as feeds write it, in EUR/kWh.
func PerKWh(price float64) string {
	var w jsonWriter
	w.perKWh(price)
	return string(w.bytes)
}

// FillListeners counts as many listeners of the stream as there may be, until release is called.
func (s *Server) FillListeners() (release func()) {
	for reader := range int64(mostListeners) {
		s.listenersInFlight.add(-1000-reader, 1)
	}
	return func() {
		for reader := range int64(mostListeners) {
			s.listenersInFlight.remove(-1000-reader, 1)
		}
	}
}

// FillListenersOf counts as many listeners of the stream with a token as there may be.
func (s *Server) FillListenersOf(token int64) { s.listenersInFlight.add(token, listenersOfReader) }

// LimitStream changes how many of the newest commits, and bytes of them, are in memory for listeners.
func (s *Server) LimitStream(commits, bytes int) { s.hub.mostCommits, s.hub.mostBytes = commits, bytes }

// LetListenersGo ends the streams of all listeners that there are.
func (s *Server) LetListenersGo() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for l := range s.hub.listeners {
		l.end()
	}
}
