package server

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/server/config"
	"courant/server/entrance"
	"courant/store"
	"courant/store/backup"
	"courant/store/backup/s3"
	"courant/store/disk"
	"courant/store/market"
	"courant/web"
)

// NewAuth knows the accounts of a database. Its cookies are for HTTPS alone if that is how users come. log may be nil.
func NewAuth(cfg config.Config, db *store.Store, clock clockwork.Clock, log *slog.Logger) *auth.Auth {
	return auth.New(auth.Options{
		Store:        db,
		Clock:        clock,
		Log:          log,
		Offers:       authOffers(cfg.Offers),
		SecureCookie: config.IsHTTPS(cfg.Server.PublicURL),
	})
}

func authOffers(offers []config.Offer) []auth.Offer {
	var known []auth.Offer
	for _, offer := range offers {
		known = append(known, auth.Offer{ID: offer.ID, Datasets: offer.Datasets})
	}
	return known
}

// pageOffers are the offers as the pages show them.
func pageOffers(offers []config.Offer) []web.Offer {
	var shown []web.Offer
	for _, offer := range offers {
		shown = append(shown, web.Offer{
			ID: offer.ID, Name: web.Text{FR: offer.NameFR, EN: offer.NameEN}, Price: web.Text{FR: offer.PriceFR, EN: offer.PriceEN},
			Description: web.Text{FR: offer.DescriptionFR, EN: offer.DescriptionEN}, Datasets: offer.Datasets, Contact: offer.Contact,
		})
	}
	return shown
}

// The sources' patience is measured in real time, whatever the time of the market.

// LineEachHost has the calls to a source wait for one another, whatever they ask for; interval is what passes at least between the starts
// of two of them.
func LineEachHost(interval time.Duration) source.Lines {
	return source.OneLineEachHost(clockwork.NewRealClock(), interval)
}

// LineEachFeed has the calls of one feed wait for one another: a feed that hangs holds up no other.
func LineEachFeed(interval time.Duration) source.Lines {
	return source.OneLineEachResource(clockwork.NewRealClock(), interval)
}

// Listeners are told what the feeds do; each may be nil.
type Listeners struct {
	committed func(context.Context)
	ran       func(store.Run)
}

// NewFeeds makes the feeds of the sources for which there are credentials; their calls wait in the lines.
func NewFeeds(cfg config.Config, db *store.Store, clock clockwork.Clock, log *slog.Logger, lines source.Lines, told Listeners) *ingest.Feeds {
	options := ingest.Options{
		Store: db, Clock: clock, Log: log, CompareClocks: true, Committed: told.committed, Ran: told.ran,
		Room:    func() error { return disk.RoomBeside(cfg.Database.Path) },
		Readers: map[market.FeedName]ingest.Reader{}, Schedules: map[market.FeedName]ingest.Schedule{},
	}
	for name, feed := range cfg.Ingest.Feeds {
		options.Schedules[name] = schedule(*feed)
	}
	client := source.NewHTTPClient()
	if cfg.ENTSOE.SecurityToken != "" {
		maps.Copy(options.Readers, readersOfENTSOE(NewENTSOE(cfg, client, clock, lines, log)))
	}
	if cfg.RTE.ClientID != "" {
		maps.Copy(options.Readers, readersOfRTE(NewRTE(cfg, client, clock, lines, log)))
	}
	return ingest.New(options)
}

// readersOfENTSOE and readersOfRTE name the calls of the sources that bring in the feeds' datasets.
func readersOfENTSOE(client *entsoe.Client) map[market.FeedName]ingest.Reader {
	return map[market.FeedName]ingest.Reader{
		market.FeedDayAheadPrices: ingest.ReaderOf(market.Prices, client.DayAheadPrices),
	}
}

func readersOfRTE(client *rte.Client) map[market.FeedName]ingest.Reader {
	return map[market.FeedName]ingest.Reader{
		market.FeedCapacity:       ingest.ReaderOf(market.Capacity, client.ProcuredReserves),
		market.FeedAFRREnergy:     ingest.ReaderOf(market.AFRR, client.MarginalPrice),
		market.FeedMFRREnergy:     ingest.ReaderOf(market.MFRR, client.StandardMFRR),
		market.FeedExchangePrices: ingest.ReaderOf(market.Prices, client.PowerExchangePrices),
	}
}

func NewENTSOE(cfg config.Config, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *entsoe.Client {
	return entsoe.NewClient(entsoe.Options{
		BaseURL: cfg.ENTSOE.BaseURL, SecurityToken: cfg.ENTSOE.SecurityToken.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

func NewRTE(cfg config.Config, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *rte.Client {
	return rte.NewClient(rte.Options{
		BaseURL: cfg.RTE.BaseURL, ClientID: cfg.RTE.ClientID, ClientSecret: cfg.RTE.ClientSecret.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

func schedule(feed config.Feed) ingest.Schedule {
	return ingest.Schedule{Every: feed.Every, Idle: feed.Idle, FromMinute: int(feed.From), ToMinute: int(feed.To), LookbackDays: feed.LookbackDays, LateMinute: int(feed.LateAt), LagAt: feed.LagAt}
}

// BucketOf is the bucket that the configuration names.
func BucketOf(cfg config.S3) backup.Bucket {
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
