package command

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// serverClock notes how far this machine's clock is from that of the servers that answer.
type serverClock struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	asked bool
	skew  time.Duration
}

// RoundTrip passes a request on and reads the Date of its answer.
func (c *serverClock) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.asked, c.skew = true, c.now().Sub(date)
		c.mu.Unlock()
	}
	return response, nil
}

func (c *serverClock) verdict() verdict {
	v := verdict{what: "clock"}
	switch {
	case !c.asked:
		v.said = "not compared: no source answered"
	case c.skew.Abs() > mostSkew:
		v.err = fmt.Errorf("it is off by %s from a source's: set it, best by NTP", c.skew.Round(time.Second))
	default:
		v.said = "within a minute of the sources'"
	}
	return v
}
