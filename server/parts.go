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
	"courant/ingest/report"
	"courant/ingest/rte"
	"courant/ingest/source"
	"courant/server/api"
	"courant/server/config"
	"courant/server/entrance"
	"courant/server/hooks"
	"courant/store"
	"courant/store/backup/s3"
	"courant/store/disk"
	"courant/store/market"
	"courant/web"
)

// NewAuth returns the accounts of a database. Its cookies are restricted to HTTPS if the public address is one. log may be nil.
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
	var converted []auth.Offer
	for _, offer := range offers {
		converted = append(converted, auth.Offer{ID: offer.ID, Datasets: offer.Datasets})
	}
	return converted
}

// pageOffers returns the offers as the pages show them.
func pageOffers(offers []config.Offer) []web.Offer {
	var converted []web.Offer
	for _, offer := range offers {
		converted = append(converted, web.Offer{
			ID: offer.ID, Name: web.Text{FR: offer.NameFR, EN: offer.NameEN}, Price: web.Text{FR: offer.PriceFR, EN: offer.PriceEN},
			Description: web.Text{FR: offer.DescriptionFR, EN: offer.DescriptionEN}, Datasets: offer.Datasets, Contact: offer.Contact,
		})
	}
	return converted
}

// LineEachHost returns queues in which all calls to a source wait for one another; interval is the least time between the starts of two of
// them. It is measured in real time, whatever the clock of the feeds.
func LineEachHost(interval time.Duration) source.Lines {
	return source.OneLineEachHost(clockwork.NewRealClock(), interval)
}

// LineEachFeed returns queues in which the calls of one feed wait for one another, so that a feed that hangs delays no other.
func LineEachFeed(interval time.Duration) source.Lines {
	return source.OneLineEachResource(clockwork.NewRealClock(), interval)
}

// NewFeeds adds to the options what the configuration sets: the sources for which there are credentials, when they are asked, and how
// much of the disk stays free. Calls to the sources wait in the lines.
func NewFeeds(cfg config.Config, lines source.Lines, o ingest.Options) *ingest.Feeds {
	o.CompareClocks = true
	o.Room = func() error { return disk.RoomBeside(o.Store.Path()) }
	o.Readers, o.Schedules = map[market.FeedName]ingest.Reader{}, map[market.FeedName]ingest.Schedule{}
	for name, feed := range cfg.Ingest.Feeds {
		o.Schedules[name] = schedule(*feed)
	}
	client := source.NewHTTPClient()
	if cfg.ENTSOE.IsOn() {
		maps.Copy(o.Readers, readersOfENTSOE(NewENTSOE(cfg.ENTSOE, client, o.Clock, lines, o.Log)))
	}
	if cfg.RTE.IsOn() {
		maps.Copy(o.Readers, readersOfRTE(NewRTE(cfg.RTE, client, o.Clock, lines, o.Log)))
	}
	return ingest.New(o)
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
		market.FeedImbalance:      ingest.ReaderOf(market.Imbalance, client.ImbalanceData),
		market.FeedExchangePrices: ingest.ReaderOf(market.Prices, client.PowerExchangePrices),
	}
}

// NewENTSOE makes a client of ENTSO-E. lines and log may be nil.
func NewENTSOE(cfg config.ENTSOE, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *entsoe.Client {
	return entsoe.NewClient(entsoe.Options{
		BaseURL: cfg.BaseURL, SecurityToken: cfg.SecurityToken.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

// NewRTE makes a client of RTE. lines and log may be nil.
func NewRTE(cfg config.RTE, client *http.Client, clock clockwork.Clock, lines source.Lines, log *slog.Logger) *rte.Client {
	return rte.NewClient(rte.Options{
		BaseURL: cfg.BaseURL, ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret.Reveal(), HTTP: client, Clock: clock,
		UserAgent: userAgent(), Lines: lines, Log: log,
	})
}

func schedule(feed config.Feed) ingest.Schedule {
	return ingest.Schedule{
		Every: feed.Every, Idle: feed.Idle, FromMinute: int(feed.From), ToMinute: int(feed.To), LookbackDays: feed.LookbackDays,
		LateMinute: int(feed.LateAt), LagAt: feed.LagAt,
	}
}

// mailerOf is nil where no mail server is configured, and where links in mails would have no address to begin with.
func mailerOf(cfg config.Config, explain func(error) error) api.Mailer {
	if cfg.SMTP.Host == "" || cfg.Server.PublicURL == "" {
		return nil
	}
	return mailer{
		mailServer: mailServer{
			Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, Username: cfg.SMTP.Username, Password: cfg.SMTP.Password.Reveal(),
			From: cfg.SMTP.From, Encryption: cfg.SMTP.TLS,
		},
		timeout: mailTimeout, explain: explain,
	}
}

// newHooks returns what notifies accounts by webhooks and mails.
func newHooks(
	cfg config.Config, db *store.Store, accounts *auth.Auth, mails api.Mailer, o Options,
	report func(context.Context, bool) (report.Report, error), clockAhead func(context.Context) time.Duration, attempted func(fault string),
) *hooks.Service {
	return hooks.New(hooks.Options{
		Store: db, Auth: accounts, Clock: o.Clock, Log: o.Log, Report: report, ClockAhead: clockAhead, Mail: mails, PublicURL: cfg.Server.PublicURL,
		UserAgent: userAgent(), AllowPrivate: cfg.Webhooks.AllowPrivate, Simulated: o.Simulated, Attempted: attempted,
	})
}

// BucketOf returns the bucket that the configuration names.
func BucketOf(cfg config.S3) s3.Place {
	return s3.Place{
		Options: s3.Options{
			Endpoint: cfg.Endpoint, Name: cfg.Bucket, Region: cfg.Region, AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey.Reveal(),
		},
		Prefix: cfg.Prefix,
	}
}

// frontOf adds to the options what the configuration sets.
func frontOf(cfg config.TLS, o entrance.Options) entrance.Options {
	o.Domain, o.CacheDir, o.UserAgent = cfg.Domain, cfg.CacheDir, userAgent()
	return o
}
