// Package api answers over HTTP: the eight bodies of the API, health, and the pages of package web.
//
// The bodies are finished when their data changes, not when they are asked for: Refresh builds those of which a row
// changed, gives the others the time of the newest fetch, and swaps all of them in at once; a request copies finished
// bytes, packed quickly at first and well soon after. Until all bodies are built, data routes answer 503, never an empty 200.
//
// What may come in here is a route, who may read it, and what is answered.
package api

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"sync"

	"github.com/jonboulle/clockwork"
	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store"
	"courant/web"
)

// Options says what the server works with.
type Options struct {
	Store              *store.Store
	Auth               *auth.Auth
	Clock              clockwork.Clock
	Log                *slog.Logger
	WindowDays         int // delivery dates in a body
	RateLimitPerMinute int // requests of one token
	TrustedProxies     []netip.Prefix
	PublicURL          string // as browsers see it; may be empty
	SecureCookie       bool   // browsers send cookies over HTTPS only
	Contact            string // of who runs this Courant; may be empty
	// Report tells how the datasets are doing: in full for administrators, for others without what a source wrote.
	Report func(ctx context.Context, full bool) (report.Report, error)
	// Decide takes or drops what waits in quarantine under an ID; store.ErrNotFound if nothing does.
	Decide  func(ctx context.Context, id int64, accept bool) error
	Metrics http.Handler // for Prometheus
	// OpenMetrics lets whoever asks from this machine read them without a token.
	OpenMetrics bool
	// Offers are those that there are to subscribe to, and OpenSignup lets visitors make accounts of their own.
	Offers     []web.Offer
	OpenSignup bool
	Mail       Mailer // nil: no mails are sent
	Simulated  bool   // the data are made up, and every answer and page has to say so
}

// Server is Courant's http.Handler.
type Server struct {
	echo   *echo.Echo
	store  *store.Store
	auth   *auth.Auth
	clock  clockwork.Clock
	log    *slog.Logger
	bodies *bodies
	limits *limits
	pages  *web.Pages

	report      func(ctx context.Context, full bool) (report.Report, error)
	decide      func(ctx context.Context, id int64, accept bool) error
	metrics     http.Handler
	openMetrics bool
	simulated   bool
	publicURL   string
	contact     string
	secure      bool // browsers send cookies over HTTPS only

	offers     []web.Offer
	openSignup bool
	mail       Mailer
	secrets    *shownSecrets

	working                          sync.WaitGroup
	mails                            mailQueue
	revisionsInFlight, bytesInFlight *inFlight     // answers, and bytes of pages
	delayed                          chan struct{} // holds one value for each answer that is held back
	stopped                          context.Context
	stop                             context.CancelFunc
}

// New makes a server. Its bodies are built by Refresh.
func New(o Options) (*Server, error) {
	pages, err := web.New(o.Simulated)
	if err != nil {
		return nil, err
	}
	s := &Server{
		echo: echo.New(), store: o.Store, auth: o.Auth, clock: o.Clock, log: o.Log,
		bodies: newBodies(o.Store, o.WindowDays), limits: newLimits(o.Clock, o.RateLimitPerMinute), pages: pages,
		report: o.Report, decide: o.Decide, metrics: o.Metrics, openMetrics: o.OpenMetrics, simulated: o.Simulated,
		publicURL: o.PublicURL, contact: o.Contact, secure: o.SecureCookie,
		offers: o.Offers, openSignup: o.OpenSignup, mail: o.Mail, secrets: newShownSecrets(o.Clock), delayed: make(chan struct{}, mostDelayed),
		revisionsInFlight: newInFlight(revisionAnswersOfAccount, revisionAnswers), bytesInFlight: newInFlight(pageBytesOfAccount, math.MaxInt),
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.Logger.SetOutput(io.Discard) // what goes wrong is logged in fail
	s.echo.IPExtractor = ipExtractor(o.TrustedProxies)
	s.echo.HTTPErrorHandler = s.fail
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

// Close gives up what answers left to be done, and waits until nobody is at it.
func (s *Server) Close() {
	s.stop()
	s.working.Wait()
}

// Refresh builds the bodies whose dataset has changed since they were built. It may be called at any time; the next
// answer after it returns holds what was committed before it was called.
func (s *Server) Refresh(ctx context.Context) error {
	renewed, err := s.bodies.refresh(ctx)
	if renewed {
		s.working.Go(func() { s.bodies.pack(s.stopped) })
	}
	return err
}
