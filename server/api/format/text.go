package format

import (
	"strconv"
	"time"
	"unicode/utf8"

	"courant/store/market"
)

// appendNumber appends a finite number in its shortest decimal form, without exponent.
func appendNumber(b []byte, v float64, point byte) []byte {
	// Below 10^15 millionths a decimal has at most 15 digits. So many name a float64 unambiguously: if they give the value
	// back, they are its shortest form.
	const most = 1e15
	if scaled := v * market.MicrosPerUnit; scaled > -most && scaled < most {
		micros := int64(scaled + 0.5)
		if scaled < 0 {
			micros = int64(scaled - 0.5)
		}
		if float64(micros)/market.MicrosPerUnit == v {
			return appendMicros(b, micros, point)
		}
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	for i := start; i < len(b); i++ {
		if b[i] == '.' {
			b[i] = point
		}
	}
	return b
}

// appendMicros appends millionths as a decimal number without needless zeros.
func appendMicros(b []byte, micros int64, point byte) []byte {
	if micros < 0 {
		b, micros = append(b, '-'), -micros
	}
	b = strconv.AppendInt(b, micros/market.MicrosPerUnit, 10)
	fraction := uint32(micros % market.MicrosPerUnit)
	if fraction == 0 {
		return b
	}
	b = append(b, point)
	for unit := uint32(market.MicrosPerUnit / 10); fraction != 0; unit /= 10 {
		b = append(b, '0'+byte(fraction/unit))
		fraction %= unit
	}
	return b
}

// appendQuoted appends a string of JSON. Invalid UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	if isPlain(s) {
		b = append(b, s...)
	} else {
		for _, r := range s {
			switch {
			case r == '"' || r == '\\':
				b = append(b, '\\', byte(r))
			case r < ' ':
				b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&0xf])
			default:
				b = utf8.AppendRune(b, r)
			}
		}
	}
	return append(b, '"')
}

const hexDigits = "0123456789ABCDEF"

// isPlain reports whether s is printable ASCII that neither JSON nor XML escapes.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c >= utf8.RuneSelf, c == '"', c == '\\', c == '&', c == '<', c == '>', c == '_':
			return false
		}
	}
	return true
}

// clock appends instants in one time zone. Instants mostly follow one another, so it keeps the text of the last one's hour.
type clock struct {
	zone   *time.Location
	local  bool  // a local time such as 2026-10-25 02:00:00, else RFC 3339 with milliseconds
	hour   int64 // since 1970; what follows is its text
	day    int64 // local midnight, in seconds as if it were UTC; the date in before
	known  bool
	before [14]byte // up to the minutes: 2026-10-25T02:
	after  []byte   // after the milliseconds: Z or +02:00
	ahead  int64    // of UTC, in seconds
}

// utcClock is a clock for instants in UTC.
func utcClock() *clock { return &clock{zone: time.UTC} }

// parisClock is a clock for local times in Paris.
func parisClock() *clock { return &clock{zone: market.Paris, local: true} }

const hourMs = market.HourSeconds * 1000

// append appends an instant in ms since 1970.
func (c *clock) append(b []byte, ms int64) []byte {
	c.set(ms)
	b = append(b, c.before[:]...)
	within := uint32(ms - c.hour*hourMs)
	minute, second := within/60_000, within/1000%60
	b = append(b, '0'+byte(minute/10), '0'+byte(minute%10), ':', '0'+byte(second/10), '0'+byte(second%10))
	if c.local {
		return b
	}
	milli := within % 1000
	b = append(b, '.', '0'+byte(milli/100), '0'+byte(milli/10%10), '0'+byte(milli%10))
	return append(b, c.after...)
}

// appendOffset appends the zone's offset from UTC at an instant in ms since 1970, such as +02:00.
func (c *clock) appendOffset(b []byte, ms int64) []byte {
	c.set(ms)
	return append(b, c.after...)
}

// offset returns the zone's offset from UTC at an instant in ms since 1970, in seconds.
func (c *clock) offset(ms int64) int64 {
	c.set(ms)
	return c.ahead
}

// set makes the hour the one of the instant. Offsets change at full hours of UTC only.
func (c *clock) set(ms int64) {
	hour := ms / hourMs
	if ms%hourMs < 0 {
		hour--
	}
	if c.known && hour == c.hour {
		return
	}
	c.hour = hour
	ahead := int64(0)
	if c.zone != time.UTC {
		_, seconds := time.Unix(hour*market.HourSeconds, 0).In(c.zone).Zone()
		ahead = int64(seconds)
	}
	// Of the local time the date stays the same for most hours, and the offset from UTC for months.
	const daySeconds = 24 * market.HourSeconds
	local := hour*market.HourSeconds + ahead
	within := (local%daySeconds + daySeconds) % daySeconds
	if day := local - within; !c.known || day != c.day {
		layout := "2006-01-02T"
		if c.local {
			layout = "2006-01-02 "
		}
		c.day = day
		time.Unix(day, 0).UTC().AppendFormat(c.before[:0], layout)
	}
	h := within / market.HourSeconds
	c.before[11], c.before[12], c.before[13] = '0'+byte(h/10), '0'+byte(h%10), ':'
	if !c.known || ahead != c.ahead {
		offset := "Z07:00"
		if c.local {
			offset = "-07:00"
		}
		c.after = time.Unix(hour*market.HourSeconds, 0).In(c.zone).AppendFormat(c.after[:0], offset)
	}
	c.known, c.ahead = true, ahead
}

// isFormula reports whether a spreadsheet would take a text that is typed or read from CSV for a formula.
func isFormula(text string) bool {
	if text == "" {
		return false
	}
	switch text[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return true
	}
	return false
}
