package config

// configKey is one key of the configuration.
type configKey struct {
	name     string // dotted, such as server.addr
	fallback any    // the default, as in the file; its type determines how the environment variable is parsed
	read     keyReader
}

// offersKey is the only key that is not in the table: a list of structs has neither a default nor an environment variable.
const offersKey = "offers"

// configKeys is the table of all keys except offersKey. Each key is read into its field of cfg.
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
	for _, f := range cfg.Feeds() {
		keys = append(keys,
			configKey{f.section + ".every", f.every, asScalar(&f.Config.Every, parseEvery)},
			configKey{f.section + ".from", f.from, asScalar(&f.Config.From, parseClockTime)},
			configKey{f.section + ".to", f.to, asScalar(&f.Config.To, parseClockTime)},
			configKey{f.section + ".lookback_days", 35, asInt(&f.Config.LookbackDays, 1, 366)},
			configKey{f.section + ".late_at", f.lateAt, asScalar(&f.Config.LateAt, parseClockTime)},
		)
		if f.isEnergy {
			keys = append(keys, configKey{f.section + ".lag_at", "", asScalar(&f.Config.LagAt, parseLag)})
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
		configKey{"backup.s3.bucket", "", asScalar(&cfg.Backup.S3.Bucket, ParseBucket)},
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
	Config                  *Feed
	every, from, to, lateAt string
	isEnergy                bool // its values are published all day, so that the age of the newest one can be checked
}

// Feeds returns the sections of the feeds. By default a feed starts when its source publishes: prices around 12:50, capacity from 08:15,
// energy all day.
func (cfg *Config) Feeds() []feedSection {
	return []feedSection{
		{"ingest.day_ahead_prices", &cfg.Ingest.DayAheadPrices, "10m", "12:40", "18:00", "14:30", false},
		{"ingest.capacity", &cfg.Ingest.Capacity, "10m", "08:10", "11:30", "11:00", false},
		{"ingest.afrr_energy", &cfg.Ingest.AFRREnergy, "15m", "00:00", "24:00", "06:00", true},
		{"ingest.mfrr_energy", &cfg.Ingest.MFRREnergy, "15m", "00:00", "24:00", "06:00", true},
	}
}
