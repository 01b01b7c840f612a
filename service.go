package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/server"
	"courant/store"
)

const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10

	// requestsTimeout is how long requests under way may take when the service stops; the feeds have as long again.
	requestsTimeout = 4 * time.Second

	// watchInterval is how often the database is asked whether another process has changed it.
	watchInterval = 500 * time.Millisecond
)

// service is a Courant that collects and serves. Its parts are started by openService and run, and closed in reverse.
type service struct {
	cfg      Config
	log      *slog.Logger
	lock     *flock.Flock
	store    *store.Store
	auth     *auth.Auth
	server   *server.Server
	feeds    *ingest.Feeds
	listener net.Listener
}

// openService takes hold of all that can fail: the lock, the database and the port.
func openService(ctx context.Context, cfg Config, clock clockwork.Clock, log *slog.Logger, simulated bool) (*service, error) {
	s := &service{cfg: cfg, log: log, lock: flock.New(cfg.Database.Path+".lock", flock.SetPermissions(0o600))}
	db, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	s.store = db
	s.auth = newAuth(cfg, db, clock)
	s.feeds = newFeeds(cfg, db, clock, log, s.refresh)
	s.server, err = server.New(server.Options{
		Store: db, Auth: s.auth, Clock: clock, Log: log, WindowDays: cfg.API.WindowDays, RateLimitPerMinute: cfg.API.RateLimitPerMinute,
		TrustedProxies: cfg.Server.TrustedProxies, PublicURL: cfg.Server.PublicURL, Simulated: simulated,
		Report: func(ctx context.Context) (any, error) { return s.feeds.Report(ctx) },
	})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.listener, err = net.Listen("tcp", cfg.Server.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: set server.addr to a free one", err), s.close())
	}
	return s, nil
}

// openStore opens the database and keeps any other service off it. The lock comes first, except that the lock's own
// folder has to be there, and a file that is no database gets no lock beside it.
func (s *service) openStore(ctx context.Context) (*store.Store, error) {
	db, err := store.Open(ctx, s.cfg.Database.Path)
	if err != nil {
		return nil, err
	}
	locked, err := s.lock.TryLock()
	if err == nil && !locked {
		err = errors.New("another courant serve uses it")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.cfg.Database.Path, err), db.Close())
	}
	return db, nil
}

// close lets go of the database and the lock.
func (s *service) close() error {
	return errors.Join(s.store.Close(), s.lock.Unlock())
}

// addr is where the service listens.
func (s *service) addr() string { return s.listener.Addr().String() }

// run serves until ctx ends, then stops in order: no new requests, the requests under way, the feeds, the database.
// ready is called once all bodies are built.
func (s *service) run(ctx context.Context, ready func()) error {
	web := &http.Server{
		Handler: s.server, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var parts sync.WaitGroup
	failed := make(chan error, 2)
	parts.Go(func() {
		if err := web.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	})
	feedsCtx, stopFeeds := context.WithCancel(context.Background())
	defer stopFeeds()
	err := s.server.Refresh(ctx)
	if err == nil {
		s.store.Watch(watchInterval, func() error { return s.refreshNow(feedsCtx) })
		s.log.Info("serving", "address", "http://"+s.addr(), "database", s.cfg.Database.Path)
		s.sayNoAccounts(ctx)
		ready()
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
	return errors.Join(err, s.close())
}

// refresh builds the bodies that a commit of this process has changed.
func (s *service) refresh(ctx context.Context) { _ = s.refreshNow(ctx) }

// refreshNow says what went wrong in the log; the watch on the database tries again.
func (s *service) refreshNow(ctx context.Context) error {
	err := s.server.Refresh(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("answers not rebuilt", "error", err.Error())
	}
	return err
}

// sayNoAccounts says how to make the first account.
func (s *service) sayNoAccounts(ctx context.Context) {
	if users, err := s.auth.Users(ctx); err == nil && len(users) == 0 {
		s.log.Warn("nobody can sign in yet: make an account with courant user add EMAIL --admin --password-stdin")
	}
}

// sayOff says which feeds have no credentials.
func (s *service) sayOff() {
	if s.cfg.RTE.ClientID == "" {
		s.log.Warn("the RTE feeds are off: set rte.client_id and rte.client_secret")
	}
	if s.cfg.ENTSOE.SecurityToken == "" {
		s.log.Warn("the ENTSO-E feed is off: set entsoe.security_token")
	}
}

// newFeeds makes the feeds of the sources for which there are credentials.
func newFeeds(cfg Config, db *store.Store, clock clockwork.Clock, log *slog.Logger, committed func(context.Context)) *ingest.Feeds {
	options := ingest.Options{Store: db, Clock: clock, Log: log, Committed: committed, Schedules: map[ingest.FeedName]ingest.Schedule{
		ingest.DayAheadPrices: schedule(cfg.Ingest.DayAheadPrices),
		ingest.Capacity:       schedule(cfg.Ingest.Capacity),
		ingest.AFRREnergy:     schedule(cfg.Ingest.AFRREnergy),
		ingest.MFRREnergy:     schedule(cfg.Ingest.MFRREnergy),
	}}
	client := source.NewHTTPClient()
	if cfg.ENTSOE.SecurityToken != "" {
		options.Prices = newENTSOE(cfg, client, clock)
	}
	if cfg.RTE.ClientID != "" {
		options.Balancing = newRTE(cfg, client, clock)
	}
	return ingest.New(options)
}

func newENTSOE(cfg Config, client *http.Client, clock clockwork.Clock) *entsoe.Client {
	return entsoe.NewClient(entsoe.Options{
		BaseURL: cfg.ENTSOE.BaseURL, SecurityToken: cfg.ENTSOE.SecurityToken.Reveal(), HTTP: client, Clock: clock, UserAgent: userAgent(),
	})
}

func newRTE(cfg Config, client *http.Client, clock clockwork.Clock) *rte.Client {
	return rte.NewClient(rte.Options{
		BaseURL: cfg.RTE.BaseURL, ClientID: cfg.RTE.ClientID, ClientSecret: cfg.RTE.ClientSecret.Reveal(), HTTP: client, Clock: clock, UserAgent: userAgent(),
	})
}

func schedule(feed FeedConfig) ingest.Schedule {
	return ingest.Schedule{Every: feed.Every, FromMinute: int(feed.From), ToMinute: int(feed.To), LookbackDays: feed.LookbackDays}
}

func isPortTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
