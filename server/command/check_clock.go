package command

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// serverClock is a RoundTripper that compares this machine's clock with the servers' clocks.
type serverClock struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	known bool
	skew  time.Duration
}

// RoundTrip passes a request on and reads the Date header of the answer.
func (c *serverClock) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.known, c.skew = true, c.now().Sub(date)
		c.mu.Unlock()
	}
	return response, nil
}

func (c *serverClock) result() result {
	v := result{what: "clock"}
	switch {
	case !c.known:
		v.found = "not compared: no source answered"
	case c.skew.Abs() > maxSkew:
		v.err = fmt.Errorf("it differs by %s from a source's: set it, best by NTP", c.skew.Round(time.Second))
	default:
		v.found = "within a minute of the sources'"
	}
	return v
}
