package api

import (
	"cmp"
	"strings"

	"courant/server/api/format"
)

// acceptedFormat returns the format that the values of Accept, which may be malformed, prefer: of those with the greatest
// weight one that is named before one that a wildcard allows, and then the first one named. It is JSON if none is accepted.
func acceptedFormat(accept []string) format.Form {
	type preference struct{ weight, precision, place int }
	preferred := map[format.Form]preference{}
	place := 0
	for _, value := range accept {
		for item := range strings.SplitSeq(value, ",") {
			place--
			mediaRange, parameters, _ := strings.Cut(item, ";")
			mediaRange = strings.ToLower(strings.TrimSpace(mediaRange))
			weight := mostWeight
			for parameter := range strings.SplitSeq(parameters, ";") {
				if name, _, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "q") {
					weight = parseWeight(parameter)
				}
			}
			for _, f := range format.All() {
				precision := precisionOf(mediaRange, f.MediaType())
				if before, named := preferred[f]; precision > 0 && (!named || precision > before.precision) {
					preferred[f] = preference{weight, precision, place}
				}
			}
		}
	}
	best, accepted := preference{}, format.JSON
	for _, f := range format.All() {
		p := preferred[f]
		order := cmp.Or(cmp.Compare(p.weight, best.weight), cmp.Compare(p.precision, best.precision), cmp.Compare(p.place, best.place))
		if p.weight > 0 && order > 0 {
			best, accepted = p, f
		}
	}
	return accepted
}

// precisionOf is how precisely a range of Accept names a media type; 0: not at all.
func precisionOf(mediaRange, mediaType string) int {
	kind, _, _ := strings.Cut(mediaType, "/")
	switch mediaRange {
	case mediaType:
		return 3
	case kind + "/*":
		return 2
	case "*/*":
		return 1
	}
	return 0
}
