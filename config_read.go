package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"courant/store/market"
)

// envPrefix begins the environment variables that set keys.
const envPrefix = "COURANT_"

// envSamples is a variable of the tests, not of the configuration.
const envSamples = "COURANT_SAMPLES"

// loadConfig reads the file at path, or else config.yaml in the working directory or beside the program, and
// environ, entries of the form NAME=value that win over the file; an empty value counts as not set. Warnings are a
// line each. The error is one line that tells all faults, each naming its key, and never shows a secret.
func loadConfig(path string, environ []string) (cfg Config, warnings []string, err error) {
	path, data, err := readConfigFile(path, programDir())
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	tree, err := parseYAML(data)
	if err != nil {
		return Config{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	keys := configKeys(&cfg)

	// viper layers defaults, file and environment. It also folds the case of every key it is given, in place: the
	// keys are checked and the offers read before that.
	var f faults
	checkKeys(&f, keys, tree)
	cfg.Offers = readOffers(&f, tree[offersKey])
	delete(tree, offersKey)

	v := viper.New()
	for _, key := range keys {
		v.SetDefault(key.name, key.fallback)
	}
	if err := v.MergeConfigMap(tree); err != nil {
		return Config{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	set, warnings := keysFromEnvironment(keys, environ)
	for name, value := range set {
		v.Set(name, value)
	}

	for _, key := range keys {
		value := v.Get(key.name)
		if value == nil { // a value in place of its section, which checkKeys has told, hides the default
			value = key.fallback
		}
		before := len(f)
		key.read(&f, key.name, value)
		if _, ok := set[key.name]; ok {
			for i := range f[before:] {
				f[before+i].text += " (set by " + envName(key.name) + ")"
			}
		}
	}
	_, addrInEnvironment := set["server.addr"]
	cfg.fillIn(addrInEnvironment || v.InConfig("server.addr"))
	cfg.checkTogether(&f)
	if len(f) > 0 {
		if path == "" {
			path = "configuration"
		}
		return Config{}, warnings, fmt.Errorf("%s: %w", path, f)
	}
	return cfg, warnings, nil
}

// defaultConfig is the configuration that neither file nor environment sets.
func defaultConfig() (cfg Config) {
	var f faults // stays empty: defaults are right
	for _, key := range configKeys(&cfg) {
		key.read(&f, key.name, key.fallback)
	}
	return cfg
}

// programDir is the directory of the running binary, or "" if the system does not tell.
func programDir() string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(program)
}

// readConfigFile reads the file named, which must exist, or else the first config.yaml it finds in the working
// directory and in programDir; found is "" if there is none.
func readConfigFile(named, programDir string) (found string, data []byte, err error) {
	if named != "" {
		data, err = os.ReadFile(named)
		return named, data, err
	}
	const name = "config.yaml"
	candidates := []string{name}
	if programDir != "" {
		candidates = append(candidates, filepath.Join(programDir, name))
	}
	for _, candidate := range candidates {
		data, err = os.ReadFile(candidate)
		if !errors.Is(err, fs.ErrNotExist) {
			return candidate, data, err
		}
	}
	return "", nil, nil
}

// parseYAML reads one YAML document of keys and values; data without any is an empty one. Its errors are a line each.
func parseYAML(data []byte) (map[string]any, error) {
	if i := bytes.IndexFunc(data, notText); i >= 0 {
		return nil, fmt.Errorf("line %d: a character that is not text: save the file as UTF-8", 1+bytes.Count(data[:i], []byte("\n")))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return map[string]any{}, nil
	} else if err != nil {
		return nil, syntaxError(err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: a second YAML document begins: remove the line ---", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(err)
	}

	var value any
	if err := document.Decode(&value); err != nil {
		var several *yaml.TypeError
		if errors.As(err, &several) {
			return nil, errors.New(strings.Join(several.Errors, "; "))
		}
		return nil, errUnreadable
	}
	switch value := value.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return value, nil
	}
	return nil, fmt.Errorf("line %d: "+noKeys, document.Line)
}

// noKeys is what to do where keys are expected and something else stands.
const noKeys = "keys are expected: write each as key: value, with a space after the colon"

// errUnreadable stands for the errors in which the yaml package quotes a value, which may be a secret.
var errUnreadable = errors.New("not readable as YAML: put values with signs such as * & ! { in quotes")

func notText(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r)
}

// fromParser matches the faults whose line the yaml package counts from 0.
var fromParser = regexp.MustCompile(`did not find expected (key|node content|'-' indicator|',' or|<document start>)`)

// syntaxError tells the line of a fault, which the yaml package leaves out when it is the first.
func syntaxError(err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(message, "unknown anchor") {
		return errUnreadable
	}
	line := 1
	if _, err := fmt.Sscanf(message, "line %d:", &line); err == nil {
		_, message, _ = strings.Cut(message, ": ")
		if fromParser.MatchString(message) {
			line++
		}
	}
	return fmt.Errorf("line %d: %s", line, message)
}

// checkKeys notes the keys of tree that are in no table, and the sections that hold a value instead of keys.
func checkKeys(f *faults, keys []configKey, tree map[string]any) {
	known := []string{offersKey}
	sections := map[string]bool{}
	for _, key := range keys {
		known = append(known, key.name)
		for i, char := range key.name {
			if char == '.' {
				sections[key.name[:i]] = true
			}
		}
	}
	var check func(prefix string, tree map[string]any)
	check = func(prefix string, tree map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			full := prefix + name
			inner, isSection := tree[name].(map[string]any)
			switch {
			case strings.Contains(name, ":"):
				name, _, _ := strings.Cut(full, ":") // what follows may be a secret
				f.add(name, "a space is missing after the colon")
			case strings.Contains(name, "."):
				f.add(full, "a key with dots: write its parts beneath each other, as in config.example.yaml")
			case slices.Contains(known, full):
			case isSection && (sections[full] || len(inner) > 0):
				check(full+".", inner)
			case !sections[full]:
				f.addUnknown(full, known)
			case tree[name] != nil:
				f.add(full, noKeys)
			}
		}
	}
	check("", tree)
}

// envName is the environment variable that sets a key.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// keysFromEnvironment is the values that environ gives to keys, by the name of the key, and a warning for each
// variable that looks like one of ours and is not.
func keysFromEnvironment(keys []configKey, environ []string) (set map[string]any, warnings []string) {
	set = map[string]any{}
	byVariable := map[string]configKey{}
	for _, key := range keys {
		byVariable[envName(key.name)] = key
	}
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(variable, envPrefix) || variable == envSamples || value == "" {
			continue
		}
		if key, ok := byVariable[variable]; ok {
			set[key.name] = likeFallback(value, key.fallback)
			continue
		}
		warning := variable + " names no key and is ignored"
		if variable == envName(offersKey) {
			warning = variable + " is ignored: offers are set in the file only"
		} else if near := nearest(variable, slices.Sorted(maps.Keys(byVariable))); near != "" {
			warning += ": did you mean " + near + "?"
		}
		warnings = append(warnings, warning)
	}
	return set, warnings
}

