package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"courant/store/market"
)

// samePrefix lets cmp compare prefixes, whose fields are unexported.
var samePrefix = cmpopts.EquateComparable(netip.Prefix{})

// documentedDefaults are those of the reference.
func documentedDefaults() Config {
	return Config{
		Server:   Server{Addr: "127.0.0.1:8080"},
		Database: Database{Path: "courant.db"},
		RTE:      RTE{BaseURL: "https://digital.iservices.rte-france.com"},
		ENTSOE:   ENTSOE{BaseURL: "https://web-api.tp.entsoe.eu/api"},
		Ingest: Ingest{
			Enabled: true,
			Feeds: map[market.FeedName]*Feed{
				market.FeedDayAheadPrices: {Every: 10 * time.Minute, From: 12*60 + 40, To: 18 * 60, LookbackDays: 35, LateAt: 14*60 + 30},
				market.FeedCapacity:       {Every: 10 * time.Minute, From: 8*60 + 10, To: 11*60 + 30, LookbackDays: 35, LateAt: 11 * 60},
				market.FeedAFRREnergy:     {Every: 15 * time.Minute, From: 0, To: 24 * 60, LookbackDays: 35, LateAt: 6 * 60},
				market.FeedMFRREnergy:     {Every: 15 * time.Minute, From: 0, To: 24 * 60, LookbackDays: 35, LateAt: 6 * 60},
				market.FeedImbalance:      {Every: 15 * time.Minute, From: 3, To: 24 * 60, LookbackDays: 35, LateAt: 6 * 60, LagAt: 25 * time.Minute},
			},
		},
		API:      API{WindowDays: 29, RateLimitPerMinute: 600},
		Accounts: Accounts{Signup: "closed"},
		SMTP:     SMTP{Port: 587, TLS: "starttls"},
		Backup:   Backup{Schedule: NoClockTime, Keep: Keep{Days: 7, Weeks: 4, Months: 12}},
		Export:   Export{Schedule: NoClockTime},
		Log:      Log{Level: slog.LevelInfo},
	}
}

// writeConfig writes text to a file of its own and returns its path.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "courant.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNoFileMeansTheDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, warnings, err := Load("", nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	if diff := cmp.Diff(documentedDefaults(), cfg, samePrefix); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(documentedDefaults(), Default(), samePrefix); diff != "" {
		t.Errorf("defaultConfig: -want +got:\n%s", diff)
	}
}

func TestFilesThatSetNothingMeanTheDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty file":       "",
		"comments":         "# nothing\n",
		"empty section":    "rte:\n",
		"empty braces":     "rte: {}\ningest: {capacity: {}}\n",
		"nested section":   "ingest:\n  capacity:\n",
		"key with no text": "server:\n  addr:\napi:\n  window_days:\n",
		"no offers":        "offers:\n",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _, err := Load(writeConfig(t, text), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(documentedDefaults(), cfg, samePrefix); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestExampleFileShowsEveryKeyWithItsDefault(t *testing.T) {
	const path = "../../config.example.yaml"
	cfg, _, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(documentedDefaults(), cfg, samePrefix); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]any{}
	var flatten func(prefix string, tree map[string]any)
	flatten = func(prefix string, tree map[string]any) {
		for name, value := range tree {
			if inner, ok := value.(map[string]any); ok {
				flatten(prefix+name+".", inner)
			} else {
				shown[prefix+name] = value
			}
		}
	}
	flatten("", tree)
	want := map[string]any{offersKey: []any{}}
	for _, key := range configKeys(new(Config)) {
		want[key.name] = key.fallback
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("keys of the table -, keys of the example +:\n%s", diff)
	}
}

func TestExampleOfferIsOne(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "offers: []\n")
	if !found {
		t.Fatal("the example has no line offers: []")
	}
	block, _, _ := strings.Cut(rest, "\n\n")
	text := "offers:\n" + regexp.MustCompile(`(?m)^#`).ReplaceAllString(block, "")
	cfg, _, err := Load(writeConfig(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Offers) != 1 {
		t.Fatalf("%d offers in:\n%s", len(cfg.Offers), text)
	}
	var fields map[string][]map[string]any
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	if got := len(fields["offers"][0]); got != 9 {
		t.Errorf("the example offer shows %d fields of 9", got)
	}
}

