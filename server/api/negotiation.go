package api

import (
	"slices"
	"strings"
)

// weights are the quality values of the content codings in Accept-Encoding, in thousandths; 0: not acceptable.
type weights struct {
	plain, gzip, zstd int
}

// prefersGzip reports whether gzip is acceptable and preferred no less than the identity.
func (w weights) prefersGzip() bool { return w.gzip > 0 && w.gzip >= w.plain }

const (
	mostWeight = 1000
	unnamed    = -1
)

// parseAcceptEncoding parses the values of Accept-Encoding, which may be malformed. A coding that is not named is not
// acceptable, except the identity.
func parseAcceptEncoding(values []string) weights {
	named := weights{unnamed, unnamed, unnamed}
	others := unnamed
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			weight := parseWeight(parameters)
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, "identity"):
				named.plain = weight
			case strings.EqualFold(name, codingGzip), strings.EqualFold(name, "x-gzip"):
				named.gzip = weight
			case strings.EqualFold(name, codingZstd):
				named.zstd = weight
			case name == "*":
				others = weight
			}
		}
	}
	fill := func(weight *int, fallback int) {
		if *weight == unnamed {
			*weight = fallback
		}
	}
	fill(&named.plain, others)
	fill(&named.plain, 1) // there is always something to send
	fill(&named.gzip, max(others, 0))
	fill(&named.zstd, max(others, 0))
	return named
}

// parseWeight parses the parameters of a coding, such as "q=0.5". Malformed ones make it not acceptable.
func parseWeight(parameters string) int {
	if strings.TrimSpace(parameters) == "" {
		return mostWeight
	}
	name, text, _ := strings.Cut(parameters, "=")
	if name = strings.TrimSpace(name); !strings.EqualFold(name, "q") {
		return 0
	}
	whole, decimals, _ := strings.Cut(strings.TrimSpace(text), ".")
	if len(decimals) > 3 || whole != "0" && whole != "1" {
		return 0
	}
	weight := int(whole[0]-'0') * mostWeight
	for i, unit := 0, mostWeight/10; i < len(decimals); i, unit = i+1, unit/10 {
		digit := int(decimals[i]) - '0'
		if digit < 0 || digit > 9 {
			return 0
		}
		weight += digit * unit
	}
	if weight > mostWeight {
		return 0
	}
	return weight
}

// matchesAny reports whether one of the values of If-None-Match matches an entity tag.
func matchesAny(values []string, tag string) bool {
	return slices.ContainsFunc(values, func(value string) bool { return matchesTag(value, tag) })
}

// proxyCodings are what proxies that compress an answer append to its entity tag, and do not remove from If-None-Match.
var proxyCodings = []string{"-gzip", "-br", "-zstd"}

// isTag reports whether a tag is an entity tag, as it was sent or as a proxy has changed it.
func isTag(given, tag string) bool {
	return given == tag || slices.ContainsFunc(proxyCodings, func(coding string) bool {
		inner, is := strings.CutSuffix(given[:len(given)-1], coding)
		return is && inner == tag[:len(tag)-1]
	})
}

// matchesTag reports whether a value of If-None-Match matches an entity tag (weak comparison), or is "*". A tag that a proxy has
// changed because it compressed the answer matches too.
func matchesTag(value, tag string) bool {
	if strings.TrimSpace(value) == "*" {
		return true
	}
	for rest := value; ; {
		rest = strings.TrimPrefix(strings.TrimLeft(rest, " \t,"), "W/")
		if !strings.HasPrefix(rest, `"`) {
			return false
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return false
		}
		if isTag(rest[:end+2], tag) {
			return true
		}
		rest = rest[end+2:]
	}
}
