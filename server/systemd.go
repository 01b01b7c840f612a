package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// TellSystemd says that the service is ready, then as often as systemd's watchdog wants that it still answers, and that it
// stops when ctx ends. Where no systemd listens nothing is said. The function it returns ends it and waits.
func (s *Server) TellSystemd(ctx context.Context) (end func()) {
	s.notify(daemon.SdNotifyReady)
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("systemd's watchdog is not fed", "error", err.Error())
	}
	ctx, cancel := context.WithCancel(ctx)
	var alive sync.WaitGroup
	alive.Go(func() {
		defer s.notify(daemon.SdNotifyStopping)
		if interval > 0 {
			s.feedWatchdog(ctx, interval/3)
			return
		}
		<-ctx.Done()
	})
	return func() {
		cancel()
		alive.Wait()
	}
}

func (s *Server) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd is not told", "error", err.Error())
	}
}

// feedWatchdog has the service answer itself, whatever it says: what hangs says nothing, and is not fed.
func (s *Server) feedWatchdog(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil)
		if err != nil {
			s.log.Warn("systemd's watchdog is not fed", "error", err.Error())
			return
		}
		s.server.ServeHTTP(unread{}, request)
		s.notify(daemon.SdNotifyWatchdog)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// unread is an answer that nobody reads.
type unread http.Header

// Header is for http.ResponseWriter.
func (u unread) Header() http.Header { return http.Header(u) }

// Write is for http.ResponseWriter.
func (unread) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader is for http.ResponseWriter.
func (unread) WriteHeader(int) {}
