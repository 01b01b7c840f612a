// Package config reads the configuration: its keys, their defaults, and how file and environment are read and checked. It holds what a
// person sets; what is done with it is decided elsewhere.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"courant/store/market"
)

// Config is the whole configuration: read once by Load, checked, and passed on in parts.
type Config struct {
	Server    Server
	Contact   string // how to reach the operator, as shown on the pages; may be empty
	Database  Database
	RTE       RTE
	ENTSOE    ENTSOE
	Ingest    Ingest
	API       API
	Offers    []Offer
	Accounts  Accounts
	SMTP      SMTP
	Backup    Backup
	Export    Export
	Retention Retention
	Webhooks  Webhooks
	Metrics   Metrics
	Log       Log
}

// Server is where Courant listens, and which proxies it trusts.
type Server struct {
	Addr           string // host:port to listen on without TLS; empty where TLS is on and no address is set
	PublicURL      string // the address that users type, without a slash at its end, or empty
	TLS            TLS
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-For is believed; a single address is a /32 or a /128
}

// TLS is the certificate that Courant obtains for itself. Without a domain there is no TLS.
type TLS struct {
	Domain   string // in lower case
	CacheDir string // where certificates are stored; set if the domain is
}

// Database is where values are stored.
type Database struct {
	Path string // relative to the working directory
}

// RTE is the access to RTE's APIs. The credentials are both set or both empty.
type RTE struct {
	BaseURL      string // without a slash at its end
	ClientID     string
	ClientSecret Secret
}

// IsOn reports whether there are credentials for RTE; without, its feeds are off.
func (cfg RTE) IsOn() bool { return cfg.ClientID != "" }

// ENTSOE is the access to the ENTSO-E Transparency Platform.
type ENTSOE struct {
	BaseURL       string // without a slash at its end
	SecurityToken Secret
}

// IsOn reports whether there is a token for ENTSO-E; without, its feed is off.
func (cfg ENTSOE) IsOn() bool { return cfg.SecurityToken != "" }

// Ingest is when the feeds of courant serve ask their sources. Feeds has each feed that has a section of its own.
type Ingest struct {
	Enabled bool
	Feeds   map[market.FeedName]*Feed
}

// Feed is the timetable of one feed: it asks at intervals of Every between From and To each day, as long as data that are expected by then
// are missing, and otherwise once an hour.
type Feed struct {
	Every        time.Duration // at least a minute
	Idle         time.Duration // instead of the hour; no key sets it
	From, To     ClockTime     // From is before To
	LookbackDays int           // how many delivery dates, today included, the feed completes
	LateAt       ClockTime     // when an incomplete date becomes late
	LagAt        time.Duration // how old the newest period of energy may be; 0: its age is not checked
}

// API is how much the API answers, and how often.
type API struct {
	WindowDays         int // delivery dates in an answer, including the latest one stored
	RateLimitPerMinute int // requests per minute and token
	// CORSOrigins are the origins of other sites whose scripts may read data, such as https://charts.example.org.
	CORSOrigins []string
}

// Metrics is who may read GET /metrics besides administrators.
type Metrics struct {
	OpenToLoopback bool // every client on this machine that uses a loopback name
}

// Offer is a subscription that the pages offer. Its texts may be empty.
type Offer struct {
	ID                           string // ASCII letters, digits, - and _; unique
	NameFR, NameEN               string
	PriceFR, PriceEN             string
	DescriptionFR, DescriptionEN string
	Datasets                     []market.Dataset // that it covers; empty: all
	Contact                      string
}

// Accounts is how accounts are created.
type Accounts struct {
	Signup string // "closed": administrators invite users; "open": visitors sign up themselves
}

// SMTP is the server that mails are sent through. Without a host none are sent.
type SMTP struct {
	Host     string
	Port     int
	Username string // empty: the server requires none
	Password Secret
	From     string // an address, with or without a name
	TLS      string // "starttls", "tls" or "none"
}

// Backup is when courant serve backs up the database, and which backups it keeps.
type Backup struct {
	Schedule ClockTime // each day; NoClockTime: never
	To       string    // a folder, or empty
	S3       S3
	Keep     Keep
}

// Export is when courant serve brings the files of an export up to date, and where they are.
type Export struct {
	Schedule ClockTime // each day; NoClockTime: never
	To       string    // a folder, or empty
	S3       S3
	Datasets []market.Dataset // empty: all
}

