package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// envPrefix begins the environment variables that set keys.
const envPrefix = "COURANT_"

// envSamples belongs to the tests, not to the configuration.
const envSamples = "COURANT_SAMPLES"

// Load reads the file at path, or without a path config.yaml in the working directory or beside the program, and then environ, entries of
// the form NAME=value, which override the file; an empty value counts as not set. Each warning is one line. The error is one line that
// lists all faults, each with its key, and contains no secret.
func Load(path string, environ []string) (cfg Config, warnings []string, err error) {
	path, data, err := ReadFile(path, ProgramDir())
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: name another one with --config, or create it with courant init", err)
		}
		return Config{}, nil, fmt.Errorf("configuration: %w", err)
	}
	tree, err := parseYAML(data)
	if err != nil {
		return Config{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	keys := configKeys(&cfg)

	// viper merges defaults, file and environment. It also lowercases all keys of the map that it is given, so the keys are checked and the
	// offers are read before.
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
		if value == nil { // a value in place of its section, which checkKeys has reported, hides the default
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

// Default returns the configuration without any file or environment variable.
func Default() (cfg Config) {
	var f faults // stays empty: the defaults are valid
	for _, key := range configKeys(&cfg) {
		key.read(&f, key.name, key.fallback)
	}
	return cfg
}

// ProgramDir returns the directory of the running binary, or "" if it is not known.
func ProgramDir() string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(program)
}

// ReadFile reads the named file, which must exist, or without a name the first config.yaml that it finds in the working directory and
// then in programDir; found is "" if there is none.
func ReadFile(named, programDir string) (found string, data []byte, err error) {
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

// parseYAML reads one YAML document of keys and values; empty data is an empty document. Its error is one line.
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

// noKeys is the message for a value where keys are expected.
const noKeys = "keys are expected: write each as key: value, with a space after the colon"

// errUnreadable replaces errors in which the yaml package quotes a value, since that may be a secret.
var errUnreadable = errors.New("not readable as YAML: put values with signs such as * & ! { in quotes")

func notText(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r)
}

// fromParser matches the errors for which the yaml package counts lines from 0.
var fromParser = regexp.MustCompile(`did not find expected (key|node content|'-' indicator|',' or|<document start>)`)

// syntaxError adds the line to an error of the yaml package, which omits it for the first line.
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
	for _, e := range explanations {
		if strings.Contains(message, e.message) {
			message = e.words
			break
		}
	}
	return fmt.Errorf("line %d: %s", line, message)
}

// explanations are what messages of the yaml package mean for who writes a configuration. The first that applies is used.
var explanations = []struct{ message, words string }{
	{"cannot start any token", "a character that cannot begin a value: indent with spaces instead of tabs, and put text that begins with a sign in quotes"},
	{"mapping values are not allowed", "a key where none can be: begin all keys of a section in the same column, and put text with a colon in quotes"},
	{"did not find expected key", "no key is found: begin all keys of a section in the same column, and close every quote above"},
	{"found unexpected end of stream", "the file ends within quotes: close the quote, in this line or above"},
	{"did not find expected ',' or", "a bracket is left open: close it, in this line or above"},
	{"could not find expected ':'", "a key without a colon and a space after it: write key: value"},
}

// checkKeys adds to f the keys of tree that are unknown, and the sections that contain a value instead of keys.
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

// envName returns the environment variable that sets a key.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// keysFromEnvironment returns the values that environ sets, by the name of the key, and a warning for each variable that begins with
// COURANT_ and sets no key.
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
		} else if near := Nearest(variable, slices.Sorted(maps.Keys(byVariable))); near != "" {
			warning += ": did you mean " + near + "?"
		}
		warnings = append(warnings, warning)
	}
	return set, warnings
}

// likeFallback converts value to the type of fallback. What cannot be parsed stays text, which the reader of the key refuses.
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

// readOffers reads the list of offers; a nil value is an empty list.
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
	first := map[string]string{} // by id, the offer that used it first
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
		{at + ".datasets", []any{}, asList(&offer.Datasets, ParseDataset)},
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
