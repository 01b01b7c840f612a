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

// demoInterval is how often each feed of demo --faults runs, around the clock.
const demoInterval = 10 * time.Second

// askOften sets the timetables so that every feed meets faults of a minute.
func askOften(cfg *config.Config) {
	for _, feed := range cfg.Ingest.Feeds {
		feed.Every, feed.Idle, feed.From, feed.To = demoInterval, demoInterval, 0, 24*60
	}
}

// sayFaults says where to watch, and where to make things go wrong by hand.
func (p *Program) sayFaults(sources *simulator.Servers, addr, token string) {
	fmt.Fprintf(p.Stdout, `
The simulated sources fail, in another way every minute; these tell and take what goes wrong:

  RTE       %s
  ENTSO-E   %s

  curl -d resource=%s -d fault=status-503 -d times=5 %[2]s
  curl -H 'Authorization: Bearer %[4]s' http://%[5]s/api/status
`, sources.RTESwitchesURL, sources.ENTSOESwitchesURL, simulator.StandardMFRR, token, addr)
}

// demoFault is something that goes wrong at the simulated sources.
type demoFault struct {
	resource string
	fault    string
	date     func(now time.Time) simulator.Day // that it is about; nil: none
	lasts    time.Duration
}

// demoHeldBack is what the sources do while they have no other fault: they hold back a delivery date, since a feed that
// has everything asks for nothing, and would meet no fault.
var demoHeldBack = []demoFault{
	{resource: simulator.A44, fault: "missing-date", date: simulator.NewestPrices},
	{resource: simulator.ProcuredReserves, fault: "missing-date", date: simulator.NewestPrices},
}

// demoFaults is the round of faults. The last of them is none.
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

// settling is how long all goes well after everything is brought in.
const settling = 15 * time.Second

// demoScript has the simulated sources fail, in one way after the other.
type demoScript struct {
	switches *simulator.Switches
	clock    clockwork.Clock
	log      *slog.Logger
	report   func(context.Context) (report.Report, error)
}

// NewDemoScript makes a script, and has what it begins with in force.
func NewDemoScript(switches *simulator.Switches, clock clockwork.Clock, log *slog.Logger, report func(context.Context) (report.Report, error)) *demoScript {
	s := &demoScript{switches, clock, log, report}
	s.holdBack()
	return s
}

// Play goes round through the faults until ctx ends, from when every feed has brought in what there is.
func (s *demoScript) Play(ctx context.Context) {
	for !s.isBroughtIn(ctx) {
		if !s.pause(ctx, time.Second) {
			return
		}
	}
	if !s.pause(ctx, settling) {
		return
	}
	for {
		for _, fault := range demoFaults {
			s.set(fault)
			s.log.Info("simulated fault", "resource", fault.resource, "fault", fault.fault, "what", whatIs(fault.fault), "for", fault.lasts.String())
			if !s.pause(ctx, fault.lasts) {
				return
			}
			s.end(fault)
		}
	}
}

// pause says whether it was not cut short by the end of ctx.
func (s *demoScript) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.clock.After(d):
		return true
	}
}

// isBroughtIn says whether every feed has run once.
func (s *demoScript) isBroughtIn(ctx context.Context) bool {
	report, err := s.report(ctx)
	for _, status := range report.Datasets {
		if status.NextRunAt == nil {
			return false
		}
	}
	return err == nil
}

// end leaves no instant at which what is held back may come.
func (s *demoScript) end(over demoFault) {
	if !slices.ContainsFunc(demoHeldBack, func(f demoFault) bool { return f.resource == over.resource }) {
		s.set(demoFault{resource: over.resource, fault: simulator.Well})
	}
	s.holdBack()
}

func (s *demoScript) holdBack() {
	for _, fault := range demoHeldBack {
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

// whatIs says what a fault is.
func whatIs(name string) string {
	for _, fault := range simulator.Faults() {
		if fault.Name == name {
			return fault.Says
		}
	}
	return ""
}