// S3 is a bucket for backups or exports. Without a bucket name there is none; with one, the endpoint and both keys are set.
type S3 struct {
	Endpoint  string // https:// or http://, host, and port unless it is the scheme's own
	Bucket    string
	Prefix    string // of the keys of its files, with a slash at its end, or empty
	Region    string // empty: the endpoint is asked for it
	AccessKey string
	SecretKey Secret
}

// Keep is for how many days, weeks and months with backups the newest backup is kept.
type Keep struct {
	Days, Weeks, Months int
}

// Retention is how long published values are kept in full.
type Retention struct {
	AFRREnergyDays int // delivery dates, today included, whose 4 s steps are kept; 0: all
}

// Webhooks is where webhooks may lead.
type Webhooks struct {
	AllowPrivate bool // to addresses that are not globally reachable too
}

// minRetentionDays is a week in which a date is read again each night, and a week after which the source is known to have nothing more.
const minRetentionDays = 14

// Log is how much is logged, and in which format.
type Log struct {
	Level  slog.Level
	Format string // "text", "json", or empty: text on a terminal, otherwise JSON
}

// Secret is a credential. It prints, logs and marshals as "[hidden]".
type Secret string

const hidden = "[hidden]"

// Reveal returns the credential itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// ClockTime is a time of day in Europe/Paris, in minutes since midnight by the clock: 0 to 1440 (24:00).
type ClockTime int

// NoClockTime means at no time of day.
const NoClockTime ClockTime = -1

func (t ClockTime) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// fillIn sets the defaults that follow from a TLS domain. With one, there is a port without TLS only if server.addr is set.
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

// IsHTTPS reports whether browsers encrypt what they send to an address.
func IsHTTPS(address string) bool { return strings.HasPrefix(strings.ToLower(address), "https:") }

// checkTogether adds to f the contradictions between keys that are valid one by one.
func (cfg *Config) checkTogether(f *faults) {
	if !f.has("rte.client_id") && !f.has("rte.client_secret") {
		const remedy = "set both, or neither to leave the RTE feeds off"
		switch id, secret := cfg.RTE.ClientID != "", cfg.RTE.ClientSecret != ""; {
		case id && !secret:
			f.add("rte.client_secret", "empty while rte.client_id is set: "+remedy)
		case secret && !id:
			f.add("rte.client_id", "empty while rte.client_secret is set: "+remedy)
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
	cfg.Backup.S3.checkTogether(f, "backup", cfg.Backup.Schedule, cfg.Backup.To, "backups go to")
	cfg.Export.S3.checkTogether(f, "export", cfg.Export.Schedule, cfg.Export.To, "files are exported to")
	if days := cfg.Retention.AFRREnergyDays; days != 0 && !f.has("retention.afrr_energy_days") && !f.has("ingest.afrr_energy.lookback_days") {
		lookback := cfg.Ingest.Feeds[market.FeedAFRREnergy].LookbackDays
		if least := max(minRetentionDays, lookback); days < least {
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

// checkTogether adds to f what is missing of the section's bucket, and a schedule without a bucket or a folder, which is where its
// purpose says.
func (cfg S3) checkTogether(f *faults, section string, schedule ClockTime, folder, purpose string) {
	var set, empty []string
	for _, key := range []struct{ name, value string }{
		{".s3.endpoint", cfg.Endpoint}, {".s3.bucket", cfg.Bucket}, {".s3.access_key", cfg.AccessKey}, {".s3.secret_key", cfg.SecretKey.Reveal()},
	} {
		if name := section + key.name; key.value != "" || f.has(name) {
			set = append(set, name)
		} else {
			empty = append(empty, name)
		}
	}
	if len(set) == 0 && schedule != NoClockTime && folder == "" && !f.has(section+".schedule") && !f.has(section+".to") {
		f.add(section+".to", "empty while %[1]s.schedule is set: write the folder that %[2]s, or set %[1]s.s3", section, purpose)
	}
	for _, name := range empty {
		if len(set) > 0 {
			f.add(name, "empty while %s is set: endpoint, bucket and both keys belong together", set[0])
		}
	}
}

// Site returns the address of the pages, as far as the configuration tells.
func Site(cfg Config) string {
	if cfg.Server.PublicURL != "" {
		return cfg.Server.PublicURL
	}
	host, port, err := net.SplitHostPort(cfg.Server.Addr)
	if err != nil {
		return "http://" + cfg.Server.Addr
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost" // it listens on all addresses of this machine
	}
	return "http://" + net.JoinHostPort(host, port)
}
