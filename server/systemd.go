package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// NotifySystemd notifies systemd that the service is ready, then at the interval of the watchdog that it still answers, and when ctx ends
// that it stops. Without systemd it does nothing. The function that it returns ends the notifications and waits.
func (s *Server) NotifySystemd(ctx context.Context) (end func()) {
	s.notify(daemon.SdNotifyReady)
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("systemd watchdog not notified", "error", err.Error())
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
		s.log.Warn("systemd not notified", "error", err.Error())
	}
}

// feedWatchdog sends the service a request before each notification, whatever it answers: a service that hangs does not answer, and systemd
// is not notified.
func (s *Server) feedWatchdog(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil)
		if err != nil {
			s.log.Warn("systemd watchdog not notified", "error", err.Error())
			return
		}
		s.server.ServeHTTP(discard{}, request)
		s.notify(daemon.SdNotifyWatchdog)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// discard is a ResponseWriter that discards the answer.
type discard http.Header

// Header implements http.ResponseWriter.
func (d discard) Header() http.Header { return http.Header(d) }

// Write implements http.ResponseWriter.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (discard) WriteHeader(int) {}
