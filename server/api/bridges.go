package api

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// bridge is an address that answers as another service does, so that programs made for that service can read Courant. Bridges
// serve the known day-ahead prices: many of these programs take null for a price of 0, so quarter hours without a price are
// left out.
type bridge struct {
	path       string
	parameters []queryParameter // the first is the token
	anyCase    bool             // names of parameters are read in any case
	// plan reads the query of a request.
	plan func(query *queryParser) (pricesPlan, error)
}

// pricesPlan is what an answer of a bridge is made of.
type pricesPlan struct {
	period market.Period // whose prices are read
	most   int           // prices that are read at most; 0: all of the period
	// write makes the answer.
	write       func(prices iter.Seq2[knownPrice, error], reading *store.Reading) ([]byte, error)
	contentType string
}

// knownPrice is the price of a period.
type knownPrice struct {
	market.Period
	price float64 // EUR/MWh
}

// bridges are all of them.
var bridges = []bridge{evccBridge, homeAssistantBridge, emhassBridge, energyChartsBridge, entsoeBridge}

// tokenParameter is the parameter of a feeds token.
func tokenParameter(name string) queryParameter {
	return queryParameter{name: name, accepts: web.Text{
		FR: "un jeton pour les flux de prix, si l’en-tête Authorization n’en porte pas", EN: "a token for the price feeds, if the Authorization header has none",
	}}
}

// serveBridge returns the handler of a bridge.
func (s *Server) serveBridge(b bridge) echo.HandlerFunc {
	return func(c echo.Context) error {
		request, header := c.Request(), c.Response().Header()
		header.Set("Referrer-Policy", "no-referrer") // the address may hold a token
		identity, err := s.readerOf(c, b.tokens(request.URL.RawQuery))
		if err != nil {
			return err
		}
		if err := refuseScope(identity, store.ScopeAPI, store.ScopeFeeds); err != nil {
			return err
		}
		if err := identity.May(market.Bridged); err != nil {
			return err
		}
		query := queryParser{parameters: b.parameters, anyCase: b.anyCase, now: s.clock.Now()}
		if err := query.split(request.URL.RawQuery); err != nil {
			return err
		}
		plan, err := b.plan(&query)
		if err != nil {
			return err
		}
		return s.sendPrices(c, identity, plan)
	}
}

// tokens returns the values of the parameter for a token in the query of an address.
func (b bridge) tokens(raw string) []string {
	var tokens []string
	for pair := range strings.SplitSeq(raw, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, _ := url.QueryUnescape(rawName)
		if name == b.parameters[0].name || b.anyCase && strings.EqualFold(name, b.parameters[0].name) {
			value, _ := url.QueryUnescape(rawValue) // malformed: no token
			tokens = append(tokens, value)
		}
	}
	return tokens
}

// sendPrices reads the prices of a plan at one moment and sends the answer that is made of them.
func (s *Server) sendPrices(c echo.Context, identity auth.Identity, plan pricesPlan) error {
	ctx := c.Request().Context()
	reading, err := s.store.Read(ctx, store.ReadQuery{
		Dataset: market.Bridged, Period: plan.period, Columns: []string{priceColumn}, At: store.Newest,
	})
	if err != nil {
		return err
	}
	release, err := s.admitLong(identity, plan.readsMany(reading))
	if err != nil {
		return err
	}
	defer release()
	rows := 0
	body, err := plan.write(func(yield func(knownPrice, error) bool) {
		for price, err := range knownPrices(ctx, reading) {
			rows++
			if !yield(price, err) {
				return
			}
		}
	}, reading)
	if err != nil {
		return err
	}
	if len(body) >= leastCounted {
		if !s.bytesInFlight.add(identity.AccountID, len(body)) {
			return problemTooManyAnswers
		}
		defer s.bytesInFlight.remove(identity.AccountID, len(body))
	}
	header := c.Response().Header()
	header.Set("X-Courant-Position", strconv.FormatInt(int64(reading.Changed), 10))
	header.Set("X-Courant-Attribution", market.Attribution(market.Bridged.About().Source))
	answer := newDocument(plan.contentType, body)
	answer.rows = rows
	return s.sendDocument(c, answer, cacheRevalidated)
}

// readsMany reports whether more prices may be read than an answer that is not long has.
func (p pricesPlan) readsMany(reading *store.Reading) bool {
	if reading.First.IsZero() {
		return false
	}
	stored := p.period.Intersect(market.NewPeriod(reading.First.Start(), reading.Last.End()))
	return stored.Seconds()/market.QuarterSeconds > shortAnswer && (p.most == 0 || p.most > shortAnswer)
}

// priceColumn is the served name of the day-ahead price.
const priceColumn = "price_eur_mwh"

// knownPrices returns the prices that are known, ascending.
func knownPrices(ctx context.Context, reading *store.Reading) iter.Seq2[knownPrice, error] {
	return func(yield func(knownPrice, error) bool) {
		for rows, err := range reading.Chunks(ctx) {
			if err != nil {
				yield(knownPrice{}, err)
				return
			}
			prices := rows.Columns[0]
			for i, start := range rows.Starts {
				if prices.Valid[i] && !yield(knownPrice{market.Period{Start: start, End: rows.Ends[i]}, prices.Numbers[i]}, nil) {
					return
				}
			}
		}
	}
}

// allOf returns the prices as a slice.
func allOf(prices iter.Seq2[knownPrice, error]) ([]knownPrice, error) {
	var known []knownPrice
	for price, err := range prices {
		if err != nil {
			return nil, err
		}
		known = append(known, price)
	}
	return known, nil
}
