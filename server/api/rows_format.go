package api

import (
	"cmp"
	"slices"
	"strings"
)

// rowsFormat is the form of an answer of rows, as the parameter format names it.
type rowsFormat string

const (
	formatJSON    rowsFormat = "json"
	formatColumns rowsFormat = "columns"
	formatNDJSON  rowsFormat = "ndjson"
	formatCSV     rowsFormat = "csv"
	formatCSVFR   rowsFormat = "csv-fr"
	formatXLSX    rowsFormat = "xlsx"
	formatParquet rowsFormat = "parquet"
)

// aboutFormat is what is known of a format.
type aboutFormat struct {
	format     rowsFormat
	mediaType  string
	extension  string // of a file; empty: the answer is not a file
	isInAccept bool   // Accept chooses it
	isCSV      bool   // nulls are written as a text
}

// rowsFormats are all formats, the preferred ones first.
var rowsFormats = []aboutFormat{
	{formatJSON, "application/json", "", true, false},
	{formatColumns, "application/json", "", false, false},
	{formatNDJSON, "application/x-ndjson", "ndjson", true, false},
	{formatCSV, "text/csv", "csv", true, true},
	{formatCSVFR, "text/csv", "csv", false, true},
	{formatXLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", true, false},
	{formatParquet, "application/vnd.apache.parquet", "parquet", true, false},
}

// about returns what is known of the format.
func (f rowsFormat) about() aboutFormat {
	return rowsFormats[slices.IndexFunc(rowsFormats, func(known aboutFormat) bool { return known.format == f })]
}

// acceptedFormat returns the format that the values of Accept, which may be malformed, prefer: of those with the greatest
// weight one that is named before one that a wildcard allows, and then the first one named. It is JSON if none is accepted.
func acceptedFormat(accept []string) rowsFormat {
	type preference struct{ weight, precision, place int }
	preferred := map[rowsFormat]preference{}
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
			for _, f := range rowsFormats {
				precision := precisionOf(mediaRange, f.mediaType)
				if before, named := preferred[f.format]; f.isInAccept && precision > 0 && (!named || precision > before.precision) {
					preferred[f.format] = preference{weight, precision, place}
				}
			}
		}
	}
	best, format := preference{}, formatJSON
	for _, f := range rowsFormats {
		p := preferred[f.format]
		order := cmp.Or(cmp.Compare(p.weight, best.weight), cmp.Compare(p.precision, best.precision), cmp.Compare(p.place, best.place))
		if p.weight > 0 && order > 0 {
			best, format = p, f.format
		}
	}
	return format
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
