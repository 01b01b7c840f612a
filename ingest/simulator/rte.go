package simulator

import (
	"crypto/rand"
	"encoding/json"
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

	mu     sync.Mutex
	tokens map[string]time.Time // bearer token to its expiry
}

// RTE answers as https://digital.iservices.rte-france.com does: the token
// endpoint and the three resources of Balancing Capacity v5 and Balancing Energy
// v5. A capacity window is at most 20 days long, one of aFRR energy 24 hours, one
// of mFRR energy 7 days.
func RTE(o Options) http.Handler {
	o = o.withDefaults()
	s := &rte{now: o.Now, lifetime: o.TokenLifetime, tokens: make(map[string]time.Time)}
	const day, clockChange = 24 * time.Hour, time.Hour
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token/oauth", s.token)
	mux.HandleFunc("POST /token/oauth/{$}", s.token)
	mux.Handle("GET /open_api/balancing_capacity/v5/result_procured_reserves",
		s.resource(20*day+clockChange, procuredReserves))
	mux.Handle("GET /open_api/balancing_energy/v5/afrr_marginal_price",
		s.resource(day, afrrMarginalPrice))
	mux.Handle("GET /open_api/balancing_energy/v5/standard_mfrr_data",
		s.resource(7*day+clockChange, standardMFRRData))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rteError(w, http.StatusNotFound, "not_found", "no resource at "+r.URL.Path)
	})
	return mux
}

func (s *rte) token(w http.ResponseWriter, r *http.Request) {
	if id, secret, ok := r.BasicAuth(); !ok || id != ClientID || secret != ClientSecret {
		rteError(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return
	}
	now, token := s.now(), rand.Text()
	s.mu.Lock()
	for old, expiry := range s.tokens {
		if !now.Before(expiry) {
			delete(s.tokens, old)
		}
	}
	s.tokens[token] = now.Add(s.lifetime)
	s.mu.Unlock()
	rteJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(s.lifetime / time.Second),
	})
}

// admits reports whether a request carries a token that has not expired.
func (s *rte) admits(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	return ok && s.now().Before(s.tokens[token])
}

// resource serves what encode makes of the asked window and of the present
// instant, if the window is no longer than widest.
func (s *rte) resource(widest time.Duration, encode func(window, time.Time) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.admits(r) {
			rteError(w, http.StatusUnauthorized, "invalid_token", "the access token is missing or has expired")
			return
		}
		asked, err := rteWindow(r, widest)
		if err != nil {
			rteError(w, http.StatusBadRequest, "invalid_parameter", err.Error())
			return
		}
		reply(w, http.StatusOK, "application/json", encode(asked, s.now()))
	})
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

func rteError(w http.ResponseWriter, status int, code, description string) {
	rteJSON(w, status, map[string]any{"error": code, "error_description": description})
}

func rteJSON(w http.ResponseWriter, status int, fields map[string]any) {
	body, err := json.Marshal(fields)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, status, "application/json", body)
}
