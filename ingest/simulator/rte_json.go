package simulator

import (
	"math"
	"strconv"
	"time"
)

// withOffset writes UTC as +00:00, where RFC 3339 in Go would write Z.
const withOffset = "2006-01-02T15:04:05-07:00"

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, withOffset)
	return append(b, '"')
}

func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// appendFloat is appendNumber with a decimal point even in a whole number.
func appendFloat(b []byte, v float64) []byte {
	b = appendNumber(b, v)
	if v == math.Trunc(v) {
		b = append(b, ".0"...)
	}
	return b
}

// endList ends a list whose every element was written with a comma behind it.
func endList(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, ']')
}
