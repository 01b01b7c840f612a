package source

import (
	"bytes"
	"fmt"
	"time"

	"courant/store/market"
)

// Stamp is a time stamp as a source wrote it. The zero Stamp is a missing one.
type Stamp struct {
	At    int64               // seconds UTC, if the stamp is good
	Good  bool                // it is an instant in whole seconds with an offset
	Near  market.DeliveryDate // the delivery date that an odd stamp names all the same; zero if it names none
	Fault string              // what is wrong with an odd stamp; "" if it is good or missing
}

// ReadStamp reads an instant. See ParseInstant for the spellings; a fraction of a second has to be zero.
func ReadStamp(text []byte) Stamp {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return Stamp{}
	}
	t, ok := ParseInstant(text)
	if ok && t.Nanosecond() == 0 {
		return Stamp{At: t.Unix(), Good: true}
	}
	stamp := Stamp{Fault: fmt.Sprintf("%.40q is not an instant in whole seconds with an offset", text)}
	if ok {
		stamp.Near = market.DeliveryDateOf(t)
	} else {
		stamp.Near = dateNear(text)
	}
	return stamp
}

// DateNamed returns the delivery date that the start and end of an unreadable period most likely mean; false if they name
// none. The end decides where the start is missing or does not contradict it: a start in UTC may have the date before.
func DateNamed(start, end Stamp) (market.DeliveryDate, bool) {
	near := start.Near
	switch {
	case start.Good:
		near = market.DeliveryDateOf(time.Unix(start.At, 0))
	case end.Good:
		last := market.DeliveryDateOf(time.Unix(end.At-1, 0))
		if near.IsZero() || last == near || last == near.Add(1) {
			near = last
		}
	case near.IsZero():
		near = end.Near
	}
	return near, !near.IsZero()
}

// OrMissing returns the stamp's fault, also for a missing stamp.
func (s Stamp) OrMissing() string {
	if s.Fault == "" {
		return "it is missing"
	}
	return s.Fault
}

// ParseInstant reads a date and a time with an offset: with or without seconds, with a fraction of a second after a point
// or a comma, with T or a space between date and time, and with Z, +01:00, +0100 or +01 for the offset. A fraction that is
// finer than a nanosecond gives a nanosecond more, so that it is not mistaken for a whole second.
func ParseInstant(text []byte) (time.Time, bool) {
	date, rest, ok := cutDate(text)
	if !ok || len(rest) == 0 || rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return time.Time{}, false
	}
	hour, rest, ok := cutTwoDigits(rest[1:], 23)
	if !ok || len(rest) == 0 || rest[0] != ':' {
		return time.Time{}, false
	}
	minute, rest, ok := cutTwoDigits(rest[1:], 59)
	second, nanosecond := 0, 0
	if ok && len(rest) > 0 && rest[0] == ':' {
		if second, rest, ok = cutTwoDigits(rest[1:], 59); ok && len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
			nanosecond, rest, ok = cutFraction(rest[1:])
		}
	}
	if !ok {
		return time.Time{}, false
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return time.Time{}, false
	}
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return date.Add(clock - offset + time.Duration(nanosecond)), true
}

// cutDate reads YYYY-MM-DD at the beginning of a text, as midnight UTC.
func cutDate(text []byte) (time.Time, []byte, bool) {
	const length = len("2006-01-02")
	if len(text) < length || text[4] != '-' || text[7] != '-' || len(text) > length && isDigit(text[length]) {
		return time.Time{}, nil, false
	}
	century, _, ok1 := cutTwoDigits(text, 99)
	years, _, ok2 := cutTwoDigits(text[2:], 99)
	month, _, ok3 := cutTwoDigits(text[5:], 12)
	day, rest, ok4 := cutTwoDigits(text[8:], 31)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return time.Time{}, nil, false
	}
	date := time.Date(100*century+years, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return date, rest, month > 0 && date.Day() == day // 30 February is 2 March
}

// cutTwoDigits reads a number of two digits, at most the given one, at the beginning of a text.
func cutTwoDigits(text []byte, most int) (int, []byte, bool) {
	if len(text) < 2 || !isDigit(text[0]) || !isDigit(text[1]) {
		return 0, nil, false
	}
	n := int(text[0]-'0')*10 + int(text[1]-'0')
	return n, text[2:], n <= most
}

// cutFraction reads the digits of a fraction of a second, in nanoseconds.
func cutFraction(text []byte) (nanoseconds int, rest []byte, ok bool) {
	unit := int(time.Second)
	for ok = false; len(text) > 0 && isDigit(text[0]); ok, text = true, text[1:] {
		digit := int(text[0] - '0')
		if unit /= 10; unit > 0 {
			nanoseconds += digit * unit
		} else if digit > 0 {
			nanoseconds |= 1
		}
	}
	return nanoseconds, text, ok
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseOffset reads Z, +01:00, +0100 or +01.
func parseOffset(text []byte) (time.Duration, bool) {
	if len(text) == 1 {
		return 0, text[0] == 'Z' || text[0] == 'z'
	}
	if len(text) < 3 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, rest, ok := cutTwoDigits(text[1:], 23)
	minutes := 0
	if ok && len(rest) > 0 {
		minutes, rest, ok = cutTwoDigits(bytes.TrimPrefix(rest, []byte(":")), 59)
	}
	if !ok || len(rest) > 0 {
		return 0, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if text[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// dateNear is the delivery date that a text which is no instant names by its beginning; the zero date if it names none.
// Where the hour and the offset can be read, they decide on which side of midnight in Paris it lies.
func dateNear(text []byte) market.DeliveryDate {
	date, rest, ok := cutDate(text)
	if !ok {
		return market.DeliveryDate{}
	}
	if len(rest) > 3 {
		hour, rest, isHour := cutTwoDigits(rest[1:], 23)
		if at := bytes.LastIndexAny(rest, "Zz+-"); isHour && at >= 0 {
			if offset, isOffset := parseOffset(rest[at:]); isOffset {
				return market.DeliveryDateOf(date.Add(time.Duration(hour)*time.Hour - offset))
			}
		}
	}
	return market.NewDeliveryDate(date.Date())
}
