// Package server is Courant as one process: Open opens its database and ports, Run collects and serves until its context ends, and Close
// releases everything. The package puts the parts together, starts and stops them, and does what the process does for itself: upkeep,
// metrics, mails, notifications of systemd.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest"
	"courant/ingest/report"
	"courant/ingest/source"
	"courant/server/api"
	"courant/server/config"
	"courant/server/entrance"
	"courant/server/hooks"
	"courant/server/lake"
	"courant/store"
	"courant/store/backup"
)

const (
	// requestsTimeout is how long requests under way may take when the process stops. Then the feeds have as long again, so that it ends
	// within 10 s.
	requestsTimeout = 4 * time.Second

	// watchInterval is how often the process checks whether another one has changed the database.
	watchInterval = 500 * time.Millisecond
)

// Server is a Courant that collects and serves. Open acquires what it needs, Run serves, and Close releases everything.
type Server struct {
	log      *slog.Logger
	store    *store.Store
	auth     *auth.Auth
	server   *api.Server
	feeds    *ingest.Feeds
	collects bool // the feeds run
	upkeep   *upkeep
	archive  *lake.Archive
	hooks    *hooks.Service
	limits   entrance.Limits
	listener net.Listener    // without TLS; nil where only the front is served
	front    *entrance.Front // nil without a TLS domain
}

// Options is what a Server works with beside its configuration.
type Options struct {
	Clock     clockwork.Clock
	Log       *slog.Logger
	Lines     source.Lines     // the queues of calls to the sources; nil: calls do not wait for one another
	Simulated bool             // the data are made up, and every answer and page has to say so
	TLS       entrance.Options // ports and certificate authority other than the usual ones; the configuration sets the rest
	// Explain adds to an error what a person can do about it, for the log and the status; nil: errors are reported as they are.
	Explain func(error) error
}

