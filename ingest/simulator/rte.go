package simulator

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// measuring is how long RTE takes to publish a step of energy after its end.
const measuring = 3 * time.Minute

type rte struct {
	now      func() time.Time
	lifetime time.Duration
	switches *Switches

	mu     sync.Mutex
	tokens map[string]grant // by bearer token
}

// grant is the validity of a token.
type grant struct {
	ends     time.Time
	expiries int // of all tokens, before it was given
}

// RTE answers as https://digital.iservices.rte-france.com does: the token
// endpoint, the resources of Balancing Capacity v5 and Balancing Energy v5,
// and the power exchanges of Wholesale Market v3. A capacity window is at most 20
// days long, one of aFRR energy 24 hours, one of mFRR energy or of imbalance
// 7 days; the exchanges take none. Beside them it answers for its [Switches] at /switches.
func RTE(o Options) http.Handler {
	o = o.withDefaults()
	s := &rte{now: o.Now, lifetime: o.TokenLifetime, switches: o.Switches, tokens: make(map[string]grant)}
	const day, clockChange = 24 * time.Hour, time.Hour
	mux := http.NewServeMux()
	token := s.switches.handle(Token, s.now, s.token)
	mux.HandleFunc("POST /token/oauth", token)
	mux.HandleFunc("POST /token/oauth/{$}", token)
	for _, r := range []struct {
		path   string
		name   string
		answer func(*http.Request, market) answer
	}{
		{"balancing_capacity/v5", ProcuredReserves, ofWindow(20*day+clockChange, procuredReserves)},
		{"balancing_energy/v5", MarginalPrice, ofWindow(day, afrrMarginalPrice)},
		{"balancing_energy/v5", StandardMFRR, ofWindow(7*day+clockChange, standardMFRRData)},
		{"balancing_energy/v5", ImbalanceData, ofWindow(7*day+clockChange, imbalanceData)},
		{"wholesale_market/v3", PowerExchanges, func(_ *http.Request, m market) answer {
			return answer{http.StatusOK, "application/json", francePowerExchanges(m)}
		}},
	} {
		mux.HandleFunc("GET /open_api/"+r.path+"/"+r.name, s.switches.handle(r.name, s.now, s.admitted(r.answer)))
	}
	s.switches.serveOn(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rteError(http.StatusNotFound, "not_found", "no resource at "+r.URL.Path).writeTo(w)
	})
	return mux
}

func (s *rte) token(r *http.Request, m market) answer {
	if id, secret, ok := r.BasicAuth(); !ok || id != ClientID || secret != ClientSecret {
		return rteError(http.StatusUnauthorized, "invalid_client", "client authentication failed")
	}
	token, expiries := rand.Text(), s.switches.tokensExpired()
	s.mu.Lock()
	for old, g := range s.tokens {
		if !m.now.Before(g.ends) {
			delete(s.tokens, old)
		}
	}
	s.tokens[token] = grant{m.now.Add(s.lifetime), expiries}
	s.mu.Unlock()
	return jsonAnswer(http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(s.lifetime / time.Second),
	})
}

// admits reports whether a request has a token that has not expired.
func (s *rte) admits(r *http.Request, now time.Time) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	g := s.tokens[token]
	s.mu.Unlock()
	return ok && now.Before(g.ends) && g.expiries == s.switches.tokensExpired()
}

// admitted refuses requests without a valid token.
func (s *rte) admitted(good func(*http.Request, market) answer) func(*http.Request, market) answer {
	return func(r *http.Request, m market) answer {
		if !s.admits(r, m.now) {
			return refusal(AllOfRTE, http.StatusUnauthorized, m.now)
		}
		return good(r, m)
	}
}

// ofWindow answers with the encoded rows of the requested window, if that is not
// longer than widest.
func ofWindow(widest time.Duration, encode func(window, market) []byte) func(*http.Request, market) answer {
	return func(r *http.Request, m market) answer {
		asked, err := rteWindow(r, widest)
		if err != nil {
			return rteError(http.StatusBadRequest, "invalid_parameter", err.Error())
		}
		return answer{http.StatusOK, "application/json", encode(m.bounds(asked), m)}
	}
}

func rteWindow(r *http.Request, widest time.Duration) (window, error) {
	var asked window
	for _, p := range []struct {
		name string
		into *time.Time
	}{{"start_date", &asked.start}, {"end_date", &asked.end}} {
		t, err := time.Parse(time.RFC3339, r.URL.Query().Get(p.name))
		if err != nil {
			return window{}, fmt.Errorf("%s must be a date and time with an offset", p.name)
		}
		*p.into = t.UTC()
	}
	if asked.length() <= 0 {
		return window{}, fmt.Errorf("end_date must be after start_date")
	}
	if asked.length() > widest {
		return window{}, fmt.Errorf("the period must not be longer than %g hours", widest.Hours())
	}
	return asked, nil
}