func TestFileIsReadWhole(t *testing.T) {
	cfg, warnings, err := Load(writeConfig(t, `
server:
  addr: ":9000"
  public_url: https://courant.example.org/
  trusted_proxies: [127.0.0.1, 10.1.2.3/8, "::1", "::ffff:192.0.2.7"]
contact: desk@example.org
database: {path: /var/lib/courant.db}
rte: {base_url: "http://127.0.0.1:9/", client_id: id, client_secret: key}
entsoe: {base_url: "http://127.0.0.1:9/api", security_token: token}
ingest:
  enabled: false
  day_ahead_prices: {every: 5m, from: "00:00", to: "24:00", lookback_days: 366, late_at: "15:00"}
  capacity: &feed {every: 1h, from: 07:05, to: "07:06", lookback_days: 1, late_at: "07:07"}
  afrr_energy: *feed
  mfrr_energy: {lag_at: 45m}
  imbalance: {every: 30m}
api: {window_days: 3660, rate_limit_per_minute: 1, cors_origins: [https://charts.example.org, "http://localhost:5173"]}
offers:
  - {id: Pro_1, name_fr: Pro, name_en: Pro, price_fr: 9 €, price_en: €9, description_fr: Tout, description_en: All, contact: c@example.org}
  - {id: energy-2, datasets: [afrr-energy, mfrr-energy]}
accounts: {signup: closed}
backup:
  schedule: "03:30"
  s3: {endpoint: "s3.example.org:9000/", bucket: back.ups-1, prefix: /a/b/, region: fr, access_key: id, secret_key: key}
export: {schedule: "05:00", to: lake, datasets: [afrr-energy]}
log: {level: debug, format: json}
`), nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	hourly := Feed{Every: time.Hour, From: 7*60 + 5, To: 7*60 + 6, LookbackDays: 1, LateAt: 7*60 + 7}
	want := Config{
		Server: Server{
			Addr: ":9000", PublicURL: "https://courant.example.org",
			TrustedProxies: []netip.Prefix{
				netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.7/32"),
			},
		},
		Contact:  "desk@example.org",
		Database: Database{Path: "/var/lib/courant.db"},
		RTE:      RTE{BaseURL: "http://127.0.0.1:9", ClientID: "id", ClientSecret: "key"},
		ENTSOE:   ENTSOE{BaseURL: "http://127.0.0.1:9/api", SecurityToken: "token"},
		Ingest: Ingest{
			Feeds: map[market.FeedName]*Feed{
				market.FeedDayAheadPrices: {Every: 5 * time.Minute, From: 0, To: 24 * 60, LookbackDays: 366, LateAt: 15 * 60},
				market.FeedCapacity:       &hourly,
				market.FeedAFRREnergy:     &hourly,
				market.FeedMFRREnergy:     {Every: 15 * time.Minute, From: 0, To: 24 * 60, LookbackDays: 35, LateAt: 6 * 60, LagAt: 45 * time.Minute},
				market.FeedImbalance:      {Every: 30 * time.Minute, From: 3, To: 24 * 60, LookbackDays: 35, LateAt: 6 * 60, LagAt: 25 * time.Minute},
			},
		},
		API: API{WindowDays: 3660, RateLimitPerMinute: 1, CORSOrigins: []string{"https://charts.example.org", "http://localhost:5173"}},
		Offers: []Offer{
			{
				ID: "Pro_1", NameFR: "Pro", NameEN: "Pro", PriceFR: "9 €", PriceEN: "€9",
				DescriptionFR: "Tout", DescriptionEN: "All", Contact: "c@example.org",
			},
			{ID: "energy-2", Datasets: []market.Dataset{market.AFRREnergy, market.MFRREnergy}},
		},
		Accounts: Accounts{Signup: "closed"},
		SMTP:     SMTP{Port: 587, TLS: "starttls"},
		Backup: Backup{
			Schedule: 3*60 + 30, Keep: Keep{Days: 7, Weeks: 4, Months: 12},
			S3: S3{Endpoint: "https://s3.example.org:9000", Bucket: "back.ups-1", Prefix: "a/b/", Region: "fr", AccessKey: "id", SecretKey: "key"},
		},
		Export: Export{Schedule: 5 * 60, To: "lake", Datasets: []market.Dataset{market.AFRREnergy}},
		Log:    Log{Level: slog.LevelDebug, Format: "json"},
	}
	if diff := cmp.Diff(want, cfg, samePrefix, cmp.Transformer("Reveal", Secret.Reveal)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWorkingDirectoryComesBeforeTheProgramsOwn(t *testing.T) {
	write := func(path string) {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	program := t.TempDir()
	beside := filepath.Join(program, "config.yaml")
	check := func(named, wantFound string) {
		t.Helper()
		found, data, err := ReadFile(named, program)
		if err != nil || found != wantFound || string(data) != wantFound {
			t.Errorf("found %q holding %q, error %v; want %q", found, data, err, wantFound)
		}
	}

	check("", "")
	write(beside)
	check("", beside)
	write("config.yaml")
	check("", "config.yaml")
	write("other.yaml")
	check("other.yaml", "other.yaml")
}

func TestConfigYAMLInTheWorkingDirectoryIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.yaml", []byte("contact: here"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load("", nil)
	if err != nil || cfg.Contact != "here" {
		t.Errorf("contact %q, error %v", cfg.Contact, err)
	}
}

func TestFilesThatCannotBeReadAreOneLine(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, _, err := Load("missing.yaml", nil); fmt.Sprint(err) != "configuration: open missing.yaml: no such file or directory: name another one with --config, or create it with courant init" {
		t.Errorf("named file missing: %v", err)
	}
	if err := os.Mkdir("config.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load("", nil); fmt.Sprint(err) != "configuration: read config.yaml: is a directory" {
		t.Errorf("directory: %v", err)
	}
}

func TestEnvironmentWinsOverFileAndDefault(t *testing.T) {
	path := writeConfig(t, "server: {addr: 'file:1', trusted_proxies: [10.0.0.1]}\nrte:\napi: {window_days: wrong}\n")
	cfg, warnings, err := Load(path, []string{
		"COURANT_SERVER_ADDR=env:2",
		"COURANT_SERVER_TRUSTED_PROXIES=127.0.0.1, 192.168.0.0/16",
		"COURANT_DATABASE_PATH=/tmp/a=b.db",
		"COURANT_RTE_CLIENT_ID=12345",
		"COURANT_RTE_CLIENT_SECRET=true",
		"COURANT_INGEST_ENABLED=false",
		"COURANT_INGEST_AFRR_ENERGY_EVERY=1h",
		"COURANT_INGEST_AFRR_ENERGY_FROM=06:00",
		"COURANT_API_WINDOW_DAYS=7",
		"COURANT_LOG_LEVEL=error",
		"COURANT_ACCOUNTS_SIGNUP=",
		"COURANT_SAMPLES=/samples",
		"HOME=/root",
	})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %q, error %v", warnings, err)
	}
	want := documentedDefaults()
	want.Server.Addr = "env:2"
	want.Server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.168.0.0/16")}
	want.Database.Path = "/tmp/a=b.db"
	want.RTE.ClientID = "12345"
	want.RTE.ClientSecret = "true"
	want.Ingest.Enabled = false
	want.Ingest.Feeds[market.FeedAFRREnergy].Every = time.Hour
	want.Ingest.Feeds[market.FeedAFRREnergy].From = 6 * 60
	want.API.WindowDays = 7
	want.Log.Level = slog.LevelError
	if diff := cmp.Diff(want, cfg, samePrefix, cmp.Transformer("Reveal", Secret.Reveal)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEveryKeyHasAVariableOfItsOwn(t *testing.T) {
	keys := map[string]string{}
	for _, key := range configKeys(new(Config)) {
		if other, taken := keys[envName(key.name)]; taken {
			t.Errorf("%s and %s share %s", key.name, other, envName(key.name))
		}
		keys[envName(key.name)] = key.name
	}
}

func TestVariablesThatNameNoKeyWarn(t *testing.T) {
	_, warnings, err := Load(writeConfig(t, ""), []string{
		"COURANT_SERVER_ADRR=:1",
		"COURANT_OFFERS=basic",
		"COURANT_ZZZ=secret",
		"COURANT_EMPTY=",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"COURANT_SERVER_ADRR names no key and is ignored: did you mean COURANT_SERVER_ADDR?",
		"COURANT_OFFERS is ignored: offers are set in the file only",
		"COURANT_ZZZ names no key and is ignored",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFaultsNameTheKeyAndTheMend(t *testing.T) {
	const (
		noDomain   = " is not a domain: write one name such as courant.example.org, accented ones in their xn-- form"
		noURL      = "not a plain web address: write one such as https://example.org, without user, ? or #"
		noSection  = "keys are expected: write each as key: value, with a space after the colon"
		noSpace    = "a space is missing after the colon"
		allListed  = "unknown key: config.example.yaml lists those there are"
		notQuoted  = "the value is not text: put it in quotes"
		noEndpoint = "not an endpoint: write a host such as s3.example.org, or http://127.0.0.1:9000 to go without TLS; the bucket has a key of its own"
		windowDays = "is not a whole number from 1 to 3660: write one without quotes"
		lookback   = "is not a whole number from 1 to 366: write one without quotes"
		noDuration = "is not a duration: write a number with a unit, such as 10m"
		noTime     = "is not a time of day: write HH:MM from 00:00 to 24:00, such as 08:10"
		credential = "set both, or neither to leave the RTE feeds off"
	)
	for _, test := range []struct{ name, text, want string }{
		{"misspelt key", "server: {adr: ':1'}", "server.adr: unknown key: did you mean server.addr?"},
		{"misspelt section", "databse: {path: a}", "databse.path: unknown key: did you mean database.path?"},
		{"key of another version", "exports: {every: 1h}", "exports.every: " + allListed},
		{"empty section of another version", "exports:", "exports: " + allListed},
		{"empty braces of another version", "exports: {}", "exports: " + allListed},
		{"key in capitals", "server: {Addr: ':1'}", "server.Addr: unknown key: did you mean server.addr?"},
		{"key with a line break", `"a\nb": c`, "a b: " + allListed},
		{"key with dots", "server.addr: ':1'", "server.addr: a key with dots: write its parts beneath each other, as in config.example.yaml"},
		{"value for a section", "server: here", "server: " + noSection},
		{"list for a section", "ingest: {capacity: [1]}", "ingest.capacity: " + noSection},
		{"keys for a value", "contact: {mail: a}", "contact: one value is expected"},
		{"list for a value", "contact: [a]", "contact: one value is expected"},
		{"value for a list", "server: {trusted_proxies: 127.0.0.1}", "server.trusted_proxies: a list is expected: write one such as [a, b]"},

		{"address without port", "server: {addr: localhost}", `server.addr: "localhost" is not host:port: write one such as 127.0.0.1:8080`},
		{"port alone", "server: {addr: 8080}", `server.addr: "8080" is not host:port: write one such as 127.0.0.1:8080`},
		{"port too high", "server: {addr: ':65536'}", `server.addr: ":65536" is not host:port: write one such as 127.0.0.1:8080`},
		{"public address without scheme", "server: {public_url: courant.example.org}", "server.public_url: " + noURL},
		{
			"public address with a path", "server: {public_url: 'https://example.org/courant'}",
			"server.public_url: it has a path: Courant is served at the root of its host, so write one such as https://courant.example.org",
		},
		{"address as TLS domain", "server: {tls: {domain: 192.0.2.1}}", `server.tls.domain: "192.0.2.1"` + noDomain},
		{"TLS domain of one label", "server: {tls: {domain: localhost}}", `server.tls.domain: "localhost"` + noDomain},
		{"TLS domain with a port", "server: {tls: {domain: 'a.example.org:443'}}", `server.tls.domain: "a.example.org:443"` + noDomain},
		{"any TLS domain", "server: {tls: {domain: '*.example.org'}}", `server.tls.domain: "*.example.org"` + noDomain},
		{"two TLS domains", "server: {tls: {domain: 'a.example.org, b.example.org'}}", `server.tls.domain: "a.example.org, b.example.org"` + noDomain},
		{
			"TLS domain, plain public address", "server: {tls: {domain: a.example.org}, public_url: 'http://a.example.org'}",
			"server.public_url: not https while server.tls.domain is set: leave it empty, or write https://a.example.org",
		},
		{
			"origin with a path", "api: {cors_origins: [https://charts.example.org/]}",
			"api.cors_origins[0]: not an origin: write one such as https://charts.example.org, without a path",
		},
		{
			"every origin", "api: {cors_origins: [\"*\"]}",
			"api.cors_origins[0]: not an origin: write one such as https://charts.example.org, without a path",
		},
		{
			"proxy by name", "server: {trusted_proxies: [127.0.0.1, caddy]}",
			`server.trusted_proxies[1]: "caddy" is not an address or network: write one such as 127.0.0.1 or 10.0.0.0/8`,
		},
		{"number for text", "contact: 0123", "contact: 83 is not text: put it in quotes"},
		{"no database", "database: {path: ''}", "database.path: empty: write the path of a file, such as courant.db"},
		{"number for the database", "database: {path: 1}", "database.path: 1 is not text: put it in quotes"},

		{"RTE address of another scheme", "rte: {base_url: ftp://example.org}", "rte.base_url: " + noURL},
		{"RTE address with credentials", "rte: {base_url: 'https://me:hush@example.org'}", "rte.base_url: " + noURL},
		{"ENTSO-E address with a token", "entsoe: {base_url: 'https://example.org/api?securityToken=hush'}", "entsoe.base_url: " + noURL},
		{"address without host", "entsoe: {base_url: 'http://:80'}", "entsoe.base_url: " + noURL},
		{"number for an id", "rte: {client_id: 12345, client_secret: hush}", "rte.client_id: 12345 is not text: put it in quotes"},
		{"number for a secret", "rte: {client_id: a, client_secret: 67890}", "rte.client_secret: " + notQuoted},
		{"space after a token", "entsoe: {security_token: 'hush '}", "entsoe.security_token: the value begins or ends with a space: remove it"},
		{"space before an id", "rte: {client_id: ' a', client_secret: hush}", "rte.client_id: the value begins or ends with a space: remove it"},
		{"list for a secret", "entsoe: {security_token: [hush]}", "entsoe.security_token: " + notQuoted},
		{"id without secret", "rte: {client_id: a}", "rte.client_secret: empty while rte.client_id is set: " + credential},
		{"secret without id", "rte: {client_secret: hush}", "rte.client_id: empty while rte.client_secret is set: " + credential},
		{"no space in a section", "rte:\n  client_secret:hush\n", "rte: " + noSection},
		{"no space in braces", "rte: {client_secret:hu.sh}", "rte.client_secret: " + noSpace},

		{"quoted switch", "ingest: {enabled: 'true'}", `ingest.enabled: "true" is not a switch: write true or false, without quotes`},
		{"quoted duration without unit", "ingest: {capacity: {every: '10'}}", `ingest.capacity.every: "10" ` + noDuration},
		{"duration without unit", "ingest: {capacity: {every: 10}}", `ingest.capacity.every: "10" ` + noDuration},
		{"short duration", "ingest: {afrr_energy: {every: 59s}}", `ingest.afrr_energy.every: "59s" is too short: write 1m or more`},
		{"negative duration", "ingest: {afrr_energy: {every: -10m}}", `ingest.afrr_energy.every: "-10m" is too short: write 1m or more`},
		{"time with one digit", "ingest: {capacity: {from: 8:10}}", `ingest.capacity.from: "8:10" ` + noTime},
		{"time past midnight", "ingest: {capacity: {to: '24:01'}}", `ingest.capacity.to: "24:01" ` + noTime},
		{"time past the hour", "ingest: {capacity: {to: '10:60'}}", `ingest.capacity.to: "10:60" ` + noTime},
		{"time with seconds", "ingest: {capacity: {to: '10:30:00'}}", `ingest.capacity.to: "10:30:00" ` + noTime},
		{
			"end before start", "ingest: {mfrr_energy: {from: '10:00', to: '10:00'}}",
			"ingest.mfrr_energy.to: 10:00 is not after ingest.mfrr_energy.from, which is 10:00: write a later time, up to 24:00",
		},
		{"few days of 4 s steps", "retention: {afrr_energy_days: 34}", "retention.afrr_energy_days: 34 is less than what is read again and completed (ingest.afrr_energy.lookback_days is 35): write 35 or more, or 0 to keep all"},
		{"few days, and few looked back", "retention: {afrr_energy_days: 13}\ningest: {afrr_energy: {lookback_days: 1}}", "retention.afrr_energy_days: 13 is less than what is read again and completed (ingest.afrr_energy.lookback_days is 1): write 14 or more, or 0 to keep all"},
		{"days below none", "retention: {afrr_energy_days: -1}", `retention.afrr_energy_days: "-1" is not a whole number from 0 to 36600: write one without quotes`},
		{"no lookback", "ingest: {day_ahead_prices: {lookback_days: 0}}", `ingest.day_ahead_prices.lookback_days: "0" ` + lookback},
		{"long lookback", "ingest: {day_ahead_prices: {lookback_days: 367}}", `ingest.day_ahead_prices.lookback_days: "367" ` + lookback},

		{"no window", "api: {window_days: 0}", `api.window_days: "0" ` + windowDays},
		{"long window", "api: {window_days: 3661}", `api.window_days: "3661" ` + windowDays},
		{"quoted number", "api: {window_days: '29'}", `api.window_days: "29" ` + windowDays},
		{"fraction", "api: {window_days: 1.5}", `api.window_days: "1.5" ` + windowDays},
		{
			"no requests", "api: {rate_limit_per_minute: 0}",
			`api.rate_limit_per_minute: "0" is not a whole number from 1 to 1000000: write one without quotes`,
		},
		{"other sign-up", "accounts: {signup: maybe}", `accounts.signup: "maybe" is not a way to sign up: write closed or open`},
		{"a time of day that comes twice", "backup: {schedule: '24:00', to: b}", `backup.schedule: "24:00" is not a time of day: write HH:MM from 00:00 to 23:59, such as 03:30, or leave it empty`},
		{"backups to nowhere", "backup: {schedule: '03:30'}", "backup.to: empty while backup.schedule is set: write the folder that backups go to, or set backup.s3"},
		{"backups to an address", "backup: {to: 's3://a/b'}", "backup.to: an address: write a folder, and set backup.s3 for a bucket"},
		{"exports to nowhere", "export: {schedule: '03:30'}", "export.to: empty while export.schedule is set: write the folder that files are exported to, or set export.s3"},
		{"exports to an address", "export: {to: 's3://a/b'}", "export.to: an address: write a folder, and set export.s3 for a bucket"},
		{"a bucket for exports without keys", "export: {s3: {endpoint: s3.example.org, bucket: lake, access_key: a}}",
			"export.s3.secret_key: empty while export.s3.endpoint is set: endpoint, bucket and both keys belong together"},
		{"an export of what is no dataset", "export: {datasets: [prices]}", `export.datasets[0]: "prices" is not a dataset: write one of [day-ahead-prices fcr-capacity afrr-capacity mfrr-capacity afrr-energy mfrr-energy imbalance-prices]`},
		{"an endpoint with a path", "backup: {s3: {endpoint: 'https://s3.example.org/backups', bucket: abc, access_key: a, secret_key: b}}", "backup.s3.endpoint: " + noEndpoint},
		{"an endpoint with a secret in it", "backup: {s3: {endpoint: 'https://a:hush@s3.example.org', bucket: abc, access_key: a, secret_key: b}}", "backup.s3.endpoint: " + noEndpoint},
		{"a bucket that is none", "backup: {s3: {endpoint: s3.example.org, bucket: Backups, access_key: a, secret_key: b}}", `backup.s3.bucket: "Backups" is not the name of a bucket: 3 to 63 small letters, digits, dots and dashes`},
		{"a prefix that leads up", "backup: {s3: {prefix: ../b}}", `backup.s3.prefix: "../b" is not a prefix: write one or more names such as courant or servers/courant`},
		{
			"half of a bucket", "backup: {schedule: '03:30', s3: {bucket: backups, secret_key: hush}}",
			"backup.s3.endpoint: empty while backup.s3.bucket is set: endpoint, bucket and both keys belong together; " +
				"backup.s3.access_key: empty while backup.s3.bucket is set: endpoint, bucket and both keys belong together",
		},
		{"mail without a sender", "smtp: {host: mail.example.org}", "smtp.from: empty while smtp.host is set: write the address that mails come from"},
		{"a sender that is none", "smtp: {from: Courant}", `smtp.from: "Courant" is not a sender: write an address such as courant@example.org or Courant <courant@example.org>`},
		{"half of the mail's credentials", "smtp: {username: courant}", "smtp.username: set it and smtp.password both, or neither"},
		{"other encryption of mail", "smtp: {tls: ssl}", `smtp.tls: "ssl" is not a way to encrypt: write starttls, tls or none`},
		{"a port of mail that is none", "smtp: {port: 0}", `smtp.port: "0" is not a whole number from 1 to 65535: write one without quotes`},
		{"level", "log: {level: loud}", `log.level: "loud" is not a level: write debug, info, warn or error`},
		{"format", "log: {format: xml}", `log.format: "xml" is not a format: write text or json, or leave it empty`},

		{"offers without dash", "offers: {id: a}", "offers: a list is expected: begin each offer with a dash, as in config.example.yaml"},
		{"offer without keys", "offers: [a]", "offers[0]: " + noSection},
		{"offer without id", "offers: [{name_fr: a}]", "offers[0].id: missing: write one such as energy-pro"},
		{"offer id with a space", "offers: [{id: a b}]", `offers[0].id: "a b" is not an id: write letters, digits, - and _ only`},
		{"offer id that is a number", "offers: [{id: 7}]", "offers[0].id: 7 is not text: put it in quotes"},
		{"offer id twice", "offers: [{id: a}, {id: b}, {id: a}]", `offers[2].id: "a" is the id of offers[0] too: write another`},
		{"offer key misspelt", "offers: [{id: a, name_rf: b}]", "offers[0].name_rf: unknown key: did you mean offers[0].name_fr?"},
		{"offer key in capitals", "offers: [{id: a, NAME_FR: b}]", "offers[0].NAME_FR: unknown key: did you mean offers[0].name_fr?"},
		{"offer key unheard of", "offers: [{id: a, reimbursement: b}]", "offers[0].reimbursement: " + allListed},
		{"offer price as a number", "offers: [{id: a, price_fr: 90}]", "offers[0].price_fr: 90 is not text: put it in quotes"},
		{
			"offer of an unknown dataset", "offers: [{id: a, datasets: [afrr-energy, gas]}]",
			`offers[0].datasets[1]: "gas" is not a dataset: write one of ` +
				"[day-ahead-prices fcr-capacity afrr-capacity mfrr-capacity afrr-energy mfrr-energy imbalance-prices]",
		},

		{"syntax on the first line", "contact: a: b\n", "line 1: a key where none can be: begin all keys of a section in the same column, and put text with a colon in quotes"},
		{"bracket left open", "contact: a\nserver: [1, 2\nlog: a\n", "line 2: a bracket is left open: close it, in this line or above"},
		{"indentation", "contact: a\nserver:\n  addr: a\n log:\n", "line 4: no key is found: begin all keys of a section in the same column, and close every quote above"},
		{"tab", "server:\n\taddr: a\n", "line 2: a character that cannot begin a value: indent with spaces instead of tabs, and put text that begins with a sign in quotes"},
		{"quote left open", "contact: \"a\nlog: a\n", "line 3: the file ends within quotes: close the quote, in this line or above"},
		{"no space between keys", "rte:\n  client_id: a\n  client_secret:hush\n", "line 3: a key without a colon and a space after it: write key: value"},
		{"Latin-1", "contact: a\nlog: \xe9\n", "line 2: a character that is not text: save the file as UTF-8"},
		{"key twice", "contact: a\nlog:\n  level: info\ncontact: b\n", `line 4: mapping key "contact" already defined at line 1`},
		{"list at the top", "- a\n", "line 1: " + noSection},
		{"secret at the top", "# mine\n\nhush\n", "line 3: " + noSection},
		{"two documents", "contact: a\n---\ncontact: b\n", "line 2: a second YAML document begins: remove the line ---"},
		{
			"secret that is an alias to YAML", "entsoe: {security_token: *hush}",
			"not readable as YAML: put values with signs such as * & ! { in quotes",
		},
		{
			"secret with a tag", "entsoe: {security_token: !!int hush}",
			"not readable as YAML: put values with signs such as * & ! { in quotes",
		},
		{
			"secret that is a template", "entsoe: {security_token: {{hush: 1}: 2}}",
			"not readable as YAML: put values with signs such as * & ! { in quotes",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := writeConfig(t, test.text)
			cfg, _, err := Load(path, nil)
			if want := path + ": " + test.want; fmt.Sprint(err) != want {
				t.Errorf("\n got %v\nwant %s", err, want)
			}
			if diff := cmp.Diff(Config{}, cfg, samePrefix); diff != "" {
				t.Errorf("a configuration beside the error:\n%s", diff)
			}
		})
	}
}

func TestFaultsOfTheEnvironmentNameTheVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	_, warnings, err := Load("", []string{
		"COURANT_API_WINDOW_DAYS=many",
		"COURANT_SERVER_TRUSTED_PROXIES=127.0.0.1,",
		"COURANT_INGEST_ENABLED=maybe",
		"COURANT_LOG_LEVLE=info",
	})
	want := "configuration: " +
		`server.trusted_proxies[1]: "" is not an address or network: write one such as 127.0.0.1 or 10.0.0.0/8 (set by COURANT_SERVER_TRUSTED_PROXIES); ` +
		`ingest.enabled: "maybe" is not a switch: write true or false, without quotes (set by COURANT_INGEST_ENABLED); ` +
		`api.window_days: "many" is not a whole number from 1 to 3660: write one without quotes (set by COURANT_API_WINDOW_DAYS)`
	if fmt.Sprint(err) != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	if len(warnings) != 1 {
		t.Errorf("warnings beside the error: %q", warnings)
	}
}

func TestAllFaultsAreReportedInOneLine(t *testing.T) {
	path := writeConfig(t, `
srever: {addr: ":1"}
server: {addr: nowhere}
rte: {client_id: a}
ingest: {capacity: {every: 10, from: "12:00"}}
offers: [{id: a, foo: b}, {id: a}]
`)
	_, _, err := Load(path, []string{"COURANT_LOG_FORMAT=xml"})
	want := path + ": " + strings.Join([]string{
		"srever.addr: unknown key: did you mean server.addr?",
		"offers[0].foo: unknown key: did you mean offers[0].id?",
		`offers[1].id: "a" is the id of offers[0] too: write another`,
		`server.addr: "nowhere" is not host:port: write one such as 127.0.0.1:8080`,
		`ingest.capacity.every: "10" is not a duration: write a number with a unit, such as 10m`,
		`log.format: "xml" is not a format: write text or json, or leave it empty (set by COURANT_LOG_FORMAT)`,
		"rte.client_secret: empty while rte.client_id is set: set both, or neither to leave the RTE feeds off",
		"ingest.capacity.to: 11:30 is not after ingest.capacity.from, which is 12:00: write a later time, up to 24:00",
	}, "; ")
	if fmt.Sprint(err) != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

func TestServerAddrIsServedBesideTLSOnlyWhereItIsSet(t *testing.T) {
	const domain = "server: {tls: {domain: Courant.example.org}}"
	for _, test := range []struct {
		text    string
		environ []string
		addr    string
	}{
		{"", nil, "127.0.0.1:8080"},
		{domain, nil, ""},
		{"server: {addr: '127.0.0.1:8080', tls: {domain: courant.example.org}}", nil, "127.0.0.1:8080"},
		{domain, []string{"COURANT_SERVER_ADDR=127.0.0.1:9"}, "127.0.0.1:9"},
	} {
		cfg, _, err := Load(writeConfig(t, test.text), test.environ)
		if err != nil || cfg.Server.Addr != test.addr {
			t.Errorf("%s and %v: address %q, error %v, want %q", test.text, test.environ, cfg.Server.Addr, err, test.addr)
		}
	}
	cfg, _, err := Load(writeConfig(t, domain+"\ndatabase: {path: data/courant.db}"), nil)
	if err != nil || cfg.Server.PublicURL != "https://courant.example.org" || cfg.Server.TLS.CacheDir != filepath.Join("data", "certificates") {
		t.Errorf("%+v, error %v", cfg.Server, err)
	}
}

func TestALinkNamesTheSiteAsAPersonReachesIt(t *testing.T) {
	for _, test := range []struct{ addr, publicURL, want string }{
		{"127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{":8080", "", "http://localhost:8080"},
		{"0.0.0.0:8080", "", "http://localhost:8080"},
		{"[::]:8080", "", "http://localhost:8080"},
		{"[::1]:8080", "", "http://[::1]:8080"},
		{"courant.example.org:80", "", "http://courant.example.org:80"},
		{":8080", "https://courant.example.org", "https://courant.example.org"},
	} {
		cfg := Default()
		cfg.Server.Addr, cfg.Server.PublicURL = test.addr, test.publicURL
		if got := Site(cfg); got != test.want {
			t.Errorf("on %s, with %q: %s, want %s", test.addr, test.publicURL, got, test.want)
		}
	}
}

func FuzzAnyFileIsAConfigurationOrAOneLineError(f *testing.F) {
	example, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("offers: [{id: a, datasets: [afrr-energy]}]"))
	f.Add([]byte("ingest: {capacity: &feed {every: 5m}, afrr_energy: *feed}"))
	f.Add([]byte("1: a\nserver: {2: b}\n\"a\\nb\": c"))
	path := filepath.Join(f.TempDir(), "courant.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _, err := Load(path, nil)
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("more than one line: %q", err)
		}
		if err == nil && cfg.API.WindowDays < 1 {
			t.Errorf("accepted with a window of %d days", cfg.API.WindowDays)
		}
	})
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	cfg := documentedDefaults()
	cfg.RTE.ClientSecret = "hush"
	cfg.ENTSOE.SecurityToken = "hush"
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("read", "config", cfg, "secret", cfg.RTE.ClientSecret)
	}
	for how, printed := range map[string]string{
		"%v":   fmt.Sprintf("%v %v", cfg, &cfg),
		"%+v":  fmt.Sprintf("%+v", cfg),
		"%#v":  fmt.Sprintf("%#v", cfg),
		"%s":   fmt.Sprintf("%s %s", cfg.RTE.ClientSecret, cfg.ENTSOE.SecurityToken),
		"%q":   fmt.Sprintf("%q", cfg.RTE.ClientSecret),
		"%x":   fmt.Sprintf("%x", cfg.RTE.ClientSecret),
		"json": string(encoded),
		"slog": logged.String(),
	} {
		if strings.Contains(printed, "hush") || strings.Contains(printed, fmt.Sprintf("%x", "hush")) {
			t.Errorf("%s shows the secret: %s", how, printed)
		}
	}
	if got := cfg.RTE.ClientSecret.Reveal(); got != "hush" {
		t.Errorf("Reveal is %q", got)
	}
}
