package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"courant/store/market"
)

const (
	minus             = "\u2212"
	narrowNoBreak     = "\u202f" // between thousands in French
	missing           = "–"
	leastForThousands = 4 // the number of digits from which thousands are separated
)

// formatNumber formats a published value with all of its decimals, and at least so many; null is a dash, never 0.
func formatNumber(l Language, n market.Number, decimals int) string {
	if !n.Valid {
		return missing
	}
	digits := strconv.FormatFloat(n.V, 'f', -1, 64)
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = minus, rest
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	fraction += strings.Repeat("0", max(0, decimals-len(fraction)))
	thousands, mark := narrowNoBreak, ","
	if l == English {
		thousands, mark = ",", "."
	}
	if len(whole) >= leastForThousands {
		for at := len(whole) - 3; at > 0; at -= 3 {
			whole = whole[:at] + thousands + whole[at:]
		}
	}
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + mark + fraction
}

// formatChange formats a difference with its sign, as formatNumber does a value.
func formatChange(l Language, n market.Number, decimals int) string {
	if n.Valid && n.V > 0 {
		return "+" + formatNumber(l, n, decimals)
	}
	return formatNumber(l, n, decimals)
}

var (
	months = map[Language][]string{
		French:  {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	}
	weekdays = map[Language][]string{
		French:  {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
		English: {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	}
)

// dayOfMonth returns the day of a month as it is written in a date: the first is "1er" in French.
func dayOfMonth(l Language, day int) string {
	if l == French && day == 1 {
		return "1er"
	}
	return strconv.Itoa(day)
}

// formatDay formats a date for a sentence, such as 11 octobre 2026.
func formatDay(l Language, d market.DeliveryDate) string {
	civil := d.Start().In(market.Paris)
	return fmt.Sprintf("%s\u00a0%s\u00a0%d", dayOfMonth(l, civil.Day()), months[l][civil.Month()-1], civil.Year())
}

func weekdayOf(l Language, d market.DeliveryDate) string {
	return weekdays[l][d.Start().In(market.Paris).Weekday()]
}

// formatLongDay formats a date for a heading, such as Dimanche 11 octobre 2026.
func formatLongDay(l Language, d market.DeliveryDate) string {
	weekday := weekdayOf(l, d)
	return strings.ToUpper(weekday[:1]) + weekday[1:] + " " + formatDay(l, d)
}

// formatShortDay formats a date for a table, such as 11/10/2026. English names the month, because Americans would read it first.
func formatShortDay(l Language, d market.DeliveryDate) string {
	return d.Start().In(market.Paris).Format(Text{"02/01/2006", "2\u00a0Jan\u00a02006"}.In(l))
}

// formatDates formats a range of dates for a heading, such as Du 20 octobre au 19 novembre 2026.
func formatDates(l Language, first, last market.DeliveryDate) string {
	if first == last {
		return formatLongDay(l, first)
	}
	from, to := formatDay(l, first), formatDay(l, last)
	if a, b := first.Start().In(market.Paris), last.Start().In(market.Paris); a.Year() == b.Year() {
		from = strings.TrimSuffix(from, "\u00a0"+strconv.Itoa(a.Year()))
		if a.Month() == b.Month() {
			from = dayOfMonth(l, a.Day())
		}
	}
	return Text{"Du ", "From "}.In(l) + from + Text{" au ", " to "}.In(l) + to
}

// formatMoment formats an instant as local time in Paris, such as 11 octobre 2026 à 13:04.
func formatMoment(l Language, t time.Time) string {
	at := Text{" à ", " at "}.In(l)
	return formatDay(l, market.DeliveryDateOf(t)) + at + Clock(t.Unix())
}

// Clock formats a Unix time as local time in Paris, such as 17:15. On the day on which the clock goes back, the repeated
// hour is 02A:15 first and then 02B:15.
func Clock(second int64) string {
	t := time.Unix(second, 0).In(market.Paris)
	return hourName(t) + t.Format(":04")
}

// hourName returns the hour of a time in Paris in two digits, with A or B if the hour is repeated.
func hourName(t time.Time) string {
	name := t.Format("15")
	switch {
	case t.Add(time.Hour).Hour() == t.Hour():
		return name + "A"
	case t.Add(-time.Hour).Hour() == t.Hour():
		return name + "B"
	}
	return name
}

// clockNotes explains the hours of each of the dates on which the clock changes.
func clockNotes(l Language, first, last market.DeliveryDate) []string {
	var notes []string
	for _, date := range market.Dates(first, last) {
		var note Text
		switch date.Steps(market.HourSeconds) {
		case 25:
			note = Text{
				"Le %s a 25 heures : 02A est l’heure de 02:00 à 03:00 avant le passage à l’heure d’hiver, 02B la même heure après.",
				"%s has 25 hours: 02A is the hour from 02:00 to 03:00 before the clock goes back, 02B the same hour after it.",
			}
		case 23:
			note = Text{"Le %s a 23 heures : l’heure de 02:00 à 03:00 n’existe pas.", "%s has 23 hours: there is no hour from 02:00 to 03:00."}
		default:
			continue
		}
		notes = append(notes, fmt.Sprintf(note.typeset(l), formatDay(l, date)))
	}
	return notes
}
