package command

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/ingest/report"
	"courant/ingest/simulator"
	"courant/server/config"
)

// demoInterval is how often each feed of demo --faults runs, at any time of day.
const demoInterval = 10 * time.Second

// fetchOften makes every feed run so often that it meets faults that last a minute.
func fetchOften(cfg *config.Config) {
	for _, feed := range cfg.Ingest.Feeds {
		feed.Every, feed.Idle, feed.From, feed.To = demoInterval, demoInterval, 0, 24*60
	}
}

// printFaults prints where to watch the faults and where to set others by hand.
func (p *Program) printFaults(sources *simulator.Servers, addr, token string) {
	fmt.Fprintf(p.Stdout, `
The simulated sources fail in a different way every minute. These addresses show and set the faults:

  RTE       %s
  ENTSO-E   %s

  curl -d resource=%s -d fault=status-503 -d times=5 %[2]s
  curl -H 'Authorization: Bearer %[4]s' http://%[5]s/api/status
`, sources.RTESwitchesURL, sources.ENTSOESwitchesURL, simulator.StandardMFRR, token, addr)
}

// demoFault is a fault of the simulated sources.
type demoFault struct {
	resource string
	fault    string
	date     func(now time.Time) simulator.Day // the delivery date of the fault; nil: none
	lasts    time.Duration
}

// demoBaseFaults are in effect while a resource has no other fault: the newest delivery date is missing, since a feed that has everything
// makes no calls and would meet no fault.
var demoBaseFaults = []demoFault{
	{resource: simulator.A44, fault: "missing-date", date: simulator.NewestPrices},
	{resource: simulator.ProcuredReserves, fault: "missing-date", date: simulator.NewestPrices},
}

// demoFaults are set one after the other, again and again. The last one ends all others.
var demoFaults = []demoFault{
	{resource: simulator.A44, fault: "status-503", lasts: 75 * time.Second},
	{resource: simulator.Token, fault: simulator.TokenExpired, lasts: 30 * time.Second},
	{resource: simulator.MarginalPrice, fault: "hang-before-headers", lasts: time.Minute},
	{resource: simulator.StandardMFRR, fault: "html-page", lasts: time.Minute},
	{resource: simulator.ProcuredReserves, fault: "truncated-body", lasts: 75 * time.Second},
	{resource: simulator.StandardMFRR, fault: "status-429-retry-after", lasts: 75 * time.Second},
	{resource: simulator.MarginalPrice, fault: simulator.Corrected, date: simulator.DayOf, lasts: time.Minute},
	{resource: simulator.A44, fault: "flat-prices", date: simulator.NewestPrices, lasts: time.Minute},
	{resource: simulator.All, fault: simulator.Well, lasts: 2 * time.Minute},
}

// settling is the time without faults after the first run of every feed.
const settling = 15 * time.Second

// demoScript sets the faults of the simulated sources, one after the other.
type demoScript struct {
	switches *simulator.Switches
	clock    clockwork.Clock
	log      *slog.Logger
	report   func(context.Context) (report.Report, error)
}

// NewDemoScript returns a script and sets its first faults.
func NewDemoScript(
	switches *simulator.Switches, clock clockwork.Clock, log *slog.Logger, report func(context.Context) (report.Report, error),
) *demoScript {
	s := &demoScript{switches, clock, log, report}
	s.setBaseFaults()
	return s
}

// Play waits for the first run of every feed, and then sets the faults in turn until ctx ends.
func (s *demoScript) Play(ctx context.Context) {
	for !s.allFeedsRan(ctx) {
		if !pause(ctx, s.clock, time.Second) {
			return
		}
	}
	if !pause(ctx, s.clock, settling) {
		return
	}
	for {
		for _, fault := range demoFaults {
			s.set(fault)
			s.log.Info("simulated fault", "resource", fault.resource, "fault", fault.fault, "what", describeFault(fault.fault),
				"for", fault.lasts.String())
			if !pause(ctx, s.clock, fault.lasts) {
				return
			}
			s.end(fault)
		}
	}
}

// pause waits for d and reports false if ctx ended first.
func pause(ctx context.Context, clock clockwork.Clock, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-clock.After(d):
		return true
	}
}

// allFeedsRan reports whether every feed has run once.
func (s *demoScript) allFeedsRan(ctx context.Context) bool {
	report, err := s.report(ctx)
	for _, status := range report.Datasets {
		if status.NextRunAt == nil {
			return false
		}
	}
	return err == nil
}

// end ends a fault. A resource with a base fault goes over to that directly, so that the missing date is not given out in between.
func (s *demoScript) end(over demoFault) {
	if !slices.ContainsFunc(demoBaseFaults, func(f demoFault) bool { return f.resource == over.resource }) {
		s.set(demoFault{resource: over.resource, fault: simulator.Well})
	}
	s.setBaseFaults()
}

func (s *demoScript) setBaseFaults() {
	for _, fault := range demoBaseFaults {
		s.set(fault)
	}
}

func (s *demoScript) set(f demoFault) {
	w := simulator.Switch{Resource: f.resource, Fault: f.fault}
	if f.date != nil {
		w.Date = f.date(s.clock.Now())
	}
	if err := s.switches.Set(w); err != nil {
		s.log.Error("simulated fault not set", "resource", f.resource, "fault", f.fault, "error", err.Error())
	}
}

// describeFault returns the simulator's description of a fault.
func describeFault(name string) string {
	for _, fault := range simulator.Faults() {
		if fault.Name == name {
			return fault.Says
		}
	}
	return ""
}
