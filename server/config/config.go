// Package config is what Courant is told: its keys, their defaults, and how the file and the environment are read and checked. What
// may come in here is what a person sets; what is done with it is the business of others.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/acme"

	"courant/auth/secret"
	"courant/store/market"
)

// Config is the whole configuration: read once by Load, checked, and passed down in parts.
type Config struct {
	Server    Server
	Contact   string // how to reach whoever runs this Courant, as shown on its pages; may be empty
	Database  Database
	RTE       RTE
	ENTSOE    ENTSOE
	Ingest    Ingest
	API       API
	Offers    []Offer
	Accounts  Accounts
	SMTP      SMTP
	Backup    Backup
	Retention Retention
	Metrics   Metrics
	Log       Log
}

// Server is where Courant listens and who may speak for its visitors.
type Server struct {
	Addr           string // host:port to listen on without TLS; empty where TLS is on and no address is set
	PublicURL      string // the address users type, without a slash at its end, or empty
	TLS            TLS
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-For is believed; a bare address is a /32 or a /128
}

// TLS is the certificate that Courant gets for itself. Without a domain it serves no TLS.
type TLS struct {
	Domain   string // in lower case
	CacheDir string // where certificates are kept; set where a domain is

	HTTPSAddr, HTTPAddr string       // in place of :443 and :80; no key sets them
	Authority           *acme.Client `json:"-"` // in place of Let's Encrypt; no key sets it
}

// Database is where values are kept.
type Database struct {
	Path string // relative to the working directory
}

// RTE is the access to RTE's APIs. The credentials are both set or both empty; empty, the RTE feeds are off.
type RTE struct {
	BaseURL      string // without a slash at its end
	ClientID     string
	ClientSecret Secret
}

// ENTSOE is the access to the ENTSO-E Transparency Platform. Without a token its feed is off.
type ENTSOE struct {
	BaseURL       string // without a slash at its end
	SecurityToken Secret
}

// Ingest is when the feeds of serve ask their sources. Feeds has each feed that has a section of its own.
type Ingest struct {
	Enabled bool
	Feeds   map[market.FeedName]*Feed
}

// Feed is the timetable of one feed: Every from From until To each day, as long as what is expected then is
// missing; once an hour otherwise.
type Feed struct {
	Every        time.Duration // at least a minute
	Idle         time.Duration // in place of the hour; no key sets it
	From, To     ClockTime     // From is before To
	LookbackDays int           // how many delivery dates back, today included, the feed completes
	LateAt       ClockTime     // from when on a date that is not whole is late
	LagAt        time.Duration // how old the newest period of energy may be; 0: its age is not judged
}

// API is what the API answers, and how often.
type API struct {
	WindowDays         int // delivery dates in an answer, the latest stored one included
	RateLimitPerMinute int // requests a minute and token
}

// Metrics is who may read GET /metrics beside administrators.
type Metrics struct {
	OpenToLoopback bool // whoever asks from this machine, by a loopback name
}

// Offer is a subscription that visitors are shown. Its texts may be empty.
type Offer struct {
	ID                           string // ASCII letters, digits, - and _; unique
	NameFR, NameEN               string
	PriceFR, PriceEN             string
	DescriptionFR, DescriptionEN string
	Datasets                     []market.Dataset // what it covers; empty: all
	Contact                      string
}

// Accounts is how accounts come to be.
type Accounts struct {
	Signup string // "closed": an administrator invites; "open": visitors make their own
}

// SMTP is the server that takes Courant's mails. Without a host none is sent.
type SMTP struct {
	Host     string
	Port     int
	Username string // empty: the server asks for none
	Password Secret
	From     string // an address, with or without a name
	TLS      string // "starttls", "tls" or "none"
}

// Backup is when serve backs the database up, and which backups it keeps.
type Backup struct {
	Schedule ClockTime // each day; noClockTime: never
	To       string    // a folder, or empty
	S3       S3
	Keep     Keep
}

// S3 is a bucket for backups. Without a name there is none; with one, the endpoint and both keys are set.
type S3 struct {
	Endpoint  string // https:// or http://, host, and port where it is another
	Bucket    string
	Prefix    string // of the names of its files, with a slash at its end, or empty
	Region    string // empty: the endpoint is asked
	AccessKey string
	SecretKey Secret
}

// Keep is of how many days, weeks and months that have a backup the newest one is kept.
type Keep struct {
	Days, Weeks, Months int
}

// Retention is how long what was published is kept as it was.
type Retention struct {
	AFRREnergyDays int // delivery dates, today included, of which the 4 s steps are kept; 0: all
}

// leastRetentionDays is a week of nightly readings, and the week after which the source has no more to give.
const leastRetentionDays = 14

// Log is how much is logged, and in which form.
type Log struct {
	Level  slog.Level
	Format string // "text", "json", or empty: text on a terminal, else json
}

// Secret is a credential. Printed, logged or marshalled it is secret.Hidden.
type Secret string

