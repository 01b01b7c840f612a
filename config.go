package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/acme"

	"courant/store/market"
)

// Config is the whole configuration: read once by loadConfig, checked, and passed down in parts.
type Config struct {
	Server    ServerConfig
	Contact   string // how to reach whoever runs this Courant, as shown on its pages; may be empty
	Database  DatabaseConfig
	RTE       RTEConfig
	ENTSOE    ENTSOEConfig
	Ingest    IngestConfig
	API       APIConfig
	Offers    []Offer
	Accounts  AccountsConfig
	SMTP      SMTPConfig
	Backup    BackupConfig
	Retention RetentionConfig
	Metrics   MetricsConfig
	Log       LogConfig
}

// ServerConfig is where Courant listens and who may speak for its visitors.
type ServerConfig struct {
	Addr           string // host:port to listen on without TLS; empty where TLS is on and no address is set
	PublicURL      string // the address users type, without a slash at its end, or empty
	TLS            TLSConfig
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-For is believed; a bare address is a /32 or a /128
}

// TLSConfig is the certificate that Courant gets for itself. Without a domain it serves no TLS.
type TLSConfig struct {
	Domain   string // in lower case
	CacheDir string // where certificates are kept; set where a domain is

	HTTPSAddr, HTTPAddr string       // in place of :443 and :80; no key sets them
	Authority           *acme.Client `json:"-"` // in place of Let's Encrypt; no key sets it
}

// DatabaseConfig is where values are kept.
type DatabaseConfig struct {
	Path string // relative to the working directory
}

// RTEConfig is the access to RTE's APIs. The credentials are both set or both empty; empty, the RTE feeds are off.
type RTEConfig struct {
	BaseURL      string // without a slash at its end
	ClientID     string
	ClientSecret Secret
}

// ENTSOEConfig is the access to the ENTSO-E Transparency Platform. Without a token its feed is off.
type ENTSOEConfig struct {
	BaseURL       string // without a slash at its end
	SecurityToken Secret
}

// IngestConfig is when the feeds of serve ask their sources.
type IngestConfig struct {
	Enabled        bool
	DayAheadPrices FeedConfig
	Capacity       FeedConfig
	AFRREnergy     FeedConfig
	MFRREnergy     FeedConfig
}

// FeedConfig is the timetable of one feed: Every from From until To each day, as long as what is expected then is
// missing; once an hour otherwise.
type FeedConfig struct {
	Every        time.Duration // at least a minute
	Idle         time.Duration // in place of the hour; no key sets it
	From, To     ClockTime     // From is before To
	LookbackDays int           // how many delivery dates back, today included, the feed completes
	LateAt       ClockTime     // from when on a date that is not whole is late
	LagAt        time.Duration // how old the newest period of energy may be; 0: its age is not judged
}

// APIConfig is what the API answers, and how often.
type APIConfig struct {
	WindowDays         int // delivery dates in an answer, the latest stored one included
	RateLimitPerMinute int // requests a minute and token
}