// likeFallback gives value the type of fallback. What does not parse stays text, for the key's reader to refuse.
func likeFallback(value string, fallback any) any {
	switch fallback.(type) {
	case bool:
		if b, err := strconv.ParseBool(value); err == nil {
			return b
		}
	case int:
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	case []any:
		items := []any{}
		for item := range strings.SplitSeq(value, ",") {
			items = append(items, strings.TrimSpace(item))
		}
		return items
	}
	return value
}

// readOffers reads the list of offers as the file gives it; nil is none.
func readOffers(f *faults, value any) []Offer {
	if value == nil {
		return nil
	}
	items, ok := value.([]any)
	if !ok {
		f.add(offersKey, "a list is expected: begin each offer with a dash, as in config.example.yaml")
		return nil
	}
	var offers []Offer
	first := map[string]string{} // the offer that has an id
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", offersKey, i)
		fields, ok := item.(map[string]any)
		if !ok {
			f.add(at, noKeys)
			continue
		}
		offer := readOffer(f, at, fields)
		if other, ok := first[offer.ID]; !ok {
			first[offer.ID] = at
		} else if offer.ID != "" {
			f.add(at+".id", "%q is the id of %s too: write another", offer.ID, other)
		}
		offers = append(offers, offer)
	}
	return offers
}

