package config

import (
	"fmt"
	"slices"

	"courant/store/market"
)

// configKey is one key of the configuration.
type configKey struct {
	name     string // dotted, such as server.addr
	fallback any    // the default, as in the file; its type determines how the environment variable is parsed
	read     keyReader
}

// offersKey is the only key that is not in the table: a list of structs has neither a default nor an environment variable.
const offersKey = "offers"

// configKeys is the table of all keys except offersKey. Each key is read into its field of cfg; the feeds of cfg are replaced
// by new ones.
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
		{"rte.client_id", "", asScalar(&cfg.RTE.ClientID, parseClientID)},
		{"rte.client_secret", "", asCredential(&cfg.RTE.ClientSecret)},
		{"entsoe.base_url", "https://web-api.tp.entsoe.eu/api", asScalar(&cfg.ENTSOE.BaseURL, parseURL)},
		{"entsoe.security_token", "", asCredential(&cfg.ENTSOE.SecurityToken)},
		{"ingest.enabled", true, asBool(&cfg.Ingest.Enabled)},
	}
	cfg.Ingest.Feeds = map[market.FeedName]*Feed{}
	for _, feed := range configurableFeeds() {
		keys = append(keys, feedKeys(cfg, feed)...)
	}
	keys = append(keys, placeKeys("backup", &cfg.Backup.Schedule, &cfg.Backup.To, &cfg.Backup.S3)...)
	keys = append(keys, placeKeys("export", &cfg.Export.Schedule, &cfg.Export.To, &cfg.Export.S3)...)
	return append(keys,
		configKey{"api.window_days", 29, asInt(&cfg.API.WindowDays, 1, 3660)},
		configKey{"api.rate_limit_per_minute", 600, asInt(&cfg.API.RateLimitPerMinute, 1, 1_000_000)},
		configKey{"api.cors_origins", []any{}, asList(&cfg.API.CORSOrigins, parseOrigin)},
		configKey{"accounts.signup", "closed", asScalar(&cfg.Accounts.Signup, parseSignup)},
		configKey{"smtp.host", "", asText(&cfg.SMTP.Host)},
		configKey{"smtp.port", 587, asInt(&cfg.SMTP.Port, 1, 65535)},
		configKey{"smtp.username", "", asText(&cfg.SMTP.Username)},
		configKey{"smtp.password", "", asSecret(&cfg.SMTP.Password)},
		configKey{"smtp.from", "", asScalar(&cfg.SMTP.From, parseSender)},
		configKey{"smtp.tls", "starttls", asScalar(&cfg.SMTP.TLS, parseSMTPTLS)},
		configKey{"backup.keep.days", 7, asInt(&cfg.Backup.Keep.Days, 1, 3660)},
		configKey{"backup.keep.weeks", 4, asInt(&cfg.Backup.Keep.Weeks, 0, 520)},
		configKey{"backup.keep.months", 12, asInt(&cfg.Backup.Keep.Months, 0, 120)},
		configKey{"export.datasets", []any{}, asList(&cfg.Export.Datasets, ParseDataset)},
		configKey{"retention.afrr_energy_days", 0, asInt(&cfg.Retention.AFRREnergyDays, 0, 36600)},
		configKey{"webhooks.allow_private", false, asBool(&cfg.Webhooks.AllowPrivate)},
		configKey{"metrics.open_to_loopback", false, asBool(&cfg.Metrics.OpenToLoopback)},
		configKey{"log.level", "info", asScalar(&cfg.Log.Level, parseLevel)},
		configKey{"log.format", "", asScalar(&cfg.Log.Format, parseFormat)},
	)
}

// placeKeys are the keys of a section that is written to a folder and a bucket once a day.
func placeKeys(section string, schedule *ClockTime, folder *string, in *S3) []configKey {
	return []configKey{
		{section + ".schedule", "", asScalar(schedule, parseSchedule)},
		{section + ".to", "", asScalar(folder, parseFolder(section))},
		{section + ".s3.endpoint", "", asScalar(&in.Endpoint, parseEndpoint)},
		{section + ".s3.bucket", "", asScalar(&in.Bucket, ParseBucket)},
		{section + ".s3.prefix", "", asScalar(&in.Prefix, ParseKeyPrefix)},
		{section + ".s3.region", "", asText(&in.Region)},
		{section + ".s3.access_key", "", asText(&in.AccessKey)},
		{section + ".s3.secret_key", "", asSecret(&in.SecretKey)},
	}
}

// configurableFeeds are the feeds that have a section in the file.
func configurableFeeds() []market.Feed {
	return slices.DeleteFunc(market.Feeds(), func(feed market.Feed) bool { return feed.Secondary })
}

// feedSection names the section of the file that configures a feed.
func feedSection(name market.FeedName) string { return "ingest." + string(name) }

// feedKeys are the keys of a feed's section; they read into a Feed of cfg of that name.
func feedKeys(cfg *Config, described market.Feed) []configKey {
	feed, section, defaults := &Feed{}, feedSection(described.Name), described.Timetable
	cfg.Ingest.Feeds[described.Name] = feed
	clockTime := func(minutes int) string { return ClockTime(minutes).String() }
	keys := []configKey{
		{section + ".every", fmt.Sprintf("%dm", int(defaults.Every.Minutes())), asScalar(&feed.Every, parseEvery)},
		{section + ".from", clockTime(defaults.From), asScalar(&feed.From, parseClockTime)},
		{section + ".to", clockTime(defaults.To), asScalar(&feed.To, parseClockTime)},
		{section + ".lookback_days", defaults.LookbackDays, asInt(&feed.LookbackDays, 1, 366)},
		{section + ".late_at", clockTime(defaults.LateAt), asScalar(&feed.LateAt, parseClockTime)},
	}
	if !described.IsSoldAhead() { // its values appear all day, so that their age can be judged
		lag := ""
		if defaults.LagAt > 0 {
			lag = fmt.Sprintf("%dm", int(defaults.LagAt.Minutes()))
		}
		keys = append(keys, configKey{section + ".lag_at", lag, asScalar(&feed.LagAt, parseLag)})
	}
	return keys
}