// MetricsConfig is who may read GET /metrics beside administrators.
type MetricsConfig struct {
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

// AccountsConfig is how accounts come to be.
type AccountsConfig struct {
	Signup string // "closed": an administrator invites; "open": visitors make their own
}

// SMTPConfig is the server that takes Courant's mails. Without a host none is sent.
type SMTPConfig struct {
	Host     string
	Port     int
	Username string // empty: the server asks for none
	Password Secret
	From     string // an address, with or without a name
	TLS      string // "starttls", "tls" or "none"
}

// BackupConfig is when serve backs the database up, and which backups it keeps.
type BackupConfig struct {
	Schedule ClockTime // each day; noClockTime: never
	To       string    // a folder, or empty
	S3       S3Config
	Keep     KeepConfig
}

// S3Config is a bucket for backups. Without a name there is none; with one, the endpoint and both keys are set.
type S3Config struct {
	Endpoint  string // https:// or http://, host, and port where it is another
	Bucket    string
	Prefix    string // of the names of its files, with a slash at its end, or empty
	Region    string // empty: the endpoint is asked
	AccessKey string
	SecretKey Secret
}

// KeepConfig is of how many days, weeks and months that have a backup the newest one is kept.
type KeepConfig struct {
	Days, Weeks, Months int
}

// RetentionConfig is how long what was published is kept as it was.
type RetentionConfig struct {
	AFRREnergyDays int // delivery dates, today included, of which the 4 s steps are kept; 0: all
}

// leastRetentionDays is a week of nightly readings, and the week after which the source has no more to give.
const leastRetentionDays = 14

// LogConfig is how much is logged, and in which form.
type LogConfig struct {
	Level  slog.Level
	Format string // "text", "json", or empty: text on a terminal, else json
}

// Secret is a credential. Printed, logged or marshalled it is "[hidden]".
type Secret string

const hidden = "[hidden]"

// Reveal is the credential itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// ClockTime is a time of day in Europe/Paris: minutes since midnight on the clock, 0 to 1440 (24:00).
type ClockTime int

// noClockTime is a time of day that never comes.
const noClockTime ClockTime = -1

func (t ClockTime) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// configKey is one key of the configuration.
type configKey struct {
	name     string // dotted, such as server.addr
	fallback any    // its default, as the file would give it; the type tells how the environment's text is read
	read     keyReader
}

// offersKey names the one key that is not in the table: a list of structs has neither default nor variable.
const offersKey = "offers"

// configKeys is the table of all keys but offersKey; each reads into its field of cfg.
func configKeys(cfg *Config) []configKey {
	keys := []configKey{
		{"server.addr", "127.0.0.1:8080", asScalar(&cfg.Server.Addr, parseAddr)},
		{"server.public_url", "", asScalar(&cfg.Server.PublicURL, parsePublicURL)},
		{"server.tls.domain", "", asScalar(&cfg.Server.TLS.Domain, parseDomain)},
		{"server.tls.cache_dir", "", asText(&cfg.Server.TLS.CacheDir)},
		{"server.trusted_proxies", []any{}, asList(&cfg.Server.TrustedProxies, parseProxy)},
		{"contact", "", asText(&cfg.Contact)},
		{"database.path", "courant.db", asScalar(&cfg.Database.Path, parsePath)},
		{"rte.base_url", "https://digital.iservices.rte-france.com", asScalar(&cfg.RTE.BaseURL, parseURL)},
		{"rte.client_id", "", asText(&cfg.RTE.ClientID)},
		{"rte.client_secret", "", asSecret(&cfg.RTE.ClientSecret)},
		{"entsoe.base_url", "https://web-api.tp.entsoe.eu/api", asScalar(&cfg.ENTSOE.BaseURL, parseURL)},
		{"entsoe.security_token", "", asSecret(&cfg.ENTSOE.SecurityToken)},
		{"ingest.enabled", true, asBool(&cfg.Ingest.Enabled)},
	}
	for _, f := range cfg.feeds() {
		keys = append(keys,
			configKey{f.section + ".every", f.every, asScalar(&f.config.Every, parseEvery)},
			configKey{f.section + ".from", f.from, asScalar(&f.config.From, parseClockTime)},
			configKey{f.section + ".to", f.to, asScalar(&f.config.To, parseClockTime)},
			configKey{f.section + ".lookback_days", 35, asInt(&f.config.LookbackDays, 1, 366)},
			configKey{f.section + ".late_at", f.lateAt, asScalar(&f.config.LateAt, parseClockTime)},
		)
		if f.isEnergy {
			keys = append(keys, configKey{f.section + ".lag_at", "", asScalar(&f.config.LagAt, parseLag)})
		}
	}
	return append(keys,
		configKey{"api.window_days", 29, asInt(&cfg.API.WindowDays, 1, 3660)},
		configKey{"api.rate_limit_per_minute", 600, asInt(&cfg.API.RateLimitPerMinute, 1, 1_000_000)},
		configKey{"accounts.signup", "closed", asScalar(&cfg.Accounts.Signup, parseSignup)},
		configKey{"smtp.host", "", asText(&cfg.SMTP.Host)},
		configKey{"smtp.port", 587, asInt(&cfg.SMTP.Port, 1, 65535)},
		configKey{"smtp.username", "", asText(&cfg.SMTP.Username)},
		configKey{"smtp.password", "", asSecret(&cfg.SMTP.Password)},
		configKey{"smtp.from", "", asScalar(&cfg.SMTP.From, parseSender)},
		configKey{"smtp.tls", "starttls", asScalar(&cfg.SMTP.TLS, parseSMTPTLS)},
		configKey{"backup.schedule", "", asScalar(&cfg.Backup.Schedule, parseBackupTime)},
		configKey{"backup.to", "", asScalar(&cfg.Backup.To, parseBackupFolder)},
		configKey{"backup.s3.endpoint", "", asScalar(&cfg.Backup.S3.Endpoint, parseEndpoint)},
		configKey{"backup.s3.bucket", "", asScalar(&cfg.Backup.S3.Bucket, parseBucket)},
		configKey{"backup.s3.prefix", "", asScalar(&cfg.Backup.S3.Prefix, parseKeyPrefix)},
		configKey{"backup.s3.region", "", asText(&cfg.Backup.S3.Region)},
		configKey{"backup.s3.access_key", "", asText(&cfg.Backup.S3.AccessKey)},
		configKey{"backup.s3.secret_key", "", asSecret(&cfg.Backup.S3.SecretKey)},
		configKey{"backup.keep.days", 7, asInt(&cfg.Backup.Keep.Days, 1, 3660)},
		configKey{"backup.keep.weeks", 4, asInt(&cfg.Backup.Keep.Weeks, 0, 520)},
		configKey{"backup.keep.months", 12, asInt(&cfg.Backup.Keep.Months, 0, 120)},
		configKey{"retention.afrr_energy_days", 0, asInt(&cfg.Retention.AFRREnergyDays, 0, 36600)},
		configKey{"metrics.open_to_loopback", false, asBool(&cfg.Metrics.OpenToLoopback)},
		configKey{"log.level", "info", asScalar(&cfg.Log.Level, parseLevel)},
		configKey{"log.format", "", asScalar(&cfg.Log.Format, parseFormat)},
	)
}

// feedSection is a section of the file that configures a feed, with its defaults.
type feedSection struct {
	section                 string
	config                  *FeedConfig
	every, from, to, lateAt string
	isEnergy                bool // its values appear all day, so that their age can be judged
}

// feeds start when their source publishes: prices around 12:50, capacity from 08:15, the energies all day.
func (cfg *Config) feeds() []feedSection {
	return []feedSection{
		{"ingest.day_ahead_prices", &cfg.Ingest.DayAheadPrices, "10m", "12:40", "18:00", "14:30", false},
		{"ingest.capacity", &cfg.Ingest.Capacity, "10m", "08:10", "11:30", "11:00", false},
		{"ingest.afrr_energy", &cfg.Ingest.AFRREnergy, "15m", "00:00", "24:00", "06:00", true},
		{"ingest.mfrr_energy", &cfg.Ingest.MFRREnergy, "15m", "00:00", "24:00", "06:00", true},
	}
}

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

// isHTTPS says whether browsers encrypt what they send to an address.
func isHTTPS(address string) bool { return strings.HasPrefix(strings.ToLower(address), "https:") }

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
	if cfg.Server.TLS.Domain != "" && !isHTTPS(cfg.Server.PublicURL) {
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
		if least := max(leastRetentionDays, cfg.Ingest.AFRREnergy.LookbackDays); days < least {
			f.add("retention.afrr_energy_days", "%d is less than what is read again and completed (ingest.afrr_energy.lookback_days is %d): write %d or more, or 0 to keep all",
				days, cfg.Ingest.AFRREnergy.LookbackDays, least)
		}
	}
	for _, feed := range cfg.feeds() {
		from, to := feed.section+".from", feed.section+".to"
		if !f.has(from) && !f.has(to) && feed.config.From >= feed.config.To {
			f.add(to, "%s is not after %s, which is %s: write a later time, up to 24:00", feed.config.To, from, feed.config.From)
		}
	}
}

func (cfg BackupConfig) checkTogether(f *faults) {
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
	if len(set) == 0 && cfg.Schedule != noClockTime && cfg.To == "" && !f.has("backup.schedule") && !f.has("backup.to") {
		f.add("backup.to", "empty while backup.schedule is set: write the folder that backups go to, or set backup.s3")
	}
	for _, name := range empty {
		if len(set) > 0 {
			f.add(name, "empty while %s is set: endpoint, bucket and both keys belong together", set[0])
		}
	}
}