// Open acquires all that can fail: the database, the places of backups and the ports. After an error it has released them again; a
// Server that it returns has to be closed.
func Open(ctx context.Context, cfg config.Config, o Options) (opened *Server, err error) {
	db, err := store.OpenAlone(ctx, cfg.Database.Path)
	if err != nil {
		return nil, err
	}
	if o.Explain == nil {
		o.Explain = func(err error) error { return err }
	}
	clock, log := o.Clock, o.Log
	s := &Server{log: log, store: db, collects: cfg.Ingest.Enabled, limits: entrance.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.auth = NewAuth(cfg, db, clock, log)
	metrics := newMetrics(cfg.Database.Path, func(ctx context.Context) (report.Report, error) { return s.feeds.Report(ctx) },
		func() api.StreamFigures { return s.server.Stream() }, db.WaitingDeliveries, log)
	s.feeds = NewFeeds(cfg, o.Lines, ingest.Options{
		Store: db, Clock: clock, Log: log, Committed: s.refresh, Ran: metrics.ran, Explain: o.Explain,
	})
	mails := mailerOf(cfg, o.Explain)
	s.hooks = newHooks(cfg, db, s.auth, mails, o, s.reportFor, s.feeds.ClockAhead, metrics.notified)
	clockWrong := func() bool { return s.feeds.ClockWrong(context.Background()) }
	s.archive = lake.NewArchive(db, o.Simulated)
	s.upkeep = &upkeep{
		archive: s.archive, hooks: s.hooks, store: db, auth: s.auth, clock: clock, log: log, stepDays: cfg.Retention.AFRREnergyDays, clockWrong: clockWrong,
	}
	if cfg.Backup.Schedule != config.NoClockTime {
		destinations, err := backup.Destinations(cfg.Backup.To, BucketOf(cfg.Backup.S3))
		if err != nil {
			return nil, err
		}
		s.upkeep.backups = &backup.Schedule{Options: backup.Options{
			Store: db, Clock: clock, Log: log, At: int(cfg.Backup.Schedule), Keep: backup.Keep(cfg.Backup.Keep), Destinations: destinations,
			OnNewest: metrics.backedUp, ClockWrong: clockWrong, Explain: o.Explain,
		}}
	}
	s.upkeep.exports = newExports(cfg.Export, db, o, metrics.exported)
	s.server, err = api.New(api.Options{
		Store: db, Auth: s.auth, Clock: clock, Log: log, WindowDays: cfg.API.WindowDays, RateLimitPerMinute: cfg.API.RateLimitPerMinute,
		TrustedProxies: cfg.Server.TrustedProxies, PublicURL: cfg.Server.PublicURL, SecureCookie: config.IsHTTPS(cfg.Server.PublicURL),
		Contact: cfg.Contact, Archive: s.archive, Simulated: o.Simulated,
		Offers: pageOffers(cfg.Offers), OpenSignup: cfg.Accounts.Signup == "open", Mail: mails, Hooks: s.hooks,
		Report: s.reportFor, Decide: s.decide, Metrics: metrics.handler(), OpenMetrics: cfg.Metrics.OpenToLoopback, CORSOrigins: cfg.API.CORSOrigins,
	})
	if err != nil {
		return nil, err
	}
	if cfg.Server.Addr != "" {
		if s.listener, err = entrance.Listen(cfg.Server.Addr); err != nil {
			return nil, err
		}
	}
	if cfg.Server.TLS.Domain != "" {
		if s.front, err = entrance.Open(frontOf(cfg.Server.TLS, o.TLS), s.limits, log); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close releases what Open has acquired, once Run has returned or where it was never called: the ports, the connections to places of
// backups, what requests left to be done in the background, the accounts and the database.
func (s *Server) Close() error {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.front != nil {
		s.front.Close()
	}
	if s.upkeep != nil && s.upkeep.backups != nil {
		s.upkeep.backups.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
	var archive error
	if s.archive != nil {
		archive = s.archive.Close()
	}
	return errors.Join(archive, s.auth.Close(), s.store.Close())
}

// Auth returns the accounts.
func (s *Server) Auth() *auth.Auth { return s.auth }

// SignInLink returns a link that signs the account in once, without its password; it is valid while the process runs.
func (s *Server) SignInLink(ctx context.Context, email string) (string, error) {
	account, err := s.auth.User(ctx, email)
	if err != nil {
		return "", err
	}
	return "http://" + s.Addr() + s.server.SignInOnce(account), nil
}

// Report returns the state of the datasets, in full.
func (s *Server) Report(ctx context.Context) (report.Report, error) { return s.feeds.Report(ctx) }

// reportFor returns the state of the datasets, in full for administrators or as others may see it.
func (s *Server) reportFor(ctx context.Context, full bool) (report.Report, error) {
	found, err := s.feeds.Report(ctx)
	if !full {
		found = ingest.Public(found)
	}
	return found, err
}

// decide accepts or rejects what waits in quarantine under the id.
func (s *Server) decide(ctx context.Context, note store.Note, id int64, accept bool) error {
	apply := s.feeds.Reject
	if accept {
		apply = s.feeds.Accept
	}
	_, err := apply(ctx, note, id)
	return err
}

// Addr returns the address at which the process listens without TLS, "" if it does not.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// address returns the address for the log.
func (s *Server) address() string {
	if s.front != nil {
		return "https://" + s.front.Domain
	}
	return "http://" + s.Addr()
}

// Run serves until ctx ends and then stops, in order: new requests, the requests under way, the feeds. ready is called once all bodies are
// built. Close has to be called afterwards.
func (s *Server) Run(ctx context.Context, ready func()) error {
	var handler http.Handler = s.server
	if s.front != nil {
		handler = s.front.Protect(handler)
	}
	web := s.limits.Server(handler, s.log)
	var parts sync.WaitGroup
	failed := make(chan error, 4)
	serve := func(run func() error) {
		parts.Go(func() {
			if err := run(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	feedsCtx, stopFeeds := context.WithCancel(context.Background())
	defer stopFeeds()
	if s.front != nil {
		web.TLSConfig = s.front.TLS
		serve(func() error { return web.ServeTLS(s.front.HTTPS, "", "") })
		serve(func() error { return s.front.Redirect.Serve(s.front.HTTP) })
		parts.Go(func() { s.front.ObtainCertificate(feedsCtx) })
	}
	if s.listener != nil {
		serve(func() error { return web.Serve(s.listener) })
	}
	s.auth.Start()
	err := s.server.Refresh(ctx)
	switch {
	case ctx.Err() != nil:
		err = nil // interrupted before all was ready
	case err == nil:
		s.store.Watch(watchInterval, func() error { return s.follow(feedsCtx) }, func(err error) {
			s.log.Error("changes of the database not loaded", "error", oneLine(err))
		})
		s.log.Info("serving", "address", s.address(), "database", s.store.Path())
		ready()
		s.upkeep.start(feedsCtx, &parts)
		parts.Go(func() { s.hooks.Run(feedsCtx) })
		if s.collects {
			parts.Go(func() {
				if err := s.feeds.Serve(feedsCtx); err != nil {
					failed <- err
				}
			})
		}
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	s.log.Info("stopping")
	s.server.EndStreams()
	deadline, cancel := context.WithTimeout(context.Background(), requestsTimeout)
	defer cancel()
	if s.front != nil {
		s.front.Redirect.Close()
	}
	if late := web.Shutdown(deadline); late != nil {
		web.Close()
	}
	stopFeeds()
	parts.Wait()
	select {
	case late := <-failed:
		err = errors.Join(err, late)
	default:
	}
	return err
}

// refresh builds the bodies that a commit of this process has changed, and lets the commit be judged for webhooks and alerts. If
// it fails, the watch on the database tries again.
func (s *Server) refresh(ctx context.Context) {
	s.hooks.Wake()
	if err := s.server.Refresh(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("response bodies not rebuilt", "error", err.Error())
	}
}

// follow loads what was committed to the database, also by another process: the accounts and the response bodies. Webhooks and
// alerts follow it too.
func (s *Server) follow(ctx context.Context) error {
	s.hooks.Wake()
	err := errors.Join(s.auth.Refresh(ctx), s.server.Refresh(ctx))
	if ctx.Err() != nil {
		return nil // the process stops
	}
	return err
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