// Reveal is the credential itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string               { return secret.Hidden }
func (Secret) GoString() string             { return secret.Hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(secret.Hidden) }
func (Secret) MarshalText() ([]byte, error) { return []byte(secret.Hidden), nil }

// ClockTime is a time of day in Europe/Paris: minutes since midnight on the clock, 0 to 1440 (24:00).
type ClockTime int

// NoClockTime is a time of day that never comes.
const NoClockTime ClockTime = -1

func (t ClockTime) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// fillIn sets what follows from a TLS domain, unless keys set it. server.addr is served beside TLS only where it is set.
func (cfg *Config) fillIn(addrIsSet bool) {
	server := &cfg.Server
	if server.TLS.Domain == "" {
		return
	}
	if !addrIsSet {
		server.Addr = ""
	}
	if server.PublicURL == "" {
		server.PublicURL = "https://" + server.TLS.Domain
	}
	if server.TLS.CacheDir == "" {
		server.TLS.CacheDir = filepath.Join(filepath.Dir(cfg.Database.Path), "certificates")
	}
}

// IsHTTPS says whether browsers encrypt what they send to an address.
func IsHTTPS(address string) bool { return strings.HasPrefix(strings.ToLower(address), "https:") }

// checkTogether notes what is wrong between keys that are right one by one.
func (cfg *Config) checkTogether(f *faults) {
	if !f.has("rte.client_id") && !f.has("rte.client_secret") {
		const mend = "set both, or neither to leave the RTE feeds off"
		switch id, secret := cfg.RTE.ClientID != "", cfg.RTE.ClientSecret != ""; {
		case id && !secret:
			f.add("rte.client_secret", "empty while rte.client_id is set: "+mend)
		case secret && !id:
			f.add("rte.client_id", "empty while rte.client_secret is set: "+mend)
		}
	}
	if cfg.Server.TLS.Domain != "" && !IsHTTPS(cfg.Server.PublicURL) {
		f.add("server.public_url", "not https while server.tls.domain is set: leave it empty, or write https://%s", cfg.Server.TLS.Domain)
	}
	if cfg.SMTP.Host != "" && cfg.SMTP.From == "" && !f.has("smtp.from") {
		f.add("smtp.from", "empty while smtp.host is set: write the address that mails come from")
	}
	if (cfg.SMTP.Username != "") != (cfg.SMTP.Password != "") && !f.has("smtp.username") && !f.has("smtp.password") {
		f.add("smtp.username", "set it and smtp.password both, or neither")
	}
	cfg.Backup.checkTogether(f)
	if days := cfg.Retention.AFRREnergyDays; days != 0 && !f.has("retention.afrr_energy_days") && !f.has("ingest.afrr_energy.lookback_days") {
		lookback := cfg.Ingest.Feeds[market.FeedAFRREnergy].LookbackDays
		if least := max(leastRetentionDays, lookback); days < least {
			f.add("retention.afrr_energy_days", "%d is less than what is read again and completed (ingest.afrr_energy.lookback_days is %d): write %d or more, or 0 to keep all",
				days, lookback, least)
		}
	}
	for _, described := range configurableFeeds() {
		feed, section := cfg.Ingest.Feeds[described.Name], feedSection(described.Name)
		from, to := section+".from", section+".to"
		if !f.has(from) && !f.has(to) && feed.From >= feed.To {
			f.add(to, "%s is not after %s, which is %s: write a later time, up to 24:00", feed.To, from, feed.From)
		}
	}
}

func (cfg Backup) checkTogether(f *faults) {
	var set, empty []string
	for _, key := range []struct{ name, value string }{
		{"backup.s3.endpoint", cfg.S3.Endpoint}, {"backup.s3.bucket", cfg.S3.Bucket},
		{"backup.s3.access_key", cfg.S3.AccessKey}, {"backup.s3.secret_key", cfg.S3.SecretKey.Reveal()},
	} {
		if key.value != "" || f.has(key.name) {
			set = append(set, key.name)
		} else {
			empty = append(empty, key.name)
		}
	}
	if len(set) == 0 && cfg.Schedule != NoClockTime && cfg.To == "" && !f.has("backup.schedule") && !f.has("backup.to") {
		f.add("backup.to", "empty while backup.schedule is set: write the folder that backups go to, or set backup.s3")
	}
	for _, name := range empty {
		if len(set) > 0 {
			f.add(name, "empty while %s is set: endpoint, bucket and both keys belong together", set[0])
		}
	}
}

// Site is the address of a Courant of this configuration, as good as a command knows it.
func Site(cfg Config) string {
	if cfg.Server.PublicURL != "" {
		return cfg.Server.PublicURL
	}
	host, port, err := net.SplitHostPort(cfg.Server.Addr)
	if err != nil {
		return "http://" + cfg.Server.Addr
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost" // it listens on all of this machine's
	}
	return "http://" + net.JoinHostPort(host, port)
}
