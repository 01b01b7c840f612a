// Package api is Courant over HTTP: the data endpoints of the API, health checks, and the pages of package web.
//
// The body of an endpoint is built when its data change, not on request. Refresh builds the bodies whose rows changed,
// sets the time of the newest fetch in the others, and replaces all of them at once. A request copies finished bytes,
// which are compressed quickly at first and well soon after. Until all bodies are built, data routes answer 503.
//
// This package has the routes, who may read them, and the answers.
package api

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/hooks"
	"courant/server/lake"
	"courant/store"
	"courant/web"
)

// Options is what a server needs.
type Options struct {
	Store              *store.Store
	Auth               *auth.Auth
	Clock              clockwork.Clock
	Log                *slog.Logger
	WindowDays         int // delivery dates in a body
	RateLimitPerMinute int // requests with one token
	TrustedProxies     []netip.Prefix
	PublicURL          string // as browsers see it; may be empty
	SecureCookie       bool   // browsers send cookies over HTTPS only
	Contact            string // of the operator; may be empty
	// Report returns the state of the datasets: in full for administrators, for others without texts of the sources.
	Report func(ctx context.Context, full bool) (report.Report, error)
	// Decide accepts or rejects the delivery date that waits in quarantine under an ID, and writes note to the audit log. It
	// returns store.ErrNotFound if there is none.
	Decide  func(ctx context.Context, note store.Note, id int64, accept bool) error
	Metrics http.Handler // for Prometheus
	// OpenMetrics allows requests from this machine to read the metrics without a token.
	OpenMetrics bool
	// Offers are the plans that an account can be subscribed to. With OpenSignup, visitors can make accounts.
	Offers     []web.Offer
	OpenSignup bool
	Mail       Mailer // nil: no mails are sent
	Hooks      *hooks.Service
	// CORSOrigins are the origins of other sites whose scripts may read data.
	CORSOrigins []string
	// Archive is the Parquet files of whole months. The server does not close it.
	Archive   *lake.Archive
	Simulated bool // the data are invented, which every answer and page has to state
}

// Server is Courant's http.Handler.
type Server struct {
	echo       *echo.Echo
	store      *store.Store
	auth       *auth.Auth
	clock      clockwork.Clock
	log        *slog.Logger
	bodies     *bodies
	limits     *limits
	pages      *web.Pages
	dataRoutes map[string]bool // the routes of data, as Echo writes them
	// deprecations are those of routes, by their paths.
	deprecations map[string]web.Deprecation

	report      func(ctx context.Context, full bool) (report.Report, error)
	decide      func(ctx context.Context, note store.Note, id int64, accept bool) error
	metrics     http.Handler
	openMetrics bool
	simulated   bool
	publicURL   string
	corsOrigins []string // as browsers send them
	contact     string
	secure      bool // browsers send cookies over HTTPS only

	offers     []web.Offer
	openSignup bool
	mail       Mailer
	hooks      *hooks.Service
	secrets    *shownSecrets
	signInOnce atomic.Pointer[signInLink]
	openAPIs   map[web.Language]func() (*document, error)

	working, following               sync.WaitGroup // after answers, and for the stream
	mails                            mailQueue
	revisionsInFlight, bytesInFlight *inFlight // answers, and bytes of pages
	longAnswers                      *inFlight // of rows
	listenersInFlight                *inFlight // of the stream
	hub                              *streamHub
	toolAnswers                      *inFlight
	views                            *inFlight     // of the page for exploring, that are made or wait
	viewTurns                        chan struct{} // has one value for each view that is made
	mcp                              http.Handler  // of the Model Context Protocol
	rowsCache                        rowsCache
	tables                           sync.Map // by tableKey: the shownTable that was resampled last
	archive                          *lake.Archive
	archiveWait                      time.Duration // how long a request waits for files that are being made
	delayed                          chan struct{} // has one value for each answer that is delayed
	stopped                          context.Context
	stop                             context.CancelFunc
}

// New returns a server. Refresh builds its bodies.
func New(o Options) (*Server, error) {
	pages, err := web.New(o.Simulated)
	if err != nil {
		return nil, err
	}
	s := &Server{
		echo: echo.New(), store: o.Store, auth: o.Auth, clock: o.Clock, log: o.Log,
		bodies: newBodies(o.Store, o.WindowDays), limits: newLimits(o.Clock, o.RateLimitPerMinute), pages: pages,
		dataRoutes: map[string]bool{}, deprecations: web.Deprecations(),
		report: o.Report, decide: o.Decide, metrics: o.Metrics, openMetrics: o.OpenMetrics, simulated: o.Simulated,
		publicURL: o.PublicURL, contact: o.Contact, secure: o.SecureCookie, archive: o.Archive, archiveWait: archiveWait,
		offers: o.Offers, openSignup: o.OpenSignup, mail: o.Mail, hooks: o.Hooks, secrets: newShownSecrets(o.Clock),
		delayed:           make(chan struct{}, mostDelayed),
		revisionsInFlight: newInFlight(revisionAnswersOfAccount, revisionAnswers),
		bytesInFlight:     newInFlight(pageBytesOfAccount, math.MaxInt),
		longAnswers:       newInFlight(longAnswersOfReader, longAnswers),
		listenersInFlight: newInFlight(listenersOfReader, mostListeners),
		toolAnswers:       newInFlight(toolAnswersOfAccount, toolAnswers),
		views:             newInFlight(viewsOfAccount, math.MaxInt),
		viewTurns:         make(chan struct{}, viewsMade),
	}
	s.mcp = s.newMCP()
	s.openAPIs = s.newOpenAPIs()
	s.hub = newStreamHub(o, func(part func(context.Context)) { s.following.Go(func() { part(s.stopped) }) })
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.Logger.SetOutput(io.Discard) // errors are logged in fail
	s.echo.IPExtractor = ipExtractor(o.TrustedProxies)
	s.echo.HTTPErrorHandler = s.fail
	for _, origin := range o.CORSOrigins {
		s.corsOrigins = append(s.corsOrigins, originOf(origin))
	}
	protection := http.NewCrossOriginProtection()
	if o.PublicURL != "" {
		if err := protection.AddTrustedOrigin(originOf(o.PublicURL)); err != nil {
			return nil, err
		}
	}
	s.routes(protection)
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Close cancels the work that goes on after answers, such as mails, and waits for its end.
func (s *Server) Close() {
	s.stop()
	s.working.Wait()
	s.following.Wait()
}

// EndStreams ends the answers of the stream, so that the service can stop: their clients connect again later.
func (s *Server) EndStreams() { s.hub.stop() }

// StreamFigures are counts of the stream since the server began.
type StreamFigures struct {
	Listeners int    // now
	Events    uint64 // that were sent, to each listener
	Dropped   uint64 // listeners that were let go because they fell behind
}

// Stream returns the counts of the stream.
func (s *Server) Stream() StreamFigures {
	return StreamFigures{Listeners: s.hub.count(), Events: s.hub.sent.Load(), Dropped: s.hub.dropped.Load()}
}

// Refresh builds the bodies whose dataset has changed since they were built. It is safe for concurrent use. Answers
// after it returns contain everything that was committed before the call.
func (s *Server) Refresh(ctx context.Context) error {
	s.hub.committed()
	renewed, err := s.bodies.refresh(ctx)
	if renewed {
		s.working.Go(func() { s.bodies.compress(s.stopped) })
	}
	return err
}
