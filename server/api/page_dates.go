package api

import (
	"net/url"

	"courant/store/market"
)

// mostPageDates is how many delivery dates a page or a CSV may show.
const mostPageDates = 31

var problemInvalidSpan = problemInvalidParameter.withDetail(
	"Donnez « from » et « to », deux dates AAAA-MM-JJ dans l'ordre, 31 jours au plus ; un seul pour afrr-energy.",
	"Give “from” and “to”, two dates YYYY-MM-DD in order, 31 days at most; a single one for afrr-energy.")

// span is the delivery dates that a page shows, both included.
type span struct {
	first, last market.DeliveryDate
}

func (s span) days() int { return s.first.DaysUntil(s.last) + 1 }

func (s span) period() market.Period { return market.NewPeriod(s.first.Start(), s.last.End()) }

// query asks for the span.
func (s span) query() string {
	return url.Values{"from": {s.first.String()}, "to": {s.last.String()}}.Encode()
}

// shifted is the span so many of its own lengths later.
func (s span) shifted(by int) span {
	days := by * s.days()
	return span{s.first.Add(days), s.last.Add(days)}
}

// parseSpan reads "from" and "to" of a query; one alone means that date. Without either it is the fallback.
func parseSpan(query url.Values, fallback market.DeliveryDate) (span, error) {
	from, to := query.Get("from"), query.Get("to")
	switch {
	case from == "" && to == "":
		return span{fallback, fallback}, nil
	case from == "":
		from = to
	case to == "":
		to = from
	}
	first, firstErr := market.ParseDeliveryDate(from)
	last, lastErr := market.ParseDeliveryDate(to)
	s := span{first, last}
	if firstErr != nil || lastErr != nil || last.Before(first) || s.days() > mostPageDates {
		return span{fallback, fallback}, problemInvalidSpan
	}
	return s, nil
}
