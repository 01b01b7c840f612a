// Package server is Courant as one process: Open takes hold of its database and its ports, Run collects and serves until it is told to
// stop, Close lets go. What may come in here is how the parts are put together, started and stopped, and what the process does for
// itself: upkeep, metrics, mails, its word to systemd.
package server

import (
	"context"
	"errors"
	"fmt"
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
	"courant/store"
	"courant/store/backup"
)

const (
	// requestsTimeout is how long requests under way may take when the service stops. Then the feeds have as long
	// again, so that it ends within 10 s.
	requestsTimeout = 4 * time.Second

	// watchInterval is how often the database is asked whether another process has changed it.
	watchInterval = 500 * time.Millisecond
)

// Server is a Courant that collects and serves. Open takes hold of its parts, Run starts them, and Close lets go of them.
type Server struct {
	cfg      config.Config
	log      *slog.Logger
	store    *store.Store
	auth     *auth.Auth
	server   *api.Server
	feeds    *ingest.Feeds
	upkeep   *upkeep
	entrance entrance.Limits
	listener net.Listener    // nil where only the front is served
	front    *entrance.Front // nil without a TLS domain
}

// Options says what a Server works with beside its configuration.
type Options struct {
	Clock     clockwork.Clock
	Log       *slog.Logger
	Lines     source.Lines // in which the calls to the sources wait; nil: they do not
	Simulated bool         // the data are made up, and every answer and page has to say so
}

// Open takes hold of all that can fail: the database and the port. What it returns has to be closed.
func Open(ctx context.Context, cfg config.Config, o Options) (opened *Server, err error) {
	db, err := store.OpenAlone(ctx, cfg.Database.Path)
	if err != nil {
		return nil, err
	}
	clock, log := o.Clock, o.Log
	s := &Server{cfg: cfg, log: log, store: db, entrance: entrance.New()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.auth = NewAuth(cfg, db, clock, log)
	figures := newMetrics(cfg.Database.Path, func(ctx context.Context) (report.Report, error) { return s.feeds.Report(ctx) }, log)
	s.feeds = NewFeeds(cfg, db, clock, log, o.Lines, Listeners{s.refresh, figures.ran})
	places, err := backup.Places(cfg.Backup.To, BucketOf(cfg.Backup.S3))
	if err != nil {
		return nil, err
	}
	s.upkeep = &upkeep{cfg: cfg, store: db, auth: s.auth, clock: clock, log: log, clockWrong: func() bool { return s.feeds.ClockWrong(context.Background()) }}
	s.upkeep.backups = &backup.Schedule{Options: backup.Options{
		Store: db, Clock: clock, Log: log, At: int(cfg.Backup.Schedule), Keep: backup.Keep(cfg.Backup.Keep), Places: places,
		Told: figures.backedUp, ClockWrong: s.upkeep.clockWrong,
	}}
	s.server, err = api.New(api.Options{
		Store: db, Auth: s.auth, Clock: clock, Log: log, WindowDays: cfg.API.WindowDays, RateLimitPerMinute: cfg.API.RateLimitPerMinute,
		TrustedProxies: cfg.Server.TrustedProxies, PublicURL: cfg.Server.PublicURL, SecureCookie: config.IsHTTPS(cfg.Server.PublicURL),
		Contact: cfg.Contact, Simulated: o.Simulated,
		Offers: pageOffers(cfg.Offers), OpenSignup: cfg.Accounts.Signup == "open", Mail: newMailer(cfg),
		Report: s.reportFor, Decide: s.decide, Metrics: figures.handler(), OpenMetrics: cfg.Metrics.OpenToLoopback,
	})
	if err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	return s, nil
}

// listen takes the ports, all or none.
func (s *Server) listen() (err error) {
	if addr := s.cfg.Server.Addr; addr != "" {
		if s.listener, err = net.Listen("tcp", addr); err != nil {
			return fmt.Errorf("%w: set server.addr to a free one", err)
		}
	}
	if s.cfg.Server.TLS.Domain != "" {
		s.front, err = entrance.Open(frontOf(s.cfg.Server.TLS), s.entrance, s.log)
	}
	return err
}

// Close lets go of what Open has taken, of which nothing may be in use any more: the ports, the places of backups, what
// requests left to be done, the accounts and the database.
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
	return errors.Join(s.auth.Close(), s.store.Close())
}

// Auth is who may come in.
func (s *Server) Auth() *auth.Auth { return s.auth }

// Report is how the datasets are doing, in full.
func (s *Server) Report(ctx context.Context) (report.Report, error) { return s.feeds.Report(ctx) }

// reportFor is how the datasets are doing, in full or as others than administrators may know it.
func (s *Server) reportFor(ctx context.Context, full bool) (report.Report, error) {
	found, err := s.feeds.Report(ctx)
	if !full {
		found = ingest.Public(found)
	}
	return found, err
}

// decide takes or drops what waits in quarantine.
func (s *Server) decide(ctx context.Context, note store.Note, id int64, accept bool) error {
	take := s.feeds.Reject
	if accept {
		take = s.feeds.Accept
	}
	_, err := take(ctx, note, id)
	return err
}

// Addr is where the service listens without TLS, "" where it does not.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// address is the service's for whoever reads the log.
func (s *Server) address() string {
	if s.front != nil {
		return "https://" + s.front.Domain
	}
	return "http://" + s.Addr()
}

// Run serves until ctx ends, then stops in order: no new requests, the requests under way, the feeds. Close has to follow.
// ready is called once all bodies are built.
func (s *Server) Run(ctx context.Context, ready func()) error {
	var handler http.Handler = s.server
	if s.front != nil {
		handler = s.front.Protect(handler)
	}
	web := s.entrance.Server(handler, s.log)
	var parts sync.WaitGroup
	failed := make(chan error, 4)
	serve := func(entrance func() error) {
		parts.Go(func() {
			if err := entrance(); !errors.Is(err, http.ErrServerClosed) {
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
		parts.Go(func() { s.front.GreetItself(feedsCtx) })
	}
	if s.listener != nil {
		serve(func() error { return web.Serve(s.listener) })
	}
	s.auth.Start()
	err := s.server.Refresh(ctx)
	switch {
	case ctx.Err() != nil:
		err = nil // told to stop before all was ready
	case err == nil:
		s.store.Watch(watchInterval, func() error { return s.follow(feedsCtx) }, func(err error) {
			s.log.Error("changes of the database not taken over", "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		})
		s.log.Info("serving", "address", s.address(), "database", s.cfg.Database.Path)
		ready()
		s.upkeep.start(feedsCtx, &parts)
		if s.cfg.Ingest.Enabled {
			s.sayOff()
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

// refresh builds the bodies that a commit of this process has changed; where it fails, the watch on the database tries again.
func (s *Server) refresh(ctx context.Context) {
	if err := s.server.Refresh(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("answers not rebuilt", "error", err.Error())
	}
}

// follow takes over what was committed to the database, also by a command: who may come in, and the answers.
func (s *Server) follow(ctx context.Context) error {
	err := errors.Join(s.auth.Refresh(ctx), s.server.Refresh(ctx))
	if ctx.Err() != nil {
		return nil // it stops
	}
	return err
}

// sayOff says which feeds have no credentials.
func (s *Server) sayOff() {
	if s.cfg.RTE.ClientID == "" {
		s.log.Warn("the RTE feeds are off: set rte.client_id and rte.client_secret")
	}
	if s.cfg.ENTSOE.SecurityToken == "" {
		s.log.Warn("the ENTSO-E feed is off: set entsoe.security_token")
	}
}
