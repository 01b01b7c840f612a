package api

import (
	"net/url"

	"courant/store/market"
)

// mostPageDates is how many delivery dates a page or a CSV may show.
const mostPageDates = 31

var problemInvalidSpan = problemInvalidParameter.withDetail(
	"Donnez « from » et « to », deux dates AAAA-MM-JJ dans l’ordre, 31 jours au plus ; un seul pour afrr-energy.",
	"Give “from” and “to”, two dates YYYY-MM-DD in order, 31 days at most; a single one for afrr-energy.")

// span is a range of delivery dates, both included.
type span struct {
	first, last market.DeliveryDate
}

func (s span) days() int { return s.first.DaysUntil(s.last) + 1 }

func (s span) period() market.Period { return market.NewPeriod(s.first.Start(), s.last.End()) }

// query returns the query that asks for the span.
func (s span) query() string {
	return url.Values{"from": {s.first.String()}, "to": {s.last.String()}}.Encode()
}

// shifted returns the span moved by so many times its own length.
func (s span) shifted(by int) span {
	days := by * s.days()
	return span{s.first.Add(days), s.last.Add(days)}
}

// parseSpan returns the dates "from" and "to" of a query. One of them alone means that date; without both it is the
// fallback.
func parseSpan(query url.Values, fallback market.DeliveryDate) (span, error) {
	return parseSpanOf(query, span{fallback, fallback}, mostPageDates)
}

// parseSpanOf is parseSpan with another fallback, for up to most dates.
func parseSpanOf(query url.Values, fallback span, most int) (span, error) {
	from, to := query.Get("from"), query.Get("to")
	switch {
	case from == "" && to == "":
		return fallback, nil
	case from == "":
		from = to
	case to == "":
		to = from
	}
	first, firstErr := market.ParseDeliveryDate(from)
	last, lastErr := market.ParseDeliveryDate(to)
	s := span{first, last}
	if firstErr != nil || lastErr != nil || last.Before(first) || s.days() > most {
		return fallback, problemInvalidSpan
	}
	return s, nil
}
