package simulator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// What the servers accept as credentials. They open nothing else.
const (
	ClientID      = "simulated-client"
	ClientSecret  = "simulated-secret"
	SecurityToken = "00000000-0000-4000-8000-000000000000"
)

// Options is what a server is made with; the zero value is good.
type Options struct {
	// Now is the clock that decides what is published and which token has
	// expired. Default: time.Now.
	Now func() time.Time
	// TokenLifetime is how long a bearer token of RTE is good. Default: 2 h.
	TokenLifetime time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = 2 * time.Hour
	}
	return o
}

// Servers are both sources, listening on the loopback until they are closed.
type Servers struct {
	RTEURL    string // base of the host: scheme, address, port
	ENTSOEURL string // address of the API, path included

	servers     []*http.Server
	accepting   sync.WaitGroup
	connections sync.WaitGroup

	mu     sync.Mutex
	failed []error
}

// Start listens on two free ports of 127.0.0.1 and serves RTE on one, ENTSO-E on
// the other.
func Start(o Options) (*Servers, error) {
	s := new(Servers)
	rte, err := s.serve(RTE(o))
	if err != nil {
		return nil, err
	}
	entsoe, err := s.serve(ENTSOE(o))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.RTEURL, s.ENTSOEURL = rte, entsoe+"/api"
	return s, nil
}

func (s *Servers) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("simulator: %w", err)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.connections.Add(1)
			case http.StateClosed:
				s.connections.Done()
			}
		},
	}
	s.servers = append(s.servers, server)
	s.accepting.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.mu.Lock()
			s.failed = append(s.failed, fmt.Errorf("simulator: %w", err))
			s.mu.Unlock()
		}
	})
	return "http://" + l.Addr().String(), nil
}

// Close cuts what is being answered, waits until nothing runs any more and
// returns what went wrong since Start.
func (s *Servers) Close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.accepting.Wait()
	// A connection accepted meanwhile is known only now.
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.connections.Wait()
	return errors.Join(append(errs, s.failed...)...)
}

func reply(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