func readOffer(f *faults, at string, fields map[string]any) (offer Offer) {
	keys := []configKey{
		{at + ".id", "", asScalar(&offer.ID, parseOfferID)},
		{at + ".name_fr", "", asText(&offer.NameFR)},
		{at + ".name_en", "", asText(&offer.NameEN)},
		{at + ".price_fr", "", asText(&offer.PriceFR)},
		{at + ".price_en", "", asText(&offer.PriceEN)},
		{at + ".description_fr", "", asText(&offer.DescriptionFR)},
		{at + ".description_en", "", asText(&offer.DescriptionEN)},
		{at + ".datasets", []any{}, asList(&offer.Datasets, parseDataset)},
		{at + ".contact", "", asText(&offer.Contact)},
	}
	var known []string
	for _, key := range keys {
		known = append(known, key.name)
		value := fields[strings.TrimPrefix(key.name, at+".")]
		if value == nil {
			value = key.fallback
		}
		key.read(f, key.name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if full := at + "." + name; !slices.Contains(known, full) {
			f.addUnknown(full, known)
		}
	}
	return offer
}

// faults are what is wrong with a configuration, in the order found. Its text is one line.
type faults []fault

type fault struct{ key, text string }

func (f faults) Error() string {
	var told []string
	for _, one := range f {
		told = append(told, one.key+": "+one.text)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // YAML lets quoted keys hold any
			return ' '
		}
		return r
	}, strings.Join(told, "; "))
}

func (f faults) has(key string) bool {
	return slices.ContainsFunc(f, func(one fault) bool { return one.key == key })
}

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fault{key, fmt.Sprintf(format, args...)})
}

// addUnknown notes a key that is not among known.
func (f *faults) addUnknown(key string, known []string) {
	if near := nearest(key, known); near != "" {
		f.add(key, "unknown key: did you mean %s?", near)
	} else {
		f.add(key, "unknown key: config.example.yaml lists those there are")
	}
}

// keyReader reads the value of a key into its field, or notes what is wrong with it.
type keyReader func(f *faults, key string, value any)

// asScalar reads a value written as text. Something else, such as 10 for a duration, is told parse's error.
func asScalar[T any](field *T, parse func(string) (T, error)) keyReader {
	return func(f *faults, key string, value any) {
		switch value.(type) {
		case nil, []any, map[string]any, map[any]any:
			f.add(key, "one value is expected")
			return
		}
		written := fmt.Sprint(value)
		parsed, err := parse(written)
		if _, isText := value.(string); !isText && err == nil {
			err = fmt.Errorf("%s is not text: put it in quotes", written)
		}
		if err != nil {
			f.add(key, "%s", err)
			return
		}
		*field = parsed
	}
}

// asText reads any text.
func asText(field *string) keyReader {
	return asScalar(field, func(text string) (string, error) { return text, nil })
}

// asSecret reads any text and never tells what it read.
func asSecret(field *Secret) keyReader {
	return func(f *faults, key string, value any) {
		if text, ok := value.(string); ok {
			*field = Secret(text)
			return
		}
		f.add(key, "the value is not text: put it in quotes")
	}
}

func asBool(field *bool) keyReader {
	return func(f *faults, key string, value any) {
		if b, ok := value.(bool); ok {
			*field = b
			return
		}
		f.add(key, "%q is not a switch: write true or false, without quotes", fmt.Sprint(value))
	}
}

func asInt(field *int, least, most int) keyReader {
	return func(f *faults, key string, value any) {
		if n, ok := value.(int); ok && n >= least && n <= most {
			*field = n
			return
		}
		f.add(key, "%q is not a whole number from %d to %d: write one without quotes", fmt.Sprint(value), least, most)
	}
}

// asList reads a list; an empty one is nil.
func asList[T any](field *[]T, parse func(string) (T, error)) keyReader {
	return func(f *faults, key string, value any) {
		items, ok := value.([]any)
		if !ok {
			f.add(key, "a list is expected: write one such as [a, b]")
			return
		}
		for i, item := range items {
			var one T
			asScalar(&one, parse)(f, fmt.Sprintf("%s[%d]", key, i), item)
			*field = append(*field, one)
		}
	}
}

func parseAddr(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("%q is not host:port: write one such as 127.0.0.1:8080", text)
	}
	return text, nil
}

// parseURL does not quote text in its error: people paste addresses with credentials in them.
func parseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("not a plain web address: write one such as https://example.org, without user, ? or #")
	}
	return strings.TrimRight(text, "/"), nil
}

func parsePublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	address, err := parseURL(text)
	if err == nil && strings.Count(address, "/") > 2 {
		err = errors.New("it has a path: Courant is served at the root of its host, so write one such as https://courant.example.org")
	}
	if err != nil {
		return "", err
	}
	return address, nil
}

// domainName matches a name of two or more labels whose last is not a number, so no address.
var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func parseDomain(text string) (string, error) {
	domain := strings.ToLower(text)
	if text != "" && (len(text) > 253 || !domainName.MatchString(domain)) {
		return "", fmt.Errorf("%q is not a domain: write one name such as courant.example.org, accented ones in their xn-- form", text)
	}
	return domain, nil
}

