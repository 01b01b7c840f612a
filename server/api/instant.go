package api

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"courant/store/market"
	"courant/web"
)

// The years in which an instant of a query may lie. What is stored lies far within them.
const (
	firstYear = 1900
	lastYear  = 9999
)

// acceptedInstants describes what parseInstant reads.
var acceptedInstants = web.Text{
	FR: "une date (2026-10-25 : son minuit à Paris), un instant RFC 3339 avec Z ou un décalage (2026-10-25T00:00:00+02:00), " +
		"des secondes Unix (9 ou 10 chiffres), ou now, yesterday, today, tomorrow, suivi éventuellement d’une durée ISO 8601 " +
		"(now-P1D, tomorrow+PT6H) ; années 1900 à 9999",
	EN: "a date (2026-10-25: its midnight in Paris), an RFC 3339 instant with Z or an offset (2026-10-25T00:00:00+02:00), " +
		"Unix seconds (9 or 10 digits), or now, yesterday, today, tomorrow, optionally followed by an ISO 8601 duration " +
		"(now-P1D, tomorrow+PT6H); years 1900 to 9999",
}

// acceptedDates describes what parseDate reads.
var acceptedDates = web.Text{
	FR: "une date de livraison (2026-10-25), ou now, yesterday, today, tomorrow, suivi éventuellement d’une durée ISO 8601 " +
		"(today-P7D) ; années 1900 à 9999",
	EN: "a delivery date (2026-10-25), or now, yesterday, today, tomorrow, optionally followed by an ISO 8601 duration " +
		"(today-P7D); years 1900 to 9999",
}

// longestInstant is more than what any instant needs.
const longestInstant = 80

// rfc3339Form is what RFC 3339 allows; time.Parse allows hours of one digit and a comma before the fraction, too.
var rfc3339Form = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// parseInstant reads an instant in any of the forms of acceptedInstants. A space stands for the + that it was in the address.
// It returns false if the text is no instant, or one of another year.
func parseInstant(text string, now time.Time) (time.Time, bool) {
	if len(text) > longestInstant {
		return time.Time{}, false
	}
	text = strings.ReplaceAll(text, " ", "+")
	if t, known := parseWord(text, now); known {
		return t, isInYears(t)
	}
	if date, err := market.ParseDeliveryDate(text); err == nil {
		return date.Start(), isInYears(date.Start())
	}
	if isDigits(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		return time.Unix(seconds, 0).UTC(), err == nil && (len(text) == 9 || len(text) == 10)
	}
	if !rfc3339Form.MatchString(text) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil && isInYears(t)
}

// parseDate reads a date, or the delivery date of a word. It returns false if the text is neither, or of another year.
func parseDate(text string, now time.Time) (market.DeliveryDate, bool) {
	if len(text) > longestInstant {
		return market.DeliveryDate{}, false
	}
	if t, known := parseWord(strings.ReplaceAll(text, " ", "+"), now); known {
		return market.DeliveryDateOf(t), isInYears(t)
	}
	date, err := market.ParseDeliveryDate(text)
	return date, err == nil && isInYears(date.Start())
}

// isInYears reports whether the instant can be asked for, and written with a year of four digits.
func isInYears(t time.Time) bool {
	return t.In(market.Paris).Year() >= firstYear && t.UTC().Year() <= lastYear
}

func isDigits(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// parseWord reads now, yesterday, today or tomorrow, with or without a duration before or after it. It returns the instant,
// which may lie in any year, and false if the text is nothing of the kind.
func parseWord(text string, now time.Time) (time.Time, bool) {
	end := strings.IndexAny(text, "+-")
	if end < 0 {
		end = len(text)
	}
	var t time.Time
	switch today := market.DeliveryDateOf(now); text[:end] {
	case "now":
		t = now.UTC()
	case "yesterday":
		t = today.Add(-1).Start()
	case "today":
		t = today.Start()
	case "tomorrow":
		t = today.Add(1).Start()
	default:
		return time.Time{}, false
	}
	if end == len(text) {
		return t, true
	}
	d, valid := parseDuration(text[end+1:])
	if !valid {
		return time.Time{}, false
	}
	if text[end] == '-' {
		d.months, d.days, d.seconds = -d.months, -d.days, -d.seconds
	}
	return d.after(t), true
}

// duration is an ISO 8601 duration. Months and days are counted on the calendar of Paris, seconds as they pass.
type duration struct {
	months, days, seconds int64
}

// No part of a duration is longer than the years of instants; a longer one gives the same fault as one just too long.
const (
	mostMonths  = 12 * lastYear
	mostDays    = 366 * lastYear
	mostSeconds = mostDays * 86_400
)

var durationForm = regexp.MustCompile(
	`^P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?` +
		`(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?$`)

// parseDuration reads a duration of whole numbers; false if it is malformed.
func parseDuration(text string) (duration, bool) {
	found := durationForm.FindStringSubmatch(text)
	if found == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return duration{}, false
	}
	var n [7]int64
	for i, digits := range found[1:] {
		if digits != "" {
			n[i], _ = strconv.ParseInt(digits, 10, 64) // at most nine digits
		}
	}
	return duration{
		months:  min(12*n[0]+n[1], mostMonths),
		days:    min(7*n[2]+n[3], mostDays),
		seconds: min(3600*n[4]+60*n[5]+n[6], mostSeconds),
	}, true
}

// after returns the instant that lies the duration after t. Months come first, then days, at the time of day that a clock in
// Paris shows; the last day of a month stands for one that the month does not have, and DeliveryDate.At decides where the
// clock changes. Seconds come last.
func (d duration) after(t time.Time) time.Time {
	if d.months != 0 || d.days != 0 {
		clock := t.In(market.Paris)
		year, month, day := clock.Date()
		first := time.Date(year, month+time.Month(d.months), 1, 0, 0, 0, 0, time.UTC)
		day = min(day, first.AddDate(0, 1, -1).Day())
		date := market.NewDeliveryDate(first.Year(), first.Month(), day).Add(int(d.days))
		t = date.At(clock.Hour(), clock.Minute()).
			Add(time.Duration(clock.Second())*time.Second + time.Duration(clock.Nanosecond()))
	}
	return time.Unix(t.Unix()+d.seconds, int64(t.Nanosecond())).UTC()
}
