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
// first page, so that any offset finds nothing.
func ENTSOE(o Options) http.Handler {
	now := o.withDefaults().Now
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api", func(w http.ResponseWriter, r *http.Request) { entsoe(w, r, now()) })
	return mux
}

func entsoe(w http.ResponseWriter, r *http.Request, now time.Time) {
	q := r.URL.Query()
	if q.Get("securityToken") != SecurityToken {
		reply(w, http.StatusUnauthorized, "text/html;charset=UTF-8",
			[]byte("<html><body><h1>Unauthorized</h1><p>Missing or invalid security token.</p></body></html>"))
		return
	}
	const layout = "200601021504"
	start, startErr := time.Parse(layout, q.Get("periodStart"))
	end, endErr := time.Parse(layout, q.Get("periodEnd"))
	asked := window{start, end}
	in, out := q.Get("in_Domain"), q.Get("out_Domain")
	switch {
	case startErr != nil, endErr != nil, asked.length() <= 0, q.Get("documentType") != "A44", in == "", out == "":
		reply(w, http.StatusBadRequest, "text/xml", acknowledgement("Invalid query attributes or parameters.", now))
		return
	case asked.length() > longestPriceWindow:
		reply(w, http.StatusBadRequest, "text/xml", acknowledgement(fmt.Sprintf(
			"The amount of requested data exceeds allowed limit. allowed: %g days requested: %g days",
			longestPriceWindow.Hours()/24, asked.length().Hours()/24), now))
		return
	}
	var days []Day
	if in == franceEIC && out == franceEIC && (q.Get("offset") == "" || q.Get("offset") == "0") {
		for d := range asked.days() {
			if !d.before(firstPrices) && !now.Before(pricesPublished(d)) {
				days = append(days, d)
			}
		}
	}
	if len(days) == 0 {
		reply(w, http.StatusOK, "text/xml", acknowledgement(fmt.Sprintf(
			"No matching data found for Data item ENERGY_PRICES [12.1.D] (%s, %s) and interval %s/%s.",
			in, out, start.Format(time.RFC3339), end.Format(time.RFC3339)), now))
		return
	}
	reply(w, http.StatusOK, "text/xml", publication(days, now))
}

// pricesPublished returns when the prices of a delivery date are out, in UTC.
func pricesPublished(d Day) time.Time { return d.Add(-1).at(12, 58) }
