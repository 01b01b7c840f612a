package simulator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// The credentials that the servers accept. They are valid nowhere else.
const (
	ClientID      = "simulated-client"
	ClientSecret  = "simulated-secret"
	SecurityToken = "00000000-0000-4000-8000-000000000000"
)

// Options are the options of a server; the zero value is valid.
type Options struct {
	// Now is the clock that decides what is published and which token has
	// expired. Default: time.Now.
	Now func() time.Time
	// TokenLifetime is how long a bearer token of RTE is good. Default: 2 h.
	TokenLifetime time.Duration
	// Switches are the faults of the servers. Default: none, until one is set at
	// /switches.
	Switches *Switches
	// DayAheadOnly leaves out what ENTSO-E publishes beside the day-ahead prices
	// of a date: another auction, an intraday contract or a border.
	DayAheadOnly bool
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = 2 * time.Hour
	}
	if o.Switches == nil {
		o.Switches = new(Switches)
	}
	return o
}

// Servers are both sources, listening on the loopback until they are closed.
type Servers struct {
	RTEURL    string // base of the host: scheme, address, port
	ENTSOEURL string // address of the API, path included

	// The page at which each shows its faults and lets them be set.
	RTESwitchesURL    string
	ENTSOESwitchesURL string

	ports       []*port
	accepting   sync.WaitGroup
	connections sync.WaitGroup

	mu     sync.Mutex
	closed bool
	failed []error
}

// port is where one source listens. Its address stays the same when it is closed
// and opened again.
type port struct {
	address  string
	server   *http.Server
	listener net.Listener // nil while it is closed
}

// Start listens on two free ports of 127.0.0.1 and serves RTE on one, ENTSO-E on
// the other.
func Start(o Options) (*Servers, error) {
	o = o.withDefaults()
	s := new(Servers)
	rte, err := s.serve(o.Switches, AllOfRTE, RTE(o))
	if err != nil {
		return nil, err
	}
	entsoe, err := s.serve(o.Switches, AllOfENTSOE, ENTSOE(o))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.RTEURL, s.ENTSOEURL = rte, entsoe+"/api"
	s.RTESwitchesURL, s.ENTSOESwitchesURL = rte+switchesPath, entsoe+switchesPath
	return s, nil
}

func (s *Servers) serve(switches *Switches, source string, h http.Handler) (url string, err error) {
	p := &port{address: "127.0.0.1:0", server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.connections.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.connections.Done()
			}
		},
	}}
	s.ports = append(s.ports, p)
	if err := s.open(p); err != nil {
		return "", err
	}
	return "http://" + p.address, switches.guard(source, func(open bool) error {
		if open {
			return s.open(p)
		}
		s.shut(p)
		return nil
	})
}

// open listens on a port, unless it is open.
func (s *Servers) open(p *port) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	p.address, p.listener = l.Addr().String(), l
	p.server.SetKeepAlivesEnabled(true)
	s.accepting.Go(func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.mu.Lock()
			s.failed = append(s.failed, fmt.Errorf("simulator: %w", err))
			s.mu.Unlock()
		}
	})
	return nil
}

// shut stops listening on a port and closes the connections that rest. What is
// being answered is answered.
func (s *Servers) shut(p *port) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.listener == nil {
		return
	}
	p.listener.Close()
	p.listener = nil
	p.server.SetKeepAlivesEnabled(false)
}

// Close cuts what is being answered, waits until nothing runs any more and
// returns what went wrong since Start.
func (s *Servers) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, p := range s.ports {
		errs = append(errs, p.server.Close())
	}
	s.accepting.Wait()
	// A connection accepted meanwhile is known only now.
	for _, p := range s.ports {
		errs = append(errs, p.server.Close())
	}
	s.connections.Wait()
	return errors.Join(append(errs, s.failed...)...)
}
