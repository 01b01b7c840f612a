package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"courant/store/market"
)

// keyReader reads the value of a key into its field, or adds to f what is wrong with it.
type keyReader func(f *faults, key string, value any)

// asScalar reads a value that is written as text. For a value of another type, such as 10 for a duration, it reports the error of parse.
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

// asText accepts any text.
func asText(field *string) keyReader {
	return asScalar(field, func(text string) (string, error) { return text, nil })
}

// parseClientID refuses a space at either end, which comes from copying.
func parseClientID(text string) (string, error) {
	if strings.TrimSpace(text) != text {
		return "", errors.New(aroundSpace)
	}
	return text, nil
}

// asSecret accepts any text; its error does not quote the value.
func asSecret(field *Secret) keyReader {
	return func(f *faults, key string, value any) {
		if text, ok := value.(string); ok {
			*field = Secret(text)
			return
		}
		f.add(key, "the value is not text: put it in quotes")
	}
}

// aroundSpace is what is wrong with a value that has a space at either end.
const aroundSpace = "the value begins or ends with a space: remove it"

// asCredential is asSecret for a value that a source gives, in which a space at either end comes from copying.
func asCredential(field *Secret) keyReader {
	read := asSecret(field)
	return func(f *faults, key string, value any) {
		if text, ok := value.(string); ok && strings.TrimSpace(text) != text {
			f.add(key, aroundSpace)
			return
		}
		read(f, key, value)
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

func asInt(field *int, lowest, highest int) keyReader {
	return func(f *faults, key string, value any) {
		if n, ok := value.(int); ok && n >= lowest && n <= highest {
			*field = n
			return
		}
		f.add(key, "%q is not a whole number from %d to %d: write one without quotes", fmt.Sprint(value), lowest, highest)
	}
}

// asList reads a list; an empty list is nil.
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

// parseURL does not quote the text in its error: people paste addresses that contain credentials.
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

func parseOrigin(text string) (string, error) {
	address, err := parseURL(text)
	if err != nil || strings.Count(text, "/") > 2 {
		return "", errors.New("not an origin: write one such as https://charts.example.org, without a path")
	}
	return address, nil
}

// domainName matches a name of two or more labels. The last one is not a number, so that an IP address does not match.
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

// parseLag reads how old the newest value may be; 0 if its age is not checked.
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

// parseSchedule reads a time of day, or none.
func parseSchedule(text string) (ClockTime, error) {
	if text == "" {
		return NoClockTime, nil
	}
	t, err := parseClockTime(text)
	if err != nil || t == 24*60 {
		return NoClockTime, fmt.Errorf("%q is not a time of day: write HH:MM from 00:00 to 23:59, such as 03:30, or leave it empty", text)
	}
	return t, nil
}

// parseFolder reads the folder of a section that can have a bucket too.
func parseFolder(section string) func(text string) (string, error) {
	return func(text string) (string, error) {
		if strings.Contains(text, "://") {
			return "", fmt.Errorf("an address: write a folder, and set %s.s3 for a bucket", section)
		}
		return text, nil
	}
}

// parseEndpoint accepts a host, which is then called over TLS, or an address. Like parseURL, it does not quote the text.
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

// bucketName matches names that every S3-compatible store accepts.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseBucket returns the name of a bucket, or "" for an empty text.
func ParseBucket(text string) (string, error) {
	if text != "" && (!bucketName.MatchString(text) || strings.Contains(text, "..")) {
		return "", fmt.Errorf("%q is not the name of a bucket: 3 to 63 small letters, digits, dots and dashes", text)
	}
	return text, nil
}

// ParseKeyPrefix returns a prefix of keys with a slash at its end, or "".
func ParseKeyPrefix(text string) (string, error) {
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

// ParseDataset returns the dataset of that name.
func ParseDataset(text string) (market.Dataset, error) {
	dataset, ok := market.ParseDataset(text)
	if !ok {
		return "", fmt.Errorf("%q is not a dataset: write one of %v", text, market.Datasets())
	}
	return dataset, nil
}
