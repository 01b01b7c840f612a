package main

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
	"courant/ingest/entsoe"
	"courant/ingest/report"
	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/server/api"
	"courant/server/config"
	"courant/server/entrance"
	"courant/store"
	"courant/store/backup"
	"courant/store/backup/s3"
	"courant/store/disk"
)

const (
	// requestsTimeout is how long requests under way may take when the service stops. Then the feeds have as long
	// again, so that it ends within 10 s.
	requestsTimeout = 4 * time.Second

	// watchInterval is how often the database is asked whether another process has changed it.
	watchInterval = 500 * time.Millisecond
)

// service is a Courant that collects and serves. Its parts are started by openService and run, and closed in reverse.
type service struct {
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

// openService takes hold of all that can fail: the database and the port.
func openService(ctx context.Context, cfg config.Config, clock clockwork.Clock, log *slog.Logger, lines source.Lines, simulated bool) (*service, error) {
	db, err := store.OpenAlone(ctx, cfg.Database.Path)
	if err != nil {
		return nil, err
	}
	s := &service{cfg: cfg, log: log, store: db, entrance: entrance.New()}
	s.auth = newAuth(cfg, db, clock, log)
	figures := newMetrics(cfg.Database.Path, func(ctx context.Context) (report.Report, error) { return s.feeds.Report(ctx) }, log)
	s.feeds = newFeeds(cfg, db, clock, log, lines, listeners{s.refresh, figures.ran})
	places, err := backup.Places(cfg.Backup.To, bucketOf(cfg.Backup.S3))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.upkeep = &upkeep{cfg: cfg, store: db, auth: s.auth, clock: clock, log: log, clockWrong: func() bool { return s.feeds.ClockWrong(context.Background()) }}
	s.upkeep.backups = &backup.Schedule{Options: backup.Options{
		Store: db, Clock: clock, Log: log, At: int(cfg.Backup.Schedule), Keep: backup.Keep(cfg.Backup.Keep), Places: places,
		Told: figures.backedUp, ClockWrong: s.upkeep.clockWrong,
	}}
	s.server, err = api.New(api.Options{
		Store: db, Auth: s.auth, Clock: clock, Log: log, WindowDays: cfg.API.WindowDays, RateLimitPerMinute: cfg.API.RateLimitPerMinute,
		TrustedProxies: cfg.Server.TrustedProxies, PublicURL: cfg.Server.PublicURL, Contact: cfg.Contact, Simulated: simulated,
		Offers: pageOffers(cfg.Offers), OpenSignup: cfg.Accounts.Signup == "open", Mail: newMailer(cfg),
		Report: s.report, Decide: s.decide, Metrics: figures.handler(), OpenMetrics: cfg.Metrics.OpenToLoopback,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// listen takes the ports, all or none.
func (s *service) listen() (err error) {
	if addr := s.cfg.Server.Addr; addr != "" {
		if s.listener, err = net.Listen("tcp", addr); err != nil {
			return fmt.Errorf("%w: set server.addr to a free one", err)
		}
	}
	if s.cfg.Server.TLS.Domain != "" {
		s.front, err = entrance.Open(frontOf(s.cfg.Server.TLS), s.entrance, s.log)
	}
	if err != nil && s.listener != nil {
		s.listener.Close()
	}
	return err
}

// report is how the datasets are doing, in full or as others than administrators may know it.
func (s *service) report(ctx context.Context, full bool) (report.Report, error) {
	found, err := s.feeds.Report(ctx)
	if !full {
		found = ingest.Public(found)
	}
	return found, err
}

// decide takes or drops what waits in quarantine.
func (s *service) decide(ctx context.Context, id int64, accept bool) error {
	take := s.feeds.Reject
	if accept {
		take = s.feeds.Accept
	}
	_, err := take(ctx, id)
	return err
}

// addr is where the service listens without TLS; it has to.
func (s *service) addr() string { return s.listener.Addr().String() }

// address is the service's for whoever reads the log.
func (s *service) address() string {
	if s.front != nil {
		return "https://" + s.front.Domain
	}
	return "http://" + s.addr()
}

// run serves until ctx ends, then stops in order: no new requests, the requests under way, the feeds, what requests
// left to be done, the database.
// ready is called once all bodies are built.
func (s *service) run(ctx context.Context, ready func()) error {
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
	s.server.Close()
	return errors.Join(err, s.auth.Close(), s.store.Close())
}

// refresh builds the bodies that a commit of this process has changed; where it fails, the watch on the database tries again.
func (s *service) refresh(ctx context.Context) {
	if err := s.server.Refresh(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("answers not rebuilt", "error", err.Error())
	}
}

// follow takes over what was committed to the database, also by a command: who may come in, and the answers.
func (s *service) follow(ctx context.Context) error {
	err := errors.Join(s.auth.Refresh(ctx), s.server.Refresh(ctx))
	if ctx.Err() != nil {
		return nil // it stops
	}
	return err
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

// listeners are told what the feeds do; each may be nil.
type listeners struct {
	committed func(context.Context)
	ran       func(store.Run)
}

// newFeeds makes the feeds of the sources for which there are credentials; their calls wait in the lines.
func newFeeds(cfg config.Config, db *store.Store, clock clockwork.Clock, log *slog.Logger, lines source.Lines, told listeners) *ingest.Feeds {
	options := ingest.Options{
		Store: db, Clock: clock, Log: log, CompareClocks: true, Committed: told.committed, Ran: told.ran,
		Room: func() error { return disk.RoomBeside(cfg.Database.Path) },
		Schedules: map[ingest.FeedName]ingest.Schedule{
			ingest.DayAheadPrices: schedule(cfg.Ingest.DayAheadPrices),
			ingest.Capacity:       schedule(cfg.Ingest.Capacity),
			ingest.AFRREnergy:     schedule(cfg.Ingest.AFRREnergy),
			ingest.MFRREnergy:     schedule(cfg.Ingest.MFRREnergy),
		},
	}
	client := source.NewHTTPClient()
	if cfg.ENTSOE.SecurityToken != "" {
		options.Prices = newENTSOE(cfg, client, clock, lines, log)
	}
	if cfg.RTE.ClientID != "" {
		client := newRTE(cfg, client, clock, lines, log)
		options.Balancing, options.Exchange = client, client
	}
	return ingest.New(options)
}

func newENTSOE(cfg config.Config, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *entsoe.Client {
	return entsoe.NewClient(entsoe.Options{
		BaseURL: cfg.ENTSOE.BaseURL, SecurityToken: cfg.ENTSOE.SecurityToken.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

func newRTE(cfg config.Config, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *rte.Client {
	return rte.NewClient(rte.Options{
		BaseURL: cfg.RTE.BaseURL, ClientID: cfg.RTE.ClientID, ClientSecret: cfg.RTE.ClientSecret.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

func schedule(feed config.Feed) ingest.Schedule {
	return ingest.Schedule{Every: feed.Every, Idle: feed.Idle, FromMinute: int(feed.From), ToMinute: int(feed.To), LookbackDays: feed.LookbackDays, LateMinute: int(feed.LateAt), LagAt: feed.LagAt}
}

// bucketOf is the bucket that the configuration names.
func bucketOf(cfg config.S3) backup.Bucket {
	return backup.Bucket{
		Options: s3.Options{Endpoint: cfg.Endpoint, Name: cfg.Bucket, Region: cfg.Region, AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey.Reveal()},
		Prefix:  cfg.Prefix,
	}
}

// frontOf is the entrance by TLS that the configuration names.
func frontOf(cfg config.TLS) entrance.Options {
	return entrance.Options{
		Domain: cfg.Domain, CacheDir: cfg.CacheDir, HTTPSAddr: cfg.HTTPSAddr, HTTPAddr: cfg.HTTPAddr, Authority: cfg.Authority, UserAgent: userAgent(),
	}
}
