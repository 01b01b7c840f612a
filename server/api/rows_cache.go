package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// memoLifetime is how long what depends on the clock too is used again: by then a date may have become late.
	memoLifetime = 10 * time.Second
	// mostValidators is how many answers are remembered; longestRemembered is the length of a query or an Accept header up to which
	// they are.
	mostValidators    = 1000
	longestRemembered = 512
)

// rowsCache remembers, until the next commit, what answers of rows are checked with: the entity tags of answers, so that a 304
// reads nothing from the database, and the report of missing dates. A commit of this process ends it at once, one of another
// process as soon as the store notices it.
type rowsCache struct{ current atomic.Pointer[rowsMemo] }

// rowsMemo is what is remembered between two commits.
type rowsMemo struct {
	commits uint64 // store.Commits before any of it was read

	mu         sync.Mutex
	validators map[rowsRequest]*rowsValidator

	reporting sync.Mutex // one request makes a report, and others wait for it
	reports   map[bool]madeReport
}

// rowsRequest is what the entity tag of an answer follows from, besides the database and the clock.
type rowsRequest struct {
	dataset       market.Dataset
	query, accept string
	language      web.Language
	coding        string              // that Accept-Encoding prefers
	admin         bool                // what is missing may be described otherwise
	today         market.DeliveryDate // words such as yesterday are counted from it
	latest        market.DeliveryDate // for a query without dates; it follows a commit by a moment
}

// rowsValidator is the headers of a 304.
type rowsValidator struct {
	made                             time.Time
	tag, position, attribution, next []string // next: the header Link; nil: there is none
}

type madeReport struct {
	report.Report
	made   time.Time
	newest store.Position // of the commits that it is of
}

// isFresh reports whether something that was made at an instant may be used now. A clock that was set back makes it again.
func isFresh(made, now time.Time) bool {
	age := now.Sub(made)
	return age >= 0 && age < memoLifetime
}

// rowsRequest returns what the entity tag of the answer to a request follows from.
func (s *Server) rowsRequest(c echo.Context, dataset market.Dataset, latest market.DeliveryDate, identity auth.Identity) rowsRequest {
	r := c.Request()
	return rowsRequest{
		dataset: dataset, query: r.URL.RawQuery, accept: strings.Join(r.Header["Accept"], ","), language: language(c),
		coding: streamCoding(r.Header["Accept-Encoding"]), admin: identity.Admin, today: market.DeliveryDateOf(s.clock.Now()), latest: latest,
	}
}

// Header values of every answer of rows.
var (
	rowsCaching = []string{"private, no-cache"}
	rowsVary    = []string{"Accept, Accept-Encoding, Accept-Language, Authorization, Cookie"}
)

// setHeaders sets the headers that a 304 and a 200 have in common.
func (v *rowsValidator) setHeaders(header http.Header) {
	header["Cache-Control"], header["Vary"] = rowsCaching, rowsVary
	header["Etag"], header["X-Courant-Position"], header["X-Courant-Attribution"] = v.tag, v.position, v.attribution
	if v.next != nil {
		header["Link"] = v.next
	}
}

// memo returns what is remembered since the last commit.
func (s *Server) memo() *rowsMemo {
	commits := s.store.Commits()
	m := s.rowsCache.current.Load()
	if m == nil || m.commits != commits {
		m = &rowsMemo{commits: commits, validators: map[rowsRequest]*rowsValidator{}, reports: map[bool]madeReport{}}
		s.rowsCache.current.Store(m)
	}
	return m
}

// isRemembered reports whether the validator of a request may be remembered: not if its query is long, or depends on the moment by
// the word now.
func (r *rowsRequest) isRemembered() bool {
	query, err := url.QueryUnescape(r.query)
	return err == nil && len(r.query) <= longestRemembered && len(r.accept) <= longestRemembered && !strings.Contains(query, "now")
}

// validator returns the headers of a 304 to the request; nil if they are not known.
func (m *rowsMemo) validator(r rowsRequest, now time.Time) *rowsValidator {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v := m.validators[r]; v != nil && isFresh(v.made, now) {
		return v
	}
	return nil
}

func (m *rowsMemo) remember(r rowsRequest, v *rowsValidator) {
	if !r.isRemembered() {
		return
	}
	r.query, r.accept = strings.Clone(r.query), strings.Clone(r.accept) // they are parts of the whole request
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.validators) >= mostValidators {
		clear(m.validators)
	}
	m.validators[r] = v
}

// report returns a report of the state of the datasets at the newest position, which is that of rows that are about to be read.
func (m *rowsMemo) report(ctx context.Context, s *Server, full bool, newest store.Position) (report.Report, error) {
	m.reporting.Lock()
	defer m.reporting.Unlock()
	now := s.clock.Now()
	if known, is := m.reports[full]; is && known.newest == newest && isFresh(known.made, now) {
		return known.Report, nil
	}
	found, err := s.report(ctx, full)
	if err == nil {
		m.reports[full] = madeReport{found, now, newest}
	}
	return found, err
}
