package api

import "strings"

// weights are how much a request likes each coding, in thousandths; 0: not at all.
type weights struct {
	plain, gzip, zstd int
}

// likesGzip says whether gzip is liked no less than the content as it is.
func (w weights) prefersGzip() bool { return w.gzip > 0 && w.gzip >= w.plain }

const (
	mostLiked = 1000
	unnamed   = -1
)

// parseAcceptEncoding reads the values of Accept-Encoding, which may be anything. What it does not name it does not
// accept, but for the content as it is.
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
	fill(&named.plain, 1) // rather than nothing
	fill(&named.gzip, max(others, 0))
	fill(&named.zstd, max(others, 0))
	return named
}

// parseWeight reads what follows a coding, such as "q=0.5". What cannot be read is no liking.
func parseWeight(parameters string) int {
	if strings.TrimSpace(parameters) == "" {
		return mostLiked
	}
	name, text, _ := strings.Cut(parameters, "=")
	if name = strings.TrimSpace(name); !strings.EqualFold(name, "q") {
		return 0
	}
	whole, decimals, _ := strings.Cut(strings.TrimSpace(text), ".")
	if len(decimals) > 3 || whole != "0" && whole != "1" {
		return 0
	}
	weight := int(whole[0]-'0') * mostLiked
	for i, unit := 0, mostLiked/10; i < len(decimals); i, unit = i+1, unit/10 {
		digit := int(decimals[i]) - '0'
		if digit < 0 || digit > 9 {
			return 0
		}
		weight += digit * unit
	}
	if weight > mostLiked {
		return 0
	}
	return weight
}

// namesTag says whether a value of If-None-Match names an entity tag, weakly or not, or any by "*".
func namesTag(value, tag string) bool {
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
		if rest[:end+2] == tag {
			return true
		}
		rest = rest[end+2:]
	}
}
