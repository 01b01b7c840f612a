package simulator

import (
	"fmt"
	"net/http"
	"time"
)

const (
	franceEIC = "10YFR-RTE------C"
	spainEIC  = "10YES-REE------0"
)

const longestPriceWindow = 366 * 24 * time.Hour

// ENTSOE answers as https://web-api.tp.entsoe.eu/api does to a query for the
// day-ahead prices of France: documentType A44, both domains French. It knows of
// no other zone, answers whole delivery dates, and puts all of them into the
// first page, so that any offset finds nothing. Beside them it answers for its
// [Switches] at /switches.
func ENTSOE(o Options) http.Handler {
	o = o.withDefaults()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api", o.Switches.handle(A44, o.Now, func(r *http.Request, m market) answer {
		return entsoe(r, m, o.DayAheadOnly)
	}))
	o.Switches.serveOn(mux)
	return mux
}

func entsoe(r *http.Request, m market, dayAheadOnly bool) answer {
	q := r.URL.Query()
	if q.Get("securityToken") != SecurityToken {
		return refusal(AllOfENTSOE, http.StatusUnauthorized, m.now)
	}
	const layout = "200601021504"
	start, startErr := time.Parse(layout, q.Get("periodStart"))
	end, endErr := time.Parse(layout, q.Get("periodEnd"))
	asked := window{start, end}
	in, out := q.Get("in_Domain"), q.Get("out_Domain")
	switch {
	case startErr != nil, endErr != nil, asked.length() <= 0, q.Get("documentType") != "A44", in == "", out == "":
		return xmlAnswer(http.StatusBadRequest, acknowledgement("Invalid query attributes or parameters.", m.now))
	case asked.length() > longestPriceWindow:
		return xmlAnswer(http.StatusBadRequest, acknowledgement(fmt.Sprintf(
			"The amount of requested data exceeds allowed limit. allowed: %g days requested: %g days",
			longestPriceWindow.Hours()/24, asked.length().Hours()/24), m.now))
	}
	var days [][]Price
	if in == franceEIC && out == franceEIC && (q.Get("offset") == "" || q.Get("offset") == "0") {
		for d := range m.bounds(asked).days() {
			if prices := m.prices(d); prices != nil && !m.now.Before(pricesPublished(d)) {
				days = append(days, prices)
			}
		}
	}
	if len(days) == 0 {
		return xmlAnswer(http.StatusOK, acknowledgement(fmt.Sprintf(
			noMatchingData+" for Data item ENERGY_PRICES [12.1.D] (%s, %s) and interval %s/%s.",
			in, out, start.Format(time.RFC3339), end.Format(time.RFC3339)), m.now))
	}
	return xmlAnswer(http.StatusOK, publication(days, m.now, dayAheadOnly))
}

// NewestPrices returns the newest delivery date whose prices ENTSO-E has out.
func NewestPrices(now time.Time) Day {
	d := DayOf(now)
	if tomorrow := d.Add(1); !now.Before(pricesPublished(tomorrow)) {
		return tomorrow
	}
	return d
}

// pricesPublished returns when the prices of a delivery date are out, in UTC.
func pricesPublished(d Day) time.Time { return d.Add(-1).at(12, 58) }