func parseProxy(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address or network: write one such as 127.0.0.1 or 10.0.0.0/8", text)
	}
	return prefix.Masked(), nil
}

func parsePath(text string) (string, error) {
	if text == "" {
		return "", errors.New("empty: write the path of a file, such as courant.db")
	}
	return text, nil
}

func parseEvery(text string) (time.Duration, error) {
	every, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write a number with a unit, such as 10m", text)
	}
	if every < time.Minute {
		return 0, fmt.Errorf("%q is too short: write 1m or more", text)
	}
	return every, nil
}

// parseLag reads how old a newest value may be; 0 where its age is not judged.
func parseLag(text string) (time.Duration, error) {
	if text == "" || text == "0" || text == "off" {
		return 0, nil
	}
	return parseEvery(text)
}

func parseClockTime(text string) (ClockTime, error) {
	var hour, minute int
	if _, err := fmt.Sscanf(text, "%d:%d", &hour, &minute); err == nil && minute >= 0 && minute < 60 {
		t := ClockTime(60*hour + minute)
		if t >= 0 && t <= 24*60 && t.String() == text {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%q is not a time of day: write HH:MM from 00:00 to 24:00, such as 08:10", text)
}

func parseBackupTime(text string) (ClockTime, error) {
	if text == "" {
		return noClockTime, nil
	}
	t, err := parseClockTime(text)
	if err != nil || t == 24*60 {
		return noClockTime, fmt.Errorf("%q is not a time of day: write HH:MM from 00:00 to 23:59, such as 03:30, or leave it empty", text)
	}
	return t, nil
}

func parseBackupFolder(text string) (string, error) {
	if strings.Contains(text, "://") {
		return "", errors.New("an address: write a folder, and set backup.s3 for a bucket")
	}
	return text, nil
}

// parseEndpoint takes a host, with which TLS is spoken, or an address. It does not quote text either.
func parseEndpoint(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	address := text
	if !strings.Contains(text, "://") {
		address = "https://" + text
	}
	address, err := parseURL(address)
	if err != nil || strings.Count(address, "/") > 2 {
		return "", errors.New("not an endpoint: write a host such as s3.example.org, or http://127.0.0.1:9000 to go without TLS; the bucket has a key of its own")
	}
	return address, nil
}

// bucketName matches what every store takes for a name.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseBucket(text string) (string, error) {
	if text != "" && (!bucketName.MatchString(text) || strings.Contains(text, "..")) {
		return "", fmt.Errorf("%q is not the name of a bucket: 3 to 63 small letters, digits, dots and dashes", text)
	}
	return text, nil
}

func parseKeyPrefix(text string) (string, error) {
	folders := strings.Trim(text, "/")
	if folders == "" {
		return "", nil
	}
	if folders != strings.TrimPrefix(path.Clean("/"+folders), "/") || strings.ContainsFunc(folders, unicode.IsControl) {
		return "", fmt.Errorf("%q is not a prefix: write one or more names such as courant or servers/courant", text)
	}
	return folders + "/", nil
}

func parseSignup(text string) (string, error) {
	switch text {
	case "closed", "open":
		return text, nil
	}
	return "", fmt.Errorf("%q is not a way to sign up: write closed or open", text)
}

func parseSender(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if _, err := mail.ParseAddress(text); err != nil {
		return "", fmt.Errorf("%q is not a sender: write an address such as courant@example.org or Courant <courant@example.org>", text)
	}
	return text, nil
}

func parseSMTPTLS(text string) (string, error) {
	switch text {
	case "starttls", "tls", "none":
		return text, nil
	}
	return "", fmt.Errorf("%q is not a way to encrypt: write starttls, tls or none", text)
}

func parseLevel(text string) (slog.Level, error) {
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("%q is not a level: write debug, info, warn or error", text)
}

func parseFormat(text string) (string, error) {
	switch text {
	case "", "text", "json":
		return text, nil
	}
	return "", fmt.Errorf("%q is not a format: write text or json, or leave it empty", text)
}

func parseOfferID(text string) (string, error) {
	if text == "" {
		return "", errors.New("missing: write one such as energy-pro")
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if strings.Trim(text, allowed) != "" {
		return "", fmt.Errorf("%q is not an id: write letters, digits, - and _ only", text)
	}
	return text, nil
}

func parseDataset(text string) (market.Dataset, error) {
	dataset, ok := market.ParseDataset(text)
	if !ok {
		return "", fmt.Errorf("%q is not a dataset: write one of %v", text, market.Datasets())
	}
	return dataset, nil
}
